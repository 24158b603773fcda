//! A password that must be changed. The change is IAM's ChangePassword, made as the user: allowed,
//! checked and recorded like any other call.

use super::answer::Answer;
use super::door::{STALE, Visit};
use super::{finish, pages, password, second_factor, store};
use crate::internal;
use palisade_model::iam::ChangePasswordRequest;
use palisade_services::iam;
use palisade_services::signin::session::CREDENTIALS_SECONDS;
use palisade_services::signin::step::{self, Step};
use palisade_services::signin::subject::Person;
use palisade_services::sts;
use palisade_shape::{Nothing, Result};

const NOT_EQUAL: &str = "The new password and its repetition are not the same.";

/// Asks for a new password.
pub fn form(visit: &Visit<'_>, step: &Step, status: u16, message: &str) -> Answer {
    let Some(browser) = visit.own_form() else { return password::form(visit, 403, STALE) };
    match store::read(visit, |cx| step::seal(cx, step, browser)) {
        Ok(sealed) => visit.answer_with(|csrf| {
            pages::answer(status, &pages::NewPassword { csrf, step: &sealed, message })
        }),
        Err(error) => Answer::failed(&error),
    }
}

pub async fn sign_in(visit: &Visit<'_>) -> Answer {
    let (step, person) = match second_factor::opened(visit) {
        Ok(opened) => opened,
        Err(answer) => return answer,
    };
    let devices = store::read(visit, |cx| second_factor::devices(cx, &person));
    match devices {
        Ok(devices) if step.factor.is_some() || devices.is_empty() => {}
        Ok(_) => return finish::proceed(visit, &person, step).await,
        Err(error) => return Answer::failed(&error),
    }
    if visit.field("new") != visit.field("again") {
        return form(visit, &step, 400, NOT_EQUAL);
    }
    match change(visit, &person, &step).await {
        Ok(set_millis) => {
            let step = Step { password_set_millis: set_millis, must_change: false, ..step };
            finish::proceed(visit, &person, step).await
        }
        Err(error) if error.code.status >= 500 => Answer::failed(&error),
        Err(error) => form(visit, &step, 400, &error.message),
    }
}

/// Changes the password as the user, and answers when it was set.
async fn change(visit: &Visit<'_>, person: &Person, step: &Step) -> Result<i64> {
    let mfa_at_millis = step.factor.as_ref().map(|factor| factor.at_millis);
    let keys = store::read(visit, |cx| {
        let now = cx.now().whole_seconds();
        let session = person.session(now.millis(), mfa_at_millis);
        sts::session::reissue(cx, &session, now.plus_seconds(CREDENTIALS_SECONDS))
    })?;
    let input = ChangePasswordRequest {
        old_password: visit.field("old").to_owned(),
        new_password: visit.field("new").to_owned(),
    };
    let service = &iam::SERVICE;
    let input = Box::new(input);
    let _: Nothing =
        internal::call_as(visit.server, &visit.request, &keys, service, "ChangePassword", input)
            .await?;
    let profile = store::read(visit, |cx| person.profile(cx))?;
    Ok(profile.map_or(step.password_set_millis, |profile| profile.changed_millis))
}
