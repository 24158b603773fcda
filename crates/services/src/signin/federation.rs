//! The federation endpoint: credentials of a role session or of a federated user become a sign-in
//! token, and that, once, a signed-in browser.
//!
//! Source: IAM User Guide, "Enable custom identity broker access to the AWS console".

use super::session::{Who, begin};
use super::{hashed, sweep};
use crate::authorization::Dependencies;
use crate::caller::{Session, SessionKind};
use crate::context::Context;
use crate::errors::{ACCESS_DENIED, VALIDATION_ERROR, internal};
use crate::iam;
use crate::sts;
use crate::table::{Scope, Table};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use palisade_shape::{Result, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The lengths that may be asked for.
const DURATION_SECONDS: std::ops::RangeInclusive<i64> = 900..=43_200;
/// The longest session of a role that was assumed with another role's.
const CHAINED_SECONDS_MAX: i64 = 3600;
/// How long a sign-in token is good.
const TOKEN_SECONDS: i64 = 15 * 60;
/// Longer ones are none of ours.
const TOKEN_BYTES_MAX: usize = 32 * 1024;
const PURPOSE: &str = "signin-token";

/// What a sign-in token says.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SigninToken {
    /// A token makes one session.
    nonce: String,
    issued_millis: i64,
    /// The end of the console's session.
    expires_millis: i64,
    session: Session,
}

/// Tokens that were used, until they are too old anyway.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UsedToken {
    id: String,
    expires_millis: i64,
}

static USED: Table<UsedToken> = Table::of_private(
    "signin/used-token",
    Scope::Plane,
    |token| token.id.clone(),
    |_| ACCESS_DENIED.because("The sign-in token was used already."),
    |_| internal("no such token"),
);

/// Makes a sign-in token of credentials that were proven. `seconds` is `SessionDuration`; without
/// it the console's session ends with the credentials.
pub fn signin_token(cx: &Context, session: &Session, seconds: Option<i64>) -> Result<String> {
    let now = cx.now().whole_seconds();
    let expires_millis = match (session.kind, seconds) {
        (SessionKind::SessionToken | SessionKind::SignIn | SessionKind::AssumeRoot, _) => {
            return Err(VALIDATION_ERROR.because(
                "Only credentials of a role session or of GetFederationToken make a sign-in token.",
            ));
        }
        (_, None) => session.expires_at_millis,
        (SessionKind::FederationToken, Some(_)) => {
            return Err(VALIDATION_ERROR.because(
                "SessionDuration cannot be used with credentials of GetFederationToken: the \
                 session lasts as long as they do.",
            ));
        }
        (_, Some(seconds)) if !DURATION_SECONDS.contains(&seconds) => {
            return Err(
                VALIDATION_ERROR.because("SessionDuration must be between 900 and 43200 seconds.")
            );
        }
        (_, Some(seconds)) if session.chained && seconds > CHAINED_SECONDS_MAX => {
            return Err(VALIDATION_ERROR.because(
                "SessionDuration exceeds the 1 hour session limit for roles assumed by role \
                 chaining.",
            ));
        }
        (_, Some(seconds)) => now.plus_seconds(seconds).millis(),
    };
    let token = SigninToken {
        nonce: super::secret(cx),
        issued_millis: now.millis(),
        expires_millis,
        session: session.clone(),
    };
    let json = serde_json::to_vec(&token).map_err(internal)?;
    let random = &mut |bytes: &mut [u8]| cx.plane.random.fill(bytes);
    let sealed = cx.plane.sealer.seal(PURPOSE, "", &json, random).map_err(internal)?;
    Ok(URL_SAFE_NO_PAD.encode(sealed))
}

/// Whether the principal that a session was issued for is still there.
pub(super) fn is_there(cx: &Context, session: &Session) -> bool {
    let mut seen = Dependencies::new(cx.reader());
    let issuer = iam::principal::issuer(session);
    let found = iam::principal::identity(&mut seen, &session.account, &issuer);
    found.is_ok_and(|found| found.is_some())
}

/// Uses a sign-in token up: begins the session that it was made for, and answers its cookie with
/// the session of STS that it stands for.
pub fn sign_in(cx: &mut Context, text: &str, browser: &str) -> Result<(String, Arc<Session>)> {
    let refused = || ACCESS_DENIED.because("The sign-in token is not valid, or is too old.");
    let Some(token) = open(cx, text) else { return Err(refused()) };
    let now = cx.now();
    let age = now.millis() - token.issued_millis;
    if !(0..TOKEN_SECONDS * 1000).contains(&age) || token.expires_millis <= now.millis() {
        return Err(refused());
    }
    let used = UsedToken {
        id: hashed("token", &token.nonce),
        expires_millis: token.issued_millis + TOKEN_SECONDS * 1000,
    };
    cx.insert(&USED, &used)?;
    sweep(cx, &USED, &used.id, |other| other.expires_millis <= now.millis())?;
    if !is_there(cx, &token.session) {
        return Err(refused());
    }
    let session = Session { expires_at_millis: token.expires_millis, ..token.session };
    let who = Who::Federated {
        access_key_id: session.access_key_id.clone(),
        token: sts::session::seal(cx.plane, &session)?,
    };
    let cookie = begin(cx, browser, who, Timestamp::from_millis(token.expires_millis))?;
    Ok((cookie, Arc::new(session)))
}

fn open(cx: &Context, text: &str) -> Option<SigninToken> {
    if text.len() > TOKEN_BYTES_MAX {
        return None;
    }
    let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
    let json = cx.plane.sealer.unseal(PURPOSE, "", &sealed).ok()?;
    serde_json::from_slice(&json).ok()
}
