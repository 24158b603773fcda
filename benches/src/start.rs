//! Start to the first signed answer, memory, and the size of the binary.

use crate::Result;
use crate::load::{self, Until};
use crate::process::{self, Server, free_address, palisade_command, root_key};
use crate::report::{Table, median};
use crate::sign::{AccessKey, Signer};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

const STARTS: usize = 20;
const FORM: &str = "Action=GetCallerIdentity&Version=2011-06-15";

pub fn run(palisade: &Path, folder: &Path) -> Result<Table> {
    let mut table = Table::new("Start and size", &["figure", "measured", "goal"]);
    let mut first = Vec::new();
    let mut again = Vec::new();
    for turn in 0..STARTS {
        let data = folder.join(format!("start-{turn}"));
        first.push(start(palisade, &data)?);
        again.push(start(palisade, &data)?);
    }
    let millis = |value: f64| format!("{value:.1} ms");
    let mib = |value: f64| format!("{value:.1} MiB");
    let mut row = |name: &str, value: String, goal: &str| {
        table.row(&[name.to_owned(), value, goal.to_owned()]);
    };
    row("start to first signed answer", millis(median(&again)), "≤ 100 ms");
    row("the same with an empty data folder", millis(median(&first)), "≤ 100 ms");
    let data = folder.join("idle");
    let server = process::palisade(palisade, &data, &[])?;
    std::thread::sleep(Duration::from_secs(1));
    row("resident, idle after start", mib(server.resident_mib()?), "≤ 40 MiB");
    let key = root_key(&data)?;
    let signer = Signer::new(&key, "sts", &server.host());
    let requests = vec![signer.form(FORM); 1_000];
    load::run(server.address, requests, 8, Until::Sent)?;
    std::thread::sleep(Duration::from_secs(1));
    row("resident after 1,000 requests", mib(server.resident_mib()?), "≤ 40 MiB");
    let size = std::fs::metadata(palisade)?.len() as f64;
    row("binary, stripped", mib(size / f64::from(1 << 20)), "≤ 60 MiB");
    Ok(table)
}

/// Milliseconds from starting the process to having a signed request answered.
fn start(palisade: &Path, data: &Path) -> Result<f64> {
    let address = free_address()?;
    let mut command = palisade_command(palisade, data, address, &[]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let child = command.spawn()?;
    let server = Server::of(child, address);
    while TcpStream::connect(address).is_err() {
        if began.elapsed() > Duration::from_secs(30) {
            return Err("the server does not start".into());
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    let key: AccessKey = root_key(data)?;
    server.call(&key, "sts", FORM)?;
    Ok(began.elapsed().as_secs_f64() * 1_000.0)
}
