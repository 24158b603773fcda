//! Typed values of conditions: decimals, dates, addresses, binaries.

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use ipnet::IpNet;
use std::cmp::Ordering;
use std::net::IpAddr;

/// A decimal of any size as it was written: `0.d₁d₂… × 10^exponent`, compared digit by digit, so
/// neither 64-bit integers nor long fractions lose anything.
#[derive(Clone, Debug)]
pub(crate) struct Decimal<'a> {
    negative: bool,
    /// The significant digits, possibly with a point among them; empty for zero.
    digits: &'a str,
    exponent: i64,
}

impl<'a> Decimal<'a> {
    /// Reads `-12.50`, `+3`, `.5` or `1e9`; `None` for what is not a decimal.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (negative, unsigned) = match text.strip_prefix(['-', '+']) {
            Some(rest) => (text.starts_with('-'), rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
            return None;
        }
        let significant = mantissa.trim_start_matches(['0', '.']);
        let significant = if mantissa.contains('.') {
            significant.trim_end_matches(['0', '.'])
        } else {
            significant.trim_end_matches('0')
        };
        if significant.is_empty() {
            return Some(Self { negative: false, digits: "", exponent: 0 });
        }
        let whole_digits = whole.trim_start_matches('0').len();
        let leading = if whole_digits > 0 {
            i64::try_from(whole_digits).ok()?
        } else {
            let zeros = fraction.len() - fraction.trim_start_matches('0').len();
            -i64::try_from(zeros).ok()?
        };
        Some(Self { negative, digits: significant, exponent: leading + i64::from(exponent) })
    }

    fn magnitude(&self, other: &Self) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => return Ordering::Equal,
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            (false, false) => {}
        }
        // Neither run of digits ends in a zero, so the longer of two alike is the larger number.
        let digits = |digits: &'a str| digits.bytes().filter(|byte| *byte != b'.');
        self.exponent
            .cmp(&other.exponent)
            .then_with(|| digits(self.digits).cmp(digits(other.digits)))
    }
}

impl PartialEq for Decimal<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Decimal<'_> {}

impl PartialOrd for Decimal<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.magnitude(other),
            (true, true) => other.magnitude(self),
        }
    }
}

/// Reads a date as nanoseconds since 1970: epoch seconds (all digits, perhaps with a fraction), or
/// ISO 8601 as the W3C profile writes it (`2026-01`, `2026-01-31`, `2026-01-31T23:59Z`,
/// `…T23:59:59.5+02:00`). Without an offset it is UTC. A year alone reads as epoch seconds.
pub(crate) fn parse_date(text: &str) -> Option<i128> {
    let text = text.trim();
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return parse_epoch(text);
    }
    if let Ok(timestamp) = text.parse::<jiff::Timestamp>() {
        return Some(timestamp.as_nanosecond());
    }
    let civil = match text.parse::<jiff::civil::DateTime>() {
        Ok(datetime) if !text.ends_with(['Z', 'z']) => datetime,
        _ => {
            let (year, month) = text.split_once('-').filter(|_| text.len() == 7)?;
            let date = jiff::civil::Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok()?;
            date.at(0, 0, 0, 0)
        }
    };
    let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_nanosecond())
}

fn parse_epoch(text: &str) -> Option<i128> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (seconds, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let seconds: i64 = seconds.parse().ok()?;
    let nanoseconds = nanoseconds(fraction)?;
    let total = i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
    Some(if negative { -total } else { total })
}

/// The digits behind a point, as billionths; further ones are cut off.
fn nanoseconds(fraction: &str) -> Option<i64> {
    let mut digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    digits.try_fold(0, |sum: i64, byte| {
        byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0'))
    })
}

/// Reads a CIDR block or a bare address, which is a block of one.
pub(crate) fn parse_network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    match text.parse::<IpAddr>() {
        Ok(address) => Some(IpNet::from(address)),
        Err(_) => text.parse::<IpNet>().ok(),
    }
}

/// Whether the address lies in the block. IPv4 and IPv6 never match each other, mapped addresses
/// included; a block matches when all of it lies inside.
pub(crate) fn contains(network: &IpNet, address: &IpNet) -> bool {
    network.contains(address)
}

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Reads base64, padded or not.
pub(crate) fn parse_binary(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text.trim()).ok()
}

/// Asks about the bytes that base64 text stands for; those of short texts stay on the stack. False
/// for what is no base64.
pub(crate) fn with_binary(text: &str, ask: impl FnOnce(&[u8]) -> bool) -> bool {
    let mut short = [0; 128];
    if text.len() > short.len() {
        return parse_binary(text).is_some_and(|bytes| ask(&bytes));
    }
    let length = BASE64.decode_slice(text.trim(), &mut short).ok();
    length.and_then(|length| short.get(..length)).is_some_and(ask)
}

/// Reads `true` or `false` in any case.
pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimals_compare_by_value() {
        let ascending = [
            "-1e30",
            "-100",
            "-99.5",
            "-1",
            "-0.5",
            "-0.05",
            "0",
            "0.05",
            "0.5",
            "1",
            "1.5",
            "10",
            "99.999",
            "100",
            "18446744073709551615",
            "18446744073709551616",
            "1e30",
        ];
        for (at, low) in ascending.iter().enumerate() {
            for (other, high) in ascending.iter().enumerate() {
                let ordering = Decimal::parse(low).unwrap().cmp(&Decimal::parse(high).unwrap());
                assert_eq!(ordering, at.cmp(&other), "{low} and {high}");
            }
        }
        for (one, other) in [
            ("10", "10.00"),
            ("007", "7"),
            ("-0", "0.0"),
            ("1e2", "100"),
            ("1.5e1", "15"),
            (".5", "0.50"),
            ("+3", "3"),
            ("5.", "5"),
            ("1200e-2", "12"),
            ("0.001e3", "1"),
        ] {
            assert_eq!(Decimal::parse(one), Decimal::parse(other), "{one} and {other}");
            assert!(Decimal::parse(one).is_some());
        }
        for text in ["", "-", ".", "1.2.3", "1e", "ten", "1 ", "0x1", "--1", "1e99999999999", "∞"]
        {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn dates() {
        const NEW_YEAR: i128 = 1_767_225_600_000_000_000;
        for text in [
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00.000Z",
            "2026-01-01T00:00Z",
            "2026-01-01",
            "2026-01",
            "1767225600",
            "1767225600.0",
            "2026-01-01T02:00:00+02:00",
            "2025-12-31T19:00:00-05:00",
            "2026-01-01T00:00:00",
        ] {
            assert_eq!(parse_date(text), Some(NEW_YEAR), "{text}");
        }
        assert_eq!(parse_date("1767225600.5"), Some(NEW_YEAR + 500_000_000));
        assert_eq!(parse_date("-1.5"), Some(-1_500_000_000));
        for text in ["", "yesterday", "2026-13-01", "2026-02-30", "1.2.3", "-", "2026-01-01Z"] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    #[test]
    fn networks() {
        let inside = |network: &str, address: &str| {
            let (network, address) = (parse_network(network), parse_network(address));
            contains(&network.unwrap(), &address.unwrap())
        };
        assert!(inside("203.0.113.77/24", "203.0.113.1"));
        assert!(inside("2001:db8::/32", "2001:db8:ffff::1"));
        assert!(!inside("203.0.113.0/24", "::ffff:203.0.113.1"));
        assert!(!inside("::/0", "203.0.113.1"));
        assert!(inside("10.0.0.0/8", "10.1.0.0/16"));
        assert!(!inside("10.1.0.0/16", "10.0.0.0/8"));
        assert_eq!(parse_network("10.0.0.0/33"), None);
        assert_eq!(parse_network("10.0.0"), None);
    }

    proptest! {
        #[test]
        fn decimals_equal_integers(
            one in any::<i64>(),
            other in any::<i64>(),
            zeros in 0_usize..4,
        ) {
            let text = |number: i64| format!("{number}.{}", "0".repeat(zeros));
            let (left, right) = (text(one), text(other));
            let ordering = Decimal::parse(&left).unwrap().cmp(&Decimal::parse(&right).unwrap());
            prop_assert_eq!(ordering, one.cmp(&other));
        }

        #[test]
        fn nothing_panics(text in "[0-9eE.+:TZ-]{0,24}|\\PC*") {
            let _ = (Decimal::parse(&text), parse_date(&text), parse_network(&text));
            let _ = (parse_binary(&text), parse_bool(&text));
        }
    }
}
