//! What happens when many write at once.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use palisade_store::{Abort, Read, StoreError};

use crate::Check;
use crate::backends::{Bed, user};

pub const CHECKS: &[Check] = &[
    ("concurrent increments lose nothing", increments),
    ("revisions have no gaps", gapless),
    ("one abort in a group leaves the others", abort_in_group),
    ("a full queue says busy at once", busy),
    ("subscribers know before the writer", subscribers),
    ("readers see whole transactions", readers),
    ("blocking inside the writer is refused", reentrant),
];

const WRITERS: usize = 8;
const ROUNDS: usize = 50;

fn increments(bed: &Bed) {
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    bed.write(|tx| {
                        let now = tx.get(&user("counter"))?;
                        let now = now.map_or(0, |document| number(&document.body));
                        Ok(tx.put(&user("counter"), (now + 1).to_string().as_bytes())?)
                    });
                }
            });
        }
    });
    let end = bed.store.snapshot().get(&user("counter")).unwrap().unwrap();
    assert_eq!(number(&end.body), (WRITERS * ROUNDS) as u64);
    assert_eq!(end.revision, (WRITERS * ROUNDS) as u64);
    let history = bed.store.snapshot().history(&user("counter"), usize::MAX).unwrap();
    for version in history {
        assert_eq!(number(&version.body.unwrap()), version.revision);
    }
    for revision in 1..=(WRITERS * ROUNDS) as u64 {
        let then = bed.store.snapshot().get_at(&user("counter"), revision).unwrap().unwrap();
        assert_eq!((number(&then.body), then.revision), (revision, revision));
    }
}

fn number(body: &[u8]) -> u64 {
    std::str::from_utf8(body).unwrap().parse().unwrap()
}

fn gapless(bed: &Bed) {
    let seen = Mutex::new(BTreeSet::new());
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let seen = &seen;
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let result = bed.try_write(move |tx| {
                        tx.put(&user(&format!("{writer}-{round}")), b"x")?;
                        if round % 3 == 0 { Err(Abort::Refused) } else { Ok(()) }
                    });
                    if let Ok(committed) = result {
                        assert!(seen.lock().unwrap().insert(committed.revision));
                    }
                }
            });
        }
    });
    let seen = seen.into_inner().unwrap();
    let expected: BTreeSet<u64> = (1..=seen.len() as u64).collect();
    assert_eq!(seen, expected);
    let feed = bed.store.snapshot().changes_since(0, usize::MAX).unwrap();
    let fed: Vec<u64> = feed.changes.iter().map(|change| change.revision).collect();
    assert_eq!(fed, expected.into_iter().collect::<Vec<_>>());
}

/// Stops the writer inside a work until the returned sender is dropped.
fn hold_writer(bed: &Bed) -> mpsc::Sender<()> {
    let (release, held) = mpsc::channel::<()>();
    let (started, running) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let work = Box::new(move |_: &mut dyn palisade_store::Transaction| {
        let _ = started.send(());
        let _ = held.lock().unwrap().recv();
        Ok(())
    });
    bed.store.write(work, Box::new(|_| ())).unwrap();
    running.recv().unwrap();
    release
}

fn abort_in_group(bed: &Bed) {
    let release = hold_writer(bed);
    let (sender, results) = mpsc::channel();
    for index in 0..9u32 {
        let sender = sender.clone();
        let work = Box::new(move |tx: &mut dyn palisade_store::Transaction| {
            // Each sees exactly what the committed ones before it wrote.
            let page = tx.scan("iam/user", "111122223333", "", "", None, 99)?;
            assert_eq!(page.len() as u64, committed_before(index));
            tx.put(&user(&index.to_string()), b"x")?;
            match index % 3 {
                0 => Ok(()),
                1 => Err(Abort::Refused),
                _ => Ok(()),
            }
        });
        let done = Box::new(move |result| sender.send((index, result)).unwrap());
        bed.store.write(work, done).unwrap();
    }
    drop((release, sender));
    let results: Vec<_> = results.iter().collect();
    assert_eq!(results.len(), 9);
    for (index, result) in results {
        if index % 3 == 1 {
            assert_eq!(result, Err(StoreError::Aborted), "{index}");
        } else {
            assert_eq!(result.unwrap().revision, committed_before(index) + 1, "{index}");
        }
    }
    assert_eq!(bed.store.snapshot().revision(), 6);
}

/// How many of the works before this one committed: every third, from the second, aborts.
fn committed_before(index: u32) -> u64 {
    (0..index).filter(|before| before % 3 != 1).count() as u64
}

fn busy(bed: &Bed) {
    let release = hold_writer(bed);
    let done = Arc::new(AtomicU64::new(0));
    let mut accepted = 0;
    let refused = loop {
        let done = done.clone();
        let count = Box::new(move |result: Result<_, StoreError>| {
            result.unwrap();
            done.fetch_add(1, Ordering::SeqCst);
        });
        match bed.store.write(Box::new(|tx| Ok(tx.put(&user("a"), b"1")?)), count) {
            Ok(()) => accepted += 1,
            Err(error) => break error,
        }
        assert!(accepted <= 64);
    };
    assert_eq!((refused, accepted), (StoreError::Busy, 64));
    drop(release);
    // After the queue has drained it takes work again.
    while bed.store.status().queued > 0 {
        std::thread::yield_now();
    }
    bed.write(|tx| Ok(tx.put(&user("b"), b"1")?));
    assert_eq!(done.load(Ordering::SeqCst), 64);
}

fn subscribers(bed: &Bed) {
    let told = Arc::new(Mutex::new(BTreeSet::new()));
    let telling = told.clone();
    bed.store.subscribe(Box::new(move |changes| {
        for change in changes {
            telling.lock().unwrap().insert(change.key.as_key().key.to_string());
        }
    }));
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let told = &told;
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let name = format!("{writer}-{round}");
                    let key = name.clone();
                    bed.write(move |tx| Ok(tx.put(&user(&key), b"x")?));
                    assert!(told.lock().unwrap().contains(&name));
                    assert!(bed.store.snapshot().get(&user(&name)).unwrap().is_some());
                }
            });
        }
    });
}

/// Two documents always change together; a reader must never see them differ.
fn readers(bed: &Bed) {
    bed.write(|tx| {
        tx.put(&user("left"), b"0")?;
        tx.put(&user("right"), b"0")?;
        Ok(())
    });
    let stop = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for reader in 0..2 {
            let stop = &stop;
            scope.spawn(move || {
                let mut reads = 0;
                while stop.load(Ordering::Relaxed) == 0 || reads < 10 {
                    let snapshot = bed.store.snapshot();
                    let left = snapshot.get(&user("left")).unwrap().unwrap();
                    if reader == 1 {
                        std::thread::yield_now();
                    }
                    let right = snapshot.get(&user("right")).unwrap().unwrap();
                    assert_eq!(left, right);
                    let page = snapshot.scan("iam/user", "111122223333", "", "", None, 9).unwrap();
                    assert_eq!(page[0].1, left);
                    assert_eq!(page[1].1, left);
                    reads += 1;
                }
            });
        }
        for round in 1..=300 {
            bed.write(move |tx| {
                let text = round.to_string();
                tx.put(&user("left"), text.as_bytes())?;
                tx.put(&user("right"), text.as_bytes())?;
                Ok(())
            });
        }
        stop.store(1, Ordering::Relaxed);
    });
}

fn reentrant(bed: &Bed) {
    let store = bed.store.clone();
    bed.write(move |tx| {
        assert_eq!(store.write_blocking(Box::new(|_| Ok(()))), Err(StoreError::Reentrant));
        Ok(tx.put(&user("a"), b"1")?)
    });
}
