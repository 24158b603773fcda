use std::collections::BTreeSet;
use std::io::Write;
use std::ops::ControlFlow;
use std::sync::mpsc;

use super::*;

fn all(log: &ReadLog, query: &LogQuery<'_>) -> Vec<String> {
    let mut found = Vec::new();
    log.scan(query, &mut |entry| {
        found.push(String::from_utf8(entry.record.to_vec()).unwrap());
        ControlFlow::Continue(())
    })
    .unwrap();
    found
}

fn filled(folder: &Path) -> ReadLog {
    let log = ReadLog::open_with(folder, 1024).unwrap();
    for number in 0..200i64 {
        let account = if number % 3 == 0 { "3" } else { "1" };
        log.append(format!("record {number}.").as_bytes(), number, account, "r").unwrap();
    }
    log
}

fn check(log: &ReadLog, query: LogQuery<'_>, wanted: impl Fn(i64) -> bool) {
    let mut expected: Vec<String> =
        (0..200).filter(|number| wanted(*number)).map(|n| format!("record {n}.")).collect();
    for newest_first in [false, true] {
        assert_eq!(all(log, &LogQuery { newest_first, ..query }), expected, "{query:?}");
        expected.reverse();
    }
}

#[test]
fn scans_filter_and_go_both_ways() {
    let folder = tempfile::tempdir().unwrap();
    let memory = ReadLog::in_memory(1 << 20);
    for number in 0..200i64 {
        let account = if number % 3 == 0 { "3" } else { "1" };
        memory.append(format!("record {number}.").as_bytes(), number, account, "r").unwrap();
    }
    let disk = filled(folder.path());
    assert!(disk.segments().len() > 2, "{:?}", disk.segments());
    for log in [memory, disk] {
        let any = LogQuery::default();
        check(&log, any, |_| true);
        check(&log, LogQuery { from_millis: 50, to_millis: 99, ..any }, |n| (50..=99).contains(&n));
        check(&log, LogQuery { account: Some("3"), ..any }, |n| n % 3 == 0);
        check(&log, LogQuery { contains: Some(b"d 7."), ..any }, |n| n == 7);
        check(&log, LogQuery { contains: Some(b"none"), ..any }, |_| false);
        // Paging: one record at a time, continuing after it.
        for newest_first in [false, true] {
            let mut query = LogQuery { newest_first, ..any };
            let mut found = Vec::new();
            loop {
                let before = found.len();
                log.scan(&query, &mut |entry| {
                    found.push((entry.time_millis, entry.position));
                    ControlFlow::Break(())
                })
                .unwrap();
                if found.len() == before {
                    break;
                }
                query.after = found.last().map(|(_, position)| *position);
            }
            let times: BTreeSet<i64> = found.iter().map(|(time, _)| *time).collect();
            assert_eq!((found.len(), times.len()), (200, 200));
        }
    }
}

#[test]
fn reopening_finds_everything_and_cuts_a_torn_tail() {
    let folder = tempfile::tempdir().unwrap();
    drop(filled(folder.path()));
    let sealed = ReadLog::open_with(folder.path(), 1024).unwrap().segments();
    let last = segment::path(folder.path(), sealed.last().unwrap().number);
    let whole = std::fs::read(&last).unwrap();
    let envelope = frame::envelope(b"never whole", 1, "1", "r").unwrap();
    let mut frame = [&envelope.before[..], b"never whole", &envelope.after].concat();
    for cut in 1..frame.len() {
        let mut file = File::create(&last).unwrap();
        file.write_all(&whole).unwrap();
        file.write_all(&frame[..cut]).unwrap();
        let log = ReadLog::open_with(folder.path(), 1024).unwrap();
        assert_eq!(log.segments(), sealed, "cut at {cut}");
        assert!(last.with_extension("torn").exists());
        check(&log, LogQuery::default(), |_| true);
    }
    // A frame of the right length whose bytes are wrong is no frame either.
    for flipped in 0..frame.len() {
        frame[flipped] ^= 1;
        std::fs::write(&last, [&whole[..], &frame].concat()).unwrap();
        assert_eq!(ReadLog::open_with(folder.path(), 1024).unwrap().segments(), sealed);
        frame[flipped] ^= 1;
    }
    let log = ReadLog::open_with(folder.path(), 1024).unwrap();
    log.append(b"record 200.", 200, "1", "r").unwrap();
    assert_eq!(all(&log, &LogQuery::default()).len(), 201);
}

#[test]
fn a_lost_index_is_read_from_the_segment() {
    let folder = tempfile::tempdir().unwrap();
    let before = filled(folder.path()).segments();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "idx") {
            std::fs::write(path, "1 2 3 4 5").unwrap();
        }
    }
    assert_eq!(ReadLog::open_with(folder.path(), 1024).unwrap().segments(), before);
}

#[test]
fn damage_in_the_middle_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let log = filled(folder.path());
    let path = segment::path(folder.path(), 1);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[40] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let result = log.scan(&LogQuery::default(), &mut |_| ControlFlow::Continue(()));
    assert!(matches!(result, Err(StoreError::Corrupt(_))), "{result:?}");
}

#[test]
fn many_callers_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let log = ReadLog::open_with(folder.path(), 64 << 10).unwrap();
    let (sender, synced) = mpsc::channel();
    std::thread::scope(|scope| {
        for caller in 0..8 {
            let (log, sender) = (&log, sender.clone());
            scope.spawn(move || {
                for number in 0..500 {
                    let record = format!("{caller}/{number}");
                    if number % 50 == 0 {
                        let sender = sender.clone();
                        let done = Box::new(move |result: Result<()>| {
                            result.unwrap();
                            sender.send(()).unwrap();
                        });
                        log.append_synced(record.as_bytes(), number, "1", "r", done).unwrap();
                    } else {
                        log.append(record.as_bytes(), number, "1", "r").unwrap();
                    }
                }
            });
        }
    });
    drop(sender);
    assert_eq!(synced.iter().count(), 80);
    let found: BTreeSet<String> = all(&log, &LogQuery::default()).into_iter().collect();
    assert_eq!(found.len(), 4000);
    // Another reader of the folder sees the same bytes: nothing waits in this process.
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let path = file.unwrap().path();
        std::fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    let copied = ReadLog::open(copy.path()).unwrap();
    assert_eq!(all(&copied, &LogQuery::default()).len(), 4000);
}

#[test]
fn old_segments_go() {
    let folder = tempfile::tempdir().unwrap();
    let log = filled(folder.path());
    let before = log.segments();
    assert_eq!(log.remove_older_than(before[0].last_millis).unwrap(), 0);
    assert_eq!(log.remove_older_than(before[1].last_millis + 1).unwrap(), 2);
    assert_eq!(log.segments(), before[2..]);
    assert_eq!(log.remove_older_than(i64::MAX).unwrap(), before.len() - 3);
    assert_eq!(log.segments().len(), 1, "the one that is written to stays");
    drop(log);
    assert_eq!(ReadLog::open(folder.path()).unwrap().segments().len(), 1);
}

#[test]
fn the_ring_is_bounded() {
    let log = ReadLog::in_memory(10_000);
    for number in 0..1000 {
        log.append(format!("record {number}.").as_bytes(), number, "1", "r").unwrap();
    }
    let kept = all(&log, &LogQuery::default());
    assert!((20..200).contains(&kept.len()), "{}", kept.len());
    assert_eq!(kept.last().unwrap(), "record 999.");
    assert_eq!(log.remove_older_than(i64::MAX).unwrap(), kept.len());
}

#[test]
fn a_record_larger_than_a_window_is_read_both_ways() {
    let folder = tempfile::tempdir().unwrap();
    let log = ReadLog::open(folder.path()).unwrap();
    let large = vec![b'x'; 3 << 20];
    for record in [b"first".as_slice(), &large, b"last"] {
        log.append(record, 1, "1", "r").unwrap();
    }
    for newest_first in [false, true] {
        let mut sizes = Vec::new();
        log.scan(&LogQuery { newest_first, ..LogQuery::default() }, &mut |entry| {
            sizes.push(entry.record.len());
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(sizes, if newest_first { [4, 3 << 20, 5] } else { [5, 3 << 20, 4] });
    }
    let too_large = vec![0; frame::PAYLOAD_MAX];
    assert_eq!(log.append(&too_large, 1, "1", "r"), Err(StoreError::TooLarge));
}

#[test]
fn who_hands_over_takes_along_what_others_queued() {
    let folder = tempfile::tempdir().unwrap();
    let log = ReadLog::open(folder.path()).unwrap();
    let queue = |number: i64| log.queue(format!("{number}").as_bytes(), number, "1", "r").unwrap();
    let places = [queue(1), queue(2)];
    let any = LogQuery::default();
    assert!(all(&log, &any).is_empty(), "nothing was handed over");
    log.hand_over(places[0]).unwrap();
    assert_eq!(all(&log, &any), ["1", "2"]);
    queue(3);
    log.hand_over(places[1]).unwrap();
    assert_eq!(all(&log, &any), ["1", "2"], "its own records were handed over before");
    log.append(b"4", 4, "1", "r").unwrap();
    assert_eq!(all(&log, &any), ["1", "2", "3", "4"]);
}
