use super::Dialect;
use super::document;
use super::reader::{element_of, is_single, value_of};
use crate::base64;
use crate::findings::timestamp_format;
use crate::{number, timestamp};
use palisade_shape::{
    Document, Location, Member, Shape, Structure, Timestamp, TimestampFormat, Writer,
};

/// Writes a value as JSON text.
#[derive(Debug)]
pub struct JsonWriter {
    out: Vec<u8>,
    dialect: Dialect,
    member: Option<&'static Member>,
    body_only: bool,
}

impl JsonWriter {
    pub fn new(dialect: Dialect) -> Self {
        Self { out: Vec::with_capacity(256), dialect, member: None, body_only: false }
    }

    /// Leaves out the members of the top level that stand elsewhere in the HTTP message.
    #[must_use]
    pub fn body_only(mut self) -> Self {
        self.body_only = true;
        self
    }

    /// Stands at a member, for writing a payload.
    #[must_use]
    pub fn at(mut self, member: &'static Member) -> Self {
        self.member = Some(member);
        self
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }
}

/// Appends a string with its quotes. Characters beyond ASCII stay as they are.
pub(crate) fn push_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut plain = text.as_bytes();
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f | 0x7f);
    while let Some(length) = plain.iter().position(special) {
        let (head, tail) = plain.split_at(length);
        out.extend_from_slice(head);
        if let Some((byte, rest)) = tail.split_first() {
            push_escape(out, *byte);
            plain = rest;
        }
    }
    out.extend_from_slice(plain);
    out.push(b'"');
}

fn push_escape(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        8 => b'b',
        12 => b'f',
        other => {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            out.extend_from_slice(b"\\u00");
            for digit in [other >> 4, other & 15] {
                out.extend(HEX.get(usize::from(digit)));
            }
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

impl Writer for JsonWriter {
    fn structure(&mut self, structure: &'static Structure, members: &[&dyn Shape]) {
        let standing = self.member;
        let top = std::mem::take(&mut self.body_only);
        self.out.push(b'{');
        let mut first = true;
        for (member, value) in structure.members.iter().zip(members) {
            if !value.is_present() || (top && member.location != Location::Body) {
                continue;
            }
            if !std::mem::take(&mut first) {
                self.out.push(b',');
            }
            let name = if self.dialect == Dialect::Wire { member.wire_name() } else { member.name };
            // Names of members are letters and digits: nothing to escape.
            self.out.push(b'"');
            self.out.extend_from_slice(name.as_bytes());
            self.out.extend_from_slice(b"\":");
            self.member = Some(member);
            value.write(self);
        }
        self.out.push(b'}');
        self.member = standing;
    }

    fn list(&mut self, items: &mut dyn ExactSizeIterator<Item = &dyn Shape>) {
        let standing = self.member;
        self.member = standing.and_then(element_of);
        self.out.push(b'[');
        for (index, item) in items.enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            if item.is_present() {
                item.write(self);
            } else {
                self.out.extend_from_slice(b"null");
            }
        }
        self.out.push(b']');
        self.member = standing;
    }

    fn map(&mut self, entries: &mut dyn ExactSizeIterator<Item = (&str, &dyn Shape)>) {
        let standing = self.member;
        self.member = standing.and_then(value_of);
        self.out.push(b'{');
        for (index, (key, value)) in entries.enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            push_string(&mut self.out, key);
            self.out.push(b':');
            if value.is_present() {
                value.write(self);
            } else {
                self.out.extend_from_slice(b"null");
            }
        }
        self.out.push(b'}');
        self.member = standing;
    }

    fn string(&mut self, value: &str) {
        push_string(&mut self.out, value);
    }

    fn boolean(&mut self, value: bool) {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
    }

    fn integer(&mut self, value: i64) {
        number::push_integer(&mut self.out, value);
    }

    fn float(&mut self, value: f64) {
        match number::not_finite(value) {
            Some(name) => push_string(&mut self.out, name),
            None => {
                let single = is_single(self.member.map(|member| member.target));
                number::push_float(&mut self.out, value, single);
            }
        }
    }

    fn blob(&mut self, value: &[u8]) {
        self.out.push(b'"');
        base64::push(&mut self.out, value);
        self.out.push(b'"');
    }

    fn timestamp(&mut self, value: Timestamp) {
        let format = match self.dialect {
            Dialect::Model => TimestampFormat::EpochSeconds,
            Dialect::Wire => timestamp_format(self.member, TimestampFormat::EpochSeconds),
        };
        if format == TimestampFormat::EpochSeconds {
            timestamp::write(&mut self.out, value, format);
        } else {
            self.out.push(b'"');
            timestamp::write(&mut self.out, value, format);
            self.out.push(b'"');
        }
    }

    fn document(&mut self, value: &Document) {
        document::write(&mut self.out, value);
    }
}
