//! Which organization an account is in: one row for each member, in one table of the whole plane,
//! because that is what a decision knows to begin with.

use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use palisade_shape::Result;
use serde::{Deserialize, Serialize};

/// An account of an organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    pub account: String,
    /// `o-a1b2c3d4e5`
    pub organization_id: String,
    /// The account whose rows hold the organization.
    pub management_account: String,
}

pub static MEMBERS: Table<Member> = Table::of_private(
    "organizations/membership",
    Scope::Plane,
    |member| member.account.clone(),
    |member| internal(format!("account {} is in an organization already", member.account)),
    |account| internal(format!("account {account} is in no organization")),
);

/// The organization that the account is in; none if it is in none.
pub fn of(cx: &Context, account: &str) -> Result<Option<Member>> {
    cx.get(&MEMBERS, account)
}
