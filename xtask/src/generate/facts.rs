//! The facts under `models/` that the catalog and the authorization rows come from.

use crate::Result;
use crate::generate::overlay::Overlay;
use crate::json::Json;
use crate::models::read_compressed;
use std::collections::BTreeMap;
use std::path::Path;

pub struct Facts {
    /// botocore's name → its metadata and operations.
    pub services: BTreeMap<String, Service>,
    /// IAM prefix → what the Service Authorization Reference says.
    pub prefixes: BTreeMap<String, Prefix>,
    /// The prefixes that resource control policies apply to.
    pub rcp: Vec<String>,
    /// IAM prefix, operation in lower case → the actions it means, where the names differ.
    pub map: BTreeMap<(String, String), Vec<String>>,
    /// The service's name in lower case without blanks → IAM prefix.
    pub map_prefixes: BTreeMap<String, String>,
    pub overlay: Overlay,
}

pub struct Service {
    pub metadata: Json,
    pub operations: BTreeMap<String, Operation>,
}

pub struct Operation {
    pub facts: Json,
    /// The scalars of its input, those nearest the root first.
    pub members: Vec<Input>,
}

/// A scalar of an operation's input.
pub struct Input {
    /// `Tags[].Key`: member names, `[]` for each element, `{}` for each key of a map.
    pub path: String,
    /// The last name, e.g. `Key`.
    pub leaf: String,
    /// The last name as the wire has it, e.g. `x-amz-acl`.
    pub wire: String,
}

impl Input {
    pub fn depth(&self) -> usize {
        self.path.matches('.').count()
    }
}

pub struct Prefix {
    pub name: String,
    /// By name in lower case.
    pub actions: BTreeMap<String, Action>,
    /// By name in lower case.
    pub resources: BTreeMap<String, Resource>,
    /// Condition key and its type.
    pub keys: Vec<(String, String)>,
}

pub struct Action {
    pub name: String,
    /// `List`, `Read`, `Write`, `Permissions management` or `Tagging`.
    pub level: String,
    /// Resource type and whether it is required.
    pub resources: Vec<(String, bool)>,
    pub keys: Vec<String>,
    pub needs: Vec<String>,
}

pub struct Resource {
    pub kind: String,
    pub template: String,
    pub keys: Vec<String>,
}

impl Facts {
    pub fn read(models: &Path) -> Result<Facts> {
        let catalog = read_compressed(&models.join("catalog/operations.json.gz"))?;
        let definitions = read_compressed(&models.join("authorization/definitions.json.gz"))?;
        let map = read_compressed(&models.join("authorization/operation-map.json.gz"))?;
        let prefixes = definitions.get("prefixes").map(Json::entries).unwrap_or_default();
        let services = map.get("services").map(Json::entries).unwrap_or_default();
        let mut facts = Facts {
            services: catalog
                .entries()
                .iter()
                .map(|(name, it)| (name.clone(), service(it)))
                .collect(),
            prefixes: prefixes.iter().map(|(name, it)| (name.clone(), prefix(name, it))).collect(),
            rcp: definitions.strings("rcp").into_iter().map(String::from).collect(),
            map: BTreeMap::new(),
            map_prefixes: services
                .iter()
                .filter_map(|(name, prefix)| Some((plain(name), prefix.as_str()?.to_string())))
                .collect(),
            overlay: Overlay::read(&models.join("authorization/overlay.toml"))?,
        };
        for (name, actions) in map.get("operations").map(Json::entries).unwrap_or_default() {
            let Some((service, operation)) = name.split_once('.') else { continue };
            let prefix = facts.map_prefixes.get(&plain(service)).cloned();
            let prefix = prefix.unwrap_or_else(|| service.to_ascii_lowercase());
            let actions = actions.items().iter().map(|it| it.text("action").to_string()).collect();
            facts.map.insert((prefix, operation.to_ascii_lowercase()), actions);
        }
        Ok(facts)
    }

    /// An action by its full name, `iam:CreateUser`, ignoring case.
    pub fn action(&self, name: &str) -> Option<(&Prefix, &Action)> {
        let (prefix, action) = name.split_once(':')?;
        let prefix = self.prefixes.get(prefix)?;
        Some((prefix, prefix.actions.get(&action.to_ascii_lowercase())?))
    }
}

/// Lower case letters and digits only.
pub fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn service(json: &Json) -> Service {
    let operations = json.get("operations").map(Json::entries).unwrap_or_default();
    Service {
        metadata: json.get("metadata").cloned().unwrap_or(Json::Null),
        operations: operations.iter().map(|(name, it)| (name.clone(), operation(it))).collect(),
    }
}

fn operation(json: &Json) -> Operation {
    let mut members: Vec<Input> = json.strings("members").into_iter().map(input).collect();
    members.sort_by_key(Input::depth);
    Operation { facts: json.clone(), members }
}

fn input(text: &str) -> Input {
    let (path, wire) = text.split_once(' ').unwrap_or((text, ""));
    let last = path.rsplit('.').next().unwrap_or_default();
    let leaf = last.trim_end_matches(['[', ']', '{', '}']).to_string();
    let wire = if wire.is_empty() { leaf.clone() } else { wire.to_string() };
    Input { path: path.to_string(), leaf, wire }
}

fn prefix(name: &str, json: &Json) -> Prefix {
    let list = |key: &str| json.get(key).map(Json::items).unwrap_or_default();
    let owned = |texts: Vec<&str>| texts.into_iter().map(String::from).collect::<Vec<String>>();
    let action = |it: &Json| Action {
        name: it.text("name").to_string(),
        level: it.text("level").to_string(),
        resources: it
            .strings("resources")
            .into_iter()
            .map(|kind| (kind.trim_end_matches('!').to_string(), kind.ends_with('!')))
            .collect(),
        keys: owned(it.strings("keys")),
        needs: owned(it.strings("needs")),
    };
    let resource = |it: &Json| Resource {
        kind: it.text("key").to_string(),
        template: it.text("arn").to_string(),
        keys: owned(it.strings("conditionKeys")),
    };
    let keys = list("keys").iter().map(|it| (it.text("key").into(), it.text("type").into()));
    let actions = list("actions").iter().map(action);
    let resources = list("resources").iter().map(resource);
    Prefix {
        name: name.to_string(),
        actions: actions.map(|it| (it.name.to_ascii_lowercase(), it)).collect(),
        resources: resources.map(|it| (it.kind.to_ascii_lowercase(), it)).collect(),
        keys: keys.collect(),
    }
}
