//! What a form that was uploaded is answered: as its fields ask.
//!
//! Source: Amazon S3 API Reference, "POST Object", "success_action_redirect" and
//! "success_action_status".

use crate::download::{self, Body};
use crate::listener::Door;
use crate::pipeline;
use bytes::Bytes;
use http::request::Parts as Head;
use http::{HeaderName, HeaderValue, Response, StatusCode, Uri, header};
use http_body_util::Full;
use palisade_protocol::{percent, post_response};
use palisade_services::s3::post_form::PostForm;

/// The answer to a form whose file was stored.
pub fn made(
    head: &Head,
    door: Door,
    form: &PostForm,
    (etag, request_id): (&str, &str),
) -> Response<Body> {
    let location = location(head, door, form);
    let (status, text, location) = match redirect(form, etag) {
        Some(target) => (StatusCode::SEE_OTHER, Vec::new(), target),
        None => match form.text("success_action_status") {
            "200" => (StatusCode::OK, Vec::new(), location),
            "201" => (StatusCode::CREATED, document(form, &location, etag), location),
            _ => (StatusCode::NO_CONTENT, Vec::new(), location),
        },
    };
    let mut response = Response::new(download::whole(Full::new(Bytes::from(text))));
    *response.status_mut() = status;
    let pairs = [
        (header::LOCATION, location.as_str()),
        (header::ETAG, etag),
        (HeaderName::from_static("x-amz-request-id"), request_id),
        (HeaderName::from_static("x-palisade-decision"), request_id),
    ];
    for (name, value) in pairs {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    if status == StatusCode::CREATED {
        let xml = HeaderValue::from_static("application/xml");
        response.headers_mut().insert(header::CONTENT_TYPE, xml);
    }
    response
}

/// Where the object is.
fn location(head: &Head, door: Door, form: &PostForm) -> String {
    let scheme = if door.tls.is_some() { "https" } else { "http" };
    let path = head.uri.path().trim_end_matches('/');
    let key = percent::encode(form.text("key"), b"/");
    format!("{scheme}://{}{path}/{key}", pipeline::host(head))
}

/// Where the form sends its browser. An address that is none is as if it were not there.
fn redirect(form: &PostForm, etag: &str) -> Option<String> {
    let asked = form.get("success_action_redirect").or_else(|| form.get("redirect"))?;
    let address: Uri = asked.parse().ok()?;
    address.scheme()?;
    let mark = if address.query().is_some() { '&' } else { '?' };
    let encoded = |text: &str| percent::encode(text, b"");
    let (bucket, key) = (encoded(form.text("bucket")), encoded(form.text("key")));
    Some(format!("{asked}{mark}bucket={bucket}&key={key}&etag={}", encoded(etag)))
}

fn document(form: &PostForm, location: &str, etag: &str) -> Vec<u8> {
    let (bucket, key) = (form.text("bucket"), form.text("key"));
    post_response(&[("Location", location), ("Bucket", bucket), ("Key", key), ("ETag", etag)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &str)]) -> PostForm {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        PostForm::new("b", fields.iter().map(owned).collect(), "").unwrap()
    }

    #[test]
    fn redirects() {
        let check = |target: &str, expected: Option<&str>| {
            let form = form(&[("key", "a b"), ("success_action_redirect", target)]);
            assert_eq!(redirect(&form, "\"e\"").as_deref(), expected, "{target}");
        };
        let told = "bucket=b&key=a%20b&etag=%22e%22";
        check("http://h/x", Some(&format!("http://h/x?{told}")));
        check("http://h/x?a=1", Some(&format!("http://h/x?a=1&{told}")));
        check("", None);
        check("/x", None);
        check("http://h/\r\nSet-Cookie: a", None);
    }

    #[test]
    fn documents() {
        let text = String::from_utf8(document(&form(&[("key", "<a&b>")]), "http://h/b/k", "\"e\""))
            .unwrap();
        assert!(text.contains("<Key>&lt;a&amp;b&gt;</Key><ETag>&quot;e&quot;</ETag>"), "{text}");
    }
}
