//! IAM users.
//!
//! Source: IAM API reference, CreateUser and its like; IAM User Guide, "IAM identifiers".

use super::access::{self, Kind};
use super::{access_key, boundary, credential, group, list, policy_use, principal, quota, tag};
use crate::context::Context;
use crate::table::{Scope, Table};
use palisade_model::iam::{
    CreateUserRequest, CreateUserResponse, DeleteUserPermissionsBoundaryRequest, DeleteUserRequest,
    GetUserRequest, GetUserResponse, ListUserTagsRequest, ListUserTagsResponse, ListUsersRequest,
    ListUsersResponse, PutUserPermissionsBoundaryRequest, TagUserRequest, UntagUserRequest,
    UpdateUserRequest, User,
};
use palisade_shape::{Nothing, Result, Timestamp};

/// User names are unique in an account, ignoring case.
pub static USERS: Table<User> = Table::of_shapes(
    "iam/user",
    Scope::Account,
    |user| user.user_name.to_lowercase(),
    |user| Kind::User.taken(&user.user_name),
    |name| Kind::User.missing(name),
);

const CLOUDFORMATION_TYPE: &str = "AWS::IAM::User";

/// The user of that name, or AWS's answer that there is none.
pub fn load(cx: &Context, name: &str) -> Result<User> {
    cx.get(&USERS, &name.to_lowercase())?.ok_or_else(|| Kind::User.missing(name))
}

/// Creates a user, without credentials and permissions.
pub fn create_user(cx: &mut Context, input: CreateUserRequest) -> Result<CreateUserResponse> {
    let CreateUserRequest { path, user_name, permissions_boundary, tags } = input;
    let path = path.unwrap_or_else(|| "/".to_owned());
    let boundary = permissions_boundary.as_deref();
    let user = User {
        arn: cx.iam_arn("user", &path, &user_name),
        path,
        user_id: cx.unique_id("AIDA"),
        create_date: cx.now().whole_seconds(),
        password_last_used: None,
        permissions_boundary: boundary.map(|arn| boundary::checked(cx, arn)).transpose()?,
        tags: tag::given(tags)?,
        user_name,
    };
    access::create(cx, Kind::User, &user.user_name)?;
    cx.insert(&USERS, &user)?;
    quota::take(cx, &quota::USERS)?;
    policy_use::replace_boundary(cx, Kind::User, &user.user_name, None, boundary)?;
    principal::register(cx, Kind::User, &user.user_id, &user.path, &user.user_name)?;
    cx.touch(CLOUDFORMATION_TYPE, user.arn.clone());
    Ok(CreateUserResponse { user: Some(user) })
}

/// Answers about a user: the caller itself when none is named.
pub fn get_user(cx: &mut Context, input: GetUserRequest) -> Result<GetUserResponse> {
    let user = match principal::named_or_own(cx, input.user_name.as_deref())? {
        principal::Owner::User(name) => load(cx, &name)?,
        principal::Owner::Root => root(cx)?,
    };
    Ok(GetUserResponse { user })
}

/// How GetUser shows the account's root user. It has neither path nor name of its own; AWS shows
/// the account's alias as its name where there is one.
pub fn root(cx: &Context) -> Result<User> {
    let record = super::account::load(cx)?;
    Ok(User {
        path: "/".to_owned(),
        user_name: record.alias.unwrap_or_default(),
        user_id: cx.account().to_owned(),
        arn: format!("arn:{}:iam::{}:root", cx.partition(), cx.account()),
        create_date: super::account::created(cx)?,
        password_last_used: record.password_last_used_millis.map(Timestamp::from_millis),
        permissions_boundary: None,
        tags: None,
    })
}

/// Lists the account's users, without their tags and boundaries, as in AWS.
pub fn list_users(cx: &mut Context, input: ListUsersRequest) -> Result<ListUsersResponse> {
    let ListUsersRequest { path_prefix, marker, max_items } = input;
    let prefix = path_prefix.as_deref();
    let page = list::page(cx, &USERS, "", marker.as_deref(), max_items, |user: &User| {
        list::under(&user.path, prefix)
    })?;
    Ok(ListUsersResponse {
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
        users: page.items.into_iter().map(listed).collect(),
    })
}

/// A user as lists show it.
pub fn listed(user: User) -> User {
    User { permissions_boundary: None, tags: None, ..user }
}

/// Changes a user's name or path, and with them its ARN; the unique id stays.
pub fn update_user(cx: &mut Context, input: UpdateUserRequest) -> Result<Nothing> {
    let UpdateUserRequest { user_name, new_path, new_user_name } = input;
    let mut user = load(cx, &user_name)?;
    if let Some(new_name) = new_user_name.filter(|name| *name != user.user_name) {
        rename(cx, &mut user, new_name)?;
    }
    user.path = new_path.unwrap_or(user.path);
    user.arn = cx.iam_arn("user", &user.path, &user.user_name);
    cx.put(&USERS, &user)?;
    principal::register(cx, Kind::User, &user.user_id, &user.path, &user.user_name)?;
    cx.touch(CLOUDFORMATION_TYPE, user.arn);
    Ok(Nothing)
}

/// Moves everything that is kept under the user's name.
fn rename(cx: &mut Context, user: &mut User, new_name: String) -> Result<()> {
    let (old_key, new_key) = (user.user_name.to_lowercase(), new_name.to_lowercase());
    if old_key != new_key && cx.exists(&USERS, &new_key)? {
        return Err(Kind::User.taken(&new_name));
    }
    let boundary = boundary::arn(user.permissions_boundary.as_ref());
    access::rename(cx, Kind::User, &user.user_name, &new_name, boundary)?;
    let access = access::load(cx, Kind::User, &new_name)?;
    for group in &access.groups {
        group::rename_member(cx, group, &old_key, &new_key)?;
    }
    for id in &access.access_keys {
        access_key::rename_owner(cx, id, &new_name)?;
    }
    cx.delete(&USERS, &old_key)?;
    user.user_name = new_name;
    Ok(())
}

/// Deletes a user that has nothing any more.
pub fn delete_user(cx: &mut Context, input: DeleteUserRequest) -> Result<Nothing> {
    let user = load(cx, &input.user_name)?;
    access::check_unused(&access::load(cx, Kind::User, &input.user_name)?)?;
    credential::check_none(cx, &user)?;
    let boundary = boundary::arn(user.permissions_boundary.as_ref());
    policy_use::replace_boundary(cx, Kind::User, &user.user_name, boundary, None)?;
    access::remove(cx, Kind::User, &user.user_name)?;
    cx.delete(&USERS, &user.user_name.to_lowercase())?;
    principal::forget(cx, &user.user_id)?;
    quota::give_back(cx, &quota::USERS)?;
    cx.touch(CLOUDFORMATION_TYPE, user.arn);
    Ok(Nothing)
}

/// Adds tags to a user; a key that is there gets the new value.
pub fn tag_user(cx: &mut Context, input: TagUserRequest) -> Result<Nothing> {
    let mut user = load(cx, &input.user_name)?;
    user.tags = tag::merged(user.tags, input.tags)?;
    cx.put(&USERS, &user)?;
    cx.touch(CLOUDFORMATION_TYPE, user.arn);
    Ok(Nothing)
}

/// Removes tags from a user; a key that is not there is no error.
pub fn untag_user(cx: &mut Context, input: UntagUserRequest) -> Result<Nothing> {
    let mut user = load(cx, &input.user_name)?;
    user.tags = tag::without(user.tags, &input.tag_keys);
    cx.put(&USERS, &user)?;
    cx.touch(CLOUDFORMATION_TYPE, user.arn);
    Ok(Nothing)
}

/// Lists a user's tags, by key.
pub fn list_user_tags(
    cx: &mut Context,
    input: ListUserTagsRequest,
) -> Result<ListUserTagsResponse> {
    let ListUserTagsRequest { user_name, marker, max_items } = input;
    let tags = load(cx, &user_name)?.tags;
    let page = list::of_items(tag::sorted(tags), marker.as_deref(), max_items)?;
    Ok(ListUserTagsResponse {
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
        tags: page.items,
    })
}

/// Limits a user to what a managed policy allows.
pub fn put_user_permissions_boundary(
    cx: &mut Context,
    input: PutUserPermissionsBoundaryRequest,
) -> Result<Nothing> {
    let mut user = load(cx, &input.user_name)?;
    let new = boundary::checked_for(cx, Kind::User, &input.permissions_boundary)?;
    change_boundary(cx, &mut user, Some(new))
}

/// Removes a user's limit. A user without one is no error, as in AWS.
pub fn delete_user_permissions_boundary(
    cx: &mut Context,
    input: DeleteUserPermissionsBoundaryRequest,
) -> Result<Nothing> {
    let mut user = load(cx, &input.user_name)?;
    change_boundary(cx, &mut user, None)
}

fn change_boundary(
    cx: &mut Context,
    user: &mut User,
    new: Option<palisade_model::iam::AttachedPermissionsBoundary>,
) -> Result<Nothing> {
    let old = std::mem::replace(&mut user.permissions_boundary, new);
    let (old, new) =
        (boundary::arn(old.as_ref()), boundary::arn(user.permissions_boundary.as_ref()));
    policy_use::replace_boundary(cx, Kind::User, &user.user_name, old, new)?;
    cx.put(&USERS, user)?;
    cx.touch(CLOUDFORMATION_TYPE, user.arn.clone());
    Ok(Nothing)
}

#[cfg(test)]
mod tests;
