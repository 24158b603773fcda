//! Service control policies and resource control policies.
//!
//! Source: "SCP syntax" and "RCP syntax", Organizations User Guide.

use super::Analysis;
use super::key::{comparing, comparing_key};
use super::lower;
use super::outline::Sheet;
use crate::rcp_services::supports_rcp;

/// Keys that a service calling for itself does not have.
const OF_PRINCIPALS: &[&str] = &[
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principaltag/",
];

/// Keys that only a service calling for itself has.
const OF_SERVICES: &[&str] =
    &["aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths"];

/// Those of them that a service may leave out.
const OF_SOURCE_ORGANIZATION: &[&str] = &["aws:sourceorgid", "aws:sourceorgpaths"];

impl Analysis<'_, '_> {
    pub(super) fn service_control(&mut self, sheet: &Sheet<'_>) {
        for value in sheet.action.iter().flat_map(|action| &action.values) {
            let literal = value.text.strip_suffix('*').unwrap_or(&value.text);
            if literal.contains(['*', '?']) {
                let message = format!(
                    "SCP actions can include wildcards (*) only at the end of a string. Update {}.",
                    value.text
                );
                self.findings.error("SCP_SYNTAX_ERROR_ACTION_WILDCARD", value.span, message);
            }
        }
    }

    pub(super) fn resource_control(&mut self, sheet: &Sheet<'_>) {
        self.rcp_syntax(sheet);
        if !sheet.denies() {
            return;
        }
        let excepted = comparing_key(sheet, "aws:principalisawsservice");
        let principal = comparing(sheet, OF_PRINCIPALS).next().filter(|_| !excepted);
        if let Some(clause) = principal {
            let message = format!(
                "RCPs impact IAM roles, users, and AWS service principals. To prevent unintended \
                 impact to services acting on your behalf using a service principal, an additional \
                 statement should be added to the Condition block \"BoolIfExists\": {{ \
                 \"aws:PrincipalIsAWSService\": \"false\"}} whenever a principal key {} is used.",
                clause.key
            );
            let code = "RCP_MISSING_RELATED_PRINCIPAL_CONDITION_KEY";
            self.findings.warning(code, clause.key_span, message);
        }
        let service = comparing(sheet, OF_SERVICES).next().filter(|_| !excepted);
        if let Some(clause) = service {
            let message = format!(
                "RCPs impact IAM roles, users, and AWS service principals. To prevent unintended \
                 impact to your principals, an additional statement should be added to the \
                 Condition block \"BoolIfExists\": {{ \"aws:PrincipalIsAWSService\": \"true\"}} \
                 whenever the key {} is used.",
                clause.key
            );
            let code = "RCP_MISSING_RELATED_SERVICE_PRINCIPAL_CONDITION_KEY";
            self.findings.warning(code, clause.key_span, message);
        }
        self.null_check(sheet);
    }

    fn null_check(&mut self, sheet: &Sheet<'_>) {
        let present = ["aws:sourceaccount", "aws:sourcearn"].iter().any(|key| {
            let asked = |name: &str, value: &str| name == "Null" && value == "false";
            let mut clauses = sheet.on(key);
            clauses.any(|it| it.values.iter().all(|value| asked(it.name, &value.text)))
        });
        let source = comparing(sheet, OF_SOURCE_ORGANIZATION).next().filter(|_| !present);
        if let Some(clause) = source {
            let message = format!(
                "The specified service may have a service integration that does not require the \
                 use of the {} condition key. To prevent unintended impact to services acting on \
                 your behalf using a service principal, an additional statement should be added to \
                 the Condition block \"Null\": {{ \"aws:SourceAccount\": \"false\"}} or \"Null\": \
                 {{ \"aws:SourceArn\": \"false\"}} whenever the key {} is used.",
                clause.key, clause.key
            );
            let code = "RCP_MISSING_SERVICE_CONDITION_KEY_NULL_CHECK";
            self.findings.warning(code, clause.key_span, message);
        }
    }

    fn rcp_syntax(&mut self, sheet: &Sheet<'_>) {
        let principal = sheet.principal.as_ref();
        let everyone = |it: &super::outline::Who<'_>| {
            !it.negated && it.entries.iter().all(|entry| entry.key == "*")
        };
        if let Some(principal) = principal.filter(|principal| !everyone(principal)) {
            let message = "The Principal element contents are not valid. RCPs only support \
                specifying all principals (\"*\") in the Principal element. The NotPrincipal \
                element is not supported for RCPs.";
            self.findings.error("RCP_SYNTAX_ERROR_PRINCIPAL", principal.span, message);
        }
        let resource = sheet.resource.as_ref();
        let all = resource.is_some_and(|it| !it.negated && it.values.iter().all(|it| it.is("*")));
        let whole = principal.is_some_and(everyone) && all && sheet.clauses.is_empty();
        if sheet.allows() && !whole {
            let message = "RCPs only support specifying all principals (\"*\") in the Principal \
                element, all resources (\"*\") in the Resource element, and no Condition element \
                with an effect of Allow.";
            self.findings.error("RCP_SYNTAX_ERROR_ALLOW", sheet.span, message);
        }
        let Some(action) = &sheet.action else { return };
        if action.negated {
            let message =
                "RCPs do not support the NotAction element. Update to use the Action element.";
            self.findings.error("RCP_SYNTAX_ERROR_NOTACTION", action.span, message);
            return;
        }
        for value in &action.values {
            let lower = lower(value);
            let prefix = lower.split_once(':').map(|(prefix, _)| prefix);
            let full_access = sheet.allows() && value.is("*");
            if !full_access && !prefix.is_some_and(supports_rcp) {
                let message = "RCPs only support specifying select service prefixes in the Action \
                    element. Learn more here.";
                self.findings.error("RCP_SYNTAX_ERROR_ACTION", value.span, message);
            }
        }
    }
}
