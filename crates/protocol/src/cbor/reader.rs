use crate::findings::{DEPTH_MAX, Findings, Seen, Step};
use crate::json::{element_of, note_missing, value_of};
use crate::timestamp;
use palisade_shape::{Document, Member, Reader, Shape, Structure, Timestamp, Violation};
use std::collections::BTreeMap;

/// Why bytes are not CBOR that this protocol allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Broken;

type Read<T> = Result<T, Broken>;

/// The first byte of an item and its argument.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Head {
    Unsigned(u64),
    Negative(u64),
    /// `None`: of indefinite length.
    Bytes(Option<usize>),
    Text(Option<usize>),
    Array(Option<usize>),
    Map(Option<usize>),
    Tag(u64),
    Boolean(bool),
    Null,
    Float(f64),
    Break,
}

impl Head {
    /// Coral's name of a value's kind.
    const fn name(self) -> &'static str {
        match self {
            Self::Unsigned(_) | Self::Negative(_) | Self::Float(_) => "NUMBER_VALUE",
            Self::Bytes(_) => "BYTE_STRING_VALUE",
            Self::Text(_) => "STRING_VALUE",
            Self::Array(_) => "START_ARRAY",
            Self::Map(_) => "START_OBJECT",
            Self::Tag(_) => "TAG",
            Self::Boolean(true) => "TRUE_VALUE",
            Self::Boolean(false) => "FALSE_VALUE",
            Self::Null => "NULL_VALUE",
            Self::Break => "BREAK",
        }
    }
}

/// Reads a value from CBOR.
#[derive(Debug)]
pub struct CborReader<'a> {
    rest: &'a [u8],
    member: Option<&'static Member>,
    findings: Findings,
    broken: bool,
}

fn half(bits: u16) -> f64 {
    let exponent = i32::from(bits >> 10 & 0x1f);
    let fraction = f64::from(bits & 0x3ff);
    let magnitude = match exponent {
        0 => fraction * 2_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2_f64.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 { magnitude } else { -magnitude }
}

impl<'a> CborReader<'a> {
    pub fn new(body: &'a [u8]) -> Self {
        Self { rest: body, member: None, findings: Findings::default(), broken: false }
    }

    /// Refuses bytes after the value.
    pub fn finish(&mut self) {
        if !self.broken && !self.rest.is_empty() {
            self.not_cbor();
        }
    }

    pub fn into_violations(self) -> Vec<Violation> {
        self.findings.into_violations()
    }

    fn not_cbor(&mut self) {
        if !self.broken {
            self.broken = true;
            self.findings.malformed("Unable to parse the request body as CBOR");
        }
    }

    fn check<T>(&mut self, result: Read<T>) -> Option<T> {
        if result.is_err() {
            self.not_cbor();
        }
        result.ok()
    }

    fn bytes(&mut self, count: usize) -> Read<&'a [u8]> {
        let (head, tail) = self.rest.split_at_checked(count).ok_or(Broken)?;
        self.rest = tail;
        Ok(head)
    }

    fn unsigned(&mut self, count: usize) -> Read<u64> {
        let bytes = self.bytes(count)?;
        Ok(bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    fn head(&mut self) -> Read<Head> {
        let first = *self.bytes(1)?.first().ok_or(Broken)?;
        let (major, short) = (first >> 5, first & 0x1f);
        if major == 7 {
            return self.simple(short);
        }
        let argument = match short {
            0..24 => Some(u64::from(short)),
            24 => Some(self.unsigned(1)?),
            25 => Some(self.unsigned(2)?),
            26 => Some(self.unsigned(4)?),
            27 => Some(self.unsigned(8)?),
            31 => None,
            _ => return Err(Broken),
        };
        // A length beyond what is left cannot be met; refused before anything is reserved.
        let length = match argument {
            Some(value) => Some(usize::try_from(value).map_err(|_| Broken)?),
            None => None,
        };
        let bounded = |length: Option<usize>, left: usize| match length {
            Some(length) if length > left => Err(Broken),
            other => Ok(other),
        };
        let left = self.rest.len();
        Ok(match major {
            0 => Head::Unsigned(argument.ok_or(Broken)?),
            1 => Head::Negative(argument.ok_or(Broken)?),
            2 => Head::Bytes(bounded(length, left)?),
            3 => Head::Text(bounded(length, left)?),
            4 => Head::Array(bounded(length, left)?),
            5 => Head::Map(bounded(length, left)?),
            _ => Head::Tag(argument.ok_or(Broken)?),
        })
    }

    fn simple(&mut self, short: u8) -> Read<Head> {
        Ok(match short {
            20 => Head::Boolean(false),
            21 => Head::Boolean(true),
            22 | 23 => Head::Null,
            25 => Head::Float(half(u16::try_from(self.unsigned(2)?).map_err(|_| Broken)?)),
            26 => {
                let bits = u32::try_from(self.unsigned(4)?).map_err(|_| Broken)?;
                Head::Float(f64::from(f32::from_bits(bits)))
            }
            27 => Head::Float(f64::from_bits(self.unsigned(8)?)),
            31 => Head::Break,
            _ => return Err(Broken),
        })
    }

    fn peek(&mut self) -> Read<Head> {
        let before = self.rest;
        let head = self.head();
        self.rest = before;
        head
    }

    /// The content of a byte or text string, of either length form.
    fn content(&mut self, length: Option<usize>, text: bool) -> Read<Vec<u8>> {
        if let Some(length) = length {
            return self.bytes(length).map(<[u8]>::to_vec);
        }
        let mut out = Vec::new();
        loop {
            match self.head()? {
                Head::Break => return Ok(out),
                Head::Bytes(Some(length)) if !text => out.extend(self.bytes(length)?),
                Head::Text(Some(length)) if text => out.extend(self.bytes(length)?),
                _ => return Err(Broken),
            }
        }
    }

    fn text(&mut self, length: Option<usize>) -> Read<String> {
        let bytes = self.content(length, true)?;
        String::from_utf8(bytes).map_err(|_| Broken)
    }

    fn skip(&mut self, depth: usize) -> Read<()> {
        if depth > DEPTH_MAX {
            return Err(Broken);
        }
        match self.head()? {
            Head::Bytes(length) => self.content(length, false).map(|_| ()),
            Head::Text(length) => self.content(length, true).map(|_| ()),
            Head::Tag(_) => self.skip(depth + 1),
            Head::Break => Err(Broken),
            Head::Array(length) => self.skip_items(length, 1, depth),
            Head::Map(length) => self.skip_items(length, 2, depth),
            _ => Ok(()),
        }
    }

    fn skip_items(&mut self, length: Option<usize>, each: usize, depth: usize) -> Read<()> {
        let mut left = length;
        while self.another(&mut left)? {
            for _ in 0..each {
                self.skip(depth + 1)?;
            }
        }
        Ok(())
    }

    /// Whether an array or map has another element; takes the break of an indefinite one.
    fn another(&mut self, left: &mut Option<usize>) -> Read<bool> {
        match left {
            Some(0) => Ok(false),
            Some(count) => {
                *count -= 1;
                Ok(true)
            }
            None if self.rest.first() == Some(&0xff) => {
                self.bytes(1)?;
                Ok(false)
            }
            None => Ok(true),
        }
    }

    /// The next item, when it is of the kind; else notes that it is not, and passes over it.
    fn expect<T>(&mut self, wanted: &str, take: impl Fn(Head) -> Option<T>) -> Option<T> {
        if self.broken {
            return None;
        }
        let head = self.peek();
        let head = self.check(head)?;
        if let Some(value) = take(head) {
            let taken = self.head();
            self.check(taken)?;
            return Some(value);
        }
        let skipped = self.skip(0);
        self.check(skipped)?;
        self.findings.malformed(format!("{} can not be converted to {wanted}", head.name()));
        None
    }

    fn enter_deep(&mut self) -> bool {
        let deep = self.findings.is_too_deep();
        if deep {
            self.findings.too_deep();
            self.broken = true;
        }
        !deep
    }

    fn next(&mut self, left: &mut Option<usize>) -> bool {
        let another = self.another(left);
        !self.broken && self.check(another).unwrap_or(false)
    }

    fn null(&mut self) -> bool {
        let found = matches!(self.rest.first(), Some(0xf6 | 0xf7));
        if found {
            let _ = self.bytes(1);
        }
        found
    }

    fn key(&mut self) -> Option<String> {
        let key = match self.head() {
            Ok(Head::Text(length)) => self.text(length),
            _ => Err(Broken),
        };
        self.check(key)
    }

    fn open(&mut self, depth: usize) -> Read<Document> {
        if depth > DEPTH_MAX {
            return Err(Broken);
        }
        Ok(match self.head()? {
            Head::Unsigned(value) => Document::Integer(i64::try_from(value).map_err(|_| Broken)?),
            Head::Negative(value) => Document::Integer(!i64::try_from(value).map_err(|_| Broken)?),
            Head::Text(length) => Document::String(self.text(length)?),
            Head::Boolean(value) => Document::Boolean(value),
            Head::Null => Document::Null,
            // An open value is what JSON can say: no infinity, nothing that is not a number.
            Head::Float(value) if value.is_finite() => Document::Float(value),
            Head::Float(_) => return Err(Broken),
            Head::Tag(_) => self.open(depth + 1)?,
            Head::Bytes(_) | Head::Break => return Err(Broken),
            Head::Array(mut left) => {
                let mut items = Vec::new();
                while self.another(&mut left)? {
                    items.push(self.open(depth + 1)?);
                }
                Document::List(items)
            }
            Head::Map(mut left) => {
                let mut entries = BTreeMap::new();
                while self.another(&mut left)? {
                    let Head::Text(length) = self.head()? else { return Err(Broken) };
                    let key = self.text(length)?;
                    entries.insert(key, self.open(depth + 1)?);
                }
                Document::Map(entries)
            }
        })
    }
}

const fn whole(head: Head) -> Option<i64> {
    match head {
        Head::Unsigned(value) if value <= i64::MAX as u64 => Some(value as i64),
        Head::Negative(value) if value <= i64::MAX as u64 => Some(!(value as i64)),
        _ => None,
    }
}

fn number(head: Head) -> Option<f64> {
    match head {
        Head::Float(value) => Some(value),
        Head::Unsigned(value) => Some(value as f64),
        Head::Negative(value) => Some(-1.0 - value as f64),
        _ => None,
    }
}

impl Reader for CborReader<'_> {
    fn structure(&mut self, structure: &'static Structure, members: &mut [&mut dyn Shape]) {
        let take = |head| if let Head::Map(length) = head { Some(length) } else { None };
        let Some(mut left) = self.expect(structure.name, take) else { return };
        if !self.enter_deep() {
            return;
        }
        let standing = self.member;
        let mut seen = Seen::default();
        while self.next(&mut left) {
            let Some(key) = self.key() else { break };
            if self.null() {
                continue;
            }
            let index = structure.position(&key);
            let row = index.and_then(|index| structure.members.get(index));
            let value = index.and_then(|index| members.get_mut(index));
            match (index, row, value) {
                (Some(index), Some(member), Some(value)) => {
                    seen.insert(index);
                    self.member = Some(member);
                    self.findings.enter(Step::Member(member.name));
                    value.read(self);
                    self.findings.leave();
                }
                _ => {
                    let skipped = self.skip(0);
                    self.check(skipped);
                }
            }
        }
        self.member = standing;
        if !self.broken {
            note_missing(&mut self.findings, structure, &seen, false);
        }
    }

    fn list(&mut self, item: &mut dyn FnMut(&mut dyn Reader)) {
        let take = |head| if let Head::Array(length) = head { Some(length) } else { None };
        let Some(mut left) = self.expect("a list", take) else { return };
        if !self.enter_deep() {
            return;
        }
        let standing = self.member;
        let mut count = 0;
        while self.next(&mut left) {
            if !self.null() {
                count += 1;
                self.member = standing.and_then(element_of);
                self.findings.enter(Step::Element(count));
                item(self);
                self.findings.leave();
            }
        }
        self.member = standing;
    }

    fn map(&mut self, entry: &mut dyn FnMut(String, &mut dyn Reader)) {
        let take = |head| if let Head::Map(length) = head { Some(length) } else { None };
        let Some(mut left) = self.expect("a map", take) else { return };
        if !self.enter_deep() {
            return;
        }
        let standing = self.member;
        while self.next(&mut left) {
            let Some(key) = self.key() else { break };
            if !self.null() {
                self.member = standing.and_then(value_of);
                self.findings.enter(Step::Key(key.clone()));
                entry(key, self);
                self.findings.leave();
            }
        }
        self.member = standing;
    }

    fn string(&mut self) -> String {
        let take = |head| if let Head::Text(length) = head { Some(length) } else { None };
        let Some(length) = self.expect("String", take) else { return String::new() };
        let text = self.text(length);
        self.check(text).unwrap_or_default()
    }

    fn boolean(&mut self) -> bool {
        let take = |head| if let Head::Boolean(value) = head { Some(value) } else { None };
        self.expect("Boolean", take).unwrap_or_default()
    }

    fn integer(&mut self) -> i64 {
        self.expect("Integer", whole).unwrap_or_default()
    }

    fn float(&mut self) -> f64 {
        self.expect("Double", number).unwrap_or_default()
    }

    fn blob(&mut self) -> Vec<u8> {
        let take = |head| if let Head::Bytes(length) = head { Some(length) } else { None };
        let Some(length) = self.expect("ByteBuffer", take) else { return Vec::new() };
        let bytes = self.content(length, false);
        self.check(bytes).unwrap_or_default()
    }

    fn timestamp(&mut self) -> Timestamp {
        let take = |head| (head == Head::Tag(1)).then_some(());
        if self.expect("Timestamp", take).is_none() {
            return Timestamp::default();
        }
        let instant = |head| timestamp::from_seconds(number(head)?);
        self.expect("Timestamp", instant).unwrap_or_default()
    }

    fn document(&mut self) -> Document {
        if self.broken {
            return Document::Null;
        }
        let value = self.open(self.findings.depth());
        self.check(value).unwrap_or_default()
    }

    fn violation(&mut self, violation: Violation) {
        self.findings.note(violation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_values_hold_what_json_can_say() {
        let check = |bytes: &[u8], wanted: Option<Document>| {
            let mut reader = CborReader::new(bytes);
            let found = reader.document();
            let violations = reader.into_violations();
            assert_eq!(violations.is_empty().then_some(found), wanted, "{bytes:x?}");
        };
        check(b"\xfb\x3f\xf8\0\0\0\0\0\0", Some(Document::Float(1.5)));
        check(b"\xf9\x7e\0", None);
        check(b"\xf9\x7c\0", None);
        check(b"\x81\xfb\xff\xff\xff\xf9\0\0\0\0", None);
    }
}
