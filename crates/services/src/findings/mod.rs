//! What a review of an account's security finds: the twelve best practices of IAM, and what a
//! management account should not hold. A check reads the state as it is now, writes nothing and
//! keeps nothing; advisers and rules of other services ask here too.
//!
//! Sources: IAM User Guide, "Security best practices in IAM"; the defaults of AWS Config's managed
//! rules `iam-password-policy`, `access-keys-rotated`, `iam-user-unused-credentials-check`;
//! Organizations User Guide, "Best practices for the management account".

use crate::context::Context;
use palisade_shape::{Result, Timestamp};
use serde::{Deserialize, Serialize};
use state::State;

mod application_role;
mod condition;
mod document;
mod group;
mod individual_user;
mod least_privilege;
mod management_account;
mod mfa;
mod monitoring;
mod password_policy;
mod root_key;
mod rotation;
mod shared_key;
mod state;
mod unused;

/// How old a credential gets, or how long it may lie unused.
const DAYS_MAX: i64 = 90;
const DAY_MILLIS: i64 = 86_400_000;

/// How bad a failed check is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    Passed,
    Failed,
}

/// A resource that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Affected {
    /// The ARN of the user, role, policy, bucket, key or, of its root user, the account.
    pub arn: String,
    /// The credential of it that is meant: an access key's id, `password`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    pub why: String,
}

impl Affected {
    fn new(arn: &str, why: impl Into<String>) -> Self {
        Self { arn: arn.to_owned(), credential: None, why: why.into() }
    }

    fn credential(arn: &str, credential: &str, why: impl Into<String>) -> Self {
        Self { credential: Some(credential.to_owned()), ..Self::new(arn, why) }
    }
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    pub id: String,
    pub title: String,
    pub severity: Severity,
    pub status: Status,
    /// What is wanted, and of a failed check what to do.
    pub why: String,
    /// Empty when the check passed.
    pub resources: Vec<Affected>,
}

/// One line of the checklist.
pub struct Check {
    pub id: &'static str,
    pub title: &'static str,
    pub severity: Severity,
    why: &'static str,
    /// The actions that read what the finding tells: who may not do them does not see it.
    pub reads: &'static [&'static str],
    /// What is not as it should be; none where the check is not for this account.
    look: fn(&mut Context, &State) -> Result<Option<Vec<Affected>>>,
}

impl Check {
    /// None where the check is not for the account that the context sees.
    fn finding(&self, cx: &mut Context, state: &State) -> Result<Option<Finding>> {
        let Some(resources) = (self.look)(cx, state)? else { return Ok(None) };
        Ok(Some(Finding {
            id: self.id.to_owned(),
            title: self.title.to_owned(),
            severity: self.severity,
            status: if resources.is_empty() { Status::Passed } else { Status::Failed },
            why: self.why.to_owned(),
            resources,
        }))
    }
}

/// All checks: the twelve of the checklist, then those for some accounts only.
pub static CHECKS: &[&Check] = &[
    &root_key::CHECK,
    &individual_user::CHECK,
    &group::CHECK,
    &least_privilege::CHECK,
    &password_policy::CHECK,
    &mfa::CHECK,
    &application_role::CHECK,
    &shared_key::CHECK,
    &rotation::CHECK,
    &unused::CHECK,
    &condition::CHECK,
    &monitoring::CHECK,
    &management_account::CHECK,
];

/// What these checks find in the account that the context sees, in their order. Reads every user,
/// role and policy of the account, so it is nothing for the threads that serve requests.
pub fn find(cx: &mut Context, checks: &[&Check]) -> Result<Vec<Finding>> {
    let state = state::read(cx)?;
    let mut found = Vec::new();
    for check in checks {
        found.extend(check.finding(cx, &state)?);
    }
    Ok(found)
}

/// The whole days from one moment to a later one.
fn days(from_millis: i64, to: Timestamp) -> i64 {
    (to.millis() - from_millis) / DAY_MILLIS
}

/// Whether more than [`DAYS_MAX`] days have passed.
fn is_over(from_millis: i64, now: Timestamp) -> bool {
    now.millis() - from_millis > DAYS_MAX * DAY_MILLIS
}

fn root_arn(cx: &Context) -> String {
    format!("arn:{}:iam::{}:root", cx.partition(), cx.account())
}

#[cfg(test)]
mod tests;
