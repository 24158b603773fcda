//! The thread that makes the log durable.

use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::error::{Result, StoreError};

/// Told whether a record is on disk. Runs on the log's own thread: keep it short.
pub type Synced = Box<dyn FnOnce(Result<()>) + Send>;

/// From the first write to the begin of its `fsync`. Leaves the disk 30 of the 50 ms.
const PERIOD: Duration = Duration::from_millis(20);

struct State {
    file: Arc<File>,
    written: u64,
    synced: u64,
    waiting: Vec<(u64, Synced)>,
    /// Once an `fsync` failed, what the kernel dropped is unknown: everything later is refused.
    failed: Option<StoreError>,
    stopped: bool,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// Whether `failed` is set, readable without the lock.
    has_failed: AtomicBool,
}

pub(crate) struct Syncer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

fn lock(shared: &Shared) -> MutexGuard<'_, State> {
    shared.state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Syncer {
    pub(crate) fn start(file: Arc<File>) -> Result<Syncer> {
        let state = State {
            file,
            written: 0,
            synced: 0,
            waiting: Vec::new(),
            failed: None,
            stopped: false,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
            has_failed: AtomicBool::new(false),
        });
        let working = shared.clone();
        let thread = std::thread::Builder::new()
            .name("read-log-sync".into())
            .spawn(move || while sync_once(&working) {})?;
        Ok(Syncer { shared, thread: Some(thread) })
    }

    /// Refuses after a failed `fsync`: the log must be opened anew.
    pub(crate) fn check(&self) -> Result<()> {
        if self.shared.has_failed.load(Ordering::Acquire) {
            return lock(&self.shared).failed.clone().map_or(Ok(()), Err);
        }
        Ok(())
    }

    /// Says that the operating system has everything up to `total`.
    pub(crate) fn written(&self, total: u64) {
        let mut state = lock(&self.shared);
        let was_clean = state.written == state.synced;
        state.written = total;
        drop(state);
        if was_clean {
            self.shared.changed.notify_one();
        }
    }

    /// Says that writing goes on in another file; the one before is on disk.
    pub(crate) fn use_file(&self, file: Arc<File>) {
        lock(&self.shared).file = file;
    }

    pub(crate) fn when_synced(&self, total: u64, done: Synced) {
        let mut state = lock(&self.shared);
        if let Some(error) = state.failed.clone() {
            drop(state);
            return done(Err(error));
        }
        if state.synced >= total {
            drop(state);
            return done(Ok(()));
        }
        state.waiting.push((total, done));
        drop(state);
        self.shared.changed.notify_one();
    }
}

/// Waits for something to sync and syncs it. False when stopped and clean.
fn sync_once(shared: &Shared) -> bool {
    let mut state = lock(shared);
    while state.written == state.synced {
        if state.stopped {
            return false;
        }
        state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
    let began = Instant::now();
    while state.waiting.is_empty() && !state.stopped {
        let Some(left) = PERIOD.checked_sub(began.elapsed()) else {
            break;
        };
        let waited = shared.changed.wait_timeout(state, left);
        state = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
    let (file, upto) = (state.file.clone(), state.written);
    drop(state);
    let result = file.sync_data().map_err(StoreError::from);
    let mut state = lock(shared);
    state.synced = upto;
    if let Err(error) = &result {
        state.failed = Some(error.clone());
        shared.has_failed.store(true, Ordering::Release);
    }
    let (ready, waiting) = std::mem::take(&mut state.waiting)
        .into_iter()
        .partition(|(total, _)| *total <= upto || result.is_err());
    state.waiting = waiting;
    drop(state);
    for (_, done) in ready {
        done(result.clone());
    }
    true
}

impl Drop for Syncer {
    fn drop(&mut self) {
        lock(&self.shared).stopped = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // It ends by itself once everything is synced.
            let _ = thread.join();
        }
    }
}
