//! `palisade policy`, and options that nobody knows.

use crate::support::{policy, run};
use serde_json::{Value, json};

fn case(id: &str, action: &str, resource: &str) -> Value {
    json!({
        "id": id,
        "principal": {
            "type": "user",
            "arn": "arn:aws:iam::123456789012:user/ann",
            "account": "123456789012"
        },
        "action": action,
        "resource": resource,
        "resourceAccount": "123456789012",
        "context": {},
        "identityPolicies": [{
            "Version": "2012-10-17",
            "Statement": [
                { "Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*" },
                {
                    "Effect": "Allow",
                    "Action": ["s3:ListBucket", "s3:GetBucketLocation"],
                    "Resource": "arn:aws:s3:::productionapp"
                },
                {
                    "Effect": "Allow",
                    "Action": ["s3:GetObject", "s3:PutObject"],
                    "Resource": "arn:aws:s3:::productionapp/*"
                },
                {
                    "Effect": "Deny",
                    "Action": "s3:*",
                    "Resource": "arn:aws:s3:::productionapp/secret/*"
                }
            ]
        }]
    })
}

#[test]
fn cases_are_decided_offline() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        (case("list", "s3:ListAllMyBuckets", "*"), "allowed"),
        (case("bucket", "s3:ListBucket", "arn:aws:s3:::productionapp"), "allowed"),
        (case("other", "s3:ListBucket", "arn:aws:s3:::otherapp"), "implicitDeny"),
        (case("object", "s3:GetObject", "arn:aws:s3:::productionapp/a/b"), "allowed"),
        (case("near", "s3:GetObject", "arn:aws:s3:::productionapp2/a"), "implicitDeny"),
        (case("delete", "s3:DeleteObject", "arn:aws:s3:::productionapp/a"), "implicitDeny"),
        (case("secret", "s3:GetObject", "arn:aws:s3:::productionapp/secret/a"), "explicitDeny"),
    ];
    let file = folder.path().join("cases.jsonl");
    let lines: Vec<String> = cases.iter().map(|(case, _)| case.to_string()).collect();
    std::fs::write(&file, lines.join("\n")).unwrap();
    let ran = run(&["policy", "evaluate", "--format", "jsonl", "--input", file.to_str().unwrap()]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let answers: Vec<Value> =
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), cases.len());
    for ((case, expected), answer) in cases.iter().zip(&answers) {
        assert_eq!((&answer["id"], &answer["decision"]), (&case["id"], &json!(expected)));
        let denied_by = answer.get("deniedBy").and_then(Value::as_str);
        assert_eq!(denied_by.is_none(), *expected == "allowed", "{answer}");
    }
    std::fs::write(&file, "{\"id\": 1").unwrap();
    let ran = run(&["policy", "evaluate", "--input", file.to_str().unwrap()]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("line 1"), "{}", ran.err);
}

#[test]
fn documents_are_checked_offline() {
    let folder = tempfile::tempdir().unwrap();
    let (good, bad) = (folder.path().join("good.json"), folder.path().join("bad.json"));
    std::fs::write(&good, policy("Allow", &["s3:GetObject"], &["*"]).to_string()).unwrap();
    let text = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [{\n    \"Effect\": \
                \"Permit\",\n    \"Action\": \"s3:GetObject\",\n    \"Resource\": \"*\"\n  }]\n}\n";
    std::fs::write(&bad, text).unwrap();
    let ran = run(&["policy", "validate", good.to_str().unwrap()]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{ran:?}");
    let ran = run(&["policy", "validate", good.to_str().unwrap(), bad.to_str().unwrap()]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let place = format!("{}:4:", bad.display());
    assert!(ran.out.starts_with(&place) && ran.out.contains("error"), "{}", ran.out);
}

#[test]
fn unknown_options_are_refused() {
    for arguments in [
        &["serve", "--no-such-option"][..],
        &["health", "--no-such-option"],
        &["no-such-command"],
        &["why"],
        &["policy", "evaluate", "--format", "yaml", "--input", "-"],
    ] {
        let ran = run(arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert!(ran.out.is_empty(), "errors go to stderr: {ran:?}");
    }
    let ran = run(&["--version"]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.out.starts_with("palisade "), "{}", ran.out);
}
