//! A document written back as JSON, its elements in AWS's usual order.

use crate::document::{
    ConditionElement, Element, Policy, PrincipalElement, PrincipalType, Spanned, Statement, Version,
};
use serde::ser::{Serialize, SerializeMap, Serializer};

impl Serialize for Policy {
    /// The document as text that [`Policy::parse`] reads to an equal one, places aside.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(version) = self.version {
            map.serialize_entry("Version", version_name(version))?;
        }
        if let Some(id) = &self.id {
            map.serialize_entry("Id", id)?;
        }
        map.serialize_entry("Statement", &self.statements)?;
        map.end()
    }
}

fn version_name(version: Version) -> &'static str {
    match version {
        Version::V2008 => "2008-10-17",
        Version::V2012 => "2012-10-17",
    }
}

impl Serialize for Statement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(sid) = &self.sid {
            map.serialize_entry("Sid", sid)?;
        }
        map.serialize_entry("Effect", &self.effect)?;
        if let Some(principal) = &self.principal {
            let name = if principal.negated { "NotPrincipal" } else { "Principal" };
            map.serialize_entry(name, principal)?;
        }
        map.serialize_entry(
            if self.action.negated { "NotAction" } else { "Action" },
            &self.action,
        )?;
        if let Some(resource) = &self.resource {
            let name = if resource.negated { "NotResource" } else { "Resource" };
            map.serialize_entry(name, resource)?;
        }
        if !self.conditions.is_empty() {
            map.serialize_entry("Condition", &Conditions(&self.conditions))?;
        }
        map.end()
    }
}

impl Serialize for Element {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        one_or_many(&self.values.iter().collect::<Vec<_>>(), serializer)
    }
}

/// A single value stands alone, others in a list.
fn one_or_many<S: Serializer>(values: &[&Spanned], serializer: S) -> Result<S::Ok, S::Error> {
    match values {
        [value] => serializer.serialize_str(&value.text),
        values => serializer.collect_seq(values.iter().map(|value| &value.text)),
    }
}

/// Values that may stand alone.
struct Values<'a>(Vec<&'a Spanned>);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        one_or_many(&self.0, serializer)
    }
}

impl Serialize for PrincipalElement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.entries.iter().any(|entry| entry.kind == PrincipalType::Everyone) {
            return serializer.serialize_str("*");
        }
        let mut map = serializer.serialize_map(None)?;
        for (kind, name) in [
            (PrincipalType::Aws, "AWS"),
            (PrincipalType::Service, "Service"),
            (PrincipalType::Federated, "Federated"),
            (PrincipalType::CanonicalUser, "CanonicalUser"),
        ] {
            let entries = self.entries.iter().filter(|entry| entry.kind == kind);
            let values: Vec<&Spanned> = entries.map(|entry| &entry.value).collect();
            if !values.is_empty() {
                map.serialize_entry(name, &Values(values))?;
            }
        }
        map.end()
    }
}

/// Operators in the order of their first use, each with its keys.
struct Conditions<'a>(&'a [ConditionElement]);

struct OfOperator<'a>(&'a [ConditionElement], &'a str);

impl Serialize for Conditions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let mut written: Vec<&str> = Vec::new();
        for condition in self.0 {
            let operator = condition.operator.text.as_str();
            if !written.contains(&operator) {
                written.push(operator);
                map.serialize_entry(operator, &OfOperator(self.0, operator))?;
            }
        }
        map.end()
    }
}

impl Serialize for OfOperator<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for condition in self.0.iter().filter(|condition| condition.operator.text == self.1) {
            map.serialize_entry(&condition.key.text, &Values(condition.values.iter().collect()))?;
        }
        map.end()
    }
}
