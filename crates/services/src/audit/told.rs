//! From a call and what came of it to its audit records: one CloudTrail event and one decision
//! record for each account that the call reached.

use super::{CallerFragment, Decision, Event, EventType, Field, Origin, PolicyUse, Tls};
use super::{region, source, visibility};
use crate::SERVICES;
use crate::authorization::{Credential, Decided};
use crate::context::{Notes, Request};
use crate::plane::Plane;
use crate::random;
use crate::service::Effect;
use palisade_policy::Layer;
use palisade_shape::{Error, Shape};
use palisade_store::AuditRecord;
use std::sync::LazyLock;

static NO_NOTES: LazyLock<Notes> = LazyLock::new(Notes::default);

/// What there is to tell of a call.
#[derive(Clone, Copy)]
pub struct Told<'a> {
    pub input: Option<&'a dyn Shape>,
    pub output: Option<&'a dyn Shape>,
    pub error: Option<&'a Error>,
    pub decided: &'a [Decided],
    pub notes: &'a Notes,
    pub effect: Option<Effect>,
}

impl<'a> Told<'a> {
    /// A call that ended before its input was read.
    pub fn failure(error: &'a Error) -> Self {
        let notes = &*NO_NOTES;
        Self { input: None, output: None, error: Some(error), decided: &[], notes, effect: None }
    }
}

/// One record for the caller's account, and one for each other account that the call reached.
pub fn records(
    plane: &Plane,
    request: &Request,
    credential: &Credential,
    told: Told<'_>,
    revision: u64,
) -> Vec<AuditRecord> {
    let own = &*credential.caller.account;
    let shared = &told.notes.shared_with;
    let shared_id = (!shared.is_empty()).then(|| random::uuid(&*plane.random));
    // A service has no account: what it does is in the trail of whom it does it for.
    let mut recipients: Vec<&str> = if own.is_empty() { Vec::new() } else { vec![own] };
    recipients.extend(shared.iter().map(String::as_str).filter(|account| *account != own));
    let mut decision = Vec::with_capacity(640);
    decision_of(plane, request, credential, &told, revision).write(&mut decision);
    let mut records = Vec::with_capacity(recipients.len());
    for (index, recipient) in recipients.iter().copied().enumerate() {
        // The first event, the caller's own, bears the request's id, which is how a decision is
        // found again.
        let event_id = if index == 0 { request.id.clone() } else { random::uuid(&*plane.random) };
        let event = event(plane, request, credential, &told, &event_id, recipient);
        let mut bytes = Vec::with_capacity(1024);
        Event { shared_id: shared_id.as_deref(), ..event }.write(&mut bytes);
        records.push(AuditRecord {
            time_millis: request.at.millis(),
            account: recipient.to_owned(),
            region: event.origin.region.to_owned(),
            event: bytes,
            decision: match index + 1 == recipients.len() {
                true => std::mem::take(&mut decision),
                false => decision.clone(),
            },
            event_id,
        });
    }
    records
}

/// The first label of a service's host name, as event sources have it.
fn endpoint_prefix(service: &'static str) -> &'static str {
    match SERVICES.iter().find(|known| known.model.name == service) {
        Some(known) => known.model.endpoint_prefix,
        None => {
            palisade_model::catalog::service(service).map_or(service, |known| known.endpoint_prefix)
        }
    }
}

fn event<'a>(
    plane: &Plane,
    request: &'a Request,
    credential: &'a Credential,
    told: &Told<'a>,
    id: &'a str,
    recipient: &'a str,
) -> Event<'a> {
    let visible = visibility(request.service, request.operation, told.effect);
    let output = told.output.filter(|_| visible.answer);
    Event {
        id,
        request,
        caller: &credential.fragment,
        origin: Origin {
            event_type: EventType::AwsApiCall,
            source: source(request.service, endpoint_prefix(request.service)),
            region: region(request.service, &request.region),
            read_only: visible.read_only,
            invoked_by: request.way.called_via.last().map(String::as_str),
            tls: request.tls.as_ref().map(|tls| Tls {
                version: tls.version,
                cipher_suite: tls.cipher_suite,
                host: &tls.host,
            }),
            lab: plane.settings.lab,
        },
        error: told.error,
        input: told.input.map_or(Field::Null, Field::Shape),
        output: output.map_or(Field::Null, Field::Shape),
        additional: Field::Null,
        details: Field::Null,
        notes: told.notes,
        recipient,
        shared_id: None,
    }
}

/// A decision record that borrows all it says.
struct Consulted<'a> {
    request: &'a Request,
    fragment: &'a CallerFragment,
    revision: u64,
    requirements: Vec<super::Decided<'a>>,
    policies: &'a [u8],
    levels: Vec<&'a [u8]>,
    error: Option<&'a Error>,
    lab: bool,
}

impl Consulted<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        let record = Decision {
            request: self.request,
            caller: self.fragment,
            revision: self.revision,
            requirements: &self.requirements,
            policies: self.policies,
            levels: &self.levels,
            error: self.error,
            lab: self.lab,
        };
        record.write(out);
    }
}

/// The policies of the organizations that the caller and the resources are in, each once.
fn levels(decided: &[Decided]) -> Vec<&[u8]> {
    let mut levels: Vec<&[u8]> = Vec::new();
    for one in decided {
        for level in [&one.caller_standing.consulted_scps, &one.resource_standing.consulted_rcps] {
            if !levels.contains(&level.as_slice()) {
                levels.push(level);
            }
        }
    }
    levels
}

fn decision_of<'a>(
    plane: &Plane,
    request: &'a Request,
    credential: &'a Credential,
    told: &Told<'a>,
    revision: u64,
) -> Consulted<'a> {
    let requirement = |decided: &'a Decided| super::Decided {
        requirement: &decided.requirement,
        decision: &decided.decision,
        resource_tags: &decided.resource_tags,
        service_keys: &decided.service_keys,
        granted: decided.granted,
        resource_policy: decided.resource_policy.as_ref().map(|policy| PolicyUse {
            layer: if decided.trust { Layer::Trust } else { Layer::Resource },
            label: &policy.label,
            revision: policy.revision,
        }),
    };
    Consulted {
        request,
        fragment: &credential.fragment,
        revision,
        requirements: told.decided.iter().map(requirement).collect(),
        policies: &credential.consulted,
        levels: levels(told.decided),
        error: told.error,
        lab: plane.settings.lab,
    }
}
