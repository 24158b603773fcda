//! The record stage: one CloudTrail event and one decision record for every call.

use crate::pipeline::{Call, Outcome};
use crate::server::Server;
use palisade_services::audit;
use palisade_services::authorization::{Credential, Decided};
use palisade_services::context::{Notes, Request, from_store};
use palisade_services::reads::Reads;
use palisade_shape::{Result, Shape};
use palisade_store::StoreError;
use tokio::sync::oneshot;

pub use palisade_services::audit::Told;

/// What there is to tell of a call that succeeded.
pub fn success<'a>(
    call: &'a Call,
    decided: &'a [Decided],
    output: &'a dyn Shape,
    notes: &'a Notes,
) -> Told<'a> {
    let input = Some((*call.input).as_shape());
    let effect = Some(call.row.effect);
    Told { input, output: Some(output), error: None, decided, notes, effect }
}

/// What there is to tell of a call, however it ended.
pub fn told<'a>(call: &'a Call, outcome: &'a Outcome) -> Told<'a> {
    Told {
        input: Some((*call.input).as_shape()),
        output: outcome.result.as_ref().ok().map(|output| &**output as &dyn Shape),
        error: outcome.result.as_ref().err(),
        decided: &outcome.decided,
        notes: &outcome.notes,
        effect: Some(call.row.effect),
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
    told: Told<'_>,
    revision: u64,
) -> Result<Kept<'a>> {
    let reads = &server.plane.reads;
    let mut kept = Kept { reads, queued: None, syncing: Vec::new() };
    for record in audit::records(&server.plane, request, credential, told, revision) {
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
