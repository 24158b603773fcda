//! CloudTrail's form of a request or an answer: what stands in `requestParameters` and
//! `responseElements` of an event.
//!
//! Member names are the model's with a small first letter (`roleName`, `sSHPublicKeyId`), instants
//! are written the way AWS's Java services print them (`Nov 22, 2026, 6:02:48 PM`), and what the
//! model marks as sensitive is never written: AWS leaves some members out and replaces others by
//! `HIDDEN_DUE_TO_SECURITY_REASONS`.
//!
//! Source: CloudTrail User Guide, "CloudTrail record contents", and the example events of the IAM
//! and STS guides.

use crate::number;
use base64::{Engine, engine::general_purpose::STANDARD};
use palisade_shape::{
    Document, Kind, Member, Shape, Structure, Target, Timestamp, TimestampFormat, Traits, Writer,
};

/// The most bytes of `requestParameters` or `responseElements`. Above it CloudTrail says that they
/// were left out.
pub const FIELD_BYTES_MAX: usize = 100 * 1024;

const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// Members that CloudTrail does not even name, whether the model marks them or not, sorted.
const LEFT_OUT: [&str; 19] = [
    "AddPrivateKey",
    "AuthenticationCode1",
    "AuthenticationCode2",
    "Base32StringSeed",
    "NewPassword",
    "OldPassword",
    "Password",
    "PlainText",
    "Plaintext",
    "PrivateKey",
    "PrivateKeyPlaintext",
    "QRCodePNG",
    "SAMLAssertion",
    "SecretAccessKey",
    "SecretBinary",
    "SecretString",
    "TokenCode",
    "TradeInToken",
    "WebIdentityToken",
];

/// Appends a request or an answer, or `null` where nothing of it is present. `field` is the name
/// that the note about its size gives, such as `requestParameters`.
pub fn write(out: &mut Vec<u8>, field: &str, value: &dyn Shape) {
    let start = out.len();
    let mut writer = TrailWriter { out, target: None };
    value.write(&mut writer);
    let written = out.get(start..).unwrap_or_default();
    let size = written.len();
    if size <= 2 {
        out.truncate(start);
        out.extend_from_slice(b"null");
    } else if size > FIELD_BYTES_MAX {
        out.truncate(start);
        out.extend_from_slice(b"{\"omitted\":true,\"originalSize\":");
        number::push_unsigned(out, size as u64);
        out.extend_from_slice(b",\"reason\":\"");
        out.extend_from_slice(field.as_bytes());
        out.extend_from_slice(b" too large\"}");
    }
}

/// Appends a JSON string, quotes included. Everything but quotes, backslashes and control
/// characters stands for itself (RFC 8259, section 7).
pub fn push_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut from = 0;
    for (index, byte) in bytes.iter().enumerate() {
        if *byte >= b' ' && *byte != b'"' && *byte != b'\\' {
            continue;
        }
        out.extend_from_slice(bytes.get(from..index).unwrap_or_default());
        push_escaped(out, *byte);
        from = index + 1;
    }
    out.extend_from_slice(bytes.get(from..).unwrap_or_default());
    out.push(b'"');
}

fn push_escaped(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        _ => {
            let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
            out.extend_from_slice(b"\\u00");
            out.push(digit(byte >> 4));
            out.push(digit(byte & 15));
        }
    }
}

/// Appends an integer.
pub fn push_integer(out: &mut Vec<u8>, value: i64) {
    number::push_integer(out, value);
}

/// Appends a number without a sign.
pub fn push_unsigned(out: &mut Vec<u8>, value: u64) {
    number::push_unsigned(out, value);
}

/// Appends an instant as `"2026-11-22T18:02:48Z"`, with a fraction only where there is one.
pub fn push_time(out: &mut Vec<u8>, value: Timestamp) {
    out.push(b'"');
    crate::timestamp::write(out, value, TimestampFormat::DateTime);
    out.push(b'"');
}

struct TrailWriter<'a> {
    out: &'a mut Vec<u8>,
    /// What stands here; none at the top.
    target: Option<&'static Target>,
}

impl TrailWriter<'_> {
    /// Writes the value of a member, an element or an entry.
    fn value(&mut self, member: Option<&'static Member>, value: &dyn Shape) {
        if member.is_some_and(is_sensitive) {
            push_string(self.out, HIDDEN);
            return;
        }
        let start = self.out.len();
        let outer = std::mem::replace(&mut self.target, member.map(|member| member.target));
        value.write(self);
        self.target = outer;
        if self.out.len() == start {
            // A null element: something must stand between the commas.
            self.out.extend_from_slice(b"null");
        }
    }

    fn comma(&mut self, first: &mut bool) {
        if !std::mem::replace(first, false) {
            self.out.push(b',');
        }
    }
}

fn is_sensitive(member: &Member) -> bool {
    member.traits.has(Traits::SENSITIVE) || member.target.sensitive
}

fn is_left_out(member: &Member) -> bool {
    LEFT_OUT.binary_search(&member.name).is_ok()
}

/// Appends `"name":` with a small first letter. Model names are plain ASCII words.
fn push_name(out: &mut Vec<u8>, name: &str) {
    out.push(b'"');
    if let Some((first, rest)) = name.as_bytes().split_first() {
        out.push(first.to_ascii_lowercase());
        out.extend_from_slice(rest);
    }
    out.extend_from_slice(b"\":");
}

impl Writer for TrailWriter<'_> {
    fn structure(&mut self, structure: &'static Structure, members: &[&dyn Shape]) {
        self.out.push(b'{');
        let mut first = true;
        for (member, value) in structure.members.iter().zip(members) {
            if !value.is_present() || is_left_out(member) {
                continue;
            }
            self.comma(&mut first);
            push_name(self.out, member.name);
            self.value(Some(member), *value);
        }
        self.out.push(b'}');
    }

    fn list(&mut self, items: &mut dyn ExactSizeIterator<Item = &dyn Shape>) {
        let element = match self.target.map(|target| &target.kind) {
            Some(Kind::List(list)) => Some(&list.member),
            _ => None,
        };
        self.out.push(b'[');
        let mut first = true;
        for item in items {
            self.comma(&mut first);
            self.value(element, item);
        }
        self.out.push(b']');
    }

    fn map(&mut self, entries: &mut dyn ExactSizeIterator<Item = (&str, &dyn Shape)>) {
        let value = match self.target.map(|target| &target.kind) {
            Some(Kind::Map(map)) => Some(&map.value),
            _ => None,
        };
        self.out.push(b'{');
        let mut first = true;
        for (key, item) in entries {
            self.comma(&mut first);
            push_string(self.out, key);
            self.out.push(b':');
            self.value(value, item);
        }
        self.out.push(b'}');
    }

    fn string(&mut self, value: &str) {
        push_string(self.out, value);
    }

    fn boolean(&mut self, value: bool) {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
    }

    fn integer(&mut self, value: i64) {
        number::push_integer(self.out, value);
    }

    fn float(&mut self, value: f64) {
        match number::not_finite(value) {
            Some(name) => push_string(self.out, name),
            None => {
                let single = self.target.is_some_and(|target| matches!(target.kind, Kind::Float));
                number::push_float(self.out, value, single);
            }
        }
    }

    fn blob(&mut self, value: &[u8]) {
        push_string(self.out, &STANDARD.encode(value));
    }

    fn timestamp(&mut self, value: Timestamp) {
        push_java_date(self.out, value);
    }

    fn document(&mut self, value: &Document) {
        push_document(self.out, value);
    }
}

fn push_document(out: &mut Vec<u8>, value: &Document) {
    match value {
        Document::Null => out.extend_from_slice(b"null"),
        Document::Boolean(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Document::Integer(value) => number::push_integer(out, *value),
        Document::Float(value) => match number::not_finite(*value) {
            Some(name) => push_string(out, name),
            None => number::push_float(out, *value, false),
        },
        Document::String(value) => push_string(out, value),
        Document::List(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                push_document(out, item);
            }
            out.push(b']');
        }
        Document::Map(entries) => {
            out.push(b'{');
            for (index, (key, item)) in entries.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                push_string(out, key);
                out.push(b':');
                push_document(out, item);
            }
            out.push(b'}');
        }
    }
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `Nov 22, 2026, 6:02:48 PM` in UTC: what Java's default date format makes of an instant.
fn push_java_date(out: &mut Vec<u8>, value: Timestamp) {
    let mut iso = Vec::with_capacity(24);
    crate::timestamp::write(&mut iso, value.whole_seconds(), TimestampFormat::DateTime);
    let part = |from: usize, to: usize| iso.get(from..to).unwrap_or_default();
    let number = |from: usize, to: usize| {
        part(from, to).iter().fold(0_usize, |sum, digit| sum * 10 + usize::from(digit & 15))
    };
    let month = number(5, 7).checked_sub(1).and_then(|month| MONTHS.get(month));
    let hour = number(11, 13);
    out.push(b'"');
    out.extend_from_slice(month.copied().unwrap_or_default().as_bytes());
    out.push(b' ');
    number::push_unsigned(out, number(8, 10) as u64);
    out.extend_from_slice(b", ");
    out.extend_from_slice(part(0, 4));
    out.extend_from_slice(b", ");
    let hour_of_half_day = if hour.is_multiple_of(12) { 12 } else { hour % 12 };
    number::push_unsigned(out, hour_of_half_day as u64);
    out.extend_from_slice(part(13, 19));
    out.extend_from_slice(if hour < 12 { b" AM\"" } else { b" PM\"" });
}

#[cfg(test)]
mod tests;
