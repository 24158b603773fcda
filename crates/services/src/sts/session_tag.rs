//! Session tags: what may be passed, and what a chain of sessions hands on.
//!
//! Source: IAM User Guide, "Pass session tags in AWS STS".

use super::INVALID_PARAMETER_VALUE;
use crate::caller::Session;
use crate::errors::VALIDATION_ERROR;
use palisade_model::sts::Tag;
use palisade_shape::Result;
use std::collections::{BTreeMap, BTreeSet};

/// The most tags of a session, inherited ones included.
const MOST: usize = 50;

/// The tags of a new session and which of them its own sessions inherit.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct SessionTags {
    pub tags: BTreeMap<String, String>,
    pub transitive_keys: Vec<String>,
}

/// Puts the tags of a request over those that the caller's own session hands on. Keys are the same
/// when they differ in case only.
pub fn combine(
    caller: Option<&Session>,
    tags: &[Tag],
    transitive_keys: &[String],
) -> Result<SessionTags> {
    let requested = keys_of(tags)?;
    let inherited = caller.map(inherited).unwrap_or_default();
    if inherited.tags.keys().any(|key| requested.contains(&key.to_lowercase())) {
        return Err(INVALID_PARAMETER_VALUE.because(
            "One of the specified transitive tag keys can't be set because it conflicts with a \
             transitive tag key from the calling session.",
        ));
    }
    if transitive_keys.iter().any(|key| !requested.contains(&key.to_lowercase())) {
        return Err(INVALID_PARAMETER_VALUE
            .because("The specified transitive tag key must be included in the requested tags."));
    }
    let mut combined = inherited;
    combined.tags.extend(tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())));
    combined.transitive_keys.extend(transitive_keys.iter().cloned());
    if combined.tags.len() > MOST {
        return Err(VALIDATION_ERROR.because(format!("A session can have at most {MOST} tags.")));
    }
    Ok(combined)
}

/// The tags that a session hands on to those obtained with it.
pub fn inherited(session: &Session) -> SessionTags {
    let handed_on: BTreeSet<String> =
        session.transitive_tag_keys.iter().map(|key| key.to_lowercase()).collect();
    let tags = session.tags.iter().filter(|(key, _)| handed_on.contains(&key.to_lowercase()));
    SessionTags {
        tags: tags.map(|(key, value)| (key.clone(), value.clone())).collect(),
        transitive_keys: session.transitive_tag_keys.clone(),
    }
}

/// The keys in lower case, checked.
fn keys_of(tags: &[Tag]) -> Result<BTreeSet<String>> {
    let mut keys = BTreeSet::new();
    for tag in tags {
        let key = tag.key.to_lowercase();
        if key.starts_with("aws:") {
            return Err(INVALID_PARAMETER_VALUE
                .because("Tag keys starting with 'aws:' are reserved for internal use."));
        }
        if !keys.insert(key) {
            return Err(INVALID_PARAMETER_VALUE.because(
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            ));
        }
    }
    Ok(keys)
}
