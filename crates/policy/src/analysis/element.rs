//! The elements of a document and of its statements: which there are, and of which JSON type.

use super::Analysis;
use super::outline::{Outline, Sheet, member, members};
use crate::document::DocumentKind;
use crate::finding::{Severity, Span};
use crate::json::{Member, Node, Value};
use std::collections::BTreeMap;

const PAIRS: &[(&str, &str)] =
    &[("Action", "NotAction"), ("Principal", "NotPrincipal"), ("Resource", "NotResource")];

impl Analysis<'_, '_> {
    fn mismatch(&mut self, span: Span, wanted: &str) {
        let message = format!("The text does not match the expected JSON data type {wanted}.");
        self.findings.error("DATA_TYPE_MISMATCH", span, message);
    }

    fn text_only(&mut self, node: &Node<'_>) {
        if !matches!(node.value, Value::Text(_)) {
            self.mismatch(node.span, "String");
        }
    }

    fn texts_only(&mut self, node: &Node<'_>) {
        match &node.value {
            Value::List(items) => items.iter().for_each(|item| self.text_only(item)),
            _ => self.text_only(node),
        }
    }

    fn unknown_element(&mut self, member: &Member<'_>) {
        let message = format!("The policy element {} is not valid.", member.key);
        self.findings.error("INVALID_POLICY_ELEMENT", member.key_span, message);
    }

    /// The document's own elements, and the types of all.
    pub(super) fn elements(&mut self, root: &Node<'_>) {
        let Value::Object(elements) = &root.value else {
            self.mismatch(root.span, "Object");
            return;
        };
        for element in elements {
            match &*element.key {
                "Version" | "Id" => self.text_only(&element.value),
                "Statement" => match &element.value.value {
                    Value::List(items) => items.iter().for_each(|item| self.types(item)),
                    _ => self.types(&element.value),
                },
                _ => self.unknown_element(element),
            }
        }
        let none = |member: &Member<'_>| match &member.value.value {
            Value::List(items) => items.is_empty(),
            _ => false,
        };
        if member(elements, "Statement").is_none_or(none) {
            self.findings.error("MISSING_STATEMENT", root.span, "Add a statement to the policy");
        }
    }

    /// The JSON types inside one statement.
    fn types(&mut self, node: &Node<'_>) {
        let Value::Object(elements) = &node.value else {
            self.mismatch(node.span, "Object");
            return;
        };
        for element in elements {
            match &*element.key {
                "Sid" | "Effect" => self.text_only(&element.value),
                "Action" | "NotAction" | "Resource" | "NotResource" => {
                    self.texts_only(&element.value);
                }
                "Principal" | "NotPrincipal" => {
                    for entry in members(&element.value) {
                        self.texts_only(&entry.value);
                    }
                }
                "Condition" => self.condition_types(&element.value),
                _ => self.unknown_element(element),
            }
        }
    }

    fn condition_types(&mut self, node: &Node<'_>) {
        let Value::Object(blocks) = &node.value else {
            self.mismatch(node.span, "Object");
            return;
        };
        for block in blocks {
            let Value::Object(keys) = &block.value.value else {
                self.mismatch(block.value.span, "Object");
                continue;
            };
            for key in keys {
                let items = super::outline::items(&key.value);
                for item in items {
                    if matches!(item.value, Value::Null | Value::List(_) | Value::Object(_)) {
                        self.mismatch(item.span, "String");
                    }
                }
                if items.windows(2).any(|pair| matches!(pair, [a, b] if kind(a) != kind(b))) {
                    let message = "The condition value data types do not match. Use condition \
                        values of the same JSON data type.";
                    self.findings.error("INVALID_CONDITION_DATA_TYPE", key.value.span, message);
                }
            }
        }
    }

    pub(super) fn version(&mut self, outline: &Outline<'_>) {
        match &outline.version {
            Some(version) if !matches!(&*version.text, "2012-10-17" | "2008-10-17") => {
                let message = format!(
                    "The version {} is not valid. Use one of the following versions: \
                     [2012-10-17, 2008-10-17]",
                    version.text
                );
                self.findings.error("INVALID_VERSION", version.span, message);
            }
            None if member(outline.members, "Version").is_none() => {
                let message = "We recommend that you specify the Version element to help you with \
                    debugging permission issues.";
                self.findings.report(Severity::Warning, "MISSING_VERSION", &[], message);
            }
            _ => {}
        }
    }

    pub(super) fn sids(&mut self, outline: &Outline<'_>) {
        let free = matches!(self.kind, DocumentKind::Resource | DocumentKind::VpcEndpoint);
        let mut seen: BTreeMap<&str, Vec<Span>> = BTreeMap::new();
        for sid in outline.statements.iter().filter_map(|sheet| sheet.sid.as_ref()) {
            if sid.text.is_empty() {
                let message = "Add a value to the empty string in the Sid element.";
                self.findings.suggestion("EMPTY_SID_VALUE", sid.span, message);
            } else if !free && !sid.text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                let message = "Update the characters in the Sid element to use one of the \
                    following character types: [a-z, A-Z, 0-9]";
                self.findings.error("UNSUPPORTED_SID", sid.span, message);
            }
            if !sid.text.is_empty() {
                seen.entry(&sid.text).or_default().push(sid.span);
            }
        }
        for spans in seen.values().filter(|spans| spans.len() > 1) {
            let (severity, code, message) = if free {
                let message = "We recommend that you use statement IDs that are unique to your \
                    policy. Update the Sid value.";
                (Severity::Warning, "UNIQUE_SIDS_RECOMMENDED", message)
            } else {
                let message = "Duplicate statement IDs are not supported for this policy type. \
                    Update the Sid value.";
                (Severity::Error, "UNIQUE_SIDS_REQUIRED", message)
            };
            self.findings.report(severity, code, spans, message);
        }
    }

    /// What a statement must have, may have, and has in vain.
    pub(super) fn statement_elements(&mut self, sheet: &Sheet<'_>) {
        for (one, other) in PAIRS {
            let both = (member(sheet.members, one), member(sheet.members, other));
            if let (Some(left), Some(right)) = both {
                let message = format!(
                    "The policy elements {one} and {other} can not be used in the same statement. \
                     Remove one of these elements."
                );
                let spans = [left.key_span, right.key_span];
                let code = "UNSUPPORTED_ELEMENT_COMBINATION";
                self.findings.report(Severity::Error, code, &spans, message);
            }
        }
        match member(sheet.members, "Effect").map(|member| &member.value) {
            None => {
                let message = "Add an Effect element to the policy statement with a value of Allow \
                    or Deny.";
                self.findings.error("MISSING_EFFECT", sheet.span, message);
            }
            Some(Node { value: Value::Text(effect), span }) if sheet.effect.is_none() => {
                let message = format!("The effect {effect} is not valid. Use Allow or Deny.");
                self.findings.error("INVALID_EFFECT", *span, message);
            }
            Some(_) => {}
        }
        self.action_element(sheet);
        self.resource_element(sheet);
        self.empty_conditions(sheet);
    }

    fn action_element(&mut self, sheet: &Sheet<'_>) {
        match &sheet.action {
            None => {
                let message = "Add an Action or NotAction element to the policy statement.";
                self.findings.error("MISSING_ACTION", sheet.span, message);
            }
            Some(action) if self.text.get(range(action.span)).is_some_and(is_empty_list) => {
                let message = "This statement includes no actions and does not affect the policy. \
                    Specify actions.";
                self.findings.suggestion("EMPTY_ARRAY_ACTION", action.span, message);
            }
            Some(_) => {}
        }
    }

    fn resource_element(&mut self, sheet: &Sheet<'_>) {
        let Some(resource) = &sheet.resource else {
            if self.kind != DocumentKind::Trust {
                let message = "Add a Resource or NotResource element to the policy statement.";
                self.findings.error("MISSING_RESOURCE", sheet.span, message);
            }
            return;
        };
        if self.kind == DocumentKind::Trust {
            let message = "Role trust policies apply to the role that they are attached to. You \
                cannot specify a resource. Remove the Resource or NotResource element.";
            let code = "ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE";
            self.findings.error(code, resource.span, message);
        } else if self.text.get(range(resource.span)).is_some_and(is_empty_list) {
            let message = "This statement includes no resources and does not affect the policy. \
                Specify resources.";
            self.findings.suggestion("EMPTY_ARRAY_RESOURCE", resource.span, message);
        }
    }

    fn empty_conditions(&mut self, sheet: &Sheet<'_>) {
        let Some(condition) = member(sheet.members, "Condition") else { return };
        let blocks = members(&condition.value).iter().map(|block| &block.value);
        for node in std::iter::once(&condition.value).chain(blocks) {
            if matches!(&node.value, Value::Object(members) if members.is_empty()) {
                let message = "This condition block is empty and it does not affect the policy. \
                    Specify conditions.";
                self.findings.suggestion("EMPTY_OBJECT_CONDITION", node.span, message);
            }
        }
    }
}

fn range(span: Span) -> std::ops::Range<usize> {
    span.start..span.end
}

/// Whether a value's text is `[]`.
fn is_empty_list(text: &str) -> bool {
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.is_some_and(|inner| inner.trim().is_empty())
}

/// Which JSON type a value has, as a number.
fn kind(node: &Node<'_>) -> u8 {
    match node.value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::Text(_) => 3,
        Value::List(_) => 4,
        Value::Object(_) => 5,
    }
}
