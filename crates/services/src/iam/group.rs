//! Groups of users, and who is in them.
//!
//! Source: IAM API reference, CreateGroup and its like; IAM User Guide, "IAM user groups".

use super::access::{self, Kind};
use super::{list, quota, user};
use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use palisade_model::iam::{
    AddUserToGroupRequest, CreateGroupRequest, CreateGroupResponse, DELETE_CONFLICT,
    DeleteGroupRequest, GetGroupRequest, GetGroupResponse, Group, ListGroupsForUserRequest,
    ListGroupsForUserResponse, ListGroupsRequest, ListGroupsResponse, NO_SUCH_ENTITY,
    RemoveUserFromGroupRequest, UpdateGroupRequest,
};
use palisade_shape::{Nothing, Result};
use serde::{Deserialize, Serialize};

/// Group names are unique in an account, ignoring case.
pub static GROUPS: Table<Group> = Table::of_shapes(
    "iam/group",
    Scope::Account,
    |group| group.group_name.to_lowercase(),
    |group| Kind::Group.taken(&group.group_name),
    |name| Kind::Group.missing(name),
);

/// That a user is in a group, by their names in lower case. The index from groups to users; the
/// other direction is in the user's [`access::Access`].
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Member {
    group: String,
    user: String,
}

/// `group\0user`: names hold no NUL, so the members of a group are one key range.
static MEMBERS: Table<Member> = Table::of_private(
    "iam/group-member",
    Scope::Account,
    |member| format!("{}\0{}", member.group, member.user),
    |member| internal(format!("{member:?} is there already")),
    |key| internal(format!("there is no member {key:?}")),
);

const CLOUDFORMATION_TYPE: &str = "AWS::IAM::Group";

/// Members moved in one go when a group gets another name.
const CHUNK: usize = 1000;

/// The group of that name, or AWS's answer that there is none.
pub fn load(cx: &Context, name: &str) -> Result<Group> {
    cx.get(&GROUPS, &name.to_lowercase())?.ok_or_else(|| Kind::Group.missing(name))
}

/// Creates a group.
pub fn create_group(cx: &mut Context, input: CreateGroupRequest) -> Result<CreateGroupResponse> {
    let CreateGroupRequest { path, group_name } = input;
    let path = path.unwrap_or_else(|| "/".to_owned());
    let group = Group {
        arn: cx.iam_arn("group", &path, &group_name),
        path,
        group_id: cx.unique_id("AGPA"),
        create_date: cx.now().whole_seconds(),
        group_name,
    };
    access::create(cx, Kind::Group, &group.group_name)?;
    cx.insert(&GROUPS, &group)?;
    quota::take(cx, &quota::GROUPS)?;
    cx.touch(CLOUDFORMATION_TYPE, group.arn.clone());
    Ok(CreateGroupResponse { group })
}

/// Answers about a group and lists its users.
pub fn get_group(cx: &mut Context, input: GetGroupRequest) -> Result<GetGroupResponse> {
    let GetGroupRequest { group_name, marker, max_items } = input;
    let group = load(cx, &group_name)?;
    let members = format!("{}\0", group_name.to_lowercase());
    let page = list::page(cx, &MEMBERS, &members, marker.as_deref(), max_items, |_| true)?;
    let users: Result<Vec<_>> =
        page.items.iter().map(|member| Ok(user::listed(user::load(cx, &member.user)?))).collect();
    Ok(GetGroupResponse {
        group,
        users: users?,
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}

/// Lists the account's groups.
pub fn list_groups(cx: &mut Context, input: ListGroupsRequest) -> Result<ListGroupsResponse> {
    let ListGroupsRequest { path_prefix, marker, max_items } = input;
    let prefix = path_prefix.as_deref();
    let page = list::page(cx, &GROUPS, "", marker.as_deref(), max_items, |group: &Group| {
        list::under(&group.path, prefix)
    })?;
    Ok(ListGroupsResponse {
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
        groups: page.items,
    })
}

/// Changes a group's name or path, and with them its ARN; the unique id stays.
pub fn update_group(cx: &mut Context, input: UpdateGroupRequest) -> Result<Nothing> {
    let UpdateGroupRequest { group_name, new_path, new_group_name } = input;
    let mut group = load(cx, &group_name)?;
    if let Some(new_name) = new_group_name.filter(|name| *name != group.group_name) {
        rename(cx, &mut group, new_name)?;
    }
    group.path = new_path.unwrap_or(group.path);
    group.arn = cx.iam_arn("group", &group.path, &group.group_name);
    cx.put(&GROUPS, &group)?;
    cx.touch(CLOUDFORMATION_TYPE, group.arn);
    Ok(Nothing)
}

/// The names of all members, in lower case.
pub fn member_names(cx: &Context, group: &str) -> Result<Vec<String>> {
    let members = cx.all(&MEMBERS, &format!("{}\0", group.to_lowercase()))?;
    Ok(members.into_iter().map(|member| member.user).collect())
}

/// Moves everything that is kept under the group's name: as much work as it has members.
fn rename(cx: &mut Context, group: &mut Group, new_name: String) -> Result<()> {
    let (old_key, new_key) = (group.group_name.to_lowercase(), new_name.to_lowercase());
    if old_key != new_key && cx.exists(&GROUPS, &new_key)? {
        return Err(Kind::Group.taken(&new_name));
    }
    access::rename(cx, Kind::Group, &group.group_name, &new_name, None)?;
    cx.delete(&GROUPS, &old_key)?;
    group.group_name = new_name;
    if old_key == new_key {
        return Ok(());
    }
    loop {
        let members = cx.scan(&MEMBERS, &format!("{old_key}\0"), None, CHUNK)?;
        if members.is_empty() {
            return Ok(());
        }
        for (key, member) in members {
            cx.delete(&MEMBERS, &key)?;
            leave(cx, &member.user, &old_key)?;
            join(cx, &member.user, &new_key)?;
        }
    }
}

/// Moves one membership to the user's new name. All names in lower case.
pub fn rename_member(cx: &mut Context, group: &str, old: &str, new: &str) -> Result<()> {
    cx.delete(&MEMBERS, &format!("{group}\0{old}"))?;
    cx.put(&MEMBERS, &Member { group: group.to_owned(), user: new.to_owned() })
}

/// Deletes a group that has neither users nor policies.
pub fn delete_group(cx: &mut Context, input: DeleteGroupRequest) -> Result<Nothing> {
    let group = load(cx, &input.group_name)?;
    let key = group.group_name.to_lowercase();
    if !cx.scan(&MEMBERS, &format!("{key}\0"), None, 1)?.is_empty() {
        let message = "Cannot delete entity, must remove users from group first.";
        return Err(DELETE_CONFLICT.because(message));
    }
    access::check_unused(&access::load(cx, Kind::Group, &group.group_name)?)?;
    access::remove(cx, Kind::Group, &group.group_name)?;
    cx.delete(&GROUPS, &key)?;
    quota::give_back(cx, &quota::GROUPS)?;
    cx.touch(CLOUDFORMATION_TYPE, group.arn);
    Ok(Nothing)
}

/// Puts a user into a group; one that is in it already stays, without an error.
pub fn add_user_to_group(cx: &mut Context, input: AddUserToGroupRequest) -> Result<Nothing> {
    let group = load(cx, &input.group_name)?;
    let access = access::load(cx, Kind::User, &input.user_name)?;
    let key = group.group_name.to_lowercase();
    if !access.groups.contains(&key) {
        quota::check(cx, &quota::GROUPS_PER_USER, access.groups.len() + 1)?;
        join(cx, &input.user_name, &key)?;
    }
    cx.touch(CLOUDFORMATION_TYPE, group.arn);
    Ok(Nothing)
}

/// Takes a user out of a group.
pub fn remove_user_from_group(
    cx: &mut Context,
    input: RemoveUserFromGroupRequest,
) -> Result<Nothing> {
    let RemoveUserFromGroupRequest { group_name, user_name } = input;
    let group = load(cx, &group_name)?;
    let access = access::load(cx, Kind::User, &user_name)?;
    let key = group.group_name.to_lowercase();
    if !access.groups.contains(&key) {
        let message = format!("User {user_name} not in group {group_name}");
        return Err(NO_SUCH_ENTITY.because(message));
    }
    cx.delete(&MEMBERS, &format!("{key}\0{}", user_name.to_lowercase()))?;
    leave(cx, &user_name, &key)?;
    cx.touch(CLOUDFORMATION_TYPE, group.arn);
    Ok(Nothing)
}

fn join(cx: &mut Context, user: &str, group: &str) -> Result<()> {
    let mut access = access::load(cx, Kind::User, user)?;
    access.groups.push(group.to_owned());
    access.groups.sort();
    access::save(cx, Kind::User, &access)?;
    cx.put(&MEMBERS, &Member { group: group.to_owned(), user: user.to_lowercase() })
}

fn leave(cx: &mut Context, user: &str, group: &str) -> Result<()> {
    let mut access = access::load(cx, Kind::User, user)?;
    access.groups.retain(|known| known != group);
    access::save(cx, Kind::User, &access)
}

/// Lists the groups that a user is in.
pub fn list_groups_for_user(
    cx: &mut Context,
    input: ListGroupsForUserRequest,
) -> Result<ListGroupsForUserResponse> {
    let ListGroupsForUserRequest { user_name, marker, max_items } = input;
    let access = access::load(cx, Kind::User, &user_name)?;
    let page = list::of_items(access.groups, marker.as_deref(), max_items)?;
    let groups: Result<Vec<_>> = page.items.iter().map(|name| load(cx, name)).collect();
    Ok(ListGroupsForUserResponse {
        groups: groups?,
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}

#[cfg(test)]
mod tests;
