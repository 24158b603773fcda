//! One step of an edit: what it changes, how large it is, and the documents after it.

use crate::decide::Layer;
use crate::document::{
    ConditionElement, DocumentKind, Effect, Element, Policy, PrincipalElement, PrincipalEntry,
    PrincipalType, Spanned, Statement, Version,
};
use crate::explain::RequestValue;
use crate::facts::{Facts, LayerFacts, PolicyFacts};
use crate::finding::Span;
use crate::statement::CompiledPolicy;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A statement as it stood before the edit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// Its layer.
    pub layer: Layer,
    /// For SCPs and RCPs the level, 0 for the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<usize>,
    /// Its policy's label.
    pub policy: String,
    /// Its index in the policy, from 0.
    pub statement: usize,
    /// Its `Sid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}

/// Which list of a statement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Part {
    /// `Action` or `NotAction`.
    Action,
    /// `Resource` or `NotResource`.
    Resource,
    /// `Principal` or `NotPrincipal`, under this key of the map.
    Principal(String),
    /// A condition, by operator and key.
    Condition(String, String),
}

/// One step of an [`super::Edit`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "change")]
pub enum Change {
    /// A value more in a list of a statement, or in a new condition.
    #[serde(rename_all = "camelCase")]
    AddValue { at: Place, part: Part, element: String, value: String },
    /// A value less. The last value of a condition takes the condition with it.
    #[serde(rename_all = "camelCase")]
    RemoveValue { at: Place, part: Part, element: String, value: String },
    /// A statement less.
    #[serde(rename_all = "camelCase")]
    RemoveStatement { at: Place, size: usize },
    /// A statement more, in a policy or, when `policy` is absent, in a new one.
    #[serde(rename_all = "camelCase")]
    AddStatement {
        layer: Layer,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        level: Option<usize>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        policy: Option<String>,
        statement: serde_json::Value,
    },
    /// A policy less.
    #[serde(rename_all = "camelCase")]
    RemovePolicy {
        layer: Layer,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        level: Option<usize>,
        policy: String,
        size: usize,
    },
    /// Another value in the request's context.
    #[serde(rename_all = "camelCase")]
    SetContext { key: String, value: RequestValue },
}

/// The label of a policy that an edit adds.
pub(super) const NEW_POLICY: &str = "new policy";

impl Change {
    /// How many JSON values it adds, removes or changes.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::AddValue { .. } | Self::RemoveValue { .. } | Self::SetContext { .. } => 1,
            Self::RemoveStatement { size, .. } | Self::RemovePolicy { size, .. } => *size,
            Self::AddStatement { policy, statement, .. } => {
                leaves(statement) + usize::from(policy.is_none())
            }
        }
    }

    /// Where two changes are of one size, the one that comes first is proposed first: what the
    /// caller does, then a value, then a statement, then a removal.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::SetContext { .. } => 0,
            // Another action is one on all that the statement names.
            Self::AddValue { part: Part::Action, .. } => 2,
            Self::AddValue { .. } => 1,
            Self::RemoveValue { .. } => 3,
            Self::AddStatement { .. } => 4,
            Self::RemoveStatement { .. } => 5,
            Self::RemovePolicy { .. } => 6,
        }
    }
}

/// How many values a JSON text holds.
pub(super) fn leaves(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Array(values) => values.iter().map(leaves).sum(),
        serde_json::Value::Object(members) => members.values().map(leaves).sum(),
        _ => 1,
    }
}

/// As [`leaves`], of a statement.
pub(super) fn statement_size(statement: &Statement) -> usize {
    serde_json::to_value(statement).map_or(1, |value| leaves(&value))
}

/// Facts after some changes, with their documents read.
#[derive(Clone)]
pub(super) struct Edited {
    pub facts: Facts,
    pub compiled: Vec<Vec<Arc<CompiledPolicy>>>,
    /// For each statement of each policy of each layer its index before the edit; `None`: added.
    pub origins: Vec<Vec<Vec<Option<usize>>>>,
}

impl Edited {
    pub fn new(facts: &Facts, compiled: &[Vec<Arc<CompiledPolicy>>]) -> Self {
        let indices = |policy: &Arc<CompiledPolicy>| (0..policy.len()).map(Some).collect();
        let origins =
            compiled.iter().map(|policies| policies.iter().map(indices).collect()).collect();
        Self { facts: facts.clone(), compiled: compiled.to_vec(), origins }
    }

    /// Applies a change. `None` when it does not fit or AWS would refuse the document after it.
    pub fn apply(&mut self, change: &Change) -> Option<()> {
        match change {
            Change::SetContext { key, value } => {
                self.facts.context.insert(key.to_lowercase(), value.clone());
                Some(())
            }
            Change::AddValue { at, part, value, .. } => {
                self.edit(at, |statement| add_value(statement, part, value))
            }
            Change::RemoveValue { at, part, value, .. } => {
                self.edit(at, |statement| remove_value(statement, part, value))
            }
            Change::RemoveStatement { at, .. } => {
                let (layer, policy, index) = self.find(at)?;
                let mut document = self.document(layer, policy)?;
                document.statements.remove(index);
                self.replace(layer, policy, &document)?;
                self.origins.get_mut(layer)?.get_mut(policy)?.remove(index);
                Some(())
            }
            Change::AddStatement { layer, level, policy, statement } => {
                self.add_statement(*layer, *level, policy.as_deref(), statement)
            }
            Change::RemovePolicy { layer, level, policy, .. } => {
                let layer = self.facts.layer(*layer, *level)?;
                let policies = &mut self.facts.layers.get_mut(layer)?.policies;
                let index = policies.iter().position(|known| known.label == *policy)?;
                policies.remove(index);
                self.compiled.get_mut(layer)?.remove(index);
                self.origins.get_mut(layer)?.remove(index);
                self.drop_limit(layer)
            }
        }
    }

    /// A boundary that is taken away is none, not an empty one.
    fn drop_limit(&mut self, layer: usize) -> Option<()> {
        let known = self.facts.layers.get(layer)?;
        if known.policies.is_empty() && matches!(known.layer, Layer::Boundary) {
            self.facts.layers.remove(layer);
            self.compiled.remove(layer);
            self.origins.remove(layer);
        }
        Some(())
    }

    /// Layer, policy and present index of a statement.
    fn find(&self, at: &Place) -> Option<(usize, usize, usize)> {
        let layer = self.facts.layer(at.layer, at.level)?;
        let mut policies = self.facts.layers.get(layer)?.policies.iter();
        let policy = policies.position(|policy| policy.label == at.policy)?;
        let mut origins = self.origins.get(layer)?.get(policy)?.iter();
        let index = origins.position(|origin| *origin == Some(at.statement))?;
        Some((layer, policy, index))
    }

    fn document(&self, layer: usize, policy: usize) -> Option<Policy> {
        Some(self.compiled.get(layer)?.get(policy)?.document().clone())
    }

    fn edit(&mut self, at: &Place, work: impl FnOnce(&mut Statement) -> Option<()>) -> Option<()> {
        let (layer, policy, index) = self.find(at)?;
        let mut document = self.document(layer, policy)?;
        work(document.statements.get_mut(index)?)?;
        self.replace(layer, policy, &document)
    }

    /// Writes the document, and reads it again as AWS would.
    fn replace(&mut self, layer: usize, policy: usize, document: &Policy) -> Option<()> {
        let text = serde_json::to_string(document).ok()?;
        let compiled = Policy::parse(&text, document.kind).ok()?.compile();
        *self.compiled.get_mut(layer)?.get_mut(policy)? = compiled;
        self.facts.layers.get_mut(layer)?.policies.get_mut(policy)?.text = text;
        Some(())
    }

    fn add_statement(
        &mut self,
        layer: Layer,
        level: Option<usize>,
        policy: Option<&str>,
        statement: &serde_json::Value,
    ) -> Option<()> {
        let place = match self.facts.layer(layer, level) {
            Some(place) => place,
            None => {
                self.facts.layers.push(LayerFacts { layer, level, policies: Vec::new() });
                self.compiled.push(Vec::new());
                self.origins.push(Vec::new());
                self.facts.layers.len() - 1
            }
        };
        let known = self.facts.layers.get_mut(place)?;
        let kind = known.document_kind().ok()?;
        let new = serde_json::json!({ "Version": "2012-10-17", "Statement": [statement] });
        let added = Policy::parse(&new.to_string(), kind).ok()?;
        if let Some(label) = policy {
            let index = known.policies.iter().position(|policy| policy.label == label)?;
            let mut document = self.document(place, index)?;
            document.statements.extend(added.statements);
            self.replace(place, index, &document)?;
            self.origins.get_mut(place)?.get_mut(index)?.push(None);
            return Some(());
        }
        let text = serde_json::to_string(&added).ok()?;
        known.policies.push(PolicyFacts { label: NEW_POLICY.to_owned(), revision: None, text });
        self.compiled.get_mut(place)?.push(added.compile());
        self.origins.get_mut(place)?.push(vec![None]);
        Some(())
    }
}

fn plain(text: &str) -> Spanned {
    Spanned { text: text.to_owned(), span: Span::default() }
}

fn add_value(statement: &mut Statement, part: &Part, value: &str) -> Option<()> {
    match part {
        Part::Action => statement.action.values.push(plain(value)),
        Part::Resource => statement.resource.as_mut()?.values.push(plain(value)),
        Part::Principal(kind) => {
            let kind = principal_type(kind)?;
            let entry = PrincipalEntry { kind, value: plain(value) };
            statement.principal.as_mut()?.entries.push(entry);
        }
        Part::Condition(operator, key) => {
            let known = condition(statement, operator, key);
            match known.and_then(|index| statement.conditions.get_mut(index)) {
                Some(condition) => condition.values.push(plain(value)),
                None => statement.conditions.push(ConditionElement {
                    operator: plain(operator),
                    key: plain(key),
                    values: vec![plain(value)],
                }),
            }
        }
    }
    Some(())
}

fn remove_value(statement: &mut Statement, part: &Part, value: &str) -> Option<()> {
    let remove = |values: &mut Vec<Spanned>| {
        let index = values.iter().position(|known| known.text == value)?;
        values.remove(index);
        Some(values.is_empty())
    };
    let empty = match part {
        Part::Action => remove(&mut statement.action.values)?,
        Part::Resource => remove(&mut statement.resource.as_mut()?.values)?,
        Part::Principal(kind) => {
            let kind = principal_type(kind)?;
            let entries = &mut statement.principal.as_mut()?.entries;
            let is_it = |entry: &PrincipalEntry| entry.kind == kind && entry.value.text == value;
            let index = entries.iter().position(is_it)?;
            entries.remove(index);
            entries.is_empty()
        }
        Part::Condition(operator, key) => {
            let index = condition(statement, operator, key)?;
            if remove(&mut statement.conditions.get_mut(index)?.values)? {
                statement.conditions.remove(index);
            }
            false
        }
    };
    // No list but a condition's may go.
    (!empty).then_some(())
}

fn condition(statement: &Statement, operator: &str, key: &str) -> Option<usize> {
    let mut conditions = statement.conditions.iter();
    conditions.position(|known| {
        known.operator.text == operator && known.key.text.eq_ignore_ascii_case(key)
    })
}

fn principal_type(name: &str) -> Option<PrincipalType> {
    Some(match name {
        "AWS" => PrincipalType::Aws,
        "Service" => PrincipalType::Service,
        "Federated" => PrincipalType::Federated,
        "CanonicalUser" => PrincipalType::CanonicalUser,
        _ => return None,
    })
}

/// The key of `Principal`'s map that an entry stands under.
pub(super) fn principal_key(kind: PrincipalType) -> Option<&'static str> {
    match kind {
        PrincipalType::Everyone => None,
        PrincipalType::Aws => Some("AWS"),
        PrincipalType::Service => Some("Service"),
        PrincipalType::Federated => Some("Federated"),
        PrincipalType::CanonicalUser => Some("CanonicalUser"),
    }
}

/// The element's name as the document writes it.
pub(super) fn element_name(statement: &Statement, part: &Part) -> String {
    let not = |negated: bool| if negated { "Not" } else { "" };
    let negated = |element: Option<&Element>| element.is_some_and(|element| element.negated);
    match part {
        Part::Action => format!("{}Action", not(statement.action.negated)),
        Part::Resource => format!("{}Resource", not(negated(statement.resource.as_ref()))),
        Part::Principal(kind) => {
            let negated =
                statement.principal.as_ref().is_some_and(|it: &PrincipalElement| it.negated);
            format!("{}Principal {kind}", not(negated))
        }
        Part::Condition(operator, key) => format!("Condition {operator} {key}"),
    }
}

/// A statement that is about one action on one resource.
pub(super) fn exact_statement(
    kind: DocumentKind,
    effect: Effect,
    action: &str,
    resource: &str,
    principal: Option<serde_json::Value>,
) -> serde_json::Value {
    let mut statement = serde_json::json!({ "Effect": effect, "Action": action });
    if let Some(members) = statement.as_object_mut() {
        if kind != DocumentKind::Trust {
            members.insert("Resource".to_owned(), resource.into());
        }
        if let Some(principal) = principal {
            members.insert("Principal".to_owned(), principal);
        }
    }
    statement
}

/// Documents before 2012-10-17 read variables as plain text.
pub(super) fn version_of(policy: &CompiledPolicy) -> Version {
    policy.document().effective_version()
}
