//! The write side of the pipeline: authorize and handle inside one store transaction, together with
//! the record of it.

use crate::pipeline::{Call, Outcome, keep_read, permit_and_handle, refuse_early};
use crate::record;
use palisade_services::audit;
use palisade_services::authorization::Decided;
use palisade_services::context::{Access, Context, from_store};
use palisade_services::errors::internal;
use palisade_shape::{Result, Shape};
use palisade_store::{Abort, Read, Snapshot, StoreError, Transaction};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// Where a transaction leaves its outcome. It may run more than once; the last run counts.
type Slot = Arc<Mutex<Option<Outcome>>>;

/// Runs a call that may change something, and waits until the change is durable. Once begun it is
/// seen through to its record, whether its client waits for the answer or hangs up.
pub async fn write(call: Arc<Call>, snapshot: Snapshot) -> Outcome {
    let ended = tokio::spawn(see_through(call, snapshot)).await;
    ended.unwrap_or_else(|error| Outcome::failed(internal(error)))
}

async fn see_through(call: Arc<Call>, snapshot: Snapshot) -> Outcome {
    let refused = call.server.reading(|| refuse_early(&call, &snapshot));
    if let Some(outcome) = refused {
        return keep_read(&call, outcome, snapshot.revision()).await;
    }
    prepare(&call).await;
    let slot = Slot::default();
    let (tell, told) = oneshot::channel();
    let work = {
        let (call, slot) = (call.clone(), slot.clone());
        Box::new(move |transaction: &mut dyn Transaction| attempt(&call, transaction, &slot))
    };
    let done = Box::new(move |result| {
        // Nobody waits any more when the server stops; the change stands all the same.
        let _gone = tell.send(result);
    });
    let queued = call.server.plane.store.write(work, done);
    let ended = match queued {
        Ok(()) => told.await.unwrap_or(Err(StoreError::Closed)),
        Err(error) => Err(error),
    };
    if !matches!(ended, Err(StoreError::Aborted)) {
        // A record names what was received, or may do so where the end is not known: then the sweep
        // finds out.
        call.transfer.keep();
    }
    let left = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    let outcome = match (ended, left) {
        (Ok(_), Some(outcome)) => {
            if outcome.notes.queued {
                call.server.jobs_queued.notify_one();
            }
            return outcome;
        }
        (Err(StoreError::Aborted), Some(outcome)) => outcome,
        (Err(error), _) => Outcome::failed(from_store(error)),
        (Ok(_), None) => Outcome::failed(internal("a transaction left no outcome")),
    };
    keep_read(&call, outcome, snapshot.revision()).await
}

/// Lets the operation do its slow work on a thread that nobody else waits for, as many at once as
/// there are places.
pub async fn prepare(call: &Arc<Call>) {
    let Some(prepares) = call.row.prepares else { return };
    let Ok(place) = call.server.slow_places.clone().acquire_owned().await else { return };
    let call = call.clone();
    let work = tokio::task::spawn_blocking(move || {
        let plane = &*call.server.plane;
        let snapshot = plane.store.snapshot();
        let access = Access::Read(&snapshot);
        let mut cx = Context::new(plane, &call.credential.caller, &call.request, access);
        cx.hashes = Some(&call.hashes);
        (cx.transfer, cx.credential) = (Some(&call.transfer), Some(&*call.credential));
        // What goes wrong here goes wrong in the handler too, which says so.
        let _handler_tells = prepares.prepare(&mut cx, &*call.input);
        drop(place);
    });
    if let Err(error) = work.await {
        tracing::error!(%error, "the slow work of a call did not end");
    }
}

/// One run of the transaction.
fn attempt(call: &Call, transaction: &mut dyn Transaction, slot: &Slot) -> Result<(), Abort> {
    let (outcome, kept) = run(call, transaction);
    let commit = outcome.result.is_ok() && kept.is_ok();
    let outcome = match kept {
        Ok(()) => outcome,
        Err(error) => Outcome { result: Err(error), ..outcome },
    };
    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    if commit { Ok(()) } else { Err(Abort::Refused) }
}

fn run(call: &Call, transaction: &mut dyn Transaction) -> (Outcome, Result<()>) {
    let plane = &*call.server.plane;
    let revision = transaction.revision();
    // The caller's own policies may have changed since the request was proven.
    let refreshed = plane.credentials.refresh(
        plane,
        &*transaction,
        &call.credential,
        call.token.as_deref(),
        call.request.at,
    );
    let credential = match refreshed {
        Ok(credential) => credential,
        Err(error) => return (Outcome::failed(error), Ok(())),
    };
    let caller = &credential.caller;
    let mut cx = Context::new(plane, caller, &call.request, Access::Write(transaction));
    cx.hashes = Some(&call.hashes);
    (cx.transfer, cx.credential) = (Some(&call.transfer), Some(&*credential));
    let (decided, result) = permit_and_handle(call, &mut cx, &credential);
    let kept = keep(call, &mut cx, &decided, &result, revision);
    let (notes, reply) = (std::mem::take(&mut cx.notes), std::mem::take(&mut cx.reply));
    (Outcome { result, decided, notes, reply }, kept)
}

/// The record of a success commits with it. That of a failure is kept with the reads.
fn keep(
    call: &Call,
    cx: &mut Context,
    decided: &[Decided],
    result: &Result<Box<dyn Shape + Send>>,
    revision: u64,
) -> Result<()> {
    let Ok(output) = result else { return Ok(()) };
    let notes = std::mem::take(&mut cx.notes);
    let told = record::success(call, decided, &**output, &notes);
    let plane = &call.server.plane;
    let records = audit::records(plane, &call.request, &call.credential, told, revision);
    for record in records {
        cx.audit(record)?;
    }
    cx.notes = notes;
    Ok(())
}
