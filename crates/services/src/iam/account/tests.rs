use super::*;
use crate::iam::access_key::create_access_key;
use crate::iam::group::create_group;
use crate::iam::user::{create_user, delete_user};
use crate::testing::{ACCOUNT, Lab};
use palisade_model::iam::{
    CreateAccessKeyRequest, CreateGroupRequest, CreateUserRequest, DeleteUserRequest,
    summary_key_type,
};

fn alias(name: &str) -> CreateAccountAliasRequest {
    CreateAccountAliasRequest { account_alias: name.to_owned() }
}

fn aliases(lab: &Lab) -> Vec<String> {
    let answer = lab.call(list_account_aliases, ListAccountAliasesRequest::default()).unwrap();
    assert_eq!(answer.is_truncated, Some(false));
    answer.account_aliases
}

#[test]
fn an_account_has_one_alias_which_no_other_has() {
    let lab = Lab::new();
    let other = lab.in_account("210987654321");
    assert!(aliases(&lab).is_empty());
    lab.call(create_account_alias, alias("first")).unwrap();
    let text = "EntityAlreadyExists: The account alias first already exists.";
    assert_eq!(other.refusal(create_account_alias, alias("first")), text);
    assert_eq!(lab.refusal(create_account_alias, alias("first")), text);
    lab.call(create_account_alias, alias("second")).unwrap();
    assert_eq!(aliases(&lab), ["second"]);
    // The replaced one is free again.
    other.call(create_account_alias, alias("first")).unwrap();
    let owner = lab.read(|cx| of_alias(cx, "second")).unwrap();
    assert_eq!(owner.as_deref(), Some(ACCOUNT));
    let delete = |name: &str| DeleteAccountAliasRequest { account_alias: name.to_owned() };
    let text = "NoSuchEntity: The account alias first cannot be found.";
    assert_eq!(lab.refusal(delete_account_alias, delete("first")), text);
    lab.call(delete_account_alias, delete("second")).unwrap();
    assert!(aliases(&lab).is_empty());
    assert_eq!(aliases(&other), ["first"]);
}

#[test]
fn the_summary_counts_and_names_every_key_of_the_model() {
    let lab = Lab::new();
    for name in ["a", "b", "c"] {
        let user_name = name.to_owned();
        let input = CreateUserRequest { user_name, ..CreateUserRequest::default() };
        lab.call(create_user, input).unwrap();
    }
    lab.call(delete_user, DeleteUserRequest { user_name: "b".to_owned() }).unwrap();
    let group = CreateGroupRequest { path: None, group_name: "g".to_owned() };
    lab.call(create_group, group).unwrap();
    lab.write(|cx| quota::grant(cx, &quota::USERS, 100_000)).unwrap();
    let summary = |lab: &Lab| lab.read(|cx| get_account_summary(cx, Nothing)).unwrap();
    let map = summary(&lab).summary_map.unwrap();
    let figure = |name: &str| map.get(name).copied();
    assert_eq!(figure(summary_key_type::USERS), Some(2));
    assert_eq!(figure(summary_key_type::USERS_QUOTA), Some(100_000));
    assert_eq!(figure(summary_key_type::GROUPS), Some(1));
    assert_eq!(figure(summary_key_type::GROUPS_QUOTA), Some(300));
    assert_eq!(figure(summary_key_type::ROLES), Some(0));
    assert_eq!(figure(summary_key_type::ACCOUNT_ACCESS_KEYS_PRESENT), Some(0));
    assert_eq!(map.len(), 34);
    lab.call(create_access_key, CreateAccessKeyRequest::default()).unwrap();
    let map = summary(&lab).summary_map.unwrap();
    assert_eq!(map.get(summary_key_type::ACCOUNT_ACCESS_KEYS_PRESENT), Some(&1));
    // The accounts of a plane are counted apart.
    let other = summary(&lab.in_account("210987654321")).summary_map.unwrap();
    assert_eq!(other.get(summary_key_type::USERS), Some(&0));
}
