//! The interface services see: object-safe, synchronous, the same over every backend.

use crate::document::{Change, Document, Key, Version};
use crate::error::Result;

/// Most rows of one kind (documents, audit records, jobs) in one transaction.
pub const CHANGES_MAX: usize = 1 << 20;

/// A consistent view of all documents at one revision.
pub trait Read {
    /// The revision that this view shows. Inside a transaction: the revision before it.
    fn revision(&self) -> u64;

    /// The document under `key`, or `None`.
    fn get(&self, key: &Key<'_>) -> Result<Option<Document>>;

    /// Up to `limit` documents whose key starts with `prefix` and is greater than `after`, ordered
    /// by the bytes of their keys. Pass the last key of a page as `after` to get the next one.
    fn scan(
        &self,
        collection: &str,
        account: &str,
        region: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Document)>>;

    /// The document as it was at `revision`, for any revision up to this view's.
    fn get_at(&self, key: &Key<'_>, revision: u64) -> Result<Option<Document>>;

    /// Up to `limit` states of the document up to this view's revision, newest first.
    fn history(&self, key: &Key<'_>, limit: usize) -> Result<Vec<Version>>;

    /// The changes committed after `revision`, oldest first, in whole transactions: about `limit`
    /// of them, more only when one transaction has more.
    fn changes_since(&self, revision: u64, limit: usize) -> Result<Feed>;

    /// Audit records, with the cursor to continue after each.
    fn audit_scan(&self, query: &AuditQuery<'_>) -> Result<Vec<(AuditCursor, AuditRecord)>>;

    /// The audit record with this event id.
    fn audit_find(&self, event_id: &str) -> Result<Option<AuditRecord>>;

    /// Up to `limit` jobs that should have run by `now_millis` and are not leased, oldest first.
    fn due_jobs(&self, now_millis: i64, limit: usize) -> Result<Vec<DueJob>>;
}

/// A piece of the change feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// What changed, oldest first.
    pub changes: Vec<Change>,
    /// The feed is complete up to this revision: ask for what follows it next.
    pub revision: u64,
}

/// A serializable read-write transaction. It sees its own document changes at once; its own jobs
/// and audit records only after the commit.
pub trait Transaction: Read {
    /// Adds a document. Fails with [`crate::StoreError::Taken`] when the key is in use.
    fn insert(&mut self, key: &Key<'_>, body: &[u8]) -> Result<()>;

    /// Adds or replaces a document.
    fn put(&mut self, key: &Key<'_>, body: &[u8]) -> Result<()>;

    /// Replaces a document. Fails with [`crate::StoreError::Missing`] when there is none.
    fn replace(&mut self, key: &Key<'_>, body: &[u8]) -> Result<()>;

    /// Deletes a document. Fails with [`crate::StoreError::Missing`] when there is none.
    fn delete(&mut self, key: &Key<'_>) -> Result<()>;

    /// Appends an audit record that commits with the transaction.
    fn audit(&mut self, record: AuditRecord) -> Result<()>;

    /// Queues a job that exists once the transaction has committed.
    fn job(&mut self, job: Job) -> Result<()>;

    /// Leases up to `limit` due jobs until `until_millis` and counts the attempt. A job whose lease
    /// runs out is due again, so work must be idempotent or finish in the same transaction.
    fn lease_jobs(
        &mut self,
        now_millis: i64,
        until_millis: i64,
        limit: usize,
    ) -> Result<Vec<DueJob>>;

    /// Removes a job that is done. Fails with [`crate::StoreError::Missing`] when it is gone.
    fn finish_job(&mut self, id: u64) -> Result<()>;

    /// Gives a leased job back, to run again at `run_at_millis`.
    fn retry_job(&mut self, id: u64, run_at_millis: i64) -> Result<()>;
}

/// An audit event and the decision behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// CloudTrail's `eventID`.
    pub event_id: String,
    /// When the request arrived, in milliseconds since 1970.
    pub time_millis: i64,
    /// The account whose trail it belongs to.
    pub account: String,
    /// The region the request went to.
    pub region: String,
    /// The CloudTrail event, as JSON.
    pub event: Vec<u8>,
    /// The decision record, as JSON.
    pub decision: Vec<u8>,
}

/// Where an audit scan stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AuditCursor {
    /// The time of the last record seen.
    pub time_millis: i64,
    /// Its place in commit order.
    pub position: u64,
}

/// Which audit records to read. Times are in milliseconds, both ends included.
#[derive(Clone, Copy, Debug)]
pub struct AuditQuery<'a> {
    /// The account whose records are wanted.
    pub account: &'a str,
    /// Only records of this region.
    pub region: Option<&'a str>,
    /// The earliest time.
    pub from_millis: i64,
    /// The latest time.
    pub to_millis: i64,
    /// Newest first when true, else oldest first.
    pub newest_first: bool,
    /// Continue after this record.
    pub after: Option<AuditCursor>,
    /// Most records in the answer.
    pub limit: usize,
}

impl<'a> AuditQuery<'a> {
    /// The newest records of an account, of all regions and times.
    #[must_use]
    pub fn newest(account: &'a str, limit: usize) -> Self {
        Self {
            account,
            region: None,
            from_millis: i64::MIN,
            to_millis: i64::MAX,
            newest_first: true,
            after: None,
            limit,
        }
    }
}

/// Work that must happen after a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Which worker runs it, such as `sns/delivery`.
    pub kind: String,
    /// The account on whose behalf it runs.
    pub account: String,
    /// The earliest time to run it, in milliseconds since 1970.
    pub run_at_millis: i64,
    /// What to do, as JSON.
    pub body: Vec<u8>,
}

/// A job that is waiting, with its identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueJob {
    /// The job's id, unique over the life of the store.
    pub id: u64,
    /// How often it has been leased.
    pub attempts: u32,
    /// The job.
    pub job: Job,
}
