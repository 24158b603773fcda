//! What another part of the policy already says.

use super::Analysis;
use super::glob::{covers, has_wildcard};
use super::lower;
use super::outline::{Outline, Sheet, Text};
use crate::finding::{Severity, Span};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// More patterns of one element are not held against each other.
const PATTERNS_MAX: usize = 200;

impl Analysis<'_, '_> {
    pub(super) fn redundancies(&mut self, sheet: &Sheet<'_>) {
        if let Some(action) = &sheet.action {
            let texts: Vec<_> = action.values.iter().map(lower).collect();
            let spans = redundant(&action.values, &texts);
            let first = action.values.iter().find(|value| spans.first() == Some(&value.span));
            if let Some(first) = first {
                let message = format!(
                    "The {} action(s) are redundant because they provide similar permissions. \
                     Update the policy to remove the redundant action such as: {}.",
                    spans.len(),
                    first.text
                );
                self.findings.report(Severity::Suggestion, "REDUNDANT_ACTION", &spans, message);
            }
        }
        if let Some(resource) = &sheet.resource {
            let texts: Vec<_> =
                resource.values.iter().map(|value| Cow::Borrowed(&*value.text)).collect();
            let spans = redundant(&resource.values, &texts);
            if !spans.is_empty() {
                let message = format!(
                    "The {} resource ARN(s) are redundant because they reference the same \
                     resource. Review the use of wildcards (*)",
                    spans.len()
                );
                self.findings.report(Severity::Suggestion, "REDUNDANT_RESOURCE", &spans, message);
            }
        }
    }

    pub(super) fn redundant_statements(&mut self, outline: &Outline<'_>) {
        let mut seen: BTreeMap<Said, Vec<Span>> = BTreeMap::new();
        for sheet in &outline.statements {
            if sheet.effect.is_some() && sheet.action.is_some() {
                seen.entry(said(sheet)).or_default().push(sheet.span);
            }
        }
        for spans in seen.values().filter(|spans| spans.len() > 1) {
            let message = "The statements are redundant because they provide identical \
                permissions. Update the policy to remove the redundant statement.";
            self.findings.report(Severity::Suggestion, "REDUNDANT_STATEMENT", spans, message);
        }
    }
}

/// The places of values that another value of the element covers; of equal ones the first stays.
fn redundant(values: &[Text<'_>], texts: &[Cow<'_, str>]) -> Vec<Span> {
    let patterns = texts.iter().enumerate().filter(|(_, text)| has_wildcard(text));
    let patterns: Vec<(usize, &str)> =
        patterns.take(PATTERNS_MAX).map(|(index, text)| (index, &**text)).collect();
    let mut seen = BTreeSet::new();
    let mut spans = Vec::new();
    for (index, (value, text)) in values.iter().zip(texts).enumerate() {
        let covered = patterns.iter().any(|(other, pattern)| {
            *other != index && **text != **pattern && covers(pattern, text)
        });
        if !seen.insert(&**text) || covered {
            spans.push(value.span);
        }
    }
    spans
}

/// What a statement says, without its `Sid` and the order of what it lists.
type Said = Vec<(String, BTreeSet<String>)>;

fn said(sheet: &Sheet<'_>) -> Said {
    let mut said = vec![(format!("{:?}", sheet.effect), BTreeSet::new())];
    if let Some(principal) = &sheet.principal {
        let entries = principal.entries.iter();
        let entries = entries.map(|entry| format!("{} {}", entry.key, entry.value.text));
        said.push((format!("principal {}", principal.negated), entries.collect()));
    }
    if let Some(action) = &sheet.action {
        let values = action.values.iter().map(|value| lower(value).into_owned());
        said.push((format!("action {}", action.negated), values.collect()));
    }
    if let Some(resource) = &sheet.resource {
        let values = resource.values.iter().map(|value| value.text.to_string());
        said.push((format!("resource {}", resource.negated), values.collect()));
    }
    let mut conditions: Said = sheet
        .clauses
        .iter()
        .map(|clause| {
            let values = clause.values.iter().map(|value| value.text.to_string());
            (format!("{} {}", clause.name, clause.lower), values.collect())
        })
        .collect();
    conditions.sort();
    said.append(&mut conditions);
    said
}
