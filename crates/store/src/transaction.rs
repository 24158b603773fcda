//! A transaction: an overlay of its own writes over the group's and the database's state.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::api::{
    AuditCursor, AuditQuery, AuditRecord, CHANGES_MAX, DueJob, Feed, Job, Read, Transaction,
};
use crate::backend::{JobChange, Range, Session, Writes};
use crate::cache::{Cache, Lookup};
use crate::document::{Document, Key, OwnedKey, Version};
use crate::error::{Result, StoreError};
use crate::snapshot::merge;

/// What the earlier transactions of the group changed; not yet published.
pub(crate) type GroupChanges = BTreeMap<OwnedKey, Option<Document>>;

pub(crate) struct Overlay<'a, 'b> {
    session: RefCell<&'a mut (dyn Session + 'b)>,
    cache: &'a Cache,
    group: &'a GroupChanges,
    /// What the cache shows: the state before the group.
    published: u64,
    /// What this transaction reads: the state after the transactions before it.
    revision: u64,
    documents: GroupChanges,
    audit: Vec<AuditRecord>,
    jobs: Vec<Job>,
    job_changes: Vec<JobChange>,
    /// Leased or given back here, so not due to this transaction.
    held_jobs: BTreeSet<u64>,
    finished_jobs: BTreeSet<u64>,
    conflicted: Cell<bool>,
}

impl<'a, 'b> Overlay<'a, 'b> {
    pub(crate) fn new(
        session: &'a mut (dyn Session + 'b),
        cache: &'a Cache,
        group: &'a GroupChanges,
        published: u64,
        revision: u64,
    ) -> Self {
        Overlay {
            session: RefCell::new(session),
            cache,
            group,
            published,
            revision,
            documents: BTreeMap::new(),
            audit: Vec::new(),
            jobs: Vec::new(),
            job_changes: Vec::new(),
            held_jobs: BTreeSet::new(),
            finished_jobs: BTreeSet::new(),
            conflicted: Cell::new(false),
        }
    }

    /// Whether the database asked for a retry while the work ran, whatever the work made of it.
    pub(crate) fn conflicted(&self) -> bool {
        self.conflicted.get()
    }

    /// What the transaction wrote.
    pub(crate) fn into_writes(self) -> Writes {
        Writes {
            documents: self.documents.into_iter().collect(),
            audit: self.audit,
            jobs: self.jobs,
            job_changes: self.job_changes,
        }
    }

    fn rows<T>(&self, work: impl FnOnce(&mut dyn Session) -> Result<T>) -> Result<T> {
        let mut session = self.session.try_borrow_mut().map_err(|_| StoreError::Reentrant)?;
        let result = work(&mut **session);
        if matches!(result, Err(StoreError::Conflict)) {
            self.conflicted.set(true);
        }
        result
    }

    fn set(&mut self, key: &Key<'_>, body: Option<&[u8]>) -> Result<()> {
        if self.documents.len() >= CHANGES_MAX {
            return Err(StoreError::TooLarge);
        }
        let revision = self.revision + 1;
        let state = body.map(|body| Document { revision, body: Arc::from(body) });
        self.documents.insert(key.to_owned(), state);
        Ok(())
    }

    fn change_job(&mut self, id: u64, change: JobChange) -> Result<()> {
        if self.finished_jobs.contains(&id) || !self.rows(|session| session.has_job(id))? {
            return Err(StoreError::Missing);
        }
        self.held_jobs.insert(id);
        if matches!(change, JobChange::Finished { .. }) {
            self.finished_jobs.insert(id);
        }
        self.job_changes.push(change);
        Ok(())
    }
}

impl Read for Overlay<'_, '_> {
    fn revision(&self) -> u64 {
        self.revision
    }

    fn get(&self, key: &Key<'_>) -> Result<Option<Document>> {
        if !(self.documents.is_empty() && self.group.is_empty()) {
            let owned = key.to_owned();
            if let Some(state) = self.documents.get(&owned).or_else(|| self.group.get(&owned)) {
                return Ok(state.clone());
            }
        }
        match self.cache.get(key, self.published) {
            Lookup::Known(state) => Ok(state),
            Lookup::Newer => Err(StoreError::Corrupt("the cache is ahead of the writer".into())),
            Lookup::Unknown(ticket) => {
                // The key is not among the group's changes, so this is its published state.
                let (state, _) = self.rows(|session| session.get(key))?;
                self.cache.fill(ticket, key, state.as_ref(), self.published);
                Ok(state)
            }
        }
    }

    fn scan(
        &self,
        collection: &str,
        account: &str,
        region: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Document)>> {
        let range = Range { collection, account, region, prefix, after };
        let from = Key::new(collection, account, region, range.start().0).to_owned();
        let mut own = BTreeMap::new();
        for (key, state) in self.documents.range(from..) {
            let key = key.as_key();
            if range.holds(&key) {
                own.insert(key.key.to_string(), state.clone());
            } else if !(Range { after: None, ..range }).holds(&key) {
                break;
            }
        }
        let wanted = limit.saturating_add(own.len());
        let current = self.rows(|session| session.scan(&range, wanted))?;
        Ok(merge(current, own, limit))
    }

    fn get_at(&self, key: &Key<'_>, revision: u64) -> Result<Option<Document>> {
        let revision = revision.min(self.revision);
        self.rows(|session| session.get_at(key, revision))
    }

    fn history(&self, key: &Key<'_>, limit: usize) -> Result<Vec<Version>> {
        self.rows(|session| session.history(key, self.revision, limit))
    }

    fn changes_since(&self, revision: u64, limit: usize) -> Result<Feed> {
        self.rows(|session| session.changes(revision, self.revision, limit))
    }

    fn audit_scan(&self, query: &AuditQuery<'_>) -> Result<Vec<(AuditCursor, AuditRecord)>> {
        self.rows(|session| session.audit_scan(query, self.revision))
    }

    fn audit_find(&self, event_id: &str) -> Result<Option<AuditRecord>> {
        self.rows(|session| session.audit_find(event_id))
    }

    fn due_jobs(&self, now_millis: i64, limit: usize) -> Result<Vec<DueJob>> {
        let more = limit.saturating_add(self.held_jobs.len());
        let mut due = self.rows(|session| session.due_jobs(now_millis, more))?;
        due.retain(|due| !self.held_jobs.contains(&due.id));
        due.truncate(limit);
        Ok(due)
    }
}

impl Transaction for Overlay<'_, '_> {
    fn insert(&mut self, key: &Key<'_>, body: &[u8]) -> Result<()> {
        if self.get(key)?.is_some() {
            return Err(StoreError::Taken);
        }
        self.set(key, Some(body))
    }

    fn put(&mut self, key: &Key<'_>, body: &[u8]) -> Result<()> {
        self.set(key, Some(body))
    }

    fn replace(&mut self, key: &Key<'_>, body: &[u8]) -> Result<()> {
        if self.get(key)?.is_none() {
            return Err(StoreError::Missing);
        }
        self.set(key, Some(body))
    }

    fn delete(&mut self, key: &Key<'_>) -> Result<()> {
        if self.get(key)?.is_none() {
            return Err(StoreError::Missing);
        }
        self.set(key, None)
    }

    fn audit(&mut self, record: AuditRecord) -> Result<()> {
        if self.audit.len() >= CHANGES_MAX {
            return Err(StoreError::TooLarge);
        }
        self.audit.push(record);
        Ok(())
    }

    fn job(&mut self, job: Job) -> Result<()> {
        if self.jobs.len() >= CHANGES_MAX {
            return Err(StoreError::TooLarge);
        }
        self.jobs.push(job);
        Ok(())
    }

    fn lease_jobs(
        &mut self,
        now_millis: i64,
        until_millis: i64,
        limit: usize,
    ) -> Result<Vec<DueJob>> {
        let mut due = self.due_jobs(now_millis, limit)?;
        for job in &mut due {
            job.attempts = job.attempts.saturating_add(1);
            self.held_jobs.insert(job.id);
            self.job_changes.push(JobChange::Leased { id: job.id, until_millis });
        }
        Ok(due)
    }

    fn finish_job(&mut self, id: u64) -> Result<()> {
        self.change_job(id, JobChange::Finished { id })
    }

    fn retry_job(&mut self, id: u64, run_at_millis: i64) -> Result<()> {
        self.change_job(id, JobChange::Retried { id, run_at_millis })
    }
}
