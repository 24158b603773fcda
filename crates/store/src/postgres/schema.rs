//! The tables, as numbered migrations. A released migration is never edited.
//!
//! The same tables and columns as in SQLite, with these differences: keys are `BYTEA`, because
//! their order must be that of their bytes in every database and locale; history is indexed by
//! key in place of the chain columns. Every statement may run twice, and outside a transaction,
//! because not every engine has transactional DDL.

/// One list of statements a version.
pub(crate) const MIGRATIONS: &[&[&str]] = &[&[
    "CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value BIGINT NOT NULL)",
    "INSERT INTO counter VALUES ('revision', 0) ON CONFLICT (name) DO NOTHING",
    "CREATE TABLE IF NOT EXISTS document (
        collection TEXT NOT NULL,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        key BYTEA NOT NULL,
        position BIGINT NOT NULL,
        body BYTEA NOT NULL,
        PRIMARY KEY (collection, account, region, key)
    )",
    "CREATE TABLE IF NOT EXISTS history (
        position BIGINT PRIMARY KEY,
        collection TEXT NOT NULL,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        key BYTEA NOT NULL,
        body BYTEA
    )",
    "CREATE UNIQUE INDEX IF NOT EXISTS history_key
        ON history (collection, account, region, key, position)",
    "CREATE TABLE IF NOT EXISTS audit (
        position BIGINT PRIMARY KEY,
        event_id TEXT NOT NULL,
        time_millis BIGINT NOT NULL,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        event BYTEA NOT NULL,
        decision BYTEA NOT NULL
    )",
    "CREATE UNIQUE INDEX IF NOT EXISTS audit_time ON audit (account, time_millis, position)",
    "CREATE INDEX IF NOT EXISTS audit_event ON audit (event_id)",
    "CREATE TABLE IF NOT EXISTS job (
        id BIGINT PRIMARY KEY,
        kind TEXT NOT NULL,
        account TEXT NOT NULL,
        run_at_millis BIGINT NOT NULL,
        due_millis BIGINT NOT NULL,
        attempts BIGINT NOT NULL,
        body BYTEA NOT NULL
    )",
    "CREATE UNIQUE INDEX IF NOT EXISTS job_due ON job (due_millis, id)",
]];

/// The version that this program writes.
pub(crate) const VERSION: u32 = MIGRATIONS.len() as u32;
