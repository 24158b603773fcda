//! The append-only log of read requests' audit and decision records.
//!
//! A record is with the operating system when [`ReadLog::append`] returns, so a killed process
//! loses none; it is on disk within 50 ms, so a power cut loses at most that much. Callers that
//! arrive together share one `write(2)`. Segments of 64 MiB know the times they span.

mod frame;
mod ring;
mod scan;
mod segment;
mod sync;

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use memchr::memmem::Finder;

use crate::error::{Result, StoreError};
pub use frame::{LogEntry, LogPosition};
use ring::Ring;
pub use scan::{LogQuery, Visitor};
pub use segment::Segment;
pub use sync::Synced;
use sync::Syncer;

/// Bytes after which a new segment begins.
pub const SEGMENT_BYTES: u64 = 64 << 20;
/// Failed batches remembered for those who waited on them.
const LOSSES_MAX: usize = 64;

/// The log. Share it behind an `Arc`; all methods take `&self`.
pub struct ReadLog {
    place: Place,
}

enum Place {
    Disk(Box<Disk>),
    Memory(Mutex<Ring>),
}

struct Disk {
    folder: PathBuf,
    segment_bytes: u64,
    pending: Mutex<Pending>,
    writing: Mutex<Writing>,
    /// Everything appended before this running total has been handed over or has failed.
    handed_over: AtomicU64,
    /// The running total up to which batches may have failed.
    lost: AtomicU64,
    syncer: Syncer,
}

/// What callers have put together for the next `write(2)`.
struct Pending {
    bytes: Vec<u8>,
    /// Bytes ever appended by this process.
    total: u64,
    first_millis: i64,
    last_millis: i64,
}

struct Writing {
    file: Arc<File>,
    sealed: Vec<Segment>,
    current: Segment,
    spare: Vec<u8>,
    /// Running totals of batches that could not be written, and why.
    losses: VecDeque<(u64, u64, StoreError)>,
    /// The file may end in a torn batch that could not be cut off yet.
    torn: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ReadLog {
    /// Opens the log in `folder` (by convention `<data>/log`), cutting off a torn tail.
    pub fn open(folder: &Path) -> Result<ReadLog> {
        ReadLog::open_with(folder, SEGMENT_BYTES)
    }

    /// Opens the log with segments of about `segment_bytes`.
    pub fn open_with(folder: &Path, segment_bytes: u64) -> Result<ReadLog> {
        let mut sealed = segment::open_all(folder)?;
        let current = sealed.pop().unwrap_or_else(|| Segment::empty(1));
        let file = Arc::new(segment::create(folder, current.number)?);
        let pending =
            Pending { bytes: vec![], total: 0, first_millis: i64::MAX, last_millis: i64::MIN };
        let syncer = Syncer::start(file.clone())?;
        let losses = VecDeque::new();
        let writing = Writing { file, sealed, current, spare: vec![], losses, torn: false };
        Ok(ReadLog {
            place: Place::Disk(Box::new(Disk {
                folder: folder.to_path_buf(),
                segment_bytes,
                pending: Mutex::new(pending),
                writing: Mutex::new(writing),
                handed_over: AtomicU64::new(0),
                lost: AtomicU64::new(0),
                syncer,
            })),
        })
    }

    /// A log in memory for `--ephemeral`: keeps the newest `bytes_max` bytes, forgets the rest.
    pub fn in_memory(bytes_max: usize) -> ReadLog {
        ReadLog { place: Place::Memory(Mutex::new(Ring::new(bytes_max))) }
    }

    /// Appends a record. When this returns the operating system has it.
    ///
    /// After an error the record is not in the log; the next append tries again.
    pub fn append(
        &self,
        record: &[u8],
        time_millis: i64,
        account: &str,
        region: &str,
    ) -> Result<()> {
        self.append_counted(record, time_millis, account, region).map(|_| ())
    }

    /// Appends a record and calls `done` once it is on disk, or is known not to be. Callers that
    /// wait at the same time share one `fsync`. When this returns an error `done` is not called.
    pub fn append_synced(
        &self,
        record: &[u8],
        time_millis: i64,
        account: &str,
        region: &str,
        done: Synced,
    ) -> Result<()> {
        let total = self.append_counted(record, time_millis, account, region)?;
        match &self.place {
            Place::Disk(disk) => disk.syncer.when_synced(total, done),
            Place::Memory(_) => done(Ok(())),
        }
        Ok(())
    }

    fn append_counted(
        &self,
        record: &[u8],
        time_millis: i64,
        account: &str,
        region: &str,
    ) -> Result<u64> {
        let total = self.queue(record, time_millis, account, region)?;
        self.hand_over(total)?;
        Ok(total)
    }

    /// Puts a record into the next batch and returns its place, for [`hand_over`](Self::hand_over).
    /// Whoever hands over first takes the records of all others along in one `write(2)`.
    pub fn queue(
        &self,
        record: &[u8],
        time_millis: i64,
        account: &str,
        region: &str,
    ) -> Result<u64> {
        let disk = match &self.place {
            Place::Memory(ring) => {
                lock(ring).push(record, time_millis, account, region);
                return Ok(0);
            }
            Place::Disk(disk) => disk,
        };
        // The checksum is computed before the lock is taken.
        let envelope = frame::envelope(record, time_millis, account, region)?;
        let mut pending = lock(&disk.pending);
        pending.bytes.extend_from_slice(&envelope.before);
        pending.bytes.extend_from_slice(record);
        pending.bytes.extend_from_slice(&envelope.after);
        let bytes = envelope.before.len() + record.len() + envelope.after.len();
        pending.total += bytes as u64;
        pending.first_millis = pending.first_millis.min(time_millis);
        pending.last_millis = pending.last_millis.max(time_millis);
        Ok(pending.total)
    }

    /// Returns once the operating system has every record up to this place, or with the error that
    /// lost them.
    pub fn hand_over(&self, place: u64) -> Result<()> {
        match &self.place {
            Place::Memory(_) => Ok(()),
            Place::Disk(disk) => disk.hand_over(place),
        }
    }

    /// Visits the matching records, in order of arrival or in reverse, in bounded memory.
    pub fn scan(&self, query: &LogQuery<'_>, visit: Visitor<'_>) -> Result<()> {
        let finder = query.contains.map(Finder::new);
        let disk = match &self.place {
            Place::Memory(ring) => {
                let entries = lock(ring).matching(query, finder.as_ref());
                ring::visit(&entries, visit);
                return Ok(());
            }
            Place::Disk(disk) => disk,
        };
        let mut segments = disk.segments();
        segments.retain(|segment| query.may_be_in(segment));
        if query.newest_first {
            segments.reverse();
        }
        for segment in &segments {
            let flow =
                scan::scan_segment(&disk.folder, segment, query, finder.as_ref(), &mut *visit)?;
            if flow.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The segments, oldest first; the last one is still written to. None in memory.
    pub fn segments(&self) -> Vec<Segment> {
        match &self.place {
            Place::Disk(disk) => disk.segments(),
            Place::Memory(_) => Vec::new(),
        }
    }

    /// Removes full segments whose records are all older than `oldest_millis`; returns how many.
    pub fn remove_older_than(&self, oldest_millis: i64) -> Result<usize> {
        match &self.place {
            Place::Disk(disk) => disk.remove_older_than(oldest_millis),
            Place::Memory(ring) => Ok(lock(ring).remove_older_than(oldest_millis)),
        }
    }
}

impl Disk {
    /// Returns once everything up to `total` is with the operating system.
    fn hand_over(&self, total: u64) -> Result<()> {
        self.syncer.check()?;
        if self.handed_over.load(Ordering::Acquire) >= total {
            // A batch that failed counts as handed over; look only when there was one.
            if self.lost.load(Ordering::Acquire) < total {
                return Ok(());
            }
            return self.loss_of(&lock(&self.writing), total);
        }
        let mut writing = lock(&self.writing);
        if self.handed_over.load(Ordering::Acquire) >= total {
            return self.loss_of(&writing, total);
        }
        let spare = std::mem::take(&mut writing.spare);
        let (batch, upto, first, last) = {
            let mut pending = lock(&self.pending);
            let batch = std::mem::replace(&mut pending.bytes, spare);
            let first = std::mem::replace(&mut pending.first_millis, i64::MAX);
            let last = std::mem::replace(&mut pending.last_millis, i64::MIN);
            (batch, pending.total, first, last)
        };
        let from = self.handed_over.load(Ordering::Acquire);
        let result = self.write(&mut writing, &batch, first, last);
        if let Err(error) = &result {
            if writing.losses.len() == LOSSES_MAX {
                writing.losses.pop_front();
            }
            writing.losses.push_back((from, upto, error.clone()));
            self.lost.store(upto, Ordering::Release);
        }
        self.handed_over.store(upto, Ordering::Release);
        if result.is_ok() {
            self.syncer.written(upto);
        }
        let mut batch = batch;
        batch.clear();
        if batch.capacity() <= 4 << 20 {
            writing.spare = batch;
        }
        result
    }

    fn loss_of(&self, writing: &Writing, total: u64) -> Result<()> {
        for (from, upto, error) in &writing.losses {
            if *from < total && total <= *upto {
                return Err(error.clone());
            }
        }
        Ok(())
    }

    fn write(&self, writing: &mut Writing, batch: &[u8], first: i64, last: i64) -> Result<()> {
        if writing.torn {
            writing.file.set_len(writing.current.bytes)?;
            writing.torn = false;
        }
        let bytes = batch.len() as u64;
        if writing.current.bytes > 0 && writing.current.bytes + bytes > self.segment_bytes {
            self.roll(writing)?;
        }
        if let Err(error) = (&*writing.file).write_all(batch) {
            // Cut what was written of the batch, now or before the next one.
            writing.torn = writing.file.set_len(writing.current.bytes).is_err();
            return Err(error.into());
        }
        writing.current.add(bytes, first, last);
        Ok(())
    }

    fn roll(&self, writing: &mut Writing) -> Result<()> {
        let number = writing.current.number + 1;
        writing.file.sync_data()?;
        segment::seal(&self.folder, writing.current)?;
        let file = Arc::new(segment::create(&self.folder, number)?);
        writing.sealed.push(writing.current);
        writing.current = Segment::empty(number);
        writing.file = file.clone();
        self.syncer.use_file(file);
        Ok(())
    }

    fn segments(&self) -> Vec<Segment> {
        let writing = lock(&self.writing);
        let mut segments = writing.sealed.clone();
        segments.push(writing.current);
        segments
    }

    fn remove_older_than(&self, oldest_millis: i64) -> Result<usize> {
        let mut writing = lock(&self.writing);
        let mut removed = 0;
        while let Some(first) = writing.sealed.first()
            && first.last_millis < oldest_millis
        {
            segment::remove(&self.folder, first.number)?;
            writing.sealed.remove(0);
            removed += 1;
        }
        if removed > 0 {
            segment::sync_folder(&self.folder)?;
        }
        Ok(removed)
    }
}

#[cfg(test)]
mod tests;
