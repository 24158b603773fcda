//! Nanoseconds of a cached `get`, and appends a second to the read log.
//!
//! `cargo run --release -p palisade-store --example read_speed -- FOLDER`

use std::path::Path;
use std::time::Instant;

use palisade_store::log::ReadLog;
use palisade_store::{Key, Options, Read, Result, Store};

const READS: usize = 2_000_000;
const APPENDS: usize = 200_000;

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "read_speed.data".into());
    reads()?;
    appends(Path::new(&folder))
}

fn reads() -> Result<()> {
    for documents in [100, 10_000] {
        let store = Store::open_ephemeral(&Options::default())?;
        let names: Vec<String> = (0..documents).map(|number| format!("user-{number}")).collect();
        let written = names.clone();
        store.write_blocking(Box::new(move |tx| {
            for name in &written {
                tx.put(&Key::new("iam/user", "111122223333", "", name), &[b'x'; 700])?;
            }
            Ok(())
        }))?;
        for threads in [1, 2] {
            let began = Instant::now();
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| read_all(&store, &names));
                }
            });
            let nanos = began.elapsed().as_nanos() as usize / READS;
            println!("get, {documents} documents, {threads} threads: {nanos} ns each");
        }
    }
    Ok(())
}

/// Takes a snapshot for every ten reads, as a request does.
fn read_all(store: &Store, names: &[String]) {
    let mut keys = names.iter().cycle();
    for _ in 0..READS / 10 {
        let snapshot = store.snapshot();
        for name in keys.by_ref().take(10) {
            let key = Key::new("iam/user", "111122223333", "", name);
            assert!(snapshot.get(&key).is_ok_and(|found| found.is_some()));
        }
    }
}

fn appends(folder: &Path) -> Result<()> {
    let record = vec![b'r'; 1000];
    for threads in [1, 2, 8] {
        let place = folder.join(format!("log-{threads}"));
        let log = ReadLog::open(&place)?;
        let began = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    for number in 0..APPENDS / threads {
                        let appended =
                            log.append(&record, number as i64, "111122223333", "us-east-1");
                        assert_eq!(appended, Ok(()));
                    }
                });
            }
        });
        let rate = APPENDS as f64 / began.elapsed().as_secs_f64();
        println!("append, {threads} threads: {rate:.0} a second");
        let began = Instant::now();
        let mut found = 0;
        let query = palisade_store::log::LogQuery {
            newest_first: true,
            contains: Some(b"no such bytes"),
            ..Default::default()
        };
        log.scan(&query, &mut |_| {
            found += 1;
            std::ops::ControlFlow::Continue(())
        })?;
        let seconds = began.elapsed().as_secs_f64();
        println!("scan of {APPENDS} records for bytes in none ({found}): {seconds:.3} s");
    }
    Ok(())
}
