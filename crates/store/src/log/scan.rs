//! Reading the log, forwards or backwards, a megabyte at a time.

use std::fs::File;
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::path::Path;

use memchr::memmem::Finder;

use super::frame::{Found, Frame, LogEntry, LogPosition, entry, frame_at, is_sound, size_before};
use super::segment::{self, Segment};
use crate::error::{Result, StoreError};

/// Bytes read at once; larger only for a record that is larger.
const WINDOW: usize = 1 << 20;

/// Which records to read. Times are in milliseconds, both ends included.
#[derive(Clone, Copy, Debug)]
pub struct LogQuery<'a> {
    /// The earliest time.
    pub from_millis: i64,
    /// The latest time.
    pub to_millis: i64,
    /// In reverse order of arrival when true.
    pub newest_first: bool,
    /// Only records of this account.
    pub account: Option<&'a str>,
    /// Only records that contain these bytes.
    pub contains: Option<&'a [u8]>,
    /// Continue after (with `newest_first`: before) this place.
    pub after: Option<LogPosition>,
}

impl Default for LogQuery<'_> {
    fn default() -> Self {
        LogQuery {
            from_millis: i64::MIN,
            to_millis: i64::MAX,
            newest_first: false,
            account: None,
            contains: None,
            after: None,
        }
    }
}

impl LogQuery<'_> {
    pub(crate) fn may_be_in(&self, segment: &Segment) -> bool {
        let beyond = self.after.is_some_and(|after| match self.newest_first {
            true => segment.number > after.segment,
            false => segment.number < after.segment,
        });
        !beyond && segment.first_millis <= self.to_millis && segment.last_millis >= self.from_millis
    }

    pub(crate) fn matches(&self, entry: &LogEntry<'_>) -> bool {
        let beyond = self.after.is_none_or(|after| match self.newest_first {
            true => entry.position < after,
            false => entry.position > after,
        });
        beyond
            && (self.from_millis..=self.to_millis).contains(&entry.time_millis)
            && self.account.is_none_or(|account| account == entry.account)
    }
}

/// Called with each matching record; breaks to stop.
pub type Visitor<'v> = &'v mut dyn FnMut(&LogEntry<'_>) -> ControlFlow<()>;

/// Reads one segment's matching records.
pub(crate) fn scan_segment(
    folder: &Path,
    segment: &Segment,
    query: &LogQuery<'_>,
    finder: Option<&Finder<'_>>,
    visit: Visitor<'_>,
) -> Result<ControlFlow<()>> {
    let file = match File::open(segment::path(folder, segment.number)) {
        Ok(file) => file,
        // Retention removed it since the scan began.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(ControlFlow::Continue(()));
        }
        Err(error) => return Err(error.into()),
    };
    let mut scan = Scan { file, segment, query, finder, visit, buffer: Vec::new() };
    if query.newest_first { scan.backwards() } else { scan.forwards() }
}

struct Scan<'a, 'v> {
    file: File,
    segment: &'a Segment,
    query: &'a LogQuery<'a>,
    finder: Option<&'a Finder<'a>>,
    visit: Visitor<'v>,
    buffer: Vec<u8>,
}

impl Scan<'_, '_> {
    fn load(&mut self, start: u64, bytes: usize) -> Result<()> {
        self.buffer.resize(bytes, 0);
        Ok(self.file.read_exact_at(&mut self.buffer, start)?)
    }

    fn forwards(&mut self) -> Result<ControlFlow<()>> {
        let mut start = self
            .query
            .after
            .map_or(0, |after| if after.segment == self.segment.number { after.offset } else { 0 });
        let mut window = WINDOW;
        while start < self.segment.bytes {
            let left = usize::try_from(self.segment.bytes - start).unwrap_or(usize::MAX);
            self.load(start, window.min(left))?;
            let mut at = 0;
            loop {
                match frame_at(&self.buffer, at) {
                    Found::Frame(frame) => {
                        if self.show(&frame, start + at as u64)?.is_break() {
                            return Ok(ControlFlow::Break(()));
                        }
                        at = frame.end;
                    }
                    Found::Short(bytes) if start + ((at + bytes) as u64) <= self.segment.bytes => {
                        window = WINDOW.max(bytes);
                        break;
                    }
                    Found::Short(_) if at == self.buffer.len() => break,
                    _ => return Err(self.damaged(start + at as u64)),
                }
            }
            start += at as u64;
        }
        Ok(ControlFlow::Continue(()))
    }

    fn backwards(&mut self) -> Result<ControlFlow<()>> {
        let mut end = self.query.after.map_or(self.segment.bytes, |after| {
            if after.segment == self.segment.number { after.offset } else { self.segment.bytes }
        });
        let mut window = WINDOW as u64;
        while end > 0 {
            let start = end.saturating_sub(window);
            self.load(start, (end - start) as usize)?;
            let mut at = self.buffer.len();
            while at > 0 {
                let place = start + at as u64;
                let Some(size) = size_before(&self.buffer, at) else {
                    // Fewer than four bytes left in the window, or a damaged length.
                    if at < 4 && start > 0 {
                        break;
                    }
                    return Err(self.damaged(place));
                };
                if size > at {
                    window = (WINDOW as u64).max(size as u64);
                    if start == 0 {
                        return Err(self.damaged(place));
                    }
                    break;
                }
                let Found::Frame(frame) = frame_at(&self.buffer, at - size) else {
                    return Err(self.damaged(place));
                };
                at -= size;
                if self.show(&frame, start + at as u64)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            end = start + at as u64;
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Looks for the wanted bytes first: most records end there, before the checksum costs.
    fn show(&mut self, frame: &Frame, offset: u64) -> Result<ControlFlow<()>> {
        let place = LogPosition { segment: self.segment.number, offset };
        let payload = self.buffer.get(frame.payload.clone()).unwrap_or_default();
        let entry = entry(payload, place).ok_or_else(|| self.damaged(offset))?;
        if !self.query.matches(&entry)
            || self.finder.is_some_and(|finder| finder.find(entry.record).is_none())
        {
            return Ok(ControlFlow::Continue(()));
        }
        if !is_sound(&self.buffer, frame) {
            return Err(self.damaged(offset));
        }
        Ok((self.visit)(&entry))
    }

    fn damaged(&self, offset: u64) -> StoreError {
        let number = self.segment.number;
        StoreError::Corrupt(format!("segment {number} of the read log at byte {offset}"))
    }
}
