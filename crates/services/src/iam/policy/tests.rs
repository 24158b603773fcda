use super::*;
use crate::iam::attachment::{attach_user_policy, detach_user_policy};
use crate::iam::policy_list::{list_entities_for_policy, list_policies};
use crate::iam::policy_version::{create_policy_version, delete_policy_version};
use crate::iam::role::put_role_permissions_boundary;
use crate::iam::samples::{
    DOCUMENT, READ_ONLY, long_document, make_all, make_policy, new_policy, tags,
};
use crate::testing::{ACCOUNT, Lab, NOW};
use palisade_model::iam::{
    AttachUserPolicyRequest, CreatePolicyVersionRequest, DeletePolicyVersionRequest,
    DetachUserPolicyRequest, ListEntitiesForPolicyRequest, ListPoliciesRequest,
    ListPoliciesResponse, PutRolePermissionsBoundaryRequest,
};

fn get(lab: &Lab, arn: &str) -> Policy {
    lab.call(get_policy, GetPolicyRequest { policy_arn: arn.to_owned() }).unwrap().policy.unwrap()
}

fn attach(lab: &Lab, user_name: &str, policy_arn: &str) {
    let (user_name, policy_arn) = (user_name.to_owned(), policy_arn.to_owned());
    lab.call(attach_user_policy, AttachUserPolicyRequest { user_name, policy_arn }).unwrap();
}

fn limit(lab: &Lab, role_name: &str, arn: &str) {
    let (role_name, permissions_boundary) = (role_name.to_owned(), arn.to_owned());
    let input = PutRolePermissionsBoundaryRequest { role_name, permissions_boundary };
    lab.call(put_role_permissions_boundary, input).unwrap();
}

#[test]
fn a_policy_is_created_and_shown() {
    let lab = Lab::new();
    let input = CreatePolicyRequest {
        path: Some("/team/".into()),
        description: Some("Reads".into()),
        tags: Some(tags([("stage", "prod")])),
        ..new_policy("Read")
    };
    let created = lab.call(create_policy, input.clone()).unwrap().policy.unwrap();
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy/team/Read");
    assert_eq!(created.arn.as_deref(), Some(arn.as_str()));
    assert_eq!(created.default_version_id.as_deref(), Some("v1"));
    assert_eq!((created.attachment_count, created.description), (Some(0), None));
    assert!(created.policy_id.unwrap().starts_with("ANPA"));
    let got = get(&lab, &arn);
    assert_eq!(got.description.as_deref(), Some("Reads"));
    assert_eq!((got.create_date, got.is_attachable), (Some(NOW.whole_seconds()), Some(true)));
    let again = CreatePolicyRequest { policy_name: "READ".into(), path: None, ..input };
    assert_eq!(
        lab.refusal(create_policy, again),
        "EntityAlreadyExists: A policy called READ already exists. Duplicate names are not \
         allowed."
    );
}

#[test]
fn creation_refuses_what_aws_refuses() {
    let lab = Lab::new();
    let check = |document: String, expected: &str| {
        let input = CreatePolicyRequest { policy_document: document, ..new_policy("p") };
        assert_eq!(lab.refusal(create_policy, input), expected);
    };
    check(
        DOCUMENT.replace("2012", "2008"),
        "MalformedPolicyDocument: Policy document must be version 2012-10-17 or greater.",
    );
    check(long_document(6144), "LimitExceeded: Cannot exceed quota for PolicySize: 6144");
    let spaced = DOCUMENT.replace("\":", &format!("\":{}", " ".repeat(6144)));
    let input = CreatePolicyRequest { policy_document: spaced, ..new_policy("spaced") };
    lab.call(create_policy, input).unwrap();
    lab.write(|cx| quota::grant(cx, &quota::POLICIES, 1)).unwrap();
    check(DOCUMENT.into(), "LimitExceeded: Cannot exceed quota for PoliciesPerAccount: 1");
}

#[test]
fn a_policy_that_is_not_there_is_named() {
    let lab = Lab::new();
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy/none");
    let input = GetPolicyRequest { policy_arn: arn.clone() };
    let expected = format!("NoSuchEntity: Policy {arn} was not found.");
    assert_eq!(lab.refusal(get_policy, input), expected);
    let expected = format!("NoSuchEntity: Policy {arn} does not exist or is not attachable.");
    let input = DeletePolicyRequest { policy_arn: arn.clone() };
    assert_eq!(lab.refusal(delete_policy, input), expected);
    let input = ListEntitiesForPolicyRequest { policy_arn: arn, ..Default::default() };
    assert_eq!(lab.refusal(list_entities_for_policy, input), expected);
    let wrong = format!("arn:aws:iam::{ACCOUNT}:role/app");
    let input = GetPolicyRequest { policy_arn: wrong.clone() };
    assert_eq!(lab.refusal(get_policy, input), format!("InvalidInput: ARN {wrong} is not valid."));
}

#[test]
fn a_policy_is_deleted_only_when_nobody_uses_it_and_one_version_is_left() {
    let lab = Lab::new();
    make_all(&lab, "ana");
    let arn = make_policy(&lab, "p");
    let delete = DeletePolicyRequest { policy_arn: arn.clone() };
    let in_use = "DeleteConflict: Cannot delete a policy attached to entities.";
    attach(&lab, "ana", &arn);
    assert_eq!(lab.refusal(delete_policy, delete.clone()), in_use);
    let input = DetachUserPolicyRequest { user_name: "ana".into(), policy_arn: arn.clone() };
    lab.call(detach_user_policy, input).unwrap();
    limit(&lab, "ana", &arn);
    assert_eq!(lab.refusal(delete_policy, delete.clone()), in_use);
    limit(&lab, "ana", READ_ONLY);

    let input = CreatePolicyVersionRequest {
        policy_arn: arn.clone(),
        policy_document: DOCUMENT.into(),
        set_as_default: None,
    };
    lab.call(create_policy_version, input).unwrap();
    assert_eq!(
        lab.refusal(delete_policy, delete.clone()),
        "DeleteConflict: This policy has more than one version. Before you delete a policy, you \
         must delete the policy's versions. The default version is deleted with the policy."
    );
    let input = DeletePolicyVersionRequest { policy_arn: arn.clone(), version_id: "v2".into() };
    lab.call(delete_policy_version, input).unwrap();
    lab.call(delete_policy, delete).unwrap();
    let used = |quota: &quota::Quota| lab.read(|cx| quota::used(cx, quota)).unwrap();
    assert_eq!((used(&quota::POLICIES), used(&quota::POLICY_VERSIONS_IN_USE)), (0, 0));
    // The name is free again, and versions begin anew.
    assert_eq!(make_policy(&lab, "P"), format!("arn:aws:iam::{ACCOUNT}:policy/P"));
}

#[test]
fn policies_are_tagged() {
    let lab = Lab::new();
    let policy_arn = make_policy(&lab, "p");
    let input =
        TagPolicyRequest { policy_arn: policy_arn.clone(), tags: tags([("b", "1"), ("a", "2")]) };
    lab.call(tag_policy, input).unwrap();
    let input = UntagPolicyRequest { policy_arn: policy_arn.clone(), tag_keys: vec!["B".into()] };
    lab.call(untag_policy, input).unwrap();
    let input = ListPolicyTagsRequest { policy_arn, ..Default::default() };
    assert!(lab.call(list_policy_tags, input).unwrap().tags == tags([("a", "2")]));
    let tag = || TagPolicyRequest { policy_arn: READ_ONLY.into(), tags: tags([("a", "1")]) };
    assert_eq!(
        lab.refusal(tag_policy, tag()),
        format!(
            "AccessDenied: User: arn:aws:iam::{ACCOUNT}:root is not authorized to perform: \
             iam:Test on resource: policy {READ_ONLY}"
        )
    );
}

#[test]
fn aws_policies_are_shown_with_the_uses_of_the_account() {
    let lab = Lab::new();
    make_all(&lab, "ana");
    attach(&lab, "ana", READ_ONLY);
    let policy = get(&lab, READ_ONLY);
    assert_eq!(policy.policy_name.as_deref(), Some("ReadOnlyAccess"));
    assert_eq!((policy.attachment_count, policy.path.as_deref()), (Some(1), Some("/")));
    assert_eq!(get(&lab.in_account("210987654321"), READ_ONLY).attachment_count, Some(0));
}

fn list(lab: &Lab, input: ListPoliciesRequest) -> (Vec<String>, Option<String>) {
    let ListPoliciesResponse { policies, is_truncated, marker } =
        lab.call(list_policies, input).unwrap();
    assert_eq!(is_truncated, Some(marker.is_some()));
    let names = policies.unwrap().into_iter().map(|policy| policy.policy_name.unwrap());
    (names.collect(), marker)
}

#[test]
fn policies_are_listed_by_scope_use_and_path() {
    let lab = Lab::new();
    make_all(&lab, "ana");
    for name in ["b", "A", "c"] {
        make_policy(&lab, name);
    }
    let input = CreatePolicyRequest { path: Some("/x/".into()), ..new_policy("d") };
    lab.call(create_policy, input).unwrap();
    attach(&lab, "ana", &format!("arn:aws:iam::{ACCOUNT}:policy/b"));
    attach(&lab, "ana", READ_ONLY);
    limit(&lab, "ana", &format!("arn:aws:iam::{ACCOUNT}:policy/c"));
    let request = |scope: &str| ListPoliciesRequest {
        scope: Some(scope.into()),
        ..ListPoliciesRequest::default()
    };
    let check = |input: ListPoliciesRequest, expected: &[&str]| {
        assert_eq!(list(&lab, input.clone()).0, expected, "{:?}", input.scope);
    };
    check(request("Local"), &["A", "b", "c", "d"]);
    check(ListPoliciesRequest { path_prefix: Some("/x/".into()), ..request("Local") }, &["d"]);
    let attached =
        |scope: &str| ListPoliciesRequest { only_attached: Some(true), ..request(scope) };
    check(attached("Local"), &["b"]);
    check(attached("AWS"), &["ReadOnlyAccess"]);
    check(attached("All"), &["b", "ReadOnlyAccess"]);
    let used = |usage: &str| ListPoliciesRequest {
        policy_usage_filter: Some(usage.into()),
        ..request("Local")
    };
    check(used("PermissionsBoundary"), &["c"]);
    check(used("PermissionsPolicy"), &["A", "b", "d"]);
}

#[test]
fn the_list_goes_on_from_the_accounts_policies_to_those_of_aws() {
    let lab = Lab::new();
    for name in ["a", "b", "c"] {
        make_policy(&lab, name);
    }
    let (mut all, mut marker) = (Vec::new(), None);
    loop {
        let input = ListPoliciesRequest { marker, max_items: Some(701), ..Default::default() };
        let (names, next) = list(&lab, input);
        all.extend(names);
        marker = next;
        if marker.is_none() {
            break;
        }
    }
    let expected: Vec<&str> = ["a", "b", "c"]
        .into_iter()
        .chain(palisade_model::managed_policies::all().iter().map(|policy| policy.name))
        .collect();
    assert_eq!(all, expected);
    let first = ListPoliciesRequest { max_items: Some(2), ..Default::default() };
    let (names, marker) = list(&lab, first);
    assert_eq!(names, ["a", "b"]);
    let second = ListPoliciesRequest { marker, max_items: Some(2), ..Default::default() };
    assert_eq!(list(&lab, second).0, ["c", expected[3]]);
}

#[test]
fn the_principals_with_a_policy_are_listed() {
    let lab = Lab::new();
    make_all(&lab, "ana");
    make_all(&lab, "Bob");
    let arn = make_policy(&lab, "p");
    attach(&lab, "bob", &arn);
    attach(&lab, "Ana", &arn);
    limit(&lab, "ana", &arn);
    let request = || ListEntitiesForPolicyRequest {
        policy_arn: arn.clone(),
        ..ListEntitiesForPolicyRequest::default()
    };
    let names = |input: ListEntitiesForPolicyRequest| {
        let answer = lab.call(list_entities_for_policy, input).unwrap();
        let users = answer.policy_users.unwrap().into_iter().map(|user| user.user_name.unwrap());
        let roles = answer.policy_roles.unwrap().into_iter().map(|role| role.role_name.unwrap());
        assert!(answer.policy_groups.unwrap().is_empty());
        (users.collect::<Vec<_>>().join(" "), roles.collect::<Vec<_>>().join(" "), answer.marker)
    };
    assert_eq!(names(request()), ("ana Bob".into(), "ana".into(), None));
    let by = |entity: &str| ListEntitiesForPolicyRequest {
        entity_filter: Some(entity.into()),
        ..request()
    };
    assert_eq!(names(by("User")), ("ana Bob".into(), "".into(), None));
    assert_eq!(names(by("Group")), ("".into(), "".into(), None));
    let usage = Some("PermissionsBoundary".to_owned());
    let input = ListEntitiesForPolicyRequest { policy_usage_filter: usage, ..request() };
    assert_eq!(names(input), ("".into(), "ana".into(), None));
    let input = ListEntitiesForPolicyRequest { path_prefix: Some("/x/".into()), ..request() };
    assert_eq!(names(input), ("".into(), "".into(), None));
    let (users, roles, marker) =
        names(ListEntitiesForPolicyRequest { max_items: Some(2), ..request() });
    assert_eq!((users.as_str(), roles.as_str()), ("ana", "ana"));
    let input = ListEntitiesForPolicyRequest { marker, max_items: Some(2), ..request() };
    assert_eq!(names(input), ("Bob".into(), "".into(), None));
}

#[test]
fn a_principal_gets_the_default_version_of_its_policy() {
    let lab = Lab::new();
    let arn = make_policy(&lab, "p");
    let other = "arn:aws:iam::210987654321:policy/p";
    lab.read(|cx| {
        let mut deps = Dependencies::new(cx.reader());
        let own = document_of(&mut deps, ACCOUNT, &arn)?.unwrap();
        assert_eq!((own.document.as_str(), own.managed), (DOCUMENT, true));
        assert!(own.revision > 0);
        let aws = document_of(&mut deps, ACCOUNT, READ_ONLY)?.unwrap();
        assert!(aws.document.contains("\"Statement\""));
        assert_eq!((aws.label.as_str(), aws.revision), (READ_ONLY, 0));
        assert_eq!(document_of(&mut deps, ACCOUNT, other)?, None);
        assert_eq!(document_of(&mut deps, ACCOUNT, &format!("{arn}x"))?, None);
        Ok(())
    })
    .unwrap();
}
