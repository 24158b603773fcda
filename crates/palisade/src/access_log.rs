//! Server access logs: what a request leaves for the log of its bucket, once it was answered.

use crate::download::Body;
use crate::pipeline::{Call, host};
use crate::server::Server;
use http::Response;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderMap};
use http::request::Parts as Head;
use palisade_protocol::select::select;
use palisade_services::s3::access_log::{self, Line, Logged};
use std::time::Duration;

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The size of the object that was read or written.
fn object_size(head: &Head, response: &Response<Body>) -> Option<u64> {
    if head.method == http::Method::PUT {
        return length(&head.headers);
    }
    let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
    match range.and_then(|range| range.rsplit_once('/')) {
        Some((_, total)) => total.parse().ok(),
        None => length(response.headers()),
    }
}

/// What came of a call, for its line.
pub struct Ended<'a> {
    pub error: Option<&'a str>,
    pub by_acl: bool,
    pub took: Duration,
}

/// Adds the line of a call to the log of its bucket.
pub fn note(
    server: &Server,
    head: &Head,
    call: &Call,
    response: &Response<Body>,
    (logged, ended): (&Logged, &Ended<'_>),
) {
    let member = |name: &str| select((*call.input).as_shape(), name).into_iter().next();
    let (key, version_id) = (member("Key"), member("VersionId"));
    let uri = head.uri.path_and_query().map_or("/", |uri| uri.as_str());
    let request = &call.request;
    let tls = request.tls.as_ref();
    let status = response.status();
    let done = status.is_success() && key.is_some();
    let line = Line {
        logged,
        at: request.at,
        source_ip: request.source_ip,
        caller: &call.credential.caller,
        request_id: &request.id,
        operation: request.operation,
        method: head.method.as_str(),
        key: key.as_deref(),
        uri,
        version: &format!("{:?}", head.version),
        status: status.as_u16(),
        error: ended.error,
        bytes_sent: length(response.headers()),
        object_size: object_size(head, response).filter(|_| done),
        millis: ended.took.as_millis(),
        referer: request.referer.as_deref(),
        user_agent: request.user_agent.as_deref(),
        version_id: version_id.as_deref(),
        auth_type: call.transfer.signed.as_ref().map(|signed| signed.auth_type),
        cipher_suite: tls.map(|tls| tls.cipher_suite),
        tls: tls.map(|tls| tls.version),
        host: &host(head),
        by_acl: ended.by_acl,
    };
    server.plane.access_logs.add(&logged.bucket, request.at, access_log::format(&line));
}
