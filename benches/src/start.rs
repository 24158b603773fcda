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
    let mut table = Table::new("Start and size", &["figure", "measured"]);
    let mut first = Vec::new();
    let mut again = Vec::new();
    for turn in 0..STARTS {
        let data = folder.join(format!("start-{turn}"));
        first.push(start(palisade, &data)?);
        again.push(start(palisade, &data)?);
    }
    let mut row = |name: &'static str, value: f64, unit: &str, wanted: &'static str, goal: f64| {
        let measured = format!("{value:.1} {unit}");
        table.row(&[name.to_owned(), measured.clone()]);
        table.goal(name, wanted, measured, goal / value);
    };
    row("start to first signed answer", median(&again), "ms", "≤ 100 ms", 100.0);
    row("the same with an empty data folder", median(&first), "ms", "≤ 100 ms", 100.0);
    let data = folder.join("idle");
    let server = process::palisade(palisade, &data, &[])?;
    std::thread::sleep(Duration::from_secs(1));
    row("resident, idle after start", server.resident_mib()?, "MiB", "≤ 40 MiB", 40.0);
    let key = root_key(&data)?;
    let signer = Signer::new(&key, "sts", &server.host());
    let requests = vec![signer.form(FORM); 1_000];
    load::run(server.address, requests, 8, Until::Sent)?;
    std::thread::sleep(Duration::from_secs(1));
    row("resident after 1,000 requests", server.resident_mib()?, "MiB", "≤ 40 MiB", 40.0);
    let size = std::fs::metadata(palisade)?.len() as f64;
    row("binary, stripped", size / f64::from(1 << 20), "MiB", "≤ 60 MiB", 60.0);
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
