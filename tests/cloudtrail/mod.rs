//! The event history: every call is in it, and can be found by each attribute.

use crate::support::{Caller, Keys, Lab, each, policy, trust};
use serde_json::{Value, json};

fn lookup(caller: &Caller<'_>, key: &str, value: &str) -> Vec<Value> {
    let attributes = json!([{ "AttributeKey": key, "AttributeValue": value }]);
    let answer = caller.ok("cloudtrail", "LookupEvents", json!({ "LookupAttributes": attributes }));
    answer["Events"].as_array().unwrap().clone()
}

fn record(event: &Value) -> Value {
    serde_json::from_str(event["CloudTrailEvent"].as_str().unwrap()).unwrap()
}

#[test]
fn events_are_found_by_each_attribute() {
    let Some(lab) = Lab::start("events_are_found_by_each_attribute") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let ann = lab.user(&root, "ann", None);
    let refused = ann.call("iam", "ListUsers", json!({})).unwrap_err();
    for (key, value, count) in [
        ("EventName", "CreateUser", 1),
        ("EventName", "ListUsers", 1),
        ("EventName", "createuser", 0),
        ("Username", "ann", 1),
        ("AccessKeyId", ann.keys.id.as_str(), 1),
        ("EventSource", "iam.amazonaws.com", 3),
        ("ReadOnly", "false", 2),
        ("ResourceName", "ann", 2),
        ("ResourceType", "AWS::IAM::User", 2),
        ("EventId", "00000000-0000-4000-8000-000000000000", 0),
    ] {
        let found = lookup(&root, key, value);
        let names = each_name(&found);
        assert_eq!(found.len(), count, "{key} {value}: {names:?}");
    }
    let event = lookup(&root, "Username", "ann").remove(0);
    let told = record(&event);
    let identity = &told["userIdentity"];
    assert_eq!(identity["type"], json!("IAMUser"));
    assert_eq!(identity["arn"], json!(format!("arn:aws:iam::{account}:user/ann")));
    assert_eq!(identity["accessKeyId"], json!(ann.keys.id));
    for (member, expected) in [
        ("eventName", "ListUsers"),
        ("eventSource", "iam.amazonaws.com"),
        ("errorCode", "AccessDenied"),
        ("errorMessage", refused.message.as_str()),
        ("requestID", refused.request_id.as_str()),
        ("sourceIPAddress", "127.0.0.1"),
        ("recipientAccountId", account.as_str()),
        ("eventType", "AwsApiCall"),
        ("eventCategory", "Management"),
        ("awsRegion", "us-east-1"),
    ] {
        assert_eq!(told[member], json!(expected), "{member}");
    }
    assert_eq!(told["readOnly"], json!(true));
    assert!(told["userAgent"].as_str().unwrap().contains("Boto3"), "{told}");
    assert_eq!(
        each_name(&lookup(&root, "EventId", told["eventID"].as_str().unwrap())),
        ["ListUsers"]
    );

    let made = record(&lookup(&root, "EventName", "CreateUser")[0]);
    assert_eq!(made["requestParameters"], json!({ "userName": "ann" }));
    assert_eq!(made["responseElements"]["user"]["userName"], json!("ann"));
    assert_eq!(made["userIdentity"]["type"], json!("Root"));
    let key = record(&lookup(&root, "EventName", "CreateAccessKey")[0]).to_string();
    assert!(!key.contains(&ann.keys.secret), "a secret is in the record");
}

fn each_name(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["EventName"].as_str().unwrap()).collect()
}

#[test]
fn a_session_is_told_with_its_issuer() {
    let Some(lab) = Lab::start("a_session_is_told_with_its_issuer") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let ann = lab.user(&root, "ann", None);
    let document = trust(&format!("arn:aws:iam::{account}:user/ann")).to_string();
    let role = json!({ "RoleName": "app", "AssumeRolePolicyDocument": document });
    let arn = root.ok("iam", "CreateRole", role)["Role"]["Arn"].clone();
    let input = json!({ "RoleArn": arn, "RoleSessionName": "tour" });
    let answer = ann.ok("sts", "AssumeRole", input);
    let keys = Keys::of_session(&answer);
    let _refused = lab.caller(keys.clone()).call("iam", "ListRoles", json!({}));
    let told = record(&lookup(&root, "EventName", "ListRoles")[0]);
    let identity = &told["userIdentity"];
    assert_eq!(identity["type"], json!("AssumedRole"));
    let issuer = &identity["sessionContext"]["sessionIssuer"];
    assert_eq!((&issuer["type"], &issuer["arn"]), (&json!("Role"), &arn));
    assert_eq!(issuer["userName"], json!("app"));
    assert_eq!(identity["sessionContext"]["attributes"]["mfaAuthenticated"], json!("false"));
    let assumed = record(&lookup(&root, "EventName", "AssumeRole")[0]);
    let response = &assumed["responseElements"]["credentials"];
    assert_eq!(response["accessKeyId"], json!(keys.id));
    assert!(response.get("secretAccessKey").is_none(), "{response}");
    assert!(!assumed.to_string().contains(&keys.secret), "a secret is in the record");
}

#[test]
fn the_history_comes_in_pages_newest_first() {
    let Some(lab) = Lab::start("the_history_comes_in_pages_newest_first") else { return };
    let root = lab.root();
    for n in 0..7 {
        root.ok("iam", "CreateUser", json!({ "UserName": format!("u{n}") }));
        root.ok("iam", "ListUsers", json!({}));
    }
    let mut names = Vec::new();
    let mut times = Vec::new();
    let mut input = json!({ "MaxResults": 3 });
    for _ in 0..50 {
        let page = root.ok("cloudtrail", "LookupEvents", input.clone());
        assert!(page["Events"].as_array().unwrap().len() <= 3);
        names.extend(each(&page["Events"], "EventName").iter().map(|name| (*name).to_owned()));
        times.extend(each(&page["Events"], "EventTime").iter().map(|time| (*time).to_owned()));
        match page.get("NextToken") {
            None => break,
            Some(token) => input["NextToken"] = token.clone(),
        }
    }
    let count = |wanted: &str| names.iter().filter(|name| *name == wanted).count();
    assert_eq!((count("CreateUser"), count("ListUsers")), (7, 7), "{names:?}");
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
}

#[test]
fn questions_are_refused_as_documented() {
    let Some(lab) = Lab::start("questions_are_refused_as_documented") else { return };
    let root = lab.root();
    let attribute = json!({ "AttributeKey": "EventName", "AttributeValue": "a" });
    for (input, code) in [
        (json!({ "MaxResults": 0 }), "ValidationException"),
        (json!({ "MaxResults": 51 }), "ValidationException"),
        (json!({ "NextToken": "no token" }), "InvalidNextTokenException"),
        (json!({ "LookupAttributes": [attribute, attribute] }), "InvalidLookupAttributesException"),
        (
            json!({ "StartTime": "2026-01-02T00:00:00Z", "EndTime": "2026-01-01T00:00:00Z" }),
            "InvalidTimeRangeException",
        ),
        (json!({ "EventCategory": "data" }), "ValidationException"),
    ] {
        root.refused(("cloudtrail", "LookupEvents"), input, (code, 400));
    }
    let ann = lab.user(&root, "ann", None);
    let refusal = ann.call("cloudtrail", "LookupEvents", json!({})).unwrap_err();
    assert_eq!((refusal.code.as_str(), refusal.status), ("AccessDeniedException", 400));
    let account = lab.server.account_id();
    let expected = format!(
        "User: arn:aws:iam::{account}:user/ann is not authorized to perform: \
         cloudtrail:LookupEvents because no identity-based policy allows the \
         cloudtrail:LookupEvents action"
    );
    assert_eq!(refusal.message, expected);
    let bob = lab.user(&root, "bob", Some(policy("Allow", &["cloudtrail:Lookup*"], &["*"])));
    bob.ok("cloudtrail", "LookupEvents", json!({}));
    // Another account sees nothing of it.
    let other = lab.account("210987654321");
    let events = other.ok("cloudtrail", "LookupEvents", json!({}));
    assert!(!events.to_string().contains(&account), "{events}");
}
