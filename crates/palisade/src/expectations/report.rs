//! How the tests went: for people, as JUnit's XML, as SARIF.

use super::Outcome;
use crate::sarif::{self, Configuration, Location, Message, Region, Rule};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use std::io::Cursor;
use std::path::Path;

/// One line a test, its failures below it, and the counts.
pub fn text(outcomes: &[Outcome]) -> String {
    let width = |of: fn(&Outcome) -> &str| {
        outcomes.iter().map(|outcome| of(outcome).chars().count()).max().unwrap_or(0)
    };
    let principals = width(|outcome| &outcome.case.expected.principal);
    let actions = width(|outcome| &outcome.case.expected.action);
    let resources = width(|outcome| &outcome.case.expected.resource);
    let mut lines = Vec::new();
    for outcome in outcomes {
        let word = if outcome.passed() { "PASS" } else { "FAIL" };
        let expected = &outcome.case.expected;
        let shown = if outcome.passed() { outcome.decided.clone() } else { expected.wanted() };
        lines.push(format!(
            "{word} {:principals$}  {:actions$}  {:resources$}  {shown}",
            expected.principal, expected.action, expected.resource
        ));
        lines.extend(outcome.failures.iter().map(|failure| format!("     {failure}")));
    }
    let (passed, failed) = counts(outcomes);
    lines.push(match failed {
        0 => format!("{passed} passed"),
        _ => format!("{passed} passed, {failed} failed"),
    });
    lines.join("\n") + "\n"
}

fn counts(outcomes: &[Outcome]) -> (usize, usize) {
    let passed = outcomes.iter().filter(|outcome| outcome.passed()).count();
    (passed, outcomes.len() - passed)
}

/// What a test is called where its file gives it no name.
fn title(outcome: &Outcome) -> String {
    let expected = &outcome.case.expected;
    let (principal, action, resource) = (&expected.principal, &expected.action, &expected.resource);
    match &expected.name {
        Some(name) => format!("{name}: {principal} {action} {resource}"),
        None => format!("{principal} {action} {resource}"),
    }
}

/// JUnit's XML: a suite a file.
pub fn junit(outcomes: &[Outcome]) -> Result<String, String> {
    let mut writer = Writer::new_with_indent(Cursor::new(Vec::new()), b' ', 2);
    let wrong = |error: std::io::Error| error.to_string();
    let declaration = Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None));
    writer.write_event(declaration).map_err(wrong)?;
    let (passed, failed) = counts(outcomes);
    let total = (passed + failed).to_string();
    let root = writer.create_element("testsuites").with_attributes([
        ("name", "palisade test"),
        ("tests", total.as_str()),
        ("failures", failed.to_string().as_str()),
    ]);
    root.write_inner_content(|writer| {
        for suite in outcomes.chunk_by(|one, other| one.case.file == other.case.file) {
            junit_suite(writer, suite)?;
        }
        Ok(())
    })
    .map_err(wrong)?;
    let bytes = writer.into_inner().into_inner();
    String::from_utf8(bytes).map(|text| text + "\n").map_err(|error| error.to_string())
}

type Xml = Writer<Cursor<Vec<u8>>>;

fn junit_suite(writer: &mut Xml, suite: &[Outcome]) -> std::io::Result<()> {
    let file = suite.first().map_or("", |outcome| outcome.case.file.as_str());
    let (passed, failed) = counts(suite);
    let element = writer.create_element("testsuite").with_attributes([
        ("name", file),
        ("tests", (passed + failed).to_string().as_str()),
        ("failures", failed.to_string().as_str()),
    ]);
    element.write_inner_content(|writer| {
        for outcome in suite {
            let (name, line) = (title(outcome), outcome.case.line.to_string());
            let case = writer.create_element("testcase").with_attributes([
                ("name", name.as_str()),
                ("classname", file),
                ("file", file),
                ("line", line.as_str()),
            ]);
            if outcome.passed() {
                case.write_empty()?;
                continue;
            }
            case.write_inner_content(|writer| {
                let message = outcome.failures.first().map_or("", String::as_str);
                let failure = writer.create_element("failure");
                let failure = failure.with_attribute(("message", message));
                failure.write_text_content(BytesText::new(&outcome.failures.join("\n")))?;
                Ok(())
            })?;
        }
        Ok(())
    })?;
    Ok(())
}

/// A result for each test that failed, at its line of the file.
pub fn sarif(outcomes: &[Outcome]) -> Result<String, String> {
    let failed = outcomes.iter().filter(|outcome| !outcome.passed());
    let results = failed.map(|outcome| {
        let region = Region { start_line: outcome.case.line, extent: None };
        sarif::Outcome {
            rule_id: RULE,
            rule_index: 0,
            level: "error",
            message: Message { text: outcome.failures.join("\n") },
            locations: [Location::new(Path::new(&outcome.case.file), region, title(outcome))],
            related_locations: Vec::new(),
        }
    });
    let rule = Rule {
        id: RULE,
        short_description: Some(Message {
            text: "A policy test expects another decision.".to_owned(),
        }),
        help_uri: None,
        default_configuration: Configuration { level: "error" },
    };
    let log = sarif::Log::new("palisade test", vec![rule], results.collect());
    serde_json::to_string_pretty(&log).map(|text| text + "\n").map_err(|error| error.to_string())
}

const RULE: &str = "policy-test";
