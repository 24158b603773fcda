//! From the end of a call to an HTTP answer.

use crate::access_log::{self, Ended};
use crate::authenticate::{self, Offered};
use crate::cors;
use crate::download::{self, Body};
use crate::metrics::Ending;
use crate::outcome::MISSING_TOKEN;
use crate::pipeline::{Call, Outcome};
use crate::route::{self, Route, Target};
use crate::server::Server;
use bytes::Bytes;
use http::request::Parts as Head;
use http::{HeaderValue, Response};
use http_body_util::Full;
use palisade_protocol::{Extra, respond, respond_error};
use palisade_services::context::Request;
use palisade_services::errors::internal;
use palisade_services::transfer::Reply;
use palisade_shape::{Error, Result};

/// Writes the answer, and what it leaves behind.
pub async fn conclude(
    server: &Server,
    head: &Head,
    (route, call): (&Route, &Call),
    mut outcome: Outcome,
    began: std::time::Instant,
) -> (Response<Body>, Ending) {
    let logged = outcome.notes.access_log.take();
    let error = outcome.result.as_ref().err().map(|error| error.code.code);
    let by_acl = outcome.decided.iter().any(|decided| decided.granted);
    let (mut response, ending) = encode(head, route, call, outcome).await;
    if call.service.model.name == "s3" {
        cors::decorate(server, head, response.headers_mut());
        cors::isolate(head, response.headers_mut());
    }
    if let Some(logged) = logged {
        let ended = Ended { error, by_acl, took: began.elapsed() };
        access_log::note(server, head, call, &response, (&logged, &ended));
    }
    (response, ending)
}

/// Writes the outcome of a call.
async fn encode(
    head: &Head,
    route: &Route,
    call: &Call,
    outcome: Outcome,
) -> (Response<Body>, Ending) {
    let request = &call.request;
    let error = match (outcome.result, &route.target) {
        (Ok(output), Target::Here { model, .. }) => {
            let answer = respond(route.protocol, route.model, model, &*output, &request.id);
            match stream(finish(answer, &request.id), outcome.reply, call).await {
                Ok(response) => return (response, Ending::Allowed),
                Err(error) => error,
            }
        }
        (Ok(_), _) => internal("an operation that is not here has answered"),
        (Err(error), _) => error,
    };
    let refusal = refuse(head, route, request, &error);
    (refusal.map(download::whole), ending_of(&error, true))
}

/// The answer with what its call left beside the output.
async fn stream(
    response: Response<Full<Bytes>>,
    reply: Reply,
    call: &Call,
) -> Result<Response<Body>> {
    let mut response = response.map(download::whole);
    if let Some(status) = reply.status.and_then(|code| http::StatusCode::from_u16(code).ok()) {
        *response.status_mut() = status;
    }
    if let Some(content) = reply.content {
        *response.body_mut() = download::body(content, call.server.plane.blobs.clone()).await?;
    }
    Ok(response)
}

fn finish(answer: palisade_protocol::Response, request_id: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    *response.status_mut() = http::StatusCode::from_u16(answer.status).unwrap_or_default();
    *response.headers_mut() = answer.headers;
    if let Ok(id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert("x-palisade-decision", id);
    }
    response
}

/// Refuses a call whose route is known.
pub fn refuse(
    head: &Head,
    route: &Route,
    request: &Request,
    error: &Error,
) -> Response<Full<Bytes>> {
    if let Some(cause) = &error.internal {
        tracing::error!(request = request.id, operation = request.operation, cause, "failed");
    }
    let operation = match &route.target {
        Target::Here { model, .. } => Some(*model),
        Target::NotImplemented { .. } | Target::Unknown { .. } => None,
    };
    let extra = Extra {
        resource: head.uri.path(),
        host_id: if is_s3(route.model) { &request.id } else { "" },
        head: head.method == http::Method::HEAD,
        retry_after_seconds: (error.code.status == 503).then_some(1),
    };
    let answer = respond_error(route.protocol, route.model, operation, error, &request.id, &extra);
    finish(answer, &request.id)
}

/// Only S3's services answer a host id.
fn is_s3(model: &palisade_shape::Service) -> bool {
    matches!(model.name, "s3" | "s3control")
}

/// A request that names no AWS service at all.
pub fn unroutable(server: &Server, head: &Head) -> (Response<Full<Bytes>>, Ending) {
    let error = MISSING_TOKEN.because("Missing Authentication Token");
    (refuse_unread(server, head, &error), Ending::Unproven)
}

/// Refuses a request before its body was looked at, in the protocol that its head speaks; in that
/// of the query services when the head does not tell.
pub fn refuse_unread(server: &Server, head: &Head, error: &Error) -> Response<Full<Bytes>> {
    let fields = authenticate::fields(head);
    let offered = Offered::read(head, &fields);
    let form = route::form(head, &[]);
    let route = server.router.find(head, form.as_ref(), offered.signing_name());
    let (protocol, model) = match &route {
        Some(route) => (route.protocol, route.model),
        None => (palisade_shape::Protocol::Query, &palisade_model::sts::SERVICE),
    };
    let id = palisade_services::random::uuid(&*server.plane.random);
    let extra = Extra {
        resource: head.uri.path(),
        host_id: if is_s3(model) { &id } else { "" },
        head: head.method == http::Method::HEAD,
        retry_after_seconds: (error.code.status == 503).then_some(1),
    };
    finish(respond_error(protocol, model, None, error, &id, &extra), &id)
}

/// How a refused request counts.
pub fn ending_of(error: &Error, proven: bool) -> Ending {
    match error.code.status {
        // A service that is not there is refused, not failed.
        500.. if error.code.status != 501 => Ending::Failed,
        _ if !proven => Ending::Unproven,
        _ => Ending::Denied,
    }
}
