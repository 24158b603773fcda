//! Policy sets: policies of one layer together, indexed by service and action.

use crate::action::ActionName;
use crate::decide::StatementRef;
use crate::document::{Effect, Policy, Statement};
use crate::principal::Grant;
use crate::statement::{CompiledPolicy, CompiledStatement, Query};
use crate::truth::Truth;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Policies that act as one layer: all policies of a principal, a resource's policy, one SCP
/// level, …. Immutable, shared between threads without locks.
#[derive(Clone, Debug, Default)]
pub struct PolicySet {
    policies: Box<[Labelled]>,
    /// Which statement of which policy, in order of policies and statements.
    places: Box<[Place]>,
    /// By service prefix, sorted.
    services: Box<[(Box<str>, Service)]>,
    /// For actions of services that no statement names.
    others: Candidates,
}

#[derive(Clone, Debug)]
pub(crate) struct Labelled {
    pub label: Arc<str>,
    pub policy: Arc<CompiledPolicy>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub policy: u32,
    pub statement: u32,
}

#[derive(Clone, Debug, Default)]
struct Service {
    /// Statements about each action that is named in full: they need no further look at it.
    named: Box<[(Box<str>, Candidates)]>,
    /// For all other actions: statements whose patterns may match.
    patterned: Candidates,
}

/// Statements to look at, as indices into `places`, ascending.
#[derive(Clone, Debug, Default)]
struct Candidates {
    deny: Box<[u32]>,
    allow: Box<[u32]>,
}

/// What a set says about a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The first Deny statement that applies.
    pub deny: Option<u32>,
    /// The first Deny statement of which it cannot be known.
    pub deny_unresolvable: Option<u32>,
    /// The most direct Allow that applies; of equals the first.
    pub allow: Option<(Grant, u32)>,
    /// The most direct Allow of which it cannot be known.
    pub allow_unresolvable: Option<(Grant, u32)>,
}

impl Verdict {
    pub fn add(&mut self, effect: Effect, index: u32, truth: Truth, grant: Grant) {
        match (effect, truth) {
            (_, Truth::No) => {}
            (Effect::Deny, Truth::Yes) => self.deny = self.deny.or(Some(index)),
            (Effect::Deny, Truth::Unresolvable) => {
                self.deny_unresolvable = self.deny_unresolvable.or(Some(index));
            }
            (Effect::Allow, Truth::Yes) => strengthen(&mut self.allow, grant, index),
            (Effect::Allow, Truth::Unresolvable) => {
                strengthen(&mut self.allow_unresolvable, grant, index);
            }
        }
    }
}

fn strengthen(best: &mut Option<(Grant, u32)>, grant: Grant, index: u32) {
    if best.is_none_or(|(held, _)| grant > held) {
        *best = Some((grant, index));
    }
}

impl PolicySet {
    /// Puts policies together. The label names a policy in decisions and messages: its ARN or an
    /// inline policy's name, and behind a `#`, which no ARN of a policy holds, whatever else the
    /// record should keep, such as the revision. Messages show the ARN alone.
    #[must_use]
    pub fn new(policies: impl IntoIterator<Item = (Arc<str>, Arc<CompiledPolicy>)>) -> Self {
        let policies: Box<[Labelled]> =
            policies.into_iter().map(|(label, policy)| Labelled { label, policy }).collect();
        let mut places = Vec::new();
        for (policy, labelled) in (0..).zip(&policies) {
            for (statement, _) in (0..).zip(&labelled.policy.statements) {
                places.push(Place { policy, statement });
            }
        }
        let mut set = Self { policies, places: places.into(), ..Self::default() };
        let index = Index::build(&set);
        set.services = index.services;
        set.others = index.others;
        set
    }

    /// A set of one policy.
    #[must_use]
    pub fn of(label: &str, policy: &Arc<CompiledPolicy>) -> Self {
        Self::new([(Arc::from(label), Arc::clone(policy))])
    }

    /// The labels of its policies, in order.
    pub fn labels(&self) -> impl Iterator<Item = &Arc<str>> {
        self.policies.iter().map(|labelled| &labelled.label)
    }

    /// The statement a decision names, as it was written, with its policy.
    #[must_use]
    pub fn statement(&self, reference: &StatementRef) -> Option<(&Policy, &Statement)> {
        let mut policies = self.policies.iter();
        let labelled = policies.find(|labelled| labelled.label == reference.policy)?;
        let document = labelled.policy.document();
        let statement = document.statements.get(reference.index as usize)?;
        Some((document, statement))
    }

    /// Whether it holds no policy.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.policies.is_empty()
    }

    pub(crate) fn policies(&self) -> &[Labelled] {
        &self.policies
    }

    /// The policy and statement behind an index of a [`Verdict`].
    pub(crate) fn place(&self, index: u32) -> Option<(&Labelled, u32, &CompiledStatement)> {
        let place = self.places.get(index as usize)?;
        let labelled = self.policies.get(place.policy as usize)?;
        let statement = labelled.policy.statements.get(place.statement as usize)?;
        Some((labelled, place.statement, statement))
    }

    /// Asks all statements that can be about the action. An applying Deny ends it.
    pub(crate) fn evaluate(&self, action: &ActionName, query: &Query<'_>) -> Verdict {
        let (service, name) = (action.service(), action.name());
        let (candidates, known) = self.candidates(service, name);
        let mut verdict = Verdict::default();
        for index in &candidates.deny {
            let Some((_, _, statement)) = self.place(*index) else { continue };
            if known || statement.actions.matches(service, name) {
                let (truth, grant) = statement.applies(query);
                verdict.add(Effect::Deny, *index, truth, grant);
                if truth == Truth::Yes {
                    return verdict;
                }
            }
        }
        for index in &candidates.allow {
            let Some((_, _, statement)) = self.place(*index) else { continue };
            if known || statement.actions.matches(service, name) {
                let (truth, grant) = statement.applies(query);
                verdict.add(Effect::Allow, *index, truth, grant);
                if truth == Truth::Yes && grant == Grant::Direct {
                    break;
                }
            }
        }
        verdict
    }

    /// The statements to look at, and whether they are known to be about the action.
    fn candidates(&self, service: &str, name: &str) -> (&Candidates, bool) {
        let found = self.services.binary_search_by(|(known, _)| (**known).cmp(service));
        let Some((_, service)) = found.ok().and_then(|at| self.services.get(at)) else {
            return (&self.others, true);
        };
        let found = service.named.binary_search_by(|(known, _)| (**known).cmp(name));
        match found.ok().and_then(|at| service.named.get(at)) {
            Some((_, candidates)) => (candidates, true),
            None => (&service.patterned, false),
        }
    }
}

/// The index of a set under construction.
struct Index {
    services: Box<[(Box<str>, Service)]>,
    others: Candidates,
}

impl Index {
    fn build(set: &PolicySet) -> Self {
        let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let statements: Vec<(u32, &CompiledStatement)> = (0..)
            .zip(&set.places)
            .filter_map(|(index, _)| set.place(index).map(|(_, _, statement)| (index, statement)))
            .collect();
        for (_, statement) in &statements {
            for (service, named) in statement.actions.services() {
                let known = names.entry(service).or_default();
                known.extend(named.iter().map(AsRef::<str>::as_ref));
            }
        }
        let services = names.into_iter().map(|(service, names)| {
            let named = names.into_iter().map(|name| {
                let matching =
                    |statement: &CompiledStatement| statement.actions.matches(service, name);
                (Box::from(name), gather(&statements, matching))
            });
            let named = named.collect();
            let patterned =
                gather(&statements, |statement| statement.actions.may_match_unnamed(service));
            (Box::from(service), Service { named, patterned })
        });
        let services = services.collect();
        // Any service no statement names behaves alike, so one that cannot exist stands for all.
        let others = gather(&statements, |statement| statement.actions.matches("", ""));
        Self { services, others }
    }
}

fn gather(
    statements: &[(u32, &CompiledStatement)],
    wanted: impl Fn(&CompiledStatement) -> bool,
) -> Candidates {
    let pick = |effect: Effect| {
        let fitting = statements
            .iter()
            .filter(|(_, statement)| statement.effect == effect && wanted(statement));
        fitting.map(|(index, _)| *index).collect()
    };
    Candidates { deny: pick(Effect::Deny), allow: pick(Effect::Allow) }
}
