use super::text_reader::TextReader;
use crate::findings::{Findings, Step, is_streamed};
use crate::json::{Dialect, JsonReader};
use crate::percent::{self, Place};
use crate::request::Parts;
use crate::xml::{self, XmlReader};
use palisade_shape::{
    Document, Kind, Location, Member, Protocol, Reader, Shape, Structure, Timestamp, Violation,
};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Reads the input of a rest operation and tells what is wrong with it.
pub(crate) fn read(protocol: Protocol, parts: &Parts<'_>, input: &mut dyn Shape) -> Vec<Violation> {
    let xml = protocol == Protocol::RestXml;
    let mut reader = RestReader { xml, parts, query: Vec::new(), findings: Findings::default() };
    reader.query = reader.parameters();
    input.read(&mut reader);
    reader.findings.into_violations()
}

struct RestReader<'a> {
    xml: bool,
    parts: &'a Parts<'a>,
    query: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    findings: Findings,
}

impl<'a> RestReader<'a> {
    fn parameters(&mut self) -> Vec<(Cow<'a, str>, Cow<'a, str>)> {
        let mut pairs = Vec::new();
        for pair in self.parts.raw_query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match (percent::decode(name, Place::Form), percent::decode(value, Place::Form)) {
                (Some(name), Some(value)) => pairs.push((name, value)),
                _ => self.findings.malformed("The query string cannot be decoded"),
            }
        }
        pairs
    }

    fn headers(&self, name: &str) -> Vec<String> {
        let text = |value: &http::HeaderValue| match std::str::from_utf8(value.as_bytes()) {
            Ok(text) => text.to_owned(),
            // HTTP's old default: each byte is a character.
            Err(_) => value.as_bytes().iter().map(|byte| char::from(*byte)).collect(),
        };
        self.parts.headers.get_all(name).iter().map(text).collect()
    }

    /// The texts of a member outside the body, when it was sent.
    fn values(&self, member: &'static Member) -> Option<Vec<String>> {
        let name = member.wire_name();
        let values: Vec<String> = match member.location {
            Location::Header => self.headers(name),
            Location::Uri => {
                let labels = self.parts.labels.iter().filter(|(label, _)| *label == name);
                labels.map(|(_, value)| value.clone()).collect()
            }
            Location::Query => {
                let pairs = self.query.iter().filter(|(key, _)| key == name);
                pairs.map(|(_, value)| value.clone().into_owned()).collect()
            }
            _ => Vec::new(),
        };
        let is_text = matches!(member.target.kind, Kind::String(_) | Kind::List(_));
        // `?max-keys=` gives no number: AWS takes it as not given.
        let given = !values.is_empty() && (is_text || values.iter().any(|text| !text.is_empty()));
        given.then_some(values)
    }

    /// Headers under a prefix; for a query map, all parameters that no other member takes.
    fn entries(&self, structure: &'static Structure, member: &'static Member) -> Entries {
        let mut entries: BTreeMap<String, Vec<String>> = BTreeMap::new();
        if member.location == Location::HeaderPrefix {
            let prefix = member.wire.to_ascii_lowercase();
            for name in self.parts.headers.keys() {
                if let Some(rest) = name.as_str().strip_prefix(prefix.as_str()) {
                    entries.insert(rest.to_owned(), self.headers(name.as_str()));
                }
            }
        } else {
            let taken = |key: &str| {
                structure.members.iter().any(|other| {
                    other.location == Location::Query
                        && !matches!(other.target.kind, Kind::Map(_))
                        && other.wire_name() == key
                })
            };
            for (key, value) in self.query.iter().filter(|(key, _)| !taken(key)) {
                entries.entry(key.to_string()).or_default().push(value.to_string());
            }
        }
        entries.into_iter().collect()
    }

    fn bind(
        &mut self,
        structure: &'static Structure,
        member: &'static Member,
        value: &mut dyn Shape,
    ) {
        let (values, entries) = if matches!(member.target.kind, Kind::Map(_)) {
            (None, self.entries(structure, member))
        } else {
            (self.values(member), Entries::new())
        };
        if values.is_none() && entries.is_empty() {
            if member.is_required() && member.location != Location::StatusCode {
                self.findings.missing(member);
            }
            return;
        }
        let findings = std::mem::take(&mut self.findings);
        let mut reader =
            TextReader::new(values.unwrap_or_default(), member, findings).with_entries(entries);
        reader.enter(member);
        value.read(&mut reader);
        self.findings = reader.into_findings();
        self.findings.leave();
    }

    fn payload(&mut self, member: &'static Member, value: &mut dyn Shape) {
        if is_streamed(member) {
            return;
        }
        let raw = matches!(member.target.kind, Kind::Blob(_) | Kind::String(_));
        if self.parts.body.is_empty() && !(raw && member.is_required()) {
            if member.is_required() {
                self.findings.missing(member);
            }
            return;
        }
        self.findings.enter(Step::Member(member.name));
        if raw {
            let findings = std::mem::take(&mut self.findings);
            let mut reader = RawReader { body: self.parts.body, findings };
            value.read(&mut reader);
            self.findings = reader.findings;
        } else {
            self.document(Some(member), &mut |reader| value.read(reader));
        }
        self.findings.leave();
    }

    /// Reads the body as a document of the protocol.
    fn document(
        &mut self,
        payload: Option<&'static Member>,
        read: &mut dyn FnMut(&mut dyn Reader),
    ) {
        let findings = std::mem::take(&mut self.findings);
        self.findings = if self.xml {
            read_xml(self.parts.body, payload, findings, read)
        } else {
            read_json(self.parts.body, payload, findings, read)
        };
    }
}

type Entries = Vec<(String, Vec<String>)>;

fn read_xml(
    body: &[u8],
    payload: Option<&'static Member>,
    mut findings: Findings,
    read: &mut dyn FnMut(&mut dyn Reader),
) -> Findings {
    // A request without a body is one without members.
    let body = if body.is_empty() { b"<Empty/>" } else { body };
    let tree = match xml::parse(body) {
        Ok(tree) => tree,
        Err(reason) => {
            findings.malformed(format!("The XML document is {reason}"));
            return findings;
        }
    };
    let reader = XmlReader::new(&tree, findings);
    let mut reader = match payload {
        Some(member) => reader.at(member),
        None => reader.body_only(),
    };
    read(&mut reader);
    reader.into_findings()
}

fn read_json(
    body: &[u8],
    payload: Option<&'static Member>,
    findings: Findings,
    read: &mut dyn FnMut(&mut dyn Reader),
) -> Findings {
    let body = if body.is_empty() { b"{}" } else { body };
    let reader = JsonReader::new(body, Dialect::Wire).with_findings(findings);
    let mut reader = match payload {
        Some(member) => reader.at(member),
        None => reader.body_only(),
    };
    read(&mut reader);
    reader.finish();
    reader.into_findings()
}

impl Reader for RestReader<'_> {
    fn structure(&mut self, structure: &'static Structure, members: &mut [&mut dyn Shape]) {
        for (member, value) in structure.members.iter().zip(members.iter_mut()) {
            if member.location != Location::Body {
                self.bind(structure, member, &mut **value);
            }
        }
        if let Some(index) = structure.payload {
            if let (Some(member), Some(value)) =
                (structure.members.get(index), members.get_mut(index))
            {
                self.payload(member, &mut **value);
            }
            return;
        }
        let in_body = |member: &Member| member.location == Location::Body && !is_streamed(member);
        if structure.members.iter().any(in_body) {
            self.document(None, &mut |reader| reader.structure(structure, members));
        }
    }

    // The input of an operation is a structure: nothing below is ever asked for.
    fn list(&mut self, _: &mut dyn FnMut(&mut dyn Reader)) {}
    fn map(&mut self, _: &mut dyn FnMut(String, &mut dyn Reader)) {}
    fn string(&mut self) -> String {
        String::new()
    }
    fn boolean(&mut self) -> bool {
        false
    }
    fn integer(&mut self) -> i64 {
        0
    }
    fn float(&mut self) -> f64 {
        0.0
    }
    fn blob(&mut self) -> Vec<u8> {
        Vec::new()
    }
    fn timestamp(&mut self) -> Timestamp {
        Timestamp::default()
    }
    fn document(&mut self) -> Document {
        Document::Null
    }
    fn violation(&mut self, violation: Violation) {
        self.findings.note(violation);
    }
}

/// The whole body as one text or as bytes.
struct RawReader<'a> {
    body: &'a [u8],
    findings: Findings,
}

impl Reader for RawReader<'_> {
    fn structure(&mut self, _: &'static Structure, _: &mut [&mut dyn Shape]) {}
    fn list(&mut self, _: &mut dyn FnMut(&mut dyn Reader)) {}
    fn map(&mut self, _: &mut dyn FnMut(String, &mut dyn Reader)) {}
    fn string(&mut self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap_or_else(|_| {
            self.findings.malformed("The body is not UTF-8");
            String::new()
        })
    }
    fn boolean(&mut self) -> bool {
        false
    }
    fn integer(&mut self) -> i64 {
        0
    }
    fn float(&mut self) -> f64 {
        0.0
    }
    fn blob(&mut self) -> Vec<u8> {
        self.body.to_vec()
    }
    fn timestamp(&mut self) -> Timestamp {
        Timestamp::default()
    }
    fn document(&mut self) -> Document {
        Document::Null
    }
    fn violation(&mut self, violation: Violation) {
        self.findings.note(violation);
    }
}
