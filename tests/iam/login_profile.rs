//! Login profiles and their passwords.

use super::check_refusals;
use crate::support::{Lab, policy};
use serde_json::{Value, json};

const FIRST: &str = "Correct-horse-1";
const SECOND: &str = "Battery-staple-2";

#[test]
fn login_profiles_live_and_die() {
    let Some(lab) = Lab::start("login_profiles_live_and_die") else { return };
    let root = lab.root();
    root.ok("iam", "CreateUser", json!({ "UserName": "ann" }));
    let named = json!({ "UserName": "ann" });
    check_refusals(
        &root,
        &[(
            "GetLoginProfile",
            named.clone(),
            "NoSuchEntity",
            404,
            "Login Profile for User ann cannot be found.",
        )],
    );
    let input = json!({ "UserName": "ann", "Password": FIRST, "PasswordResetRequired": true });
    let made = root.ok("iam", "CreateLoginProfile", input.clone())["LoginProfile"].clone();
    assert_eq!((&made["UserName"], &made["PasswordResetRequired"]), (&json!("ann"), &json!(true)));
    assert_eq!(root.ok("iam", "GetLoginProfile", named.clone())["LoginProfile"], made);
    let update = json!({ "UserName": "ann", "PasswordResetRequired": false });
    root.ok("iam", "UpdateLoginProfile", update);
    let got = root.ok("iam", "GetLoginProfile", named.clone())["LoginProfile"].clone();
    assert_eq!(got["PasswordResetRequired"], json!(false));
    let weak = |password: &str| json!({ "UserName": "ann", "Password": password });
    check_refusals(
        &root,
        &[
            (
                "CreateLoginProfile",
                input,
                "EntityAlreadyExists",
                409,
                "Login Profile for user ann already exists.",
            ),
            (
                "UpdateLoginProfile",
                weak("short"),
                "PasswordPolicyViolation",
                400,
                "Password should have a minimum length of 8",
            ),
            (
                "UpdateLoginProfile",
                weak("alllowercase"),
                "PasswordPolicyViolation",
                400,
                "Password should meet 2 more of the following requirements: Password should have \
                 at least one uppercase letter, Password should have at least one number, Password \
                 should have at least one symbol",
            ),
            ("UpdateLoginProfile", weak(""), "ValidationError", 400, "password"),
            ("UpdateLoginProfile", weak(&"Aa1-".repeat(33)), "ValidationError", 400, "password"),
            (
                "DeleteUser",
                named.clone(),
                "DeleteConflict",
                409,
                "Cannot delete entity, must delete login profile first.",
            ),
            ("CreateLoginProfile", json!({ "UserName": "bob" }), "NoSuchEntity", 404, "bob"),
            (
                "CreateLoginProfile",
                json!({ "Password": FIRST }),
                "ValidationError",
                400,
                "userName",
            ),
        ],
    );
    root.ok("iam", "DeleteLoginProfile", named.clone());
    check_refusals(
        &root,
        &[
            ("DeleteLoginProfile", named.clone(), "NoSuchEntity", 404, "ann"),
            ("UpdateLoginProfile", weak(FIRST), "NoSuchEntity", 404, "ann"),
        ],
    );
    root.ok("iam", "DeleteUser", named);
}

#[test]
fn users_change_their_own_password_when_they_may() {
    let test = "users_change_their_own_password_when_they_may";
    let Some(lab) = Lab::start(test) else { return };
    let root = lab.root();
    let ann = lab.user(&root, "ann", None);
    let change = |old: &str, new: &str| json!({ "OldPassword": old, "NewPassword": new });
    let refused = ann.call("iam", "ChangePassword", change(FIRST, SECOND)).unwrap_err();
    assert_eq!(refused.code, "AccessDenied");
    assert!(
        refused.message.contains("iam:ChangePassword on resource: arn:aws:iam::"),
        "{refused:?}"
    );

    // The account's password policy lets every user.
    root.ok("iam", "UpdateAccountPasswordPolicy", json!({ "AllowUsersToChangePassword": true }));
    ann.ok("iam", "GetAccountPasswordPolicy", json!({}));
    let none = ann.call("iam", "ChangePassword", change(FIRST, SECOND)).unwrap_err();
    assert_eq!((none.code.as_str(), none.status), ("NoSuchEntity", 404));
    let input = json!({ "UserName": "ann", "Password": FIRST, "PasswordResetRequired": true });
    root.ok("iam", "CreateLoginProfile", input);
    ann.ok("iam", "ChangePassword", change(FIRST, SECOND));
    let got = root.ok("iam", "GetLoginProfile", json!({ "UserName": "ann" }));
    assert_eq!(got["LoginProfile"]["PasswordResetRequired"], json!(false));
    let wrong = ann.call("iam", "ChangePassword", change(FIRST, SECOND)).unwrap_err();
    assert_eq!(wrong.message, "The old password was incorrect.");

    // So does a policy of its own, and a denial wins over both.
    root.ok("iam", "DeleteAccountPasswordPolicy", json!({}));
    assert!(ann.call("iam", "ChangePassword", change(SECOND, FIRST)).is_err());
    let own = |effect: &str| {
        let document = policy(effect, &["iam:ChangePassword"], &["*"]).to_string();
        let input = json!({ "UserName": "ann", "PolicyName": "p", "PolicyDocument": document });
        root.ok("iam", "PutUserPolicy", input);
    };
    own("Allow");
    ann.ok("iam", "ChangePassword", change(SECOND, FIRST));
    root.ok("iam", "UpdateAccountPasswordPolicy", json!({ "AllowUsersToChangePassword": true }));
    own("Deny");
    let denied = ann.call("iam", "ChangePassword", change(FIRST, SECOND)).unwrap_err();
    assert!(denied.message.contains("explicit deny"), "{denied:?}");
    check_refusals(
        &root,
        &[("ChangePassword", change(FIRST, SECOND), "InvalidUserType", 400, "Only IAM Users")],
    );
}

/// No event, record or log file holds a password.
#[test]
fn passwords_are_written_nowhere() {
    let Some(lab) = Lab::start("passwords_are_written_nowhere") else { return };
    let root = lab.root();
    root.ok("iam", "CreateUser", json!({ "UserName": "ann" }));
    let input = |password: &str| json!({ "UserName": "ann", "Password": password });
    root.ok("iam", "CreateLoginProfile", input(FIRST));
    root.ok("iam", "UpdateLoginProfile", input(SECOND));
    let weak = "Sesame";
    root.call("iam", "UpdateLoginProfile", input(weak)).unwrap_err();
    let made = |name: &str| {
        let attribute = json!([{ "AttributeKey": "EventName", "AttributeValue": name }]);
        let found = root.ok("cloudtrail", "LookupEvents", json!({ "LookupAttributes": attribute }));
        let event = found["Events"][0]["CloudTrailEvent"].as_str().unwrap().to_owned();
        serde_json::from_str::<Value>(&event).unwrap()
    };
    assert_eq!(made("CreateLoginProfile")["requestParameters"], json!({ "userName": "ann" }));
    let mut files = vec![lab.server.folder.path().to_owned()];
    let mut searched = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        searched += 1;
        for secret in [FIRST, SECOND, weak] {
            let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "{secret} is in {}", path.display());
        }
    }
    assert!(searched > 3);
}
