//! ValidatePolicy through boto3: findings with their places, pages, refusals, permissions.

use crate::support::{Lab, policy};
use serde_json::{Value, json};

const SERVICE: &str = "accessanalyzer";

fn codes(answer: &Value) -> Vec<&str> {
    let findings = answer["findings"].as_array().unwrap().iter();
    findings.map(|finding| finding["issueCode"].as_str().unwrap()).collect()
}

#[test]
fn findings_have_codes_and_places() {
    let Some(lab) = Lab::start("findings_have_codes_and_places") else { return };
    let root = lab.root();
    let document = r#"{
  "Version": "2012-10-17",
  "Statement": [{
    "Effect": "Allow",
    "Action": ["s3:GetObjekt", "iam:PassRole"],
    "Resource": "*"
  }]
}"#;
    let input = json!({ "policyType": "IDENTITY_POLICY", "policyDocument": document });
    let answer = root.ok(SERVICE, "ValidatePolicy", input.clone());
    assert_eq!(codes(&answer), ["INVALID_ACTION", "PASS_ROLE_WITH_STAR_IN_RESOURCE"]);
    let first = &answer["findings"][0];
    assert_eq!(first["findingType"], "ERROR");
    let details = "The action s3:GetObjekt does not exist. Did you mean s3:GetObject?";
    assert_eq!(first["findingDetails"], details);
    assert!(first["learnMoreLink"].as_str().unwrap().ends_with("-error-invalid-action"));
    let offset = document.find("\"s3:GetObjekt\"").unwrap();
    let expected = json!([{
        "path": [{ "value": "Statement" }, { "index": 0 }, { "value": "Action" }, { "index": 0 }],
        "span": {
            "start": { "line": 5, "column": 15, "offset": offset },
            "end": { "line": 5, "column": 29, "offset": offset + 14 }
        }
    }]);
    assert_eq!(first["locations"], expected);
    let second = &answer["findings"][1];
    assert_eq!(
        (&second["findingType"], second["locations"].as_array().unwrap().len()),
        (&json!("SECURITY_WARNING"), 2)
    );

    let mut paged = input;
    paged["maxResults"] = json!(1);
    let page = root.ok(SERVICE, "ValidatePolicy", paged.clone());
    assert_eq!(codes(&page), ["INVALID_ACTION"]);
    paged["nextToken"] = page["nextToken"].clone();
    let page = root.ok(SERVICE, "ValidatePolicy", paged);
    assert_eq!(codes(&page), ["PASS_ROLE_WITH_STAR_IN_RESOURCE"]);
    assert_eq!(page.get("nextToken"), None);
}

#[test]
fn every_type_of_policy_has_its_checks() {
    let Some(lab) = Lab::start("every_type_of_policy_has_its_checks") else { return };
    let root = lab.root();
    let statement = json!({
        "Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*"
    });
    let document = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    for (policy_type, resource_type, expected) in [
        ("IDENTITY_POLICY", None, vec!["UNSUPPORTED_PRINCIPAL"]),
        ("RESOURCE_POLICY", None, vec![]),
        ("RESOURCE_POLICY", Some("AWS::S3::Bucket"), vec!["UNSUPPORTED_ACTION_IN_POLICY"]),
        (
            "RESOURCE_POLICY",
            Some("AWS::IAM::AssumeRolePolicyDocument"),
            vec![
                "ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL",
                "ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE",
            ],
        ),
        ("SERVICE_CONTROL_POLICY", None, vec!["SCP_SYNTAX_ERROR_PRINCIPAL"]),
        ("RESOURCE_CONTROL_POLICY", None, vec![]),
    ] {
        let mut input =
            json!({ "policyType": policy_type, "policyDocument": document, "locale": "DE" });
        if let Some(resource_type) = resource_type {
            input["validatePolicyResourceType"] = json!(resource_type);
        }
        let answer = root.ok(SERVICE, "ValidatePolicy", input);
        assert_eq!(codes(&answer), expected, "{policy_type} {resource_type:?}");
    }
}

#[test]
fn bad_input_and_callers_without_permission_are_refused() {
    let name = "bad_input_and_callers_without_permission_are_refused";
    let Some(lab) = Lab::start(name) else { return };
    let root = lab.root();
    let input = |changed: Value| {
        let mut input = json!({ "policyType": "IDENTITY_POLICY", "policyDocument": "{}" });
        input.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
        input
    };
    for changed in [
        json!({ "policyType": "POLICY" }),
        json!({ "locale": "XX" }),
        json!({ "maxResults": 0 }),
        json!({ "nextToken": "x" }),
        json!({ "validatePolicyResourceType": "AWS::S3::Bucket" }),
        json!({ "policyType": "RESOURCE_POLICY", "validatePolicyResourceType": "AWS::X::Y" }),
    ] {
        let refused = root.call(SERVICE, "ValidatePolicy", input(changed.clone())).unwrap_err();
        let told = (refused.code.as_str(), refused.status);
        assert_eq!(told, ("ValidationException", 400), "{changed}: {}", refused.text);
    }
    let ann = lab.user(&root, "ann", None);
    let refused = ann.call(SERVICE, "ValidatePolicy", input(json!({}))).unwrap_err();
    assert_eq!((refused.code.as_str(), refused.status), ("AccessDeniedException", 403));
    let allowed = policy("Allow", &["access-analyzer:ValidatePolicy"], &["*"]);
    let bob = lab.user(&root, "bob", Some(allowed));
    let answer = bob.ok(SERVICE, "ValidatePolicy", input(json!({})));
    assert_eq!(codes(&answer), ["MISSING_STATEMENT", "MISSING_VERSION"]);
    let refused = root.call(SERVICE, "ListAnalyzers", json!({})).unwrap_err();
    assert_eq!(refused.status, 501, "{}", refused.text);
}
