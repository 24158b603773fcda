//! The account's password policy. An account without one has AWS's default, which
//! GetAccountPasswordPolicy does not show.
//!
//! Source: IAM API reference, UpdateAccountPasswordPolicy; IAM User Guide, "Set an account password
//! policy for IAM users".

use super::password::Rule;
use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use palisade_model::iam::{
    GetAccountPasswordPolicyResponse, NO_SUCH_ENTITY, PasswordPolicy,
    UpdateAccountPasswordPolicyRequest,
};
use palisade_shape::{Error, Nothing, Result};

/// The least length of a password where a policy does not say.
const LENGTH: i32 = 6;

/// One row an account.
pub static POLICIES: Table<PasswordPolicy> = Table::of_shapes(
    "iam/password-policy",
    Scope::Account,
    |_| String::new(),
    |_| internal("the account has a password policy already"),
    |_| internal("the account has no password policy"),
);

/// What a policy with `AllowUsersToChangePassword` lets every user of the account do, without a
/// policy of the user's own ("Permit IAM users to change their own passwords").
pub const OWN_PASSWORD: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"iam:GetAccountPasswordPolicy","Resource":"*"},
    {"Effect":"Allow","Action":"iam:ChangePassword","Resource":"arn:*:iam::*:user/${aws:username}"},
    {"Effect":"Allow","Action":"iam:ChangePassword",
     "Resource":"arn:*:iam::*:user/*/${aws:username}"}]}"#;

/// The account's own policy, if it has one.
pub fn load(cx: &Context) -> Result<Option<PasswordPolicy>> {
    cx.get(&POLICIES, "")
}

/// What the policy asks of every new password.
pub fn rules(policy: &PasswordPolicy) -> Vec<Rule> {
    let least = policy.minimum_password_length.and_then(|length| usize::try_from(length).ok());
    let kinds = [
        (policy.require_uppercase_characters, Rule::Uppercase),
        (policy.require_lowercase_characters, Rule::Lowercase),
        (policy.require_numbers, Rule::Number),
        (policy.require_symbols, Rule::Symbol),
    ];
    let kinds = kinds.into_iter().filter(|(wanted, _)| *wanted == Some(true));
    least.map(Rule::Length).into_iter().chain(kinds.map(|(_, rule)| rule)).collect()
}

fn missing(cx: &Context) -> Error {
    let account = cx.account();
    NO_SUCH_ENTITY
        .because(format!("The Password Policy with domain name {account} cannot be found."))
}

/// Shows the account's policy.
pub fn get_account_password_policy(
    cx: &mut Context,
    _: Nothing,
) -> Result<GetAccountPasswordPolicyResponse> {
    let password_policy = load(cx)?.ok_or_else(|| missing(cx))?;
    Ok(GetAccountPasswordPolicyResponse { password_policy })
}

/// Sets the whole policy: what is not given goes back to its default.
pub fn update_account_password_policy(
    cx: &mut Context,
    input: UpdateAccountPasswordPolicyRequest,
) -> Result<Nothing> {
    let UpdateAccountPasswordPolicyRequest {
        minimum_password_length,
        require_symbols,
        require_numbers,
        require_uppercase_characters,
        require_lowercase_characters,
        allow_users_to_change_password,
        max_password_age,
        password_reuse_prevention,
        hard_expiry,
    } = input;
    let switch = |given: Option<bool>| Some(given.unwrap_or(false));
    let policy = PasswordPolicy {
        minimum_password_length: Some(minimum_password_length.unwrap_or(LENGTH)),
        require_symbols: switch(require_symbols),
        require_numbers: switch(require_numbers),
        require_uppercase_characters: switch(require_uppercase_characters),
        require_lowercase_characters: switch(require_lowercase_characters),
        allow_users_to_change_password: switch(allow_users_to_change_password),
        expire_passwords: Some(max_password_age.is_some()),
        max_password_age,
        password_reuse_prevention,
        hard_expiry,
    };
    cx.put(&POLICIES, &policy)?;
    Ok(Nothing)
}

/// Goes back to AWS's default.
pub fn delete_account_password_policy(cx: &mut Context, _: Nothing) -> Result<Nothing> {
    if cx.delete(&POLICIES, "")? { Ok(Nothing) } else { Err(missing(cx)) }
}
