//! The account's password policy.

use super::check_refusals;
use crate::support::Lab;
use serde_json::json;

#[test]
fn a_password_policy_is_set_kept_and_enforced() {
    let Some(lab) = Lab::start("a_password_policy_is_set_kept_and_enforced") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let missing = format!("The Password Policy with domain name {account} cannot be found.");
    check_refusals(
        &root,
        &[
            ("GetAccountPasswordPolicy", json!({}), "NoSuchEntity", 404, &missing),
            ("DeleteAccountPasswordPolicy", json!({}), "NoSuchEntity", 404, &missing),
            (
                "UpdateAccountPasswordPolicy",
                json!({ "MinimumPasswordLength": 5 }),
                "ValidationError",
                400,
                "minimumPasswordLength",
            ),
            (
                "UpdateAccountPasswordPolicy",
                json!({ "PasswordReusePrevention": 25 }),
                "ValidationError",
                400,
                "passwordReusePrevention",
            ),
        ],
    );
    let wanted = json!({
        "MinimumPasswordLength": 12,
        "RequireSymbols": true,
        "RequireNumbers": true,
        "RequireUppercaseCharacters": true,
        "RequireLowercaseCharacters": true,
        "AllowUsersToChangePassword": true,
        "MaxPasswordAge": 90,
        "PasswordReusePrevention": 3,
        "HardExpiry": true,
    });
    root.ok("iam", "UpdateAccountPasswordPolicy", wanted.clone());
    let mut got = root.ok("iam", "GetAccountPasswordPolicy", json!({}))["PasswordPolicy"].clone();
    assert_eq!(got["ExpirePasswords"], json!(true));
    got.as_object_mut().unwrap().remove("ExpirePasswords");
    assert_eq!(got, wanted);

    root.ok("iam", "CreateUser", json!({ "UserName": "ann" }));
    let profile = |password: &str| json!({ "UserName": "ann", "Password": password });
    let no_symbol = "Password should have at least one symbol";
    let refusal = "PasswordPolicyViolation";
    check_refusals(
        &root,
        &[
            ("CreateLoginProfile", profile("Correct1horse"), refusal, 400, no_symbol),
            ("CreateLoginProfile", profile("Aa1-"), refusal, 400, "a minimum length of 12"),
        ],
    );
    root.ok("iam", "CreateLoginProfile", profile("Correct-horse-1"));
    root.ok("iam", "UpdateLoginProfile", profile("Correct-horse-2"));
    root.ok("iam", "UpdateLoginProfile", profile("Correct-horse-3"));
    let used = "one of the last 3 passwords";
    check_refusals(
        &root,
        &[("UpdateLoginProfile", profile("Correct-horse-1"), refusal, 400, used)],
    );
    root.ok("iam", "UpdateLoginProfile", profile("Correct-horse-4"));
    root.ok("iam", "UpdateLoginProfile", profile("Correct-horse-1"));

    // What is not given goes back to its default.
    root.ok("iam", "UpdateAccountPasswordPolicy", json!({ "RequireNumbers": true }));
    let got = root.ok("iam", "GetAccountPasswordPolicy", json!({}))["PasswordPolicy"].clone();
    assert_eq!(
        got,
        json!({
            "MinimumPasswordLength": 6,
            "RequireSymbols": false,
            "RequireNumbers": true,
            "RequireUppercaseCharacters": false,
            "RequireLowercaseCharacters": false,
            "AllowUsersToChangePassword": false,
            "ExpirePasswords": false,
        })
    );
    root.ok("iam", "DeleteAccountPasswordPolicy", json!({}));
    check_refusals(
        &root,
        &[("GetAccountPasswordPolicy", json!({}), "NoSuchEntity", 404, &missing)],
    );
}

#[test]
fn the_global_endpoints_token_version_is_shown() {
    let Some(lab) = Lab::start("the_global_endpoints_token_version_is_shown") else { return };
    let root = lab.root();
    let version = || {
        let summary = root.ok("iam", "GetAccountSummary", json!({}));
        summary["SummaryMap"]["GlobalEndpointTokenVersion"].clone()
    };
    assert_eq!(version(), json!(1));
    let choose = |version: &str| json!({ "GlobalEndpointTokenVersion": version });
    root.ok("iam", "SetSecurityTokenServicePreferences", choose("v2Token"));
    assert_eq!(version(), json!(2));
    root.ok("iam", "SetSecurityTokenServicePreferences", choose("v1Token"));
    assert_eq!(version(), json!(1));
    check_refusals(
        &root,
        &[(
            "SetSecurityTokenServicePreferences",
            choose("v3Token"),
            "ValidationError",
            400,
            "globalEndpointTokenVersion",
        )],
    );
    let summary = root.ok("iam", "GetAccountSummary", json!({}))["SummaryMap"].clone();
    assert_eq!(summary["AccountPasswordPresent"], json!(1), "root has one from the first start");
}
