//! What the console asks as a program: who is signed in, and short-lived credentials to call the
//! APIs with. For pages of this origin only.

use super::answer::Answer;
use super::door::Visit;
use super::home::time;
use super::{role, store};
use palisade_model::sts::Credentials;
use palisade_services::signin::session::Found;
use palisade_shape::Result;
use serde_json::{Value, json};

/// `GET session`: who is signed in, and the token that its requests must show.
pub fn session(visit: &Visit<'_>) -> Answer {
    match visit.session() {
        Ok(Some(found)) => Answer::json(200, &described(&found)),
        Ok(None) => nobody(),
        Err(error) => Answer::failed(&error),
    }
}

fn nobody() -> Answer {
    Answer::json(401, &json!({ "code": "NotSignedIn", "message": "Nobody is signed in." }))
}

fn described(found: &Found) -> Value {
    let caller = found.caller();
    let role = found.session.role.as_ref().map(|role| {
        json!({
            "arn": role.role_arn,
            "account": role.account,
            "name": role.name,
            "displayName": role.display_name,
        })
    });
    json!({
        "arn": &*caller.arn,
        "account": &*caller.account,
        "userId": &*caller.user_id,
        "signedInAt": time(found.session.created_millis),
        "expires": time(found.session.expires_millis),
        "secondFactorAt": found.identity.mfa_at_millis.map(time),
        "role": role,
        "csrf": found.csrf(),
    })
}

/// `POST credentials`: keys of who is signed in, or of the role that was switched to.
pub async fn credentials(visit: &Visit<'_>) -> Answer {
    let found = match visit.own_session() {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    match keys(visit, &found).await {
        Ok(keys) => Answer::json(
            200,
            &json!({
                "accessKeyId": keys.access_key_id,
                "secretAccessKey": keys.secret_access_key,
                "sessionToken": keys.session_token,
                "expiration": time(keys.expiration.millis()),
            }),
        ),
        Err(error) if error.code.status < 500 => {
            Answer::json(403, &json!({ "code": error.code.code, "message": &*error.message }))
        }
        Err(error) => Answer::failed(&error),
    }
}

async fn keys(visit: &Visit<'_>, found: &Found) -> Result<Credentials> {
    match &found.session.role {
        Some(switched) => role::assumed(visit, found, &switched.role_arn).await,
        None => store::read(visit, |cx| found.credentials(cx)),
    }
}
