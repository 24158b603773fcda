//! The whole loop with the AWS CLI and boto3: from an empty data folder over a refusal, a grant, a
//! role of another account, a boundary and a session policy to a killed server that forgot nothing.

use crate::support::{Caller, Keys, Lab, aws, aws_json, each, have_tool, policy, skip, trust};
use serde_json::{Value, json};

const OTHER_ACCOUNT: &str = "210987654321";

/// May list all buckets, work with one bucket and with the objects in it.
fn bucket_policy() -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [
            { "Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*" },
            {
                "Effect": "Allow",
                "Action": ["s3:ListBucket", "s3:GetBucketLocation"],
                "Resource": "arn:aws:s3:::productionapp"
            },
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
                "Resource": "arn:aws:s3:::productionapp/*"
            }
        ]
    })
    .to_string()
}

/// AWS's words for a refused `iam:ListUsers`.
fn list_users_refused(caller_arn: &str, account: &str, because: &str) -> String {
    format!(
        "An error occurred (AccessDenied) when calling the ListUsers operation: User: {caller_arn} \
         is not authorized to perform: iam:ListUsers on resource: arn:aws:iam::{account}:user/ \
         because {because}"
    )
}

const NO_IDENTITY_POLICY: &str = "no identity-based policy allows the iam:ListUsers action";

#[test]
fn the_loop_closes_with_the_cli_and_boto3() {
    let test = "the_loop_closes_with_the_cli_and_boto3";
    if !have_tool("aws", &["--version"]) {
        return skip(test, "the AWS CLI is not installed");
    }
    let Some(mut lab) = Lab::start(test) else { return };
    let root = lab.server.root_keys();
    let account = lab.server.account_id();
    let arn = format!("arn:aws:iam::{account}:user/deploy");

    let user = make_the_user(&lab, &root, &arn);
    refused_then_allowed_by_a_group(&lab, &root, &user, &arn, &account);
    let other = lab.account(OTHER_ACCOUNT).keys;
    let session = assume_across_accounts(&lab, &user, &other, &arn);
    stopped_by_a_boundary(&lab, &user, &arn, &account);
    stopped_by_a_session_policy(&lab, &user);

    lab.server.kill();
    lab.server.start_again();
    nothing_is_forgotten(&lab, &user, &session, &arn);
    each_call_is_in_the_event_history(&lab, &root, &other);
}

fn make_the_user(lab: &Lab, root: &Keys, arn: &str) -> Keys {
    let cli = |arguments: &[&str]| aws_json(&lab.server, root, arguments);
    let made = cli(&["iam", "create-user", "--user-name", "deploy"]);
    assert_eq!(made["User"]["Arn"], json!(arn));
    let document = bucket_policy();
    let made = cli(&[
        "iam",
        "create-policy",
        "--policy-name",
        "productionapp",
        "--policy-document",
        &document,
    ]);
    let policy = made["Policy"]["Arn"].as_str().unwrap();
    cli(&["iam", "attach-user-policy", "--user-name", "deploy", "--policy-arn", policy]);
    let made = cli(&["iam", "create-access-key", "--user-name", "deploy"]);
    let key = &made["AccessKey"];
    Keys::of(key["AccessKeyId"].as_str().unwrap(), key["SecretAccessKey"].as_str().unwrap())
}

fn refused_then_allowed_by_a_group(lab: &Lab, root: &Keys, user: &Keys, arn: &str, account: &str) {
    let refused = list_users_refused(arn, account, NO_IDENTITY_POLICY);
    let ran = aws(&lab.server, user, &["iam", "list-users"]);
    assert_ne!(ran.code, Some(0));
    assert_eq!(ran.err.trim(), refused);
    let caller = lab.caller(user.clone());
    let refusal = caller.call("iam", "ListUsers", json!({})).unwrap_err();
    assert_eq!((refusal.text.as_str(), refusal.status), (refused.as_str(), 403));
    let why = lab.server.palisade(&["why", "--last"]);
    assert_eq!(why.code, Some(0), "{}", why.err);
    assert!(why.out.contains("iam:ListUsers") && why.out.contains(arn), "{}", why.out);

    let cli = |arguments: &[&str]| aws_json(&lab.server, root, arguments);
    let document = policy("Allow", &["iam:List*"], &["*"]).to_string();
    cli(&["iam", "create-group", "--group-name", "readers"]);
    cli(&[
        "iam",
        "put-group-policy",
        "--group-name",
        "readers",
        "--policy-name",
        "lists",
        "--policy-document",
        &document,
    ]);
    cli(&["iam", "add-user-to-group", "--group-name", "readers", "--user-name", "deploy"]);
    let users = aws_json(&lab.server, user, &["iam", "list-users"]);
    assert_eq!(each(&users["Users"], "UserName"), ["deploy"]);
    let users = caller.ok("iam", "ListUsers", json!({}));
    assert_eq!(each(&users["Users"], "UserName"), ["deploy"]);
}

fn assume_across_accounts(lab: &Lab, user: &Keys, other: &Keys, arn: &str) -> Keys {
    let other = lab.caller(other.clone());
    let account = arn.split(':').nth(4).unwrap();
    let mut trusted = trust(&format!("arn:aws:iam::{account}:root"));
    trusted["Statement"][0]["Condition"] = json!({ "StringEquals": { "sts:ExternalId": "42-a" } });
    let role = json!({ "RoleName": "audit", "AssumeRolePolicyDocument": trusted.to_string() });
    let role = other.ok("iam", "CreateRole", role)["Role"]["Arn"].clone();
    let document = policy("Allow", &["iam:*"], &["*"]).to_string();
    let own = json!({ "RoleName": "audit", "PolicyName": "own", "PolicyDocument": document });
    other.ok("iam", "PutRolePolicy", own);

    let caller = lab.caller(user.clone());
    let assume = |external: &str| {
        let input = json!({ "RoleArn": role, "RoleSessionName": "tour", "ExternalId": external });
        caller.call("sts", "AssumeRole", input)
    };
    // The trust is not enough: across accounts both sides must allow.
    let refusal = assume("42-a").unwrap_err();
    let refused = format!(
        "User: {arn} is not authorized to perform: sts:AssumeRole on resource: \
         arn:aws:iam::{OTHER_ACCOUNT}:role/audit because no identity-based policy allows the \
         sts:AssumeRole action"
    );
    assert_eq!((refusal.code.as_str(), refusal.message.as_str()), ("AccessDenied", &*refused));
    let document = policy("Allow", &["sts:AssumeRole"], &[role.as_str().unwrap()]).to_string();
    let own = json!({ "UserName": "deploy", "PolicyName": "audit", "PolicyDocument": document });
    lab.root().ok("iam", "PutUserPolicy", own);

    let refusal = assume("43-b").unwrap_err();
    assert_eq!((refusal.code.as_str(), refusal.status), ("AccessDenied", 403));
    let answer = assume("42-a").unwrap();
    let assumed = format!("arn:aws:sts::{OTHER_ACCOUNT}:assumed-role/audit/tour");
    assert_eq!(answer["AssumedRoleUser"]["Arn"], json!(assumed));
    let session = Keys::of_session(&answer);
    let identity = aws_json(&lab.server, &session, &["sts", "get-caller-identity"]);
    assert_eq!((&identity["Arn"], &identity["Account"]), (&json!(assumed), &json!(OTHER_ACCOUNT)));
    let roles = lab.caller(session.clone()).ok("iam", "ListRoles", json!({}));
    assert_eq!(each(&roles["Roles"], "RoleName"), ["audit"]);
    session
}

fn stopped_by_a_boundary(lab: &Lab, user: &Keys, arn: &str, account: &str) {
    let root = lab.root();
    let document = policy("Allow", &["s3:*", "sts:*"], &["*"]).to_string();
    let made = json!({ "PolicyName": "fence", "PolicyDocument": document });
    let fence = root.ok("iam", "CreatePolicy", made)["Policy"]["Arn"].clone();
    let boundary = json!({ "UserName": "deploy", "PermissionsBoundary": fence });
    root.ok("iam", "PutUserPermissionsBoundary", boundary);
    let refusal = lab.caller(user.clone()).call("iam", "ListUsers", json!({})).unwrap_err();
    let because = "no permissions boundary allows the iam:ListUsers action";
    assert_eq!(refusal.text, list_users_refused(arn, account, because));
    root.ok("iam", "DeleteUserPermissionsBoundary", json!({ "UserName": "deploy" }));
    lab.caller(user.clone()).ok("iam", "ListUsers", json!({}));
}

fn stopped_by_a_session_policy(lab: &Lab, user: &Keys) {
    let document = policy("Allow", &["iam:GetRole"], &["*"]).to_string();
    let answer = lab.caller(user.clone()).ok(
        "sts",
        "AssumeRole",
        json!({
            "RoleArn": format!("arn:aws:iam::{OTHER_ACCOUNT}:role/audit"),
            "RoleSessionName": "narrow",
            "ExternalId": "42-a",
            "Policy": document,
        }),
    );
    let narrow = lab.caller(Keys::of_session(&answer));
    narrow.ok("iam", "GetRole", json!({ "RoleName": "audit" }));
    let refusal = narrow.call("iam", "ListUsers", json!({})).unwrap_err();
    let arn = format!("arn:aws:sts::{OTHER_ACCOUNT}:assumed-role/audit/narrow");
    let because = "no session policy allows the iam:ListUsers action";
    assert_eq!(refusal.text, list_users_refused(&arn, OTHER_ACCOUNT, because));
}

fn nothing_is_forgotten(lab: &Lab, user: &Keys, session: &Keys, arn: &str) {
    let identity = aws_json(&lab.server, user, &["sts", "get-caller-identity"]);
    assert_eq!(identity["Arn"], json!(arn));
    let caller = lab.caller(user.clone());
    let users = caller.ok("iam", "ListUsers", json!({}));
    assert_eq!(each(&users["Users"], "UserName"), ["deploy"]);
    let groups = caller.ok("iam", "ListGroupsForUser", json!({ "UserName": "deploy" }));
    assert_eq!(each(&groups["Groups"], "GroupName"), ["readers"]);
    let input = json!({ "UserName": "deploy" });
    let attached = caller.ok("iam", "ListAttachedUserPolicies", input.clone());
    assert_eq!(each(&attached["AttachedPolicies"], "PolicyName"), ["productionapp"]);
    assert_eq!(caller.ok("iam", "ListUserPolicies", input)["PolicyNames"], json!(["audit"]));
    let policy = attached["AttachedPolicies"][0]["PolicyArn"].clone();
    let version = json!({ "PolicyArn": policy, "VersionId": "v1" });
    let version = lab.root().ok("iam", "GetPolicyVersion", version);
    let kept: Value = serde_json::from_str(&bucket_policy()).unwrap();
    assert_eq!(version["PolicyVersion"]["Document"], kept);
    // A session of before goes on, and so does the trust of the other account.
    let roles = lab.caller(session.clone()).ok("iam", "ListRoles", json!({}));
    assert_eq!(each(&roles["Roles"], "RoleName"), ["audit"]);
}

fn each_call_is_in_the_event_history(lab: &Lab, root: &Keys, other: &Keys) {
    let events = history(&lab.caller(root.clone()));
    let count = |name: &str, error: Option<&str>| {
        let wanted = |event: &&Value| {
            event["eventName"] == name && event.get("errorCode").and_then(Value::as_str) == error
        };
        events.iter().filter(wanted).count()
    };
    let expected = [
        ("CreateUser", None, 1),
        ("CreatePolicy", None, 2),
        ("AttachUserPolicy", None, 1),
        ("CreateAccessKey", None, 1),
        ("ListUsers", Some("AccessDenied"), 3),
        ("CreateGroup", None, 1),
        ("PutGroupPolicy", None, 1),
        ("AddUserToGroup", None, 1),
        ("ListUsers", None, 4),
        ("PutUserPolicy", None, 1),
        ("AssumeRole", Some("AccessDenied"), 2),
        ("AssumeRole", None, 2),
        ("PutUserPermissionsBoundary", None, 1),
        ("DeleteUserPermissionsBoundary", None, 1),
        ("GetCallerIdentity", None, 1),
        ("ListGroupsForUser", None, 1),
        ("ListAttachedUserPolicies", None, 1),
        ("ListUserPolicies", None, 1),
        ("GetPolicyVersion", None, 1),
    ];
    for (name, error, times) in expected {
        assert_eq!(count(name, error), times, "{name} {error:?}");
    }
    let made = events.iter().find(|event| event["eventName"] == "CreateAccessKey").unwrap();
    let told = made.to_string();
    assert!(made["responseElements"]["accessKey"]["accessKeyId"].is_string(), "{told}");
    assert!(made["responseElements"]["accessKey"].get("secretAccessKey").is_none(), "{told}");

    let ran = ["cloudtrail", "lookup-events", "--lookup-attributes"];
    let attribute = "AttributeKey=EventName,AttributeValue=CreateUser";
    let found = aws_json(&lab.server, root, &[&ran[..], &[attribute]].concat());
    assert_eq!(each(&found["Events"], "EventName"), ["CreateUser"]);
    assert_eq!(found["Events"][0]["Username"], json!("root"));

    let elsewhere = history(&lab.caller(other.clone()));
    let names: Vec<&str> =
        elsewhere.iter().map(|event| event["eventName"].as_str().unwrap()).collect();
    for name in ["CreateRole", "PutRolePolicy", "GetRole", "ListRoles", "ListUsers"] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    // The account whose role is assumed sees that, too.
    assert_eq!(names.iter().filter(|name| **name == "AssumeRole").count(), 2, "{names:?}");
}

/// All events of an account, as records.
fn history(caller: &Caller<'_>) -> Vec<Value> {
    let mut events = Vec::new();
    let mut input = json!({});
    for _ in 0..100 {
        let answer = caller.ok("cloudtrail", "LookupEvents", input.clone());
        for event in answer["Events"].as_array().unwrap() {
            let record = event["CloudTrailEvent"].as_str().unwrap();
            events.push(serde_json::from_str(record).unwrap());
        }
        match answer.get("NextToken") {
            None => return events,
            Some(token) => input["NextToken"] = token.clone(),
        }
    }
    panic!("the event history has no last page");
}
