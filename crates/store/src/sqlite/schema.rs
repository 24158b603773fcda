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

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::api::{AuditRecord, Job, Read};
    use crate::document::Key;
    use crate::sqlite::FILE_NAME;
    use crate::store::{Options, Store};

    /// A database as the program of that version left it.
    fn fixture(version: u32) -> PathBuf {
        let name = format!("tests/fixtures/sqlite-v{version}.sqlite3");
        Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
    }

    fn fill(store: &Store) {
        for text in ["1", "2"] {
            let write = store.write_blocking(Box::new(move |tx| {
                tx.put(&Key::new("iam/user", "1", "", "changed"), text.as_bytes())?;
                tx.put(&Key::new("iam/user", "1", "r", text), text.as_bytes())?;
                tx.audit(AuditRecord {
                    event_id: format!("event-{text}"),
                    time_millis: 1,
                    account: "1".into(),
                    region: "r".into(),
                    event: b"{}".to_vec(),
                    decision: b"{}".to_vec(),
                })?;
                tx.job(Job {
                    kind: text.into(),
                    account: "1".into(),
                    run_at_millis: 5,
                    body: b"{}".to_vec(),
                })?;
                Ok(())
            }));
            write.unwrap();
        }
        let delete = store
            .write_blocking(Box::new(|tx| Ok(tx.delete(&Key::new("iam/user", "1", "r", "1"))?)));
        delete.unwrap();
    }

    /// Writes the newest version's fixture. Run it once for each version, before it is released.
    #[test]
    #[ignore = "writes a fixture into the source tree"]
    fn write_fixture() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(folder.path(), &Options::default()).unwrap();
        fill(&store);
        drop(store);
        std::fs::create_dir_all(fixture(VERSION).parent().unwrap()).unwrap();
        std::fs::copy(folder.path().join(FILE_NAME), fixture(VERSION)).unwrap();
    }

    #[test]
    fn every_released_version_opens_and_goes_on() {
        for version in 1..=VERSION {
            let folder = tempfile::tempdir().unwrap();
            std::fs::copy(fixture(version), folder.path().join(FILE_NAME)).unwrap();
            for opening in 0..2 {
                let store = Store::open_sqlite(folder.path(), &Options::default()).unwrap();
                let snapshot = store.snapshot();
                assert_eq!(snapshot.revision(), 3 + opening, "version {version}");
                let changed = Key::new("iam/user", "1", "", "changed");
                assert_eq!(&*snapshot.get(&changed).unwrap().unwrap().body, b"2");
                assert_eq!(&*snapshot.get_at(&changed, 1).unwrap().unwrap().body, b"1");
                let deleted = Key::new("iam/user", "1", "r", "1");
                let states = snapshot.history(&deleted, 9).unwrap();
                let states: Vec<_> =
                    states.iter().map(|s| (s.revision, s.body.is_some())).collect();
                assert_eq!(states, [(3, false), (1, true)]);
                assert_eq!(
                    snapshot.changes_since(0, 99).unwrap().changes.len(),
                    5 + opening as usize
                );
                assert!(snapshot.audit_find("event-2").unwrap().is_some());
                let jobs = snapshot.due_jobs(5, 9).unwrap();
                assert_eq!(jobs.iter().map(|due| &*due.job.kind).collect::<Vec<_>>(), ["1", "2"]);
                let next = store.write_blocking(Box::new(|tx| {
                    Ok(tx.put(&Key::new("iam/user", "1", "", "more"), b"1")?)
                }));
                assert_eq!(next.unwrap().revision, 4 + opening);
            }
        }
    }

    #[test]
    fn each_migration_runs_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        for version in 1..=VERSION {
            migrate(&mut connection, version).unwrap();
            migrate(&mut connection, version).unwrap();
            let sql = "SELECT count(*) FROM schema_version";
            let found: u32 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
            assert_eq!(found, version);
        }
    }

    #[test]
    fn a_newer_database_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        drop(Store::open_sqlite(folder.path(), &Options::default()).unwrap());
        let connection = Connection::open(folder.path().join(FILE_NAME)).unwrap();
        connection.execute("INSERT INTO schema_version VALUES (?1)", [VERSION + 1]).unwrap();
        drop(connection);
        let refused = Store::open_sqlite(folder.path(), &Options::default()).err();
        assert_eq!(refused, Some(StoreError::TooNew { found: VERSION + 1, known: VERSION }));
    }
}
