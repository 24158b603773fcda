//! Condition keys and the actions of their statement: whether the one means the other.

use super::key::{compares, comparing_key};
use super::keys::{is_cross_service, stands_for};
use super::outline::{Clause, Sheet, Text};
use super::{Analysis, glob, lower, vpce_services};
use crate::document::DocumentKind;
use crate::finding::{Severity, Span};
use crate::operator::{Family, Operator};
use std::collections::BTreeSet;

const VPCE: &[&str] = &["aws:vpceaccount", "aws:vpceorgid", "aws:vpceorgpaths"];

/// A key that says little without another one: the key, those of which one suffices, and how AWS
/// writes them.
const PAIRED: &[(&str, &[&str], &str)] = &[
    (
        "aws:vpcsourceip",
        &["aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn"],
        "aws:SourceVpc, aws:SourceVpce, aws:SourceVpcArn",
    ),
    ("aws:ec2instancesourceprivateipv4", &["aws:ec2instancesourcevpc"], "aws:Ec2InstanceSourceVpc"),
];

/// Requests of DynamoDB whose answer the attributes limit.
const READS: &[&str] =
    &["dynamodb:batchgetitem", "dynamodb:getitem", "dynamodb:query", "dynamodb:scan"];

/// What the tags of a resource are asked for with.
const RESOURCE_TAG: &str = "aws:resourcetag/";

impl Analysis<'_, '_> {
    pub(super) fn scope_of_keys(&mut self, sheet: &Sheet<'_>) {
        for clause in sheet.clauses.iter().filter(|clause| compares(clause)) {
            let Some(operator) = clause.operator else { continue };
            self.unsupported_actions(sheet, clause, operator);
            self.resource_tags(sheet, clause, operator);
            self.vpc_endpoint_keys(sheet, clause);
            self.paired_keys(sheet, clause);
            self.listing_prefix(sheet, clause, operator);
        }
        self.attributes(sheet);
    }

    /// Actions that a service's key is never given with.
    fn unsupported_actions(&mut self, sheet: &Sheet<'_>, clause: &Clause<'_>, operator: Operator) {
        let key = clause.lower.as_str();
        let Some((prefix, _)) = key.split_once(':') else { return };
        let knowledge = self.knowledge;
        let Some(service) = knowledge.service(prefix) else { return };
        let given = |keys: &[String]| keys.iter().any(|template| stands_for(template, key));
        let anywhere = service.actions.values().any(|action| given(&action.keys));
        if is_cross_service(key) || operator.if_exists || !anywhere {
            return;
        }
        let mut names = Vec::new();
        let mut spans: Vec<Span> = vec![clause.key_span];
        for value in sheet.actions().iter().filter(|value| !glob::has_wildcard(&value.text)) {
            let lower = lower(value);
            let facts = lower.split_once(':').and_then(|(prefix, name)| {
                knowledge.service(prefix).and_then(|service| service.actions.get(name))
            });
            if facts.is_some_and(|facts| !given(&facts.keys)) {
                names.push(&*value.text);
                spans.push(value.span);
            }
        }
        if !names.is_empty() {
            let message = format!(
                "The following actions: {} are not supported by the condition key {}. The \
                 condition will not be evaluated for these actions. We recommend that you move \
                 these actions to a different statement without this condition key.",
                names.join(", "),
                clause.key
            );
            let code = "UNSUPPORTED_ACTION_FOR_CONDITION_KEY";
            self.findings.report(Severity::Error, code, &spans, message);
        }
    }

    /// `aws:ResourceTag` where some actions know no tags. Absent, the key fails a plain operator,
    /// and only that one is in vain.
    fn resource_tags(&mut self, sheet: &Sheet<'_>, clause: &Clause<'_>, operator: Operator) {
        let in_vain = !operator.if_exists && !operator.negated;
        let tags =
            clause.lower.starts_with(RESOURCE_TAG) && clause.lower.len() > RESOURCE_TAG.len();
        let Some(action) = &sheet.action else { return };
        if !tags || !in_vain || !self.knows_services() || self.kind == DocumentKind::Trust {
            return;
        }
        let key = clause.key.split('/').next().unwrap_or_default();
        let span = clause.key_span;
        if action.negated {
            if sheet.denies() {
                let message = format!(
                    "Using the effect Deny with NotAction and the tag condition key {key} can be \
                     overly permissive because some service actions are not denied by this \
                     statement. This is because the condition key doesn't apply to some service \
                     actions. We recommend that you use Action instead of NotAction."
                );
                let code = "DENY_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE";
                self.findings.security(code, span, message);
            } else if sheet.allows() {
                let message = format!(
                    "Using the effect Allow with NotAction and the tag condition key {key} allows \
                     only service actions that support the condition key. The condition key \
                     doesn't apply to some service actions. We recommend that you use Action \
                     instead of NotAction."
                );
                let code = "ALLOW_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE";
                self.findings.suggestion(code, span, message);
            }
            return;
        }
        let services = self.without_tags(&action.values);
        if services.is_empty() {
            return;
        }
        let names = services.into_iter().collect::<Vec<_>>().join(", ");
        let advice = "We recommend that you move these actions to a different statement without \
            this condition key.";
        if sheet.denies() {
            let message = format!(
                "Using the effect Deny with the tag condition key {key} and actions for services \
                 with the following prefixes can be overly permissive: {names}. Actions for the \
                 listed services are not denied by this statement. {advice}"
            );
            let code = "DENY_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE";
            self.findings.security(code, span, message);
        } else if sheet.allows() {
            let message = format!(
                "Using the effect Allow with the tag condition key {key} and actions for services \
                 with the following prefixes does not affect the policy: {names}. Actions for the \
                 listed service are not allowed by this statement. {advice}"
            );
            let code = "ALLOW_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE";
            self.findings.suggestion(code, span, message);
        }
    }

    /// The services of actions none of which is asked with the tags of its resource.
    fn without_tags(&self, actions: &[Text<'_>]) -> BTreeSet<String> {
        let mut services = BTreeSet::new();
        for value in actions {
            let lower = lower(value);
            let Some((prefix, name)) = lower.split_once(':') else { continue };
            let Some(service) = self.knowledge.service(prefix) else { continue };
            let mut matched = service
                .actions
                .iter()
                .filter(|(known, _)| glob::covers(name, known))
                .map(|(_, facts)| facts.keys.iter().any(|key| key.starts_with(RESOURCE_TAG)))
                .peekable();
            if matched.peek().is_some() && !matched.any(|supported| supported) {
                services.insert(prefix.to_owned());
            }
        }
        services
    }

    fn vpc_endpoint_keys(&mut self, sheet: &Sheet<'_>, clause: &Clause<'_>) {
        if !VPCE.contains(&&*clause.lower) {
            return;
        }
        let supported = |value: &Text<'_>| {
            let lower = lower(value);
            let prefix = lower.split_once(':').map(|(prefix, _)| prefix);
            prefix.is_some_and(|prefix| vpce_services::supports(&clause.lower, prefix))
        };
        let negated = sheet.action.as_ref().is_some_and(|action| action.negated);
        if negated || !sheet.actions().iter().all(supported) {
            let message = format!(
                "The condition key {} works only with specific AWS services and must be scoped to \
                 supported services in your policies.",
                clause.key
            );
            let code = "USE_CONDITION_KEY_ONLY_WITH_SUPPORTED_SERVICES";
            self.findings.warning(code, clause.key_span, message);
        }
    }

    fn paired_keys(&mut self, sheet: &Sheet<'_>, clause: &Clause<'_>) {
        let Some((_, others, names)) = PAIRED.iter().find(|(key, ..)| *key == clause.lower) else {
            return;
        };
        if !others.iter().any(|other| sheet.has_key(other)) {
            let message = format!(
                "Using the condition key {} can be overly permissive without also using the \
                 following condition keys: {names}. Condition keys like this one are more secure \
                 when paired with a related key. We recommend that you add the related condition \
                 keys to the same condition block.",
                clause.key
            );
            self.findings.security("MISSING_PAIRED_CONDITION_KEYS", clause.key_span, message);
        }
    }

    /// `s3:prefix` where a shorter prefix slips through.
    fn listing_prefix(&mut self, sheet: &Sheet<'_>, clause: &Clause<'_>, operator: Operator) {
        use Family::{StringEquals, StringEqualsIgnoreCase, StringLike};
        let string = matches!(operator.family, StringEquals | StringEqualsIgnoreCase | StringLike);
        let open = (sheet.denies() && !operator.negated) || (sheet.allows() && operator.negated);
        if clause.lower == "s3:prefix" && string && open {
            let message = "Using the s3:prefix condition key in a Deny statement or with a negated \
                string operator does not block listing the objects under the matching prefixes. A \
                request that specifies a shorter prefix does not match the condition and can still \
                list those objects. To restrict listing to specific prefixes, use s3:prefix with \
                StringLike in an Allow statement, or use a Deny statement with StringNotLike.";
            self.findings.security("S3_PREFIX_IN_NEGATIVE_CONTEXT", clause.key_span, message);
        }
    }

    fn attributes(&mut self, sheet: &Sheet<'_>) {
        let Some(clause) = sheet.on("dynamodb:attributes").find(|clause| compares(clause)) else {
            return;
        };
        let reads = |value: &Text<'_>| READS.iter().any(|it| glob::covers(&lower(value), it));
        let specific = |value: &Text<'_>| value.is("SPECIFIC_ATTRIBUTES");
        let selected = comparing_key(sheet, "dynamodb:select")
            && sheet.on("dynamodb:select").any(|clause| clause.values.iter().all(specific));
        if sheet.allows() && !selected && sheet.actions().iter().any(reads) {
            let message = "Restricting dynamodb:Attributes without also setting dynamodb:Select to \
                SPECIFIC_ATTRIBUTES allows all attributes to be returned on read requests that \
                omit a projection expression. We recommend that you also set dynamodb:Select to \
                SPECIFIC_ATTRIBUTES.";
            self.findings.security("DYNAMODB_ATTRIBUTES_WITHOUT_SELECT", clause.key_span, message);
        }
    }
}
