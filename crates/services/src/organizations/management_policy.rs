//! The documents of management policies: trees of settings with inheritance operators, and how
//! those that are attached on the way to an account become one effective policy.
//!
//! Source: Organizations User Guide, "Management policy inheritance", "Inheritance operators", and
//! the syntax page of each type.

use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

mod settings;

const ASSIGN: &str = "@@assign";
const APPEND: &str = "@@append";
const REMOVE: &str = "@@remove";
const ALLOWED: &str = "@@operators_allowed_for_child_policies";
const OPERATORS: [&str; 3] = [ASSIGN, APPEND, REMOVE];
const DEPTH_MAX: usize = 16;

/// Why a document is not one of its type: in words, for the exception.
type Fault = String;

/// Refuses what is not a document of the policy type, whose settings are below `below`.
pub fn check(policy_type: &str, below: &str, content: &str) -> Result<(), Fault> {
    let document = parse(content)?;
    for (key, value) in &document {
        if key != below && key != ALLOWED {
            return Err(format!("\"{key}\" is not an element of this policy type."));
        }
        if key == ALLOWED {
            check_allowed(value)?;
        }
    }
    let Some(Value::Object(tree)) = document.get(below) else {
        return Err(format!("The policy must have the element \"{below}\"."));
    };
    let mut path = vec![below.to_owned()];
    check_tree(policy_type, tree, &mut path)
}

fn parse(content: &str) -> Result<Map<String, Value>, Fault> {
    match serde_json::from_str(content) {
        Ok(Value::Object(document)) => Ok(document),
        Ok(_) => Err("The policy must be a JSON object.".to_owned()),
        Err(error) => Err(format!("The policy is not valid JSON: {error}.")),
    }
}

fn check_tree(
    policy_type: &str,
    tree: &Map<String, Value>,
    path: &mut Vec<String>,
) -> Result<(), Fault> {
    if path.len() > DEPTH_MAX {
        return Err("The policy is nested too deeply.".to_owned());
    }
    let setting = tree.keys().any(|key| OPERATORS.contains(&key.as_str()));
    for (key, value) in tree {
        match key.as_str() {
            ALLOWED => check_allowed(value)?,
            operator if OPERATORS.contains(&operator) => {
                settings::check(policy_type, path, operator, value)?;
            }
            operator if operator.starts_with("@@") => {
                return Err(format!("\"{operator}\" is not an inheritance operator."));
            }
            _ if setting => {
                let at = path.join("/");
                return Err(format!("\"{at}\" has both a value and the element \"{key}\"."));
            }
            _ => {
                path.push(key.clone());
                settings::check_path(policy_type, path)?;
                let Value::Object(below) = value else {
                    let at = path.join("/");
                    return Err(format!("\"{at}\" must use an inheritance operator."));
                };
                check_tree(policy_type, below, path)?;
                path.pop();
            }
        }
    }
    Ok(())
}

fn check_allowed(value: &Value) -> Result<(), Fault> {
    let known = |item: &Value| {
        let item = item.as_str().unwrap_or_default();
        OPERATORS.contains(&item) || matches!(item, "@@all" | "@@none")
    };
    let items = value.as_array().filter(|items| !items.is_empty() && items.iter().all(known));
    let alone = |items: &Vec<Value>| {
        let general = items.iter().any(|item| matches!(item.as_str(), Some("@@all" | "@@none")));
        !general || items.len() == 1
    };
    match items.filter(|items| alone(items)) {
        Some(_) => Ok(()),
        None => Err(format!("The value of \"{ALLOWED}\" is not a list of operators.")),
    }
}

/// A setting, or settings, as far as policies have been merged.
#[derive(Clone, Debug, Default, PartialEq)]
struct Merged {
    value: Option<Value>,
    below: BTreeMap<String, Merged>,
    /// What policies further down may do here; none: everything.
    allowed: Option<BTreeSet<String>>,
}

/// The effective policy of an account: `levels` has the documents that are attached to the root, to
/// each unit on the way, and to the account. None when nothing is left.
pub fn effective(levels: &[Vec<String>]) -> Option<Value> {
    let mut merged = Merged::default();
    for level in levels {
        let documents: Vec<Map<String, Value>> =
            level.iter().filter_map(|content| parse(content).ok()).collect();
        // Policies of one level are brothers: none limits the other.
        for document in &documents {
            merged.apply(document);
        }
        for document in &documents {
            merged.limit(document);
        }
    }
    merged.into_value()
}

impl Merged {
    fn may(&self, operator: &str) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.contains(operator))
    }

    fn apply(&mut self, document: &Map<String, Value>) {
        for (key, value) in document {
            match key.as_str() {
                ASSIGN if self.may(ASSIGN) => self.value = Some(value.clone()),
                APPEND if self.may(APPEND) => self.append(value),
                REMOVE if self.may(REMOVE) => self.remove(value),
                operator if operator.starts_with("@@") => {}
                _ => {
                    let Value::Object(tree) = value else { continue };
                    // What is not there yet is added here, which is an assignment of this element.
                    if self.below.contains_key(key) || self.may(ASSIGN) {
                        self.below.entry(key.clone()).or_default().apply(tree);
                    }
                }
            }
        }
    }

    fn limit(&mut self, document: &Map<String, Value>) {
        for (key, value) in document {
            if key == ALLOWED {
                let named = value.as_array().into_iter().flatten().filter_map(Value::as_str);
                let named: BTreeSet<&str> = named.collect();
                if named.contains("@@all") {
                    continue;
                }
                let before = |operator: &&str| self.may(operator);
                let left = OPERATORS.iter().copied().filter(|it| named.contains(it));
                let left = left.filter(before).map(str::to_owned).collect();
                self.allowed = Some(left);
            } else if let (Value::Object(tree), Some(below)) = (value, self.below.get_mut(key)) {
                below.limit(tree);
            }
        }
    }

    fn append(&mut self, value: &Value) {
        let mut items = items(self.value.take());
        for item in self::items(Some(value.clone())) {
            if !items.contains(&item) {
                items.push(item);
            }
        }
        self.value = Some(Value::Array(items));
    }

    fn remove(&mut self, value: &Value) {
        let gone = items(Some(value.clone()));
        if let Some(known) = self.value.take() {
            let left = items(Some(known)).into_iter().filter(|item| !gone.contains(item));
            self.value = Some(Value::Array(left.collect()));
        }
    }

    fn into_value(self) -> Option<Value> {
        if let Some(value) = self.value {
            return Some(value);
        }
        let below = self.below.into_iter();
        let below: Map<String, Value> =
            below.filter_map(|(key, merged)| Some((key, merged.into_value()?))).collect();
        if below.is_empty() { None } else { Some(Value::Object(below)) }
    }
}

fn items(value: Option<Value>) -> Vec<Value> {
    match value {
        None => Vec::new(),
        Some(Value::Array(items)) => items,
        Some(one) => vec![one],
    }
}

/// What is wrong with an effective policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectiveFault {
    pub code: &'static str,
    pub message: String,
    pub path: String,
}

/// Checks what only the whole can be checked for: elements that every plan or tag must have.
pub fn check_effective(policy_type: &str, effective: &Value) -> Vec<EffectiveFault> {
    settings::missing(policy_type, effective)
}

#[cfg(test)]
mod tests;
