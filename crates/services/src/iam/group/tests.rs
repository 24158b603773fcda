use super::*;
use crate::iam::user::{create_user, delete_user};
use crate::iam::{attachment, inline_policy};
use crate::testing::{Lab, NOW};
use palisade_model::iam::{
    AttachGroupPolicyRequest, CreateUserRequest, DeleteUserRequest, PutGroupPolicyRequest,
};

fn create(lab: &Lab, path: Option<&str>, name: &str) -> Group {
    let path = path.map(str::to_owned);
    let input = CreateGroupRequest { path, group_name: name.to_owned() };
    lab.call(create_group, input).unwrap().group
}

fn create_users(lab: &Lab, names: &[&str]) {
    for name in names {
        let user_name = (*name).to_owned();
        let input = CreateUserRequest { user_name, ..CreateUserRequest::default() };
        lab.call(create_user, input).unwrap();
    }
}

fn membership(group: &str, user: &str) -> AddUserToGroupRequest {
    AddUserToGroupRequest { group_name: group.to_owned(), user_name: user.to_owned() }
}

fn removal(group: &str, user: &str) -> RemoveUserFromGroupRequest {
    RemoveUserFromGroupRequest { group_name: group.to_owned(), user_name: user.to_owned() }
}

fn members(
    lab: &Lab,
    group: &str,
    marker: Option<String>,
    size: i32,
) -> (Vec<String>, Option<String>) {
    let group_name = group.to_owned();
    let input = GetGroupRequest { group_name, marker, max_items: Some(size) };
    let page = lab.call(get_group, input).unwrap();
    assert_eq!(page.is_truncated, Some(page.marker.is_some()));
    (page.users.into_iter().map(|user| user.user_name).collect(), page.marker)
}

fn groups_of(lab: &Lab, user: &str) -> Vec<String> {
    let user_name = user.to_owned();
    let input = ListGroupsForUserRequest { user_name, ..ListGroupsForUserRequest::default() };
    let page = lab.call(list_groups_for_user, input).unwrap();
    page.groups.into_iter().map(|group| group.group_name).collect()
}

#[test]
fn a_new_group_has_the_ids_of_aws() {
    let lab = Lab::new();
    let group = create(&lab, Some("/team/"), "Blue");
    assert_eq!(group.arn, "arn:aws:iam::123456789012:group/team/Blue");
    assert_eq!(&group.group_id[..4], "AGPA");
    assert_eq!(group.create_date, NOW.whole_seconds());
    let again = CreateGroupRequest { path: None, group_name: "BLUE".to_owned() };
    let text = "EntityAlreadyExists: Group with name BLUE already exists.";
    assert_eq!(lab.refusal(create_group, again), text);
    let text = "NoSuchEntity: The group with name Red cannot be found.";
    let missing = GetGroupRequest { group_name: "Red".to_owned(), ..GetGroupRequest::default() };
    assert_eq!(lab.refusal(get_group, missing), text);
}

#[test]
fn groups_are_listed_by_name_and_path() {
    let lab = Lab::new();
    for name in ["c", "a", "b"] {
        create(&lab, Some(if name == "a" { "/x/" } else { "/y/" }), name);
    }
    let list = |prefix: Option<&str>, marker: Option<String>| {
        let path_prefix = prefix.map(str::to_owned);
        let input = ListGroupsRequest { path_prefix, marker, max_items: Some(2) };
        let page = lab.call(list_groups, input).unwrap();
        let names: Vec<String> = page.groups.into_iter().map(|group| group.group_name).collect();
        (names.join(""), page.marker)
    };
    let (first, marker) = list(None, None);
    assert_eq!((first.as_str(), list(None, marker)), ("ab", ("c".to_owned(), None)));
    assert_eq!(list(Some("/y/"), None), ("bc".to_owned(), None));
}

#[test]
fn users_join_and_leave() {
    let lab = Lab::new();
    create(&lab, None, "Blue");
    create(&lab, None, "Red");
    create_users(&lab, &["Ana", "Bob", "Cid"]);
    for user in ["cid", "Ana", "BOB", "Ana"] {
        lab.call(add_user_to_group, membership("blue", user)).unwrap();
    }
    lab.call(add_user_to_group, membership("Red", "Ana")).unwrap();
    let (first, marker) = members(&lab, "Blue", None, 2);
    assert_eq!(first, ["Ana", "Bob"]);
    assert_eq!(members(&lab, "Blue", marker, 2), (vec!["Cid".to_owned()], None));
    assert_eq!(groups_of(&lab, "ana"), ["Blue", "Red"]);
    lab.call(remove_user_from_group, removal("BLUE", "ANA")).unwrap();
    assert_eq!(groups_of(&lab, "Ana"), ["Red"]);
    assert_eq!(members(&lab, "Blue", None, 9).0, ["Bob", "Cid"]);
    let text = "NoSuchEntity: User Ana not in group Blue";
    assert_eq!(lab.refusal(remove_user_from_group, removal("Blue", "Ana")), text);
    let text = "NoSuchEntity: The group with name None cannot be found.";
    assert_eq!(lab.refusal(add_user_to_group, membership("None", "Nobody")), text);
    let text = "NoSuchEntity: The user with name Nobody cannot be found.";
    assert_eq!(lab.refusal(add_user_to_group, membership("Blue", "Nobody")), text);
}

#[test]
fn a_user_is_in_so_many_groups_and_an_account_has_so_many() {
    let lab = Lab::new();
    lab.write(|cx| quota::grant(cx, &quota::GROUPS, 11)).unwrap();
    create_users(&lab, &["Ana"]);
    for index in 0..11 {
        let name = format!("group{index}");
        create(&lab, None, &name);
        if index < 10 {
            lab.call(add_user_to_group, membership(&name, "Ana")).unwrap();
        }
    }
    let text = "LimitExceeded: Cannot exceed quota for GroupsPerUser: 10";
    assert_eq!(lab.refusal(add_user_to_group, membership("group10", "Ana")), text);
    // Once more into a group that she is in is no excess.
    lab.call(add_user_to_group, membership("group0", "Ana")).unwrap();
    let more = CreateGroupRequest { path: None, group_name: "more".to_owned() };
    let text = "LimitExceeded: Cannot exceed quota for GroupsPerAccount: 11";
    assert_eq!(lab.refusal(create_group, more), text);
}

#[test]
fn a_rename_takes_the_members_along() {
    let lab = Lab::new();
    let before = create(&lab, None, "Blue");
    create(&lab, None, "Red");
    create_users(&lab, &["Ana", "Bob"]);
    for user in ["Ana", "Bob"] {
        lab.call(add_user_to_group, membership("Blue", user)).unwrap();
    }
    let update = |to: &str| UpdateGroupRequest {
        group_name: "Blue".to_owned(),
        new_path: Some("/new/".to_owned()),
        new_group_name: Some(to.to_owned()),
    };
    let text = "EntityAlreadyExists: Group with name red already exists.";
    assert_eq!(lab.refusal(update_group, update("red")), text);
    lab.call(update_group, update("Green")).unwrap();
    assert_eq!(members(&lab, "green", None, 9).0, ["Ana", "Bob"]);
    assert_eq!(groups_of(&lab, "Bob"), ["Green"]);
    let after = lab.read(|cx| load(cx, "green")).unwrap();
    assert_eq!(after.arn, "arn:aws:iam::123456789012:group/new/Green");
    assert_eq!(after.group_id, before.group_id);
    assert!(lab.read(|cx| load(cx, "Blue")).is_err());
}

#[test]
fn a_group_with_users_or_policies_is_not_deleted() {
    let lab = Lab::new();
    create(&lab, None, "Blue");
    create_users(&lab, &["Ana"]);
    let delete = || DeleteGroupRequest { group_name: "blue".to_owned() };
    let refused = |demand: &str| {
        let text = format!("DeleteConflict: Cannot delete entity, {demand}");
        assert_eq!(lab.refusal(delete_group, delete()), text);
    };
    lab.call(add_user_to_group, membership("Blue", "Ana")).unwrap();
    refused("must remove users from group first.");
    lab.call(remove_user_from_group, removal("Blue", "Ana")).unwrap();
    lab.call(delete_user, DeleteUserRequest { user_name: "Ana".to_owned() }).unwrap();
    let attach = AttachGroupPolicyRequest {
        group_name: "Blue".to_owned(),
        policy_arn: "arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned(),
    };
    lab.call(attachment::attach_group_policy, attach).unwrap();
    refused("must detach all policies first.");
    create(&lab, None, "Red");
    let inline = PutGroupPolicyRequest {
        group_name: "Red".to_owned(),
        policy_name: "p".to_owned(),
        policy_document: r#"{"Version":"2012-10-17","Statement":
            {"Effect":"Deny","Action":"*","Resource":"*"}}"#
            .to_owned(),
    };
    lab.call(inline_policy::put_group_policy, inline).unwrap();
    let red = DeleteGroupRequest { group_name: "Red".to_owned() };
    let text = "DeleteConflict: Cannot delete entity, must delete policies first.";
    assert_eq!(lab.refusal(delete_group, red), text);
    create(&lab, None, "Empty");
    let empty = DeleteGroupRequest { group_name: "EMPTY".to_owned() };
    lab.call(delete_group, empty.clone()).unwrap();
    assert!(lab.refusal(delete_group, empty).starts_with("NoSuchEntity"));
    assert_eq!(lab.read(|cx| quota::used(cx, &quota::GROUPS)).unwrap(), 2);
}
