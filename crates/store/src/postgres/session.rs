//! The write transaction of one group.
//!
//! It begins by taking the counter's row, which every writer of every node needs, so groups are
//! serialized by it and everything committed before is visible. Rows are collected and sent in a
//! few statements, before a read that must see them or before the commit.

use std::collections::BTreeMap;
use std::sync::MutexGuard;
use std::time::{Duration, Instant};

use super::Postgres;
use super::connection::Connection;
use super::rows::PostgresRows;
use crate::api::{AuditCursor, AuditQuery, AuditRecord, DueJob, Feed, Job};
use crate::backend::{JobChange, Range, Rows, Session, Writes, position};
use crate::document::{Document, Key, OwnedKey, Version};
use crate::error::{Result, StoreError};

/// The body is empty when the state is a deletion.
type State = (i64, Option<Document>);

#[derive(Default)]
struct Unsent {
    /// The newest state of each document.
    documents: BTreeMap<OwnedKey, State>,
    history: Vec<(OwnedKey, State)>,
    audit: Vec<(i64, AuditRecord)>,
    jobs: Vec<(i64, Job)>,
    job_changes: Vec<JobChange>,
}

pub(crate) struct PostgresSession<'a> {
    postgres: &'a Postgres,
    writer: MutexGuard<'a, Option<Connection>>,
    before: u64,
    revision: Option<u64>,
    unsent: Unsent,
    ended: bool,
}

const BEGIN: &str = "
    BEGIN ISOLATION LEVEL SERIALIZABLE;
    UPDATE counter SET value = value WHERE name = 'revision' RETURNING value";

/// How long other nodes may be faster before that is an error.
const TAKE_TIME_MAX: Duration = Duration::from_secs(30);

/// Begins a transaction and waits for the counter's row.
///
/// Whoever waited while another node committed gets a serialization failure. It asks again at once
/// and in one round trip, which is sooner than the winner comes back, so the nodes take turns.
async fn take_counter(connection: &mut Connection) -> Result<u64> {
    let began = Instant::now();
    let mut sql = BEGIN.to_string();
    loop {
        match connection.run_for_text(&sql).await {
            Err(StoreError::Conflict) if began.elapsed() < TAKE_TIME_MAX => {
                sql = format!("ROLLBACK; {BEGIN}");
            }
            Err(error) => return Err(error),
            Ok(value) => {
                let value = value.and_then(|value| value.parse().ok());
                return value.ok_or_else(|| StoreError::Corrupt("the revision counter".into()));
            }
        }
    }
}

const PUT: &str = "
    INSERT INTO document (collection, account, region, key, position, body)
    SELECT * FROM unnest($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::BYTEA[], $5::BIGINT[], $6::BYTEA[])
    ON CONFLICT (collection, account, region, key)
    DO UPDATE SET position = excluded.position, body = excluded.body";

const DELETE: &str = "
    DELETE FROM document WHERE (collection, account, region, key) IN
    (SELECT * FROM unnest($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::BYTEA[]))";

const REMEMBER: &str = "
    INSERT INTO history (collection, account, region, key, position, body)
    SELECT * FROM
    unnest($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::BYTEA[], $5::BIGINT[], $6::BYTEA[])";

const AUDIT: &str = "
    INSERT INTO audit (position, event_id, time_millis, account, region, event, decision)
    SELECT * FROM unnest($1::BIGINT[], $2::TEXT[], $3::BIGINT[], $4::TEXT[], $5::TEXT[],
    $6::BYTEA[], $7::BYTEA[])";

const JOB: &str = "
    INSERT INTO job (id, kind, account, run_at_millis, due_millis, attempts, body)
    VALUES ($1, $2, $3, $4, $4, 0, $5)";

impl<'a> PostgresSession<'a> {
    pub(crate) fn begin(
        postgres: &'a Postgres,
        mut writer: MutexGuard<'a, Option<Connection>>,
    ) -> Result<PostgresSession<'a>> {
        let taken = match writer.as_mut().filter(|connection| !connection.is_closed()) {
            Some(connection) => postgres.wait(take_counter(connection)),
            None => Err(StoreError::Io("not connected".into())),
        };
        let before = match taken {
            // The connection was lost while it was idle; nothing has been done on it.
            Err(StoreError::Io(_)) => {
                let connection = writer.insert(postgres.connect()?);
                postgres.wait(take_counter(connection))
            }
            taken => taken,
        };
        if before.is_err() {
            *writer = None;
        }
        let (before, revision, unsent) = (before?, None, Unsent::default());
        Ok(PostgresSession { postgres, writer, before, revision, unsent, ended: false })
    }

    fn flush(&mut self) -> Result<()> {
        let unsent = std::mem::take(&mut self.unsent);
        let connection = connected(&mut self.writer)?;
        self.postgres.wait(send(connection, &unsent))
    }

    /// Reads that see everything applied so far.
    fn rows(&mut self) -> Result<PostgresRows<'_>> {
        self.flush()?;
        let postgres = self.postgres;
        Ok(PostgresRows { postgres, connection: connected(&mut self.writer)?, begun: true })
    }
}

fn connected(writer: &mut Option<Connection>) -> Result<&mut Connection> {
    writer.as_mut().ok_or_else(|| StoreError::Io("not connected".into()))
}

/// Key columns of many rows, each as one array.
#[derive(Default)]
struct Columns<'a> {
    collections: Vec<&'a str>,
    accounts: Vec<&'a str>,
    regions: Vec<&'a str>,
    keys: Vec<&'a [u8]>,
    positions: Vec<i64>,
    bodies: Vec<Option<&'a [u8]>>,
}

impl<'a> Columns<'a> {
    fn push(&mut self, key: &'a OwnedKey, (place, state): &'a State) {
        let key = key.as_key();
        self.collections.push(key.collection);
        self.accounts.push(key.account);
        self.regions.push(key.region);
        self.keys.push(key.key.as_bytes());
        self.positions.push(*place);
        self.bodies.push(state.as_ref().map(|document| &*document.body));
    }

    async fn send(&self, connection: &mut Connection, sql: &str) -> Result<()> {
        if self.keys.is_empty() {
            return Ok(());
        }
        let Columns { collections, accounts, regions, keys, positions, bodies } = self;
        connection.execute(sql, &[collections, accounts, regions, keys, positions, bodies]).await?;
        Ok(())
    }
}

async fn send(connection: &mut Connection, unsent: &Unsent) -> Result<()> {
    let (mut puts, mut deletes, mut history) =
        (Columns::default(), Columns::default(), Columns::default());
    for (key, state) in &unsent.documents {
        if state.1.is_some() { puts.push(key, state) } else { deletes.push(key, state) }
    }
    for (key, state) in &unsent.history {
        history.push(key, state);
    }
    puts.send(connection, PUT).await?;
    history.send(connection, REMEMBER).await?;
    if !deletes.keys.is_empty() {
        let Columns { collections, accounts, regions, keys, .. } = &deletes;
        connection.execute(DELETE, &[collections, accounts, regions, keys]).await?;
    }
    send_audit(connection, &unsent.audit).await?;
    for (id, Job { kind, account, run_at_millis, body }) in &unsent.jobs {
        connection.execute(JOB, &[id, kind, account, run_at_millis, body]).await?;
    }
    for change in &unsent.job_changes {
        send_job_change(connection, change).await?;
    }
    Ok(())
}

async fn send_audit(connection: &mut Connection, audit: &[(i64, AuditRecord)]) -> Result<()> {
    if audit.is_empty() {
        return Ok(());
    }
    let positions: Vec<i64> = audit.iter().map(|(place, _)| *place).collect();
    let texts = |of: fn(&AuditRecord) -> &str| -> Vec<&str> {
        audit.iter().map(|(_, record)| of(record)).collect()
    };
    let blobs = |of: fn(&AuditRecord) -> &[u8]| -> Vec<&[u8]> {
        audit.iter().map(|(_, record)| of(record)).collect()
    };
    let ids = texts(|record| &record.event_id);
    let times: Vec<i64> = audit.iter().map(|(_, record)| record.time_millis).collect();
    let accounts = texts(|record| &record.account);
    let regions = texts(|record| &record.region);
    let events = blobs(|record| &record.event);
    let decisions = blobs(|record| &record.decision);
    connection
        .execute(AUDIT, &[&positions, &ids, &times, &accounts, &regions, &events, &decisions])
        .await?;
    Ok(())
}

async fn send_job_change(connection: &mut Connection, change: &JobChange) -> Result<()> {
    match change {
        JobChange::Leased { id, until_millis } => {
            let sql = "UPDATE job SET due_millis = $2, attempts = attempts + 1 WHERE id = $1";
            connection.execute(sql, &[&(*id as i64), until_millis]).await?
        }
        JobChange::Retried { id, run_at_millis } => {
            let sql = "UPDATE job SET run_at_millis = $2, due_millis = $2 WHERE id = $1";
            connection.execute(sql, &[&(*id as i64), run_at_millis]).await?
        }
        JobChange::Finished { id } => {
            connection.execute("DELETE FROM job WHERE id = $1", &[&(*id as i64)]).await?
        }
    };
    Ok(())
}

impl Session for PostgresSession<'_> {
    fn apply(&mut self, revision: u64, writes: &Writes) -> Result<()> {
        self.revision = Some(revision);
        for (ordinal, (key, state)) in writes.documents.iter().enumerate() {
            let state = (position(revision, ordinal), state.clone());
            self.unsent.documents.insert(key.clone(), state.clone());
            self.unsent.history.push((key.clone(), state));
        }
        for (ordinal, record) in writes.audit.iter().enumerate() {
            self.unsent.audit.push((position(revision, ordinal), record.clone()));
        }
        for (ordinal, job) in writes.jobs.iter().enumerate() {
            self.unsent.jobs.push((position(revision, ordinal), job.clone()));
        }
        self.unsent.job_changes.extend(writes.job_changes.iter().cloned());
        Ok(())
    }

    fn has_job(&mut self, id: u64) -> Result<bool> {
        self.flush()?;
        let connection = connected(&mut self.writer)?;
        let id = i64::try_from(id).map_err(|_| StoreError::Missing)?;
        let sql = "SELECT id FROM job WHERE id = $1";
        let rows = self.postgres.wait(connection.query(sql, &[&id]))?;
        Ok(!rows.is_empty())
    }

    fn commit(mut self: Box<Self>) -> Result<()> {
        self.flush()?;
        let revision = self.revision.unwrap_or(self.before) as i64;
        let connection = connected(&mut self.writer)?;
        let committed = self.postgres.wait(async {
            let sql = "UPDATE counter SET value = $1 WHERE name = 'revision'";
            connection.execute(sql, &[&revision]).await?;
            connection.run("COMMIT").await
        });
        // After a failed commit the server has rolled back, or the connection is gone.
        self.ended = committed.is_ok();
        committed
    }
}

impl Drop for PostgresSession<'_> {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let rolled_back = match self.writer.as_mut() {
            Some(connection) => self.postgres.wait(connection.run("ROLLBACK")).is_ok(),
            None => true,
        };
        if !rolled_back {
            // Closing the connection rolls back too.
            *self.writer = None;
        }
    }
}

impl Rows for PostgresSession<'_> {
    fn revision(&mut self) -> Result<u64> {
        Ok(self.revision.unwrap_or(self.before))
    }

    /// Only asked for keys that the group did not change, so nothing need be sent before.
    fn get(&mut self, key: &Key<'_>) -> Result<(Option<Document>, u64)> {
        let (postgres, connection) = (self.postgres, connected(&mut self.writer)?);
        PostgresRows { postgres, connection, begun: true }.get(key)
    }

    fn get_at(&mut self, key: &Key<'_>, revision: u64) -> Result<Option<Document>> {
        self.rows()?.get_at(key, revision)
    }

    fn scan(&mut self, range: &Range<'_>, limit: usize) -> Result<Vec<(String, Document)>> {
        self.rows()?.scan(range, limit)
    }

    fn changed_keys(&mut self, range: &Range<'_>, revision: u64) -> Result<Vec<String>> {
        self.rows()?.changed_keys(range, revision)
    }

    fn history(&mut self, key: &Key<'_>, upto: u64, limit: usize) -> Result<Vec<Version>> {
        self.rows()?.history(key, upto, limit)
    }

    fn changes(&mut self, after: u64, upto: u64, limit: usize) -> Result<Feed> {
        let upto = upto.min(self.revision()?);
        self.rows()?.feed(after, upto, limit)
    }

    fn audit_scan(
        &mut self,
        query: &AuditQuery<'_>,
        upto: u64,
    ) -> Result<Vec<(AuditCursor, AuditRecord)>> {
        self.rows()?.audit_scan(query, upto)
    }

    fn audit_find(&mut self, event_id: &str) -> Result<Option<AuditRecord>> {
        self.rows()?.audit_find(event_id)
    }

    fn due_jobs(&mut self, now_millis: i64, limit: usize) -> Result<Vec<DueJob>> {
        self.rows()?.due_jobs(now_millis, limit)
    }
}
