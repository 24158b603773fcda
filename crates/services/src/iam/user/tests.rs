use super::*;
use crate::iam::group::{add_user_to_group, create_group, get_group};
use crate::iam::policy_use::uses_of;
use crate::iam::{access_key, account, attachment, inline_policy, policy};
use crate::testing::{ACCOUNT, Lab, NOW};
use palisade_model::iam::{
    AddUserToGroupRequest, AttachUserPolicyRequest, CreateAccessKeyRequest,
    CreateAccountAliasRequest, CreateGroupRequest, CreatePolicyRequest, DeleteUserRequest,
    GetGroupRequest, ListAccessKeysRequest, PutUserPolicyRequest, Tag,
};

const DOCUMENT: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;

fn create(lab: &Lab, path: &str, name: &str) -> User {
    let input = CreateUserRequest {
        path: Some(path.to_owned()),
        user_name: name.to_owned(),
        ..CreateUserRequest::default()
    };
    lab.call(create_user, input).unwrap().user.unwrap()
}

fn get(lab: &Lab, name: &str) -> User {
    let input = GetUserRequest { user_name: Some(name.to_owned()) };
    lab.call(get_user, input).unwrap().user
}

fn named<T>(make: impl Fn(String) -> T, name: &str) -> T {
    make(name.to_owned())
}

fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.to_owned(), value: value.to_owned() }
}

fn boundary_policy(lab: &Lab) -> String {
    let input = CreatePolicyRequest {
        policy_name: "limit".to_owned(),
        policy_document: DOCUMENT.to_owned(),
        ..CreatePolicyRequest::default()
    };
    lab.call(policy::create_policy, input).unwrap().policy.unwrap().arn.unwrap()
}

#[test]
fn a_new_user_has_the_ids_of_aws() {
    let lab = Lab::new();
    let user = create(&lab, "/team/", "Ana");
    assert_eq!(user.arn, "arn:aws:iam::123456789012:user/team/Ana");
    assert_eq!((user.user_id.len(), &user.user_id[..4]), (21, "AIDA"));
    assert_eq!(user.create_date, NOW.whole_seconds());
    assert!(get(&lab, "ana") == user);
}

#[test]
fn names_are_unique_ignoring_case() {
    let lab = Lab::new();
    create(&lab, "/", "Ana");
    let again = CreateUserRequest { user_name: "ANA".to_owned(), ..CreateUserRequest::default() };
    let taken = "EntityAlreadyExists: User with name ANA already exists.";
    assert_eq!(lab.refusal(create_user, again), taken);
    let missing = GetUserRequest { user_name: Some("Bob".to_owned()) };
    let text = "NoSuchEntity: The user with name Bob cannot be found.";
    assert_eq!(lab.refusal(get_user, missing), text);
    // Another account has its own names.
    create(&lab.in_account("210987654321"), "/", "Ana");
}

#[test]
fn the_quota_of_users_counts_deleted_ones_out() {
    let lab = Lab::new();
    lab.write(|cx| quota::grant(cx, &quota::USERS, 2)).unwrap();
    create(&lab, "/", "a");
    create(&lab, "/", "b");
    let third = CreateUserRequest { user_name: "c".to_owned(), ..CreateUserRequest::default() };
    let text = "LimitExceeded: Cannot exceed quota for UsersPerAccount: 2";
    assert_eq!(lab.refusal(create_user, third.clone()), text);
    lab.call(delete_user, DeleteUserRequest { user_name: "a".to_owned() }).unwrap();
    lab.call(create_user, third).unwrap();
    assert_eq!(lab.read(|cx| quota::used(cx, &quota::USERS)).unwrap(), 2);
}

#[test]
fn without_a_name_the_caller_is_meant() {
    let lab = Lab::new();
    let ana = create(&lab, "/", "Ana");
    let own = GetUserRequest { user_name: None };
    let user = lab.called_by_user("Ana", &ana.user_id).call(get_user, own.clone()).unwrap().user;
    assert!(user == ana);
    let root = lab.call(get_user, own.clone()).unwrap().user;
    assert_eq!(
        (root.arn.as_str(), root.user_id.as_str()),
        ("arn:aws:iam::123456789012:root", ACCOUNT)
    );
    assert_eq!(root.user_name, "");
    let alias = CreateAccountAliasRequest { account_alias: "example".to_owned() };
    lab.call(account::create_account_alias, alias).unwrap();
    assert_eq!(lab.call(get_user, own.clone()).unwrap().user.user_name, "example");
    let role = lab.called_by_role("Reader", "AROAEXAMPLEEXAMPLE123");
    let text = "ValidationError: Must specify userName when calling with non-User credentials";
    assert_eq!(role.refusal(get_user, own), text);
}

#[test]
fn lists_go_by_name_and_path_page_by_page() {
    let lab = Lab::new();
    for index in 0..7 {
        create(&lab, if index % 2 == 0 { "/even/" } else { "/odd/" }, &format!("user{index}"));
    }
    let names = |prefix: Option<&str>, size: i32| {
        let (mut names, mut pages, mut marker) = (Vec::new(), 0, None);
        loop {
            let input = ListUsersRequest {
                path_prefix: prefix.map(str::to_owned),
                marker: marker.take(),
                max_items: Some(size),
            };
            let page = lab.call(list_users, input).unwrap();
            names.extend(page.users.into_iter().map(|user| user.user_name));
            pages += 1;
            assert_eq!(page.is_truncated, Some(page.marker.is_some()));
            match page.marker {
                Some(next) => marker = Some(next),
                None => return (names.join(" "), pages),
            }
        }
    };
    assert_eq!(names(None, 100).1, 1);
    let all = "user0 user1 user2 user3 user4 user5 user6".to_owned();
    assert_eq!(names(None, 3), (all, 3));
    assert_eq!(names(Some("/odd/"), 2), ("user1 user3 user5".to_owned(), 2));
    assert_eq!(names(Some("/none/"), 2), (String::new(), 1));
    let bad = ListUsersRequest { marker: Some("!".to_owned()), ..ListUsersRequest::default() };
    assert_eq!(lab.refusal(list_users, bad), "ValidationError: Invalid Marker: !");
}

#[test]
fn lists_leave_out_tags_and_boundary() {
    let lab = Lab::new();
    let arn = boundary_policy(&lab);
    let input = CreateUserRequest {
        user_name: "Ana".to_owned(),
        permissions_boundary: Some(arn.clone()),
        tags: Some(vec![tag("team", "blue")]),
        path: None,
    };
    let user = lab.call(create_user, input).unwrap().user.unwrap();
    let limit = user.permissions_boundary.unwrap();
    assert_eq!(limit.permissions_boundary_arn, Some(arn));
    assert_eq!(limit.permissions_boundary_type.as_deref(), Some("Policy"));
    let listed = lab.call(list_users, ListUsersRequest::default()).unwrap().users.remove(0);
    assert!(listed.permissions_boundary.is_none() && listed.tags.is_none());
    assert!(get(&lab, "Ana").permissions_boundary.is_some());
}

#[test]
fn a_rename_takes_everything_along() {
    let lab = Lab::new();
    let before = create(&lab, "/", "Ana");
    let arn = boundary_policy(&lab);
    let name = || "Ana".to_owned();
    let group = CreateGroupRequest { group_name: "Blue".to_owned(), path: None };
    lab.call(create_group, group).unwrap();
    let member = AddUserToGroupRequest { group_name: "blue".to_owned(), user_name: name() };
    lab.call(add_user_to_group, member).unwrap();
    let key = CreateAccessKeyRequest { user_name: Some(name()) };
    lab.call(access_key::create_access_key, key).unwrap();
    let attach = AttachUserPolicyRequest { user_name: name(), policy_arn: arn.clone() };
    lab.call(attachment::attach_user_policy, attach).unwrap();
    let limit =
        PutUserPermissionsBoundaryRequest { user_name: name(), permissions_boundary: arn.clone() };
    lab.call(put_user_permissions_boundary, limit).unwrap();
    let update = UpdateUserRequest {
        user_name: "ana".to_owned(),
        new_path: Some("/new/".to_owned()),
        new_user_name: Some("Anne".to_owned()),
    };
    lab.call(update_user, update).unwrap();
    let after = get(&lab, "anne");
    assert_eq!(after.arn, "arn:aws:iam::123456789012:user/new/Anne");
    assert_eq!(after.user_id, before.user_id);
    let gone = GetUserRequest { user_name: Some(name()) };
    assert!(lab.refusal(get_user, gone).starts_with("NoSuchEntity"));
    let group = GetGroupRequest { group_name: "Blue".to_owned(), ..GetGroupRequest::default() };
    assert_eq!(lab.call(get_group, group).unwrap().users[0].user_name, "Anne");
    let keys = ListAccessKeysRequest {
        user_name: Some("Anne".to_owned()),
        ..ListAccessKeysRequest::default()
    };
    let keys = lab.call(access_key::list_access_keys, keys).unwrap().access_key_metadata;
    assert_eq!(keys[0].user_name.as_deref(), Some("Anne"));
    let uses = lab.read(|cx| uses_of(cx, &arn)).unwrap();
    assert_eq!(uses.len(), 2);
    assert!(uses.iter().all(|row| row.name == "anne"));
    let row = lab.read(|cx| principal::by_id(cx, &before.user_id)).unwrap().unwrap();
    assert_eq!(row.arn(), after.arn);
}

#[test]
fn a_rename_may_change_the_case_but_not_take_a_name() {
    let lab = Lab::new();
    create(&lab, "/", "Ana");
    create(&lab, "/", "Bob");
    let rename = |to: &str| UpdateUserRequest {
        user_name: "Ana".to_owned(),
        new_path: None,
        new_user_name: Some(to.to_owned()),
    };
    let text = "EntityAlreadyExists: User with name BOB already exists.";
    assert_eq!(lab.refusal(update_user, rename("BOB")), text);
    lab.call(update_user, rename("ANA")).unwrap();
    assert_eq!(get(&lab, "ana").user_name, "ANA");
}

#[test]
fn a_user_that_has_something_is_not_deleted() {
    let lab = Lab::new();
    let arn = boundary_policy(&lab);
    create(&lab, "/", "Ana");
    let name = || "Ana".to_owned();
    let delete = || named(|user_name| DeleteUserRequest { user_name }, "Ana");
    let check = |demand: &str| {
        let text = format!("DeleteConflict: Cannot delete entity, {demand}");
        assert_eq!(lab.refusal(delete_user, delete()), text);
    };
    let key = CreateAccessKeyRequest { user_name: Some(name()) };
    lab.call(access_key::create_access_key, key).unwrap();
    check("must delete access keys first.");
    let group = CreateGroupRequest { group_name: "Blue".to_owned(), path: None };
    lab.call(create_group, group).unwrap();
    let member = AddUserToGroupRequest { group_name: "Blue".to_owned(), user_name: name() };
    lab.call(add_user_to_group, member).unwrap();
    check("must remove users from group first.");
    let inline = PutUserPolicyRequest {
        user_name: name(),
        policy_name: "inline".to_owned(),
        policy_document: DOCUMENT.to_owned(),
    };
    lab.call(inline_policy::put_user_policy, inline).unwrap();
    check("must delete policies first.");
    let attach = AttachUserPolicyRequest { user_name: name(), policy_arn: arn };
    lab.call(attachment::attach_user_policy, attach).unwrap();
    check("must detach all policies first.");
}

#[test]
fn a_deleted_user_is_gone_with_its_id() {
    let lab = Lab::new();
    let before = create(&lab, "/", "Ana");
    let input = DeleteUserRequest { user_name: "ANA".to_owned() };
    lab.call(delete_user, input.clone()).unwrap();
    assert!(lab.read(|cx| principal::by_id(cx, &before.user_id)).unwrap().is_none());
    let text = "NoSuchEntity: The user with name ANA cannot be found.";
    assert_eq!(lab.refusal(delete_user, input), text);
    assert_ne!(create(&lab, "/", "Ana").user_id, before.user_id);
}

#[test]
fn tags_are_set_replaced_and_removed() {
    let lab = Lab::new();
    create(&lab, "/", "Ana");
    let add = |tags: Vec<Tag>| TagUserRequest { user_name: "Ana".to_owned(), tags };
    lab.call(tag_user, add(vec![tag("team", "blue"), tag("area", "a")])).unwrap();
    lab.call(tag_user, add(vec![tag("Team", "red")])).unwrap();
    let list = |marker: Option<String>| {
        let user_name = "Ana".to_owned();
        let input = ListUserTagsRequest { user_name, marker, max_items: Some(1) };
        lab.call(list_user_tags, input).unwrap()
    };
    let page = list(None);
    assert!(page.tags == vec![tag("Team", "red")] && page.is_truncated == Some(true));
    let page = list(page.marker);
    assert!(page.tags == vec![tag("area", "a")] && page.marker.is_none());
    let untag = UntagUserRequest {
        user_name: "Ana".to_owned(),
        tag_keys: vec!["TEAM".to_owned(), "none".to_owned()],
    };
    lab.call(untag_user, untag).unwrap();
    assert!(list(None).tags == vec![tag("area", "a")]);
    let twice = add(vec![tag("a", "1"), tag("A", "2")]);
    let text = "InvalidInput: Duplicate tag keys found. \
                Please note that Tag keys are case insensitive.";
    assert_eq!(lab.refusal(tag_user, twice), text);
    let many = add((0..50).map(|index| tag(&format!("key{index}"), "")).collect());
    assert!(lab.refusal(tag_user, many).starts_with("LimitExceeded: "));
}

#[test]
fn a_boundary_is_a_policy_that_there_is() {
    let lab = Lab::new();
    create(&lab, "/", "Ana");
    let arn = boundary_policy(&lab);
    let put = |arn: &str| PutUserPermissionsBoundaryRequest {
        user_name: "Ana".to_owned(),
        permissions_boundary: arn.to_owned(),
    };
    let none = "arn:aws:iam::123456789012:policy/none";
    let text = format!("NoSuchEntity: Scope ARN: {none} does not exist or is not attachable.");
    assert_eq!(lab.refusal(put_user_permissions_boundary, put(none)), text);
    lab.call(put_user_permissions_boundary, put(&arn)).unwrap();
    lab.call(put_user_permissions_boundary, put("arn:aws:iam::aws:policy/ReadOnlyAccess")).unwrap();
    assert!(lab.read(|cx| uses_of(cx, &arn)).unwrap().is_empty());
    let delete = DeleteUserPermissionsBoundaryRequest { user_name: "Ana".to_owned() };
    lab.call(delete_user_permissions_boundary, delete.clone()).unwrap();
    lab.call(delete_user_permissions_boundary, delete).unwrap();
    assert!(get(&lab, "Ana").permissions_boundary.is_none());
}

/// What a call reads does not grow with the account: counters instead of scans, pages instead of
/// lists.
#[test]
fn an_account_of_many_users_answers_like_a_small_one() {
    let lab = Lab::new();
    lab.write(|cx| {
        quota::grant(cx, &quota::USERS, 100_000)?;
        for index in 0..1200 {
            let user_name = format!("user{index:05}");
            create_user(cx, CreateUserRequest { user_name, ..CreateUserRequest::default() })?;
        }
        Ok(())
    })
    .unwrap();
    assert_eq!(lab.read(|cx| quota::used(cx, &quota::USERS)).unwrap(), 1200);
    let input = ListUsersRequest { max_items: Some(1000), ..ListUsersRequest::default() };
    let page = lab.call(list_users, input).unwrap();
    assert_eq!((page.users.len(), page.is_truncated), (1000, Some(true)));
    let last =
        ListUsersRequest { marker: Some(crate::page::marker("user01198")), ..Default::default() };
    let page = lab.call(list_users, last).unwrap();
    assert_eq!((page.users.len(), page.is_truncated), (1, Some(false)));
}
