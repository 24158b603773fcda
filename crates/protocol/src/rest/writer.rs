use super::text_writer::TextWriter;
use crate::answer::{Response, media_type};
use crate::findings::is_streamed;
use crate::json::{Dialect, JsonWriter};
use crate::s3;
use crate::xml::XmlWriter;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use palisade_shape::{
    Document, Kind, Location, Member, Operation, Protocol, Service, Shape, Structure, Timestamp,
    Writer,
};

/// Writes the output of a rest operation into a response that has its status and ids already.
pub(crate) fn write(
    protocol: Protocol,
    service: &Service,
    operation: &Operation,
    output: &dyn Shape,
    response: &mut Response,
) {
    response.headers.remove(CONTENT_TYPE);
    let mut writer = RestWriter { protocol, service, operation, response };
    output.write(&mut writer);
}

struct RestWriter<'a> {
    protocol: Protocol,
    service: &'a Service,
    operation: &'a Operation,
    response: &'a mut Response,
}

impl RestWriter<'_> {
    fn bind(&mut self, member: &'static Member, value: &dyn Shape) {
        if member.location == Location::StatusCode {
            let mut status = StatusWriter(None);
            value.write(&mut status);
            if let Some(status) = status.0.and_then(|status| u16::try_from(status).ok()) {
                self.response.status = status;
            }
            return;
        }
        let mut writer = TextWriter::new(member);
        value.write(&mut writer);
        if !writer.absent {
            self.header(member.wire_name(), &writer.text);
        }
        for (key, text) in &writer.entries {
            self.header(&format!("{}{key}", member.wire), text);
        }
    }

    /// A name or value that no header can hold is left out.
    fn header(&mut self, name: &str, value: &[u8]) {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
            self.response.headers.insert(name, value);
        }
    }

    fn default_type(&mut self, media: &'static str) {
        let headers = &mut self.response.headers;
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(media));
    }

    fn payload(&mut self, member: &'static Member, value: &dyn Shape) {
        if is_streamed(member) {
            let events = matches!(member.target.kind, Kind::Structure(_));
            let events_type = "application/vnd.amazon.eventstream";
            self.default_type(if events { events_type } else { "application/octet-stream" });
            return;
        }
        if !value.is_present() {
            return;
        }
        match member.target.kind {
            Kind::Blob(_) | Kind::String(_) => {
                let blob = matches!(member.target.kind, Kind::Blob(_));
                let mut raw = RawWriter(Vec::new());
                value.write(&mut raw);
                self.response.body = raw.0;
                self.default_type(if blob { "application/octet-stream" } else { "text/plain" });
            }
            _ if self.protocol == Protocol::RestXml => self.xml_payload(member, value),
            _ => {
                let mut writer = JsonWriter::new(Dialect::Wire).at(member);
                value.write(&mut writer);
                self.response.body = writer.into_bytes();
                self.default_type(media_type(self.protocol));
            }
        }
    }

    fn xml_payload(&mut self, member: &'static Member, value: &dyn Shape) {
        let name = match &member.target.kind {
            Kind::Structure(structure) if member.wire.is_empty() => root_name(structure),
            _ => member.wire_name(),
        };
        let mut writer = self.xml_writer();
        writer.set_member(member, name);
        value.write(&mut writer);
        self.response.body = writer.into_bytes();
        self.default_type(media_type(self.protocol));
    }

    fn xml_writer(&self) -> XmlWriter {
        let mut writer = XmlWriter::new(false);
        writer.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        writer.set_root_namespace(s3::namespace(self.service));
        writer
    }

    fn xml_document(&mut self, structure: &'static Structure, members: &[&dyn Shape]) {
        let mut writer = self.xml_writer();
        let name = s3::root_name(self.service, self.operation);
        let name = name.unwrap_or_else(|| root_name(structure));
        if s3::is_unwrapped(self.service, self.operation) {
            s3::location_constraint(&mut writer, name, members);
        } else {
            writer.set_name(name);
            writer.set_body_only();
            writer.structure(structure, members);
        }
        self.response.body = writer.into_bytes();
        self.default_type(media_type(self.protocol));
    }
}

fn root_name(structure: &'static Structure) -> &'static str {
    if structure.xml_name.is_empty() { structure.name } else { structure.xml_name }
}

impl Writer for RestWriter<'_> {
    fn structure(&mut self, structure: &'static Structure, members: &[&dyn Shape]) {
        for (member, value) in structure.members.iter().zip(members) {
            if member.location != Location::Body && value.is_present() {
                self.bind(member, *value);
            }
        }
        if let Some(index) = structure.payload {
            if let (Some(member), Some(value)) = (structure.members.get(index), members.get(index))
            {
                self.payload(member, *value);
            }
            return;
        }
        let in_body = |member: &Member| member.location == Location::Body;
        if !structure.members.iter().any(in_body) {
            return;
        }
        if self.protocol == Protocol::RestXml {
            return self.xml_document(structure, members);
        }
        let mut writer = JsonWriter::new(Dialect::Wire).body_only();
        writer.structure(structure, members);
        self.response.body = writer.into_bytes();
        self.default_type(media_type(self.protocol));
    }

    // The output of an operation is a structure: nothing below is ever called.
    fn list(&mut self, _: &mut dyn ExactSizeIterator<Item = &dyn Shape>) {}
    fn map(&mut self, _: &mut dyn ExactSizeIterator<Item = (&str, &dyn Shape)>) {}
    fn string(&mut self, _: &str) {}
    fn boolean(&mut self, _: bool) {}
    fn integer(&mut self, _: i64) {}
    fn float(&mut self, _: f64) {}
    fn blob(&mut self, _: &[u8]) {}
    fn timestamp(&mut self, _: Timestamp) {}
    fn document(&mut self, _: &Document) {}
}

/// Takes a number out of a member.
struct StatusWriter(Option<i64>);

impl Writer for StatusWriter {
    fn structure(&mut self, _: &'static Structure, _: &[&dyn Shape]) {}
    fn list(&mut self, _: &mut dyn ExactSizeIterator<Item = &dyn Shape>) {}
    fn map(&mut self, _: &mut dyn ExactSizeIterator<Item = (&str, &dyn Shape)>) {}
    fn string(&mut self, _: &str) {}
    fn boolean(&mut self, _: bool) {}
    fn integer(&mut self, value: i64) {
        self.0 = Some(value);
    }
    fn float(&mut self, _: f64) {}
    fn blob(&mut self, _: &[u8]) {}
    fn timestamp(&mut self, _: Timestamp) {}
    fn document(&mut self, _: &Document) {}
}

/// Takes bytes or text as they are.
pub(crate) struct RawWriter(pub Vec<u8>);

impl Writer for RawWriter {
    fn structure(&mut self, _: &'static Structure, _: &[&dyn Shape]) {}
    fn list(&mut self, _: &mut dyn ExactSizeIterator<Item = &dyn Shape>) {}
    fn map(&mut self, _: &mut dyn ExactSizeIterator<Item = (&str, &dyn Shape)>) {}
    fn string(&mut self, value: &str) {
        self.0 = value.as_bytes().to_vec();
    }
    fn boolean(&mut self, _: bool) {}
    fn integer(&mut self, _: i64) {}
    fn float(&mut self, _: f64) {}
    fn blob(&mut self, value: &[u8]) {
        self.0 = value.to_vec();
    }
    fn timestamp(&mut self, _: Timestamp) {}
    fn document(&mut self, _: &Document) {}
}
