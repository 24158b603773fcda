//! What validation finds, with places in the text.

use crate::json::{Node, Value};
use serde::Serialize;
use std::fmt;

/// A stretch of the policy's text, as byte offsets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// How bad a finding is, as IAM Access Analyzer grades it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Severity {
    /// A part of the policy does not work; most such documents are refused on save.
    Error,
    /// The policy allows more than it should.
    SecurityWarning,
    /// The policy does not follow the best practices, without being unsafe.
    Warning,
    /// The policy could be written better; its meaning would stay.
    Suggestion,
}

impl Severity {
    /// AWS's name, a value of the API's `ValidatePolicyFindingType`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::SecurityWarning => "SECURITY_WARNING",
            Self::Warning => "WARNING",
            Self::Suggestion => "SUGGESTION",
        }
    }
}

/// One step from the document's root to the place of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PathElement {
    /// An element of an array, from 0.
    Index(usize),
    /// A key of an object, the key itself.
    Key(String),
    /// The value of a key of an object.
    Value(String),
}

impl fmt::Display for PathElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(f, "[{index}]"),
            Self::Key(key) | Self::Value(key) => write!(f, ".{key}"),
        }
    }
}

/// A place in the document. Lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Location {
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
    /// The same place counted in characters from 0.
    #[serde(skip)]
    pub characters: Span,
    /// The way to it; empty for the whole document and for text that is not JSON.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<PathElement>,
}

/// One finding about a policy document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The issue code, for example `UNIQUE_SIDS_REQUIRED`.
    pub code: &'static str,
    /// The text AWS answers with where it is known.
    pub message: String,
    /// What is meant here, where AWS's text does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Where it is.
    #[serde(flatten)]
    pub at: Location,
    /// Further places that it concerns.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Location>,
}

impl Finding {
    /// AWS's page about the check.
    #[must_use]
    pub fn learn_more(&self) -> String {
        const PAGE: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/\
            access-analyzer-reference-policy-checks.html#access-analyzer-reference-policy-checks";
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::SecurityWarning => "security-warning",
            Severity::Warning => "general-warning",
            Severity::Suggestion => "suggestion",
        };
        format!("{PAGE}-{severity}-{}", self.code.to_ascii_lowercase().replace('_', "-"))
    }

    /// All places: the first and the further ones.
    pub fn locations(&self) -> impl Iterator<Item = &Location> {
        std::iter::once(&self.at).chain(&self.related)
    }
}

/// Collects findings while a document is read.
pub(crate) struct Findings<'t> {
    text: &'t str,
    found: Vec<Finding>,
    /// Where the last finding began: the next one mostly begins behind it.
    last: Place,
}

/// A byte offset with its line and column, and the same offset in characters.
#[derive(Clone, Copy)]
struct Place {
    offset: usize,
    characters: usize,
    line: usize,
    column: usize,
}

const START: Place = Place { offset: 0, characters: 0, line: 1, column: 1 };

impl Place {
    /// The place of an offset, counted from this one when it lies behind.
    fn walk(self, text: &str, offset: usize) -> Self {
        let from = if self.offset <= offset { self } else { START };
        let passed = text.get(from.offset..offset).or(text.get(from.offset..)).unwrap_or("");
        let lines = passed.bytes().filter(|byte| *byte == b'\n').count();
        let tail =
            passed.rfind('\n').map_or(passed, |newline| passed.get(newline + 1..).unwrap_or(""));
        let begin = if lines == 0 { from.column } else { START.column };
        Self {
            offset,
            characters: from.characters + passed.chars().count(),
            line: from.line + lines,
            column: begin + tail.chars().count(),
        }
    }
}

impl<'t> Findings<'t> {
    pub fn new(text: &'t str) -> Self {
        Self { text, found: Vec::new(), last: START }
    }

    pub fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        self.report(Severity::Error, code, &[span], message);
    }

    pub fn security(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        self.report(Severity::SecurityWarning, code, &[span], message);
    }

    pub fn warning(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        self.report(Severity::Warning, code, &[span], message);
    }

    pub fn suggestion(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        self.report(Severity::Suggestion, code, &[span], message);
    }

    /// An error whose text is too general to help, with what it is about.
    pub fn error_about(
        &mut self,
        code: &'static str,
        span: Span,
        message: &str,
        detail: impl Into<String>,
    ) {
        self.report(Severity::Error, code, &[span], message);
        if let Some(finding) = self.found.last_mut() {
            finding.detail = Some(detail.into());
        }
    }

    /// A finding with one or more places; one without a place is about the whole document.
    pub fn report(
        &mut self,
        severity: Severity,
        code: &'static str,
        spans: &[Span],
        message: impl Into<String>,
    ) {
        let mut locations: Vec<Location> = spans.iter().map(|span| self.locate(*span)).collect();
        let related = locations.split_off(locations.len().min(1));
        let at = locations.pop().unwrap_or_else(|| self.locate(self.whole()));
        let message = message.into();
        self.found.push(Finding { severity, code, message, detail: None, at, related });
    }

    pub fn whole(&self) -> Span {
        Span { start: 0, end: self.text.len() }
    }

    fn locate(&mut self, span: Span) -> Location {
        let start = self.last.walk(self.text, span.start);
        let end = start.walk(self.text, span.end);
        self.last = start;
        Location {
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
            span,
            characters: Span { start: start.characters, end: end.characters },
            path: Vec::new(),
        }
    }

    /// All findings in the order of their places, with the ways to them.
    pub fn finish(mut self, root: Option<&Node<'_>>) -> Vec<Finding> {
        self.found.sort_by_key(|finding| (finding.at.span.start, finding.severity));
        if let Some(root) = root {
            for finding in &mut self.found {
                for location in std::iter::once(&mut finding.at).chain(&mut finding.related) {
                    location.path = path(root, location.span);
                }
            }
        }
        self.found
    }

    pub fn has_error(&self) -> bool {
        self.found.iter().any(|finding| finding.severity == Severity::Error)
    }
}

/// The way from the root to the smallest value or key that holds the span.
fn path(root: &Node<'_>, span: Span) -> Vec<PathElement> {
    let holds = |outer: Span| outer.start <= span.start && span.end <= outer.end;
    let mut path = Vec::new();
    let mut node = root;
    loop {
        if node.span == span {
            return path;
        }
        match &node.value {
            Value::List(items) => {
                let index = items.partition_point(|item| item.span.end < span.end);
                let Some(item) = items.get(index).filter(|item| holds(item.span)) else {
                    return path;
                };
                path.push(PathElement::Index(index));
                node = item;
            }
            Value::Object(members) => {
                let index = members.partition_point(|member| member.value.span.end < span.end);
                let Some(member) = members.get(index) else { return path };
                if holds(member.key_span) {
                    path.push(PathElement::Key(member.key.to_string()));
                    return path;
                }
                if !holds(member.value.span) {
                    return path;
                }
                path.push(PathElement::Value(member.key.to_string()));
                node = &member.value;
            }
            _ => return path,
        }
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
                assert_eq!(place.characters, text[..to].chars().count());
            }
        }
        assert_eq!(position(text, text.len()), (5, 1));
        assert_eq!(position(text, "é\n{\n\n \"a\": ü".len()), (4, 8));
    }

    #[test]
    fn a_path_leads_to_the_smallest_part() {
        let text = r#"{"a": [1, {"b": "text", "c": {}}], "d": 2}"#;
        let root = crate::json::parse(text).unwrap();
        let way = |part: &str| {
            let start = text.find(part).unwrap();
            let steps = path(&root, Span { start, end: start + part.len() });
            steps.iter().map(ToString::to_string).collect::<String>()
        };
        for (part, expected) in [
            (text, ""),
            ("\"a\"", ".a"),
            ("\"text\"", ".a[1].b"),
            ("\"c\": {}", ".a[1]"),
            ("{}", ".a[1].c"),
            ("2}", ""),
            ("2", ".d"),
        ] {
            assert_eq!(way(part), expected, "{part}");
        }
    }
}
