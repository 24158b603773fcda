//! SQLite: one file in the data folder, or memory.

mod rows;
pub(crate) mod schema;
mod session;

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
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

/// The fields are dropped in this order: the writer's connection closes last and tidies the log up.
pub(crate) struct Sqlite {
    /// Where to open read connections; in memory the writer's connection serves reads too.
    readers: Option<Readers>,
    /// Set after commits, for the checkpointer.
    dirty: Arc<AtomicBool>,
    _checkpointer: Option<Checkpointer>,
    writer: Mutex<Connection>,
    /// Held open, because closing it gives up the lock.
    _lock: Option<File>,
}

/// Copies the log into the database beside the writer, so that the writer has little left to copy
/// when its log is full and never stops for long.
struct Checkpointer {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

/// How often the checkpointer looks.
const CHECKPOINT_PERIOD: Duration = Duration::from_millis(200);

impl Checkpointer {
    fn start(path: &Path, dirty: Arc<AtomicBool>) -> Result<Checkpointer> {
        let connection = Connection::open(path).map_err(sqlite_error)?;
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let stopping = stop.clone();
        let work = move || {
            let (stopped, changed) = &*stopping;
            let mut guard = stopped.lock().unwrap_or_else(PoisonError::into_inner);
            while !*guard {
                let waited = changed.wait_timeout(guard, CHECKPOINT_PERIOD);
                drop(waited.unwrap_or_else(PoisonError::into_inner));
                if dirty.swap(false, Ordering::Relaxed) {
                    // Passive: waits for nobody. A failure shows at the writer, which checkpoints
                    // too when this falls behind.
                    let passive = "PRAGMA wal_checkpoint(PASSIVE)";
                    let _ = connection.query_row(passive, [], |_| Ok(()));
                }
                guard = stopped.lock().unwrap_or_else(PoisonError::into_inner);
            }
        };
        let thread = std::thread::Builder::new().name("store-checkpoint".into()).spawn(work)?;
        Ok(Checkpointer { stop, thread: Some(thread) })
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        let (stopped, changed) = &*self.stop;
        *stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // It only checkpoints; a panic there is not worth another one here.
            let _ = thread.join();
        }
    }
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
                 PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}; PRAGMA cache_size = -131072;
                 PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 134217728;"
            ))
            .map_err(sqlite_error)?;
        schema::migrate(&mut connection, schema::VERSION)?;
        connection.set_prepared_statement_cache_capacity(64);
        // The directory entries of a database just created must survive a power cut too.
        File::open(folder)?.sync_all()?;
        let dirty = Arc::new(AtomicBool::new(false));
        let checkpointer = Some(Checkpointer::start(&path, dirty.clone())?);
        let readers = Some(Readers { path, idle: Mutex::default() });
        let writer = Mutex::new(connection);
        Ok(Sqlite { readers, dirty, _checkpointer: checkpointer, writer, _lock: Some(lock) })
    }

    pub(crate) fn in_memory() -> Result<Sqlite> {
        let mut connection = Connection::open_in_memory().map_err(sqlite_error)?;
        connection.execute_batch("PRAGMA page_size = 8192").map_err(sqlite_error)?;
        schema::migrate(&mut connection, schema::VERSION)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(Sqlite {
            readers: None,
            dirty: Arc::default(),
            _checkpointer: None,
            writer: Mutex::new(connection),
            _lock: None,
        })
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
        let session = SqliteSession::begin(self.writer())?;
        self.dirty.store(true, Ordering::Relaxed);
        Ok(Box::new(session))
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
