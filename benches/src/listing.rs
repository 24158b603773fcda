//! S3: a page of 1,000 keys in buckets of very different sizes.

use crate::Result;
use crate::load::{self, Load, Until};
use crate::objects::Contender;
use crate::report::{Table, count, median, micros, percent};
use bytes::Bytes;
use std::path::Path;
use std::time::Duration;

const CLIENTS: usize = 64;
const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(4);
const PAGE: usize = 1_000;
const KEYS: usize = 1_000_000;
/// Objects made with signatures of one moment: they are good for a quarter of an hour.
const BATCH: usize = 20_000;
/// Different pages, signed ahead.
const PAGES: usize = 64;
/// Fewer keys in place of the million, for trying the program out.
const KEYS_VARIABLE: &str = "PALISADE_BENCH_KEYS";

pub fn run(palisade: &Path, folder: &Path) -> Result<Table> {
    let folder = folder.join("listing");
    let keys = match std::env::var(KEYS_VARIABLE) {
        Ok(text) => text.parse()?,
        Err(_) => KEYS,
    };
    let title = "S3: ListObjectsV2, pages of 1,000 keys";
    let head = ["keys in the bucket", "pages/s", "p50", "p99", "creating objects, each/s"];
    let mut table = Table::new(title, &head);
    let mut figures = Vec::new();
    {
        let ours = Contender::palisade(palisade, &folder)?;
        let mut made = 0;
        for size in [PAGE, keys] {
            let created = grow(&ours, made, size)?;
            made = size;
            let loads: Vec<Load> =
                (0..ROUNDS).map(|_| pages(&ours, size)).collect::<Result<_>>()?;
            let of =
                |figure: fn(&Load) -> f64| median(&loads.iter().map(figure).collect::<Vec<_>>());
            let p50 = of(|load| load.p50_micros);
            figures.push(p50);
            table.row(&[
                count(size as f64),
                count(of(|load| load.per_second)),
                micros(p50),
                micros(of(|load| load.p99_micros)),
                count(created),
            ]);
        }
    }
    std::fs::remove_dir_all(&folder)?;
    if let [small, large] = figures.as_slice() {
        let name = "a page of 1,000 keys at 1,000,000";
        table.goal(name, "< 5 ms", micros(*large), 5_000.0 / large);
        let flat = small / large;
        table.goal("the same, speed by that at 1,000", "≥ 80 %", percent(flat), flat / 0.8);
    }
    table.note("One client, one page after the other, each from a random key on.");
    Ok(table)
}

/// Makes objects of no bytes until there are so many. Answers how many a second.
fn grow(ours: &Contender, from: usize, to: usize) -> Result<f64> {
    let (mut made, mut seconds) = (from, 0.0);
    while made < to {
        let end = to.min(made + BATCH);
        let signer = ours.signer();
        let put = |key: usize| signer.object("PUT", &format!("/bench/k{key:07}"), b"");
        let requests: Vec<Bytes> = (made..end).map(put).collect();
        let count = requests.len() as f64;
        let load = load::run(ours.server.address, requests, CLIENTS, Until::Sent)?;
        seconds += count / load.per_second;
        made = end;
    }
    Ok((to - from) as f64 / seconds)
}

fn pages(ours: &Contender, keys: usize) -> Result<Load> {
    let signer = ours.signer();
    let page = |turn: usize| {
        // Far apart, and each with a whole page behind it.
        let after = turn * 7_919_993 % (keys - PAGE + 1);
        let target = match after {
            0 => "/bench?list-type=2".to_owned(),
            after => format!("/bench?list-type=2&start-after=k{:07}", after - 1),
        };
        signer.object("GET", &target, b"")
    };
    let requests = (0..PAGES).map(page).collect();
    load::run(ours.server.address, requests, 1, Until::Elapsed(ROUND))
}
