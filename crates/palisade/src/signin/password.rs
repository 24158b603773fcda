//! The first step: a name and a password. Wrong ones cost as much as right ones, and nothing tells
//! which part was wrong.

use super::answer::Answer;
use super::door::{STALE, Visit};
use super::{finish, pages, store};
use crate::server::Server;
use palisade_services::accounts;
use palisade_services::audit::CallerFragment;
use palisade_services::context::{Context, Request};
use palisade_services::iam::password::{self, Standing};
use palisade_services::iam::principal::Owner;
use palisade_services::password_hash;
use palisade_services::signin::record::{GLOBAL_REGION, SignIn};
use palisade_services::signin::step::Step;
use palisade_services::signin::subject::{self, Person};
use palisade_shape::{Result, Timestamp};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What every refusal says.
const WRONG: &str = "Your authentication information is incorrect. Please try again.";
pub const WAIT: &str = "There were too many failed attempts. Please wait and try again.";
pub const BUSY: &str = "Too many people are signing in right now. Please try again.";
const EXPIRED: &str = "Your password has expired. Ask your administrator to set a new one.";
/// The words of CloudTrail.
const FAILED: &str = "Failed authentication";
const NO_SUCH_USER: &str = "No username found in supplied account";
/// Refusals leave at multiples of this after the request came, so that their time tells nothing.
const REFUSAL_STEP: Duration = Duration::from_millis(250);

/// Whom a form is about.
#[derive(Clone)]
enum Claim {
    Root { email: String },
    User { account: String, name: String },
}

/// What came of a password.
enum Verdict {
    Right(Box<Person>, Step),
    /// With the event of it, where there is an account whose trail gets it.
    Refused(&'static str, Option<Box<SignIn>>),
}

pub async fn sign_in(visit: &Visit<'_>) -> Answer {
    let began = visit.server.stopwatch();
    if visit.own_form().is_none() {
        return form(visit, 403, STALE);
    }
    let claim = match visit.field("as") {
        "root" => Claim::Root { email: visit.field("email").to_owned() },
        _ => Claim::User {
            account: visit.field("account").to_owned(),
            name: visit.field("username").to_owned(),
        },
    };
    match judged(visit, claim).await {
        Ok(Some(Verdict::Right(person, step))) => finish::proceed(visit, &person, step).await,
        Ok(Some(Verdict::Refused(message, event))) => {
            let recorded = match event {
                Some(event) => store::commit(visit, move |cx| event.record(cx)).await,
                None => Ok(()),
            };
            if let Err(error) = recorded {
                return Answer::failed(&error);
            }
            wait_for_step(visit, began).await;
            form(visit, 401, message)
        }
        Ok(None) => form(visit, 503, BUSY).retry_after(1),
        Err(error) => Answer::failed(&error),
    }
}

/// The first page again, with what was typed but for the password.
pub fn form(visit: &Visit<'_>, status: u16, message: &str) -> Answer {
    visit.answer_with(|csrf| {
        let page = pages::SignIn {
            csrf,
            message,
            email: visit.field("email"),
            account: visit.field("account"),
            name: visit.field("username"),
        };
        pages::answer(status, &page)
    })
}

pub async fn wait_for_step(visit: &Visit<'_>, began: Instant) {
    let step = REFUSAL_STEP.as_micros();
    let passed = visit.server.stopwatch().duration_since(began).as_micros();
    let rest = step - passed % step;
    tokio::time::sleep(Duration::from_micros(u64::try_from(rest).unwrap_or(0))).await;
}

/// None when it is not its turn to hash in time.
async fn judged(visit: &Visit<'_>, claim: Claim) -> Result<Option<Verdict>> {
    let (given, home) = (visit.field("password").to_owned(), visit.home_url());
    store::slowly(visit, move |server, request| judge(server, request, &claim, &given, &home)).await
}

fn judge(
    server: &Arc<Server>,
    request: &Request,
    claim: &Claim,
    given: &str,
    home: &str,
) -> Result<Verdict> {
    store::read_now(server, request, |cx| {
        let account = account(cx, claim)?;
        let subject = lock_subject(claim, account.as_deref());
        let now = request.at;
        let person = match &account {
            Some(account) => person(cx, claim, account)?,
            None => None,
        };
        let refused = |message, why| {
            let event = account.as_ref().map(|account| {
                let region = &server.plane.settings.region;
                Box::new(refusal(account, region, claim, person.as_ref(), home, why))
            });
            Ok(Verdict::Refused(message, event))
        };
        if server.plane.attempts.must_wait(&subject, now) {
            return refused(WAIT, FAILED);
        }
        let standing = standing(cx, account.as_deref(), person.as_ref(), claim, given)?;
        match (standing, &person) {
            (Some(Standing::Expired), Some(_)) => refused(EXPIRED, FAILED),
            (Some(standing), Some(person)) => {
                server.plane.attempts.succeeded(&subject);
                right(cx, person, standing, now)
            }
            _ => {
                server.plane.attempts.failed(&subject, now);
                refused(WRONG, if person.is_none() { NO_SUCH_USER } else { FAILED })
            }
        }
    })
}

/// What failures are counted by: the same for names that are not there.
fn lock_subject(claim: &Claim, account: Option<&str>) -> String {
    let (typed, name) = match claim {
        Claim::Root { email } => (email, ""),
        Claim::User { account, name } => (account, name.trim()),
    };
    password::lock_subject(account.unwrap_or(&typed.trim().to_lowercase()), name)
}

fn account(cx: &Context, claim: &Claim) -> Result<Option<String>> {
    match claim {
        Claim::Root { email } => accounts::of_email(cx, email),
        Claim::User { account, .. } => subject::account_named(cx, account),
    }
}

fn person(cx: &mut Context, claim: &Claim, account: &str) -> Result<Option<Person>> {
    match claim {
        Claim::Root { .. } => Ok(Some(subject::root(account))),
        Claim::User { name, .. } => cx.in_account(account, |cx| subject::user_named(cx, name)),
    }
}

/// Takes the same time whether there is such an account, such a user, such a password or not.
fn standing(
    cx: &mut Context,
    account: Option<&str>,
    person: Option<&Person>,
    claim: &Claim,
    given: &str,
) -> Result<Option<Standing>> {
    let Some(account) = account else {
        password_hash::is_nobodys(cx, given)?;
        return Ok(None);
    };
    let nobody = match claim {
        Claim::Root { .. } => Owner::Root,
        Claim::User { name, .. } => Owner::User(name.clone()),
    };
    let owner = person.map_or(&nobody, |person| &person.owner);
    cx.in_account(account, |cx| password::verify(cx, owner, given))
}

fn right(cx: &mut Context, person: &Person, standing: Standing, now: Timestamp) -> Result<Verdict> {
    let Some(profile) = person.profile(cx)? else {
        return Ok(Verdict::Refused(WRONG, None));
    };
    let step = Step {
        subject: person.subject.clone(),
        password_set_millis: profile.changed_millis,
        must_change: standing == Standing::MustChange,
        factor: None,
        issued_millis: now.millis(),
    };
    Ok(Verdict::Right(Box::new(person.clone()), step))
}

fn refusal(
    account: &str,
    region: &str,
    claim: &Claim,
    person: Option<&Person>,
    home: &str,
    why: &'static str,
) -> SignIn {
    let known = person.map(|person| (person.subject.id.as_str(), person.arn.as_str()));
    let (who, region) = match claim {
        Claim::Root { .. } => (CallerFragment::unproven(account, None, known), GLOBAL_REGION),
        Claim::User { name, .. } => {
            let name = person.map_or(name.as_str(), |person| &person.name);
            (CallerFragment::unproven(account, Some(name), known), region)
        }
    };
    finish::console_login(SignIn::of("ConsoleLogin", who, region), home, None, Some(why))
}
