//! What a `KeyId` names: a key by its id or ARN, or by an alias's name or ARN.
//!
//! Source: AWS KMS Developer Guide, "Key identifiers (KeyId)".

use super::alias::ALIASES;
use super::key::{self, KEYS, Key};
use crate::context::Context;
use palisade_model::kms::{INVALID_ARN_EXCEPTION, NOT_FOUND_EXCEPTION};
use palisade_policy::arn::{Arn, is_account_id};
use palisade_shape::{Error, Result};

/// A `KeyId`, read. It says nothing of whether there is such a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyName {
    pub account: String,
    /// The key's id, or the alias with its `alias/`.
    pub name: String,
}

impl KeyName {
    pub fn is_alias(&self) -> bool {
        self.name.starts_with("alias/")
    }
}

/// Reads a `KeyId`.
pub fn parse(cx: &Context, text: &str) -> Result<KeyName> {
    if !text.starts_with("arn:") {
        let known = text.starts_with("alias/") || is_key_id(text);
        return match known {
            true => Ok(KeyName { account: cx.account().to_owned(), name: text.to_owned() }),
            false => Err(NOT_FOUND_EXCEPTION.because(format!("Invalid keyId '{text}'"))),
        };
    }
    let invalid = || INVALID_ARN_EXCEPTION.because(format!("Invalid arn {text}"));
    let arn = Arn::parse(text).ok_or_else(invalid)?;
    let name = match arn.resource.split_once('/') {
        Some(("key", id)) if !id.is_empty() => id,
        Some(("alias", alias)) if !alias.is_empty() => arn.resource,
        _ => return Err(invalid()),
    };
    if arn.service != "kms" || !is_account_id(arn.account) {
        return Err(invalid());
    }
    if arn.region != cx.region() {
        return Err(NOT_FOUND_EXCEPTION.because(format!("Invalid arn {}", arn.region)));
    }
    Ok(KeyName { account: arn.account.to_owned(), name: name.to_owned() })
}

/// A UUID, or `mrk-` and 32 hexadecimal digits.
fn is_key_id(text: &str) -> bool {
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    match text.strip_prefix("mrk-") {
        Some(rest) => rest.len() == 32 && hex(rest),
        None => text.len() == 36 && hex(text),
    }
}

/// The id of the key that a name stands for, if it stands for one.
pub fn id_of(cx: &mut Context, name: &KeyName) -> Result<Option<String>> {
    if !name.is_alias() {
        return Ok(Some(name.name.clone()));
    }
    let row = key::row(cx.region(), &name.name);
    let alias = cx.in_account(&name.account, |cx| cx.get(&ALIASES, &row))?;
    Ok(alias.map(|alias| alias.key_id))
}

/// The key of a name, if it is there.
pub fn get(cx: &mut Context, name: &KeyName) -> Result<Option<Key>> {
    let Some(id) = id_of(cx, name)? else { return Ok(None) };
    let row = key::row(cx.region(), &id);
    cx.in_account(&name.account, |cx| cx.get(&KEYS, &row))
}

/// The key that a `KeyId` names, or AWS's answer that there is none.
pub fn load(cx: &mut Context, text: &str) -> Result<Key> {
    let name = parse(cx, text)?;
    get(cx, &name)?.ok_or_else(|| missing(cx, &name))
}

/// The key that a `KeyId` names, for calls that take no alias.
pub fn load_by_id(cx: &mut Context, text: &str) -> Result<Key> {
    refuse_alias(cx, text)?;
    load(cx, text)
}

/// Refuses the name of an alias, for calls that take a key's id or ARN alone.
pub fn refuse_alias(cx: &Context, text: &str) -> Result<()> {
    match parse(cx, text)?.is_alias() && text.starts_with("arn:") {
        true => Err(INVALID_ARN_EXCEPTION.because(format!("{text} is not a valid key ARN"))),
        false if text.starts_with("alias/") => {
            Err(NOT_FOUND_EXCEPTION.because(format!("Invalid keyId '{text}'")))
        }
        false => Ok(()),
    }
}

pub fn missing(cx: &Context, name: &KeyName) -> Error {
    let KeyName { account, name: resource } = name;
    let region = cx.region();
    if name.is_alias() {
        let text = format!("Alias arn:aws:kms:{region}:{account}:{resource} is not found.");
        return NOT_FOUND_EXCEPTION.because(text);
    }
    let arn = key::arn(region, account, resource);
    NOT_FOUND_EXCEPTION.because(format!("Key '{arn}' does not exist"))
}
