//! AWS's federation endpoint, `/federation?Action=getSigninToken` and `?Action=login`, as stock
//! scripts of identity brokers call it.
//!
//! Source: IAM User Guide, "Enable custom identity broker access to the AWS console".

use super::answer::{Answer, Cookie};
use super::door::Visit;
use super::{finish, pages, store};
use aws_lc_rs::constant_time;
use http::request::Parts as Head;
use palisade_protocol::Form;
use palisade_services::audit::CallerFragment;
use palisade_services::authorization::{Credential, caller_of};
use palisade_services::signin::federation;
use palisade_services::signin::record::SignIn;
use palisade_services::signin::step::Factor;
use palisade_shape::Result;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

const GET_TOKEN: &str = "getSigninToken";
const LOGIN: &str = "login";

/// Only with one of these actions is the path not that of a bucket.
pub fn is_for(head: &Head, body: &[u8]) -> bool {
    let form: Option<Form<'_>> = crate::route::form(head, body);
    let action = form.as_ref().and_then(|form| form.get("Action"));
    matches!(action, Some(GET_TOKEN | LOGIN))
}

pub async fn serve(visit: &Visit<'_>) -> Answer {
    match visit.field("Action") {
        GET_TOKEN => get_signin_token(visit).await,
        _ => login(visit).await,
    }
}

/// The credentials of `Session`, in JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    session_id: String,
    session_key: String,
    session_token: String,
}

async fn get_signin_token(visit: &Visit<'_>) -> Answer {
    let seconds = match visit.form.get("SessionDuration").map(str::parse::<i64>) {
        None => None,
        Some(Ok(seconds)) => Some(seconds),
        Some(Err(_)) => return Answer::text(400, "SessionDuration is a number of seconds."),
    };
    let given = serde_json::from_str::<Given>(visit.field("Session"));
    let Ok(given) = given else {
        let message = "Session is JSON with sessionId, sessionKey and sessionToken.";
        return Answer::text(400, message);
    };
    match token(visit, &given, seconds).await {
        Ok(Some(token)) => Answer::json(200, &json!({ "SigninToken": token })),
        Ok(None) => Answer::text(400, "The credentials of Session are not valid."),
        Err(error) => Answer::failed(&error),
    }
}

/// None when the credentials prove nothing.
async fn token(visit: &Visit<'_>, given: &Given, seconds: Option<i64>) -> Result<Option<String>> {
    let Some(credential) = proven(visit, given)? else { return Ok(None) };
    let Some(session) = credential.caller.session.clone() else { return Ok(None) };
    let mut event = SignIn::of("GetSigninToken", credential.fragment.clone(), visit.region());
    let key = json!({ "accessKeyId": &session.access_key_id });
    event.answer.push(("credentials", key.to_string()));
    let mfa = if session.mfa_at_millis.is_some() { "Yes" } else { "No" };
    event.additional = vec![("MobileVersion", "No".into()), ("MFAUsed", mfa.into())];
    store::commit(visit, move |cx| {
        let token = federation::signin_token(cx, &session, seconds)?;
        event.record(cx)?;
        Ok(token)
    })
    .await
    .map(Some)
}

fn proven(visit: &Visit<'_>, given: &Given) -> Result<Option<Arc<Credential>>> {
    let plane = &visit.server.plane;
    let changes = plane.credentials.changes();
    let snapshot = plane.store.snapshot();
    let (id, token) = (given.session_id.as_str(), Some(given.session_token.as_str()));
    let at = visit.request.at;
    let found = visit
        .server
        .reading(|| plane.credentials.find(plane, &snapshot, id, token, at, changes))?;
    let right = |known: &Arc<Credential>| {
        let (known, given) = (known.secret.as_bytes(), given.session_key.as_bytes());
        constant_time::verify_slices_are_equal(known, given).is_ok()
    };
    Ok(found.ok().filter(right))
}

/// Signs the browser in, once for each token, and sends it on.
async fn login(visit: &Visit<'_>) -> Answer {
    let Some(destination) = destination(visit.field("Destination")) else {
        let text = "The destination is no page of this console.";
        return pages::message(400, "Cannot sign in", text);
    };
    match visit.session() {
        Ok(None) => {}
        Ok(Some(_)) => {
            let text = "Somebody is signed in with this browser. Sign out first.";
            return pages::message(400, "Cannot sign in", text);
        }
        Err(error) => return Answer::failed(&error),
    }
    let (token, browser) = (visit.field("SigninToken").to_owned(), visit.user_agent().to_owned());
    let (home, region) = (visit.home_url(), visit.region().to_owned());
    let done = store::commit(visit, move |cx| {
        let (cookie, session) = federation::sign_in(cx, &token, &browser)?;
        let who = CallerFragment::of(&caller_of(&session));
        let factor = session.mfa_at_millis.map(|at_millis| {
            let serial_number = String::new();
            Factor { serial_number, at_millis }
        });
        let event = SignIn::of("ConsoleLogin", who, &region);
        finish::console_login(event, &home, factor.as_ref(), None).record(cx)?;
        Ok((cookie, session.expires_at()))
    });
    match done.await {
        Ok((cookie, expires)) => {
            let seconds = expires.seconds() - visit.request.at.seconds();
            Answer::see_other(&destination).with_cookie(Cookie::Session, cookie, seconds)
        }
        Err(error) if error.code.status < 500 => {
            pages::message(400, "Cannot sign in", &error.message)
        }
        Err(error) => Answer::failed(&error),
    }
}

/// A path of this server, or AWS's console, which is the home page here. Other places are refused:
/// a sign-in address must not send people anywhere.
fn destination(given: &str) -> Option<String> {
    const HOME: &str = "/_palisade/signin/home";
    if given.is_empty() {
        return Some(HOME.to_owned());
    }
    if let Some(rest) = given.strip_prefix('/') {
        // A browser takes `//host` and `/\host` for another host.
        let own = rest.starts_with("_palisade/") && given.bytes().all(|b| b.is_ascii_graphic());
        return own.then(|| given.to_owned());
    }
    let host = given.strip_prefix("https://")?.split(['/', '?', '#']).next()?;
    let console = host == "console.aws.amazon.com" || host.ends_with(".console.aws.amazon.com");
    let plain = host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
    (console && plain).then(|| HOME.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_leads_to_this_console_only() {
        let check = |given: &str, expected: Option<&str>| {
            assert_eq!(destination(given).as_deref(), expected, "{given}");
        };
        let home = Some("/_palisade/signin/home");
        check("", home);
        check("https://console.aws.amazon.com/", home);
        check("https://console.aws.amazon.com", home);
        check("https://eu-west-1.console.aws.amazon.com/s3?region=eu-west-1", home);
        check("/_palisade/console/iam", Some("/_palisade/console/iam"));
        for foreign in [
            "https://example.com/",
            "https://console.aws.amazon.com.example.com/",
            "https://example.com\\.console.aws.amazon.com/",
            "https://user@console.aws.amazon.com/",
            "//example.com/_palisade/",
            "/\\example.com",
            "/bucket",
            "/_palisade/\r\nx",
            "javascript:alert(1)",
        ] {
            check(foreign, None);
        }
    }
}
