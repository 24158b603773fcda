//! Warnings: what AWS takes and what then does not do what it seems to say.

use crate::document::{
    ConditionElement, DocumentKind, Effect, Element, Policy, Spanned, Statement, Version,
};
use crate::finding::Findings;
use crate::operator::{Family, Operator, Quantifier};
use crate::pattern::parse_variable;
use crate::value;

/// Global keys that hold several values.
///
/// Source: "Single-valued vs. multivalued context keys", IAM User Guide.
const MULTIVALUED: &[&str] = &[
    "aws:calledvia",
    "aws:principalorgpaths",
    "aws:principalservicenameslist",
    "aws:resourceorgpaths",
    "aws:sourceorgpaths",
    "aws:tagkeys",
];

/// Adds the warnings about a document that has no error so far.
pub(crate) fn document(policy: &Policy, findings: &mut Findings<'_>) {
    let version = policy.effective_version();
    for statement in &policy.statements {
        for condition in &statement.conditions {
            self::condition(condition, version, findings);
        }
        let resources = statement.resource.iter().flat_map(|element| &element.values);
        for resource in resources {
            variables(resource, true, version, findings);
        }
        allow_with_negation(policy.kind, statement, findings);
    }
}

fn allow_with_negation(kind: DocumentKind, statement: &Statement, findings: &mut Findings<'_>) {
    let limits_only = matches!(kind, DocumentKind::Scp | DocumentKind::Boundary);
    if statement.effect != Effect::Allow || limits_only {
        return;
    }
    let everything = |element: &Element| element.values.iter().any(|value| value.text == "*");
    if statement.action.negated && statement.resource.as_ref().is_none_or(everything) {
        let message = "Allow with NotAction on all resources allows every action of every service \
             that is not listed.";
        findings.warning("ALLOW_WITH_NOT_ACTION", statement.action.span, message);
    }
    if let Some(resource) = statement.resource.as_ref().filter(|resource| resource.negated) {
        let message = "Allow with NotResource allows the actions on every resource not listed.";
        findings.warning("ALLOW_WITH_NOT_RESOURCE", resource.span, message);
    }
}

fn condition(condition: &ConditionElement, version: Version, findings: &mut Findings<'_>) {
    let Some(operator) = Operator::parse(&condition.operator.text) else { return };
    let key = &condition.key;
    if !key.text.contains(':') {
        let message = format!("The condition key {} has no vendor prefix.", key.text);
        findings.warning("KEY_WITHOUT_VENDOR", key.span, message);
    }
    let lower = key.text.to_lowercase();
    let single = operator.quantifier == Quantifier::Single && operator.family != Family::Null;
    if single && MULTIVALUED.contains(&lower.as_str()) {
        let message = format!(
            "{} is multivalued: without ForAllValues or ForAnyValue the condition never holds.",
            key.text
        );
        findings.warning("MISSING_SET_OPERATOR", condition.operator.span, message);
    }
    if condition.values.is_empty() {
        let message = "The condition compares with nothing.";
        findings.warning("NO_CONDITION_VALUE", key.span, message);
    }
    for value in &condition.values {
        variables(value, operator.admits_variables(), version, findings);
        typed(operator, value, findings);
    }
}

/// Warns of a value that can never be of its operator's type.
fn typed(operator: Operator, value: &Spanned, findings: &mut Findings<'_>) {
    let text = value.text.as_str();
    let variable = operator.admits_variables() && text.contains("${");
    let (valid, wanted) = match operator.family {
        Family::Numeric(_) => (value::Decimal::parse(text).is_some(), "a number"),
        Family::Bool => (variable || value::parse_bool(text).is_some(), "true or false"),
        Family::Null => (value::parse_bool(text).is_some(), "true or false"),
        Family::Binary => (value::parse_binary(text).is_some(), "base64"),
        Family::IpAddress => (value::parse_network(text).is_some(), "an address or CIDR block"),
        Family::Arn => (text == "*" || text.starts_with("arn:") || variable, "an ARN"),
        _ => return,
    };
    if !valid {
        let message = format!("{text} is not {wanted}, so it matches nothing.");
        findings.warning("INVALID_VALUE", value.span, message);
    }
}

/// Warns of what looks like a policy variable and is none.
fn variables(value: &Spanned, admitted: bool, version: Version, findings: &mut Findings<'_>) {
    let Some(at) = value.text.find("${") else { return };
    if version == Version::V2008 {
        let message = "Policy variables need version 2012-10-17; this is plain text.";
        findings.warning("VARIABLE_IN_OLD_VERSION", value.span, message);
    } else if !admitted {
        let message = "This operator takes no policy variables; this is plain text.";
        findings.warning("VARIABLE_NOT_ADMITTED", value.span, message);
    } else if value.text.get(at..).and_then(parse_variable).is_none() {
        let message = "This is no policy variable and is taken as plain text.";
        findings.warning("MALFORMED_VARIABLE", value.span, message);
    }
}
