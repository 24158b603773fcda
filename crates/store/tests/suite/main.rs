//! One list of checks, run over every backend.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod backends;
mod concurrency;
mod documents;
mod nodes;
mod records;
#[path = "../support/mod.rs"]
mod support;

use backends::Bed;
use palisade_store::{Store, StoreError};

/// A named check. It gets a fresh store.
pub type Check = (&'static str, fn(&Bed));

fn checks() -> Vec<Check> {
    [documents::CHECKS, concurrency::CHECKS, records::CHECKS].concat()
}

/// Runs every check on the backend and names all that fail.
fn run(open: impl Fn() -> Bed) {
    let mut failed = Vec::new();
    for (name, check) in checks() {
        let bed = open();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&bed)));
        if outcome.is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "failed: {failed:?}");
}

#[test]
fn sqlite_on_disk() {
    run(Bed::sqlite);
}

#[test]
fn sqlite_in_memory() {
    run(Bed::ephemeral);
}

#[test]
fn sqlite_reopens() {
    documents::reopen(Bed::sqlite());
}

#[test]
fn a_second_opener_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let options = backends::options();
    let first = Store::open_sqlite(folder.path(), &options).unwrap();
    let second = Store::open_sqlite(folder.path(), &options);
    assert_eq!(second.err(), Some(StoreError::Locked(folder.path().to_path_buf())));
    drop(first);
    Store::open_sqlite(folder.path(), &options).unwrap();
}

#[test]
fn postgres() {
    let Some(server) = support::Server::start() else {
        return;
    };
    run(|| Bed::postgres(server.fresh_url()));
    documents::reopen(Bed::postgres(server.fresh_url()));
    for (name, check) in nodes::CHECKS {
        println!("{name}");
        check(&server.fresh_url());
    }
    match server.certificate() {
        Some(certificate) => nodes::tls(&server.fresh_url(), certificate),
        None => println!("SKIPPED: no openssl to give the server a certificate"),
    }
}
