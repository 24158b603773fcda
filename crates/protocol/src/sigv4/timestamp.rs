//! The time of a signature, in the two notations that AWS accepts.

/// The moment a request says it was signed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub seconds: i64,
    text: [u8; 16],
}

impl Timestamp {
    /// Reads ISO 8601's basic format, `20150830T123600Z`, the only one of `X-Amz-Date`.
    pub fn parse_basic(text: &[u8]) -> Option<Self> {
        let fixed: &[u8; 16] = text.try_into().ok()?;
        let [y0, y1, y2, y3, m0, m1, d0, d1, b'T', h0, h1, n0, n1, s0, s1, b'Z'] = *fixed else {
            return None;
        };
        let date = (number(&[y0, y1, y2, y3])?, number(&[m0, m1])?, number(&[d0, d1])?);
        let time = (number(&[h0, h1])?, number(&[n0, n1])?, number(&[s0, s1])?);
        Some(Self { seconds: seconds(date, time)?, text: *fixed })
    }

    /// Reads the `Date` header: the basic format, or RFC 9110's
    /// `Sun, 30 Aug 2015 12:36:00 GMT` (section 5.6.7), whose weekday is not checked.
    pub fn parse_date_header(text: &[u8]) -> Option<Self> {
        if let Some(basic) = Self::parse_basic(text) {
            return Some(basic);
        }
        let text = std::str::from_utf8(text).ok()?;
        let (_, rest) = text.split_once(',')?;
        let mut words = rest.split_ascii_whitespace();
        let day = number(words.next()?.as_bytes())?;
        let month = month(words.next()?)?;
        let year = number(words.next()?.as_bytes())?;
        let mut clock = words.next()?.split(':').map(|part| number(part.as_bytes()));
        let time = (clock.next()??, clock.next()??, clock.next()??);
        let zone = words.next()?;
        if !matches!(zone, "GMT" | "UTC" | "+0000") || words.next().is_some() {
            return None;
        }
        Self::from_seconds(seconds((year, month, day), time)?)
    }

    /// The moment `seconds` after 1970-01-01T00:00:00Z; `None` outside the years 0 to 9999.
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil(days);
        if !(0..=9999).contains(&year) {
            return None;
        }
        let (hour, minute) = (second / 3600, second / 60 % 60);
        let text = format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{:02}Z", second % 60);
        Some(Self { seconds, text: text.as_bytes().try_into().ok()? })
    }

    /// The basic format, `20150830T123600Z`.
    pub fn basic(&self) -> &str {
        std::str::from_utf8(&self.text).unwrap_or_default()
    }

    /// The day, `20150830`.
    pub fn day(&self) -> &str {
        self.basic().get(..8).unwrap_or_default()
    }
}

/// Writes a moment as ISO 8601's extended format, `2015-08-30T12:36:00Z`, as S3's errors show it.
pub(super) fn extended(seconds: i64) -> String {
    let Some(stamp) = Timestamp::from_seconds(seconds) else { return String::new() };
    let part = |range| stamp.basic().get(range).unwrap_or_default();
    let (year, month, day) = (part(0..4), part(4..6), part(6..8));
    let (hour, minute, second) = (part(9..11), part(11..13), part(13..15));
    format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z")
}

/// Writes a moment as the basic format, for the texts of errors.
pub(super) fn basic(seconds: i64) -> String {
    Timestamp::from_seconds(seconds).map(|stamp| stamp.basic().to_owned()).unwrap_or_default()
}

fn number(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() || digits.len() > 4 {
        return None;
    }
    digits.iter().try_fold(0, |sum, digit| {
        digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0'))
    })
}

fn month(name: &str) -> Option<i64> {
    const NAMES: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let at = NAMES.find(name).filter(|at| name.len() == 3 && at % 3 == 0)?;
    i64::try_from(at / 3 + 1).ok()
}

/// Checks a date and a time and counts their seconds; a leap second counts as the one before.
fn seconds(date: (i64, i64, i64), time: (i64, i64, i64)) -> Option<i64> {
    let ((year, month, day), (hour, minute, second)) = (date, time);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(((days(date) * 24 + hour) * 60 + minute) * 60 + second.min(59))
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar. A year is counted from
/// March, so that the leap day is its last: 146,097 days are 400 years.
fn days((year, month, day): (i64, i64, i64)) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + day_of_year - 719_468
}

/// The inverse of [`days`].
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let leap_days = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leap_days) / 365;
    let before_year = 365 * year_of_era + year_of_era / 4 - year_of_era / 100;
    let day_of_year = day_of_era - before_year;
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<i64>) {
        let parsed = Timestamp::parse_date_header(text.as_bytes());
        assert_eq!(parsed.map(|stamp| stamp.seconds), expected, "{text}");
    }

    #[test]
    fn reads_both_notations() {
        check("20150830T123600Z", Some(1_440_938_160));
        check("Sun, 30 Aug 2015 12:36:00 GMT", Some(1_440_938_160));
        check("19700101T000000Z", Some(0));
        check("20240229T235959Z", Some(1_709_251_199));
        check("20230229T000000Z", None);
        check("20150830T123600", None);
        check("20151330T123600Z", None);
        check("20150830T243600Z", None);
        check("2015083OT123600Z", None);
        check("Sun, 30 Aug 2015 12:36:00 CET", None);
        check("Sun, 30 Xug 2015 12:36:00 GMT", None);
        check("", None);
    }

    #[test]
    fn every_day_of_800_years_returns() {
        for day in -146_097..=146_097 {
            let stamp = Timestamp::from_seconds(day * 86_400 + 86_399).unwrap();
            assert_eq!(Timestamp::parse_basic(stamp.basic().as_bytes()), Some(stamp));
        }
        assert_eq!(extended(1_440_938_160), "2015-08-30T12:36:00Z");
        assert_eq!(Timestamp::from_seconds(i64::MAX), None);
    }
}
