//! What callers bring into the context by themselves, and which resources' policies must allow.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use palisade_policy::{Lookup, Principal, ResourceRule};

const ROLE: &str = "arn:aws:iam::111122223333:role/team/Dev";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/Dev/ana";

fn check(caller: &Principal, expected: &[(&str, Option<&str>)]) {
    for (key, value) in expected {
        let found = caller.context_key(key).unwrap();
        let value = value.map_or(Lookup::Absent, Lookup::one);
        assert_eq!(found, value, "{key} of {}", caller.arn);
    }
    assert_eq!(caller.context_key("aws:sourceip"), None);
}

#[test]
fn keys_of_callers() {
    let user = Principal::user("arn:aws:iam::111122223333:user/team/ana");
    check(
        &user,
        &[
            ("aws:principalarn", Some("arn:aws:iam::111122223333:user/team/ana")),
            ("aws:principalaccount", Some("111122223333")),
            ("aws:principaltype", Some("User")),
            ("aws:username", Some("ana")),
            ("aws:principalisawsservice", Some("false")),
            ("aws:principalservicename", None),
        ],
    );
    check(
        &Principal::assumed_role(SESSION, ROLE),
        &[
            ("aws:principalarn", Some(ROLE)),
            ("aws:principaltype", Some("AssumedRole")),
            ("aws:username", None),
        ],
    );
    let mut without_path = Principal::assumed_role(SESSION, ROLE);
    without_path.issuer_arn = None;
    check(&without_path, &[("aws:principalarn", Some("arn:aws:iam::111122223333:role/Dev"))]);
    check(
        &Principal::service("sns.amazonaws.com"),
        &[
            ("aws:principalarn", None),
            ("aws:principalaccount", None),
            ("aws:principaltype", None),
            ("aws:principalisawsservice", Some("true")),
            ("aws:principalservicename", Some("sns.amazonaws.com")),
        ],
    );
    check(
        &Principal::anonymous(),
        &[
            ("aws:principalarn", None),
            ("aws:principalaccount", Some("anonymous")),
            ("aws:principaltype", Some("Anonymous")),
        ],
    );
    let root = "arn:aws:iam::111122223333:root";
    check(
        &Principal::root(root),
        &[("aws:principalarn", Some(root)), ("aws:principaltype", Some("Account"))],
    );
}

#[test]
fn rules_of_resources() {
    let key = "arn:aws:kms:eu-west-1:111122223333:key/1";
    for (action, resource, rule) in [
        ("sts:AssumeRole", ROLE, ResourceRule::TrustPolicy),
        ("STS:TagSession", ROLE, ResourceRule::TrustPolicy),
        ("iam:GetRole", ROLE, ResourceRule::Ordinary),
        ("iam:PassRole", ROLE, ResourceRule::Ordinary),
        ("kms:Decrypt", key, ResourceRule::KeyPolicy),
        ("kms:CreateAlias", "arn:aws:kms:eu-west-1:1:alias/a", ResourceRule::Ordinary),
        ("kms:ListKeys", "*", ResourceRule::Ordinary),
        ("s3:GetObject", "arn:aws:s3:::b/key/1", ResourceRule::Ordinary),
    ] {
        assert_eq!(ResourceRule::of(action, resource), rule, "{action} {resource}");
    }
}
