//! Grant tokens: they name a grant, sealed so that nobody else makes them. A grant counts from its
//! creation on here, so that a token adds nothing to it but is proven all the same.

use super::key::Key;
use crate::context::Context;
use crate::errors::internal;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use palisade_model::kms::INVALID_GRANT_TOKEN_EXCEPTION;
use palisade_shape::{Error, Result};
use serde::{Deserialize, Serialize};

const PURPOSE: &str = "kms/grant-token";

/// The grant that a token names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    pub account: String,
    pub region: String,
    pub key_id: String,
    pub grant_id: String,
}

fn invalid() -> Error {
    INVALID_GRANT_TOKEN_EXCEPTION.because("The grant token is not valid.")
}

/// A new token of a grant.
pub fn make(cx: &Context, key: &Key, grant_id: &str) -> Result<String> {
    let named = Named {
        account: key.account.clone(),
        region: key.region.clone(),
        key_id: key.id.clone(),
        grant_id: grant_id.to_owned(),
    };
    let json = serde_json::to_vec(&named).map_err(internal)?;
    let random = &mut |bytes: &mut [u8]| cx.plane.random.fill(bytes);
    let sealed = cx.plane.sealer.seal(PURPOSE, "", &json, random).map_err(internal)?;
    Ok(URL_SAFE_NO_PAD.encode(sealed))
}

/// The grant that a token names.
pub fn open(cx: &Context, token: &str) -> Result<Named> {
    let sealed = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
    let json = cx.plane.sealer.unseal(PURPOSE, "", &sealed).map_err(|_| invalid())?;
    serde_json::from_slice(&json).map_err(|_| invalid())
}

/// Refuses a list of tokens with one that is none.
pub fn check(cx: &Context, tokens: Option<&[String]>) -> Result<()> {
    tokens.unwrap_or_default().iter().try_for_each(|token| open(cx, token).map(drop))
}
