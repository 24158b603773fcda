//! What the issuers of outbound tokens publish, for whoever is shown one: the discovery document
//! and the keys. Unsigned, at the issuer's own host, and below `/_palisade/issuers/<id>/` for who
//! cannot send that host here.
//!
//! Source: OpenID Connect Discovery 1.0, section 4.

use crate::metrics::Ending;
use crate::pipeline;
use crate::server::Server;
use bytes::Bytes;
use http::request::Parts as Head;
use http::{HeaderValue, Method, Response, StatusCode, header};
use http_body_util::Full;
use palisade_services::caller::Caller;
use palisade_services::context::{Access, Context};
use palisade_services::iam::outbound_federation::{self, DOMAIN};
use palisade_services::sts::web_identity_token;
use palisade_shape::Result;

const PREFIX: &str = "/_palisade/issuers/";
const DISCOVERY: &str = "/.well-known/openid-configuration";
const KEYS: &str = "/.well-known/jwks.json";

/// What a request asks of an issuer, and of which.
struct Asked<'h> {
    issuer: String,
    path: &'h str,
}

/// Whether a request is for an issuer.
pub fn is_for(head: &Head) -> bool {
    asked(head).is_some()
}

fn asked(head: &Head) -> Option<Asked<'_>> {
    let path = head.uri.path();
    if let Some(rest) = path.strip_prefix(PREFIX) {
        let end = rest.find('/').unwrap_or(rest.len());
        let (issuer, path) = rest.split_at_checked(end)?;
        return Some(Asked { issuer: issuer.to_owned(), path });
    }
    let host = pipeline::host(head);
    let host = host.split(':').next().unwrap_or_default();
    host.strip_suffix(DOMAIN).map(|issuer| Asked { issuer: issuer.to_owned(), path })
}

/// Answers a request for which [`is_for`] is true.
pub fn serve(server: &Server, head: &Head) -> (Response<Full<Bytes>>, Ending) {
    let found = match (&head.method, asked(head)) {
        (&Method::GET | &Method::HEAD, Some(asked)) => server.reading(|| document(server, &asked)),
        _ => Ok(None),
    };
    match found {
        Ok(Some(document)) => (response(200, document), Ending::Allowed),
        Ok(None) => {
            let text = "{\"message\":\"There is no such document.\"}".to_owned();
            (response(404, text), Ending::Denied)
        }
        Err(error) => {
            tracing::error!(%error, "an issuer's document cannot be made");
            (response(500, "{}".to_owned()), Ending::Failed)
        }
    }
}

fn document(server: &Server, asked: &Asked<'_>) -> Result<Option<String>> {
    let snapshot = server.plane.store.snapshot();
    let caller = Caller::anonymous();
    let request = crate::first_start::request_of_start(&server.plane);
    let mut cx = Context::new(&server.plane, &caller, &request, Access::Read(&snapshot));
    let found = outbound_federation::published(&mut cx, &asked.issuer)?;
    let Some((account, url)) = found else { return Ok(None) };
    match asked.path {
        DISCOVERY => web_identity_token::discovery(&url).map(Some),
        KEYS => cx.in_account(&account, |cx| web_identity_token::published(cx)).map(Some),
        _ => Ok(None),
    }
}

fn response(status: u16, json: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(json)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // A key that a first token made is wanted at once: verifiers ask again soon.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
    response
}
