//! The tree of an organization: its root, the units in it, and the accounts. One record a node has
//! all that a decision asks of it, so that where an account stands is read in as many steps as the
//! tree is deep.

use super::organization::Organization;
use super::refusal::no_target;
use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use palisade_shape::Result;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a node is. Its id tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Root,
    Unit,
    Account,
}

impl Kind {
    pub fn of(id: &str) -> Self {
        match id {
            _ if id.starts_with("r-") => Self::Root,
            _ if id.starts_with("ou-") => Self::Unit,
            _ => Self::Account,
        }
    }

    /// The word in ARNs and in the keys of [`NODES`].
    pub fn word(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Unit => "ou",
            Self::Account => "account",
        }
    }

    /// What the API calls it.
    pub fn target_type(self) -> &'static str {
        match self {
            Self::Root => "ROOT",
            Self::Unit => "ORGANIZATIONAL_UNIT",
            Self::Account => "ACCOUNT",
        }
    }
}

/// How an account came to be in the organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Joined {
    /// `INVITED` or `CREATED`.
    pub method: String,
    pub millis: i64,
}

/// One node, in the rows of the management account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// `r-…`, `ou-…`, or an account's twelve digits.
    pub id: String,
    /// Empty for an account, whose own record has it.
    pub name: String,
    /// None for the root.
    pub parent: Option<String>,
    /// The ids of the policies attached to it, by their type.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attached: BTreeMap<String, BTreeSet<String>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// The policy types that are enabled; only the root has any.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub enabled: BTreeSet<String>,
    /// Of accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<Joined>,
}

/// `account/111122223333`, `ou/ou-…`, `root/r-…`.
pub static NODES: Table<Node> = Table::of_private(
    "organizations/node",
    Scope::Account,
    |node| key(&node.id),
    |node| internal(format!("node {} is there already", node.id)),
    |key| internal(format!("node {key} is not there")),
);

/// Where an account stands in the tree, for lists by parent: `PARENT/ACCOUNT`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountPlace {
    pub parent: String,
    pub account: String,
}

pub static ACCOUNT_PLACES: Table<AccountPlace> = Table::of_private(
    "organizations/account-place",
    Scope::Account,
    |place| format!("{}/{}", place.parent, place.account),
    |place| internal(format!("account {} is listed twice", place.account)),
    |key| internal(format!("place {key} is not there")),
);

/// Where a unit stands in the tree and what it is called there: `PARENT/NAME`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitPlace {
    pub parent: String,
    pub name: String,
    pub unit: String,
}

pub static UNIT_PLACES: Table<UnitPlace> = Table::of_private(
    "organizations/unit-place",
    Scope::Account,
    |place| format!("{}/{}", place.parent, place.name),
    |place| internal(format!("unit {} is listed twice", place.unit)),
    |key| internal(format!("place {key} is not there")),
);

/// The key of a node's record.
pub fn key(id: &str) -> String {
    format!("{}/{id}", Kind::of(id).word())
}

/// The node of that id; none if the organization has none.
pub fn find(cx: &Context, id: &str) -> Result<Option<Node>> {
    cx.get(&NODES, &key(id))
}

/// The node that a policy is for, or a tag.
pub fn target(cx: &Context, id: &str) -> Result<Node> {
    find(cx, id)?.ok_or_else(no_target)
}

impl Node {
    pub fn kind(&self) -> Kind {
        Kind::of(&self.id)
    }

    /// `arn:aws:organizations::MANAGEMENT:ou/o-…/ou-…`
    pub fn arn(&self, organization: &Organization) -> String {
        organization.arn_of(self.kind().word(), &self.id)
    }

    /// The policies of a type that are attached to it.
    pub fn policies(&self, policy_type: &str) -> impl Iterator<Item = &String> {
        self.attached.get(policy_type).into_iter().flatten()
    }
}

/// The nodes from the root down to this one.
pub fn way_to(cx: &Context, id: &str) -> Result<Vec<Node>> {
    let mut way = Vec::new();
    let mut next = Some(id.to_owned());
    while let Some(id) = next {
        let Some(node) = find(cx, &id)? else {
            return Err(internal(format!("node {id} of an organization's tree is gone")));
        };
        next = node.parent.clone();
        way.push(node);
    }
    way.reverse();
    Ok(way)
}

/// `o-…/r-…/ou-…/`, with the account's id at the end for an account.
pub fn path(organization: &Organization, way: &[Node]) -> String {
    let mut path = format!("{}/", organization.id);
    for node in way {
        path.push_str(&node.id);
        path.push('/');
    }
    path
}

/// Lists an account below its parent.
pub fn place_account(cx: &mut Context, node: &Node) -> Result<()> {
    let parent = node.parent.clone().unwrap_or_default();
    cx.put(&ACCOUNT_PLACES, &AccountPlace { parent, account: node.id.clone() })
}

/// Takes an account out of its parent's list.
pub fn unplace_account(cx: &mut Context, node: &Node) -> Result<()> {
    let parent = node.parent.as_deref().unwrap_or_default();
    cx.delete(&ACCOUNT_PLACES, &format!("{parent}/{}", node.id))?;
    Ok(())
}
