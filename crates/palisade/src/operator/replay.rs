//! `POST /_palisade/replay`: which recorded calls other policies of organizations would turn round.

use super::{Answer, refuse};
use crate::first_start::request_of_start;
use crate::replay::{Instead, replay};
use crate::server::Server;
use palisade_services::authorization::standing;
use palisade_services::caller::Caller;
use palisade_services::context::{Access, Context};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Calls of an account that one request may have decided again.
pub const CALLS_MAX: usize = 10_000;

/// The body of the request.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// The newest calls of each account that are looked at.
    pub limit: usize,
    pub instead: Instead,
}

/// Who is of an account asks about it alone, or about the members of the organization that it
/// manages.
pub(super) async fn answer(server: &Arc<Server>, body: &[u8], account: Option<&str>) -> Answer {
    let Wanted { limit, instead } = serde_json::from_slice(body)
        .map_err(|error| refuse(400, "ValidationException", error.to_string()))?;
    if !(1..=CALLS_MAX).contains(&limit) {
        let message = format!("`limit` is a number from 1 to {CALLS_MAX}.");
        return Err(refuse(400, "ValidationException", message));
    }
    if let Some(own) = account {
        for other in instead.accounts.keys() {
            if other != own && manager(server, other)?.as_deref() != Some(own) {
                let message = format!("Account {other} is not managed by account {own}.");
                return Err(refuse(403, "AccessDenied", message));
            }
        }
    }
    let server = server.clone();
    let replayed = tokio::task::spawn_blocking(move || replay(&server, &instead, limit));
    let failed = |error: String| refuse(500, "InternalFailure", error);
    let replayed = replayed.await.map_err(|error| failed(error.to_string()))?;
    let replayed = replayed.map_err(|error| {
        refuse(400, "ValidationException", error.internal.unwrap_or(error.message.into_owned()))
    })?;
    serde_json::to_value(replayed).map_err(|error| failed(error.to_string()))
}

/// The management account of the organization that an account is in.
fn manager(server: &Server, account: &str) -> Result<Option<String>, super::Refusal> {
    let (caller, request) = (Caller::root(account), request_of_start(&server.plane));
    let snapshot = server.plane.store.snapshot();
    let cx = Context::new(&server.plane, &caller, &request, Access::Read(&snapshot));
    let standing = server.reading(|| standing(&cx, account));
    let standing = standing.map_err(|error| refuse(500, "InternalFailure", error.to_string()))?;
    Ok(standing.management_account().map(str::to_owned))
}
