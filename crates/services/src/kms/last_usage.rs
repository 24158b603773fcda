//! When a key last did cryptography, and which call that was. Kept in memory and flushed to the
//! store by the server from time to time, as the last uses of access keys are.
//!
//! Source: AWS KMS API reference, GetKeyLastUsage.

use super::key::{self, KEYS, Key};
use super::key_id;
use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use palisade_model::kms::{GetKeyLastUsageRequest, GetKeyLastUsageResponse, KeyLastUsageData};
use palisade_shape::{Result, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The last use of one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyUse {
    /// The key's row.
    row: String,
    account: String,
    at_millis: i64,
    operation: String,
    request_id: String,
}

static LAST_USES: Table<KeyUse> = Table::of_private(
    "kms/last-use",
    Scope::Account,
    |one| one.row.clone(),
    |one| internal(format!("the use of {} is there already", one.row)),
    |row| internal(format!("the use of {row} is not there")),
);

/// The uses since the last flush, by account and row.
#[derive(Default)]
pub struct KeyUses(Mutex<BTreeMap<(String, String), KeyUse>>);

impl KeyUses {
    fn get(&self, account: &str, row: &str) -> Option<KeyUse> {
        let uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        uses.get(&(account.to_owned(), row.to_owned())).cloned()
    }

    /// Takes out all that was noted, to be stored.
    pub fn drain(&self) -> Vec<KeyUse> {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *uses).into_values().collect()
    }
}

/// Notes that the call used the key.
pub fn note(cx: &Context, key: &Key) {
    let (row, account) = (key.row(), key.account.clone());
    let last = KeyUse {
        row: row.clone(),
        account: account.clone(),
        at_millis: cx.now().millis(),
        operation: cx.request.operation.to_owned(),
        request_id: cx.request.id.clone(),
    };
    let mut uses = cx.plane.key_uses.0.lock().unwrap_or_else(PoisonError::into_inner);
    uses.insert((account, row), last);
}

/// Stores what was noted, of keys that are still there.
pub fn store(cx: &mut Context, uses: &[KeyUse]) -> Result<()> {
    for one in uses {
        cx.in_account(&one.account, |cx| match cx.exists(&KEYS, &one.row)? {
            true => cx.put(&LAST_USES, one),
            false => Ok(()),
        })?;
    }
    Ok(())
}

/// The last use of a key. Seen from its account.
fn last(cx: &Context, key: &Key) -> Result<Option<KeyUse>> {
    match cx.plane.key_uses.get(&key.account, &key.row()) {
        Some(fresh) => Ok(Some(fresh)),
        None => cx.get(&LAST_USES, &key.row()),
    }
}

/// For `kms:TrailingDaysWithoutKeyUsage`: whole days since the last use, or since the creation of a
/// key that was never used. Seen from the key's account.
pub fn idle_days(cx: &Context, key: &Key) -> Result<i64> {
    let since = last(cx, key)?.map_or(key.created_millis, |one| one.at_millis);
    Ok((cx.now().millis() - since).div_euclid(24 * 3600 * 1000))
}

pub fn get_key_last_usage(
    cx: &mut Context,
    input: GetKeyLastUsageRequest,
) -> Result<GetKeyLastUsageResponse> {
    let GetKeyLastUsageRequest { key_id } = input;
    let key = key_id::load_by_id(cx, &key_id)?;
    let account = key.account.clone();
    let found = cx.in_account(&account, |cx| last(cx, &key))?;
    key::touch(cx, &key);
    let created = Timestamp::from_millis(key.created_millis);
    Ok(GetKeyLastUsageResponse {
        key_id: Some(key.arn()),
        key_last_usage: found.map(|one| KeyLastUsageData {
            operation: Some(one.operation),
            timestamp: Some(Timestamp::from_millis(one.at_millis)),
            cloud_trail_event_id: Some(one.request_id.clone()),
            kms_request_id: Some(one.request_id),
        }),
        // Every use is noted from the first on.
        tracking_start_date: Some(created),
        key_creation_date: Some(created),
    })
}
