use super::*;
use serde_json::json;

fn merged(levels: &[&[Value]]) -> Value {
    let levels: Vec<Vec<String>> =
        levels.iter().map(|level| level.iter().map(Value::to_string).collect()).collect();
    effective(&levels).unwrap_or(Value::Null)
}

/// The examples of the User Guide, "Management policy inheritance", told in our own values.
#[test]
fn policies_on_the_way_become_one() {
    let values = |operator: &str, list: &[&str]| {
        let values = json!({ operator: list });
        json!({ "tags": { "cost": { "tag_value": values } } })
    };
    let tag = |value: Value| json!({ "tags": { "cost": { "tag_value": value } } });
    let cases = [
        (vec![values(ASSIGN, &["a"])], tag(json!(["a"]))),
        (vec![values(ASSIGN, &["a"]), values(ASSIGN, &["b"])], tag(json!(["b"]))),
        (vec![values(ASSIGN, &["a"]), values(APPEND, &["b", "a"])], tag(json!(["a", "b"]))),
        (vec![values(ASSIGN, &["a", "b"]), values(REMOVE, &["a", "x"])], tag(json!(["b"]))),
        (vec![values(APPEND, &["a"])], tag(json!(["a"]))),
        (vec![values(REMOVE, &["a"])], Value::Null),
    ];
    for (levels, expected) in cases {
        let levels: Vec<&[Value]> = levels.iter().map(std::slice::from_ref).collect();
        assert_eq!(merged(&levels), expected, "{levels:?}");
    }
}

#[test]
fn a_parent_limits_what_its_children_may_do() {
    let locked = json!({ "tags": { ALLOWED: ["@@none"], "cost": {
        "tag_key": { ASSIGN: "Cost", ALLOWED: ["@@none"] },
        "tag_value": { ASSIGN: ["a"], ALLOWED: [APPEND] },
    } } });
    let child = json!({ "tags": {
        "cost": {
            "tag_key": { ASSIGN: "COST" },
            "tag_value": { ASSIGN: ["c"], APPEND: ["b"], REMOVE: ["a"], ALLOWED: ["@@all"] },
        },
        "other": { "tag_key": { ASSIGN: "Other" } },
    } });
    let expected = json!({ "tags": { "cost": { "tag_key": "Cost", "tag_value": ["a", "b"] } } });
    assert_eq!(merged(&[std::slice::from_ref(&locked), std::slice::from_ref(&child)]), expected);
    // A limit that is inherited cannot be lifted further down.
    let grandchild = json!({ "tags": { "cost": { "tag_value": { ASSIGN: ["z"] } } } });
    let levels = [
        std::slice::from_ref(&locked),
        std::slice::from_ref(&child),
        std::slice::from_ref(&grandchild),
    ];
    assert_eq!(merged(&levels), expected);
    // Brothers on one level do not limit each other.
    assert_eq!(merged(&[&[locked, child]])["tags"]["other"]["tag_key"], json!("Other"));
}

#[test]
fn documents_are_checked_by_their_type() {
    let good = [
        ("TAG_POLICY", "tags", json!({ "tags": { "a": { "tag_key": { ASSIGN: "A" } } } })),
        ("TAG_POLICY", "tags", json!({ "tags": {} })),
        (
            "AISERVICES_OPT_OUT_POLICY",
            "services",
            json!({ "services": { ALLOWED: ["@@none"], "default": {
                ALLOWED: ["@@none"], "opt_out_policy": { ALLOWED: ["@@none"], ASSIGN: "optOut" },
            } } }),
        ),
        (
            "BACKUP_POLICY",
            "plans",
            json!({ "plans": { "p": {
                "regions": { ASSIGN: ["us-east-1"] },
                "rules": { "h": {
                    "schedule_expression": { ASSIGN: "cron(0 5 ? * * *)" },
                    "lifecycle": { "delete_after_days": { ASSIGN: "30" } },
                } },
                "selections": { "tags": { "t": { "tag_value": { ASSIGN: ["x"] } } } },
            } } }),
        ),
        ("S3_POLICY", "s3_attributes", json!({ "s3_attributes": { "a": { ASSIGN: "all" } } })),
    ];
    for (policy_type, below, document) in good {
        assert_eq!(check(policy_type, below, &document.to_string()), Ok(()), "{document}");
    }
    let bad = [
        ("[]", "must be a JSON object"),
        ("{", "not valid JSON"),
        ("{}", "must have the element"),
        (r#"{"tags":{},"x":{}}"#, "\"x\" is not an element"),
        (r#"{"tags":{"a":{"tag_kee":{"@@assign":"A"}}}}"#, "tags/a/tag_kee"),
        (r#"{"tags":{"a":{"tag_key":"A"}}}"#, "must use an inheritance operator"),
        (r#"{"tags":{"a":{"tag_key":{"@@asign":"A"}}}}"#, "not an inheritance operator"),
        (r#"{"tags":{"a":{"tag_key":{"@@append":["A"]}}}}"#, "does not take @@append"),
        (r#"{"tags":{"a":{"tag_value":{"@@assign":"A"}}}}"#, "does not take @@assign"),
        (r#"{"tags":{"a":{"@@assign":"A"}}}"#, "not a setting"),
        (r#"{"tags":{"a":{"tag_key":{"@@assign":"A","b":{}}}}}"#, "both a value and"),
        (r#"{"tags":{"@@operators_allowed_for_child_policies":["@@x"]}}"#, "not a list of"),
        (
            r#"{"tags":{"@@operators_allowed_for_child_policies":["@@all","@@append"]}}"#,
            "not a list of",
        ),
    ];
    for (document, expected) in bad {
        let fault = check("TAG_POLICY", "tags", document).unwrap_err();
        assert!(fault.contains(expected), "{document}: {fault}");
    }
    let deep = format!("{}{}", r#"{"a":"#.repeat(40), "{}".to_owned() + &"}".repeat(40));
    let document = format!(r#"{{"bedrock":{deep}}}"#);
    assert!(check("BEDROCK_POLICY", "bedrock", &document).unwrap_err().contains("too deeply"));
}

#[test]
fn an_effective_policy_can_lack_something() {
    let plan = json!({ "plans": { "p": { "regions": ["us-east-1"] } } });
    let faults = check_effective("BACKUP_POLICY", &plan);
    let paths: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
    assert_eq!(paths, ["plans/p/rules", "plans/p/selections"]);
    let tag = json!({ "tags": { "a": { "tag_key": "A" } } });
    assert_eq!(check_effective("TAG_POLICY", &tag), []);
}

proptest::proptest! {
    /// Whatever documents there are, merging ends without a panic and leaves no operator behind.
    #[test]
    fn no_operator_is_left(texts in proptest::collection::vec("[a-c@{}:\",\\[\\]]{0,40}", 0..4)) {
        let effective = effective(&[texts]);
        proptest::prop_assert!(!effective.unwrap_or(Value::Null).to_string().contains("@@assign"));
    }
}
