//! The events of one account and region, newest first, from the places that hold them: the store's
//! audit table (changes) and the node's log (reads).

use crate::context::from_store;
use palisade_shape::Result;
use palisade_store::{AuditCursor, AuditRecord, StoreError};
use std::collections::VecDeque;

/// Records fetched from a place at a time.
const CHUNK: usize = 128;

/// Gives up to so many records that come after the cursor, newest first.
pub type Fetch<'a> =
    Box<dyn Fn(Option<AuditCursor>, usize) -> std::result::Result<Vec<Place>, StoreError> + 'a>;

/// A record and the cursor to continue after it.
pub type Place = (AuditCursor, AuditRecord);

/// Where a listing has come to in each place.
pub type Cursors = [Option<AuditCursor>; 2];

/// One place that holds records.
struct Source<'a> {
    fetch: Fetch<'a>,
    /// After the last record handed out.
    cursor: Option<AuditCursor>,
    /// After the last record fetched.
    fetched: Option<AuditCursor>,
    waiting: VecDeque<Place>,
    exhausted: bool,
}

impl<'a> Source<'a> {
    fn new(fetch: Fetch<'a>, cursor: Option<AuditCursor>) -> Self {
        Self { fetch, cursor, fetched: cursor, waiting: VecDeque::new(), exhausted: false }
    }

    /// The time of the next record, if there is one.
    fn peek(&mut self) -> Result<Option<i64>> {
        if self.waiting.is_empty() && !self.exhausted {
            let records = (self.fetch)(self.fetched, CHUNK).map_err(from_store)?;
            self.exhausted = records.len() < CHUNK;
            self.fetched = records.last().map(|(cursor, _)| *cursor).or(self.fetched);
            self.waiting = records.into();
        }
        Ok(self.waiting.front().map(|(_, record)| record.time_millis))
    }

    fn take(&mut self) -> Option<AuditRecord> {
        let (cursor, record) = self.waiting.pop_front()?;
        self.cursor = Some(cursor);
        Some(record)
    }
}

/// Both places, merged.
pub struct History<'a> {
    changes: Source<'a>,
    reads: Source<'a>,
}

impl<'a> History<'a> {
    pub fn new(changes: Fetch<'a>, reads: Fetch<'a>, [changed, read]: Cursors) -> Self {
        Self { changes: Source::new(changes, changed), reads: Source::new(reads, read) }
    }

    /// The next older record. At the same moment changes come before reads.
    pub fn next(&mut self) -> Result<Option<AuditRecord>> {
        let newer = match (self.changes.peek()?, self.reads.peek()?) {
            (None, None) => return Ok(None),
            (Some(changed), read) if read.is_none_or(|read| changed >= read) => &mut self.changes,
            _ => &mut self.reads,
        };
        Ok(newer.take())
    }

    /// Where to continue after the records handed out so far.
    pub fn cursors(&self) -> Cursors {
        [self.changes.cursor, self.reads.cursor]
    }
}
