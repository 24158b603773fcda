//! What decides about a principal, in one small document: its policies, groups and keys. Loading a
//! principal is a few `get`s and no scan. The document lives exactly as long as the principal.

use super::policy_use::{self, PolicyUse, Usage};
use crate::context::Context;
use crate::table::{Scope, Table};
use palisade_model::iam::{DELETE_CONFLICT, ENTITY_ALREADY_EXISTS, NO_SUCH_ENTITY};
use palisade_shape::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The principals and groups that policies can be attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Group,
    Role,
    User,
}

/// The policies, groups and keys of one user, group or role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// The name as it was given at the creation.
    pub name: String,
    /// The ARNs of the attached managed policies, in the order of attachment.
    pub attached: Vec<String>,
    /// The inline policies: name → document as it was given.
    pub inline: BTreeMap<String, String>,
    /// The lower-cased names of a user's groups, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// The ids of a user's access keys, in the order of creation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access_keys: Vec<String>,
    /// The serial numbers of a user's MFA devices, in the order of their enabling.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mfa_devices: Vec<String>,
    /// The lower-cased names of the instance profiles that hold the role, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instance_profiles: Vec<String>,
}

pub static USER_ACCESS: Table<Access> = table("iam/user-access", Kind::User);
pub static GROUP_ACCESS: Table<Access> = table("iam/group-access", Kind::Group);
pub static ROLE_ACCESS: Table<Access> = table("iam/role-access", Kind::Role);

const fn table(name: &'static str, kind: Kind) -> Table<Access> {
    match kind {
        Kind::User => Table::of_private(name, Scope::Account, key, user_taken, user_missing),
        Kind::Group => Table::of_private(name, Scope::Account, key, group_taken, group_missing),
        Kind::Role => Table::of_private(name, Scope::Account, key, role_taken, role_missing),
    }
}

fn key(access: &Access) -> String {
    access.name.to_lowercase()
}

fn user_taken(access: &Access) -> Error {
    Kind::User.taken(&access.name)
}

fn group_taken(access: &Access) -> Error {
    Kind::Group.taken(&access.name)
}

fn role_taken(access: &Access) -> Error {
    Kind::Role.taken(&access.name)
}

fn user_missing(name: &str) -> Error {
    Kind::User.missing(name)
}

fn group_missing(name: &str) -> Error {
    Kind::Group.missing(name)
}

fn role_missing(name: &str) -> Error {
    Kind::Role.missing(name)
}

impl Kind {
    pub fn table(self) -> &'static Table<Access> {
        match self {
            Self::User => &USER_ACCESS,
            Self::Group => &GROUP_ACCESS,
            Self::Role => &ROLE_ACCESS,
        }
    }

    /// As in ARNs and messages: `user`, `group`, `role`.
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Role => "role",
        }
    }

    /// As in names of quotas and operations: `User`, `Group`, `Role`.
    pub fn title(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
            Self::Role => "Role",
        }
    }

    /// CloudFormation's name of the type, as audit records name it.
    pub fn resource_type(self) -> &'static str {
        match self {
            Self::User => "AWS::IAM::User",
            Self::Group => "AWS::IAM::Group",
            Self::Role => "AWS::IAM::Role",
        }
    }

    /// AWS's answer when there is no such principal. `name` as the caller wrote it.
    pub fn missing(self, name: &str) -> Error {
        let word = self.word();
        NO_SUCH_ENTITY.because(format!("The {word} with name {name} cannot be found."))
    }

    /// AWS's answer when the name is taken. `name` as the caller wrote it.
    pub fn taken(self, name: &str) -> Error {
        let title = self.title();
        ENTITY_ALREADY_EXISTS.because(format!("{title} with name {name} already exists."))
    }
}

/// Makes the document of a new principal. Refuses a name that is taken, ignoring case.
pub fn create(cx: &mut Context, kind: Kind, name: &str) -> Result<()> {
    let access = Access { name: name.to_owned(), ..Access::default() };
    cx.insert(kind.table(), &access)
}

/// The document of a principal, or AWS's answer that there is no such one.
pub fn load(cx: &Context, kind: Kind, name: &str) -> Result<Access> {
    cx.get(kind.table(), &name.to_lowercase())?.ok_or_else(|| kind.missing(name))
}

/// Stores the changed document of a principal.
pub fn save(cx: &mut Context, kind: Kind, access: &Access) -> Result<()> {
    cx.put(kind.table(), access)
}

/// Moves the document of a principal, and what points to it, to a new name. The caller has checked
/// that the new name is free. A mere change of case is a change of name too. `boundary` is the ARN
/// of the principal's permissions boundary.
pub fn rename(
    cx: &mut Context,
    kind: Kind,
    old: &str,
    new: &str,
    boundary: Option<&str>,
) -> Result<()> {
    let mut access = load(cx, kind, old)?;
    cx.delete(kind.table(), &old.to_lowercase())?;
    new.clone_into(&mut access.name);
    save(cx, kind, &access)?;
    let attached = access.attached.iter().map(|arn| (arn.as_str(), Usage::Permissions));
    for (arn, usage) in attached.chain(boundary.map(|arn| (arn, Usage::Boundary))) {
        policy_use::remove(cx, &PolicyUse::new(arn, kind, old, usage))?;
        policy_use::add(cx, &PolicyUse::new(arn, kind, new, usage))?;
    }
    Ok(())
}

/// Removes the document of a principal that nothing hangs on any more ([`check_unused`]).
pub fn remove(cx: &mut Context, kind: Kind, name: &str) -> Result<()> {
    cx.delete(kind.table(), &name.to_lowercase())?;
    Ok(())
}

/// Refuses to delete a principal that still has something, as AWS does (User Guide, "Remove or
/// deactivate an IAM user": an API caller must delete the items of a user first).
pub fn check_unused(access: &Access) -> Result<()> {
    let obstacles = [
        (!access.attached.is_empty(), "must detach all policies first."),
        (!access.inline.is_empty(), "must delete policies first."),
        (!access.groups.is_empty(), "must remove users from group first."),
        (!access.access_keys.is_empty(), "must delete access keys first."),
        (!access.mfa_devices.is_empty(), "must delete MFA device first."),
        (!access.instance_profiles.is_empty(), "must remove roles from instance profile first."),
    ];
    match obstacles.iter().find(|(there, _)| *there) {
        Some((_, demand)) => {
            Err(DELETE_CONFLICT.because(format!("Cannot delete entity, {demand}")))
        }
        None => Ok(()),
    }
}
