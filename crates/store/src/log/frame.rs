//! How a record lies in a segment file.
//!
//! ```text
//! length u32 | crc32 u32 | time i64 | account length u8 | region length u8 | account | region |
//! record | length u32        (little endian; length and crc32 cover time … record)
//! ```
//!
//! The length at the end lets a reader walk backwards.

use std::ops::Range;

use crate::error::{Result, StoreError};

/// Bytes around the payload: length and checksum before it, length after it.
const ENVELOPE: usize = 12;
const HEADER: usize = 10;
/// Largest payload. Bounds what a damaged length can make a reader do.
pub(crate) const PAYLOAD_MAX: usize = 16 << 20;

/// A record as the log gives it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogEntry<'a> {
    /// Milliseconds since 1970, as given to `append`.
    pub time_millis: i64,
    /// The account whose record it is.
    pub account: &'a str,
    /// The region of the request.
    pub region: &'a str,
    /// The record.
    pub record: &'a [u8],
    /// Where it lies; give it to a query to continue after it.
    pub position: LogPosition,
}

/// A place in the log. Later records have greater places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogPosition {
    /// The segment's number.
    pub segment: u64,
    /// The byte at which the record begins in it.
    pub offset: u64,
}

/// The parts of a frame before and after the record, so that the record is copied only once.
pub(crate) struct Envelope {
    pub before: Vec<u8>,
    pub after: [u8; 4],
}

pub(crate) fn envelope(
    record: &[u8],
    time_millis: i64,
    account: &str,
    region: &str,
) -> Result<Envelope> {
    let too_large = |_| StoreError::TooLarge;
    let account_length = u8::try_from(account.len()).map_err(too_large)?;
    let region_length = u8::try_from(region.len()).map_err(too_large)?;
    let payload = HEADER + account.len() + region.len() + record.len();
    if payload > PAYLOAD_MAX {
        return Err(StoreError::TooLarge);
    }
    let length = u32::try_from(payload).map_err(too_large)?.to_le_bytes();
    let mut before = Vec::with_capacity(payload - record.len());
    before.extend_from_slice(&time_millis.to_le_bytes());
    before.extend_from_slice(&[account_length, region_length]);
    before.extend_from_slice(account.as_bytes());
    before.extend_from_slice(region.as_bytes());
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&before);
    checksum.update(record);
    let mut framed = Vec::with_capacity(8 + before.len());
    framed.extend_from_slice(&length);
    framed.extend_from_slice(&checksum.finalize().to_le_bytes());
    framed.append(&mut before);
    Ok(Envelope { before: framed, after: length })
}

/// Where a frame's payload lies in a buffer.
pub(crate) struct Frame {
    pub payload: Range<usize>,
    pub end: usize,
}

/// What a buffer holds at some place.
pub(crate) enum Found {
    Frame(Frame),
    /// This many bytes are needed from there on.
    Short(usize),
    Damaged,
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize)
}

/// The frame that begins at `at`.
pub(crate) fn frame_at(bytes: &[u8], at: usize) -> Found {
    let Some(length) = number(bytes, at) else {
        return Found::Short(ENVELOPE);
    };
    if !(HEADER..=PAYLOAD_MAX).contains(&length) {
        return Found::Damaged;
    }
    let end = at + ENVELOPE + length;
    if bytes.len() < end {
        return Found::Short(ENVELOPE + length);
    }
    match number(bytes, end - 4) {
        Some(after) if after == length => Found::Frame(Frame { payload: at + 8..end - 4, end }),
        _ => Found::Damaged,
    }
}

/// The bytes of the frame that ends at `end`, once the buffer holds its last four.
pub(crate) fn size_before(bytes: &[u8], end: usize) -> Option<usize> {
    let length = number(bytes, end.checked_sub(4)?)?;
    (HEADER..=PAYLOAD_MAX).contains(&length).then_some(length + ENVELOPE)
}

/// Whether the frame's payload is what was written.
pub(crate) fn is_sound(bytes: &[u8], frame: &Frame) -> bool {
    let payload = bytes.get(frame.payload.clone());
    let checksum = number(bytes, frame.payload.start.wrapping_sub(4));
    payload.is_some_and(|payload| checksum == Some(crc32fast::hash(payload) as usize))
}

/// The entry in a sound payload.
pub(crate) fn entry<'a>(payload: &'a [u8], position: LogPosition) -> Option<LogEntry<'a>> {
    let (time, rest) = payload.split_first_chunk::<8>()?;
    let ([account, region], rest) = rest.split_first_chunk::<2>()?;
    let (account, rest) = rest.split_at_checked(usize::from(*account))?;
    let (region, record) = rest.split_at_checked(usize::from(*region))?;
    Some(LogEntry {
        time_millis: i64::from_le_bytes(*time),
        account: std::str::from_utf8(account).ok()?,
        region: std::str::from_utf8(region).ok()?,
        record,
        position,
    })
}
