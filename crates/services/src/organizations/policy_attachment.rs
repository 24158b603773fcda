//! Which policies are attached to which roots, units and accounts.

use super::node::{self, NODES, Node};
use super::organization::Organization;
use super::policy_type::{self, PolicyType};
use super::refusal::{constraint, invalid};
use super::{list, policy};
use crate::accounts::ACCOUNTS;
use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use palisade_model::organizations::{
    AttachPolicyRequest, DUPLICATE_POLICY_ATTACHMENT_EXCEPTION, DetachPolicyRequest,
    ListPoliciesForTargetRequest, ListPoliciesForTargetResponse, ListTargetsForPolicyRequest,
    ListTargetsForPolicyResponse, POLICY_NOT_ATTACHED_EXCEPTION, PolicyTargetSummary,
};
use palisade_shape::{Nothing, Result};
use serde::{Deserialize, Serialize};

/// An attachment, for lists by policy: `POLICY/TARGET`. The node has it too, for decisions.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    pub policy: String,
    pub target: String,
}

pub static TARGETS: Table<Target> = Table::of_private(
    "organizations/policy-target",
    Scope::Account,
    |row| format!("{}/{}", row.policy, row.target),
    |row| internal(format!("{} is attached to {} already", row.policy, row.target)),
    |key| internal(format!("attachment {key} is not there")),
);

/// The policy's type, which must be enabled, and the node.
fn both(
    cx: &Context,
    organization: &Organization,
    policy: &str,
    target: &str,
) -> Result<(&'static PolicyType, Node)> {
    let of = policy::type_of(cx, policy)?;
    let node = node::target(cx, target)?;
    if !policy_type::is_enabled(cx, organization, of.name)? {
        return Err(policy_type::not_enabled());
    }
    Ok((of, node))
}

/// Attaches a policy. It binds what is there from the next call on.
pub fn attach_policy(
    cx: &mut Context,
    organization: &Organization,
    input: AttachPolicyRequest,
) -> Result<Nothing> {
    let AttachPolicyRequest { policy_id, target_id } = input;
    let (of, mut node) = both(cx, organization, &policy_id, &target_id)?;
    let attached = node.attached.entry(of.name.to_owned()).or_default();
    if !attached.insert(policy_id.clone()) {
        let text = "The selected policy is already attached to the specified target.";
        return Err(DUPLICATE_POLICY_ATTACHMENT_EXCEPTION.because(text));
    }
    if attached.len() > of.attached_most {
        let text = "You have attached the maximum number of policies of this type to the target.";
        return Err(constraint("MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", text));
    }
    cx.put(&NODES, &node)?;
    cx.put(&TARGETS, &Target { policy: policy_id, target: target_id })?;
    touch(cx, organization, &node);
    Ok(Nothing)
}

/// Detaches a policy. One service control policy must stay wherever their type is enabled.
pub fn detach_policy(
    cx: &mut Context,
    organization: &Organization,
    input: DetachPolicyRequest,
) -> Result<Nothing> {
    let DetachPolicyRequest { policy_id, target_id } = input;
    let (of, mut node) = both(cx, organization, &policy_id, &target_id)?;
    let attached = node.attached.entry(of.name.to_owned()).or_default();
    if !attached.contains(&policy_id) {
        let text = "The policy isn't attached to the specified target in the specified root.";
        return Err(POLICY_NOT_ATTACHED_EXCEPTION.because(text));
    }
    if policy_type::managed(&policy_id).is_some_and(|(_, managed)| managed.fixed) {
        let text = "You can't detach this AWS Managed Policy.";
        return Err(invalid("NON_DETACHABLE_POLICY", text));
    }
    if of.managed.is_some() && attached.len() == 1 {
        let text = "You cannot remove the last policy attached to the specified target. You \
                    should have at least one at any time.";
        return Err(constraint("MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", text));
    }
    attached.remove(&policy_id);
    if attached.is_empty() {
        node.attached.remove(of.name);
    }
    cx.put(&NODES, &node)?;
    cx.delete(&TARGETS, &format!("{policy_id}/{target_id}"))?;
    touch(cx, organization, &node);
    Ok(Nothing)
}

fn touch(cx: &mut Context, organization: &Organization, node: &Node) {
    let kind = match node.kind() {
        node::Kind::Root => "AWS::Organizations::Root",
        node::Kind::Unit => "AWS::Organizations::OrganizationalUnit",
        node::Kind::Account => "AWS::Organizations::Account",
    };
    cx.touch(kind, node.arn(organization));
}

/// Lists the policies of a type that are attached to a node itself.
pub fn list_policies_for_target(
    cx: &mut Context,
    organization: &Organization,
    input: ListPoliciesForTargetRequest,
) -> Result<ListPoliciesForTargetResponse> {
    let ListPoliciesForTargetRequest { target_id, filter, next_token, max_results } = input;
    let node = node::target(cx, &target_id)?;
    let policies = node.policies(&filter).map(|id| policy::summary(cx, organization, id));
    let policies = policies.collect::<Result<Vec<_>>>()?;
    let page = list::of_items(policies, (next_token, max_results))?;
    Ok(ListPoliciesForTargetResponse { policies: Some(page.items), next_token: page.next })
}

/// Lists what a policy is attached to.
pub fn list_targets_for_policy(
    cx: &mut Context,
    organization: &Organization,
    input: ListTargetsForPolicyRequest,
) -> Result<ListTargetsForPolicyResponse> {
    let ListTargetsForPolicyRequest { policy_id, next_token, max_results } = input;
    policy::type_of(cx, &policy_id)?;
    let of = format!("{policy_id}/");
    let page = list::page(cx, &TARGETS, &of, (next_token, max_results), |cx, row| {
        let node = node::target(cx, &row.target)?;
        let name = match node.kind() {
            node::Kind::Account => cx.find(&ACCOUNTS, &node.id)?.name,
            node::Kind::Root | node::Kind::Unit => node.name.clone(),
        };
        Ok(Some(PolicyTargetSummary {
            arn: Some(node.arn(organization)),
            name: Some(name),
            r#type: Some(node.kind().target_type().to_owned()),
            target_id: Some(node.id),
        }))
    })?;
    Ok(ListTargetsForPolicyResponse { targets: Some(page.items), next_token: page.next })
}
