//! The actions of a statement.

use super::glob::{covers, has_wildcard};
use super::outline::{Sheet, Text};
use super::{Analysis, lower};
use crate::document::DocumentKind;
use crate::knowledge::ServiceFacts;

impl Analysis<'_, '_> {
    pub(super) fn action_names(&mut self, sheet: &Sheet<'_>) {
        let Some(action) = &sheet.action else { return };
        for value in &action.values {
            self.action_name(value);
            self.action_for_type(value);
        }
    }

    fn action_name(&mut self, value: &Text<'_>) {
        if value.is("*") || value.text.contains("${") || !self.knows_services() {
            return;
        }
        let lower = lower(value);
        let Some((prefix, name)) = lower.split_once(':') else {
            let message = format!("The action {} does not exist.", value.text);
            self.findings.error("INVALID_ACTION", value.span, message);
            return;
        };
        let written = value.text.split(':').next().unwrap_or_default();
        let Some(service) = self.knowledge.service(prefix) else {
            let close = nearest(prefix, self.knowledge.prefixes().iter().copied());
            let hint = close.map(|close| format!(" Did you mean {close}?")).unwrap_or_default();
            let message =
                format!("The service {written} specified in the action does not exist.{hint}");
            self.findings.error("INVALID_SERVICE_IN_ACTION", value.span, message);
            return;
        };
        if !is_action(service, name) {
            let close = nearest(name, service.actions.keys().map(String::as_str));
            let close = close.and_then(|close| service.actions.get(close));
            let hint =
                close.map(|it| format!(" Did you mean {prefix}:{}?", it.name)).unwrap_or_default();
            let message = format!("The action {} does not exist.{hint}", value.text);
            self.findings.error("INVALID_ACTION", value.span, message);
        }
    }

    /// Actions of another service in the policy of a resource whose type was named.
    fn action_for_type(&mut self, value: &Text<'_>) {
        let Some((resource_type, service)) = self.attached_to() else { return };
        let lower = lower(value);
        let foreign = lower.split_once(':').is_some_and(|(prefix, _)| prefix != service);
        if foreign {
            let message = format!(
                "The action {} is not supported for the resource-based policy attached to the \
                 resource type {resource_type}.",
                value.text
            );
            self.findings.error("UNSUPPORTED_ACTION_IN_POLICY", value.span, message);
        }
    }

    /// The type that a resource's policy is attached to, with its service's prefix.
    pub(super) fn attached_to(&self) -> Option<(&str, &'static str)> {
        if self.kind == DocumentKind::Trust {
            return Some(("AWS::IAM::AssumeRolePolicyDocument", "sts"));
        }
        let resource_type = self.resource_type?;
        let service = match resource_type {
            "AWS::S3::Bucket" | "AWS::S3::AccessPoint" | "AWS::S3::MultiRegionAccessPoint" => "s3",
            "AWS::S3ObjectLambda::AccessPoint" => "s3-object-lambda",
            "AWS::DynamoDB::Table" => "dynamodb",
            _ => return None,
        };
        Some((resource_type, service))
    }
}

/// Whether a name, perhaps with wildcards, is one of the service's actions.
fn is_action(service: &ServiceFacts, name: &str) -> bool {
    if has_wildcard(name) {
        service.actions.keys().any(|action| covers(name, action))
    } else {
        service.actions.contains_key(name)
    }
}

/// The known name that differs in the fewest letters, if they are few.
fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    if name.len() > 128 || has_wildcard(name) {
        return None;
    }
    let most = name.len().div_ceil(6).min(3);
    let near = known.filter(|other| other.len().abs_diff(name.len()) <= most);
    let near = near.map(|other| (distance(name, other), other));
    near.filter(|(distance, _)| *distance <= most).min().map(|(_, other)| other)
}

/// Levenshtein's distance.
fn distance(one: &str, other: &str) -> usize {
    let other = other.as_bytes();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, left) in one.bytes().enumerate() {
        let mut corner = index;
        let mut before = index + 1;
        if let Some(first) = row.first_mut() {
            *first = before;
        }
        for (place, right) in row.iter_mut().skip(1).zip(other) {
            let changed = corner + usize::from(left != *right);
            corner = *place;
            before = changed.min(corner + 1).min(before + 1);
            *place = before;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name() {
        let known = ["getobject", "putobject", "listbucket"];
        assert_eq!(nearest("getobjekt", known.into_iter()), Some("getobject"));
        assert_eq!(nearest("getobjects", known.into_iter()), Some("getobject"));
        assert_eq!(nearest("something", known.into_iter()), None);
        assert_eq!((distance("", "abc"), distance("kitten", "sitting")), (3, 3));
    }
}
