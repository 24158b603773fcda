//! From what the layers say to the decision: sections 1 to 3 of AWS's evaluation logic, once, for
//! the fast walk and the trace alike.

use crate::decide::{Decision, Layer, Outcome, Policies, Scope, StatementRef};
use crate::principal::Grant;
use crate::request::{PrincipalKind, Request, ResourceRule};
use crate::set::{PolicySet, Verdict};
use crate::statements::Statements;
use crate::truth::Truth;
use std::sync::Arc;

/// What each layer said. A layer that was not asked keeps the empty verdict.
#[derive(Default)]
pub(crate) struct Verdicts {
    pub scps: Levels,
    pub rcps: Levels,
    vpc_endpoint: Verdict,
    boundary: Verdict,
    session: Verdict,
    resource: Verdict,
    identity: Verdict,
}

impl Verdicts {
    /// The verdict of a layer that has one set.
    pub fn single(&self, layer: Layer) -> Option<&Verdict> {
        match layer {
            Layer::VpcEndpoint => Some(&self.vpc_endpoint),
            Layer::Boundary => Some(&self.boundary),
            Layer::Session => Some(&self.session),
            Layer::Resource | Layer::Trust => Some(&self.resource),
            Layer::Identity => Some(&self.identity),
            Layer::Scp | Layer::Rcp | Layer::Unresolvable => None,
        }
    }

    /// As [`Verdicts::single`], to be filled in.
    pub fn single_mut(&mut self, layer: Layer) -> Option<&mut Verdict> {
        match layer {
            Layer::VpcEndpoint => Some(&mut self.vpc_endpoint),
            Layer::Boundary => Some(&mut self.boundary),
            Layer::Session => Some(&mut self.session),
            Layer::Resource | Layer::Trust => Some(&mut self.resource),
            Layer::Identity => Some(&mut self.identity),
            Layer::Scp | Layer::Rcp | Layer::Unresolvable => None,
        }
    }
}

/// The verdicts of an organization's levels, folded: every level must allow.
pub(crate) struct Levels {
    /// Level and index of the first denying statement.
    deny: Option<(usize, u32)>,
    deny_unresolvable: Option<(usize, u32)>,
    /// Whether all levels allow.
    allow: Truth,
    allow_unresolvable: Option<(usize, u32)>,
}

impl Default for Levels {
    fn default() -> Self {
        let (deny, deny_unresolvable, allow_unresolvable) = (None, None, None);
        Self { deny, deny_unresolvable, allow: Truth::Yes, allow_unresolvable }
    }
}

impl Levels {
    /// Adds the next level and says whether an explicit deny has been met.
    pub fn add(&mut self, level: usize, verdict: Verdict) -> bool {
        let at = |index: u32| (level, index);
        self.deny = self.deny.or(verdict.deny.map(at));
        self.deny_unresolvable = self.deny_unresolvable.or(verdict.deny_unresolvable.map(at));
        let allow = match (verdict.allow, verdict.allow_unresolvable) {
            (Some(_), _) => Truth::Yes,
            (None, Some((_, index))) => {
                self.allow_unresolvable = self.allow_unresolvable.or(Some((level, index)));
                Truth::Unresolvable
            }
            (None, None) => Truth::No,
        };
        self.allow = self.allow.min(allow);
        self.deny.is_some()
    }
}

/// Judges the verdicts.
pub(crate) fn combine(
    request: &Request<'_>,
    policies: &Policies<'_>,
    scope: Scope,
    verdicts: &Verdicts,
) -> Decision {
    Judge { request, policies, verdicts, scope }.decide()
}

struct Judge<'a> {
    request: &'a Request<'a>,
    policies: &'a Policies<'a>,
    verdicts: &'a Verdicts,
    scope: Scope,
}

impl Judge<'_> {
    fn decide(&self) -> Decision {
        if self.scope.exempt {
            return decision(Outcome::Allowed, None, Statements::default());
        }
        if !self.scope.action {
            let denied_by = Some(Layer::Identity);
            return decision(Outcome::ImplicitDeny, denied_by, Statements::default());
        }
        if let Some(statement) = self.find_deny(|levels| levels.deny, |verdict| verdict.deny) {
            let denied_by = Some(statement.layer);
            let statements = Statements::new(Some(statement), None);
            return decision(Outcome::ExplicitDeny, denied_by, statements);
        }
        let unresolvable =
            self.find_deny(|levels| levels.deny_unresolvable, |verdict| verdict.deny_unresolvable);
        if let Some(statement) = unresolvable {
            let denied_by = Some(Layer::Unresolvable);
            let statements = Statements::new(Some(statement), None);
            return decision(Outcome::ImplicitDeny, denied_by, statements);
        }
        let Some(layer) = self.missing(Known::Certain) else {
            return decision(Outcome::Allowed, None, self.granting());
        };
        if self.missing(Known::Hoped).is_none() {
            // All that stands between the request and an allow is what could not be resolved.
            let statements = Statements::new(self.find_hope(), None);
            return decision(Outcome::ImplicitDeny, Some(Layer::Unresolvable), statements);
        }
        decision(Outcome::ImplicitDeny, Some(layer), Statements::default())
    }

    /// The first layer without an allow that is needed; `None` when the request is allowed.
    fn missing(&self, known: Known) -> Option<Layer> {
        let verdicts = self.verdicts;
        if verdicts.scps.allow == Truth::No || !known.enough(verdicts.scps.allow) {
            return Some(Layer::Scp);
        }
        let allows = |verdict: &Verdict| known.grant(verdict).is_some();
        if self.policies.vpc_endpoint.is_some() && !allows(&verdicts.vpc_endpoint) {
            return Some(Layer::VpcEndpoint);
        }
        let outside = self.policies.granted.then_some(Grant::Direct);
        let grant = known.grant(&verdicts.resource).max(outside);
        if !self.scope.account {
            return if grant.is_some() { None } else { Some(self.resource_layer()) };
        }
        let boundary = self.policies.boundary.is_none() || allows(&verdicts.boundary);
        let session = self.policies.session.is_none() || allows(&verdicts.session);
        let same_account = self.request.same_account();
        if same_account && grant == Some(Grant::Direct) {
            return None;
        }
        if !boundary {
            return Some(Layer::Boundary);
        }
        if !session {
            return Some(Layer::Session);
        }
        if same_account && grant == Some(Grant::Issuer) {
            return None;
        }
        // Identity policies reach a federated user's session only through a session policy.
        let kind = self.request.principal.kind;
        if kind == PrincipalKind::FederatedUser && self.policies.session.is_none() {
            return Some(Layer::Session);
        }
        let needs_grant = !same_account || self.request.rule != ResourceRule::Ordinary;
        if needs_grant && grant.is_none() {
            return Some(self.resource_layer());
        }
        let identity = kind == PrincipalKind::Root || allows(&verdicts.identity);
        if identity { None } else { Some(Layer::Identity) }
    }

    fn resource_layer(&self) -> Layer {
        self.request.named(Layer::Resource)
    }

    /// The first layer's statement that the selectors pick.
    fn find_deny(
        &self,
        of_levels: impl Fn(&Levels) -> Option<(usize, u32)>,
        of_verdict: impl Fn(&Verdict) -> Option<u32>,
    ) -> Option<StatementRef> {
        if let Some(place) = of_levels(&self.verdicts.scps) {
            return level_statement(Layer::Scp, self.policies.scps, place);
        }
        if let Some(place) = of_levels(&self.verdicts.rcps) {
            return level_statement(Layer::Rcp, self.policies.rcps, place);
        }
        let mut layers = Layer::SINGLE.into_iter();
        layers.find_map(|layer| {
            let index = of_verdict(self.verdicts.single(layer)?)?;
            self.statement(layer, index)
        })
    }

    /// The first Allow that would count for more if it could be resolved.
    fn find_hope(&self) -> Option<StatementRef> {
        if let Some(place) = self.verdicts.scps.allow_unresolvable {
            return level_statement(Layer::Scp, self.policies.scps, place);
        }
        Layer::SINGLE.into_iter().find_map(|layer| {
            let verdict = self.verdicts.single(layer)?;
            let (grant, index) = verdict.allow_unresolvable?;
            let held = verdict.allow.map(|(held, _)| held);
            if Some(grant) > held { self.statement(layer, index) } else { None }
        })
    }

    /// The statements of resource and identity that allow.
    fn granting(&self) -> Statements {
        let of = |layer| {
            let (_, index) = self.verdicts.single(layer)?.allow?;
            self.statement(layer, index)
        };
        Statements::new(of(Layer::Resource), of(Layer::Identity))
    }

    fn statement(&self, layer: Layer, index: u32) -> Option<StatementRef> {
        let set = layer.set(self.policies)?;
        statement_ref(self.request.named(layer), set, index)
    }
}

/// Whether what cannot be resolved counts as absent or as allowing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    Certain,
    Hoped,
}

impl Known {
    fn enough(self, allow: Truth) -> bool {
        match self {
            Self::Certain => allow == Truth::Yes,
            Self::Hoped => allow != Truth::No,
        }
    }

    fn grant(self, verdict: &Verdict) -> Option<Grant> {
        let certain = verdict.allow.map(|(grant, _)| grant);
        match self {
            Self::Certain => certain,
            Self::Hoped => certain.max(verdict.allow_unresolvable.map(|(grant, _)| grant)),
        }
    }
}

fn decision(outcome: Outcome, denied_by: Option<Layer>, statements: Statements) -> Decision {
    Decision { outcome, denied_by, statements }
}

fn level_statement(
    layer: Layer,
    levels: &[Arc<PolicySet>],
    (level, index): (usize, u32),
) -> Option<StatementRef> {
    statement_ref(layer, levels.get(level)?, index)
}

pub(crate) fn statement_ref(layer: Layer, set: &PolicySet, index: u32) -> Option<StatementRef> {
    let (labelled, index, statement) = set.place(index)?;
    let (policy, sid) = (Arc::clone(&labelled.label), statement.sid.clone());
    Some(StatementRef { layer, policy, index, sid })
}
