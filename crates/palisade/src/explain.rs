//! The receipt of a recorded call: its record, and what deciding it again gives with the documents
//! as they were at that revision.

use crate::receipt::{Explained, FORMAT, Receipt};
use crate::replay::Instead;
use crate::server::Server;
use crate::{effects, first_start, recorded};
use palisade_policy::{
    Facts, Layer, LayerFacts, PolicyFacts, PolicySet, ResourceRule, StatementRef,
};
use palisade_services::accounts::ACCOUNTS;
use palisade_services::audit::{DecisionRecord, RequirementRecord};
use palisade_services::authorization::{
    Attached, Consulted, Credential, Decided, GLOBAL_KEYS, KeyState, Keys, Requirement,
    ServiceKeys, beyond_rcps, decide, endpoint_policy, of_caller, resource_policy, standings,
    without_key,
};
use palisade_services::caller::{Caller, Principal};
use palisade_services::context::{Access, Context, Request, Way, from_store};
use palisade_services::errors::internal;
use palisade_services::service::{Known, PlainResources, Service};
use palisade_shape::{Nothing, Result, Timestamp};
use palisade_store::{AuditQuery, AuditRecord, Read, Snapshot};
use serde::Deserialize;
use std::sync::Arc;

/// Accounts looked through for the newest decision.
const ACCOUNTS_MAX: usize = 10_000;

/// The one member of an event that a receipt repeats.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    error_message: Option<String>,
}

/// A decision that was found, and what its caller was told.
pub struct Found {
    pub decision: DecisionRecord,
    pub error_message: Option<String>,
}

/// The record of a decision; the newest one, of an account or of all, for an empty id.
pub fn find(server: &Server, id: &str, account: Option<&str>) -> Result<Option<Found>> {
    let found = match id {
        "" => newest(server, account)?,
        id => by_id(server, id)?,
    };
    let Some(found) = found else { return Ok(None) };
    let decision = DecisionRecord::parse(&found.decision).map_err(internal)?;
    // The record of a call in another account tells of that account's caller and policies.
    if account.is_some_and(|account| decision.caller.account != account) {
        return Ok(None);
    }
    let Event { error_message } = serde_json::from_slice(&found.event).map_err(internal)?;
    Ok(Some(Found { decision, error_message }))
}

/// The record of a request id. The caller's own event bears the request's id.
fn by_id(server: &Server, id: &str) -> Result<Option<AuditRecord>> {
    let snapshot = server.plane.store.snapshot();
    if let Some(found) = snapshot.audit_find(id).map_err(from_store)? {
        return Ok(Some(found));
    }
    let is_it = |record: &AuditRecord| record.event_id == id;
    server.plane.reads.find(id, &is_it).map_err(from_store)
}

fn newest(server: &Server, account: Option<&str>) -> Result<Option<AuditRecord>> {
    let snapshot = server.plane.store.snapshot();
    let wanted = |record: &AuditRecord| account.is_none_or(|account| record.account == account);
    let mut newest = server.plane.reads.find("", &wanted).map_err(from_store)?;
    let accounts = match account {
        Some(account) => vec![account.to_owned()],
        None => {
            let rows = snapshot.scan(ACCOUNTS.name, "", "", "", None, ACCOUNTS_MAX);
            rows.map_err(from_store)?.into_iter().map(|(account, _)| account).collect()
        }
    };
    for account in accounts {
        let query = AuditQuery::newest(&account, 1);
        for (_, record) in snapshot.audit_scan(&query).map_err(from_store)? {
            if newest.as_ref().is_none_or(|known| known.time_millis < record.time_millis) {
                newest = Some(record);
            }
        }
    }
    Ok(newest)
}

/// Decides every requirement of the record again. Nothing is explained where the call ended before
/// any, or where its caller is not to be told from the record.
pub fn receipt(server: &Server, found: Found) -> Result<Receipt> {
    let Found { decision, error_message } = found;
    let mut explained = Vec::new();
    for facts in facts_of(server, &decision)? {
        explained.push(Explained::of(facts).map_err(internal)?);
    }
    effects::count(server, &decision, &mut explained)?;
    Ok(Receipt { format: FORMAT.to_owned(), decision, error_message, explained })
}

/// What each requirement of a recorded call was decided on.
pub fn facts_of(server: &Server, record: &DecisionRecord) -> Result<Vec<Facts>> {
    facts_under(server, record, &Instead::default())
}

/// The same, under other policies of organizations than those that were in force.
pub fn facts_under(
    server: &Server,
    record: &DecisionRecord,
    instead: &Instead,
) -> Result<Vec<Facts>> {
    let mut services = palisade_services::SERVICES.iter();
    let Some(service) = services.find(|service| service.model.name == record.service) else {
        return Ok(Vec::new());
    };
    let snapshot = server.plane.store.snapshot_at(record.revision);
    let Some(caller) = recorded::caller(&record.caller) else { return Ok(Vec::new()) };
    let credential = match caller.principal {
        Principal::Service { .. } | Principal::Anonymous => Some(without_key(caller)),
        _ => of_caller(&server.plane, &snapshot, caller)?,
    };
    let Some(credential) = credential else { return Ok(Vec::new()) };
    let request = request_of(server, record)?;
    let mut facts = Vec::new();
    for requirement in &record.requirements {
        facts.push(one(server, service, &request, &credential, (&snapshot, instead), requirement)?);
    }
    Ok(facts)
}

fn one(
    server: &Server,
    service: &Service,
    request: &Request,
    credential: &Credential,
    (snapshot, instead): (&Snapshot, &Instead),
    recorded: &RequirementRecord,
) -> Result<Facts> {
    let requirement = recorded::requirement(recorded);
    let caller = &credential.caller;
    let mut cx = Context::new(&server.plane, caller, request, Access::Read(snapshot));
    let consulted = resource_policy(&mut cx, service, &requirement)?;
    let granted = recorded.granted;
    let remembered = Remembered { recorded };
    let standings = standings(&mut cx, service, credential, &requirement)?;
    let endpoint = endpoint_policy(&cx)?;
    let keys = Keys {
        caller,
        principal_tags: &credential.identity.tags,
        request,
        requirement: &requirement,
        standings: &standings,
        service: &remembered,
    };
    let mut layers = levels(Layer::Scp, &standings.caller.scp_documents);
    layers.extend(levels(Layer::Rcp, &standings.resource.rcp_documents));
    let beyond = beyond_rcps(&mut cx, service, &requirement)?;
    let owner = if beyond { "" } else { requirement.account.as_str() };
    instead.put(&mut layers, &caller.account, owner);
    if let Some(set) = &endpoint {
        layers.push(of_set(Layer::VpcEndpoint, None, set)?);
    }
    layers.extend(own_layers(credential, &consulted));
    let management = |account: Option<&str>| account.map(str::to_owned);
    let mut facts = Facts {
        principal: credential.principal.clone(),
        action: requirement.action.clone(),
        resource: requirement.resource.clone(),
        resource_account: requirement.owner(&caller.account).map(str::to_owned),
        rule: consulted.rule,
        context: std::collections::BTreeMap::new(),
        layers,
        caller_management_account: management(standings.caller.management_account()),
        resource_management_account: management(standings.resource.management_account()),
        granted,
    };
    facts.observe(&keys, more_keys(&keys, &requirement)).map_err(internal)?;
    Ok(facts)
}

/// What a receipt shows of the context beyond the keys that policies name.
fn more_keys<'k>(keys: &'k Keys<'_>, requirement: &'k Requirement) -> Vec<&'k str> {
    let filled = GLOBAL_KEYS.iter().filter(|key| matches!(key.state, KeyState::Filled(_)));
    let whole = filled.map(|key| key.name).filter(|name| !name.contains('/'));
    let own = requirement.keys.iter().map(|(key, _)| key.as_str());
    let federation = keys.caller.session.iter().flat_map(|session| session.federation.keys());
    whole.chain(own).chain(federation.map(String::as_str)).collect()
}

/// The levels of an organization.
fn levels(layer: Layer, levels: &[Arc<[Attached]>]) -> Vec<LayerFacts> {
    let of = |(level, attached): (usize, &Arc<[Attached]>)| LayerFacts {
        layer,
        level: Some(level),
        policies: attached.iter().map(document).collect(),
    };
    levels.iter().enumerate().map(of).collect()
}

/// The documents of a set, written back.
fn of_set(layer: Layer, level: Option<usize>, set: &PolicySet) -> Result<LayerFacts> {
    let mut policies = Vec::new();
    for label in set.labels() {
        let first = StatementRef { layer, policy: Arc::clone(label), index: 0, sid: None };
        let Some((document, _)) = set.statement(&first) else { continue };
        let text = serde_json::to_string(document).map_err(internal)?;
        policies.push(PolicyFacts { label: label.to_string(), revision: None, text });
    }
    Ok(LayerFacts { layer, level, policies })
}

fn own_layers(credential: &Credential, consulted: &Consulted) -> Vec<LayerFacts> {
    let layer = |layer, attached: &[Attached]| LayerFacts {
        layer,
        level: None,
        policies: attached.iter().map(document).collect(),
    };
    let mut layers = Vec::new();
    if let Some(boundary) = &credential.identity.boundary {
        layers.push(layer(Layer::Boundary, std::slice::from_ref(boundary)));
    }
    if credential.session.is_some() {
        layers.push(layer(Layer::Session, &credential.session_policies));
    }
    if let Some(policy) = &consulted.attached {
        let trust = consulted.rule == ResourceRule::TrustPolicy;
        let kind = if trust { Layer::Trust } else { Layer::Resource };
        layers.push(layer(kind, std::slice::from_ref(policy)));
    }
    if credential.policies.is_some() {
        layers.push(layer(Layer::Identity, &credential.identity.policies));
    }
    layers
}

fn document(attached: &Attached) -> PolicyFacts {
    PolicyFacts {
        label: attached.label.clone(),
        revision: (attached.revision > 0).then_some(attached.revision),
        text: attached.document.clone(),
    }
}

/// Answers for service keys out of the record.
struct Remembered<'a> {
    recorded: &'a RequirementRecord,
}

impl ServiceKeys for Remembered<'_> {
    fn resource_tag(&self, tag_key: &str) -> Known {
        let found =
            self.recorded.resource_tags.iter().find(|tag| tag.key.to_lowercase() == tag_key);
        found.map_or(Known::Absent, |tag| Known::One(tag.value.clone()))
    }

    fn service_key(&self, key: &str) -> Known {
        if self.recorded.unresolvable.iter().any(|known| known.eq_ignore_ascii_case(key)) {
            return Known::Unresolvable;
        }
        match key.split_once(":resourcetag/") {
            Some((_, tag_key)) => self.resource_tag(tag_key),
            // What was asked for stands among the requirement's keys; this one was not there.
            None => Known::Absent,
        }
    }
}

fn request_of(server: &Server, record: &DecisionRecord) -> Result<Request> {
    let at: jiff::Timestamp = record.time.parse().map_err(internal)?;
    Ok(Request {
        id: record.id.clone(),
        region: record.context.region.clone(),
        source_ip: record.context.source_ip.parse().map_err(internal)?,
        user_agent: record.context.user_agent.clone(),
        referer: record.context.referer.clone(),
        secure: record.context.secure,
        way: Way {
            called_via: record.context.called_via.clone(),
            source: record.context.source.clone(),
            endpoint: record.context.endpoint.clone(),
            instance: None,
        },
        at: Timestamp::from_millis(at.as_millisecond()),
        ..first_start::request_of_start(&server.plane)
    })
}

/// Decides a requirement that belongs to no AWS service: the operator's own actions.
pub fn decide_alone(
    server: &Server,
    request: &Request,
    credential: &Credential,
    snapshot: &Snapshot,
    requirement: Requirement,
) -> Result<Decided> {
    static OPERATOR: Service = Service {
        model: &palisade_model::sts::SERVICE,
        operations: &[],
        resources: &PlainResources,
        jobs: &[],
    };
    let caller: &Caller = &credential.caller;
    let mut cx = Context::new(&server.plane, caller, request, Access::Read(snapshot));
    decide(&mut cx, &OPERATOR, requirement, &Nothing, credential)
}
