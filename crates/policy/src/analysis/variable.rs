//! Policy variables.

use super::Analysis;
use super::outline::{Outline, Sheet, Text};
use crate::document::Version;
use crate::finding::Severity;

/// One `${…}`, or what was meant to be one.
enum Written<'t> {
    Unclosed,
    Whole(&'t str),
}

impl Analysis<'_, '_> {
    pub(super) fn variables(&mut self, outline: &Outline<'_>, sheet: &Sheet<'_>) {
        let current = outline.version.as_ref().is_some_and(|version| version.is("2012-10-17"));
        let version = if current { Version::V2012 } else { Version::V2008 };
        if let Some(resource) = &sheet.resource {
            resource.values.iter().for_each(|value| self.variable(value, version));
        }
        for clause in &sheet.clauses {
            clause.values.iter().for_each(|value| self.variable(value, version));
        }
        for action in sheet.action.iter().flat_map(|action| &action.values) {
            self.misplaced(action);
        }
        for entry in sheet.principal.iter().flat_map(|principal| &principal.entries) {
            self.misplaced(&entry.value);
        }
    }

    fn misplaced(&mut self, value: &Text<'_>) {
        for written in written(&value.text) {
            let Written::Whole(inner) = written else { continue };
            let message = format!(
                "Policy variables are supported in the Resource and Condition elements. Remove the \
                 policy variable ${{{inner}}} from this element."
            );
            self.findings.error("VARIABLE_UNSUPPORTED_IN_ELEMENT", value.span, message);
        }
    }

    fn variable(&mut self, value: &Text<'_>, version: Version) {
        let mut any = false;
        for written in written(&value.text) {
            any = true;
            let (code, message) = match written {
                Written::Unclosed => (
                    "MISSING_BRACE_IN_VARIABLE",
                    "The policy variable is missing a closing curly brace. Add } after the \
                     variable text.",
                ),
                Written::Whole(inner) => match mistake(inner) {
                    Some(mistake) => mistake,
                    None => continue,
                },
            };
            self.findings.error(code, value.span, message);
        }
        if any && version == Version::V2008 {
            let message =
                "To include variables in your policy, use the policy version 2012-10-17 or later.";
            let code = "VARIABLE_UNSUPPORTED_IN_VERSION";
            self.findings.report(Severity::Error, code, &[value.span], message);
        }
    }
}

/// The variables of a text, each as far as the next one begins.
fn written(text: &str) -> impl Iterator<Item = Written<'_>> {
    text.split("${").skip(1).map(|piece| match piece.split_once('}') {
        Some((inner, _)) => Written::Whole(inner),
        None => Written::Unclosed,
    })
}

/// What is wrong between the braces.
fn mistake(inner: &str) -> Option<(&'static str, &'static str)> {
    let (name, default) = match inner.split_once(',') {
        Some((name, default)) => (name, Some(default.trim())),
        None => (inner, None),
    };
    if name.trim().is_empty() {
        let message = "Empty policy variable. Remove the ${ } variable structure or provide a \
            variable within the structure.";
        return Some(("EMPTY_VARIABLE", message));
    }
    if name.contains(char::is_whitespace) {
        let message = "A space is not supported within the policy variable text. Remove the space.";
        return Some(("UNSUPPORTED_SPACE_IN_VARIABLE", message));
    }
    let quoted = |text: &str| text.len() > 1 && text.starts_with('\'') && text.ends_with('\'');
    if default.is_some_and(|default| !quoted(default)) {
        let message = "The policy variable default value must begin and end with a single quote. \
            Add the missing quote.";
        return Some(("MISSING_QUOTE_IN_VARIABLE", message));
    }
    None
}
