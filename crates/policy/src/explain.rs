//! The whole trace of a decision: every stage, every policy, every statement, every condition.

use crate::action::ActionName;
use crate::asked::Asked;
use crate::combine::{Verdicts, combine};
use crate::condition::Condition;
use crate::decide::{Decision, Layer, Policies, Scope};
use crate::document::{ConditionElement, Effect, Element, PrincipalElement, Statement};
use crate::principal::Grant;
use crate::rcp_services::supports_rcp;
use crate::request::{Lookup, PrincipalKind, Request};
use crate::set::{PolicySet, Verdict};
use crate::statement::{CompiledStatement, Query};
use crate::truth::Truth;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;

/// How a request was decided, in full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trace {
    /// The answer, the same that [`crate::decide`] gives.
    pub decision: Decision,
    /// Whether caller and resource are of one account.
    pub same_account: bool,
    /// As [`Policies::granted`]: a KMS grant, an S3 ACL.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub granted: bool,
    /// The stages in the order of evaluation.
    pub stages: Vec<Stage>,
}

/// One layer, or one level of an organization.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stage {
    /// Which layer.
    pub layer: Layer,
    /// For SCPs and RCPs the level, 0 for the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<usize>,
    /// Why the layer does not concern this request, when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<Cow<'static, str>>,
    /// How directly the layer allows, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allows: Option<Grant>,
    /// Whether a statement of the layer denies.
    pub denies: bool,
    /// All its policies.
    pub policies: Vec<PolicyTrace>,
}

/// One policy of a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyTrace {
    /// Its label in the set.
    pub policy: Arc<str>,
    /// The revision of its document, where whoever asked knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// Its statements in order.
    pub statements: Vec<StatementTrace>,
}

/// One statement, part by part. It applies when all parts match.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatementTrace {
    /// Its index in the policy, from 0.
    pub index: usize,
    /// Its `Sid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// `Allow` or `Deny`.
    pub effect: Effect,
    /// Whether it applies to the request.
    pub applies: Truth,
    /// `Principal` or `NotPrincipal`; `None` where the kind of document has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<ValueTrace>,
    /// How the statement names the caller, when it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Grant>,
    /// `Action` or `NotAction`.
    pub action: ValueTrace,
    /// `Resource` or `NotResource`; `None` where the kind of document has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<ValueTrace>,
    /// All conditions.
    pub conditions: Vec<ConditionTrace>,
}

/// An element and what it was compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ValueTrace {
    /// `Action`, `NotAction`, ….
    pub element: Cow<'static, str>,
    /// What the policy says.
    pub policy: Vec<String>,
    /// What the request says.
    pub request: String,
    /// Whether the element matches, its negation taken into account.
    pub matched: Truth,
}

/// A condition and what it was compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConditionTrace {
    /// The operator with its modifiers.
    pub operator: String,
    /// The key as the policy writes it.
    pub key: String,
    /// The policy's values, variables not filled in.
    pub policy: Vec<String>,
    /// The request's.
    pub request: RequestValue,
    /// Whether the condition holds.
    pub matched: Truth,
}

/// What the request context held under a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RequestValue {
    /// Nothing.
    Absent,
    /// A single value.
    Value(String),
    /// The values of a multivalued key.
    Values(Vec<String>),
    /// It could not be supplied.
    Unresolvable,
}

impl RequestValue {
    /// As the context of a request answers it.
    #[must_use]
    pub fn lookup(&self) -> Lookup<'_> {
        match self {
            Self::Absent => Lookup::Absent,
            Self::Value(value) => Lookup::one(value),
            Self::Values(values) => Lookup::many(values.iter().map(String::as_str)),
            Self::Unresolvable => Lookup::Unresolvable,
        }
    }

    pub(crate) fn of(lookup: &Lookup<'_>) -> Self {
        match lookup {
            Lookup::Absent => Self::Absent,
            Lookup::One(value) => Self::Value(value.clone().into_owned()),
            Lookup::Many(values) => {
                Self::Values(values.iter().map(|value| value.clone().into_owned()).collect())
            }
            Lookup::Unresolvable => Self::Unresolvable,
        }
    }
}

/// Decides a request and says how. Slower than [`crate::decide`]: it looks at every statement of
/// every policy, also of those that can no longer change the answer.
#[must_use]
pub fn explain(request: &Request<'_>, policies: &Policies<'_>) -> Trace {
    let action = ActionName::new(request.action);
    let scope = Scope::of(request, policies, action.as_ref());
    let tracer = Tracer { request, policies, action, query: Query::new(request, policies) };
    let mut verdicts = Verdicts::default();
    let mut stages = Vec::new();
    let skipped = tracer.why_no_scps(scope);
    if policies.scps.is_empty() {
        stages.push(absent(Layer::Scp, skipped.unwrap_or(NO_SCPS)));
    }
    for (level, set) in policies.scps.iter().enumerate() {
        let (stage, verdict) = tracer.stage(Layer::Scp, Some(level), skipped, set);
        if skipped.is_none() {
            verdicts.scps.add(level, verdict);
        }
        stages.push(stage);
    }
    let skipped = tracer.why_no_rcps(scope);
    if policies.rcps.is_empty() {
        stages.push(absent(Layer::Rcp, NO_RCPS));
    }
    for (level, set) in policies.rcps.iter().enumerate() {
        let (stage, verdict) = tracer.stage(Layer::Rcp, Some(level), skipped, set);
        if skipped.is_none() {
            verdicts.rcps.add(level, verdict);
        }
        stages.push(stage);
    }
    for layer in Layer::SINGLE {
        let skipped = tracer.why_not(layer, scope);
        let Some(set) = layer.set(policies) else {
            let reason = skipped.unwrap_or_else(|| tracer.why_none(layer));
            stages.push(absent(request.named(layer), reason));
            continue;
        };
        let (stage, verdict) = tracer.stage(layer, None, skipped, set);
        if let (None, Some(held)) = (skipped, verdicts.single_mut(layer)) {
            *held = verdict;
        }
        stages.push(stage);
    }
    let decision = combine(request, policies, scope, &verdicts);
    let (same_account, granted) = (request.same_account(), policies.granted);
    Trace { decision, same_account, granted, stages }
}

struct Tracer<'a> {
    request: &'a Request<'a>,
    policies: &'a Policies<'a>,
    action: Option<ActionName>,
    query: Query<'a>,
}

const NO_PERMISSION_NEEDED: &str = "the action needs no permission and no denial stops it";
const NOT_AN_ACTION: &str = "the request names no action";
const NO_SCPS: &str = "the caller's account is in no organization";
const NO_RCPS: &str = "the resource's account is in no organization";

/// A stage whose layer has no policy.
fn absent(layer: Layer, reason: &'static str) -> Stage {
    let skipped = Some(Cow::Borrowed(reason));
    Stage { layer, level: None, skipped, allows: None, denies: false, policies: Vec::new() }
}

impl<'a> Tracer<'a> {
    fn why_not_any(&self, scope: Scope) -> Option<&'static str> {
        if scope.exempt {
            return Some(NO_PERMISSION_NEEDED);
        }
        if self.action.is_none() { Some(NOT_AN_ACTION) } else { None }
    }

    fn why_no_scps(&self, scope: Scope) -> Option<&'static str> {
        if scope.scps {
            return self.why_not_any(scope);
        }
        let caller = self.request.principal;
        Some(if !caller.has_account() {
            "SCPs do not concern callers without an account"
        } else if caller.service_linked_role {
            "SCPs do not limit service-linked roles"
        } else {
            "SCPs do not limit the management account"
        })
    }

    fn why_no_rcps(&self, scope: Scope) -> Option<&'static str> {
        if scope.rcps {
            return self.why_not_any(scope);
        }
        Some(if self.request.principal.service_linked_role {
            "RCPs do not limit service-linked roles"
        } else if !self.action.as_ref().is_some_and(|action| supports_rcp(action.service())) {
            "RCPs do not concern this service"
        } else {
            "RCPs do not limit resources of the management account"
        })
    }

    fn why_not(&self, layer: Layer, scope: Scope) -> Option<&'static str> {
        if layer.is_callers() && !scope.account {
            return Some("the caller has no account and no policies of its own");
        }
        self.why_not_any(scope)
    }

    fn why_none(&self, layer: Layer) -> &'static str {
        match layer {
            Layer::VpcEndpoint => "the request came through no VPC endpoint",
            Layer::Boundary => "the caller has none",
            Layer::Session => "the caller has none",
            Layer::Identity if self.request.principal.kind == PrincipalKind::Root => {
                "the root user needs none"
            }
            Layer::Identity => "the caller has none",
            _ => "the resource has none",
        }
    }

    fn stage(
        &self,
        layer: Layer,
        level: Option<usize>,
        skipped: Option<&'static str>,
        set: &'a PolicySet,
    ) -> (Stage, Verdict) {
        let mut verdict = Verdict::default();
        let mut policies = Vec::new();
        let mut place = 0;
        for labelled in set.policies() {
            let compiled = labelled.policy.statements.iter();
            let written = &labelled.policy.document().statements;
            let mut statements = Vec::new();
            for (index, (compiled, written)) in compiled.zip(written).enumerate() {
                let trace = self.statement(index, compiled, written);
                let grant = trace.grant.unwrap_or(Grant::Account);
                verdict.add(trace.effect, place, trace.applies, grant);
                place += 1;
                statements.push(trace);
            }
            let policy = Arc::clone(&labelled.label);
            policies.push(PolicyTrace { policy, revision: None, statements });
        }
        let layer = self.request.named(layer);
        let allows = verdict.allow.map(|(grant, _)| grant);
        let denies = verdict.deny.is_some();
        let skipped = skipped.map(Cow::Borrowed);
        (Stage { layer, level, skipped, allows, denies, policies }, verdict)
    }

    fn statement(
        &self,
        index: usize,
        compiled: &'a CompiledStatement,
        written: &Statement,
    ) -> StatementTrace {
        let caller = self.request.principal;
        let grant = compiled.principals.grant(caller, self.policies.boundary.is_some());
        let action = self
            .action
            .as_ref()
            .is_some_and(|action| compiled.actions.matches(action.service(), action.name()));
        let resource = compiled.resources.matches(&self.query.target, &self.query.keys);
        let conditions: Vec<ConditionTrace> = compiled
            .conditions
            .iter()
            .zip(&written.conditions)
            .map(|(compiled, written)| condition(compiled, written, &self.query.keys))
            .collect();
        let met = Truth::all(conditions.iter().map(|condition| condition.matched));
        let named = Truth::of(grant.is_some());
        let applies = named.min(Truth::of(action)).min(resource).min(met);
        let principal = written.principal.as_ref();
        let action_names = ["Action", "NotAction"];
        StatementTrace {
            index,
            sid: written.sid.clone(),
            effect: written.effect,
            applies,
            principal: principal.map(|element| principal_trace(element, &caller.arn, named)),
            grant,
            action: element(&written.action, action_names, self.request.action, Truth::of(action)),
            resource: written.resource.as_ref().map(|written| {
                element(written, ["Resource", "NotResource"], self.request.resource, resource)
            }),
            conditions,
        }
    }
}

fn element(
    written: &Element,
    names: [&'static str; 2],
    request: &str,
    matched: Truth,
) -> ValueTrace {
    let [plain, negated] = names;
    ValueTrace {
        element: Cow::Borrowed(if written.negated { negated } else { plain }),
        policy: written.values.iter().map(|value| value.text.clone()).collect(),
        request: request.to_owned(),
        matched,
    }
}

fn principal_trace(written: &PrincipalElement, caller: &str, matched: Truth) -> ValueTrace {
    ValueTrace {
        element: Cow::Borrowed(if written.negated { "NotPrincipal" } else { "Principal" }),
        policy: written.entries.iter().map(|entry| entry.value.text.clone()).collect(),
        request: caller.to_owned(),
        matched,
    }
}

fn condition<'a>(
    compiled: &'a Condition,
    written: &ConditionElement,
    keys: &Asked<'a>,
) -> ConditionTrace {
    let found = keys.get(compiled.key());
    ConditionTrace {
        operator: written.operator.text.clone(),
        key: written.key.text.clone(),
        policy: written.values.iter().map(|value| value.text.clone()).collect(),
        request: RequestValue::of(&found),
        matched: compiled.holds_for(&found, keys),
    }
}
