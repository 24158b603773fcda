//! Documents: reading one's writes, snapshots, scans, history, the feed.

use palisade_store::{Abort, Job, Key, Read, StoreError, Transaction};

use crate::Check;
use crate::backends::{Bed, user};

pub const CHECKS: &[Check] = &[
    ("insert, put, replace, delete", writes),
    ("a transaction sees its own writes", own_writes),
    ("a transaction that fails leaves nothing", abort),
    ("a snapshot stays at its revision", snapshots),
    ("scan pages in byte order", scan),
    ("history keeps every state", history),
    ("the feed gives whole transactions", feed),
    ("restore goes back", restore),
];

fn body(bed: &Bed, name: &str) -> Option<String> {
    let document = bed.store.snapshot().get(&user(name)).unwrap()?;
    Some(String::from_utf8(document.body.to_vec()).unwrap())
}

fn writes(bed: &Bed) {
    assert_eq!(bed.store.snapshot().revision(), 0);
    assert_eq!(body(bed, "a"), None);
    let first = bed.write(|tx| Ok(tx.insert(&user("a"), b"1")?));
    assert_eq!(first.revision, 1);
    assert_eq!(body(bed, "a").as_deref(), Some("1"));
    let taken = bed.try_write(|tx| Ok(tx.insert(&user("a"), b"2")?));
    assert_eq!(taken, Err(StoreError::Taken));
    let missing = bed.try_write(|tx| Ok(tx.replace(&user("b"), b"2")?));
    assert_eq!(missing, Err(StoreError::Missing));
    let missing = bed.try_write(|tx| Ok(tx.delete(&user("b"))?));
    assert_eq!(missing, Err(StoreError::Missing));
    bed.write(|tx| Ok(tx.replace(&user("a"), b"3")?));
    assert_eq!(body(bed, "a").as_deref(), Some("3"));
    bed.write(|tx| Ok(tx.put(&user("b"), b"4")?));
    let last = bed.write(|tx| Ok(tx.delete(&user("a"))?));
    assert_eq!(last.revision, 4);
    assert_eq!((body(bed, "a"), body(bed, "b").as_deref()), (None, Some("4")));
    let idle = bed.write(|tx| {
        tx.get(&user("b"))?;
        Ok(())
    });
    assert_eq!(idle.revision, 4, "a transaction that wrote nothing takes no revision");
}

fn own_writes(bed: &Bed) {
    bed.write(|tx| {
        tx.put(&user("b"), b"old")?;
        tx.put(&user("d"), b"old")?;
        Ok(())
    });
    bed.write(|tx| {
        tx.insert(&user("a"), b"new")?;
        tx.delete(&user("b"))?;
        tx.replace(&user("d"), b"new")?;
        tx.put(&user("e"), b"new")?;
        tx.put(&Key::new("iam/user", "111122223333", "x", "c"), b"other region")?;
        tx.put(&Key::new("iam/zebra", "111122223333", "", "c"), b"other collection")?;
        assert_eq!(tx.get(&user("b"))?, None);
        assert_eq!(&*tx.get(&user("d"))?.unwrap().body, b"new");
        let page = tx.scan("iam/user", "111122223333", "", "", None, 2)?;
        let names: Vec<_> = page.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a", "d"]);
        let page = tx.scan("iam/user", "111122223333", "", "", Some("d"), 2)?;
        assert_eq!(page.len(), 1);
        assert_eq!(tx.insert(&user("a"), b""), Err(StoreError::Taken));
        tx.insert(&user("b"), b"again")?;
        Ok(())
    });
    assert_eq!(body(bed, "b").as_deref(), Some("again"));
}

fn abort(bed: &Bed) {
    let refused = bed.try_write(|tx| {
        tx.put(&user("a"), b"1")?;
        Err(Abort::Refused)
    });
    assert_eq!(refused, Err(StoreError::Aborted));
    let panicked = bed.try_write(|tx| {
        tx.put(&user("a"), b"1")?;
        panic!("deliberate");
    });
    assert_eq!(panicked, Err(StoreError::Panicked("deliberate".into())));
    assert_eq!(body(bed, "a"), None);
    assert_eq!(bed.write(|tx| Ok(tx.put(&user("b"), b"1")?)).revision, 1);
}

fn snapshots(bed: &Bed) {
    bed.write(|tx| {
        tx.put(&user("changed"), b"1")?;
        tx.put(&user("deleted"), b"1")?;
        tx.put(&user("same"), b"1")?;
        Ok(())
    });
    let before = bed.store.snapshot();
    let unread = bed.store.snapshot();
    let names = |at: &dyn Read, limit| -> Vec<String> {
        let found = at.scan("iam/user", "111122223333", "", "", None, limit).unwrap();
        found.into_iter().map(|(name, document)| format!("{name}@{}", document.revision)).collect()
    };
    let all = ["changed@1", "deleted@1", "same@1"];
    assert_eq!(names(&before, 9), all);
    assert_eq!(before.get(&user("added")).unwrap(), None);
    bed.write(|tx| {
        tx.put(&user("added"), b"2")?;
        tx.put(&user("changed"), b"2")?;
        tx.delete(&user("deleted"))?;
        Ok(())
    });
    for old in [&before, &unread] {
        assert_eq!(names(old, 9), all);
        assert_eq!(names(old, 2), all[..2]);
        assert_eq!(old.get(&user("added")).unwrap(), None);
        assert_eq!(&*old.get(&user("changed")).unwrap().unwrap().body, b"1");
        assert!(old.get(&user("deleted")).unwrap().is_some());
        assert_eq!(old.history(&user("changed"), 9).unwrap().len(), 1);
    }
    assert_eq!(names(&bed.store.snapshot(), 9), ["added@2", "changed@2", "same@1"]);
    assert_eq!(names(&bed.store.snapshot_at(1), 9), all);
}

fn scan(bed: &Bed) {
    let mut expected = Vec::new();
    for first in ["", "A", "Z", "a", "é", "\u{10FFFF}", "%", "_"] {
        for second in ["", "/", "0", "z", "日"] {
            expected.push(format!("{first}{second}-"));
        }
    }
    let wanted = expected.clone();
    bed.write(move |tx| {
        for key in &wanted {
            tx.put(&user(key), key.as_bytes())?;
            tx.put(&Key::new("iam/user", "111122223333", "r", key), b"")?;
            tx.put(&Key::new("iam/user", "999", "", key), b"")?;
            tx.put(&Key::new("iam/users", "111122223333", "", key), b"")?;
        }
        Ok(())
    });
    expected.sort();
    for prefix in ["", "a", "é", "%", "-", "none"] {
        let mut found: Vec<String> = Vec::new();
        loop {
            let after = found.last().map(String::as_str);
            let snapshot = bed.store.snapshot();
            let page = snapshot.scan("iam/user", "111122223333", "", prefix, after, 3).unwrap();
            assert!(page.len() <= 3);
            let done = page.is_empty();
            for (key, document) in page {
                assert_eq!(&*document.body, key.as_bytes());
                found.push(key);
            }
            if done {
                break;
            }
        }
        let with_prefix: Vec<_> =
            expected.iter().filter(|key| key.starts_with(prefix)).cloned().collect();
        assert_eq!(found, with_prefix, "prefix {prefix:?}");
    }
}

fn history(bed: &Bed) {
    for text in ["1", "2"] {
        bed.write(move |tx| Ok(tx.put(&user("a"), text.as_bytes())?));
    }
    bed.write(|tx| Ok(tx.delete(&user("a"))?));
    bed.write(|tx| Ok(tx.put(&user("other"), b"")?));
    bed.write(|tx| Ok(tx.insert(&user("a"), b"5")?));
    let snapshot = bed.store.snapshot();
    let states: Vec<_> = snapshot
        .history(&user("a"), 9)
        .unwrap()
        .into_iter()
        .map(|version| (version.revision, version.body.map(|body| body.to_vec())))
        .collect();
    let some = |text: &[u8]| Some(text.to_vec());
    assert_eq!(states, [(5, some(b"5")), (3, None), (2, some(b"2")), (1, some(b"1"))]);
    assert_eq!(snapshot.history(&user("a"), 2).unwrap().len(), 2);
    let expected: [Option<&[u8]>; 7] =
        [None, Some(b"1"), Some(b"2"), None, None, Some(b"5"), Some(b"5")];
    for (revision, expected) in expected.into_iter().enumerate() {
        let found = snapshot.get_at(&user("a"), revision as u64).unwrap();
        assert_eq!(found.as_ref().map(|document| &*document.body), expected, "at {revision}");
    }
}

fn feed(bed: &Bed) {
    bed.write(|tx| {
        for name in ["c", "a", "b"] {
            tx.put(&user(name), b"1")?;
        }
        Ok(())
    });
    bed.write(|tx| Ok(tx.delete(&user("b"))?));
    let snapshot = bed.store.snapshot();
    let feed = |after, limit| {
        let feed = snapshot.changes_since(after, limit).unwrap();
        let changes = feed.changes.iter().map(|change| {
            let deleted = if change.deleted { "-" } else { "+" };
            format!("{}{deleted}{}", change.revision, change.key.as_key().key)
        });
        (changes.collect::<Vec<_>>().join(" "), feed.revision)
    };
    assert_eq!(feed(0, 99), ("1+a 1+b 1+c 2-b".into(), 2));
    assert_eq!(feed(0, 1), ("1+a 1+b 1+c".into(), 1));
    assert_eq!(feed(1, 1), ("2-b".into(), 2));
    assert_eq!(feed(2, 1), (String::new(), 2));
}

fn restore(bed: &Bed) {
    bed.write(|tx| {
        tx.put(&user("kept"), b"1")?;
        tx.put(&user("changed"), b"1")?;
        tx.put(&user("deleted"), b"1")?;
        Ok(())
    });
    bed.write(|tx| {
        tx.put(&user("changed"), b"2")?;
        tx.delete(&user("deleted"))?;
        tx.put(&user("added"), b"2")?;
        Ok(())
    });
    bed.write(|tx| Ok(tx.put(&user("changed"), b"3")?));
    assert_eq!(bed.store.restore(1).unwrap().revision, 4);
    assert_eq!(body(bed, "changed").as_deref(), Some("1"));
    assert_eq!(body(bed, "deleted").as_deref(), Some("1"));
    assert_eq!(body(bed, "added"), None);
    let snapshot = bed.store.snapshot();
    assert_eq!(snapshot.get(&user("kept")).unwrap().unwrap().revision, 1);
    assert_eq!(bed.store.restore(4).unwrap().revision, 4);
    assert_eq!(bed.store.restore(1).unwrap().revision, 4);
    // Again and again, from what changed since the last time.
    for round in 0..3 {
        bed.write(|tx| {
            tx.delete(&user("kept"))?;
            tx.put(&user("added"), b"5")?;
            tx.job(Job {
                kind: "k".into(),
                account: "1".into(),
                run_at_millis: 1,
                body: Vec::new(),
            })?;
            Ok(())
        });
        assert_eq!(bed.store.restore(1).unwrap().revision, 6 + 2 * round);
        assert_eq!(body(bed, "kept").as_deref(), Some("1"));
        assert_eq!(body(bed, "added"), None);
        assert!(bed.store.snapshot().due_jobs(i64::MAX, 9).unwrap().is_empty());
    }
    restore_behind_a_write(bed);
}

/// In one group with another write, which the table's counter does not count yet.
fn restore_behind_a_write(bed: &Bed) {
    let (tell, told) = std::sync::mpsc::channel();
    let slow = move |_: &mut dyn Transaction| {
        let _first_time = tell.send(());
        std::thread::sleep(std::time::Duration::from_millis(200));
        Ok(())
    };
    bed.store.write(Box::new(slow), Box::new(|_| ())).unwrap();
    told.recv().unwrap();
    // The writer is busy: these two wait for it together.
    let write = |tx: &mut dyn Transaction| Ok(tx.put(&user("added"), b"6")?);
    bed.store.write(Box::new(write), Box::new(|_| ())).unwrap();
    bed.store.restore(1).unwrap();
    assert_eq!(body(bed, "added"), None);
}

/// What was written is there after closing and opening again, and revisions go on.
pub fn reopen(bed: Bed) {
    bed.write(|tx| Ok(tx.put(&user("a"), b"1")?));
    bed.store.close();
    assert_eq!(bed.try_write(|_| Ok(())), Err(StoreError::Closed));
    let bed = bed.reopen();
    assert_eq!(body(&bed, "a").as_deref(), Some("1"));
    assert_eq!(bed.write(|tx| Ok(tx.put(&user("a"), b"2")?)).revision, 2);
}
