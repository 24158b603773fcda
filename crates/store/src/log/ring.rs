//! The log in memory: the newest records, as many as fit.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;

use memchr::memmem::Finder;

use super::frame::{LogEntry, LogPosition};
use super::scan::{LogQuery, Visitor};

pub(crate) struct Held {
    time_millis: i64,
    account: String,
    region: String,
    record: Vec<u8>,
    offset: u64,
}

impl Held {
    fn entry(&self) -> LogEntry<'_> {
        LogEntry {
            time_millis: self.time_millis,
            account: &self.account,
            region: &self.region,
            record: &self.record,
            position: LogPosition { segment: 0, offset: self.offset },
        }
    }

    fn bytes(&self) -> usize {
        size_of::<Held>() + self.account.len() + self.region.len() + self.record.len()
    }
}

pub(crate) struct Ring {
    held: VecDeque<Arc<Held>>,
    bytes: usize,
    bytes_max: usize,
    next: u64,
}

impl Ring {
    pub(crate) fn new(bytes_max: usize) -> Ring {
        Ring { held: VecDeque::new(), bytes: 0, bytes_max, next: 0 }
    }

    pub(crate) fn push(&mut self, record: &[u8], time_millis: i64, account: &str, region: &str) {
        let held = Held {
            time_millis,
            account: account.into(),
            region: region.into(),
            record: record.into(),
            offset: self.next,
        };
        self.next += 1;
        self.bytes += held.bytes();
        self.held.push_back(Arc::new(held));
        while self.bytes > self.bytes_max {
            let Some(oldest) = self.held.pop_front() else {
                break;
            };
            self.bytes -= oldest.bytes();
        }
    }

    pub(crate) fn matching(
        &self,
        query: &LogQuery<'_>,
        finder: Option<&Finder<'_>>,
    ) -> Vec<Arc<Held>> {
        let wanted = |held: &&Arc<Held>| {
            query.matches(&held.entry())
                && finder.is_none_or(|finder| finder.find(&held.record).is_some())
        };
        let matching = self.held.iter().filter(wanted).cloned();
        if query.newest_first { matching.rev().collect() } else { matching.collect() }
    }

    pub(crate) fn remove_older_than(&mut self, oldest_millis: i64) -> usize {
        let before = self.held.len();
        self.held.retain(|held| held.time_millis >= oldest_millis);
        self.bytes = self.held.iter().map(|held| held.bytes()).sum();
        before - self.held.len()
    }
}

pub(crate) fn visit(entries: &[Arc<Held>], visit: Visitor<'_>) {
    for held in entries {
        if let ControlFlow::Break(()) = visit(&held.entry()) {
            break;
        }
    }
}
