//! What IAM Access Analyzer finds in a policy: every documented check whose trigger can be known,
//! with AWS's issue codes and texts. `docs/policy.md` lists the checks that are missing, and where
//! a trigger is our reading of a page that does not give it.
//!
//! Source: "IAM policy validation check reference", IAM User Guide.

mod action;
mod condition;
mod element;
mod glob;
mod key;
mod keys;
mod organization;
mod outline;
mod principal;
mod privilege;
mod redundant;
mod region;
mod resource;
mod scope;
mod size;
mod trust;
mod value;
mod variable;
mod vpce_services;

use crate::document::{DocumentKind, Policy};
use crate::finding::{Finding, Findings};
use crate::json;
use crate::knowledge::Knowledge;
use crate::parse::SIZE_MAX;
use outline::{Outline, Sheet, Text};
use std::borrow::Cow;

/// What a document is validated as.
#[derive(Clone, Copy)]
pub struct Validation<'a> {
    /// The kind of policy.
    pub kind: DocumentKind,
    /// What a resource's policy is attached to, as CloudFormation names types
    /// (`AWS::S3::Bucket`), for the checks of that type.
    pub resource_type: Option<&'a str>,
    /// What is known of the services.
    pub knowledge: &'a dyn Knowledge,
}

/// All findings about a document in the order of the text. Text that is not JSON has one.
#[must_use]
pub fn validate(text: &str, validation: Validation<'_>) -> Vec<Finding> {
    let mut findings = Findings::new(text);
    if text.len() > SIZE_MAX {
        findings.report(crate::Severity::Error, "JSON_SYNTAX_ERROR", &[], FIX_JSON);
        return findings.finish(None);
    }
    let root = match json::parse(text) {
        Ok(root) => root,
        Err(error) => {
            let offset = error.span.start;
            let (line, column) = crate::position(text, offset);
            let index = text.get(..offset).map_or(0, |before| before.chars().count());
            let column = column - 1;
            let message =
                format!("Fix the JSON syntax error at index {index} line {line} column {column}.");
            findings.error_about("JSON_SYNTAX_ERROR", error.span, &message, error.reason);
            return findings.finish(None);
        }
    };
    let Validation { kind, resource_type, knowledge } = validation;
    let mut analysis = Analysis { text, kind, resource_type, knowledge, findings };
    analysis.document(&root);
    analysis.findings.finish(Some(&root))
}

const FIX_JSON: &str = "Fix the JSON syntax error.";

struct Analysis<'a, 't> {
    text: &'t str,
    kind: DocumentKind,
    resource_type: Option<&'a str>,
    knowledge: &'a dyn Knowledge,
    findings: Findings<'t>,
}

impl Analysis<'_, '_> {
    fn document(&mut self, root: &json::Node<'_>) {
        self.elements(root);
        let outline = outline::outline(root);
        if matches!(root.value, json::Value::Object(_)) {
            self.version(&outline);
        }
        self.sids(&outline);
        self.sizes();
        for sheet in &outline.statements {
            self.statement(&outline, sheet);
        }
        self.redundant_statements(&outline);
    }

    fn statement(&mut self, outline: &Outline<'_>, sheet: &Sheet<'_>) {
        self.statement_elements(sheet);
        self.principals(sheet);
        self.action_names(sheet);
        self.resource_arns(sheet);
        self.variables(outline, sheet);
        self.condition_keys(sheet);
        self.condition_values(sheet);
        self.privileges(sheet);
        self.scope_of_keys(sheet);
        self.redundancies(sheet);
        match self.kind {
            DocumentKind::Trust => self.trust(sheet),
            DocumentKind::Scp => self.service_control(sheet),
            DocumentKind::Rcp => self.resource_control(sheet),
            _ => {}
        }
    }

    /// Whether anything is known of the services at all.
    fn knows_services(&self) -> bool {
        !self.knowledge.prefixes().is_empty()
    }

    fn size(&self) -> usize {
        Policy::size(self.text, self.kind)
    }
}

/// A text in lower case.
fn lower<'t>(text: &'t Text<'_>) -> Cow<'t, str> {
    if text.text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(&text.text)
    }
}
