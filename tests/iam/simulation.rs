//! The policy simulator through boto3, and that it says what the server then does.

use super::check_refusals;
use crate::support::{Caller, Lab, each, policy, trust};
use serde_json::{Value, json};

fn statement(effect: &str, action: &str, more: Value) -> Value {
    let mut statement = json!({ "Effect": effect, "Action": action, "Resource": "*" });
    let more = more.as_object().cloned().unwrap_or_default();
    statement.as_object_mut().unwrap().extend(more);
    json!({ "Version": "2012-10-17", "Statement": [statement] })
}

fn simulate(caller: &Caller<'_>, operation: &str, input: Value) -> Value {
    caller.ok("iam", operation, input)["EvaluationResults"].clone()
}

#[test]
fn policies_that_are_handed_in_are_decided() {
    let Some(lab) = Lab::start("policies_that_are_handed_in_are_decided") else { return };
    let root = lab.root();
    let ana = "arn:aws:iam::123456789012:user/ana";
    let shared = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "AWS": ana }, "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::shared/*"
    }] });
    let own = policy("Allow", &["s3:GetObject"], &["arn:aws:s3:::app/*"]);
    let boundary = statement("Allow", "s3:*", json!({}));
    let results = simulate(
        &root,
        "SimulateCustomPolicy",
        json!({
            "PolicyInputList": [own.to_string()],
            "PermissionsBoundaryPolicyInputList": [boundary.to_string()],
            "ActionNames": ["s3:GetObject", "s3:PutObject"],
            "ResourceArns": ["arn:aws:s3:::app/a", "arn:aws:s3:::other/a"],
        }),
    );
    assert_eq!(each(&results, "EvalActionName"), ["s3:GetObject", "s3:PutObject"]);
    assert_eq!(each(&results, "EvalDecision"), ["implicitDeny", "implicitDeny"]);
    let specific = &results[0]["ResourceSpecificResults"];
    assert_eq!(each(specific, "EvalResourceDecision"), ["allowed", "implicitDeny"]);
    let matched = &specific[0]["MatchedStatements"][0];
    assert_eq!(matched["SourcePolicyId"], "PolicyInputList.1");
    assert_eq!(matched["SourcePolicyType"], "IAM Policy");
    assert!(
        matched["StartPosition"]["Column"].as_u64() < matched["EndPosition"]["Column"].as_u64()
    );
    let boundary = &results[0]["PermissionsBoundaryDecisionDetail"];
    assert_eq!(boundary["AllowedByPermissionsBoundary"], true);
    let across = |owner: &str| {
        let input = json!({
            "PolicyInputList": [], "ActionNames": ["s3:GetObject"], "CallerArn": ana,
            "ResourceArns": ["arn:aws:s3:::shared/a"], "ResourcePolicy": shared.to_string(),
            "ResourceOwner": format!("arn:aws:iam::{owner}:root"),
        });
        simulate(&root, "SimulateCustomPolicy", input)[0].clone()
    };
    assert_eq!(across("123456789012")["EvalDecision"], "allowed");
    let foreign = across("210987654321");
    assert_eq!(foreign["EvalDecision"], "implicitDeny");
    let details = json!({ "IAM Policy": "implicitDeny", "Resource Policy": "allowed" });
    assert_eq!(foreign["EvalDecisionDetails"], details);
}

#[test]
fn context_entries_of_every_type_count() {
    let Some(lab) = Lab::start("context_entries_of_every_type_count") else { return };
    let root = lab.root();
    let cases = [
        ("string", json!(["x"]), json!({ "StringEquals": { "app:key": "x" } })),
        (
            "stringList",
            json!(["x", "y"]),
            json!({ "ForAnyValue:StringEquals": { "app:key": "y" } }),
        ),
        ("numeric", json!(["7"]), json!({ "NumericLessThan": { "app:key": "8" } })),
        (
            "numericList",
            json!(["7"]),
            json!({ "ForAllValues:NumericLessThan": { "app:key": "8" } }),
        ),
        ("boolean", json!(["true"]), json!({ "Bool": { "app:key": "true" } })),
        ("booleanList", json!(["true"]), json!({ "ForAllValues:Bool": { "app:key": "true" } })),
        ("ip", json!(["10.1.2.3"]), json!({ "IpAddress": { "app:key": "10.0.0.0/8" } })),
        (
            "ipList",
            json!(["10.1.2.3"]),
            json!({ "ForAnyValue:IpAddress": { "app:key": "10.0.0.0/8" } }),
        ),
        ("binary", json!(["QQ=="]), json!({ "BinaryEquals": { "app:key": "QQ==" } })),
        (
            "binaryList",
            json!(["QQ=="]),
            json!({ "ForAnyValue:BinaryEquals": { "app:key": "QQ==" } }),
        ),
        (
            "date",
            json!(["2026-01-01T00:00:00Z"]),
            json!({ "DateLessThan": { "app:key": "2027-01-01" } }),
        ),
        (
            "dateList",
            json!(["2026-01-01"]),
            json!({ "ForAllValues:DateLessThan": { "app:key": "2027-01-01" } }),
        ),
    ];
    for (kind, values, condition) in cases {
        let document = statement("Allow", "s3:*", json!({ "Condition": condition }));
        let ask = |entries: Value| {
            let input = json!({
                "PolicyInputList": [document.to_string()], "ActionNames": ["s3:GetObject"],
                "ContextEntries": entries,
            });
            simulate(&root, "SimulateCustomPolicy", input)[0].clone()
        };
        let entry = json!({
            "ContextKeyName": "app:key", "ContextKeyType": kind, "ContextKeyValues": values
        });
        assert_eq!(ask(json!([entry]))["EvalDecision"], "allowed", "{kind}");
        let without = ask(json!([]));
        if !kind.ends_with("List") {
            assert_eq!(without["EvalDecision"], "implicitDeny", "{kind}");
            assert_eq!(without["MissingContextValues"], json!(["app:key"]));
        }
    }
}

#[test]
fn the_simulator_refuses_what_aws_refuses_and_pages_by_actions() {
    let test = "the_simulator_refuses_what_aws_refuses_and_pages_by_actions";
    let Some(lab) = Lab::start(test) else { return };
    let root = lab.root();
    let account = lab.server.account_id();
    let all = statement("Allow", "*", json!({})).to_string();
    let custom = |more: Value| {
        let mut input = json!({ "PolicyInputList": [all], "ActionNames": ["s3:GetObject"] });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let missing = json!({
        "PolicySourceArn": format!("arn:aws:iam::{account}:user/nobody"),
        "ActionNames": ["s3:GetObject"]
    });
    let nobody = format!("arn:aws:iam::{account}:role/nobody");
    let keys_of_nobody = json!({ "PolicySourceArn": nobody });
    check_refusals(
        &root,
        &[
            (
                "SimulateCustomPolicy",
                custom(json!({ "PolicyInputList": ["{"] })),
                "InvalidInput",
                400,
                "list item 1 has invalid content",
            ),
            (
                "SimulateCustomPolicy",
                custom(json!({ "ActionNames": ["GetObject"] })),
                "InvalidInput",
                400,
                "missing names",
            ),
            (
                "SimulateCustomPolicy",
                custom(json!({ "ResourceArns": ["nowhere"] })),
                "InvalidInput",
                400,
                "valid ARN format",
            ),
            (
                "SimulateCustomPolicy",
                custom(json!({ "Marker": "nowhere" })),
                "InvalidInput",
                400,
                "Invalid marker",
            ),
            ("SimulatePrincipalPolicy", missing, "NoSuchEntity", 404, "Unable to retrieve"),
            (
                "GetContextKeysForCustomPolicy",
                json!({ "PolicyInputList": ["{"] }),
                "InvalidInput",
                400,
                "list item 1",
            ),
            (
                "GetContextKeysForPrincipalPolicy",
                keys_of_nobody,
                "NoSuchEntity",
                404,
                "Unable to retrieve",
            ),
        ],
    );
    let actions =
        ["s3:GetObject", "s3:PutObject", "iam:GetUser", "iam:ListUsers", "sqs:SendMessage"];
    let mut seen = Vec::new();
    let mut marker = Value::Null;
    loop {
        let mut input = custom(json!({ "ActionNames": actions, "MaxItems": 2 }));
        if marker.is_string() {
            input["Marker"] = marker.clone();
        }
        let page = root.ok("iam", "SimulateCustomPolicy", input);
        let names = each(&page["EvaluationResults"], "EvalActionName");
        assert!(names.len() <= 2);
        seen.extend(names.into_iter().map(str::to_owned));
        if page["IsTruncated"] != true {
            break;
        }
        marker = page["Marker"].clone();
    }
    assert_eq!(seen, actions);
}

#[test]
fn only_who_may_simulate_does() {
    let Some(lab) = Lab::start("only_who_may_simulate_does") else { return };
    let root = lab.root();
    let mine = policy("Allow", &["iam:SimulatePrincipalPolicy"], &["arn:aws:iam::*:user/team/*"]);
    let ana = lab.user(&root, "ana", Some(mine));
    root.ok("iam", "CreateUser", json!({ "UserName": "bob", "Path": "/team/" }));
    let account = lab.server.account_id();
    let ask = |user: &str| {
        let arn = format!("arn:aws:iam::{account}:user/{user}");
        json!({ "PolicySourceArn": arn, "ActionNames": ["s3:GetObject"] })
    };
    ana.ok("iam", "SimulatePrincipalPolicy", ask("team/bob"));
    let document = statement("Allow", "*", json!({})).to_string();
    let custom = json!({ "PolicyInputList": [document], "ActionNames": ["s3:GetObject"] });
    let keys = json!({ "PolicyInputList": [document] });
    let source = json!({ "PolicySourceArn": format!("arn:aws:iam::{account}:user/ana") });
    for (operation, input) in [
        ("SimulatePrincipalPolicy", ask("ana")),
        ("SimulateCustomPolicy", custom),
        ("GetContextKeysForCustomPolicy", keys),
        ("GetContextKeysForPrincipalPolicy", source),
    ] {
        let refusal = ana.refused(("iam", operation), input, ("AccessDenied", 403));
        assert!(refusal.message.contains(&format!("iam:{operation}")), "{}", refusal.message);
    }
}

/// The simulation of a user is what the server then decides about that user's calls.
#[test]
fn simulation_and_enforcement_agree() {
    let Some(lab) = Lab::start("simulation_and_enforcement_agree") else { return };
    let root = lab.root();
    let account = lab.server.account_id();
    let own = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "iam:Get*", "Resource": "*" },
        { "Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*",
          "Condition": { "StringEquals": { "aws:username": "ana" } } },
        { "Effect": "Allow", "Action": "iam:CreateUser", "Resource": "arn:aws:iam::*:user/team/*" },
        { "Effect": "Deny", "Action": "iam:GetRole", "Resource": "arn:aws:iam::*:role/secret" },
        { "Effect": "Allow", "Action": "iam:ListGroups", "Resource": "*",
          "Condition": { "StringEquals": { "aws:PrincipalTag/team": "red" } } }
    ] });
    let ana = lab.user(&root, "ana", Some(own));
    root.ok(
        "iam",
        "TagUser",
        json!({ "UserName": "ana", "Tags": [{ "Key": "team", "Value": "red" }] }),
    );
    let boundary = policy("Allow", &["iam:Get*", "iam:List*", "iam:CreateUser"], &["*"]);
    let made = json!({ "PolicyName": "limit", "PolicyDocument": boundary.to_string() });
    let limit = root.ok("iam", "CreatePolicy", made)["Policy"]["Arn"].clone();
    root.ok(
        "iam",
        "PutUserPermissionsBoundary",
        json!({ "UserName": "ana", "PermissionsBoundary": limit }),
    );
    let arn = format!("arn:aws:iam::{account}:user/ana");
    for role in ["app", "secret"] {
        let document = trust(&arn).to_string();
        root.ok(
            "iam",
            "CreateRole",
            json!({ "RoleName": role, "AssumeRolePolicyDocument": document }),
        );
    }
    let of = |kind: &str, name: &str| format!("arn:aws:iam::{account}:{kind}/{name}");
    let calls = [
        ("GetUser", json!({ "UserName": "ana" }), of("user", "ana"), true),
        ("GetRole", json!({ "RoleName": "app" }), of("role", "app"), true),
        ("GetRole", json!({ "RoleName": "secret" }), of("role", "secret"), false),
        ("ListUsers", json!({}), of("user", ""), true),
        ("ListGroups", json!({}), of("group", ""), true),
        ("ListRoles", json!({}), of("role", ""), false),
        ("CreateUser", json!({ "UserName": "x" }), of("user", "x"), false),
        ("CreateUser", json!({ "UserName": "y", "Path": "/team/" }), of("user", "team/y"), true),
        ("DeleteUser", json!({ "UserName": "ana" }), of("user", "ana"), false),
        ("CreateGroup", json!({ "GroupName": "g" }), of("group", "g"), false),
    ];
    for (operation, input, resource, allowed) in calls {
        let question = json!({
            "PolicySourceArn": arn, "ResourceArns": [resource],
            "ActionNames": [format!("iam:{operation}")],
        });
        let simulated =
            simulate(&root, "SimulatePrincipalPolicy", question)[0]["EvalDecision"].clone();
        assert_eq!(simulated == "allowed", allowed, "{operation} {input}: {simulated}");
        match allowed {
            true => drop(ana.ok("iam", operation, input)),
            false => drop(ana.refused(("iam", operation), input, ("AccessDenied", 403))),
        }
    }
}

#[test]
fn the_keys_of_policies_are_listed() {
    let Some(lab) = Lab::start("the_keys_of_policies_are_listed") else { return };
    let root = lab.root();
    let conditional = |key: &str| {
        statement(
            "Allow",
            "s3:*",
            json!({ "Condition": { "StringEquals": { (key): "${aws:username}" } } }),
        )
    };
    lab.user(&root, "ana", Some(conditional("aws:RequestedRegion")));
    let input = json!({ "PolicyInputList": [conditional("aws:SourceVpc").to_string()] });
    let custom = root.ok("iam", "GetContextKeysForCustomPolicy", input.clone());
    assert_eq!(custom["ContextKeyNames"], json!(["aws:SourceVpc", "aws:username"]));
    let mut input = input;
    input["PolicySourceArn"] = json!(format!("arn:aws:iam::{}:user/ana", lab.server.account_id()));
    let own = root.ok("iam", "GetContextKeysForPrincipalPolicy", input);
    let expected = json!(["aws:RequestedRegion", "aws:username", "aws:SourceVpc"]);
    assert_eq!(own["ContextKeyNames"], expected);
}
