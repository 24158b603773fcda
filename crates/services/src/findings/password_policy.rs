//! The account's password policy asks for strong passwords.

use super::{Affected, Check, Severity, root_arn};
use crate::context::Context;
use crate::findings::state::State;
use crate::iam::password_policy;
use palisade_model::iam::PasswordPolicy;
use palisade_shape::Result;

/// The defaults of AWS Config's rule `iam-password-policy`.
const LENGTH_MIN: i32 = 14;
const REUSE_MIN: i32 = 24;
const AGE_DAYS_MAX: i32 = 90;

pub static CHECK: Check = Check {
    id: "strong-password-policy",
    title: "A password policy asks for strong passwords",
    severity: Severity::Medium,
    why: "Set a password policy: 14 characters or more of all four kinds, none of the last 24, a \
          new one after 90 days at most.",
    reads: &["iam:GetAccountPasswordPolicy"],
    look,
};

fn look(cx: &mut Context, _: &State) -> Result<Option<Vec<Affected>>> {
    let arn = root_arn(cx);
    let Some(policy) = password_policy::load(cx)? else {
        return Ok(Some(vec![Affected::new(&arn, "The account has no password policy.")]));
    };
    let missing = missing(&policy);
    if missing.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let why = format!("The password policy does not ask for {}.", missing.join(", "));
    Ok(Some(vec![Affected::new(&arn, why)]))
}

/// What a policy does not ask for.
pub fn missing(policy: &PasswordPolicy) -> Vec<String> {
    let on = |switch: Option<bool>| switch == Some(true);
    let age = policy.max_password_age.filter(|days| *days > 0);
    let wanted = [
        (
            policy.minimum_password_length.unwrap_or(0) >= LENGTH_MIN,
            format!("{LENGTH_MIN} characters"),
        ),
        (on(policy.require_uppercase_characters), "uppercase letters".to_owned()),
        (on(policy.require_lowercase_characters), "lowercase letters".to_owned()),
        (on(policy.require_numbers), "numbers".to_owned()),
        (on(policy.require_symbols), "symbols".to_owned()),
        (
            policy.password_reuse_prevention.unwrap_or(0) >= REUSE_MIN,
            format!("none of the last {REUSE_MIN} passwords"),
        ),
        (
            age.is_some_and(|days| days <= AGE_DAYS_MAX),
            format!("a new password after {AGE_DAYS_MAX} days"),
        ),
    ];
    wanted.into_iter().filter(|(met, _)| !met).map(|(_, text)| text).collect()
}
