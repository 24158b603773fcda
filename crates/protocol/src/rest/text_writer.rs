use crate::base64;
use crate::findings::timestamp_format;
use crate::json::is_single;
use crate::{number, timestamp};
use palisade_shape::{
    Document, Kind, Location, Member, Shape, Structure, Timestamp, TimestampFormat, Traits, Writer,
};

/// Writes a member as the texts of headers: one text, or one for each entry of a map.
#[derive(Debug)]
pub struct TextWriter {
    member: &'static Member,
    pub text: Vec<u8>,
    pub entries: Vec<(String, Vec<u8>)>,
    in_list: bool,
    /// The value has no text in a header: a structure or nothing at all.
    pub absent: bool,
}

impl TextWriter {
    pub fn new(member: &'static Member) -> Self {
        Self { member, text: Vec::new(), entries: Vec::new(), in_list: false, absent: false }
    }
}

impl Writer for TextWriter {
    fn structure(&mut self, _: &'static Structure, _: &[&dyn Shape]) {
        self.absent = true;
    }

    fn list(&mut self, items: &mut dyn ExactSizeIterator<Item = &dyn Shape>) {
        let standing = self.member;
        let Kind::List(list) = &standing.target.kind else { return };
        // An empty list is no header at all.
        self.absent = items.len() == 0;
        self.member = &list.member;
        self.in_list = true;
        let mut first = true;
        for item in items.filter(|item| item.is_present()) {
            if !std::mem::take(&mut first) {
                self.text.extend_from_slice(b", ");
            }
            item.write(self);
        }
        self.in_list = false;
        self.member = standing;
    }

    fn map(&mut self, entries: &mut dyn ExactSizeIterator<Item = (&str, &dyn Shape)>) {
        let standing = self.member;
        let Kind::Map(map) = &standing.target.kind else { return };
        self.absent = true;
        self.member = &map.value;
        for (key, value) in entries.filter(|(_, value)| value.is_present()) {
            value.write(self);
            self.entries.push((key.to_owned(), std::mem::take(&mut self.text)));
        }
        self.member = standing;
    }

    fn string(&mut self, value: &str) {
        if self.member.traits.has(Traits::JSON_VALUE) {
            return base64::push(&mut self.text, value.as_bytes());
        }
        if !self.in_list || !value.contains(['"', ',']) {
            return self.text.extend_from_slice(value.as_bytes());
        }
        self.text.push(b'"');
        for byte in value.bytes() {
            if matches!(byte, b'"' | b'\\') {
                self.text.push(b'\\');
            }
            self.text.push(byte);
        }
        self.text.push(b'"');
    }

    fn boolean(&mut self, value: bool) {
        self.text.extend_from_slice(if value { b"true" } else { b"false" });
    }

    fn integer(&mut self, value: i64) {
        number::push_integer(&mut self.text, value);
    }

    fn float(&mut self, value: f64) {
        number::push_float(&mut self.text, value, is_single(Some(self.member.target)));
    }

    fn blob(&mut self, value: &[u8]) {
        base64::push(&mut self.text, value);
    }

    fn timestamp(&mut self, value: Timestamp) {
        let otherwise = match self.member.location {
            Location::Query | Location::Uri => TimestampFormat::DateTime,
            _ => TimestampFormat::HttpDate,
        };
        let format = timestamp_format(Some(self.member), otherwise);
        timestamp::write(&mut self.text, value, format);
    }

    fn document(&mut self, _: &Document) {
        self.absent = true;
    }
}
