//! The API models of the implemented services: botocore's, trimmed to facts.

use crate::Result;
use crate::json::Json;
use crate::models::{implemented, write};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What says nothing about the wire: prose, endpoint rules of the SDKs, hints to code generators.
const PROSE: &[&str] = &[
    "documentation",
    "deprecatedMessage",
    "deprecatedSince",
    "staticContextParams",
    "operationContextParams",
    "contextParam",
    "clientContextParams",
    "box",
    "synthetic",
    "retryable",
    "requestcompression",
    "version",
];

pub fn update(botocore: &Path, models: &Path) -> Result<()> {
    for name in implemented(models)? {
        let model = trimmed(load(botocore, &name)?);
        let path = models.join("services").join(format!("{name}.json"));
        write(&path, lines(&model).as_bytes())?;
    }
    Ok(())
}

/// botocore's model of a service, of its newest API version.
pub fn load(botocore: &Path, name: &str) -> Result<Json> {
    let folder = botocore.join("botocore/data").join(name);
    let mut versions: Vec<PathBuf> = std::fs::read_dir(&folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.join("service-2.json.gz").exists())
        .collect();
    versions.sort();
    let newest = versions.last().ok_or_else(|| format!("{}: no model", folder.display()))?;
    crate::models::read_compressed(&newest.join("service-2.json.gz"))
}

/// Drops prose wherever it stands as a fact's name. Members of shapes are names of their own:
/// a member may well be called `version`.
fn trimmed(json: Json) -> Json {
    match json {
        Json::Object(entries) => Json::Object(
            entries
                .into_iter()
                .filter(|(name, _)| !PROSE.contains(&name.as_str()))
                .map(|(name, value)| match (name.as_str(), value) {
                    ("members" | "shapes" | "operations", Json::Object(named)) => {
                        let named = named.into_iter().map(|(key, value)| (key, trimmed(value)));
                        (name, Json::Object(named.collect()))
                    }
                    (_, value) => (name, trimmed(value)),
                })
                .collect(),
        ),
        Json::Array(items) => Json::Array(items.into_iter().map(trimmed).collect()),
        other => other,
    }
}

/// One line for the metadata, for each operation and each shape: readable in a diff.
fn lines(model: &Json) -> String {
    let mut text = String::from("{\n");
    let metadata = model.get("metadata").unwrap_or(&Json::Null);
    let _ = write!(text, "\"metadata\":{metadata}");
    for section in ["operations", "shapes"] {
        let _ = write!(text, ",\n\"{section}\":{{");
        let mut entries: Vec<_> = model.get(section).map(Json::entries).unwrap_or_default().into();
        entries.sort_by(|left: &(String, Json), right| left.0.cmp(&right.0));
        for (index, (name, value)) in entries.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let _ = write!(text, "{comma}\n{}:{value}", Json::from(name.as_str()));
        }
        text.push_str("\n}");
    }
    text.push_str("\n}\n");
    text
}
