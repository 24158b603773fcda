//! Who is signed in with which browser.
//!
//! A browser is known by a random cookie, of which only the hash is kept. A session ends by itself
//! after twelve hours, at sign-out, and at once when its user, its password or its login profile is
//! gone or another one: that is looked up each time.

use super::subject::{Person, Subject};
use super::{federation, hashed, secret, sweep};
use crate::caller::{Caller, Session};
use crate::context::Context;
use crate::errors::internal;
use crate::sts;
use crate::table::{Scope, Table};
use palisade_model::sts::Credentials;
use palisade_shape::{Result, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// AWS's twelve hours.
pub const LIFE_SECONDS: i64 = 12 * 3600;

/// How long credentials last that a page gets. They cannot be called back, so they are short.
pub const CREDENTIALS_SECONDS: i64 = 900;

/// A signed-in browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsoleSession {
    /// The hash of the cookie.
    pub id: String,
    /// The hash of what the browser calls itself: a cookie that turns up in another one is stolen.
    pub browser: String,
    pub who: Who,
    pub created_millis: i64,
    pub expires_millis: i64,
    /// The role that was switched to.
    pub role: Option<SwitchedRole>,
}

/// Who signed in, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Who {
    /// With a password.
    Person {
        subject: Subject,
        /// When the password was set that proved it.
        password_set_millis: i64,
        /// When a second factor was proven, if one was.
        mfa_at_millis: Option<i64>,
    },
    /// With credentials of a role session or a federated user: their sealed session, which ends
    /// with the console's.
    Federated { access_key_id: String, token: String },
}

/// A role as the page shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwitchedRole {
    pub role_arn: String,
    pub account: String,
    pub name: String,
    pub display_name: String,
}

static SESSIONS: Table<ConsoleSession> = Table::of_private(
    "signin/session",
    Scope::Plane,
    |session| session.id.clone(),
    |_| internal("a session cookie came twice"),
    |_| internal("no such session"),
);

/// A session that was found good, with the one it stands for.
#[derive(Clone, Debug)]
pub struct Found {
    pub session: ConsoleSession,
    /// None for federated sessions.
    pub person: Option<Person>,
    /// The session of STS that stands for it, without a key of its own.
    pub identity: Arc<Session>,
}

/// Begins a session and answers its cookie.
pub fn begin(cx: &mut Context, browser: &str, who: Who, expires: Timestamp) -> Result<String> {
    let cookie = secret(cx);
    let session = ConsoleSession {
        id: id_of(&cookie),
        browser: browser_of(browser),
        who,
        created_millis: cx.now().whole_seconds().millis(),
        expires_millis: expires.millis(),
        role: None,
    };
    cx.insert(&SESSIONS, &session)?;
    let now = cx.now().millis();
    sweep(cx, &SESSIONS, &session.id, |other| other.expires_millis <= now)?;
    Ok(cookie)
}

fn id_of(cookie: &str) -> String {
    hashed("session", cookie)
}

fn browser_of(user_agent: &str) -> String {
    hashed("browser", user_agent)
}

/// The session of a cookie, if it is one of this browser, is not over, and whom it stands for is
/// still who it was.
pub fn find(cx: &mut Context, cookie: &str, user_agent: &str) -> Result<Option<Found>> {
    let Some(session) = cx.get(&SESSIONS, &id_of(cookie))? else { return Ok(None) };
    let over = session.expires_millis <= cx.now().millis();
    if over || session.browser != browser_of(user_agent) {
        return Ok(None);
    }
    match session.who.clone() {
        Who::Person { subject, password_set_millis, mfa_at_millis } => {
            let Some(person) = subject.person(cx)? else { return Ok(None) };
            let profile = person.profile(cx)?;
            if profile.is_none_or(|profile| profile.changed_millis != password_set_millis) {
                return Ok(None);
            }
            let identity = Arc::new(person.session(session.created_millis, mfa_at_millis));
            Ok(Some(Found { session, person: Some(person), identity }))
        }
        Who::Federated { access_key_id, token } => {
            let identity = sts::session::open(cx.plane, &token, &access_key_id);
            let identity = identity.filter(|identity| federation::is_there(cx, identity));
            Ok(identity.map(|identity| Found {
                session,
                person: None,
                identity: Arc::new(identity),
            }))
        }
    }
}

/// Ends a session, if it is there.
pub fn end(cx: &mut Context, id: &str) -> Result<()> {
    cx.delete(&SESSIONS, id).map(drop)
}

/// Switches to a role, or back when none is given.
pub fn switch(cx: &mut Context, id: &str, role: Option<SwitchedRole>) -> Result<()> {
    let mut session = cx.find(&SESSIONS, id)?;
    session.role = role;
    cx.put(&SESSIONS, &session)
}

impl Found {
    /// The caller that the browser stands for, roles aside.
    pub fn caller(&self) -> Caller {
        crate::authorization::caller_of(&self.identity)
    }

    /// What proves to this browser's forms that they are its own: nobody else knows the cookie.
    pub fn csrf(&self) -> String {
        hashed("csrf", &self.session.id)
    }

    /// The name of the sessions of roles that are switched to: that of who switches.
    pub fn role_session_name(&self) -> String {
        match &self.person {
            Some(person) => person.shown_name().to_owned(),
            None => self.identity.name.clone(),
        }
    }

    /// Short-lived credentials of whom the browser stands for, roles aside. They begin with the
    /// sign-in (`aws:TokenIssueTime`), end before it does, and say truly when a second factor was
    /// proven.
    pub fn credentials(&self, cx: &mut Context) -> Result<Credentials> {
        let end = cx.now().whole_seconds().plus_seconds(CREDENTIALS_SECONDS);
        let end = end.min(Timestamp::from_millis(self.session.expires_millis));
        sts::session::reissue(cx, &self.identity, end)
    }
}
