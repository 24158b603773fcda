//! S3's part in cross-origin requests: preflights are answered by the bucket's rules, and answers
//! tell a page's browser what it may read.

use crate::download::{self, Body};
use crate::first_start::request_of_start;
use crate::metrics::Ending;
use crate::reply;
use crate::s3_address;
use crate::server::Server;
use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION,
    CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, ORIGIN, VARY,
};
use http::request::Parts as Head;
use http::{Method, Response};
use http_body_util::Full;
use palisade_services::caller::Caller;
use palisade_services::context::{Access, Context};
use palisade_services::s3::cors::{self, Allowed};
use palisade_shape::{Error, ErrorCode, Result};

static ACCESS_FORBIDDEN: ErrorCode = ErrorCode::plain("AccessForbidden", 403);

/// Whether a request is a preflight for a bucket.
pub fn is_preflight(head: &Head) -> bool {
    head.method == Method::OPTIONS && head.headers.contains_key(ORIGIN) && s3_address::is_for(head)
}

/// Answers a preflight.
pub fn answer(server: &Server, head: &Head) -> (Response<Body>, Ending) {
    match preflight(server, head) {
        Ok(response) => (response.map(download::whole), Ending::Allowed),
        Err(error) => {
            let refusal = reply::refuse_unread(server, head, &error);
            (refusal.map(download::whole), reply::ending_of(&error, true))
        }
    }
}

fn preflight(server: &Server, head: &Head) -> Result<Response<Full<Bytes>>, Error> {
    let method = text(head, &ACCESS_CONTROL_REQUEST_METHOD).unwrap_or_default();
    let found = find(server, head, method, text(head, &ACCESS_CONTROL_REQUEST_HEADERS))?;
    let Some(allowed) = found else {
        return Err(ACCESS_FORBIDDEN.because(
            "CORSResponse: This CORS request is not allowed. This is usually because the \
             evalution of Origin, request method / Access-Control-Request-Method or \
             Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
        ));
    };
    let mut response = Response::new(Full::default());
    tell(response.headers_mut(), &allowed);
    set(response.headers_mut(), ACCESS_CONTROL_ALLOW_HEADERS, &allowed.headers.join(", "));
    if let Some(seconds) = allowed.max_age_seconds {
        set(response.headers_mut(), ACCESS_CONTROL_MAX_AGE, &seconds.to_string());
    }
    Ok(response)
}

/// What an object's page may do in a browser: run and send forms, but as nobody. Buckets are of the
/// same host as the sign-in here, unlike in AWS: without this a page that somebody keeps in a
/// bucket could do everything in the name of who is signed in and opens it.
const OF_NOBODY: HeaderValue = HeaderValue::from_static(
    "sandbox allow-scripts allow-forms allow-popups allow-modals allow-downloads",
);

/// Takes the origin of this host away from what a browser shows of a bucket. A browser's own
/// requests have no signature among their headers.
pub fn isolate(head: &Head, headers: &mut HeaderMap) {
    if !head.headers.contains_key(AUTHORIZATION) {
        headers.insert(CONTENT_SECURITY_POLICY, OF_NOBODY);
    }
}

/// Tells the browser of a page of another origin what it may do with the answer.
pub fn decorate(server: &Server, head: &Head, headers: &mut HeaderMap) {
    if !head.headers.contains_key(ORIGIN) {
        return;
    }
    match find(server, head, head.method.as_str(), None) {
        Ok(Some(allowed)) => tell(headers, &allowed),
        Ok(None) => {}
        // Without the headers the page may not read the answer, which stands all the same.
        Err(error) => tracing::warn!(%error, "cannot read a bucket's CORS rules"),
    }
}

fn text<'h>(head: &'h Head, name: &HeaderName) -> Option<&'h str> {
    head.headers.get(name)?.to_str().ok()
}

fn find(
    server: &Server,
    head: &Head,
    method: &str,
    wanted: Option<&str>,
) -> Result<Option<Allowed>> {
    let Some(origin) = text(head, &ORIGIN) else { return Ok(None) };
    let path = s3_address::path(head, "s3");
    let bucket = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let headers = wanted.unwrap_or_default().split(',').map(str::trim);
    let headers: Vec<&str> = headers.filter(|name| !name.is_empty()).collect();
    server.reading(|| {
        let plane = &*server.plane;
        let (snapshot, nobody) = (plane.store.snapshot(), Caller::anonymous());
        let request = request_of_start(plane);
        let cx = Context::new(plane, &nobody, &request, Access::Read(&snapshot));
        cors::allowed(&cx, bucket, origin, method, &headers)
    })
}

fn tell(headers: &mut HeaderMap, allowed: &Allowed) {
    set(headers, ACCESS_CONTROL_ALLOW_ORIGIN, &allowed.origin);
    set(headers, ACCESS_CONTROL_ALLOW_METHODS, &allowed.methods.join(", "));
    set(headers, ACCESS_CONTROL_EXPOSE_HEADERS, &allowed.exposed.join(", "));
    if allowed.origin != "*" {
        set(headers, ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
    }
    let vary = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";
    set(headers, VARY, vary);
}

/// A value that no header can hold is left out, as is an empty one.
fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let (Ok(value), false) = (HeaderValue::from_str(value), value.is_empty()) {
        headers.insert(name, value);
    }
}
