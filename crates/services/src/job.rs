//! Work that happens after a commit: queued in the transaction that makes it necessary, run in a
//! transaction of its own by the worker of the binary, at its time on the plane's clock.

use crate::SERVICES;
use crate::context::{Context, Request};
use crate::errors::internal;
use palisade_shape::{Result, Timestamp};
use palisade_store::{DueJob, Job};
use serde::{Deserialize, Serialize};

/// One kind of work. It must be idempotent over its subject: look at the record first, and be done
/// when that is gone or as it should be.
pub struct JobKind {
    /// `organizations/create-account`: the service's folder, a slash, and what is done.
    pub name: &'static str,
    /// The service principal that it runs as: `organizations.amazonaws.com`.
    pub principal: &'static str,
    /// Runs in one write transaction, in the account and region that queued it. `subject` is what
    /// was given to [`Context::later`]. An error undoes the transaction; the job runs again later.
    pub run: fn(&mut Context, subject: &str) -> Result<Next>,
}

/// What becomes of a job that ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Done,
    /// The same job again, not before that time.
    Again(Timestamp),
}

/// What the store keeps of a job beyond its kind, account and time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    pub region: String,
    pub subject: String,
    /// How often it failed.
    pub failures: u32,
}

/// The longest that a failing job waits, in seconds.
const WAIT_MAX_SECONDS: i64 = 3_600;

impl Context<'_> {
    /// Queues a job that exists once the transaction commits, for the account and region that are
    /// seen now.
    pub fn later(&mut self, kind: &JobKind, at: Timestamp, subject: &str) -> Result<()> {
        let region = self.region().to_owned();
        let body = Body { region, subject: subject.to_owned(), failures: 0 };
        let job = job(kind.name, self.account(), at, &body)?;
        self.queue(job)
    }
}

fn job(kind: &str, account: &str, at: Timestamp, body: &Body) -> Result<Job> {
    Ok(Job {
        kind: kind.to_owned(),
        account: account.to_owned(),
        run_at_millis: at.millis(),
        body: serde_json::to_vec(body).map_err(internal)?,
    })
}

/// The kind of that name, of whichever service has it.
pub fn kind(name: &str) -> Option<&'static JobKind> {
    SERVICES.iter().flat_map(|service| service.jobs).copied().find(|kind| kind.name == name)
}

/// The region and subject of a job.
pub fn body(due: &DueJob) -> Result<Body> {
    serde_json::from_slice(&due.job.body).map_err(internal)
}

/// The facts of the request that a job's transaction stands for.
pub fn request(base: Request, kind: &'static JobKind, body: &Body) -> Request {
    let (service, operation) = kind.name.split_once('/').unwrap_or((kind.name, ""));
    Request { region: body.region.clone(), service, operation, ..base }
}

/// Runs a job in the transaction of `cx` and takes it off the queue, or puts it back for its next
/// time. Two nodes that run it at once conflict here, and one of them undoes what it did.
pub fn run(cx: &mut Context, kind: &JobKind, due: &DueJob, body: &Body) -> Result<()> {
    let next = cx.in_account(&due.job.account, |cx| (kind.run)(cx, &body.subject))?;
    cx.finish(due.id)?;
    if let Next::Again(at) = next {
        let body = Body { failures: 0, ..body.clone() };
        cx.queue(job(kind.name, &due.job.account, at, &body)?)?;
    }
    Ok(())
}

/// Puts a job that failed back: it waits one second, and twice as long after each further failure,
/// up to an hour.
pub fn postpone(cx: &mut Context, due: &DueJob, body: &Body) -> Result<()> {
    let wait = 1_i64.checked_shl(body.failures).unwrap_or(WAIT_MAX_SECONDS);
    let at = cx.now().plus_seconds(wait.clamp(1, WAIT_MAX_SECONDS));
    let body = Body { failures: body.failures.saturating_add(1), ..body.clone() };
    cx.finish(due.id)?;
    cx.queue(job(&due.job.kind, &due.job.account, at, &body)?)
}

#[cfg(test)]
mod tests;
