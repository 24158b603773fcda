//! `POST /_palisade/accounts` and `…/<id>/reopen`: accounts beside the one of the first start, and
//! suspended ones again.

use super::{Answer, refuse};
use crate::first_start;
use crate::server::Server;
use palisade_services::organizations;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateAccount {
    name: String,
    email: String,
    id: Option<String>,
}

/// Another account with its root key, until Organizations makes them.
pub async fn create(server: &Arc<Server>, body: &[u8]) -> Answer {
    let wanted: CreateAccount = serde_json::from_slice(body)
        .map_err(|error| refuse(400, "ValidationException", error.to_string()))?;
    if wanted.id.as_deref().is_some_and(|id| !crate::config::is_account_id(id)) {
        return Err(refuse(400, "ValidationException", "An account id is twelve digits."));
    }
    let plane = server.plane.clone();
    let made = tokio::task::spawn_blocking(move || {
        first_start::create_account(&plane, wanted.id, &wanted.name, &wanted.email)
    });
    let made = made.await.map_err(|error| refuse(500, "InternalFailure", error.to_string()))?;
    let key = made.map_err(|message| refuse(400, "ValidationException", message))?;
    Ok(json!({
        "accountId": key.account,
        "accessKeyId": key.access_key_id,
        "secretAccessKey": key.secret,
        "email": key.email,
        "password": key.password,
    }))
}

/// Opens a suspended account again, which AWS's support does on request.
pub async fn reopen(server: &Arc<Server>, account: &str) -> Answer {
    let id = account.to_owned();
    first_start::as_operator(server, move |cx| organizations::closure::reopen(cx, &id))
        .await
        .map_err(|message| refuse(400, "ValidationException", message))?;
    Ok(json!({ "accountId": account }))
}
