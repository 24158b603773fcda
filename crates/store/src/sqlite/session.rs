//! The write transaction of one group.

use std::sync::MutexGuard;

use rusqlite::{Connection, params};

use super::rows::{DELETED_HEAD, HEAD, Head, SqliteRows};
use super::sqlite_error;
use crate::api::{AuditCursor, AuditQuery, AuditRecord, DueJob, Feed};
use crate::backend::{JobChange, Range, Rows, Session, Writes, position};
use crate::document::{Document, Key, Version};
use crate::error::{Result, StoreError};

pub(crate) struct SqliteSession<'a> {
    connection: MutexGuard<'a, Connection>,
    revision: Option<u64>,
}

impl<'a> SqliteSession<'a> {
    pub(crate) fn begin(connection: MutexGuard<'a, Connection>) -> Result<SqliteSession<'a>> {
        connection.execute_batch("BEGIN IMMEDIATE").map_err(sqlite_error)?;
        Ok(SqliteSession { connection, revision: None })
    }

    fn rows(&self) -> SqliteRows<'_> {
        SqliteRows { connection: &self.connection }
    }

    fn execute(&self, sql: &str, parameters: impl rusqlite::Params) -> Result<usize> {
        let mut statement = self.connection.prepare_cached(sql).map_err(sqlite_error)?;
        statement.execute(parameters).map_err(sqlite_error)
    }

    /// Writes a document's new state and chains it to the one before.
    fn change_document(&self, key: &Key<'_>, place: i64, body: Option<&[u8]>) -> Result<()> {
        let Key { collection, account, region, key: name } = *key;
        let live = self.rows().read_head(HEAD, key)?;
        let dead = if live.is_none() { self.rows().read_head(DELETED_HEAD, key)? } else { None };
        let before = live.or(dead).unwrap_or_default();
        let Head { version, anchor, .. } = before.next(place);
        match body {
            Some(body) => {
                let sql = if live.is_some() { UPDATE } else { INSERT };
                let values =
                    params![collection, account, region, name, place, version, anchor, body];
                self.execute(sql, values)?;
                if dead.is_some() {
                    self.execute(UNBURY, params![collection, account, region, name])?;
                }
            }
            None => {
                self.execute(DELETE, params![collection, account, region, name])?;
                let values = params![collection, account, region, name, place, version, anchor];
                self.execute(BURY, values)?;
            }
        }
        let (previous, anchor) = (before.position, before.anchor);
        let values = params![place, collection, account, region, name, previous, anchor, body];
        self.execute(REMEMBER, values)?;
        Ok(())
    }

    /// SQLite rolls back by itself on some failures; what follows would then commit piecemeal.
    fn check_open(&self) -> Result<()> {
        if self.connection.is_autocommit() {
            return Err(StoreError::Io("the database rolled the group back".into()));
        }
        Ok(())
    }
}

impl Drop for SqliteSession<'_> {
    fn drop(&mut self) {
        if !self.connection.is_autocommit() {
            // If this fails the next group's BEGIN fails too, and says so.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }
}

const INSERT: &str = "
    INSERT INTO document (collection, account, region, key, position, version, anchor, body)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

const UPDATE: &str = "
    UPDATE document SET position = ?5, version = ?6, anchor = ?7, body = ?8
    WHERE collection = ?1 AND account = ?2 AND region = ?3 AND key = ?4";

const DELETE: &str = "
    DELETE FROM document WHERE collection = ?1 AND account = ?2 AND region = ?3 AND key = ?4";

const BURY: &str = "
    INSERT INTO deleted (collection, account, region, key, position, version, anchor)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
    ON CONFLICT (collection, account, region, key) DO UPDATE
    SET position = excluded.position, version = excluded.version, anchor = excluded.anchor";

const UNBURY: &str = "
    DELETE FROM deleted WHERE collection = ?1 AND account = ?2 AND region = ?3 AND key = ?4";

const REMEMBER: &str = "
    INSERT INTO history (position, collection, account, region, key, previous, anchor, body)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

const AUDIT: &str = "
    INSERT INTO audit (position, event_id, time_millis, account, region, event, decision)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

const JOB: &str = "
    INSERT INTO job (id, kind, account, run_at_millis, due_millis, attempts, body)
    VALUES (?1, ?2, ?3, ?4, ?4, 0, ?5)";

impl Session for SqliteSession<'_> {
    fn apply(&mut self, revision: u64, writes: &Writes) -> Result<()> {
        self.check_open()?;
        self.revision = Some(revision);
        for (ordinal, (key, state)) in writes.documents.iter().enumerate() {
            let body = state.as_ref().map(|document| &*document.body);
            self.change_document(&key.as_key(), position(revision, ordinal), body)?;
        }
        for (ordinal, record) in writes.audit.iter().enumerate() {
            let AuditRecord { event_id, time_millis, account, region, event, decision } = record;
            let place = position(revision, ordinal);
            self.execute(
                AUDIT,
                params![place, event_id, time_millis, account, region, event, decision],
            )?;
        }
        for (ordinal, job) in writes.jobs.iter().enumerate() {
            let id = position(revision, ordinal);
            self.execute(JOB, params![id, job.kind, job.account, job.run_at_millis, job.body])?;
        }
        for change in &writes.job_changes {
            match change {
                JobChange::Leased { id, until_millis } => self.execute(
                    "UPDATE job SET due_millis = ?2, attempts = attempts + 1 WHERE id = ?1",
                    params![id, until_millis],
                )?,
                JobChange::Retried { id, run_at_millis } => self.execute(
                    "UPDATE job SET run_at_millis = ?2, due_millis = ?2 WHERE id = ?1",
                    params![id, run_at_millis],
                )?,
                JobChange::Finished { id } => {
                    self.execute("DELETE FROM job WHERE id = ?1", params![id])?
                }
            };
        }
        Ok(())
    }

    fn has_job(&mut self, id: u64) -> Result<bool> {
        let sql = "SELECT count(*) > 0 FROM job WHERE id = ?1";
        let mut statement = self.connection.prepare_cached(sql).map_err(sqlite_error)?;
        let id = i64::try_from(id).map_err(|_| StoreError::Missing)?;
        statement.query_row([id], |row| row.get(0)).map_err(sqlite_error)
    }

    fn commit(self: Box<Self>) -> Result<()> {
        self.check_open()?;
        if let Some(revision) = self.revision {
            self.execute("UPDATE counter SET value = ?1 WHERE name = 'revision'", [revision])?;
        }
        self.connection.execute_batch("COMMIT").map_err(sqlite_error)
    }
}

/// The counter is written once a group, so the session knows better than its table.
impl Rows for SqliteSession<'_> {
    fn revision(&mut self) -> Result<u64> {
        self.revision.map_or_else(|| self.rows().revision(), Ok)
    }

    fn get(&mut self, key: &Key<'_>) -> Result<(Option<Document>, u64)> {
        self.rows().get(key)
    }

    fn get_at(&mut self, key: &Key<'_>, revision: u64) -> Result<Option<Document>> {
        self.rows().get_at(key, revision)
    }

    fn scan(&mut self, range: &Range<'_>, limit: usize) -> Result<Vec<(String, Document)>> {
        self.rows().scan(range, limit)
    }

    fn changed_keys(&mut self, range: &Range<'_>, revision: u64) -> Result<Vec<String>> {
        self.rows().changed_keys(range, revision)
    }

    fn history(&mut self, key: &Key<'_>, upto: u64, limit: usize) -> Result<Vec<Version>> {
        self.rows().history(key, upto, limit)
    }

    fn changes(&mut self, after: u64, upto: u64, limit: usize) -> Result<Feed> {
        let upto = upto.min(self.revision()?);
        self.rows().feed(after, upto, limit)
    }

    fn audit_scan(
        &mut self,
        query: &AuditQuery<'_>,
        upto: u64,
    ) -> Result<Vec<(AuditCursor, AuditRecord)>> {
        self.rows().audit_scan(query, upto)
    }

    fn audit_find(&mut self, event_id: &str) -> Result<Option<AuditRecord>> {
        self.rows().audit_find(event_id)
    }

    fn due_jobs(&mut self, now_millis: i64, limit: usize) -> Result<Vec<DueJob>> {
        self.rows().due_jobs(now_millis, limit)
    }
}
