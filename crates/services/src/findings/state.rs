//! The users, groups, roles and credentials of an account, read once for all checks.

use crate::context::Context;
use crate::iam::access::{Access, GROUP_ACCESS, Kind};
use crate::iam::access_key::{self, ACCESS_KEYS, AccessKey};
use crate::iam::account::{self, Record};
use crate::iam::password::{PROFILES, Profile};
use crate::iam::role::ROLES;
use crate::iam::service_linked_role;
use crate::iam::user::USERS;
use crate::iam::{access, credential};
use palisade_model::iam::{Role, User};
use palisade_shape::{Result, Timestamp};

pub struct State {
    pub root: Record,
    pub root_has_password: bool,
    /// The root user's access keys.
    pub root_keys: Vec<Key>,
    pub users: Vec<Person>,
    pub groups: Vec<Access>,
    /// Without those that AWS makes for its services.
    pub roles: Vec<(Role, Access)>,
    pub now: Timestamp,
}

/// A user with its credentials.
pub struct Person {
    pub user: User,
    pub access: Access,
    /// There is one when it has a password.
    pub profile: Option<Profile>,
    pub keys: Vec<Key>,
    /// It has an SSH key, a certificate or a service-specific credential.
    pub has_more: bool,
}

pub struct Key {
    pub key: AccessKey,
    pub used: Option<Timestamp>,
}

impl Key {
    /// When it was last used; when it was made, if it never was.
    pub fn seen_millis(&self) -> i64 {
        self.used.map_or(self.key.created_millis, Timestamp::millis)
    }
}

impl Person {
    /// The active keys, the oldest first.
    pub fn active(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter().filter(|key| key.key.is_active())
    }
}

pub fn read(cx: &Context) -> Result<State> {
    let root = account::load(cx)?;
    let mut users = Vec::new();
    for user in cx.all(&USERS, "")? {
        users.push(person(cx, user)?);
    }
    let mut roles = Vec::new();
    for role in cx.all(&ROLES, "")? {
        if !role.path.starts_with(service_linked_role::PATH) {
            let access = access::load(cx, Kind::Role, &role.role_name)?;
            roles.push((role, access));
        }
    }
    Ok(State {
        root_has_password: account::root_has_password(cx)?,
        root_keys: keys(cx, &root.access_keys)?,
        root,
        users,
        groups: cx.all(&GROUP_ACCESS, "")?,
        roles,
        now: cx.now(),
    })
}

fn person(cx: &Context, user: User) -> Result<Person> {
    let access = access::load(cx, Kind::User, &user.user_name)?;
    Ok(Person {
        profile: cx.get(&PROFILES, &user.user_id)?,
        keys: keys(cx, &access.access_keys)?,
        has_more: credential::has_one(cx, &user)?,
        access,
        user,
    })
}

fn keys(cx: &Context, ids: &[String]) -> Result<Vec<Key>> {
    let mut keys = Vec::new();
    for id in ids {
        let key = cx.find(&ACCESS_KEYS, id)?;
        let used = access_key::last_use(cx, id)?.map(|last| last.at());
        keys.push(Key { key, used });
    }
    Ok(keys)
}
