//! What SSH keys, signing certificates and service-specific credentials have in common: records of
//! a user that are kept under its unique id, so that they survive a new name.

use super::access::Kind;
use super::password::PROFILES;
use super::principal::Owner;
use super::{service_credential, signing_certificate, ssh_public_key, user};
use crate::context::Context;
use crate::errors::VALIDATION_ERROR;
use crate::table::Table;
use palisade_model::iam::{DELETE_CONFLICT, INVALID_INPUT, User, status_type};
use palisade_shape::Result;

/// A record of a user.
pub trait Kept {
    /// When it was made, in milliseconds since the epoch.
    fn kept_since(&self) -> i64;
}

/// The key of a record: `OWNER/ID`.
pub fn key(owner_id: &str, id: &str) -> String {
    format!("{owner_id}/{id}")
}

/// All records of an owner, the oldest first. Quotas keep them few.
pub fn all<T: Kept>(cx: &Context, table: &Table<T>, owner_id: &str) -> Result<Vec<T>> {
    let mut records = cx.all(table, &key(owner_id, ""))?;
    records.sort_by_key(Kept::kept_since);
    Ok(records)
}

/// The record of an owner with that id, or the table's error.
pub fn find<T>(cx: &Context, table: &Table<T>, owner_id: &str, id: &str) -> Result<T> {
    cx.find(table, &key(owner_id, id))
}

/// Deletes the record of an owner with that id.
pub fn remove<T>(cx: &mut Context, table: &Table<T>, owner_id: &str, id: &str) -> Result<()> {
    let key = key(owner_id, id);
    if cx.delete(table, &key)? { Ok(()) } else { Err((table.missing)(&key)) }
}

/// A status that a caller may set. AWS alone makes credentials expire.
pub fn status(given: String) -> Result<String> {
    if given == status_type::EXPIRED {
        return Err(INVALID_INPUT.because("Invalid status: Expired"));
    }
    Ok(given)
}

/// Names the credential and its user in the history.
pub fn touch(cx: &mut Context, kind: &'static str, id: &str, user: &str) {
    cx.touch(kind, id);
    let arn = cx.iam_arn("user", "/", user);
    cx.touch(Kind::User.resource_type(), arn);
}

/// The user that a call is about where root has nothing of the kind.
pub fn user_of(cx: &Context, owner: &Owner) -> Result<User> {
    match owner {
        Owner::User(name) => user::load(cx, name),
        Owner::Root => Err(VALIDATION_ERROR
            .because("Must specify userName when calling with non-User credentials")),
    }
}

/// Whether a user has an SSH key, a signing certificate or a service-specific credential.
pub fn has_one(cx: &Context, user: &User) -> Result<bool> {
    let prefix = key(&user.user_id, "");
    Ok(!cx.scan(&signing_certificate::CERTIFICATES, &prefix, None, 1)?.is_empty()
        || !cx.scan(&ssh_public_key::KEYS, &prefix, None, 1)?.is_empty()
        || !cx.scan(&service_credential::CREDENTIALS, &prefix, None, 1)?.is_empty())
}

/// Refuses to delete a user who still has credentials of its own, as AWS words it.
pub fn check_none(cx: &Context, user: &User) -> Result<()> {
    let prefix = key(&user.user_id, "");
    let first = |found: usize| found > 0;
    let obstacles = [
        (cx.exists(&PROFILES, &user.user_id)?, "must delete login profile first."),
        (
            first(cx.scan(&signing_certificate::CERTIFICATES, &prefix, None, 1)?.len()),
            "must delete certificates first.",
        ),
        (
            first(cx.scan(&ssh_public_key::KEYS, &prefix, None, 1)?.len())
                || first(cx.scan(&service_credential::CREDENTIALS, &prefix, None, 1)?.len()),
            "must remove referenced objects first.",
        ),
    ];
    match obstacles.iter().find(|(there, _)| *there) {
        Some((_, demand)) => {
            Err(DELETE_CONFLICT.because(format!("Cannot delete entity, {demand}")))
        }
        None => Ok(()),
    }
}
