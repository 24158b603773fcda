//! `GET /_palisade/checklist`: an account against the best practices of IAM. A finding tells what
//! certain calls would tell, so a signed caller sees those findings alone whose calls its policies
//! allow.

use super::{Answer, Reach, refuse};
use crate::config;
use crate::first_start::request_of_start;
use crate::server::Server;
use palisade_services::accounts::ACCOUNTS;
use palisade_services::caller::Caller;
use palisade_services::context::{Access, Context};
use palisade_services::findings::{self, CHECKS, Check, Finding};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The answer.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Checked {
    pub account: String,
    /// RFC 3339.
    pub time: String,
    pub findings: Vec<Finding>,
    /// The checks whose findings the caller may not see.
    pub not_allowed: Vec<Hidden>,
}

/// A check that was left out.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hidden {
    pub id: String,
    /// What the caller would have to be allowed.
    pub actions: Vec<String>,
}

/// All actions that some finding asks for.
pub fn reads() -> Vec<&'static str> {
    let actions: BTreeSet<&'static str> =
        CHECKS.iter().flat_map(|check| check.reads.iter().copied()).collect();
    actions.into_iter().collect()
}

/// Who is of an account asks about it alone; the operator names one, or means that of the first
/// start.
pub(super) async fn answer(server: &Arc<Server>, query: &str, reach: Reach) -> Answer {
    let wanted = query.split('&').find_map(|pair| pair.strip_prefix("account="));
    if wanted.is_some_and(|id| !config::is_account_id(id)) {
        return Err(refuse(400, "ValidationException", "An account id is twelve digits."));
    }
    if let (Some(own), Some(other)) = (reach.account(), wanted)
        && own != other
    {
        let message = format!("Account {other} is not yours, which is {own}.");
        return Err(refuse(403, "AccessDenied", message));
    }
    let own = reach.account().unwrap_or(&server.plane.settings.account_id);
    let account = wanted.unwrap_or(own).to_owned();
    let server = server.clone();
    let checked = tokio::task::spawn_blocking(move || check(&server, &account, &reach));
    let failed = |error: String| refuse(500, "InternalFailure", error);
    let checked = checked.await.map_err(|error| failed(error.to_string()))?;
    let checked = checked.map_err(|error| match error.code.status {
        500.. => failed(error.internal.unwrap_or_else(|| error.message.to_string())),
        status => refuse(status, error.code.code, error.message.to_string()),
    })?;
    serde_json::to_value(checked).map_err(|error| failed(error.to_string()))
}

fn check(server: &Server, account: &str, reach: &Reach) -> palisade_shape::Result<Checked> {
    let plane = &*server.plane;
    let (caller, request) = (Caller::root(account), request_of_start(plane));
    let snapshot = plane.store.snapshot();
    let mut cx = Context::new(plane, &caller, &request, Access::Read(&snapshot));
    cx.find(&ACCOUNTS, account)?;
    let (seen, hidden): (Vec<&Check>, Vec<&Check>) =
        CHECKS.iter().partition(|check| check.reads.iter().all(|action| reach.may(action)));
    let hidden = hidden.iter().map(|check| Hidden {
        id: check.id.to_owned(),
        actions: check.reads.iter().map(|action| (*action).to_owned()).collect(),
    });
    let time = jiff::Timestamp::from_millisecond(request.at.millis()).unwrap_or_default();
    Ok(Checked {
        account: account.to_owned(),
        time: time.to_string(),
        findings: findings::find(&mut cx, &seen)?,
        not_allowed: hidden.collect(),
    })
}
