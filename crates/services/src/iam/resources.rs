//! What IAM knows of its resources beyond the authorization table: the path in an ARN, the tags,
//! and the condition keys that come from the store.
//!
//! Source: Service Authorization Reference, "Condition keys for AWS Identity and Access
//! Management".

use super::boundary;
use super::delegation_request;
use super::group::GROUPS;
use super::instance_profile::INSTANCE_PROFILES;
use super::mfa_device::VIRTUAL_DEVICES;
use super::oidc_provider::OIDC_PROVIDERS;
use super::policy::POLICIES;
use super::role::ROLES;
use super::saml_provider::SAML_PROVIDERS;
use super::server_certificate::CERTIFICATES;
use super::user::USERS;
use crate::context::Context;
use crate::service::{Call, Known, ResourcePolicy, Resources, Tags};
use palisade_model::iam as model;
use palisade_policy::arn::Arn;
use palisade_shape::Result;

pub struct IamResources;

/// What is asked of a stored resource.
#[derive(Default)]
struct Facts {
    arn: String,
    tags: Tags,
    /// Users and roles only.
    boundary: Option<String>,
}

impl Resources for IamResources {
    fn resolve(&self, cx: &mut Context, kind: &str, arn: String) -> Result<String> {
        // A policy is asked for by its whole ARN, which has the path already.
        let found = facts(cx, kind, &arn)?.map(|facts| facts.arn);
        Ok(found.unwrap_or(arn))
    }

    fn tags(&self, cx: &mut Context, kind: &str, arn: &str) -> Result<Tags> {
        Ok(facts(cx, kind, arn)?.unwrap_or_default().tags)
    }

    fn condition_keys(&self) -> &'static [&'static str] {
        &[
            "iam:AssociatedResourceArn",
            "iam:AWSServiceName",
            "iam:FIDO-certification",
            "iam:FIDO-FIPS-140-2-certification",
            "iam:FIDO-FIPS-140-3-certification",
            "iam:OrganizationsPolicyId",
            "iam:PassedToService",
            "iam:PermissionsBoundary",
            "iam:PolicyARN",
            "iam:RegisterSecurityKey",
            "iam:ResourceTag/*",
            "iam:ServiceSpecificCredentialAgeDays",
            "iam:ServiceSpecificCredentialServiceName",
        ]
    }

    fn condition(&self, cx: &mut Context, key: &str, call: &Call) -> Result<Known> {
        if let Some(tag) = key.strip_prefix("iam:resourcetag/") {
            return resource_tag(cx, tag, call.resource);
        }
        match key {
            "iam:permissionsboundary" => permissions_boundary(cx, call),
            "iam:policyarn" => Ok(policy_arn(call)),
            // The hooks of calls that pass a role name the service and resource themselves
            // (`pass_role`); where they are not named AWS has none either.
            "iam:passedtoservice" | "iam:associatedresourcearn" => Ok(Known::Absent),
            // Keys of security keys (FIDO) and of operations that are not implemented.
            "iam:organizationspolicyid"
            | "iam:awsservicename"
            | "iam:registersecuritykey"
            | "iam:fido-certification"
            | "iam:fido-fips-140-2-certification"
            | "iam:fido-fips-140-3-certification" => Ok(Known::Absent),
            // Taken from the request where it has them.
            "iam:servicespecificcredentialservicename" | "iam:servicespecificcredentialagedays" => {
                Ok(Known::Absent)
            }
            _ => Ok(Known::Unresolvable),
        }
    }

    /// The owner of a delegation request may look at it and update it whatever its policies say.
    /// A role's trust policy is deliberately not answered here: it decides about assuming a role
    /// ([`trust_policy`]), not about calls that administer it.
    fn policy(&self, cx: &mut Context, kind: &str, arn: &str) -> Result<Option<ResourcePolicy>> {
        let id = Arn::parse(arn).map(|arn| arn.resource_name().to_owned());
        let ("delegation-request", Some(id)) = (kind, id) else { return Ok(None) };
        let document = delegation_request::owners_policy(cx, &id)?;
        Ok(document.map(|document| ResourcePolicy { document, revision: 0, must_allow: false }))
    }
}

/// The trust policy of a role, as the resource policy of `sts:AssumeRole` and its like: without an
/// allow in it nobody gets in. None when there is no such role. `role` is its name in any case.
pub fn trust_policy(cx: &mut Context, account: &str, role: &str) -> Result<Option<ResourcePolicy>> {
    let found = cx.in_account(account, |cx| cx.get_revised(&ROLES, &role.to_lowercase()))?;
    let Some((role, revision)) = found else { return Ok(None) };
    let document = role.assume_role_policy_document;
    Ok(document.map(|document| ResourcePolicy { document, revision, must_allow: true }))
}

/// Looks the resource up in the account that its ARN names.
fn facts(cx: &mut Context, kind: &str, arn: &str) -> Result<Option<Facts>> {
    let Some(parsed) = Arn::parse(arn) else { return Ok(None) };
    let (account, name) = (parsed.account.to_owned(), parsed.resource_name().to_lowercase());
    if parsed.account_id().is_none() || name == "*" {
        return Ok(None);
    }
    cx.in_account(&account, |cx| stored(cx, kind, arn, &name))
}

fn stored(cx: &Context, kind: &str, arn: &str, name: &str) -> Result<Option<Facts>> {
    let tags = super::tag::pairs;
    let limit = |stored: Option<&_>| boundary::arn(stored).map(str::to_owned);
    Ok(match kind {
        "user" => cx.get(&USERS, name)?.map(|user| Facts {
            tags: tags(user.tags.as_deref()),
            boundary: limit(user.permissions_boundary.as_ref()),
            arn: user.arn,
        }),
        "role" => cx.get(&ROLES, name)?.map(|role| Facts {
            tags: tags(role.tags.as_deref()),
            boundary: limit(role.permissions_boundary.as_ref()),
            arn: role.arn,
        }),
        "group" => cx.get(&GROUPS, name)?.map(|group| Facts { arn: group.arn, ..Facts::default() }),
        "instance-profile" => cx.get(&INSTANCE_PROFILES, name)?.map(|profile| Facts {
            tags: tags(profile.tags.as_deref()),
            arn: profile.arn,
            boundary: None,
        }),
        "server-certificate" => cx.get(&CERTIFICATES, name)?.map(|record| Facts {
            arn: record.arn(cx),
            tags: record.tags,
            boundary: None,
        }),
        "mfa" => cx.get(&VIRTUAL_DEVICES, arn)?.map(|device| Facts {
            tags: device.tags,
            arn: device.serial_number,
            boundary: None,
        }),
        "oidc-provider" => cx.get(&OIDC_PROVIDERS, arn)?.map(|provider| Facts {
            tags: provider.tags,
            arn: provider.arn,
            boundary: None,
        }),
        "saml-provider" => cx.get(&SAML_PROVIDERS, arn)?.map(|provider| Facts {
            tags: provider.tags,
            arn: provider.arn,
            boundary: None,
        }),
        "policy" => cx.get(&POLICIES, arn)?.map(|policy| Facts {
            tags: tags(policy.tags.as_deref()),
            arn: arn.to_owned(),
            boundary: None,
        }),
        _ => None,
    })
}

/// The type of a resource, from its ARN.
fn kind_of(arn: &str) -> String {
    let kind = Arn::parse(arn).and_then(|arn| arn.resource_type().map(str::to_owned));
    kind.unwrap_or_default()
}

/// `iam:ResourceTag/key`: like `aws:ResourceTag`, on users and roles. Tag keys ignore case.
fn resource_tag(cx: &mut Context, tag: &str, resource: &str) -> Result<Known> {
    let kind = kind_of(resource);
    let tags = facts(cx, &kind, resource)?.unwrap_or_default().tags;
    let found = tags.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(tag));
    Ok(found.map_or(Known::Absent, |(_, value)| Known::One(value)))
}

/// `iam:PermissionsBoundary`: the boundary that the call sets; for calls that change an existing
/// user's or role's policies, the boundary it has.
fn permissions_boundary(cx: &mut Context, call: &Call) -> Result<Known> {
    let input = call.input.as_any();
    let given = if let Some(input) = input.downcast_ref::<model::CreateUserRequest>() {
        input.permissions_boundary.clone()
    } else if let Some(input) = input.downcast_ref::<model::CreateRoleRequest>() {
        input.permissions_boundary.clone()
    } else if let Some(input) = input.downcast_ref::<model::PutUserPermissionsBoundaryRequest>() {
        Some(input.permissions_boundary.clone())
    } else if let Some(input) = input.downcast_ref::<model::PutRolePermissionsBoundaryRequest>() {
        Some(input.permissions_boundary.clone())
    } else {
        let kind = kind_of(call.resource);
        facts(cx, &kind, call.resource)?.and_then(|facts| facts.boundary)
    };
    Ok(given.map_or(Known::Absent, Known::One))
}

/// `iam:PolicyARN`: the managed policy that is attached or detached.
fn policy_arn(call: &Call) -> Known {
    let input = call.input.as_any();
    let arn = None
        .or_else(|| input.downcast_ref().map(|i: &model::AttachUserPolicyRequest| &i.policy_arn))
        .or_else(|| input.downcast_ref().map(|i: &model::AttachGroupPolicyRequest| &i.policy_arn))
        .or_else(|| input.downcast_ref().map(|i: &model::AttachRolePolicyRequest| &i.policy_arn))
        .or_else(|| input.downcast_ref().map(|i: &model::DetachUserPolicyRequest| &i.policy_arn))
        .or_else(|| input.downcast_ref().map(|i: &model::DetachGroupPolicyRequest| &i.policy_arn))
        .or_else(|| input.downcast_ref().map(|i: &model::DetachRolePolicyRequest| &i.policy_arn));
    arn.map_or(Known::Absent, |arn| Known::One(arn.clone()))
}

#[cfg(test)]
mod tests;
