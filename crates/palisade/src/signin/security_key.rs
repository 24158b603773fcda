//! Registering a security key of who is signed in. The key is enabled by IAM's EnableMFADevice,
//! called as the person: allowed, refused and recorded like any other call.

use super::answer::Answer;
use super::door::Visit;
use super::{pages, store};
use crate::internal;
use palisade_model::iam::EnableMFADeviceRequest;
use palisade_services::iam;
use palisade_services::signin::security_key::{self, Asked, Place};
use palisade_services::signin::session::Found;
use palisade_services::signin::subject::Person;
use palisade_shape::{Nothing, Result};

const NO_HOST: &str = "Browsers use security keys only where the address is a host name, with TLS \
                       or on localhost. Open this page there.";
/// EnableMFADevice wants codes of every device; a security key's are not looked at.
const NO_CODE: &str = "000000";

/// The place that the browser shows; none where it is not a host name.
pub fn place(visit: &Visit<'_>) -> Option<Place> {
    let scheme = if visit.request.secure { "https" } else { "http" };
    Place::of(&format!("{scheme}://{}", crate::pipeline::host(visit.head)))
}

/// The page that registers a key.
pub fn form(visit: &Visit<'_>) -> Answer {
    visit.page_of(|found| page(visit, found, 200, ""))
}

fn page(visit: &Visit<'_>, found: &Found, status: u16, message: &str) -> Answer {
    let Some(person) = &found.person else {
        let text = "Only users and root users have security keys.";
        return pages::message(400, "No security key", text);
    };
    let Some(place) = place(visit) else {
        return pages::message(400, "No security key", NO_HOST);
    };
    let asked = store::read(visit, |cx| {
        security_key::begin_registration(cx, &place, person, &found.session.id)
    });
    match asked {
        Ok(Asked { options, sealed }) => {
            let (csrf, name) = (found.csrf(), visit.field("name"));
            let page =
                pages::SecurityKey { csrf: &csrf, message, name, asked: &options, sealed: &sealed };
            pages::answer(status, &page)
        }
        Err(error) => Answer::failed(&error),
    }
}

pub async fn register(visit: &Visit<'_>) -> Answer {
    let found = match visit.own_session() {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    let (Some(person), Some(place)) = (found.person.clone(), place(visit)) else {
        return page(visit, &found, 400, "");
    };
    match registered(visit, &found, person, place).await {
        Ok(()) => Answer::see_other("/_palisade/signin/home"),
        Err(error) if error.code.status >= 500 => Answer::failed(&error),
        Err(error) => page(visit, &found, error.code.status, &error.message),
    }
}

async fn registered(visit: &Visit<'_>, found: &Found, person: Person, place: Place) -> Result<()> {
    let (name, session) = (visit.field("name").trim().to_owned(), found.session.id.clone());
    let (sealed, json) = (visit.field("sealed").to_owned(), visit.field("answer").to_owned());
    let account = person.subject.account.clone();
    let user_name = match person.subject.is_root() {
        true => account.clone(),
        false => person.name.clone(),
    };
    let serial = store::commit(visit, move |cx| {
        let answer =
            security_key::Answer { place: &place, browser: &session, sealed: &sealed, json: &json };
        security_key::finish_registration(cx, &person, &name, &answer)
    })
    .await?;
    let input = EnableMFADeviceRequest {
        user_name,
        serial_number: serial.clone(),
        authentication_code1: NO_CODE.to_owned(),
        authentication_code2: NO_CODE.to_owned(),
    };
    let keys = store::read(visit, |cx| found.credentials(cx))?;
    let (service, input) = (&iam::SERVICE, Box::new(input));
    let enabled: Result<Nothing> =
        internal::call_as(visit.server, &visit.request, &keys, service, "EnableMFADevice", input)
            .await;
    if enabled.is_err() {
        store::commit(visit, move |cx| security_key::abandon(cx, &account, &serial)).await?;
    }
    enabled.map(drop)
}
