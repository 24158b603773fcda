use super::tree::Tree;
use crate::base64;
use crate::findings::{Findings, Step, is_streamed, timestamp_format};
use crate::query::{flattened_element_name, is_flattened, wire_or};
use crate::{number, timestamp};
use palisade_shape::{
    Document, Kind, Location, Member, Reader, Shape, Structure, Timestamp, TimestampFormat, Traits,
    Violation,
};

/// Reads a value from a document.
#[derive(Debug)]
pub struct XmlReader<'a> {
    tree: &'a Tree,
    /// The element where the reader stands.
    node: usize,
    /// The elements of a flattened list or map.
    flattened: Vec<usize>,
    /// The value of an attribute, when the reader stands at one.
    attribute: Option<&'a str>,
    member: Option<&'static Member>,
    findings: Findings,
    body_only: bool,
}

impl<'a> XmlReader<'a> {
    /// A reader at the root element.
    pub fn new(tree: &'a Tree, findings: Findings) -> Self {
        Self {
            tree,
            node: 0,
            flattened: Vec::new(),
            attribute: None,
            member: None,
            findings,
            body_only: false,
        }
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

    pub(crate) fn into_findings(self) -> Findings {
        self.findings
    }

    fn text(&self) -> &'a str {
        let node = || self.tree.node(self.node).map(|node| node.text.as_str());
        self.attribute.or_else(node).unwrap_or_default()
    }

    fn parsed<T: Default>(&mut self, parse: impl Fn(&str) -> Option<T>, wanted: &str) -> T {
        // Scalars other than strings may stand among white space.
        parse(self.text().trim()).unwrap_or_else(|| {
            self.findings.malformed(format!("The value is not {wanted}"));
            T::default()
        })
    }

    /// Stands at a member when the document has it.
    fn find(&mut self, parent: usize, member: &'static Member) -> bool {
        if member.traits.has(Traits::XML_ATTRIBUTE) {
            let attributes = self.tree.node(parent).map(|node| node.attributes.as_slice());
            let found =
                attributes.unwrap_or_default().iter().find(|(name, _)| name == member.wire_name());
            self.attribute = found.map(|(_, value)| value.as_str());
            return self.attribute.is_some();
        }
        if is_flattened(member) {
            let own = self.tree.children(parent, member.wire_name());
            self.flattened = own.collect();
            if let (true, Some(name)) = (self.flattened.is_empty(), flattened_element_name(member))
            {
                self.flattened = self.tree.children(parent, name).collect();
            }
            return !self.flattened.is_empty();
        }
        match self.tree.child(parent, member.wire_name()) {
            Some(child) => {
                self.node = child;
                true
            }
            None => false,
        }
    }

    /// The elements of the list or map where the reader stands.
    fn elements(&mut self, name: &'static str) -> Vec<usize> {
        if self.member.is_some_and(is_flattened) {
            std::mem::take(&mut self.flattened)
        } else {
            self.tree.children(self.node, name).collect()
        }
    }
}

impl Reader for XmlReader<'_> {
    fn structure(&mut self, structure: &'static Structure, members: &mut [&mut dyn Shape]) {
        if self.findings.is_too_deep() {
            return self.findings.too_deep();
        }
        let (standing, node) = (self.member, self.node);
        let top = std::mem::take(&mut self.body_only);
        for (member, value) in structure.members.iter().zip(members) {
            if top && member.location != Location::Body {
                continue;
            }
            if self.find(node, member) {
                self.member = Some(member);
                self.findings.enter(Step::Member(member.name));
                value.read(self);
                self.findings.leave();
            } else if member.is_required() && !is_streamed(member) {
                self.findings.missing(member);
            }
            self.attribute = None;
            self.node = node;
        }
        self.member = standing;
    }

    fn list(&mut self, item: &mut dyn FnMut(&mut dyn Reader)) {
        let (standing, node) = (self.member, self.node);
        let Some(Kind::List(list)) = standing.map(|member| &member.target.kind) else { return };
        let elements = self.elements(wire_or(&list.member, "member"));
        self.member = Some(&list.member);
        for (index, element) in elements.into_iter().enumerate() {
            self.node = element;
            self.findings.enter(Step::Element(index + 1));
            item(self);
            self.findings.leave();
        }
        self.member = standing;
        self.node = node;
    }

    fn map(&mut self, entry: &mut dyn FnMut(String, &mut dyn Reader)) {
        let (standing, node) = (self.member, self.node);
        let Some(Kind::Map(map)) = standing.map(|member| &member.target.kind) else { return };
        let elements = self.elements("entry");
        self.member = Some(&map.value);
        for element in elements {
            let key = self.tree.child(element, wire_or(&map.key, "key"));
            let key = key.and_then(|key| self.tree.node(key)).map(|node| node.text.clone());
            let value = self.tree.child(element, wire_or(&map.value, "value"));
            match (key, value) {
                (Some(key), Some(value)) => {
                    self.node = value;
                    self.findings.enter(Step::Key(key.clone()));
                    entry(key, self);
                    self.findings.leave();
                }
                _ => self.findings.malformed("A map's entry has no key or no value"),
            }
        }
        self.member = standing;
        self.node = node;
    }

    fn string(&mut self) -> String {
        self.text().to_owned()
    }

    fn boolean(&mut self) -> bool {
        let parse = |text: &str| match text {
            "true" | "TRUE" | "True" | "1" => Some(true),
            "false" | "FALSE" | "False" | "0" => Some(false),
            _ => None,
        };
        self.parsed(parse, "a boolean")
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

    /// The XML protocols have no documents: the text stands for itself.
    fn document(&mut self) -> Document {
        Document::String(self.string())
    }

    fn violation(&mut self, violation: Violation) {
        self.findings.note(violation);
    }
}
