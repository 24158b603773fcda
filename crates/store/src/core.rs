//! What the handle, the snapshots and the writer thread share.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use crate::backend::{Backend, Rows};
use crate::cache::Cache;
use crate::document::Change;
use crate::error::{Result, StoreError};
use crate::transaction::GroupChanges;

/// Called with every batch of changes after it is committed and readable.
pub type Subscriber = Box<dyn Fn(&[Change]) + Send + Sync>;

pub(crate) struct Core {
    pub(crate) backend: Box<dyn Backend>,
    pub(crate) cache: Cache,
    /// The newest revision that snapshots may show: everything up to it is in the cache or evicted.
    published: AtomicU64,
    /// Held while publishing; keeps the order of the feed.
    subscribers: Mutex<Vec<Subscriber>>,
    /// When this node last knew that nothing newer existed.
    fresh_at: Mutex<Instant>,
    writer: OnceLock<ThreadId>,
}

impl Core {
    pub(crate) fn new(backend: Box<dyn Backend>, cache_bytes: usize) -> Result<Core> {
        let mut revision = 0;
        backend.read(&mut |rows| {
            revision = rows.revision()?;
            Ok(())
        })?;
        Ok(Core {
            backend,
            cache: Cache::new(cache_bytes),
            published: AtomicU64::new(revision),
            subscribers: Mutex::default(),
            fresh_at: Mutex::new(Instant::now()),
            writer: OnceLock::new(),
        })
    }

    pub(crate) fn published(&self) -> u64 {
        self.published.load(Ordering::Acquire)
    }

    pub(crate) fn subscribe(&self, subscriber: Subscriber) {
        self.subscribers.lock().unwrap_or_else(PoisonError::into_inner).push(subscriber);
    }

    pub(crate) fn is_writer_here(&self) -> bool {
        self.writer.get() == Some(&std::thread::current().id())
    }

    pub(crate) fn set_writer_here(&self) {
        // A second writer thread does not exist, so the cell is empty.
        let _ = self.writer.set(std::thread::current().id());
    }

    /// Runs `work` on a database snapshot.
    pub(crate) fn read<T>(&self, work: &mut dyn FnMut(&mut dyn Rows) -> Result<T>) -> Result<T> {
        if self.backend.reads_wait_for_writer() && self.is_writer_here() {
            return Err(StoreError::Reentrant);
        }
        let mut answer = None;
        self.backend.read(&mut |rows| {
            answer = Some(work(rows)?);
            Ok(())
        })?;
        answer.ok_or_else(|| StoreError::Io("the backend did not run the read".into()))
    }

    /// Makes this node's own committed group readable and tells the subscribers.
    pub(crate) fn publish_own(&self, changes: &GroupChanges, revision: u64) {
        let subscribers = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut told = Vec::with_capacity(changes.len());
        for (key, state) in changes {
            let deleted = state.is_none();
            // A deletion's own revision is not kept; the group's last is later and so also right.
            let changed = state.as_ref().map_or(revision, |document| document.revision);
            self.cache.publish(key, state.clone(), changed);
            told.push(Change { revision: changed, key: key.clone(), deleted });
        }
        self.finish_publication(&subscribers, &told, revision);
    }

    /// Drops what other nodes changed and tells the subscribers.
    pub(crate) fn publish_foreign(&self, changes: &[Change], revision: u64) {
        let subscribers = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        if revision <= self.published() {
            return;
        }
        for change in changes {
            self.cache.forget(&change.key);
        }
        self.finish_publication(&subscribers, changes, revision);
    }

    fn finish_publication(&self, subscribers: &[Subscriber], told: &[Change], revision: u64) {
        self.published.store(revision, Ordering::Release);
        self.mark_fresh();
        if !told.is_empty() {
            for subscriber in subscribers {
                // What is committed stays committed, and the others must be told too.
                let _ = catch_unwind(AssertUnwindSafe(|| subscriber(told)));
            }
        }
    }

    pub(crate) fn mark_fresh(&self) {
        *self.fresh_at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// How long ago this node was last known to be up to date.
    pub(crate) fn staleness(&self) -> Duration {
        match self.backend.poll_period() {
            None => Duration::ZERO,
            Some(_) => self.fresh_at.lock().unwrap_or_else(PoisonError::into_inner).elapsed(),
        }
    }

    /// Reads and publishes other nodes' commits until there are none.
    pub(crate) fn follow(&self) -> Result<()> {
        loop {
            let began = Instant::now();
            let published = self.published();
            let feed = self.read(&mut |rows| rows.changes(published, u64::MAX, FEED_PAGE))?;
            if feed.revision <= published {
                *self.fresh_at.lock().unwrap_or_else(PoisonError::into_inner) = began;
                return Ok(());
            }
            self.publish_foreign(&feed.changes, feed.revision);
        }
    }

    /// Like [`Core::follow`], reading through the writer's own session.
    pub(crate) fn follow_within(&self, rows: &mut dyn Rows) -> Result<u64> {
        let newest = rows.revision()?;
        while self.published() < newest {
            let feed = rows.changes(self.published(), newest, FEED_PAGE)?;
            self.publish_foreign(&feed.changes, feed.revision);
        }
        Ok(newest)
    }

    /// Bytes in the document cache, by estimate.
    pub(crate) fn cache_bytes(&self) -> usize {
        self.cache.bytes()
    }
}

/// Changes read from the feed at once.
const FEED_PAGE: usize = 4096;
