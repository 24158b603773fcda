//! The smallest edits that turn a decision round, and the facts they are searched in.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

#[expect(dead_code, reason = "another test draws statements from it")]
mod generate;

use palisade_policy::{
    Case, Edit, Facts, Layer, LayerFacts, PolicyFacts, Principal, RequestValue, ResourceRule,
};
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A decision case as facts.
fn facts(case: &Value) -> Facts {
    let rule = ResourceRule::of(case["action"].as_str().unwrap(), text(&case["resource"]));
    let mut layers = Vec::new();
    let mut add = |layer, level, label: &str, documents: &[Value], list: bool| {
        let policies = documents.iter().enumerate().map(|(index, document)| PolicyFacts {
            label: if list { format!("{label}[{index}]") } else { label.to_owned() },
            revision: Some(7),
            text: document.to_string(),
        });
        layers.push(LayerFacts { layer, level, policies: policies.collect() });
    };
    for (name, layer) in [("scps", Layer::Scp), ("rcps", Layer::Rcp)] {
        for (level, documents) in case[name].as_array().into_iter().flatten().enumerate() {
            let label = format!("{name}[{level}]");
            add(layer, Some(level), &label, documents.as_array().unwrap(), true);
        }
    }
    let resource = match rule {
        ResourceRule::TrustPolicy => Layer::Trust,
        _ => Layer::Resource,
    };
    for (name, layer) in [
        ("vpcEndpointPolicy", Layer::VpcEndpoint),
        ("permissionsBoundary", Layer::Boundary),
        ("resourcePolicy", resource),
    ] {
        if !case[name].is_null() {
            add(layer, None, name, std::slice::from_ref(&case[name]), false);
        }
    }
    if let Some(documents) = case["sessionPolicies"].as_array().filter(|list| !list.is_empty()) {
        add(Layer::Session, None, "sessionPolicies", documents, true);
    }
    let none = Vec::new();
    let documents = case["identityPolicies"].as_array().unwrap_or(&none);
    add(Layer::Identity, None, "identityPolicies", documents, true);
    let principal = principal(&case["principal"]);
    let management = case["organization"]["managementAccount"].as_str().map(str::to_owned);
    let mut owner = case["resourceAccount"].as_str().map(str::to_owned);
    if owner.is_none() && principal.has_account() {
        owner = Some(principal.account.clone());
    }
    let mut context = context(&case["context"]);
    if let Some(owner) = &owner {
        let value = RequestValue::Value(owner.clone());
        context.entry("aws:resourceaccount".to_owned()).or_insert(value);
    }
    Facts {
        principal,
        action: text(&case["action"]).to_owned(),
        resource: text(&case["resource"]).to_owned(),
        resource_account: owner,
        rule,
        context,
        layers,
        caller_management_account: management.clone(),
        resource_management_account: management,
        granted: false,
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn principal(case: &Value) -> Principal {
    let arn = case["arn"].as_str().unwrap_or_default();
    let issuer = arn.replace(":sts:", ":iam:").replace(":federated-user/", ":user/");
    let mut principal = match text(&case["type"]) {
        "user" => Principal::user(arn),
        "role" => Principal::role(arn),
        "assumed-role" => Principal { issuer_arn: None, ..Principal::assumed_role(arn, "") },
        "federated-user" => Principal::federated_user(arn, &issuer),
        "root" => Principal::root(arn),
        "service" => Principal::service(text(&case["service"])),
        _ => Principal::anonymous(),
    };
    principal.service_linked_role = case["serviceLinkedRole"] == true;
    principal
}

fn context(case: &Value) -> BTreeMap<String, RequestValue> {
    let value = |value: &Value| match value {
        Value::Null => RequestValue::Unresolvable,
        Value::Array(values) => {
            RequestValue::Values(values.iter().map(|it| text(it).to_owned()).collect())
        }
        other => RequestValue::Value(text(other).to_owned()),
    };
    let entries = case.as_object().into_iter().flatten();
    entries.map(|(key, it)| (key.to_lowercase(), value(it))).collect()
}

fn edits(facts: &Facts) -> Vec<Edit> {
    facts.prepare().unwrap().edits()
}

/// The facts after an edit, made of its documents and context changes alone.
fn after(facts: &Facts, edit: &Edit) -> Facts {
    let mut after = edit.applied(facts, facts).unwrap_or_else(|| facts.clone());
    for change in &edit.changes {
        if let palisade_policy::Change::SetContext { key, value } = change {
            after.context.insert(key.to_lowercase(), value.clone());
        }
    }
    after
}

const ANA: &str = "arn:aws:iam::111122223333:user/ana";

/// The edits of a case about `ana`, in words.
fn words(mut case: Value) -> Vec<String> {
    case["id"] = json!("1");
    case["principal"] = json!({"type": "user", "arn": ANA});
    let facts = facts(&case);
    let wanted = !facts.decide().unwrap().allowed();
    let edits = edits(&facts);
    for edit in &edits {
        assert_eq!(after(&facts, edit).decide().unwrap().allowed(), wanted, "{edit}");
    }
    let sizes: Vec<usize> = edits.iter().map(|edit| edit.size).collect();
    assert!(sizes.is_sorted(), "{sizes:?}");
    edits.iter().map(|edit| format!("{} {edit}", edit.size)).collect()
}

fn statement(effect: &str, action: Value, resource: Value) -> Value {
    json!({"Effect": effect, "Action": action, "Resource": resource})
}

fn document(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

#[test]
fn the_example_of_the_first_ten_minutes() {
    let app = document(&[
        statement("Allow", json!("s3:ListAllMyBuckets"), json!("*")),
        statement("Allow", json!(["s3:ListBucket"]), json!("arn:aws:s3:::productionapp")),
        statement("Allow", json!("s3:GetObject"), json!("arn:aws:s3:::productionapp/*")),
    ]);
    let words = words(json!({"action": "s3:ListBucket", "resource": "arn:aws:s3:::other",
        "resourceAccount": "111122223333", "identityPolicies": [app]}));
    assert_eq!(
        words[0],
        "1 add \"arn:aws:s3:::other\" to Resource of stmt 2 of identityPolicies[0]"
    );
}

#[test]
fn a_denial_without_mfa_wants_mfa_first() {
    let mut deny = statement("Deny", json!("*"), json!("*"));
    deny["Condition"] = json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}});
    let own = document(&[statement("Allow", json!("iam:*"), json!("*")), deny]);
    let words = words(json!({"action": "iam:ListUsers", "resource": "*",
        "identityPolicies": [own]}));
    assert_eq!(words[0], "1 call with aws:MultiFactorAuthPresent = \"true\"");
    let exemption = format!(
        "1 add {ANA:?} to Condition ArnNotEquals aws:PrincipalArn of stmt 2 of identityPolicies[0]"
    );
    assert!(words.contains(&exemption), "{words:?}");
}

#[test]
fn every_layer_in_the_way_is_widened() {
    let other = document(&[statement("Allow", json!("sqs:*"), json!("*"))]);
    let words = words(json!({
        "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k",
        "resourceAccount": "111122223333",
        "identityPolicies": [other], "permissionsBoundary": other, "sessionPolicies": [],
        "scps": [[document(&[statement("Allow", json!("*"), json!("*"))])], [other]],
    }));
    let expected = "3 add \"s3:GetObject\" to Action of stmt 1 of scps[1][0]; \
                    add \"s3:GetObject\" to Action of stmt 1 of permissionsBoundary; \
                    add \"s3:GetObject\" to Action of stmt 1 of identityPolicies[0]";
    assert_eq!(words[0], expected, "{words:?}");
}

#[test]
fn nothing_at_all_wants_a_new_policy() {
    let words = words(json!({"action": "s3:GetObject", "resource": "arn:aws:s3:::b/k",
        "resourceAccount": "111122223333"}));
    let expected = "4 add a new identity-based policy with {\"Action\":\"s3:GetObject\",\
                    \"Effect\":\"Allow\",\"Resource\":\"arn:aws:s3:::b/k\"}";
    assert_eq!(words, [expected]);
}

#[test]
fn documents_of_aws_are_left_alone() {
    let case = json!({"id": "1", "principal": {"type": "user", "arn": ANA},
        "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k",
        "resourceAccount": "111122223333",
        "identityPolicies": [document(&[statement("Allow", json!("iam:*"), json!("*"))])]});
    let mut facts = facts(&case);
    facts.layers[0].policies[0].label = "arn:aws:iam::aws:policy/IAMFullAccess".to_owned();
    let first = edits(&facts)[0].to_string();
    assert!(first.starts_with("add a new identity-based policy"), "{first}");
}

#[test]
fn an_allow_is_stopped() {
    let own = document(&[
        statement("Allow", json!(["s3:GetObject", "s3:PutObject"]), json!("*")),
        statement("Allow", json!("s3:Get*"), json!("arn:aws:s3:::b/*")),
    ]);
    let words = words(json!({"action": "s3:GetObject", "resource": "arn:aws:s3:::b/k",
        "resourceAccount": "111122223333", "identityPolicies": [own]}));
    let deny = "3 add {\"Action\":\"s3:GetObject\",\"Effect\":\"Deny\",\
                \"Resource\":\"arn:aws:s3:::b/k\"} to identityPolicies[0] (identity-based policy)";
    assert_eq!(words[0], deny, "{words:?}");
    let both = "4 remove \"s3:GetObject\" from Action of stmt 1 of identityPolicies[0]; \
                remove stmt 2 of identityPolicies[0]";
    assert!(words.iter().any(|it| it == both), "{words:?}");
}

/// Nothing of its own policies can stop root.
#[test]
fn root_is_not_stopped() {
    let case = json!({"id": "1", "action": "iam:ListUsers", "resource": "*",
        "principal": {"type": "root", "arn": "arn:aws:iam::111122223333:root"}});
    let facts = facts(&case);
    assert!(facts.decide().unwrap().allowed());
    assert!(edits(&facts).is_empty());
}

#[test]
fn another_call_under_the_edit() {
    let own = document(&[statement("Allow", json!("s3:GetObject"), json!("arn:aws:s3:::b/a"))]);
    let case = |action: &str, resource: &str| {
        facts(&json!({"id": "1", "principal": {"type": "user", "arn": ANA}, "action": action,
            "resource": resource, "resourceAccount": "111122223333", "identityPolicies": [own]}))
    };
    let denied = case("s3:PutObject", "arn:aws:s3:::b/a");
    let edit = &edits(&denied)[0];
    assert_eq!(edit.to_string(), "add \"s3:PutObject\" to Action of stmt 1 of identityPolicies[0]");
    let same = edit.applied(&denied, &denied).unwrap();
    assert!(same.decide().unwrap().allowed());
    let other = case("s3:PutObject", "arn:aws:s3:::b/other");
    assert!(!edit.applied(&denied, &other).unwrap().decide().unwrap().allowed());
    let mut newer = denied.clone();
    newer.layers[0].policies[0].text.push(' ');
    assert!(edit.applied(&denied, &newer).is_none(), "another version of the document");
}

fn config() -> Config {
    let wanted = std::env::var("PALISADE_POLICY_CASES").ok();
    let cases = wanted.map_or(150, |wanted| wanted.parse().unwrap());
    Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() }
}

proptest! {
    #![proptest_config(config())]

    /// Facts keep all that a decision hangs on, through JSON and back.
    #[test]
    fn facts_decide_alike(case in generate::case()) {
        let expected = Case::parse(&case.to_string()).unwrap();
        let facts = facts(&case);
        let text = serde_json::to_string(&facts).unwrap();
        let read: Facts = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&read, &facts);
        prop_assert_eq!(read.decide().unwrap(), expected.decide(), "{}", case);
        prop_assert_eq!(read.explain().unwrap().decision, expected.decide(), "{}", case);
    }

    /// Every edit that is proposed turns the decision round when it is made, and no other of the
    /// proposals is a part of it.
    #[test]
    fn every_edit_flips(case in generate::case()) {
        let facts = facts(&case);
        let before = facts.decide().unwrap();
        let edits = edits(&facts);
        for edit in &edits {
            let decided = after(&facts, edit).decide().unwrap();
            prop_assert!(decided.allowed() != before.allowed(), "{}: {}", edit, case);
            prop_assert_eq!(decided.outcome, edit.outcome);
            let size: usize = edit.changes.iter().map(palisade_policy::Change::size).sum();
            prop_assert_eq!(size, edit.size);
            let within = |other: &&Edit| {
                *other != edit && other.changes.iter().all(|it| edit.changes.contains(it))
            };
            prop_assert!(!edits.iter().any(|other| within(&other)), "{}: {}", edit, case);
        }
        let again = facts.prepare().unwrap().edits();
        prop_assert_eq!(&edits, &again, "the search is not deterministic");
    }

    /// A document written back reads as it was.
    #[test]
    fn documents_are_written_as_they_are(case in generate::case()) {
        for layer in facts(&case).layers {
            for policy in layer.policies {
                let kind = match layer.layer {
                    Layer::Scp => palisade_policy::DocumentKind::Scp,
                    Layer::Rcp => palisade_policy::DocumentKind::Rcp,
                    Layer::Trust => palisade_policy::DocumentKind::Trust,
                    Layer::Resource | Layer::VpcEndpoint => {
                        palisade_policy::DocumentKind::Resource
                    }
                    _ => palisade_policy::DocumentKind::Identity,
                };
                let read = palisade_policy::Policy::parse(&policy.text, kind).unwrap();
                let text = serde_json::to_string(&read).unwrap();
                let again = palisade_policy::Policy::parse(&text, kind).unwrap();
                let twice = serde_json::to_string(&again).unwrap();
                prop_assert_eq!(&text, &twice);
                let old: Value = serde_json::from_str(&policy.text).unwrap();
                let new: Value = serde_json::from_str(&text).unwrap();
                prop_assert_eq!(lists(old), lists(new));
            }
        }
    }
}

/// Every scalar as a list of one.
fn lists(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, it)| (name, lists(it))).collect())
        }
        Value::Array(values) if values.iter().all(Value::is_string) => Value::Array(values),
        Value::Array(values) => Value::Array(values.into_iter().map(lists).collect()),
        scalar => json!([scalar]),
    }
}
