//! The queries. Each runs in the transaction that its connection is in.

use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};

use super::sqlite_error;
use crate::api::{AuditCursor, AuditQuery, AuditRecord, DueJob, Feed, Job};
use crate::backend::{Range, Rows, first_after, revision_of};
use crate::document::{Change, Document, Key, Version};
use crate::error::Result;

pub(crate) struct SqliteRows<'a> {
    pub connection: &'a Connection,
}

impl SqliteRows<'_> {
    /// The feed up to a revision that is there. A session knows what its own group has written,
    /// which the counter in the table does not show before the commit.
    pub(crate) fn feed(&mut self, after: u64, upto: u64, limit: usize) -> Result<Feed> {
        let mut statement = self.prepare(CHANGES)?;
        let mut rows = statement
            .query(params![first_after(after), first_after(upto)])
            .map_err(sqlite_error)?;
        let mut changes: Vec<Change> = Vec::new();
        while let Some(row) = rows.next().map_err(sqlite_error)? {
            let change = change(row).map_err(sqlite_error)?;
            if let Some(last) = changes.last().filter(|last| last.revision < change.revision)
                && changes.len() >= limit
            {
                let revision = last.revision;
                return Ok(Feed { changes, revision });
            }
            changes.push(change);
        }
        Ok(Feed { changes, revision: upto })
    }

    fn prepare(&self, sql: &str) -> Result<CachedStatement<'_>> {
        self.connection.prepare_cached(sql).map_err(sqlite_error)
    }

    fn head(&self, key: &Key<'_>) -> Result<Option<Head>> {
        if let Some(head) = self.read_head(HEAD, key)? {
            return Ok(Some(head));
        }
        self.read_head(DELETED_HEAD, key)
    }

    pub(crate) fn read_head(&self, sql: &str, key: &Key<'_>) -> Result<Option<Head>> {
        let read = |row: &Row<'_>| {
            Ok(Head { position: row.get(0)?, version: row.get(1)?, anchor: row.get(2)? })
        };
        let parameters = params![key.collection, key.account, key.region, key.key];
        self.prepare(sql)?.query_row(parameters, read).optional().map_err(sqlite_error)
    }
}

/// The newest state in a document's chain.
#[derive(Clone, Copy, Default)]
pub(crate) struct Head {
    pub position: i64,
    pub version: i64,
    /// The newest state up to this one whose version is a multiple of [`ANCHOR_STEP`]; 0 for none.
    pub anchor: i64,
}

/// States between two anchors: finding an old state reads one row in so many, then up to so many.
const ANCHOR_STEP: i64 = 64;

impl Head {
    /// The head after one more state.
    pub(crate) fn next(self, position: i64) -> Head {
        let version = self.version + 1;
        let anchor = if version % ANCHOR_STEP == 0 { position } else { self.anchor };
        Head { position, version, anchor }
    }
}

const REVISION: &str = "SELECT value FROM counter WHERE name = 'revision'";

const GET: &str = "
    SELECT counter.value, document.position, document.body FROM counter LEFT JOIN document
    ON collection = ?1 AND account = ?2 AND region = ?3 AND key = ?4
    WHERE name = 'revision'";

/// Where the chain of a key's states begins.
pub(crate) const HEAD: &str = "
    SELECT position, version, anchor FROM document
    WHERE collection = ?1 AND account = ?2 AND region = ?3 AND key = ?4";

pub(crate) const DELETED_HEAD: &str = "
    SELECT position, version, anchor FROM deleted
    WHERE collection = ?1 AND account = ?2 AND region = ?3 AND key = ?4";

const STATE: &str = "SELECT previous, anchor, body FROM history WHERE position = ?1";

const SCAN_FROM: &str = "
    SELECT key, position, body FROM document
    WHERE collection = ?1 AND account = ?2 AND region = ?3 AND key >= ?4 ORDER BY key";

const SCAN_AFTER: &str = "
    SELECT key, position, body FROM document
    WHERE collection = ?1 AND account = ?2 AND region = ?3 AND key > ?4 ORDER BY key";

const CHANGES: &str = "
    SELECT position, collection, account, region, key, body IS NULL FROM history
    WHERE position >= ?1 AND position < ?2 ORDER BY position";

const AUDIT_COLUMNS: &str = "position, event_id, time_millis, account, region, event, decision";

const JOBS: &str = "
    SELECT id, attempts, kind, account, run_at_millis, body FROM job
    WHERE due_millis <= ?1 ORDER BY due_millis, id LIMIT ?2";

impl Rows for SqliteRows<'_> {
    fn revision(&mut self) -> Result<u64> {
        self.prepare(REVISION)?.query_row([], |row| row.get(0)).map_err(sqlite_error)
    }

    fn get(&mut self, key: &Key<'_>) -> Result<(Option<Document>, u64)> {
        let mut statement = self.prepare(GET)?;
        let read = |row: &Row<'_>| {
            let document = match row.get(1)? {
                Some(place) => {
                    Some(Document { revision: revision_of(place), body: body(row, 2)?.into() })
                }
                None => None,
            };
            Ok((document, row.get(0)?))
        };
        statement
            .query_row(params![key.collection, key.account, key.region, key.key], read)
            .map_err(sqlite_error)
    }

    fn get_at(&mut self, key: &Key<'_>, revision: u64) -> Result<Option<Document>> {
        let newest = self.history(key, revision, 1)?.pop();
        Ok(newest
            .and_then(|version| Some(Document { revision: version.revision, body: version.body? })))
    }

    fn scan(&mut self, range: &Range<'_>, limit: usize) -> Result<Vec<(String, Document)>> {
        let (start, included) = range.start();
        let mut statement = self.prepare(if included { SCAN_FROM } else { SCAN_AFTER })?;
        let mut rows = statement
            .query(params![range.collection, range.account, range.region, start])
            .map_err(sqlite_error)?;
        let mut found = Vec::new();
        while found.len() < limit {
            let Some(row) = rows.next().map_err(sqlite_error)? else {
                break;
            };
            let key: String = row.get(0).map_err(sqlite_error)?;
            // Keys with one prefix are neighbours, so the first other one ends the range.
            if !key.starts_with(range.prefix) {
                break;
            }
            let revision = revision_of(row.get(1).map_err(sqlite_error)?);
            let body = body(row, 2).map_err(sqlite_error)?.into();
            found.push((key, Document { revision, body }));
        }
        Ok(found)
    }

    fn changed_keys(&mut self, range: &Range<'_>, revision: u64) -> Result<Vec<String>> {
        let mut statement = self.prepare(CHANGES)?;
        let mut rows =
            statement.query(params![first_after(revision), i64::MAX]).map_err(sqlite_error)?;
        let mut keys = Vec::new();
        while let Some(row) = rows.next().map_err(sqlite_error)? {
            let change = change(row).map_err(sqlite_error)?;
            let key = change.key.as_key();
            if range.holds(&key) {
                keys.push(key.key.to_string());
            }
        }
        Ok(keys)
    }

    fn history(&mut self, key: &Key<'_>, upto: u64, limit: usize) -> Result<Vec<Version>> {
        let bound = first_after(upto);
        let mut versions = Vec::new();
        let Some(head) = self.head(key)? else {
            return Ok(versions);
        };
        let mut statement = self.prepare(STATE)?;
        let mut place = head.position;
        while place != 0 && versions.len() < limit {
            let read = |row: &Row<'_>| {
                let body = row.get_ref(2)?.as_blob_or_null()?.map(|bytes| bytes.into());
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, body))
            };
            // A state that is no longer kept ends the chain.
            let state = statement.query_row([place], read).optional().map_err(sqlite_error)?;
            let Some((previous, anchor, body)) = state else {
                break;
            };
            if place < bound {
                versions.push(Version { revision: revision_of(place), body });
            }
            // Everything newer than the anchor may be skipped while the anchor is too new itself.
            place = if anchor >= bound { anchor } else { previous };
        }
        Ok(versions)
    }

    fn changes(&mut self, after: u64, upto: u64, limit: usize) -> Result<Feed> {
        let upto = upto.min(self.revision()?);
        self.feed(after, upto, limit)
    }

    fn audit_scan(
        &mut self,
        query: &AuditQuery<'_>,
        upto: u64,
    ) -> Result<Vec<(AuditCursor, AuditRecord)>> {
        let (beyond, order) = if query.newest_first { ("<", "DESC") } else { (">", "ASC") };
        let sql = format!(
            "SELECT {AUDIT_COLUMNS} FROM audit
             WHERE account = ?1 AND time_millis BETWEEN ?2 AND ?3 AND position < ?4
             AND (?5 IS NULL OR region = ?5) AND (time_millis, position) {beyond} (?6, ?7)
             ORDER BY time_millis {order}, position {order} LIMIT ?8"
        );
        let edge = if query.newest_first { i64::MAX } else { i64::MIN };
        let after = query.after.map_or((edge, edge), |cursor| {
            (cursor.time_millis, i64::try_from(cursor.position).unwrap_or(i64::MAX))
        });
        let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
        let mut statement = self.prepare(&sql)?;
        let rows = statement
            .query_map(
                params![
                    query.account,
                    query.from_millis,
                    query.to_millis,
                    first_after(upto),
                    query.region,
                    after.0,
                    after.1,
                    limit
                ],
                audit_record,
            )
            .map_err(sqlite_error)?;
        rows.collect::<rusqlite::Result<_>>().map_err(sqlite_error)
    }

    fn audit_find(&mut self, event_id: &str) -> Result<Option<AuditRecord>> {
        let sql = format!(
            "SELECT {AUDIT_COLUMNS} FROM audit WHERE position =
             (SELECT position FROM audit INDEXED BY audit_time WHERE event_id = ?1 LIMIT 1)"
        );
        let mut statement = self.prepare(&sql)?;
        let found = statement.query_row([event_id], audit_record).optional();
        Ok(found.map_err(sqlite_error)?.map(|(_, record)| record))
    }

    fn due_jobs(&mut self, now_millis: i64, limit: usize) -> Result<Vec<DueJob>> {
        let mut statement = self.prepare(JOBS)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let read = |row: &Row<'_>| {
            let job = Job {
                kind: row.get(2)?,
                account: row.get(3)?,
                run_at_millis: row.get(4)?,
                body: row.get(5)?,
            };
            Ok(DueJob { id: row.get(0)?, attempts: row.get(1)?, job })
        };
        let jobs = statement.query_map(params![now_millis, limit], read).map_err(sqlite_error)?;
        jobs.collect::<rusqlite::Result<_>>().map_err(sqlite_error)
    }
}

fn body<'a>(row: &'a Row<'_>, column: usize) -> rusqlite::Result<&'a [u8]> {
    Ok(row.get_ref(column)?.as_blob()?)
}

fn change(row: &Row<'_>) -> rusqlite::Result<Change> {
    let text = |column: usize| -> rusqlite::Result<&str> { Ok(row.get_ref(column)?.as_str()?) };
    let key = Key::new(text(1)?, text(2)?, text(3)?, text(4)?).to_owned();
    Ok(Change { revision: revision_of(row.get(0)?), key, deleted: row.get(5)? })
}

fn audit_record(row: &Row<'_>) -> rusqlite::Result<(AuditCursor, AuditRecord)> {
    let record = AuditRecord {
        event_id: row.get(1)?,
        time_millis: row.get(2)?,
        account: row.get(3)?,
        region: row.get(4)?,
        event: row.get(5)?,
        decision: row.get(6)?,
    };
    let position = row.get::<_, i64>(0)? as u64;
    Ok((AuditCursor { time_millis: record.time_millis, position }, record))
}
