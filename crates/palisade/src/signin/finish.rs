//! What comes after a right password: the second factor, a new password where one is due, and then
//! the session.

use super::answer::{Answer, Cookie};
use super::door::Visit;
use super::{new_password, second_factor, store};
use palisade_services::audit::CallerFragment;
use palisade_services::authorization::caller_of;
use palisade_services::caller::{Caller, Principal};
use palisade_services::context::Context;
use palisade_services::errors::ACCESS_DENIED;
use palisade_services::iam::password;
use palisade_services::signin::record::{GLOBAL_REGION, SignIn};
use palisade_services::signin::session::{self, LIFE_SECONDS, Who};
use palisade_services::signin::step::{Factor, Step};
use palisade_services::signin::subject::Person;
use palisade_shape::Result;
use std::sync::Arc;

/// The next page of a sign-in, or its end.
pub async fn proceed(visit: &Visit<'_>, person: &Person, step: Step) -> Answer {
    if step.factor.is_none() {
        let devices = store::read(visit, |cx| second_factor::devices(cx, person));
        match devices {
            Ok(devices) if devices.is_empty() => {}
            Ok(devices) => return second_factor::begin(visit, person, step, devices).await,
            Err(error) => return Answer::failed(&error),
        }
    }
    if step.must_change {
        return new_password::form(visit, &step, 200, "");
    }
    match complete(visit, person, &step).await {
        Ok(cookie) => signed_in(cookie),
        Err(error) => Answer::failed(&error),
    }
}

/// To the page that says who is signed in.
pub fn signed_in(cookie: String) -> Answer {
    Answer::see_other("/_palisade/signin/home").with_cookie(Cookie::Session, cookie, LIFE_SECONDS)
}

/// Begins the session and records it. Answers its cookie.
async fn complete(visit: &Visit<'_>, person: &Person, step: &Step) -> Result<String> {
    let (person, step) = (person.clone(), step.clone());
    let (browser, home) = (visit.user_agent().to_owned(), visit.home_url());
    let region = region(visit, &person).to_owned();
    store::commit(visit, move |cx| {
        still(cx, &person, &step)?;
        let who = Who::Person {
            subject: person.subject.clone(),
            password_set_millis: step.password_set_millis,
            mfa_at_millis: step.factor.as_ref().map(|factor| factor.at_millis),
        };
        let expires = cx.now().whole_seconds().plus_seconds(LIFE_SECONDS);
        let cookie = session::begin(cx, &browser, who, expires)?;
        let account = person.subject.account.clone();
        cx.in_account(&account, |cx| password::note_sign_in(cx, &person.owner))?;
        let event = SignIn::of("ConsoleLogin", fragment(&person), &region);
        console_login(event, &home, step.factor.as_ref(), None).record(cx)?;
        Ok(cookie)
    })
    .await
}

/// Refuses when what was proven is not true any more: the user or its password is another one.
pub fn still(cx: &mut Context, person: &Person, step: &Step) -> Result<()> {
    let profile = person.profile(cx)?;
    let same = profile.is_some_and(|known| known.changed_millis == step.password_set_millis);
    let there = person.subject.person(cx)?.is_some();
    match same && there {
        true => Ok(()),
        false => Err(ACCESS_DENIED.because("The sign-in is not valid any more. Begin again.")),
    }
}

/// Sign-ins of root are all in one region.
pub fn region<'v>(visit: &'v Visit<'_>, person: &Person) -> &'v str {
    if person.subject.is_root() { GLOBAL_REGION } else { visit.region() }
}

/// The proven person as events name it: as itself, without a session.
pub fn fragment(person: &Person) -> CallerFragment {
    let account: Arc<str> = person.subject.account.as_str().into();
    if person.subject.is_root() {
        return CallerFragment::of(&Caller::root(&account));
    }
    let caller = caller_of(&Arc::new(person.session(0, None)));
    CallerFragment::of(&Caller {
        principal: Principal::User {
            name: person.name.as_str().into(),
            path: person.path.as_str().into(),
            id: person.subject.id.as_str().into(),
        },
        access_key_id: None,
        session: None,
        ..caller
    })
}

/// A ConsoleLogin event with what AWS tells of each.
pub fn console_login(
    mut event: SignIn,
    home: &str,
    factor: Option<&Factor>,
    failure: Option<&'static str>,
) -> SignIn {
    event.failure = failure;
    event.additional = vec![
        ("LoginTo", home.to_owned()),
        ("MobileVersion", "No".to_owned()),
        ("MFAUsed", if factor.is_some() { "Yes" } else { "No" }.to_owned()),
    ];
    if let Some(factor) = factor.filter(|factor| !factor.serial_number.is_empty()) {
        event.additional.push(("MFAIdentifier", factor.serial_number.clone()));
    }
    event
}
