//! The root user's e-mail address of a member account: the management account asks for another one,
//! and who reads the new mailbox has the code that makes it so.
//!
//! Source: Account Management API reference, StartPrimaryEmailUpdate, AcceptPrimaryEmailUpdate.

use super::{SERVICE, target};
use crate::accounts::{self, ACCOUNTS};
use crate::authorization::{Requirement, from_table};
use crate::context::Context;
use crate::errors::internal;
use crate::organizations::create_account::is_email;
use crate::outbox::{self, Mail};
use crate::random;
use crate::table::{Scope, Table};
use aws_lc_rs::constant_time;
use base64::{Engine, engine::general_purpose::STANDARD};
use palisade_model::account::{
    AcceptPrimaryEmailUpdateRequest, AcceptPrimaryEmailUpdateResponse, CONFLICT_EXCEPTION,
    GetPrimaryEmailRequest, GetPrimaryEmailResponse, RESOURCE_NOT_FOUND_EXCEPTION,
    StartPrimaryEmailUpdateRequest, StartPrimaryEmailUpdateResponse, TOO_MANY_REQUESTS_EXCEPTION,
    VALIDATION_EXCEPTION, primary_email_update_status,
};
use palisade_shape::{Error, Result};
use serde::{Deserialize, Serialize};

/// How long a code is good.
const LIFE_SECONDS: i64 = 86_400;
/// The one key of the table.
const ONLY: &str = "primary-email-update";

/// A change that waits for its code.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Update {
    email: String,
    /// The code, sealed for the account, in base64.
    sealed: String,
    expires_millis: i64,
}

static UPDATES: Table<Update> = Table::of_private(
    "account/primary-email-update",
    Scope::Account,
    |_| ONLY.to_owned(),
    |_| internal("an update is there already"),
    |_| missing(),
);

fn missing() -> Error {
    RESOURCE_NOT_FOUND_EXCEPTION
        .because("No pending update of the primary email address was found for the account.")
}

pub fn get_primary_email(
    cx: &mut Context,
    input: GetPrimaryEmailRequest,
) -> Result<GetPrimaryEmailResponse> {
    target::within(cx, Some(&input.account_id), |cx| {
        let primary_email = Some(cx.find(&ACCOUNTS, cx.account())?.email);
        Ok(GetPrimaryEmailResponse { primary_email })
    })
}

/// Sends a code to the new address. Another request before it was entered takes its place.
pub fn start_primary_email_update(
    cx: &mut Context,
    input: StartPrimaryEmailUpdateRequest,
) -> Result<StartPrimaryEmailUpdateResponse> {
    let StartPrimaryEmailUpdateRequest { account_id, primary_email } = input;
    target::within(cx, Some(&account_id), |cx| {
        if !is_email(&primary_email) {
            let text = "The email address is not valid.";
            return Err(VALIDATION_EXCEPTION.because(text).with("reason", "fieldValidationFailed"));
        }
        if accounts::of_email(cx, &primary_email)?.is_some() {
            return Err(taken());
        }
        let code = random::confirmation_code(&*cx.plane.random);
        let random = &mut |bytes: &mut [u8]| cx.plane.random.fill(bytes);
        let sealed = cx.plane.sealer.seal(ONLY, cx.account(), code.as_bytes(), random);
        let update = Update {
            email: primary_email.clone(),
            sealed: STANDARD.encode(sealed.map_err(internal)?),
            expires_millis: cx.now().plus_seconds(LIFE_SECONDS).millis(),
        };
        cx.put(&UPDATES, &update)?;
        let text = format!(
            "Somebody asked to make this the address of the root user of account {account_id}. \
             The code that confirms it:\n\n{code}\n\nOtherwise do nothing."
        );
        let mail = Mail {
            kind: "primary-email-update",
            to: &primary_email,
            subject: "Confirm your new root user e-mail address",
            text: &text,
            code: Some(&code),
        };
        outbox::send(cx, &mail)?;
        let status = Some(primary_email_update_status::PENDING.to_owned());
        Ok(StartPrimaryEmailUpdateResponse { status })
    })
}

fn taken() -> Error {
    CONFLICT_EXCEPTION.because("The email address is in use by another account.")
}

/// Makes the new address the root user's, with the code that went there.
pub fn accept_primary_email_update(
    cx: &mut Context,
    input: AcceptPrimaryEmailUpdateRequest,
) -> Result<AcceptPrimaryEmailUpdateResponse> {
    let AcceptPrimaryEmailUpdateRequest { account_id, primary_email, otp } = input;
    target::within(cx, Some(&account_id), |cx| {
        let update = cx.find(&UPDATES, ONLY)?;
        let gone = update.expires_millis <= cx.now().millis();
        if gone || !update.email.eq_ignore_ascii_case(&primary_email) {
            return Err(missing());
        }
        check_code(cx, &update, &otp)?;
        if accounts::of_email(cx, &update.email)?.is_some() {
            return Err(taken());
        }
        let id = cx.account().to_owned();
        accounts::change_email(cx, &id, &update.email)?;
        cx.delete(&UPDATES, ONLY)?;
        let status = Some(primary_email_update_status::ACCEPTED.to_owned());
        Ok(AcceptPrimaryEmailUpdateResponse { status })
    })
}

/// Compares the code in constant time. Whoever guesses waits longer and longer.
fn check_code(cx: &Context, update: &Update, given: &str) -> Result<()> {
    let attempts = &cx.plane.attempts;
    let subject = format!("{ONLY}/{}", cx.account());
    if attempts.must_wait(&subject, cx.now()) {
        let text = "Too many wrong one-time passwords. Try again later.";
        return Err(TOO_MANY_REQUESTS_EXCEPTION.because(text));
    }
    let sealed = STANDARD.decode(&update.sealed).map_err(internal)?;
    let code = cx.plane.sealer.unseal(ONLY, cx.account(), &sealed).map_err(internal)?;
    if constant_time::verify_slices_are_equal(&code, given.as_bytes()).is_ok() {
        attempts.succeeded(&subject);
        return Ok(());
    }
    attempts.failed(&subject, cx.now());
    let text = "The one-time password is not valid.";
    Err(VALIDATION_EXCEPTION.because(text).with("reason", "fieldValidationFailed"))
}

pub fn start_requirements(
    cx: &mut Context,
    input: &StartPrimaryEmailUpdateRequest,
) -> Result<Vec<Requirement>> {
    let requirements = from_table(cx, &SERVICE, "StartPrimaryEmailUpdate", input)?;
    Ok(by_domain(requirements, &input.primary_email))
}

pub fn accept_requirements(
    cx: &mut Context,
    input: &AcceptPrimaryEmailUpdateRequest,
) -> Result<Vec<Requirement>> {
    let requirements = from_table(cx, &SERVICE, "AcceptPrimaryEmailUpdate", input)?;
    Ok(by_domain(requirements, &input.primary_email))
}

/// `account:EmailTargetDomain` is what stands behind the address's `@`.
fn by_domain(requirements: Vec<Requirement>, email: &str) -> Vec<Requirement> {
    const KEY: &str = "account:EmailTargetDomain";
    let domain = email.rsplit('@').next().unwrap_or_default();
    let one = |mut requirement: Requirement| {
        requirement.keys.retain(|(key, _)| !key.eq_ignore_ascii_case(KEY));
        requirement.with_key(KEY, domain)
    };
    requirements.into_iter().map(one).collect()
}
