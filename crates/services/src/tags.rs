//! Tags, the same for every service that has them: limits, and how a set is changed.
//!
//! Sources: IAM User Guide, "Tags for IAM resources"; Tagging Best Practices, "Tag naming limits".

use palisade_shape::{Error, ErrorCode, Result};
use std::collections::BTreeSet;

/// Tags in the order they were given.
pub type TagList = Vec<(String, String)>;

/// What a service answers to each misuse.
pub struct TagRules {
    pub most: usize,
    pub invalid: &'static ErrorCode,
    pub too_many: &'static ErrorCode,
}

/// Refuses duplicate keys (ignoring case, as IAM does) and the reserved prefix.
pub fn check(tags: &TagList, rules: &TagRules) -> Result<()> {
    let mut seen = BTreeSet::new();
    for (key, _) in tags {
        if key.to_lowercase().starts_with("aws:") {
            return Err(reserved(rules));
        }
        if !seen.insert(key.to_lowercase()) {
            return Err(rules.invalid.because(
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            ));
        }
    }
    if tags.len() > rules.most {
        return Err(too_many(rules));
    }
    Ok(())
}

/// `old` with `new` over it: a key that is there (ignoring case) gets the new spelling and value.
pub fn merge(old: TagList, new: TagList, rules: &TagRules) -> Result<TagList> {
    check(&new, rules)?;
    let mut merged = without(old, &new.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>());
    merged.extend(new);
    if merged.len() > rules.most {
        return Err(too_many(rules));
    }
    Ok(merged)
}

/// `tags` without those keys, ignoring case. A key that is not there is no error, as in AWS.
pub fn without(tags: TagList, keys: &[String]) -> TagList {
    let gone: BTreeSet<String> = keys.iter().map(|key| key.to_lowercase()).collect();
    tags.into_iter().filter(|(key, _)| !gone.contains(&key.to_lowercase())).collect()
}

fn reserved(rules: &TagRules) -> Error {
    rules.invalid.because("Tag keys starting with 'aws:' are reserved for internal use.")
}

fn too_many(rules: &TagRules) -> Error {
    let most = rules.most;
    rules.too_many.because(format!("The number of tags has reached the maximum limit of {most}."))
}
