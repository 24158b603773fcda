//! Policy sets: policies of one layer together, indexed by service and action.

use crate::action::ActionName;
use crate::decide::StatementRef;
use crate::document::{Effect, Policy, Statement};
use crate::index::{Group, Index};
use crate::principal::Grant;
use crate::statement::{CompiledPolicy, CompiledStatement, Query};
use crate::truth::Truth;
use std::sync::Arc;

/// Policies that act as one layer: all policies of a principal, a resource's policy, one SCP
/// level, …. Immutable, shared between threads without locks.
#[derive(Clone, Debug, Default)]
pub struct PolicySet {
    policies: Box<[Labelled]>,
    /// Which statement of which policy, in order of policies and statements.
    places: Box<[Place]>,
    index: Index,
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
            (Effect::Deny, Truth::Yes) => earliest(&mut self.deny, index),
            (Effect::Deny, Truth::Unresolvable) => earliest(&mut self.deny_unresolvable, index),
            (Effect::Allow, Truth::Yes) => strengthen(&mut self.allow, grant, index),
            (Effect::Allow, Truth::Unresolvable) => {
                strengthen(&mut self.allow_unresolvable, grant, index);
            }
        }
    }
}

fn earliest(first: &mut Option<u32>, index: u32) {
    *first = Some(first.map_or(index, |held| held.min(index)));
}

fn strengthen(best: &mut Option<(Grant, u32)>, grant: Grant, index: u32) {
    if best.is_none_or(|(held, at)| grant > held || (grant == held && index < at)) {
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
        let mut set = Self { policies, places: places.into(), index: Index::default() };
        let statements = (0..).zip(&set.places);
        let statements = statements
            .filter_map(|(index, _)| set.place(index).map(|(_, _, statement)| (index, statement)));
        let index = Index::build(&statements.collect::<Vec<_>>());
        set.index = index;
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

    /// Asks all statements that can be about the action and the resource. Which of several that
    /// apply is named does not depend on the order of asking: the most direct, of equals the first.
    pub(crate) fn evaluate<'a>(&'a self, action: &ActionName, query: &Query<'a>) -> Verdict {
        let mut verdict = Verdict::default();
        let (candidates, known) = self.index.candidates(action);
        let sure = |verdict: &Verdict, index: u32| verdict.deny.is_some_and(|first| first < index);
        self.ask(&candidates.deny, Effect::Deny, (action, known), query, &mut verdict, sure);
        if verdict.deny.is_none() {
            let direct = |verdict: &Verdict, index: u32| {
                verdict.allow.is_some_and(|(grant, at)| grant == Grant::Direct && at < index)
            };
            self.ask(
                &candidates.allow,
                Effect::Allow,
                (action, known),
                query,
                &mut verdict,
                direct,
            );
        }
        verdict
    }

    /// Asks the statements of a group, but for those that could no longer change the verdict.
    fn ask<'a>(
        &'a self,
        group: &Group,
        effect: Effect,
        (action, known): (&ActionName, bool),
        query: &Query<'a>,
        verdict: &mut Verdict,
        settled: impl Fn(&Verdict, u32) -> bool,
    ) {
        for index in group.about(query.target.text()) {
            let Some((_, _, statement)) = self.place(index) else { continue };
            if settled(verdict, index) {
                continue;
            }
            if known || statement.actions.matches(action.service(), action.name()) {
                let (truth, grant) = statement.applies(query);
                verdict.add(effect, index, truth, grant);
            }
        }
    }
}
