//! Policies: made, attached, detached, and what stands in the way.

use super::{Organization, all};
use crate::support::{Lab, each, policy};
use serde_json::{Value, json};

const SCP: &str = "SERVICE_CONTROL_POLICY";
const RCP: &str = "RESOURCE_CONTROL_POLICY";

fn attached(organization: &Organization<'_>, target: &str, of: &str) -> Vec<String> {
    let input = json!({ "TargetId": target, "Filter": of });
    all(&organization.pages("ListPoliciesForTarget", input, "Policies", 2).0, "Id")
}

fn new_policy(of: &str, content: &str) -> Value {
    json!({ "Name": "p", "Description": "", "Type": of, "Content": content })
}

#[test]
fn policies_live_and_die() {
    let Some(lab) = Lab::start("policies_live_and_die") else { return };
    let organization = Organization::new(&lab);
    let content = policy("Deny", &["s3:*"], &["*"]);
    let input = json!({
        "Name": "no s3", "Description": "for all", "Type": SCP, "Content": content.to_string()
    });
    let made = organization.ok("CreatePolicy", input.clone())["Policy"].clone();
    let id = made["PolicySummary"]["Id"].as_str().unwrap().to_owned();
    let (management, of) = (&organization.account, &organization.id);
    let arn =
        format!("arn:aws:organizations::{management}:policy/{of}/service_control_policy/{id}");
    assert_eq!(made["PolicySummary"]["Arn"], json!(arn));
    assert_eq!(made["Content"], json!(content.to_string()));
    organization.refused("CreatePolicy", input, "DuplicatePolicyException");
    let policy_id = json!({ "PolicyId": id });
    assert_eq!(organization.ok("DescribePolicy", policy_id.clone())["Policy"], made);
    let other = policy("Deny", &["sqs:*"], &["*"]).to_string();
    let update = json!({ "PolicyId": id, "Name": "no sqs", "Content": other });
    let updated = organization.ok("UpdatePolicy", update)["Policy"].clone();
    assert_eq!(updated["PolicySummary"]["Description"], "for all");
    assert_eq!(
        (&updated["PolicySummary"]["Name"], &updated["Content"]),
        (&json!("no sqs"), &json!(other))
    );
    organization.ok("AttachPolicy", json!({ "PolicyId": id, "TargetId": organization.root }));
    organization.refused("DeletePolicy", policy_id.clone(), "PolicyInUseException");
    organization.ok("DetachPolicy", json!({ "PolicyId": id, "TargetId": organization.root }));
    organization.ok("DeletePolicy", policy_id.clone());
    organization.refused("DescribePolicy", policy_id, "PolicyNotFoundException");
    let managed = json!({ "PolicyId": "p-FullAWSAccess" });
    let told = organization.ok("DescribePolicy", managed.clone())["Policy"].clone();
    let arn = "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess";
    assert_eq!(told["PolicySummary"]["Arn"], json!(arn));
    assert_eq!(told["PolicySummary"]["AwsManaged"], json!(true));
    let refusal = organization.refused("DeletePolicy", managed, "InvalidInputException");
    assert_eq!(refusal["reason"], "IMMUTABLE_POLICY");
}

#[test]
fn policies_are_attached_and_detached() {
    let Some(lab) = Lab::start("policies_are_attached_and_detached") else { return };
    let organization = Organization::new(&lab);
    let unit = organization.new_unit(&organization.root, "a");
    let account = organization.new_account("member");
    for target in [&organization.root, &unit, &account] {
        assert_eq!(attached(&organization, target, SCP), ["p-FullAWSAccess"], "{target}");
    }
    let both = |policy: &str, target: &str| json!({ "PolicyId": policy, "TargetId": target });
    let last = both("p-FullAWSAccess", &unit);
    let code = "ConstraintViolationException";
    let refusal = organization.refused("DetachPolicy", last, code);
    assert_eq!(refusal["reason"], "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED");
    let mut policies = Vec::new();
    for count in 0..5 {
        let content = policy("Deny", &[&format!("s3:Get{count}")], &["*"]);
        policies.push(organization.new_policy(SCP, &format!("p{count}"), &content));
    }
    for one in &policies[..4] {
        organization.ok("AttachPolicy", both(one, &unit));
    }
    let again = both(&policies[0], &unit);
    organization.refused("AttachPolicy", again, "DuplicatePolicyAttachmentException");
    let sixth = organization.refused("AttachPolicy", both(&policies[4], &unit), code);
    assert_eq!(sixth["reason"], "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED");
    organization.ok("DetachPolicy", both("p-FullAWSAccess", &unit));
    assert_eq!(attached(&organization, &unit, SCP).len(), 4);
    let none = both("p-FullAWSAccess", &unit);
    organization.refused("DetachPolicy", none, "PolicyNotAttachedException");
    organization.refused("AttachPolicy", both("p-aaaaaaaa", &unit), "PolicyNotFoundException");
    let ghost = both(&policies[0], "ou-abcd-aaaaaaaa");
    organization.refused("AttachPolicy", ghost, "TargetNotFoundException");
    organization.ok("AttachPolicy", both(&policies[0], &account));
    let targets = organization.pages(
        "ListTargetsForPolicy",
        json!({ "PolicyId": policies[0] }),
        "Targets",
        1,
    );
    assert_eq!(targets.1, 2);
    let mut names = all(&targets.0, "Name");
    names.sort_unstable();
    assert_eq!(names, ["a", "member"]);
    let listed = organization.pages("ListPolicies", json!({ "Filter": SCP }), "Policies", 1);
    let expected = ["FullAWSAccess", "p0", "p1", "p2", "p3", "p4"];
    assert_eq!((all(&listed.0, "Name"), listed.1), (expected.map(str::to_owned).to_vec(), 6));
}

#[test]
fn types_are_enabled_and_disabled() {
    let Some(lab) = Lab::start("types_are_enabled_and_disabled") else { return };
    let organization = Organization::new(&lab);
    let of = |policy_type: &str| json!({ "RootId": organization.root, "PolicyType": policy_type });
    let code = "PolicyTypeAlreadyEnabledException";
    organization.refused("EnablePolicyType", of(SCP), code);
    organization.refused("DisablePolicyType", of(RCP), "PolicyTypeNotEnabledException");
    let tag = json!({ "tags": { "cost": { "tag_key": { "@@assign": "Cost" } } } });
    let tag = organization.new_policy("TAG_POLICY", "tags", &tag);
    let attach = json!({ "PolicyId": tag, "TargetId": organization.root });
    organization.refused("AttachPolicy", attach.clone(), "PolicyTypeNotEnabledException");
    let enabled = organization.ok("EnablePolicyType", of("TAG_POLICY"))["Root"].clone();
    let status = |policy_type: &str| json!({ "Type": policy_type, "Status": "ENABLED" });
    assert_eq!(enabled["PolicyTypes"], json!([status(SCP), status("TAG_POLICY")]));
    organization.ok("AttachPolicy", attach.clone());
    // The last of a management type may go.
    organization.ok("DetachPolicy", attach);
    organization.ok("EnablePolicyType", of(RCP));
    let unit = organization.new_unit(&organization.root, "a");
    assert_eq!(attached(&organization, &unit, RCP), ["p-RCPFullAWSAccess"]);
    let fixed = json!({ "PolicyId": "p-RCPFullAWSAccess", "TargetId": unit });
    let refusal = organization.refused("DetachPolicy", fixed, "InvalidInputException");
    assert_eq!(refusal["reason"], "NON_DETACHABLE_POLICY");
    organization.ok("DisablePolicyType", of(SCP));
    assert_eq!(attached(&organization, &unit, SCP), Vec::<String>::new());
    let service = organization.refused(
        "EnablePolicyType",
        of("SECURITYHUB_POLICY"),
        "ConstraintViolationException",
    );
    assert_eq!(service["reason"], "SERVICE_ACCESS_NOT_ENABLED");
    let ghost = json!({ "RootId": "r-zzzz", "PolicyType": SCP });
    organization.refused("EnablePolicyType", ghost, "RootNotFoundException");
}

#[test]
fn documents_are_checked_when_they_are_saved() {
    let Some(lab) = Lab::start("documents_are_checked_when_they_are_saved") else { return };
    let organization = Organization::new(&lab);
    let principal = json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*" } });
    let allow = json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*" } });
    let malformed = [
        (SCP, "{}".to_owned()),
        (SCP, "not json".to_owned()),
        (SCP, principal.to_string()),
        (RCP, allow.to_string()),
        ("TAG_POLICY", r#"{"tags":{"a":{"tag_key":"A"}}}"#.to_owned()),
        ("BACKUP_POLICY", r#"{"plan":{}}"#.to_owned()),
        (
            "AISERVICES_OPT_OUT_POLICY",
            r#"{"services":{"default":{"opt_out_policy":{"@@assign":"maybe"}}}}"#.to_owned(),
        ),
    ];
    for (of, content) in malformed {
        let code = "MalformedPolicyDocumentException";
        organization.refused("CreatePolicy", new_policy(of, &content), code);
    }
    organization.new_policy(RCP, "fine", &principal);
    let actions: Vec<Value> = (0..400).map(|n| json!(format!("s3:Action{n:05}"))).collect();
    let long = json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Deny", "Action": actions, "Resource": "*" } });
    let code = "ConstraintViolationException";
    let refusal = organization.refused("CreatePolicy", new_policy(SCP, &long.to_string()), code);
    assert_eq!(refusal["reason"], "POLICY_CONTENT_LIMIT_EXCEEDED");
    let own = organization.ok("ListPolicies", json!({ "Filter": SCP }));
    assert_eq!(each(&own["Policies"], "Name"), ["FullAWSAccess"]);
}
