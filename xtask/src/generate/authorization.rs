//! The authorization table: rows of every operation, and what each IAM prefix defines.

use crate::Result;
use crate::generate::archive::Archive;
use crate::generate::derive::{self, Row};
use crate::generate::facts::{Facts, Prefix};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Two kinds of block. `prefix`, name, title, `rcp` or nothing:
/// ```text
/// K key type          condition keys, numbered from 0
/// R kind template keys
/// A name level types keys needs     types with commas between; a required one ends in `!`
/// ```
/// `service`, botocore's name:
/// ```text
/// O operation
/// A action when tags "key path;key path"
/// R kind required when "variable path;variable path"
/// ```
pub fn archive(facts: &Facts) -> Result<Vec<u8>> {
    let mut archive = Archive::default();
    for (name, prefix) in &facts.prefixes {
        let rcp = if facts.rcp.contains(name) { "rcp" } else { "" };
        archive.add(&["prefix", name, rcp], &prefix_block(prefix))?;
    }
    for (name, service) in &facts.services {
        let rows = derive::rows(facts, name, service)?;
        archive.add(&["service", name], &service_block(&rows))?;
    }
    archive.finish()
}

/// The rows of the implemented services as text, one line an action, for people to review.
pub fn readable(facts: &Facts, implemented: &[String]) -> Result<String> {
    let mut text = String::new();
    for (name, service) in implemented.iter().filter_map(|name| facts.services.get_key_value(name))
    {
        let rows = derive::rows(facts, name, service)?;
        for operation in service.operations.keys() {
            let _ = writeln!(text, "{name} {operation}");
            for row in rows.get(operation).into_iter().flatten() {
                let _ = writeln!(text, "    {}", readable_row(row));
            }
        }
    }
    Ok(text)
}

fn readable_row(row: &Row) -> String {
    let when = |when: &str| if when.is_empty() { String::new() } else { format!(" when {when}") };
    let mut text = format!("{}{}", row.action, when(&row.when));
    for resource in &row.resources {
        let mark = if resource.required { "!" } else { "" };
        let (kind, when) = (&resource.kind, when(&resource.when));
        let _ = write!(text, "; {kind}{mark} ({}){when}", pairs(&resource.variables));
    }
    for (key, path) in &row.keys {
        let _ = write!(text, "; {key} = {path}");
    }
    text
}

fn prefix_block(prefix: &Prefix) -> String {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    let mut text = String::new();
    let used = prefix.actions.values().flat_map(|action| &action.keys);
    let used = used.chain(prefix.resources.values().flat_map(|resource| &resource.keys));
    let untyped = used.map(|key| (key.as_str(), ""));
    let typed = prefix.keys.iter().map(|(key, kind)| (key.as_str(), kind.as_str()));
    for (key, kind) in typed.chain(untyped) {
        let next = numbers.len();
        if !numbers.contains_key(key) {
            numbers.insert(key, next);
            let _ = writeln!(text, "K\t{key}\t{kind}");
        }
    }
    let list = |keys: &[String]| {
        let numbers = keys.iter().filter_map(|key| numbers.get(key.as_str()));
        numbers.map(usize::to_string).collect::<Vec<_>>().join(" ")
    };
    for resource in prefix.resources.values() {
        let keys = list(&resource.keys);
        let _ = writeln!(text, "R\t{}\t{}\t{keys}", resource.kind, resource.template);
    }
    for action in prefix.actions.values() {
        let kinds = action
            .resources
            .iter()
            .map(|(kind, required)| format!("{kind}{}", if *required { "!" } else { "" }));
        let kinds = kinds.collect::<Vec<_>>().join(",");
        let (keys, needs) = (list(&action.keys), action.needs.join(" "));
        let level = level(&action.level);
        let _ = writeln!(text, "A\t{}\t{level}\t{kinds}\t{keys}\t{needs}", action.name);
    }
    text
}

/// The reference gives some actions two levels; the one that grants more decides.
fn level(name: &str) -> &'static str {
    match name {
        "List" => "L",
        "Read" => "R",
        _ if name.contains("Permissions management") => "P",
        _ if name.contains("Tagging") => "T",
        // What it does not grade counts as a change.
        _ => "W",
    }
}

fn service_block(rows: &BTreeMap<String, Vec<Row>>) -> String {
    let mut text = String::new();
    for (operation, rows) in rows {
        let _ = writeln!(text, "O\t{operation}");
        for row in rows {
            let keys = pairs(&row.keys);
            let _ = writeln!(text, "A\t{}\t{}\t{}\t{keys}", row.action, row.when, row.tags);
            for resource in &row.resources {
                let mark = if resource.required { "!" } else { "" };
                let variables = pairs(&resource.variables);
                let _ =
                    writeln!(text, "R\t{}\t{mark}\t{}\t{variables}", resource.kind, resource.when);
            }
        }
    }
    text
}

fn pairs(pairs: &[(String, String)]) -> String {
    pairs.iter().map(|(name, path)| format!("{name} {path}")).collect::<Vec<_>>().join(";")
}
