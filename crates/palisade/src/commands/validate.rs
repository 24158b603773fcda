//! `palisade policy validate`: what IAM Access Analyzer would find, without a server.

use super::policy::open;
use crate::sarif::{self, Configuration, Extent, Location, Message, Region, Rule};
use clap::{Args, ValueEnum};
use palisade_policy::{
    DocumentKind, Finding, Location as Place, PathElement, Severity, Validation, guess_kind,
    refusals, validate,
};
use palisade_services::accessanalyzer::knowledge::Reference;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Check policy documents. Exit 1 when a finding is an error.
#[derive(Args)]
pub struct Validate {
    /// Files, each with one policy document; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// What the documents are: identity, resource, trust, scp, rcp, session, boundary or vpce.
    /// Without it each is judged by its shape
    #[arg(long = "type", alias = "kind", value_name = "TYPE")]
    kind: Option<DocumentKind>,

    /// What a resource's policy is attached to, such as AWS::S3::Bucket, for that type's checks
    #[arg(long, value_name = "TYPE")]
    resource_type: Option<String>,

    /// How findings are printed: FILE:LINE:COLUMN lines, an array, or SARIF 2.1.0
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Sarif,
}

/// A document and what is wrong with it.
#[derive(Serialize)]
pub struct Checked {
    pub file: PathBuf,
    pub findings: Vec<Finding>,
}

impl Validate {
    pub fn run(self) -> Result<ExitCode, String> {
        let mut checked = Vec::new();
        for file in &self.files {
            let mut text = String::new();
            let read = open(file)?.read_to_string(&mut text);
            read.map_err(|error| format!("cannot read {}: {error}", file.display()))?;
            checked.push(Checked { file: file.clone(), findings: self.findings(&text) });
        }
        let mut out = std::io::stdout().lock();
        let printed = match self.format {
            Format::Text => lines(&checked, &mut out),
            Format::Json => print(&checked, &mut out),
            Format::Sarif => print(&log(&checked), &mut out),
        };
        printed.map_err(|error| format!("cannot print: {error}"))?;
        let mut findings = checked.iter().flat_map(|checked| &checked.findings);
        let error = findings.any(|finding| finding.severity == Severity::Error);
        Ok(if error { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    /// What Access Analyzer finds. What it has no check for and is refused on save counts as well.
    fn findings(&self, text: &str) -> Vec<Finding> {
        let kind = self.kind.unwrap_or_else(|| guess_kind(text));
        let resource_type = self.resource_type.as_deref();
        let validation = Validation { kind, resource_type, knowledge: &Reference };
        let mut findings = validate(text, validation);
        if !findings.iter().any(|finding| finding.severity == Severity::Error) {
            findings.extend(refusals(text, kind));
        }
        findings
    }
}

fn print(value: &impl Serialize, out: &mut dyn Write) -> std::io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

fn lines(checked: &[Checked], out: &mut dyn Write) -> std::io::Result<()> {
    for Checked { file, findings } in checked {
        for finding in findings {
            writeln!(out, "{}", line(file, finding))?;
        }
    }
    Ok(())
}

fn line(file: &Path, finding: &Finding) -> String {
    let Finding { at, code, message, .. } = finding;
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::SecurityWarning => "security warning",
        Severity::Warning => "warning",
        Severity::Suggestion => "suggestion",
    };
    let detail = finding.detail.as_deref().map(|detail| format!(" ({detail})"));
    let (detail, place) = (detail.unwrap_or_default(), path(&at.path));
    let place = if place.is_empty() { place } else { format!(" [{place}]") };
    let (line, column) = (at.line, at.column);
    format!("{}:{line}:{column}: {severity} {code}: {message}{detail}{place}", file.display())
}

/// The findings of all documents as one run.
fn log(checked: &[Checked]) -> sarif::Log {
    let findings = checked.iter().flat_map(|checked| &checked.findings);
    let codes: BTreeMap<&str, &Finding> = findings.map(|finding| (finding.code, finding)).collect();
    let rules = codes.values().map(|finding| Rule {
        id: finding.code,
        short_description: None,
        help_uri: Some(finding.learn_more()),
        default_configuration: Configuration { level: level(finding.severity) },
    });
    let index = |code: &str| codes.keys().position(|known| *known == code).unwrap_or_default();
    let results = checked.iter().flat_map(|checked| {
        checked.findings.iter().map(|finding| outcome(&checked.file, finding, index(finding.code)))
    });
    sarif::Log::new("palisade", rules.collect(), results.collect())
}

fn outcome(file: &Path, finding: &Finding, rule_index: usize) -> sarif::Outcome {
    let text = match &finding.detail {
        Some(detail) => format!("{} ({detail})", finding.message),
        None => finding.message.clone(),
    };
    sarif::Outcome {
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
    let extent = Extent {
        start_column: place.column,
        end_line: place.end_line,
        end_column: place.end_column,
        char_offset: place.characters.start,
        char_length: place.characters.end - place.characters.start,
    };
    let region = Region { start_line: place.line, extent: Some(extent) };
    Location::new(file, region, path(&place.path))
}

/// The way to a place: `Statement[0].Action`.
pub fn path(path: &[PathElement]) -> String {
    let path: String = path.iter().map(ToString::to_string).collect();
    path.trim_start_matches('.').to_owned()
}
