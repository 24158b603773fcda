//! All that a decision hangs on, in one piece that can be kept: who asked for what, under which
//! circumstances, under which documents. Whoever holds it decides the same again, anywhere.

use crate::decide::{Decision, Layer, Policies, decide};
use crate::document::{DocumentKind, Policy};
use crate::explain::{RequestValue, Trace, explain};
use crate::request::{ContextKeys, Lookup, Principal, Request, ResourceRule};
use crate::set::PolicySet;
use crate::statement::CompiledPolicy;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// One question with everything that answers it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Facts {
    /// Who asked.
    pub principal: Principal,
    /// `prefix:Action`.
    pub action: String,
    /// The resource's ARN, or `*`.
    pub resource: String,
    /// The resource's owner; `None` for actions without a resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_account: Option<String>,
    /// Whether the resource's policy must allow.
    pub rule: ResourceRule,
    /// Context keys in lower case with what the request had under them. It holds every key that a
    /// policy names; another one is absent, or follows from the principal.
    pub context: BTreeMap<String, RequestValue>,
    /// The layers that have policies, or were there and empty. A layer that is not listed was not
    /// there, which is not the same: an empty boundary allows nothing.
    pub layers: Vec<LayerFacts>,
    /// As [`Policies::caller_management_account`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_management_account: Option<String>,
    /// As [`Policies::resource_management_account`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_management_account: Option<String>,
    /// As [`Policies::granted`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub granted: bool,
}

/// The documents of one layer, or of one level of an organization.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LayerFacts {
    /// Which layer; a role's trust policy is [`Layer::Trust`].
    pub layer: Layer,
    /// For SCPs and RCPs the level, 0 for the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<usize>,
    /// Its documents in order.
    pub policies: Vec<PolicyFacts>,
}

/// One document as it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyFacts {
    /// What decisions call it: its ARN, or an inline policy's name.
    pub label: String,
    /// The revision of its document, where it is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// Its text.
    pub text: String,
}

/// Why facts cannot be decided on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactsError(pub String);

impl fmt::Display for FactsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FactsError {}

impl LayerFacts {
    pub(crate) fn document_kind(&self) -> Result<DocumentKind, FactsError> {
        let kind = self.layer.document_kind();
        kind.ok_or_else(|| FactsError("`unresolvable` is no layer of policies".to_owned()))
    }

    pub(crate) fn compile(&self) -> Result<Vec<Arc<CompiledPolicy>>, FactsError> {
        let kind = self.document_kind()?;
        let policies = self.policies.iter().map(|policy| {
            let parsed = Policy::parse(&policy.text, kind);
            let parsed = parsed.map_err(|why| FactsError(format!("{}: {why}", policy.label)))?;
            Ok(parsed.compile())
        });
        policies.collect()
    }
}

impl Facts {
    /// Notes what the request context holds under every key that a policy names, and under `more`.
    ///
    /// # Errors
    ///
    /// [`FactsError`] when a document cannot be read.
    pub fn observe<'k>(
        &mut self,
        keys: &dyn ContextKeys,
        more: impl IntoIterator<Item = &'k str>,
    ) -> Result<(), FactsError> {
        for layer in &self.layers {
            for policy in layer.compile()? {
                for key in policy.document().context_keys() {
                    let value = RequestValue::of(&keys.get(&key));
                    self.context.insert(key, value);
                }
            }
        }
        for key in more {
            let key = key.to_lowercase();
            let value = RequestValue::of(&keys.get(&key));
            if value != RequestValue::Absent {
                self.context.entry(key).or_insert(value);
            }
        }
        Ok(())
    }

    /// Reads the documents, so that questions can be answered.
    ///
    /// # Errors
    ///
    /// [`FactsError`] when a document cannot be read or a layer stands there twice.
    pub fn prepare(&self) -> Result<Prepared<'_>, FactsError> {
        let compiled = self.layers.iter().map(LayerFacts::compile).collect::<Result<_, _>>()?;
        Prepared::new(self, compiled)
    }

    /// Decides.
    ///
    /// # Errors
    ///
    /// As [`Facts::prepare`].
    pub fn decide(&self) -> Result<Decision, FactsError> {
        Ok(self.prepare()?.decide())
    }

    /// Decides and says how, every policy with its revision.
    ///
    /// # Errors
    ///
    /// As [`Facts::prepare`].
    pub fn explain(&self) -> Result<Trace, FactsError> {
        Ok(self.prepare()?.explain())
    }

    /// The layer of that name and level.
    pub(crate) fn layer(&self, layer: Layer, level: Option<usize>) -> Option<usize> {
        self.layers.iter().position(|known| known.layer == layer && known.level == level)
    }

    /// A document by its layer and label.
    pub(crate) fn policy(
        &self,
        layer: Layer,
        level: Option<usize>,
        label: &str,
    ) -> Option<&PolicyFacts> {
        let layer = self.layers.get(self.layer(layer, level)?)?;
        layer.policies.iter().find(|policy| policy.label == label)
    }

    pub(crate) fn resource_layer(&self) -> Layer {
        match self.rule {
            ResourceRule::TrustPolicy => Layer::Trust,
            ResourceRule::Ordinary | ResourceRule::KeyPolicy => Layer::Resource,
        }
    }
}

impl ContextKeys for Facts {
    fn get(&self, key: &str) -> Lookup<'_> {
        match self.context.get(key) {
            Some(value) => value.lookup(),
            None => self.principal.context_key(key).unwrap_or(Lookup::Absent),
        }
    }
}

/// Facts whose documents are compiled.
pub struct Prepared<'f> {
    pub(crate) facts: &'f Facts,
    pub(crate) compiled: Vec<Vec<Arc<CompiledPolicy>>>,
    sets: Sets,
}

#[derive(Default)]
struct Sets {
    identity: Option<PolicySet>,
    resource: Option<PolicySet>,
    boundary: Option<PolicySet>,
    session: Option<PolicySet>,
    vpc_endpoint: Option<PolicySet>,
    scps: Vec<Arc<PolicySet>>,
    rcps: Vec<Arc<PolicySet>>,
}

impl Sets {
    fn add(&mut self, layer: Layer, level: Option<usize>, set: PolicySet) -> bool {
        let place = match layer {
            Layer::Scp | Layer::Rcp => {
                let levels = if layer == Layer::Scp { &mut self.scps } else { &mut self.rcps };
                levels.push(Arc::new(set));
                return level == Some(levels.len() - 1);
            }
            Layer::Identity => &mut self.identity,
            Layer::Resource | Layer::Trust => &mut self.resource,
            Layer::Boundary => &mut self.boundary,
            Layer::Session => &mut self.session,
            Layer::VpcEndpoint => &mut self.vpc_endpoint,
            Layer::Unresolvable => return false,
        };
        place.replace(set).is_none()
    }
}

impl<'f> Prepared<'f> {
    /// The documents of each layer of the facts, already compiled.
    pub(crate) fn new(
        facts: &'f Facts,
        compiled: Vec<Vec<Arc<CompiledPolicy>>>,
    ) -> Result<Self, FactsError> {
        let mut sets = Sets::default();
        for (layer, policies) in facts.layers.iter().zip(&compiled) {
            let labels = layer.policies.iter().map(|policy| Arc::from(policy.label.as_str()));
            let set = PolicySet::new(labels.zip(policies.iter().cloned()));
            if !sets.add(layer.layer, layer.level, set) {
                let name = layer.layer;
                return Err(FactsError(format!("the layer {name} is out of place")));
            }
        }
        Ok(Self { facts, compiled, sets })
    }

    /// Decides.
    #[must_use]
    pub fn decide(&self) -> Decision {
        self.ask(decide)
    }

    /// Decides and says how, every policy with its revision.
    #[must_use]
    pub fn explain(&self) -> Trace {
        let mut trace = self.ask(explain);
        for stage in &mut trace.stages {
            let Some(place) = self.facts.layer(stage.layer, stage.level) else { continue };
            let known = self.facts.layers.get(place).map(|layer| layer.policies.iter());
            for (policy, known) in stage.policies.iter_mut().zip(known.into_iter().flatten()) {
                policy.revision = known.revision;
            }
        }
        trace
    }

    fn ask<T>(&self, answer: impl FnOnce(&Request<'_>, &Policies<'_>) -> T) -> T {
        let facts = self.facts;
        let request = Request {
            principal: &facts.principal,
            action: &facts.action,
            resource: &facts.resource,
            resource_account: facts.resource_account.as_deref(),
            rule: facts.rule,
            keys: facts,
        };
        let policies = Policies {
            identity: self.sets.identity.as_ref(),
            resource: self.sets.resource.as_ref(),
            boundary: self.sets.boundary.as_ref(),
            session: self.sets.session.as_ref(),
            scps: &self.sets.scps,
            rcps: &self.sets.rcps,
            vpc_endpoint: self.sets.vpc_endpoint.as_ref(),
            caller_management_account: facts.caller_management_account.as_deref(),
            resource_management_account: facts.resource_management_account.as_deref(),
            granted: facts.granted,
        };
        answer(&request, &policies)
    }
}
