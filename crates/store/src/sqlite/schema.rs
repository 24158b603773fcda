//! The tables, as numbered migrations. A released migration is never edited.

use rusqlite::{Connection, TransactionBehavior};

use super::sqlite_error;
use crate::error::{Result, StoreError};

/// One SQL text a version. Rowid tables with unique indexes throughout: measured, `WITHOUT ROWID`
/// writes four times the bytes for random keys (`docs/storage.md`).
const MIGRATIONS: &[&str] = &["
    CREATE TABLE counter (name TEXT NOT NULL UNIQUE, value INTEGER NOT NULL);
    INSERT INTO counter VALUES ('revision', 0);

    -- The newest state of every document. position = revision << 20 | ordinal, as in history.
    CREATE TABLE document (
        collection TEXT NOT NULL,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        key TEXT NOT NULL,
        position INTEGER NOT NULL,
        version INTEGER NOT NULL,
        anchor INTEGER NOT NULL,
        body BLOB NOT NULL
    );
    CREATE UNIQUE INDEX document_key ON document (collection, account, region, key);

    -- Every state of every document in commit order. The states of one document are chained from
    -- the newest on: `previous` is the one before, `anchor` the last before that whose version is
    -- a multiple of 64 (0: none). An index by key would be written at random places, which costs
    -- more than all other writes of a transaction together.
    CREATE TABLE history (
        position INTEGER PRIMARY KEY,
        collection TEXT NOT NULL,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        key TEXT NOT NULL,
        previous INTEGER NOT NULL,
        anchor INTEGER NOT NULL,
        body BLOB
    );

    -- Where the chains of deleted documents begin.
    CREATE TABLE deleted (
        collection TEXT NOT NULL,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        key TEXT NOT NULL,
        position INTEGER NOT NULL,
        version INTEGER NOT NULL,
        anchor INTEGER NOT NULL
    );
    CREATE UNIQUE INDEX deleted_key ON deleted (collection, account, region, key);

    CREATE TABLE audit (
        position INTEGER PRIMARY KEY,
        event_id TEXT NOT NULL,
        time_millis INTEGER NOT NULL,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        event BLOB NOT NULL,
        decision BLOB NOT NULL
    );
    -- Written at its end, because time rises. Event ids do not: they are found by reading through
    -- this index, which is a small part of the table.
    CREATE UNIQUE INDEX audit_time ON audit (account, time_millis, position, event_id);

    -- A job is due at due_millis: its run time, or the end of its lease.
    CREATE TABLE job (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        account TEXT NOT NULL,
        run_at_millis INTEGER NOT NULL,
        due_millis INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        body BLOB NOT NULL
    );
    CREATE UNIQUE INDEX job_due ON job (due_millis, id);
"];

/// The version that this program writes.
pub(crate) const VERSION: u32 = MIGRATIONS.len() as u32;

/// Brings a database up to `upto`, each migration in its own transaction.
pub(crate) fn migrate(connection: &mut Connection, upto: u32) -> Result<()> {
    let exists: bool = connection
        .query_row(
            "SELECT count(*) > 0 FROM sqlite_schema WHERE name = 'schema_version'",
            [],
            |row| row.get(0),
        )
        .map_err(sqlite_error)?;
    let found: u32 = if exists {
        connection
            .query_row("SELECT max(version) FROM schema_version", [], |row| row.get(0))
            .map_err(sqlite_error)?
    } else {
        0
    };
    if found > VERSION {
        return Err(StoreError::TooNew { found, known: VERSION });
    }
    for (version, sql) in (1u32..).zip(MIGRATIONS) {
        if version <= found || version > upto {
            continue;
        }
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(sqlite_error)?;
        if version == 1 {
            transaction
                .execute_batch("CREATE TABLE schema_version (version INTEGER NOT NULL UNIQUE)")
                .map_err(sqlite_error)?;
        }
        transaction.execute_batch(sql).map_err(sqlite_error)?;
        transaction
            .execute("INSERT INTO schema_version VALUES (?1)", [version])
            .map_err(sqlite_error)?;
        transaction.commit().map_err(sqlite_error)?;
    }
    Ok(())
}
