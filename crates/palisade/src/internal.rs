//! Calls that Palisade itself makes: as the AWS service that makes them in AWS, or as who is signed
//! in with a browser. They take the way of every request, authorize → handle → record; only the
//! proof is missing, because nobody sent them.

use crate::first_start::request_of_start;
use crate::pipeline::{self, Call};
use crate::server::Server;
use palisade_model::sts::Credentials;
use palisade_services::authorization::{Credential, without_key};
use palisade_services::caller::Caller;
use palisade_services::context::{Request, Way};
use palisade_services::errors::{ACCESS_DENIED, internal};
use palisade_services::password_hash::Hashes;
use palisade_services::random;
use palisade_services::service::{Input, Service};
use palisade_services::sts::restriction;
use palisade_services::transfer::Transfer;
use palisade_shape::{Named, Result};
use std::sync::Arc;

/// Calls an operation as an AWS service: `ec2.amazonaws.com`. `way` says what for; `O` is its
/// output.
pub async fn call<O: Named>(
    server: &Arc<Server>,
    principal: &str,
    way: Way,
    service: &'static Service,
    operation: &'static str,
    input: Box<dyn Input>,
) -> Result<O> {
    let credential = Arc::new(without_key(Caller::service(principal)));
    let request = Request { way, ..request_of_start(&server.plane) };
    run(server, (request, credential, None), service, operation, input).await
}

/// Calls an operation as someone else, with credentials that were just made for it. `facts` are
/// those of the request that it is done for.
pub async fn call_as<O: Named>(
    server: &Arc<Server>,
    facts: &Request,
    keys: &Credentials,
    service: &'static Service,
    operation: &'static str,
    input: Box<dyn Input>,
) -> Result<O> {
    let plane = &server.plane;
    let changes = plane.credentials.changes();
    let snapshot = plane.store.snapshot();
    let (id, token) = (keys.access_key_id.as_str(), keys.session_token.as_str());
    let found = server
        .reading(|| plane.credentials.find(plane, &snapshot, id, Some(token), facts.at, changes))?;
    let gone = |_| ACCESS_DENIED.because("Who is signed in is not there any more.");
    let credential = found.map_err(gone)?;
    if let Some(session) = credential.caller.session.as_deref() {
        restriction::check(session, service.model.name, operation)?;
    }
    let request = Request { id: random::uuid(&*plane.random), ..facts.clone() };
    run(server, (request, credential, Some(token.to_owned())), service, operation, input).await
}

/// Who calls: the facts of the request, the credential, and the session token if it has one.
type Asker = (Request, Arc<Credential>, Option<String>);

async fn run<O: Named>(
    server: &Arc<Server>,
    (request, credential, token): Asker,
    service: &'static Service,
    operation: &'static str,
    input: Box<dyn Input>,
) -> Result<O> {
    let Some(row) = service.operation(operation) else {
        return Err(internal(format!("{operation} cannot be called from within")));
    };
    let protocol = service.model.protocols.first().copied();
    let protocol = protocol.ok_or_else(|| internal("a service without a protocol"))?;
    let request = Request { service: service.model.name, operation, ..request };
    let (server, hashes) = (server.clone(), Hashes::default());
    let transfer = Transfer::default();
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
    let snapshot = call.server.plane.store.snapshot();
    let (_, outcome) = pipeline::perform(call, &snapshot).await;
    let mut typed = O::default();
    palisade_protocol::json::from_json(
        &palisade_protocol::json::to_json(&*outcome.result?),
        &mut typed,
    )
    .map_err(|error| internal(format!("the output of {operation}: {error:?}")))?;
    Ok(typed)
}
