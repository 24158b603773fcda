//! Switching to a role and back. Assuming it is STS's AssumeRole, called as who is signed in:
//! allowed, refused and recorded like any other call.

use super::answer::Answer;
use super::door::Visit;
use super::{pages, store};
use crate::internal;
use palisade_model::sts::{AssumeRoleRequest, AssumeRoleResponse, Credentials};
use palisade_services::audit::CallerFragment;
use palisade_services::authorization::caller_of;
use palisade_services::errors::internal as failed;
use palisade_services::signin::record::SignIn;
use palisade_services::signin::session::{self, Found, SwitchedRole};
use palisade_services::signin::subject;
use palisade_services::sts;
use palisade_shape::Result;
use std::sync::Arc;

const INVALID: &str = "Check the account and the role's name. You must be allowed to assume the \
                       role, and the role must trust you.";
/// How long the credentials of a role last that a page gets: the shortest that STS issues.
const CREDENTIALS_SECONDS: i32 = 900;

/// The form, filled in from the address: `account`, `roleName`, `displayName`, as in AWS's links.
pub fn form(visit: &Visit<'_>) -> Answer {
    visit.page_of(|found| page(visit, found, 200, ""))
}

fn page(visit: &Visit<'_>, found: &Found, status: u16, message: &str) -> Answer {
    let page = pages::Role {
        csrf: &found.csrf(),
        message,
        account: visit.field("account"),
        name: visit.field("roleName"),
        display_name: visit.field("displayName"),
    };
    pages::answer(status, &page)
}

pub async fn switch(visit: &Visit<'_>) -> Answer {
    let found = match visit.own_session() {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    match switched(visit, &found).await {
        Ok(true) => Answer::see_other("/_palisade/signin/home"),
        Ok(false) => page(visit, &found, 400, INVALID),
        Err(error) if error.code.status >= 500 => Answer::failed(&error),
        Err(_) => page(visit, &found, 403, INVALID),
    }
}

/// False when the form names no role.
async fn switched(visit: &Visit<'_>, found: &Found) -> Result<bool> {
    let account = store::read(visit, |cx| subject::account_named(cx, visit.field("account")))?;
    let name = visit.field("roleName").trim().trim_start_matches('/');
    let (Some(account), false) = (account, name.is_empty()) else { return Ok(false) };
    let display_name = match visit.field("displayName").trim() {
        "" => name.to_owned(),
        given => given.chars().take(64).collect(),
    };
    let role_arn = format!("arn:aws:iam::{account}:role/{name}");
    let role = SwitchedRole { role_arn, account, name: name.to_owned(), display_name };
    let keys = assumed(visit, found, &role.role_arn).await?;
    let session = sts::session::open(&visit.server.plane, &keys.session_token, &keys.access_key_id);
    let session = session.ok_or_else(|| failed("a new session's token does not open"))?;
    let who = CallerFragment::of(&caller_of(&Arc::new(session)));
    let mut event = SignIn::of("SwitchRole", who, visit.region());
    let (from, own) = (found.caller().arn.to_string(), found.identity.account.clone());
    if own != role.account {
        event.recipients.push(own);
    }
    event.additional = vec![("SwitchFrom", from), ("RedirectTo", visit.home_url())];
    let id = found.session.id.clone();
    store::commit(visit, move |cx| {
        session::switch(cx, &id, Some(role.clone()))?;
        event.record(cx)
    })
    .await
    .map(|()| true)
}

/// Credentials of a role for who is signed in.
pub async fn assumed(visit: &Visit<'_>, found: &Found, role_arn: &str) -> Result<Credentials> {
    let keys = store::read(visit, |cx| found.credentials(cx))?;
    let input = Box::new(AssumeRoleRequest {
        role_arn: role_arn.to_owned(),
        role_session_name: found.role_session_name(),
        duration_seconds: Some(CREDENTIALS_SECONDS),
        ..AssumeRoleRequest::default()
    });
    let service = &sts::SERVICE;
    let output: AssumeRoleResponse =
        internal::call_as(visit.server, &visit.request, &keys, service, "AssumeRole", input)
            .await?;
    output.credentials.ok_or_else(|| failed("AssumeRole gave no credentials"))
}

pub async fn exit(visit: &Visit<'_>) -> Answer {
    let found = match visit.own_session() {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    let Some(role) = found.session.role.clone() else {
        return Answer::see_other("/_palisade/signin/home");
    };
    let caller = found.caller();
    let who = CallerFragment::of(&caller);
    let mut event = SignIn::of("ExitRole", who, visit.region());
    event.additional = vec![("SwitchFrom", role.role_arn), ("RedirectTo", visit.home_url())];
    let id = found.session.id;
    let done = store::commit(visit, move |cx| {
        session::switch(cx, &id, None)?;
        event.record(cx)
    });
    match done.await {
        Ok(()) => Answer::see_other("/_palisade/signin/home"),
        Err(error) => Answer::failed(&error),
    }
}
