//! Condition operators over any value: numbers, dates, addresses, base64, booleans, ARNs, texts.

use palisade_policy::{
    ContextKeys, DocumentKind, Lookup, Policies, Policy, PolicySet, Principal, Request,
    ResourceRule, decide, explain,
};
use serde_json::json;
use std::borrow::Cow;

/// Each operator with its negation or, for ordered ones, what completes it.
const OPERATORS: [&str; 27] = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
    "Null",
];

/// Byte 0: the operator; byte 1: its modifiers, and how the context holds its values; then lines,
/// of which the first is the policy's value and the others the request's.
pub fn condition(data: &[u8]) {
    let Some(([operator, mode], rest)) = data.split_first_chunk::<2>() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let operator = OPERATORS[usize::from(*operator) % OPERATORS.len()];
    let mut lines = text.split('\n');
    let wanted = lines.next().unwrap_or_default();
    let values: Vec<&str> = lines.collect();
    let prefix = ["", "ForAllValues:", "ForAnyValue:"][usize::from(*mode) % 3];
    let suffix = if mode & 0x40 == 0 { "" } else { "IfExists" };
    let held = if mode & 0x80 == 0 && values.len() == 1 {
        Held::One(values[0])
    } else {
        Held::Many(values.iter().map(|value| Cow::Borrowed(*value)).collect())
    };
    holds(&format!("{prefix}{operator}{suffix}"), wanted, &held);
    if let [value] = values.as_slice() {
        check_laws(operator, wanted, value);
    }
}

enum Held<'a> {
    One(&'a str),
    Many(Vec<Cow<'a, str>>),
}

impl ContextKeys for Held<'_> {
    fn get(&self, key: &str) -> Lookup<'_> {
        match (key, self) {
            ("test:key", Self::One(value)) => Lookup::one(value),
            ("test:key", Self::Many(values)) => Lookup::Many(Cow::Borrowed(values)),
            _ => Lookup::Absent,
        }
    }
}

/// Whether the condition holds; `None` when the policy is refused.
fn holds(operator: &str, wanted: &str, held: &Held<'_>) -> Option<bool> {
    let document = json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": {operator: {"test:key": wanted}}}});
    let policy = Policy::parse(&document.to_string(), DocumentKind::Identity).ok()?;
    let set = PolicySet::of("fuzzed", &policy.compile());
    let principal = Principal::user("arn:aws:iam::111122223333:user/ana");
    let request = Request {
        principal: &principal,
        action: "s3:GetObject",
        resource: "arn:aws:s3:::b/k",
        resource_account: Some("111122223333"),
        rule: ResourceRule::Ordinary,
        keys: held,
    };
    let policies = Policies { identity: Some(&set), ..Policies::default() };
    let decision = decide(&request, &policies);
    let trace = explain(&request, &policies);
    assert_eq!(trace.decision, decision, "{trace}");
    Some(decision.allowed())
}

/// What must be true of one value under several operators.
fn check_laws(operator: &str, wanted: &str, value: &str) {
    let one =
        |operator: &str, wanted: &str, value: &str| holds(operator, wanted, &Held::One(value));
    let said = || format!("{operator} {wanted:?} {value:?}");
    // A variable may be absent, and then neither an operator nor its negation need hold.
    if wanted.contains("${") {
        return;
    }
    let result = one(operator, wanted, value);
    let negation = match operator {
        "NotIpAddress" | "IpAddress" => {
            Some(if operator.starts_with("Not") { "IpAddress" } else { "NotIpAddress" }.to_owned())
        }
        _ if operator.contains("Not") => Some(operator.replacen("Not", "", 1)),
        _ => None,
    };
    if let Some(negation) = negation {
        assert_eq!(one(&negation, wanted, value), result.map(|held| !held), "{}", said());
    }
    let lone = ["ForAllValues:", "ForAnyValue:"];
    for prefix in lone.into_iter().filter(|_| operator != "Null") {
        assert_eq!(one(&format!("{prefix}{operator}"), wanted, value), result, "{}", said());
    }
    for family in ["Numeric", "Date"] {
        if operator.starts_with(family) {
            check_order(family, wanted, value);
        }
    }
    if !wanted.contains(['*', '?']) && result.is_some() {
        for operator in ["StringEquals", "StringEqualsIgnoreCase", "StringLike"] {
            assert_eq!(one(operator, wanted, wanted), Some(true), "{operator} {wanted:?}");
        }
    }
}

/// Of two numbers or dates one is less, or they are equal, and both orders agree on which.
fn check_order(family: &str, wanted: &str, value: &str) {
    let ask = |relation: &str, wanted: &str, value: &str| {
        holds(&format!("{family}{relation}"), wanted, &Held::One(value))
    };
    let of = |relation: &str| ask(relation, wanted, value);
    let (Some(less), Some(equal), Some(greater)) =
        (of("LessThan"), of("Equals"), of("GreaterThan"))
    else {
        return;
    };
    let said = || format!("{family} {wanted:?} {value:?}: {less} {equal} {greater}");
    let many = [less, equal, greater].iter().filter(|held| **held).count();
    assert!(many <= 1, "{}", said());
    assert_eq!(of("LessThanEquals"), Some(less || equal), "{}", said());
    assert_eq!(of("GreaterThanEquals"), Some(greater || equal), "{}", said());
    // The other way around, unless the request's value is none.
    if many == 1 {
        assert_eq!(ask("LessThan", value, wanted), Some(greater), "{}", said());
        assert_eq!(ask("GreaterThan", value, wanted), Some(less), "{}", said());
        assert_eq!(ask("Equals", value, wanted), Some(equal), "{}", said());
    }
}
