//! Customer managed policies, and the reading of all managed policies.

use super::{document, list, managed, policy_use, policy_version, quota, tag};
use crate::authorization::{Attached, Dependencies};
use crate::context::Context;
use crate::errors::{ACCESS_DENIED, internal};
use crate::table::{Scope, Table};
use palisade_model::iam::{
    CreatePolicyRequest, CreatePolicyResponse, DELETE_CONFLICT, DeletePolicyRequest,
    ENTITY_ALREADY_EXISTS, GetPolicyRequest, GetPolicyResponse, ListPolicyTagsRequest,
    ListPolicyTagsResponse, NO_SUCH_ENTITY, Policy, TagPolicyRequest, UntagPolicyRequest,
};
use palisade_shape::{Error, Nothing, Result};
use serde::{Deserialize, Serialize};

/// The policies of an account. The counts of their uses are not stored ([`shown`]).
pub static POLICIES: Table<Policy> = Table::of_shapes(
    "iam/policy",
    Scope::Account,
    |policy| arn_of(policy).to_owned(),
    |policy| taken(policy.policy_name.as_deref().unwrap_or_default()),
    not_attachable,
);

/// The names of an account's policies, which are unique ignoring case and path.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Name {
    pub name: String,
    pub arn: String,
    /// The number of the newest version there ever was.
    pub latest_version: u32,
}

pub static NAMES: Table<Name> = Table::of_private(
    "iam/policy-name",
    Scope::Account,
    |row| row.name.to_lowercase(),
    |row| taken(&row.name),
    |name| internal(format!("the policy {name} has no name")),
);

/// The ARN of a stored policy, which always has one.
pub fn arn_of(policy: &Policy) -> &str {
    policy.arn.as_deref().unwrap_or_default()
}

fn taken(name: &str) -> Error {
    let text = format!("A policy called {name} already exists. Duplicate names are not allowed.");
    ENTITY_ALREADY_EXISTS.because(text)
}

/// AWS's answer to most calls that name a policy which is not there.
pub fn not_attachable(arn: &str) -> Error {
    NO_SUCH_ENTITY.because(format!("Policy {arn} does not exist or is not attachable."))
}

/// AWS's answer of GetPolicy and the detaching calls.
pub fn not_found(arn: &str) -> Error {
    NO_SUCH_ENTITY.because(format!("Policy {arn} was not found."))
}

/// A customer managed policy, as it is stored.
pub fn find(cx: &Context, arn: &str) -> Result<Policy> {
    managed::check_arn(arn)?;
    cx.find(&POLICIES, arn)
}

/// A policy that the caller is about to change: AWS's own are nobody's to change.
pub fn find_own(cx: &Context, arn: &str) -> Result<Policy> {
    if managed::aws_policy(arn).is_some() {
        let (caller, operation) = (&cx.caller.arn, cx.request.operation);
        return Err(ACCESS_DENIED.because(format!(
            "User: {caller} is not authorized to perform: iam:{operation} on resource: policy {arn}"
        )));
    }
    find(cx, arn)
}

/// The policy with the counts of its uses, as GetPolicy shows it.
pub fn shown(cx: &Context, mut policy: Policy) -> Result<Policy> {
    let counts = policy_use::counts(cx, arn_of(&policy))?;
    policy.attachment_count = Some(counts.attachments);
    policy.permissions_boundary_usage_count = Some(counts.boundaries);
    Ok(policy)
}

/// Takes the number of the next version of a policy.
pub fn next_version(cx: &mut Context, policy: &Policy) -> Result<u32> {
    let name = policy.policy_name.as_deref().unwrap_or_default().to_lowercase();
    let mut row = cx.find(&NAMES, &name)?;
    row.latest_version += 1;
    cx.put(&NAMES, &row)?;
    Ok(row.latest_version)
}

/// Creates a policy whose version `v1` is the given document.
pub fn create_policy(cx: &mut Context, input: CreatePolicyRequest) -> Result<CreatePolicyResponse> {
    let CreatePolicyRequest { policy_name, path, policy_document, description, tags } = input;
    let tags = tag::given(tags)?;
    document::check_managed(cx, &policy_document)?;
    let path = path.unwrap_or_else(|| "/".into());
    let arn = cx.iam_arn("policy", &path, &policy_name);
    let row = Name { name: policy_name.clone(), arn: arn.clone(), latest_version: 1 };
    cx.insert(&NAMES, &row)?;
    quota::take(cx, &quota::POLICIES)?;
    let version = policy_version::add(cx, &arn, 1, policy_document)?;
    let policy = Policy {
        policy_name: Some(policy_name),
        policy_id: Some(cx.unique_id("ANPA")),
        arn: Some(arn.clone()),
        path: Some(path),
        default_version_id: Some(version.id()),
        attachment_count: None,
        permissions_boundary_usage_count: None,
        is_attachable: Some(true),
        description,
        create_date: Some(cx.now().whole_seconds()),
        update_date: Some(cx.now().whole_seconds()),
        tags,
    };
    cx.insert(&POLICIES, &policy)?;
    cx.touch("AWS::IAM::ManagedPolicy", arn);
    let policy = Policy { description: None, ..shown(cx, policy)? };
    Ok(CreatePolicyResponse { policy: Some(policy) })
}

/// Shows a customer's policy or one of AWS's.
pub fn get_policy(cx: &mut Context, input: GetPolicyRequest) -> Result<GetPolicyResponse> {
    let arn = input.policy_arn;
    managed::check_arn(&arn)?;
    let policy = managed::find(cx, &arn)?.ok_or_else(|| not_found(&arn))?;
    Ok(GetPolicyResponse { policy: Some(shown(cx, policy)?) })
}

/// Deletes a policy that nobody uses and that has but its default version.
pub fn delete_policy(cx: &mut Context, input: DeletePolicyRequest) -> Result<Nothing> {
    let arn = input.policy_arn;
    let policy = find_own(cx, &arn)?;
    if !policy_use::uses_of(cx, &arn)?.is_empty() {
        return Err(DELETE_CONFLICT.because("Cannot delete a policy attached to entities."));
    }
    let versions = policy_version::all(cx, &arn)?;
    if versions.len() > 1 {
        return Err(DELETE_CONFLICT.because(
            "This policy has more than one version. Before you delete a policy, you must delete \
             the policy's versions. The default version is deleted with the policy.",
        ));
    }
    for version in &versions {
        policy_version::remove(cx, version)?;
    }
    cx.delete(&POLICIES, &arn)?;
    let name = policy.policy_name.unwrap_or_default();
    cx.delete(&NAMES, &name.to_lowercase())?;
    cx.touch("AWS::IAM::ManagedPolicy", arn);
    quota::give_back(cx, &quota::POLICIES)?;
    Ok(Nothing)
}

/// Adds tags to a customer managed policy.
pub fn tag_policy(cx: &mut Context, input: TagPolicyRequest) -> Result<Nothing> {
    let mut policy = find_own(cx, &input.policy_arn)?;
    policy.tags = tag::merged(policy.tags.take(), input.tags)?;
    cx.put(&POLICIES, &policy)?;
    cx.touch("AWS::IAM::ManagedPolicy", input.policy_arn);
    Ok(Nothing)
}

/// Takes tags away from a customer managed policy.
pub fn untag_policy(cx: &mut Context, input: UntagPolicyRequest) -> Result<Nothing> {
    let mut policy = find_own(cx, &input.policy_arn)?;
    policy.tags = tag::without(policy.tags.take(), &input.tag_keys);
    cx.put(&POLICIES, &policy)?;
    cx.touch("AWS::IAM::ManagedPolicy", input.policy_arn);
    Ok(Nothing)
}

/// Lists the tags of a customer managed policy; AWS's have none.
pub fn list_policy_tags(
    cx: &mut Context,
    input: ListPolicyTagsRequest,
) -> Result<ListPolicyTagsResponse> {
    let ListPolicyTagsRequest { policy_arn, marker, max_items } = input;
    managed::check_arn(&policy_arn)?;
    let policy = managed::find(cx, &policy_arn)?.ok_or_else(|| not_attachable(&policy_arn))?;
    let page = list::of_items(tag::sorted(policy.tags), marker.as_deref(), max_items)?;
    Ok(ListPolicyTagsResponse {
        tags: page.items,
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}

/// What a principal or session of `account` with that policy gets. None for a policy that is not
/// there, and for one of another account.
pub fn document_of(deps: &mut Dependencies, account: &str, arn: &str) -> Result<Option<Attached>> {
    match managed::owner(arn) {
        Some(managed::Owner::Account(owner)) if owner != account => Ok(None),
        _ => managed::document_of(deps, arn),
    }
}

#[cfg(test)]
mod tests;
