//! The ledger against the pipeline: what it says to be decided is, and nothing else is allowed.

use super::*;
use crate::authorization::{Requirement, decide, without_key};
use crate::testing::{ACCOUNT, Lab};
use palisade_policy::{DocumentKind, Policy, PolicySet};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// The tags of a resource are asked for by themselves.
fn of_tag(key: &str) -> bool {
    key.to_lowercase().contains(":resourcetag/")
}

/// A service of which nothing is known: what a call of an action outside of the ledger would meet.
static UNKNOWN: Service = Service {
    model: &palisade_model::sts::SERVICE,
    operations: &[],
    resources: &crate::service::PlainResources,
    jobs: &[],
};

/// Whether the pipeline allows an action to someone with one policy.
fn allowed(lab: &Lab, service: &Service, action: &str, document: &Value) -> bool {
    let policy = Policy::parse(&document.to_string(), DocumentKind::Identity).unwrap();
    let mut credential = without_key(lab.called_by_user("ann", "AIDAEXAMPLEEXAMPLE").caller);
    credential.policies = Some(PolicySet::of("own", &policy.compile()));
    let decided = lab.read(|cx| {
        let requirement = Requirement::new(action, "*", ACCOUNT);
        decide(cx, service, requirement, &palisade_shape::Nothing, &credential)
    });
    decided.unwrap().decision.allowed()
}

/// Every action of AWS that has a condition key of its service, with those keys.
static OUTSIDE: LazyLock<Vec<(&'static str, Vec<&'static str>)>> = LazyLock::new(|| {
    let prefixes = authorization::prefixes().filter_map(authorization::prefix);
    let with_keys = prefixes.flat_map(|prefix| prefix.actions()).filter_map(|action| {
        let own = |key: &&str| global_key(key).is_none() && !of_tag(key);
        let keys: Vec<&str> = documented_keys(action).into_iter().filter(own).collect();
        (!keys.is_empty()).then_some((action.full_name.as_str(), keys))
    });
    with_keys.collect()
});

#[test]
fn the_ledger_holds_every_implemented_operation() {
    let ledger = ledger();
    let covered: BTreeSet<&str> = ledger
        .prefixes
        .iter()
        .flat_map(|prefix| &prefix.actions)
        .flat_map(|action| &action.operations)
        .map(String::as_str)
        .collect();
    for service in crate::SERVICES {
        for operation in service.operations {
            let rows = authorization::rows(service.model.name, operation.name);
            let name = format!("{} {}", service.model.name, operation.name);
            assert!(rows.is_none() || covered.contains(name.as_str()), "{name}");
        }
    }
    assert!(ledger.not_implemented.iter().any(|(prefix, _)| *prefix == "braket"));
}

/// What a service says it can tell, it tells; what it does not list, it cannot.
#[test]
fn services_tell_the_keys_that_they_list() {
    let lab = Lab::new();
    for (name, asking) in asked() {
        let Some(action) = authorization::action(&name) else { continue };
        for key in documented_keys(action) {
            if global_key(key).is_some() || of_tag(key) {
                continue;
            }
            let Some(it) = asking.first() else { continue };
            let input = it.operation.handler.new_input();
            let lower = key.to_lowercase();
            let resource = format!("arn:aws:iam::{ACCOUNT}:user/ann");
            let call = crate::service::Call { action: &name, resource: &resource, input: &*input };
            let told = lab.read(|cx| it.service.resources.condition(cx, &lower, &call)).unwrap();
            let listed = matches!(filled(action, key, &asking), KeyState::Filled(_));
            let known = told != crate::service::Known::Unresolvable;
            let given = authorization::rows(it.service.model.name, it.operation.name)
                .unwrap_or_default()
                .iter()
                .any(|row| row.condition_keys.iter().any(|(name, _)| *name == key));
            assert_eq!(known || given, listed, "{key} for {name}");
        }
    }
}

/// The page in the repository is the one that this build would write.
#[test]
fn the_page_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/coverage.md");
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(page == markdown(&ledger()), "run `cargo xtask coverage` and commit docs/coverage.md");
}

/// A condition on `key`, in each of the ways in which an absent key would let a request through.
fn loose_condition(key: &str, way: u8) -> Value {
    match way % 5 {
        0 => json!({ "StringNotEquals": { key: "x" } }),
        1 => json!({ "StringEqualsIfExists": { key: "x" } }),
        2 => json!({ "Null": { key: "true" } }),
        3 => json!({ "ForAllValues:StringEquals": { key: "x" } }),
        _ => json!({ "ArnNotLike": { key: "arn:aws:s3:::x" } }),
    }
}

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) }
}

proptest! {
    #![proptest_config(config())]

    /// Outside of the ledger nothing is allowed: an Allow that hangs on a key that AWS documents
    /// for the action and nobody here can tell grants nothing, and a Deny that does denies.
    #[test]
    fn nothing_is_allowed_outside_of_the_ledger(
        at in any::<prop::sample::Index>(),
        which in any::<prop::sample::Index>(),
        way in any::<u8>(),
        deny in any::<bool>(),
    ) {
        let (action, keys) = &OUTSIDE[at.index(OUTSIDE.len())];
        let key = keys[which.index(keys.len())];
        let key = key.split(['$', '<']).next().unwrap().to_owned()
            + if key.contains(['$', '<']) { "team" } else { "" };
        let statement = |effect: &str| json!({"Effect": effect, "Action": "*", "Resource": "*"});
        let mut hanging = statement(if deny { "Deny" } else { "Allow" });
        hanging["Condition"] = loose_condition(&key, way);
        let mut statements = vec![hanging];
        if deny {
            statements.push(statement("Allow"));
        }
        let document = json!({"Version": "2012-10-17", "Statement": statements});
        prop_assert!(!allowed(&Lab::new(), &UNKNOWN, action, &document), "{action} {document}");
    }

    /// Nor does a statement about other actions, whatever their names, reach one that is decided.
    #[test]
    fn actions_that_nobody_has_allow_nothing(
        prefix in "[a-z]{2,8}",
        name in "[A-Z][a-zA-Z]{3,20}",
        at in any::<prop::sample::Index>(),
    ) {
        let asked: Vec<(String, Vec<Asking>)> = asked().into_iter().collect();
        let (action, asking) = &asked[at.index(asked.len())];
        let other = format!("{prefix}:{name}");
        prop_assume!(!other.eq_ignore_ascii_case(action));
        prop_assume!(action != "sts:getcalleridentity");
        let document = json!({"Version": "2012-10-17", "Statement":
            {"Effect": "Allow", "Action": other, "Resource": "*"}});
        let service = asking[0].service;
        prop_assert!(!allowed(&Lab::new(), service, action, &document), "{action} {document}");
    }
}
