//! Why a recorded call was decided as it was: the record, and the trace of deciding it again with
//! the policies as they were at that revision.

use crate::server::Server;
use crate::{first_start, recorded};
use palisade_policy::{ContextKeys, Policies, ResourceRule, Trace};
use palisade_services::accounts::ACCOUNTS;
use palisade_services::audit::{DecisionRecord, RequirementRecord};
use palisade_services::authorization::{
    Credential, Decided, Keys, Requirement, ServiceKeys, decide, endpoint_policy, layers,
    of_caller, resource_policy, standings,
};
use palisade_services::caller::Caller;
use palisade_services::context::{Access, Context, Request, Way, from_store};
use palisade_services::errors::internal;
use palisade_services::service::{Known, PlainResources, Service};
use palisade_shape::{Nothing, Result, Timestamp};
use palisade_store::{AuditQuery, AuditRecord, Read, Snapshot};
use serde::{Deserialize, Serialize};

/// Accounts looked through for the newest decision.
const ACCOUNTS_MAX: usize = 10_000;

/// The answer of `GET /_palisade/decisions/<id>`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The record as it was kept.
    pub decision: DecisionRecord,
    /// What the caller was told, if it was refused.
    pub error_message: Option<String>,
    /// One trace for each requirement.
    pub explained: Vec<Explained>,
}

/// What deciding one requirement again looks like.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Explained {
    pub action: String,
    pub resource: String,
    pub trace: Trace,
}

/// The one member of an event that an [`Answer`] repeats.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    error_message: Option<String>,
}

/// The record of a decision and its trace; the newest one for an empty id.
pub fn explain(server: &Server, id: &str) -> Result<Option<Answer>> {
    let found = if id.is_empty() { newest(server)? } else { find(server, id)? };
    let Some(found) = found else { return Ok(None) };
    let decision = DecisionRecord::parse(&found.decision).map_err(internal)?;
    let Event { error_message } = serde_json::from_slice(&found.event).map_err(internal)?;
    let explained = again(server, &decision)?;
    Ok(Some(Answer { decision, error_message, explained }))
}

/// The record of a request id. The caller's own event bears the request's id.
fn find(server: &Server, id: &str) -> Result<Option<AuditRecord>> {
    let snapshot = server.plane.store.snapshot();
    if let Some(found) = snapshot.audit_find(id).map_err(from_store)? {
        return Ok(Some(found));
    }
    let is_it = |record: &AuditRecord| record.event_id == id;
    server.plane.reads.find(id, &is_it).map_err(from_store)
}

fn newest(server: &Server) -> Result<Option<AuditRecord>> {
    let snapshot = server.plane.store.snapshot();
    let mut newest = server.plane.reads.find("", &|_| true).map_err(from_store)?;
    let accounts = snapshot.scan(ACCOUNTS.name, "", "", "", None, ACCOUNTS_MAX);
    for (account, _) in accounts.map_err(from_store)? {
        let query = AuditQuery {
            account: &account,
            region: None,
            from_millis: i64::MIN,
            to_millis: i64::MAX,
            newest_first: true,
            after: None,
            limit: 1,
        };
        for (_, record) in snapshot.audit_scan(&query).map_err(from_store)? {
            if newest.as_ref().is_none_or(|known| known.time_millis < record.time_millis) {
                newest = Some(record);
            }
        }
    }
    Ok(newest)
}

/// Decides every requirement of the record again. Empty where the call ended before any, or where
/// the caller cannot be told any more.
fn again(server: &Server, record: &DecisionRecord) -> Result<Vec<Explained>> {
    let Some(service) =
        palisade_services::SERVICES.iter().find(|service| service.model.name == record.service)
    else {
        return Ok(Vec::new());
    };
    let snapshot = server.plane.store.snapshot_at(record.revision);
    let Some(caller) = recorded::caller(&record.caller) else { return Ok(Vec::new()) };
    let Some(credential) = of_caller(&server.plane, &snapshot, caller)? else {
        return Ok(Vec::new());
    };
    let request = request_of(server, record)?;
    let mut explained = Vec::new();
    for requirement in &record.requirements {
        explained.push(one(server, service, &request, &credential, &snapshot, requirement)?);
    }
    Ok(explained)
}

fn one(
    server: &Server,
    service: &Service,
    request: &Request,
    credential: &Credential,
    snapshot: &Snapshot,
    recorded: &RequirementRecord,
) -> Result<Explained> {
    let requirement = recorded::requirement(recorded);
    let caller = &credential.caller;
    let mut cx = Context::new(&server.plane, caller, request, Access::Read(snapshot));
    let consulted = resource_policy(&mut cx, service, &requirement)?;
    let remembered = Remembered { recorded };
    let standings = standings(&cx, credential, &requirement)?;
    let endpoint = endpoint_policy(&cx)?;
    let keys = Keys {
        caller,
        principal_tags: &credential.identity.tags,
        request,
        requirement: &requirement,
        standings: &standings,
        service: &remembered,
    };
    let policies = layers(credential, &consulted, &standings, endpoint.as_ref());
    let trace = trace(credential, &requirement, consulted.rule, &keys, &policies);
    Ok(Explained { action: requirement.action, resource: requirement.resource, trace })
}

fn trace(
    credential: &Credential,
    requirement: &Requirement,
    rule: ResourceRule,
    keys: &dyn ContextKeys,
    policies: &Policies<'_>,
) -> Trace {
    let request = palisade_policy::Request {
        principal: &credential.principal,
        action: &requirement.action,
        resource: &requirement.resource,
        resource_account: (requirement.resource != "*").then_some(requirement.account.as_str()),
        rule,
        keys,
    };
    palisade_policy::explain(&request, policies)
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
            called_via: record.context.invoked_by.clone().into_iter().collect(),
            ..Way::default()
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
    };
    let caller: &Caller = &credential.caller;
    let mut cx = Context::new(&server.plane, caller, request, Access::Read(snapshot));
    decide(&mut cx, &OPERATOR, requirement, &Nothing, credential)
}
