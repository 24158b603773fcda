//! Kills a writing process at random points and looks at what it left.
//!
//! `PALISADE_CRASH_KILLS` says how often (25). The child is this program, running only `writer`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use palisade_store::{AuditQuery, AuditRecord, Key, Options, Read, Result, Store};

const WRITERS: usize = 8;
const DOCUMENTS: usize = 3;

fn open(place: &str) -> Result<Store> {
    let options = Options { cache_bytes: 1 << 20, ..Options::default() };
    if place.starts_with("postgres") {
        Store::open_postgres(place, &options)
    } else {
        Store::open_sqlite(std::path::Path::new(place), &options)
    }
}

fn name(writer: usize, number: usize, part: usize) -> String {
    format!("{writer}/{number}/{part}")
}

/// The child: writes until it is killed, telling what is acknowledged.
#[test]
#[ignore = "the child of the crash tests"]
fn writer() {
    let Ok(place) = std::env::var("PALISADE_CRASH_PLACE") else {
        return;
    };
    let account = std::env::var("PALISADE_CRASH_ACCOUNT").unwrap();
    let store = open(&place).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (store, account) = (&store, &account);
            scope.spawn(move || {
                for number in 0.. {
                    let account = account.clone();
                    let committed = store.write_blocking(Box::new(move |tx| {
                        for part in 0..DOCUMENTS {
                            let name = name(writer, number, part);
                            // One document is new, one is changed again and again.
                            tx.put(&Key::new("c/new", &account, "", &name), &[b'b'; 700])?;
                        }
                        let counter = format!("{writer}");
                        let body = number.to_string();
                        tx.put(&Key::new("c/counter", &account, "", &counter), body.as_bytes())?;
                        tx.audit(AuditRecord {
                            event_id: name(writer, number, 0),
                            time_millis: number as i64,
                            account: account.clone(),
                            region: String::new(),
                            event: vec![b'e'; 1500],
                            decision: vec![],
                        })?;
                        Ok(())
                    }));
                    let revision = committed.unwrap().revision;
                    let line = format!("\nack {writer} {number} {revision}\n");
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                }
            });
        }
    });
}

/// Runs the child until it is killed; returns what it acknowledged.
fn run_and_kill(place: &str, account: &str, random: u64) -> BTreeMap<(usize, usize), u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writer", "--ignored", "--nocapture"])
        .env("PALISADE_CRASH_PLACE", place)
        .env("PALISADE_CRASH_ACCOUNT", account)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut acknowledged = BTreeMap::new();
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut killer = None;
    for line in output.lines() {
        let line = line.unwrap();
        let fields: Vec<&str> = line.split(' ').collect();
        let ["ack", writer, number, revision] = fields[..] else {
            continue;
        };
        // A line that the kill cut short was not told; it may look like a smaller number.
        let (Ok(writer), Ok(number), Ok(revision)) =
            (writer.parse(), number.parse(), revision.parse())
        else {
            continue;
        };
        acknowledged.insert((writer, number), revision);
        if killer.is_none() {
            let id = child.id().to_string();
            killer = Some(std::thread::spawn(move || {
                std::thread::sleep(Duration::from_micros(random % 150_000));
                assert!(Command::new("kill").args(["-KILL", &id]).status().unwrap().success());
            }));
        }
    }
    killer.expect("the child wrote nothing").join().unwrap();
    assert!(!child.wait().unwrap().success());
    acknowledged
}

/// Checks what the child of `account` left; returns the newest revision.
fn verify(
    store: &Store,
    account: &str,
    before: u64,
    acknowledged: &BTreeMap<(usize, usize), u64>,
) -> u64 {
    let snapshot = store.snapshot();
    let found = snapshot.scan("c/new", account, "", "", None, usize::MAX).unwrap();
    let mut transactions: BTreeMap<(usize, usize), (u64, usize)> = BTreeMap::new();
    for (key, document) in found {
        let mut fields = key.split('/').map(|field| field.parse::<usize>().unwrap());
        let id = (fields.next().unwrap(), fields.next().unwrap());
        let entry = transactions.entry(id).or_insert((document.revision, 0));
        assert_eq!(entry.0, document.revision, "{id:?} is one transaction");
        entry.1 += 1;
    }
    for (id, (_, documents)) in &transactions {
        assert_eq!(*documents, DOCUMENTS, "{id:?} is whole");
    }
    for (id, revision) in acknowledged {
        assert_eq!(transactions.get(id).map(|t| t.0), Some(*revision), "{id:?} is there");
    }
    let query = AuditQuery {
        account,
        region: None,
        from_millis: i64::MIN,
        to_millis: i64::MAX,
        newest_first: false,
        after: None,
        limit: usize::MAX,
    };
    let audit = snapshot.audit_scan(&query).unwrap();
    let audited: BTreeSet<String> = audit.into_iter().map(|(_, r)| r.event_id).collect();
    let written = transactions.keys().map(|(writer, number)| name(*writer, *number, 0));
    assert_eq!(audited, written.collect(), "each change has its record and each record its change");
    for writer in 0..WRITERS {
        let last = transactions.range((writer, 0)..(writer + 1, 0)).next_back();
        let counter = snapshot.get(&Key::new("c/counter", account, "", &writer.to_string()));
        let counter = counter.unwrap().map(|d| String::from_utf8(d.body.to_vec()).unwrap());
        assert_eq!(counter, last.map(|((_, number), _)| number.to_string()));
    }
    let feed = snapshot.changes_since(before, usize::MAX).unwrap();
    let mut changes: BTreeMap<u64, usize> = BTreeMap::new();
    for change in feed.changes {
        *changes.entry(change.revision).or_default() += 1;
    }
    assert!(changes.values().all(|count| *count == DOCUMENTS + 1));
    assert!(changes.keys().copied().eq(before + 1..=snapshot.revision()), "no gaps");
    assert_eq!(changes.len(), transactions.len());
    snapshot.revision()
}

/// `gone` waits until nothing of the killed child named by its first argument writes any more.
fn kill_many(place: &str, child_place: impl Fn(&str) -> String, gone: impl Fn(&str)) {
    let kills = std::env::var("PALISADE_CRASH_KILLS").map_or(25, |text| text.parse().unwrap());
    let (mut before, mut total) = (0, 0);
    for kill in 0..kills {
        let account = format!("{kill:012}");
        let random = RandomState::new().hash_one(kill);
        let acknowledged = run_and_kill(&child_place(&account), &account, random);
        total += acknowledged.len();
        gone(&account);
        let store = open(place).unwrap();
        before = verify(&store, &account, before, &acknowledged);
    }
    println!("{kills} kills, {total} acknowledged, {before} committed");
}

#[test]
fn sqlite_survives_kills() {
    let folder = tempfile::tempdir().unwrap();
    kill_many(folder.path().to_str().unwrap(), |_| folder.path().to_str().unwrap().into(), |_| ());
}

#[test]
fn postgres_survives_kills() {
    if let Some(server) = support::Server::start() {
        // What the child sent before it died, its backend still commits afterwards: a check that
        // did not wait would find the end of one child's work among that of the next.
        let url = server.fresh_url();
        let named = |account: &str| format!("{url}&application_name=crash_{account}");
        kill_many(&url, named, |account| server.wait_for_end(&format!("crash_{account}")));
    }
}
