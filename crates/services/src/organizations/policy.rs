//! The policies of an organization, whatever their type.

use super::management_policy;
use super::node::{NODES, Node};
use super::organization::Organization;
use super::policy_attachment::TARGETS;
use super::policy_type::{self, Language, PolicyType};
use super::refusal::{constraint, invalid};
use super::{list, quota, tag};
use crate::context::Context;
use crate::errors::internal;
use crate::random;
use crate::table::{Scope, Table};
use palisade_model::organizations::{
    CreatePolicyRequest, CreatePolicyResponse, DUPLICATE_POLICY_EXCEPTION, DeletePolicyRequest,
    DescribePolicyRequest, DescribePolicyResponse, ListPoliciesRequest, ListPoliciesResponse,
    MALFORMED_POLICY_DOCUMENT_EXCEPTION, POLICY_IN_USE_EXCEPTION, POLICY_NOT_FOUND_EXCEPTION,
    Policy, PolicySummary, UpdatePolicyRequest, UpdatePolicyResponse,
};
use palisade_shape::{Error, Nothing, Result};
use serde::{Deserialize, Serialize};

/// A policy that the organization made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    /// `p-…`
    pub id: String,
    pub name: String,
    pub description: String,
    pub policy_type: String,
    pub content: String,
    #[serde(default, skip_serializing_if = "tag::TagMap::is_empty")]
    pub tags: tag::TagMap,
    pub updated_millis: i64,
}

pub static POLICIES: Table<Stored> = Table::of_private(
    "organizations/policy",
    Scope::Account,
    |policy| policy.id.clone(),
    |policy| internal(format!("policy {} is there already", policy.id)),
    |_| not_found(),
);

/// A policy's name among those of its type: `TYPE/NAME`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Name {
    policy_type: String,
    name: String,
    id: String,
}

static NAMES: Table<Name> = Table::of_private(
    "organizations/policy-name",
    Scope::Account,
    |row| format!("{}/{}", row.policy_type, row.name),
    |_| {
        let text = "A policy with the same name already exists.";
        DUPLICATE_POLICY_EXCEPTION.because(text)
    },
    |key| internal(format!("policy name {key} is not there")),
);

pub fn not_found() -> Error {
    POLICY_NOT_FOUND_EXCEPTION.because("You specified a policy that doesn't exist.")
}

/// The policy of that id that the organization made.
pub fn stored(cx: &Context, id: &str) -> Result<Option<Stored>> {
    cx.get(&POLICIES, id)
}

impl Stored {
    pub fn arn(&self, organization: &Organization) -> String {
        let kind = format!("{}/{}", self.policy_type.to_lowercase(), self.id);
        organization.arn_of("policy", &kind)
    }
}

/// A policy, the organization's own or AWS's, as lists show it.
pub fn summary(cx: &Context, organization: &Organization, id: &str) -> Result<PolicySummary> {
    if let Some((of, managed)) = policy_type::managed(id) {
        return Ok(PolicySummary {
            id: Some(managed.id.to_owned()),
            arn: Some(managed.arn(of)),
            name: Some(managed.name.to_owned()),
            description: Some(managed.description.to_owned()),
            r#type: Some(of.name.to_owned()),
            aws_managed: Some(true),
        });
    }
    let policy = cx.find(&POLICIES, id)?;
    Ok(PolicySummary {
        arn: Some(policy.arn(organization)),
        id: Some(policy.id),
        name: Some(policy.name),
        description: Some(policy.description),
        r#type: Some(policy.policy_type),
        aws_managed: Some(false),
    })
}

/// The type of a policy, the organization's own or AWS's.
pub fn type_of(cx: &Context, id: &str) -> Result<&'static PolicyType> {
    match policy_type::managed(id) {
        Some((of, _)) => Ok(of),
        None => policy_type::find(&cx.find(&POLICIES, id)?.policy_type),
    }
}

/// The document of a policy, the organization's own or AWS's.
pub fn content(cx: &Context, id: &str) -> Result<String> {
    match policy_type::managed(id) {
        Some((_, managed)) => Ok(managed.content.to_owned()),
        None => Ok(cx.find(&POLICIES, id)?.content),
    }
}

/// Refuses a document that is too large or not what its type may say.
fn check(of: &PolicyType, content: &str) -> Result<()> {
    if content.chars().count() > of.size_most {
        let text = "You have exceeded the maximum policy size.";
        return Err(constraint("POLICY_CONTENT_LIMIT_EXCEEDED", text));
    }
    let faults = match of.language {
        Language::Authorization(kind) => palisade_policy::Policy::parse(content, kind)
            .map(drop)
            .map_err(|malformed| malformed.message().to_owned()),
        Language::Management(below) => management_policy::check(of.name, below, content),
    };
    faults.map_err(|fault| {
        let text = "The provided policy document does not meet the requirements of the specified \
                    policy type.";
        MALFORMED_POLICY_DOCUMENT_EXCEPTION.because(format!("{text} {fault}"))
    })
}

fn shown(organization: &Organization, policy: Stored) -> Policy {
    let arn = policy.arn(organization);
    Policy {
        policy_summary: Some(PolicySummary {
            id: Some(policy.id),
            arn: Some(arn),
            name: Some(policy.name),
            description: Some(policy.description),
            r#type: Some(policy.policy_type),
            aws_managed: Some(false),
        }),
        content: Some(policy.content),
    }
}

/// Makes a policy. It binds nobody until it is attached.
pub fn create_policy(
    cx: &mut Context,
    organization: &Organization,
    input: CreatePolicyRequest,
) -> Result<CreatePolicyResponse> {
    let CreatePolicyRequest { content, description, name, r#type, tags } = input;
    if !organization.has_all_features() {
        let text = "You can't use the specified policy type with the feature set currently \
                    enabled for this organization.";
        let code =
            &palisade_model::organizations::POLICY_TYPE_NOT_AVAILABLE_FOR_ORGANIZATION_EXCEPTION;
        return Err(code.because(text));
    }
    let of = policy_type::find(&r#type)?;
    check(of, &content)?;
    let counted = counted(of);
    if quota::used(cx, &counted)? >= of.count_most {
        let text = "You have exceeded the number of policies that you can have.";
        return Err(constraint("POLICY_NUMBER_LIMIT_EXCEEDED", text));
    }
    let policy = Stored {
        id: random::lower_id(&*cx.plane.random, "p-", 10),
        name,
        description,
        policy_type: r#type,
        content,
        tags: tag::given(tags)?,
        updated_millis: cx.now().millis(),
    };
    cx.insert(&NAMES, &name_of(&policy))?;
    cx.insert(&POLICIES, &policy)?;
    quota::count(cx, &counted, 1)?;
    cx.touch("AWS::Organizations::Policy", policy.arn(organization));
    Ok(CreatePolicyResponse { policy: Some(shown(organization, policy)) })
}

fn counted(of: &PolicyType) -> String {
    format!("policies/{}", of.name)
}

fn name_of(policy: &Stored) -> Name {
    Name {
        policy_type: policy.policy_type.clone(),
        name: policy.name.clone(),
        id: policy.id.clone(),
    }
}

pub fn describe_policy(
    cx: &mut Context,
    organization: &Organization,
    input: DescribePolicyRequest,
) -> Result<DescribePolicyResponse> {
    let id = input.policy_id;
    let policy = Policy {
        policy_summary: Some(summary(cx, organization, &id)?),
        content: Some(content(cx, &id)?),
    };
    Ok(DescribePolicyResponse { policy: Some(policy) })
}

/// The organization's own policy of that id, for a change of it.
fn own(cx: &Context, id: &str) -> Result<Stored> {
    if policy_type::managed(id).is_some() {
        let text = "You specified a policy that is managed by AWS and can't be modified.";
        return Err(invalid("IMMUTABLE_POLICY", text));
    }
    cx.find(&POLICIES, id)
}

/// Changes a policy's name, description or document; what is not named stays.
pub fn update_policy(
    cx: &mut Context,
    organization: &Organization,
    input: UpdatePolicyRequest,
) -> Result<UpdatePolicyResponse> {
    let UpdatePolicyRequest { policy_id, name, description, content } = input;
    let mut policy = own(cx, &policy_id)?;
    if let Some(content) = content {
        check(policy_type::find(&policy.policy_type)?, &content)?;
        policy.content = content;
    }
    if let Some(name) = name.filter(|name| *name != policy.name) {
        cx.delete(&NAMES, &(NAMES.key)(&name_of(&policy)))?;
        policy.name = name;
        cx.insert(&NAMES, &name_of(&policy))?;
    }
    policy.description = description.unwrap_or(policy.description);
    policy.updated_millis = cx.now().millis();
    cx.put(&POLICIES, &policy)?;
    cx.touch("AWS::Organizations::Policy", policy.arn(organization));
    Ok(UpdatePolicyResponse { policy: Some(shown(organization, policy)) })
}

pub fn set_tags(cx: &mut Context, id: &str, tags: tag::TagMap) -> Result<()> {
    let policy = own(cx, id)?;
    cx.put(&POLICIES, &Stored { tags, ..policy })
}

/// Deletes a policy that is attached to nothing.
pub fn delete_policy(
    cx: &mut Context,
    organization: &Organization,
    input: DeletePolicyRequest,
) -> Result<Nothing> {
    let policy = own(cx, &input.policy_id)?;
    if !cx.scan(&TARGETS, &format!("{}/", policy.id), None, 1)?.is_empty() {
        let text = "You must detach the policy from all entities before performing this operation.";
        return Err(POLICY_IN_USE_EXCEPTION.because(text));
    }
    remove(cx, &policy)?;
    cx.touch("AWS::Organizations::Policy", policy.arn(organization));
    Ok(Nothing)
}

fn remove(cx: &mut Context, policy: &Stored) -> Result<()> {
    cx.delete(&NAMES, &(NAMES.key)(&name_of(policy)))?;
    cx.delete(&POLICIES, &policy.id)?;
    quota::count(cx, &counted(policy_type::find(&policy.policy_type)?), -1)
}

/// Deletes all policies, with their organization.
pub fn delete_all(cx: &mut Context) -> Result<()> {
    for policy in cx.all(&POLICIES, "")? {
        remove(cx, &policy)?;
    }
    Ok(())
}

/// Takes all policies off a node. The node is the caller's to store or delete.
pub fn detach_all(cx: &mut Context, node: &Node) -> Result<()> {
    for policy in node.attached.values().flatten() {
        cx.delete(&TARGETS, &format!("{policy}/{}", node.id))?;
    }
    cx.put(&NODES, &Node { attached: Default::default(), ..node.clone() })
}

/// Lists the policies of a type: AWS's first, then the organization's own by name.
pub fn list_policies(
    cx: &mut Context,
    organization: &Organization,
    input: ListPoliciesRequest,
) -> Result<ListPoliciesResponse> {
    let ListPoliciesRequest { filter, next_token, max_results } = input;
    let of = policy_type::find(&filter)?;
    let first = next_token.is_none();
    let managed = of.managed.filter(|_| first && organization.has_all_features());
    let room = max_results.unwrap_or(20) - i32::from(managed.is_some());
    let mut policies = Vec::new();
    if let Some(managed) = managed {
        policies.push(summary(cx, organization, managed.id)?);
    }
    let below = format!("{}/", of.name);
    let mut next = None;
    if room > 0 {
        let page = list::page(cx, &NAMES, &below, (next_token, Some(room)), |cx, name| {
            summary(cx, organization, &name.id).map(Some)
        })?;
        policies.extend(page.items);
        next = page.next;
    } else if !cx.scan(&NAMES, &below, None, 1)?.is_empty() {
        // The page is full with AWS's own policy; the next one begins before the first name.
        next = Some(crate::page::marker(&below));
    }
    Ok(ListPoliciesResponse { policies: Some(policies), next_token: next })
}
