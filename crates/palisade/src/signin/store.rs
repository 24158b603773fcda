//! The sign-in's own way to the store: reads of a snapshot, and changes that wait until they are
//! durable together with their events.

use super::door::Visit;
use crate::server::Server;
use palisade_services::caller::Caller;
use palisade_services::context::{Access, Context, Request, from_store};
use palisade_services::errors::internal;
use palisade_shape::Result;
use palisade_store::{Abort, StoreError, Transaction};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long slow work waits for its turn.
const TURN_SECONDS_MAX: u64 = 10;

/// Looks at the store. Nobody is signed in for it: accounts are named by whoever asks.
pub fn read<T>(visit: &Visit<'_>, work: impl FnOnce(&mut Context) -> Result<T>) -> Result<T> {
    visit.server.reading(|| read_now(visit.server, &visit.request, work))
}

/// The same, on a thread that may wait.
pub fn read_now<T>(
    server: &Server,
    request: &Request,
    work: impl FnOnce(&mut Context) -> Result<T>,
) -> Result<T> {
    let snapshot = server.plane.store.snapshot();
    let caller = Caller::anonymous();
    let mut cx = Context::new(&server.plane, &caller, request, Access::Read(&snapshot));
    work(&mut cx)
}

/// Hashes on a thread that nobody else waits for. None when it is not its turn in time.
pub async fn slowly<T: Send + 'static>(
    visit: &Visit<'_>,
    work: impl FnOnce(&Arc<Server>, &Request) -> Result<T> + Send + 'static,
) -> Result<Option<T>> {
    let places = visit.server.slow_places.clone();
    let turn = Duration::from_secs(TURN_SECONDS_MAX);
    let Ok(Ok(place)) = tokio::time::timeout(turn, places.acquire_owned()).await else {
        return Ok(None);
    };
    let (server, request) = (visit.server.clone(), visit.request.clone());
    let done = tokio::task::spawn_blocking(move || {
        let done = work(&server, &request);
        drop(place);
        done
    });
    done.await.map_err(internal)?.map(Some)
}

/// Changes the store, and waits until the change is durable. `work` may run more than once.
pub async fn commit<T: Send + 'static>(
    visit: &Visit<'_>,
    mut work: impl FnMut(&mut Context) -> Result<T> + Send + 'static,
) -> Result<T> {
    let slot: Arc<Mutex<Option<Result<T>>>> = Arc::default();
    let (tell, told) = oneshot::channel();
    let (server, request, left) = (visit.server.clone(), visit.request.clone(), slot.clone());
    let run = Box::new(move |transaction: &mut dyn Transaction| {
        let caller = Caller::anonymous();
        let access = Access::Write(transaction);
        let result = work(&mut Context::new(&server.plane, &caller, &request, access));
        let ended = if result.is_ok() { Ok(()) } else { Err(Abort::Refused) };
        *left.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        ended
    });
    let done = Box::new(move |result| {
        // Nobody waits any more when the client is gone; the change stands all the same.
        let _gone = tell.send(result);
    });
    visit.server.plane.store.write(run, done).map_err(from_store)?;
    let ended = told.await.unwrap_or(Err(StoreError::Closed));
    let left = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (ended, left) {
        (Ok(_) | Err(StoreError::Aborted), Some(result)) => result,
        (Err(error), _) => Err(from_store(error)),
        (Ok(_), None) => Err(internal("a transaction left no outcome")),
    }
}
