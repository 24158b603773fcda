//! What of a given policy can be decided.

use super::{ActionCoverage, asked, of_action};
use crate::authorization::{KeyState, global_key};
use palisade_model::authorization;
use palisade_policy::{Policy, Statement};
use serde::Serialize;
use std::collections::BTreeMap;

/// What cannot be decided about one statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatementCoverage {
    /// Its index in the policy, from 0.
    pub index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    pub effect: palisade_policy::Effect,
    /// Empty: all of it can be decided.
    pub undecided: Vec<Reason>,
}

/// One thing in a statement that cannot be decided.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Reason {
    /// `Action`, `Condition` or `Resource`.
    pub element: &'static str,
    /// As the statement writes it.
    pub value: String,
    pub why: String,
}

/// Looks at every statement of a policy.
#[must_use]
pub fn check(policy: &Policy) -> Vec<StatementCoverage> {
    let asked = asked();
    let mut decided: BTreeMap<String, ActionCoverage> = BTreeMap::new();
    for (name, asking) in &asked {
        if let Some(action) = authorization::action(name) {
            decided.insert(name.clone(), of_action(action, asking));
        }
    }
    let statements = policy.statements.iter().enumerate();
    let looked_at = statements.map(|(index, statement)| {
        let mut undecided = Vec::new();
        let about = actions(statement, &decided, &mut undecided);
        conditions(policy, statement, &about, &mut undecided);
        resources(statement, &about, &mut undecided);
        undecided.sort();
        undecided.dedup();
        let (sid, effect) = (statement.sid.clone(), statement.effect);
        StatementCoverage { index, sid, effect, undecided }
    });
    looked_at.collect()
}

/// The decided actions that a statement is about. A value that is about none is told.
fn actions<'a>(
    statement: &Statement,
    decided: &'a BTreeMap<String, ActionCoverage>,
    undecided: &mut Vec<Reason>,
) -> Vec<&'a ActionCoverage> {
    let values = &statement.action.values;
    let patterns: Vec<String> = values.iter().map(|value| value.text.to_lowercase()).collect();
    let matches = |name: &str| patterns.iter().any(|pattern| glob(pattern, name));
    let about = decided.iter().filter(|(name, _)| matches(name) != statement.action.negated);
    let about = about.map(|(_, action)| action).collect();
    if statement.action.negated {
        return about;
    }
    for (value, pattern) in values.iter().zip(&patterns) {
        if decided.keys().any(|name| glob(pattern, name)) || pattern.starts_with("palisade:") {
            continue;
        }
        let known = authorization::prefixes()
            .filter_map(authorization::prefix)
            .flat_map(|prefix| prefix.actions())
            .any(|action| glob(pattern, &action.full_name.to_lowercase()));
        let why = match known {
            true => "Palisade does not implement it: a call of it is refused with 501",
            false => "AWS has no such action",
        };
        let (value, why) = (value.text.clone(), why.to_owned());
        undecided.push(Reason { element: "Action", value, why });
    }
    about
}

/// Keys in conditions and variables that cannot be told for an action of the statement.
fn conditions(
    policy: &Policy,
    statement: &Statement,
    about: &[&ActionCoverage],
    undecided: &mut Vec<Reason>,
) {
    let mut alone = policy.clone();
    alone.statements = vec![statement.clone()];
    for key in alone.context_keys() {
        if let Some(global) = global_key(&key) {
            if let KeyState::Unresolvable(why) = global.state {
                let (value, why) = (key, why.to_owned());
                undecided.push(Reason { element: "Condition", value, why });
            }
            continue;
        }
        // A key that AWS does not document for the action is absent there as well.
        let lost = about.iter().find_map(|action| {
            let mut keys = action.keys.iter();
            let known = keys.find(|known| names(known.key, &key))?;
            let why = known.why.filter(|_| known.state == "unresolvable")?;
            Some(format!("for {}: {why}", action.action))
        });
        if let Some(why) = lost {
            undecided.push(Reason { element: "Condition", value: key, why });
        }
    }
}

/// Whether a documented key is this one, in lower case. `${TagKey}` stands for any text.
fn names(documented: &str, key: &str) -> bool {
    let documented = documented.to_ascii_lowercase();
    match documented.find(['$', '<']) {
        None => documented == key,
        Some(end) => documented.get(..end).is_some_and(|start| key.starts_with(start)),
    }
}

/// Resources whose type cannot be derived for any action of the statement.
fn resources(statement: &Statement, about: &[&ActionCoverage], undecided: &mut Vec<Reason>) {
    let Some(element) = &statement.resource else { return };
    if element.values.iter().all(|value| value.text == "*") {
        return;
    }
    for action in about {
        let mut types = action.resources.iter();
        if let Some((kind, why)) = types.find_map(|it| Some((it.kind, it.undecided?))) {
            let value = kind.to_owned();
            let why = format!("for {}: {why}", action.action);
            undecided.push(Reason { element: "Resource", value, why });
        }
    }
}

/// `*` and `?` as in the names of actions; both sides in lower case.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(byte) if *byte == b'?' || Some(byte) == text.get(from) => {
                at += 1;
                from += 1;
            }
            _ => match star {
                Some((place, taken)) => {
                    star = Some((place, taken + 1));
                    at = place + 1;
                    from = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use palisade_policy::DocumentKind;

    fn looked_at(text: &str) -> Vec<StatementCoverage> {
        check(&Policy::parse(text, DocumentKind::Identity).unwrap())
    }

    #[test]
    fn globs() {
        for (pattern, text, expected) in [
            ("iam:*", "iam:createuser", true),
            ("iam:get*r", "iam:getuser", true),
            ("iam:get?ser", "iam:getuser", true),
            ("*", "iam:getuser", true),
            ("iam:get", "iam:getuser", false),
            ("iam:*x*", "iam:getuser", false),
            ("", "", true),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn what_cannot_be_decided_is_told_with_its_statement() {
        let found = looked_at(
            r#"{"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": ["iam:Get*", "iam:CreateUser"], "Resource": "*"},
                {"Sid": "Other", "Effect": "Allow", "Action":
                    ["braket:CreateJob", "iam:GetUser", "iam:NoSuchThing"], "Resource": "*"},
                {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*", "Condition":
                    {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}}]}"#,
        );
        assert_eq!(found.len(), 3);
        assert!(found[0].undecided.is_empty() && found[2].undecided.is_empty(), "{found:?}");
        let values: Vec<&str> = found[1].undecided.iter().map(|it| it.value.as_str()).collect();
        assert_eq!((found[1].index, values), (1, vec!["braket:CreateJob", "iam:NoSuchThing"]));
        assert!(found[1].undecided[0].why.contains("501"));
        assert_eq!(found[1].undecided[1].why, "AWS has no such action");
    }
}
