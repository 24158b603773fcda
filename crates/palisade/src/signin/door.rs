//! A visit: one request to the sign-in, with what every page looks at.

use super::answer::{Answer, Cookie};
use super::store;
use crate::listener::Door;
use crate::server::Server;
use crate::{operator, pipeline};
use aws_lc_rs::constant_time;
use http::request::Parts as Head;
use palisade_protocol::Form;
use palisade_services::context::Request;
use palisade_services::signin::session::{self, Found};
use palisade_services::signin::{hashed, secret};
use palisade_shape::Result;
use std::sync::Arc;

/// The header that a script's request shows the CSRF token in.
const CSRF_HEADER: &str = "x-palisade-csrf";
/// How long a browser keeps the cookie of its forms.
const FORM_COOKIE_SECONDS: i64 = 86_400;

pub struct Visit<'a> {
    pub server: &'a Arc<Server>,
    pub head: &'a Head,
    pub form: Form<'a>,
    pub request: Request,
}

impl<'a> Visit<'a> {
    /// None when the form cannot be read.
    pub fn of(server: &'a Arc<Server>, head: &'a Head, body: &'a [u8], door: Door) -> Option<Self> {
        let form = crate::route::form(head, body)?;
        let request = pipeline::facts(server, head, door);
        Some(Self { server, head, form, request })
    }

    /// A field of the form or of the query; empty when it is not there.
    pub fn field(&self, name: &str) -> &str {
        self.form.get(name).unwrap_or_default()
    }

    /// A page of another origin made the browser send this.
    pub fn is_foreign(&self) -> bool {
        self.head.method != http::Method::GET && operator::is_foreign_page(self.head)
    }

    pub fn user_agent(&self) -> &str {
        self.request.user_agent.as_deref().unwrap_or_default()
    }

    pub fn cookie(&self, cookie: Cookie) -> Option<&str> {
        let name = cookie.name(self.request.secure);
        let fields = self.head.headers.get_all(http::header::COOKIE);
        let pairs = fields.iter().filter_map(|field| field.to_str().ok());
        let mut pairs = pairs.flat_map(|field| field.split(';'));
        pairs.find_map(|pair| {
            let (key, value) = pair.trim().split_once('=')?;
            (key == name && !value.is_empty()).then_some(value)
        })
    }

    /// The cookie that ties forms to the browser; a new one where there is none.
    pub fn browser(&self) -> Result<String> {
        match self.cookie(Cookie::Form) {
            Some(known) => Ok(known.to_owned()),
            None => store::read(self, |cx| Ok(secret(cx))),
        }
    }

    /// Answers with a page made for the browser: with the token that its forms must show.
    pub fn answer_with(&self, page: impl FnOnce(&str) -> Answer) -> Answer {
        match self.browser() {
            Ok(browser) => {
                page(&form_token(&browser)).with_cookie(Cookie::Form, browser, FORM_COOKIE_SECONDS)
            }
            Err(error) => Answer::failed(&error),
        }
    }

    /// The browser's cookie, if the form is one that this browser was given.
    pub fn own_form(&self) -> Option<&str> {
        let browser = self.cookie(Cookie::Form)?;
        same(self.field("csrf"), &form_token(browser)).then_some(browser)
    }

    /// Who is signed in with this browser.
    pub fn session(&self) -> Result<Option<Found>> {
        let Some(cookie) = self.cookie(Cookie::Session) else { return Ok(None) };
        store::read(self, |cx| session::find(cx, cookie, self.user_agent()))
    }

    /// A page for who is signed in; who is not is sent to sign in.
    pub fn page_of(&self, page: impl FnOnce(&Found) -> Answer) -> Answer {
        match self.session() {
            Ok(Some(found)) => page(&found),
            Ok(None) => Answer::see_other("/_palisade/signin/"),
            Err(error) => Answer::failed(&error),
        }
    }

    /// Whether the request shows the token of the session's own pages, in a form or in a header.
    pub fn shows_csrf(&self, found: &Found) -> bool {
        let header = self.head.headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok());
        same(header.unwrap_or_else(|| self.field("csrf")), &found.csrf())
    }

    /// The signed-in browser whose own page sent this; otherwise what to answer.
    pub fn own_session(&self) -> std::result::Result<Found, Answer> {
        let found = self.session().map_err(|error| Answer::failed(&error))?;
        let found = found.ok_or_else(|| Answer::text(401, "Nobody is signed in."))?;
        if !self.shows_csrf(&found) {
            return Err(Answer::text(403, STALE));
        }
        Ok(found)
    }

    /// Where the pages are, as events name them.
    pub fn home_url(&self) -> String {
        let scheme = if self.request.secure { "https" } else { "http" };
        format!("{scheme}://{}{}home", pipeline::host(self.head), super::PREFIX)
    }

    /// The region that the trail gives sign-ins of users.
    pub fn region(&self) -> &str {
        &self.server.plane.settings.region
    }
}

/// What a form without its token is told.
pub const STALE: &str = "The form is too old, or not from this page. Open the page again.";

fn form_token(browser: &str) -> String {
    hashed("form", browser)
}

fn same(given: &str, expected: &str) -> bool {
    constant_time::verify_slices_are_equal(given.as_bytes(), expected.as_bytes()).is_ok()
}
