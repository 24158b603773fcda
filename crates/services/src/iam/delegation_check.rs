//! What a delegation request asks for, in words, and whether its reader may do all of it.
//!
//! Source: IAM API reference, GetDelegationRequest (`DelegationPermissionCheck`),
//! GetHumanReadableSummary. AWS's summary is written by a language model; this one by rule.

use super::delegation_request as delegation;
use super::simulation::{PolicySource, Scenario, find_source};
use crate::caller::Principal;
use crate::context::Context;
use crate::errors::internal;
use palisade_model::iam::{
    DelegationRequest, GetHumanReadableSummaryRequest, GetHumanReadableSummaryResponse,
    INVALID_INPUT, permission_check_result_type as check, summary_state_type as state,
};
use palisade_policy::arn::Arn;
use palisade_policy::{DocumentKind, Effect, Layer, Outcome, Policy, Statement};
use palisade_shape::Result;

/// Pairs of an action and a resource that are looked at; with more the answer is UNSURE.
const PAIRS_MAX: usize = 2_000;
/// The most characters of a summary.
const SUMMARY_LENGTH_MAX: usize = 10_000;

fn policy_of(request: &DelegationRequest) -> Result<Policy> {
    let text = request.permission_policy.as_deref().unwrap_or_default();
    Policy::parse(text, DocumentKind::Identity).map_err(|error| internal(error.message()))
}

/// Whether the caller may do all that the request asks for: a pattern is asked for as it is
/// written, so that only a pattern as wide allows it.
pub(super) fn result(cx: &mut Context, request: &DelegationRequest) -> Result<&'static str> {
    let source = match &cx.caller.principal {
        Principal::Root => return Ok(check::ALLOWED),
        Principal::User { .. } => cx.caller.arn.to_string(),
        Principal::AssumedRole { role, path, .. } => cx.iam_arn("role", path, role),
        _ => return Ok(check::UNSURE),
    };
    if cx
        .caller
        .session
        .as_deref()
        .is_some_and(|session| !session.policies.is_empty() || !session.policy_arns.is_empty())
    {
        return Ok(check::UNSURE);
    }
    let PolicySource { policies, boundary, caller } = find_source(cx, &source)?;
    let mut scenario = Scenario::new(cx.account());
    scenario.set_identity(policies);
    scenario.set_boundary(boundary);
    scenario.caller = caller;
    let depends = depends(&scenario);
    let asked = policy_of(request)?;
    let statements = asked.statements.iter().filter(|one| one.effect == Effect::Allow);
    let mut left = PAIRS_MAX;
    for statement in statements {
        let Some(resources) = plain(statement) else { return Ok(check::UNSURE) };
        for action in &statement.action.values {
            for resource in &resources {
                let Some(rest) = left.checked_sub(1) else { return Ok(check::UNSURE) };
                left = rest;
                let outcome = scenario.simulate(&action.text, resource).outcome();
                match outcome {
                    Outcome::Allowed => {}
                    _ if depends => return Ok(check::UNSURE),
                    _ => return Ok(check::DENIED),
                }
            }
        }
    }
    Ok(if depends { check::UNSURE } else { check::ALLOWED })
}

/// The resources of a statement that lists what it allows.
fn plain(statement: &Statement) -> Option<Vec<&str>> {
    let resource = statement.resource.as_ref().filter(|element| !element.negated)?;
    let values = resource.values.iter().map(|value| value.text.as_str());
    (!statement.action.negated).then(|| values.collect())
}

/// Whether the caller's policies have conditions, or denies, which patterns could slip through.
fn depends(scenario: &Scenario) -> bool {
    [Layer::Identity, Layer::Boundary].into_iter().any(|layer| {
        scenario.sources(layer).iter().any(|source| {
            let statements = &source.policy.document().statements;
            statements.iter().any(|one| !one.conditions.is_empty() || one.effect == Effect::Deny)
        })
    })
}

/// Says in words what a delegation request asks for. In English; other languages are
/// `NOT_SUPPORTED`.
pub fn get_human_readable_summary(
    cx: &mut Context,
    input: GetHumanReadableSummaryRequest,
) -> Result<GetHumanReadableSummaryResponse> {
    let GetHumanReadableSummaryRequest { entity_arn, locale } = input;
    let arn = Arn::parse(&entity_arn);
    let arn = arn.filter(|arn| arn.resource_type() == Some("delegation-request"));
    let Some(id) = arn.map(|arn| arn.resource_name().to_owned()) else {
        let message = format!("{entity_arn} is not the ARN of a delegation request.");
        return Err(INVALID_INPUT.because(message));
    };
    let request = delegation::visible(cx, &id)?;
    let locale = locale.unwrap_or_else(|| "en".to_owned());
    let english = locale == "en" || locale.to_lowercase().starts_with("en-");
    let summary = if english { Some(summary(&request)?) } else { None };
    let known = if english { state::AVAILABLE } else { state::NOT_SUPPORTED };
    Ok(GetHumanReadableSummaryResponse {
        summary_content: summary,
        locale: Some(locale),
        summary_state: Some(known.to_owned()),
    })
}

fn summary(request: &DelegationRequest) -> Result<String> {
    let name = request.requestor_name.as_deref().unwrap_or_default();
    let account = request.requestor_id.as_deref().unwrap_or_default();
    let time = duration(request.session_duration.unwrap_or(0));
    let mut text = format!("{name} (account {account}) asks for access for {time}.\n");
    for statement in &policy_of(request)?.statements {
        let may = if statement.effect == Effect::Allow { "It may" } else { "It may never" };
        let but = if statement.action.negated { "do everything but " } else { "" };
        let actions = listed(statement.action.values.iter().map(|value| value.text.as_str()));
        let on = match &statement.resource {
            None => String::new(),
            Some(element) => {
                let values = listed(element.values.iter().map(|value| value.text.as_str()));
                let values = if values == "*" { "every resource".to_owned() } else { values };
                let but = if element.negated { "everything but " } else { "" };
                format!(" on {but}{values}")
            }
        };
        text.push_str(&format!("{may} {but}{actions}{on}"));
        for condition in &statement.conditions {
            let values = listed(condition.values.iter().map(|value| value.text.as_str()));
            let (key, operator) = (&condition.key.text, &condition.operator.text);
            text.push_str(&format!(", if {key} {operator} {values}"));
        }
        text.push_str(".\n");
    }
    if let Some(boundaries) = &request.role_permission_restriction_arns {
        let boundaries = listed(boundaries.iter().map(String::as_str));
        text.push_str(&format!("Roles that it makes are limited by {boundaries}.\n"));
    }
    if text.chars().count() > SUMMARY_LENGTH_MAX {
        text = text.chars().take(SUMMARY_LENGTH_MAX - 1).collect();
        text.push('…');
    }
    Ok(text)
}

fn listed<'t>(values: impl Iterator<Item = &'t str>) -> String {
    values.collect::<Vec<_>>().join(", ")
}

fn duration(seconds: i32) -> String {
    let counted = |number: i32, unit: &str| match number {
        0 => None,
        1 => Some(format!("1 {unit}")),
        more => Some(format!("{more} {unit}s")),
    };
    let parts = [counted(seconds / 3600, "hour"), counted(seconds % 3600 / 60, "minute")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" and ")
}
