//! The audit records of calls that changed nothing, in this node's append-only log.

use palisade_store::{
    AuditCursor, AuditQuery, AuditRecord, LogEntry, LogPosition, LogQuery, ReadLog, StoreError,
    Synced,
};
use std::ops::ControlFlow;

/// The log, as records go in and come out of it.
pub struct Reads {
    log: ReadLog,
    /// An answer waits until its record is on the disk, not only with the operating system.
    synced: bool,
}

impl Reads {
    pub fn new(log: ReadLog, synced: bool) -> Self {
        Self { log, synced }
    }

    /// Whether answers wait for the disk: then by [`append_synced`](Self::append_synced).
    pub fn synced(&self) -> bool {
        self.synced
    }

    /// Appends a record. When this returns a killed process does not lose it.
    pub fn append(&self, record: &AuditRecord) -> Result<(), StoreError> {
        let (account, region) = (&record.account, &record.region);
        self.log.append(&pack(record), record.time_millis, account, region)
    }

    /// Puts a record among those that are handed over next. It is safe, and may be answered, once
    /// [`hand_over`](Self::hand_over) returned for the place that this returns.
    pub fn queue(&self, record: &AuditRecord) -> Result<u64, StoreError> {
        let (account, region) = (&record.account, &record.region);
        self.log.queue(&pack(record), record.time_millis, account, region)
    }

    /// Returns when a killed process does not lose what was queued up to that place.
    pub fn hand_over(&self, place: u64) -> Result<(), StoreError> {
        self.log.hand_over(place)
    }

    /// Appends a record and calls `done` once it is on the disk, or is known not to be. All that
    /// wait meanwhile share one `fsync`, so nobody should block a thread that others need.
    pub fn append_synced(&self, record: &AuditRecord, done: Synced) -> Result<(), StoreError> {
        let (account, region) = (&record.account, &record.region);
        self.log.append_synced(&pack(record), record.time_millis, account, region, done)
    }

    /// The records that a query asks for.
    pub fn scan(
        &self,
        query: &AuditQuery<'_>,
    ) -> Result<Vec<(AuditCursor, AuditRecord)>, StoreError> {
        let wanted = LogQuery {
            from_millis: query.from_millis,
            to_millis: query.to_millis,
            newest_first: query.newest_first,
            account: Some(query.account),
            contains: None,
            after: query.after.map(|cursor| position_of(cursor.position)),
        };
        let mut found = Vec::new();
        let mut damaged = false;
        self.log.scan(&wanted, &mut |entry| {
            if found.len() >= query.limit {
                return ControlFlow::Break(());
            }
            if query.region.is_none_or(|region| region == entry.region) {
                match unpack(entry) {
                    Some(record) => found.push((cursor_of(entry), record)),
                    None => damaged = true,
                }
            }
            ControlFlow::Continue(())
        })?;
        if damaged {
            return Err(StoreError::Corrupt("a record in the log of reads".into()));
        }
        Ok(found)
    }

    /// The newest record that contains the text and that `wanted` accepts.
    pub fn find(
        &self,
        text: &str,
        wanted: &dyn Fn(&AuditRecord) -> bool,
    ) -> Result<Option<AuditRecord>, StoreError> {
        let contains = (!text.is_empty()).then_some(text.as_bytes());
        let query = LogQuery { newest_first: true, contains, ..LogQuery::default() };
        let mut found = None;
        self.log.scan(&query, &mut |entry| match unpack(entry).filter(wanted) {
            Some(record) => {
                found = Some(record);
                ControlFlow::Break(())
            }
            None => ControlFlow::Continue(()),
        })?;
        Ok(found)
    }

    /// Forgets records older than that, a segment at a time.
    pub fn remove_older_than(&self, oldest_millis: i64) -> Result<usize, StoreError> {
        self.log.remove_older_than(oldest_millis)
    }
}

/// The length of the event id, then the id, the length of the event, the event, the decision.
fn pack(record: &AuditRecord) -> Vec<u8> {
    let (id, event, decision) = (record.event_id.as_bytes(), &record.event, &record.decision);
    let mut bytes = Vec::with_capacity(8 + id.len() + event.len() + decision.len());
    for part in [id, event.as_slice()] {
        bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend_from_slice(part);
    }
    bytes.extend_from_slice(decision);
    bytes
}

fn unpack(entry: &LogEntry<'_>) -> Option<AuditRecord> {
    let (id, rest) = part(entry.record)?;
    let (event, decision) = part(rest)?;
    Some(AuditRecord {
        event_id: String::from_utf8(id.to_vec()).ok()?,
        time_millis: entry.time_millis,
        account: entry.account.to_owned(),
        region: entry.region.to_owned(),
        event: event.to_vec(),
        decision: decision.to_vec(),
    })
}

fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
}

/// Segments hold 64 MiB, so a place in one needs less than 32 bits.
fn cursor_of(entry: &LogEntry<'_>) -> AuditCursor {
    let LogPosition { segment, offset } = entry.position;
    AuditCursor { time_millis: entry.time_millis, position: (segment << 32) | offset }
}

fn position_of(position: u64) -> LogPosition {
    LogPosition { segment: position >> 32, offset: position & 0xffff_ffff }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, at: i64, region: &str) -> AuditRecord {
        AuditRecord {
            event_id: id.into(),
            time_millis: at,
            account: "111122223333".into(),
            region: region.into(),
            event: format!("{{\"eventID\":\"{id}\"}}").into_bytes(),
            decision: b"{}".to_vec(),
        }
    }

    fn query(after: Option<AuditCursor>, limit: usize) -> AuditQuery<'static> {
        AuditQuery {
            account: "111122223333",
            region: Some("us-east-1"),
            from_millis: 0,
            to_millis: i64::MAX,
            newest_first: true,
            after,
            limit,
        }
    }

    #[test]
    fn what_goes_in_comes_out_newest_first_and_page_by_page() {
        let folder = tempfile::tempdir().unwrap();
        let reads = Reads::new(ReadLog::open(folder.path()).unwrap(), true);
        let all: Vec<_> = (0..5).map(|n| record(&format!("id-{n}"), n, "us-east-1")).collect();
        for one in &all {
            reads.append(one).unwrap();
        }
        reads.append(&record("elsewhere", 9, "eu-west-1")).unwrap();
        let first = reads.scan(&query(None, 2)).unwrap();
        assert_eq!(first[0].1, all[4]);
        let rest = reads.scan(&query(Some(first[1].0), 10)).unwrap();
        let ids: Vec<_> = rest.iter().map(|(_, record)| record.event_id.as_str()).collect();
        assert_eq!(ids, ["id-2", "id-1", "id-0"]);
        assert_eq!(reads.find("id-3", &|_| true).unwrap().as_ref(), Some(&all[3]));
        assert_eq!(reads.find("nowhere", &|_| true).unwrap(), None);
    }
}
