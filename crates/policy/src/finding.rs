//! What validation finds, with places in the text.

use serde::Serialize;

/// A stretch of the policy's text, as byte offsets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// AWS refuses the document.
    Error,
    /// AWS takes the document, which then does not do what it seems to say.
    Warning,
}

/// One finding about a policy document. Lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Error or warning.
    pub severity: Severity,
    /// A stable upper-case name of the rule, for example `DUPLICATE_SID`.
    pub code: &'static str,
    /// The text AWS answers with where it is known.
    pub message: String,
    /// What is meant here, where AWS's text does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Where it begins.
    pub line: usize,
    /// Where it begins in that line.
    pub column: usize,
    /// Where it ends (the position after the last character).
    pub end_line: usize,
    /// Where it ends in that line.
    pub end_column: usize,
    /// The same place as byte offsets.
    #[serde(flatten)]
    pub span: Span,
}

/// Collects findings while a document is read.
pub(crate) struct Findings<'t> {
    text: &'t str,
    found: Vec<Finding>,
}

impl<'t> Findings<'t> {
    pub fn new(text: &'t str) -> Self {
        Self { text, found: Vec::new() }
    }

    pub fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        self.add(Severity::Error, code, span, message.into(), None);
    }

    /// An error whose text is too general to help, with what it is about.
    pub fn error_about(
        &mut self,
        code: &'static str,
        span: Span,
        message: &str,
        detail: impl Into<String>,
    ) {
        self.add(Severity::Error, code, span, message.to_owned(), Some(detail.into()));
    }

    pub fn warning(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        self.add(Severity::Warning, code, span, message.into(), None);
    }

    fn add(
        &mut self,
        severity: Severity,
        code: &'static str,
        span: Span,
        message: String,
        detail: Option<String>,
    ) {
        let (line, column) = position(self.text, span.start);
        let (end_line, end_column) = position(self.text, span.end);
        let finding =
            Finding { severity, code, message, detail, line, column, end_line, end_column, span };
        self.found.push(finding);
    }

    /// All findings in the order of their places.
    pub fn finish(mut self) -> Vec<Finding> {
        self.found.sort_by_key(|finding| (finding.span.start, finding.severity));
        self.found
    }

    pub fn has_error(&self) -> bool {
        self.found.iter().any(|finding| finding.severity == Severity::Error)
    }
}

/// Line and column of a byte offset, both from 1.
#[must_use]
pub fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.get(line_start..).unwrap_or("").chars().count() + 1;
    (line, column)
}
