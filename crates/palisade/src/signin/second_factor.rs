//! The second step: a code of any of the person's devices, or one of its security keys. No session
//! exists before it.

use super::answer::Answer;
use super::door::{STALE, Visit};
use super::{finish, pages, password, security_key, store};
use palisade_services::context::Context;
use palisade_services::iam::mfa_device::{self, Form, Verdict};
use palisade_services::signin::record::SignIn;
use palisade_services::signin::security_key as keys;
use palisade_services::signin::step::{self, Factor, Step};
use palisade_services::signin::subject::Person;
use palisade_shape::Result;

const WRONG: &str = "The code is not right. Wait for the next one and try again.";
const WRONG_KEY: &str = "The security key's answer is not right. Try again.";
const FAILED: &str = "Failed authentication";

/// The serial numbers of a person's devices.
pub fn devices(cx: &mut Context, person: &Person) -> Result<Vec<String>> {
    cx.in_account(&person.subject.account, |cx| mfa_device::serials(cx, &person.owner))
}

/// Asks for the second factor; the trail says that it was asked for.
pub async fn begin(visit: &Visit<'_>, person: &Person, step: Step, devices: Vec<String>) -> Answer {
    let mut event = SignIn::of("CheckMfa", finish::fragment(person), finish::region(visit, person));
    event.additional.push(("MfaType", kind(&devices).to_owned()));
    if let Err(error) = store::commit(visit, move |cx| event.record(cx)).await {
        return Answer::failed(&error);
    }
    form(visit, person, &step, 200, "")
}

fn kind(devices: &[String]) -> &'static str {
    match devices {
        [one] => match Form::of(one) {
            Form::Virtual => "Virtual MFA",
            Form::Token => "Hardware MFA",
            Form::SecurityKey => "U2F MFA",
        },
        _ => "Multiple MFA Devices",
    }
}

fn form(visit: &Visit<'_>, person: &Person, step: &Step, status: u16, message: &str) -> Answer {
    let Some(browser) = visit.own_form() else { return password::form(visit, 403, STALE) };
    let asked = store::read(visit, |cx| {
        let sealed = step::seal(cx, step, browser)?;
        let devices = devices(cx, person)?;
        let has_codes = devices.iter().any(|serial| Form::of(serial) != Form::SecurityKey);
        let key = match security_key::place(visit) {
            Some(place) => keys::begin_assertion(cx, &place, person, browser)?,
            None => None,
        };
        Ok((sealed, has_codes, key))
    });
    match asked {
        Ok((step, has_codes, key)) => visit.answer_with(|csrf| {
            let page = pages::SecondFactor { csrf, step: &step, message, has_codes, key };
            pages::answer(status, &page)
        }),
        Err(error) => Answer::failed(&error),
    }
}

/// The step of the form and whom it is about; otherwise what to answer.
pub fn opened(visit: &Visit<'_>) -> std::result::Result<(Step, Person), Answer> {
    let stale = || password::form(visit, 403, STALE);
    let browser = visit.own_form().ok_or_else(stale)?;
    let found = store::read(visit, |cx| {
        let Some(step) = step::open(cx, visit.field("step"), browser) else { return Ok(None) };
        let Some(person) = step.subject.person(cx)? else { return Ok(None) };
        Ok(finish::still(cx, &person, &step).ok().map(|()| (step, person)))
    });
    found.map_err(|error| Answer::failed(&error))?.ok_or_else(stale)
}

pub async fn sign_in(visit: &Visit<'_>) -> Answer {
    let (step, person) = match opened(visit) {
        Ok(opened) => opened,
        Err(answer) => return answer,
    };
    if step.factor.is_some() {
        return finish::proceed(visit, &person, step).await;
    }
    match proven(visit, &person, &step).await {
        Ok(Some(factor)) => {
            let step = Step { factor: Some(factor), ..step };
            finish::proceed(visit, &person, step).await
        }
        Ok(None) if visit.field("answer").is_empty() => form(visit, &person, &step, 401, WRONG),
        Ok(None) => form(visit, &person, &step, 401, WRONG_KEY),
        Err(error) => Answer::failed(&error),
    }
}

/// Checks the code against each device, or the answer of a security key, and uses it up, or records
/// that it was wrong.
async fn proven(visit: &Visit<'_>, person: &Person, step: &Step) -> Result<Option<Factor>> {
    let code = visit.field("code").trim().to_owned();
    let (sealed, json) = (visit.field("sealed").to_owned(), visit.field("answer").to_owned());
    let place = security_key::place(visit).filter(|_| !json.is_empty());
    let browser = visit.own_form().unwrap_or_default().to_owned();
    let (person, step) = (person.clone(), step.clone());
    let (home, region) = (visit.home_url(), finish::region(visit, &person).to_owned());
    store::commit(visit, move |cx| {
        finish::still(cx, &person, &step)?;
        let account = person.subject.account.clone();
        let factor = match &place {
            Some(place) => {
                let answer =
                    keys::Answer { place, browser: &browser, sealed: &sealed, json: &json };
                let serial = keys::finish_assertion(cx, &person, &answer)?;
                serial.map(|serial_number| factor(cx, serial_number))
            }
            None => cx.in_account(&account, |cx| take_code(cx, &person, &code))?,
        };
        if factor.is_none() {
            let event = SignIn::of("ConsoleLogin", finish::fragment(&person), &region);
            // No device is named: none was proven.
            let none = Factor { serial_number: String::new(), at_millis: 0 };
            finish::console_login(event, &home, Some(&none), Some(FAILED)).record(cx)?;
        }
        Ok(factor)
    })
    .await
}

fn take_code(cx: &mut Context, person: &Person, code: &str) -> Result<Option<Factor>> {
    let serials = mfa_device::serials(cx, &person.owner)?;
    for serial in &serials {
        let verdict = mfa_device::check_code(cx, &person.subject.id, serial, code)?;
        let Verdict::Right(taken) = verdict else { continue };
        mfa_device::use_code(cx, serial, taken)?;
        for other in &serials {
            // The code was not meant for the devices that were asked before the right one.
            cx.plane.attempts.succeeded(other);
        }
        return Ok(Some(factor(cx, serial.clone())));
    }
    Ok(None)
}

/// A device that was proven now.
fn factor(cx: &Context, serial_number: String) -> Factor {
    Factor { serial_number, at_millis: cx.now().whole_seconds().millis() }
}
