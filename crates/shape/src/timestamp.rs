/// An instant, as milliseconds since 1970-01-01T00:00:00Z (AWS's finest unit in any API).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds * 1000)
    }

    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The same instant without its fraction of a second, as most AWS APIs return it.
    pub const fn whole_seconds(self) -> Self {
        Self::from_seconds(self.seconds())
    }

    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0 + seconds * 1000)
    }
}

/// How a protocol writes an instant (Smithy 2.0, `timestampFormat` trait).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampFormat {
    /// `1985-04-12T23:20:50.520Z`
    DateTime,
    /// `Tue, 29 Apr 2014 18:30:38 GMT` (RFC 9110, IMF-fixdate)
    HttpDate,
    /// `1398796238.123`
    EpochSeconds,
}
