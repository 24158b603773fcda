//! What AWS was observed to answer (September 2026), and what its documentation promises.

mod principals;

use super::*;
use crate::testing::Lab;
use palisade_model::iam::*;

const ALLOW: &str = concat!(
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","#,
    r#""Action":"s3:GetObject","Resource":"*"}]}"#
);
const DENY: &str = concat!(
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","#,
    r#""Action":"s3:GetObject","Resource":"*"}]}"#
);
const PUT: &str = concat!(
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","#,
    r#""Action":"s3:PutObject","Resource":"*"}]}"#
);
const ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
const A: &str = "arn:aws:s3:::productionapp/a";
const B: &str = "arn:aws:s3:::productionapp/b";
const ANA: &str = "arn:aws:iam::123456789012:user/ana";

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn custom(policies: &[&str]) -> SimulateCustomPolicyRequest {
    SimulateCustomPolicyRequest {
        policy_input_list: strings(policies),
        action_names: strings(&["s3:GetObject"]),
        ..SimulateCustomPolicyRequest::default()
    }
}

fn principal(arn: &str) -> SimulatePrincipalPolicyRequest {
    SimulatePrincipalPolicyRequest {
        policy_source_arn: arn.to_owned(),
        action_names: strings(&["s3:GetObject"]),
        ..SimulatePrincipalPolicyRequest::default()
    }
}

fn entry(name: &str, kind: &str, values: &[&str]) -> ContextEntry {
    ContextEntry {
        context_key_name: Some(name.to_owned()),
        context_key_values: Some(strings(values)),
        context_key_type: Some(kind.to_owned()),
    }
}

fn on_resources(input: SimulateCustomPolicyRequest, arns: &[&str]) -> SimulateCustomPolicyRequest {
    SimulateCustomPolicyRequest { resource_arns: Some(strings(arns)), ..input }
}

/// The only result.
fn one(input: SimulateCustomPolicyRequest) -> EvaluationResult {
    let answer = Lab::new().call(simulate_custom_policy, input).unwrap();
    let mut results = answer.evaluation_results.unwrap();
    assert_eq!(results.len(), 1);
    results.remove(0)
}

/// Matched statements as `id line:column-line:column`.
fn places(statements: Option<Vec<Statement>>) -> Vec<String> {
    let text = |position: Option<Position>| {
        let position = position.unwrap();
        format!("{}:{}", position.line.unwrap(), position.column.unwrap())
    };
    let line = |statement: Statement| {
        let id = statement.source_policy_id.unwrap();
        format!("{id} {}-{}", text(statement.start_position), text(statement.end_position))
    };
    statements.unwrap_or_default().into_iter().map(line).collect()
}

#[test]
fn statements_are_placed_where_awss_parser_stood() {
    let pretty = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \
        \"Effect\": \"Allow\",\n      \"Action\": \"s3:PutObject\",\n      \"Resource\": \"*\",\n\
              \"Sid\": \"First\"\n    },\n    {\n      \"Effect\": \"Deny\",\n      \
        \"Action\": \"s3:GetObject\",\n      \"Resource\": \"*\",\n      \"Sid\": \"Second\"\n    \
        }\n  ]\n}";
    let windows = " \r\n{\r\n  \"Version\": \"2012-10-17\",\r\n  \"Statement\": [\r\n    \
        {\r\n      \
        \"Effect\": \"Allow\",\r\n      \"Action\": \"s3:GetObject\",\r\n      \
        \"Resource\": \"*\"\r\n    }\r\n  ]\r\n}\r\n ";
    let single = r#"{"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}"#;
    let cases = [
        (ALLOW, "PolicyInputList.1 1:38-1:95"),
        (pretty, "PolicyInputList.1 9:6-15:6"),
        (windows, "PolicyInputList.1 4:17-9:6"),
        (single, "PolicyInputList.1 1:16-1:77"),
    ];
    for (policy, expected) in cases {
        assert_eq!(places(one(custom(&[policy])).matched_statements), [expected], "{policy}");
    }
}

#[test]
fn the_statements_of_the_answers_effect_are_named() {
    let result = one(custom(&[ALLOW, DENY, ALLOW]));
    assert_eq!(result.eval_decision, "explicitDeny");
    assert_eq!(places(result.matched_statements), ["PolicyInputList.2 1:38-1:94"]);
    let result = one(custom(&[ALLOW, ALLOW]));
    assert_eq!(result.eval_decision, "allowed");
    assert_eq!(result.eval_resource_name.as_deref(), Some("*"));
    assert_eq!(result.eval_decision_details, None);
    assert!(result.resource_specific_results.is_none());
    let matched = result.matched_statements.unwrap();
    assert_eq!(matched.len(), 2);
    assert_eq!(matched[0].source_policy_type.as_deref(), Some("IAM Policy"));
    assert_eq!(one(custom(&[])).eval_decision, "implicitDeny");
}

#[test]
fn several_resources_get_a_result_each_and_the_strictest_together() {
    let only_a = ALLOW.replace("\"*\"", &format!("\"{A}\""));
    let result = one(on_resources(custom(&[&only_a]), &[A, B]));
    assert_eq!(result.eval_decision, "implicitDeny");
    assert!(result.eval_resource_name.unwrap().starts_with("arn:aws:s3:"));
    assert_eq!(places(result.matched_statements).len(), 1);
    assert_eq!(result.eval_decision_details.map(|details| details.len()), Some(0));
    let specific = result.resource_specific_results.unwrap();
    let decisions: Vec<_> = specific
        .iter()
        .map(|one| (one.eval_resource_name.as_str(), one.eval_resource_decision.as_str()))
        .collect();
    assert_eq!(decisions, [(A, "allowed"), (B, "implicitDeny")]);
    assert!(specific[1].matched_statements.is_none());
}

#[test]
fn keys_are_missing_only_from_what_nothing_allows() {
    let conditional = |effect: &str, action: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Action":"{action}",
            "Resource":"*","Condition":{{"StringEquals":{{"App:Stage":"${{aws:username}}"}}}}}}]}}"#
        )
    };
    let relevant = conditional("Allow", "s3:GetObject");
    let other = conditional("Allow", "s3:PutObject");
    for policy in [&relevant, &other] {
        let result = one(custom(&[policy]));
        assert_eq!(result.eval_decision, "implicitDeny");
        assert_eq!(result.missing_context_values.unwrap(), ["App:Stage", "aws:username"]);
    }
    let result = one(custom(&[ALLOW, &other]));
    assert_eq!(result.missing_context_values.unwrap(), Vec::<String>::new());
    let entries =
        vec![entry("app:stage", "string", &["x"]), entry("aws:username", "string", &["x"])];
    let input =
        SimulateCustomPolicyRequest { context_entries: Some(entries), ..custom(&[&relevant]) };
    assert_eq!(one(input).eval_decision, "allowed");
}

#[test]
fn every_type_of_context_entry_reaches_its_operator() {
    let cases = [
        ("string", &["x"][..], r#""StringEquals":{"app:key":"x"}"#, "allowed"),
        ("string", &["x"], r#""StringEquals":{"app:key":"y"}"#, "implicitDeny"),
        ("stringList", &["x", "y"], r#""ForAnyValue:StringEquals":{"app:key":"y"}"#, "allowed"),
        ("stringList", &["x"], r#""StringEquals":{"app:key":"x"}"#, "implicitDeny"),
        ("numeric", &["7"], r#""NumericLessThan":{"app:key":"8"}"#, "allowed"),
        (
            "numericList",
            &["7", "9"],
            r#""ForAllValues:NumericLessThan":{"app:key":"8"}"#,
            "implicitDeny",
        ),
        ("boolean", &["TRUE"], r#""Bool":{"app:key":"true"}"#, "allowed"),
        ("boolean", &["yes"], r#""Bool":{"app:key":"true"}"#, "implicitDeny"),
        ("booleanList", &["true", "false"], r#""ForAnyValue:Bool":{"app:key":"false"}"#, "allowed"),
        ("ip", &["10.1.2.3"], r#""IpAddress":{"app:key":"10.0.0.0/8"}"#, "allowed"),
        (
            "ipList",
            &["10.1.2.3", "11.0.0.0/9"],
            r#""ForAllValues:IpAddress":{"app:key":"10.0.0.0/8"}"#,
            "implicitDeny",
        ),
        ("binary", &["QmluYXJ5"], r#""BinaryEquals":{"app:key":"QmluYXJ5"}"#, "allowed"),
        (
            "binaryList",
            &["QQ==", "Qg=="],
            r#""ForAnyValue:BinaryEquals":{"app:key":"Qg=="}"#,
            "allowed",
        ),
        (
            "date",
            &["2026-01-01T00:00:00Z"],
            r#""DateLessThan":{"app:key":"2027-01-01T00:00:00Z"}"#,
            "allowed",
        ),
        (
            "dateList",
            &["2026-01-01", "1767225600"],
            r#""ForAllValues:DateLessThan":{"app:key":"2027-01-01"}"#,
            "allowed",
        ),
    ];
    for (kind, values, condition, expected) in cases {
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"s3:*",
                "Resource":"*","Condition":{{{condition}}}}}]}}"#
        );
        let input = SimulateCustomPolicyRequest {
            context_entries: Some(vec![entry("app:key", kind, values)]),
            ..custom(&[&policy])
        };
        assert_eq!(one(input).eval_decision, expected, "{kind} {values:?} {condition}");
    }
}

#[test]
fn a_boundary_limits_and_is_named_only_when_it_denies() {
    let cases = [
        (ALLOW, "allowed", true, vec!["PolicyInputList.1 1:38-1:95"]),
        (PUT, "implicitDeny", false, vec![]),
        (DENY, "explicitDeny", false, vec!["PermissionsBoundaryPolicyInputList.1 1:38-1:94"]),
    ];
    for (boundary, decision, allowed, matched) in cases {
        let input = SimulateCustomPolicyRequest {
            permissions_boundary_policy_input_list: Some(strings(&[boundary])),
            ..custom(&[ALLOW])
        };
        let result = one(input);
        let detail = result.permissions_boundary_decision_detail.unwrap();
        assert_eq!(result.eval_decision, decision);
        assert_eq!(detail.allowed_by_permissions_boundary, Some(allowed));
        assert_eq!(places(result.matched_statements), matched);
    }
}

#[test]
fn every_level_of_an_organization_must_allow_and_says_nothing_more() {
    let cases = [
        (vec![vec![ALL], vec![ALL]], "allowed", true, 1),
        (vec![vec![ALL], vec![DENY]], "explicitDeny", false, 0),
        (vec![vec![ALL], vec![PUT]], "implicitDeny", false, 0),
        (vec![vec![DENY, ALL], vec![ALL]], "explicitDeny", false, 0),
    ];
    for (levels, decision, allowed, matched) in cases {
        let level = |texts: &Vec<&str>| OrderedOrganizationPolicyType {
            service_control_policy_input_list: Some(strings(texts)),
        };
        let input = SimulateCustomPolicyRequest {
            ordered_organization_policy_input_list: Some(levels.iter().map(level).collect()),
            ..on_resources(custom(&[ALLOW]), &[A])
        };
        let result = one(input);
        let detail = result.organizations_decision_detail.unwrap();
        assert_eq!(
            (result.eval_decision.as_str(), detail.allowed_by_organizations),
            (decision, Some(allowed))
        );
        assert_eq!(result.matched_statements.unwrap().len(), matched);
        assert_eq!(result.missing_context_values.unwrap(), Vec::<String>::new());
        assert_eq!(result.eval_decision_details.is_some(), allowed);
    }
}

#[test]
fn a_resource_policy_counts_in_its_own_account_and_across() {
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{ANA}"}},
        "Action":"s3:GetObject","Resource":"arn:aws:s3:::productionapp/*"}}]}}"#
    );
    let input = |identity: &[&str], owner: &str| SimulateCustomPolicyRequest {
        resource_policy: Some(policy.clone()),
        caller_arn: Some(ANA.to_owned()),
        resource_owner: Some(format!("arn:aws:iam::{owner}:root")),
        ..on_resources(custom(identity), &[A])
    };
    let result = one(input(&[], "123456789012"));
    assert_eq!(result.eval_decision, "allowed");
    let matched = result.matched_statements.unwrap();
    assert_eq!(matched[0].source_policy_id.as_deref(), Some("ResourcePolicy"));
    assert_eq!(matched[0].source_policy_type.as_deref(), Some("Resource Policy"));
    assert_eq!(result.eval_decision_details.map(|details| details.len()), Some(0));
    let result = one(input(&[], "210987654321"));
    assert_eq!(result.eval_decision, "implicitDeny");
    let details = result.eval_decision_details.unwrap();
    assert_eq!(details["IAM Policy"], "implicitDeny");
    assert_eq!(details["Resource Policy"], "allowed");
    assert_eq!(one(input(&[ALLOW], "210987654321")).eval_decision, "allowed");
    assert_eq!(one(input(&[DENY], "123456789012")).eval_decision, "explicitDeny");
}

#[test]
fn a_trust_policy_as_the_resource_policy_decides_about_assuming_the_role() {
    let trust = |effect: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}",
            "Principal":{{"AWS":"{ANA}"}},"Action":"sts:AssumeRole"}}]}}"#
        )
    };
    for (effect, decision) in [("Allow", "allowed"), ("Deny", "explicitDeny")] {
        let input = SimulateCustomPolicyRequest {
            action_names: strings(&["sts:AssumeRole"]),
            resource_policy: Some(trust(effect)),
            caller_arn: Some(ANA.to_owned()),
            ..on_resources(custom(&[ALL]), &["arn:aws:iam::123456789012:role/app"])
        };
        assert_eq!(one(input).eval_decision, decision);
    }
}

#[test]
fn bad_input_is_refused_in_awss_words() {
    let base = || custom(&[ALLOW]);
    let with_entries = |entries: Vec<ContextEntry>| SimulateCustomPolicyRequest {
        context_entries: Some(entries),
        ..base()
    };
    let with_policy = |caller: Option<&str>, arns: &[&str]| SimulateCustomPolicyRequest {
        resource_policy: Some(ALLOW.to_owned()),
        caller_arn: caller.map(str::to_owned),
        ..on_resources(base(), arns)
    };
    let cases = [
        (custom(&[ALLOW, "{"]), "Policy input list item 2 has invalid content"),
        (
            SimulateCustomPolicyRequest {
                permissions_boundary_policy_input_list: Some(strings(&[ALLOW, ALLOW])),
                ..base()
            },
            "The list of Permissions Boundary policies cannot exceed 1 items.",
        ),
        (
            SimulateCustomPolicyRequest { action_names: strings(&["GetObject"]), ..base() },
            "The action is invalid since it is missing names",
        ),
        (
            on_resources(base(), &["arn:aws:s3"]),
            "ResourceNames are not in a valid ARN format: arn:aws:s3.",
        ),
        (on_resources(base(), &[A, "*"]), "ResourceNames are not in a valid ARN format: *."),
        (
            with_entries(vec![entry("app:key", "string", &["a", "b"])]),
            "Context key string expected a single value, but received 2.",
        ),
        (
            with_entries(vec![entry("app:key", "numeric", &["NaN"])]),
            "Invalid context value for key app:key: expected numeric format.",
        ),
        (
            with_entries(vec![entry("app:key", "dateList", &["2026-01-01", "tomorrow"])]),
            "Invalid context value for key app:key: expected DateTime format.",
        ),
        (
            with_entries(vec![entry("app:key", "ip", &["999.0.0.1"])]),
            "Invalid context value for key app:key: expected IP address.",
        ),
        (
            with_entries(vec![entry("app:key", "binary", &["!base64"])]),
            "Invalid context value for key app:key: expected base-64 encoded binary format.",
        ),
        (
            with_entries(vec![
                entry("app:key", "string", &["a"]),
                entry("APP:KEY", "string", &["b"]),
            ]),
            "Duplicate context key: APP:KEY.",
        ),
        (
            SimulateCustomPolicyRequest { marker: Some("not a marker".into()), ..base() },
            "Invalid marker for pagination.",
        ),
        (
            SimulateCustomPolicyRequest {
                ordered_organization_policy_input_list: Some(vec![
                    OrderedOrganizationPolicyType::default(),
                ]),
                ..base()
            },
            "Organization policy at index 1 must contain at least one service control policy",
        ),
        (with_policy(None, &[A]), "Invalid caller - Caller cannot be null or empty."),
        (
            with_policy(Some("arn:aws:sts::123456789012:assumed-role/app/s"), &[A]),
            "Invalid caller - Caller must be an IAM user, role or group in this context.",
        ),
        (
            with_policy(Some(ANA), &["*"]),
            "Invalid Entity Arn: * does not clearly define entity type and name.",
        ),
        (
            SimulateCustomPolicyRequest { resource_owner: Some("not-an-arn".into()), ..base() },
            "Invalid Resource Owner.",
        ),
        (
            SimulateCustomPolicyRequest {
                resource_handling_option: Some("EC2-VPC-EBS".into()),
                ..on_resources(base(), &[A])
            },
            "Invalid input resource handling options. Action does not support resource handling \
             options: s3:GetObject.",
        ),
    ];
    let lab = Lab::new();
    for (input, expected) in cases {
        assert_eq!(lab.refusal(simulate_custom_policy, input), format!("InvalidInput: {expected}"));
    }
}

#[test]
fn a_page_holds_max_items_actions_and_its_marker_leads_on() {
    let lab = Lab::new();
    let input = |marker: Option<String>, most: i32| SimulateCustomPolicyRequest {
        action_names: strings(&["s3:PutObject", "iam:GetUser", "s3:GetObject"]),
        max_items: Some(most),
        marker,
        ..custom(&[ALL])
    };
    let names = |answer: &SimulatePolicyResponse| -> Vec<String> {
        let results = answer.evaluation_results.iter().flatten();
        results.map(|result| result.eval_action_name.clone()).collect()
    };
    let first = lab.call(simulate_custom_policy, input(None, 1)).unwrap();
    assert_eq!((names(&first), first.is_truncated), (strings(&["s3:PutObject"]), Some(true)));
    let rest = lab.call(simulate_custom_policy, input(first.marker, 2)).unwrap();
    assert_eq!(names(&rest), ["iam:GetUser", "s3:GetObject"]);
    assert_eq!((rest.is_truncated, rest.marker), (Some(false), None));
}
