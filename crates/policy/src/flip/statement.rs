//! Changes of one statement: so that it applies, or so that it does not.

use super::change::{Change, Part, Place, element_name, principal_key, statement_size, version_of};
use super::context::value_for;
use crate::action::{ActionName, Actions};
use crate::arn::Arn;
use crate::asked::Asked;
use crate::document::{Effect, Element, Statement, Version};
use crate::explain::{ConditionTrace, RequestValue, StatementTrace};
use crate::facts::Facts;
use crate::principal::{Grant, PrincipalMatcher};
use crate::request::PrincipalKind;
use crate::resource::{Resources, Target};
use crate::statement::CompiledPolicy;
use crate::truth::Truth;

/// A statement with its trace and its place.
pub(super) struct Known<'a> {
    pub facts: &'a Facts,
    pub statement: &'a Statement,
    pub trace: &'a StatementTrace,
    pub version: Version,
    pub at: Place,
    /// The documents of AWS itself nobody edits.
    pub editable: bool,
    /// It is the policy's only statement.
    pub last: bool,
}

/// Several changes that belong together.
pub(super) type Step = Vec<Change>;

/// The labels of documents that AWS keeps.
pub(super) fn is_of_aws(label: &str) -> bool {
    label.contains("::aws:policy/")
}

impl<'a> Known<'a> {
    pub fn new(
        facts: &'a Facts,
        policy: &'a CompiledPolicy,
        trace: &'a StatementTrace,
        at: Place,
    ) -> Option<Self> {
        let document = policy.document();
        let statement = document.statements.get(trace.index)?;
        let editable = !is_of_aws(&at.policy);
        let last = document.statements.len() == 1;
        Some(Self { facts, statement, trace, version: version_of(policy), at, editable, last })
    }

    fn add(&self, part: Part, value: &str) -> Change {
        let (at, value) = (self.at.clone(), value.to_owned());
        Change::AddValue { at, element: element_name(self.statement, &part), part, value }
    }

    fn remove(&self, part: &Part, value: &str) -> Change {
        let (at, value) = (self.at.clone(), value.to_owned());
        let element = element_name(self.statement, part);
        Change::RemoveValue { at, element, part: part.clone(), value }
    }

    /// Ways to make a statement apply that does not, or one that grants too little grant more.
    pub fn widen(&self) -> Vec<Step> {
        let mut fixed: Step = Vec::new();
        let mut elements = 0;
        if self.trace.action.matched != Truth::Yes {
            elements += 1;
            let Some(step) = self.include(Part::Action) else { return Vec::new() };
            fixed.extend(step);
        }
        if self.trace.resource.as_ref().is_some_and(|it| it.matched != Truth::Yes) {
            elements += 1;
            let Some(step) = self.include(Part::Resource) else { return Vec::new() };
            fixed.extend(step);
        }
        // A statement about other things would become one about everything.
        if elements > 1 || (elements > 0 && !self.editable) {
            return Vec::new();
        }
        let principal = self.trace.principal.as_ref();
        let weak = self.trace.applies == Truth::Yes && self.trace.grant == Some(Grant::Account);
        if principal.is_some_and(|it| it.matched != Truth::Yes || weak) {
            let Some(change) = self.name_caller() else { return Vec::new() };
            fixed.push(change);
        }
        let failing = self.trace.conditions.iter().filter(|it| it.matched != Truth::Yes);
        let failing: Vec<&ConditionTrace> = failing.collect();
        if failing.is_empty() {
            return if fixed.is_empty() { Vec::new() } else { vec![fixed] };
        }
        let ways: [fn(&Self, &ConditionTrace) -> Option<Step>; 3] =
            [Self::meet_by_context, Self::meet_by_value, Self::drop_condition];
        let steps = ways.into_iter().filter_map(|way| {
            let mut step = fixed.clone();
            for condition in &failing {
                step.extend(way(self, condition).or_else(|| self.drop_condition(condition))?);
            }
            Some(step)
        });
        steps.collect()
    }

    /// Ways to make a statement not apply that does.
    pub fn narrow(&self) -> Vec<Step> {
        let mut steps = self.by_context(Truth::No);
        if !self.editable {
            return steps;
        }
        steps.extend(self.exclude(&Part::Action));
        steps.extend(self.exclude(&Part::Resource));
        steps.extend(self.exclude_caller());
        for condition in &self.trace.conditions {
            steps.extend(self.break_by_value(condition));
        }
        if self.last {
            let Place { layer, level, policy, .. } = self.at.clone();
            let size = statement_size(self.statement) + 1;
            steps.push(vec![Change::RemovePolicy { layer, level, policy, size }]);
        } else {
            let (at, size) = (self.at.clone(), statement_size(self.statement));
            steps.push(vec![Change::RemoveStatement { at, size }]);
        }
        steps
    }

    /// Other requests, for each condition one, under which it would be as wanted.
    pub fn by_context(&self, wanted: Truth) -> Vec<Step> {
        let conditions = self.trace.conditions.iter().filter(|it| it.matched != wanted);
        conditions.filter_map(|it| self.set_context(it, wanted)).map(|step| vec![step]).collect()
    }

    fn set_context(&self, condition: &ConditionTrace, wanted: Truth) -> Option<Change> {
        let mut written = self.statement.conditions.iter();
        let element = written
            .find(|it| it.operator.text == condition.operator && it.key.text == condition.key)?;
        let value = value_for(element, self.version, self.facts, &condition.request, wanted)?;
        Some(Change::SetContext { key: condition.key.clone(), value })
    }

    fn meet_by_context(&self, condition: &ConditionTrace) -> Option<Step> {
        self.set_context(condition, Truth::Yes).map(|change| vec![change])
    }

    /// The request's value among those of the policy; for a negated operator not among them.
    fn meet_by_value(&self, condition: &ConditionTrace) -> Option<Step> {
        let RequestValue::Value(value) = &condition.request else { return None };
        let part = part_of(condition);
        if !self.editable {
            return None;
        }
        if is_negated(&condition.operator) {
            let listed = condition.policy.contains(value);
            return listed.then(|| vec![self.remove(&part, value)]);
        }
        Some(vec![self.add(part, value)])
    }

    fn drop_condition(&self, condition: &ConditionTrace) -> Option<Step> {
        if !self.editable {
            return None;
        }
        let part = part_of(condition);
        Some(condition.policy.iter().map(|value| self.remove(&part, value)).collect())
    }

    /// The opposite of [`Self::meet_by_value`].
    fn break_by_value(&self, condition: &ConditionTrace) -> Option<Step> {
        let RequestValue::Value(value) = &condition.request else { return None };
        let part = part_of(condition);
        if is_negated(&condition.operator) {
            return Some(vec![self.add(part, value)]);
        }
        let listed = condition.policy.len() > 1 && condition.policy.contains(value);
        listed.then(|| vec![self.remove(&part, value)])
    }

    fn element(&self, part: &Part) -> Option<&Element> {
        match part {
            Part::Action => Some(&self.statement.action),
            Part::Resource => self.statement.resource.as_ref(),
            Part::Principal(_) | Part::Condition(..) => None,
        }
    }

    /// What the request says of a list of actions or resources, as a policy may write it. No list
    /// of resources takes a request without one: that would be all of them.
    fn requested(&self, part: &Part) -> Option<&str> {
        match part {
            Part::Action => Some(&self.facts.action),
            _ => Arn::parse(&self.facts.resource).map(|_| self.facts.resource.as_str()),
        }
    }

    fn include(&self, part: Part) -> Option<Step> {
        let element = self.element(&part)?;
        if element.negated {
            return self.remove_all(&part, &self.matching(&part, element));
        }
        let value = self.requested(&part)?;
        Some(vec![self.add(part, value)])
    }

    fn exclude(&self, part: &Part) -> Option<Step> {
        let element = self.element(part)?;
        if element.negated {
            let value = self.requested(part)?;
            return Some(vec![self.add(part.clone(), value)]);
        }
        self.remove_all(part, &self.matching(part, element))
    }

    /// None when nothing of the list would be left.
    fn remove_all(&self, part: &Part, values: &[String]) -> Option<Step> {
        let known = self.element(part)?.values.len();
        let fits = !values.is_empty() && values.len() < known;
        fits.then(|| values.iter().map(|value| self.remove(part, value)).collect())
    }

    /// The values of a list that match the request by themselves.
    fn matching(&self, part: &Part, element: &Element) -> Vec<String> {
        let matches = |alone: &Element| match part {
            Part::Action => ActionName::new(&self.facts.action).is_some_and(|action| {
                Actions::compile(alone).matches(action.service(), action.name())
            }),
            _ => {
                let target = Target::new(&self.facts.resource);
                let resources = Resources::compile(Some(alone), self.version);
                resources.matches(&target, &Asked::new(self.facts)) != Truth::No
            }
        };
        let alone = element.values.iter().filter(|value| {
            let values = vec![(*value).clone()];
            matches(&Element { negated: false, values, span: element.span })
        });
        alone.map(|value| value.text.clone()).collect()
    }

    /// The caller in the list of principals. A session is named by its role, which stays.
    fn name_caller(&self) -> Option<Change> {
        if !self.editable || self.statement.principal.as_ref()?.negated {
            return None;
        }
        let (key, value) = caller_name(self.facts)?;
        Some(self.add(Part::Principal(key.to_owned()), &value))
    }

    /// The caller out of the list of principals, or by a condition of its own.
    fn exclude_caller(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        if let Some(element) = &self.statement.principal {
            let caller = &self.facts.principal;
            let naming = element.entries.iter().filter(|entry| {
                let matcher = PrincipalMatcher::compile(entry);
                matcher.is_some_and(|matcher| matcher.grant(caller).is_some())
            });
            let naming: Vec<_> = naming.collect();
            if element.negated {
                let (key, value) = match caller_name(self.facts) {
                    Some(name) => name,
                    None => return steps,
                };
                steps.push(vec![self.add(Part::Principal(key.to_owned()), &value)]);
            } else if naming.len() < element.entries.len() {
                let removed = naming.iter().filter_map(|entry| {
                    let part = Part::Principal(principal_key(entry.kind)?.to_owned());
                    Some(self.remove(&part, &entry.value.text))
                });
                let removed: Step = removed.collect();
                if !removed.is_empty() {
                    steps.push(removed);
                }
            }
        }
        steps.extend(self.exempt_caller());
        steps
    }

    /// `ArnNotEquals aws:PrincipalArn`, as exemptions from a denial are usually written.
    fn exempt_caller(&self) -> Option<Step> {
        const EXEMPTS: &str = "ArnNotEquals";
        const KEY: &str = "aws:PrincipalArn";
        let known = |condition: &ConditionTrace| {
            condition.operator == EXEMPTS && condition.key.eq_ignore_ascii_case(KEY)
        };
        // No policy of the caller's own names the caller.
        let own = self.statement.principal.is_none() && self.trace.effect == Effect::Allow;
        if own || self.trace.conditions.iter().any(known) {
            return None;
        }
        let lookup = self.facts.principal.context_key("aws:principalarn")?;
        let RequestValue::Value(arn) = RequestValue::of(&lookup) else { return None };
        Some(vec![self.add(Part::Condition(EXEMPTS.to_owned(), KEY.to_owned()), &arn)])
    }
}

fn part_of(condition: &ConditionTrace) -> Part {
    Part::Condition(condition.operator.clone(), condition.key.clone())
}

fn is_negated(operator: &str) -> bool {
    operator.contains("Not")
}

/// How a resource's policy names the caller: key of `Principal`'s map and value.
pub(super) fn caller_name(facts: &Facts) -> Option<(&'static str, String)> {
    let caller = &facts.principal;
    let name = match caller.kind {
        PrincipalKind::User | PrincipalKind::Role | PrincipalKind::FederatedUser => {
            ("AWS", caller.arn.clone())
        }
        PrincipalKind::Root => ("AWS", caller.account.clone()),
        PrincipalKind::AssumedRole => {
            let role = RequestValue::of(&caller.context_key("aws:principalarn")?);
            match role {
                RequestValue::Value(role) => ("AWS", role),
                _ => ("AWS", caller.arn.clone()),
            }
        }
        PrincipalKind::Federated => ("Federated", caller.arn.clone()),
        PrincipalKind::Service => ("Service", caller.arn.clone()),
        PrincipalKind::Anonymous => ("AWS", "*".to_owned()),
    };
    Some(name)
}
