//! How many of each kind an account has, and may have (IAM User Guide, "IAM and AWS STS quotas").
//! The number is kept beside the records, so that creating the thousandth one costs what the first
//! one did, and GetAccountSummary reads a handful of rows.

use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use palisade_model::iam::LIMIT_EXCEEDED;
use palisade_shape::{Error, Result};
use serde::{Deserialize, Serialize};

/// Tags on one resource.
pub const TAGS: usize = 50;

/// A quota of the account on one kind of resource.
pub struct Quota {
    /// As AWS's message names it.
    pub name: &'static str,
    pub most: u32,
}

pub static USERS: Quota = Quota { name: "UsersPerAccount", most: 5000 };
pub static GROUPS: Quota = Quota { name: "GroupsPerAccount", most: 300 };
pub static ROLES: Quota = Quota { name: "RolesPerAccount", most: 1000 };
pub static POLICIES: Quota = Quota { name: "PoliciesPerAccount", most: 1500 };
pub static INSTANCE_PROFILES: Quota = Quota { name: "InstanceProfilesPerAccount", most: 1000 };

/// How many there are of one kind.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Count {
    name: String,
    count: u32,
}

static COUNTS: Table<Count> = Table::of_private(
    "iam/count",
    Scope::Account,
    |row| row.name.clone(),
    |row| internal(format!("there is a count of {} already", row.name)),
    |name| internal(format!("there is no count of {name}")),
);

/// How many of the kind the account has.
pub fn used(cx: &Context, quota: &Quota) -> Result<u32> {
    Ok(cx.get(&COUNTS, quota.name)?.map_or(0, |row| row.count))
}

/// Counts one more, or refuses what would exceed the quota.
pub fn take(cx: &mut Context, quota: &Quota) -> Result<()> {
    let count = used(cx, quota)?;
    if count >= quota.most {
        return Err(exceeded(quota.name, quota.most));
    }
    store(cx, quota, count + 1)
}

/// Counts one less.
pub fn give_back(cx: &mut Context, quota: &Quota) -> Result<()> {
    let count = used(cx, quota)?;
    store(cx, quota, count.saturating_sub(1))
}

fn store(cx: &mut Context, quota: &Quota, count: u32) -> Result<()> {
    cx.put(&COUNTS, &Count { name: quota.name.to_owned(), count })
}

/// AWS's answer to a call that would exceed a quota.
pub fn exceeded(name: &str, most: u32) -> Error {
    LIMIT_EXCEEDED.because(format!("Cannot exceed quota for {name}: {most}"))
}
