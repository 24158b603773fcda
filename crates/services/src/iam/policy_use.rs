//! Where a managed policy is used: the index from policies to principals, which answers
//! ListEntitiesForPolicy, the counts of a policy, and whether it may be deleted.

use super::access::Kind;
use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use palisade_shape::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// As what a principal has a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Usage {
    Permissions,
    Boundary,
}

/// One use of a managed policy by one principal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyUse {
    pub arn: String,
    pub kind: Kind,
    /// The principal's name in lower case.
    pub name: String,
    pub usage: Usage,
}

impl PolicyUse {
    pub fn new(arn: &str, kind: Kind, name: &str, usage: Usage) -> Self {
        Self { arn: arn.to_owned(), kind, name: name.to_lowercase(), usage }
    }
}

pub static POLICY_USES: Table<PolicyUse> =
    Table::of_private("iam/policy-use", Scope::Account, key, taken, missing);

/// `ARN\0kind/name\0usage`: no ARN and no name holds a NUL, so a policy's uses are one key range.
fn key(row: &PolicyUse) -> String {
    let usage = match row.usage {
        Usage::Permissions => "permissions",
        Usage::Boundary => "boundary",
    };
    format!("{}\0{}/{}\0{usage}", row.arn, row.kind.word(), row.name)
}

fn taken(row: &PolicyUse) -> Error {
    internal(format!("the use {row:?} is there already"))
}

fn missing(key: &str) -> Error {
    internal(format!("there is no use {key:?}"))
}

/// Notes a use; noting it twice is the same as once.
pub fn add(cx: &mut Context, row: &PolicyUse) -> Result<()> {
    cx.put(&POLICY_USES, row)
}

pub fn remove(cx: &mut Context, row: &PolicyUse) -> Result<()> {
    cx.delete(&POLICY_USES, &key(row))?;
    Ok(())
}

/// Notes that a principal's boundary is now `new` instead of `old`.
pub fn replace_boundary(
    cx: &mut Context,
    kind: Kind,
    name: &str,
    old: Option<&str>,
    new: Option<&str>,
) -> Result<()> {
    if let Some(arn) = old {
        remove(cx, &PolicyUse::new(arn, kind, name, Usage::Boundary))?;
    }
    if let Some(arn) = new {
        add(cx, &PolicyUse::new(arn, kind, name, Usage::Boundary))?;
    }
    Ok(())
}

/// All uses of one policy.
pub fn uses_of(cx: &Context, arn: &str) -> Result<Vec<PolicyUse>> {
    cx.all(&POLICY_USES, &format!("{arn}\0"))
}

/// How often a policy is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub attachments: i32,
    pub boundaries: i32,
}

pub fn counts(cx: &Context, arn: &str) -> Result<Counts> {
    let mut counts = Counts::default();
    for row in uses_of(cx, arn)? {
        match row.usage {
            Usage::Permissions => counts.attachments += 1,
            Usage::Boundary => counts.boundaries += 1,
        }
    }
    Ok(counts)
}

/// The ARNs of all policies with any use. Steps over all uses of a policy at once, so it costs one
/// read for each policy, however many have it.
pub fn all_used(cx: &Context) -> Result<BTreeSet<String>> {
    let mut used = BTreeSet::new();
    let mut after: Option<String> = None;
    while let Some((_, row)) = cx.scan(&POLICY_USES, "", after.as_deref(), 1)?.pop() {
        after = Some(format!("{}\u{1}", row.arn));
        used.insert(row.arn);
    }
    Ok(used)
}
