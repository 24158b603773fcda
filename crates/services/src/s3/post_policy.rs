//! The policy of a form that a browser uploads: until when it may be sent, what its fields may say
//! and how large the file may be.
//!
//! Source: Amazon S3 API Reference, "POST Policy".

use super::error::{ACCESS_DENIED, ENTITY_TOO_LARGE, ENTITY_TOO_SMALL, INVALID_POLICY_DOCUMENT};
use super::post_form::PostForm;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use palisade_shape::{Error, Result, Timestamp};
use serde_json::Value;

/// Fields that no condition has to name.
const EXEMPT: [&str; 3] = ["file", "policy", "x-amz-signature"];
/// What the names of fields begin with that nobody reads.
const IGNORED: &str = "x-ignore-";

/// A policy as it was signed.
#[derive(Debug)]
pub struct PostPolicy {
    expires: jiff::Timestamp,
    conditions: Vec<Condition>,
    sizes: Option<Sizes>,
}

/// How many bytes the file may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    pub least: u64,
    pub most: u64,
}

#[derive(Debug)]
struct Condition {
    /// In lower case, without the dollar sign.
    field: String,
    kind: Kind,
    value: String,
    /// As it was written, for telling which failed.
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Eq,
    StartsWith,
}

impl PostPolicy {
    /// Reads a policy as it is in the form: base64 of a JSON document.
    ///
    /// # Errors
    /// `InvalidPolicyDocument`.
    pub fn parse(encoded: &str) -> Result<Self> {
        let encoded: String = encoded.split_ascii_whitespace().collect();
        let text = STANDARD.decode(encoded).map_err(|_| invalid("Invalid base64."))?;
        let text = String::from_utf8(text).map_err(|_| invalid("Invalid JSON."))?;
        let document: Value =
            serde_json::from_str(&plain_json(&text)).map_err(|_| invalid("Invalid JSON."))?;
        let Value::Object(members) = document else { return Err(invalid("Invalid JSON.")) };
        let unknown =
            members.keys().find(|name| !matches!(name.as_str(), "expiration" | "conditions"));
        if let Some(name) = unknown {
            return Err(invalid(format!("Unexpected: '{name}'.")));
        }
        let expiration =
            members.get("expiration").ok_or_else(|| invalid("Policy missing expiration."))?;
        let expires = expiration.as_str().and_then(|text| text.parse().ok());
        let expires =
            expires.ok_or_else(|| invalid(format!("Invalid 'expiration' value: {expiration}")))?;
        let conditions =
            members.get("conditions").ok_or_else(|| invalid("Policy missing conditions."))?;
        let Value::Array(list) = conditions else {
            return Err(invalid("Invalid 'conditions' value: must be a List."));
        };
        let mut policy = Self { expires, conditions: Vec::new(), sizes: None };
        for condition in list {
            policy.add(condition)?;
        }
        Ok(policy)
    }

    fn add(&mut self, condition: &Value) -> Result<()> {
        let text = condition.to_string();
        let wrong = |what: &str| invalid(format!("{what}: {text}"));
        match condition {
            Value::Object(pairs) => {
                let mut pairs = pairs.iter();
                let (Some((name, Value::String(value))), None) = (pairs.next(), pairs.next())
                else {
                    return Err(wrong("Invalid Simple-Condition"));
                };
                let field = name.to_ascii_lowercase();
                self.conditions.push(Condition {
                    field,
                    kind: Kind::Eq,
                    value: value.clone(),
                    text,
                });
            }
            Value::Array(parts) => match parts.as_slice() {
                [Value::String(kind), least, most]
                    if kind.eq_ignore_ascii_case("content-length-range") =>
                {
                    let range = number(least).zip(number(most));
                    let (least, most) =
                        range.ok_or_else(|| wrong("Invalid content-length-range"))?;
                    // Each range holds by itself, so that all of them together are the narrowest.
                    let known = self.sizes.unwrap_or(Sizes { least: 0, most: u64::MAX });
                    let sizes = Sizes { least: known.least.max(least), most: known.most.min(most) };
                    self.sizes = Some(sizes);
                }
                [Value::String(kind), Value::String(field), Value::String(value)] => {
                    let kind = match kind.to_ascii_lowercase().as_str() {
                        "eq" => Kind::Eq,
                        "starts-with" => Kind::StartsWith,
                        _ => return Err(wrong("Invalid Condition: unknown operation")),
                    };
                    let field = field.strip_prefix('$').filter(|field| !field.is_empty());
                    let field = field.ok_or_else(|| wrong("Invalid Condition: no field"))?;
                    let field = field.to_ascii_lowercase();
                    self.conditions.push(Condition { field, kind, value: value.clone(), text });
                }
                _ => return Err(wrong("Invalid Condition")),
            },
            _ => return Err(wrong("Invalid Condition")),
        }
        Ok(())
    }

    /// Whether the policy is in force and the form is one that it allows; each of the form's fields
    /// must be named by a condition. Answers how large the file may be.
    ///
    /// # Errors
    /// `AccessDenied`, saying which condition failed.
    pub fn check(&self, form: &PostForm, now: Timestamp) -> Result<Option<Sizes>> {
        if self.expires.as_millisecond() <= now.millis() {
            return Err(ACCESS_DENIED.because("Invalid according to Policy: Policy expired."));
        }
        for condition in &self.conditions {
            if !condition.holds(form) {
                return Err(ACCESS_DENIED.because(format!(
                    "Invalid according to Policy: Policy Condition failed: {}",
                    condition.text
                )));
            }
        }
        let named = |name: &&str| {
            EXEMPT.contains(name)
                || name.starts_with(IGNORED)
                || self.conditions.iter().any(|condition| condition.field == **name)
        };
        let extra: Vec<&str> = form.names().filter(|name| !named(name)).collect();
        if extra.is_empty() {
            return Ok(self.sizes);
        }
        Err(ACCESS_DENIED.because(format!(
            "Invalid according to Policy: Extra input fields: {}",
            extra.join(", ")
        )))
    }
}

impl Condition {
    fn holds(&self, form: &PostForm) -> bool {
        let given = form.text(&self.field);
        match self.kind {
            Kind::Eq => given == self.value,
            // Of a list of types each one must begin so.
            Kind::StartsWith if self.field == "content-type" => {
                given.split(',').all(|one| one.trim_start().starts_with(&self.value))
            }
            Kind::StartsWith => given.starts_with(&self.value),
        }
    }
}

impl Sizes {
    /// Refuses a file that has grown beyond what is allowed.
    ///
    /// # Errors
    /// `EntityTooLarge`.
    pub fn check_most(&self, bytes: u64) -> Result<()> {
        if bytes <= self.most {
            return Ok(());
        }
        Err(ENTITY_TOO_LARGE
            .because("Your proposed upload exceeds the maximum allowed size")
            .with("ProposedSize", bytes.to_string())
            .with("MaxSizeAllowed", self.most.to_string()))
    }

    /// Refuses a whole file that is smaller than what is allowed.
    ///
    /// # Errors
    /// `EntityTooSmall`.
    pub fn check_least(&self, bytes: u64) -> Result<()> {
        if bytes >= self.least {
            return Ok(());
        }
        Err(ENTITY_TOO_SMALL
            .because("Your proposed upload is smaller than the minimum allowed size")
            .with("ProposedSize", bytes.to_string())
            .with("MinSizeAllowed", self.least.to_string()))
    }
}

fn invalid(message: impl AsRef<str>) -> Error {
    INVALID_POLICY_DOCUMENT.because(format!("Invalid Policy: {}", message.as_ref()))
}

/// A size as a number, or as a text of one: libraries send both.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// The document with S3's own escapes, `\$` and `\v`, as JSON has them.
fn plain_json(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match (c, c == '\\') {
            (_, true) => match rest.next() {
                Some('$') => plain.push('$'),
                Some('v') => plain.push_str("\\u000b"),
                Some(other) => plain.extend(['\\', other]),
                None => plain.push('\\'),
            },
            (other, false) => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
#[path = "post_policy_tests.rs"]
mod tests;
