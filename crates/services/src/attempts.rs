//! Failed proofs, counted so that guessing is slow: a code of six digits falls in minutes to
//! whoever may try as often as it likes.
//!
//! The counts are in memory: a refused call leaves nothing in the store, and a restart forgives.

use palisade_shape::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Failures in a row that cost nothing: people mistype.
const FREE: u32 = 5;
/// The longest wait, in seconds.
const WAIT_SECONDS_MAX: i64 = 900;
/// Beyond this, what is not waiting any more is forgotten.
const KEPT_MAX: usize = 10_000;

#[derive(Clone, Copy, Debug, Default)]
struct Failures {
    count: u32,
    wait_until_millis: i64,
}

/// Failures in a row, by what was tried: a device's serial number, a user's id.
#[derive(Default)]
pub struct Attempts {
    failures: Mutex<BTreeMap<String, Failures>>,
}

impl Attempts {
    /// Whether another try must wait, right or not.
    pub fn must_wait(&self, subject: &str, now: Timestamp) -> bool {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.get(subject).is_some_and(|failed| now.millis() < failed.wait_until_millis)
    }

    /// Notes a failure. From the sixth in a row on each doubles the wait, which begins at a second.
    pub fn failed(&self, subject: &str, now: Timestamp) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= KEPT_MAX {
            failures.retain(|_, failed| now.millis() < failed.wait_until_millis);
        }
        let failed = failures.entry(subject.to_owned()).or_default();
        failed.count = failed.count.saturating_add(1);
        if let Some(over) = failed.count.checked_sub(FREE + 1) {
            let seconds =
                1_i64.checked_shl(over).filter(|wait| (1..WAIT_SECONDS_MAX).contains(wait));
            let seconds = seconds.unwrap_or(WAIT_SECONDS_MAX);
            failed.wait_until_millis = now.plus_seconds(seconds).millis();
        }
    }

    /// Forgets the failures of what succeeded.
    pub fn succeeded(&self, subject: &str) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(subject);
    }

    /// Forgets everything, after the state was reset.
    pub fn clear(&self) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_from_the_sixth_failure_on_and_end_with_a_success() {
        let attempts = Attempts::default();
        let mut now = Timestamp::from_seconds(1000);
        for _ in 0..FREE {
            attempts.failed("one", now);
            assert!(!attempts.must_wait("one", now));
        }
        for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
            attempts.failed("one", now);
            assert!(attempts.must_wait("one", now.plus_seconds(wait - 1)), "{wait}");
            now = now.plus_seconds(wait);
            assert!(!attempts.must_wait("one", now), "{wait}");
        }
        assert!(!attempts.must_wait("another", Timestamp::from_seconds(1000)));
        attempts.failed("one", now);
        attempts.succeeded("one");
        assert!(!attempts.must_wait("one", now));
        // Beyond the sixty-fourth doubling it is still the longest wait.
        for _ in 0..100 {
            attempts.failed("one", now);
        }
        assert!(attempts.must_wait("one", now.plus_seconds(WAIT_SECONDS_MAX - 1)));
    }
}
