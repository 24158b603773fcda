//! From what stands in the way of the wanted decision to steps that may remove it.

use super::change::{Change, Edited, Place, exact_statement};
use super::statement::{Known, Step, caller_name, is_of_aws};
use crate::arn::Arn;
use crate::decide::{Layer, StatementRef};
use crate::document::{DocumentKind, Effect};
use crate::explain::{Stage, StatementTrace, Trace};
use crate::principal::Grant;
use crate::request::{PrincipalKind, ResourceRule};
use crate::truth::Truth;

/// Steps against a denial.
pub(super) fn towards_allow(edited: &Edited, trace: &Trace) -> Vec<Step> {
    let decided = trace.decision.statements.first();
    let denying = decided.and_then(|reference| named(edited, trace, reference));
    if let Some(known) = denying.filter(|known| known.trace.effect == Effect::Deny) {
        return known.narrow();
    }
    let layer = match (trace.decision.denied_by, decided) {
        (Some(Layer::Unresolvable), Some(hope)) => hope.layer,
        (Some(layer), _) => layer,
        (None, _) => return Vec::new(),
    };
    let lacks = |stage: &&Stage| {
        let enough = matches!(stage.allows, Some(grant) if grant > Grant::Account);
        stage.layer == layer && !enough && (stage.skipped.is_none() || stage.policies.is_empty())
    };
    let mut steps = Vec::new();
    if let Some(stage) = trace.stages.iter().find(lacks) {
        steps.extend(widen(edited, stage));
        steps.extend(new_allow(edited, stage));
    }
    // In one account a policy of the resource that names the caller is enough by itself.
    if layer == Layer::Identity && trace.same_account {
        let resource = edited.facts.resource_layer();
        let is_it = |stage: &&Stage| stage.layer == resource && stage.skipped.is_none();
        if let Some(stage) = trace.stages.iter().find(is_it) {
            steps.extend(widen(edited, stage));
        }
    }
    steps
}

/// Steps against an allow.
pub(super) fn towards_deny(edited: &Edited, trace: &Trace) -> Vec<Step> {
    let mut steps = Vec::new();
    for reference in &trace.decision.statements {
        if let Some(known) = named(edited, trace, reference) {
            steps.extend(known.narrow());
        }
    }
    for stage in trace.stages.iter().filter(|stage| stage.skipped.is_none()) {
        for known in statements(edited, stage) {
            let StatementTrace { effect, applies, conditions, .. } = known.trace;
            let only_conditions = conditions.iter().filter(|it| it.matched == Truth::No).count()
                == 1
                && about_request(known.trace);
            match effect {
                Effect::Deny if only_conditions => steps.extend(known.by_context(Truth::Yes)),
                Effect::Allow if *applies == Truth::Yes => {
                    steps.extend(known.by_context(Truth::No));
                }
                _ => {}
            }
        }
    }
    steps.extend(new_deny(edited, trace));
    steps
}

/// Whether action, resource and principal match.
fn about_request(trace: &StatementTrace) -> bool {
    let elements = [&trace.principal, &Some(trace.action.clone()), &trace.resource];
    elements.into_iter().flatten().all(|element| element.matched == Truth::Yes)
}

/// The statements of a stage that stood there before the edit.
fn statements<'a>(edited: &'a Edited, stage: &'a Stage) -> Vec<Known<'a>> {
    let Some(layer) = edited.facts.layer(stage.layer, stage.level) else { return Vec::new() };
    let (Some(compiled), Some(origins)) = (edited.compiled.get(layer), edited.origins.get(layer))
    else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for ((policy, compiled), origins) in stage.policies.iter().zip(compiled).zip(origins) {
        for trace in &policy.statements {
            let Some(Some(origin)) = origins.get(trace.index) else { continue };
            let at = Place {
                layer: stage.layer,
                level: stage.level,
                policy: policy.policy.to_string(),
                statement: *origin,
                sid: trace.sid.clone(),
            };
            found.extend(Known::new(&edited.facts, compiled, trace, at));
        }
    }
    found
}

/// The statement that a decision names.
fn named<'a>(edited: &'a Edited, trace: &'a Trace, by: &StatementRef) -> Option<Known<'a>> {
    let stages = trace.stages.iter().filter(|stage| stage.layer == by.layer);
    let mut known = stages.flat_map(|stage| statements(edited, stage));
    known.find(|known| {
        known.at.policy == *by.policy
            && known.trace.index == by.index as usize
            && known.trace.applies != Truth::No
    })
}

/// Allow statements of the stage that could be made to apply.
fn widen(edited: &Edited, stage: &Stage) -> Vec<Step> {
    let known = statements(edited, stage).into_iter();
    let allows = known.filter(|known| known.trace.effect == Effect::Allow);
    allows.flat_map(|known| known.widen()).collect()
}

/// A statement of its own for this request.
fn new_allow(edited: &Edited, stage: &Stage) -> Vec<Step> {
    let Some((kind, resource)) = document(edited, stage.layer) else { return Vec::new() };
    if kind == DocumentKind::Rcp {
        return Vec::new();
    }
    let principal = match kind.has_principal() {
        true => match named_caller(edited) {
            Some(principal) => Some(principal),
            None => return Vec::new(),
        },
        false => None,
    };
    let action = &edited.facts.action;
    let statement = exact_statement(kind, Effect::Allow, action, resource, principal);
    let policy = editable(edited, stage);
    if policy.is_none() && !takes_new_policy(edited, stage) {
        return Vec::new();
    }
    let (layer, level) = (stage.layer, stage.level);
    vec![vec![Change::AddStatement { layer, level, policy, statement }]]
}

/// A denial of its own for this request, in the caller's policies or, for callers without any, in
/// the resource's.
fn new_deny(edited: &Edited, trace: &Trace) -> Option<Step> {
    let has_account = edited.facts.principal.has_account();
    let root = edited.facts.principal.kind == PrincipalKind::Root;
    let layer = match has_account && !root {
        true => Layer::Identity,
        false => edited.facts.resource_layer(),
    };
    let stage = trace.stages.iter().find(|stage| stage.layer == layer)?;
    let (kind, resource) = document(edited, layer)?;
    let principal = if kind.has_principal() { Some(named_caller(edited)?) } else { None };
    let action = &edited.facts.action;
    let statement = exact_statement(kind, Effect::Deny, action, resource, principal);
    let policy = editable(edited, stage);
    if policy.is_none() && !takes_new_policy(edited, stage) {
        return None;
    }
    Some(vec![Change::AddStatement { layer, level: None, policy, statement }])
}

/// The kind of a layer's documents, and the resource that a statement of it would name.
fn document(edited: &Edited, layer: Layer) -> Option<(DocumentKind, &str)> {
    let facts = &edited.facts;
    let kind = layer.document_kind()?;
    // A key's policy is about that key alone and says so with a star.
    let whole = layer == Layer::Resource && facts.rule == ResourceRule::KeyPolicy;
    let names_one = Arn::parse(&facts.resource).is_some() && !whole;
    Some((kind, if names_one { facts.resource.as_str() } else { "*" }))
}

fn named_caller(edited: &Edited) -> Option<serde_json::Value> {
    let (key, value) = caller_name(&edited.facts)?;
    Some(serde_json::json!({ key: value }))
}

/// The first policy of the stage that its owner may edit.
fn editable(edited: &Edited, stage: &Stage) -> Option<String> {
    let layer = edited.facts.layers.get(edited.facts.layer(stage.layer, stage.level)?)?;
    let mut labels = layer.policies.iter().map(|policy| &policy.label);
    labels.find(|label| !is_of_aws(label)).cloned()
}

/// Whether the layer may hold one policy more.
fn takes_new_policy(edited: &Edited, stage: &Stage) -> bool {
    let facts = &edited.facts;
    let caller = facts.principal.kind;
    match stage.layer {
        Layer::Identity => !matches!(caller, PrincipalKind::Root | PrincipalKind::FederatedUser),
        Layer::Scp => facts.layer(Layer::Scp, stage.level).is_some(),
        Layer::Resource => stage.policies.is_empty() && takes_policy(&facts.resource),
        _ => false,
    }
}

/// Resource types that can have a policy of their own.
///
/// Source: "AWS services that work with IAM", IAM User Guide, column "Resource-based policies".
const WITH_POLICY: &[(&str, &[&str])] = &[
    ("s3", &[""]),
    ("sqs", &[""]),
    ("sns", &[""]),
    ("kms", &["key"]),
    ("lambda", &["function", "layer"]),
    ("secretsmanager", &["secret"]),
    ("ecr", &["repository"]),
    ("events", &["event-bus"]),
    ("backup", &["backup-vault"]),
    ("elasticfilesystem", &["file-system"]),
    ("glacier", &["vaults"]),
    ("glue", &["catalog", "database", "table"]),
    ("logs", &["destination"]),
    ("dynamodb", &["table"]),
    ("kinesis", &["stream"]),
    ("codeartifact", &["domain", "repository"]),
    ("ssm", &["parameter"]),
];

fn takes_policy(resource: &str) -> bool {
    let Some(arn) = Arn::parse(resource) else { return false };
    let kind = arn.resource_type().unwrap_or_default();
    let mut known = WITH_POLICY.iter();
    known.any(|(service, kinds)| {
        *service == arn.service && (kinds.contains(&"") || kinds.contains(&kind))
    })
}
