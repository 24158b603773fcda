//! Instants on the wire: ISO 8601, HTTP dates and seconds since the epoch (Smithy 2.0,
//! `timestampFormat` trait). Reading is strict about the format and lenient about fractions and
//! offsets, as AWS's services are; all values are kept in milliseconds.

use palisade_shape::{Timestamp, TimestampFormat};

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MILLIS_A_DAY: i64 = 86_400_000;
/// Years 0000 to 9999, what a four-digit year can say.
const EARLIEST: i64 = -62_167_219_200_000;
const LATEST: i64 = 253_402_300_799_999;

/// Appends an instant in the format. A fraction is written only when there is one.
pub fn write(out: &mut Vec<u8>, value: Timestamp, format: TimestampFormat) {
    match format {
        TimestampFormat::DateTime => write_date_time(out, value),
        TimestampFormat::HttpDate => write_http_date(out, value),
        TimestampFormat::EpochSeconds => write_epoch(out, value),
    }
}

/// Reads an instant in the format; `None` when the text is not of it.
pub fn parse(text: &str, format: TimestampFormat) -> Option<Timestamp> {
    match format {
        TimestampFormat::DateTime => parse_date_time(text.as_bytes()),
        TimestampFormat::HttpDate => parse_http_date(text),
        TimestampFormat::EpochSeconds => parse_epoch(text),
    }
}

fn push_padded(out: &mut Vec<u8>, value: i64, width: u32) {
    let mut scale = 10_i64.pow(width.saturating_sub(1));
    let mut rest = value;
    while scale > 0 {
        out.push(b'0' + u8::try_from((rest / scale).rem_euclid(10)).unwrap_or(0));
        rest %= scale;
        scale /= 10;
    }
}

struct Civil {
    year: i64,
    month: i64,
    day: i64,
}

/// Days since 1970-01-01 to a Gregorian date (Howard Hinnant, `civil_from_days`).
fn civil_from_days(days: i64) -> Civil {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Civil { year, month, day }
}

/// The reverse; `None` when there is no such day.
fn days_from_civil(date: &Civil) -> Option<i64> {
    let year = date.year - i64::from(date.month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = if date.month > 2 { date.month - 3 } else { date.month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + date.day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    let back = civil_from_days(days);
    (back.day == date.day && back.month == date.month && back.year == date.year).then_some(days)
}

/// An instant outside four-digit years is written as the nearest one inside.
fn split(value: Timestamp) -> (i64, i64) {
    let millis = value.millis().clamp(EARLIEST, LATEST);
    (millis.div_euclid(MILLIS_A_DAY), millis.rem_euclid(MILLIS_A_DAY))
}

fn push_clock(out: &mut Vec<u8>, millis_of_day: i64) {
    push_padded(out, millis_of_day / 3_600_000, 2);
    out.push(b':');
    push_padded(out, millis_of_day / 60_000 % 60, 2);
    out.push(b':');
    push_padded(out, millis_of_day / 1000 % 60, 2);
}

fn write_date_time(out: &mut Vec<u8>, value: Timestamp) {
    let (days, millis) = split(value);
    let date = civil_from_days(days);
    push_padded(out, date.year, 4);
    out.push(b'-');
    push_padded(out, date.month, 2);
    out.push(b'-');
    push_padded(out, date.day, 2);
    out.push(b'T');
    push_clock(out, millis);
    if millis % 1000 != 0 {
        out.push(b'.');
        push_padded(out, millis % 1000, 3);
    }
    out.push(b'Z');
}

/// IMF-fixdate has whole seconds only (RFC 9110, section 5.6.7).
fn write_http_date(out: &mut Vec<u8>, value: Timestamp) {
    let (days, millis) = split(value);
    let date = civil_from_days(days);
    let weekday = usize::try_from(days.rem_euclid(7)).ok().and_then(|day| DAYS.get(day));
    let month = usize::try_from(date.month - 1).ok().and_then(|month| MONTHS.get(month));
    out.extend_from_slice(weekday.copied().unwrap_or_default().as_bytes());
    out.extend_from_slice(b", ");
    push_padded(out, date.day, 2);
    out.push(b' ');
    out.extend_from_slice(month.copied().unwrap_or_default().as_bytes());
    out.push(b' ');
    push_padded(out, date.year, 4);
    out.push(b' ');
    push_clock(out, millis);
    out.extend_from_slice(b" GMT");
}

fn write_epoch(out: &mut Vec<u8>, value: Timestamp) {
    let millis = value.millis();
    let magnitude = millis.unsigned_abs();
    if millis < 0 {
        out.push(b'-');
    }
    crate::number::push_unsigned(out, magnitude / 1000);
    let fraction = magnitude % 1000;
    if fraction != 0 {
        out.push(b'.');
        let mut digits = Vec::with_capacity(3);
        push_padded(&mut digits, i64::try_from(fraction).unwrap_or(0), 3);
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        out.extend_from_slice(&digits);
    }
}

/// Walks a text of fixed places.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl Cursor<'_> {
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (head, tail) = self.rest.split_at_checked(count)?;
        let mut value = 0_i64;
        for byte in head {
            value = value * 10 + i64::from(byte.is_ascii_digit().then(|| byte - b'0')?);
        }
        self.rest = tail;
        Some(value)
    }

    fn byte(&mut self, accepted: &[u8]) -> Option<u8> {
        let (first, tail) = self.rest.split_first()?;
        if !accepted.contains(first) {
            return None;
        }
        self.rest = tail;
        Some(*first)
    }

    /// `.123456` as milliseconds, rounded down; nothing is 0.
    fn fraction(&mut self) -> Option<i64> {
        if self.byte(b".").is_none() {
            return Some(0);
        }
        let mut millis = 0_i64;
        let mut places = 0;
        while let Some((byte @ b'0'..=b'9', tail)) = self.rest.split_first() {
            if places < 3 {
                millis = millis * 10 + i64::from(byte - b'0');
            }
            places += 1;
            self.rest = tail;
        }
        if places == 0 {
            return None;
        }
        Some(millis * 10_i64.pow(3_u32.saturating_sub(places)))
    }

    fn clock(&mut self) -> Option<i64> {
        let hour = self.digits(2)?;
        self.byte(b":")?;
        let minute = self.digits(2)?;
        self.byte(b":")?;
        let second = self.digits(2)?;
        let fraction = self.fraction()?;
        // A leap second is taken as the last moment before it: AWS's clocks smear it.
        (hour < 24 && minute < 60 && second <= 60)
            .then(|| ((hour * 60 + minute) * 60 + second.min(59)) * 1000 + fraction)
    }

    fn offset(&mut self) -> Option<i64> {
        match self.byte(b"Zz+-")? {
            b'Z' | b'z' => Some(0),
            sign => {
                let hours = self.digits(2)?;
                let _ = self.byte(b":");
                let minutes = self.digits(2)?;
                let millis = (hours * 60 + minutes) * 60_000;
                (hours < 24 && minutes < 60).then_some(if sign == b'-' { -millis } else { millis })
            }
        }
    }
}

/// ISO 8601 with seconds, and its basic form `20130101T000000Z`, and a bare date, which the query
/// services' documentation all show.
fn parse_date_time(text: &[u8]) -> Option<Timestamp> {
    let mut cursor = Cursor { rest: text };
    let year = cursor.digits(4)?;
    let extended = cursor.byte(b"-").is_some();
    let month = cursor.digits(2)?;
    if extended {
        cursor.byte(b"-")?;
    }
    let day = cursor.digits(2)?;
    let days = days_from_civil(&Civil { year, month, day })?;
    if cursor.rest.is_empty() && extended {
        return Some(Timestamp::from_millis(days * MILLIS_A_DAY));
    }
    cursor.byte(b"Tt ")?;
    let millis = if extended { cursor.clock()? } else { basic_clock(&mut cursor)? };
    // A time without a zone is UTC: AWS's documentation gives such examples.
    let offset = if cursor.rest.is_empty() { 0 } else { cursor.offset()? };
    let instant = days * MILLIS_A_DAY + millis - offset;
    cursor.rest.is_empty().then(|| Timestamp::from_millis(instant))
}

fn basic_clock(cursor: &mut Cursor<'_>) -> Option<i64> {
    let (hour, minute, second) = (cursor.digits(2)?, cursor.digits(2)?, cursor.digits(2)?);
    let fraction = cursor.fraction()?;
    (hour < 24 && minute < 60 && second <= 60)
        .then(|| ((hour * 60 + minute) * 60 + second.min(59)) * 1000 + fraction)
}

fn parse_http_date(text: &str) -> Option<Timestamp> {
    let (weekday, rest) = text.split_once(", ")?;
    if !DAYS.contains(&weekday) {
        return None;
    }
    let mut cursor = Cursor { rest: rest.as_bytes() };
    let day = cursor.digits(2).or_else(|| cursor.digits(1))?;
    cursor.byte(b" ")?;
    let (name, tail) = cursor.rest.split_at_checked(3)?;
    let month = MONTHS.iter().position(|month| month.as_bytes() == name)?;
    cursor.rest = tail;
    cursor.byte(b" ")?;
    let year = cursor.digits(4)?;
    cursor.byte(b" ")?;
    let month = i64::try_from(month).ok()? + 1;
    let millis = cursor.clock()?;
    let days = days_from_civil(&Civil { year, month, day })?;
    (cursor.rest == b" GMT").then(|| Timestamp::from_millis(days * MILLIS_A_DAY + millis))
}

/// Seconds with an optional fraction; an exponent (`1.5E9`, as Java writes a double) is read too.
fn parse_epoch(text: &str) -> Option<Timestamp> {
    if text.bytes().any(|byte| matches!(byte, b'e' | b'E')) {
        return from_seconds(crate::number::parse_float(text)?);
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let whole_length = digits.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, rest) = digits.split_at_checked(whole_length)?;
    let seconds: i64 = whole.parse().ok()?;
    let mut cursor = Cursor { rest: rest.as_bytes() };
    let fraction = cursor.fraction()?;
    let millis = seconds.checked_mul(1000)?.checked_add(fraction)?;
    cursor.rest.is_empty().then(|| Timestamp::from_millis(if negative { -millis } else { millis }))
}

/// Seconds as a double, rounded to milliseconds; `None` when they are no instant.
pub fn from_seconds(seconds: f64) -> Option<Timestamp> {
    let millis = (seconds * 1000.0).round();
    // The cast is exact: the bounds are far inside what both types hold.
    (millis.abs() < 9.0e15).then(|| Timestamp::from_millis(millis as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use TimestampFormat::{DateTime, EpochSeconds, HttpDate};

    #[test]
    fn writes_each_format() {
        let cases = [
            (515_531_081_123, DateTime, "1986-05-03T19:04:41.123Z"),
            (1_398_796_238_000, DateTime, "2014-04-29T18:30:38Z"),
            (1_398_796_238_000, HttpDate, "Tue, 29 Apr 2014 18:30:38 GMT"),
            (0, HttpDate, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (1_398_796_238_120, EpochSeconds, "1398796238.12"),
            (-1, EpochSeconds, "-0.001"),
            (-1, DateTime, "1969-12-31T23:59:59.999Z"),
            (i64::MAX, DateTime, "9999-12-31T23:59:59.999Z"),
        ];
        for (millis, format, expected) in cases {
            let mut out = Vec::new();
            write(&mut out, Timestamp::from_millis(millis), format);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn reads_each_format() {
        let cases = [
            ("2014-04-29T18:30:38Z", DateTime, Some(1_398_796_238_000)),
            ("2014-04-29T18:30:38.1234567Z", DateTime, Some(1_398_796_238_123)),
            ("2014-04-29T20:30:38+02:00", DateTime, Some(1_398_796_238_000)),
            ("20140429T183038Z", DateTime, Some(1_398_796_238_000)),
            ("2014-04-29", DateTime, Some(1_398_729_600_000)),
            ("2014-02-30T00:00:00Z", DateTime, None),
            ("2014-04-29T24:30:38Z", DateTime, None),
            ("1398796238", DateTime, None),
            ("Tue, 29 Apr 2014 18:30:38 GMT", HttpDate, Some(1_398_796_238_000)),
            ("Sun, 02 Jan 2000 20:34:56.456 GMT", HttpDate, Some(946_845_296_456)),
            ("Tue, 29 Apr 2014 18:30:38 UTC", HttpDate, None),
            ("1398796238.12", EpochSeconds, Some(1_398_796_238_120)),
            ("-0.5", EpochSeconds, Some(-500)),
            ("1.398796238E9", EpochSeconds, Some(1_398_796_238_000)),
            ("NaN", EpochSeconds, None),
            ("", EpochSeconds, None),
            ("99999999999999999999", EpochSeconds, None),
        ];
        for (text, format, expected) in cases {
            assert_eq!(parse(text, format).map(Timestamp::millis), expected, "{text}");
        }
    }
}
