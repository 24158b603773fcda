//! The query protocols' requests: `Action=CreateUser&UserName=app&Tags.member.1.Key=…`, and EC2's
//! variant of it. Parameters that the table does not know are ignored, as AWS does.

use crate::base64;
use crate::findings::{Findings, Step, timestamp_format};
use crate::number;
use crate::percent::{self, Place};
use crate::timestamp;
use palisade_shape::{
    Document, Kind, Member, Reader, Shape, Structure, Target, Timestamp, TimestampFormat, Traits,
    Violation,
};
use std::borrow::Cow;

/// More parameters than this are refused: no API takes as many.
const PARAMETERS_MAX: usize = 20_000;

/// The parameters of a form, sorted by name; of equal names the first counts.
#[derive(Debug, Default)]
pub struct Form<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Form<'a> {
    /// Adds the parameters of one text. `None` when it is not a form: an escape is broken, a name
    /// or value is not UTF-8, or there are too many.
    pub fn add(&mut self, text: &'a str) -> Option<()> {
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            if self.pairs.len() >= PARAMETERS_MAX {
                return None;
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = percent::decode(name, Place::Form)?;
            self.pairs.push((name, percent::decode(value, Place::Form)?));
        }
        self.pairs.sort_by(|left, right| left.0.cmp(&right.0));
        Some(())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        let index = self.pairs.partition_point(|(key, _)| key.as_ref() < name);
        let (key, value) = self.pairs.get(index)?;
        (key == name).then(|| value.as_ref())
    }

    /// All parameters, by name.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// The parameters whose names begin with a prefix.
    fn under(&self, prefix: &str) -> &[(Cow<'a, str>, Cow<'a, str>)] {
        let start = self.pairs.partition_point(|(key, _)| key.as_ref() < prefix);
        let tail = self.pairs.get(start..).unwrap_or_default();
        let length = tail.partition_point(|(key, _)| key.starts_with(prefix));
        tail.get(..length).unwrap_or_default()
    }

    fn has_under(&self, prefix: &str) -> bool {
        let start = self.pairs.partition_point(|(key, _)| key.as_ref() < prefix);
        self.pairs.get(start).is_some_and(|(key, _)| key.starts_with(prefix))
    }
}

/// Reads a value from a form.
#[derive(Debug)]
pub struct QueryReader<'a> {
    form: &'a Form<'a>,
    ec2: bool,
    /// The name of the parameter where the reader stands.
    key: String,
    member: Option<&'static Member>,
    findings: Findings,
}

impl<'a> QueryReader<'a> {
    pub fn new(form: &'a Form<'a>, ec2: bool) -> Self {
        let key = String::with_capacity(64);
        Self { form, ec2, key, member: None, findings: Findings::default() }
    }

    pub fn into_violations(self) -> Vec<Violation> {
        self.findings.into_violations()
    }

    /// Appends a step to the parameter's name and tells where to cut it off again.
    fn push(&mut self, name: &str) -> usize {
        let length = self.key.len();
        if length > 0 {
            self.key.push('.');
        }
        self.key.push_str(name);
        length
    }

    fn push_number(&mut self, number: u32) -> usize {
        let length = self.push("");
        let mut digits = Vec::with_capacity(10);
        number::push_unsigned(&mut digits, u64::from(number));
        self.key.extend(digits.iter().map(|digit| char::from(*digit)));
        length
    }

    /// Whether anything of the value where the reader stands was sent.
    fn is_sent(&mut self, target: &'static Target) -> bool {
        let exact = self.form.get(&self.key).is_some();
        match target.kind {
            Kind::List(_) | Kind::Map(_) | Kind::Structure(_) => {
                exact || {
                    self.key.push('.');
                    let found = self.form.has_under(&self.key);
                    self.key.pop();
                    found
                }
            }
            _ => exact,
        }
    }

    /// Stands at a member when it was sent, under whichever of its names.
    fn find(&mut self, member: &'static Member) -> Option<usize> {
        let length = if self.ec2 {
            let name =
                if member.query_name.is_empty() { member.wire_name() } else { member.query_name };
            let length = self.push("");
            push_upper_camel(&mut self.key, name);
            length
        } else {
            self.push(member.wire_name())
        };
        if self.is_sent(member.target) {
            return Some(length);
        }
        self.key.truncate(length);
        // A flattened list may go by the name of its elements (`locationName` of the member).
        if let (false, Some(name)) = (self.ec2, flattened_element_name(member)) {
            self.push(name);
            if self.is_sent(member.target) {
                return Some(length);
            }
            self.key.truncate(length);
        }
        None
    }

    fn text(&mut self) -> &'a str {
        self.form.get(&self.key).unwrap_or_default()
    }

    fn parsed<T: Default>(&mut self, parse: impl Fn(&str) -> Option<T>, wanted: &str) -> T {
        let text = self.text();
        parse(text).unwrap_or_else(|| {
            self.findings.malformed(format!("{} must be {wanted}", self.key));
            T::default()
        })
    }

    /// The numbers that stand next in the names below the key, in order.
    fn numbers(&mut self) -> Vec<u32> {
        self.key.push('.');
        let below = self.form.under(&self.key);
        let mut numbers: Vec<u32> = Vec::new();
        let mut broken = false;
        for (name, _) in below {
            let rest = name.get(self.key.len()..).unwrap_or_default();
            let digits = rest.split('.').next().unwrap_or_default();
            match digits.parse::<u32>() {
                Ok(number) if numbers.last() == Some(&number) => {}
                Ok(number) => numbers.push(number),
                Err(_) => broken = true,
            }
        }
        self.key.pop();
        if broken {
            self.findings.malformed(format!("{} must be followed by numbers", self.key));
        }
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }
}

fn push_upper_camel(out: &mut String, name: &str) {
    let mut letters = name.chars();
    if let Some(first) = letters.next() {
        out.push(first.to_ascii_uppercase());
        out.push_str(letters.as_str());
    }
}

/// Whether a list or map has no element around it.
pub(crate) fn is_flattened(member: &Member) -> bool {
    member.traits.has(Traits::FLATTENED)
        || match &member.target.kind {
            Kind::List(list) => list.flattened,
            Kind::Map(map) => map.flattened,
            _ => false,
        }
}

/// The name that the model gives the elements of a flattened list.
pub(crate) fn flattened_element_name(member: &'static Member) -> Option<&'static str> {
    match &member.target.kind {
        Kind::List(list) if is_flattened(member) && !list.member.wire.is_empty() => {
            Some(list.member.wire)
        }
        _ => None,
    }
}

/// `default` unless the model names it.
pub(crate) fn wire_or(member: &'static Member, default: &'static str) -> &'static str {
    if member.wire.is_empty() { default } else { member.wire }
}

impl Reader for QueryReader<'_> {
    fn structure(&mut self, structure: &'static Structure, members: &mut [&mut dyn Shape]) {
        if self.findings.is_too_deep() {
            return self.findings.too_deep();
        }
        let standing = self.member;
        for (member, value) in structure.members.iter().zip(members) {
            match self.find(member) {
                Some(length) => {
                    self.member = Some(member);
                    self.findings.enter(Step::Member(member.name));
                    value.read(self);
                    self.findings.leave();
                    self.key.truncate(length);
                }
                None if member.is_required() => self.findings.missing(member),
                None => {}
            }
        }
        self.member = standing;
    }

    fn list(&mut self, item: &mut dyn FnMut(&mut dyn Reader)) {
        let standing = self.member;
        let Some(Kind::List(list)) = standing.map(|member| &member.target.kind) else { return };
        let outer = self.key.len();
        if !self.ec2 && !standing.is_some_and(is_flattened) {
            self.push(wire_or(&list.member, "member"));
        }
        self.member = Some(&list.member);
        for (index, number) in self.numbers().into_iter().enumerate() {
            let length = self.push_number(number);
            self.findings.enter(Step::Element(index + 1));
            item(self);
            self.findings.leave();
            self.key.truncate(length);
        }
        self.key.truncate(outer);
        self.member = standing;
    }

    fn map(&mut self, entry: &mut dyn FnMut(String, &mut dyn Reader)) {
        let standing = self.member;
        let Some(Kind::Map(map)) = standing.map(|member| &member.target.kind) else { return };
        let outer = self.key.len();
        if !standing.is_some_and(is_flattened) {
            self.push("entry");
        }
        self.member = Some(&map.value);
        for number in self.numbers() {
            let length = self.push_number(number);
            let within = self.push(wire_or(&map.key, "key"));
            let key = self.form.get(&self.key).map(str::to_owned);
            self.key.truncate(within);
            self.push(wire_or(&map.value, "value"));
            match key {
                Some(key) => {
                    self.findings.enter(Step::Key(key.clone()));
                    entry(key, self);
                    self.findings.leave();
                }
                None => self.findings.malformed(format!("{} has no key", self.key)),
            }
            self.key.truncate(length);
        }
        self.key.truncate(outer);
        self.member = standing;
    }

    fn string(&mut self) -> String {
        self.text().to_owned()
    }

    fn boolean(&mut self) -> bool {
        let parse = |text: &str| {
            if text.eq_ignore_ascii_case("true") {
                Some(true)
            } else if text.eq_ignore_ascii_case("false") {
                Some(false)
            } else {
                None
            }
        };
        self.parsed(parse, "true or false")
    }

    fn integer(&mut self) -> i64 {
        self.parsed(number::parse_integer, "an integer")
    }

    fn float(&mut self) -> f64 {
        self.parsed(number::parse_float, "a number")
    }

    fn blob(&mut self) -> Vec<u8> {
        self.parsed(base64::decode, "base64")
    }

    fn timestamp(&mut self) -> Timestamp {
        let format = timestamp_format(self.member, TimestampFormat::DateTime);
        self.parsed(|text| timestamp::parse(text, format), "a timestamp")
    }

    /// The query protocols have no documents: the text stands for itself.
    fn document(&mut self) -> Document {
        Document::String(self.string())
    }

    fn violation(&mut self, violation: Violation) {
        self.findings.note(violation);
    }
}
