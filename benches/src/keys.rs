//! KMS: Encrypt, beside moto.

use crate::Result;
use crate::load::{self, Load, Until};
use crate::process::{self, Server, root_key};
use crate::report::{Table, count, median, micros, times};
use crate::sign::{AccessKey, Signer};
use std::path::Path;
use std::time::Duration;

const CLIENTS: usize = 32;
const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(4);
/// Different requests, signed ahead.
const REQUESTS: usize = 512;

struct Contender {
    name: &'static str,
    server: Server,
    root: AccessKey,
    key_id: String,
}

impl Contender {
    fn new(name: &'static str, server: Server, root: AccessKey) -> Result<Self> {
        let signer = Signer::new(&root, "kms", &server.host());
        let made = process::exchange(server.address, &signer.json("TrentService.CreateKey", "{}"))?;
        let made: serde_json::Value = serde_json::from_str(&made)?;
        let key_id = made["KeyMetadata"]["KeyId"].as_str().ok_or("no KeyId")?.to_owned();
        Ok(Self { name, server, root, key_id })
    }

    fn encrypt(&self) -> Result<Load> {
        let signer = Signer::new(&self.root, "kms", &self.server.host());
        let request = |index: usize| {
            let body = format!(
                "{{\"KeyId\":\"{}\",\"Plaintext\":\"aGVsbG8gd29ybGQ=\",\
                 \"EncryptionContext\":{{\"turn\":\"{index}\"}}}}",
                self.key_id
            );
            signer.json("TrentService.Encrypt", &body)
        };
        let requests = (0..REQUESTS).map(request).collect();
        load::run(self.server.address, requests, CLIENTS, Until::Elapsed(ROUND))
    }
}

pub fn run(palisade: &Path, folder: &Path) -> Result<Table> {
    let folder = folder.join("keys");
    let server = process::palisade(palisade, &folder, &[])?;
    let root = root_key(&folder)?;
    let contenders = [
        Contender::new("Palisade", server, root.clone())?,
        Contender::new("moto_server", process::moto()?, root)?,
    ];
    let mut rounds: [Vec<Load>; 2] = Default::default();
    for _ in 0..ROUNDS {
        for (contender, loads) in contenders.iter().zip(&mut rounds) {
            loads.push(contender.encrypt()?);
        }
    }
    let of = |loads: &[Load], figure: fn(&Load) -> f64| {
        median(&loads.iter().map(figure).collect::<Vec<_>>())
    };
    let [_, moto] = &rounds;
    let moto = of(moto, |load| load.per_second);
    let title = "KMS: Encrypt from 32 clients";
    let mut table = Table::new(title, &["server", "calls/s", "p50", "p99", "of moto"]);
    for (contender, loads) in contenders.iter().zip(&rounds) {
        let rate = of(loads, |load| load.per_second);
        table.row(&[
            contender.name.to_owned(),
            count(rate),
            micros(of(loads, |load| load.p50_micros)),
            micros(of(loads, |load| load.p99_micros)),
            times(rate / moto),
        ]);
    }
    table.note(
        "Each call is decided by the key's policy and recorded. moto checks neither signatures nor \
         policies.",
    );
    Ok(table)
}
