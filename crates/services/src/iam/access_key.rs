//! Long-term access keys of users and of the account's root user.
//!
//! A call without a user name is about the caller's own keys; the root user's are the account's.
//! The secret is shown once, by CreateAccessKey, and kept sealed.
//!
//! Source: IAM API reference, CreateAccessKey and its like.

use super::access::{self, Kind};
use super::principal::{Owner, load_access_key, named_or_own};
use super::{account, list, quota, user};
use crate::context::Context;
use crate::errors::internal;
use crate::plane::Plane;
use crate::random::account_of_access_key;
use crate::table::{Scope, Table};
use crate::usage::LastUse;
use base64::{Engine, engine::general_purpose::STANDARD};
use palisade_model::iam::{
    self as model, AccessKeyLastUsed, AccessKeyMetadata, CreateAccessKeyRequest,
    CreateAccessKeyResponse, DeleteAccessKeyRequest, GetAccessKeyLastUsedRequest,
    GetAccessKeyLastUsedResponse, INVALID_INPUT, ListAccessKeysRequest, ListAccessKeysResponse,
    NO_SUCH_ENTITY, UpdateAccessKeyRequest, status_type,
};
use palisade_shape::{Error, Nothing, Result, Timestamp};
use serde::{Deserialize, Serialize};

/// An access key as it is kept: what AWS shows of it, and the sealed secret that it never shows
/// again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessKey {
    pub access_key_id: String,
    /// The account, which the id of a key names too unless the operator chose it.
    pub account: String,
    /// The user's name; none for the root user.
    pub user: Option<String>,
    /// The user's unique id, or the account for root.
    pub user_id: String,
    /// `Active` or `Inactive`.
    pub status: String,
    pub created_millis: i64,
    /// The secret access key, sealed for [`PURPOSE`] and this key's id, in base64.
    pub sealed_secret: String,
}

impl AccessKey {
    pub fn is_active(&self) -> bool {
        self.status == status_type::ACTIVE
    }

    /// The secret access key, to check a signature with.
    pub fn secret(&self, plane: &Plane) -> Result<String> {
        let sealed = STANDARD.decode(&self.sealed_secret).map_err(internal)?;
        let secret = plane.sealer.unseal(PURPOSE, &self.access_key_id, &sealed);
        String::from_utf8(secret.map_err(internal)?).map_err(internal)
    }
}

/// What secret access keys are sealed for.
pub const PURPOSE: &str = "access-key";

/// Access keys, by id.
pub static ACCESS_KEYS: Table<AccessKey> = Table::of_private(
    "iam/access-key",
    Scope::Account,
    |key| key.access_key_id.clone(),
    |key| internal(format!("access key {} is there already", key.access_key_id)),
    missing,
);

/// A key whose id the operator chose, so that it does not name its account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChosenKey {
    pub access_key_id: String,
    pub account: String,
}

/// Keys with chosen ids, of all accounts.
pub static CHOSEN_KEYS: Table<ChosenKey> = Table::of_private(
    "iam/chosen-key",
    Scope::Plane,
    |key| key.access_key_id.clone(),
    |key| internal(format!("access key {} is there already", key.access_key_id)),
    missing,
);

/// When keys and roles were last used, as far as it was flushed to the store.
static LAST_USES: Table<LastUse> = Table::of_private(
    "iam/last-use",
    Scope::Account,
    |last| last.id.clone(),
    |last| internal(format!("the use of {} is there already", last.id)),
    |id| internal(format!("there is no use of {id}")),
);

fn missing(id: &str) -> Error {
    NO_SUCH_ENTITY.because(format!("The Access Key with id {id} cannot be found."))
}

/// Makes a key for a user, or for the caller. Answers its secret this once.
pub fn create_access_key(
    cx: &mut Context,
    input: CreateAccessKeyRequest,
) -> Result<CreateAccessKeyResponse> {
    let owner = named_or_own(cx, input.user_name.as_deref())?;
    let (id, secret) = (cx.access_key_id("AKIA"), cx.secret_access_key());
    let key = add(cx, &owner, id, &secret)?;
    let access_key = model::AccessKey {
        user_name: key.user.unwrap_or_default(),
        access_key_id: key.access_key_id,
        status: key.status,
        secret_access_key: secret,
        create_date: Some(Timestamp::from_millis(key.created_millis)),
    };
    Ok(CreateAccessKeyResponse { access_key })
}

/// Stores a new key of that id and secret. The first start uses it for the root user.
pub fn add(cx: &mut Context, owner: &Owner, id: String, secret: &str) -> Result<AccessKey> {
    let mut ids = ids(cx, owner)?;
    quota::check(cx, &quota::ACCESS_KEYS_PER_USER, ids.len() + 1)?;
    let (user, user_id) = match owner {
        Owner::Root => (None, cx.account().to_owned()),
        Owner::User(name) => {
            let user = user::load(cx, name)?;
            (Some(user.user_name), user.user_id)
        }
    };
    let random = &mut |bytes: &mut [u8]| cx.plane.random.fill(bytes);
    let sealed = cx.plane.sealer.seal(PURPOSE, &id, secret.as_bytes(), random);
    let key = AccessKey {
        sealed_secret: STANDARD.encode(sealed.map_err(internal)?),
        account: cx.account().to_owned(),
        access_key_id: id,
        user,
        user_id,
        status: status_type::ACTIVE.to_owned(),
        created_millis: cx.now().whole_seconds().millis(),
    };
    cx.insert(&ACCESS_KEYS, &key)?;
    if account_of_access_key(&key.access_key_id).as_deref() != Some(cx.account()) {
        let AccessKey { access_key_id, account, .. } = key.clone();
        cx.insert(&CHOSEN_KEYS, &ChosenKey { access_key_id, account })?;
    }
    ids.push(key.access_key_id.clone());
    set_ids(cx, owner, ids)?;
    touch(cx, &key);
    Ok(key)
}

/// Lists the keys of a user, or of the caller, in the order of their creation.
pub fn list_access_keys(
    cx: &mut Context,
    input: ListAccessKeysRequest,
) -> Result<ListAccessKeysResponse> {
    let ListAccessKeysRequest { user_name, marker, max_items } = input;
    let owner = named_or_own(cx, user_name.as_deref())?;
    let page = list::of_items(ids(cx, &owner)?, marker.as_deref(), max_items)?;
    let keys: Result<Vec<_>> = page.items.iter().map(|id| cx.find(&ACCESS_KEYS, id)).collect();
    Ok(ListAccessKeysResponse {
        access_key_metadata: keys?.into_iter().map(metadata).collect(),
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}

fn metadata(key: AccessKey) -> AccessKeyMetadata {
    AccessKeyMetadata {
        user_name: key.user,
        access_key_id: Some(key.access_key_id),
        status: Some(key.status),
        create_date: Some(Timestamp::from_millis(key.created_millis)),
    }
}

/// Makes a key active or inactive.
pub fn update_access_key(cx: &mut Context, input: UpdateAccessKeyRequest) -> Result<Nothing> {
    let UpdateAccessKeyRequest { user_name, access_key_id, status } = input;
    let owner = named_or_own(cx, user_name.as_deref())?;
    let mut key = owned(cx, &owner, &access_key_id)?;
    if status == status_type::EXPIRED {
        // AWS alone makes keys expire; a caller can only switch them on and off.
        return Err(INVALID_INPUT.because("Invalid status: Expired"));
    }
    key.status = status;
    cx.put(&ACCESS_KEYS, &key)?;
    touch(cx, &key);
    Ok(Nothing)
}

/// Deletes a key.
pub fn delete_access_key(cx: &mut Context, input: DeleteAccessKeyRequest) -> Result<Nothing> {
    let DeleteAccessKeyRequest { user_name, access_key_id } = input;
    let owner = named_or_own(cx, user_name.as_deref())?;
    let key = owned(cx, &owner, &access_key_id)?;
    cx.delete(&ACCESS_KEYS, &access_key_id)?;
    cx.delete(&CHOSEN_KEYS, &access_key_id)?;
    cx.delete(&LAST_USES, &access_key_id)?;
    let ids = ids(cx, &owner)?.into_iter().filter(|id| *id != access_key_id).collect();
    set_ids(cx, &owner, ids)?;
    touch(cx, &key);
    Ok(Nothing)
}

/// Answers when and where a key was last used. Keys of other accounts are not told about.
pub fn get_access_key_last_used(
    cx: &mut Context,
    input: GetAccessKeyLastUsedRequest,
) -> Result<GetAccessKeyLastUsedResponse> {
    let key = cx.find(&ACCESS_KEYS, &input.access_key_id)?;
    let used = match last_use(cx, &key.access_key_id)? {
        Some(last) => AccessKeyLastUsed {
            last_used_date: Some(last.at().whole_seconds()),
            service_name: last.service,
            region: last.region,
        },
        None => AccessKeyLastUsed {
            last_used_date: None,
            service_name: "N/A".to_owned(),
            region: "N/A".to_owned(),
        },
    };
    Ok(GetAccessKeyLastUsedResponse { user_name: key.user, access_key_last_used: Some(used) })
}

/// The last use of a key (`AKIA…`) or role (`AROA…`), flushed to the store yet or not.
pub fn last_use(cx: &Context, id: &str) -> Result<Option<LastUse>> {
    match cx.plane.usage.get(id) {
        Some(last) => Ok(Some(last)),
        None => cx.get(&LAST_USES, id),
    }
}

/// Stores what [`crate::usage::Usage::drain`] took out. A key that is gone by now is left out.
pub fn store_last_uses(cx: &mut Context, uses: &[LastUse]) -> Result<()> {
    for last in uses {
        cx.in_account(&last.account, |cx| {
            let gone = last.id.starts_with("AKIA") && !cx.exists(&ACCESS_KEYS, &last.id)?;
            if gone { Ok(()) } else { cx.put(&LAST_USES, last) }
        })?;
    }
    Ok(())
}

/// Follows a user to its new name.
pub fn rename_owner(cx: &mut Context, id: &str, new_name: &str) -> Result<()> {
    let mut key = cx.find(&ACCESS_KEYS, id)?;
    key.user = Some(new_name.to_owned());
    cx.put(&ACCESS_KEYS, &key)
}

/// The ARN of the user that a key of this account belongs to; of root for a root key.
pub fn owner_arn(cx: &Context, id: &str) -> Result<Option<String>> {
    let found = load_access_key(cx.reader(), id)?;
    let Some(key) = found.filter(|key| key.account == cx.account()) else { return Ok(None) };
    match &key.user {
        Some(name) => Ok(Some(user::load(cx, name)?.arn)),
        None => Ok(Some(format!("arn:{}:iam::{}:root", cx.partition(), cx.account()))),
    }
}

/// A key, if it is the owner's.
fn owned(cx: &Context, owner: &Owner, id: &str) -> Result<AccessKey> {
    if !ids(cx, owner)?.iter().any(|known| known == id) {
        return Err(missing(id));
    }
    cx.find(&ACCESS_KEYS, id)
}

/// The ids of the owner's keys, in the order of their creation.
fn ids(cx: &Context, owner: &Owner) -> Result<Vec<String>> {
    match owner {
        Owner::Root => Ok(account::load(cx)?.access_keys),
        Owner::User(name) => Ok(access::load(cx, Kind::User, name)?.access_keys),
    }
}

fn set_ids(cx: &mut Context, owner: &Owner, ids: Vec<String>) -> Result<()> {
    match owner {
        Owner::Root => {
            let mut record = account::load(cx)?;
            record.access_keys = ids;
            account::save(cx, &record)
        }
        Owner::User(name) => {
            let mut access = access::load(cx, Kind::User, name)?;
            access.access_keys = ids;
            access::save(cx, Kind::User, &access)
        }
    }
}

/// The history finds such a call by the key's id, which is all the name that a key has, and by the
/// user.
fn touch(cx: &mut Context, key: &AccessKey) {
    cx.touch("AWS::IAM::AccessKey", key.access_key_id.clone());
    if let Some(name) = &key.user {
        cx.touch(Kind::User.resource_type(), cx.iam_arn("user", "/", name));
    }
}

#[cfg(test)]
mod tests;
