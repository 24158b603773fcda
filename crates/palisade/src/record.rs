//! The record stage: one CloudTrail event and one decision record for every call.

use crate::pipeline::{Call, Outcome};
use crate::route::{Route, Target};
use crate::server::Server;
use palisade_policy::Layer;
use palisade_services::audit::{
    self, CallerFragment, Decision, Event, EventType, Field, Origin, PolicyUse, Tls,
};
use palisade_services::authorization::{Credential, Decided};
use palisade_services::context::{Notes, Request, from_store};
use palisade_services::reads::Reads;
use palisade_services::service::Effect;
use palisade_shape::{Error, Result, Shape};
use palisade_store::{AuditRecord, StoreError};
use std::sync::LazyLock;
use tokio::sync::oneshot;

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

    pub fn success(
        call: &'a Call,
        decided: &'a [Decided],
        output: &'a dyn Shape,
        notes: &'a Notes,
    ) -> Self {
        let input = Some((*call.input).as_shape());
        let effect = Some(call.row.effect);
        Self { input, output: Some(output), error: None, decided, notes, effect }
    }

    pub fn of(call: &'a Call, outcome: &'a Outcome) -> Self {
        Self {
            input: Some((*call.input).as_shape()),
            output: outcome.result.as_ref().ok().map(|output| &**output as &dyn Shape),
            error: outcome.result.as_ref().err(),
            decided: &outcome.decided,
            notes: &outcome.notes,
            effect: Some(call.row.effect),
        }
    }
}

/// Records that are on their way to the log. Whoever answers waits for [`Kept::durable`].
pub struct Kept<'a> {
    reads: &'a Reads,
    /// The last place in the log that is not handed over yet.
    queued: Option<u64>,
    /// Those that wait for the disk.
    syncing: Vec<oneshot::Receiver<std::result::Result<(), StoreError>>>,
}

impl Kept<'_> {
    /// Waits until the records are as durable as the settings ask. Requests that are ready to run
    /// go on meanwhile and bring their records along: one `write(2)` for all of them.
    pub async fn durable(mut self) -> Result<()> {
        if self.queued.is_some() {
            tokio::task::yield_now().await;
        }
        if let Some(place) = self.queued.take() {
            self.reads.hand_over(place).map_err(from_store)?;
        }
        for told in std::mem::take(&mut self.syncing) {
            told.await.unwrap_or(Err(StoreError::Closed)).map_err(from_store)?;
        }
        Ok(())
    }
}

impl Drop for Kept<'_> {
    /// The client may hang up before its answer: what it asked for is recorded all the same.
    fn drop(&mut self) {
        if let Some(Err(error)) = self.queued.take().map(|place| self.reads.hand_over(place)) {
            tracing::error!(%error, "cannot keep the record of a call whose client is gone");
        }
    }
}

/// Keeps the record of a call that changed nothing in the node's own log.
pub fn keep<'a>(
    server: &'a Server,
    request: &Request,
    credential: &Credential,
    route: &Route,
    told: Told<'_>,
    revision: u64,
) -> Result<Kept<'a>> {
    let reads = &server.plane.reads;
    let mut kept = Kept { reads, queued: None, syncing: Vec::new() };
    if matches!(route.target, Target::Unknown { .. }) {
        // No operation of AWS: there is no event that could be of it.
        return Ok(kept);
    }
    for record in records(server, request, credential, told, revision) {
        if !reads.synced() {
            kept.queued = Some(reads.queue(&record).map_err(from_store)?);
            continue;
        }
        let (tell, told) = oneshot::channel();
        let done = Box::new(move |result| {
            // Nobody waits any more when the client is gone.
            let _gone = tell.send(result);
        });
        reads.append_synced(&record, done).map_err(from_store)?;
        kept.syncing.push(told);
    }
    Ok(kept)
}

/// One record for the caller's account, and one for each other account that the call reached.
pub fn records(
    server: &Server,
    request: &Request,
    credential: &Credential,
    told: Told<'_>,
    revision: u64,
) -> Vec<AuditRecord> {
    let own = &*credential.caller.account;
    let shared = &told.notes.shared_with;
    let shared_id = (!shared.is_empty()).then(|| uuid(server));
    // A service has no account: what it does is in the trail of whom it does it for.
    let mut recipients: Vec<&str> = if own.is_empty() { Vec::new() } else { vec![own] };
    recipients.extend(shared.iter().map(String::as_str).filter(|account| *account != own));
    let mut decision = Vec::with_capacity(640);
    decision_of(server, request, credential, &told, revision).write(&mut decision);
    let mut records = Vec::with_capacity(recipients.len());
    for (index, recipient) in recipients.iter().copied().enumerate() {
        // The first event, the caller's own, bears the request's id, which is how a decision is
        // found again.
        let event_id = if index == 0 { request.id.clone() } else { uuid(server) };
        let event = event(server, request, credential, &told, &event_id, recipient);
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

fn uuid(server: &Server) -> String {
    palisade_services::random::uuid(&*server.plane.random)
}

fn event<'a>(
    server: &Server,
    request: &'a Request,
    credential: &'a Credential,
    told: &Told<'a>,
    id: &'a str,
    recipient: &'a str,
) -> Event<'a> {
    let visible = audit::visibility(request.service, request.operation, told.effect);
    let output = told.output.filter(|_| visible.answer);
    Event {
        id,
        request,
        caller: &credential.fragment,
        origin: Origin {
            event_type: EventType::AwsApiCall,
            source: audit::source(request.service, server.endpoint_prefix(request.service)),
            region: audit::region(request.service, &request.region),
            read_only: visible.read_only,
            invoked_by: request.way.called_via.last().map(String::as_str),
            tls: request.tls.as_ref().map(|tls| Tls {
                version: tls.version,
                cipher_suite: tls.cipher_suite,
                host: &tls.host,
            }),
            lab: server.plane.settings.lab,
        },
        error: told.error,
        input: told.input.map_or(Field::Null, Field::Shape),
        output: output.map_or(Field::Null, Field::Shape),
        additional: Field::Null,
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
    requirements: Vec<audit::Decided<'a>>,
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
    server: &Server,
    request: &'a Request,
    credential: &'a Credential,
    told: &Told<'a>,
    revision: u64,
) -> Consulted<'a> {
    let requirement = |decided: &'a Decided| audit::Decided {
        requirement: &decided.requirement,
        decision: &decided.decision,
        resource_tags: &decided.resource_tags,
        service_keys: &decided.service_keys,
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
        lab: server.plane.settings.lab,
    }
}
