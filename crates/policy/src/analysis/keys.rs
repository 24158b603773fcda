//! The condition keys: what type each has, whether it holds several values, what AWS says of it.
//!
//! Source: "AWS global condition context keys", IAM User Guide.

use super::Analysis;
use crate::global_keys::global_key;
use crate::key_type::KeyType;

/// What is known of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyFacts {
    /// `None` when the reference names a type that is none of these.
    pub kind: Option<KeyType>,
    pub multivalued: bool,
}

/// Keys whose value no wildcard can stand for.
///
/// Source: the section "Sensitive condition keys" of the page above.
pub(super) const SENSITIVE: &[&str] = &[
    "aws:principalaccount",
    "aws:principalorgid",
    "aws:resourceaccount",
    "aws:resourceorgid",
    "aws:sourceaccount",
    "aws:sourceorgid",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:vpceaccount",
    "aws:vpceorgid",
];

/// Keys whose value begins with an organization's id.
pub(super) const PATHS: &[&str] =
    &["aws:principalorgpaths", "aws:resourceorgpaths", "aws:sourceorgpaths", "aws:vpceorgpaths"];

/// What the caller of a service on one's behalf is limited by.
pub(super) const SOURCE: &[&str] =
    &["aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths"];

/// Keys that only a caller who is a user or a role has.
pub(super) const PRINCIPAL: &[&str] = &[
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principaltag/",
    "aws:userid",
    "aws:username",
];

/// Whether a key, in lower case, is one of a list in which `/` at the end stands for any tag.
pub(super) fn among(key: &str, list: &[&str]) -> bool {
    list.iter().any(|known| key == *known || (known.ends_with('/') && key.starts_with(known)))
}

/// Whether the key is given to role sessions by one service and seen by all.
pub(super) fn is_cross_service(key: &str) -> bool {
    global_key(key).is_some_and(|known| !known.name.starts_with("aws:"))
}

/// Whether one key stands for the other: equal, or a template up to its variable.
pub(super) fn stands_for(template: &str, key: &str) -> bool {
    match template.split_once("${") {
        Some((prefix, _)) => key.len() > prefix.len() && key.starts_with(prefix),
        None => template == key,
    }
}

impl Analysis<'_, '_> {
    /// What is known of a key, in lower case.
    pub(super) fn key_facts(&self, key: &str) -> Option<KeyFacts> {
        if let Some(known) = global_key(key) {
            return Some(KeyFacts { kind: Some(known.kind), multivalued: known.multivalued });
        }
        let (prefix, _) = key.split_once(':')?;
        let keys = &self.knowledge.service(prefix)?.keys;
        let exact = keys.get(key);
        let name = exact.or_else(|| {
            let mut templates = keys.iter().filter(|(known, _)| stands_for(known, key));
            templates.next().map(|(_, name)| name)
        })?;
        let single = name.strip_prefix("ArrayOf");
        let kind = KeyType::parse(single.unwrap_or(name));
        Some(KeyFacts { kind, multivalued: single.is_some() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn global_keys() {
        assert!(is_cross_service("ec2:roledelivery") && !is_cross_service("aws:sourceip"));
        assert!(among("aws:principaltag/x", PRINCIPAL) && !among("aws:principaltype", PRINCIPAL));
        assert!(stands_for("ec2:resourcetag/${tagkey}", "ec2:resourcetag/a"));
        assert!(!stands_for("ec2:resourcetag/${tagkey}", "ec2:resourcetag/"));
    }
}
