//! The file: units, accounts and policies of an organization, as TOML or YAML.

use super::PolicyName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What the file's `format` says.
pub const FORMAT: &str = "palisade-org/1";
/// Levels of units under the root.
const LEVELS_MAX: usize = 5;

/// The file as it is written. What it does not name is left alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tree {
    pub format: String,
    #[serde(default, skip_serializing_if = "Attachments::is_empty")]
    pub root: Attachments,
    #[serde(default, rename = "policy", skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<Policy>,
    #[serde(default, rename = "unit", skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<Unit>,
    #[serde(default, rename = "account", skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<Account>,
}

/// What is attached to a root, unit or account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Attachments {
    /// Names of policies, with their type and a colon before them where another type has one of
    /// that name. Exactly these will be attached; without the list nothing is changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<Vec<String>>,
    /// Whether AWS's `FullAWSAccess` stays attached, as it is unless this says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_access: Option<bool>,
}

impl Attachments {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    pub name: String,
    #[serde(rename = "type", default = "service_control", skip_serializing_if = "is_usual")]
    pub kind: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The file with the document, relative to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Unit {
    /// `Workloads/Production`; the units above need no entry of their own.
    pub path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_access: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Account {
    pub name: String,
    /// What it is known by: one account has one address.
    pub email: String,
    /// The path of its unit; under the root without one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_access: Option<bool>,
}

impl Unit {
    pub fn attachments(&self) -> Attachments {
        Attachments { policies: self.policies.clone(), full_access: self.full_access }
    }
}

impl Account {
    pub fn attachments(&self) -> Attachments {
        Attachments { policies: self.policies.clone(), full_access: self.full_access }
    }
}

impl Policy {
    pub fn key(&self) -> PolicyName {
        PolicyName { kind: self.kind.clone(), name: self.name.clone() }
    }
}

/// The type of a policy that names none.
pub fn service_control() -> String {
    "SERVICE_CONTROL_POLICY".to_owned()
}

fn is_usual(kind: &str) -> bool {
    kind == service_control()
}

impl Tree {
    /// Reads a file, with the documents that it points to.
    pub fn read(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("cannot read {shown}: {error}"))?;
        let mut tree =
            Self::parse(&text, is_yaml(path)).map_err(|error| format!("{shown}: {error}"))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for policy in &mut tree.policies {
            let Some(file) = policy.file.take() else { continue };
            let file = folder.join(file);
            let text = std::fs::read_to_string(&file);
            let text = text.map_err(|error| format!("cannot read {}: {error}", file.display()))?;
            policy.content = Some(text);
        }
        Ok(tree)
    }

    fn parse(text: &str, yaml: bool) -> Result<Self, String> {
        let mut tree: Self = if yaml {
            serde_yaml_ng::from_str(text).map_err(|error| error.to_string())?
        } else {
            toml::from_str(text).map_err(|error| error.to_string())?
        };
        tree.check()?;
        tree.add_parents();
        Ok(tree)
    }

    /// The file's text.
    pub fn write(&self, yaml: bool) -> Result<String, String> {
        if yaml {
            return serde_yaml_ng::to_string(self).map_err(|error| error.to_string());
        }
        toml::to_string_pretty(self).map_err(|error| error.to_string())
    }

    fn check(&self) -> Result<(), String> {
        if self.format != FORMAT {
            return Err(format!("`format` must be \"{FORMAT}\""));
        }
        let mut names = BTreeSet::new();
        for policy in &self.policies {
            if !names.insert(policy.key()) {
                return Err(format!("policy {} stands there twice", policy.name));
            }
            if policy.content.is_some() == policy.file.is_some() {
                return Err(format!("policy {} wants either `content` or `file`", policy.name));
            }
        }
        let mut paths = BTreeSet::new();
        for Unit { path, .. } in &self.units {
            check_path(path)?;
            if !paths.insert(path) {
                return Err(format!("unit {path} stands there twice"));
            }
        }
        let mut addresses = BTreeSet::new();
        for Account { email, unit, .. } in &self.accounts {
            if !unit.is_empty() {
                check_path(unit)?;
            }
            if !addresses.insert(email.to_lowercase()) {
                return Err(format!("two accounts have the address {email}"));
            }
        }
        Ok(())
    }

    /// Adds the units that others, or accounts, are in; every unit comes after the one it is in.
    fn add_parents(&mut self) {
        let named: BTreeSet<String> = self.units.iter().map(|unit| unit.path.clone()).collect();
        let places = self.accounts.iter().map(|account| account.unit.clone());
        let mut wanted: BTreeSet<String> = named.iter().cloned().chain(places).collect();
        for path in wanted.clone() {
            let mut above = super::parent(&path);
            while !above.is_empty() {
                wanted.insert(above.to_owned());
                above = super::parent(above);
            }
        }
        wanted.remove("");
        let missing = wanted.into_iter().filter(|path| !named.contains(path));
        let missing = missing.map(|path| Unit { path, policies: None, full_access: None });
        self.units.extend(missing);
        self.units.sort_by_key(|unit| (unit.path.matches('/').count(), unit.path.clone()));
    }
}

/// Whether the file is to be read and written as YAML.
pub fn is_yaml(path: &Path) -> bool {
    matches!(path.extension().and_then(|end| end.to_str()), Some("yaml" | "yml"))
}

fn check_path(path: &str) -> Result<(), String> {
    let names: Vec<&str> = path.split('/').collect();
    if names.iter().any(|name| name.trim().is_empty() || name.chars().count() > 128) {
        return Err(format!(
            "`{path}` is no path of units: names of 1 to 128 characters with / between"
        ));
    }
    if names.len() > LEVELS_MAX {
        return Err(format!("unit {path} is deeper than {LEVELS_MAX} levels"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_above_are_added_in_order() {
        let text = r#"
            format = "palisade-org/1"
            [[account]]
            name = "prod"
            email = "prod@example.com"
            unit = "Workloads/Production"
            [[unit]]
            path = "Sandbox"
            policies = ["lock"]
        "#;
        let tree = Tree::parse(text, false).unwrap();
        let paths: Vec<&str> = tree.units.iter().map(|unit| unit.path.as_str()).collect();
        assert_eq!(paths, ["Sandbox", "Workloads", "Workloads/Production"]);
        for yaml in [false, true] {
            assert_eq!(Tree::parse(&tree.write(yaml).unwrap(), yaml).unwrap(), tree);
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let check = |text: &str, expected: &str| {
            let error = Tree::parse(&format!("format = \"palisade-org/1\"\n{text}"), false);
            let error = error.unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        check("[[unit]]\npath = \"a//b\"", "is no path of units");
        check("[[unit]]\npath = \"1/2/3/4/5/6\"", "deeper than 5 levels");
        check("[[unit]]\npath = \"a\"\n[[unit]]\npath = \"a\"", "stands there twice");
        check("[[policy]]\nname = \"p\"", "either `content` or `file`");
        check("[[unit]]\npath = \"a\"\nlock = true", "unknown field");
        let twice = "[[account]]\nname = \"a\"\nemail = \"a@b.c\"\n";
        check(&format!("{twice}{}", twice.replace("a@b", "A@b")), "two accounts");
        assert!(Tree::parse("format = \"other/1\"", false).unwrap_err().contains("must be"));
    }
}
