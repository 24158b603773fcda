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
    /// Where the last finding began: the next one mostly begins behind it.
    last: Place,
}

/// A byte offset with its line and column.
#[derive(Clone, Copy)]
struct Place {
    offset: usize,
    line: usize,
    column: usize,
}

const START: Place = Place { offset: 0, line: 1, column: 1 };

impl Place {
    /// The place of an offset, counted from this one when it lies behind.
    fn walk(self, text: &str, offset: usize) -> Self {
        let from = if self.offset <= offset { self } else { START };
        let passed = text.get(from.offset..offset).or(text.get(from.offset..)).unwrap_or("");
        let lines = passed.bytes().filter(|byte| *byte == b'\n').count();
        let tail =
            passed.rfind('\n').map_or(passed, |newline| passed.get(newline + 1..).unwrap_or(""));
        let begin = if lines == 0 { from.column } else { START.column };
        Self { offset, line: from.line + lines, column: begin + tail.chars().count() }
    }
}

impl<'t> Findings<'t> {
    pub fn new(text: &'t str) -> Self {
        Self { text, found: Vec::new(), last: START }
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
        let start = self.last.walk(self.text, span.start);
        let end = start.walk(self.text, span.end);
        self.last = start;
        let Place { line, column, .. } = start;
        let Place { line: end_line, column: end_column, .. } = end;
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
    let Place { line, column, .. } = START.walk(text, offset);
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_the_same_from_everywhere() {
        let text = "é\n{\n\n \"a\": ü}\n";
        let offsets: Vec<usize> =
            (0..=text.len()).filter(|at| text.is_char_boundary(*at)).collect();
        for &from in &offsets {
            let start = START.walk(text, from);
            for &to in &offsets {
                let place = start.walk(text, to);
                assert_eq!((place.line, place.column), position(text, to), "{from} {to}");
            }
        }
        assert_eq!(position(text, text.len()), (5, 1));
        assert_eq!(position(text, "é\n{\n\n \"a\": ü".len()), (4, 8));
    }
}
