//! Random cases: the library and the literal evaluator agree, and the laws of policies hold.
//!
//! `PALISADE_POLICY_CASES` says how many cases a law is tried on (100,000 before a release).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod generate;
mod literal;

use palisade_policy::{Case, Outcome};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use std::collections::BTreeMap;

fn config() -> Config {
    let wanted = std::env::var("PALISADE_POLICY_CASES").ok();
    let cases = wanted.map_or(400, |wanted| wanted.parse().unwrap());
    Config { cases, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() }
}

fn outcome(case: &Value) -> Outcome {
    Case::parse(&case.to_string())
        .unwrap_or_else(|error| panic!("{error}: {case}"))
        .decide()
        .outcome
}

fn name(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}

/// Every policy of the case, wherever it stands.
fn policies(case: &mut Value) -> Vec<&mut Value> {
    let mut found = Vec::new();
    for (name, value) in case.as_object_mut().unwrap() {
        match (name.as_str(), value) {
            ("resourcePolicy" | "permissionsBoundary" | "vpcEndpointPolicy", policy) => {
                found.push(policy);
            }
            ("identityPolicies" | "sessionPolicies", Value::Array(policies)) => {
                found.extend(policies);
            }
            ("scps" | "rcps", Value::Array(levels)) => {
                let levels = levels.iter_mut().filter_map(Value::as_array_mut);
                found.extend(levels.flatten());
            }
            _ => {}
        }
    }
    found
}

/// Each list of policies of the case, to be shuffled.
fn lists(case: &mut Value) -> Vec<&mut Vec<Value>> {
    let mut found = Vec::new();
    for (name, value) in case.as_object_mut().unwrap() {
        let Value::Array(values) = value else { continue };
        match name.as_str() {
            "identityPolicies" | "sessionPolicies" => found.push(values),
            "scps" | "rcps" => found.extend(values.iter_mut().filter_map(Value::as_array_mut)),
            _ => {}
        }
    }
    found
}

/// The laws are worth something only if the random cases reach every outcome and layer.
#[test]
fn random_cases_reach_everything() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..1_500 {
        let case = generate::case().new_tree(&mut runner).unwrap().current();
        let (decision, denied_by) = literal::evaluate(&case);
        *seen.entry(format!("{decision} {}", denied_by.unwrap_or("-"))).or_default() += 1;
    }
    println!("{seen:?}");
    let layers = ["scp", "vpce", "boundary", "session", "resource", "trust", "identity"];
    for layer in layers {
        for decision in ["explicitDeny", "implicitDeny"] {
            assert!(seen.get(&format!("{decision} {layer}")) > Some(&1), "{decision} {layer}");
        }
    }
    for outcome in ["allowed -", "explicitDeny rcp", "implicitDeny unresolvable"] {
        assert!(seen.get(outcome) > Some(&8), "{outcome}: {seen:?}");
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_literal_evaluator_agrees(case in generate::case()) {
        let parsed = Case::parse(&case.to_string())
            .map_err(|error| TestCaseError::fail(format!("{error}: {case}")))?;
        let answer = parsed.answer();
        let (decision, denied_by) = literal::evaluate(&case);
        let ours = (name(answer.decision), answer.denied_by.map(name));
        prop_assert_eq!(ours, (decision.to_owned(), denied_by.map(str::to_owned)), "{}", case);
    }

    #[test]
    fn the_trace_agrees_with_the_decision(case in generate::case()) {
        let parsed = Case::parse(&case.to_string()).unwrap();
        prop_assert_eq!(parsed.explain().decision, parsed.decide(), "{}", case);
    }

    #[test]
    fn another_deny_never_allows_more(
        mut case in generate::case(),
        at in any::<prop::sample::Index>(),
        deny in generate::deny(),
    ) {
        let before = outcome(&case);
        {
            let mut policies = policies(&mut case);
            if policies.is_empty() {
                return Ok(());
            }
            let at = at.index(policies.len());
            let policy = &mut policies[at];
            let statements = policy["Statement"].as_array_mut().unwrap();
            let mut deny = deny;
            let has = |name: &str| statements[0].get(name).is_some();
            let (principal, resource) = (
                has("Principal") || has("NotPrincipal"),
                has("Resource") || has("NotResource"),
            );
            if principal {
                deny["Principal"] = "*".into();
            }
            if !resource {
                deny.as_object_mut().unwrap().retain(|name, _| !name.ends_with("Resource"));
                deny["Action"] = "sts:*".into();
            }
            statements.push(deny);
        }
        prop_assert!(before == Outcome::Allowed || outcome(&case) != Outcome::Allowed, "{}", case);
    }

    #[test]
    fn an_allow_less_never_allows_more(
        mut case in generate::case(),
        at in any::<prop::sample::Index>(),
    ) {
        let before = outcome(&case);
        {
            let mut policies = policies(&mut case);
            policies.retain(|policy| {
                let statements = policy["Statement"].as_array().unwrap();
                statements.len() > 1 && statements.iter().any(|it| it["Effect"] == "Allow")
            });
            if policies.is_empty() {
                return Ok(());
            }
            let at = at.index(policies.len());
            let policy = &mut policies[at];
            let statements = policy["Statement"].as_array_mut().unwrap();
            let allow = statements.iter().position(|it| it["Effect"] == "Allow").unwrap();
            statements.remove(allow);
        }
        prop_assert!(before == Outcome::Allowed || outcome(&case) != Outcome::Allowed, "{}", case);
    }

    #[test]
    fn order_never_matters(mut case in generate::case(), turns in 1_usize..4) {
        let before = Case::parse(&case.to_string()).unwrap().answer();
        for list in lists(&mut case) {
            if !list.is_empty() {
                let turns = turns % list.len();
                list.rotate_left(turns);
            }
        }
        for policy in policies(&mut case) {
            policy["Statement"].as_array_mut().unwrap().reverse();
        }
        let after = Case::parse(&case.to_string()).unwrap().answer();
        prop_assert_eq!(
            (before.decision, before.denied_by),
            (after.decision, after.denied_by),
            "{}",
            case
        );
    }
}
