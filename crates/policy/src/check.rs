//! What a well-formed document of a kind may contain, with AWS's words where it may not.

use crate::document::{DocumentKind, Effect, Element, Policy, PrincipalType, Spanned, Statement};
use crate::finding::{Findings, Span};
use crate::parse::SYNTAX;
use crate::principal::PrincipalMatcher;
use std::collections::BTreeSet;

const LEGACY: &str = "The policy failed legacy parsing";

/// Checks what concerns more than one element.
pub(crate) fn document(policy: &Policy, findings: &mut Findings<'_>) {
    let mut sids = BTreeSet::new();
    for statement in &policy.statements {
        if let Some(sid) = statement.sid.as_deref().filter(|sid| !sid.is_empty())
            && !sids.insert(sid)
        {
            let message = "Statement IDs (SID) in a single policy must be unique.";
            findings.error("DUPLICATE_SID", statement.span, message);
        }
        principal(policy.kind, statement, findings);
        actions(policy.kind, statement, findings);
        resources(policy.kind, statement, findings);
    }
}

/// IAM's own policies take letters and digits; resource policies of most services more.
pub(crate) fn sid(sid: &Spanned, kind: DocumentKind, findings: &mut Findings<'_>) {
    let strict = !matches!(kind, DocumentKind::Resource | DocumentKind::VpcEndpoint);
    if strict && !sid.text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let message = format!(
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the \
             regular expression [0-9A-Za-z]*: {}",
            sid.text
        );
        findings.error("INVALID_SID", sid.span, message);
    }
}

fn principal(kind: DocumentKind, statement: &Statement, findings: &mut Findings<'_>) {
    let Some(element) = &statement.principal else {
        if kind.has_principal() {
            let message = "Missing required field Principal";
            findings.error("MISSING_PRINCIPAL", statement.span, message);
        }
        return;
    };
    if !kind.has_principal() {
        let message = "Policy document should not specify a principal.";
        findings.error("PRINCIPAL_FORBIDDEN", element.span, message);
        return;
    }
    if element.negated {
        not_principal(kind, statement, element.span, findings);
    }
    for entry in &element.entries {
        let bad_rcp = kind == DocumentKind::Rcp && entry.kind != PrincipalType::Everyone;
        if bad_rcp || PrincipalMatcher::compile(entry).is_none() {
            let message = match entry.kind {
                PrincipalType::Everyone => "Invalid principal in policy: \"*\"".to_owned(),
                PrincipalType::Aws => invalid_principal("AWS", entry),
                PrincipalType::Service => invalid_principal("SERVICE", entry),
                PrincipalType::Federated => invalid_principal("FEDERATED", entry),
                PrincipalType::CanonicalUser => invalid_principal("CANONICAL", entry),
            };
            findings.error("INVALID_PRINCIPAL", entry.value.span, message);
        }
    }
}

fn invalid_principal(kind: &str, entry: &crate::document::PrincipalEntry) -> String {
    format!("Invalid principal in policy: \"{kind}\":\"{}\"", entry.value.text)
}

fn not_principal(
    kind: DocumentKind,
    statement: &Statement,
    span: Span,
    findings: &mut Findings<'_>,
) {
    if matches!(kind, DocumentKind::Trust | DocumentKind::Rcp) {
        findings.error("NOT_PRINCIPAL", span, "Has prohibited field NotPrincipal.");
    } else if statement.effect == Effect::Allow {
        let message = "NotPrincipal is not supported with Effect Allow.";
        findings.error("NOT_PRINCIPAL", span, message);
    }
}

fn actions(kind: DocumentKind, statement: &Statement, findings: &mut Findings<'_>) {
    if kind == DocumentKind::Rcp && statement.action.negated {
        findings.error("NOT_ACTION", statement.action.span, "Has prohibited field NotAction.");
    }
    if kind == DocumentKind::Rcp && statement.effect == Effect::Allow && !allows_all(statement) {
        let message = "Resource control policies support only Effect Deny.";
        findings.error("INVALID_EFFECT", statement.span, message);
    }
    for action in &statement.action.values {
        action_name(action, findings);
        let sts = action.text.split_once(':').is_some_and(|(vendor, _)| {
            vendor.eq_ignore_ascii_case("sts") || vendor.eq_ignore_ascii_case("cognito-identity")
        });
        if kind == DocumentKind::Trust && !sts && action.text != "*" {
            let message = "Trust Policy statement actions can only be sts:AssumeRole, \
                 sts:AssumeRoleWithSAML, sts:AssumeRoleWithWebIdentity, sts:TagSession and \
                 sts:SetSourceIdentity";
            findings.error("TRUST_ACTION", action.span, message);
        }
    }
}

/// What AWS's own `RCPFullAWSAccess` says, the only Allow an RCP may hold.
fn allows_all(statement: &Statement) -> bool {
    let everything = |element: &Element| {
        !element.negated && element.values.iter().all(|value| value.text == "*")
    };
    everything(&statement.action)
        && statement.resource.as_ref().is_some_and(everything)
        && statement.conditions.is_empty()
}

fn action_name(action: &Spanned, findings: &mut Findings<'_>) {
    if action.text == "*" {
        return;
    }
    let Some((vendor, name)) = action.text.split_once(':') else {
        let message = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
        findings.error("ACTION_WITHOUT_VENDOR", action.span, message);
        return;
    };
    if name.contains(':') {
        let message = "Actions/Condition can contain only one colon.";
        findings.error("ACTION_COLONS", action.span, message);
    }
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    if vendor.is_empty() || !vendor.bytes().all(valid) {
        findings.error("INVALID_VENDOR", action.span, format!("Vendor {vendor} is not valid"));
    } else if name.is_empty() {
        findings.error("ACTION_EMPTY", action.span, SYNTAX);
    }
}

fn resources(kind: DocumentKind, statement: &Statement, findings: &mut Findings<'_>) {
    let Some(element) = &statement.resource else {
        if kind != DocumentKind::Trust {
            let message = "Policy statement must contain resources.";
            findings.error("MISSING_RESOURCE", statement.span, message);
        }
        return;
    };
    if kind == DocumentKind::Trust {
        findings.error("RESOURCE_FORBIDDEN", element.span, "Has prohibited field Resource.");
        return;
    }
    if element.values.is_empty() {
        let message = "Policy statement must contain resources.";
        findings.error("MISSING_RESOURCE", element.span, message);
    }
    for resource in &element.values {
        if resource.text != "*" {
            resource_arn(resource, findings);
        }
    }
}

fn resource_arn(resource: &Spanned, findings: &mut Findings<'_>) {
    let text = &resource.text;
    let Some(rest) = text.strip_prefix("arn:") else {
        let message = format!("Resource {text} must be in ARN format or \"*\".");
        findings.error("RESOURCE_NOT_ARN", resource.span, message);
        return;
    };
    // The five fields before the resource take no variables, so `${` there is a mistake.
    let mut fields = rest.splitn(5, ':');
    let mut next = || fields.next();
    let (partition, service, region, account) = (next(), next(), next(), next());
    let partition = partition.unwrap_or("");
    let known = partition == "*" || partition == "aws" || partition.starts_with("aws-");
    if !known {
        let padded = rest.split_once(':').map_or("*:*:*:*", |(_, rest)| rest);
        let message = format!(
            "Partition \"{partition}\" is not valid for resource \"arn:{partition}:{padded}\"."
        );
        findings.error("INVALID_PARTITION", resource.span, message);
        return;
    }
    let Some(service) = service.filter(|service| !service.contains(['*', '?'])) else {
        let message = "Resource vendor must be fully qualified and cannot contain regexes.";
        findings.error("RESOURCE_VENDOR", resource.span, message);
        return;
    };
    let early = [Some(service), region, account];
    if early.iter().flatten().any(|field| field.contains("${")) {
        findings.error("VARIABLE_BEFORE_RESOURCE", resource.span, LEGACY);
        return;
    }
    if region.is_some_and(|region| !region.is_empty() && region != "*") {
        let message = match service {
            "iam" => format!("IAM resource {text} cannot contain region information."),
            "s3" => format!("Resource {text} can not contain region information."),
            _ => return,
        };
        findings.error("RESOURCE_REGION", resource.span, message);
    }
}
