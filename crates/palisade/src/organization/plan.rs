//! What would have to be done for the organization to be as the file says.

use super::survey::{FULL_ACCESS, Survey};
use super::tree::{Attachments, Tree};
use super::{PolicyName, Target, place};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// One call that changes something, in the order in which the calls must be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    CreateOrganization,
    EnablePolicyType(String),
    CreatePolicy { key: PolicyName, description: String, content: String },
    UpdatePolicy { key: PolicyName, description: Option<String>, content: Option<String> },
    CreateUnit(String),
    CreateAccount { name: String, email: String },
    MoveAccount { email: String, from: String, to: String },
    Attach { key: PolicyName, target: Target },
    Detach { key: PolicyName, target: Target },
    DeletePolicy(PolicyName),
    DeleteUnit(String),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateOrganization => f.write_str("+ create the organization, with all features"),
            Self::EnablePolicyType(kind) => write!(f, "+ enable {kind} for the root"),
            Self::CreatePolicy { key, .. } => write!(f, "+ create {key}"),
            Self::UpdatePolicy { key, content, .. } => {
                let what = if content.is_some() { "the document" } else { "the description" };
                write!(f, "~ change {what} of {key}")
            }
            Self::CreateUnit(path) => write!(f, "+ create unit {path}"),
            Self::CreateAccount { name, email } => write!(f, "+ create account {name} <{email}>"),
            Self::MoveAccount { email, from, to } => {
                write!(f, "~ move account <{email}> from {} to {}", place(from), place(to))
            }
            Self::Attach { key, target } => write!(f, "+ attach {key} to {target}"),
            Self::Detach { key, target } => write!(f, "- detach {key} from {target}"),
            Self::DeletePolicy(key) => write!(f, "- delete {key}"),
            Self::DeleteUnit(path) => write!(f, "- delete unit {path}"),
        }
    }
}

/// The steps, and what is there and not in the file.
#[derive(Debug, Default)]
pub struct Plan {
    pub steps: Vec<Step>,
    /// What a run without `--prune` leaves alone.
    pub left_alone: Vec<String>,
}

/// Compares. With `prune` policies and units that the file does not name are deleted as well;
/// accounts never are.
pub fn plan(tree: &Tree, now: &Survey, prune: bool) -> Result<Plan, String> {
    let mut plan = Plan::default();
    if !now.exists {
        plan.steps.push(Step::CreateOrganization);
    }
    policies(tree, now, &mut plan);
    for unit in tree.units.iter().filter(|unit| !now.units.contains_key(&unit.path)) {
        plan.steps.push(Step::CreateUnit(unit.path.clone()));
    }
    accounts(tree, now, &mut plan);
    attachments(tree, now, &mut plan)?;
    leftovers(tree, now, prune, &mut plan);
    Ok(plan)
}

fn policies(tree: &Tree, now: &Survey, plan: &mut Plan) {
    let kinds: BTreeSet<&String> = tree.policies.iter().map(|policy| &policy.kind).collect();
    let missing = kinds.into_iter().filter(|kind| !now.enabled_types.contains(*kind));
    plan.steps.extend(missing.cloned().map(Step::EnablePolicyType));
    for policy in &tree.policies {
        let (key, content) = (policy.key(), policy.content.clone().unwrap_or_default());
        let Some(known) = now.policies.get(&key) else {
            let description = policy.description.clone();
            plan.steps.push(Step::CreatePolicy { key, description, content });
            continue;
        };
        let description =
            (known.description != policy.description).then(|| policy.description.clone());
        let content = (!same_document(&known.content, &content)).then_some(content);
        if description.is_some() || content.is_some() {
            plan.steps.push(Step::UpdatePolicy { key, description, content });
        }
    }
}

/// Documents differ by what they say, not by how they are written.
fn same_document(one: &str, other: &str) -> bool {
    let parsed = |text| serde_json::from_str::<serde_json::Value>(text).ok();
    match (parsed(one), parsed(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

fn accounts(tree: &Tree, now: &Survey, plan: &mut Plan) {
    for account in &tree.accounts {
        let (email, to) = (account.email.to_lowercase(), account.unit.clone());
        let known = now.accounts.iter().find(|known| known.email == email);
        let from = match known {
            Some(known) => known.unit.clone(),
            None => {
                let (name, email) = (account.name.clone(), email.clone());
                plan.steps.push(Step::CreateAccount { name, email });
                // AWS puts a new account under the root.
                String::new()
            }
        };
        if from != to {
            plan.steps.push(Step::MoveAccount { email, from, to });
        }
    }
}

fn attachments(tree: &Tree, now: &Survey, plan: &mut Plan) -> Result<(), String> {
    let units = tree.units.iter();
    let units = units.map(|unit| (Target::Unit(unit.path.clone()), unit.attachments()));
    let accounts = tree
        .accounts
        .iter()
        .map(|account| (Target::Account(account.email.to_lowercase()), account.attachments()));
    let all = [(Target::Root, tree.root.clone())].into_iter().chain(units).chain(accounts);
    let mut detached = Vec::new();
    for (target, wanted) in all {
        let attached = attached(now, &target);
        let wanted = wished(tree, now, &target, &wanted, &attached)?;
        for key in wanted.difference(&attached) {
            plan.steps.push(Step::Attach { key: key.clone(), target: target.clone() });
        }
        for key in attached.difference(&wanted) {
            detached.push(Step::Detach { key: key.clone(), target: target.clone() });
        }
    }
    // After all that is attached: a target must keep one SCP.
    plan.steps.extend(detached);
    Ok(())
}

/// What is attached now; to a new unit or account, what AWS attaches to it.
fn attached(now: &Survey, target: &Target) -> BTreeSet<PolicyName> {
    let is_new = match target {
        Target::Root => !now.exists,
        Target::Unit(path) => !now.units.contains_key(path),
        Target::Account(email) => !now.accounts.iter().any(|account| account.email == *email),
    };
    let attached = now.policies.iter().filter(|(key, policy)| match is_new {
        false => policy.targets.contains(target),
        true => policy.managed && now.enabled_types.contains(&key.kind),
    });
    attached.map(|(key, _)| key.clone()).collect()
}

/// What the file wants attached.
fn wished(
    tree: &Tree,
    now: &Survey,
    target: &Target,
    wanted: &Attachments,
    attached: &BTreeSet<PolicyName>,
) -> Result<BTreeSet<PolicyName>, String> {
    let is_managed = |key: &PolicyName| now.policies.get(key).is_some_and(|policy| policy.managed);
    let mut wished: BTreeSet<PolicyName> = match &wanted.policies {
        None => attached.clone(),
        Some(names) => {
            let managed = attached.iter().filter(|key| is_managed(key)).cloned();
            let named = names.iter().map(|name| resolve(tree, now, target, name));
            managed.map(Ok).chain(named).collect::<Result<_, String>>()?
        }
    };
    let full = wished.iter().find(|key| key.name == FULL_ACCESS).cloned();
    let key = PolicyName { kind: super::tree::service_control(), name: FULL_ACCESS.to_owned() };
    match (wanted.full_access, full) {
        (Some(false), Some(key)) => drop(wished.remove(&key)),
        (Some(true), None) if now.enabled_types.contains(&key.kind) => drop(wished.insert(key)),
        _ => {}
    }
    Ok(wished)
}

/// The policy of a name, `TYPE:name` where several types have one.
fn resolve(tree: &Tree, now: &Survey, target: &Target, name: &str) -> Result<PolicyName, String> {
    let keys =
        tree.policies.iter().map(super::tree::Policy::key).chain(now.policies.keys().cloned());
    let fits = |key: &PolicyName| key.name == name || format!("{}:{}", key.kind, key.name) == name;
    let fitting: BTreeSet<PolicyName> = keys.filter(fits).collect();
    let mut fitting = fitting.into_iter();
    match (fitting.next(), fitting.next()) {
        (Some(key), None) => Ok(key),
        (None, _) => Err(format!("{target} wants policy {name}, which is not there")),
        (Some(one), Some(_)) => Err(format!(
            "{target} wants policy {name}, and several types have one: write {}:{name}",
            one.kind
        )),
    }
}

fn leftovers(tree: &Tree, now: &Survey, prune: bool, plan: &mut Plan) {
    let named: BTreeSet<PolicyName> = tree.policies.iter().map(super::tree::Policy::key).collect();
    let own = now.policies.iter().filter(|(_, policy)| !policy.managed);
    for (key, policy) in own.filter(|(key, _)| !named.contains(key)) {
        if !prune {
            plan.left_alone.push(key.to_string());
            continue;
        }
        for target in &policy.targets {
            let step = Step::Detach { key: key.clone(), target: target.clone() };
            if !plan.steps.contains(&step) {
                plan.steps.push(step);
            }
        }
        plan.steps.push(Step::DeletePolicy(key.clone()));
    }
    let wanted: BTreeSet<&str> = tree.units.iter().map(|unit| unit.path.as_str()).collect();
    let homes: BTreeMap<&str, &str> = tree
        .accounts
        .iter()
        .map(|account| (account.email.as_str(), account.unit.as_str()))
        .collect();
    // The deepest first, so that a unit is empty when its turn comes.
    let mut units: Vec<&String> = now.units.keys().collect();
    units.sort_by_key(|path| std::cmp::Reverse(path.matches('/').count()));
    for path in units.into_iter().filter(|path| !wanted.contains(path.as_str())) {
        let stays = |account: &&super::survey::Account| {
            let home = homes.get(account.email.as_str()).copied();
            account.unit == *path && home.is_none()
        };
        match now.accounts.iter().find(stays) {
            None if prune => plan.steps.push(Step::DeleteUnit(path.clone())),
            None => plan.left_alone.push(format!("unit {path}")),
            Some(account) => {
                plan.left_alone
                    .push(format!("unit {path}, which account <{}> is in", account.email));
            }
        }
    }
    let known: BTreeSet<String> =
        tree.accounts.iter().map(|account| account.email.to_lowercase()).collect();
    let others = now.accounts.iter().filter(|account| !known.contains(&account.email));
    plan.left_alone.extend(others.map(|account| format!("account <{}>", account.email)));
}

#[cfg(test)]
mod tests;
