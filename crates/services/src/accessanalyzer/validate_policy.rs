//! ValidatePolicy: the findings about a policy that need not exist.

use super::knowledge::Reference;
use crate::context::Context;
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use palisade_model::accessanalyzer::{
    Location, PathElement, Position, Span, VALIDATION_EXCEPTION, ValidatePolicyFinding,
    ValidatePolicyRequest, ValidatePolicyResponse, policy_type, validate_policy_resource_type,
    validation_exception_reason,
};
use palisade_policy::{DocumentKind, Finding, Validation, validate};
use palisade_shape::{Error, Result};

/// How many findings come in one answer, at most and when nothing is said.
const RESULTS_MAX: usize = 1000;
const RESULTS_DEFAULT: usize = 100;

/// Lists what is wrong with a policy document, one page at a time. Texts are English in every
/// locale.
pub fn validate_policy(
    _: &mut Context,
    input: ValidatePolicyRequest,
) -> Result<ValidatePolicyResponse> {
    let ValidatePolicyRequest {
        locale: _,
        max_results,
        next_token,
        policy_document,
        policy_type,
        validate_policy_resource_type: resource_type,
    } = input;
    let size = page_size(max_results)?;
    let kind = kind(&policy_type, resource_type.as_deref())?;
    let question = question(&policy_document, kind, resource_type.as_deref());
    let start = next_token.map_or(Ok(0), |token| continued(&token, &question))?;
    let resource_type = resource_type.as_deref();
    let validation = Validation { kind, resource_type, knowledge: &Reference };
    let findings = validate(&policy_document, validation);
    let page = findings.iter().skip(start).take(size).map(shown).collect();
    let end = start.saturating_add(size);
    let next_token = (end < findings.len()).then(|| token(end, &question));
    Ok(ValidatePolicyResponse { findings: page, next_token })
}

fn page_size(max_results: Option<i32>) -> Result<usize> {
    let Some(asked) = max_results else { return Ok(RESULTS_DEFAULT) };
    match usize::try_from(asked) {
        Ok(size) if (1..=RESULTS_MAX).contains(&size) => Ok(size),
        _ => Err(invalid(format!("maxResults must be between 1 and {RESULTS_MAX}."))),
    }
}

fn kind(policy_type: &str, resource_type: Option<&str>) -> Result<DocumentKind> {
    use validate_policy_resource_type::AWS_IAM_ASSUME_ROLE_POLICY_DOCUMENT;
    let kind = match policy_type {
        policy_type::IDENTITY_POLICY => DocumentKind::Identity,
        policy_type::SERVICE_CONTROL_POLICY => DocumentKind::Scp,
        policy_type::RESOURCE_CONTROL_POLICY => DocumentKind::Rcp,
        policy_type::RESOURCE_POLICY => match resource_type {
            Some(AWS_IAM_ASSUME_ROLE_POLICY_DOCUMENT) => DocumentKind::Trust,
            _ => return Ok(DocumentKind::Resource),
        },
        other => return Err(invalid(format!("{other} is not a valid policyType."))),
    };
    if resource_type.is_some() && kind != DocumentKind::Trust {
        let message = format!(
            "validatePolicyResourceType is supported only when policyType is {}.",
            policy_type::RESOURCE_POLICY
        );
        return Err(invalid(message));
    }
    Ok(kind)
}

fn invalid(message: String) -> Error {
    let reason = validation_exception_reason::FIELD_VALIDATION_FAILED;
    VALIDATION_EXCEPTION.because(message).with("reason", reason)
}

/// What a page belongs to: a token of another document leads nowhere.
fn question(document: &str, kind: DocumentKind, resource_type: Option<&str>) -> String {
    let asked = format!("{kind:?} {resource_type:?} {document}");
    URL_SAFE_NO_PAD.encode(digest(&SHA256, asked.as_bytes()))
}

fn token(start: usize, question: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{start} {question}"))
}

fn continued(token: &str, question: &str) -> Result<usize> {
    let decoded = URL_SAFE_NO_PAD.decode(token).ok().and_then(|it| String::from_utf8(it).ok());
    let parts = decoded.as_deref().and_then(|decoded| decoded.split_once(' '));
    let start = parts.filter(|(_, of)| *of == question).and_then(|(start, _)| start.parse().ok());
    start.ok_or_else(|| invalid("The nextToken is not valid.".to_owned()))
}

fn shown(finding: &Finding) -> ValidatePolicyFinding {
    ValidatePolicyFinding {
        finding_details: finding.message.clone(),
        finding_type: finding.severity.name().to_owned(),
        issue_code: finding.code.to_owned(),
        learn_more_link: finding.learn_more(),
        locations: finding.locations().map(location).collect(),
    }
}

/// AWS counts lines from 1, columns and offsets from 0.
fn location(location: &palisade_policy::Location) -> Location {
    let position = |line: usize, column: usize, offset: usize| Position {
        line: number(line),
        column: number(column.saturating_sub(1)),
        offset: number(offset),
    };
    let characters = location.characters;
    let span = Span {
        start: position(location.line, location.column, characters.start),
        end: position(location.end_line, location.end_column, characters.end),
    };
    Location { path: location.path.iter().map(element).collect(), span }
}

fn element(element: &palisade_policy::PathElement) -> PathElement {
    use palisade_policy::PathElement as Step;
    match element {
        Step::Index(index) => PathElement { index: Some(number(*index)), ..Default::default() },
        Step::Key(key) => PathElement { key: Some(key.clone()), ..Default::default() },
        Step::Value(key) => PathElement { value: Some(key.clone()), ..Default::default() },
    }
}

/// Documents are far smaller than what an `i32` counts.
fn number(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
