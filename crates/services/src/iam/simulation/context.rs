//! `ContextEntries`: the request context that a simulation is given.
//!
//! Source: IAM API reference, ContextEntry; the texts of the errors are AWS's as observed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use palisade_model::iam::{ContextEntry, INVALID_INPUT};
use palisade_policy::Lookup;
use palisade_shape::{Error, Result};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Keys in lower case with their values.
#[derive(Clone, Debug, Default)]
pub struct Given {
    keys: BTreeMap<String, Value>,
}

#[derive(Clone, Debug)]
enum Value {
    One(String),
    Many(Vec<Cow<'static, str>>),
}

impl Given {
    /// Reads entries, each of its type. A list type makes a multivalued key, whatever it holds.
    pub fn read(entries: &[ContextEntry]) -> Result<Self> {
        let mut given = Self::default();
        for entry in entries {
            let ContextEntry { context_key_name, context_key_values, context_key_type } = entry;
            let name = context_key_name.as_deref().unwrap_or_default();
            if name.is_empty() {
                return Err(invalid("ContextKeyName cannot be null or empty."));
            }
            let Some(kind) = context_key_type.as_deref() else {
                return Err(invalid(format!("Context key {name} has invalid type null.")));
            };
            let values = context_key_values.clone().unwrap_or_default();
            check(name, kind, &values)?;
            let value = match kind.ends_with("List") {
                true => Value::Many(values.into_iter().map(Cow::Owned).collect()),
                false => Value::One(values.into_iter().next().unwrap_or_default()),
            };
            if given.keys.insert(name.to_lowercase(), value).is_some() {
                return Err(invalid(format!("Duplicate context key: {name}.")));
            }
        }
        Ok(given)
    }

    /// Adds a key from elsewhere than the API: one value, or several of a multivalued key.
    pub fn set(&mut self, key: &str, values: Vec<String>, several: bool) {
        let value = match several {
            true => Value::Many(values.into_iter().map(Cow::Owned).collect()),
            false => Value::One(values.into_iter().next().unwrap_or_default()),
        };
        self.keys.insert(key.to_lowercase(), value);
    }

    /// What was given for a key in lower case.
    pub fn get(&self, key: &str) -> Option<Lookup<'_>> {
        Some(match self.keys.get(key)? {
            Value::One(value) => Lookup::one(value),
            Value::Many(values) => Lookup::Many(Cow::Borrowed(values)),
        })
    }

    /// Whether the key, in any case, was given.
    pub fn has(&self, key: &str) -> bool {
        self.keys.contains_key(&key.to_lowercase())
    }
}

fn invalid(message: impl Into<Cow<'static, str>>) -> Error {
    INVALID_INPUT.because(message)
}

fn check(name: &str, kind: &str, values: &[String]) -> Result<()> {
    if values.is_empty() {
        let text = format!("Context values for context key {name} cannot be null or empty.");
        return Err(invalid(text));
    }
    let element = kind.strip_suffix("List");
    if element.is_none() && values.len() != 1 {
        let count = values.len();
        let text = format!("Context key {kind} expected a single value, but received {count}.");
        return Err(invalid(text));
    }
    let (fits, wanted): (fn(&str) -> bool, _) = match element.unwrap_or(kind) {
        "numeric" => (is_number, "numeric format"),
        "date" => (is_date, "DateTime format"),
        "ip" => (is_address, "IP address"),
        "binary" => (is_binary, "base-64 encoded binary format"),
        // AWS takes any text for a string, and for a boolean, which then is not true.
        _ => return Ok(()),
    };
    match values.iter().all(|value| fits(value)) {
        true => Ok(()),
        false => Err(invalid(format!("Invalid context value for key {name}: expected {wanted}."))),
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.bytes().any(|byte| byte.is_ascii_digit());
    digits && text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// ISO 8601 as the policy language takes it, or epoch seconds.
fn is_date(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok()
        || text.parse::<jiff::civil::DateTime>().is_ok()
        || format!("{text}-01").parse::<jiff::civil::Date>().is_ok()
        || is_number(text)
}

/// An address or a block of them.
fn is_address(text: &str) -> bool {
    let (address, bits) = text.split_once('/').unwrap_or((text, "0"));
    let most = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    bits.parse::<u8>().is_ok_and(|bits| bits <= most)
}

fn is_binary(text: &str) -> bool {
    STANDARD.decode(text).is_ok()
}
