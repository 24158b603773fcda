//! What the sign-in answers, with the headers that keep its pages to themselves.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

/// Nothing but the pages' own style and form targets; no page may frame them.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
                              connect-src 'self'; form-action 'self'; frame-ancestors 'none'; \
                              base-uri 'none'";

/// The cookies of the sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookie {
    /// Ties forms to the browser that they were given to, before anybody is signed in.
    Form,
    /// Who is signed in.
    Session,
}

impl Cookie {
    /// With TLS the name keeps other hosts and ports without TLS from setting it (RFC 6265bis,
    /// "Cookie Name Prefixes").
    pub fn name(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::Form, false) => "palisade-form",
            (Self::Form, true) => "__Host-palisade-form",
            (Self::Session, false) => "palisade-session",
            (Self::Session, true) => "__Host-palisade-session",
        }
    }
}

/// An answer before it is one of HTTP.
pub struct Answer {
    pub status: u16,
    kind: &'static str,
    body: String,
    location: Option<Box<str>>,
    /// The answer is a file of this name to keep.
    file: Option<Box<str>>,
    cookies: Vec<(Cookie, String, i64)>,
    retry_after_seconds: Option<i64>,
}

impl Answer {
    fn new(status: u16, kind: &'static str, body: String) -> Self {
        let (location, file, cookies, retry_after_seconds) = (None, None, Vec::new(), None);
        Self { status, kind, body, location, file, cookies, retry_after_seconds }
    }

    pub fn page(status: u16, html: String) -> Self {
        Self::new(status, "text/html; charset=utf-8", html)
    }

    pub fn text(status: u16, text: &str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", text.to_owned())
    }

    pub fn json(status: u16, value: &serde_json::Value) -> Self {
        Self::new(status, "application/json", value.to_string())
    }

    pub fn style(text: &str) -> Self {
        Self::new(200, "text/css; charset=utf-8", text.to_owned())
    }

    /// A table in the form of RFC 4180, to keep under a name without quotes.
    pub fn file(name: &str, table: String) -> Self {
        let mut answer = Self::new(200, "text/csv; charset=utf-8", table);
        answer.file = Some(name.into());
        answer
    }

    pub fn script(text: &str) -> Self {
        Self::new(200, "text/javascript; charset=utf-8", text.to_owned())
    }

    /// After a form: the browser gets the other page.
    pub fn see_other(location: &str) -> Self {
        let mut answer = Self::new(303, "text/plain; charset=utf-8", String::new());
        answer.location = Some(location.into());
        answer
    }

    pub fn failed(error: &palisade_shape::Error) -> Self {
        if let Some(cause) = &error.internal {
            tracing::error!(cause, "a sign-in request failed");
        }
        Self::text(error.code.status.max(400), &error.message)
    }

    pub fn retry_after(mut self, seconds: i64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// Sets a cookie; one of no seconds is removed.
    pub fn with_cookie(mut self, cookie: Cookie, value: String, seconds: i64) -> Self {
        self.cookies.push((cookie, value, seconds));
        self
    }

    pub fn response(self, secure: bool) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from(self.body)));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or_default();
        let headers = response.headers_mut();
        let fixed = [
            (header::CONTENT_TYPE, self.kind),
            (header::CACHE_CONTROL, "no-store"),
            (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
            (header::X_FRAME_OPTIONS, "DENY"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            // Without a referrer browsers would send forms with the origin `null`.
            (header::REFERRER_POLICY, "same-origin"),
        ];
        for (name, value) in fixed {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
        headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
        let location = self.location.as_deref().map(HeaderValue::from_str);
        if let Some(Ok(location)) = location {
            headers.insert(header::LOCATION, location);
        }
        let file = self.file.map(|name| format!("attachment; filename=\"{name}\""));
        if let Some(Ok(file)) = file.as_deref().map(HeaderValue::from_str) {
            headers.insert(header::CONTENT_DISPOSITION, file);
        }
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        for (cookie, value, seconds) in self.cookies {
            let name = cookie.name(secure);
            let only = if secure { "; Secure" } else { "" };
            let text =
                format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{only}");
            if let Ok(text) = HeaderValue::from_str(&text) {
                headers.append(header::SET_COOKIE, text);
            }
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_cannot_be_framed_and_cookies_cannot_be_read() {
        let answer = || Answer::page(200, "page".into());
        let check = |secure: bool, expected: &str| {
            let answer = answer().with_cookie(Cookie::Session, "value".into(), 60);
            let response = answer.response(secure);
            let headers = response.headers();
            assert_eq!(headers["set-cookie"], expected);
            assert_eq!(headers["x-frame-options"], "DENY");
            assert_eq!(headers["cache-control"], "no-store");
            let policy = headers["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"));
        };
        let rest = "=value; Path=/; Max-Age=60; HttpOnly; SameSite=Lax";
        check(false, &format!("palisade-session{rest}"));
        check(true, &format!("__Host-palisade-session{rest}; Secure"));
    }
}
