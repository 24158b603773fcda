//! `models/authorization/overlay.toml`: what the sources do not know or say wrongly. It wins.

use crate::Result;
use crate::models::read;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlay {
    /// botocore's service → IAM prefix, where names mislead.
    #[serde(default)]
    pub prefixes: BTreeMap<String, String>,
    /// IAM prefix → the service principal that a role is passed to, where it is not
    /// `<prefix>.amazonaws.com`.
    #[serde(default)]
    pub passed_to: BTreeMap<String, String>,
    /// IAM prefix → condition key → paths of the members that may give it; the first that the
    /// operation has is taken.
    #[serde(default)]
    pub keys: BTreeMap<String, BTreeMap<String, Paths>>,
    /// IAM prefix → variable of its ARNs → paths of the members that may fill it, before any that
    /// derive; all that the operation has are taken, as alternatives.
    #[serde(default)]
    pub variables: BTreeMap<String, BTreeMap<String, Paths>>,
    /// botocore's service → resource types that only the service itself can tell from others.
    #[serde(default)]
    pub skip: BTreeMap<String, Vec<String>>,
    /// botocore's service → resource type → when it is the one meant (see `Row::when`).
    #[serde(default)]
    pub only: BTreeMap<String, BTreeMap<String, String>>,
    /// botocore's service → operation → all of its rows.
    #[serde(default)]
    pub rows: BTreeMap<String, BTreeMap<String, Vec<Row>>>,
    /// botocore's service → operation → rows beside the derived ones.
    #[serde(default)]
    pub also: BTreeMap<String, BTreeMap<String, Vec<Row>>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub enum Paths {
    One(String),
    Some(Vec<String>),
}

impl Paths {
    pub fn list(&self) -> &[String] {
        match self {
            Paths::One(path) => std::slice::from_ref(path),
            Paths::Some(paths) => paths,
        }
    }
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub action: String,
    /// The row counts only when this member is present (`!Path`: absent).
    #[serde(default)]
    pub when: String,
    /// Resource types with their variables; without it they are derived as for any action.
    pub resources: Option<Vec<Resource>>,
    /// Condition keys beside the derived ones.
    #[serde(default)]
    pub keys: BTreeMap<String, String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    #[serde(default = "yes")]
    pub required: bool,
}

fn yes() -> bool {
    true
}

impl Overlay {
    pub fn read(path: &Path) -> Result<Overlay> {
        toml::from_str(&read(path)?).map_err(|error| format!("{}: {error}", path.display()))
    }
}
