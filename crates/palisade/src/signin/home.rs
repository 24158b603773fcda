//! Who is signed in, with which credentials, and the way out.

use super::answer::{Answer, Cookie};
use super::door::Visit;
use super::pages::{self, Credential};
use super::{password, store};
use crate::internal;
use palisade_model::iam::{
    ListAccessKeysRequest, ListAccessKeysResponse, ListMFADevicesRequest, ListMFADevicesResponse,
};
use palisade_model::sts::Credentials;
use palisade_services::iam;
use palisade_services::iam::account;
use palisade_services::signin::session::{self, Found, Who};
use palisade_shape::{Result, Timestamp};

/// The first page, for whoever is not signed in yet.
pub fn door(visit: &Visit<'_>) -> Answer {
    match visit.session() {
        Ok(Some(_)) => Answer::see_other("/_palisade/signin/home"),
        Ok(None) => password::form(visit, 200, ""),
        Err(error) => Answer::failed(&error),
    }
}

pub async fn home(visit: &Visit<'_>) -> Answer {
    let found = match visit.session() {
        Ok(Some(found)) => found,
        Ok(None) => return Answer::see_other("/_palisade/signin/"),
        Err(error) => return Answer::failed(&error),
    };
    match shown(visit, &found).await {
        Ok(answer) => answer,
        Err(error) => Answer::failed(&error),
    }
}

async fn shown(visit: &Visit<'_>, found: &Found) -> Result<Answer> {
    let caller = found.caller();
    let alias =
        store::read(visit, |cx| cx.in_account(&caller.account, |cx| Ok(account::load(cx)?.alias)))?;
    let credentials = credentials(visit, found).await?;
    let session = &found.session;
    let role = session.role.as_ref();
    let page = pages::Home {
        csrf: &found.csrf(),
        arn: &caller.arn,
        account: &caller.account,
        alias: alias.as_deref().unwrap_or_default(),
        since: &time(session.created_millis),
        until: &time(session.expires_millis),
        second_factor: if found.identity.mfa_at_millis.is_some() { "proven" } else { "not proven" },
        role: role.map(|role| (role.display_name.as_str(), role.account.as_str())),
        credentials: &credentials,
    };
    Ok(pages::answer(200, &page))
}

/// RFC 3339, in UTC.
pub fn time(millis: i64) -> String {
    let seconds = Timestamp::from_millis(millis).seconds();
    jiff::Timestamp::from_second(seconds).unwrap_or_default().to_string()
}

/// The person's own credentials, as IAM lists them to itself. What it may not list is not shown.
async fn credentials(visit: &Visit<'_>, found: &Found) -> Result<Vec<Credential>> {
    let mut lines = Vec::new();
    let Who::Person { password_set_millis, .. } = &found.session.who else { return Ok(lines) };
    lines.push(Credential {
        kind: "Password",
        id: String::new(),
        state: format!("set {}", time(*password_set_millis)),
    });
    let keys = store::read(visit, |cx| found.credentials(cx))?;
    lines.extend(devices(visit, &keys).await?);
    lines.extend(access_keys(visit, &keys).await?);
    Ok(lines)
}

async fn devices(visit: &Visit<'_>, keys: &Credentials) -> Result<Vec<Credential>> {
    let input = Box::new(ListMFADevicesRequest::default());
    let service = &iam::SERVICE;
    let listed: Result<ListMFADevicesResponse> =
        internal::call_as(visit.server, &visit.request, keys, service, "ListMFADevices", input)
            .await;
    let line = |device: palisade_model::iam::MFADevice| Credential {
        kind: "MFA device",
        id: device.serial_number,
        state: format!("enabled {}", time(device.enable_date.millis())),
    };
    refused_as_none("MFA device", listed.map(|l| l.mfa_devices.into_iter().map(line).collect()))
}

async fn access_keys(visit: &Visit<'_>, keys: &Credentials) -> Result<Vec<Credential>> {
    let input = Box::new(ListAccessKeysRequest::default());
    let service = &iam::SERVICE;
    let listed: Result<ListAccessKeysResponse> =
        internal::call_as(visit.server, &visit.request, keys, service, "ListAccessKeys", input)
            .await;
    let line = |key: palisade_model::iam::AccessKeyMetadata| {
        let made = key.create_date.map(|at| time(at.millis())).unwrap_or_default();
        let status = key.status.unwrap_or_default();
        Credential {
            kind: "Access key",
            id: key.access_key_id.unwrap_or_default(),
            state: format!("{status}, made {made}"),
        }
    };
    let lines = listed.map(|l| l.access_key_metadata.into_iter().map(line).collect());
    refused_as_none("Access key", lines)
}

fn refused_as_none(kind: &'static str, lines: Result<Vec<Credential>>) -> Result<Vec<Credential>> {
    match lines {
        Err(error) if error.code.status < 500 => {
            let state = "you may not list these".to_owned();
            Ok(vec![Credential { kind, id: String::new(), state }])
        }
        lines => lines,
    }
}

/// Ends the session at once.
pub async fn sign_out(visit: &Visit<'_>) -> Answer {
    let found = match visit.own_session() {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    let id = found.session.id;
    match store::commit(visit, move |cx| session::end(cx, &id)).await {
        Ok(()) => pages::message(200, "Signed out", "You are signed out.").with_cookie(
            Cookie::Session,
            String::new(),
            0,
        ),
        Err(error) => Answer::failed(&error),
    }
}
