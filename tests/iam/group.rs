//! Groups, and who is in them.

use super::{Failing, all, check_refusals};
use crate::support::{Lab, each, policy};
use serde_json::json;

#[test]
fn groups_live_and_die() {
    let Some(lab) = Lab::start("groups_live_and_die") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let input = json!({ "GroupName": "devs", "Path": "/a/b/" });
    let made = root.ok("iam", "CreateGroup", input)["Group"].clone();
    assert_eq!(made["Arn"], json!(format!("arn:aws:iam::{account}:group/a/b/devs")));
    assert!(made["GroupId"].as_str().unwrap().starts_with("AGPA"), "{made}");
    for name in ["ann", "bob", "cid"] {
        root.ok("iam", "CreateUser", json!({ "UserName": name }));
        let input = json!({ "GroupName": "devs", "UserName": name });
        root.ok("iam", "AddUserToGroup", input.clone());
        // Once more is no error.
        root.ok("iam", "AddUserToGroup", input);
    }
    let members = root.pages("GetGroup", json!({ "GroupName": "devs" }), "Users", 2);
    assert_eq!((all(&members, "UserName"), members.len()), (names(&["ann", "bob", "cid"]), 2));
    root.ok("iam", "RemoveUserFromGroup", json!({ "GroupName": "devs", "UserName": "bob" }));
    let changed = json!({ "GroupName": "devs", "NewGroupName": "crew", "NewPath": "/" });
    root.ok("iam", "UpdateGroup", changed);
    let got = root.ok("iam", "GetGroup", json!({ "GroupName": "crew" }));
    assert_eq!(got["Group"]["Arn"], json!(format!("arn:aws:iam::{account}:group/crew")));
    assert_eq!(got["Group"]["GroupId"], made["GroupId"]);
    assert_eq!(each(&got["Users"], "UserName"), ["ann", "cid"]);
    // A user who is renamed or goes leaves no trace of the old name in the group.
    root.ok("iam", "UpdateUser", json!({ "UserName": "ann", "NewUserName": "zoe" }));
    let groups = root.ok("iam", "ListGroupsForUser", json!({ "UserName": "zoe" }));
    assert_eq!(each(&groups["Groups"], "GroupName"), ["crew"]);
    let got = root.ok("iam", "GetGroup", json!({ "GroupName": "crew" }));
    assert_eq!(each(&got["Users"], "UserName"), ["cid", "zoe"]);
    for name in ["cid", "zoe"] {
        let member = json!({ "GroupName": "crew", "UserName": name });
        root.ok("iam", "RemoveUserFromGroup", member);
    }
    root.ok("iam", "DeleteGroup", json!({ "GroupName": "crew" }));
    assert_eq!(root.ok("iam", "ListGroups", json!({}))["Groups"], json!([]));
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn refusals<'a>() -> Vec<Failing<'a>> {
    let ghost = json!({ "GroupName": "ghost" });
    vec![
        (
            "CreateGroup",
            json!({ "GroupName": "DEVS" }),
            "EntityAlreadyExists",
            409,
            "Group with name DEVS already exists.",
        ),
        ("CreateGroup", json!({ "GroupName": "a/b" }), "ValidationError", 400, "groupName"),
        (
            "GetGroup",
            ghost.clone(),
            "NoSuchEntity",
            404,
            "The group with name ghost cannot be found.",
        ),
        ("DeleteGroup", ghost.clone(), "NoSuchEntity", 404, "ghost"),
        ("ListGroupPolicies", ghost.clone(), "NoSuchEntity", 404, "ghost"),
        ("ListAttachedGroupPolicies", ghost, "NoSuchEntity", 404, "ghost"),
        (
            "DeleteGroup",
            json!({ "GroupName": "full" }),
            "DeleteConflict",
            409,
            "Cannot delete entity, must remove users from group first.",
        ),
        (
            "DeleteGroup",
            json!({ "GroupName": "ops" }),
            "DeleteConflict",
            409,
            "Cannot delete entity, must delete policies first.",
        ),
        (
            "AddUserToGroup",
            json!({ "GroupName": "devs", "UserName": "nobody" }),
            "NoSuchEntity",
            404,
            "nobody",
        ),
        (
            "AddUserToGroup",
            json!({ "GroupName": "ghost", "UserName": "ann" }),
            "NoSuchEntity",
            404,
            "ghost",
        ),
        (
            "UpdateGroup",
            json!({ "GroupName": "devs", "NewGroupName": "ops" }),
            "EntityAlreadyExists",
            409,
            "ops",
        ),
    ]
}

#[test]
fn groups_are_refused_as_documented() {
    let Some(lab) = Lab::start("groups_are_refused_as_documented") else { return };
    let root = lab.root();
    for name in ["devs", "ops", "full"] {
        root.ok("iam", "CreateGroup", json!({ "GroupName": name }));
    }
    root.ok("iam", "CreateUser", json!({ "UserName": "ann" }));
    root.ok("iam", "AddUserToGroup", json!({ "GroupName": "full", "UserName": "ann" }));
    let document = policy("Allow", &["*"], &["*"]).to_string();
    let inline = json!({ "GroupName": "ops", "PolicyName": "p", "PolicyDocument": document });
    root.ok("iam", "PutGroupPolicy", inline);
    check_refusals(&root, &refusals());
    let pages = root.pages("ListGroups", json!({}), "Groups", 1);
    assert_eq!((all(&pages, "GroupName"), pages.len()), (names(&["devs", "full", "ops"]), 3));
}

#[test]
fn a_group_gives_and_takes_away() {
    let Some(lab) = Lab::start("a_group_gives_and_takes_away") else { return };
    let root = lab.root();
    let ann = lab.user(&root, "ann", None);
    root.ok("iam", "CreateGroup", json!({ "GroupName": "readers" }));
    let member = json!({ "GroupName": "readers", "UserName": "ann" });
    root.ok("iam", "AddUserToGroup", member.clone());
    let list = || ann.call("iam", "ListUsers", json!({})).map(drop);
    assert_eq!(list().unwrap_err().code, "AccessDenied");
    let read_only = "arn:aws:iam::aws:policy/IAMReadOnlyAccess";
    let attachment = json!({ "GroupName": "readers", "PolicyArn": read_only });
    root.ok("iam", "AttachGroupPolicy", attachment.clone());
    assert_eq!(list(), Ok(()));
    root.ok("iam", "DetachGroupPolicy", attachment);
    assert_eq!(list().unwrap_err().code, "AccessDenied");
    let document = policy("Allow", &["iam:*"], &["*"]).to_string();
    let inline = json!({ "GroupName": "readers", "PolicyName": "p", "PolicyDocument": document });
    root.ok("iam", "PutGroupPolicy", inline);
    assert_eq!(list(), Ok(()));
    root.ok("iam", "RemoveUserFromGroup", member);
    assert_eq!(list().unwrap_err().code, "AccessDenied");
}
