//! The organization's resource policy: what the management account delegates to members.
//!
//! Source: Organizations API reference, PutResourcePolicy; User Guide, "Delegated administrator for
//! AWS Organizations", "Resource-based delegation policy".

use super::organization::Organization;
use super::refusal::invalid;
use super::tag;
use crate::context::Context;
use crate::errors::internal;
use crate::random;
use crate::table::{Scope, Table};
use palisade_model::organizations::{
    DescribeResourcePolicyResponse, PutResourcePolicyRequest, PutResourcePolicyResponse,
    RESOURCE_POLICY_NOT_FOUND_EXCEPTION, ResourcePolicy, ResourcePolicySummary,
};
use palisade_policy::{DocumentKind, Policy};
use palisade_shape::{Nothing, Result};
use serde::{Deserialize, Serialize};

/// The one key of the table.
const ONLY: &str = "resource-policy";

/// What a resource policy may delegate (User Guide, "Supported actions").
const DELEGABLE: &str = "organizations:";
/// What stays with the management account.
const KEPT: [&str; 26] = [
    "AcceptHandshake",
    "CancelHandshake",
    "CloseAccount",
    "CreateAccount",
    "CreateGovCloudAccount",
    "CreateOrganization",
    "CreateOrganizationalUnit",
    "DeclineHandshake",
    "DeleteOrganization",
    "DeleteOrganizationalUnit",
    "DeleteResourcePolicy",
    "DeregisterDelegatedAdministrator",
    "DisableAWSServiceAccess",
    "EnableAWSServiceAccess",
    "EnableAllFeatures",
    "InviteAccountToOrganization",
    "InviteOrganizationToTransferResponsibility",
    "LeaveOrganization",
    "MoveAccount",
    "PutResourcePolicy",
    "RegisterDelegatedAdministrator",
    "RemoveAccountFromOrganization",
    "TerminateResponsibilityTransfer",
    "UpdateOrganizationalUnit",
    "UpdateResponsibilityTransfer",
    "*",
];

/// The policy of the organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    /// `rp-…`
    pub id: String,
    pub content: String,
    #[serde(default, skip_serializing_if = "tag::TagMap::is_empty")]
    pub tags: tag::TagMap,
}

static POLICIES: Table<Stored> = Table::of_private(
    "organizations/resource-policy",
    Scope::Account,
    |_| ONLY.to_owned(),
    |_| internal("the resource policy is there already"),
    |_| {
        let text = "We can't find a resource policy request with the parameter that you specified.";
        RESOURCE_POLICY_NOT_FOUND_EXCEPTION.because(text)
    },
);

/// The policy, if there is one. The context stands in the management account.
pub fn stored(cx: &Context) -> Result<Option<Stored>> {
    cx.get(&POLICIES, ONLY)
}

/// The policy's document and the revision at which it was written.
pub fn revised(cx: &Context) -> Result<Option<(String, u64)>> {
    Ok(cx.get_revised(&POLICIES, ONLY)?.map(|(policy, revision)| (policy.content, revision)))
}

fn shown(organization: &Organization, policy: Stored) -> ResourcePolicy {
    ResourcePolicy {
        resource_policy_summary: Some(ResourcePolicySummary {
            arn: Some(organization.arn_of("resourcepolicy", &policy.id)),
            id: Some(policy.id),
        }),
        content: Some(policy.content),
    }
}

/// Sets what members may do. Tags can be given with a new policy only.
pub fn put_resource_policy(
    cx: &mut Context,
    organization: &Organization,
    input: PutResourcePolicyRequest,
) -> Result<PutResourcePolicyResponse> {
    let PutResourcePolicyRequest { content, tags } = input;
    if !organization.has_all_features() {
        return Err(super::refusal::not_all_features());
    }
    check(&content)?;
    let policy = match stored(cx)? {
        Some(_) if tags.as_ref().is_some_and(|tags| !tags.is_empty()) => {
            let text = "You can't add tags while updating an existing resource policy. Use \
                        TagResource instead.";
            return Err(invalid("INVALID_LIST_MEMBER", text));
        }
        Some(known) => Stored { content, ..known },
        None => Stored {
            id: random::lower_id(&*cx.plane.random, "rp-", 8),
            content,
            tags: tag::given(tags)?,
        },
    };
    cx.put(&POLICIES, &policy)?;
    let arn = organization.arn_of("resourcepolicy", &policy.id);
    cx.touch("AWS::Organizations::ResourcePolicy", arn);
    Ok(PutResourcePolicyResponse { resource_policy: Some(shown(organization, policy)) })
}

fn check(content: &str) -> Result<()> {
    let policy = Policy::parse(content, DocumentKind::Resource).map_err(|malformed| {
        invalid("INVALID_RESOURCE_POLICY_JSON", malformed.message().to_owned())
    })?;
    for statement in &policy.statements {
        if statement.principal.is_none() {
            let text = "You specified an invalid principal element in the policy.";
            return Err(invalid("INVALID_PRINCIPAL", text));
        }
        let delegable = |action: &str| {
            let name = action.strip_prefix(DELEGABLE);
            name.is_some_and(|name| !KEPT.contains(&name))
        };
        let actions = &statement.action;
        if actions.negated || !actions.values.iter().all(|action| delegable(&action.text)) {
            let text = "The policy delegates an action that can't be delegated.";
            return Err(invalid("UNSUPPORTED_ACTION_IN_RESOURCE_POLICY", text));
        }
    }
    Ok(())
}

pub fn describe_resource_policy(
    cx: &mut Context,
    organization: &Organization,
    _: Nothing,
) -> Result<DescribeResourcePolicyResponse> {
    let policy = cx.find(&POLICIES, ONLY)?;
    Ok(DescribeResourcePolicyResponse { resource_policy: Some(shown(organization, policy)) })
}

pub fn delete_resource_policy(
    cx: &mut Context,
    organization: &Organization,
    _: Nothing,
) -> Result<Nothing> {
    let policy = cx.find(&POLICIES, ONLY)?;
    cx.delete(&POLICIES, ONLY)?;
    let arn = organization.arn_of("resourcepolicy", &policy.id);
    cx.touch("AWS::Organizations::ResourcePolicy", arn);
    Ok(Nothing)
}

pub fn set_tags(cx: &mut Context, tags: tag::TagMap) -> Result<()> {
    let policy = cx.find(&POLICIES, ONLY)?;
    cx.put(&POLICIES, &Stored { tags, ..policy })
}

/// Deletes the policy, if there is one, with its organization.
pub fn forget(cx: &mut Context) -> Result<()> {
    cx.delete(&POLICIES, ONLY).map(drop)
}
