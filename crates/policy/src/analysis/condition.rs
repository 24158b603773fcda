//! Conditions that hold always, never, or only by the key's presence.

use super::Analysis;
use super::glob::has_wildcard;
use super::keys::{PATHS, SENSITIVE};
use super::outline::{Clause, Text};
use crate::operator::{Family, Operator, Quantifier};

/// Characters that must stand before a wildcard or a variable.
const LITERALS_MIN: usize = 6;

impl Analysis<'_, '_> {
    /// An operator without a value to compare with.
    pub(super) fn no_values(&mut self, clause: &Clause<'_>, operator: Operator) {
        let key = clause.key;
        let null = "To determine if the request context is empty, we recommend that you use the \
            Null condition operator with the value of true instead.";
        let (code, message) = match operator.quantifier {
            Quantifier::ForAllValues => (
                "EMPTY_ARRAY_CONDITION_FORALLVALUES",
                format!(
                    "The ForAllValues prefix with an empty condition key matches only if the key \
                     {key} is missing from the request context. {null}"
                ),
            ),
            Quantifier::ForAnyValue => (
                "EMPTY_ARRAY_CONDITION_FORANYVALUE",
                format!(
                    "The ForAnyValue prefix with an empty condition key {key} never matches the \
                     request context and it does not affect the policy. Specify conditions."
                ),
            ),
            Quantifier::Single if operator.if_exists => (
                "EMPTY_ARRAY_CONDITION_IFEXISTS",
                format!(
                    "The IfExists suffix with an empty condition key matches only if the key {key} \
                     is missing from the request context. {null}"
                ),
            ),
            Quantifier::Single => (
                "EMPTY_ARRAY_CONDITION",
                format!(
                    "There are no values for the condition key {key} and it does not affect the \
                     policy. Specify conditions."
                ),
            ),
        };
        self.findings.suggestion(code, clause.span, message);
    }

    /// A lone `*`, which every value matches.
    pub(super) fn any_value(&mut self, clause: &Clause<'_>, operator: Operator) {
        let like = matches!(operator.family, Family::StringLike | Family::Arn);
        if !like || !clause.values.iter().any(|value| value.is("*")) {
            return;
        }
        let (key, name) = (clause.key, clause.name);
        let for_all = operator.quantifier == Quantifier::ForAllValues;
        let for_any = operator.quantifier == Quantifier::ForAnyValue;
        let presence = |wanted: bool| {
            format!(
                "We recommend replacing the key {key} in the condition block of {name} with \
                 {{{key}: {wanted}}} to ensure better enforcement of the condition."
            )
        };
        let (code, message) = if !operator.negated && (for_all || operator.if_exists) {
            let message = format!(
                "The key {key} in the condition block of {name} is redundant because it is always \
                 matched. Remove this key to simplify the condition."
            );
            ("REDUNDANT_KEY_DUE_TO_WILDCARD_IN_CONDITION", message)
        } else if !operator.negated {
            ("EQUIVALENT_TO_NULL_FALSE", presence(false))
        } else if for_any && !operator.if_exists {
            let message = format!(
                "The key {key} in the condition block of {name} does not match any values. Remove \
                 this key to simplify the condition."
            );
            ("REDUNDANT_STATEMENT_DUE_TO_WILDCARD_IN_CONDITION", message)
        } else {
            ("EQUIVALENT_TO_NULL_TRUE", presence(true))
        };
        self.findings.suggestion(code, clause.span, message);
    }

    /// Wildcards and variables where they would match nearly everything.
    pub(super) fn too_permissive(&mut self, clause: &Clause<'_>, value: &Text<'_>) {
        let wildcard = has_wildcard(&value.text);
        let variable = value.text.contains("${") && !wildcard;
        if !wildcard && !variable {
            return;
        }
        let (code, what) = if wildcard {
            ("WILDCARD_USAGE_TOO_PERMISSIVE", "wildcard")
        } else {
            ("VARIABLE_USAGE_TOO_PERMISSIVE", "policy variable")
        };
        let key = clause.key;
        let lower = clause.lower.as_str();
        if SENSITIVE.contains(&lower) {
            self.findings.error(code, value.span, sensitive(key, wildcard));
        } else if PATHS.contains(&lower) && begins_too_soon(&value.text) {
            let message = format!(
                "Overly permissive use of {what} for the {key} condition key. Use the {what} \
                 preceded by {LITERALS_MIN} consecutive characters."
            );
            self.findings.error(code, value.span, message);
        } else if lower == "aws:userid" && user_id_too_open(&value.text) {
            let message = format!(
                "Overly permissive use of {what} with aws:userID. Use the {what} on the right side \
                 of colon or as the only character on the left side of a colon."
            );
            self.findings.error(code, value.span, message);
        }
    }
}

fn sensitive(key: &str, wildcard: bool) -> String {
    let list = "Refer to https://docs.aws.amazon.com/IAM/latest/UserGuide/\
        reference_policies_condition-keys.html for the list of sensitive keys.";
    if wildcard {
        format!(
            "The wildcard is not allowed in the condition key {key}. We consider the key to be \
             sensitive and wildcards are not allowed to be used with sensitive keys. {list}"
        )
    } else {
        format!(
            "The policy variable is not allowed in the condition key {key}. We consider the key to \
             be sensitive and policy variables can be evaluated as effective wildcards. Therefore \
             policy variables are not allowed to be used with sensitive keys. {list}"
        )
    }
}

/// Whether fewer literal characters than wanted stand before the first wildcard or variable.
fn begins_too_soon(text: &str) -> bool {
    let literal = text.split(['*', '?', '$']).next().unwrap_or_default();
    literal.chars().count() < LITERALS_MIN
}

/// Whether the unique id, before the colon, is open without being a lone wildcard or variable.
fn user_id_too_open(text: &str) -> bool {
    // A variable has a colon of its own.
    let (id, session) = match text.strip_prefix("${").and_then(|rest| rest.split_once('}')) {
        Some((_, rest)) => return !rest.starts_with(':'),
        None => text.split_once(':').unwrap_or((text, "")),
    };
    let open = id.contains(['*', '?', '$']);
    open && (id != "*" || session.is_empty())
}
