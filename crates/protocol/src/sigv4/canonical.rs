//! The canonical request: the one spelling of a request that both sides hash.
//!
//! Rules: IAM User Guide, "Create a signed AWS API request", step 1; S3 API Reference, "Signature
//! Calculations for the Authorization Header".

use std::borrow::Cow;

use super::hex;
use super::request::RequestParts;

/// How a service writes the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Path {
    /// S3: the key's own bytes, encoded once, dots and empty segments kept.
    Unnormalized,
    /// Every other service: dots and empty segments removed, what was received encoded again.
    Normalized,
}

/// What goes into one canonical request beside the request itself.
pub(super) struct Canonical<'a> {
    pub path: Path,
    /// Sorted, as [`sorted_names`] returns them.
    pub signed_headers: &'a [&'a str],
    /// The last line.
    pub payload_hash: &'a [u8],
    /// A query parameter left out beside the signature itself.
    pub skip_security_token: bool,
}

impl Canonical<'_> {
    /// Writes the canonical request.
    pub fn write(&self, parts: &RequestParts) -> Vec<u8> {
        let mut out = Vec::with_capacity(768 + parts.path.len() + 2 * parts.query.len());
        out.extend_from_slice(parts.method.as_bytes());
        out.push(b'\n');
        match self.path {
            Path::Unnormalized => push_path_once(&mut out, parts.path),
            Path::Normalized => push_path_normalized(&mut out, parts.path),
        }
        out.push(b'\n');
        push_query(&mut out, parts, self.skip_security_token);
        out.push(b'\n');
        for name in self.signed_headers {
            push_header(&mut out, parts, name);
        }
        out.push(b'\n');
        for (index, name) in self.signed_headers.iter().enumerate() {
            if index > 0 {
                out.push(b';');
            }
            push_lower(&mut out, name);
        }
        out.push(b'\n');
        out.extend_from_slice(self.payload_hash);
        out
    }
}

/// The names of `SignedHeaders`, sorted as the canonical request lists them.
pub(super) fn sorted_names(signed_headers: &str) -> Vec<&str> {
    let mut names = Vec::with_capacity(8);
    names.extend(signed_headers.split(';').filter(|name| !name.is_empty()));
    let lower = |name: &str| name.bytes().map(|byte| byte.to_ascii_lowercase()).collect::<Vec<_>>();
    if !names.is_sorted() {
        names.sort_by_cached_key(|name| lower(name));
    }
    names
}

/// Decodes `%XX` and, as forms do, `+`. A `%` that begins no escape stands for itself.
pub(super) fn decode_query(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = next_decoded(rest) {
        out.push(if byte == b'+' && rest.first() == Some(&b'+') { b' ' } else { byte });
        rest = after;
    }
    Cow::Owned(out)
}

/// The first byte that `text` stands for, and what follows it.
fn next_decoded(text: &[u8]) -> Option<(u8, &[u8])> {
    if let [b'%', high, low, rest @ ..] = text
        && let (Some(high), Some(low)) = (hex::value(*high), hex::value(*low))
    {
        return Some((high << 4 | low, rest));
    }
    text.split_first().map(|(byte, rest)| (*byte, rest))
}

fn push_path_once(out: &mut Vec<u8>, path: &[u8]) {
    if path.is_empty() {
        out.push(b'/');
    }
    let mut rest = path;
    while let Some((byte, after)) = next_decoded(rest) {
        push_encoded(out, byte, true);
        rest = after;
    }
}

/// Removes `.`, `..` and empty segments (a trailing `/` stays), then encodes the bytes received,
/// so an escape of the client's becomes a doubled one.
fn push_path_normalized(out: &mut Vec<u8>, path: &[u8]) {
    let start = out.len();
    out.push(b'/');
    for segment in path.split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => {
                let written = out.get(start..).unwrap_or_default();
                let parent = written.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
                out.truncate(start + parent.max(1));
            }
            _ => {
                if out.len() > start + 1 {
                    out.push(b'/');
                }
                for byte in segment {
                    push_encoded(out, *byte, false);
                }
            }
        }
    }
    if path.ends_with(b"/") && out.len() > start + 1 {
        out.push(b'/');
    }
}

fn push_query(out: &mut Vec<u8>, parts: &RequestParts, skip_security_token: bool) {
    if parts.query.is_empty() {
        return;
    }
    let skipped = |key: &[u8]| {
        key == b"X-Amz-Signature" || skip_security_token && key == b"X-Amz-Security-Token"
    };
    let mut pairs: Vec<_> = parts
        .query_pairs()
        .filter(|(key, _)| !skipped(key))
        .map(|(key, value)| (recoded(key), recoded(value)))
        .collect();
    if !pairs.is_sorted() {
        pairs.sort();
    }
    for (index, (key, value)) in pairs.iter().enumerate() {
        if index > 0 {
            out.push(b'&');
        }
        out.extend_from_slice(key);
        out.push(b'=');
        out.extend_from_slice(value);
    }
}

/// A key or value of the query in its canonical escapes, whatever escapes it came with.
fn recoded(text: &[u8]) -> Cow<'_, [u8]> {
    if text.iter().all(|byte| unreserved(*byte)) {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len() + 16);
    for byte in decode_query(text).iter() {
        push_encoded(&mut out, *byte, false);
    }
    Cow::Owned(out)
}

/// RFC 3986, section 2.3.
fn unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn push_encoded(out: &mut Vec<u8>, byte: u8, keep_slash: bool) {
    const DIGITS: [u8; 16] = *b"0123456789ABCDEF";
    if unreserved(byte) || keep_slash && byte == b'/' {
        out.push(byte);
        return;
    }
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or(b'0');
    out.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]);
}

/// Writes one header's line. A header that is listed but was not received has none, so that even
/// an empty one cannot be taken away unnoticed.
fn push_header(out: &mut Vec<u8>, parts: &RequestParts, name: &str) {
    let mut sent = false;
    for value in parts.values(name) {
        if sent {
            out.push(b',');
        } else {
            push_lower(out, name);
            out.push(b':');
            sent = true;
        }
        push_header_value(out, value);
    }
    if sent {
        out.push(b'\n');
    }
}

/// Trims a header's value and turns each run of white space inside into one space.
fn push_header_value(out: &mut Vec<u8>, value: &[u8]) {
    let white = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c);
    let words = value.split(white).filter(|word| !word.is_empty());
    for (index, word) in words.enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
}

fn push_lower(out: &mut Vec<u8>, name: &str) {
    let start = out.len();
    out.extend_from_slice(name.as_bytes());
    out.get_mut(start..).unwrap_or_default().make_ascii_lowercase();
}
