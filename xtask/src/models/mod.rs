//! `cargo xtask models`: fetches the pinned packages and writes their facts, without prose, under
//! `models/`. Run rarely, when a pin of `models/sources.toml` or a line of `services.toml` changes.

mod fetch;
mod services;

use crate::Result;
use crate::json::Json;
use std::path::Path;

pub fn update(root: &Path) -> Result<()> {
    let models = root.join("models");
    let packages = fetch::fetch(&models.join("sources.toml"))?;
    services::update(&packages.folder("botocore"), &models)?;
    Ok(())
}

pub fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

pub fn parse(path: &Path, text: &str) -> Result<Json> {
    serde_json::from_str(text).map_err(|error| format!("{}: {error}", path.display()))
}

pub fn write(path: &Path, content: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    std::fs::write(path, content).map_err(|error| format!("{}: {error}", path.display()))
}

/// The implemented services, sorted.
pub fn implemented(models: &Path) -> Result<Vec<String>> {
    let path = models.join("services.toml");
    let table: toml::Table =
        read(&path)?.parse().map_err(|error| format!("{}: {error}", path.display()))?;
    let list = table.get("services").and_then(toml::Value::as_array);
    let mut names: Vec<String> =
        list.into_iter().flatten().filter_map(|name| name.as_str().map(String::from)).collect();
    names.sort();
    if names.is_empty() { Err(format!("{}: no service", path.display())) } else { Ok(names) }
}
