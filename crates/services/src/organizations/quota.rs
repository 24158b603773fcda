//! How many of each kind an organization has, and may have (Organizations User Guide, "Quotas and
//! service limits"). Counted beside the records, so that the ten thousandth account costs what the
//! first one did.

use super::refusal::constraint;
use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use palisade_shape::Result;
use serde::{Deserialize, Serialize};

/// A quota of an organization.
pub struct Quota {
    pub name: &'static str,
    pub most: u64,
    /// What the exception says when it would be exceeded.
    pub reason: &'static str,
    pub text: &'static str,
}

/// AWS begins with ten and grants up to this; whoever runs the plane needs no grant. Invitations
/// that are open count, and so do closed accounts until they are gone.
pub static ACCOUNTS: Quota = Quota {
    name: "accounts",
    most: 10_000,
    reason: "ACCOUNT_NUMBER_LIMIT_EXCEEDED",
    text: "You have exceeded the allowed number of AWS accounts in your organization.",
};

pub static UNITS: Quota = Quota {
    name: "units",
    most: 2_000,
    reason: "OU_NUMBER_LIMIT_EXCEEDED",
    text: "You have exceeded the allowed number of organizational units.",
};

/// Invitations that nobody has answered yet hold a place each.
pub const INVITATIONS: &str = "invitations";

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Figure {
    name: String,
    figure: u64,
}

static USED: Table<Figure> = Table::of_private(
    "organizations/count",
    Scope::Account,
    |row| row.name.clone(),
    |row| internal(format!("there is a figure of {} already", row.name)),
    |name| internal(format!("there is no figure of {name}")),
);

static GRANTED: Table<Figure> = Table::of_private(
    "organizations/quota",
    Scope::Account,
    |row| row.name.clone(),
    |row| internal(format!("there is a quota of {} already", row.name)),
    |name| internal(format!("there is no quota of {name}")),
);

/// How many there are. The context stands in the management account.
pub fn used(cx: &Context, name: &str) -> Result<u64> {
    Ok(cx.get(&USED, name)?.map_or(0, |row| row.figure))
}

/// Whether one more would exceed the quota.
pub fn is_full(cx: &Context, quota: &Quota) -> Result<bool> {
    Ok(used(cx, quota.name)? >= most(cx, quota)?)
}

/// Whether the organization has no place for one more account.
pub fn has_no_room(cx: &Context) -> Result<bool> {
    Ok(used(cx, ACCOUNTS.name)? + used(cx, INVITATIONS)? >= most(cx, &ACCOUNTS)?)
}

fn most(cx: &Context, quota: &Quota) -> Result<u64> {
    Ok(cx.get(&GRANTED, quota.name)?.map_or(quota.most, |row| row.figure))
}

/// Sets another limit for the organization.
pub fn grant(cx: &mut Context, quota: &Quota, figure: u64) -> Result<()> {
    cx.put(&GRANTED, &Figure { name: quota.name.to_owned(), figure })
}

/// Counts one more, or refuses what would exceed the quota.
pub fn take(cx: &mut Context, quota: &Quota) -> Result<()> {
    if is_full(cx, quota)? {
        return Err(constraint(quota.reason, quota.text));
    }
    count(cx, quota.name, 1)
}

/// Counts one less.
pub fn give_back(cx: &mut Context, quota: &Quota) -> Result<()> {
    count(cx, quota.name, -1)
}

/// Changes a count that has no limit of its own, or one that was checked already.
pub fn count(cx: &mut Context, name: &str, change: i64) -> Result<()> {
    let figure = used(cx, name)?.saturating_add_signed(change);
    cx.put(&USED, &Figure { name: name.to_owned(), figure })
}

/// Forgets all counts, when the organization goes.
pub fn forget(cx: &mut Context) -> Result<()> {
    for row in cx.all(&USED, "")? {
        cx.delete(&USED, &row.name)?;
    }
    Ok(())
}
