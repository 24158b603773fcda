//! Partners that may ask for delegated access, and the policy templates that they ask with. AWS
//! takes partners on by hand; here the operator does (`POST /_palisade/delegation-partners`).
//!
//! A template is an identity policy with places to fill, `@{Name}`, inside its strings. A place
//! that is a whole string of a list takes a list of values.
//!
//! Source: IAM User Guide, "IAM temporary delegation for AWS Partners".

use crate::context::Context;
use crate::errors::{ACCESS_DENIED, VALIDATION_ERROR, internal};
use crate::table::{Scope, Table};
use palisade_model::iam::{INVALID_INPUT, PolicyParameter, policy_parameter_type_enum as kind};
use palisade_policy::{DocumentKind, Effect, Policy};
use palisade_shape::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The most characters of a partner's name, as the API shows it.
const NAME_LENGTH_MAX: usize = 30;

/// A partner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partner {
    pub account: String,
    pub name: String,
    /// Policies, by the ARNs of their templates.
    pub templates: BTreeMap<String, String>,
}

/// Partners, by account.
static PARTNERS: Table<Partner> = Table::of_private(
    "iam/delegation-partner",
    Scope::Plane,
    |partner| partner.account.clone(),
    |partner| VALIDATION_ERROR.because(format!("{} is a partner already.", partner.account)),
    |account| {
        ACCESS_DENIED
            .because(format!("Account {account} is not onboarded to create delegation requests."))
    },
);

/// Takes a partner on, or gives it another name and other templates.
///
/// Fails with `ValidationError` for a name, an ARN or a template of the wrong form.
pub fn register(cx: &mut Context, partner: &Partner) -> Result<()> {
    let refuse = |message: String| Err(VALIDATION_ERROR.because(message));
    if partner.name.is_empty() || partner.name.chars().count() > NAME_LENGTH_MAX {
        return refuse(format!("A partner's name has 1 to {NAME_LENGTH_MAX} characters."));
    }
    for (arn, template) in &partner.templates {
        if !arn.starts_with("arn:") || !(20..=2048).contains(&arn.len()) {
            return refuse(format!("{arn} is no ARN of a template."));
        }
        let unfilled = template.replace("@{", "{");
        if let Err(malformed) = Policy::parse(&unfilled, DocumentKind::Identity) {
            return refuse(format!("{arn}: {}", malformed.message()));
        }
    }
    cx.put(&PARTNERS, partner)
}

/// The partner of the account that `cx` sees.
pub fn load(cx: &Context) -> Result<Partner> {
    cx.find(&PARTNERS, cx.account())
}

fn invalid(message: impl Into<String>) -> Error {
    INVALID_INPUT.because(message.into())
}

/// The policy that a template makes with these parameters.
pub fn filled(template: &str, parameters: &[PolicyParameter]) -> Result<String> {
    let places = places(template);
    let mut text = template.to_owned();
    let mut seen = BTreeSet::new();
    for PolicyParameter { name, values, r#type } in parameters {
        let name = name.as_deref().unwrap_or_default();
        let values = values.as_deref().unwrap_or_default();
        if !seen.insert(name) || !places.contains(name) {
            return Err(invalid(format!("Parameter {name} is not one of the policy template.")));
        }
        let is_list = r#type.as_deref() == Some(kind::STRING_LIST);
        text = match (values, is_list) {
            ([], _) => return Err(invalid(format!("Parameter {name} has no value."))),
            ([value], _) => text.replace(&format!("@{{{name}}}"), &inner(value)?),
            (_, false) => {
                return Err(invalid(format!("Parameter {name} of type string has one value.")));
            }
            (values, true) => {
                let quoted = values.iter().map(serde_json::to_string);
                let quoted: std::result::Result<Vec<_>, _> = quoted.collect();
                let list = quoted.map_err(internal)?.join(",");
                text.replace(&format!("\"@{{{name}}}\""), &list)
            }
        };
    }
    if let Some(missing) = places.iter().find(|place| !seen.contains(place.as_str())) {
        return Err(invalid(format!("The policy template needs the parameter {missing}.")));
    }
    match Policy::parse(&text, DocumentKind::Identity) {
        Ok(_) => Ok(text),
        Err(malformed) => Err(invalid(format!(
            "The policy template and its parameters make no policy: {}",
            malformed.message()
        ))),
    }
}

/// The text of a JSON string without its quotes.
fn inner(value: &str) -> Result<String> {
    let quoted = serde_json::to_string(value).map_err(internal)?;
    Ok(quoted.trim_start_matches('"').strip_suffix('"').unwrap_or_default().to_owned())
}

/// The names of the places to fill.
fn places(template: &str) -> BTreeSet<String> {
    let after = template.split("@{").skip(1);
    after.filter_map(|rest| rest.split_once('}')).map(|(name, _)| name.to_owned()).collect()
}

/// The permissions boundaries that roles must have which the policy lets its holder create.
pub fn role_boundaries(policy: &Policy) -> Vec<String> {
    let mut found = BTreeSet::new();
    for statement in policy.statements.iter().filter(|one| one.effect == Effect::Allow) {
        let actions = statement.action.values.iter();
        let mut actions = actions.map(|action| action.text.to_lowercase());
        if !actions.any(|action| matches!(action.as_str(), "iam:createrole" | "iam:*" | "*")) {
            continue;
        }
        let conditions = statement.conditions.iter();
        let boundaries =
            conditions.filter(|one| one.key.text.eq_ignore_ascii_case("iam:PermissionsBoundary"));
        found.extend(boundaries.flat_map(|one| &one.values).map(|value| value.text.clone()));
    }
    found.into_iter().filter(|arn| arn.starts_with("arn:")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
        "Action":["s3:GetObject"],"Resource":["arn:aws:s3:::@{Bucket}/*","@{Extra}"]}]}"#;

    fn parameter(name: &str, values: &[&str], kind: &str) -> PolicyParameter {
        PolicyParameter {
            name: Some(name.to_owned()),
            values: Some(values.iter().map(|value| (*value).to_owned()).collect()),
            r#type: Some(kind.to_owned()),
        }
    }

    #[test]
    fn templates_are_filled_and_cannot_be_broken_out_of() {
        let two = ["arn:aws:s3:::a", "arn:aws:s3:::b"];
        let extra = parameter("Extra", &two, kind::STRING_LIST);
        let check =
            |parameters: &[PolicyParameter], expected: std::result::Result<&str, &str>| match (
                filled(TEMPLATE, parameters),
                expected,
            ) {
                (Ok(text), Ok(part)) => assert!(text.contains(part), "{text}"),
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
                (got, expected) => panic!("{got:?} {expected:?}"),
            };
        let bucket = |value: &str| parameter("Bucket", &[value], kind::STRING);
        let list = r#""arn:aws:s3:::app/*","arn:aws:s3:::a","arn:aws:s3:::b"]"#;
        check(&[bucket("app"), extra.clone()], Ok(list));
        check(std::slice::from_ref(&extra), Err("needs the parameter Bucket"));
        check(&[bucket("app"), extra.clone(), bucket("app")], Err("is not one of"));
        check(&[parameter("Other", &["x"], kind::STRING)], Err("Other is not one of"));
        check(&[parameter("Bucket", &[], kind::STRING)], Err("has no value"));
        check(&[parameter("Bucket", &["a", "b"], kind::STRING)], Err("has one value"));
        // A value stays inside its string.
        let evil = r#"x"],"Action":["*"],"Resource":["*"#;
        check(&[bucket(evil), extra], Ok(r#"arn:aws:s3:::x\"],\"Action\":[\"*\"]"#));
    }

    #[test]
    fn boundaries_of_roles_are_found() {
        let text = r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"iam:CreateRole","Resource":"*","Condition":
            {"StringEquals":{"iam:PermissionsBoundary":"arn:aws:iam::partner:policy/limit"}}},
            {"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":
            {"StringEquals":{"iam:PermissionsBoundary":"arn:aws:iam::partner:policy/no"}}}]}"#;
        let policy = Policy::parse(text, DocumentKind::Identity).unwrap();
        assert_eq!(role_boundaries(&policy), ["arn:aws:iam::partner:policy/limit"]);
    }
}
