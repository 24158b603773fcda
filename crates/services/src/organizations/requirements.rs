//! What a caller must be allowed, and on which resources. The ids in a request tell what they are
//! of; their ARNs name the management account and the organization.
//!
//! A member account that is no delegated administrator meets the organization's resource policy:
//! its requirement is then on the management account's resource, so that both must allow.

use super::access::{self, Standing};
use super::handshake::HANDSHAKES;
use super::organization::Organization;
use super::{policy, resource_policy, tag};
use crate::authorization::Requirement;
use crate::context::Context;
use crate::service::{Input, Requires, ResourcePolicy, Resources, Tags};
use palisade_protocol::select::select;
use palisade_shape::Result;

/// An action, and the members of the request that name what it is for. A `+` before a member's
/// name stands for a new resource of that kind below it (`+policy`).
pub struct On(pub &'static str, pub &'static [&'static str]);

/// The kind of resource that an id is of, in the words of the Service Authorization Reference.
fn kind_of(id: &str) -> &'static str {
    match id {
        _ if id.starts_with("r-") => "root",
        _ if id.starts_with("ou-") => "organizationalunit",
        _ if id.starts_with("p-") => "policy",
        _ if id.starts_with("rp-") => "resourcepolicy",
        _ if id.starts_with("rt-") => "responsibilitytransfer",
        _ if id.starts_with("h-") => "handshake",
        _ => "account",
    }
}

/// The ARN of what an id names.
fn arn_of(cx: &Context, organization: &Organization, id: &str) -> Result<String> {
    Ok(match kind_of(id) {
        "root" => organization.arn_of("root", id),
        "organizationalunit" => organization.arn_of("ou", id),
        "policy" => match super::policy_type::managed(id) {
            Some((of, managed)) => managed.arn(of),
            None => match policy::stored(cx, id)? {
                Some(policy) => policy.arn(organization),
                None => organization.arn_of("policy", &format!("*/{id}")),
            },
        },
        "resourcepolicy" => organization.arn_of("resourcepolicy", id),
        "responsibilitytransfer" => organization.arn_of("transfer", &format!("billing/*/{id}")),
        _ => organization.arn_of("account", id),
    })
}

impl Requires for On {
    fn requirements(&self, cx: &mut Context, input: &dyn Input) -> Result<Vec<Requirement>> {
        let Self(name, members) = *self;
        let action = format!("organizations:{name}");
        let account = cx.caller.account.to_string();
        let reading = name.starts_with("Describe") || name.starts_with("List");
        let organization = access::organization_of(cx, &account)?;
        let owner = match &organization {
            None => account.clone(),
            // What is the caller's own is nothing to delegate.
            Some(_) if name == "DescribeEffectivePolicy" => account.clone(),
            Some(organization) => match access::standing(cx, organization, &account, reading)? {
                Standing::Management | Standing::ByPolicy => {
                    organization.management_account.clone()
                }
                Standing::Delegate | Standing::Member => account.clone(),
            },
        };
        let named = match &organization {
            None => Vec::new(),
            Some(known) => {
                let management = known.management_account.clone();
                cx.in_account(&management, |cx| named(cx, known, members, input))?
            }
        };
        let tags = tags(input);
        let common = |mut requirement: Requirement| {
            for (key, member) in [
                ("organizations:PolicyType", ["PolicyType", "Type", "Filter"].as_slice()),
                ("organizations:ServicePrincipal", ["ServicePrincipal"].as_slice()),
            ] {
                let shape = input.as_shape();
                let value = member.iter().find_map(|member| select(shape, member).pop());
                if let Some(value) = value {
                    requirement = requirement.with_key(key, value);
                }
            }
            if takes_tags(name) { requirement.with_tags(tags.clone()) } else { requirement }
        };
        let mut requirements = Vec::new();
        for Named { kind, arn, policy_type } in &named {
            let requirement = common(Requirement::new(&*action, arn, &owner).of_kind(kind));
            let known = requirement.keys.iter().any(|(key, _)| key == "organizations:policytype");
            requirements.push(match policy_type {
                Some(of) if !known => requirement.with_key("organizations:PolicyType", *of),
                _ => requirement,
            });
        }
        if requirements.is_empty() {
            // The kind is that whose policy a member's call has to meet.
            let any = Requirement::new(&*action, "*", &owner).of_kind("organization");
            requirements.push(common(any));
        }
        if takes_tags(name) && name != "TagResource" && name != "UntagResource" && !tags.is_empty()
        {
            let also = requirements.iter().map(|requirement| Requirement {
                action: "organizations:TagResource".to_owned(),
                ..requirement.clone()
            });
            let also: Vec<Requirement> = also.collect();
            requirements.extend(also);
        }
        Ok(requirements)
    }
}

/// A resource that the request is about.
struct Named {
    kind: &'static str,
    arn: String,
    /// Of a policy.
    policy_type: Option<&'static str>,
}

fn named(
    cx: &mut Context,
    organization: &Organization,
    members: &[&str],
    input: &dyn Input,
) -> Result<Vec<Named>> {
    let mut found = Vec::new();
    for member in members {
        if let Some(new) = member.strip_prefix('+') {
            let arn = match new {
                "policy" => {
                    let of = select(input.as_shape(), "Type").pop().unwrap_or_default();
                    organization.arn_of("policy", &format!("{}/*", of.to_lowercase()))
                }
                _ => match resource_policy::stored(cx)? {
                    Some(policy) => organization.arn_of(new, &policy.id),
                    None => organization.arn_of(new, "*"),
                },
            };
            let kind = if new == "policy" { "policy" } else { "resourcepolicy" };
            found.push(Named { kind, arn, policy_type: None });
            continue;
        }
        for id in select(input.as_shape(), member) {
            let kind = kind_of(&id);
            let policy_type = match kind {
                "policy" => policy::type_of(cx, &id).ok().map(|of| of.name),
                _ => None,
            };
            found.push(Named { kind, arn: arn_of(cx, organization, &id)?, policy_type });
        }
    }
    Ok(found)
}

/// Whether the operation sets or removes tags.
fn takes_tags(name: &str) -> bool {
    matches!(
        name,
        "CreateAccount"
            | "CreateGovCloudAccount"
            | "CreateOrganizationalUnit"
            | "CreatePolicy"
            | "InviteAccountToOrganization"
            | "InviteOrganizationToTransferResponsibility"
            | "PutResourcePolicy"
            | "TagResource"
            | "UntagResource"
    )
}

/// The tags that the request sets, or the keys of those that it removes.
fn tags(input: &dyn Input) -> Vec<(String, String)> {
    let shape = input.as_shape();
    let (keys, values) = (select(shape, "Tags[].Key"), select(shape, "Tags[].Value"));
    let mut tags: Vec<(String, String)> = keys.into_iter().zip(values).collect();
    tags.extend(select(shape, "TagKeys[]").into_iter().map(|key| (key, String::new())));
    tags
}

/// The handshake that a call answers, which is the sender's. What its recipient may do is for the
/// recipient's own policies to say.
pub struct OnHandshake(pub &'static str);

impl Requires for OnHandshake {
    fn requirements(&self, cx: &mut Context, input: &dyn Input) -> Result<Vec<Requirement>> {
        let id = select(input.as_shape(), "HandshakeId").pop().unwrap_or_default();
        let arn = cx.get(&HANDSHAKES, &id)?.map_or_else(|| "*".to_owned(), |found| found.arn());
        let account = cx.caller.account.to_string();
        let action = format!("organizations:{}", self.0);
        Ok(vec![Requirement::new(action, arn, &account).of_kind("handshake")])
    }
}

/// What Organizations knows of its resources.
pub struct OrganizationsResources;

impl Resources for OrganizationsResources {
    fn tags(&self, cx: &mut Context, _kind: &str, arn: &str) -> Result<Tags> {
        let id = arn.rsplit('/').next().unwrap_or_default();
        let account = cx.caller.account.to_string();
        let Some(organization) = access::organization_of(cx, &account)? else {
            return Ok(Vec::new());
        };
        let management = organization.management_account.clone();
        let tags = cx.in_account(&management, |cx| tag::of(cx, &organization, id))?;
        Ok(tags.unwrap_or_default().into_iter().collect())
    }

    /// The organization's resource policy binds members; the management account has no need of it.
    fn policy(&self, cx: &mut Context, kind: &str, _arn: &str) -> Result<Option<ResourcePolicy>> {
        if *cx.caller.account == *cx.account() || kind == "handshake" {
            return Ok(None);
        }
        let found = resource_policy::revised(cx)?;
        Ok(found.map(|(document, revision)| ResourcePolicy {
            document,
            revision,
            must_allow: false,
        }))
    }
}
