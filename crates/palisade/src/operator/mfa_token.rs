//! `POST /_palisade/mfa-tokens` and `DELETE …/<serial number>`: hardware tokens.

use super::{Answer, refuse};
use crate::first_start;
use crate::server::Server;
use palisade_services::iam::mfa;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct LoadMfaToken {
    serial_number: String,
    /// In base32.
    seed: String,
}

/// A hardware token that a user may enable then by its serial number.
pub async fn load(server: &Arc<Server>, body: &[u8]) -> Answer {
    let wanted: LoadMfaToken = serde_json::from_slice(body)
        .map_err(|error| refuse(400, "ValidationException", error.to_string()))?;
    let serial_number = wanted.serial_number.clone();
    first_start::as_operator(server, move |cx| {
        mfa::load_token(cx, &wanted.serial_number, &wanted.seed)
    })
    .await
    .map_err(|message| refuse(400, "ValidationException", message))?;
    Ok(json!({ "serialNumber": serial_number }))
}

pub async fn unload(server: &Arc<Server>, serial_number: &str) -> Answer {
    let serial = serial_number.to_owned();
    first_start::as_operator(server, move |cx| mfa::unload_token(cx, &serial))
        .await
        .map_err(|message| refuse(400, "ValidationException", message))?;
    Ok(json!({ "serialNumber": serial_number }))
}
