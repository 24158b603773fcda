//! Which statements of a set can be about an action and a resource at all, found by search: a
//! decision then costs what those cost, not what the policy has.

use crate::action::ActionName;
use crate::document::Effect;
use crate::statement::CompiledStatement;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Statements by service and action.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    /// By service prefix, sorted.
    services: Box<[(Box<str>, Service)]>,
    /// For actions of services that no statement names.
    others: Candidates,
}

#[derive(Clone, Debug, Default)]
struct Service {
    /// Statements about each action that is named in full: they need no further look at it.
    named: Box<[(Box<str>, Candidates)]>,
    /// For all other actions: statements whose patterns may match.
    patterned: Candidates,
}

/// Statements to look at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Candidates {
    pub deny: Group,
    pub allow: Group,
}

/// Statements of one effect, by the text that a resource must begin with to concern them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    /// Sorted by lead.
    nodes: Box<[Node]>,
    /// The statements of all nodes, one after another; each node's are ascending.
    statements: Box<[u32]>,
}

#[derive(Clone, Debug)]
struct Node {
    lead: Arc<str>,
    /// The node of the longest other lead that this one begins with.
    parent: Option<u32>,
    /// Where its statements begin and end.
    statements: (u32, u32),
}

type Numbered<'a> = (u32, &'a CompiledStatement);

impl Index {
    /// Indexes the statements of a set, each with its number.
    pub fn build(statements: &[Numbered<'_>]) -> Self {
        let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (_, statement) in statements {
            for (service, named) in statement.actions.services() {
                let known = names.entry(service).or_default();
                known.extend(named.iter().map(AsRef::<str>::as_ref));
            }
        }
        let services = names.into_iter().map(|(service, names)| {
            let named = names.into_iter().map(|name| {
                let matching =
                    |statement: &CompiledStatement| statement.actions.matches(service, name);
                (Box::from(name), Candidates::pick(statements, matching))
            });
            let named = named.collect();
            let patterned = Candidates::pick(statements, |statement| {
                statement.actions.may_match_unnamed(service)
            });
            (Box::from(service), Service { named, patterned })
        });
        let services = services.collect();
        // Any service no statement names behaves alike, so one that cannot exist stands for all.
        let others = Candidates::pick(statements, |statement| statement.actions.matches("", ""));
        Self { services, others }
    }

    /// The statements to look at, and whether they are known to be about the action.
    pub fn candidates(&self, action: &ActionName) -> (&Candidates, bool) {
        let service = action.service();
        let found = self.services.binary_search_by(|(known, _)| (**known).cmp(service));
        let Some((_, service)) = found.ok().and_then(|at| self.services.get(at)) else {
            return (&self.others, true);
        };
        let found = service.named.binary_search_by(|(known, _)| (**known).cmp(action.name()));
        match found.ok().and_then(|at| service.named.get(at)) {
            Some((_, candidates)) => (candidates, true),
            None => (&service.patterned, false),
        }
    }
}

impl Candidates {
    fn pick(statements: &[Numbered<'_>], wanted: impl Fn(&CompiledStatement) -> bool) -> Self {
        let of = |effect: Effect| {
            let fitting = statements.iter().filter(|(_, statement)| statement.effect == effect);
            Group::build(fitting.filter(|(_, statement)| wanted(statement)))
        };
        Self { deny: of(Effect::Deny), allow: of(Effect::Allow) }
    }
}

impl Group {
    fn build<'a>(statements: impl Iterator<Item = &'a Numbered<'a>>) -> Self {
        let mut by_lead: BTreeMap<Arc<str>, BTreeSet<u32>> = BTreeMap::new();
        for (index, statement) in statements {
            for lead in statement.resources.leads() {
                by_lead.entry(lead).or_default().insert(*index);
            }
        }
        let mut nodes: Vec<Node> = Vec::with_capacity(by_lead.len());
        let mut all = Vec::new();
        // The leads that the one at hand begins with, innermost last.
        let mut open: Vec<u32> = Vec::new();
        for ((lead, statements), number) in by_lead.into_iter().zip(0_u32..) {
            while let Some(last) = open.last() {
                let outer = nodes.get(*last as usize);
                if outer.is_some_and(|outer| lead.starts_with(&*outer.lead)) {
                    break;
                }
                open.pop();
            }
            let from = size(all.len());
            all.extend(statements);
            let parent = open.last().copied();
            nodes.push(Node { lead, parent, statements: (from, size(all.len())) });
            open.push(number);
        }
        Self { nodes: nodes.into(), statements: all.into() }
    }

    /// The statements whose lead the resource begins with. One may come more than once.
    pub fn about<'g>(&'g self, resource: &str) -> About<'g> {
        // Every lead that the resource begins with is an outer one of the last that is not after
        // the resource, or that one itself.
        let after = self.nodes.partition_point(|node| *node.lead <= *resource);
        let mut next = after.checked_sub(1).and_then(|last| self.nodes.get(last));
        while let Some(node) = next {
            if resource.starts_with(&*node.lead) {
                break;
            }
            next = self.outer(node);
        }
        About { group: self, next, statements: [].iter() }
    }

    fn outer(&self, node: &Node) -> Option<&Node> {
        self.nodes.get(node.parent? as usize)
    }
}

/// A policy is limited to thousands of statements; more than can be counted have no index and so
/// never match.
fn size(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Walks from the longest lead outwards.
pub(crate) struct About<'g> {
    group: &'g Group,
    next: Option<&'g Node>,
    statements: std::slice::Iter<'g, u32>,
}

impl Iterator for About<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        loop {
            if let Some(statement) = self.statements.next() {
                return Some(*statement);
            }
            let node = self.next?;
            let (from, to) = node.statements;
            let own = self.group.statements.get(from as usize..to as usize);
            self.statements = own.unwrap_or_default().iter();
            self.next = self.group.outer(node);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{DocumentKind, Policy};
    use proptest::prelude::*;

    /// A group of one statement for each lead.
    fn group(leads: &[String]) -> Group {
        let statement = |lead: &String| {
            serde_json::json!({"Effect": "Allow", "Action": "s3:*",
                "Resource": format!("arn:aws:s3:::{lead}*")})
        };
        let statements: Vec<_> = leads.iter().map(statement).collect();
        let document = serde_json::json!({"Version": "2012-10-17", "Statement": statements});
        let policy = Policy::parse(&document.to_string(), DocumentKind::Identity).unwrap();
        let compiled = policy.compile();
        let numbered: Vec<Numbered<'_>> = (0..).zip(&compiled.statements).collect();
        Group::build(numbered.iter())
    }

    proptest! {
        /// The definition: every statement whose lead the resource begins with, and no other.
        #[test]
        fn finds_what_begins_alike(
            leads in proptest::collection::vec("[ab]{0,4}", 1..12),
            resource in "[ab]{0,6}",
        ) {
            let found: BTreeSet<u32> =
                group(&leads).about(&format!("arn:aws:s3:::{resource}")).collect();
            let expected = (0..).zip(&leads).filter(|(_, lead)| resource.starts_with(*lead));
            prop_assert_eq!(found, expected.map(|(index, _)| index).collect::<BTreeSet<u32>>());
        }
    }

    #[test]
    fn what_is_no_arn_meets_only_what_meets_everything() {
        let leads = ["a".to_owned(), String::new()];
        assert_eq!(group(&leads).about("*").count(), 0);
        assert_eq!(group(&leads).about("arn:aws:s3:::b").collect::<Vec<_>>(), [1]);
    }
}
