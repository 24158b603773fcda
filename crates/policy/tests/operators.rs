//! The operator matrix: every operator with every modifier on every kind of key.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use palisade_policy::{Outcome, evaluate_case};
use serde_json::{Value, json};

const ARN: &str = "arn:aws:sns:eu-west-1:111122223333:topic";

/// Operator, the policy's values, a value the operator accepts, one it does not.
const OPERATORS: &[(&str, &[&str], &str, &str)] = &[
    ("StringEquals", &["a", "b"], "b", "B"),
    ("StringNotEquals", &["a", "b"], "c", "b"),
    ("StringEqualsIgnoreCase", &["a", "b"], "B", "c"),
    ("StringNotEqualsIgnoreCase", &["a", "b"], "c", "B"),
    ("StringLike", &["x*", "a?"], "ab", "abc"),
    ("StringNotLike", &["x*", "a?"], "abc", "ab"),
    ("NumericEquals", &["1", "2"], "2.0", "3"),
    ("NumericNotEquals", &["1", "2"], "3", "2.0"),
    ("NumericLessThan", &["1", "2"], "1.5", "2"),
    ("NumericLessThanEquals", &["1", "2"], "2", "2.5"),
    ("NumericGreaterThan", &["1", "2"], "1.5", "1"),
    ("NumericGreaterThanEquals", &["1", "2"], "1", "0.5"),
    ("DateEquals", &["2026-01-01"], "1767225600", "2026-01-02"),
    ("DateNotEquals", &["2026-01-01"], "2026-01-02", "1767225600"),
    ("DateLessThan", &["2026-01-01"], "2025-12-31", "2026-01-01"),
    ("DateLessThanEquals", &["2026-01-01"], "2026-01-01", "2026-01-02"),
    ("DateGreaterThan", &["2026-01-01"], "2026-01-02", "2026-01-01"),
    ("DateGreaterThanEquals", &["2026-01-01"], "2026-01-01", "2025-12-31"),
    ("Bool", &["true"], "TRUE", "false"),
    ("BinaryEquals", &["YQ==", "Yg=="], "Yg==", "Yw=="),
    ("IpAddress", &["10.0.0.0/8", "2001:db8::/32"], "10.1.2.3", "11.1.2.3"),
    ("NotIpAddress", &["10.0.0.0/8", "2001:db8::/32"], "11.1.2.3", "2001:db8::1"),
    ("ArnEquals", &["arn:aws:sns:*:*:topic"], ARN, "arn:aws:sqs:eu-west-1:1:topic"),
    ("ArnLike", &["arn:aws:sns:*:*:t*"], ARN, "arn:aws:sqs:eu-west-1:1:topic"),
    ("ArnNotEquals", &["arn:aws:sns:*:*:topic"], "arn:aws:sqs:eu-west-1:1:topic", ARN),
    ("ArnNotLike", &["arn:aws:sns:*:*:t*"], "arn:aws:sqs:eu-west-1:1:topic", ARN),
];

/// Modifiers, and whether the condition holds for: one accepted value, one refused, an absent key,
/// and lists: empty, [accepted], [accepted, refused], [refused].
const MATRIX: &[(&str, &str, &str)] = &[
    ("", "", "10n0000"),
    ("", "IfExists", "1011000"),
    ("ForAllValues:", "", "1011100"),
    ("ForAllValues:", "IfExists", "1011100"),
    ("ForAnyValue:", "", "1000110"),
    ("ForAnyValue:", "IfExists", "1011110"),
];

fn holds(operator: &str, values: &[&str], context: &Value) -> bool {
    let case = json!({
        "id": "1", "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k", "context": context,
        "principal": {"type": "user", "arn": "arn:aws:iam::111122223333:user/ana"},
        "identityPolicies": [{"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": {operator: {"test:key": values}}}}],
    });
    evaluate_case(&case.to_string()).unwrap().decision == Outcome::Allowed
}

#[test]
fn every_operator_with_every_modifier_on_every_kind_of_key() {
    assert_eq!(OPERATORS.len(), 26);
    let mut checked = 0;
    for (name, values, accepted, refused) in OPERATORS {
        let negated = name.contains("Not");
        let contexts = [
            json!({"test:key": accepted}),
            json!({"test:key": refused}),
            json!({}),
            json!({"test:key": []}),
            json!({"test:key": [accepted]}),
            json!({"test:key": [accepted, refused]}),
            json!({"test:key": [refused]}),
        ];
        for (prefix, suffix, row) in MATRIX {
            let operator = format!("{prefix}{name}{suffix}");
            let row = if negated { row.replace("n0", "11") } else { row.replace('n', "0") };
            for (context, expected) in contexts.iter().zip(row.chars()) {
                let expected = expected == '1';
                assert_eq!(holds(&operator, values, context), expected, "{operator} {context}");
                checked += 1;
            }
        }
    }
    assert_eq!(checked, 26 * 6 * 7);
}

#[test]
fn null() {
    for (value, context, expected) in [
        ("true", json!({}), true),
        ("false", json!({}), false),
        ("true", json!({"test:key": "a"}), false),
        ("false", json!({"test:key": ""}), true),
        ("true", json!({"test:key": []}), true),
        ("false", json!({"test:key": ["a"]}), true),
    ] {
        assert_eq!(holds("Null", &[value], &context), expected, "{value} {context}");
    }
    assert!(holds("Null", &["true", "false"], &json!({})));
}
