//! The way of every request, whatever door it came through:
//! route → authenticate → decode → authorize → handle → record → encode.

use crate::authenticate::{self, Offered, Surroundings, attempted, authenticate};
use crate::cors;
use crate::download::{self, Body};
use crate::form_upload;
use crate::listener::Door;
use crate::metrics::Ending;
use crate::outcome;
use crate::record::{self, Kept, Told};
use crate::reply::{conclude, ending_of, refuse, refuse_unread, unroutable};
use crate::route::{self, Route, Target};
use crate::server::Server;
use crate::upload::{self, Sending};
use crate::{operator, s3_address, signin, token_issuer, transaction};
use http::Response;
use http::request::Parts as Head;
use hyper::body::Incoming;
use palisade_protocol::sigv4::{BodyProof, Payload};
use palisade_protocol::{Form, Parts};
use palisade_services::authorization::{Credential, Decided, authorize, without_key};
use palisade_services::caller::{Caller, Principal};
use palisade_services::context::{Access, Context, Notes, Request, TlsDetails, Way};
use palisade_services::errors::{SERVICE_UNAVAILABLE, internal};
use palisade_services::password_hash::Hashes;
use palisade_services::service::{Effect, Input, Operation, Service};
use palisade_services::sts::{restriction, web_identity};
use palisade_services::transfer::{Reply, Transfer};
use palisade_shape::{Error, Protocol, Result, Shape};
use palisade_store::Read;
use std::sync::Arc;

/// What a request is once it was read and proven.
pub struct Call {
    pub server: Arc<Server>,
    pub request: Request,
    pub credential: Arc<Credential>,
    /// The session token it came with.
    pub token: Option<String>,
    pub protocol: palisade_shape::Protocol,
    pub service: &'static Service,
    pub row: &'static Operation,
    pub input: Box<dyn Input>,
    /// The slow hashes computed for it so far.
    pub hashes: Hashes,
    /// What it brought beside its input.
    pub transfer: Transfer,
}

/// The end of a call: the output, or why there is none, with what the record should say.
pub struct Outcome {
    pub result: Result<Box<dyn Shape + Send>>,
    pub decided: Vec<Decided>,
    pub notes: Notes,
    /// What the answer has beside the output.
    pub reply: Reply,
}

impl Outcome {
    /// The end of a call before anything was decided.
    pub fn failed(error: Error) -> Self {
        let (notes, reply) = (Notes::default(), Reply::default());
        Self { result: Err(error), decided: Vec::new(), notes, reply }
    }
}

/// Answers one request.
pub async fn serve(server: Arc<Server>, head: Head, body: Sending, door: Door) -> Response<Body> {
    let Ok(place) = server.places.clone().try_acquire_owned() else {
        server.metrics.request(Ending::Busy, std::time::Duration::ZERO);
        let busy = SERVICE_UNAVAILABLE
            .because("The request has failed due to a temporary failure of the server.");
        return refuse_unread(&server, &head, &busy).map(download::whole);
    };
    let began = server.stopwatch();
    let (response, ending) = match body {
        Sending::Whole(body) if signin::is_for(&head, &body) => {
            let (response, ending) = signin::serve(&server, &head, &body, door).await;
            (response.map(download::whole), ending)
        }
        Sending::Whole(_) if token_issuer::is_for(&head) => {
            let (response, ending) = token_issuer::serve(&server, &head);
            (response.map(download::whole), ending)
        }
        Sending::Whole(body) if head.uri.path().starts_with(operator::PREFIX) => {
            let (response, ending) = operator::serve(&server, &head, &body, door.peer).await;
            (response.map(download::whole), ending)
        }
        Sending::Whole(_) if cors::is_preflight(&head) => cors::answer(&server, &head),
        Sending::Whole(body) => answer(&server, &head, (&body, None), door).await,
        Sending::Streamed(body) if form_upload::is_for(&head) => {
            form_upload::serve(&server, &head, body, door).await
        }
        Sending::Streamed(body) => answer(&server, &head, (&[], Some(body)), door).await,
    };
    server.metrics.request(ending, began.elapsed());
    drop(place);
    response
}

async fn answer(
    server: &Arc<Server>,
    head: &Head,
    (body, streamed): (&[u8], Option<Incoming>),
    door: Door,
) -> (Response<Body>, Ending) {
    let fields = authenticate::fields(head);
    let offered = Offered::read(head, &fields);
    let form = route::form(head, body);
    let Some(route) = server.router.find(head, form.as_ref(), offered.signing_name()) else {
        let (response, ending) = unroutable(server, head);
        return (response.map(download::whole), ending);
    };
    let request = begin(server, head, &route, offered.region(), door);
    let changes = server.plane.credentials.changes();
    let snapshot = server.plane.store.snapshot();
    let payload = if streamed.is_some() { Payload::Unread } else { Payload::Body(body) };
    let proven =
        server.reading(|| prove(server, &offered, payload, &route, &request, (&snapshot, changes)));
    let (credential, proof) = match proven {
        Ok(proven) => proven,
        Err(error) => {
            let refusal = refuse(head, &route, &request, &error);
            return (refusal.map(download::whole), ending_of(&error, false));
        }
    };
    note_use(server, &credential, &request, route.model.signing_name);
    let streamed = streamed.map(|body| (body, proof));
    let sent = Sent { head, body, form, offered: &offered };
    run(server, (&sent, streamed), route, request, credential, &snapshot).await
}

fn prove(
    server: &Server,
    offered: &Offered<'_>,
    payload: Payload<'_>,
    route: &Route,
    request: &Request,
    (snapshot, changes): (&palisade_store::Snapshot, u64),
) -> Result<(Arc<Credential>, BodyProof)> {
    let operation = match &route.target {
        Target::Here { model, .. } => Some(*model),
        Target::NotImplemented { .. } | Target::Unknown { .. } => None,
    };
    let around = Surroundings {
        server,
        read: snapshot,
        changes,
        now: request.at,
        secure: request.secure,
        protocol: route.protocol,
        model: route.model,
        operation,
    };
    authenticate(offered, payload, &around)
}

/// What came over the wire; the form is read once, for routing and for decoding.
struct Sent<'r> {
    head: &'r Head,
    body: &'r [u8],
    form: Option<Form<'r>>,
    offered: &'r Offered<'r>,
}

/// The stages after the proof.
async fn run(
    server: &Arc<Server>,
    (sent, streamed): (&Sent<'_>, Option<(Incoming, BodyProof)>),
    route: Route,
    request: Request,
    credential: Arc<Credential>,
    snapshot: &palisade_store::Snapshot,
) -> (Response<Body>, Ending) {
    let (head, began) = (sent.head, server.stopwatch());
    let decoded = session_may(&credential, &route).and_then(|()| decode(sent, &route));
    let proven = match decoded {
        Ok((service, row, input)) => {
            let proven = prove_by_input(server, &request, row, &*input, &credential, snapshot);
            match proven.await {
                Ok(credential) => Ok((service, row, input, credential)),
                Err(error) => Err((error, attempted(server, row, &*input, snapshot))),
            }
        }
        Err(error) => Err((error, None)),
    };
    let (service, row, input, credential) = match proven {
        Ok(proven) => proven,
        Err((error, attempt)) => {
            // What is no operation of AWS has no event that could be of it.
            let error = if matches!(route.target, Target::Unknown { .. }) {
                error
            } else {
                let credential = attempt.unwrap_or(credential);
                let kept = {
                    let told = Told::failure(&error);
                    record::keep(server, &request, &credential, told, snapshot.revision())
                };
                durable(kept).await.err().unwrap_or(error)
            };
            let refusal = refuse(head, &route, &request, &error);
            return (refusal.map(download::whole), ending_of(&error, true));
        }
    };
    let token = sent.offered.session_token().map(str::to_owned);
    let transfer = sent.offered.transfer(route.model);
    let protocol = route.protocol;
    let (server_of, server, hashes) = (server, server.clone(), Hashes::default());
    let call = Call {
        server,
        request,
        credential,
        token,
        protocol,
        service,
        row,
        input,
        hashes,
        transfer,
    };
    let received = receive(&call, streamed, sent, snapshot).await;
    let (call, outcome) = match received {
        Ok(()) => perform(call, snapshot).await,
        Err(outcome) => {
            let outcome = keep_read(&call, outcome, snapshot.revision()).await;
            (Arc::new(call), outcome)
        }
    };
    conclude(server_of, head, (&route, &call), outcome, began).await
}

/// The stages from authorize to record.
pub async fn perform(call: Call, snapshot: &palisade_store::Snapshot) -> (Arc<Call>, Outcome) {
    let call = Arc::new(call);
    if let Effect::Write = call.row.effect_with(&*call.input) {
        let outcome = transaction::write(call.clone(), snapshot.clone()).await;
        return (call, outcome);
    }
    let refused = match call.row.prepares {
        Some(_) => call.server.reading(|| refuse_early(&call, snapshot)),
        None => None,
    };
    let outcome = match refused {
        Some(refused) => refused,
        None => {
            transaction::prepare(&call).await;
            call.server.reading(|| read(&call, snapshot))
        }
    };
    let outcome = keep_read(&call, outcome, snapshot.revision()).await;
    (call, outcome)
}

/// Receives a streamed body, unless the call is refused before.
async fn receive(
    call: &Call,
    streamed: Option<(Incoming, BodyProof)>,
    sent: &Sent<'_>,
    snapshot: &palisade_store::Snapshot,
) -> std::result::Result<(), Outcome> {
    let Some((body, proof)) = streamed else { return Ok(()) };
    if let Some(refused) = call.server.reading(|| refuse_early(call, snapshot)) {
        return Err(refused);
    }
    let received = upload::receive(call, snapshot, body, (sent.head, sent.offered, proof)).await;
    received.map(|received| call.transfer.put(received)).map_err(Outcome::failed)
}

/// The caller of an operation whose input proves who calls; of all others it is known already.
async fn prove_by_input(
    server: &Arc<Server>,
    request: &Request,
    row: &'static Operation,
    input: &dyn Input,
    credential: &Arc<Credential>,
    snapshot: &palisade_store::Snapshot,
) -> Result<Arc<Credential>> {
    let Some(proof) = row.proof else { return Ok(credential.clone()) };
    let nobody = Caller::anonymous();
    let plane = &*server.plane;
    let looking = || Context::new(plane, &nobody, request, Access::Read(snapshot));
    let wanted = server.reading(|| web_identity::keys_wanted(&mut looking(), input))?;
    if let Some(wanted) = wanted {
        server.issuers.fetch(plane, &wanted).await;
    }
    // What comes from nobody in particular is read here: a defect must not take the others down.
    let proven = server.reading(|| {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            proof.caller(&mut looking(), input)
        }))
    });
    let caller = proven.unwrap_or_else(|_| Err(internal("a proof panicked")))?;
    Ok(Arc::new(without_key(caller)))
}

/// What AWS keeps from the sessions of users, whatever their policies say.
fn session_may(credential: &Credential, route: &Route) -> Result<()> {
    match (credential.caller.session.as_deref(), &route.target) {
        (Some(session), Target::Here { model, .. }) => {
            restriction::check(session, route.model.name, model.name)
        }
        _ => Ok(()),
    }
}

/// The facts of the request that do not depend on its proof.
fn begin(server: &Server, head: &Head, route: &Route, region: Option<&str>, door: Door) -> Request {
    let facts = facts(server, head, door);
    Request {
        region: region.map_or(facts.region, str::to_owned),
        service: route.model.name,
        operation: match &route.target {
            Target::Here { model, .. } => model.name,
            Target::NotImplemented { name } => name,
            Target::Unknown { .. } => "",
        },
        ..facts
    }
}

/// The facts of a request that names no operation.
pub fn facts(server: &Server, head: &Head, door: Door) -> Request {
    let text = |name: &str| {
        let value = head.headers.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let plane = &server.plane;
    Request {
        id: palisade_services::random::uuid(&*plane.random),
        region: plane.settings.region.clone(),
        source_ip: door.peer.ip().to_canonical(),
        user_agent: text("user-agent"),
        referer: text("referer"),
        secure: door.tls.is_some(),
        tls: door.tls.map(|agreed| TlsDetails {
            version: agreed.version,
            cipher_suite: agreed.cipher_suite,
            host: host(head),
        }),
        way: Way::default(),
        at: plane.clock.now(),
        service: "",
        operation: "",
    }
}

/// The host that the client asked for: HTTP/2 has it in the URI.
pub fn host(head: &Head) -> String {
    let field = head.headers.get(http::header::HOST).map(|host| host.as_bytes());
    let authority = head.uri.authority().map(|authority| authority.as_str().as_bytes());
    String::from_utf8_lossy(field.or(authority).unwrap_or_default()).into_owned()
}

/// The typed input of an operation that is here; the refusal of one that is not.
fn decode(
    sent: &Sent<'_>,
    route: &Route,
) -> Result<(&'static Service, &'static Operation, Box<dyn Input>)> {
    let (service, row, model, labels) = match &route.target {
        Target::Here { service, row, model, labels } => (service, row, model, labels),
        Target::NotImplemented { name } => return Err(outcome::not_implemented(route.model, name)),
        Target::Unknown { name, version } => {
            let version = version.as_deref();
            return Err(outcome::unknown_operation(route.protocol, route.model, name, version));
        }
    };
    let Sent { head, body, form, offered: _ } = sent;
    if route.model.name == "s3control" {
        s3_address::check_account(head)?;
    }
    let mut input = row.handler.new_input();
    let shape = (*input).as_shape_mut();
    if let (Protocol::Query | Protocol::Ec2, Some(form)) = (route.protocol, form) {
        palisade_protocol::read_form(route.protocol, route.model, model, form, shape)?;
        return Ok((service, row, input));
    }
    let parts = Parts {
        method: &head.method,
        raw_path: head.uri.path(),
        raw_query: head.uri.query().unwrap_or_default(),
        headers: &head.headers,
        body,
        labels,
    };
    palisade_protocol::read_request(route.protocol, route.model, model, &parts, shape)?;
    Ok((service, row, input))
}

/// Authorizes and handles a read, beside all others.
pub fn read(call: &Call, snapshot: &dyn Read) -> Outcome {
    let plane = &*call.server.plane;
    let caller = &call.credential.caller;
    let mut cx = Context::new(plane, caller, &call.request, Access::Read(snapshot));
    cx.hashes = Some(&call.hashes);
    (cx.transfer, cx.credential) = (Some(&call.transfer), Some(&*call.credential));
    let (decided, result) = permit_and_handle(call, &mut cx, &call.credential);
    Outcome { result, decided, notes: cx.notes, reply: cx.reply }
}

/// Refuses a call that is not allowed as things stand, before it takes a place among the changes or
/// the slow ones: who may do nothing shall not slow down who may.
pub fn refuse_early(call: &Call, snapshot: &dyn Read) -> Option<Outcome> {
    let plane = &*call.server.plane;
    let caller = &call.credential.caller;
    let mut cx = Context::new(plane, caller, &call.request, Access::Read(snapshot));
    (cx.transfer, cx.credential) = (Some(&call.transfer), Some(&*call.credential));
    let (decided, permitted) = permit(call, &mut cx, &call.credential);
    let error = permitted.err()?;
    Some(Outcome { decided, notes: cx.notes, ..Outcome::failed(error) })
}

/// The two stages that look at the store, on whatever view of it `cx` has.
pub fn permit_and_handle(
    call: &Call,
    cx: &mut Context,
    credential: &Credential,
) -> (Vec<Decided>, Result<Box<dyn Shape + Send>>) {
    let (decided, permitted) = permit(call, cx, credential);
    if let Err(error) = permitted {
        return (decided, Err(error));
    }
    // A defect in one handler must not take the others down with it.
    let handled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        call.row.handler.call(cx, &*call.input)
    }));
    (decided, handled.unwrap_or_else(|_| Err(internal("a handler panicked"))))
}

fn permit(call: &Call, cx: &mut Context, credential: &Credential) -> (Vec<Decided>, Result<()>) {
    let decided = match authorize(cx, call.service, call.row, &*call.input, credential) {
        Ok(decided) => decided,
        Err(error) => return (Vec::new(), Err(error)),
    };
    let permitted = match decided.last().filter(|last| !last.decision.allowed()) {
        None => Ok(()),
        Some(denied) => {
            let model = call.service.model;
            Err(outcome::access_denied(call.protocol, model, credential, denied))
        }
    };
    (decided, permitted)
}

/// Records a call that changed nothing. If that fails, so does the call: what is not recorded did
/// not happen.
pub async fn keep_read(call: &Call, outcome: Outcome, revision: u64) -> Outcome {
    let kept = {
        let told = record::told(call, &outcome);
        record::keep(&call.server, &call.request, &call.credential, told, revision)
    };
    match durable(kept).await {
        Ok(()) => outcome,
        Err(error) => Outcome { result: Err(error), ..outcome },
    }
}

/// Waits until what was kept is as durable as the settings ask.
pub async fn durable(kept: Result<Kept<'_>>) -> Result<()> {
    kept?.durable().await
}

/// Notes when and where a key, and the role behind a session, was last used.
pub fn note_use(server: &Server, credential: &Credential, request: &Request, signing_name: &str) {
    let caller = &credential.caller;
    let usage = &server.plane.usage;
    let id = match caller.session.as_deref() {
        Some(session) if session.is_role_session() => Some(session.issuer_id.as_str()),
        Some(_) => None,
        None => caller.access_key_id.as_deref(),
    };
    if let Some(id) = id {
        usage.note(id, &caller.account, request.at, &request.region, signing_name);
    }
    let entity = match &caller.principal {
        Principal::AssumedRole { id, .. } | Principal::User { id, .. } => &**id,
        _ => return,
    };
    if !request.operation.is_empty() {
        let call = (request.service, request.operation);
        let entity = (entity, &*caller.account);
        server.plane.last_accesses.note(entity, request.at, &request.region, call);
    }
}
