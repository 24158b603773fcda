//! Users and roles as callers: who an access key stands for, what a principal's policies say, and
//! which principal a unique id names.
//!
//! Unique ids are what sessions and stored policies name principals by: a user that was deleted and
//! made again has the name of the old one and another id, so nothing given to the old one is its.
//!
//! Source: IAM User Guide, "IAM identifiers", "Policy evaluation logic".

use super::access::{Access, GROUP_ACCESS, Kind};
use super::access_key::{ACCESS_KEYS, AccessKey, CHOSEN_KEYS};
use super::role::ROLES;
use super::user::USERS;
use super::{boundary, managed, password_policy, tag};
use crate::authorization::{Attached, Dependencies, Identity};
use crate::caller::{Caller, Principal, Session, SessionKind};
use crate::context::{Context, from_store};
use crate::errors::{VALIDATION_ERROR, internal};
use crate::random::account_of_access_key;
use crate::table::{Scope, Table};
use palisade_model::iam::{AttachedPermissionsBoundary, Tag};
use palisade_shape::Result;
use palisade_store::{Document, Key, Read};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Which principal a unique id names. In one table for the whole plane, because a policy of one
/// account may name a principal of another by its id alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrincipalName {
    pub id: String,
    pub account: String,
    pub kind: Kind,
    pub path: String,
    pub name: String,
}

static NAMES: Table<PrincipalName> = Table::of_private(
    "iam/principal-name",
    Scope::Plane,
    |row| row.id.clone(),
    |row| internal(format!("unique id {} is there already", row.id)),
    |id| internal(format!("unique id {id} is not there")),
);

impl PrincipalName {
    pub fn arn(&self) -> String {
        let Self { account, path, name, .. } = self;
        format!("arn:aws:iam::{account}:{}{path}{name}", self.kind.word())
    }
}

/// Notes the id of a user or role, or its new name and path.
pub fn register(cx: &mut Context, kind: Kind, id: &str, path: &str, name: &str) -> Result<()> {
    let row = PrincipalName {
        id: id.to_owned(),
        account: cx.account().to_owned(),
        kind,
        path: path.to_owned(),
        name: name.to_owned(),
    };
    cx.put(&NAMES, &row)
}

/// Forgets the id of a deleted user or role.
pub fn forget(cx: &mut Context, id: &str) -> Result<()> {
    cx.delete(&NAMES, id)?;
    Ok(())
}

/// The principal of that id, in whatever account; none if it is gone.
pub fn by_id(cx: &Context, id: &str) -> Result<Option<PrincipalName>> {
    cx.get(&NAMES, id)
}

/// Whose keys or data a call with an optional `UserName` is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    User(String),
    /// The account's root user.
    Root,
}

/// The named user, or the caller when none is named. A role session has no user to stand for.
pub fn named_or_own(cx: &Context, name: Option<&str>) -> Result<Owner> {
    match (name, &cx.caller.principal) {
        (Some(name), _) => Ok(Owner::User(name.to_owned())),
        (None, Principal::Root) => Ok(Owner::Root),
        (None, Principal::User { name, .. }) => Ok(Owner::User(name.to_string())),
        (None, _) => {
            let message = "Must specify userName when calling with non-User credentials";
            Err(VALIDATION_ERROR.because(message))
        }
    }
}

/// The record of an access key; none if there is no such key.
pub fn load_access_key(read: &dyn Read, access_key_id: &str) -> Result<Option<AccessKey>> {
    find_access_key(&mut |key| read.get(key).map_err(from_store), access_key_id)
}

/// The same, through the caller's own way to read a document. A key is found through the account
/// that its id names; one whose id was chosen by the operator, through the table of those.
pub fn find_access_key(
    get: &mut dyn FnMut(&Key<'_>) -> Result<Option<Document>>,
    access_key_id: &str,
) -> Result<Option<AccessKey>> {
    let mut in_account = |account: &str| {
        let collection = ACCESS_KEYS.name;
        let found = get(&Key { collection, account, region: "", key: access_key_id })?;
        found.map(|document| ACCESS_KEYS.decode(&document.body)).transpose()
    };
    if let Some(account) = account_of_access_key(access_key_id)
        && let Some(found) = in_account(&account)?
    {
        return Ok(Some(found));
    }
    let collection = CHOSEN_KEYS.name;
    let chosen = get(&Key { collection, account: "", region: "", key: access_key_id })?;
    let Some(chosen) = chosen else { return Ok(None) };
    let account = CHOSEN_KEYS.decode(&chosen.body)?.account;
    let collection = ACCESS_KEYS.name;
    let found = get(&Key { collection, account: &account, region: "", key: access_key_id })?;
    found.map(|document| ACCESS_KEYS.decode(&document.body)).transpose()
}

/// The caller that a long-term access key stands for; none when its user is gone. Whether the key
/// is active and the signature right is the pipeline's to check.
pub fn caller_of(read: &dyn Read, key: &AccessKey) -> Result<Option<Caller>> {
    let (id, account) = (key.access_key_id.as_str(), key.account.as_str());
    let (principal, arn) = match &key.user {
        None => (Principal::Root, format!("arn:aws:iam::{account}:root")),
        Some(name) => {
            let row = name.to_lowercase();
            let row = Key { collection: USERS.name, account, region: "", key: &row };
            let Some(found) = read.get(&row).map_err(from_store)? else { return Ok(None) };
            let user = USERS.decode(&found.body)?;
            if user.user_id != key.user_id {
                return Ok(None);
            }
            let (name, path) = (user.user_name.into(), user.path.into());
            (Principal::User { name, path, id: user.user_id.into() }, user.arn)
        }
    };
    Ok(Some(Caller {
        account: account.into(),
        principal,
        arn: arn.into(),
        user_id: key.user_id.as_str().into(),
        access_key_id: Some(id.into()),
        session: None,
    }))
}

/// The principal whose policies a session has: the role of a role session, the user of a session
/// token or of a federated user, or root.
pub fn issuer(session: &Session) -> Principal {
    let (id, path) = (session.issuer_id.as_str().into(), session.issuer_path.as_str().into());
    if session.issuer_name.is_empty() || session.kind == SessionKind::AssumeRoot {
        return Principal::Root;
    }
    let name = session.issuer_name.as_str().into();
    if session.is_role_session() {
        return Principal::AssumedRole {
            role: name,
            path,
            id,
            session: session.name.as_str().into(),
        };
    }
    Principal::User { name, path, id }
}

/// What IAM says about a principal of `account`: its policies with those of its groups, its
/// boundary and its tags. None when it is gone, or when its name belongs to another one by now.
///
/// A federated user has the policies of the user who made it ([`issuer`]); services and nobody have
/// none. All of these are `None` here, which denies.
pub fn identity(
    deps: &mut Dependencies,
    account: &str,
    principal: &Principal,
) -> Result<Option<Identity>> {
    let (kind, name, id) = match principal {
        Principal::Root => return Ok(Some(Identity::default())),
        Principal::User { name, id, .. } => (Kind::User, name, id),
        Principal::AssumedRole { role, id, .. } => (Kind::Role, role, id),
        Principal::FederatedUser { .. }
        | Principal::Service { .. }
        | Principal::Federated(_)
        | Principal::Anonymous => return Ok(None),
    };
    let mut loader = Loader { deps, account, seen: BTreeSet::new(), policies: Vec::new() };
    let Some(entity) = loader.entity(kind, &name.to_lowercase())? else { return Ok(None) };
    if *entity.id != **id {
        return Ok(None);
    }
    let Some((revision, access)) = loader.row(kind.table(), &name.to_lowercase())? else {
        return Err(internal(format!("{} {name} has no access record", kind.word())));
    };
    loader.policies_of(kind, revision, &access)?;
    if kind == Kind::User {
        loader.own_password()?;
    }
    for group in &access.groups {
        let Some((revision, access)) = loader.row(&GROUP_ACCESS, group)? else {
            return Err(internal(format!("user {name} is in group {group}, which is not there")));
        };
        loader.policies_of(Kind::Group, revision, &access)?;
    }
    let limit = boundary::arn(entity.boundary.as_ref());
    let boundary = limit.map(|arn| loader.managed(arn)).transpose()?;
    let tags = tag::pairs(entity.tags.as_deref());
    Ok(Some(Identity { policies: loader.policies, boundary, tags }))
}

/// What a user's and a role's record have in common for a decision.
struct Entity {
    id: String,
    boundary: Option<AttachedPermissionsBoundary>,
    tags: Option<Vec<Tag>>,
}

/// Collects the policies of one principal, noting every document it reads.
struct Loader<'d, 'r> {
    deps: &'d mut Dependencies<'r>,
    account: &'d str,
    /// Managed policies collected already: one may hang on a user and on its groups.
    seen: BTreeSet<String>,
    policies: Vec<Attached>,
}

impl Loader<'_, '_> {
    fn row<T>(&mut self, table: &Table<T>, key: &str) -> Result<Option<(u64, T)>> {
        let key = Key { collection: table.name, account: self.account, region: "", key };
        let Some(document) = self.deps.get(&key)? else { return Ok(None) };
        Ok(Some((document.revision, table.decode(&document.body)?)))
    }

    fn entity(&mut self, kind: Kind, key: &str) -> Result<Option<Entity>> {
        if kind == Kind::User {
            let user = self.row(&USERS, key)?.map(|(_, user)| user);
            return Ok(user.map(|user| Entity {
                id: user.user_id,
                boundary: user.permissions_boundary,
                tags: user.tags,
            }));
        }
        let role = self.row(&ROLES, key)?.map(|(_, role)| role);
        Ok(role.map(|role| Entity {
            id: role.role_id,
            boundary: role.permissions_boundary,
            tags: role.tags,
        }))
    }

    fn policies_of(&mut self, kind: Kind, revision: u64, access: &Access) -> Result<()> {
        let name = &access.name;
        for (policy, document) in &access.inline {
            self.policies.push(Attached {
                label: format!("inline:{}/{name}/{policy}", kind.word()),
                managed: false,
                revision,
                document: document.clone(),
            });
        }
        for arn in &access.attached {
            if self.seen.insert(arn.clone()) {
                let attached = self.managed(arn)?;
                self.policies.push(attached);
            }
        }
        Ok(())
    }

    /// What the account's password policy lets its users do.
    fn own_password(&mut self) -> Result<()> {
        let Some((revision, policy)) = self.row(&password_policy::POLICIES, "")? else {
            return Ok(());
        };
        if policy.allow_users_to_change_password == Some(true) {
            self.policies.push(Attached {
                label: "account-password-policy".to_owned(),
                managed: false,
                revision,
                document: password_policy::OWN_PASSWORD.to_owned(),
            });
        }
        Ok(())
    }

    /// A managed policy's default version. One that is attached and not there is our fault and
    /// stops the decision: what it might deny is unknown.
    fn managed(&mut self, arn: &str) -> Result<Attached> {
        let found = managed::document_of(self.deps, arn)?;
        found.ok_or_else(|| internal(format!("policy {arn} is attached and not there")))
    }
}

#[cfg(test)]
mod tests;
