//! The worker of durable jobs: runs each in a transaction of its own, as the service it belongs to,
//! when its time has come on the plane's clock.

use crate::first_start::request_of_start;
use crate::server::Server;
use palisade_services::caller::Caller;
use palisade_services::context::{Access, Context};
use palisade_services::job::{self, JobKind};
use palisade_store::{Abort, DueJob, Read, Transaction};
use std::sync::Arc;
use std::time::Duration;

/// How often to look for jobs that nobody rang for: those whose time has come, and other nodes'.
const PERIOD: Duration = Duration::from_secs(1);
/// Jobs read at once.
const BATCH: usize = 64;
/// Jobs run before others get a turn. After a leap of the clock, work that repeats ends here too.
const ROUND_MAX: usize = 10_000;

/// Runs what is due, until the server is dropped.
pub async fn work(server: Arc<Server>) {
    loop {
        run_due(&server).await;
        tokio::select! {
            () = server.jobs_queued.notified() => {}
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

/// Runs all jobs that are due now, and those that they queue. One caller at a time.
pub async fn run_due(server: &Arc<Server>) {
    let _turn = server.jobs_turn.lock().await;
    let mut ran = 0;
    while ran < ROUND_MAX {
        let now = server.plane.clock.now().millis();
        let found = server.reading(|| server.plane.store.snapshot().due_jobs(now, BATCH));
        let due = match found {
            Ok(due) if due.is_empty() => return,
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(%error, "cannot read the queue of jobs");
                return;
            }
        };
        ran += due.len();
        for one in due {
            run_one(server, one).await;
        }
    }
    tracing::warn!(ran, "the queue of jobs does not get shorter");
}

async fn run_one(server: &Arc<Server>, due: DueJob) {
    let due = Arc::new(due);
    let kind = job::kind(&due.job.kind);
    let done = match kind {
        Some(kind) => transact(server, kind, &due, false).await,
        None => Err("no service of this version has such jobs".to_owned()),
    };
    let Err(error) = done else { return };
    tracing::warn!(kind = due.job.kind, account = due.job.account, error, "a job failed");
    let postponed = transact(server, kind.unwrap_or(&UNKNOWN), &due, true).await;
    if let Err(error) = postponed {
        tracing::debug!(kind = due.job.kind, error, "another node took the job");
    }
}

/// Stands for a kind that only another version knows, to put its job back.
static UNKNOWN: JobKind = JobKind {
    name: "palisade/unknown",
    principal: "palisade.internal",
    run: |_, _| Ok(job::Next::Done),
};

/// One transaction: the job's work, or its postponement.
async fn transact(
    server: &Arc<Server>,
    kind: &'static JobKind,
    due: &Arc<DueJob>,
    postpone: bool,
) -> Result<(), String> {
    let body = job::body(due).map_err(|error| error.to_string())?;
    let (plane, due) = (server.plane.clone(), due.clone());
    let why = Arc::new(std::sync::Mutex::new(None));
    let told = why.clone();
    let work = Box::new(move |transaction: &mut dyn Transaction| {
        let request = job::request(request_of_start(&plane), kind, &body);
        let caller = Caller::service(kind.principal);
        let mut cx = Context::new(&plane, &caller, &request, Access::Write(transaction));
        let result = match postpone {
            true => job::postpone(&mut cx, &due, &body),
            false => job::run(&mut cx, kind, &due, &body),
        };
        result.map_err(|error| {
            let text = format!("{error} {}", error.internal.as_deref().unwrap_or_default());
            *told.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(text);
            Abort::Refused
        })
    });
    let (tell, ended) = tokio::sync::oneshot::channel();
    let done = Box::new(move |result| {
        // Nobody waits any more when the server stops.
        let _gone = tell.send(result);
    });
    server.plane.store.write(work, done).map_err(|error| error.to_string())?;
    let ended = ended.await.map_err(|error| error.to_string())?;
    let why = why.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    ended.map(drop).map_err(|error| why.unwrap_or_else(|| error.to_string()))
}
