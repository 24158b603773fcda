//! From an operation's output to an HTTP response.

use crate::cbor::CborWriter;
use crate::event_stream;
use crate::findings::is_event_stream;
use crate::json::{Dialect, JsonWriter};
use crate::rest;
use crate::xml::XmlWriter;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use palisade_shape::{Method, Operation, Protocol, Service, Shape};

/// An HTTP response whose body is complete. Streamed bodies travel beside it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Response {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const SMITHY_PROTOCOL: HeaderName = HeaderName::from_static("smithy-protocol");
pub(crate) const S3_REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");

impl Response {
    pub(crate) fn new(
        protocol: Protocol,
        service: &Service,
        status: u16,
        request_id: &str,
    ) -> Self {
        let mut response = Self { status, headers: HeaderMap::with_capacity(8), body: Vec::new() };
        let name = if is_s3(protocol, service) { S3_REQUEST_ID } else { REQUEST_ID };
        response.header(name, request_id);
        if protocol == Protocol::RpcV2Cbor {
            response.header(SMITHY_PROTOCOL, "rpc-v2-cbor");
        }
        response
    }

    /// Sets a header; a value that no header can hold is left out.
    pub(crate) fn header(&mut self, name: HeaderName, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
    }

    pub(crate) fn content_type(&mut self, value: &'static str) {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static(value));
    }
}

/// S3 and S3 Control have their own names for a request's id and their own error document.
pub(crate) fn is_s3(protocol: Protocol, service: &Service) -> bool {
    protocol == Protocol::RestXml && matches!(service.name, "s3" | "s3control")
}

/// The `Content-Type` of a protocol's documents.
pub(crate) const fn media_type(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Query | Protocol::Ec2 => "text/xml",
        Protocol::Json10 => "application/x-amz-json-1.0",
        Protocol::Json11 => "application/x-amz-json-1.1",
        Protocol::RestJson => "application/json",
        Protocol::RestXml => "application/xml",
        Protocol::RpcV2Cbor => "application/cbor",
    }
}

/// Writes an operation's output.
pub fn respond(
    protocol: Protocol,
    service: &Service,
    operation: &Operation,
    output: &dyn Shape,
    request_id: &str,
) -> Response {
    let mut response = Response::new(protocol, service, operation.status, request_id);
    response.content_type(media_type(protocol));
    match protocol {
        Protocol::Query => response.body = query(service, operation, output, request_id),
        Protocol::Ec2 => response.body = ec2(service, operation, output, request_id),
        Protocol::Json10 | Protocol::Json11 => {
            let mut writer = JsonWriter::new(Dialect::Wire);
            output.write(&mut writer);
            response.body = writer.into_bytes();
        }
        Protocol::RestJson | Protocol::RestXml => {
            rest::write(protocol, service, operation, output, &mut response);
        }
        Protocol::RpcV2Cbor => {
            let mut writer = CborWriter::default();
            output.write(&mut writer);
            response.body = writer.into_bytes();
        }
    }
    let events = operation.output.members.iter().any(is_event_stream);
    if events && !matches!(protocol, Protocol::RestJson | Protocol::RestXml) {
        // Without places outside the body, the members are the stream's first event.
        response.body = event_stream::initial_response(protocol, response.body);
        response.content_type("application/vnd.amazon.eventstream");
    }
    if operation.method == Method::Head {
        response.body.clear();
    }
    response
}

fn query(
    service: &Service,
    operation: &Operation,
    output: &dyn Shape,
    request_id: &str,
) -> Vec<u8> {
    let mut writer = XmlWriter::new(false);
    writer.raw("<");
    writer.raw(operation.name);
    writer.raw("Response xmlns=\"");
    writer.raw(service.xml_namespace);
    writer.raw("\">");
    if operation.result_wrapper.is_empty() {
        output.write(&mut writer);
    } else {
        writer.open(operation.result_wrapper, "");
        output.write(&mut writer);
        writer.close(operation.result_wrapper);
    }
    writer.raw("<ResponseMetadata>");
    writer.element("RequestId", request_id);
    writer.raw("</ResponseMetadata></");
    writer.raw(operation.name);
    writer.raw("Response>");
    writer.into_bytes()
}

fn ec2(service: &Service, operation: &Operation, output: &dyn Shape, request_id: &str) -> Vec<u8> {
    let mut writer = XmlWriter::new(true);
    writer.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<");
    writer.raw(operation.name);
    writer.raw("Response xmlns=\"");
    writer.raw(service.xml_namespace);
    writer.raw("\">");
    writer.element("requestId", request_id);
    output.write(&mut writer);
    writer.raw("</");
    writer.raw(operation.name);
    writer.raw("Response>");
    writer.into_bytes()
}
