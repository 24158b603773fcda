//! What a database must do. Everything above (cache, snapshots, transactions, groups) is shared.

use std::time::Duration;

use crate::api::{AuditCursor, AuditQuery, AuditRecord, DueJob, Feed, Job};
use crate::document::{Document, Key, OwnedKey, Version};
use crate::error::Result;

/// How many rows of one transaction share its revision's range of positions.
const POSITION_BITS: u32 = 20;

/// The place of a row in commit order: rising, and the revision can be read off it.
pub(crate) fn position(revision: u64, ordinal: usize) -> i64 {
    ((revision << POSITION_BITS) | ordinal as u64) as i64
}

/// The revision of the transaction that wrote the row at this position.
pub(crate) fn revision_of(position: i64) -> u64 {
    position as u64 >> POSITION_BITS
}

/// The first position of the transaction after `revision`; the largest one at the end of numbers.
pub(crate) fn first_after(revision: u64) -> i64 {
    if revision >= (1 << 42) { i64::MAX } else { position(revision + 1, 0) }
}

/// The keys of one collection, account and region that start with `prefix` and follow `after`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range<'a> {
    pub collection: &'a str,
    pub account: &'a str,
    pub region: &'a str,
    pub prefix: &'a str,
    pub after: Option<&'a str>,
}

impl<'a> Range<'a> {
    /// Where to start reading, and whether that key itself belongs to the range.
    pub(crate) fn start(&self) -> (&'a str, bool) {
        match self.after {
            Some(after) if after >= self.prefix => (after, false),
            _ => (self.prefix, true),
        }
    }

    /// Whether a key is in the range.
    pub(crate) fn holds(&self, key: &Key<'_>) -> bool {
        key.collection == self.collection
            && key.account == self.account
            && key.region == self.region
            && key.key.starts_with(self.prefix)
            && self.after.is_none_or(|after| key.key > after)
    }
}

/// Reads within one database snapshot.
pub(crate) trait Rows {
    /// The revision of the newest transaction that this snapshot holds.
    fn revision(&mut self) -> Result<u64>;
    /// The current document and the snapshot's revision.
    fn get(&mut self, key: &Key<'_>) -> Result<(Option<Document>, u64)>;
    fn get_at(&mut self, key: &Key<'_>, revision: u64) -> Result<Option<Document>>;
    fn scan(&mut self, range: &Range<'_>, limit: usize) -> Result<Vec<(String, Document)>>;
    /// The keys in the range that changed after `revision`; each once or more.
    fn changed_keys(&mut self, range: &Range<'_>, revision: u64) -> Result<Vec<String>>;
    fn history(&mut self, key: &Key<'_>, upto: u64, limit: usize) -> Result<Vec<Version>>;
    /// Whole transactions after `after` and up to `upto`.
    fn changes(&mut self, after: u64, upto: u64, limit: usize) -> Result<Feed>;
    /// Records of transactions up to `upto`.
    fn audit_scan(
        &mut self,
        query: &AuditQuery<'_>,
        upto: u64,
    ) -> Result<Vec<(AuditCursor, AuditRecord)>>;
    fn audit_find(&mut self, event_id: &str) -> Result<Option<AuditRecord>>;
    fn due_jobs(&mut self, now_millis: i64, limit: usize) -> Result<Vec<DueJob>>;
}

/// A change to an existing job.
#[derive(Clone, Debug)]
pub(crate) enum JobChange {
    Leased { id: u64, until_millis: i64 },
    Retried { id: u64, run_at_millis: i64 },
    Finished { id: u64 },
}

/// Everything one transaction writes.
#[derive(Default)]
pub(crate) struct Writes {
    /// New state of each changed document, in key order.
    pub documents: Vec<(OwnedKey, Option<Document>)>,
    pub audit: Vec<AuditRecord>,
    pub jobs: Vec<Job>,
    pub job_changes: Vec<JobChange>,
}

impl Writes {
    pub(crate) fn is_empty(&self) -> bool {
        self.documents.is_empty()
            && self.audit.is_empty()
            && self.jobs.is_empty()
            && self.job_changes.is_empty()
    }
}

/// A database transaction that no other writer, here or on another node, can interleave with.
/// Its reads see what was applied to it. Dropping it rolls back.
pub(crate) trait Session: Rows {
    /// Applies one transaction's writes as `revision`, the next one.
    fn apply(&mut self, revision: u64, writes: &Writes) -> Result<()>;
    fn has_job(&mut self, id: u64) -> Result<bool>;
    /// Makes everything applied durable.
    fn commit(self: Box<Self>) -> Result<()>;
}

/// A database.
pub(crate) trait Backend: Send + Sync {
    /// Runs `work` on one database snapshot.
    fn read(&self, work: &mut dyn FnMut(&mut dyn Rows) -> Result<()>) -> Result<()>;
    /// Begins to write, waiting for other nodes' writers.
    fn begin(&self) -> Result<Box<dyn Session + '_>>;
    /// Whether reading from inside the writer would wait for itself.
    fn reads_wait_for_writer(&self) -> bool;
    /// How often to look for other nodes' commits; `None` when there are no other nodes.
    fn poll_period(&self) -> Option<Duration>;
    /// How the backend is called in health and metrics.
    fn name(&self) -> &'static str;
}
