//! Attaching managed policies to users, groups and roles: one implementation, named nine times.

use super::access::{self, Kind};
use super::policy_use::{self, PolicyUse, Usage};
use super::quota::{self, Quota};
use super::{list, managed, policy, role};
use crate::context::Context;
use crate::page::Page;
use palisade_model::iam::{
    AttachGroupPolicyRequest, AttachRolePolicyRequest, AttachUserPolicyRequest, AttachedPolicy,
    DetachGroupPolicyRequest, DetachRolePolicyRequest, DetachUserPolicyRequest,
    ListAttachedGroupPoliciesRequest, ListAttachedGroupPoliciesResponse,
    ListAttachedRolePoliciesRequest, ListAttachedRolePoliciesResponse,
    ListAttachedUserPoliciesRequest, ListAttachedUserPoliciesResponse, POLICY_NOT_ATTACHABLE,
};
use palisade_shape::{Nothing, Result};

fn quota_of(kind: Kind) -> &'static Quota {
    match kind {
        Kind::User => &quota::POLICIES_PER_USER,
        Kind::Group => &quota::POLICIES_PER_GROUP,
        Kind::Role => &quota::POLICIES_PER_ROLE,
    }
}

/// Attaches a policy. Attaching one that is attached already changes nothing.
fn attach(cx: &mut Context, kind: Kind, name: &str, arn: &str) -> Result<Nothing> {
    let mut access = access::load(cx, kind, name)?;
    role::refuse_protected(cx, kind, name)?;
    managed::check_arn(arn)?;
    let policy = managed::find(cx, arn)?.ok_or_else(|| policy::not_attachable(arn))?;
    if managed::is_for_service_linked_roles(&policy) {
        let to = kind.title();
        let text = format!("Cannot attach a Service Role Policy to a Customer {to}.");
        return Err(POLICY_NOT_ATTACHABLE.because(text));
    }
    cx.touch(kind.resource_type(), cx.iam_arn(kind.word(), "/", &access.name));
    if access.attached.iter().any(|attached| attached == arn) {
        return Ok(Nothing);
    }
    quota::check(cx, quota_of(kind), access.attached.len() + 1)?;
    access.attached.push(arn.to_owned());
    access::save(cx, kind, &access)?;
    policy_use::add(cx, &PolicyUse::new(arn, kind, name, Usage::Permissions))?;
    Ok(Nothing)
}

/// Detaches a policy, whether it still exists or not.
fn detach(cx: &mut Context, kind: Kind, name: &str, arn: &str) -> Result<Nothing> {
    let mut access = access::load(cx, kind, name)?;
    role::refuse_protected(cx, kind, name)?;
    managed::check_arn(arn)?;
    let before = access.attached.len();
    access.attached.retain(|attached| attached != arn);
    if access.attached.len() == before {
        return Err(policy::not_found(arn));
    }
    access::save(cx, kind, &access)?;
    policy_use::remove(cx, &PolicyUse::new(arn, kind, name, Usage::Permissions))?;
    cx.touch(kind.resource_type(), cx.iam_arn(kind.word(), "/", &access.name));
    Ok(Nothing)
}

fn attached(
    cx: &Context,
    kind: Kind,
    name: &str,
    path_prefix: Option<&str>,
    marker: Option<&str>,
    max_items: Option<i32>,
) -> Result<Page<AttachedPolicy>> {
    let access = access::load(cx, kind, name)?;
    let under = |arn: &&String| list::under(managed::path_of(arn), path_prefix);
    let shown = |arn: &String| AttachedPolicy {
        policy_name: Some(managed::name_of(arn).to_owned()),
        policy_arn: Some(arn.clone()),
    };
    let items = access.attached.iter().filter(under).map(shown).collect();
    list::of_items(items, marker, max_items)
}

pub fn attach_user_policy(cx: &mut Context, input: AttachUserPolicyRequest) -> Result<Nothing> {
    attach(cx, Kind::User, &input.user_name, &input.policy_arn)
}

pub fn attach_group_policy(cx: &mut Context, input: AttachGroupPolicyRequest) -> Result<Nothing> {
    attach(cx, Kind::Group, &input.group_name, &input.policy_arn)
}

pub fn attach_role_policy(cx: &mut Context, input: AttachRolePolicyRequest) -> Result<Nothing> {
    attach(cx, Kind::Role, &input.role_name, &input.policy_arn)
}

pub fn detach_user_policy(cx: &mut Context, input: DetachUserPolicyRequest) -> Result<Nothing> {
    detach(cx, Kind::User, &input.user_name, &input.policy_arn)
}

pub fn detach_group_policy(cx: &mut Context, input: DetachGroupPolicyRequest) -> Result<Nothing> {
    detach(cx, Kind::Group, &input.group_name, &input.policy_arn)
}

pub fn detach_role_policy(cx: &mut Context, input: DetachRolePolicyRequest) -> Result<Nothing> {
    detach(cx, Kind::Role, &input.role_name, &input.policy_arn)
}

pub fn list_attached_user_policies(
    cx: &mut Context,
    input: ListAttachedUserPoliciesRequest,
) -> Result<ListAttachedUserPoliciesResponse> {
    let ListAttachedUserPoliciesRequest { user_name, path_prefix, marker, max_items } = input;
    let (prefix, marker) = (path_prefix.as_deref(), marker.as_deref());
    let page = attached(cx, Kind::User, &user_name, prefix, marker, max_items)?;
    Ok(ListAttachedUserPoliciesResponse {
        attached_policies: Some(page.items),
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}

pub fn list_attached_group_policies(
    cx: &mut Context,
    input: ListAttachedGroupPoliciesRequest,
) -> Result<ListAttachedGroupPoliciesResponse> {
    let ListAttachedGroupPoliciesRequest { group_name, path_prefix, marker, max_items } = input;
    let (prefix, marker) = (path_prefix.as_deref(), marker.as_deref());
    let page = attached(cx, Kind::Group, &group_name, prefix, marker, max_items)?;
    Ok(ListAttachedGroupPoliciesResponse {
        attached_policies: Some(page.items),
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}

pub fn list_attached_role_policies(
    cx: &mut Context,
    input: ListAttachedRolePoliciesRequest,
) -> Result<ListAttachedRolePoliciesResponse> {
    let ListAttachedRolePoliciesRequest { role_name, path_prefix, marker, max_items } = input;
    let (prefix, marker) = (path_prefix.as_deref(), marker.as_deref());
    let page = attached(cx, Kind::Role, &role_name, prefix, marker, max_items)?;
    Ok(ListAttachedRolePoliciesResponse {
        attached_policies: Some(page.items),
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}
