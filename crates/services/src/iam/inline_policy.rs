//! Inline policies of users, groups and roles: one implementation, named twelve times.

use super::access::{self, Access, Kind};
use super::quota::{self, Quota};
use super::{document, list, role};
use crate::context::Context;
use crate::page::Page;
use palisade_model::iam::{
    DeleteGroupPolicyRequest, DeleteRolePolicyRequest, DeleteUserPolicyRequest,
    GetGroupPolicyRequest, GetGroupPolicyResponse, GetRolePolicyRequest, GetRolePolicyResponse,
    GetUserPolicyRequest, GetUserPolicyResponse, LIMIT_EXCEEDED, ListGroupPoliciesRequest,
    ListGroupPoliciesResponse, ListRolePoliciesRequest, ListRolePoliciesResponse,
    ListUserPoliciesRequest, ListUserPoliciesResponse, NO_SUCH_ENTITY, PutGroupPolicyRequest,
    PutRolePolicyRequest, PutUserPolicyRequest,
};
use palisade_shape::{Error, Nothing, Result};

/// What the inline policies of one principal may measure together.
fn size_quota(kind: Kind) -> &'static Quota {
    match kind {
        Kind::User => &quota::USER_POLICY_SIZE,
        Kind::Group => &quota::GROUP_POLICY_SIZE,
        Kind::Role => &quota::ROLE_POLICY_SIZE,
    }
}

/// Adds or replaces an inline policy.
fn put(cx: &mut Context, kind: Kind, name: &str, policy: String, text: String) -> Result<Nothing> {
    let mut access = access::load(cx, kind, name)?;
    role::refuse_protected(cx, kind, name)?;
    document::check_inline(&text)?;
    access.inline.insert(policy, text);
    let size: usize = access.inline.values().map(|text| document::inline_size(text)).sum();
    let most = quota::most(cx, size_quota(kind))?;
    if size as u64 > most {
        let word = kind.word();
        let text = format!("Maximum policy size of {most} bytes exceeded for {word} {name}");
        return Err(LIMIT_EXCEEDED.because(text));
    }
    access::save(cx, kind, &access)?;
    cx.touch(kind.resource_type(), cx.iam_arn(kind.word(), "/", &access.name));
    Ok(Nothing)
}

fn missing(kind: Kind, policy: &str) -> Error {
    let word = kind.word();
    NO_SUCH_ENTITY.because(format!("The {word} policy with name {policy} cannot be found."))
}

/// The principal and the document, encoded as the API shows it.
fn get(cx: &Context, kind: Kind, name: &str, policy: &str) -> Result<(Access, String)> {
    let access = access::load(cx, kind, name)?;
    let text = access.inline.get(policy).ok_or_else(|| missing(kind, policy))?;
    let encoded = document::encoded(text);
    Ok((access, encoded))
}

fn delete(cx: &mut Context, kind: Kind, name: &str, policy: &str) -> Result<Nothing> {
    let mut access = access::load(cx, kind, name)?;
    role::refuse_protected(cx, kind, name)?;
    access.inline.remove(policy).ok_or_else(|| missing(kind, policy))?;
    access::save(cx, kind, &access)?;
    cx.touch(kind.resource_type(), cx.iam_arn(kind.word(), "/", &access.name));
    Ok(Nothing)
}

fn names(
    cx: &Context,
    kind: Kind,
    name: &str,
    marker: Option<&str>,
    max_items: Option<i32>,
) -> Result<Page<String>> {
    let access = access::load(cx, kind, name)?;
    list::of_items(access.inline.into_keys().collect(), marker, max_items)
}

pub fn put_user_policy(cx: &mut Context, input: PutUserPolicyRequest) -> Result<Nothing> {
    put(cx, Kind::User, &input.user_name, input.policy_name, input.policy_document)
}

pub fn put_group_policy(cx: &mut Context, input: PutGroupPolicyRequest) -> Result<Nothing> {
    put(cx, Kind::Group, &input.group_name, input.policy_name, input.policy_document)
}

pub fn put_role_policy(cx: &mut Context, input: PutRolePolicyRequest) -> Result<Nothing> {
    put(cx, Kind::Role, &input.role_name, input.policy_name, input.policy_document)
}

pub fn get_user_policy(
    cx: &mut Context,
    input: GetUserPolicyRequest,
) -> Result<GetUserPolicyResponse> {
    let GetUserPolicyRequest { user_name, policy_name } = input;
    let (access, policy_document) = get(cx, Kind::User, &user_name, &policy_name)?;
    Ok(GetUserPolicyResponse { user_name: access.name, policy_name, policy_document })
}

pub fn get_group_policy(
    cx: &mut Context,
    input: GetGroupPolicyRequest,
) -> Result<GetGroupPolicyResponse> {
    let GetGroupPolicyRequest { group_name, policy_name } = input;
    let (access, policy_document) = get(cx, Kind::Group, &group_name, &policy_name)?;
    Ok(GetGroupPolicyResponse { group_name: access.name, policy_name, policy_document })
}

pub fn get_role_policy(
    cx: &mut Context,
    input: GetRolePolicyRequest,
) -> Result<GetRolePolicyResponse> {
    let GetRolePolicyRequest { role_name, policy_name } = input;
    let (access, policy_document) = get(cx, Kind::Role, &role_name, &policy_name)?;
    Ok(GetRolePolicyResponse { role_name: access.name, policy_name, policy_document })
}

pub fn delete_user_policy(cx: &mut Context, input: DeleteUserPolicyRequest) -> Result<Nothing> {
    delete(cx, Kind::User, &input.user_name, &input.policy_name)
}

pub fn delete_group_policy(cx: &mut Context, input: DeleteGroupPolicyRequest) -> Result<Nothing> {
    delete(cx, Kind::Group, &input.group_name, &input.policy_name)
}

pub fn delete_role_policy(cx: &mut Context, input: DeleteRolePolicyRequest) -> Result<Nothing> {
    delete(cx, Kind::Role, &input.role_name, &input.policy_name)
}

pub fn list_user_policies(
    cx: &mut Context,
    input: ListUserPoliciesRequest,
) -> Result<ListUserPoliciesResponse> {
    let ListUserPoliciesRequest { user_name, marker, max_items } = input;
    let page = names(cx, Kind::User, &user_name, marker.as_deref(), max_items)?;
    Ok(ListUserPoliciesResponse {
        policy_names: page.items,
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}

pub fn list_group_policies(
    cx: &mut Context,
    input: ListGroupPoliciesRequest,
) -> Result<ListGroupPoliciesResponse> {
    let ListGroupPoliciesRequest { group_name, marker, max_items } = input;
    let page = names(cx, Kind::Group, &group_name, marker.as_deref(), max_items)?;
    Ok(ListGroupPoliciesResponse {
        policy_names: page.items,
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}

pub fn list_role_policies(
    cx: &mut Context,
    input: ListRolePoliciesRequest,
) -> Result<ListRolePoliciesResponse> {
    let ListRolePoliciesRequest { role_name, marker, max_items } = input;
    let page = names(cx, Kind::Role, &role_name, marker.as_deref(), max_items)?;
    Ok(ListRolePoliciesResponse {
        policy_names: page.items,
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}
