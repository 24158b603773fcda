//! Time. Everything takes it from a [`Clock`], so the virtual clock of lab mode moves all of it.

use palisade_shape::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};

pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

/// The system's clock, moved by an offset that only lab mode changes.
#[derive(Default)]
pub struct SystemClock {
    offset_millis: AtomicI64,
}

impl SystemClock {
    /// Moves the clock so that it shows `now` at this moment; it goes on from there.
    pub fn set(&self, now: Timestamp) {
        self.offset_millis.store(now.millis() - system_millis(), Ordering::Release);
    }

    pub fn advance(&self, seconds: i64) {
        self.offset_millis.fetch_add(seconds.saturating_mul(1000), Ordering::AcqRel);
    }

    /// The system's own time, wherever the clock was moved: what files are dated by.
    pub fn unmoved(&self) -> Timestamp {
        Timestamp::from_millis(system_millis())
    }

    /// Undoes every `set` and `advance`.
    pub fn restore(&self) {
        self.offset_millis.store(0, Ordering::Release);
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(system_millis() + self.offset_millis.load(Ordering::Acquire))
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
fn system_millis() -> i64 {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since_epoch.map_or(0, |elapsed| i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
}

/// A clock that stands still, for tests.
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}
