//! From an HTTP request to an operation's input.

use crate::cbor::CborReader;
use crate::json::{Dialect, JsonReader};
use crate::query::{Form, QueryReader};
use crate::refusal::{self, refuse};
use crate::rest;
use crate::validate::validate;
use http::HeaderMap;
use palisade_shape::{Operation, Protocol, Result, Service, Shape, Violation};

/// The labels of a path, decoded, by their names in the model.
pub type Labels = Vec<(&'static str, String)>;

/// An HTTP request whose body is complete.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    pub method: &'a http::Method,
    /// As sent, still percent-encoded.
    pub raw_path: &'a str,
    /// As sent, without the question mark.
    pub raw_query: &'a str,
    pub headers: &'a HeaderMap,
    /// Empty where the operation streams its body.
    pub body: &'a [u8],
    /// What the route found (rest protocols), else empty.
    pub labels: &'a [(&'static str, String)],
}

/// Reads and checks the input of an operation. The error is the one AWS answers in that protocol;
/// members and parameters that the model does not know are ignored.
pub fn read_request(
    protocol: Protocol,
    service: &Service,
    operation: &Operation,
    parts: &Parts<'_>,
    input: &mut dyn Shape,
) -> Result<()> {
    let found = match protocol {
        Protocol::Query | Protocol::Ec2 => {
            return read_form(protocol, service, operation, &form(parts)?, input);
        }
        Protocol::Json10 | Protocol::Json11 => read_json(parts, input),
        Protocol::RestJson | Protocol::RestXml => rest::read(protocol, parts, input),
        Protocol::RpcV2Cbor => read_cbor(parts, input),
    };
    accept(protocol, service, operation, found, input)
}

/// Reads a request of a query protocol whose parameters were read already.
pub fn read_form(
    protocol: Protocol,
    service: &Service,
    operation: &Operation,
    form: &Form<'_>,
    input: &mut dyn Shape,
) -> Result<()> {
    let mut reader = QueryReader::new(form, protocol == Protocol::Ec2);
    input.read(&mut reader);
    accept(protocol, service, operation, reader.into_violations(), input)
}

/// Refuses what could not be read, and what was read and breaks the model's constraints.
fn accept(
    protocol: Protocol,
    service: &Service,
    operation: &Operation,
    found: Vec<Violation>,
    input: &dyn Shape,
) -> Result<()> {
    let malformed = found.iter().any(|found| matches!(found, Violation::Malformed { .. }));
    // What could not be read has no value to check.
    let violations = if malformed { found } else { validate(input, found) };
    if violations.is_empty() {
        return Ok(());
    }
    Err(refuse(protocol, service, operation, &violations))
}

fn form<'a>(parts: &Parts<'a>) -> Result<Form<'a>> {
    let mut form = Form::default();
    let broken = || refusal::MALFORMED_QUERY_STRING.because("The query string is malformed.");
    let body = std::str::from_utf8(parts.body).map_err(|_| broken())?;
    form.add(parts.raw_query).ok_or_else(broken)?;
    form.add(body).ok_or_else(broken)?;
    Ok(form)
}

/// A request without a body is one without members: old SDKs send none for empty inputs.
fn read_json(parts: &Parts<'_>, input: &mut dyn Shape) -> Vec<Violation> {
    let body = if parts.body.is_empty() { b"{}" } else { parts.body };
    let mut reader = JsonReader::new(body, Dialect::Wire);
    input.read(&mut reader);
    reader.finish();
    reader.into_violations()
}

/// A request without a body is one without members, as the protocol says.
fn read_cbor(parts: &Parts<'_>, input: &mut dyn Shape) -> Vec<Violation> {
    let body = if parts.body.is_empty() { b"\xa0" } else { parts.body };
    let mut reader = CborReader::new(body);
    input.read(&mut reader);
    reader.finish();
    reader.into_violations()
}
