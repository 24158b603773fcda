use crate::json::{element_of, is_single, value_of};
use palisade_shape::{Document, Member, Shape, Structure, Timestamp, Writer};

/// Writes a value as CBOR with definite lengths.
#[derive(Debug, Default)]
pub struct CborWriter {
    out: Vec<u8>,
    member: Option<&'static Member>,
}

const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;
const NULL: u8 = 0xf6;

impl CborWriter {
    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    fn head(&mut self, major: u8, value: u64) {
        let top = major << 5;
        match value {
            0..24 => self.out.push(top | u8::try_from(value).unwrap_or(0)),
            24..0x100 => self.out.extend([top | 24, u8::try_from(value).unwrap_or(0)]),
            0x100..0x1_0000 => {
                self.out.push(top | 25);
                self.out.extend(u16::try_from(value).unwrap_or(0).to_be_bytes());
            }
            0x1_0000..0x1_0000_0000 => {
                self.out.push(top | 26);
                self.out.extend(u32::try_from(value).unwrap_or(0).to_be_bytes());
            }
            _ => {
                self.out.push(top | 27);
                self.out.extend(value.to_be_bytes());
            }
        }
    }

    fn count(&mut self, major: u8, count: usize) {
        self.head(major, u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// A map of `count` entries follows, each a text and a value.
    pub(crate) fn map_head(&mut self, count: usize) {
        self.count(MAP, count);
    }

    fn text(&mut self, text: &str) {
        self.count(TEXT, text.len());
        self.out.extend_from_slice(text.as_bytes());
    }

    /// Appends what another writer wrote.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    fn double(&mut self, value: f64) {
        self.out.push(0xfb);
        self.out.extend(value.to_be_bytes());
    }
}

impl Writer for CborWriter {
    fn structure(&mut self, structure: &'static Structure, members: &[&dyn Shape]) {
        let standing = self.member;
        let present = members.iter().filter(|value| value.is_present()).count();
        self.count(MAP, present);
        for (member, value) in structure.members.iter().zip(members) {
            if value.is_present() {
                self.text(member.name);
                self.member = Some(member);
                value.write(self);
            }
        }
        self.member = standing;
    }

    fn list(&mut self, items: &mut dyn ExactSizeIterator<Item = &dyn Shape>) {
        let standing = self.member;
        self.member = standing.and_then(element_of);
        self.count(ARRAY, items.len());
        for item in items {
            if item.is_present() {
                item.write(self);
            } else {
                self.out.push(NULL);
            }
        }
        self.member = standing;
    }

    fn map(&mut self, entries: &mut dyn ExactSizeIterator<Item = (&str, &dyn Shape)>) {
        let standing = self.member;
        self.member = standing.and_then(value_of);
        self.count(MAP, entries.len());
        for (key, value) in entries {
            self.text(key);
            if value.is_present() {
                value.write(self);
            } else {
                self.out.push(NULL);
            }
        }
        self.member = standing;
    }

    fn string(&mut self, value: &str) {
        self.text(value);
    }

    fn boolean(&mut self, value: bool) {
        self.out.push(if value { 0xf5 } else { 0xf4 });
    }

    fn integer(&mut self, value: i64) {
        if value < 0 {
            // -1 - n, without overflow at the least number.
            self.head(NEGATIVE, (!value).unsigned_abs());
        } else {
            self.head(UNSIGNED, value.unsigned_abs());
        }
    }

    fn float(&mut self, value: f64) {
        if is_single(self.member.map(|member| member.target)) {
            self.out.push(0xfa);
            self.out.extend((value as f32).to_be_bytes());
        } else {
            self.double(value);
        }
    }

    fn blob(&mut self, value: &[u8]) {
        self.count(BYTES, value.len());
        self.out.extend_from_slice(value);
    }

    fn timestamp(&mut self, value: Timestamp) {
        self.head(TAG, 1);
        if value.millis() % 1000 == 0 {
            self.integer(value.seconds());
        } else {
            self.double(value.millis() as f64 / 1000.0);
        }
    }

    fn document(&mut self, value: &Document) {
        match value {
            Document::Null => self.out.push(NULL),
            Document::Boolean(value) => self.boolean(*value),
            Document::Integer(value) => self.integer(*value),
            Document::Float(value) => self.double(*value),
            Document::String(text) => self.text(text),
            Document::List(items) => {
                self.count(ARRAY, items.len());
                for item in items {
                    self.document(item);
                }
            }
            Document::Map(entries) => {
                self.count(MAP, entries.len());
                for (key, item) in entries {
                    self.text(key);
                    self.document(item);
                }
            }
        }
    }
}
