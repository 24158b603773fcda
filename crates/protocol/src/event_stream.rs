//! Frames of `application/vnd.amazon.eventstream` (Smithy, "Amazon Event Stream Specification"):
//! a prelude with its checksum, headers, a payload, a checksum over all.

use crate::cbor::CborWriter;
use crate::json::{Dialect, JsonWriter};
use crate::rest::RawWriter;
use crate::xml::XmlWriter;
use palisade_shape::{
    Document, Error, Kind, Member, Protocol, Shape, Structure, Timestamp, Traits, Writer,
};
use std::collections::VecDeque;

/// The greatest frame that is read or written, in bytes (16 MiB of payload and all headers).
pub const FRAME_BYTES_MAX: usize = 16 * 1024 * 1024 + HEADER_BYTES_MAX + OVERHEAD;
/// The greatest sum of all headers of a frame, in bytes.
pub const HEADER_BYTES_MAX: usize = 128 * 1024;
/// Prelude, its checksum, and the frame's.
const OVERHEAD: usize = 16;

/// The value of a frame's header.
#[derive(Clone, Debug, PartialEq)]
pub enum HeaderValue {
    Boolean(bool),
    Byte(i8),
    Short(i16),
    Integer(i32),
    Long(i64),
    Bytes(Vec<u8>),
    String(String),
    Timestamp(Timestamp),
    Uuid([u8; 16]),
}

/// One message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    pub headers: Vec<(String, HeaderValue)>,
    pub payload: Vec<u8>,
}

/// Why bytes are not a frame, or a frame cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// A checksum does not match: the stream is broken and cannot be read on.
    Checksum,
    /// A length contradicts another or exceeds the limits above.
    Length,
    /// A header is cut short, of no known type, or not text where text belongs.
    Header,
}

impl std::fmt::Display for FrameError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Checksum => "event stream checksum mismatch",
            Self::Length => "event stream length out of bounds",
            Self::Header => "event stream header malformed",
        })
    }
}

impl std::error::Error for FrameError {}

impl Frame {
    /// The text of a header.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).and_then(|(_, value)| match value {
            HeaderValue::String(text) => Some(text.as_str()),
            _ => None,
        })
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), HeaderValue::String(value.to_owned())));
        self
    }

    /// The bytes of the frame.
    ///
    /// # Errors
    /// [`FrameError::Header`] for a header too long for its length field, [`FrameError::Length`]
    /// beyond the limits.
    pub fn encode(&self) -> Result<Vec<u8>, FrameError> {
        let mut headers = Vec::new();
        for (name, value) in &self.headers {
            let length = u8::try_from(name.len()).ok().filter(|length| *length > 0);
            headers.push(length.ok_or(FrameError::Header)?);
            headers.extend_from_slice(name.as_bytes());
            push_value(&mut headers, value)?;
        }
        let total = OVERHEAD + headers.len() + self.payload.len();
        if headers.len() > HEADER_BYTES_MAX || total > FRAME_BYTES_MAX {
            return Err(FrameError::Length);
        }
        let length = |value: usize| u32::try_from(value).map_err(|_| FrameError::Length);
        let mut out = Vec::with_capacity(total);
        out.extend(length(total)?.to_be_bytes());
        out.extend(length(headers.len())?.to_be_bytes());
        out.extend(crc32fast::hash(&out).to_be_bytes());
        out.extend_from_slice(&headers);
        out.extend_from_slice(&self.payload);
        out.extend(crc32fast::hash(&out).to_be_bytes());
        Ok(out)
    }
}

fn push_value(out: &mut Vec<u8>, value: &HeaderValue) -> Result<(), FrameError> {
    let mut sized = |kind: u8, bytes: &[u8]| {
        let length = u16::try_from(bytes.len()).map_err(|_| FrameError::Header)?;
        out.push(kind);
        out.extend(length.to_be_bytes());
        out.extend_from_slice(bytes);
        Ok(())
    };
    match value {
        HeaderValue::Bytes(bytes) => return sized(6, bytes),
        HeaderValue::String(text) => return sized(7, text.as_bytes()),
        HeaderValue::Boolean(true) => out.push(0),
        HeaderValue::Boolean(false) => out.push(1),
        HeaderValue::Byte(value) => out.extend([2, value.cast_unsigned()]),
        HeaderValue::Short(value) => {
            out.push(3);
            out.extend(value.to_be_bytes());
        }
        HeaderValue::Integer(value) => {
            out.push(4);
            out.extend(value.to_be_bytes());
        }
        HeaderValue::Long(value) => {
            out.push(5);
            out.extend(value.to_be_bytes());
        }
        HeaderValue::Timestamp(value) => {
            out.push(8);
            out.extend(value.millis().to_be_bytes());
        }
        HeaderValue::Uuid(bytes) => {
            out.push(9);
            out.extend_from_slice(bytes);
        }
    }
    Ok(())
}

/// Takes frames out of bytes as these arrive.
#[derive(Debug, Default)]
pub struct Decoder {
    held: VecDeque<u8>,
}

impl Decoder {
    /// Adds bytes that arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.held.extend(bytes);
    }

    /// Whether bytes are held that are no whole frame: a stream that ends so was cut.
    pub fn is_partial(&self) -> bool {
        !self.held.is_empty()
    }

    /// The next frame, or `None` until more bytes arrive.
    ///
    /// # Errors
    /// After an error the stream cannot be read on.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        if self.held.len() < 12 {
            return Ok(None);
        }
        let prelude: Vec<u8> = self.held.iter().take(12).copied().collect();
        let (lengths, checksum) = prelude.split_at_checked(8).ok_or(FrameError::Length)?;
        if crc32fast::hash(lengths).to_be_bytes() != checksum {
            return Err(FrameError::Checksum);
        }
        let mut cursor = Cursor(lengths);
        let total = usize::try_from(cursor.number(4)?).map_err(|_| FrameError::Length)?;
        let headers = usize::try_from(cursor.number(4)?).map_err(|_| FrameError::Length)?;
        if total > FRAME_BYTES_MAX || headers > HEADER_BYTES_MAX || total < headers + OVERHEAD {
            return Err(FrameError::Length);
        }
        if self.held.len() < total {
            return Ok(None);
        }
        let frame: Vec<u8> = self.held.drain(..total).collect();
        let (content, checksum) = frame.split_at_checked(total - 4).ok_or(FrameError::Length)?;
        if crc32fast::hash(content).to_be_bytes() != checksum {
            return Err(FrameError::Checksum);
        }
        let body = content.get(12..).ok_or(FrameError::Length)?;
        let (headers, payload) = body.split_at_checked(headers).ok_or(FrameError::Length)?;
        Ok(Some(Frame { headers: read_headers(headers)?, payload: payload.to_vec() }))
    }
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], FrameError> {
        let (head, tail) = self.0.split_at_checked(count).ok_or(FrameError::Header)?;
        self.0 = tail;
        Ok(head)
    }

    fn number(&mut self, count: usize) -> Result<u64, FrameError> {
        Ok(self.take(count)?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], FrameError> {
        self.take(N)?.try_into().map_err(|_| FrameError::Header)
    }

    fn sized(&mut self) -> Result<&'a [u8], FrameError> {
        let length = u16::from_be_bytes(self.array()?);
        self.take(usize::from(length))
    }

    fn value(&mut self) -> Result<HeaderValue, FrameError> {
        let [kind] = self.array()?;
        Ok(match kind {
            0 => HeaderValue::Boolean(true),
            1 => HeaderValue::Boolean(false),
            2 => HeaderValue::Byte(i8::from_be_bytes(self.array()?)),
            3 => HeaderValue::Short(i16::from_be_bytes(self.array()?)),
            4 => HeaderValue::Integer(i32::from_be_bytes(self.array()?)),
            5 => HeaderValue::Long(i64::from_be_bytes(self.array()?)),
            6 => HeaderValue::Bytes(self.sized()?.to_vec()),
            7 => HeaderValue::String(utf8(self.sized()?)?),
            8 => HeaderValue::Timestamp(Timestamp::from_millis(i64::from_be_bytes(self.array()?))),
            9 => HeaderValue::Uuid(self.array()?),
            _ => return Err(FrameError::Header),
        })
    }
}

fn utf8(bytes: &[u8]) -> Result<String, FrameError> {
    String::from_utf8(bytes.to_vec()).map_err(|_| FrameError::Header)
}

fn read_headers(bytes: &[u8]) -> Result<Vec<(String, HeaderValue)>, FrameError> {
    let mut cursor = Cursor(bytes);
    let mut headers = Vec::new();
    while !cursor.0.is_empty() {
        let [length] = cursor.array()?;
        if length == 0 {
            return Err(FrameError::Header);
        }
        let name = utf8(cursor.take(usize::from(length))?)?;
        headers.push((name, cursor.value()?));
    }
    Ok(headers)
}

/// One event of a stream: `member` is its row in the stream's table, `value` its structure.
pub fn event(protocol: Protocol, member: &'static Member, value: &dyn Shape) -> Frame {
    let frame = Frame::default().with(":message-type", "event").with(":event-type", member.name);
    let mut writer = EventWriter { protocol, member, frame };
    value.write(&mut writer);
    writer.frame
}

/// The first event of a stream in the RPC protocols: the output's other members. `document` is
/// what the protocol writes for them; the limits above hold it, or the answer is empty.
pub fn initial_response(protocol: Protocol, document: Vec<u8>) -> Vec<u8> {
    let frame = Frame::default()
        .with(":message-type", "event")
        .with(":event-type", "initial-response")
        .with(":content-type", document_type(protocol));
    Frame { payload: document, ..frame }.encode().unwrap_or_default()
}

/// The last event of a stream that failed; `shape` is the exception's member in its table.
pub fn exception(protocol: Protocol, shape: &str, error: &Error) -> Frame {
    let frame = Frame::default()
        .with(":message-type", "exception")
        .with(":exception-type", shape)
        .with(":content-type", document_type(protocol));
    let payload = match protocol {
        Protocol::RestXml | Protocol::Query | Protocol::Ec2 => {
            let mut writer = XmlWriter::new(false);
            writer.raw("<Error>");
            writer.element("message", &error.message);
            writer.close("Error");
            writer.into_bytes()
        }
        Protocol::RpcV2Cbor => {
            let mut writer = CborWriter::default();
            writer.map_head(1);
            writer.string("message");
            writer.string(&error.message);
            writer.into_bytes()
        }
        _ => {
            let mut out = b"{\"message\":".to_vec();
            crate::json::push_string(&mut out, &error.message);
            out.push(b'}');
            out
        }
    };
    Frame { payload, ..frame }
}

const fn document_type(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::RestXml | Protocol::Query | Protocol::Ec2 => "text/xml",
        Protocol::RpcV2Cbor => "application/cbor",
        _ => "application/json",
    }
}

/// Puts an event's members into headers and payload.
struct EventWriter {
    protocol: Protocol,
    member: &'static Member,
    frame: Frame,
}

impl EventWriter {
    fn content_type(&mut self, media: &str) {
        let value = HeaderValue::String(media.to_owned());
        self.frame.headers.push((":content-type".to_owned(), value));
    }

    fn payload(&mut self, member: &'static Member, value: &dyn Shape) {
        match member.target.kind {
            Kind::Blob(_) | Kind::String(_) => {
                let blob = matches!(member.target.kind, Kind::Blob(_));
                let mut raw = RawWriter(Vec::new());
                value.write(&mut raw);
                self.frame.payload = raw.0;
                self.content_type(if blob { "application/octet-stream" } else { "text/plain" });
            }
            _ => self.document(Some(member), value),
        }
    }

    fn document(&mut self, member: Option<&'static Member>, value: &dyn Shape) {
        let member = member.unwrap_or(self.member);
        self.frame.payload = match self.protocol {
            Protocol::RestXml | Protocol::Query | Protocol::Ec2 => {
                let mut writer = XmlWriter::new(false);
                writer.set_member(member, member.target.name);
                value.write(&mut writer);
                writer.into_bytes()
            }
            Protocol::RpcV2Cbor => {
                let mut writer = CborWriter::default();
                value.write(&mut writer);
                writer.into_bytes()
            }
            _ => {
                let mut writer = JsonWriter::new(Dialect::Wire).at(member);
                value.write(&mut writer);
                writer.into_bytes()
            }
        };
        self.content_type(document_type(self.protocol));
    }
}

/// A structure whose members were taken apart already.
struct Parts<'a> {
    structure: &'static Structure,
    members: &'a [&'a dyn Shape],
}

/// Stands for a member that travels in a header.
struct Elsewhere;

impl Shape for Elsewhere {
    fn write(&self, _: &mut dyn Writer) {}
    fn read(&mut self, _: &mut dyn palisade_shape::Reader) {}
    fn is_present(&self) -> bool {
        false
    }
}

impl Shape for Parts<'_> {
    fn write(&self, writer: &mut dyn Writer) {
        writer.structure(self.structure, self.members);
    }
    fn read(&mut self, _: &mut dyn palisade_shape::Reader) {}
}

impl Writer for EventWriter {
    fn structure(&mut self, structure: &'static Structure, members: &[&dyn Shape]) {
        let mut rest: Vec<&dyn Shape> = Vec::with_capacity(members.len());
        let mut payload = None;
        for (member, value) in structure.members.iter().zip(members) {
            if member.traits.has(Traits::EVENT_HEADER) {
                if value.is_present() {
                    let mut header = HeaderWriter { name: member.wire_name(), found: None };
                    value.write(&mut header);
                    self.frame.headers.extend(header.found);
                }
                rest.push(&Elsewhere);
            } else {
                if member.traits.has(Traits::EVENT_PAYLOAD) && value.is_present() {
                    payload = Some((member, *value));
                }
                rest.push(*value);
            }
        }
        match payload {
            Some((member, value)) => self.payload(member, value),
            // An event of headers alone has no payload.
            None if structure.members.is_empty() => {}
            None => self.document(None, &Parts { structure, members: &rest }),
        }
    }

    // An event is a structure: nothing below is ever called.
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

struct HeaderWriter {
    name: &'static str,
    found: Option<(String, HeaderValue)>,
}

impl HeaderWriter {
    fn set(&mut self, value: HeaderValue) {
        self.found = Some((self.name.to_owned(), value));
    }
}

impl Writer for HeaderWriter {
    fn structure(&mut self, _: &'static Structure, _: &[&dyn Shape]) {}
    fn list(&mut self, _: &mut dyn ExactSizeIterator<Item = &dyn Shape>) {}
    fn map(&mut self, _: &mut dyn ExactSizeIterator<Item = (&str, &dyn Shape)>) {}
    fn string(&mut self, value: &str) {
        self.set(HeaderValue::String(value.to_owned()));
    }
    fn boolean(&mut self, value: bool) {
        self.set(HeaderValue::Boolean(value));
    }
    fn integer(&mut self, value: i64) {
        let small = i32::try_from(value).map(HeaderValue::Integer);
        self.set(small.unwrap_or(HeaderValue::Long(value)));
    }
    fn float(&mut self, _: f64) {}
    fn blob(&mut self, value: &[u8]) {
        self.set(HeaderValue::Bytes(value.to_vec()));
    }
    fn timestamp(&mut self, value: Timestamp) {
        self.set(HeaderValue::Timestamp(value));
    }
    fn document(&mut self, _: &Document) {}
}
