//! A new password for a root user who lost the old one: a code goes to the account's e-mail
//! address, and who has it sets the password. The second factor stays: it is asked for at the next
//! sign-in, as in AWS.
//!
//! Source: IAM User Guide, "Reset a lost or forgotten root user password".

use super::{hashed, secret, sweep};
use crate::accounts::{self, ACCOUNTS};
use crate::context::Context;
use crate::errors::internal;
use crate::iam::password::{self, PROFILES, Profile};
use crate::iam::principal::Owner;
use crate::outbox::{self, Mail};
use crate::table::{Scope, Table};
use palisade_shape::Result;
use serde::{Deserialize, Serialize};

/// How long a code is good.
const LIFE_SECONDS: i64 = 3600;

/// A code that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recovery {
    /// The hash of the code.
    id: String,
    account: String,
    /// When the password was set that was lost: another one voids the code.
    password_set_millis: i64,
    expires_millis: i64,
}

static RECOVERIES: Table<Recovery> = Table::of_private(
    "signin/recovery",
    Scope::Plane,
    |recovery| recovery.id.clone(),
    |_| internal("a recovery code came twice"),
    |_| internal("no such recovery"),
);

/// What a right code leads to.
pub struct Plan {
    pub account: String,
    /// The login profile that the plan was made from, and the one with the new password.
    before: Profile,
    after: Profile,
}

fn root_profile(cx: &mut Context, account: &str) -> Result<Option<Profile>> {
    cx.in_account(account, |cx| password::profile(cx, &Owner::Root))
}

/// Sends a code to the root user with that e-mail address. Answers its account; none when there is
/// no such account, or when its root user may have no password.
pub fn request(cx: &mut Context, email: &str) -> Result<Option<String>> {
    let Some(account) = accounts::of_email(cx, email)? else { return Ok(None) };
    let Some(profile) = root_profile(cx, &account)? else { return Ok(None) };
    let code = secret(cx);
    let recovery = Recovery {
        id: hashed("recovery", &code),
        account: account.clone(),
        password_set_millis: profile.changed_millis,
        expires_millis: cx.now().plus_seconds(LIFE_SECONDS).millis(),
    };
    cx.put(&RECOVERIES, &recovery)?;
    let now = cx.now().millis();
    sweep(cx, &RECOVERIES, &recovery.id, |old| old.expires_millis <= now)?;
    cx.in_account(&account, |cx| send(cx, &account, &code))?;
    Ok(Some(account))
}

/// The message names no address of the server: the one that the request came with may be forged.
fn send(cx: &mut Context, account: &str, code: &str) -> Result<()> {
    let to = cx.find(&ACCOUNTS, account)?.email;
    let text = format!(
        "Somebody asked to set a new password for the root user of account {account}. If it was \
         you, open the page \"Set a new root password\" of your sign-in within an hour and enter \
         this code:\n\n{code}\n\nOtherwise do nothing: the password stays as it is."
    );
    let mail = Mail {
        kind: "root-password-recovery",
        to: &to,
        subject: "Set a new password for your root user",
        text: &text,
        code: Some(code),
    };
    outbox::send(cx, &mail).map(drop)
}

/// The recovery of a code, while it is good, with the profile that it is for.
fn find(cx: &mut Context, code: &str) -> Result<Option<(Recovery, Profile)>> {
    let Some(recovery) = cx.get(&RECOVERIES, &hashed("recovery", code))? else { return Ok(None) };
    if recovery.expires_millis <= cx.now().millis() {
        return Ok(None);
    }
    let profile = root_profile(cx, &recovery.account)?;
    let same = |known: &Profile| known.changed_millis == recovery.password_set_millis;
    Ok(profile.filter(same).map(|profile| (recovery, profile)))
}

/// Hashes the new password. None when the code is not good.
///
/// Fails with `PasswordPolicyViolation` for a password that root users may not have.
pub fn plan(cx: &mut Context, code: &str, new: &str) -> Result<Option<Plan>> {
    let Some((recovery, before)) = find(cx, code)? else { return Ok(None) };
    let account = recovery.account;
    let mut after = cx.in_account(&account, |cx| {
        password::with_password(cx, &Owner::Root, before.clone(), new)
    })?;
    after.reset_required = false;
    Ok(Some(Plan { account, before, after }))
}

/// Sets the planned password and uses the code up. False when the code is good no more.
pub fn complete(cx: &mut Context, code: &str, plan: &Plan) -> Result<bool> {
    match find(cx, code)? {
        Some((recovery, profile)) if profile == plan.before => {
            cx.delete(&RECOVERIES, &recovery.id)?;
            cx.in_account(&plan.account, |cx| cx.put(&PROFILES, &plan.after))?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ACCOUNT, Lab, NOW};

    const EMAIL: &str = "root+123456789012@example.com";
    const NEW: &str = "Battery-staple-2";

    fn with_password(lab: &Lab) {
        lab.write(|cx| {
            let profile =
                password::new_profile(cx, &Owner::Root, ACCOUNT, Some("Correct-horse-1"), false)?;
            cx.put(&PROFILES, &profile)
        })
        .unwrap();
    }

    /// The last code that was sent.
    fn code(lab: &Lab) -> String {
        lab.read(|cx| outbox::messages(cx)).unwrap().pop().unwrap().code.unwrap()
    }

    fn recovered(lab: &Lab, code: &str) -> bool {
        let code = code.to_owned();
        lab.write(move |cx| match plan(cx, &code, NEW)? {
            Some(plan) => complete(cx, &code, &plan),
            None => Ok(false),
        })
        .unwrap()
    }

    #[test]
    fn a_code_sets_one_password_in_time() {
        let lab = Lab::new();
        let asked = |email: &'static str| lab.write(move |cx| request(cx, email)).unwrap();
        assert_eq!(asked(EMAIL), None, "a root user without a login profile");
        with_password(&lab);
        assert_eq!(asked("nobody@example.com"), None);
        assert_eq!(asked(EMAIL).as_deref(), Some(ACCOUNT));
        let first = code(&lab);
        let later = lab.at(NOW.plus_seconds(1));
        let again = later.write(|cx| request(cx, " ROOT+123456789012@example.com")).unwrap();
        assert_eq!(again.as_deref(), Some(ACCOUNT));
        let second = code(&lab);
        assert_ne!(first, second);
        assert!(!recovered(&lab, "wrong"));
        assert!(!recovered(&lab.at(NOW.plus_seconds(LIFE_SECONDS)), &first));
        let later = lab.at(NOW.plus_seconds(LIFE_SECONDS - 1));
        assert!(recovered(&later, &first));
        assert!(!recovered(&later, &first), "used already");
        assert!(!recovered(&later, &second), "the password is another one");
        let standing = later.read(|cx| password::verify(cx, &Owner::Root, NEW)).unwrap();
        assert_eq!(standing, Some(password::Standing::Good));
    }

    #[test]
    fn a_weak_password_keeps_the_code() {
        let lab = Lab::new();
        with_password(&lab);
        lab.write(|cx| request(cx, EMAIL)).unwrap();
        let code = code(&lab);
        let refused = lab.read(|cx| plan(cx, &code, "weak").map(drop)).unwrap_err();
        assert_eq!(refused.code.code, "PasswordPolicyViolation");
        assert!(recovered(&lab, &code));
    }
}
