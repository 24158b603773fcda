//! Users.

use super::{Failing, all, check_refusals, tags};
use crate::support::{Lab, each, policy};
use serde_json::json;

#[test]
fn users_live_and_die() {
    let Some(lab) = Lab::start("users_live_and_die") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let team = tags(&[("team", "blue")]);
    let input = json!({ "UserName": "Ann.Lee", "Path": "/staff/", "Tags": team });
    let made = root.ok("iam", "CreateUser", input)["User"].clone();
    assert_eq!(made["Arn"], json!(format!("arn:aws:iam::{account}:user/staff/Ann.Lee")));
    let id = made["UserId"].as_str().unwrap();
    assert!(id.starts_with("AIDA") && id.len() == 21, "{id}");
    assert!(id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()), "{id}");
    assert_eq!(made["Tags"], team);

    let got = root.ok("iam", "GetUser", json!({ "UserName": "Ann.Lee" }))["User"].clone();
    assert_eq!(got, made);
    let changed = json!({ "UserName": "Ann.Lee", "NewUserName": "ann", "NewPath": "/" });
    root.ok("iam", "UpdateUser", changed);
    let got = root.ok("iam", "GetUser", json!({ "UserName": "ann" }))["User"].clone();
    assert_eq!(got["Arn"], json!(format!("arn:aws:iam::{account}:user/ann")));
    assert_eq!((&got["UserId"], &got["CreateDate"]), (&made["UserId"], &made["CreateDate"]));

    let more = tags(&[("Team", "red"), ("cost", "7")]);
    root.ok("iam", "TagUser", json!({ "UserName": "ann", "Tags": more }));
    root.ok("iam", "UntagUser", json!({ "UserName": "ann", "TagKeys": ["cost"] }));
    let kept = root.ok("iam", "ListUserTags", json!({ "UserName": "ann" }));
    // Keys differ by case alone: the new one takes the old one's place.
    assert_eq!(each(&kept["Tags"], "Value"), ["red"]);

    // Without a name it is the caller.
    let own = lab.user(&root, "own", Some(policy("Allow", &["iam:GetUser"], &["*"])));
    assert_eq!(own.ok("iam", "GetUser", json!({}))["User"]["UserName"], json!("own"));
    let got = root.ok("iam", "GetUser", json!({}))["User"].clone();
    assert_eq!(got["Arn"], json!(format!("arn:aws:iam::{account}:root")));

    root.ok("iam", "DeleteUser", json!({ "UserName": "ann" }));
    check_refusals(
        &root,
        &[(
            "GetUser",
            json!({ "UserName": "ann" }),
            "NoSuchEntity",
            404,
            "The user with name ann cannot be found.",
        )],
    );
    let again = root.ok("iam", "CreateUser", json!({ "UserName": "ann" }))["User"].clone();
    assert_ne!(again["UserId"], made["UserId"], "a new user is another principal");
}

fn refusals<'a>() -> Vec<Failing<'a>> {
    let many: Vec<(String, &str)> = (0..51).map(|n| (format!("k{n}"), "v")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(k, v)| (k.as_str(), *v)).collect();
    let missing = json!({ "UserName": "nobody" });
    vec![
        (
            "CreateUser",
            json!({ "UserName": "TAKEN" }),
            "EntityAlreadyExists",
            409,
            "User with name TAKEN already exists.",
        ),
        ("CreateUser", json!({ "UserName": "a b" }), "ValidationError", 400, "userName"),
        ("CreateUser", json!({ "UserName": "" }), "ValidationError", 400, "userName"),
        ("CreateUser", json!({ "UserName": "a".repeat(65) }), "ValidationError", 400, "64"),
        ("CreateUser", json!({}), "ValidationError", 400, "userName"),
        (
            "CreateUser",
            json!({ "UserName": "x", "Path": "no-slash" }),
            "ValidationError",
            400,
            "path",
        ),
        (
            "CreateUser",
            json!({ "UserName": "x", "Tags": tags(&many) }),
            "ValidationError",
            400,
            "tags",
        ),
        (
            "CreateUser",
            json!({ "UserName": "x", "Tags": tags(&[("a", "1"), ("A", "2")]) }),
            "InvalidInput",
            400,
            "Duplicate tag keys found",
        ),
        (
            "CreateUser",
            json!({ "UserName": "x", "PermissionsBoundary": "arn:aws:iam::aws:policy/Nope" }),
            "NoSuchEntity",
            404,
            "",
        ),
        ("DeleteUser", missing.clone(), "NoSuchEntity", 404, "nobody"),
        ("ListUserTags", missing.clone(), "NoSuchEntity", 404, "nobody"),
        ("ListGroupsForUser", missing.clone(), "NoSuchEntity", 404, "nobody"),
        ("ListUserPolicies", missing.clone(), "NoSuchEntity", 404, "nobody"),
        ("ListAttachedUserPolicies", missing, "NoSuchEntity", 404, "nobody"),
        (
            "DeleteUser",
            json!({ "UserName": "busy" }),
            "DeleteConflict",
            409,
            "must delete access keys first.",
        ),
        (
            "UpdateUser",
            json!({ "UserName": "busy", "NewUserName": "taken" }),
            "EntityAlreadyExists",
            409,
            "taken",
        ),
        ("ListUsers", json!({ "MaxItems": 0 }), "ValidationError", 400, "maxItems"),
        ("ListUsers", json!({ "MaxItems": 1001 }), "ValidationError", 400, "maxItems"),
        ("ListUsers", json!({ "Marker": "no marker" }), "ValidationError", 400, "arker"),
    ]
}

#[test]
fn users_are_refused_as_documented() {
    let Some(lab) = Lab::start("users_are_refused_as_documented") else { return };
    let root = lab.root();
    root.ok("iam", "CreateUser", json!({ "UserName": "taken" }));
    root.ok("iam", "CreateUser", json!({ "UserName": "busy" }));
    root.new_key("busy");
    check_refusals(&root, &refusals());
    let users = root.ok("iam", "ListUsers", json!({}));
    assert_eq!(each(&users["Users"], "UserName"), ["busy", "taken"], "a refusal changed something");
}

#[test]
fn users_come_in_pages() {
    let Some(lab) = Lab::start("users_come_in_pages") else { return };
    let root = lab.root();
    let names: Vec<String> = (0..25).map(|n| format!("u{n:02}")).collect();
    for name in &names {
        let path = if name.ends_with('3') { "/third/" } else { "/" };
        root.ok("iam", "CreateUser", json!({ "UserName": name, "Path": path }));
    }
    let pages = root.pages("ListUsers", json!({}), "Users", 10);
    assert_eq!(all(&pages, "UserName"), names);
    assert_eq!(pages.len(), 3);
    // A page that is just full is the last one.
    assert_eq!(root.pages("ListUsers", json!({}), "Users", 25).len(), 1);
    let third = root.pages("ListUsers", json!({ "PathPrefix": "/third/" }), "Users", 2);
    assert_eq!(all(&third, "UserName"), ["u03", "u13", "u23"]);
    // Going on while users come and go neither repeats nor loses the others.
    let first = root.ok("iam", "ListUsers", json!({ "MaxItems": 10 }));
    root.ok("iam", "DeleteUser", json!({ "UserName": "u09" }));
    root.ok("iam", "CreateUser", json!({ "UserName": "u04b" }));
    let rest = json!({ "Marker": first["Marker"] });
    let rest = root.ok("iam", "ListUsers", rest);
    assert_eq!(each(&rest["Users"], "UserName"), names[10..]);
}

#[test]
fn a_boundary_is_set_and_removed() {
    let Some(lab) = Lab::start("a_boundary_is_set_and_removed") else { return };
    let root = lab.root();
    let fence = "arn:aws:iam::aws:policy/IAMReadOnlyAccess";
    let input = json!({ "UserName": "ann", "PermissionsBoundary": fence });
    root.ok("iam", "CreateUser", input.clone());
    let got = root.ok("iam", "GetUser", json!({ "UserName": "ann" }))["User"].clone();
    let boundary = &got["PermissionsBoundary"];
    assert_eq!(boundary["PermissionsBoundaryArn"], json!(fence));
    assert_eq!(boundary["PermissionsBoundaryType"], json!("Policy"));
    root.ok("iam", "DeleteUserPermissionsBoundary", json!({ "UserName": "ann" }));
    let got = root.ok("iam", "GetUser", json!({ "UserName": "ann" }))["User"].clone();
    assert!(got.get("PermissionsBoundary").is_none(), "{got}");
    root.ok("iam", "PutUserPermissionsBoundary", input);
    check_refusals(
        &root,
        &[(
            "PutUserPermissionsBoundary",
            json!({ "UserName": "nobody", "PermissionsBoundary": fence }),
            "NoSuchEntity",
            404,
            "nobody",
        )],
    );
}
