//! Findings as SARIF, which code hosts show beside the lines of a pull request.
//!
//! Source: Static Analysis Results Interchange Format 2.1.0 (OASIS), sections 3.13 to 3.30.

use super::validate::{Checked, path};
use palisade_policy::{Finding, Location as Place, Severity};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

#[derive(Serialize)]
pub struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    column_kind: &'static str,
    results: Vec<Outcome>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
struct Driver {
    name: &'static str,
    version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    help_uri: String,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Message,
    locations: [Location; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logical_locations: Vec<LogicalLocation>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Serialize)]
struct ArtifactLocation {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    start_column: usize,
    end_line: usize,
    end_column: usize,
    char_offset: usize,
    char_length: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    fully_qualified_name: String,
}

/// One run over all the documents.
pub fn log(checked: &[Checked]) -> Log {
    let findings = checked.iter().flat_map(|checked| &checked.findings);
    let codes: BTreeMap<&str, &Finding> = findings.map(|finding| (finding.code, finding)).collect();
    let rules = codes.values().map(|finding| Rule {
        id: finding.code,
        help_uri: finding.learn_more(),
        default_configuration: Configuration { level: level(finding.severity) },
    });
    let index = |code: &str| codes.keys().position(|known| *known == code).unwrap_or_default();
    let results = checked.iter().flat_map(|checked| {
        checked.findings.iter().map(|finding| outcome(&checked.file, finding, index(finding.code)))
    });
    let driver =
        Driver { name: "palisade", version: env!("CARGO_PKG_VERSION"), rules: rules.collect() };
    let run =
        Run { tool: Tool { driver }, column_kind: "unicodeCodePoints", results: results.collect() };
    let schema = "https://json.schemastore.org/sarif-2.1.0.json";
    Log { schema, version: "2.1.0", runs: [run] }
}

fn outcome(file: &Path, finding: &Finding, rule_index: usize) -> Outcome {
    let text = match &finding.detail {
        Some(detail) => format!("{} ({detail})", finding.message),
        None => finding.message.clone(),
    };
    Outcome {
        rule_id: finding.code,
        rule_index,
        level: level(finding.severity),
        message: Message { text },
        locations: [location(file, &finding.at)],
        related_locations: finding.related.iter().map(|place| location(file, place)).collect(),
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::SecurityWarning | Severity::Warning => "warning",
        Severity::Suggestion => "note",
    }
}

fn location(file: &Path, place: &Place) -> Location {
    let region = Region {
        start_line: place.line,
        start_column: place.column,
        end_line: place.end_line,
        end_column: place.end_column,
        char_offset: place.characters.start,
        char_length: place.characters.end - place.characters.start,
    };
    let name = path(&place.path);
    let named = (!name.is_empty()).then_some(LogicalLocation { fully_qualified_name: name });
    let artifact_location = ArtifactLocation { uri: uri(file) };
    Location {
        physical_location: PhysicalLocation { artifact_location, region },
        logical_locations: named.into_iter().collect(),
    }
}

/// A path as a reference of RFC 3986, section 4.2.
fn uri(file: &Path) -> String {
    let mut out = String::new();
    for byte in file.to_string_lossy().bytes() {
        let plain =
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/');
        if plain {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_references() {
        for (path, expected) in [
            ("policies/a.json", "policies/a.json"),
            ("/tmp/a b#é.json", "/tmp/a%20b%23%C3%A9.json"),
            ("c:x", "c%3Ax"),
        ] {
            assert_eq!(uri(Path::new(path)), expected);
        }
    }
}
