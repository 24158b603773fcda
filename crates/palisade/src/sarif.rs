//! SARIF, which code hosts show beside the lines of a pull request.
//!
//! Source: Static Analysis Results Interchange Format 2.1.0 (OASIS), sections 3.13 to 3.30.

use palisade_protocol::percent::encode;
use serde::Serialize;
use std::path::Path;

/// One run of one tool.
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

/// What a tool looks for.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    pub id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub short_description: Option<Message>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help_uri: Option<String>,
    pub default_configuration: Configuration,
}

#[derive(Serialize)]
pub struct Configuration {
    /// `error`, `warning` or `note`.
    pub level: &'static str,
}

/// What was found: a `result` in the words of the format.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    pub rule_id: &'static str,
    /// Its place among the rules of the log.
    pub rule_index: usize,
    pub level: &'static str,
    pub message: Message,
    pub locations: [Location; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related_locations: Vec<Location>,
}

#[derive(Serialize)]
pub struct Message {
    pub text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Location {
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

/// Lines and columns count from 1, characters from 0.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Region {
    pub start_line: usize,
    #[serde(flatten)]
    pub extent: Option<Extent>,
}

/// Where a region begins in its line and ends, where that is known.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Extent {
    pub start_column: usize,
    pub end_line: usize,
    pub end_column: usize,
    pub char_offset: usize,
    pub char_length: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    fully_qualified_name: String,
}

impl Log {
    /// The log of a run of `tool`.
    pub fn new(tool: &'static str, rules: Vec<Rule>, results: Vec<Outcome>) -> Self {
        let driver = Driver { name: tool, version: env!("CARGO_PKG_VERSION"), rules };
        let run = Run { tool: Tool { driver }, column_kind: "unicodeCodePoints", results };
        let schema = "https://json.schemastore.org/sarif-2.1.0.json";
        Self { schema, version: "2.1.0", runs: [run] }
    }
}

impl Location {
    /// A region of a file. `name` says what is there (`Statement[0].Action`), if anything.
    pub fn new(file: &Path, region: Region, name: String) -> Self {
        let named = (!name.is_empty()).then_some(LogicalLocation { fully_qualified_name: name });
        let artifact_location = ArtifactLocation { uri: encode(&file.to_string_lossy(), b"/") };
        Self {
            physical_location: PhysicalLocation { artifact_location, region },
            logical_locations: named.into_iter().collect(),
        }
    }
}
