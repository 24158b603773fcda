//! The coverage ledger: every action, resource type and condition key that can be decided here,
//! and why others cannot. Nothing is written down for it: it is read from the tables that the
//! pipeline itself works with, so it cannot promise more than the pipeline does.
//!
//! An action can be decided when an implemented operation asks for it; a call of any other is
//! refused with 501 before there is anything to decide. A condition key can be decided when the
//! pipeline fills it wherever AWS would. What hangs on another one is denied as `unresolvable`, in
//! Allow and Deny statements alike (docs/decisions/006).

mod page;
mod policy;

pub use page::markdown;
pub use policy::{Reason, StatementCoverage, check};

use crate::authorization::{GLOBAL_KEYS, KeyState, global_key, is_derivable};
use crate::service::{Operation, Service};
use palisade_model::authorization::{self, Action};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What the first member of a ledger in JSON says.
pub const FORMAT: &str = "palisade-coverage/1";

/// All of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ledger {
    pub format: &'static str,
    /// The IAM prefixes of which at least one action can be decided.
    pub prefixes: Vec<PrefixCoverage>,
    pub global_keys: Vec<KeyCoverage>,
    /// All other prefixes, with the number of their actions.
    pub not_implemented: Vec<(&'static str, usize)>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PrefixCoverage {
    pub prefix: &'static str,
    pub actions: Vec<ActionCoverage>,
    /// The actions that no implemented operation asks for.
    pub not_implemented: Vec<&'static str>,
}

/// One action that can be decided.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ActionCoverage {
    /// `iam:CreateUser`
    pub action: &'static str,
    /// The implemented operations that ask for it: `iam CreateUser`.
    pub operations: Vec<String>,
    pub resources: Vec<ResourceCoverage>,
    /// The keys that AWS documents for the action or its resource types, global ones aside that
    /// every action has.
    pub keys: Vec<KeyCoverage>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ResourceCoverage {
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Why its ARN cannot be derived; absent when it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undecided: Option<&'static str>,
}

#[derive(Clone, Debug, Serialize)]
pub struct KeyCoverage {
    pub key: &'static str,
    /// `filled`, `absent` or `unresolvable`.
    pub state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<&'static str>,
}

impl KeyCoverage {
    fn new(key: &'static str, state: KeyState) -> Self {
        let (state, why) = match state {
            KeyState::Filled(_) => ("filled", None),
            KeyState::Absent(why) => ("absent", Some(why)),
            KeyState::Unresolvable(why) => ("unresolvable", Some(why)),
        };
        Self { key, state, why }
    }
}

const NOT_TOLD: &str = "the service does not know its value";
const NO_ROW: &str = "no implemented operation names one";
const NO_MEMBER: &str = "the request does not name all parts of its ARN";

/// An implemented operation that asks for an action.
#[derive(Clone, Copy)]
struct Asking {
    service: &'static Service,
    operation: &'static Operation,
}

/// Action in lower case → who asks for it.
fn asked() -> BTreeMap<String, Vec<Asking>> {
    let mut asked: BTreeMap<String, Vec<Asking>> = BTreeMap::new();
    for service in crate::SERVICES {
        for operation in service.operations {
            let rows = authorization::rows(service.model.name, operation.name);
            let mut actions: BTreeSet<String> =
                rows.unwrap_or_default().iter().map(|row| row.action.to_lowercase()).collect();
            if actions.is_empty() {
                actions.insert(format!("{}:{}", service.model.signing_name, operation.name));
            }
            for action in actions {
                let entry = asked.entry(action.to_lowercase()).or_default();
                entry.push(Asking { service, operation });
            }
        }
    }
    asked
}

/// The whole ledger, always the same for one build.
#[must_use]
pub fn ledger() -> Ledger {
    let asked = asked();
    let mut prefixes = Vec::new();
    let mut not_implemented = Vec::new();
    for prefix in authorization::prefixes().filter_map(authorization::prefix) {
        let (mut actions, mut missing) = (Vec::new(), Vec::new());
        for action in prefix.actions() {
            match asked.get(&action.full_name.to_lowercase()) {
                Some(asking) => actions.push(of_action(action, asking)),
                None => missing.push(action.name),
            }
        }
        if actions.is_empty() {
            not_implemented.push((prefix.name, missing.len()));
            continue;
        }
        prefixes.push(PrefixCoverage { prefix: prefix.name, actions, not_implemented: missing });
    }
    let global_keys = GLOBAL_KEYS.iter().map(|key| KeyCoverage::new(key.name, key.state));
    let global_keys = global_keys.collect();
    Ledger { format: FORMAT, prefixes, global_keys, not_implemented }
}

fn of_action(action: &'static Action, asking: &[Asking]) -> ActionCoverage {
    let operations = asking.iter();
    let name = |it: &Asking| format!("{} {}", it.service.model.name, it.operation.name);
    let resources = action
        .resource_types
        .iter()
        .map(|(kind, _)| ResourceCoverage { kind, undecided: why_no_arn(action, kind, asking) });
    let keys = documented_keys(action).into_iter();
    ActionCoverage {
        action: &action.full_name,
        operations: operations.map(name).collect(),
        resources: resources.collect(),
        keys: keys.map(|key| KeyCoverage::new(key, filled(action, key, asking))).collect(),
    }
}

/// The keys that AWS documents for an action and for its resource types.
fn documented_keys(action: &Action) -> BTreeSet<&'static str> {
    let mut keys: BTreeSet<&'static str> = action.condition_keys.iter().copied().collect();
    let prefix = action.full_name.split(':').next().and_then(authorization::prefix);
    for (kind, _) in &action.resource_types {
        let found = prefix.and_then(|prefix| prefix.resource_type(kind));
        keys.extend(found.into_iter().flat_map(|found| found.condition_keys.iter().copied()));
    }
    keys
}

/// Whether the pipeline can tell a documented key for the action.
fn filled(action: &Action, key: &'static str, asking: &[Asking]) -> KeyState {
    if let Some(global) = global_key(key) {
        return global.state;
    }
    let lower = key.to_ascii_lowercase();
    if lower.contains(":resourcetag/") {
        return KeyState::Filled("the stored resource");
    }
    let told = asking.iter().any(|it| {
        let rows = authorization::rows(it.service.model.name, it.operation.name);
        let mut rows = rows.unwrap_or_default().iter();
        let given = rows.any(|row| {
            row.action.eq_ignore_ascii_case(&action.full_name)
                && row.condition_keys.iter().any(|(name, _)| name.eq_ignore_ascii_case(key))
        });
        let mut listed = it.service.resources.condition_keys().iter();
        given || listed.any(|pattern| covers(pattern, &lower))
    });
    if told { KeyState::Filled("the service") } else { KeyState::Unresolvable(NOT_TOLD) }
}

fn covers(pattern: &str, lower: &str) -> bool {
    let pattern = pattern.to_ascii_lowercase();
    match pattern.strip_suffix('*') {
        Some(start) => lower.starts_with(start),
        None => pattern == lower,
    }
}

/// Why no ARN of that type can be derived for the action.
fn why_no_arn(action: &Action, kind: &str, asking: &[Asking]) -> Option<&'static str> {
    let mut why = NO_ROW;
    for it in asking {
        // Its own function derives what the table cannot.
        if it.operation.requirements.is_some() {
            return None;
        }
        let rows = authorization::rows(it.service.model.name, it.operation.name);
        let rows = rows.unwrap_or_default().iter();
        let of_action = rows.filter(|row| row.action.eq_ignore_ascii_case(&action.full_name));
        for resource in of_action.flat_map(|row| &row.resources) {
            if resource.kind.eq_ignore_ascii_case(kind) {
                if is_derivable(resource) {
                    return None;
                }
                why = NO_MEMBER;
            }
        }
    }
    Some(why)
}

#[cfg(test)]
mod tests;
