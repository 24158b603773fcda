//! Calls that Palisade itself makes, as the AWS service that makes them in AWS. They take the way
//! of every request, authorize → handle → record; only the proof is missing, because nobody sent
//! them.

use crate::first_start::request_of_start;
use crate::pipeline::{self, Call};
use crate::route::{Route, Target};
use crate::server::Server;
use palisade_protocol::Labels;
use palisade_services::authorization::without_key;
use palisade_services::caller::Caller;
use palisade_services::context::Request;
use palisade_services::errors::internal;
use palisade_services::password_hash::Hashes;
use palisade_services::service::{Effect, Input, Service};
use palisade_shape::{Named, Result};
use palisade_store::Read;
use std::sync::Arc;

/// Calls an operation that only reads, as `principal` (`ec2.amazonaws.com`). `O` is its output.
pub async fn call<O: Named>(
    server: &Arc<Server>,
    principal: &str,
    service: &'static Service,
    operation: &'static str,
    input: Box<dyn Input>,
) -> Result<O> {
    let row = service.operation(operation);
    let row = row.filter(|row| row.effect_with(&*input) == Effect::Read);
    let (Some(row), Some(model)) = (row, service.model.operation(operation)) else {
        return Err(internal(format!("{operation} cannot be called from within")));
    };
    let protocol = service.model.protocols.first().copied();
    let protocol = protocol.ok_or_else(|| internal("a service without a protocol"))?;
    let request =
        Request { service: service.model.name, operation, ..request_of_start(&server.plane) };
    let credential = Arc::new(without_key(Caller::service(principal)));
    let labels = Labels::new();
    let target = Target::Here { service, row, model, labels };
    let route = Route { protocol, model: service.model, target };
    let server = server.clone();
    let (token, hashes) = (None, Hashes::default());
    let call = Call { server, request, credential, token, protocol, service, row, input, hashes };
    let snapshot = call.server.plane.store.snapshot();
    let outcome = call.server.reading(|| pipeline::read(&call, &snapshot));
    let outcome = pipeline::keep_read(&call, &route, outcome, snapshot.revision()).await;
    let mut typed = O::default();
    palisade_protocol::json::from_json(
        &palisade_protocol::json::to_json(&*outcome.result?),
        &mut typed,
    )
    .map_err(|error| internal(format!("the output of {operation}: {error:?}")))?;
    Ok(typed)
}
