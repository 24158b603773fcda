//! Condition operators and keys: whether they exist, and whether they fit each other.

use super::Analysis;
use super::keys::{self, KeyFacts};
use super::outline::{Clause, Sheet, member, members};
use crate::document::DocumentKind;
use crate::finding::Severity;
use crate::key_type::KeyType;
use crate::operator::{Family, Operator, Quantifier};

/// Hosts of identity providers that many share, whose tokens name one audience.
const SHARED_PROVIDERS: &[&str] = &[
    "accounts.google.com",
    "cognito-identity.amazonaws.com",
    "saml",
    "token.actions.githubusercontent.com",
];

impl Analysis<'_, '_> {
    pub(super) fn condition_keys(&mut self, sheet: &Sheet<'_>) {
        self.operators(sheet);
        self.same_key_twice(sheet);
        for clause in &sheet.clauses {
            let facts = self.key_facts(&clause.lower);
            self.key_exists(clause, facts.is_some());
            self.discouraged_key(clause);
            if let Some(operator) = clause.operator {
                self.qualifier(clause, operator, facts);
                self.operator_for_key(clause, operator, facts);
            }
        }
    }

    fn operators(&mut self, sheet: &Sheet<'_>) {
        let Some(condition) = member(sheet.members, "Condition") else { return };
        for block in members(&condition.value) {
            if Operator::parse(&block.key).is_some() {
                continue;
            }
            let (qualifier, name) = match block.key.split_once(':') {
                Some((qualifier @ ("ForAllValues" | "ForAnyValue"), name)) => (qualifier, name),
                _ => ("", &*block.key),
            };
            if name == "NullIfExists" {
                let message = "The Null condition operator cannot be used with the IfExists \
                    suffix. Update the operator or the suffix.";
                self.findings.error("NULL_WITH_IF_EXISTS", block.key_span, message);
            } else if name == "Null" && !qualifier.is_empty() {
                let message = "Avoid using the Null condition operator with the ForAllValues or \
                    ForAnyValue qualifiers because they always return a true or false \
                    respectively.";
                self.findings.suggestion("NULL_WITH_QUALIFIER", block.key_span, message);
            } else {
                let message = format!(
                    "The condition operator {} is not valid. Use a valid condition operator.",
                    block.key
                );
                self.findings.error("INVALID_CONDITION_OPERATOR", block.key_span, message);
            }
        }
    }

    fn same_key_twice(&mut self, sheet: &Sheet<'_>) {
        let Some(condition) = member(sheet.members, "Condition") else { return };
        for block in members(&condition.value) {
            let keys = members(&block.value);
            let mut seen = std::collections::BTreeMap::new();
            for key in keys {
                if let Some(first) = seen.insert(key.key.to_lowercase(), key.key_span) {
                    let message = format!(
                        "The condition key {} appears more than once with different capitalization \
                         in the same condition block. Remove the duplicate condition keys.",
                        key.key
                    );
                    let code = "DUPLICATE_KEYS_WITH_DIFFERENT_CASE";
                    let spans = [first, key.key_span];
                    self.findings.report(Severity::Error, code, &spans, message);
                }
            }
        }
    }

    fn key_exists(&mut self, clause: &Clause<'_>, known: bool) {
        let (key, span) = (clause.key, clause.key_span);
        let parts = clause.lower.split_once(':');
        let Some((prefix, name)) = parts.filter(|(a, b)| !a.is_empty() && !b.is_empty()) else {
            let message = "The condition key format is not valid. Use the format service:keyname.";
            self.findings.error("INVALID_CONDITION_KEY_FORMAT", span, message);
            return;
        };
        if self.tag_key_missing(clause) || known {
            return;
        }
        if prefix == "aws" {
            self.unknown_global_key(clause, name);
            return;
        }
        // Keys of identity providers carry a host name or one of these.
        let foreign = prefix.contains(['.', '/']) || prefix == "saml";
        if foreign || !self.knows_services() {
            return;
        }
        let written = key.split(':').next().unwrap_or_default();
        if self.knowledge.service(prefix).is_none() {
            let message =
                format!("The service {written} does not exist. Use a valid service name.");
            self.findings.error("INVALID_SERVICE", span, message);
        } else {
            let message = format!(
                "The condition key {key} does not exist in the service {written}. Use a valid \
                 condition key."
            );
            self.findings.error("INVALID_SERVICE_CONDITION_KEY", span, message);
        }
    }

    fn unknown_global_key(&mut self, clause: &Clause<'_>, name: &str) {
        let span = clause.key_span;
        if name != "arn" {
            let message = format!(
                "The condition key {} does not exist. Use a valid condition key.",
                clause.key
            );
            self.findings.error("INVALID_GLOBAL_CONDITION_KEY", span, message);
        } else if self.kind.has_principal() {
            let message = "The condition key aws:ARN is not supported. Use aws:PrincipalArn or \
                aws:SourceArn instead.";
            self.findings.error("UNSUPPORTED_GLOBAL_CONDITION_KEY", span, message);
        } else {
            let message = "We recommend that you update aws:ARN to use the newer condition key \
                aws:PrincipalArn.";
            self.findings.warning("DEPRECATED_GLOBAL_CONDITION_KEY", span, message);
        }
    }

    /// Reports a family of tag keys without the tag's key; whether it is one.
    fn tag_key_missing(&mut self, clause: &Clause<'_>) -> bool {
        let bare = clause.lower.trim_end_matches('/');
        let family = format!("{bare}/");
        let example = format!("{family}x");
        let of_tags = bare.ends_with("tag") && self.key_facts(&example).is_some();
        let missing = of_tags && self.key_facts(&clause.lower).is_none();
        if missing {
            let name = clause.key.trim_end_matches('/');
            let message = format!(
                "The condition key {name}/ must include a tag key to control access based on tags. \
                 Use the format {name}/tag-key and specify a key name for tag-key."
            );
            self.findings.error("MISSING_TAG_KEY_IN_CONDITION", clause.key_span, message);
        }
        missing
    }

    fn discouraged_key(&mut self, clause: &Clause<'_>) {
        let key = clause.key;
        if matches!(&*clause.lower, "aws:referer" | "aws:useragent") {
            let message = format!(
                "The {key} condition key is not recommended for access control as it can be \
                 spoofed/manipulated by the caller."
            );
            self.findings.security("UNTRUSTWORTHY_CONDITION_KEY", clause.key_span, message);
        }
        let of_s3 = matches!(self.resource_type, Some("AWS::S3::Bucket" | "AWS::S3::AccessPoint"));
        if of_s3 && clause.lower == "s3:resourceaccount" && self.kind == DocumentKind::Resource {
            let resource_type = self.resource_type.unwrap_or_default();
            let message = format!(
                "The condition key {key} is not relevant for the {resource_type} policy.  Use this \
                 key in an identity-based policy to govern access to this resource."
            );
            let code = "IRRELEVANT_CONDITION_KEY_IN_POLICY";
            self.findings.suggestion(code, clause.key_span, message);
        }
    }

    /// `ForAllValues` and `ForAnyValue`, where they belong and where not.
    fn qualifier(&mut self, clause: &Clause<'_>, operator: Operator, facts: Option<KeyFacts>) {
        let key = clause.key;
        let single = operator.quantifier == Quantifier::Single;
        if let Some((provider, "aud")) = clause.lower.rsplit_once(':')
            && !single
            && (provider.contains('.') || provider == "saml")
        {
            self.audience(clause, operator.quantifier, SHARED_PROVIDERS.contains(&provider));
            return;
        }
        let Some(facts) = facts else { return };
        if facts.multivalued && single && operator.family != Family::Null {
            let message = format!(
                "The request context key {key} has multiple values. Use the ForAllValues or \
                 ForAnyValue condition key qualifiers in your policy."
            );
            self.findings.error("MISSING_QUALIFIER", clause.key_span, message);
        }
        if !facts.multivalued && operator.quantifier == Quantifier::ForAllValues {
            self.for_all_values(clause);
        }
    }

    fn for_all_values(&mut self, clause: &Clause<'_>) {
        let message = format!(
            "Using ForAllValues qualifier with the single-valued condition key {} can be overly \
             permissive. We recommend that you remove ForAllValues:.",
            clause.key
        );
        let code = "FORALLVALUES_WITH_SINGLE_VALUED_KEY";
        self.findings.security(code, clause.name_span, message);
    }

    fn audience(&mut self, clause: &Clause<'_>, quantifier: Quantifier, shared: bool) {
        let key = clause.key;
        if !shared {
            let message = format!(
                "The \"{key}\" (audience) claim key identifies the recipients that the JSON web \
                 token is intended for. Because this claim is single-valued, do not use a \
                 qualifier."
            );
            self.findings.suggestion("CONFIRM_AUDIENCE_CLAIM_TYPE", clause.name_span, message);
        } else if quantifier == Quantifier::ForAllValues {
            self.for_all_values(clause);
        } else {
            let message = format!(
                "Using ForAnyValue qualifier with the single-valued condition key {key} can be \
                 overly permissive. We recommend that you remove ForAnyValue:."
            );
            let code = "FORANYVALUE_WITH_AUDIENCE_CLAIM_TYPE";
            self.findings.security(code, clause.name_span, message);
        }
    }

    fn operator_for_key(
        &mut self,
        clause: &Clause<'_>,
        operator: Operator,
        facts: Option<KeyFacts>,
    ) {
        let Some(kind) = facts.and_then(|facts| facts.kind) else { return };
        if operator.family == Family::Null {
            return;
        }
        let message = format!(
            "Use the operator type {} instead of operator {} for the condition key {}.",
            kind.name(),
            clause.name,
            clause.key
        );
        if !kind.takes(operator.family) {
            self.findings.warning("TYPE_MISMATCH", clause.name_span, message);
        } else if kind == KeyType::Arn && operator.family == Family::StringLike {
            let code = "STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS";
            self.findings.security(code, clause.name_span, message);
        }
    }
}

/// Whether a clause compares the key, which asking for its presence does not.
pub(super) fn compares(clause: &Clause<'_>) -> bool {
    clause.operator.is_some_and(|operator| operator.family != Family::Null)
}

/// The clauses of a statement that compare one of the keys.
pub(super) fn comparing<'s, 'n>(
    sheet: &'s Sheet<'n>,
    list: &'static [&'static str],
) -> impl Iterator<Item = &'s Clause<'n>> {
    let clauses = sheet.clauses.iter();
    clauses.filter(|clause| compares(clause) && keys::among(&clause.lower, list))
}

/// Whether a statement compares the key.
pub(super) fn comparing_key(sheet: &Sheet<'_>, key: &str) -> bool {
    sheet.on(key).any(compares)
}
