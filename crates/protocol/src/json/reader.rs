use super::Dialect;
use super::document;
use super::scan::{Broken, Next, Scanner};
use crate::base64;
use crate::findings::{Findings, Seen, Step, is_streamed, timestamp_format};
use crate::{number, timestamp};
use palisade_shape::{
    Document, Kind, Location, Member, Reader, Shape, Structure, Target, Timestamp, TimestampFormat,
    Violation,
};
use std::borrow::Cow;

/// Reads a value from JSON text.
#[derive(Debug)]
pub struct JsonReader<'a> {
    scanner: Scanner<'a>,
    dialect: Dialect,
    member: Option<&'static Member>,
    findings: Findings,
    /// The text is not JSON: nothing after this is read.
    broken: bool,
    /// Members with another place than the body are read elsewhere (rest-json's top level).
    body_only: bool,
}

impl<'a> JsonReader<'a> {
    /// A reader of a whole text. Text that is not UTF-8 is malformed.
    pub fn new(body: &'a [u8], dialect: Dialect) -> Self {
        let (text, broken) = match std::str::from_utf8(body) {
            Ok(text) => (text, false),
            Err(_) => ("", true),
        };
        let mut reader = Self {
            scanner: Scanner::new(text),
            dialect,
            member: None,
            findings: Findings::default(),
            broken: false,
            body_only: false,
        };
        if broken {
            reader.not_json();
        }
        reader
    }

    /// Leaves the members of the top level alone that stand elsewhere in the HTTP message.
    #[must_use]
    pub fn body_only(mut self) -> Self {
        self.body_only = true;
        self
    }

    /// Stands at a member, for reading a payload.
    #[must_use]
    pub fn at(mut self, member: &'static Member) -> Self {
        self.member = Some(member);
        self
    }

    /// Continues with what another reader of the same request found.
    pub(crate) fn with_findings(mut self, findings: Findings) -> Self {
        let own = std::mem::replace(&mut self.findings, findings);
        for violation in own.into_violations() {
            self.findings.note(violation);
        }
        self
    }

    /// Refuses text after the value.
    pub fn finish(&mut self) {
        if !self.broken && self.scanner.peek() != Next::End {
            self.not_json();
        }
    }

    pub fn into_violations(self) -> Vec<Violation> {
        self.findings.into_violations()
    }

    pub(crate) fn into_findings(self) -> Findings {
        self.findings
    }

    fn not_json(&mut self) {
        if !self.broken {
            self.broken = true;
            self.findings.note(Violation::Malformed {
                path: String::new(),
                reason: "Unable to parse the request body as JSON".into(),
            });
        }
    }

    fn check<T>(&mut self, result: Result<T, Broken>) -> Option<T> {
        if result.is_err() {
            self.not_json();
        }
        result.ok()
    }

    fn skip(&mut self) {
        let result = self.scanner.skip();
        self.check(result);
    }

    /// The value is not of the member's type: says so in Coral's words and passes over it.
    fn wrong_type(&mut self, wanted: &str) {
        let found = match self.scanner.peek() {
            Next::Object => "Start of structure or map found where not expected".into(),
            Next::List => "Start of list found where not expected".into(),
            Next::String => format!("STRING_VALUE can not be converted to {wanted}"),
            Next::Number => format!("NUMBER_VALUE can not be converted to {wanted}"),
            Next::True => format!("TRUE_VALUE can not be converted to {wanted}"),
            Next::False => format!("FALSE_VALUE can not be converted to {wanted}"),
            Next::Null => format!("NULL_VALUE can not be converted to {wanted}"),
            Next::End | Next::Other => return self.not_json(),
        };
        self.skip();
        // What turns out not to be JSON at all is told as that.
        if !self.broken {
            self.findings.malformed(found);
        }
    }

    /// The place of a key, with a guess that keys come in the table's order.
    fn position(&self, members: &[Member], key: &str, guess: usize, top: bool) -> Option<usize> {
        let is = |member: &Member| {
            let name = if self.dialect == Dialect::Wire { member.wire_name() } else { member.name };
            name == key && !(top && member.location != Location::Body)
        };
        match members.get(guess) {
            Some(member) if is(member) => Some(guess),
            _ => members.iter().position(is),
        }
    }

    fn key(&mut self) -> Option<Cow<'a, str>> {
        let key =
            if self.scanner.peek() == Next::String { self.scanner.string() } else { Err(Broken) };
        let key = self.check(key)?;
        let colon = self.scanner.expect(b':');
        self.check(colon)?;
        Some(key)
    }

    /// After a value: whether another follows. The end must be the mark.
    fn more(&mut self, end: u8) -> bool {
        if self.broken {
            return false;
        }
        if self.scanner.take(b',') {
            return true;
        }
        let closed = self.scanner.expect(end);
        self.check(closed);
        false
    }

    /// Takes `null` when it stands next.
    fn null(&mut self) -> bool {
        if self.scanner.peek() != Next::Null {
            return false;
        }
        let word = self.scanner.word("null");
        self.check(word);
        true
    }

    fn members(
        &mut self,
        structure: &'static Structure,
        members: &mut [&mut dyn Shape],
        top: bool,
    ) -> Seen {
        let mut seen = Seen::default();
        let mut guess = 0;
        let mut more = !self.scanner.take(b'}');
        while more {
            let Some(key) = self.key() else { break };
            match self.position(structure.members, &key, guess, top) {
                _ if self.null() => {}
                Some(index) => {
                    guess = index + 1;
                    seen.insert(index);
                    let member = structure.members.get(index);
                    if let (Some(member), Some(value)) = (member, members.get_mut(index)) {
                        self.member = Some(member);
                        self.findings.enter(Step::Member(member.name));
                        value.read(self);
                        self.findings.leave();
                    } else {
                        self.skip();
                    }
                }
                None => self.skip(),
            }
            more = self.more(b'}');
        }
        seen
    }

    fn epoch(&mut self) -> Option<Timestamp> {
        if self.scanner.peek() != Next::Number {
            return None;
        }
        let text = self.scanner.number();
        let text = self.check(text)?;
        timestamp::parse(text, TimestampFormat::EpochSeconds)
    }
}

/// Notes each required member that was not seen.
pub(crate) fn note_missing(
    findings: &mut Findings,
    structure: &'static Structure,
    seen: &Seen,
    top: bool,
) {
    for (index, member) in structure.members.iter().enumerate() {
        let elsewhere = top && member.location != Location::Body;
        if member.is_required() && !elsewhere && !seen.contains(index) && !is_streamed(member) {
            findings.missing(member);
        }
    }
}

impl Reader for JsonReader<'_> {
    fn structure(&mut self, structure: &'static Structure, members: &mut [&mut dyn Shape]) {
        if self.broken {
            return;
        }
        if self.scanner.peek() != Next::Object {
            return self.wrong_type(structure.name);
        }
        if self.findings.is_too_deep() {
            self.findings.too_deep();
            return self.skip();
        }
        self.scanner.take(b'{');
        let top = std::mem::take(&mut self.body_only);
        let standing = self.member;
        let seen = self.members(structure, members, top);
        self.member = standing;
        if !self.broken {
            note_missing(&mut self.findings, structure, &seen, top);
        }
    }

    fn list(&mut self, item: &mut dyn FnMut(&mut dyn Reader)) {
        if self.broken {
            return;
        }
        if self.scanner.peek() != Next::List {
            return self.wrong_type("a list");
        }
        if self.findings.is_too_deep() {
            self.findings.too_deep();
            return self.skip();
        }
        self.scanner.take(b'[');
        let standing = self.member;
        let element = standing.and_then(element_of);
        let mut count = 0;
        let mut more = !self.scanner.take(b']');
        while more {
            if !self.null() {
                count += 1;
                self.member = element;
                self.findings.enter(Step::Element(count));
                item(self);
                self.findings.leave();
            }
            more = self.more(b']');
        }
        self.member = standing;
    }

    fn map(&mut self, entry: &mut dyn FnMut(String, &mut dyn Reader)) {
        if self.broken {
            return;
        }
        if self.scanner.peek() != Next::Object {
            return self.wrong_type("a map");
        }
        if self.findings.is_too_deep() {
            self.findings.too_deep();
            return self.skip();
        }
        self.scanner.take(b'{');
        let standing = self.member;
        let value = standing.and_then(value_of);
        let mut more = !self.scanner.take(b'}');
        while more {
            let Some(key) = self.key() else { break };
            if !self.null() {
                self.member = value;
                let key = key.into_owned();
                self.findings.enter(Step::Key(key.clone()));
                entry(key, self);
                self.findings.leave();
            }
            more = self.more(b'}');
        }
        self.member = standing;
    }

    fn string(&mut self) -> String {
        if self.broken {
            return String::new();
        }
        if self.scanner.peek() != Next::String {
            self.wrong_type("String");
            return String::new();
        }
        let text = self.scanner.string();
        self.check(text).map(Cow::into_owned).unwrap_or_default()
    }

    fn boolean(&mut self) -> bool {
        if self.broken {
            return false;
        }
        let (word, value) = match self.scanner.peek() {
            Next::True => ("true", true),
            Next::False => ("false", false),
            _ => {
                self.wrong_type("Boolean");
                return false;
            }
        };
        let result = self.scanner.word(word);
        self.check(result);
        value
    }

    fn integer(&mut self) -> i64 {
        if self.broken {
            return 0;
        }
        if self.scanner.peek() != Next::Number {
            self.wrong_type("Integer");
            return 0;
        }
        let text = self.scanner.number();
        let Some(text) = self.check(text) else { return 0 };
        match number::parse_integer(text).or_else(|| document::whole_number(text)) {
            Some(value) => value,
            None => {
                self.findings.malformed("NUMBER_VALUE can not be converted to Integer");
                0
            }
        }
    }

    fn float(&mut self) -> f64 {
        if self.broken {
            return 0.0;
        }
        let value = match self.scanner.peek() {
            Next::Number => {
                let text = self.scanner.number();
                self.check(text).and_then(number::parse_float)
            }
            Next::String => {
                let text = self.scanner.string();
                self.check(text).and_then(|text| match text.as_ref() {
                    "NaN" | "Infinity" | "-Infinity" => number::parse_float(&text),
                    _ => None,
                })
            }
            _ => {
                self.wrong_type("Double");
                return 0.0;
            }
        };
        if value.is_none() && !self.broken {
            self.findings.malformed("STRING_VALUE can not be converted to Double");
        }
        value.unwrap_or_default()
    }

    fn blob(&mut self) -> Vec<u8> {
        if self.broken {
            return Vec::new();
        }
        if self.scanner.peek() != Next::String {
            self.wrong_type("ByteBuffer");
            return Vec::new();
        }
        let text = self.scanner.string();
        let Some(text) = self.check(text) else { return Vec::new() };
        base64::decode(&text).unwrap_or_else(|| {
            self.findings.malformed("The value is not valid base64");
            Vec::new()
        })
    }

    fn timestamp(&mut self) -> Timestamp {
        if self.broken {
            return Timestamp::default();
        }
        let format = match self.dialect {
            Dialect::Model => TimestampFormat::EpochSeconds,
            Dialect::Wire => timestamp_format(self.member, TimestampFormat::EpochSeconds),
        };
        let value = match (format, self.scanner.peek()) {
            (TimestampFormat::EpochSeconds, Next::Number) => self.epoch(),
            (TimestampFormat::DateTime | TimestampFormat::HttpDate, Next::String) => {
                let text = self.scanner.string();
                self.check(text).and_then(|text| timestamp::parse(&text, format))
            }
            _ => {
                self.wrong_type("Timestamp");
                return Timestamp::default();
            }
        };
        if value.is_none() && !self.broken {
            self.findings.malformed("The value is not a timestamp");
        }
        value.unwrap_or_default()
    }

    fn document(&mut self) -> Document {
        if self.broken {
            return Document::Null;
        }
        let value = document::read(&mut self.scanner, self.findings.depth());
        self.check(value).unwrap_or_default()
    }

    fn violation(&mut self, violation: Violation) {
        self.findings.note(violation);
    }
}

/// The table row of a list's elements.
pub(crate) fn element_of(member: &'static Member) -> Option<&'static Member> {
    match &member.target.kind {
        Kind::List(list) => Some(&list.member),
        _ => None,
    }
}

/// The table row of a map's values.
pub(crate) fn value_of(member: &'static Member) -> Option<&'static Member> {
    match &member.target.kind {
        Kind::Map(map) => Some(&map.value),
        _ => None,
    }
}

/// Whether the target is a 32-bit float, which prints shorter.
pub(crate) fn is_single(target: Option<&'static Target>) -> bool {
    matches!(target.map(|target| &target.kind), Some(Kind::Float))
}
