//! `palisade coverage`.

use crate::support::{policy, run};
use serde_json::{Value, json};

#[test]
fn a_policy_is_looked_at_before_it_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, document: &Value| {
        let path = folder.path().join(name);
        std::fs::write(&path, document.to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let good = file("good.json", &policy("Allow", &["iam:Get*", "sts:AssumeRole"], &["*"]));
    let bad = file("bad.json", &policy("Allow", &["iam:GetUser", "braket:CreateJob"], &["*"]));
    let ran = run(&["coverage", &good]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{}", ran.err);
    let ran = run(&["coverage", &good, &bad]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert_eq!(ran.out.lines().count(), 1, "{}", ran.out);
    let expected = format!("{bad}: stmt 1: Action braket:CreateJob: ");
    assert!(ran.out.starts_with(&expected), "{}", ran.out);
    let ran = run(&["coverage", &bad, "--output", "json"]);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(ran.code, Some(1));
    let reason = &told[0]["statements"][0]["undecided"][0];
    assert_eq!(
        (&reason["element"], &reason["value"]),
        (&json!("Action"), &json!("braket:CreateJob"))
    );
    let ran = run(&["coverage", &file("broken.json", &json!({}))]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
}

#[test]
fn the_ledger_lists_what_can_be_decided() {
    let ran = run(&["coverage", "--output", "json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let ledger: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(ledger["format"], "palisade-coverage/1");
    let mut prefixes = ledger["prefixes"].as_array().unwrap().iter();
    let iam = prefixes.find(|prefix| prefix["prefix"] == "iam").unwrap();
    let mut actions = iam["actions"].as_array().unwrap().iter();
    let create = actions.find(|action| action["action"] == "iam:CreateUser").unwrap();
    assert_eq!(create["operations"], json!(["iam CreateUser"]));
    let mut keys = create["keys"].as_array().unwrap().iter();
    let boundary = keys.find(|key| key["key"] == "iam:PermissionsBoundary").unwrap();
    assert_eq!(boundary["state"], "filled");
    let page = run(&["coverage", "--markdown"]);
    assert!(page.out.starts_with("# What can be decided"), "{}", page.out);
}
