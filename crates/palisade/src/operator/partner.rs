//! `POST /_palisade/delegation-partners`: takes an account on as a partner that may ask for
//! delegated access, as AWS does by hand.

use super::{Answer, refuse};
use crate::first_start;
use crate::server::Server;
use palisade_services::accounts::ACCOUNTS;
use palisade_services::iam::delegation_partner::{self, Partner};
use serde_json::json;
use std::sync::Arc;

pub async fn register(server: &Arc<Server>, body: &[u8]) -> Answer {
    let wanted: Partner = serde_json::from_slice(body)
        .map_err(|error| refuse(400, "ValidationException", error.to_string()))?;
    let account = wanted.account.clone();
    first_start::as_operator(server, move |cx| {
        cx.find(&ACCOUNTS, &wanted.account)?;
        delegation_partner::register(cx, &wanted)
    })
    .await
    .map_err(|message| refuse(400, "ValidationException", message))?;
    Ok(json!({ "account": account }))
}
