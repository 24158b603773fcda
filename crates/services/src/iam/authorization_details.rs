//! GetAccountAuthorizationDetails: everything that decides in an account, page by page.
//!
//! Source: IAM API reference, GetAccountAuthorizationDetails. As in AWS, of AWS's own managed
//! policies only those in use are shown.

use super::access::{self, Access, Kind};
use super::{document, group, instance_profile, list, managed, policy, policy_use, policy_version};
use super::{role, user};
use crate::context::Context;
use crate::errors::VALIDATION_ERROR;
use crate::page;
use palisade_model::iam::{
    AttachedPolicy, GetAccountAuthorizationDetailsRequest, GetAccountAuthorizationDetailsResponse,
    Group, GroupDetail, InstanceProfile, ManagedPolicyDetail, Policy, PolicyDetail, PolicyVersion,
    Role, RoleDetail, User, UserDetail, entity_type,
};
use palisade_shape::Result;

/// The lists of the answer, in the order in which pages go through them.
const SECTIONS: [&str; 5] = [
    entity_type::USER,
    entity_type::GROUP,
    entity_type::ROLE,
    entity_type::LOCAL_MANAGED_POLICY,
    entity_type::AWS_MANAGED_POLICY,
];

/// One entry of a page.
enum Detail {
    User(UserDetail),
    Group(GroupDetail),
    Role(RoleDetail),
    Policy(ManagedPolicyDetail),
}

/// Tells all of an account's users, groups, roles and policies with their documents. A filter
/// leaves out what it does not name.
pub fn get_account_authorization_details(
    cx: &mut Context,
    input: GetAccountAuthorizationDetailsRequest,
) -> Result<GetAccountAuthorizationDetailsResponse> {
    let GetAccountAuthorizationDetailsRequest { filter, max_items, marker } = input;
    let filter = filter.unwrap_or_default();
    let size = list::size(max_items);
    let (first, mut after) = place(marker.as_deref())?;
    let mut found: Vec<(String, Detail)> = Vec::new();
    for (place, section) in SECTIONS.iter().enumerate().skip(first) {
        let after = after.take();
        if !filter.is_empty() && !filter.iter().any(|wanted| wanted == section) {
            continue;
        }
        let most = size + 1 - found.len();
        let rows = entries(cx, section, after.as_deref(), most)?;
        found.extend(rows.into_iter().map(|(key, detail)| (format!("{place}/{key}"), detail)));
        if found.len() > size {
            break;
        }
    }
    let page = page::cut(found, size);
    let (mut users, mut groups, mut roles, mut policies) = (vec![], vec![], vec![], vec![]);
    for detail in page.items {
        match detail {
            Detail::User(user) => users.push(user),
            Detail::Group(group) => groups.push(group),
            Detail::Role(role) => roles.push(role),
            Detail::Policy(policy) => policies.push(policy),
        }
    }
    Ok(GetAccountAuthorizationDetailsResponse {
        user_detail_list: Some(users),
        group_detail_list: Some(groups),
        role_detail_list: Some(roles),
        policies: Some(policies),
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}

/// The section to begin with, and the key in it to begin after.
fn place(marker: Option<&str>) -> Result<(usize, Option<String>)> {
    let Some(start) = list::start(marker)? else { return Ok((0, None)) };
    let parts = start.split_once('/');
    match parts.and_then(|(place, key)| Some((place.parse().ok()?, key.to_owned()))) {
        Some((place, key)) => Ok((place, Some(key))),
        None => {
            let marker = marker.unwrap_or_default();
            Err(VALIDATION_ERROR.because(format!("Invalid Marker: {marker}")))
        }
    }
}

/// Up to `most` entries of a section that come after a key.
fn entries(
    cx: &mut Context,
    section: &str,
    after: Option<&str>,
    most: usize,
) -> Result<Vec<(String, Detail)>> {
    match section {
        entity_type::USER => {
            let rows = cx.scan(&user::USERS, "", after, most)?;
            rows.into_iter().map(|(key, user)| Ok((key, user_detail(cx, user)?))).collect()
        }
        entity_type::GROUP => {
            let rows = cx.scan(&group::GROUPS, "", after, most)?;
            rows.into_iter().map(|(key, group)| Ok((key, group_detail(cx, group)?))).collect()
        }
        entity_type::ROLE => {
            let rows = cx.scan(&role::ROLES, "", after, most)?;
            rows.into_iter().map(|(key, role)| Ok((key, role_detail(cx, role)?))).collect()
        }
        entity_type::LOCAL_MANAGED_POLICY => {
            let rows = cx.scan(&policy::NAMES, "", after, most)?;
            rows.into_iter().map(|(key, row)| Ok((key, local_policy(cx, &row.arn)?))).collect()
        }
        _ => aws_policies(cx, after.unwrap_or_default(), most),
    }
}

fn user_detail(cx: &mut Context, user: User) -> Result<Detail> {
    let access = access::load(cx, Kind::User, &user.user_name)?;
    let groups: Result<Vec<String>> =
        access.groups.iter().map(|name| Ok(group::load(cx, name)?.group_name)).collect();
    Ok(Detail::User(UserDetail {
        path: Some(user.path),
        user_name: Some(user.user_name),
        user_id: Some(user.user_id),
        arn: Some(user.arn),
        create_date: Some(user.create_date),
        user_policy_list: Some(inline(&access)),
        group_list: Some(groups?),
        attached_managed_policies: Some(attached(&access)),
        permissions_boundary: user.permissions_boundary,
        tags: user.tags,
    }))
}

fn group_detail(cx: &mut Context, group: Group) -> Result<Detail> {
    let access = access::load(cx, Kind::Group, &group.group_name)?;
    Ok(Detail::Group(GroupDetail {
        path: Some(group.path),
        group_name: Some(group.group_name),
        group_id: Some(group.group_id),
        arn: Some(group.arn),
        create_date: Some(group.create_date),
        group_policy_list: Some(inline(&access)),
        attached_managed_policies: Some(attached(&access)),
    }))
}

fn role_detail(cx: &mut Context, role: Role) -> Result<Detail> {
    let access = access::load(cx, Kind::Role, &role.role_name)?;
    let role = role::shown_in_full(cx, role)?;
    let mut profiles: Vec<InstanceProfile> = Vec::new();
    for name in &access.instance_profiles {
        let profile = instance_profile::load(cx, name)?;
        profiles.push(instance_profile::shown(cx, profile)?);
    }
    Ok(Detail::Role(RoleDetail {
        path: Some(role.path),
        role_name: Some(role.role_name),
        role_id: Some(role.role_id),
        arn: Some(role.arn),
        create_date: Some(role.create_date),
        assume_role_policy_document: role.assume_role_policy_document,
        instance_profile_list: Some(profiles),
        role_policy_list: Some(inline(&access)),
        attached_managed_policies: Some(attached(&access)),
        permissions_boundary: role.permissions_boundary,
        tags: role.tags,
        role_last_used: role.role_last_used,
    }))
}

fn inline(access: &Access) -> Vec<PolicyDetail> {
    let shown = |(name, text): (&String, &String)| PolicyDetail {
        policy_name: Some(name.clone()),
        policy_document: Some(document::encoded(text)),
    };
    access.inline.iter().map(shown).collect()
}

fn attached(access: &Access) -> Vec<AttachedPolicy> {
    let shown = |arn: &String| AttachedPolicy {
        policy_name: Some(managed::name_of(arn).to_owned()),
        policy_arn: Some(arn.clone()),
    };
    access.attached.iter().map(shown).collect()
}

fn local_policy(cx: &mut Context, arn: &str) -> Result<Detail> {
    let policy = cx.find(&policy::POLICIES, arn)?;
    let versions = policy_version::all(cx, arn)?;
    let versions = versions.iter().map(|version| version.shape(&policy, true)).collect();
    Ok(Detail::Policy(policy_detail(policy::shown(cx, policy)?, versions)))
}

/// AWS's policies that the account uses, by ARN.
fn aws_policies(cx: &mut Context, after: &str, most: usize) -> Result<Vec<(String, Detail)>> {
    let mut found = Vec::new();
    for arn in policy_use::all_used(cx)?.into_iter().filter(|arn| arn.as_str() > after) {
        if found.len() == most {
            break;
        }
        let Some(aws) = managed::aws_policy(&arn) else { continue };
        let policy = policy::shown(cx, managed::shape(aws)?)?;
        let versions = vec![managed::version(aws, true)?];
        found.push((arn, Detail::Policy(policy_detail(policy, versions))));
    }
    Ok(found)
}

fn policy_detail(policy: Policy, versions: Vec<PolicyVersion>) -> ManagedPolicyDetail {
    ManagedPolicyDetail {
        policy_name: policy.policy_name,
        policy_id: policy.policy_id,
        arn: policy.arn,
        path: policy.path,
        default_version_id: policy.default_version_id,
        attachment_count: policy.attachment_count,
        permissions_boundary_usage_count: policy.permissions_boundary_usage_count,
        is_attachable: policy.is_attachable,
        description: policy.description,
        create_date: policy.create_date,
        update_date: policy.update_date,
        policy_version_list: Some(versions),
    }
}

#[cfg(test)]
mod tests;
