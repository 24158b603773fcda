//! The queries.

use tokio_postgres::Row;

use super::Postgres;
use super::connection::{Connection, Parameters, column};
use crate::api::{AuditCursor, AuditQuery, AuditRecord, DueJob, Feed, Job};
use crate::backend::{Range, Rows, first_after, revision_of};
use crate::document::{Change, Document, Key, Version};
use crate::error::{Result, StoreError};

/// Reads on one connection. Single statements need no transaction; the first call of `revision`
/// begins one, so that what follows sees the same snapshot.
pub(crate) struct PostgresRows<'a> {
    pub postgres: &'a Postgres,
    pub connection: &'a mut Connection,
    pub begun: bool,
}

const REVISION: &str = "SELECT value FROM counter WHERE name = 'revision'";

const GET: &str = "
    SELECT counter.value, document.position, document.body FROM counter LEFT JOIN document
    ON collection = $1 AND account = $2 AND region = $3 AND key = $4
    WHERE name = 'revision'";

const STATES: &str = "
    SELECT position, body FROM history
    WHERE collection = $1 AND account = $2 AND region = $3 AND key = $4 AND position < $5
    ORDER BY position DESC LIMIT $6";

const SCAN_FROM: &str = "
    SELECT key, position, body FROM document
    WHERE collection = $1 AND account = $2 AND region = $3 AND key >= $4 ORDER BY key LIMIT $5";

const SCAN_AFTER: &str = "
    SELECT key, position, body FROM document
    WHERE collection = $1 AND account = $2 AND region = $3 AND key > $4 ORDER BY key LIMIT $5";

const CHANGES: &str = "
    SELECT position, collection, account, region, key, body IS NULL FROM history
    WHERE position >= $1 AND position < $2 ORDER BY position LIMIT $3";

const AUDIT_COLUMNS: &str = "position, event_id, time_millis, account, region, event, decision";

const JOBS: &str = "
    SELECT id, attempts, kind, account, run_at_millis, body FROM job
    WHERE due_millis <= $1 ORDER BY due_millis, id LIMIT $2";

/// Rows of a table read at once where the caller's limit may be larger.
const PAGE: usize = 4096;

impl PostgresRows<'_> {
    /// The feed up to a revision that is there. A session knows what its own group has written,
    /// which the counter in the table does not show before the commit.
    pub(crate) fn feed(&mut self, after: u64, upto: u64, limit: usize) -> Result<Feed> {
        let mut changes: Vec<Change> = Vec::new();
        let mut from = first_after(after);
        loop {
            let page = self.change_page(from, first_after(upto), PAGE)?;
            let Some((last, _)) = page.last() else {
                return Ok(Feed { changes, revision: upto });
            };
            from = last + 1;
            for (_, change) in page {
                if let Some(last) = changes.last().filter(|last| last.revision < change.revision)
                    && changes.len() >= limit
                {
                    let revision = last.revision;
                    return Ok(Feed { changes, revision });
                }
                changes.push(change);
            }
        }
    }

    fn query(&mut self, sql: &str, values: Parameters<'_>) -> Result<Vec<Row>> {
        let connection = &mut *self.connection;
        self.postgres.wait(connection.query(sql, values))
    }

    /// Changes with positions from `from` up to before `end`.
    fn change_page(&mut self, from: i64, end: i64, limit: usize) -> Result<Vec<(i64, Change)>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.query(CHANGES, &[&from, &end, &limit])?;
        rows.iter().map(change).collect()
    }
}

impl Rows for PostgresRows<'_> {
    fn revision(&mut self) -> Result<u64> {
        if !self.begun {
            let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
            self.postgres.wait(self.connection.run(begin))?;
            self.begun = true;
        }
        let rows = self.query(REVISION, &[])?;
        Ok(column::<i64>(rows.first(), 0)? as u64)
    }

    fn get(&mut self, key: &Key<'_>) -> Result<(Option<Document>, u64)> {
        let name = key.key.as_bytes();
        let rows = self.query(GET, &[&key.collection, &key.account, &key.region, &name])?;
        let row = rows.first();
        let document = match column::<Option<i64>>(row, 1)? {
            Some(place) => {
                let body = column::<&[u8]>(row, 2)?.into();
                Some(Document { revision: revision_of(place), body })
            }
            None => None,
        };
        Ok((document, column::<i64>(row, 0)? as u64))
    }

    fn get_at(&mut self, key: &Key<'_>, revision: u64) -> Result<Option<Document>> {
        let newest = self.history(key, revision, 1)?.pop();
        Ok(newest
            .and_then(|version| Some(Document { revision: version.revision, body: version.body? })))
    }

    fn scan(&mut self, range: &Range<'_>, limit: usize) -> Result<Vec<(String, Document)>> {
        let (mut start, mut included) = (range.start().0.to_string(), range.start().1);
        let mut found: Vec<(String, Document)> = Vec::new();
        while found.len() < limit {
            let sql = if included { SCAN_FROM } else { SCAN_AFTER };
            let wanted = (limit - found.len()).min(PAGE);
            let page = i64::try_from(wanted).unwrap_or(i64::MAX);
            let from = start.as_bytes();
            let rows =
                self.query(sql, &[&range.collection, &range.account, &range.region, &from, &page])?;
            for row in &rows {
                let key = text(column(Some(row), 0)?)?;
                // Keys with one prefix are neighbours, so the first other one ends the range.
                if !key.starts_with(range.prefix) {
                    return Ok(found);
                }
                let revision = revision_of(column(Some(row), 1)?);
                let body = column::<&[u8]>(Some(row), 2)?.into();
                found.push((key.to_string(), Document { revision, body }));
            }
            if rows.len() < wanted {
                break;
            }
            start = found.last().map(|(key, _)| key.clone()).unwrap_or_default();
            included = false;
        }
        Ok(found)
    }

    fn changed_keys(&mut self, range: &Range<'_>, revision: u64) -> Result<Vec<String>> {
        let mut keys = Vec::new();
        let mut from = first_after(revision);
        loop {
            let page = self.change_page(from, i64::MAX, PAGE)?;
            let Some((last, _)) = page.last() else {
                return Ok(keys);
            };
            from = last + 1;
            for (_, change) in &page {
                let key = change.key.as_key();
                if range.holds(&key) {
                    keys.push(key.key.to_string());
                }
            }
        }
    }

    fn history(&mut self, key: &Key<'_>, upto: u64, limit: usize) -> Result<Vec<Version>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let (name, before) = (key.key.as_bytes(), first_after(upto));
        let values: Parameters<'_> =
            &[&key.collection, &key.account, &key.region, &name, &before, &limit];
        let rows = self.query(STATES, values)?;
        let version = |row: &Row| {
            let revision = revision_of(column(Some(row), 0)?);
            let body = column::<Option<&[u8]>>(Some(row), 1)?.map(Into::into);
            Ok(Version { revision, body })
        };
        rows.iter().map(version).collect()
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
             WHERE account = $1 AND time_millis BETWEEN $2 AND $3 AND position < $4
             AND ($5::TEXT IS NULL OR region = $5) AND (time_millis, position) {beyond} ($6, $7)
             ORDER BY time_millis {order}, position {order} LIMIT $8"
        );
        let edge = if query.newest_first { i64::MAX } else { i64::MIN };
        let after = query.after.map_or((edge, edge), |cursor| {
            (cursor.time_millis, i64::try_from(cursor.position).unwrap_or(i64::MAX))
        });
        let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
        let values: Parameters<'_> = &[
            &query.account,
            &query.from_millis,
            &query.to_millis,
            &first_after(upto),
            &query.region,
            &after.0,
            &after.1,
            &limit,
        ];
        self.query(&sql, values)?.iter().map(audit_record).collect()
    }

    fn audit_find(&mut self, event_id: &str) -> Result<Option<AuditRecord>> {
        let sql = format!("SELECT {AUDIT_COLUMNS} FROM audit WHERE event_id = $1 LIMIT 1");
        let rows = self.query(&sql, &[&event_id])?;
        rows.first().map(|row| Ok(audit_record(row)?.1)).transpose()
    }

    fn due_jobs(&mut self, now_millis: i64, limit: usize) -> Result<Vec<DueJob>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.query(JOBS, &[&now_millis, &limit])?;
        let due = |row: &Row| {
            let row = Some(row);
            let job = Job {
                kind: column(row, 2)?,
                account: column(row, 3)?,
                run_at_millis: column(row, 4)?,
                body: column(row, 5)?,
            };
            let attempts = u32::try_from(column::<i64>(row, 1)?).unwrap_or(u32::MAX);
            Ok(DueJob { id: column::<i64>(row, 0)? as u64, attempts, job })
        };
        rows.iter().map(due).collect()
    }
}

fn text(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|error| StoreError::Corrupt(format!("a key: {error}")))
}

fn change(row: &Row) -> Result<(i64, Change)> {
    let row = Some(row);
    let place = column(row, 0)?;
    let (collection, account, region) = (column(row, 1)?, column(row, 2)?, column(row, 3)?);
    let key = Key::new(collection, account, region, text(column(row, 4)?)?).to_owned();
    let deleted = column(row, 5)?;
    Ok((place, Change { revision: revision_of(place), key, deleted }))
}

fn audit_record(row: &Row) -> Result<(AuditCursor, AuditRecord)> {
    let row = Some(row);
    let record = AuditRecord {
        event_id: column(row, 1)?,
        time_millis: column(row, 2)?,
        account: column(row, 3)?,
        region: column(row, 4)?,
        event: column(row, 5)?,
        decision: column(row, 6)?,
    };
    let position = column::<i64>(row, 0)? as u64;
    Ok((AuditCursor { time_millis: record.time_millis, position }, record))
}
