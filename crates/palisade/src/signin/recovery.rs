//! A lost root password: the code that is sent to the account's e-mail address sets a new one.
//! Nothing tells whether there is such an account.

use super::answer::Answer;
use super::door::{STALE, Visit};
use super::password::{BUSY, WAIT, wait_for_step};
use super::{pages, store};
use palisade_services::audit::CallerFragment;
use palisade_services::caller::Caller;
use palisade_services::signin::record::{GLOBAL_REGION, SignIn};
use palisade_services::signin::recovery;
use palisade_shape::Result;
use std::sync::Arc;

const SENT: &str = "If a root user has that e-mail address, a message with a code was sent to it.";
const WRONG: &str = "The code is wrong, was used already, or is too old.";

/// The form that asks for the e-mail address.
pub fn form(visit: &Visit<'_>, status: u16, message: &str) -> Answer {
    visit.answer_with(|csrf| {
        pages::answer(status, &pages::Recover { csrf, message, email: visit.field("email") })
    })
}

/// The form that takes the code.
pub fn new_form(visit: &Visit<'_>, status: u16, message: &str) -> Answer {
    visit.answer_with(|csrf| {
        pages::answer(status, &pages::RecoverNew { csrf, message, code: visit.field("code") })
    })
}

/// Sends a code. Each request counts like a failed try, so that nobody floods a mailbox.
pub async fn request(visit: &Visit<'_>) -> Answer {
    let began = visit.server.stopwatch();
    if visit.own_form().is_none() {
        return form(visit, 403, STALE);
    }
    let email = visit.field("email").trim().to_lowercase();
    let (attempts, now) = (&visit.server.plane.attempts, visit.request.at);
    let subject = format!("signin/recovery/{email}");
    if attempts.must_wait(&subject, now) {
        wait_for_step(visit, began).await;
        return form(visit, 429, WAIT);
    }
    attempts.failed(&subject, now);
    let sent = store::commit(visit, move |cx| {
        let Some(account) = recovery::request(cx, &email)? else { return Ok(()) };
        event("PasswordRecoveryRequested", &account).record(cx)
    });
    let sent = sent.await;
    wait_for_step(visit, began).await;
    match sent {
        Ok(()) => new_form(visit, 200, SENT),
        Err(error) => Answer::failed(&error),
    }
}

fn event(name: &'static str, account: &str) -> SignIn {
    let account: Arc<str> = account.into();
    SignIn::of(name, CallerFragment::of(&Caller::root(&account)), GLOBAL_REGION)
}

/// Sets the new password, with which the root user then signs in.
pub async fn complete(visit: &Visit<'_>) -> Answer {
    if visit.own_form().is_none() {
        return new_form(visit, 403, STALE);
    }
    if visit.field("new") != visit.field("again") {
        return new_form(visit, 400, "The new password and its repetition are not the same.");
    }
    match completed(visit).await {
        Ok(Some(true)) => {
            let text = "The root user has a new password. Sign in with it.";
            pages::message(200, "Password set", text)
        }
        Ok(Some(false)) => new_form(visit, 401, WRONG),
        Ok(None) => new_form(visit, 503, BUSY).retry_after(1),
        Err(error) if error.code.status < 500 => new_form(visit, 400, &error.message),
        Err(error) => Answer::failed(&error),
    }
}

/// None when it was not its turn to hash in time; false when the code is not good.
async fn completed(visit: &Visit<'_>) -> Result<Option<bool>> {
    let (code, new) = (visit.field("code").trim().to_owned(), visit.field("new").to_owned());
    let given = code.clone();
    let planned = store::slowly(visit, move |server, request| {
        store::read_now(server, request, |cx| recovery::plan(cx, &given, &new))
    });
    let plan = match planned.await? {
        Some(Some(plan)) => plan,
        Some(None) => return Ok(Some(false)),
        None => return Ok(None),
    };
    let done = store::commit(visit, move |cx| {
        let done = recovery::complete(cx, &code, &plan)?;
        if done {
            event("PasswordRecoveryCompleted", &plan.account).record(cx)?;
        }
        Ok(done)
    });
    done.await.map(Some)
}
