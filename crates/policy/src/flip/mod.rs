//! The smallest edits that would turn a decision round.
//!
//! A search over documents and request context, cheapest first. The trace says what stands in the
//! way: a statement that denies, a layer that does not allow, the statements that grant. Each step
//! changes exactly that, is written as a document, read again, and decided; one that does not move
//! the decision is dropped. So every edit that is answered was tried. The search has bounds and no
//! randomness: the same facts give the same edits.

mod change;
mod context;
mod moves;
mod statement;
mod words;

pub use change::{Change, Part, Place};

use crate::decide::{Decision, Layer, Outcome};
use crate::facts::{Facts, LayerFacts, PolicyFacts, Prepared};
use change::Edited;
use serde::{Deserialize, Serialize};
use statement::Step;
use std::collections::{BTreeSet, BinaryHeap};

/// Changes that together turn the decision round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Edit {
    /// What to do, in this order.
    pub changes: Vec<Change>,
    /// How many JSON values are added, removed or changed.
    pub size: usize,
    /// What was decided after it.
    pub outcome: Outcome,
    /// The documents after it.
    pub documents: Vec<EditedDocument>,
}

/// A document that an edit changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EditedDocument {
    /// Its layer.
    pub layer: Layer,
    /// For SCPs and RCPs the level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<usize>,
    /// Its label; absent for a new policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Its text; absent when the policy is taken away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// No more edits than this are answered.
const EDITS_MAX: usize = 5;
/// No more documents are tried than this.
const TRIES_MAX: usize = 400;
/// Layers that may stand in the way, one after the other.
const DEPTH_MAX: usize = 6;
/// Of the steps from one place the smallest.
const STEPS_MAX: usize = 12;

impl Prepared<'_> {
    /// The smallest edits that turn the decision round, the smallest first: after each the request
    /// would be allowed where it is denied, denied where it is allowed. Empty when there is none
    /// within the bounds of the search.
    #[must_use]
    pub fn edits(&self) -> Vec<Edit> {
        let start = Node {
            size: 0,
            rank: 0,
            order: 0,
            depth: 0,
            changes: Vec::new(),
            decision: self.decide(),
            edited: Edited::new(self.facts, &self.compiled),
        };
        let wanted = !start.decision.allowed();
        let mut search = Search { wanted, tries: 0, order: 0, seen: BTreeSet::new() };
        let found = search.run(start);
        found.into_iter().map(|node| node.into_edit(self.facts)).collect()
    }
}

/// Facts after some changes, with what is decided on them.
struct Node {
    size: usize,
    rank: u8,
    /// When it was made.
    order: usize,
    depth: usize,
    changes: Vec<Change>,
    decision: Decision,
    edited: Edited,
}

impl Node {
    fn key(&self) -> (usize, u8, usize) {
        (self.size, self.rank, self.order)
    }

    fn into_edit(self, before: &Facts) -> Edit {
        let documents = documents(before, &self.edited.facts);
        let (size, outcome) = (self.size, self.decision.outcome);
        Edit { changes: self.changes, size, outcome, documents }
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Node {}

impl PartialOrd for Node {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Node {
    /// The heap gives the largest first, which is to be the smallest edit.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.key().cmp(&self.key())
    }
}

struct Search {
    /// Whether the request is to be allowed.
    wanted: bool,
    tries: usize,
    order: usize,
    /// Sets of changes that were tried, in whatever order they were made.
    seen: BTreeSet<String>,
}

impl Search {
    fn run(&mut self, start: Node) -> Vec<Node> {
        let mut heap = BinaryHeap::from([start]);
        let mut found: Vec<Node> = Vec::new();
        while let Some(node) = heap.pop() {
            if node.decision.allowed() == self.wanted {
                let contains =
                    |edit: &Node| edit.changes.iter().all(|it| node.changes.contains(it));
                if !found.iter().any(contains) {
                    found.push(node);
                }
                if found.len() == EDITS_MAX {
                    break;
                }
                continue;
            }
            if node.depth < DEPTH_MAX && self.tries < TRIES_MAX {
                heap.extend(self.expand(&node));
            }
        }
        found
    }

    /// The edits one step further that change the decision.
    fn expand(&mut self, node: &Node) -> Vec<Node> {
        let Ok(prepared) = Prepared::new(&node.edited.facts, node.edited.compiled.clone()) else {
            return Vec::new();
        };
        let trace = prepared.explain();
        let mut steps = match self.wanted {
            true => moves::towards_allow(&node.edited, &trace),
            false => moves::towards_deny(&node.edited, &trace),
        };
        steps.sort_by_key(|step| (size(step), rank(step)));
        let tried = steps.iter().filter_map(|step| self.step(node, step));
        tried.take(STEPS_MAX).collect()
    }

    fn step(&mut self, node: &Node, step: &Step) -> Option<Node> {
        if self.tries >= TRIES_MAX {
            return None;
        }
        let mut edited = node.edited.clone();
        for change in step {
            edited.apply(change)?;
        }
        let changes: Vec<Change> = node.changes.iter().chain(step).cloned().collect();
        let mut names: Vec<String> = changes.iter().map(|change| format!("{change:?}")).collect();
        names.sort();
        if !self.seen.insert(names.join("\n")) {
            return None;
        }
        self.tries += 1;
        let decision = Prepared::new(&edited.facts, edited.compiled.clone()).ok()?.decide();
        if decision == node.decision {
            return None;
        }
        self.order += 1;
        Some(Node {
            size: node.size + size(step),
            rank: rank(step).max(node.rank),
            order: self.order,
            depth: node.depth + 1,
            changes,
            decision,
            edited,
        })
    }
}

fn size(step: &Step) -> usize {
    step.iter().map(Change::size).sum()
}

fn rank(step: &Step) -> u8 {
    step.iter().map(Change::rank).max().unwrap_or_default()
}

/// What became of the documents.
fn documents(before: &Facts, after: &Facts) -> Vec<EditedDocument> {
    let mut documents = Vec::new();
    for layer in &after.layers {
        let known = before.layer(layer.layer, layer.level);
        let known = known.and_then(|place| before.layers.get(place));
        for policy in &layer.policies {
            let mut olds = known.iter().flat_map(|layer| &layer.policies);
            let old = olds.find(|old| old.label == policy.label);
            if old.is_some_and(|old| old.text == policy.text) {
                continue;
            }
            documents.push(EditedDocument {
                layer: layer.layer,
                level: layer.level,
                policy: old.map(|old| old.label.clone()),
                text: Some(policy.text.clone()),
            });
        }
    }
    for layer in &before.layers {
        let left = after.layer(layer.layer, layer.level);
        let left = left.and_then(|place| after.layers.get(place));
        for policy in &layer.policies {
            let mut left = left.iter().flat_map(|layer| &layer.policies);
            if !left.any(|known| known.label == policy.label) {
                documents.push(EditedDocument {
                    layer: layer.layer,
                    level: layer.level,
                    policy: Some(policy.label.clone()),
                    text: None,
                });
            }
        }
    }
    documents
}

impl Edit {
    /// The facts of another request as they would be after the edit; `None` where none of the
    /// edited documents takes part, or only in another version. The request stays as it was.
    ///
    /// A new policy is one of the same caller, or of the same resource.
    #[must_use]
    pub fn applied(&self, before: &Facts, other: &Facts) -> Option<Facts> {
        let mut facts = other.clone();
        let mut touched = false;
        for document in &self.documents {
            touched |= match &document.policy {
                Some(label) => replace(document, label, before, &mut facts).is_some(),
                None => attach(document, before, &mut facts).is_some(),
            };
        }
        touched.then_some(facts)
    }
}

/// Puts an edited document in the place of the one that it was made of.
fn replace(
    document: &EditedDocument,
    label: &str,
    before: &Facts,
    facts: &mut Facts,
) -> Option<()> {
    let original = before.policy(document.layer, document.level, label)?;
    let place = facts.layer(document.layer, document.level)?;
    let layer = facts.layers.get_mut(place)?;
    let same = |policy: &PolicyFacts| policy.label == label && policy.text == original.text;
    let index = layer.policies.iter().position(same)?;
    match &document.text {
        Some(text) => layer.policies.get_mut(index)?.text.clone_from(text),
        None => drop(layer.policies.remove(index)),
    }
    // A boundary that is taken away is none, not an empty one.
    if layer.policies.is_empty() && layer.layer == Layer::Boundary {
        facts.layers.remove(place);
    }
    Some(())
}

/// Adds a new policy to the caller or to the resource.
fn attach(document: &EditedDocument, before: &Facts, facts: &mut Facts) -> Option<()> {
    let of_resource = matches!(document.layer, Layer::Resource | Layer::Trust);
    let same = match of_resource {
        true => facts.resource == before.resource,
        false => facts.principal.context_key(CALLER) == before.principal.context_key(CALLER),
    };
    let text = document.text.clone().filter(|_| same)?;
    let added = PolicyFacts { label: change::NEW_POLICY.to_owned(), revision: None, text };
    match facts.layer(document.layer, document.level) {
        Some(place) => facts.layers.get_mut(place)?.policies.push(added),
        None => {
            let (layer, level) = (document.layer, document.level);
            facts.layers.push(LayerFacts { layer, level, policies: vec![added] });
        }
    }
    Some(())
}

/// The same for all sessions of one role.
const CALLER: &str = "aws:principalarn";
