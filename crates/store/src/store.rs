//! The handle that everyone holds.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::api::Transaction;
use crate::backend::{Backend, revision_of};
use crate::core::{Core, Subscriber};
use crate::error::{Abort, Result, StoreError};
use crate::postgres::Postgres;
use crate::snapshot::Snapshot;
use crate::sqlite::Sqlite;
use crate::writer::{self, Committed, Done, Queue, Task, Work};

/// What can be tuned.
#[derive(Clone, Debug)]
pub struct Options {
    /// Most bytes of documents in the node's cache.
    pub cache_bytes: usize,
    /// Most transactions waiting to be written; above it writers get [`StoreError::Busy`].
    pub queue_length: usize,
    /// How often to look for other nodes' commits (PostgreSQL only).
    pub poll_period: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            cache_bytes: 64 << 20,
            queue_length: 4096,
            poll_period: Duration::from_millis(100),
        }
    }
}

/// A store. Cloning gives another handle of the same one; dropping the last handle writes what is
/// queued and closes it.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    core: Arc<Core>,
    queue: Arc<Queue>,
    writer: Mutex<Option<JoinHandle<()>>>,
    /// The last revision that was restored, and the revision at which that was done.
    restored: Mutex<Option<(u64, u64)>>,
}

/// Figures for metrics and health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// `sqlite`, `sqlite-memory` or `postgres`.
    pub backend: &'static str,
    /// The newest revision that this node shows.
    pub revision: u64,
    /// How long ago this node was last known to be up to date. Zero where it is the only one.
    pub staleness: Duration,
    /// Transactions waiting to be written.
    pub queued: usize,
    /// Bytes in the document cache, by estimate.
    pub cache_bytes: usize,
}

impl Store {
    /// Opens the SQLite store in a data folder, creating what is missing.
    ///
    /// Fails with [`StoreError::Locked`] when another process has the folder open.
    pub fn open_sqlite(folder: &Path, options: &Options) -> Result<Store> {
        Store::start(Box::new(Sqlite::open(folder)?), options)
    }

    /// A store in memory, gone with its last handle.
    pub fn open_ephemeral(options: &Options) -> Result<Store> {
        Store::start(Box::new(Sqlite::in_memory()?), options)
    }

    /// Opens the store in a PostgreSQL database, creating its tables when they are missing.
    ///
    /// `url` is libpq's form (`postgres://user@host/database?sslmode=require`). Several nodes may
    /// have the same database open; each sees the others' commits after at most
    /// [`Options::poll_period`], or at its own next write.
    pub fn open_postgres(url: &str, options: &Options) -> Result<Store> {
        Store::start(Box::new(Postgres::open(url, options.poll_period)?), options)
    }

    pub(crate) fn start(backend: Box<dyn Backend>, options: &Options) -> Result<Store> {
        let core = Arc::new(Core::new(backend, options.cache_bytes)?);
        let queue = Arc::new(Queue::new(options.queue_length));
        let writer = {
            let (core, queue) = (core.clone(), queue.clone());
            std::thread::Builder::new()
                .name("store-writer".into())
                .spawn(move || writer::run(&core, &queue))?
        };
        let writer = Mutex::new(Some(writer));
        let restored = Mutex::default();
        Ok(Store { shared: Arc::new(Shared { core, queue, writer, restored }) })
    }

    /// All documents as of now.
    pub fn snapshot(&self) -> Snapshot {
        let core = self.shared.core.clone();
        let revision = core.published();
        Snapshot { core, revision }
    }

    /// All documents as they were at `revision`; at most the newest one.
    pub fn snapshot_at(&self, revision: u64) -> Snapshot {
        let newest = self.snapshot();
        Snapshot { revision: revision.min(newest.revision), ..newest }
    }

    /// Queues a transaction. `done` is called once: when it is durable and readable, or failed.
    ///
    /// When this returns an error ([`StoreError::Busy`], [`StoreError::Closed`]) nothing was queued
    /// and `done` is not called. Work runs on the writer thread and must not block on the store.
    pub fn write(&self, work: Work, done: Done) -> Result<()> {
        self.shared.queue.push(Task { work, done })
    }

    /// Runs a transaction and waits until it is durable.
    pub fn write_blocking(&self, work: Work) -> Result<Committed> {
        if self.shared.core.is_writer_here() {
            return Err(StoreError::Reentrant);
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        let done = Box::new(move |result| {
            // The receiver waits below, so it is there.
            let _ = sender.send(result);
        });
        self.write(work, done)?;
        receiver.recv().map_err(|_| StoreError::Closed)?
    }

    /// Calls `subscriber` with the changes of every group, after they are committed and readable
    /// and before their writers are told. It runs on the writer thread and must not block on the
    /// store.
    pub fn subscribe(&self, subscriber: Subscriber) {
        self.shared.core.subscribe(subscriber);
    }

    /// Puts every document changed after `revision` back to what it was then and removes the jobs
    /// queued since, as one transaction. History and audit records stay.
    ///
    /// Costs as much as there are changes since, or, when the same revision was restored before,
    /// since that.
    pub fn restore(&self, revision: u64) -> Result<Committed> {
        let mut restored = self.shared.restored.lock().unwrap_or_else(PoisonError::into_inner);
        // All documents were the same then as they are to be now.
        let from = restored.filter(|last| last.0 == revision).map_or(revision, |last| last.1);
        let committed = self.write_blocking(Box::new(move |tx| restore(tx, from)))?;
        *restored = Some((revision, committed.revision));
        Ok(committed)
    }

    /// Figures for metrics and health.
    pub fn status(&self) -> Status {
        let core = &self.shared.core;
        Status {
            backend: core.backend.name(),
            revision: core.published(),
            staleness: core.staleness(),
            queued: self.shared.queue.len(),
            cache_bytes: core.cache_bytes(),
        }
    }

    /// Refuses new transactions, finishes those queued and waits for them.
    pub fn close(&self) {
        self.shared.close();
    }
}

impl Shared {
    fn close(&self) {
        self.queue.close();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer.filter(|_| !self.core.is_writer_here()) {
            // The writer catches its tasks' panics, so there is nothing to learn from the result.
            let _ = writer.join();
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.close();
    }
}

/// Pages through the feed after `revision` and writes the old states.
fn restore(transaction: &mut dyn Transaction, revision: u64) -> std::result::Result<(), Abort> {
    let newest = transaction.revision();
    let mut seen = revision;
    while seen < newest {
        let feed = transaction.changes_since(seen, 4096)?;
        for change in &feed.changes {
            let key = change.key.as_key();
            let now = transaction.get(&key)?;
            match transaction.get_at(&key, revision)? {
                Some(then) if now.as_ref().is_some_and(|now| now.body == then.body) => {}
                Some(then) => transaction.put(&key, &then.body)?,
                None if now.is_some() => transaction.delete(&key)?,
                None => {}
            }
        }
        seen = feed.revision;
    }
    for due in transaction.due_jobs(i64::MAX, usize::MAX)? {
        if revision_of(due.id as i64) > revision {
            transaction.finish_job(due.id)?;
        }
    }
    Ok(())
}
