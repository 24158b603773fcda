//! `cargo xtask generate`: writes `crates/model` from `models/`, offline and always the same.

mod archive;
mod authorization;
mod catalog;
mod derive;
mod facts;
#[cfg(test)]
mod figures;
mod managed_policies;
mod names;
mod operations;
mod overlay;
mod service;
mod shapes;
mod targets;

use crate::Result;
use crate::models::{implemented, parse, read};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Path below `crates/model` → content.
pub type Files = BTreeMap<PathBuf, Vec<u8>>;

/// Writes every generated file and removes those that are generated no more.
pub fn write(root: &Path) -> Result<()> {
    let model = root.join("crates/model");
    let files = generate(root)?;
    for path in stale(&model, &files) {
        let found = std::fs::remove_file(&path);
        found.map_err(|error| format!("{}: {error}", path.display()))?;
    }
    for (path, content) in &files {
        crate::models::write(&model.join(path), content)?;
    }
    Ok(())
}

/// Fails, naming the files, when what is committed is not what `write` would write.
pub fn check(root: &Path) -> Result<()> {
    let model = root.join("crates/model");
    let files = generate(root)?;
    let mut wrong = stale(&model, &files);
    for (path, content) in &files {
        let path = model.join(path);
        if !same(&std::fs::read(&path).unwrap_or_default(), content) {
            wrong.push(path);
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = wrong.iter().map(|path| path.display().to_string()).collect();
    Err(format!("not as `cargo xtask generate` writes it: {}", list.join(", ")))
}

/// Archives are compared by what they say: the compressor may change, as it is a library.
fn same(found: &[u8], wanted: &[u8]) -> bool {
    let inflated = || Some(archive::inflated(found).ok()? == archive::inflated(wanted).ok()?);
    found == wanted || inflated().unwrap_or(false)
}

fn generate(root: &Path) -> Result<Files> {
    let models = root.join("models");
    let names = implemented(&models)?;
    let patches = models.join("patches.json");
    let patches = parse(&patches, &read(&patches)?)?;
    let mut files = Files::new();
    for name in &names {
        let path = models.join("services").join(format!("{name}.json"));
        let api = service::Api::new(name, parse(&path, &read(&path)?)?, &patches)?;
        let module = PathBuf::from("src/generated").join(format!("{}.rs", api.module()));
        files.insert(module, service::render(&api)?.into_bytes());
    }
    files.insert(PathBuf::from("src/generated/mod.rs"), service::index(&names).into_bytes());
    let facts = facts::Facts::read(&models)?;
    let readable = authorization::readable(&facts, &names)?;
    files.insert(PathBuf::from("src/generated/rows.txt"), readable.into_bytes());
    for (name, content) in [
        ("catalog", catalog::archive(&facts)?),
        ("authorization", authorization::archive(&facts)?),
        ("managed_policies", managed_policies::archive(&models)?),
    ] {
        files.insert(PathBuf::from("src/generated").join(format!("{name}.bin")), content);
    }
    Ok(files)
}

/// Files in the folder of generated code that are not in `files`.
fn stale(model: &Path, files: &Files) -> Vec<PathBuf> {
    let folder = model.join("src/generated");
    let Ok(entries) = std::fs::read_dir(&folder) else { return Vec::new() };
    let known =
        |path: &PathBuf| path.strip_prefix(model).is_ok_and(|path| files.contains_key(path));
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    paths.filter(|path| !known(path)).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn generated_files_are_fresh() {
        super::check(&crate::root()).unwrap();
    }
}
