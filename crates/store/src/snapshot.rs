//! Consistent reads at one revision, from the cache where it knows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::api::{AuditCursor, AuditQuery, AuditRecord, DueJob, Feed, Read};
use crate::backend::{Range, Rows};
use crate::cache::Lookup;
use crate::core::Core;
use crate::document::{Document, Key, Version};
use crate::error::{Result, StoreError};

/// All documents as they were at one revision. Cheap to make, may be kept and sent to threads.
///
/// Jobs are the exception: `due_jobs` always shows the newest state.
#[derive(Clone)]
pub struct Snapshot {
    pub(crate) core: Arc<Core>,
    pub(crate) revision: u64,
}

impl Snapshot {
    fn rows<T>(&self, mut work: impl FnMut(&mut dyn Rows) -> Result<T>) -> Result<T> {
        self.core.read(&mut work)
    }
}

impl Read for Snapshot {
    fn revision(&self) -> u64 {
        self.revision
    }

    fn get(&self, key: &Key<'_>) -> Result<Option<Document>> {
        match self.core.cache.get(key, self.revision) {
            Lookup::Known(state) => Ok(state),
            Lookup::Newer => self.rows(|rows| rows.get_at(key, self.revision)),
            Lookup::Unknown(ticket) => {
                let (state, seen) = self.rows(|rows| rows.get(key))?;
                self.core.cache.fill(ticket, key, state.as_ref(), seen);
                match &state {
                    Some(document) if document.revision <= self.revision => Ok(state),
                    None if seen <= self.revision => Ok(None),
                    _ => self.rows(|rows| rows.get_at(key, self.revision)),
                }
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
        self.rows(|rows| scan_at(rows, &range, self.revision, limit))
    }

    fn get_at(&self, key: &Key<'_>, revision: u64) -> Result<Option<Document>> {
        let revision = revision.min(self.revision);
        if let Lookup::Known(state) = self.core.cache.get(key, revision) {
            return Ok(state);
        }
        self.rows(|rows| rows.get_at(key, revision))
    }

    fn history(&self, key: &Key<'_>, limit: usize) -> Result<Vec<Version>> {
        self.rows(|rows| rows.history(key, self.revision, limit))
    }

    fn changes_since(&self, revision: u64, limit: usize) -> Result<Feed> {
        self.rows(|rows| rows.changes(revision, self.revision, limit))
    }

    fn audit_scan(&self, query: &AuditQuery<'_>) -> Result<Vec<(AuditCursor, AuditRecord)>> {
        self.rows(|rows| rows.audit_scan(query, self.revision))
    }

    fn audit_find(&self, event_id: &str) -> Result<Option<AuditRecord>> {
        self.rows(|rows| rows.audit_find(event_id))
    }

    fn due_jobs(&self, now_millis: i64, limit: usize) -> Result<Vec<DueJob>> {
        self.rows(|rows| rows.due_jobs(now_millis, limit))
    }
}

/// Scans as of `revision` although the database may be further on: what changed since is read
/// from the history instead.
fn scan_at(
    rows: &mut dyn Rows,
    range: &Range<'_>,
    revision: u64,
    limit: usize,
) -> Result<Vec<(String, Document)>> {
    let seen = rows.revision()?;
    if seen < revision {
        return Err(StoreError::Corrupt(format!("the database went back to revision {seen}")));
    }
    if seen == revision {
        return rows.scan(range, limit);
    }
    let changed: BTreeSet<String> = rows.changed_keys(range, revision)?.into_iter().collect();
    let current = rows.scan(range, limit.saturating_add(changed.len()))?;
    let mut before = BTreeMap::new();
    for key in changed {
        let name = Key::new(range.collection, range.account, range.region, &key);
        let state = rows.get_at(&name, revision)?;
        before.insert(key, state);
    }
    Ok(merge(current, before, limit))
}

/// Puts `states` in the place of what `current` says about the same keys. `current` must hold
/// `limit` plus as many rows as there are states, or be complete.
pub(crate) fn merge(
    current: Vec<(String, Document)>,
    states: BTreeMap<String, Option<Document>>,
    limit: usize,
) -> Vec<(String, Document)> {
    let mut merged = Vec::with_capacity(current.len().min(limit));
    let mut states = states.into_iter().peekable();
    for (key, document) in current {
        while states.peek().is_some_and(|(state_key, _)| *state_key < key) {
            merged.extend(states.next().and_then(|(key, state)| Some((key, state?))));
        }
        if states.peek().is_some_and(|(state_key, _)| *state_key == key) {
            merged.extend(states.next().and_then(|(key, state)| Some((key, state?))));
        } else {
            merged.push((key, document));
        }
    }
    merged.extend(states.filter_map(|(key, state)| Some((key, state?))));
    merged.truncate(limit);
    merged
}
