//! What a data folder of an older version lacks: documents that this version expects. Each upgrade
//! is made once, in order, in one transaction with the note that it was. An upgrade that was
//! released is never edited; one that finds its work done changes nothing.

use crate::first_start::{read_note, transact};
use palisade_services::accounts;
use palisade_services::caller::Caller;
use palisade_services::context::{Access, Context, from_store};
use palisade_services::errors::internal;
use palisade_services::plane::Plane;
use palisade_shape::Result;
use palisade_store::{Key, Transaction};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const NOTE: Key<'static> = Key { collection: "plane/upgrade", account: "", region: "", key: "all" };

/// How many of [`UPGRADES`] the store has.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    done: usize,
}

static UPGRADES: [fn(&mut Context) -> Result<()>; 1] = [
    // 1: which account has an e-mail address (2026-11).
    accounts::index_emails,
];

/// Notes in a transaction that what it makes needs no upgrade.
pub fn note(transaction: &mut dyn Transaction) -> Result<()> {
    let body = serde_json::to_vec(&Note { done: UPGRADES.len() }).map_err(internal)?;
    transaction.put(&NOTE, &body).map_err(from_store)
}

/// Makes the upgrades that the store lacks.
pub fn upgrade(plane: &Arc<Plane>) -> std::result::Result<(), String> {
    let noted: Option<(Note, u64)> = read_note(&plane.store, &NOTE)?;
    let done = noted.map_or(0, |(note, _)| note.done);
    let Some(missing) = UPGRADES.get(done..).filter(|missing| !missing.is_empty()) else {
        return Ok(());
    };
    transact(plane, move |plane, transaction| {
        let caller = Caller::root(&plane.settings.account_id);
        let request = crate::first_start::request_of_start(plane);
        let mut cx = Context::new(plane, &caller, &request, Access::Write(&mut *transaction));
        for upgrade in missing {
            upgrade(&mut cx)?;
        }
        note(transaction)
    })
}
