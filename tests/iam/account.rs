//! The account: its alias, its summary, and everything in it at once.

use super::check_refusals;
use crate::support::{Lab, each, policy, trust};
use serde_json::json;

#[test]
fn an_alias_is_unique_and_single() {
    let Some(lab) = Lab::start("an_alias_is_unique_and_single") else { return };
    let root = lab.root();
    root.ok("iam", "CreateAccountAlias", json!({ "AccountAlias": "acme" }));
    assert_eq!(root.ok("iam", "ListAccountAliases", json!({}))["AccountAliases"], json!(["acme"]));
    let other = lab.account("210987654321");
    check_refusals(
        &other,
        &[
            (
                "CreateAccountAlias",
                json!({ "AccountAlias": "acme" }),
                "EntityAlreadyExists",
                409,
                "The account alias acme already exists.",
            ),
            (
                "CreateAccountAlias",
                json!({ "AccountAlias": "No Capitals" }),
                "ValidationError",
                400,
                "accountAlias",
            ),
            (
                "DeleteAccountAlias",
                json!({ "AccountAlias": "acme" }),
                "NoSuchEntity",
                404,
                "The account alias acme cannot be found.",
            ),
        ],
    );
    root.ok("iam", "DeleteAccountAlias", json!({ "AccountAlias": "acme" }));
    other.ok("iam", "CreateAccountAlias", json!({ "AccountAlias": "acme" }));
    assert_eq!(root.ok("iam", "ListAccountAliases", json!({}))["AccountAliases"], json!([]));
}

#[test]
fn the_summary_counts_and_the_details_tell_all() {
    let test = "the_summary_counts_and_the_details_tell_all";
    let Some(lab) = Lab::start(test) else { return };
    let root = lab.root();
    let document = policy("Allow", &["s3:*"], &["*"]);
    for n in 0..3 {
        let user = format!("u{n}");
        root.ok("iam", "CreateUser", json!({ "UserName": user }));
        let inline = json!({
            "UserName": user, "PolicyName": "own", "PolicyDocument": document.to_string()
        });
        root.ok("iam", "PutUserPolicy", inline);
    }
    root.ok("iam", "CreateGroup", json!({ "GroupName": "devs" }));
    root.ok("iam", "AddUserToGroup", json!({ "GroupName": "devs", "UserName": "u1" }));
    let trusted = trust("*").to_string();
    let role = json!({ "RoleName": "app", "AssumeRolePolicyDocument": trusted });
    root.ok("iam", "CreateRole", role);
    let made = json!({ "PolicyName": "p", "PolicyDocument": document.to_string() });
    let arn = root.ok("iam", "CreatePolicy", made)["Policy"]["Arn"].clone();
    root.ok("iam", "AttachRolePolicy", json!({ "RoleName": "app", "PolicyArn": arn }));
    root.ok("iam", "CreateInstanceProfile", json!({ "InstanceProfileName": "box" }));

    let summary = root.ok("iam", "GetAccountSummary", json!({}))["SummaryMap"].clone();
    let counted = [
        ("Users", 3),
        ("Groups", 1),
        ("Roles", 1),
        ("Policies", 1),
        ("InstanceProfiles", 1),
        ("UsersQuota", 5000),
        ("GroupsPerUserQuota", 10),
        ("AccessKeysPerUserQuota", 2),
        ("VersionsPerPolicyQuota", 5),
    ];
    for (name, count) in counted {
        assert_eq!(summary[name], json!(count), "{name} in {summary}");
    }

    let filter = json!({ "Filter": ["User", "Role", "Group", "LocalManagedPolicy"] });
    let details = root.ok("iam", "GetAccountAuthorizationDetails", filter);
    assert_eq!(each(&details["UserDetailList"], "UserName"), ["u0", "u1", "u2"]);
    assert_eq!(details["UserDetailList"][1]["GroupList"], json!(["devs"]));
    let inline = &details["UserDetailList"][0]["UserPolicyList"][0];
    assert_eq!((&inline["PolicyName"], &inline["PolicyDocument"]), (&json!("own"), &document));
    let attached = &details["RoleDetailList"][0]["AttachedManagedPolicies"];
    assert_eq!(each(attached, "PolicyName"), ["p"]);
    assert_eq!(details["Policies"][0]["PolicyVersionList"][0]["Document"], document);
    let mut users = Vec::new();
    let mut input = json!({ "Filter": ["User"], "MaxItems": 2 });
    for _ in 0..3 {
        let page = root.ok("iam", "GetAccountAuthorizationDetails", input.clone());
        users.extend(each(&page["UserDetailList"], "UserName").iter().map(|u| (*u).to_owned()));
        match page.get("Marker") {
            None => break,
            Some(marker) => input["Marker"] = marker.clone(),
        }
    }
    assert_eq!(users, ["u0", "u1", "u2"]);
}
