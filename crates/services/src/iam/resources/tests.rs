use super::*;
use crate::authorization::Requirement;
use crate::iam::group::create_group;
use crate::iam::role::create_role;
use crate::iam::user::create_user;
use crate::iam::{access_key, policy, requirements};
use crate::service::Input;
use crate::testing::{ACCOUNT, Lab};
use palisade_model::iam::{
    AddUserToGroupRequest, AttachUserPolicyRequest, CreateAccessKeyRequest, CreateGroupRequest,
    CreatePolicyRequest, CreateRoleRequest, CreateUserRequest, DeleteUserPolicyRequest,
    GetAccessKeyLastUsedRequest, GetUserRequest, PutUserPermissionsBoundaryRequest, Tag,
    UpdateGroupRequest, UpdateUserRequest,
};

const LIMIT: &str = "arn:aws:iam::123456789012:policy/limits/limit";
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow",
    "Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}"#;

/// A user, a role and a group with paths; the user has a tag and a boundary.
fn lab() -> Lab {
    let lab = Lab::new();
    let path = || Some("/team/".to_owned());
    let limit = CreatePolicyRequest {
        policy_name: "limit".to_owned(),
        path: Some("/limits/".to_owned()),
        policy_document: r#"{"Version":"2012-10-17","Statement":
            {"Effect":"Allow","Action":"*","Resource":"*"}}"#
            .to_owned(),
        ..CreatePolicyRequest::default()
    };
    lab.call(policy::create_policy, limit).unwrap();
    let user = CreateUserRequest {
        path: path(),
        user_name: "Ana".to_owned(),
        permissions_boundary: Some(LIMIT.to_owned()),
        tags: Some(vec![Tag { key: "Team".to_owned(), value: "blue".to_owned() }]),
    };
    lab.call(create_user, user).unwrap();
    let role = CreateRoleRequest {
        path: path(),
        role_name: "Reader".to_owned(),
        assume_role_policy_document: TRUST.to_owned(),
        ..CreateRoleRequest::default()
    };
    lab.call(create_role, role).unwrap();
    let group = CreateGroupRequest { path: path(), group_name: "Blue".to_owned() };
    lab.call(create_group, group).unwrap();
    lab
}

#[test]
fn an_arn_gets_the_path_it_is_stored_with() {
    let lab = lab();
    let check = |kind: &str, template: &str, expected: &str| {
        let arn = format!("arn:aws:iam::{template}");
        let resolved = lab.read(|cx| IamResources.resolve(cx, kind, arn)).unwrap();
        assert_eq!(resolved, format!("arn:aws:iam::{expected}"));
    };
    check("user", "123456789012:user/ana", "123456789012:user/team/Ana");
    check("role", "123456789012:role/Reader", "123456789012:role/team/Reader");
    check("group", "123456789012:group/Blue", "123456789012:group/team/Blue");
    check("user", "123456789012:user/Nobody", "123456789012:user/Nobody");
    check("user", "123456789012:user/*", "123456789012:user/*");
    check("user", "210987654321:user/Ana", "210987654321:user/Ana");
    check("policy", "123456789012:policy/limits/limit", "123456789012:policy/limits/limit");
}

#[test]
fn tags_are_those_of_the_stored_resource() {
    let lab = lab();
    let tags = |kind: &str, arn: &str| lab.read(|cx| IamResources.tags(cx, kind, arn)).unwrap();
    let team = [("Team".to_owned(), "blue".to_owned())];
    assert_eq!(tags("user", "arn:aws:iam::123456789012:user/team/Ana"), team);
    assert_eq!(tags("role", "arn:aws:iam::123456789012:role/team/Reader"), []);
    assert_eq!(tags("user", "arn:aws:iam::123456789012:user/Nobody"), []);
    assert_eq!(tags("user", "*"), []);
}

fn known(lab: &Lab, key: &str, resource: &str, input: &dyn Input) -> Known {
    let call = Call { action: "iam:Any", resource, input };
    lab.read(|cx| IamResources.condition(cx, key, &call)).unwrap()
}

#[test]
fn condition_keys_come_from_the_request_or_the_store() {
    let lab = lab();
    let ana = "arn:aws:iam::123456789012:user/team/Ana";
    let one = |value: &str| Known::One(value.to_owned());
    let create = CreateUserRequest {
        user_name: "Bob".to_owned(),
        permissions_boundary: Some("arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned()),
        ..CreateUserRequest::default()
    };
    let limit = "iam:permissionsboundary";
    let given = one("arn:aws:iam::aws:policy/ReadOnlyAccess");
    assert_eq!(known(&lab, limit, "arn:aws:iam::123456789012:user/Bob", &create), given);
    let without = CreateUserRequest { permissions_boundary: None, ..create };
    let bob = "arn:aws:iam::123456789012:user/Bob";
    assert_eq!(known(&lab, limit, bob, &without), Known::Absent);
    let put = PutUserPermissionsBoundaryRequest {
        user_name: "Ana".to_owned(),
        permissions_boundary: "arn:aws:iam::aws:policy/AdministratorAccess".to_owned(),
    };
    let given = one("arn:aws:iam::aws:policy/AdministratorAccess");
    assert_eq!(known(&lab, limit, ana, &put), given);
    let delete = DeleteUserPolicyRequest::default();
    assert_eq!(known(&lab, limit, ana, &delete), one(LIMIT));
    let role = "arn:aws:iam::123456789012:role/team/Reader";
    assert_eq!(known(&lab, limit, role, &delete), Known::Absent);
    let attach =
        AttachUserPolicyRequest { user_name: "Ana".to_owned(), policy_arn: LIMIT.to_owned() };
    assert_eq!(known(&lab, "iam:policyarn", ana, &attach), one(LIMIT));
    assert_eq!(known(&lab, "iam:policyarn", ana, &delete), Known::Absent);
    assert_eq!(known(&lab, "iam:resourcetag/team", ana, &delete), one("blue"));
    assert_eq!(known(&lab, "iam:resourcetag/other", ana, &delete), Known::Absent);
    assert_eq!(known(&lab, "iam:passedtoservice", ana, &delete), Known::Absent);
    assert_eq!(known(&lab, "iam:somethingnew", ana, &delete), Known::Unresolvable);
}

#[test]
fn the_trust_policy_decides_about_assuming_and_nothing_else() {
    let lab = lab();
    let trusted = |role: &str| lab.read(|cx| trust_policy(cx, ACCOUNT, role)).unwrap();
    let found = trusted("reader").unwrap();
    assert!(found.must_allow && found.document.contains("ec2.amazonaws.com"));
    assert!(trusted("Nothing").is_none());
    let arn = "arn:aws:iam::123456789012:role/team/Reader";
    assert!(lab.read(|cx| IamResources.policy(cx, "role", arn)).unwrap().is_none());
}

fn arns(found: Vec<Requirement>) -> Vec<String> {
    found
        .into_iter()
        .map(|requirement| {
            let arn = requirement.resource.strip_prefix("arn:aws:iam::123456789012:");
            format!("{} {}", requirement.action, arn.unwrap_or(&requirement.resource))
        })
        .collect()
}

#[test]
fn new_resources_are_asked_for_with_path_tags_and_boundary() {
    let lab = lab();
    let input = CreateUserRequest {
        path: Some("/new/".to_owned()),
        user_name: "Bob".to_owned(),
        permissions_boundary: Some(LIMIT.to_owned()),
        tags: Some(vec![Tag { key: "a".to_owned(), value: "b".to_owned() }]),
    };
    let found = lab.read(|cx| requirements::create_user(cx, &input)).unwrap();
    let expected =
        Requirement::new("iam:CreateUser", "arn:aws:iam::123456789012:user/new/Bob", ACCOUNT)
            .of_kind("user")
            .with_tags(vec![("a".to_owned(), "b".to_owned())])
            .with_key("iam:PermissionsBoundary", LIMIT);
    assert_eq!(found, [expected]);
}

#[test]
fn a_rename_concerns_both_names() {
    let lab = lab();
    let user = |new_path: Option<&str>, new_user_name: Option<&str>| UpdateUserRequest {
        user_name: "ana".to_owned(),
        new_path: new_path.map(str::to_owned),
        new_user_name: new_user_name.map(str::to_owned),
    };
    let asked = |input: UpdateUserRequest| {
        arns(lab.read(|cx| requirements::update_user(cx, &input)).unwrap())
    };
    let both = ["iam:UpdateUser user/team/Ana", "iam:UpdateUser user/new/Anne"];
    assert_eq!(asked(user(Some("/new/"), Some("Anne"))), both);
    let both = ["iam:UpdateUser user/team/Ana", "iam:UpdateUser user/team/Anne"];
    assert_eq!(asked(user(None, Some("Anne"))), both);
    let group = UpdateGroupRequest {
        group_name: "Blue".to_owned(),
        new_path: Some("/".to_owned()),
        new_group_name: None,
    };
    let found = lab.read(|cx| requirements::update_group(cx, &group)).unwrap();
    let both = ["iam:UpdateGroup group/team/Blue", "iam:UpdateGroup group/Blue"];
    assert_eq!(arns(found), both);
    let same = UpdateGroupRequest { new_path: None, ..group };
    let found = lab.read(|cx| requirements::update_group(cx, &same)).unwrap();
    assert_eq!(arns(found), ["iam:UpdateGroup group/team/Blue"]);
}

#[test]
fn an_absent_user_name_is_the_callers_own() {
    let lab = lab();
    let own = GetUserRequest { user_name: None };
    let asked = |lab: &Lab, input: &GetUserRequest| {
        arns(lab.read(|cx| requirements::get_user(cx, input)).unwrap())
    };
    let ana = lab.called_by_user("Ana", "AIDAEXAMPLE");
    assert_eq!(asked(&ana, &own), ["iam:GetUser user/team/Ana"]);
    assert_eq!(asked(&lab, &own), ["iam:GetUser root"]);
    let named = GetUserRequest { user_name: Some("Ana".to_owned()) };
    assert_eq!(asked(&lab, &named), ["iam:GetUser user/team/Ana"]);
    let role = lab.called_by_role("Reader", "AROAEXAMPLE");
    assert!(role.read(|cx| requirements::get_user(cx, &own)).is_err());
    let key = CreateAccessKeyRequest { user_name: Some("Ana".to_owned()) };
    let made = lab.call(access_key::create_access_key, key).unwrap().access_key;
    let asked = |lab: &Lab, id: &str| {
        let input = GetAccessKeyLastUsedRequest { access_key_id: id.to_owned() };
        arns(lab.read(|cx| requirements::get_access_key_last_used(cx, &input)).unwrap())
    };
    let expected = ["iam:GetAccessKeyLastUsed user/team/Ana"];
    assert_eq!(asked(&lab, &made.access_key_id), expected);
    // Another account's key is not looked into.
    let other = lab.in_account("210987654321");
    assert_eq!(asked(&other, &made.access_key_id), ["iam:GetAccessKeyLastUsed *"]);
}

#[test]
fn membership_is_asked_of_the_group() {
    let lab = lab();
    let input =
        AddUserToGroupRequest { group_name: "blue".to_owned(), user_name: "Ana".to_owned() };
    let found = lab.read(|cx| requirements::add_user_to_group(cx, &input)).unwrap();
    assert_eq!(arns(found), ["iam:AddUserToGroup group/team/Blue"]);
}
