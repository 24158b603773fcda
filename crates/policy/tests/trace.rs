//! The trace, as data and in words.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use palisade_policy::{Case, Trace};
use serde_json::json;

fn case() -> Case {
    let case = json!({
        "id": "1", "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k",
        "principal": {"type": "user", "arn": "arn:aws:iam::111122223333:user/ana"},
        "context": {"aws:SourceIp": "198.51.100.1", "aws:TagKeys": ["a", "b"], "lost:key": null},
        "identityPolicies": [{"Version": "2012-10-17", "Statement": [
            {"Sid": "Read", "Effect": "Allow", "Action": "s3:Get*", "Resource": "*"},
            {"Effect": "Deny", "NotAction": "iam:*", "Resource": "arn:aws:s3:::b/*", "Condition": {
                "NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24", "10.0.0.0/8"]},
                "ForAnyValue:StringEquals": {"aws:TagKeys": "b"},
                "Null": {"aws:VpcSourceIp": true},
            }},
            {"Effect": "Allow", "Action": "sqs:*", "Resource": "*",
             "Condition": {"StringLike": {"lost:key": "x*"}}},
        ]}],
        "scps": [[{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}]],
        "organization": {"managementAccount": "111122223333"},
        "resourcePolicy": {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*",
            "Principal": {"AWS": ["444455556666", "111122223333"]}}},
    });
    Case::parse(&case.to_string()).unwrap()
}

#[test]
fn in_words() {
    let expected = "\
DENIED by the identity-based policy (explicit), stmt 2 of identityPolicies[0]
Caller and resource are of one account.
service control policy, level 0: not consulted, SCPs do not limit the management account
resource control policy: not consulted, the resource's account is in no organization
VPC endpoint policy: not consulted, the request came through no VPC endpoint
permissions boundary: not consulted, the caller has none
session policy: not consulted, the caller has none
resource-based policy: allows the account
  resourcePolicy
    stmt 1 Allow applies
      ✓ Principal 444455556666, 111122223333 = arn:aws:iam::111122223333:user/ana
      ✓ Action * = s3:GetObject
      ✓ Resource * = arn:aws:s3:::b/k
identity-based policy: denies
  identityPolicies[0]
    stmt 1 (Read) Allow applies
      ✓ Action s3:Get* = s3:GetObject
      ✓ Resource * = arn:aws:s3:::b/k
    stmt 2 Deny applies
      ✓ NotAction iam:* = s3:GetObject
      ✓ Resource arn:aws:s3:::b/* = arn:aws:s3:::b/k
      ✓ ForAnyValue:StringEquals aws:TagKeys b; the request has [a, b]
      ✓ NotIpAddress aws:SourceIp 203.0.113.0/24, 10.0.0.0/8; the request has 198.51.100.1
      ✓ Null aws:VpcSourceIp true; the request has no value
    stmt 3 Allow does not apply
      ✗ Action sqs:* ≠ s3:GetObject
      ✓ Resource * = arn:aws:s3:::b/k
      ? StringLike lost:key x*; the request has a value that is not known
";
    assert_eq!(case().explain().to_string(), expected);
}

#[test]
fn as_data() {
    let trace = serde_json::to_value(case().explain()).unwrap();
    assert_eq!(
        trace["decision"],
        json!({"outcome": "explicitDeny", "deniedBy": "identity", "statements": [
            {"layer": "identity", "policy": "identityPolicies[0]", "index": 1}]})
    );
    let statement = &trace["stages"][6]["policies"][0]["statements"][1];
    assert_eq!(statement["applies"], "yes");
    assert_eq!(
        statement["conditions"][0],
        json!({"operator": "ForAnyValue:StringEquals", "key": "aws:TagKeys", "policy": ["b"],
            "request": {"values": ["a", "b"]}, "matched": "yes"})
    );
}

/// Stored decision records are read back to be told in words.
#[test]
fn round_trip() {
    let trace = case().explain();
    let text = serde_json::to_string(&trace).unwrap();
    assert_eq!(serde_json::from_str::<Trace>(&text).unwrap(), trace);
}

#[test]
fn sets_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<palisade_policy::PolicySet>();
    shared::<palisade_policy::CompiledPolicy>();
}

#[test]
fn the_answer_of_a_case() {
    let answer = serde_json::to_value(case().answer()).unwrap();
    assert_eq!(
        answer,
        json!({"id": "1", "decision": "explicitDeny", "deniedBy": "identity", "matched": [
            {"layer": "identity", "policy": "identityPolicies[0]", "index": 1}]})
    );
}

#[test]
fn cases_that_are_refused() {
    let check = |case: &str, expected: &str| {
        let error = palisade_policy::evaluate_case(case).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    let user = r#""principal": {"type": "user", "arn": "arn:aws:iam::111122223333:user/ana"}"#;
    check("{", "EOF");
    check(r#"{"id": "1", "colour": "red"}"#, "unknown field `colour`");
    check(&format!(r#"{{"id": "1", {user}, "action": "read"}}"#), "no service prefix");
    check(r#"{"id": "1", "action": "s3:x", "principal": {"type": "user"}}"#, "needs its `arn`");
    check(
        r#"{"id": "1", "action": "s3:x", "principal": {"type": "god"}}"#,
        "unknown variant `god`",
    );
    let bad = format!(r#"{{"id": "7", {user}, "action": "s3:x", "scps": [[{{"Version": 1}}]]}}"#);
    check(&bad, "case `7`: scps[0][0]: Syntax errors in policy. (no Statement)");
    let twice =
        format!(r#"{{"id": "1", {user}, "action": "s3:x", "context": {{"a": "", "A": ""}}}}"#);
    check(&twice, "twice");
    let nested = format!(r#"{{"id": "1", {user}, "action": "s3:x", "context": {{"a": [[]]}}}}"#);
    check(&nested, "neither a string nor a list");
}
