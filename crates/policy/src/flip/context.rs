//! Another value of a context key that makes a condition hold, or not hold.

use crate::asked::Asked;
use crate::condition::Condition;
use crate::document::{ConditionElement, Version};
use crate::explain::RequestValue;
use crate::facts::Facts;
use crate::operator::{Family, Operator, Quantifier};
use crate::pattern::{Pattern, Syntax};
use crate::truth::Truth;
use crate::value;

/// What the caller is, which no other request of it changes, and what only AWS says.
const FIXED: &[&str] = &[
    "aws:principalarn",
    "aws:principalaccount",
    "aws:principaltype",
    "aws:principalisawsservice",
    "aws:principalservicename",
    "aws:principalservicenameslist",
    "aws:principalorgid",
    "aws:principalorgmasteraccountid",
    "aws:principalorgpaths",
    "aws:userid",
    "aws:username",
    "aws:resourceaccount",
    "aws:resourceorgid",
    "aws:resourceorgpaths",
    "aws:viaawsservice",
    "aws:calledvia",
    "aws:calledviafirst",
    "aws:calledvialast",
];

/// What every request has.
const ALWAYS_THERE: &[&str] = &[
    "aws:currenttime",
    "aws:epochtime",
    "aws:requestedregion",
    "aws:securetransport",
    "aws:sourceip",
];

/// The first value under which the condition is as wanted; `None` when none was found.
pub(super) fn value_for(
    element: &ConditionElement,
    version: Version,
    facts: &Facts,
    current: &RequestValue,
    wanted: Truth,
) -> Option<RequestValue> {
    let key = element.key.text.to_lowercase();
    if FIXED.contains(&key.as_str()) {
        return None;
    }
    let operator = Operator::parse(&element.operator.text)?;
    let condition = Condition::compile(element, version)?;
    let keys = Asked::new(facts);
    let mut candidates = Vec::new();
    let texts = texts(element, operator, version, facts);
    for text in &texts {
        candidates.extend(shapes(operator, current, text));
    }
    if operator.quantifier == Quantifier::ForAllValues {
        candidates.extend(fitting(&condition, current, facts));
    }
    if !ALWAYS_THERE.contains(&key.as_str()) {
        // Leaving a key out is the smallest change, where that is what is wanted of a denial.
        let place = if wanted == Truth::No { 0 } else { candidates.len() };
        candidates.insert(place, RequestValue::Absent);
    }
    candidates.into_iter().find(|candidate| {
        candidate != current && condition.holds_for(&candidate.lookup(), &keys) == wanted
    })
}

/// A text as the key would hold it: alone, or beside what is there.
fn shapes(operator: Operator, current: &RequestValue, text: &str) -> Vec<RequestValue> {
    let list = matches!(current, RequestValue::Values(_));
    if operator.quantifier == Quantifier::Single && !list {
        return vec![RequestValue::Value(text.to_owned())];
    }
    let mut shapes = Vec::new();
    if let RequestValue::Values(values) = current {
        let mut more = values.clone();
        more.push(text.to_owned());
        shapes.push(RequestValue::Values(more));
    }
    shapes.push(RequestValue::Values(vec![text.to_owned()]));
    shapes
}

/// Those of the present values that the condition takes.
fn fitting(condition: &Condition, current: &RequestValue, facts: &Facts) -> Option<RequestValue> {
    let RequestValue::Values(values) = current else { return None };
    let keys = Asked::new(facts);
    let fits = |value: &&String| {
        let alone = RequestValue::Values(vec![(*value).clone()]);
        condition.holds_for(&alone.lookup(), &keys) == Truth::Yes
    };
    let fitting: Vec<String> = values.iter().filter(fits).cloned().collect();
    (!fitting.is_empty()).then_some(RequestValue::Values(fitting))
}

/// Values at and around those that the policy names.
fn texts(
    element: &ConditionElement,
    operator: Operator,
    version: Version,
    facts: &Facts,
) -> Vec<String> {
    let mut texts = Vec::new();
    for written in &element.values {
        let text = written.text.as_str();
        match operator.family {
            Family::StringEquals | Family::StringEqualsIgnoreCase => {
                let variables = version == Version::V2012;
                let pattern = Pattern::compile(text, Syntax { wildcards: false, variables });
                texts.extend(
                    pattern.expand(&Asked::new(facts)).ok().map(std::borrow::Cow::into_owned),
                );
            }
            Family::StringLike | Family::Arn => texts.push(text.replace('*', "").replace('?', "x")),
            Family::Numeric(_) => {
                texts.push(text.to_owned());
                if let Ok(number) = text.parse::<i64>() {
                    texts.push(number.saturating_sub(1).to_string());
                    texts.push(number.saturating_add(1).to_string());
                }
            }
            Family::Date(_) => texts.extend(dates(text)),
            Family::Bool => texts.extend(["true".to_owned(), "false".to_owned()]),
            Family::Binary => texts.push(text.to_owned()),
            Family::IpAddress => {
                texts.extend(text.split('/').next().map(str::to_owned));
            }
            Family::Null => texts.push(something(&element.key.text).to_owned()),
        }
    }
    texts
}

/// The moment itself, a second before and a second after.
fn dates(text: &str) -> Vec<String> {
    const SECOND: i128 = 1_000_000_000;
    let Some(at) = value::parse_date(text) else { return Vec::new() };
    let moments = [at, at - SECOND, at + SECOND].into_iter();
    let written = moments.filter_map(|at| jiff::Timestamp::from_nanosecond(at).ok());
    written.map(|at| at.to_string()).collect()
}

/// A value for a key that must only be there.
fn something(key: &str) -> &'static str {
    match key.to_ascii_lowercase().as_str() {
        "aws:multifactorauthage" => "0",
        "aws:multifactorauthpresent" => "true",
        _ => "any",
    }
}
