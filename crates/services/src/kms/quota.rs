//! How many customer managed keys a region of an account has, and may have.
//!
//! Source: AWS KMS Developer Guide, "Resource quotas".

use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use palisade_model::kms::LIMIT_EXCEEDED_EXCEPTION;
use palisade_shape::Result;
use serde::{Deserialize, Serialize};

const KEYS_MAX: u64 = 100_000;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Count {
    region: String,
    keys: u64,
}

static COUNTS: Table<Count> = Table::of_private(
    "kms/key-count",
    Scope::Account,
    |count| count.region.clone(),
    |count| internal(format!("the keys of {} are counted already", count.region)),
    |region| internal(format!("the keys of {region} are not counted")),
);

/// Counts one more key of the call's region, or refuses it.
pub fn take_key(cx: &mut Context) -> Result<()> {
    let region = cx.region().to_owned();
    take_key_in(cx, &region)
}

/// Counts one more key of a region, or refuses it.
pub fn take_key_in(cx: &mut Context, region: &str) -> Result<()> {
    let keys = cx.get(&COUNTS, region)?.map_or(0, |count| count.keys) + 1;
    if keys > KEYS_MAX {
        let text = format!("The number of KMS keys in {region} has reached {KEYS_MAX}.");
        return Err(LIMIT_EXCEEDED_EXCEPTION.because(text));
    }
    cx.put(&COUNTS, &Count { region: region.to_owned(), keys })
}

/// Counts one key less.
pub fn give_back_key(cx: &mut Context, region: &str) -> Result<()> {
    let keys = cx.get(&COUNTS, region)?.map_or(0, |count| count.keys.saturating_sub(1));
    cx.put(&COUNTS, &Count { region: region.to_owned(), keys })
}
