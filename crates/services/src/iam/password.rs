//! Console passwords of users and of the root user: what they must be like, how one is set, and
//! whether one is right. Every door goes through here: CreateLoginProfile, UpdateLoginProfile,
//! ChangePassword, the first start, and sign-in.
//!
//! Sources: IAM User Guide, "Set an account password policy for IAM users", "Manage user passwords
//! in AWS".

use super::password_policy::{self, rules};
use super::principal::Owner;
use super::user::USERS;
use super::{account, user};
use crate::accounts::ACCOUNTS;
use crate::context::Context;
use crate::errors::internal;
use crate::password_hash::{self, PasswordHash};
use crate::table::{Scope, Table};
use palisade_model::iam::{PASSWORD_POLICY_VIOLATION, PasswordPolicy};
use palisade_shape::{Error, Result, Timestamp};
use serde::{Deserialize, Serialize};

/// The most former passwords that a policy can forbid; as many are kept.
const HISTORY_MAX: usize = 24;
const DAY_MILLIS: i64 = 86_400_000;

/// The characters that count as symbols.
const SYMBOLS: &str = "!@#$%^&*()_+-=[]{}|'";

/// The login profile of a user or of the root user, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The user's unique id, or the account for root: what survives a new name.
    pub owner_id: String,
    pub created_millis: i64,
    /// When the password was set.
    pub changed_millis: i64,
    /// The next sign-in must set a new password.
    pub reset_required: bool,
    /// The newest password first; none for a root user who may only recover one.
    pub passwords: Vec<PasswordHash>,
}

/// Login profiles, by the owner's id. A door that finds none says so in its own words.
pub static PROFILES: Table<Profile> = Table::of_private(
    "iam/login-profile",
    Scope::Account,
    |profile| profile.owner_id.clone(),
    |profile| internal(format!("{} has a login profile already", profile.owner_id)),
    |id| internal(format!("{id} has no login profile")),
);

/// What a right password is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It signs in.
    Good,
    /// It is right, and a new one must be set before anything else: an administrator or its age
    /// asks for it.
    MustChange,
    /// It is too old, and only an administrator can set a new one (`HardExpiry`).
    Expired,
}

/// The id that a login profile is kept under; none when there is no such user.
pub fn owner_id(cx: &Context, owner: &Owner) -> Result<Option<String>> {
    match owner {
        Owner::Root => Ok(Some(cx.account().to_owned())),
        Owner::User(name) => Ok(cx.get(&USERS, &name.to_lowercase())?.map(|user| user.user_id)),
    }
}

/// The login profile of a user or of root, if it has one.
pub fn profile(cx: &Context, owner: &Owner) -> Result<Option<Profile>> {
    match owner_id(cx, owner)? {
        Some(id) => cx.get(&PROFILES, &id),
        None => Ok(None),
    }
}

/// Whether the password is that of the user or of root, and what it is good for. None when it is
/// wrong, when there is no such user, and when the user has no password; these three take the same
/// time. To be called off the threads that serve requests: it hashes.
pub fn verify(cx: &Context, owner: &Owner, password: &str) -> Result<Option<Standing>> {
    let profile = profile(cx, owner)?;
    let policy = password_policy::load(cx)?;
    let Some((profile, current)) = profile.as_ref().and_then(|p| Some((p, p.passwords.first()?)))
    else {
        password_hash::is_nobodys(cx, password)?;
        return Ok(None);
    };
    let right = password_hash::is(cx, password, current)?;
    // The account's policy is for its users; root's password does not age.
    let policy = policy.filter(|_| *owner != Owner::Root);
    Ok(right.then(|| standing(profile, policy.as_ref(), cx.now())))
}

/// What wrong passwords of a user are counted by, at every door; root has no name.
pub fn lock_subject(account: &str, name: &str) -> String {
    format!("signin/{account}/{}", name.to_lowercase())
}

fn standing(profile: &Profile, policy: Option<&PasswordPolicy>, now: Timestamp) -> Standing {
    let expires = policy.and_then(|policy| expires_millis(profile, policy));
    if expires.is_some_and(|at| at <= now.millis()) {
        return match policy.and_then(|policy| policy.hard_expiry) {
            Some(true) => Standing::Expired,
            _ => Standing::MustChange,
        };
    }
    if profile.reset_required { Standing::MustChange } else { Standing::Good }
}

fn expires_millis(profile: &Profile, policy: &PasswordPolicy) -> Option<i64> {
    let days = policy.max_password_age.filter(|days| *days > 0)?;
    Some(profile.changed_millis + i64::from(days) * DAY_MILLIS)
}

/// When the password of a user expires, for the credential report.
pub fn expires(cx: &Context, profile: &Profile) -> Result<Option<Timestamp>> {
    let policy = password_policy::load(cx)?;
    let at = policy.and_then(|policy| expires_millis(profile, &policy));
    Ok(at.map(Timestamp::from_millis))
}

/// Notes that someone signed in with a password: `PasswordLastUsed` of GetUser.
pub fn note_sign_in(cx: &mut Context, owner: &Owner) -> Result<()> {
    let now = cx.now().whole_seconds();
    match owner {
        Owner::User(name) => {
            let mut user = user::load(cx, name)?;
            user.password_last_used = Some(now);
            cx.put(&USERS, &user)
        }
        Owner::Root => {
            let mut record = account::load(cx)?;
            record.password_last_used_millis = Some(now.millis());
            account::save(cx, &record)
        }
    }
}

/// A new profile with that password. Stores nothing.
pub fn new_profile(
    cx: &Context,
    owner: &Owner,
    id: &str,
    password: Option<&str>,
    reset_required: bool,
) -> Result<Profile> {
    let now = cx.now().millis();
    let profile = Profile {
        owner_id: id.to_owned(),
        created_millis: now,
        changed_millis: now,
        reset_required,
        passwords: Vec::new(),
    };
    match password {
        Some(password) => with_password(cx, owner, profile, password),
        None => Ok(profile),
    }
}

/// The profile with a new password in place of the old one. Refuses a password that the account's
/// policy forbids, and one that was used before where the policy minds. Stores nothing.
pub fn with_password(
    cx: &Context,
    owner: &Owner,
    mut profile: Profile,
    password: &str,
) -> Result<Profile> {
    let policy = password_policy::load(cx)?.filter(|_| *owner != Owner::Root);
    check(cx, policy.as_ref(), password)?;
    let minded = policy.and_then(|policy| policy.password_reuse_prevention).unwrap_or(0);
    let minded = usize::try_from(minded).unwrap_or(0);
    for former in profile.passwords.iter().take(minded) {
        if password_hash::is(cx, password, former)? {
            return Err(PASSWORD_POLICY_VIOLATION.because(format!(
                "Password should not be one of the last {minded} passwords used"
            )));
        }
    }
    profile.passwords.insert(0, password_hash::hash(cx, password)?);
    profile.passwords.truncate(HISTORY_MAX);
    profile.changed_millis = cx.now().millis();
    Ok(profile)
}

/// Refuses a password that is not as the policy wants it; without a policy, as AWS's default wants
/// it: eight characters of three kinds, and not the name or e-mail address of the account.
fn check(cx: &Context, policy: Option<&PasswordPolicy>, password: &str) -> Result<()> {
    let Some(policy) = policy else {
        default_rules(password).map_err(violation)?;
        let account = cx.get(&ACCOUNTS, cx.account())?;
        let taken = account.is_some_and(|account| {
            let same = |text: &str| text.to_lowercase() == password.to_lowercase();
            same(&account.name) || same(&account.email)
        });
        return match taken {
            true => Err(violation(
                "Password should not be identical to the name or e-mail address of the account"
                    .to_owned(),
            )),
            false => Ok(()),
        };
    };
    let rules = rules(policy);
    let broken: Vec<String> =
        rules.into_iter().filter(|rule| !rule.is_met(password)).map(Rule::text).collect();
    if broken.is_empty() { Ok(()) } else { Err(violation(broken.join(", "))) }
}

fn violation(message: String) -> Error {
    PASSWORD_POLICY_VIOLATION.because(message)
}

fn default_rules(password: &str) -> std::result::Result<(), String> {
    const LENGTH: usize = 8;
    const KINDS: usize = 3;
    let length = Rule::Length(LENGTH);
    if !length.is_met(password) {
        return Err(length.text());
    }
    let kinds = [Rule::Uppercase, Rule::Lowercase, Rule::Number, Rule::Symbol];
    let missing: Vec<_> = kinds.into_iter().filter(|kind| !kind.is_met(password)).collect();
    let more = (KINDS + missing.len()).saturating_sub(kinds.len());
    if more == 0 {
        return Ok(());
    }
    let missing: Vec<String> = missing.into_iter().map(Rule::text).collect();
    let missing = missing.join(", ");
    Err(format!("Password should meet {more} more of the following requirements: {missing}"))
}

/// One demand of a password policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    Length(usize),
    Uppercase,
    Lowercase,
    Number,
    Symbol,
}

impl Rule {
    fn is_met(self, password: &str) -> bool {
        match self {
            Self::Length(least) => password.chars().count() >= least,
            Self::Uppercase => password.contains(|c: char| c.is_ascii_uppercase()),
            Self::Lowercase => password.contains(|c: char| c.is_ascii_lowercase()),
            Self::Number => password.contains(|c: char| c.is_ascii_digit()),
            Self::Symbol => password.contains(|c: char| SYMBOLS.contains(c)),
        }
    }

    /// As AWS words it.
    fn text(self) -> String {
        let kind = match self {
            Self::Length(least) => {
                return format!("Password should have a minimum length of {least}");
            }
            Self::Uppercase => "uppercase letter",
            Self::Lowercase => "lowercase letter",
            Self::Number => "number",
            Self::Symbol => "symbol",
        };
        format!("Password should have at least one {kind}")
    }
}

#[cfg(test)]
mod tests;
