//! What commits beside documents: audit records and jobs.

use palisade_store::{AuditQuery, AuditRecord, Job, Read, StoreError};

use crate::Check;
use crate::backends::{Bed, user};

pub const CHECKS: &[Check] = &[
    ("audit records commit with their change", audit_commits),
    ("audit scans page both ways", audit_scan),
    ("jobs are due, leased, retried, finished", jobs),
];

fn record(number: i64, account: &str, region: &str) -> AuditRecord {
    AuditRecord {
        event_id: format!("event-{number}"),
        time_millis: number / 2,
        account: account.into(),
        region: region.into(),
        event: format!("{{\"n\":{number}}}").into_bytes(),
        decision: b"{}".to_vec(),
    }
}

fn audit_commits(bed: &Bed) {
    let failed = bed.try_write(|tx| {
        tx.audit(record(1, "1", "r"))?;
        Ok(tx.delete(&user("none"))?)
    });
    assert_eq!(failed, Err(StoreError::Missing));
    assert_eq!(bed.store.snapshot().audit_find("event-1").unwrap(), None);
    let only = bed.write(|tx| Ok(tx.audit(record(1, "1", "r"))?));
    assert_eq!(only.revision, 1);
    let found = bed.store.snapshot().audit_find("event-1").unwrap();
    assert_eq!(found, Some(record(1, "1", "r")));
}

fn audit_scan(bed: &Bed) {
    for number in 0..40 {
        bed.write(move |tx| {
            let region = if number % 4 == 0 { "a" } else { "b" };
            tx.audit(record(number, if number % 5 == 0 { "2" } else { "1" }, region))?;
            Ok(())
        });
    }
    for newest_first in [false, true] {
        for (account, region) in [("1", None), ("1", Some("a")), ("2", None), ("3", None)] {
            let mut expected: Vec<_> = (0..40)
                .map(|number| {
                    let region = if number % 4 == 0 { "a" } else { "b" };
                    record(number, if number % 5 == 0 { "2" } else { "1" }, region)
                })
                .filter(|record| {
                    record.account == account && (3..=15).contains(&record.time_millis)
                })
                .filter(|record| region.is_none_or(|region| record.region == region))
                .collect();
            if newest_first {
                expected.reverse();
            }
            let mut query = AuditQuery {
                account,
                region,
                from_millis: 3,
                to_millis: 15,
                newest_first,
                after: None,
                limit: 3,
            };
            let mut found = Vec::new();
            loop {
                let page = bed.store.snapshot().audit_scan(&query).unwrap();
                let Some((last, _)) = page.last() else { break };
                query.after = Some(*last);
                found.extend(page.into_iter().map(|(_, record)| record));
            }
            assert_eq!(found, expected);
        }
    }
}

fn jobs(bed: &Bed) {
    for run_at_millis in [30, 10, 20] {
        bed.write(move |tx| {
            tx.job(Job {
                kind: "k".into(),
                account: "1".into(),
                run_at_millis,
                body: b"{}".to_vec(),
            })?;
            Ok(())
        });
    }
    let due = |now| -> Vec<(i64, u32)> {
        let jobs = bed.store.snapshot().due_jobs(now, 9).unwrap();
        jobs.into_iter().map(|due| (due.job.run_at_millis, due.attempts)).collect()
    };
    assert_eq!(due(9), []);
    assert_eq!(due(30), [(10, 0), (20, 0), (30, 0)]);
    bed.write(|tx| {
        let leased = tx.lease_jobs(20, 100, 1)?;
        assert_eq!((leased.len(), leased[0].job.run_at_millis, leased[0].attempts), (1, 10, 1));
        assert_eq!(tx.lease_jobs(20, 100, 9)?.len(), 1, "the first is no longer due");
        Ok(())
    });
    assert_eq!(due(99), [(30, 0)]);
    assert_eq!(due(100), [(30, 0), (10, 1), (20, 1)]);
    bed.write(|tx| {
        let mut ids: Vec<_> = tx.due_jobs(100, 9)?.into_iter().map(|due| due.id).collect();
        assert_eq!(ids.len(), 3);
        tx.retry_job(ids[1], 200)?;
        tx.finish_job(ids[0])?;
        assert_eq!(tx.finish_job(ids[0]), Err(StoreError::Missing));
        ids.remove(0);
        assert_eq!(tx.due_jobs(100, 9)?.len(), 1);
        Ok(())
    });
    assert_eq!(due(1000), [(20, 1), (200, 1)]);
    assert_eq!(bed.try_write(|tx| Ok(tx.finish_job(12345)?)), Err(StoreError::Missing));
}
