//! The organization as it would be after the steps of a plan, and what would bind its accounts
//! then.

use super::plan::Step;
use super::survey::{Account, Policy, Survey};
use super::{PolicyName, Target, parent};
use crate::replay::{Document, Instead, Levels};

impl Survey {
    /// The same after those steps. What is new has no id yet.
    pub fn after(&self, steps: &[Step]) -> Self {
        let mut after = self.clone();
        for step in steps {
            after.take(step);
        }
        after
    }

    fn take(&mut self, step: &Step) {
        match step.clone() {
            Step::CreateOrganization => self.exists = true,
            Step::EnablePolicyType(kind) => {
                self.enabled_types.insert(kind);
            }
            Step::CreatePolicy { key, description, content } => {
                let (id, managed, targets) = (String::new(), false, Default::default());
                self.policies.insert(key, Policy { id, description, content, managed, targets });
            }
            Step::UpdatePolicy { key, description, content } => {
                if let Some(policy) = self.policies.get_mut(&key) {
                    policy.description = description.unwrap_or(policy.description.clone());
                    policy.content = content.unwrap_or(policy.content.clone());
                }
            }
            Step::CreateUnit(path) => {
                self.units.insert(path, String::new());
            }
            Step::CreateAccount { name, email } => {
                self.accounts.push(Account { id: String::new(), name, email, unit: String::new() });
            }
            Step::MoveAccount { email, to, .. } => {
                for account in self.accounts.iter_mut().filter(|known| known.email == email) {
                    account.unit.clone_from(&to);
                }
            }
            Step::Attach { key, target } => {
                if let Some(policy) = self.policies.get_mut(&key) {
                    policy.targets.insert(target);
                }
            }
            Step::Detach { key, target } => {
                if let Some(policy) = self.policies.get_mut(&key) {
                    policy.targets.remove(&target);
                }
            }
            Step::DeletePolicy(key) => {
                self.policies.remove(&key);
            }
            Step::DeleteUnit(path) => {
                self.units.remove(&path);
            }
        }
    }

    /// What binds each account that is there already.
    pub fn binding(&self) -> Instead {
        let there = self.accounts.iter().filter(|account| !account.id.is_empty());
        let levels = |account: &Account| Levels {
            scps: self.levels(account, "SERVICE_CONTROL_POLICY"),
            rcps: self.levels(account, "RESOURCE_CONTROL_POLICY"),
        };
        let accounts = there.map(|account| (account.id.clone(), levels(account)));
        Instead { accounts: accounts.collect() }
    }

    fn levels(&self, account: &Account, kind: &str) -> Vec<Vec<Document>> {
        if !self.enabled_types.contains(kind) {
            return Vec::new();
        }
        let mut way = vec![Target::Account(account.email.clone())];
        let mut unit = account.unit.as_str();
        while !unit.is_empty() {
            way.push(Target::Unit(unit.to_owned()));
            unit = parent(unit);
        }
        way.push(Target::Root);
        way.iter().rev().map(|target| self.level(target, kind)).collect()
    }

    fn level(&self, target: &Target, kind: &str) -> Vec<Document> {
        let bound = |(key, policy): &(&PolicyName, &Policy)| {
            key.kind == kind && (policy.targets.contains(target) || self.is_new(target, policy))
        };
        let document = |(key, policy): (&PolicyName, &Policy)| Document {
            label: key.to_string(),
            text: policy.content.clone(),
        };
        self.policies.iter().filter(bound).map(document).collect()
    }

    /// AWS attaches its own policies to what is made.
    fn is_new(&self, target: &Target, policy: &Policy) -> bool {
        match target {
            Target::Unit(path) => {
                policy.managed && self.units.get(path).is_some_and(String::is_empty)
            }
            Target::Root | Target::Account(_) => false,
        }
    }
}
