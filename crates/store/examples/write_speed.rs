//! Durable transactions a second from 32 writers: one document and one 1.5 KB audit record each.
//!
//! `cargo run --release -p palisade-store --example write_speed -- FOLDER|URL [DOCUMENTS]`

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use palisade_store::{AuditRecord, Key, Options, Read, Result, Store};

const WRITERS: u64 = 32;
const STEP: u64 = 10_000;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| "write_speed.data".into());
    let documents: u64 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let store = if folder.starts_with("postgres") {
        Store::open_postgres(&folder, &Options::default())?
    } else {
        Store::open_sqlite(std::path::Path::new(&folder), &Options::default())?
    };
    println!("{:>10} {:>10} {:>9} {:>9} {:>9}", "documents", "tx/s", "p50 ms", "p99 ms", "max ms");
    let mut from = 0;
    while from < documents {
        step(&store, "insert", from, |number| number);
        from += STEP;
    }
    for _ in 0..3 {
        // Updates of documents all over the collection.
        step(&store, "update", from, |number| number.wrapping_mul(0x9E37_79B9) % documents);
    }
    cached_reads(&store, documents)
}

fn step(store: &Store, what: &str, from: u64, document: impl Fn(u64) -> u64 + Sync) {
    let next = AtomicU64::new(from);
    let began = Instant::now();
    let mut latencies: Vec<Duration> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| scope.spawn(|| write_until(store, &next, from + STEP, &document)))
            .collect();
        writers.into_iter().filter_map(|writer| writer.join().ok()).flatten().collect()
    });
    let seconds = began.elapsed().as_secs_f64();
    latencies.sort();
    let at = |per_mille: usize| {
        latencies.get(latencies.len() * per_mille / 1000).map_or(0.0, |d| d.as_secs_f64() * 1e3)
    };
    let rate = STEP as f64 / seconds;
    let (p50, p99) = (at(500), at(990));
    let max = latencies.last().map_or(0.0, |d| d.as_secs_f64() * 1e3);
    println!("{:>10} {rate:>10.0} {p50:>9.2} {p99:>9.2} {max:>9.2}  {what}", from + STEP);
}

fn write_until(
    store: &Store,
    next: &AtomicU64,
    end: u64,
    document: &(impl Fn(u64) -> u64 + Sync),
) -> Vec<Duration> {
    let mut latencies = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= end {
            return latencies;
        }
        let name = name_of(document(number));
        let began = Instant::now();
        let result = store.write_blocking(Box::new(move |tx| {
            tx.put(&Key::new("iam/user", "111122223333", "", &name), &[b'd'; 600])?;
            tx.audit(AuditRecord {
                event_id: name_of(number ^ 0x5555_5555),
                time_millis: 1_795_000_000_000 + number as i64,
                account: "111122223333".into(),
                region: "us-east-1".into(),
                event: vec![b'e'; 1000],
                decision: vec![b'x'; 500],
            })?;
            Ok(())
        }));
        if let Err(error) = result {
            println!("a write failed: {error}");
            return latencies;
        }
        latencies.push(began.elapsed());
    }
}

/// A name that sorts at random, as user names and event ids do.
fn name_of(number: u64) -> String {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(31);
    format!("{:016x}-{number:08}", mixed.wrapping_mul(0xBF58_476D_1CE4_E5B9))
}

fn cached_reads(store: &Store, documents: u64) -> Result<()> {
    let names: Vec<String> = (0..documents.min(10_000)).map(name_of).collect();
    for round in ["first", "second"] {
        let began = Instant::now();
        for name in &names {
            store.snapshot().get(&Key::new("iam/user", "111122223333", "", name))?;
        }
        let each = began.elapsed().as_nanos() / names.len() as u128;
        println!("{round} read of {} documents: {each} ns each", names.len());
    }
    Ok(())
}
