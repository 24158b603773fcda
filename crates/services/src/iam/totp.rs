//! Codes that change with time (RFC 6238): which step of its clock a device was at when it showed
//! a code.

use crate::errors::internal;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use palisade_shape::{Result, Timestamp};
use totp_rs::{Builder, Totp};

/// How long a code is shown.
pub const STEP_SECONDS: i64 = 30;
/// Steps that a code may be early or late (RFC 6238, section 5.2: one, for the way it travels).
const TOLERANCE_STEPS: i64 = 1;
/// Steps looked through, each way, for two codes in a row: an hour of drift. Two codes are wrong by
/// chance once in a million millions of steps, so that the width costs no safety.
const SEARCH_STEPS: i64 = 120;

/// A device's secret, ready to make codes: six digits by HMAC-SHA-1, as devices and apps have it.
pub struct Generator(Totp);

impl Generator {
    /// Refuses a seed of less than 128 bits (RFC 4226, section 4, R6).
    pub fn new(seed: &[u8]) -> Result<Self> {
        Builder::new().with_secret(seed.to_vec()).build().map(Self).map_err(internal)
    }

    fn shows(&self, step: i64, code: &str) -> bool {
        let Ok(seconds) = u64::try_from(step.saturating_mul(STEP_SECONDS)) else { return false };
        let shown = self.0.generate(seconds).to_string();
        verify_slices_are_equal(shown.as_bytes(), code.as_bytes()).is_ok()
    }

    /// The step of a code, near `expected` and after `last`, the last one that was accepted.
    pub fn step_of(&self, code: &str, expected: i64, last: Option<i64>) -> Option<i64> {
        let near = expected - TOLERANCE_STEPS..=expected + TOLERANCE_STEPS;
        let fresh = near.filter(|step| last.is_none_or(|last| *step > last));
        // All are compared, so that the time it takes does not tell which one it was.
        fresh.fold(None, |found, step| if self.shows(step, code) { Some(step) } else { found })
    }

    /// The step of the second of two codes in a row, within an hour of `now` and after `last`.
    pub fn step_of_both(&self, codes: (&str, &str), now: i64, last: Option<i64>) -> Option<i64> {
        let mut wide = now - SEARCH_STEPS..=now + SEARCH_STEPS;
        wide.find(|step| {
            let fresh = last.is_none_or(|last| *step > last);
            fresh && self.shows(*step, codes.0) && self.shows(*step + 1, codes.1)
        })
        .map(|step| step + 1)
    }
}

/// The step that a true clock is at.
pub fn step_at(now: Timestamp) -> i64 {
    now.seconds().div_euclid(STEP_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, of which devices show the last six digits.
    const RFC_SEED: &[u8] = b"12345678901234567890";
    const RFC_CODES: [(i64, &str); 6] = [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ];

    #[test]
    fn codes_are_those_of_the_rfc() {
        let generator = Generator::new(RFC_SEED).unwrap();
        for (seconds, code) in RFC_CODES {
            let step = step_at(Timestamp::from_seconds(seconds));
            assert_eq!(generator.step_of(code, step, None), Some(step), "{seconds}");
            assert_eq!(generator.step_of(code, step + 1, None), Some(step), "{seconds}");
            assert_eq!(generator.step_of(code, step - 1, None), Some(step), "{seconds}");
            assert_eq!(generator.step_of(code, step + 2, None), None, "{seconds}");
            assert_eq!(generator.step_of(code, step - 2, None), None, "{seconds}");
            // Nothing is accepted twice, nor what came before it.
            assert_eq!(generator.step_of(code, step, Some(step)), None, "{seconds}");
            assert_eq!(generator.step_of(code, step, Some(step - 1)), Some(step), "{seconds}");
        }
        // Steps 37037036 and 37037037 of the table follow each other.
        let (first, second) = ("081804", "050471");
        for (now, found) in
            [(37_037_036, true), (37_037_156, true), (37_037_157, false), (37_036_915, false)]
        {
            let step = generator.step_of_both((first, second), now, None);
            assert_eq!(step, found.then_some(37_037_037), "{now}");
        }
        let now = 37_037_037;
        assert_eq!(generator.step_of_both((second, first), now, None), None);
        assert_eq!(generator.step_of_both((first, first), now, None), None);
        assert_eq!(generator.step_of_both((first, second), now, Some(37_037_036)), None);
    }

    #[test]
    fn short_seeds_and_times_before_1970_are_no_panic() {
        assert!(Generator::new(b"short").is_err());
        let generator = Generator::new(RFC_SEED).unwrap();
        assert_eq!(generator.step_of("000000", -5, None), None);
        assert_eq!(generator.step_of("", 5, None), None);
        assert_eq!(generator.step_of("12345é", i64::MAX - 1, None), None);
    }
}
