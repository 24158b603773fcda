//! The authorize stage: every requirement of a call, decided.

use super::credential::Credential;
use super::keys::{Keys, ServiceKeys, Standings};
use super::{Attached, Requirement, Standing, derive, standing};
use crate::context::Context;
use crate::ram;
use crate::service::{Call, Input, Known, Operation, Service};
use palisade_policy::{Decision, DocumentKind, Policies, PolicySet, ResourceRule};
use palisade_shape::Result;
use std::cell::RefCell;
use std::sync::Arc;

/// A requirement and what was decided about it.
#[derive(Clone, Debug)]
pub struct Decided {
    pub requirement: Requirement,
    pub decision: Decision,
    /// The resource's policy had to allow: a role's trust policy.
    pub trust: bool,
    /// The policy of the resource, as it was consulted.
    pub resource_policy: Option<Attached>,
    /// Something other than a policy gave the caller the request.
    pub granted: bool,
    /// The tags of the resource, when a condition asked for them.
    pub resource_tags: Vec<(String, String)>,
    /// Service keys that a condition asked the service for, so that the record can decide again.
    pub service_keys: Vec<(String, Known)>,
    /// Where the caller's account stands, whose service control policies were consulted.
    pub caller_standing: Arc<Standing>,
    /// Where the resource's account stands, whose resource control policies were.
    pub resource_standing: Arc<Standing>,
}

/// Decides each requirement of the call in turn and stops at the first that is not allowed: it is
/// the last of the answer.
pub fn authorize(
    cx: &mut Context,
    service: &Service,
    operation: &Operation,
    input: &dyn Input,
    credential: &Credential,
) -> Result<Vec<Decided>> {
    let mut decided = Vec::new();
    for requirement in derive::requirements(cx, service, operation, input)? {
        let one = decide(cx, service, requirement, input, credential)?;
        let allowed = one.decision.allowed();
        decided.push(one);
        if !allowed {
            break;
        }
    }
    Ok(decided)
}

/// Decides one requirement.
pub fn decide(
    cx: &mut Context,
    service: &Service,
    requirement: Requirement,
    input: &dyn Input,
    credential: &Credential,
) -> Result<Decided> {
    let mut consulted = resource_policy(cx, service, &requirement)?;
    if !requirement.kind.is_empty() {
        let granted = |cx: &mut Context| service.resources.granted(cx, &requirement, input);
        consulted.granted = cx.in_account(&requirement.account, granted)?;
    }
    let standings = standings(cx, service, credential, &requirement)?;
    let endpoint = endpoint_policy(cx)?;
    let live = Live {
        cx: RefCell::new(cx),
        service,
        requirement: &requirement,
        input,
        asked_tags: RefCell::default(),
        asked_keys: RefCell::default(),
    };
    let request = live.cx.borrow().request;
    let keys = Keys {
        caller: &credential.caller,
        principal_tags: &credential.identity.tags,
        request,
        requirement: &requirement,
        standings: &standings,
        service: &live,
    };
    let question = palisade_policy::Request {
        principal: &credential.principal,
        action: &requirement.action,
        resource: &requirement.resource,
        resource_account: requirement.owner(&credential.caller.account),
        rule: consulted.rule,
        keys: &keys,
    };
    let policies = layers(credential, &consulted, &standings, endpoint.as_ref());
    let decision = palisade_policy::decide(&question, &policies);
    let resource_tags = live.asked_tags.take().unwrap_or_default();
    let service_keys = live.asked_keys.take();
    let trust = consulted.rule == ResourceRule::TrustPolicy;
    let Consulted { attached: resource_policy, granted, .. } = consulted;
    Ok(Decided {
        caller_standing: standings.caller,
        resource_standing: standings.resource,
        requirement,
        decision,
        trust,
        resource_policy,
        granted,
        resource_tags,
        service_keys,
    })
}

/// All policies that concern a requirement.
pub fn layers<'a>(
    credential: &'a Credential,
    consulted: &'a Consulted,
    standings: &'a Standings,
    endpoint: Option<&'a PolicySet>,
) -> Policies<'a> {
    Policies {
        identity: credential.policies.as_ref(),
        resource: consulted.set.as_ref(),
        boundary: credential.boundary.as_ref(),
        session: credential.session.as_ref(),
        scps: &standings.caller.scps,
        rcps: &standings.resource.rcps,
        vpc_endpoint: endpoint,
        caller_management_account: standings.caller.management_account(),
        resource_management_account: standings.resource.management_account(),
        granted: consulted.granted,
    }
}

/// Where the accounts of the call stand. An action without a resource meets the RCPs of its
/// caller's own account (docs/decisions/007-resource-control-policies.md).
pub fn standings(
    cx: &mut Context,
    service: &Service,
    credential: &Credential,
    requirement: &Requirement,
) -> Result<Standings> {
    let beyond = beyond_rcps(cx, service, requirement)?;
    let of = |account: &str| -> Result<Arc<Standing>> {
        if account.is_empty() { Ok(Arc::default()) } else { standing(cx, account) }
    };
    let own = &*credential.caller.account;
    let caller = of(own)?;
    let resource = match requirement.account.as_str() {
        owner if owner == own => caller.clone(),
        owner => of(owner)?,
    };
    let resource = if beyond { Arc::new(resource.without_rcps()) } else { resource };
    let way = &cx.request.way;
    let source = of(way.source.as_ref().map_or("", |source| &source.account))?;
    let endpoint = of(way.endpoint.as_ref().map_or("", |endpoint| &endpoint.account))?;
    Ok(Standings { caller, resource, source, endpoint })
}

/// Whether no resource control policy reaches the requirement's resource.
pub fn beyond_rcps(cx: &mut Context, service: &Service, requirement: &Requirement) -> Result<bool> {
    if requirement.kind.is_empty() {
        return Ok(false);
    }
    let ask = |cx: &mut Context| service.resources.beyond_rcps(cx, requirement);
    cx.in_account(&requirement.account, ask)
}

/// The policy of the VPC endpoint that the request came through, compiled.
pub fn endpoint_policy(cx: &Context) -> Result<Option<PolicySet>> {
    let Some(endpoint) = &cx.request.way.endpoint else { return Ok(None) };
    let compiled = cx.plane.credentials.compiled();
    let policy = compiled.policy(&endpoint.id, &endpoint.policy, DocumentKind::VpcEndpoint)?;
    Ok(Some(PolicySet::of(&endpoint.id, &policy)))
}

/// The resource's policy, compiled.
#[derive(Default)]
pub struct Consulted {
    pub rule: ResourceRule,
    pub set: Option<PolicySet>,
    pub attached: Option<Attached>,
    /// As [`palisade_policy::Policies::granted`].
    pub granted: bool,
}

/// Loads and compiles the policy of a requirement's resource, where it has one.
pub fn resource_policy(
    cx: &mut Context,
    service: &Service,
    requirement: &Requirement,
) -> Result<Consulted> {
    if requirement.kind.is_empty() {
        return Ok(Consulted::default());
    }
    let (kind, arn) = (requirement.kind.as_str(), requirement.resource.as_str());
    let found = cx.in_account(&requirement.account, |cx| {
        let own = service.resources.policy(cx, kind, arn)?;
        ram::resource_policy::with_shares(cx, arn, own)
    })?;
    let rule = match (requirement.action.split(':').next(), kind) {
        (Some("sts"), "role") => ResourceRule::TrustPolicy,
        (Some("kms"), "key") => ResourceRule::KeyPolicy,
        _ => ResourceRule::Ordinary,
    };
    let Some(policy) = found else { return Ok(Consulted { rule, ..Consulted::default() }) };
    let document_kind = match rule {
        ResourceRule::TrustPolicy => DocumentKind::Trust,
        ResourceRule::KeyPolicy | ResourceRule::Ordinary => DocumentKind::Resource,
    };
    let label = arn.to_owned();
    let compiled = cx.plane.credentials.compiled();
    let policy_of = compiled.policy(&label, &policy.document, document_kind)?;
    let set = Some(PolicySet::of(&label, &policy_of));
    let (revision, document) = (policy.revision, policy.document);
    let attached = Attached { label, managed: false, revision, document };
    Ok(Consulted { rule, set, attached: Some(attached), granted: false })
}

/// Answers for service keys out of the store, while a decision is made, and notes what was asked.
struct Live<'a, 'c> {
    cx: RefCell<&'a mut Context<'c>>,
    service: &'a Service,
    requirement: &'a Requirement,
    input: &'a dyn Input,
    asked_tags: RefCell<Option<Vec<(String, String)>>>,
    asked_keys: RefCell<Vec<(String, Known)>>,
}

impl Live<'_, '_> {
    fn load_tags(&self) -> Option<Vec<(String, String)>> {
        let requirement = self.requirement;
        let mut cx = self.cx.try_borrow_mut().ok()?;
        let (kind, arn) = (&requirement.kind, &requirement.resource);
        cx.in_account(&requirement.account, |cx| self.service.resources.tags(cx, kind, arn)).ok()
    }

    fn ask_service(&self, key: &str) -> Option<Known> {
        let requirement = self.requirement;
        let (action, resource) = (requirement.action.as_str(), requirement.resource.as_str());
        let call = Call { action, resource, input: self.input };
        let mut cx = self.cx.try_borrow_mut().ok()?;
        let ask = |cx: &mut Context| self.service.resources.condition(cx, key, &call);
        cx.in_account(&requirement.account, ask).ok()
    }
}

impl ServiceKeys for Live<'_, '_> {
    fn resource_tag(&self, tag_key: &str) -> Known {
        if self.requirement.kind.is_empty() {
            return Known::Absent;
        }
        let mut asked = self.asked_tags.borrow_mut();
        if asked.is_none() {
            *asked = self.load_tags();
        }
        // A store that fails here must not turn into a missing tag: that could allow.
        let Some(tags) = asked.as_ref() else { return Known::Unresolvable };
        let found = tags.iter().find(|(key, _)| key.to_lowercase() == tag_key);
        found.map_or(Known::Absent, |(_, value)| Known::One(value.clone()))
    }

    fn service_key(&self, key: &str) -> Known {
        if !derive::is_documented(&self.requirement.action, key) {
            return Known::Absent;
        }
        if let Some((_, tag_key)) = key.split_once(":resourcetag/") {
            return self.resource_tag(tag_key);
        }
        let known = self.ask_service(key).unwrap_or(Known::Unresolvable);
        self.asked_keys.borrow_mut().push((key.to_owned(), known.clone()));
        known
    }
}
