//! Roles.

use super::{all, check_refusals, tags};
use crate::support::{Lab, each, policy, trust};
use serde_json::{Value, json};

fn ec2_trust() -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": "ec2.amazonaws.com" },
            "Action": "sts:AssumeRole"
        }]
    })
}

#[test]
fn roles_live_and_die() {
    let Some(lab) = Lab::start("roles_live_and_die") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let made = root.ok(
        "iam",
        "CreateRole",
        json!({
            "RoleName": "app",
            "Path": "/svc/",
            "AssumeRolePolicyDocument": ec2_trust().to_string(),
            "Description": "Für die Anwendung",
            "MaxSessionDuration": 7200,
            "Tags": tags(&[("a", "1")]),
        }),
    )["Role"]
        .clone();
    assert_eq!(made["Arn"], json!(format!("arn:aws:iam::{account}:role/svc/app")));
    assert!(made["RoleId"].as_str().unwrap().starts_with("AROA"), "{made}");
    assert_eq!(made["AssumeRolePolicyDocument"], ec2_trust());
    let named = json!({ "RoleName": "app" });
    let got = root.ok("iam", "GetRole", named.clone())["Role"].clone();
    assert_eq!(got["MaxSessionDuration"], json!(7200));
    assert_eq!(got["Description"], json!("Für die Anwendung"));
    assert_eq!(got["RoleLastUsed"], json!({}));

    let changed = json!({ "RoleName": "app", "Description": "", "MaxSessionDuration": 3600 });
    root.ok("iam", "UpdateRole", changed);
    let described = json!({ "RoleName": "app", "Description": "again" });
    let changed = root.ok("iam", "UpdateRoleDescription", described)["Role"].clone();
    let now = (&changed["Description"], &changed["MaxSessionDuration"]);
    assert_eq!(now, (&json!("again"), &json!(3600)));
    let other = trust(&format!("arn:aws:iam::{account}:root"));
    let input = json!({ "RoleName": "app", "PolicyDocument": other.to_string() });
    root.ok("iam", "UpdateAssumeRolePolicy", input);
    let got = root.ok("iam", "GetRole", named.clone())["Role"].clone();
    assert_eq!(got["AssumeRolePolicyDocument"], other);

    root.ok("iam", "TagRole", json!({ "RoleName": "app", "Tags": tags(&[("b", "2")]) }));
    root.ok("iam", "UntagRole", json!({ "RoleName": "app", "TagKeys": ["a"] }));
    let kept = root.ok("iam", "ListRoleTags", named.clone());
    assert_eq!(kept["Tags"], tags(&[("b", "2")]));
    root.ok("iam", "DeleteRole", named);
    assert_eq!(root.ok("iam", "ListRoles", json!({}))["Roles"], json!([]));
}

#[test]
fn roles_are_refused_as_documented() {
    let Some(lab) = Lab::start("roles_are_refused_as_documented") else { return };
    let root = lab.root();
    let document = ec2_trust().to_string();
    let role = |name: &str| json!({ "RoleName": name, "AssumeRolePolicyDocument": document });
    root.ok("iam", "CreateRole", role("app"));
    let with = |name: &str, member: &str, value: Value| {
        let mut input = role(name);
        input[member] = value;
        input
    };
    let no_principal = policy("Allow", &["sts:AssumeRole"], &["*"]).to_string();
    let ghost = trust("arn:aws:iam::123456789012:user/ghost").to_string();
    let malformed = "MalformedPolicyDocument";
    let document = "AssumeRolePolicyDocument";
    let short = json!({ "RoleName": "app", "MaxSessionDuration": 60 });
    check_refusals(
        &root,
        &[
            ("CreateRole", role("APP"), "EntityAlreadyExists", 409, "Role with name APP already"),
            ("CreateRole", role("a b"), "ValidationError", 400, "roleName"),
            (
                "CreateRole",
                with("x", "MaxSessionDuration", json!(43201)),
                "ValidationError",
                400,
                "",
            ),
            ("CreateRole", with("x", document, json!("{")), malformed, 400, ""),
            ("CreateRole", with("x", document, json!("{}")), malformed, 400, ""),
            ("CreateRole", with("x", document, json!(no_principal)), malformed, 400, ""),
            ("CreateRole", with("x", document, json!(ghost)), malformed, 400, "Invalid principal"),
            ("UpdateRole", short, "ValidationError", 400, "maxSessionDuration"),
            (
                "GetRole",
                json!({ "RoleName": "nope" }),
                "NoSuchEntity",
                404,
                "The role with name nope cannot be found.",
            ),
        ],
    );
}

#[test]
fn roles_in_use_are_not_deleted() {
    let Some(lab) = Lab::start("roles_in_use_are_not_deleted") else { return };
    let root = lab.root();
    let document = ec2_trust().to_string();
    let role = |name: &str| json!({ "RoleName": name, "AssumeRolePolicyDocument": document });
    for name in ["app", "inline", "attached", "profiled"] {
        root.ok("iam", "CreateRole", role(name));
    }
    let own = policy("Allow", &["*"], &["*"]).to_string();
    let inline = json!({ "RoleName": "inline", "PolicyName": "p", "PolicyDocument": own });
    root.ok("iam", "PutRolePolicy", inline);
    let read_only = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    let attached = json!({ "RoleName": "attached", "PolicyArn": read_only });
    root.ok("iam", "AttachRolePolicy", attached);
    root.ok("iam", "CreateInstanceProfile", json!({ "InstanceProfileName": "box" }));
    let held = json!({ "InstanceProfileName": "box", "RoleName": "profiled" });
    root.ok("iam", "AddRoleToInstanceProfile", held);
    let conflict = |name: &str| json!({ "RoleName": name });
    check_refusals(
        &root,
        &[
            (
                "DeleteRole",
                conflict("inline"),
                "DeleteConflict",
                409,
                "Cannot delete entity, must delete policies first.",
            ),
            (
                "DeleteRole",
                conflict("attached"),
                "DeleteConflict",
                409,
                "Cannot delete entity, must detach all policies first.",
            ),
            (
                "DeleteRole",
                conflict("profiled"),
                "DeleteConflict",
                409,
                "Cannot delete entity, must remove roles from instance profile first.",
            ),
        ],
    );
    let pages = root.pages("ListRoles", json!({}), "Roles", 3);
    assert_eq!(all(&pages, "RoleName"), ["app", "attached", "inline", "profiled"]);
    // As AWS documents, lists leave out what only GetRole tells.
    assert!(pages[0][0].get("Tags").is_none() && pages[0][0].get("RoleLastUsed").is_none());
}

#[test]
fn a_role_is_bounded_and_remembers_its_use() {
    let Some(lab) = Lab::start("a_role_is_bounded_and_remembers_its_use") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let ann = lab.user(&root, "ann", Some(policy("Allow", &["sts:AssumeRole"], &["*"])));
    let document = trust(&format!("arn:aws:iam::{account}:user/ann"));
    let role = json!({ "RoleName": "app", "AssumeRolePolicyDocument": document.to_string() });
    let arn = root.ok("iam", "CreateRole", role)["Role"]["Arn"].clone();
    let all = policy("Allow", &["iam:*"], &["*"]).to_string();
    let own = json!({ "RoleName": "app", "PolicyName": "all", "PolicyDocument": all });
    root.ok("iam", "PutRolePolicy", own);
    let input = json!({ "RoleArn": arn, "RoleSessionName": "tour" });
    let session = ann.ok("sts", "AssumeRole", input);
    let session = lab.caller(crate::support::Keys::of_session(&session));
    let users = session.ok("iam", "ListUsers", json!({}));
    assert_eq!(each(&users["Users"], "UserName"), ["ann"]);

    let fence = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
    let boundary = json!({ "RoleName": "app", "PermissionsBoundary": fence });
    root.ok("iam", "PutRolePermissionsBoundary", boundary);
    let refusal = session.call("iam", "ListUsers", json!({})).unwrap_err();
    assert!(refusal.message.contains("no permissions boundary allows"), "{}", refusal.message);
    root.ok("iam", "DeleteRolePermissionsBoundary", json!({ "RoleName": "app" }));
    session.ok("iam", "ListUsers", json!({}));

    let used = || root.ok("iam", "GetRole", json!({ "RoleName": "app" }))["Role"].clone();
    for _ in 0..100 {
        if used()["RoleLastUsed"]["Region"] == json!("us-east-1") {
            assert!(used()["RoleLastUsed"]["LastUsedDate"].is_string());
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("the use of a role is not shown after ten seconds: {}", used());
}
