use crate::base64;
use crate::findings::timestamp_format;
use crate::json::is_single;
use crate::query::{flattened_element_name, is_flattened, wire_or};
use crate::{number, timestamp};
use palisade_shape::{
    Document, Kind, Location, Member, Shape, Structure, Timestamp, TimestampFormat, Traits, Writer,
    XmlNamespace,
};

/// Writes values as XML elements.
#[derive(Debug)]
pub struct XmlWriter {
    out: Vec<u8>,
    member: Option<&'static Member>,
    /// The element that the next value becomes; empty: its content only.
    name: &'static str,
    /// Scalars become the value of an attribute.
    attribute: bool,
    body_only: bool,
    ec2: bool,
    /// The namespace of the first element, unless the model gives it another.
    root_namespace: &'static str,
}

impl XmlWriter {
    pub fn new(ec2: bool) -> Self {
        let out = Vec::with_capacity(512);
        Self {
            out,
            member: None,
            name: "",
            attribute: false,
            body_only: false,
            ec2,
            root_namespace: "",
        }
    }

    /// Leaves out the members of the top level that stand elsewhere in the HTTP message.
    pub fn set_body_only(&mut self) {
        self.body_only = true;
    }

    /// Stands at a member that is written as an element of this name.
    pub fn set_member(&mut self, member: &'static Member, name: &'static str) {
        self.member = Some(member);
        self.name = name;
    }

    /// Gives the next element a namespace, unless the model gives it another.
    pub fn set_root_namespace(&mut self, uri: &'static str) {
        self.root_namespace = uri;
    }

    /// Names the element that the next value becomes.
    pub fn set_name(&mut self, name: &'static str) {
        self.name = name;
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// Appends text that is XML already.
    pub fn raw(&mut self, xml: &str) {
        self.out.extend_from_slice(xml.as_bytes());
    }

    /// `<name>`, or `<name xmlns="…">`.
    pub fn open(&mut self, name: &str, namespace: &str) {
        self.out.push(b'<');
        self.raw(name);
        if !namespace.is_empty() {
            self.raw(" xmlns=\"");
            push_text(&mut self.out, namespace, true);
            self.out.push(b'"');
        }
        self.out.push(b'>');
    }

    pub fn close(&mut self, name: &str) {
        self.raw("</");
        self.raw(name);
        self.out.push(b'>');
    }

    /// `<name>text</name>`.
    pub fn element(&mut self, name: &str, text: &str) {
        self.open(name, "");
        push_text(&mut self.out, text, false);
        self.close(name);
    }

    fn namespace(&mut self, namespace: &XmlNamespace) {
        self.raw(" xmlns");
        if !namespace.prefix.is_empty() {
            self.out.push(b':');
            self.raw(namespace.prefix);
        }
        self.raw("=\"");
        push_text(&mut self.out, namespace.uri, true);
        self.out.push(b'"');
    }

    /// Opens the element of the current value without its `>`.
    fn start(&mut self, extra: Option<&'static XmlNamespace>) {
        self.out.push(b'<');
        self.raw(self.name);
        let own = self.member.and_then(|member| member.xml_namespace);
        let root = XmlNamespace { prefix: "", uri: std::mem::take(&mut self.root_namespace) };
        match own.or(extra) {
            Some(namespace) => self.namespace(namespace),
            None if !root.uri.is_empty() => self.namespace(&root),
            None => {}
        }
    }

    /// Closes what `start` opened: `/>` when nothing was written since.
    fn finish(&mut self, name: &str, content: usize) {
        if name.is_empty() {
            return;
        }
        if self.out.len() == content {
            self.out.pop();
            self.raw("/>");
        } else {
            self.close(name);
        }
    }

    /// Writes a scalar: text in its element, or alone in an attribute.
    fn scalar(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if self.attribute || self.name.is_empty() {
            return write(&mut self.out);
        }
        let name = self.name;
        self.start(None);
        self.out.push(b'>');
        let content = self.out.len();
        write(&mut self.out);
        self.finish(name, content);
    }

    fn attributes(&mut self, structure: &'static Structure, members: &[&dyn Shape]) {
        for (member, value) in structure.members.iter().zip(members) {
            if member.traits.has(Traits::XML_ATTRIBUTE) && value.is_present() {
                self.out.push(b' ');
                self.raw(member.wire_name());
                self.raw("=\"");
                self.attribute = true;
                self.member = Some(member);
                value.write(self);
                self.attribute = false;
                self.out.push(b'"');
            }
        }
    }
}

/// The element name of a member in an answer.
fn element_name(member: &'static Member) -> &'static str {
    flattened_element_name(member).unwrap_or(member.wire_name())
}

/// Appends text with what XML reserves escaped. Line ends other than `\n` and control characters
/// become references, since parsers change or refuse them (XML 1.0, sections 2.2 and 2.11).
pub(crate) fn push_text(out: &mut Vec<u8>, text: &str, in_attribute: bool) {
    let special = |byte: &u8| {
        matches!(byte, b'<' | b'>' | b'&' | b'"' | 0..=8 | 11..=31 | 0x7f)
            || (in_attribute && matches!(byte, b'\t' | b'\n'))
            // The first bytes of U+0085 and U+2028.
            || matches!(byte, 0xc2 | 0xe2)
    };
    let mut rest = text;
    while let Some(at) = rest.as_bytes().iter().position(special) {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain.as_bytes());
        let mut letters = tail.chars();
        match letters.next() {
            Some('<') => out.extend_from_slice(b"&lt;"),
            Some('>') => out.extend_from_slice(b"&gt;"),
            Some('&') => out.extend_from_slice(b"&amp;"),
            Some('"') => out.extend_from_slice(b"&quot;"),
            Some(letter @ ('\0'..='\u{1f}' | '\u{7f}' | '\u{85}' | '\u{2028}')) => {
                out.extend_from_slice(format!("&#x{:X};", u32::from(letter)).as_bytes());
            }
            Some(letter) => {
                out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            }
            None => break,
        }
        rest = letters.as_str();
    }
    out.extend_from_slice(rest.as_bytes());
}

impl Writer for XmlWriter {
    fn structure(&mut self, structure: &'static Structure, members: &[&dyn Shape]) {
        let (standing, name) = (self.member, self.name);
        let top = std::mem::take(&mut self.body_only);
        if !name.is_empty() {
            self.start(structure.xml_namespace);
            self.attributes(structure, members);
            self.out.push(b'>');
        }
        let content = self.out.len();
        for (member, value) in structure.members.iter().zip(members) {
            let elsewhere = top && member.location != Location::Body;
            if !value.is_present() || elsewhere || member.traits.has(Traits::XML_ATTRIBUTE) {
                continue;
            }
            self.member = Some(member);
            self.name = element_name(member);
            value.write(self);
        }
        self.member = standing;
        self.name = name;
        self.finish(name, content);
    }

    fn list(&mut self, items: &mut dyn ExactSizeIterator<Item = &dyn Shape>) {
        let (standing, name) = (self.member, self.name);
        let Some(Kind::List(list)) = standing.map(|member| &member.target.kind) else { return };
        let flattened = standing.is_some_and(is_flattened);
        let mut content = 0;
        if !flattened {
            self.start(None);
            self.out.push(b'>');
            content = self.out.len();
            let default = if self.ec2 { "item" } else { "member" };
            self.name = wire_or(&list.member, default);
        }
        self.member = Some(&list.member);
        let element = self.name;
        for item in items.filter(|item| item.is_present()) {
            self.name = element;
            item.write(self);
        }
        self.member = standing;
        self.name = name;
        if !flattened {
            self.finish(name, content);
        }
    }

    fn map(&mut self, entries: &mut dyn ExactSizeIterator<Item = (&str, &dyn Shape)>) {
        let (standing, name) = (self.member, self.name);
        let Some(Kind::Map(map)) = standing.map(|member| &member.target.kind) else { return };
        let flattened = standing.is_some_and(is_flattened);
        let mut content = 0;
        if !flattened {
            self.start(None);
            self.out.push(b'>');
            content = self.out.len();
        }
        for (key, value) in entries.filter(|(_, value)| value.is_present()) {
            if flattened {
                self.name = name;
                self.member = standing;
                self.start(None);
                self.out.push(b'>');
            } else {
                self.raw("<entry>");
            }
            self.set_member(&map.key, wire_or(&map.key, "key"));
            self.string(key);
            self.set_member(&map.value, wire_or(&map.value, "value"));
            value.write(self);
            self.close(if flattened { name } else { "entry" });
        }
        self.member = standing;
        self.name = name;
        if !flattened {
            self.finish(name, content);
        }
    }

    fn string(&mut self, value: &str) {
        let in_attribute = self.attribute;
        self.scalar(|out| push_text(out, value, in_attribute));
    }

    fn boolean(&mut self, value: bool) {
        self.scalar(|out| out.extend_from_slice(if value { b"true" } else { b"false" }));
    }

    fn integer(&mut self, value: i64) {
        self.scalar(|out| number::push_integer(out, value));
    }

    fn float(&mut self, value: f64) {
        let single = is_single(self.member.map(|member| member.target));
        self.scalar(|out| number::push_float(out, value, single));
    }

    fn blob(&mut self, value: &[u8]) {
        self.scalar(|out| base64::push(out, value));
    }

    fn timestamp(&mut self, value: Timestamp) {
        let format = timestamp_format(self.member, TimestampFormat::DateTime);
        self.scalar(|out| timestamp::write(out, value, format));
    }

    /// The XML protocols have no documents.
    fn document(&mut self, _: &Document) {
        self.scalar(|_| ());
    }
}
