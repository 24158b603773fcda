//! SQLite: one file in the data folder, or memory.

mod rows;
pub(crate) mod schema;
mod session;

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::backend::{Backend, Rows, Session};
use crate::error::{Result, StoreError};
use rows::SqliteRows;
use session::SqliteSession;

/// The database's name in the data folder.
pub const FILE_NAME: &str = "palisade.sqlite3";
/// The lock file's name in the data folder.
pub const LOCK_NAME: &str = "palisade.lock";
/// Idle read connections that are kept.
const POOL_MAX: usize = 4;
/// Pages in the log before the writer copies them into the database: 64 MiB.
const CHECKPOINT_PAGES: u32 = 8192;

pub(crate) struct Sqlite {
    writer: Mutex<Connection>,
    /// Where to open read connections; in memory the writer's connection serves reads too.
    readers: Option<Readers>,
    /// Held open, because closing it gives up the lock.
    _lock: Option<File>,
}

struct Readers {
    path: std::path::PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Sqlite {
    pub(crate) fn open(folder: &Path) -> Result<Sqlite> {
        std::fs::create_dir_all(folder)?;
        let lock = lock_folder(folder)?;
        let path = folder.join(FILE_NAME);
        let mut connection = Connection::open(&path).map_err(sqlite_error)?;
        connection
            .execute_batch(&format!(
                "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
                 PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}; PRAGMA cache_size = -32768;
                 PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 134217728;"
            ))
            .map_err(sqlite_error)?;
        schema::migrate(&mut connection, schema::VERSION)?;
        connection.set_prepared_statement_cache_capacity(64);
        // The directory entries of a database just created must survive a power cut too.
        File::open(folder)?.sync_all()?;
        let readers = Some(Readers { path, idle: Mutex::default() });
        Ok(Sqlite { writer: Mutex::new(connection), readers, _lock: Some(lock) })
    }

    pub(crate) fn in_memory() -> Result<Sqlite> {
        let mut connection = Connection::open_in_memory().map_err(sqlite_error)?;
        connection.execute_batch("PRAGMA page_size = 8192").map_err(sqlite_error)?;
        schema::migrate(&mut connection, schema::VERSION)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(Sqlite { writer: Mutex::new(connection), readers: None, _lock: None })
    }

    fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backend for Sqlite {
    fn read(&self, work: &mut dyn FnMut(&mut dyn Rows) -> Result<()>) -> Result<()> {
        let Some(readers) = &self.readers else {
            return work(&mut SqliteRows { connection: &self.writer() });
        };
        let connection = readers.take()?;
        connection.execute_batch("BEGIN").map_err(sqlite_error)?;
        let result = work(&mut SqliteRows { connection: &connection });
        // A connection that cannot end its transaction is dropped, which ends it.
        if connection.execute_batch("COMMIT").is_ok() {
            readers.give_back(connection);
        }
        result
    }

    fn begin(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(SqliteSession::begin(self.writer())?))
    }

    fn reads_wait_for_writer(&self) -> bool {
        self.readers.is_none()
    }

    fn poll_period(&self) -> Option<Duration> {
        None
    }

    fn name(&self) -> &'static str {
        if self.readers.is_some() { "sqlite" } else { "sqlite-memory" }
    }
}

impl Readers {
    fn take(&self) -> Result<Connection> {
        if let Some(connection) = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            return Ok(connection);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags).map_err(sqlite_error)?;
        connection.busy_timeout(Duration::from_secs(10)).map_err(sqlite_error)?;
        connection.execute_batch("PRAGMA cache_size = -4096").map_err(sqlite_error)?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(connection)
    }

    fn give_back(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < POOL_MAX {
            idle.push(connection);
        }
    }
}

/// Takes the folder for this process. The lock goes with the process, however it ends.
fn lock_folder(folder: &Path) -> Result<File> {
    let path = folder.join(LOCK_NAME);
    let file = OpenOptions::new().create(true).truncate(false).write(true).read(true).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked(folder.to_path_buf())),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

pub(crate) fn sqlite_error(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full(error.to_string()),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Corrupt(error.to_string())
        }
        _ => StoreError::Io(error.to_string()),
    }
}
