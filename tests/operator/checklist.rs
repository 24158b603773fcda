//! The checklist: each line is red when something is wrong and green when it is mended.

use crate::iam::text_of_blob;
use crate::support::{Caller, Lab, Raw, Signature, each, policy, trust};
use serde_json::{Value, json};

const DAY: i64 = 86_400;
const PASSWORD: &str = "Correct-Horse-9-Battery";

fn finding(lab: &Lab, id: &str) -> Value {
    let (status, told) = lab.server.operator("GET", "checklist", None);
    assert_eq!(status, 200, "{told}");
    let mut findings = told["findings"].as_array().unwrap().iter();
    findings.find(|finding| finding["id"] == id).unwrap_or_else(|| panic!("{id}: {told}")).clone()
}

/// The resources of a line that must be red.
#[track_caller]
fn red(lab: &Lab, id: &str) -> Vec<String> {
    let finding = finding(lab, id);
    assert_eq!(finding["status"], "FAILED", "{finding}");
    each(&finding["resources"], "arn").into_iter().map(str::to_owned).collect()
}

#[track_caller]
fn green(lab: &Lab, id: &str) {
    let finding = finding(lab, id);
    assert_eq!(finding["status"], "PASSED", "{finding}");
    assert_eq!(finding["resources"], json!([]), "{finding}");
}

fn strong_policy() -> Value {
    json!({
        "MinimumPasswordLength": 14, "RequireSymbols": true, "RequireNumbers": true,
        "RequireUppercaseCharacters": true, "RequireLowercaseCharacters": true,
        "MaxPasswordAge": 90, "PasswordReusePrevention": 24, "AllowUsersToChangePassword": true,
    })
}

/// Gives a user, or root by its account id, a virtual device.
fn enable_mfa(lab: &Lab, caller: &Caller<'_>, user: &str) {
    let made = caller.ok("iam", "CreateVirtualMFADevice", json!({ "VirtualMFADeviceName": user }));
    let serial = &made["VirtualMFADevice"]["SerialNumber"];
    let seed = text_of_blob(&made["VirtualMFADevice"]["Base32StringSeed"]);
    lab.begin_step();
    let input = json!({
        "UserName": user, "SerialNumber": serial,
        "AuthenticationCode1": lab.totp(&seed, 0), "AuthenticationCode2": lab.totp(&seed, 1),
    });
    caller.ok("iam", "EnableMFADevice", input);
}

#[test]
fn day_one_turns_the_checklist_green() {
    let Some(lab) = Lab::start("day_one_turns_the_checklist_green") else { return };
    let root = lab.root();
    let account = lab.server.account_id();
    let root_arn = format!("arn:aws:iam::{account}:root");
    for id in ["root-access-keys", "individual-users", "strong-password-policy", "mfa"] {
        assert_eq!(red(&lab, id), [root_arn.as_str()], "{id}");
    }
    let ran = lab.server.palisade(&["checklist"]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.out.contains("FAIL  root-access-keys: "), "{}", ran.out);
    assert!(ran.out.contains("ok    key-rotation: "), "{}", ran.out);

    // A group of administrators with one person in it, and MFA for both.
    root.ok("iam", "CreateGroup", json!({ "GroupName": "admins" }));
    let arn = "arn:aws:iam::aws:policy/AdministratorAccess";
    root.ok("iam", "AttachGroupPolicy", json!({ "GroupName": "admins", "PolicyArn": arn }));
    root.ok("iam", "CreateUser", json!({ "UserName": "ann" }));
    root.ok("iam", "AddUserToGroup", json!({ "GroupName": "admins", "UserName": "ann" }));
    root.ok("iam", "CreateLoginProfile", json!({ "UserName": "ann", "Password": PASSWORD }));
    green(&lab, "individual-users");
    assert_eq!(red(&lab, "mfa").len(), 2);
    enable_mfa(&lab, &root, "ann");
    enable_mfa(&lab, &root, &account);
    green(&lab, "mfa");
    root.ok("iam", "UpdateAccountPasswordPolicy", strong_policy());
    let contact = json!({
        "AlternateContactType": "SECURITY", "Name": "Ann", "Title": "CISO",
        "EmailAddress": "ann@example.com", "PhoneNumber": "+4930123456",
    });
    assert_eq!(red(&lab, "activity-monitoring"), [root_arn]);
    root.ok("account", "PutAlternateContact", contact);
    green(&lab, "activity-monitoring");
    // Last of all root's own key goes.
    root.ok("iam", "DeleteAccessKey", json!({ "AccessKeyId": root.keys.id }));
    green(&lab, "root-access-keys");
    let ran = lab.server.palisade(&["checklist", "--format", "json"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told["findings"].as_array().unwrap().len(), 12);
    assert_eq!((&told["account"], &told["notAllowed"]), (&json!(account), &json!([])));
}

#[test]
fn policies_in_the_wrong_places_are_found() {
    let Some(lab) = Lab::start("policies_in_the_wrong_places_are_found") else { return };
    let root = lab.root();
    let account = lab.server.account_id();
    let ann = format!("arn:aws:iam::{account}:user/ann");
    root.ok("iam", "CreateUser", json!({ "UserName": "ann" }));
    green(&lab, "groups-for-permissions");
    let all = policy("Allow", &["*"], &["*"]).to_string();
    let put = json!({ "UserName": "ann", "PolicyName": "all", "PolicyDocument": all });
    root.ok("iam", "PutUserPolicy", put);
    for id in ["groups-for-permissions", "least-privilege"] {
        assert_eq!(red(&lab, id), [ann.as_str()], "{id}");
    }
    root.ok("iam", "DeleteUserPolicy", json!({ "UserName": "ann", "PolicyName": "all" }));
    for id in ["groups-for-permissions", "least-privilege"] {
        green(&lab, id);
    }
    // A bucket for everyone, and a role for a stranger.
    root.ok("s3", "CreateBucket", json!({ "Bucket": "productionapp" }));
    root.ok("s3", "DeletePublicAccessBlock", json!({ "Bucket": "productionapp" }));
    let mut open = policy("Allow", &["s3:GetObject"], &["arn:aws:s3:::productionapp/*"]);
    open["Statement"][0]["Principal"] = json!("*");
    let put = json!({ "Bucket": "productionapp", "Policy": open.to_string() });
    root.ok("s3", "PutBucketPolicy", put);
    lab.account("210987654321");
    let trust = trust("210987654321");
    let role = json!({ "RoleName": "guest", "AssumeRolePolicyDocument": trust.to_string() });
    root.ok("iam", "CreateRole", role);
    let expected =
        [format!("arn:aws:iam::{account}:role/guest"), "arn:aws:s3:::productionapp".to_owned()];
    assert_eq!(red(&lab, "policy-conditions"), expected);
    let mut trust = trust;
    trust["Statement"][0]["Condition"] = json!({ "StringEquals": { "sts:ExternalId": "7" } });
    let update = json!({ "RoleName": "guest", "PolicyDocument": trust.to_string() });
    root.ok("iam", "UpdateAssumeRolePolicy", update);
    root.ok("s3", "DeleteBucketPolicy", json!({ "Bucket": "productionapp" }));
    green(&lab, "policy-conditions");
}

#[test]
fn keys_are_rotated_shared_and_forgotten() {
    let Some(lab) = Lab::start("keys_are_rotated_shared_and_forgotten") else { return };
    let root = lab.root();
    let arn = format!("arn:aws:iam::{}:user/app", lab.server.account_id());
    green(&lab, "roles-for-applications");
    let mut allow = Some(policy("Allow", &["iam:GetUser"], &["*"]));
    let old = lab.user(&root, "app", allow.take());
    assert_eq!(red(&lab, "roles-for-applications"), [arn.as_str()]);
    for id in ["key-rotation", "unused-credentials", "delegation-by-roles"] {
        green(&lab, id);
    }
    lab.advance(91 * DAY);
    let aged = finding(&lab, "key-rotation");
    let keys = each(&aged["resources"], "credential");
    assert!(keys.contains(&old.keys.id.as_str()), "{aged}");
    assert!(red(&lab, "unused-credentials").contains(&arn));
    // Used again it is not forgotten, but old it stays until another one takes its place.
    old.ok("iam", "GetUser", json!({}));
    assert!(!red_or_green(&lab, "unused-credentials").contains(&arn));
    let new = lab.caller(root.new_key("app"));
    new.ok("iam", "GetUser", json!({}));
    assert!(red(&lab, "key-rotation").contains(&arn));
    // Two parties call with the keys of one user.
    lab.advance(8 * DAY);
    old.ok("iam", "GetUser", json!({}));
    new.ok("iam", "GetUser", json!({}));
    assert_eq!(red(&lab, "delegation-by-roles"), [arn.as_str()]);
    let delete = json!({ "UserName": "app", "AccessKeyId": old.keys.id });
    root.ok("iam", "DeleteAccessKey", delete);
    green(&lab, "delegation-by-roles");
    assert!(!red_or_green(&lab, "key-rotation").contains(&arn));
    let delete = json!({ "UserName": "app", "AccessKeyId": new.keys.id });
    root.ok("iam", "DeleteAccessKey", delete);
    green(&lab, "roles-for-applications");
    // What is left is a user of 99 days without anything.
    assert!(red(&lab, "unused-credentials").contains(&arn));
    root.ok("iam", "DeleteUserPolicy", json!({ "UserName": "app", "PolicyName": "own" }));
    root.ok("iam", "DeleteUser", json!({ "UserName": "app" }));
    assert!(!red_or_green(&lab, "unused-credentials").contains(&arn));
}

fn red_or_green(lab: &Lab, id: &str) -> Vec<String> {
    let finding = finding(lab, id);
    each(&finding["resources"], "arn").into_iter().map(str::to_owned).collect()
}

#[test]
fn a_management_account_is_kept_empty() {
    let Some(lab) = Lab::start("a_management_account_is_kept_empty") else { return };
    let root = lab.root();
    let id = "management-account-workload";
    let (_, told) = lab.server.operator("GET", "checklist", None);
    assert!(!each(&told["findings"], "id").contains(&id), "{told}");
    root.ok("organizations", "CreateOrganization", json!({}));
    green(&lab, id);
    root.ok("iam", "CreateUser", json!({ "UserName": "app" }));
    root.ok("s3", "CreateBucket", json!({ "Bucket": "workload" }));
    let key = root.ok("kms", "CreateKey", json!({}))["KeyMetadata"].clone();
    let user = format!("arn:aws:iam::{}:user/app", lab.server.account_id());
    let key_arn = key["Arn"].as_str().unwrap().to_owned();
    assert_eq!(red(&lab, id), [user, "arn:aws:s3:::workload".to_owned(), key_arn]);
    root.ok("iam", "DeleteUser", json!({ "UserName": "app" }));
    root.ok("s3", "DeleteBucket", json!({ "Bucket": "workload" }));
    root.ok("kms", "ScheduleKeyDeletion", json!({ "KeyId": key["KeyId"] }));
    green(&lab, id);
    // Who has a password manages the organization.
    root.ok("iam", "CreateUser", json!({ "UserName": "ann" }));
    root.ok("iam", "CreateLoginProfile", json!({ "UserName": "ann", "Password": PASSWORD }));
    green(&lab, id);
}

#[test]
fn a_signed_caller_sees_what_it_may_read() {
    let Some(lab) = Lab::start("a_signed_caller_sees_what_it_may_read") else { return };
    let root = lab.root();
    let ask = |caller: &Caller<'_>, query: &str| {
        let (service, path) = ("palisade", format!("/_palisade/checklist{query}"));
        let signature =
            Signature { keys: &caller.keys, service, moved_seconds: 0, in_query: false };
        let raw = Raw { method: "GET", path: &path, signature: Some(signature), ..Raw::default() };
        let answer = lab.boto.raw(&raw);
        (answer.status, serde_json::from_str(&answer.body).unwrap_or(Value::Null))
    };
    let nobody = lab.user(&root, "nobody", None);
    assert_eq!(ask(&nobody, "").0, 403);
    let allow = ["palisade:GetChecklist", "iam:GetAccountPasswordPolicy"];
    let auditor = lab.user(&root, "auditor", Some(policy("Allow", &allow, &["*"])));
    let (status, told) = ask(&auditor, "");
    assert_eq!(status, 200, "{told}");
    assert_eq!(each(&told["findings"], "id"), ["strong-password-policy"]);
    assert_eq!(told["notAllowed"].as_array().unwrap().len(), 12, "{told}");
    let (status, told) = ask(&root, "");
    assert_eq!((status, &told["notAllowed"]), (200, &json!([])));
    let other = lab.account("210987654321");
    assert_eq!(ask(&other, "").1["account"], "210987654321");
    let own = format!("?account={}", lab.server.account_id());
    assert_eq!(ask(&other, &own).0, 403);
    assert_eq!(ask(&root, &own).0, 200);
    assert_eq!(ask(&root, "?account=nonsense").0, 400);
    let (status, _) = lab.server.operator("GET", "checklist?account=999999999999", None);
    assert_eq!(status, 400);
    assert_eq!(lab.server.plain("GET", "/_palisade/checklist", "", None).0, 403);
}

#[test]
fn the_command_names_its_checks() {
    let Some(lab) = Lab::start("the_command_names_its_checks") else { return };
    let root = lab.root();
    root.ok("iam", "CreateUser", json!({ "UserName": "ann" }));
    let ran = lab.server.palisade(&["checklist", "--ignore", "nonsense"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("there is no check nonsense"), "{}", ran.err);
    let red = ["root-access-keys", "strong-password-policy", "mfa", "activity-monitoring"];
    let mut arguments = vec!["checklist"];
    for id in red {
        arguments.extend(["--ignore", id]);
    }
    let ran = lab.server.palisade(&arguments);
    assert_eq!(ran.code, Some(0), "{}", ran.out);
    assert!(ran.out.ends_with("4 of 12 checks failed\n"), "{}", ran.out);
    let ran = lab.server.palisade(&["checklist", "--account", "999999999999"]);
    assert_eq!(ran.code, Some(2), "{}", ran.out);
    let ran = lab.server.palisade(&["checklist", "--account", "x"]);
    assert_eq!(ran.code, Some(2), "{}", ran.out);
}
