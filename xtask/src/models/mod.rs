//! `cargo xtask models`: fetches the pinned packages and writes their facts, without prose, under
//! `models/`. Run rarely, when a pin of `models/sources.toml` or a line of `services.toml` changes.

mod authorization;
mod catalog;
mod fetch;
mod managed_policies;
mod services;

use crate::Result;
use crate::json::Json;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use std::io::{Read as _, Write as _};
use std::path::Path;

pub fn update(root: &Path) -> Result<()> {
    let models = root.join("models");
    let packages = fetch::fetch(&models.join("sources.toml"))?;
    services::update(&packages.folder("botocore"), &models)?;
    catalog::update(&packages.folder("botocore"), &models)?;
    authorization::update(&packages, &models)?;
    managed_policies::update(&packages.folder("moto"), &models)
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

/// Writes text that is not meant for reading.
pub fn write_compressed(path: &Path, text: &str) -> Result<()> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
    write(path, &written.map_err(|error| format!("{}: {error}", path.display()))?)
}

pub fn read_compressed(path: &Path) -> Result<Json> {
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| GzDecoder::new(file).read_to_string(&mut text))
        .map_err(|error| format!("{}: {error}", path.display()))?;
    parse(path, &text)
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
