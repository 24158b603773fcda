//! Who a resource's policy is about.

use super::Analysis;
use super::key::comparing;
use super::keys::{PRINCIPAL, SOURCE};
use super::outline::{Sheet, Who, member};
use super::value::is_service_principal;
use crate::document::DocumentKind;
use crate::finding::Severity;
use crate::json::Value;

/// Keys that limit a service's calls less well than where they come from.
const INSTEAD: &[&str] = &["aws:referer", "aws:sourceip", "aws:useragent", "aws:vpcsourceip"];

impl Analysis<'_, '_> {
    pub(super) fn principals(&mut self, sheet: &Sheet<'_>) {
        let Some(principal) = &sheet.principal else {
            if self.kind.has_principal() {
                let message = "Add a Principal element to the policy statement.";
                self.findings.error("MISSING_PRINCIPAL", sheet.span, message);
            }
            return;
        };
        if !self.kind.has_principal() {
            self.no_principal_here(principal);
            return;
        }
        self.principal_form(sheet);
        self.wildcards_in_principal(principal);
        self.unique_ids(principal);
        for service in principal.under("Service") {
            let open = service.text.contains(['*', '?', '$']);
            if !open && !is_service_principal(&service.text) {
                self.service_format(service, "service-name.amazonaws.com");
            }
        }
        if principal.negated && sheet.allows() && self.kind != DocumentKind::Trust {
            let message = "Using Allow with NotPrincipal can be overly permissive. We recommend \
                that you use Principal instead.";
            self.findings.security("ALLOW_WITH_NOT_PRINCIPAL", principal.key_span, message);
        }
        if matches!(self.kind, DocumentKind::Resource | DocumentKind::VpcEndpoint) {
            self.federated(sheet, principal);
            self.service_principals(sheet, principal);
        }
    }

    fn no_principal_here(&mut self, principal: &Who<'_>) {
        if self.kind == DocumentKind::Scp {
            let message = "SCPs do not support specifying principals. Remove the Principal or \
                NotPrincipal element.";
            self.findings.error("SCP_SYNTAX_ERROR_PRINCIPAL", principal.key_span, message);
        } else {
            let message = "The policy type IDENTITY_POLICY does not support the Principal element. \
                Remove the Principal element.";
            self.findings.error("UNSUPPORTED_PRINCIPAL", principal.key_span, message);
        }
    }

    fn principal_form(&mut self, sheet: &Sheet<'_>) {
        let named = |name| member(sheet.members, name);
        let Some(element) = named("Principal").or_else(|| named("NotPrincipal")) else { return };
        let none = "This statement includes no principals and does not affect the policy. Specify \
            principals.";
        match &element.value.value {
            Value::Text(text) if text == "*" => {}
            Value::Object(keys) if keys.is_empty() => {
                self.findings.suggestion("EMPTY_OBJECT_PRINCIPAL", element.value.span, none);
            }
            Value::Object(keys) => {
                for key in keys {
                    if !matches!(&*key.key, "AWS" | "Service" | "Federated" | "CanonicalUser") {
                        let message = format!("The principal key {} is not valid.", key.key);
                        self.findings.error("INVALID_PRINCIPAL_KEY", key.key_span, message);
                    }
                    if matches!(&key.value.value, Value::List(items) if items.is_empty()) {
                        self.findings.suggestion("EMPTY_ARRAY_PRINCIPAL", key.value.span, none);
                    }
                }
            }
            Value::List(items) if items.is_empty() => {
                self.findings.suggestion("EMPTY_ARRAY_PRINCIPAL", element.value.span, none);
            }
            _ => {
                let message = "The Principal element contents are not valid. Specify a key-value \
                    pair in the Principal element.";
                self.findings.error("INVALID_PRINCIPAL_FORMAT", element.value.span, message);
            }
        }
    }

    fn wildcards_in_principal(&mut self, principal: &Who<'_>) {
        for entry in &principal.entries {
            let everyone = matches!(entry.key, "*" | "AWS") && entry.value.is("*");
            if !everyone && entry.value.text.contains(['*', '?']) {
                let message = format!(
                    "Wildcards (*, ?) are not supported with the principal key {}. Replace the \
                     wildcard with a valid principal value.",
                    entry.key
                );
                let code = "UNSUPPORTED_WILDCARD_IN_PRINCIPAL";
                self.findings.error(code, entry.value.span, message);
            }
        }
    }

    fn unique_ids(&mut self, principal: &Who<'_>) {
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        for value in principal.under("AWS").filter(|value| plain(&value.text)) {
            if value.text.starts_with("AROA") {
                let message = format!(
                    "The Principal element includes the IAM role ID {}. We recommend that you use \
                     a role ARN instead.",
                    value.text
                );
                self.findings.warning("INVALID_ROLE_REFERENCE", value.span, message);
            } else if value.text.starts_with("AIDA") {
                let message = format!(
                    "The Principal element includes the IAM user ID {}. We recommend that you use \
                     a user ARN instead.",
                    value.text
                );
                self.findings.warning("INVALID_USER_REFERENCE", value.span, message);
            }
        }
    }

    /// Identity providers in a policy that is no role's. A trust policy may come as a resource's
    /// without saying so; its actions tell.
    fn federated(&mut self, sheet: &Sheet<'_>, principal: &Who<'_>) {
        let assumes = |text: &str| text.to_ascii_lowercase().starts_with("sts:");
        if sheet.actions().iter().any(|action| assumes(&action.text)) {
            return;
        }
        for value in principal.under("Federated") {
            let message = "The policy type does not support a federated identity provider in the \
                principal element. Use a supported principal.";
            self.findings.error("FEDERATED_PRINCIPAL_NOT_SUPPORTED", value.span, message);
        }
    }

    /// Services that act on somebody's behalf must say on whose.
    fn service_principals(&mut self, sheet: &Sheet<'_>, principal: &Who<'_>) {
        let only = principal.entries.iter().all(|entry| entry.key == "Service");
        if !only || principal.entries.is_empty() || principal.negated {
            return;
        }
        let unsupported = comparing(sheet, PRINCIPAL);
        let unsupported: Vec<_> =
            unsupported.filter(|it| it.operator.is_some_and(|it| !it.if_exists)).collect();
        if !unsupported.is_empty() {
            let keys: Vec<&str> = unsupported.iter().map(|clause| clause.key).collect();
            let spans: Vec<_> = unsupported.iter().map(|clause| clause.key_span).collect();
            let message = format!(
                "The following condition keys are not supported when used with the service \
                 principal: {}.",
                keys.join(", ")
            );
            let code = "UNSUPPORTED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL";
            self.findings.report(Severity::Error, code, &spans, message);
        }
        if !sheet.allows() || SOURCE.iter().any(|key| sheet.has_key(key)) {
            return;
        }
        if let Some(clause) = comparing(sheet, INSTEAD).next() {
            let service = principal.entries.first().map_or("", |entry| &*entry.value.text);
            let prefix = service.split('.').next().unwrap_or_default();
            let message = format!(
                "To restrict access to the service principal {prefix} operating on your behalf, we \
                 recommend aws:SourceArn, aws:SourceAccount, aws:SourceOrgID, or \
                 aws:SourceOrgPaths instead of {}.",
                clause.key
            );
            let code = "RECOMMENDED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL";
            self.findings.suggestion(code, clause.key_span, message);
        } else {
            let message = "Granting access to a service principal without specifying a source is \
                overly permissive. Use aws:SourceArn, aws:SourceAccount, aws:SourceOrgID, or \
                aws:SourceOrgPaths condition key to grant fine-grained access.";
            let code = "RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL";
            self.findings.security(code, principal.span, message);
        }
    }
}
