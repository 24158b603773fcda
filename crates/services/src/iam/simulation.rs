//! The policy simulator: what a set of policies would decide, asked without doing anything.
//!
//! Decisions come from the engine that decides real requests ([`palisade_policy::explain`]), over
//! policies that the caller hands in or that a principal has, under a request context that the
//! caller hands in. What the answers look like beyond the API reference (places of statements,
//! names of sources, error texts) is as AWS was observed to answer in September 2026.
//!
//! Source: IAM API reference, SimulateCustomPolicy and SimulatePrincipalPolicy; IAM User Guide,
//! "IAM policy testing with the IAM policy simulator".

mod ask;
mod context;
mod exclusion;
mod input;
mod result;
mod scenario;
mod source;
#[cfg(test)]
mod tests;

pub use ask::{Question, Values, Verdict, ask};
pub use context::Given;
pub use scenario::{Caller, Scenario, Simulated};
pub use source::{PolicySource, Source, find as find_source, invalid_content};

use crate::authorization::standing;
use crate::context::Context;
use exclusion::Exclusions;
use palisade_model::iam::{
    EvaluationResult, INVALID_INPUT, SimulateCustomPolicyRequest, SimulatePolicyResponse,
    SimulatePrincipalPolicyRequest,
};
use palisade_policy::DocumentKind;
use palisade_shape::Result;

/// Pairs of an action and a resource that one page decides at most: "IAM might return fewer than
/// the MaxItems number of results, even when there are more results available".
const MOST_PAIRS: usize = 20_000;

/// What both operations are asked, once their policies are known.
struct Questions {
    actions: Vec<String>,
    resources: Vec<String>,
    max_items: Option<i32>,
    marker: Option<String>,
}

/// Simulates policies that are handed in.
pub fn simulate_custom_policy(
    cx: &mut Context,
    input: SimulateCustomPolicyRequest,
) -> Result<SimulatePolicyResponse> {
    let SimulateCustomPolicyRequest {
        policy_input_list,
        permissions_boundary_policy_input_list,
        ordered_organization_policy_input_list,
        action_names,
        resource_arns,
        resource_policy,
        resource_owner,
        caller_arn,
        context_entries,
        resource_handling_option,
        max_items,
        marker,
    } = input;
    let resources = input::resources(resource_arns)?;
    input::check_actions(&action_names)?;
    input::check_handling(&action_names, &resources, resource_handling_option.as_deref())?;
    let mut scenario = Scenario::new(cx.account());
    scenario.context = Given::read(&context_entries.unwrap_or_default())?;
    scenario.set_identity(source::given(&policy_input_list)?);
    scenario.set_boundary(source::given_boundary(permissions_boundary_policy_input_list)?);
    scenario.levels = input::levels(ordered_organization_policy_input_list)?;
    let caller = caller_arn.as_deref().map(|arn| input::caller(cx, arn)).transpose()?;
    scenario.caller = caller.unwrap_or(scenario.caller);
    scenario.owner = resource_owner.as_deref().map(input::owner).transpose()?;
    input::set_resource_policy(&mut scenario, resource_policy, &resources)?;
    answer(&scenario, Questions { actions: action_names, resources, max_items, marker })
}

/// Simulates the policies of a user, group or role, and what is handed in besides.
pub fn simulate_principal_policy(
    cx: &mut Context,
    input: SimulatePrincipalPolicyRequest,
) -> Result<SimulatePolicyResponse> {
    let SimulatePrincipalPolicyRequest {
        policy_source_arn,
        policy_input_list,
        permissions_boundary_policy_input_list,
        policy_exclusion_list,
        action_names,
        resource_arns,
        resource_policy,
        resource_owner,
        caller_arn,
        context_entries,
        resource_handling_option,
        max_items,
        marker,
    } = input;
    let PolicySource { mut policies, mut boundary, caller } = find_source(cx, &policy_source_arn)?;
    let exclusions = Exclusions::read(&policy_exclusion_list.unwrap_or_default())?;
    let resources = input::resources(resource_arns)?;
    input::check_actions(&action_names)?;
    input::check_handling(&action_names, &resources, resource_handling_option.as_deref())?;
    policies.retain(|policy| !exclusions.exclude(policy));
    boundary = boundary.filter(|_| !exclusions.exclude_boundary());
    policies.extend(source::given(&policy_input_list.unwrap_or_default())?);
    let mut scenario = Scenario::new(cx.account());
    scenario.context = Given::read(&context_entries.unwrap_or_default())?;
    scenario.set_identity(policies);
    let replacement = source::given_boundary(permissions_boundary_policy_input_list)?;
    scenario.set_boundary(replacement.or(boundary));
    if !exclusions.exclude_organization() {
        let standing = standing(cx, cx.account())?;
        scenario.levels.clone_from(&standing.scps);
        scenario.management_account = standing.management_account().map(str::to_owned);
    }
    scenario.caller = match caller_arn.as_deref() {
        Some(arn) if arn != policy_source_arn => input::caller(cx, arn)?,
        _ => caller,
    };
    scenario.owner = resource_owner.as_deref().map(input::owner).transpose()?;
    input::set_resource_policy(&mut scenario, resource_policy, &resources)?;
    answer(&scenario, Questions { actions: action_names, resources, max_items, marker })
}

/// The page of results that the marker asks for. A marker counts actions, so that the next page may
/// be asked with other policies, as AWS allows.
fn answer(scenario: &Scenario, questions: Questions) -> Result<SimulatePolicyResponse> {
    let Questions { actions, resources, max_items, marker } = questions;
    let start = input::start(marker.as_deref())?;
    let fitting = (MOST_PAIRS / resources.len().max(1)).max(1);
    let size = super::list::size(max_items).min(fitting);
    let results: Vec<EvaluationResult> = actions
        .iter()
        .skip(start)
        .take(size)
        .map(|action| result::of_action(scenario, action, &resources))
        .collect();
    let end = start.saturating_add(results.len());
    let more = !results.is_empty() && end < actions.len();
    Ok(SimulatePolicyResponse {
        evaluation_results: Some(results),
        is_truncated: Some(more),
        marker: more.then(|| input::marker(end)),
    })
}

/// A resource policy's document read as the kind that its shape tells.
fn resource_policy(text: String) -> Result<Source> {
    let kind = match palisade_policy::guess_kind(&text) {
        DocumentKind::Trust => DocumentKind::Trust,
        _ => DocumentKind::Resource,
    };
    let refusal = || INVALID_INPUT.because("Resource policy has invalid content");
    Source::parse("ResourcePolicy".to_owned(), text, kind).map_err(|_| refusal())
}
