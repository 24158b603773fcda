//! The template of a customer managed permission: a statement without its principal and resource,
//! which RAM adds.
//!
//! Source: RAM API reference, CreatePermission `policyTemplate`; RAM User Guide, "Considerations
//! for using customer managed permissions in AWS RAM".

use super::resource_type::ResourceType;
use palisade_model::ram::{INVALID_POLICY_EXCEPTION, MALFORMED_POLICY_TEMPLATE_EXCEPTION};
use palisade_policy::{DocumentKind, Policy};
use palisade_shape::{Error, Result};
use serde_json::{Map, Value, json};

/// Keys that RAM fills itself, in lower case.
const RESERVED_KEYS: [&str; 7] = [
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalaccount",
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
];
/// The beginnings of keys for AWS's own tags.
const RESERVED_TAGS: [&str; 3] =
    ["aws:principaltag/aws:", "aws:resourcetag/aws:", "aws:requesttag/aws:"];

fn malformed(why: &str) -> Error {
    let text = format!("The policy template that you provided isn't valid. {why}");
    MALFORMED_POLICY_TEMPLATE_EXCEPTION.because(text)
}

fn invalid(why: impl std::fmt::Display) -> Error {
    INVALID_POLICY_EXCEPTION.because(format!("The policy that you specified isn't valid. {why}"))
}

/// Refuses what is no template, and one that allows what the type does not have.
pub fn check(of: &ResourceType, text: &str) -> Result<()> {
    let template: Map<String, Value> = serde_json::from_str(text)
        .map_err(|_| malformed("It must be a JSON object with one statement's elements."))?;
    if template.keys().any(|name| !matches!(name.as_str(), "Effect" | "Action" | "Condition")) {
        return Err(malformed("It can have the elements Effect, Action and Condition alone."));
    }
    let effect = template.get("Effect").and_then(Value::as_str);
    if !effect.is_some_and(|effect| effect.eq_ignore_ascii_case("allow")) {
        return Err(malformed("Its Effect must be ALLOW."));
    }
    let statement = json!({
        "Effect": "Allow",
        "Principal": "*",
        "Action": template.get("Action").ok_or_else(|| malformed("It has no Action."))?,
        "Resource": "*",
        "Condition": template.get("Condition").unwrap_or(&json!({})),
    });
    let document = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    let policy = Policy::parse(&document, DocumentKind::Resource)
        .map_err(|error| malformed(error.message()))?;
    for statement in &policy.statements {
        for action in &statement.action.values {
            if !of.supports(&action.text) {
                let (action, name) = (&action.text, of.name);
                return Err(invalid(format!("{name} does not support the action {action}.")));
            }
        }
    }
    match template.get("Condition") {
        None => Ok(()),
        Some(condition) => check_condition(condition),
    }
}

/// Refuses operators that negate and keys that RAM fills.
fn check_condition(condition: &Value) -> Result<()> {
    for (operator, keys) in condition.as_object().into_iter().flatten() {
        if operator.to_lowercase().contains("not") || operator.contains(':') {
            return Err(invalid(format!("The operator {operator} is not supported.")));
        }
        for key in keys.as_object().into_iter().flatten().map(|(key, _)| key) {
            let lower = key.to_lowercase();
            let reserved = RESERVED_KEYS.contains(&lower.as_str())
                || RESERVED_TAGS.iter().any(|start| lower.starts_with(start));
            if reserved {
                return Err(invalid(format!("The condition key {key} is not supported.")));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ram::resource_type;

    #[test]
    fn a_template_is_a_statement_about_its_type() {
        let of = resource_type::find("s3:AccessGrants").unwrap();
        let check = |text: &str, expected: &str| {
            let answer = check(of, text);
            let code = answer.err().map_or("", |error| error.code.code);
            assert_eq!(code, expected, "{text}");
        };
        let malformed = "MalformedPolicyTemplateException";
        let invalid = "InvalidPolicyException";
        check(r#"{"Effect":"ALLOW","Action":["s3:ListAccessGrants"]}"#, "");
        check(r#"{"Effect":"Allow","Action":"s3:GetDataAccess"}"#, "");
        check(
            r#"{"Effect":"Allow","Action":"s3:GetDataAccess",
                "Condition":{"StringEquals":{"aws:PrincipalTag/team":"blue"}}}"#,
            "",
        );
        for text in [
            "",
            "[]",
            "{}",
            r#"{"Effect":"Deny","Action":"s3:GetDataAccess"}"#,
            r#"{"Effect":"Allow"}"#,
            r#"{"Effect":"Allow","Action":[]}"#,
            r#"{"Effect":"Allow","NotAction":"s3:GetDataAccess"}"#,
            r#"{"Effect":"Allow","Action":"s3:GetDataAccess","Resource":"*"}"#,
            r#"{"Effect":"Allow","Action":"s3:GetDataAccess","Principal":"*"}"#,
            r#"{"Effect":"Allow","Action":"s3:GetDataAccess","Condition":{"Odd":{"a":"b"}}}"#,
        ] {
            check(text, malformed);
        }
        for text in [
            r#"{"Effect":"Allow","Action":"s3:GetObject"}"#,
            r#"{"Effect":"Allow","Action":"s3:*"}"#,
            r#"{"Effect":"Allow","Action":"iam:GetUser"}"#,
            r#"{"Effect":"Allow","Action":"s3:GetDataAccess",
                "Condition":{"StringNotEquals":{"aws:PrincipalTag/team":"blue"}}}"#,
            r#"{"Effect":"Allow","Action":"s3:GetDataAccess",
                "Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-a"}}}"#,
            r#"{"Effect":"Allow","Action":"s3:GetDataAccess",
                "Condition":{"StringEquals":{"aws:ResourceTag/aws:made":"o-a"}}}"#,
        ] {
            check(text, invalid);
        }
    }
}
