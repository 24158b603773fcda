//! Which of a service's protocols a request speaks, and which operation it names.

use crate::percent::{self, Place};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use palisade_shape::{Protocol, Service};
use std::borrow::Cow;

/// The protocol of a request, among those of the service. Where nothing in the request tells, it
/// is the service's first.
pub fn protocol_of(
    service: &Service,
    raw_path: &str,
    raw_query: &str,
    headers: &HeaderMap,
) -> Option<Protocol> {
    let has = |protocol: Protocol| service.protocols.contains(&protocol).then_some(protocol);
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let media = media.split(';').next().unwrap_or_default().trim();
    if text("smithy-protocol") == Some("rpc-v2-cbor") || cbor_operation(raw_path).is_some() {
        return has(Protocol::RpcV2Cbor).or_else(|| service.protocols.first().copied());
    }
    let json = match media {
        "application/x-amz-json-1.0" => has(Protocol::Json10).or_else(|| has(Protocol::Json11)),
        "application/x-amz-json-1.1" => has(Protocol::Json11).or_else(|| has(Protocol::Json10)),
        _ if headers.contains_key("x-amz-target") => {
            has(Protocol::Json11).or_else(|| has(Protocol::Json10))
        }
        _ => None,
    };
    let form =
        media == "application/x-www-form-urlencoded" || parameter(raw_query, "Action").is_some();
    let query = || has(Protocol::Query).or_else(|| has(Protocol::Ec2)).filter(|_| form);
    json.or_else(query).or_else(|| service.protocols.first().copied())
}

/// The operation that `X-Amz-Target` names: what follows the last dot.
pub fn target_operation(headers: &HeaderMap) -> Option<&str> {
    let target = headers.get("x-amz-target")?.to_str().ok()?;
    Some(target.rsplit('.').next().unwrap_or(target)).filter(|name| !name.is_empty())
}

/// The prefix of `X-Amz-Target`, which names the service: what precedes the last dot.
pub fn target_prefix(headers: &HeaderMap) -> Option<&str> {
    let target = headers.get("x-amz-target")?.to_str().ok()?;
    target.rsplit_once('.').map(|(prefix, _)| prefix)
}

/// `Action=` of the query protocols, from the query string or a form body.
pub fn query_action<'a>(raw_query: &'a str, body: &'a [u8]) -> Option<Cow<'a, str>> {
    form_parameter(raw_query, body, "Action")
}

/// `Version=` of the query protocols.
pub fn query_version<'a>(raw_query: &'a str, body: &'a [u8]) -> Option<Cow<'a, str>> {
    form_parameter(raw_query, body, "Version")
}

fn form_parameter<'a>(raw_query: &'a str, body: &'a [u8], name: &str) -> Option<Cow<'a, str>> {
    parameter(raw_query, name)
        .or_else(|| std::str::from_utf8(body).ok().and_then(|body| parameter(body, name)))
}

/// The first parameter of that name in a form or query string, decoded.
pub fn parameter<'a>(text: &'a str, name: &str) -> Option<Cow<'a, str>> {
    text.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if percent::decode(key, Place::Form)? != name {
            return None;
        }
        percent::decode(value, Place::Form)
    })
}

/// The service and operation of `/service/<name>/operation/<name>` (Smithy RPC v2 CBOR).
pub fn cbor_operation(raw_path: &str) -> Option<(&str, &str)> {
    let parts: Vec<&str> = raw_path.trim_end_matches('/').rsplitn(5, '/').collect();
    match parts.as_slice() {
        [operation, "operation", service, "service", ..] if !operation.is_empty() => {
            Some((service, operation))
        }
        _ => None,
    }
}
