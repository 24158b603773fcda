//! From decisions to what the simulator answers: one result for each action, and in it one for each
//! resource that was named.

use super::input::names_resources;
use super::scenario::{Scenario, Simulated};
use crate::audit::outcome_name;
use palisade_model::authorization;
use palisade_model::iam::{
    EvaluationResult, OrganizationsDecisionDetail, PermissionsBoundaryDecisionDetail,
    ResourceSpecificResult, Statement as Place,
};
use palisade_policy::{Effect, Layer, Outcome, Truth};
use std::collections::{BTreeMap, BTreeSet};

/// The layers whose statements results name, in AWS's order, with AWS's names of their kinds (the
/// API reference lists others; these are what AWS answers).
const LAYERS: [(Layer, &str); 3] = [
    (Layer::Boundary, "Permissions Boundary Policy"),
    (Layer::Identity, "IAM Policy"),
    (Layer::Resource, "Resource Policy"),
];

/// One resource, decided and worded.
struct Judged {
    outcome: Outcome,
    matched: Vec<Place>,
    missing: Vec<String>,
    boundary: Option<bool>,
    organization: Option<bool>,
    details: Option<BTreeMap<String, Outcome>>,
}

/// The result of one action over all resources.
pub fn of_action(scenario: &Scenario, action: &str, resources: &[String]) -> EvaluationResult {
    let judged: Vec<(&String, Judged)> = resources
        .iter()
        .map(|resource| (resource, judge(scenario, &scenario.simulate(action, resource))))
        .collect();
    let named = names_resources(resources);
    let mut whole = Judged {
        outcome: Outcome::Allowed,
        matched: Vec::new(),
        missing: Vec::new(),
        boundary: None,
        organization: None,
        details: None,
    };
    judged.iter().for_each(|(_, one)| whole.add(one));
    // Present and empty for resources of one account; not there once an SCP ended the simulation.
    let details = match named && whole.organization != Some(false) {
        true => Some(names_of(whole.details.unwrap_or_default())),
        false => None,
    };
    let specific = judged.into_iter().map(|(resource, one)| of_resource(resource, one));
    let specific: Vec<ResourceSpecificResult> = if named { specific.collect() } else { Vec::new() };
    EvaluationResult {
        eval_action_name: action.to_owned(),
        eval_resource_name: Some(resource_name(action, resources)),
        eval_decision: outcome_name(whole.outcome).to_owned(),
        matched_statements: Some(whole.matched),
        missing_context_values: Some(whole.missing),
        organizations_decision_detail: whole
            .organization
            .map(|allowed| OrganizationsDecisionDetail { allowed_by_organizations: Some(allowed) }),
        permissions_boundary_decision_detail: boundary_detail(whole.boundary),
        eval_decision_details: details,
        resource_specific_results: named.then_some(specific),
    }
}

fn of_resource(resource: &str, one: Judged) -> ResourceSpecificResult {
    let Judged { outcome, matched, missing, boundary, details, .. } = one;
    ResourceSpecificResult {
        eval_resource_name: resource.to_owned(),
        eval_resource_decision: outcome_name(outcome).to_owned(),
        matched_statements: Some(matched).filter(|matched| !matched.is_empty()),
        missing_context_values: Some(missing).filter(|missing| !missing.is_empty()),
        eval_decision_details: details.map(names_of),
        permissions_boundary_decision_detail: boundary_detail(boundary),
    }
}

fn boundary_detail(allowed: Option<bool>) -> Option<PermissionsBoundaryDecisionDetail> {
    let allowed = Some(allowed?);
    Some(PermissionsBoundaryDecisionDetail { allowed_by_permissions_boundary: allowed })
}

fn names_of(details: BTreeMap<String, Outcome>) -> BTreeMap<String, String> {
    details.into_iter().map(|(kind, outcome)| (kind, outcome_name(outcome).to_owned())).collect()
}

impl Judged {
    /// The most restrictive of both, with what either names.
    fn add(&mut self, other: &Self) {
        self.outcome = stricter(self.outcome, other.outcome);
        for place in &other.matched {
            if !self.matched.contains(place) {
                self.matched.push(place.clone());
            }
        }
        for key in &other.missing {
            if !self.missing.contains(key) {
                self.missing.push(key.clone());
            }
        }
        let both = |own: Option<bool>, other: Option<bool>| match (own, other) {
            (Some(own), Some(other)) => Some(own && other),
            (own, other) => own.or(other),
        };
        self.boundary = both(self.boundary, other.boundary);
        self.organization = both(self.organization, other.organization);
        for (kind, outcome) in other.details.iter().flatten() {
            let details = self.details.get_or_insert_default();
            let held = details.entry(kind.clone()).or_insert(*outcome);
            *held = stricter(*held, *outcome);
        }
    }
}

fn stricter(one: Outcome, other: Outcome) -> Outcome {
    let rank = |outcome| match outcome {
        Outcome::Allowed => 0,
        Outcome::ImplicitDeny => 1,
        Outcome::ExplicitDeny => 2,
    };
    if rank(other) > rank(one) { other } else { one }
}

fn judge(scenario: &Scenario, simulated: &Simulated) -> Judged {
    let outcome = simulated.outcome();
    let organization = simulated.allowed_by_organization();
    // AWS shows nothing of what an SCP decided but that it did.
    if organization == Some(false) {
        let (matched, missing) = (Vec::new(), Vec::new());
        return Judged { outcome, matched, missing, boundary: None, organization, details: None };
    }
    let boundary = simulated.layer(Layer::Boundary).map(|outcome| outcome == Outcome::Allowed);
    let details = scenario.crosses_accounts(&simulated.owner).then(|| details(simulated));
    let missing = match outcome {
        Outcome::ImplicitDeny => missing(scenario),
        Outcome::Allowed | Outcome::ExplicitDeny => Vec::new(),
    };
    let matched = matched(scenario, simulated);
    Judged { outcome, matched, missing, boundary, organization, details }
}

/// What each kind of policy says by itself.
fn details(simulated: &Simulated) -> BTreeMap<String, Outcome> {
    let of = |(layer, kind): &(Layer, &str)| {
        simulated.layer(*layer).map(|outcome| ((*kind).to_owned(), outcome))
    };
    LAYERS.iter().filter_map(of).collect()
}

/// The statements that apply and are of the answer's effect. A boundary's Allow grants nothing.
fn matched(scenario: &Scenario, simulated: &Simulated) -> Vec<Place> {
    let wanted = match simulated.outcome() {
        Outcome::Allowed => Effect::Allow,
        Outcome::ExplicitDeny => Effect::Deny,
        Outcome::ImplicitDeny => return Vec::new(),
    };
    let mut places = Vec::new();
    for (layer, kind) in LAYERS {
        if layer == Layer::Boundary && wanted == Effect::Allow {
            continue;
        }
        let stages = simulated.trace.stages.iter().filter(|stage| {
            stage.layer == layer || (layer, stage.layer) == (Layer::Resource, Layer::Trust)
        });
        for (source, policy) in
            stages.flat_map(|stage| scenario.sources(layer).iter().zip(&stage.policies))
        {
            let applying = policy
                .statements
                .iter()
                .filter(|statement| statement.effect == wanted && statement.applies == Truth::Yes);
            places.extend(applying.map(|statement| source.place(kind, statement.index)));
        }
    }
    places
}

/// The keys that the policies name and the request did not give, as they are written first, whether
/// or not their statements are about the action (so AWS).
fn missing(scenario: &Scenario) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut keys = Vec::new();
    for (layer, _) in LAYERS {
        for source in scenario.sources(layer) {
            for key in source.policy.document().context_key_names() {
                if !scenario.context.has(&key) && seen.insert(key.to_lowercase()) {
                    keys.push(key);
                }
            }
        }
    }
    keys
}

/// The one resource that was asked about; for several, what their ARNs look like.
fn resource_name(action: &str, resources: &[String]) -> String {
    if let [resource] = resources {
        return resource.clone();
    }
    let prefix = action.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let kinds = authorization::action(action).map(|known| known.resource_types.as_slice());
    let kind = kinds.unwrap_or_default().first().map(|(kind, _)| *kind);
    let known = kind.and_then(|kind| authorization::prefix(&prefix)?.resource_type(kind));
    let template = known.map_or("*", |resource| resource.template.text);
    template.replace("${Partition}", "aws")
}
