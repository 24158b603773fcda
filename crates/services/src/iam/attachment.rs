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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::samples::{READ_ONLY, make_all, make_policy};
    use crate::testing::{ACCOUNT, Lab};

    const KINDS: [Kind; 3] = [Kind::User, Kind::Group, Kind::Role];

    /// Calls the attaching (or detaching) operation of a kind; answers the refusal.
    fn change(lab: &Lab, kind: Kind, on: bool, name: &str, arn: &str) -> Option<String> {
        let (name, policy_arn) = (name.to_owned(), arn.to_owned());
        let result = match (kind, on) {
            (Kind::User, true) => lab
                .call(attach_user_policy, AttachUserPolicyRequest { user_name: name, policy_arn }),
            (Kind::User, false) => lab
                .call(detach_user_policy, DetachUserPolicyRequest { user_name: name, policy_arn }),
            (Kind::Group, true) => lab.call(
                attach_group_policy,
                AttachGroupPolicyRequest { group_name: name, policy_arn },
            ),
            (Kind::Group, false) => lab.call(
                detach_group_policy,
                DetachGroupPolicyRequest { group_name: name, policy_arn },
            ),
            (Kind::Role, true) => lab
                .call(attach_role_policy, AttachRolePolicyRequest { role_name: name, policy_arn }),
            (Kind::Role, false) => lab
                .call(detach_role_policy, DetachRolePolicyRequest { role_name: name, policy_arn }),
        };
        result.err().map(|error| error.to_string())
    }

    /// The names that the listing operation of a kind answers, and its marker.
    fn names(
        lab: &Lab,
        kind: Kind,
        path_prefix: Option<&str>,
        marker: Option<String>,
        max_items: Option<i32>,
    ) -> (Vec<String>, Option<String>) {
        let (name, path_prefix) = ("ana".to_owned(), path_prefix.map(str::to_owned));
        let (items, marker) = match kind {
            Kind::User => {
                let input = ListAttachedUserPoliciesRequest {
                    user_name: name,
                    path_prefix,
                    marker,
                    max_items,
                };
                let page = lab.call(list_attached_user_policies, input).unwrap();
                (page.attached_policies, page.marker)
            }
            Kind::Group => {
                let input = ListAttachedGroupPoliciesRequest {
                    group_name: name,
                    path_prefix,
                    marker,
                    max_items,
                };
                let page = lab.call(list_attached_group_policies, input).unwrap();
                (page.attached_policies, page.marker)
            }
            Kind::Role => {
                let input = ListAttachedRolePoliciesRequest {
                    role_name: name,
                    path_prefix,
                    marker,
                    max_items,
                };
                let page = lab.call(list_attached_role_policies, input).unwrap();
                (page.attached_policies, page.marker)
            }
        };
        (items.unwrap().into_iter().map(|policy| policy.policy_name.unwrap()).collect(), marker)
    }

    #[test]
    fn policies_are_attached_listed_and_detached() {
        let lab = Lab::new();
        make_all(&lab, "ana");
        let own = make_policy(&lab, "own");
        let job = "arn:aws:iam::aws:policy/job-function/Billing";
        for kind in KINDS {
            for arn in [own.as_str(), READ_ONLY, job, READ_ONLY] {
                assert_eq!(change(&lab, kind, true, "ANA", arn), None);
            }
            let all = names(&lab, kind, None, None, None);
            assert_eq!(all, (vec!["own".into(), "ReadOnlyAccess".into(), "Billing".into()], None));
            assert_eq!(names(&lab, kind, Some("/job-function/"), None, None).0, ["Billing"]);
            let (first, marker) = names(&lab, kind, None, None, Some(2));
            assert_eq!(first, ["own", "ReadOnlyAccess"]);
            assert_eq!(names(&lab, kind, None, marker, Some(2)).0, ["Billing"]);
            assert_eq!(change(&lab, kind, false, "ana", &own), None);
            assert_eq!(
                change(&lab, kind, false, "ana", &own),
                Some(format!("NoSuchEntity: Policy {own} was not found."))
            );
        }
        let uses = lab.read(|cx| policy_use::uses_of(cx, &own)).unwrap();
        assert_eq!(uses, Vec::new());
        assert_eq!(lab.read(|cx| policy_use::counts(cx, READ_ONLY)).unwrap().attachments, 3);
    }

    #[test]
    fn attaching_refuses_what_aws_refuses() {
        let lab = Lab::new();
        make_all(&lab, "ana");
        let none = format!("arn:aws:iam::{ACCOUNT}:policy/none");
        let other = make_policy(&lab.in_account("210987654321"), "other");
        let linked = "arn:aws:iam::aws:policy/aws-service-role/AmazonECSServiceRolePolicy";
        for kind in KINDS {
            let check = |name: &str, arn: &str, expected: String| {
                assert_eq!(change(&lab, kind, true, name, arn), Some(expected));
            };
            let word = kind.word();
            let missing = format!("NoSuchEntity: The {word} with name Bob cannot be found.");
            check("Bob", READ_ONLY, missing);
            for arn in [&none, &other] {
                let text =
                    format!("NoSuchEntity: Policy {arn} does not exist or is not attachable.");
                check("ana", arn, text);
            }
            check(
                "ana",
                "arn:aws:s3:::bucket-of-mine",
                "InvalidInput: ARN arn:aws:s3:::bucket-of-mine is not valid.".into(),
            );
            let title = kind.title();
            check(
                "ana",
                linked,
                format!(
                    "PolicyNotAttachable: Cannot attach a Service Role Policy to a Customer \
                     {title}."
                ),
            );
        }
    }

    #[test]
    fn a_principal_has_at_most_ten_policies() {
        let lab = Lab::new();
        make_all(&lab, "ana");
        let arns: Vec<_> = (0..11).map(|n| make_policy(&lab, &format!("p{n}"))).collect();
        for kind in KINDS {
            for arn in &arns[..10] {
                assert_eq!(change(&lab, kind, true, "ana", arn), None);
            }
            let title = kind.title();
            let expected = format!("LimitExceeded: Cannot exceed quota for PoliciesPer{title}: 10");
            assert_eq!(change(&lab, kind, true, "ana", &arns[10]), Some(expected));
            // What is attached already is no eleventh.
            assert_eq!(change(&lab, kind, true, "ana", &arns[0]), None);
        }
    }
}
