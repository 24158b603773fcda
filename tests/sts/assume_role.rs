//! Assuming roles: trust, tags, source identities, chains, lengths.

use crate::support::{Caller, Keys, Lab, policy, trust};
use serde_json::{Value, json};

/// A role that `document` describes the trust of, which may do everything in IAM and STS.
fn role(root: &Caller<'_>, name: &str, document: &Value) -> String {
    let document = document.to_string();
    let input = json!({
        "RoleName": name, "AssumeRolePolicyDocument": document, "MaxSessionDuration": 7200
    });
    let arn = root.ok("iam", "CreateRole", input)["Role"]["Arn"].as_str().unwrap().to_owned();
    let all = policy("Allow", &["iam:*", "sts:*"], &["*"]).to_string();
    let input = json!({ "RoleName": name, "PolicyName": "all", "PolicyDocument": all });
    root.ok("iam", "PutRolePolicy", input);
    arn
}

#[test]
fn who_is_made_again_under_a_name_is_somebody_else() {
    let Some(lab) = Lab::start("who_is_made_again_under_a_name_is_somebody_else") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let ann = lab.user(&root, "ann", None);
    let arn = format!("arn:aws:iam::{account}:user/ann");
    let named = role(&root, "named", &trust(&arn));
    ann.ok("sts", "AssumeRole", with(&named, json!({})));
    let stored = || {
        let found = root.ok("iam", "GetRole", json!({ "RoleName": "named" }));
        let statement = &found["Role"]["AssumeRolePolicyDocument"]["Statement"];
        statement[0]["Principal"]["AWS"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(stored(), arn);

    let user = root.ok("iam", "GetUser", json!({ "UserName": "ann" }));
    let id = user["User"]["UserId"].as_str().unwrap().to_owned();
    let keys = root.ok("iam", "ListAccessKeys", json!({ "UserName": "ann" }));
    let key = keys["AccessKeyMetadata"][0]["AccessKeyId"].clone();
    root.ok("iam", "DeleteAccessKey", json!({ "UserName": "ann", "AccessKeyId": key }));
    root.ok("iam", "DeleteUser", json!({ "UserName": "ann" }));
    assert_eq!(stored(), id, "the policy names who is gone by the unique id");

    let again = lab.user(&root, "ann", Some(policy("Allow", &["sts:*"], &["*"])));
    assert_eq!(stored(), id, "a new user is not the one that was trusted");
    again.refused(("sts", "AssumeRole"), with(&named, json!({})), ("AccessDenied", 403));
    // Saved again by its ARN, the policy means the new one.
    let document = trust(&arn).to_string();
    let input = json!({ "RoleName": "named", "PolicyDocument": document });
    root.ok("iam", "UpdateAssumeRolePolicy", input);
    again.ok("sts", "AssumeRole", with(&named, json!({})));
}

/// Lets the account's principals assume the role, and tag and name the session.
fn open_trust(account: &str) -> Value {
    let mut document = trust(&format!("arn:aws:iam::{account}:root"));
    document["Statement"][0]["Action"] =
        json!(["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]);
    document
}

fn with(arn: &str, more: Value) -> Value {
    let mut input = json!({ "RoleArn": arn, "RoleSessionName": "tour" });
    input.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
    input
}

#[test]
fn a_role_is_assumed_by_whom_it_trusts() {
    let Some(lab) = Lab::start("a_role_is_assumed_by_whom_it_trusts") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let ann = lab.user(&root, "ann", None);
    let bob = lab.user(&root, "bob", Some(policy("Allow", &["sts:*"], &["*"])));
    // In one account it is enough that the role names the user.
    let named = role(&root, "named", &trust(&format!("arn:aws:iam::{account}:user/ann")));
    let answer = ann.ok("sts", "AssumeRole", with(&named, json!({})));
    let session = &answer["AssumedRoleUser"];
    assert_eq!(session["Arn"], json!(format!("arn:aws:sts::{account}:assumed-role/named/tour")));
    let id = session["AssumedRoleId"].as_str().unwrap();
    assert!(id.starts_with("AROA") && id.ends_with(":tour"), "{id}");
    let key = Keys::of_session(&answer);
    assert!(key.id.starts_with("ASIA"), "{}", key.id);
    let identity = lab.caller(key).ok("sts", "GetCallerIdentity", json!({}));
    assert_eq!((&identity["Arn"], &identity["UserId"]), (&session["Arn"], &json!(id)));

    // An administrator's policy does not make a role trust anybody.
    let refusal =
        bob.refused(("sts", "AssumeRole"), with(&named, json!({})), ("AccessDenied", 403));
    let expected = format!(
        "User: arn:aws:iam::{account}:user/bob is not authorized to perform: sts:AssumeRole on \
         resource: {named}"
    );
    assert!(refusal.message.starts_with(&expected), "{}", refusal.message);
    // A role that is not there reads the same, so nobody learns which there are.
    let ghost = named.replace("named", "ghost");
    let unknown =
        bob.refused(("sts", "AssumeRole"), with(&ghost, json!({})), ("AccessDenied", 403));
    assert_eq!(unknown.message, refusal.message.replace("named", "ghost"));
    let refusal =
        root.refused(("sts", "AssumeRole"), with(&named, json!({})), ("AccessDenied", 403));
    assert_eq!(refusal.message, "Roles may not be assumed by root accounts.");

    // Through the account's root the user needs a policy of its own.
    let open = role(&root, "open", &open_trust(&account));
    ann.refused(("sts", "AssumeRole"), with(&open, json!({})), ("AccessDenied", 403));
    bob.ok("sts", "AssumeRole", with(&open, json!({})));
    for (input, part) in [
        (with("no arn, but long enough", json!({})), "is invalid"),
        (with(&open, json!({ "DurationSeconds": 60 })), "durationSeconds"),
        (with(&open, json!({ "DurationSeconds": 7201 })), "MaxSessionDuration"),
        (with(&open, json!({ "RoleSessionName": "a b" })), "roleSessionName"),
        (json!({ "RoleArn": open }), "roleSessionName"),
    ] {
        let refusal = bob.refused(("sts", "AssumeRole"), input, ("ValidationError", 400));
        assert!(refusal.message.contains(part), "{}", refusal.message);
    }
    let bad = with(&open, json!({ "Policy": "{}" }));
    bob.refused(("sts", "AssumeRole"), bad, ("MalformedPolicyDocument", 400));
}

#[test]
fn tags_and_source_identities_travel_along_a_chain() {
    let test = "tags_and_source_identities_travel_along_a_chain";
    let Some(lab) = Lab::start(test) else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let ann = lab.user(&root, "ann", Some(policy("Allow", &["sts:*"], &["*"])));
    let first = role(&root, "first", &open_trust(&account));
    let mut by_tag = open_trust(&account);
    by_tag["Statement"][0]["Condition"] = json!({
        "StringEquals": { "aws:PrincipalTag/team": "blue", "sts:SourceIdentity": "ann" }
    });
    let second = role(&root, "second", &by_tag);
    let tags = json!([{ "Key": "team", "Value": "blue" }]);
    let named = json!({
        "Tags": tags, "TransitiveTagKeys": ["team"], "SourceIdentity": "ann",
        "DurationSeconds": 900
    });
    let answer = ann.ok("sts", "AssumeRole", with(&first, named.clone()));
    assert_eq!(answer["SourceIdentity"], json!("ann"));
    assert!(answer["PackedPolicySize"].as_u64().unwrap() < 100);
    let chained = lab.caller(Keys::of_session(&answer));
    chained.ok("sts", "AssumeRole", with(&second, json!({})));
    let long = with(&second, json!({ "DurationSeconds": 3601 }));
    let refusal = chained.refused(("sts", "AssumeRole"), long, ("ValidationError", 400));
    assert!(refusal.message.contains("1 hour session limit"), "{}", refusal.message);
    let other = with(&second, json!({ "SourceIdentity": "bob" }));
    let refusal = chained.call("sts", "AssumeRole", other).unwrap_err();
    assert!(["InvalidParameterValue", "AccessDenied"].contains(&&*refusal.code), "{refusal:?}");
    // Without the tag the second role trusts nobody.
    let answer = ann.ok("sts", "AssumeRole", with(&first, json!({ "SourceIdentity": "ann" })));
    let plain = lab.caller(Keys::of_session(&answer));
    plain.refused(("sts", "AssumeRole"), with(&second, json!({})), ("AccessDenied", 403));
    // Tagging wants sts:TagSession in the role's trust, too.
    let strict = role(&root, "strict", &trust(&format!("arn:aws:iam::{account}:root")));
    let refusal = ann.refused(
        ("sts", "AssumeRole"),
        with(&strict, json!({ "Tags": tags })),
        ("AccessDenied", 403),
    );
    assert!(refusal.message.contains("sts:TagSession"), "{}", refusal.message);
}

#[test]
fn a_session_ends_with_its_role() {
    let Some(lab) = Lab::start("a_session_ends_with_its_role") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let ann = lab.user(&root, "ann", Some(policy("Allow", &["sts:*"], &["*"])));
    let arn = role(&root, "brief", &open_trust(&account));
    let session = lab.caller(Keys::of_session(&ann.ok("sts", "AssumeRole", with(&arn, json!({})))));
    session.ok("iam", "ListUsers", json!({}));
    // What the role loses, its sessions lose at once.
    let own = json!({ "RoleName": "brief", "PolicyName": "all" });
    root.ok("iam", "DeleteRolePolicy", own);
    assert_eq!(session.call("iam", "ListUsers", json!({})).unwrap_err().code, "AccessDenied");
    root.ok("iam", "DeleteRole", json!({ "RoleName": "brief" }));
    let refusal = session.call("iam", "ListUsers", json!({})).unwrap_err();
    assert_eq!(refusal.code, "InvalidClientTokenId");
    // Nor does a new role of the same name revive it.
    role(&root, "brief", &open_trust(&account));
    let refusal = session.call("iam", "ListUsers", json!({})).unwrap_err();
    assert_eq!(refusal.code, "InvalidClientTokenId");
}
