//! The condition keys: what type each has, whether it holds several values, what AWS says of it.
//!
//! Source: "AWS global condition context keys", IAM User Guide.

use super::Analysis;
use crate::operator::Family;

/// The type of a key's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyType {
    String,
    Arn,
    Bool,
    Date,
    /// `aws:EpochTime`: a date that may be compared as a number.
    DateOrNumeric,
    Numeric,
    IpAddress,
    Binary,
}

impl KeyType {
    /// Reads a type of the Service Authorization Reference, without `ArrayOf`.
    fn parse(name: &str) -> Option<Self> {
        match name {
            "String" => Some(Self::String),
            "ARN" | "Arn" => Some(Self::Arn),
            "Bool" | "Boolean" => Some(Self::Bool),
            "Date" => Some(Self::Date),
            "Numeric" | "Long" | "Integer" => Some(Self::Numeric),
            "IPAddress" | "IpAddress" => Some(Self::IpAddress),
            "Binary" => Some(Self::Binary),
            _ => None,
        }
    }

    /// The operators for it, by the name of their kind.
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "String",
            Self::Arn => "ARN",
            Self::Bool => "Boolean",
            Self::Date | Self::DateOrNumeric => "Date",
            Self::Numeric => "Numeric",
            Self::IpAddress => "IP address",
            Self::Binary => "Binary",
        }
    }

    /// Whether an operator fits. ARNs may be compared as strings too.
    pub fn takes(self, family: Family) -> bool {
        use Family::{Numeric, StringEquals, StringEqualsIgnoreCase, StringLike};
        let string = matches!(family, StringEquals | StringEqualsIgnoreCase | StringLike);
        match self {
            Self::String => string,
            Self::Arn => string || family == Family::Arn,
            Self::Bool => family == Family::Bool,
            Self::Date => matches!(family, Family::Date(_)),
            Self::DateOrNumeric => matches!(family, Family::Date(_) | Numeric(_)),
            Self::Numeric => matches!(family, Numeric(_)),
            Self::IpAddress => family == Family::IpAddress,
            Self::Binary => family == Family::Binary,
        }
    }
}

/// What is known of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyFacts {
    /// `None` when the reference names a type that is none of these.
    pub kind: Option<KeyType>,
    pub multivalued: bool,
}

const ONE: bool = false;
const MANY: bool = true;

/// The global keys in lower case, sorted; a family of tags ends in `/`.
const GLOBAL: &[(&str, KeyType, bool)] = &[
    ("aws:assumedroot", KeyType::String, ONE),
    ("aws:calledvia", KeyType::String, MANY),
    ("aws:calledviaawsmcp", KeyType::String, ONE),
    ("aws:calledviafirst", KeyType::String, ONE),
    ("aws:calledvialast", KeyType::String, ONE),
    ("aws:chatbotsourcearn", KeyType::Arn, ONE),
    ("aws:currenttime", KeyType::Date, ONE),
    ("aws:ec2instancesourceprivateipv4", KeyType::IpAddress, ONE),
    ("aws:ec2instancesourcevpc", KeyType::String, ONE),
    ("aws:epochtime", KeyType::DateOrNumeric, ONE),
    ("aws:federatedprovider", KeyType::String, ONE),
    ("aws:ismcpserviceaction", KeyType::Bool, ONE),
    ("aws:multifactorauthage", KeyType::Numeric, ONE),
    ("aws:multifactorauthpresent", KeyType::Bool, ONE),
    ("aws:principalaccount", KeyType::String, ONE),
    ("aws:principalarn", KeyType::Arn, ONE),
    ("aws:principalisawsservice", KeyType::Bool, ONE),
    ("aws:principalorgid", KeyType::String, ONE),
    ("aws:principalorgpaths", KeyType::String, MANY),
    ("aws:principalservicename", KeyType::String, ONE),
    ("aws:principalservicenameslist", KeyType::String, MANY),
    ("aws:principaltag/", KeyType::String, ONE),
    ("aws:principaltype", KeyType::String, ONE),
    ("aws:referer", KeyType::String, ONE),
    ("aws:requestedregion", KeyType::String, ONE),
    ("aws:requesttag/", KeyType::String, ONE),
    ("aws:resourceaccount", KeyType::String, ONE),
    ("aws:resourceorgid", KeyType::String, ONE),
    ("aws:resourceorgpaths", KeyType::String, MANY),
    ("aws:resourcetag/", KeyType::String, ONE),
    ("aws:securetransport", KeyType::Bool, ONE),
    ("aws:signinsessionarn", KeyType::Arn, ONE),
    ("aws:sourceaccount", KeyType::String, ONE),
    ("aws:sourcearn", KeyType::Arn, ONE),
    ("aws:sourceidentity", KeyType::String, ONE),
    ("aws:sourceip", KeyType::IpAddress, ONE),
    ("aws:sourceorgid", KeyType::String, ONE),
    ("aws:sourceorgpaths", KeyType::String, MANY),
    ("aws:sourcevpc", KeyType::String, ONE),
    ("aws:sourcevpcarn", KeyType::Arn, ONE),
    ("aws:sourcevpce", KeyType::String, ONE),
    ("aws:tagkeys", KeyType::String, MANY),
    ("aws:tokenissuetime", KeyType::Date, ONE),
    ("aws:useragent", KeyType::String, ONE),
    ("aws:userid", KeyType::String, ONE),
    ("aws:username", KeyType::String, ONE),
    ("aws:viaawsmcpservice", KeyType::Bool, ONE),
    ("aws:viaawsservice", KeyType::Bool, ONE),
    ("aws:vpceaccount", KeyType::String, ONE),
    ("aws:vpceorgid", KeyType::String, ONE),
    ("aws:vpceorgpaths", KeyType::String, MANY),
    ("aws:vpcsourceip", KeyType::IpAddress, ONE),
];

/// Keys of role sessions that a service gives and every service's requests carry.
const CROSS_SERVICE: &[(&str, KeyType)] = &[
    ("codebuild:buildarn", KeyType::Arn),
    ("codebuild:projectarn", KeyType::Arn),
    ("ec2:roledelivery", KeyType::Numeric),
    ("ec2:sourceinstancearn", KeyType::Arn),
    ("glue:credentialissuingservice", KeyType::String),
    ("glue:roleassumedby", KeyType::String),
    ("identitystore:userid", KeyType::String),
    ("lambda:sourcefunctionarn", KeyType::Arn),
    ("ssm:sourceinstancearn", KeyType::Arn),
];

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

/// Whether the key, in lower case, is given to role sessions by one service and seen by all.
pub(super) fn is_cross_service(key: &str) -> bool {
    CROSS_SERVICE.iter().any(|(known, _)| *known == key)
}

/// A global key, in lower case.
pub(super) fn global(key: &str) -> Option<KeyFacts> {
    let family = key.split_inclusive('/').next().filter(|family| family.len() < key.len());
    let name = family.unwrap_or(key);
    let at = GLOBAL.binary_search_by_key(&name, |(known, ..)| *known).ok()?;
    let (known, kind, multivalued) = GLOBAL.get(at)?;
    let whole = !known.ends_with('/') || family.is_some();
    whole.then_some(KeyFacts { kind: Some(*kind), multivalued: *multivalued })
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
        if let Some(facts) = global(key) {
            return Some(facts);
        }
        if let Some((_, kind)) = CROSS_SERVICE.iter().find(|(known, _)| *known == key) {
            return Some(KeyFacts { kind: Some(*kind), multivalued: false });
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
        assert!(GLOBAL.is_sorted_by_key(|(key, ..)| *key));
        assert!(global("aws:resourcetag/a").is_some() && global("aws:resourcetag/").is_none());
        assert!(global("aws:sourceip/x").is_none() && global("aws:nosuch").is_none());
        assert!(global("aws:tagkeys").unwrap().multivalued);
        assert!(among("aws:principaltag/x", PRINCIPAL) && !among("aws:principaltype", PRINCIPAL));
        assert!(stands_for("ec2:resourcetag/${tagkey}", "ec2:resourcetag/a"));
        assert!(!stands_for("ec2:resourcetag/${tagkey}", "ec2:resourcetag/"));
    }
}
