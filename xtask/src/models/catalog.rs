//! What must be known of every operation of every AWS service: how it is called, and which members
//! its input has, so that its resources and condition keys can be found.

use crate::Result;
use crate::json::Json;
use crate::models::services::load;
use crate::models::write_compressed;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// How many structures deep the members of an input are listed. Deeper ones name no resource.
const DEPTH: usize = 3;
/// How many members of one input are listed at most.
const MEMBERS: usize = 300;

const METADATA: &[&str] = &[
    "apiVersion",
    "endpointPrefix",
    "globalEndpoint",
    "jsonVersion",
    "protocol",
    "protocols",
    "serviceFullName",
    "serviceId",
    "signingName",
    "targetPrefix",
    "uid",
];

pub fn update(botocore: &Path, models: &Path) -> Result<()> {
    let folder = botocore.join("botocore/data");
    let entries =
        std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok())
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    let mut text = String::from("{");
    for (index, name) in names.iter().enumerate() {
        let model = load(botocore, name)?;
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(text, "{comma}\n{}:{}", Json::from(name.as_str()), facts(&model));
    }
    text.push_str("\n}\n");
    write_compressed(&models.join("catalog/operations.json.gz"), &text)
}

fn facts(model: &Json) -> Json {
    let metadata = model.get("metadata").map(Json::entries).unwrap_or_default();
    let metadata = metadata.iter().filter(|(name, _)| METADATA.contains(&name.as_str())).cloned();
    let shapes: BTreeMap<&str, &Json> = entries(model, "shapes").collect();
    let mut operations: Vec<(String, Json)> = entries(model, "operations")
        .map(|(name, operation)| (name.to_string(), operation_facts(operation, &shapes)))
        .collect();
    operations.sort_by(|left, right| left.0.cmp(&right.0));
    Json::Object(vec![
        ("metadata".into(), Json::Object(metadata.collect())),
        ("operations".into(), Json::Object(operations)),
    ])
}

fn entries<'a>(json: &'a Json, key: &str) -> impl Iterator<Item = (&'a str, &'a Json)> {
    let entries = json.get(key).map(Json::entries).unwrap_or_default();
    entries.iter().map(|(name, value)| (name.as_str(), value))
}

fn operation_facts(operation: &Json, shapes: &BTreeMap<&str, &Json>) -> Json {
    let http = operation.get("http").unwrap_or(&Json::Null);
    let mut facts = vec![
        ("method".to_string(), Json::from(http.text("method"))),
        ("uri".to_string(), Json::from(http.text("requestUri"))),
    ];
    let host = operation.get("endpoint").map(|endpoint| endpoint.text("hostPrefix"));
    if let Some(host) = host.filter(|host| !host.is_empty()) {
        facts.push(("hostPrefix".into(), Json::from(host)));
    }
    if operation.flag("readonly") {
        facts.push(("readonly".into(), Json::Bool(true)));
    }
    let schemes = operation.strings("auth");
    if operation.text("authtype") == "none" || schemes.first() == Some(&"smithy.api#noAuth") {
        facts.push(("anonymous".into(), Json::Bool(true)));
    }
    if let Some(input) = operation.get("input") {
        let mut list = Vec::new();
        walk(shapes, input.text("shape"), "", DEPTH, &mut list);
        list.truncate(MEMBERS);
        facts.push(("members".into(), Json::Array(list)));
    }
    Json::Object(facts)
}

/// Adds the path of every scalar below `shape`, and after a space its name on the wire if that
/// differs from its last step.
fn walk(
    shapes: &BTreeMap<&str, &Json>,
    shape: &str,
    path: &str,
    depth: usize,
    list: &mut Vec<Json>,
) {
    let Some(shape) = shapes.get(shape) else { return };
    match shape.text("type") {
        "structure" if depth > 0 => {
            for (name, member) in entries(shape, "members") {
                let dot = if path.is_empty() { "" } else { "." };
                let before = list.len();
                walk(shapes, member.text("shape"), &format!("{path}{dot}{name}"), depth - 1, list);
                let wire = member.text("locationName");
                let path = format!("{path}{dot}{name}");
                let own = list.get_mut(before).filter(|leaf| leaf.as_str() == Some(&path));
                if let Some(leaf) = own.filter(|_| !wire.is_empty() && wire != name) {
                    *leaf = Json::String(format!("{path} {wire}"));
                }
            }
        }
        "structure" => {}
        "list" => {
            let element = shape.get("member").map(|member| member.text("shape"));
            walk(shapes, element.unwrap_or_default(), &format!("{path}[]"), depth, list);
        }
        "map" => list.push(Json::String(format!("{path}{{}}"))),
        _ => list.push(Json::from(path)),
    }
}
