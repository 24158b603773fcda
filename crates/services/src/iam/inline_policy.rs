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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::samples::{DOCUMENT, long_document, make_all};
    use crate::testing::Lab;

    const KINDS: [Kind; 3] = [Kind::User, Kind::Group, Kind::Role];

    fn put_on(lab: &Lab, kind: Kind, name: &str, policy: &str, text: &str) -> Option<String> {
        let (name, policy_name) = (name.to_owned(), policy.to_owned());
        let policy_document = text.to_owned();
        let result = match kind {
            Kind::User => lab.call(
                put_user_policy,
                PutUserPolicyRequest { user_name: name, policy_name, policy_document },
            ),
            Kind::Group => lab.call(
                put_group_policy,
                PutGroupPolicyRequest { group_name: name, policy_name, policy_document },
            ),
            Kind::Role => lab.call(
                put_role_policy,
                PutRolePolicyRequest { role_name: name, policy_name, policy_document },
            ),
        };
        result.err().map(|error| error.to_string())
    }

    /// The principal's name and the document, or the refusal.
    fn got(lab: &Lab, kind: Kind, name: &str, policy: &str) -> Result<(String, String), String> {
        let (name, policy_name) = (name.to_owned(), policy.to_owned());
        let result = match kind {
            Kind::User => lab
                .call(get_user_policy, GetUserPolicyRequest { user_name: name, policy_name })
                .map(|answer| (answer.user_name, answer.policy_document)),
            Kind::Group => lab
                .call(get_group_policy, GetGroupPolicyRequest { group_name: name, policy_name })
                .map(|answer| (answer.group_name, answer.policy_document)),
            Kind::Role => lab
                .call(get_role_policy, GetRolePolicyRequest { role_name: name, policy_name })
                .map(|answer| (answer.role_name, answer.policy_document)),
        };
        result.map_err(|error| error.to_string())
    }

    fn deleted(lab: &Lab, kind: Kind, policy: &str) -> Option<String> {
        let (name, policy_name) = ("ana".to_owned(), policy.to_owned());
        let result = match kind {
            Kind::User => lab
                .call(delete_user_policy, DeleteUserPolicyRequest { user_name: name, policy_name }),
            Kind::Group => lab.call(
                delete_group_policy,
                DeleteGroupPolicyRequest { group_name: name, policy_name },
            ),
            Kind::Role => lab
                .call(delete_role_policy, DeleteRolePolicyRequest { role_name: name, policy_name }),
        };
        result.err().map(|error| error.to_string())
    }

    fn listed(lab: &Lab, kind: Kind, marker: Option<String>) -> (Vec<String>, Option<String>) {
        let (name, max_items) = ("ana".to_owned(), Some(2));
        match kind {
            Kind::User => {
                let input = ListUserPoliciesRequest { user_name: name, marker, max_items };
                let page = lab.call(list_user_policies, input).unwrap();
                (page.policy_names, page.marker)
            }
            Kind::Group => {
                let input = ListGroupPoliciesRequest { group_name: name, marker, max_items };
                let page = lab.call(list_group_policies, input).unwrap();
                (page.policy_names, page.marker)
            }
            Kind::Role => {
                let input = ListRolePoliciesRequest { role_name: name, marker, max_items };
                let page = lab.call(list_role_policies, input).unwrap();
                (page.policy_names, page.marker)
            }
        }
    }

    #[test]
    fn inline_policies_are_put_shown_listed_and_deleted() {
        let lab = Lab::new();
        make_all(&lab, "ana");
        for kind in KINDS {
            for policy in ["c", "a", "b", "a"] {
                assert_eq!(put_on(&lab, kind, "ANA", policy, DOCUMENT), None);
            }
            let expected = ("ana".to_owned(), document::encoded(DOCUMENT));
            assert_eq!(got(&lab, kind, "Ana", "a"), Ok(expected));
            let (first, marker) = listed(&lab, kind, None);
            assert_eq!(first, ["a", "b"]);
            assert_eq!(listed(&lab, kind, marker), (vec!["c".into()], None));
            assert_eq!(deleted(&lab, kind, "b"), None);
            let word = kind.word();
            let missing = format!("NoSuchEntity: The {word} policy with name b cannot be found.");
            assert_eq!(deleted(&lab, kind, "b"), Some(missing.clone()));
            assert_eq!(got(&lab, kind, "ana", "b"), Err(missing));
            let nobody = format!("NoSuchEntity: The {word} with name Bob cannot be found.");
            assert_eq!(put_on(&lab, kind, "Bob", "a", DOCUMENT), Some(nobody.clone()));
            assert_eq!(got(&lab, kind, "Bob", "a"), Err(nobody));
            let refusal = put_on(&lab, kind, "ana", "a", "{").unwrap();
            assert!(refusal.starts_with("MalformedPolicyDocument: "), "{refusal}");
        }
    }

    #[test]
    fn inline_policies_share_one_size() {
        let lab = Lab::new();
        make_all(&lab, "ana");
        for (kind, most) in [(Kind::User, 2048), (Kind::Group, 5120), (Kind::Role, 10_240)] {
            let half = long_document(most / 2 - 200);
            let spaced = half.replace("\":", &format!("\":{}", " ".repeat(most)));
            assert_eq!(put_on(&lab, kind, "ana", "one", &half), None);
            assert_eq!(put_on(&lab, kind, "ana", "two", &spaced), None);
            let word = kind.word();
            let expected = format!(
                "LimitExceeded: Maximum policy size of {most} bytes exceeded for {word} ana"
            );
            assert_eq!(put_on(&lab, kind, "ana", "three", &half), Some(expected));
            assert_eq!(put_on(&lab, kind, "ana", "two", &half), None);
        }
    }
}
