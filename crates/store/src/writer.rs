//! The writer thread: takes what has queued up, commits it as one group, tells everyone.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::api::Transaction;
use crate::backend::Session;
use crate::core::Core;
use crate::error::{Abort, Result, StoreError};
use crate::transaction::{GroupChanges, Overlay};

/// A transaction's work. May run several times, so it must not keep results of an earlier run.
pub type Work = Box<dyn FnMut(&mut dyn Transaction) -> std::result::Result<(), Abort> + Send>;

/// Told how a transaction ended, once that is durable. Runs on the writer thread: keep it short.
pub type Done = Box<dyn FnOnce(Result<Committed>) + Send>;

/// A transaction that is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Its revision; for one that wrote nothing, the revision that it read at.
    pub revision: u64,
}

/// Transactions in one commit at most. Bounds what a failure takes with it and the log's growth.
const GROUP_MAX: usize = 512;
/// Bytes of documents and audit records after which a group is committed.
const GROUP_BYTES_MAX: usize = 16 << 20;
/// Tries to commit a group before its writers are told of the conflict.
const ATTEMPTS_MAX: u32 = 20;

pub(crate) struct Task {
    pub work: Work,
    pub done: Done,
}

#[derive(Default)]
struct Waiting {
    tasks: VecDeque<Task>,
    closed: bool,
}

/// The bounded queue in front of the writer.
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    capacity: usize,
}

impl Queue {
    pub(crate) fn new(capacity: usize) -> Queue {
        Queue { waiting: Mutex::default(), arrived: Condvar::new(), capacity }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, task: Task) -> Result<()> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(StoreError::Closed);
        }
        if waiting.tasks.len() >= self.capacity {
            return Err(StoreError::Busy);
        }
        waiting.tasks.push_back(task);
        drop(waiting);
        self.arrived.notify_one();
        Ok(())
    }

    /// Refuses further tasks. Those already queued are still done.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().tasks.len()
    }

    /// The next tasks; `None` once closed and empty. With a period it also returns an empty group
    /// when the period is over, so that the caller can look for other nodes' commits.
    fn take(&self, period: Option<Duration>) -> Option<VecDeque<Task>> {
        let began = Instant::now();
        let mut waiting = self.lock();
        loop {
            if !waiting.tasks.is_empty() {
                let count = waiting.tasks.len().min(GROUP_MAX);
                return Some(waiting.tasks.drain(..count).collect());
            }
            if waiting.closed {
                return None;
            }
            waiting = match period {
                None => self.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner),
                Some(period) => {
                    let Some(left) = period.checked_sub(began.elapsed()) else {
                        return Some(VecDeque::new());
                    };
                    let waited = self.arrived.wait_timeout(waiting, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Gives back what did not fit into the group, to the front.
    fn put_back(&self, mut tasks: VecDeque<Task>) {
        let mut waiting = self.lock();
        tasks.append(&mut waiting.tasks);
        waiting.tasks = tasks;
    }
}

/// Runs until the queue is closed and empty.
pub(crate) fn run(core: &Arc<Core>, queue: &Queue) {
    core.set_writer_here();
    let period = core.backend.poll_period();
    while let Some(tasks) = queue.take(period) {
        if tasks.is_empty() {
            // A failed poll shows in the staleness; the next one tries again.
            let _ = core.follow();
        } else {
            run_group(core, queue, tasks);
        }
    }
}

/// Commits a group and tells each writer how it ended.
fn run_group(core: &Core, queue: &Queue, mut tasks: VecDeque<Task>) {
    let mut attempt = 0;
    let results = loop {
        attempt += 1;
        match try_group(core, &mut tasks) {
            Err(StoreError::Conflict) if attempt < ATTEMPTS_MAX => {
                // Nodes that collided once should not collide again in step: the pause grows, and
                // the node's own timing spreads it.
                std::thread::sleep(Duration::from_micros(200) * attempt.min(10));
            }
            Err(error) => break vec![Err(error); tasks.len()],
            Ok(results) => break results,
        }
    };
    let rest = tasks.split_off(results.len());
    if !rest.is_empty() {
        queue.put_back(rest);
    }
    for (task, result) in tasks.into_iter().zip(results) {
        // A panicking callback must not take the writer down.
        let _ = catch_unwind(AssertUnwindSafe(|| (task.done)(result)));
    }
}

/// Runs works until the group is full, commits and publishes. One result for each work that ran.
fn try_group(core: &Core, tasks: &mut VecDeque<Task>) -> Result<Vec<Result<Committed>>> {
    let mut session = core.backend.begin()?;
    let published = core.follow_within(session.as_mut())?;
    let mut group = Group { published, revision: published, bytes: 0, changes: BTreeMap::new() };
    let mut results = Vec::with_capacity(tasks.len());
    for task in tasks.iter_mut() {
        if group.bytes > GROUP_BYTES_MAX {
            break;
        }
        results.push(group.run(core, session.as_mut(), &mut task.work)?);
    }
    if group.revision > published {
        session.commit()?;
        core.publish_own(&group.changes, group.revision);
    }
    Ok(results)
}

/// The state of a group while its works run.
struct Group {
    published: u64,
    revision: u64,
    bytes: usize,
    changes: GroupChanges,
}

impl Group {
    /// Runs one work. The outer error ends the group, the inner one only this work.
    fn run<'b>(
        &mut self,
        core: &Core,
        session: &mut (dyn Session + 'b),
        work: &mut Work,
    ) -> Result<Result<Committed>> {
        let (published, before) = (self.published, self.revision);
        let mut overlay = Overlay::new(session, &core.cache, &self.changes, published, before);
        let outcome = catch_unwind(AssertUnwindSafe(|| work(&mut overlay)));
        if overlay.conflicted() {
            return Err(StoreError::Conflict);
        }
        let writes = overlay.into_writes();
        match outcome {
            Err(panic) => return Ok(Err(StoreError::Panicked(panic_text(panic.as_ref())))),
            Ok(Err(Abort::Refused)) => return Ok(Err(StoreError::Aborted)),
            Ok(Err(Abort::Failed(error))) => return Ok(Err(error)),
            Ok(Ok(())) if writes.is_empty() => return Ok(Ok(Committed { revision: before })),
            Ok(Ok(())) => {}
        }
        let revision = before + 1;
        session.apply(revision, &writes)?;
        self.revision = revision;
        for record in &writes.audit {
            self.bytes += record.event.len() + record.decision.len();
        }
        for (key, state) in writes.documents {
            self.bytes += state.as_ref().map_or(0, |document| document.body.len());
            self.changes.insert(key, state);
        }
        Ok(Ok(Committed { revision }))
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}
