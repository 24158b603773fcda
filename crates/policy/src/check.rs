//! What a well-formed document of a kind may contain, with AWS's words where it may not.

use crate::document::{DocumentKind, Effect, Element, Policy, PrincipalType, Spanned, Statement};
use crate::finding::{Findings, Span};
use crate::operator::{Family, Operator};
use crate::principal::PrincipalMatcher;
use crate::value;
use crate::wording::{LEGACY, SYNTAX};
use std::collections::BTreeSet;

/// What an ARN of an IAM resource may begin with, as IAM lists it.
const IAM_RESOURCES: &[&str] = &[
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
];

/// Checks what concerns more than one element.
pub(crate) fn document(policy: &Policy, findings: &mut Findings<'_>) {
    let mut sids = BTreeSet::new();
    for statement in &policy.statements {
        if let Some(sid) = statement.sid.as_deref().filter(|sid| !sid.is_empty())
            && !sids.insert(sid)
        {
            let message = policy.kind.wording().duplicate_sid;
            findings.error("DUPLICATE_SID", statement.span, message);
        }
        principal(policy.kind, statement, findings);
        actions(policy.kind, statement, findings);
        resources(policy.kind, statement, findings);
        dates(statement, findings);
    }
    if policy.kind == DocumentKind::Rcp && !policy.is_current_version() {
        let message = "Resource control policies must be version 2012-10-17.";
        findings.error("INVALID_VERSION", Span::default(), message);
    }
}

/// IAM reads the dates of conditions when it takes a policy, but no other values.
fn dates(statement: &Statement, findings: &mut Findings<'_>) {
    for condition in &statement.conditions {
        let operator = Operator::parse(&condition.operator.text);
        let date = operator.is_some_and(|operator| matches!(operator.family, Family::Date(_)));
        let values = condition.values.iter().filter(|_| date);
        for value in values.filter(|value| value::parse_date(&value.text).is_none()) {
            findings.error_about("INVALID_DATE", value.span, LEGACY, "not a date");
        }
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
    if statement.effect == Effect::Allow {
        findings.error("NOT_PRINCIPAL", span, "Allow with NotPrincipal is not allowed.");
    } else if kind == DocumentKind::Trust {
        let message = "AssumeRole policy must not contain NotPrincipal field.";
        findings.error("NOT_PRINCIPAL", span, message);
    } else if kind == DocumentKind::Rcp {
        findings.error("NOT_PRINCIPAL", span, "Has prohibited field NotPrincipal.");
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
        let vendor = action.text.split_once(':').map(|(vendor, _)| vendor);
        let sts = vendor.is_some_and(|vendor| vendor.eq_ignore_ascii_case("sts"));
        if kind == DocumentKind::Trust && !sts {
            let message = "AssumeRole policy may only specify STS AssumeRole actions.";
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
        let message = kind.wording().missing_resource;
        match kind {
            // Some services' policies have none (Amazon ECR's repositories), others demand it.
            DocumentKind::Trust | DocumentKind::Resource => {}
            _ => findings.error("MISSING_RESOURCE", statement.span, message),
        }
        return;
    };
    if kind == DocumentKind::Trust {
        let message = if element.negated {
            "AssumeRole policy must not contain resources."
        } else {
            "Has prohibited field Resource."
        };
        findings.error("RESOURCE_FORBIDDEN", element.span, message);
        return;
    }
    if element.values.is_empty() {
        findings.error("MISSING_RESOURCE", element.span, kind.wording().missing_resource);
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
    let mut fields = rest.splitn(5, ':');
    let mut next = || fields.next();
    let (partition, service, region, _, path) = (next(), next(), next(), next(), next());
    let partition = partition.unwrap_or("");
    if partition != "*" && partition != "aws" && !partition.starts_with("aws-") {
        let padded = rest.split_once(':').map_or("*:*:*:*", |(_, rest)| rest);
        let message = format!(
            "Partition \"{partition}\" is not valid for resource \"arn:{partition}:{padded}\"."
        );
        findings.error("INVALID_PARTITION", resource.span, message);
        return;
    }
    let qualified = |service: &&str| !service.is_empty() && !service.contains(['*', '?', '$']);
    let Some(service) = service.filter(qualified) else {
        let message = "Resource vendor must be fully qualified and cannot contain regexes.";
        findings.error("RESOURCE_VENDOR", resource.span, message);
        return;
    };
    if service == "iam" || service == "s3" {
        region_and_path(resource, service, region.unwrap_or(""), path, findings);
    }
}

/// How the resources of S3 begin whose ARNs name a region (Service Authorization Reference).
const S3_REGIONAL: [&str; 5] =
    ["access-grants/", "accesspoint/", "async-request/", "job/", "storage-lens"];

/// What IAM knows of two services' ARNs: they name no region, and IAM's begin with a type.
fn region_and_path(
    resource: &Spanned,
    service: &str,
    region: &str,
    path: Option<&str>,
    findings: &mut Findings<'_>,
) {
    let text = &resource.text;
    // Of what S3 has, buckets and objects alone are of no region: their ARNs begin with a name.
    let begins = |kind: &&str| path.is_some_and(|path| path.starts_with(*kind));
    let may_name_one = service == "s3" && S3_REGIONAL.iter().any(begins);
    if !region.is_empty() && region != "*" && !may_name_one {
        let message = if service == "iam" {
            format!("IAM resource {text} cannot contain region information.")
        } else {
            format!("Resource {text} can not contain region information.")
        };
        findings.error("RESOURCE_REGION", resource.span, message);
        return;
    }
    let known = |path: &str| {
        let literal = path.split(['*', '?', '$']).next().unwrap_or(path);
        let wild = literal.len() < path.len();
        path == "root"
            || path.starts_with("role-template/")
            || IAM_RESOURCES
                .iter()
                .any(|kind| path.starts_with(kind) || (wild && kind.starts_with(literal)))
    };
    if service == "iam" && path.is_some_and(|path| !known(path)) {
        let kinds = IAM_RESOURCES.join(", ");
        let message = format!("IAM resource path must either be \"*\" or start with {kinds}.");
        findings.error("RESOURCE_PATH", resource.span, message);
    }
}
