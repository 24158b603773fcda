use super::*;
use crate::iam::group::{add_user_to_group, create_group};
use crate::iam::role::create_role;
use crate::iam::user::create_user;
use crate::iam::{attachment, inline_policy};
use crate::testing::Lab;
use palisade_model::iam::{
    AddUserToGroupRequest, AttachUserPolicyRequest, CreateGroupRequest, CreatePolicyRequest,
    CreateRoleRequest, CreateUserRequest, PutRolePolicyRequest,
};

const DOCUMENT: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow",
    "Principal":{"AWS":"arn:aws:iam::123456789012:user/u0"},"Action":"sts:AssumeRole"}}"#;
const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// Three users, one in a group and with one of AWS's policies; a role that trusts it; a policy.
fn lab() -> Lab {
    let lab = Lab::new();
    for index in 0..3 {
        let user_name = format!("u{index}");
        let input = CreateUserRequest { user_name, ..CreateUserRequest::default() };
        lab.call(create_user, input).unwrap();
    }
    let group = CreateGroupRequest { path: None, group_name: "Blue".to_owned() };
    lab.call(create_group, group).unwrap();
    let (group_name, user_name) = ("Blue".to_owned(), "u0".to_owned());
    let member = AddUserToGroupRequest { group_name, user_name: user_name.clone() };
    lab.call(add_user_to_group, member).unwrap();
    let attach = AttachUserPolicyRequest { user_name, policy_arn: ADMINISTRATOR.to_owned() };
    lab.call(attachment::attach_user_policy, attach).unwrap();
    let role = CreateRoleRequest {
        role_name: "Reader".to_owned(),
        assume_role_policy_document: TRUST.to_owned(),
        ..CreateRoleRequest::default()
    };
    lab.call(create_role, role).unwrap();
    let inline = PutRolePolicyRequest {
        role_name: "Reader".to_owned(),
        policy_name: "Inline".to_owned(),
        policy_document: DOCUMENT.to_owned(),
    };
    lab.call(inline_policy::put_role_policy, inline).unwrap();
    let policy = CreatePolicyRequest {
        policy_name: "Own".to_owned(),
        policy_document: DOCUMENT.to_owned(),
        ..CreatePolicyRequest::default()
    };
    lab.call(policy::create_policy, policy).unwrap();
    lab
}

fn ask(
    lab: &Lab,
    filter: &[&str],
    max_items: Option<i32>,
    marker: Option<String>,
) -> GetAccountAuthorizationDetailsResponse {
    let filter = filter.iter().map(|kind| (*kind).to_owned()).collect();
    let input = GetAccountAuthorizationDetailsRequest { filter: Some(filter), max_items, marker };
    lab.call(get_account_authorization_details, input).unwrap()
}

#[test]
fn everything_is_told_with_its_documents() {
    let lab = lab();
    let all = ask(&lab, &[], None, None);
    assert_eq!(all.is_truncated, Some(false));
    let users = all.user_detail_list.unwrap();
    assert_eq!(users.len(), 3);
    assert_eq!(users[0].group_list.as_deref(), Some(&["Blue".to_owned()][..]));
    let attached = users[0].attached_managed_policies.as_ref().unwrap();
    assert_eq!(attached[0].policy_name.as_deref(), Some("AdministratorAccess"));
    assert_eq!(all.group_detail_list.unwrap().len(), 1);
    let roles = all.role_detail_list.unwrap();
    let encoded = document::encoded(DOCUMENT);
    let inline = roles[0].role_policy_list.as_ref().unwrap();
    assert_eq!(inline[0].policy_document.as_ref(), Some(&encoded));
    let trust = document::encoded(TRUST);
    assert_eq!(roles[0].assume_role_policy_document.as_ref(), Some(&trust));
    let policies = all.policies.unwrap();
    let names: Vec<_> =
        policies.iter().map(|policy| policy.policy_name.as_deref().unwrap()).collect();
    assert_eq!(names, ["Own", "AdministratorAccess"]);
    let version = &policies[0].policy_version_list.as_ref().unwrap()[0];
    assert_eq!(version.document.as_ref(), Some(&encoded));
    assert_eq!(version.is_default_version, Some(true));
    assert_eq!(policies[1].attachment_count, Some(1));
}

#[test]
fn pages_of_any_size_hold_the_same() {
    let lab = lab();
    let names = |size: i32| {
        let (mut names, mut marker) = (Vec::new(), None);
        loop {
            let page = ask(&lab, &[], Some(size), marker.take());
            let before = names.len();
            let users = page.user_detail_list.unwrap().into_iter();
            names.extend(users.filter_map(|user| user.user_name));
            let groups = page.group_detail_list.unwrap().into_iter();
            names.extend(groups.filter_map(|group| group.group_name));
            let roles = page.role_detail_list.unwrap().into_iter();
            names.extend(roles.filter_map(|role| role.role_name));
            let policies = page.policies.unwrap().into_iter();
            names.extend(policies.filter_map(|policy| policy.policy_name));
            assert!(names.len() - before <= size as usize);
            match page.marker {
                Some(next) => marker = Some(next),
                None => return names,
            }
        }
    };
    let all = names(100);
    assert_eq!(all, ["u0", "u1", "u2", "Blue", "Reader", "Own", "AdministratorAccess"]);
    for size in 1..8 {
        assert_eq!(names(size), all, "{size}");
    }
}

#[test]
fn a_filter_leaves_out_what_it_does_not_name() {
    let lab = lab();
    let some = ask(&lab, &["Role", "LocalManagedPolicy"], None, None);
    assert!(some.user_detail_list.unwrap().is_empty());
    assert!(some.group_detail_list.unwrap().is_empty());
    assert_eq!(some.role_detail_list.unwrap().len(), 1);
    assert_eq!(some.policies.unwrap()[0].policy_name.as_deref(), Some("Own"));
    let bad = GetAccountAuthorizationDetailsRequest {
        marker: Some("bm9uc2Vuc2U".to_owned()),
        ..GetAccountAuthorizationDetailsRequest::default()
    };
    let text = "ValidationError: Invalid Marker: bm9uc2Vuc2U";
    assert_eq!(lab.refusal(get_account_authorization_details, bad), text);
}
