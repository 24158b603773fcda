//! IAM roles.
//!
//! A trust policy is stored with the unique ids of the users and roles it names and shown with
//! their ARNs ([`principal_ids`]), so what is trusted is the principal and not its name.
//!
//! Source: IAM API reference, CreateRole and its like; IAM User Guide, "IAM roles".

use super::access::{self, Kind};
use super::{
    access_key, boundary, document, list, policy_use, principal, principal_ids, quota,
    service_linked_role, tag,
};
use crate::context::Context;
use crate::table::{Scope, Table};
use palisade_model::iam::{
    AttachedPermissionsBoundary, CreateRoleRequest, CreateRoleResponse,
    DeleteRolePermissionsBoundaryRequest, DeleteRoleRequest, GetRoleRequest, GetRoleResponse,
    INVALID_INPUT, ListRoleTagsRequest, ListRoleTagsResponse, ListRolesRequest, ListRolesResponse,
    PutRolePermissionsBoundaryRequest, Role, RoleLastUsed, TagRoleRequest, UNMODIFIABLE_ENTITY,
    UntagRoleRequest, UpdateAssumeRolePolicyRequest, UpdateRoleDescriptionRequest,
    UpdateRoleDescriptionResponse, UpdateRoleRequest, UpdateRoleResponse,
};
use palisade_shape::{Nothing, Result};

/// Role names are unique in an account, ignoring case.
pub static ROLES: Table<Role> = Table::of_shapes(
    "iam/role",
    Scope::Account,
    |role| role.role_name.to_lowercase(),
    |role| Kind::Role.taken(&role.role_name),
    |name| Kind::Role.missing(name),
);

/// How long a session may last unless the role says otherwise, in seconds.
pub const SESSION_SECONDS: i32 = 3600;

/// The paths of roles that only AWS makes: service-linked ones and those of Identity Center.
const RESERVED_PATHS: [&str; 2] = [service_linked_role::PATH, "/aws-reserved/"];

fn is_protected(path: &str) -> bool {
    RESERVED_PATHS.iter().any(|reserved| path.starts_with(reserved))
}

/// The role of that name, or AWS's answer that there is none.
pub fn load(cx: &Context, name: &str) -> Result<Role> {
    cx.get(&ROLES, &name.to_lowercase())?.ok_or_else(|| Kind::Role.missing(name))
}

/// The role of that name, for a change of it.
fn load_own(cx: &Context, name: &str) -> Result<Role> {
    let role = load(cx, name)?;
    if is_protected(&role.path) {
        let text = format!(
            "Cannot perform the operation on the protected role '{}' - this role is only \
             modifiable by AWS",
            role.role_name
        );
        return Err(UNMODIFIABLE_ENTITY.because(text));
    }
    Ok(role)
}

/// The role of that name, for a change of its description or tags, which are the account's business
/// for service-linked roles too (User Guide, "Edit a service-linked role description").
fn load_described(cx: &Context, name: &str) -> Result<Role> {
    let role = load(cx, name)?;
    match role.path.starts_with(service_linked_role::PATH) {
        true => Ok(role),
        false => load_own(cx, name),
    }
}

/// Refuses a change to what hangs on a role that only its service may change. Users and groups have
/// no such protection.
pub fn refuse_protected(cx: &Context, kind: Kind, name: &str) -> Result<()> {
    if kind == Kind::Role {
        load_own(cx, name)?;
    }
    Ok(())
}

/// Stores a new or changed role.
pub fn store(cx: &mut Context, role: &Role) -> Result<()> {
    cx.put(&ROLES, role)?;
    cx.touch(Kind::Role.resource_type(), role.arn.clone());
    Ok(())
}

/// A role as the API shows it: its trust policy with today's ARNs, encoded.
pub fn shown(cx: &mut Context, mut role: Role) -> Result<Role> {
    if let Some(trust) = role.assume_role_policy_document.take() {
        let trust = principal_ids::to_arns(cx, &trust)?;
        role.assume_role_policy_document = Some(document::encoded(&trust));
    }
    Ok(role)
}

/// A role as GetRole and GetAccountAuthorizationDetails show it: with its last use, which is empty
/// when there was none.
pub fn shown_in_full(cx: &mut Context, mut role: Role) -> Result<Role> {
    let last = access_key::last_use(cx, &role.role_id)?;
    role.role_last_used = Some(RoleLastUsed {
        last_used_date: last.as_ref().map(|last| last.at().whole_seconds()),
        region: last.map(|last| last.region),
    });
    shown(cx, role)
}

/// A role as lists and instance profiles show it.
pub fn shown_in_list(cx: &mut Context, role: Role) -> Result<Role> {
    shown(cx, Role { permissions_boundary: None, tags: None, role_last_used: None, ..role })
}

/// A trust policy as it is stored, after all that IAM checks.
fn trust(cx: &mut Context, text: &str) -> Result<String> {
    document::check_trust(cx, text)?;
    principal_ids::to_ids(cx, text)
}

/// Creates a role that the principals in its trust policy may assume.
pub fn create_role(cx: &mut Context, input: CreateRoleRequest) -> Result<CreateRoleResponse> {
    let path = input.path.unwrap_or_else(|| "/".to_owned());
    if is_protected(&path) {
        let text = format!("The path {path} is reserved for roles that AWS services create.");
        return Err(INVALID_INPUT.because(text));
    }
    let limit = input.permissions_boundary.as_deref();
    let role = Role {
        arn: cx.iam_arn("role", &path, &input.role_name),
        role_id: cx.unique_id("AROA"),
        create_date: cx.now().whole_seconds(),
        path,
        role_name: input.role_name,
        assume_role_policy_document: Some(trust(cx, &input.assume_role_policy_document)?),
        description: input.description,
        max_session_duration: input.max_session_duration.or(Some(SESSION_SECONDS)),
        permissions_boundary: limit.map(|arn| boundary::checked(cx, arn)).transpose()?,
        tags: tag::given(input.tags)?,
        role_last_used: None,
    };
    access::create(cx, Kind::Role, &role.role_name)?;
    quota::take(cx, &quota::ROLES)?;
    principal::register(cx, Kind::Role, &role.role_id, &role.path, &role.role_name)?;
    policy_use::replace_boundary(cx, Kind::Role, &role.role_name, None, limit)?;
    store(cx, &role)?;
    Ok(CreateRoleResponse { role: shown(cx, role)? })
}

/// Shows a role, with its last use.
pub fn get_role(cx: &mut Context, input: GetRoleRequest) -> Result<GetRoleResponse> {
    let role = load(cx, &input.role_name)?;
    Ok(GetRoleResponse { role: shown_in_full(cx, role)? })
}

/// Lists the account's roles, without their tags and boundaries.
pub fn list_roles(cx: &mut Context, input: ListRolesRequest) -> Result<ListRolesResponse> {
    let ListRolesRequest { path_prefix, marker, max_items } = input;
    let page = list::page(cx, &ROLES, "", marker.as_deref(), max_items, |role| {
        list::under(&role.path, path_prefix.as_deref())
    })?;
    let roles = page.items.into_iter().map(|role| shown_in_list(cx, role));
    Ok(ListRolesResponse {
        roles: roles.collect::<Result<_>>()?,
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}

/// Changes a role's description and longest session; what is not named stays.
pub fn update_role(cx: &mut Context, input: UpdateRoleRequest) -> Result<UpdateRoleResponse> {
    let UpdateRoleRequest { role_name, description, max_session_duration } = input;
    let mut role = match max_session_duration {
        Some(_) => load_own(cx, &role_name)?,
        None => load_described(cx, &role_name)?,
    };
    role.description = description.or(role.description);
    role.max_session_duration = max_session_duration.or(role.max_session_duration);
    store(cx, &role)?;
    Ok(UpdateRoleResponse {})
}

/// Changes a role's description, as callers did before UpdateRole.
pub fn update_role_description(
    cx: &mut Context,
    input: UpdateRoleDescriptionRequest,
) -> Result<UpdateRoleDescriptionResponse> {
    let UpdateRoleDescriptionRequest { role_name, description } = input;
    let mut role = load_described(cx, &role_name)?;
    role.description = Some(description);
    store(cx, &role)?;
    Ok(UpdateRoleDescriptionResponse { role: Some(shown(cx, role)?) })
}

/// Replaces a role's trust policy. Sessions that exist already go on.
pub fn update_assume_role_policy(
    cx: &mut Context,
    input: UpdateAssumeRolePolicyRequest,
) -> Result<Nothing> {
    let UpdateAssumeRolePolicyRequest { role_name, policy_document } = input;
    let mut role = load_own(cx, &role_name)?;
    role.assume_role_policy_document = Some(trust(cx, &policy_document)?);
    store(cx, &role)?;
    Ok(Nothing)
}

/// Deletes a role that has no policies and is in no instance profile any more.
pub fn delete_role(cx: &mut Context, input: DeleteRoleRequest) -> Result<Nothing> {
    let role = load_own(cx, &input.role_name)?;
    access::check_unused(&access::load(cx, Kind::Role, &role.role_name)?)?;
    remove(cx, &role)?;
    Ok(Nothing)
}

/// Removes a role that nothing hangs on any more.
pub fn remove(cx: &mut Context, role: &Role) -> Result<()> {
    let limit = boundary::arn(role.permissions_boundary.as_ref());
    policy_use::replace_boundary(cx, Kind::Role, &role.role_name, limit, None)?;
    access::remove(cx, Kind::Role, &role.role_name)?;
    cx.delete(&ROLES, &role.role_name.to_lowercase())?;
    principal::forget(cx, &role.role_id)?;
    quota::give_back(cx, &quota::ROLES)?;
    cx.touch(Kind::Role.resource_type(), role.arn.clone());
    Ok(())
}

/// Adds tags to a role; a key that is there gets the new value.
pub fn tag_role(cx: &mut Context, input: TagRoleRequest) -> Result<Nothing> {
    let mut role = load_described(cx, &input.role_name)?;
    role.tags = tag::merged(role.tags, input.tags)?;
    store(cx, &role)?;
    Ok(Nothing)
}

/// Removes tags from a role; a key that is not there is no error.
pub fn untag_role(cx: &mut Context, input: UntagRoleRequest) -> Result<Nothing> {
    let mut role = load_described(cx, &input.role_name)?;
    role.tags = tag::without(role.tags, &input.tag_keys);
    store(cx, &role)?;
    Ok(Nothing)
}

/// Lists a role's tags, by key.
pub fn list_role_tags(
    cx: &mut Context,
    input: ListRoleTagsRequest,
) -> Result<ListRoleTagsResponse> {
    let ListRoleTagsRequest { role_name, marker, max_items } = input;
    let tags = tag::sorted(load(cx, &role_name)?.tags);
    let page = list::of_items(tags, marker.as_deref(), max_items)?;
    Ok(ListRoleTagsResponse {
        tags: page.items,
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}

/// Limits a role to what a managed policy allows.
pub fn put_role_permissions_boundary(
    cx: &mut Context,
    input: PutRolePermissionsBoundaryRequest,
) -> Result<Nothing> {
    let role = load_own(cx, &input.role_name)?;
    let new = boundary::checked_for(cx, Kind::Role, &input.permissions_boundary)?;
    change_boundary(cx, role, Some(new))
}

/// Removes a role's limit. A role without one is no error.
pub fn delete_role_permissions_boundary(
    cx: &mut Context,
    input: DeleteRolePermissionsBoundaryRequest,
) -> Result<Nothing> {
    let role = load_own(cx, &input.role_name)?;
    change_boundary(cx, role, None)
}

fn change_boundary(
    cx: &mut Context,
    mut role: Role,
    new: Option<AttachedPermissionsBoundary>,
) -> Result<Nothing> {
    let old = std::mem::replace(&mut role.permissions_boundary, new);
    let (old, new) =
        (boundary::arn(old.as_ref()), boundary::arn(role.permissions_boundary.as_ref()));
    policy_use::replace_boundary(cx, Kind::Role, &role.role_name, old, new)?;
    store(cx, &role)?;
    Ok(Nothing)
}

#[cfg(test)]
mod tests;
