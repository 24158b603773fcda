//! `GET /_palisade/outbox`: the mail that Palisade has for people. It holds codes that make their
//! reader a root user, so outside lab mode only who holds the operator's token reads it.

use super::{Answer, Reach, refuse};
use crate::server::Server;
use palisade_services::caller::Caller;
use palisade_services::context::{Access, Context};
use palisade_services::outbox::{self, Sent};
use serde_json::{Value, json};

pub fn messages(server: &Server, reach: &Reach) -> Answer {
    if !server.plane.settings.lab && matches!(reach, Reach::Account { .. }) {
        return Err(refuse(403, "AccessDenied", "The outbox is for the operator's token."));
    }
    let snapshot = server.plane.store.snapshot();
    let (caller, request) =
        (Caller::anonymous(), crate::first_start::request_of_start(&server.plane));
    let cx = Context::new(&server.plane, &caller, &request, Access::Read(&snapshot));
    let sent = server.reading(|| outbox::messages(&cx));
    let sent = sent.map_err(|error| refuse(500, "InternalFailure", error.to_string()))?;
    Ok(json!({ "messages": sent.iter().map(shown).collect::<Vec<_>>() }))
}

fn shown(sent: &Sent) -> Value {
    let Sent { id, at, account, kind, to, subject, text, code } = sent;
    let at = jiff::Timestamp::from_millisecond(at.millis()).unwrap_or_default().to_string();
    json!({
        "id": id,
        "time": at,
        "account": account,
        "kind": kind,
        "to": to,
        "subject": subject,
        "text": text,
        "code": code,
    })
}
