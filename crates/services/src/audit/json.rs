//! Just enough of a JSON writer: the comma is found by looking at what stands before.

use palisade_protocol::trail;
use palisade_shape::Timestamp;

/// Begins an element of a list or a member: a comma, unless it is the first one.
pub fn separate(out: &mut Vec<u8>) {
    if !matches!(out.last(), Some(b'{' | b'[' | b':') | None) {
        out.push(b',');
    }
}

/// Appends `"name":` with the comma it needs. Names are plain words that need no escapes.
pub fn name(out: &mut Vec<u8>, name: &str) {
    separate(out);
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

pub fn string(out: &mut Vec<u8>, member: &str, value: &str) {
    name(out, member);
    trail::push_string(out, value);
}

/// A member that is there only when it has a value.
pub fn optional(out: &mut Vec<u8>, member: &str, value: Option<&str>) {
    if let Some(value) = value {
        string(out, member, value);
    }
}

pub fn boolean(out: &mut Vec<u8>, member: &str, value: bool) {
    raw(out, member, if value { b"true" } else { b"false" });
}

pub fn integer(out: &mut Vec<u8>, member: &str, value: i64) {
    name(out, member);
    trail::push_integer(out, value);
}

/// A member whose value is JSON already.
pub fn raw(out: &mut Vec<u8>, member: &str, value: &[u8]) {
    name(out, member);
    out.extend_from_slice(value);
}

/// `2026-11-22T18:02:48Z`, with a fraction only where there is one.
pub fn time(out: &mut Vec<u8>, member: &str, value: Timestamp) {
    name(out, member);
    trail::push_time(out, value);
}

pub fn strings<S: AsRef<str>>(out: &mut Vec<u8>, member: &str, values: &[S]) {
    name(out, member);
    out.push(b'[');
    for value in values {
        separate(out);
        trail::push_string(out, value.as_ref());
    }
    out.push(b']');
}
