//! One simulation: who calls, with which policies, under which circumstances.

use super::context::Given;
use super::source::Source;
use palisade_policy::arn::Arn;
use palisade_policy::{
    ContextKeys, Layer, Lookup, Outcome, Policies, PolicySet, Principal, Request, ResourceRule,
    Trace, explain,
};
use std::sync::Arc;

/// Who the simulated calls come from.
#[derive(Clone, Debug)]
pub struct Caller {
    pub principal: Principal,
    /// False for a simulation without a caller: then nothing is known of it but the account.
    pub named: bool,
    /// `aws:userid`.
    pub user_id: String,
    pub tags: Vec<(String, String)>,
}

/// What AWS puts into `aws:userid` when a simulation names no caller (observed).
const NOBODY: &str = "STUB_PRINCIPAL_FOR_POLICY_SIMULATOR";

impl Caller {
    /// A user or role.
    pub fn named(mut principal: Principal, id: &str, tags: Vec<(String, String)>) -> Self {
        principal.unique_id = Some(id.to_owned());
        principal.service_linked_role = principal.arn.contains(":role/aws-service-role/");
        Self { principal, named: true, user_id: id.to_owned(), tags }
    }

    /// Someone of the account, nobody knows who.
    pub fn unnamed(account: &str) -> Self {
        let principal = Principal::user(&format!("arn:aws:iam::{account}:user/{NOBODY}"));
        Self { principal, named: false, user_id: NOBODY.to_owned(), tags: Vec::new() }
    }
}

/// All that a simulation decides with.
pub struct Scenario {
    pub caller: Caller,
    identity: Layered,
    boundary: Option<Layered>,
    resource_policy: Option<Layered>,
    /// The SCPs of each level of the organization, root first.
    pub levels: Vec<Arc<PolicySet>>,
    pub management_account: Option<String>,
    /// The account that owns resources whose ARNs name none, and the resource policy.
    pub owner: Option<String>,
    pub context: Given,
    /// The resource's side counts, with or without a policy of it. The simulator's operations look
    /// at it only where they are handed one.
    pub whole: bool,
}

/// Policies and the layer they make.
pub struct Layered {
    pub sources: Vec<Source>,
    set: PolicySet,
}

impl Layered {
    fn new(sources: Vec<Source>) -> Self {
        let set = set_of(sources.iter());
        Self { sources, set }
    }
}

/// The policies as one layer, under the names of their sources.
pub fn set_of<'s>(sources: impl Iterator<Item = &'s Source>) -> PolicySet {
    PolicySet::new(sources.map(|source| (Arc::from(source.id.as_str()), source.policy.clone())))
}

/// One action on one resource, decided.
pub struct Simulated {
    pub trace: Trace,
    /// The account that owns the resource.
    pub owner: String,
}

impl Scenario {
    /// A simulation of nobody in particular of the account, without any policy.
    pub fn new(account: &str) -> Self {
        Self {
            caller: Caller::unnamed(account),
            identity: Layered::new(Vec::new()),
            boundary: None,
            resource_policy: None,
            levels: Vec::new(),
            management_account: None,
            owner: None,
            context: Given::default(),
            whole: false,
        }
    }

    pub fn set_identity(&mut self, sources: Vec<Source>) {
        self.identity = Layered::new(sources);
    }

    pub fn set_boundary(&mut self, source: Option<Source>) {
        self.boundary = source.map(|source| Layered::new(vec![source]));
    }

    pub fn set_resource_policy(&mut self, source: Option<Source>) {
        self.resource_policy = source.map(|source| Layered::new(vec![source]));
    }

    pub fn has_resource_policy(&self) -> bool {
        self.resource_policy.is_some()
    }

    /// Whether the resource's side is simulated too.
    fn has_side(&self) -> bool {
        self.whole || self.has_resource_policy()
    }

    /// The policies of a layer.
    pub fn sources(&self, layer: Layer) -> &[Source] {
        let layered = match layer {
            Layer::Identity => Some(&self.identity),
            Layer::Boundary => self.boundary.as_ref(),
            Layer::Resource | Layer::Trust => self.resource_policy.as_ref(),
            _ => None,
        };
        layered.map(|layered| layered.sources.as_slice()).unwrap_or_default()
    }

    /// Whether the caller is of another account than the resource, as far as a resource policy
    /// makes that matter.
    pub fn crosses_accounts(&self, owner: &str) -> bool {
        self.has_resource_policy() && owner != self.caller.principal.account
    }

    /// Decides one action on one resource, with all that led there. Without a resource policy the
    /// resource's side is not simulated: trust and key policies are not fetched.
    pub fn simulate(&self, action: &str, resource: &str) -> Simulated {
        let owner = self.owner_of(resource);
        let keys = Keys { scenario: self, owner: &owner };
        let resource_side = self.has_side() && resource != "*";
        let rule = match resource_side {
            true => ResourceRule::of(action, resource),
            false => ResourceRule::Ordinary,
        };
        let request = Request {
            principal: &self.caller.principal,
            action,
            resource,
            resource_account: resource_side.then_some(owner.as_str()),
            rule,
            keys: &keys,
        };
        let policies = Policies {
            identity: Some(&self.identity.set),
            boundary: self.boundary.as_ref().map(|layered| &layered.set),
            resource: self.resource_policy.as_ref().map(|layered| &layered.set),
            scps: &self.levels,
            caller_management_account: self.management_account.as_deref(),
            ..Policies::default()
        };
        let trace = explain(&request, &policies);
        Simulated { trace, owner }
    }

    /// The owner in the ARN, else the one that was given, else the caller's account.
    fn owner_of(&self, resource: &str) -> String {
        let named = Arn::parse(resource).and_then(|arn| arn.account_id());
        let given = named.or(self.owner.as_deref());
        given.unwrap_or(&self.caller.principal.account).to_owned()
    }
}

impl Simulated {
    pub fn outcome(&self) -> Outcome {
        self.trace.decision.outcome
    }

    /// Whether all levels of the organization allow; none when there is no level that counts.
    pub fn allowed_by_organization(&self) -> Option<bool> {
        let stages = self.trace.stages.iter();
        let mut levels = stages
            .filter(|stage| stage.layer == Layer::Scp && stage.skipped.is_none())
            .map(|stage| stage.allows.is_some() && !stage.denies)
            .peekable();
        levels.peek()?;
        Some(levels.all(|allows| allows))
    }

    /// What a layer says by itself; none when it has no policies.
    pub fn layer(&self, layer: Layer) -> Option<Outcome> {
        let stage = self.trace.stages.iter().find(|stage| match layer {
            Layer::Resource => matches!(stage.layer, Layer::Resource | Layer::Trust),
            layer => stage.layer == layer,
        })?;
        if stage.skipped.is_some() {
            return None;
        }
        Some(match stage.allows {
            _ if stage.denies => Outcome::ExplicitDeny,
            Some(_) => Outcome::Allowed,
            None => Outcome::ImplicitDeny,
        })
    }
}

/// The simulated request context: what was given, and behind it what the caller itself fills.
struct Keys<'a> {
    scenario: &'a Scenario,
    owner: &'a str,
}

impl ContextKeys for Keys<'_> {
    fn get(&self, key: &str) -> Lookup<'_> {
        if let Some(given) = self.scenario.context.get(key) {
            return given;
        }
        let caller = &self.scenario.caller;
        match key {
            "aws:userid" => Lookup::one(&caller.user_id),
            "aws:principalaccount" => Lookup::one(&caller.principal.account),
            "aws:resourceaccount" if self.scenario.has_side() => Lookup::one(self.owner),
            _ if !caller.named => Lookup::Absent,
            _ => match key.strip_prefix("aws:principaltag/") {
                Some(tag) => {
                    let found = caller.tags.iter().find(|(name, _)| name.to_lowercase() == tag);
                    found.map_or(Lookup::Absent, |(_, value)| Lookup::one(value))
                }
                None => caller.principal.context_key(key).unwrap_or(Lookup::Absent),
            },
        }
    }
}
