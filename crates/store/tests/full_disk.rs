//! What happens when the disk is full: on a small file system, where mounting is allowed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;

use palisade_store::log::{LogQuery, ReadLog};
use palisade_store::{Key, Options, Read, Store, StoreError};

/// A file system of 4 MiB; unmounted when dropped.
struct Small {
    folder: tempfile::TempDir,
}

impl Small {
    fn mount() -> Option<Small> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4m", "palisade-test"])
            .arg(folder.path())
            .output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Small { folder });
        }
        println!("SKIPPED: this user may not mount a tmpfs");
        None
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.folder.path()).status();
    }
}

fn put(store: &Store, name: String) -> Result<u64, StoreError> {
    let committed = store.write_blocking(Box::new(move |tx| {
        Ok(tx.put(&Key::new("c", "1", "", &name), &[b'x'; 20_000])?)
    }));
    committed.map(|committed| committed.revision)
}

fn check(store: &Store, acknowledged: &[String]) {
    let snapshot = store.snapshot();
    assert_eq!(snapshot.revision(), acknowledged.len() as u64);
    let mut names: Vec<String> = snapshot
        .scan("c", "1", "", "", None, usize::MAX)
        .unwrap()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    names.sort_by_key(|name| name.parse::<u64>().unwrap());
    assert_eq!(names, acknowledged);
}

#[test]
fn a_store_refuses_and_recovers() {
    let Some(small) = Small::mount() else {
        return;
    };
    let ballast = small.path().join("ballast");
    std::fs::write(&ballast, vec![0; 2 << 20]).unwrap();
    let store = Store::open_sqlite(&small.path().join("data"), &Options::default()).unwrap();
    let mut acknowledged: Vec<String> = Vec::new();
    let mut refused = 0;
    for number in 0..300 {
        match put(&store, number.to_string()) {
            Ok(revision) => {
                acknowledged.push(number.to_string());
                assert_eq!(revision, acknowledged.len() as u64);
            }
            Err(error) => {
                assert!(matches!(error, StoreError::Full(_) | StoreError::Io(_)), "{error:?}");
                refused += 1;
                check(&store, &acknowledged);
            }
        }
        if refused == 5 {
            break;
        }
    }
    assert!(refused == 5 && acknowledged.len() > 3, "{refused} refused");
    std::fs::remove_file(ballast).unwrap();
    for number in 1000..1010 {
        assert_eq!(put(&store, number.to_string()), Ok(acknowledged.len() as u64 + 1));
        acknowledged.push(number.to_string());
    }
    check(&store, &acknowledged);
    drop(store);
    let store = Store::open_sqlite(&small.path().join("data"), &Options::default()).unwrap();
    check(&store, &acknowledged);
}

#[test]
fn the_read_log_refuses_and_recovers() {
    let Some(small) = Small::mount() else {
        return;
    };
    let ballast = small.path().join("ballast");
    std::fs::write(&ballast, vec![0; 2 << 20]).unwrap();
    let folder = small.path().join("log");
    let log = ReadLog::open(&folder).unwrap();
    let mut appended = Vec::new();
    let mut refused = 0;
    for number in 0..200i64 {
        match log.append(&[b'x'; 30_000], number, "1", "r") {
            Ok(()) => appended.push(number),
            Err(error) => {
                assert!(matches!(error, StoreError::Full(_)), "{error:?}");
                refused += 1;
            }
        }
        if refused == 5 && ballast.exists() {
            std::fs::remove_file(&ballast).unwrap();
        }
        if refused >= 5 && appended.last().is_some_and(|last| *last > 100) {
            break;
        }
    }
    assert!(refused >= 5, "{refused} refused");
    let times = |log: &ReadLog| {
        let mut times = Vec::new();
        log.scan(&LogQuery::default(), &mut |entry| {
            times.push(entry.time_millis);
            ControlFlow::Continue(())
        })
        .unwrap();
        times
    };
    assert_eq!(times(&log), appended);
    drop(log);
    assert_eq!(times(&ReadLog::open(&folder).unwrap()), appended);
}
