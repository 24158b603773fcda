//! From an error to an HTTP response, in each protocol's envelope.

use crate::answer::{Response, is_s3, media_type};
use crate::cbor::CborWriter;
use crate::json::{Dialect, JsonWriter, push_string};
use crate::number;
use crate::sqs::query_code;
use crate::xml::XmlWriter;
use http::header::{HeaderName, RETRY_AFTER};
use palisade_shape::{
    Error, Fault, Kind, Location, Member, Method, Operation, Protocol, Reader, Service, Shape,
    Structure, Timestamp, TimestampFormat, Writer,
};

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const QUERY_ERROR: HeaderName = HeaderName::from_static("x-amzn-query-error");
const HOST_ID: HeaderName = HeaderName::from_static("x-amz-id-2");

/// What only some envelopes have.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extra<'a> {
    /// S3's `<Resource>`: the path that was asked for.
    pub resource: &'a str,
    /// S3's `<HostId>` and `x-amz-id-2`.
    pub host_id: &'a str,
    /// The request was a `HEAD`, whatever the operation: no body.
    pub head: bool,
    /// Seconds until the client should try again; throttling says 1 when none is given.
    pub retry_after_seconds: Option<u32>,
}

/// Writes an error. `operation` is unknown when routing itself failed.
pub fn respond_error(
    protocol: Protocol,
    service: &Service,
    operation: Option<&Operation>,
    error: &Error,
    request_id: &str,
    extra: &Extra<'_>,
) -> Response {
    let mut response = Response::new(protocol, service, error.code.status, request_id);
    response.content_type(media_type(protocol));
    if is_s3(protocol, service) && !extra.host_id.is_empty() {
        response.header(HOST_ID, extra.host_id);
    }
    if let Some(seconds) = retry_after(error, extra) {
        response.header(RETRY_AFTER, &seconds.to_string());
    }
    let has_query = service.protocols.contains(&Protocol::Query);
    match protocol {
        // S3 alone leaves the wrapper away (Smithy, `noErrorWrapping`).
        Protocol::RestXml if service.name == "s3" => {
            response.body = s3(error, request_id, extra);
        }
        Protocol::Query | Protocol::RestXml => {
            response.body = query(service, error, request_id, extra.host_id);
        }
        Protocol::Ec2 => response.body = ec2(error, request_id),
        Protocol::Json10 | Protocol::Json11 => response.body = json(error, error.code.shape),
        Protocol::RestJson => {
            response.body = json(error, "");
        }
        Protocol::RpcV2Cbor => response.body = cbor(service, error),
    }
    // SQS and CloudWatch moved from query: their SDKs still want the old codes.
    if has_query && !matches!(protocol, Protocol::Query | Protocol::Ec2 | Protocol::RestXml) {
        let fault = fault(error);
        let code = query_code(service, error.code);
        response.header(QUERY_ERROR, &format!("{code};{fault}"));
    }
    write_headers(&mut response, protocol, error);
    if protocol == Protocol::RestJson {
        // After the members: some exceptions describe this very header as one of theirs.
        response.header(ERROR_TYPE, error.code.shape);
    }
    if extra.head || operation.is_some_and(|operation| operation.method == Method::Head) {
        response.body.clear();
    }
    response
}

fn fault(error: &Error) -> &'static str {
    match error.code.fault {
        Fault::Sender => "Sender",
        Fault::Receiver => "Receiver",
    }
}

fn is_throttling(error: &Error) -> bool {
    error.code.status == 429
        || ["Throttl", "TooManyRequests", "SlowDown", "RequestLimitExceeded"]
            .iter()
            .any(|word| error.code.code.contains(word))
}

fn retry_after(error: &Error, extra: &Extra<'_>) -> Option<u32> {
    extra.retry_after_seconds.or_else(|| is_throttling(error).then_some(1))
}

/// The exception's members that an error carries as texts.
struct Fields<'a> {
    error: &'a Error,
    structure: &'static Structure,
    /// The envelope has the message already.
    without_message: bool,
}

impl<'a> Fields<'a> {
    fn of(error: &'a Error, without_message: bool) -> Option<Self> {
        let structure = error.code.structure?;
        Some(Self { error, structure, without_message })
    }

    /// Writes names and values without a map around them, and tells how many.
    fn write_entries(&self, writer: &mut CborWriter) -> usize {
        let mut count = 0;
        for member in self.structure.members {
            let field = self.field(member);
            if field.is_present() {
                count += 1;
                writer.string(member.name);
                field.write(writer);
            }
        }
        count
    }

    fn field(&self, member: &'static Member) -> Field<'a> {
        let is_message = member.name.eq_ignore_ascii_case("message");
        let given = self.error.fields.iter().find(|(name, _)| *name == member.name);
        let text = match given {
            Some((_, text)) if !is_message => Some(text.as_str()),
            _ if is_message && !self.without_message => Some(self.error.message.as_ref()),
            _ => None,
        };
        Field { text, kind: &member.target.kind }
    }
}

impl Shape for Fields<'_> {
    fn write(&self, writer: &mut dyn Writer) {
        let fields: Vec<Field<'_>> =
            self.structure.members.iter().map(|member| self.field(member)).collect();
        let members: Vec<&dyn Shape> = fields.iter().map(|field| field as &dyn Shape).collect();
        writer.structure(self.structure, &members);
    }

    fn read(&mut self, _: &mut dyn Reader) {}
}

/// One member as its text: lists and structures cannot be carried so and are left out.
struct Field<'a> {
    text: Option<&'a str>,
    kind: &'static Kind,
}

impl Field<'_> {
    fn timestamp(text: &str) -> Option<Timestamp> {
        crate::timestamp::parse(text, TimestampFormat::DateTime)
            .or_else(|| crate::timestamp::parse(text, TimestampFormat::EpochSeconds))
    }
}

impl Shape for Field<'_> {
    fn write(&self, writer: &mut dyn Writer) {
        let text = self.text.unwrap_or_default();
        match self.kind {
            Kind::Boolean => writer.boolean(text == "true"),
            Kind::Integer(_) | Kind::Long(_) => {
                writer.integer(number::parse_integer(text).unwrap_or_default());
            }
            Kind::Float | Kind::Double => {
                writer.float(number::parse_float(text).unwrap_or_default());
            }
            Kind::Timestamp(_) => writer.timestamp(Self::timestamp(text).unwrap_or_default()),
            Kind::Blob(_) => writer.blob(text.as_bytes()),
            _ => writer.string(text),
        }
    }

    fn read(&mut self, _: &mut dyn Reader) {}

    fn is_present(&self) -> bool {
        let Some(text) = self.text else { return false };
        match self.kind {
            Kind::List(_) | Kind::Map(_) | Kind::Structure(_) | Kind::Document => false,
            Kind::Integer(_) | Kind::Long(_) => number::parse_integer(text).is_some(),
            Kind::Float | Kind::Double => number::parse_float(text).is_some(),
            Kind::Timestamp(_) => Self::timestamp(text).is_some(),
            _ => true,
        }
    }
}

fn has_message(error: &Error) -> bool {
    error.code.structure.is_some_and(|structure| {
        structure.members.iter().any(|member| member.name.eq_ignore_ascii_case("message"))
    })
}

/// `{"__type":"…","message":"…",…}`; without the type where a header has it.
fn json(error: &Error, kind: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    out.push(b'{');
    if !kind.is_empty() {
        out.extend_from_slice(b"\"__type\":");
        push_string(&mut out, kind);
    }
    if !has_message(error) {
        separate(&mut out);
        // AWS's own spelling for the error of its authorization layer.
        let denied = error.code.shape == "AccessDeniedException";
        out.extend_from_slice(if denied { b"\"Message\":" } else { b"\"message\":" });
        push_string(&mut out, &error.message);
    }
    if let Some(fields) = Fields::of(error, false) {
        let mut writer = JsonWriter::new(Dialect::Wire);
        if kind.is_empty() {
            writer = writer.body_only();
        }
        fields.write(&mut writer);
        let inner = writer.into_bytes();
        let inner = inner.get(1..inner.len().saturating_sub(1)).unwrap_or_default();
        if !inner.is_empty() {
            separate(&mut out);
            out.extend_from_slice(inner);
        }
    }
    out.push(b'}');
    out
}

/// A map of `__type`, an absolute shape id, the message and the exception's members.
fn cbor(service: &Service, error: &Error) -> Vec<u8> {
    let mut members = CborWriter::default();
    let mut count = 1;
    members.string("__type");
    members.string(&format!("com.amazonaws.{}#{}", service.name, error.code.shape));
    if !has_message(error) {
        count += 1;
        members.string("message");
        members.string(&error.message);
    }
    if let Some(fields) = Fields::of(error, false) {
        count += fields.write_entries(&mut members);
    }
    let mut writer = CborWriter::default();
    writer.map_head(count);
    writer.raw(&members.into_bytes());
    writer.into_bytes()
}

fn separate(out: &mut Vec<u8>) {
    if out.len() > 1 {
        out.push(b',');
    }
}

fn code_and_message(writer: &mut XmlWriter, code: &str, error: &Error) {
    writer.element("Code", code);
    writer.element("Message", &error.message);
}

fn fields(writer: &mut XmlWriter, error: &Error) {
    if let Some(fields) = Fields::of(error, true) {
        fields.write(writer);
    }
}

fn query(service: &Service, error: &Error, request_id: &str, host_id: &str) -> Vec<u8> {
    let mut writer = XmlWriter::new(false);
    writer.open("ErrorResponse", service.xml_namespace);
    writer.raw("<Error>");
    writer.element("Type", fault(error));
    code_and_message(&mut writer, query_code(service, error.code), error);
    writer.set_body_only();
    fields(&mut writer, error);
    writer.raw("</Error>");
    writer.element("RequestId", request_id);
    if !host_id.is_empty() {
        writer.element("HostId", host_id);
    }
    writer.close("ErrorResponse");
    writer.into_bytes()
}

fn ec2(error: &Error, request_id: &str) -> Vec<u8> {
    let mut writer = XmlWriter::new(true);
    writer.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error>");
    code_and_message(&mut writer, error.code.code, error);
    fields(&mut writer, error);
    writer.raw("</Error></Errors>");
    writer.element("RequestID", request_id);
    writer.close("Response");
    writer.into_bytes()
}

/// S3's document has no namespace. Members that its models do not have (`BucketName`, `Key`) are
/// written as they come, since its clients read them by name.
fn s3(error: &Error, request_id: &str, extra: &Extra<'_>) -> Vec<u8> {
    let mut writer = XmlWriter::new(false);
    writer.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
    code_and_message(&mut writer, error.code.code, error);
    for (name, value) in &error.fields {
        writer.element(name, value);
    }
    if !extra.resource.is_empty() {
        writer.element("Resource", extra.resource);
    }
    writer.element("RequestId", request_id);
    if !extra.host_id.is_empty() {
        writer.element("HostId", extra.host_id);
    }
    writer.close("Error");
    writer.into_bytes()
}

/// Members of an exception that stand in headers (rest protocols).
fn write_headers(response: &mut Response, protocol: Protocol, error: &Error) {
    if !matches!(protocol, Protocol::RestJson | Protocol::RestXml) {
        return;
    }
    let Some(structure) = error.code.structure else { return };
    for member in structure.members.iter().filter(|member| member.location == Location::Header) {
        let value = error.fields.iter().find(|(name, _)| *name == member.name);
        let name = HeaderName::from_bytes(member.wire_name().as_bytes());
        if let (Some((_, value)), Ok(name)) = (value, name) {
            response.header(name, value);
        }
    }
}
