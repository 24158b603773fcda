//! The protocol decoders. Bytes become a request for some operation of some service; a refusal
//! must be a client's error, and what is accepted must survive the store and the wire.

use crate::message::Message;
use crate::trial;
use http::{HeaderMap, Method};
use palisade_model::SERVICES;
use palisade_protocol::dynamic::Dynamic;
use palisade_protocol::{
    Extra, Labels, Parts, Routes, from_json, read_request, respond, respond_error, to_json, trail,
    validate,
};
use palisade_shape::{Operation, Protocol, Service};
use std::collections::BTreeMap;
use std::sync::LazyLock;

type Choice = (&'static Service, &'static Operation);

/// The operations that a protocol's target chooses among: the trial first, then those of the
/// services that speak a protocol of the same family, so that every protocol meets many tables.
pub fn operations(protocol: Protocol) -> &'static [Choice] {
    static ALL: LazyLock<BTreeMap<Protocol, Vec<Choice>>> = LazyLock::new(|| {
        let protocols = [
            Protocol::Query,
            Protocol::Ec2,
            Protocol::Json10,
            Protocol::Json11,
            Protocol::RestJson,
            Protocol::RestXml,
            Protocol::RpcV2Cbor,
        ];
        protocols.into_iter().map(|protocol| (protocol, speakers(protocol))).collect()
    });
    ALL.get(&protocol).map_or(&[], Vec::as_slice)
}

fn speakers(protocol: Protocol) -> Vec<Choice> {
    use Protocol::{Ec2, Json10, Json11, Query, RestJson, RestXml, RpcV2Cbor};
    let family: &[Protocol] = match protocol {
        Query | Ec2 => &[Query, Ec2],
        Json10 | Json11 | RpcV2Cbor => &[Json10, Json11, RpcV2Cbor],
        RestJson => &[RestJson],
        RestXml => &[RestXml],
    };
    let mut choices: Vec<Choice> = vec![(&trial::SERVICE, &trial::OPERATION)];
    for service in SERVICES {
        if service.protocols.iter().any(|spoken| family.contains(spoken)) {
            choices.extend(service.operations.iter().map(|operation| (*service, *operation)));
        }
    }
    choices
}

/// The operation that the first two bytes name, and the bytes behind them.
fn choose(protocol: Protocol, data: &[u8]) -> Option<(Choice, &[u8])> {
    let (number, rest) = data.split_first_chunk::<2>()?;
    let choices = operations(protocol);
    let index = usize::from(u16::from_be_bytes(*number)) % choices.len();
    Some((choices[index], rest))
}

/// Bytes 0 and 1: the operation. Then the query string, LF, the form.
pub fn query(data: &[u8]) {
    form(Protocol::Query, data);
}

/// As [`query`], read by the ec2 protocol's rules.
pub fn ec2(data: &[u8]) {
    form(Protocol::Ec2, data);
}

fn form(protocol: Protocol, data: &[u8]) {
    let Some((choice, rest)) = choose(protocol, data) else { return };
    let line = rest.iter().position(|byte| *byte == b'\n');
    let (raw_query, body) = line.map_or((&[][..], rest), |at| (&rest[..at], &rest[at + 1..]));
    let Ok(raw_query) = std::str::from_utf8(raw_query) else { return };
    body_request(protocol, choice, raw_query, body);
}

/// Byte 0: the protocol's version and half of the operation, byte 1 the other half; then the body.
pub fn json(data: &[u8]) {
    let version = data.first().is_some_and(|byte| byte & 0x80 != 0);
    let protocol = if version { Protocol::Json10 } else { Protocol::Json11 };
    let Some((choice, body)) = choose(protocol, data) else { return };
    body_request(protocol, choice, "", body);
}

/// Bytes 0 and 1: the operation; then the body.
pub fn cbor(data: &[u8]) {
    let Some((choice, body)) = choose(Protocol::RpcV2Cbor, data) else { return };
    body_request(Protocol::RpcV2Cbor, choice, "", body);
}

/// All bytes are the body of a rest-xml request with every kind of member.
pub fn xml(data: &[u8]) {
    body_request(Protocol::RestXml, operations(Protocol::RestXml)[0], "", data);
}

fn body_request(protocol: Protocol, choice: Choice, raw_query: &str, body: &[u8]) {
    let (method, headers) = (Method::POST, HeaderMap::new());
    let parts =
        Parts { method: &method, raw_path: "/", raw_query, headers: &headers, body, labels: &[] };
    check(protocol, choice, &parts);
}

/// Bytes 0 and 1: the operation, unless the path names another; then a [`Message`].
pub fn rest_json(data: &[u8]) {
    rest(Protocol::RestJson, data);
}

/// As [`rest_json`].
pub fn rest_xml(data: &[u8]) {
    rest(Protocol::RestXml, data);
}

fn rest(protocol: Protocol, data: &[u8]) {
    static ROUTES: LazyLock<BTreeMap<&'static str, Routes>> = LazyLock::new(|| {
        let all = SERVICES.iter().copied().chain([&trial::SERVICE]);
        all.map(|service| (service.name, Routes::new(service))).collect()
    });
    let Some(((service, operation), rest)) = choose(protocol, data) else { return };
    let Some(message) = Message::parse(rest) else { return };
    let (Ok(method), headers) =
        (Method::from_bytes(operation.method.name().as_bytes()), message.header_map())
    else {
        return;
    };
    let found = ROUTES[service.name].find(&method, message.path, message.query, &headers);
    // A path that leads nowhere still fills the labels of the chosen operation.
    let (operation, labels) =
        found.unwrap_or_else(|| (operation, labels(operation.uri, message.path)));
    let parts = Parts {
        method: &method,
        raw_path: message.path,
        raw_query: message.query,
        headers: &headers,
        body: message.body,
        labels: &labels,
    };
    check(protocol, (service, operation), &parts);
}

fn labels(template: &'static str, path: &str) -> Labels {
    let names = template.split('{').skip(1).filter_map(|part| part.split('}').next());
    let names = names.map(|name| name.trim_end_matches('+'));
    names.zip(path.split('/').skip(1)).map(|(name, value)| (name, value.to_owned())).collect()
}

fn check(protocol: Protocol, (service, operation): Choice, parts: &Parts<'_>) {
    let mut input = Dynamic::of(operation.input);
    if let Err(error) = read_request(protocol, service, operation, parts, &mut input) {
        assert!((400..500).contains(&error.code.status), "{error}");
        let extra = Extra { resource: parts.raw_path, ..Extra::default() };
        let answer = respond_error(protocol, service, Some(operation), &error, "id", &extra);
        assert_eq!(answer.status, error.code.status);
        return;
    }
    assert_eq!(validate(&input, Vec::new()), [], "accepted although invalid");
    let stored = to_json(&input);
    let mut again = Dynamic::of(operation.input);
    from_json(&stored, &mut again).expect("the store's form is read");
    assert_eq!(again, input, "{}", String::from_utf8_lossy(&stored));
    let mut event = Vec::new();
    trail::write(&mut event, "requestParameters", &input);
    serde_json::from_slice::<serde_json::Value>(&event).expect("the event is JSON");
    if service.name == trial::SERVICE.name {
        check_wire(protocol, &input);
    }
}

/// What the trial operation was sent is what it answers.
fn check_wire(protocol: Protocol, input: &Dynamic) {
    // Answers of the query protocols are XML and no forms.
    if matches!(protocol, Protocol::Query | Protocol::Ec2) {
        return;
    }
    let (service, operation) = (&trial::SERVICE, &trial::OPERATION);
    let answer = respond(protocol, service, operation, input, "id");
    let (method, headers) = (Method::POST, HeaderMap::new());
    let parts = Parts {
        method: &method,
        raw_path: "/",
        raw_query: "",
        headers: &headers,
        body: &answer.body,
        labels: &[],
    };
    let mut again = Dynamic::of(operation.input);
    let text = String::from_utf8_lossy(&answer.body);
    let read = read_request(protocol, service, operation, &parts, &mut again);
    read.unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(&again, input, "{text}");
}
