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
    let line = format!(
        "{}:4:15: error INVALID_EFFECT: The effect Permit is not valid. Use Allow or Deny. \
         [Statement[0].Effect]\n",
        bad.display()
    );
    assert_eq!(ran.out, line);
    let ran = run(&["policy", "validate", "--type", "scp", good.to_str().unwrap()]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{ran:?}");
    let ran = run(&["policy", "validate", "--type", "resource", good.to_str().unwrap()]);
    assert!(ran.code == Some(1) && ran.out.contains("error MISSING_PRINCIPAL"), "{ran:?}");
    let ran = run(&["policy", "validate", "--format", "json", bad.to_str().unwrap()]);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    let finding = &told[0]["findings"][0];
    assert_eq!(
        (&finding["severity"], &finding["code"]),
        (&json!("ERROR"), &json!("INVALID_EFFECT"))
    );
    assert_eq!((&finding["line"], &finding["column"]), (&json!(4), &json!(15)));
    let path = json!([{ "value": "Statement" }, { "index": 0 }, { "value": "Effect" }]);
    assert_eq!(finding["path"], path);
}

/// The members of an object that SARIF's schema requires, and of which JSON type each member is.
fn sarif_shape(value: &Value, required: &[&str], known: &[(&str, &str)]) {
    let members = value.as_object().unwrap();
    for name in required {
        assert!(members.contains_key(*name), "{name} is missing: {value}");
    }
    for (name, member) in members {
        let kind = known.iter().find(|(known, _)| known == name);
        let (_, kind) = kind.unwrap_or_else(|| panic!("{name} is unknown: {value}"));
        let fits = match *kind {
            "string" => member.is_string(),
            "count" => member.is_u64(),
            "place" => member.as_u64().is_some_and(|number| number > 0),
            "array" => member.is_array(),
            "level" => ["none", "note", "warning", "error"].contains(&member.as_str().unwrap()),
            _ => member.is_object(),
        };
        assert!(fits, "{name} is no {kind}: {value}");
    }
}

fn sarif_location(location: &Value) {
    let known = [("physicalLocation", "object"), ("logicalLocations", "array")];
    sarif_shape(location, &[], &known);
    let physical = &location["physicalLocation"];
    sarif_shape(physical, &[], &[("artifactLocation", "object"), ("region", "object")]);
    sarif_shape(&physical["artifactLocation"], &["uri"], &[("uri", "string")]);
    let uri = physical["artifactLocation"]["uri"].as_str().unwrap();
    assert!(!uri.contains([' ', '#', '?']), "{uri}");
    let region = [
        ("startLine", "place"),
        ("startColumn", "place"),
        ("endLine", "place"),
        ("endColumn", "place"),
        ("charOffset", "count"),
        ("charLength", "count"),
    ];
    sarif_shape(&physical["region"], &["startLine"], &region);
}

/// The parts of the schema of SARIF 2.1.0 (`sarif-schema-2.1.0.json`) that a log of ours uses.
#[test]
fn findings_are_sarif() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a policy.json");
    let text = r#"{"Version": "2012-10-17", "Statement": {"Sid": "", "Effect": "Allow",
"Action": ["iam:PassRole", "iam:Pass"], "Resource": "*"}}"#;
    std::fs::write(&file, text).unwrap();
    let ran = run(&["policy", "validate", "--format", "sarif", file.to_str().unwrap()]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let log: Value = serde_json::from_str(&ran.out).unwrap();
    let known = [("$schema", "string"), ("version", "string"), ("runs", "array")];
    sarif_shape(&log, &["version", "runs"], &known);
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let known = [("tool", "object"), ("columnKind", "string"), ("results", "array")];
    sarif_shape(run, &["tool"], &known);
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let driver = &run["tool"]["driver"];
    let known = [("name", "string"), ("version", "string"), ("rules", "array")];
    sarif_shape(driver, &["name"], &known);
    let rules = driver["rules"].as_array().unwrap();
    for rule in rules {
        let known = [("id", "string"), ("helpUri", "string"), ("defaultConfiguration", "object")];
        sarif_shape(rule, &["id"], &known);
        sarif_shape(&rule["defaultConfiguration"], &[], &[("level", "level")]);
        assert!(rule["helpUri"].as_str().unwrap().starts_with("https://"));
    }
    let results = run["results"].as_array().unwrap();
    for result in results {
        let known = [
            ("ruleId", "string"),
            ("ruleIndex", "count"),
            ("level", "level"),
            ("message", "object"),
            ("locations", "array"),
            ("relatedLocations", "array"),
        ];
        sarif_shape(result, &["message"], &known);
        sarif_shape(&result["message"], &["text"], &[("text", "string")]);
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        let related = result.get("relatedLocations").and_then(Value::as_array);
        let locations = result["locations"].as_array().unwrap();
        locations.iter().chain(related.into_iter().flatten()).for_each(sarif_location);
    }
    let told: Vec<_> =
        results.iter().map(|it| (it["ruleId"].as_str().unwrap(), &it["level"])).collect();
    let expected = [
        ("EMPTY_SID_VALUE", &json!("note")),
        ("PASS_ROLE_WITH_STAR_IN_RESOURCE", &json!("warning")),
        ("INVALID_ACTION", &json!("error")),
    ];
    assert_eq!(told, expected);
    let region = &results[2]["locations"][0]["physicalLocation"]["region"];
    assert_eq!((&region["startLine"], &region["startColumn"]), (&json!(2), &json!(28)));
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
