//! Effective policies of the types that configure rather than permit.

use super::{Organization, call};
use crate::support::Lab;
use serde_json::{Value, json};

#[test]
fn an_effective_policy_is_what_the_way_adds_up_to() {
    let test = "an_effective_policy_is_what_the_way_adds_up_to";
    let Some(lab) = Lab::start(test) else { return };
    let organization = Organization::new(&lab);
    let root = organization.root.clone();
    organization.ok("EnablePolicyType", json!({ "RootId": root, "PolicyType": "TAG_POLICY" }));
    let unit = organization.new_unit(&root, "a");
    let account = organization.new_account("member");
    let ask = json!({ "PolicyType": "TAG_POLICY", "TargetId": account });
    organization.refused(
        "DescribeEffectivePolicy",
        ask.clone(),
        "EffectivePolicyNotFoundException",
    );
    let top = json!({ "tags": { "cost": {
        "tag_key": { "@@assign": "Cost", "@@operators_allowed_for_child_policies": ["@@none"] },
        "tag_value": { "@@assign": ["red"] },
    } } });
    let below = json!({ "tags": { "cost": {
        "tag_key": { "@@assign": "COST" },
        "tag_value": { "@@append": ["blue"] },
    } } });
    organization.bind("TAG_POLICY", "top", &top, &root);
    organization.bind("TAG_POLICY", "below", &below, &unit);
    let effective = || -> Value {
        let told = organization.ok("DescribeEffectivePolicy", ask.clone());
        let policy = &told["EffectivePolicy"];
        assert_eq!(policy["TargetId"], json!(account));
        serde_json::from_str(policy["PolicyContent"].as_str().unwrap()).unwrap()
    };
    let with =
        |values: Value| json!({ "tags": { "cost": { "tag_key": "Cost", "tag_value": values } } });
    assert_eq!(effective(), with(json!(["red"])));
    let moved =
        json!({ "AccountId": account, "SourceParentId": root, "DestinationParentId": unit });
    organization.ok("MoveAccount", moved);
    assert_eq!(effective(), with(json!(["red", "blue"])));
    // A member may ask for its own, and for no other's.
    let inside = organization.inside(&account);
    let own = call(&inside, "DescribeEffectivePolicy", json!({ "PolicyType": "TAG_POLICY" }));
    assert_eq!(own["EffectivePolicy"]["TargetId"], json!(account));
    let other = json!({ "PolicyType": "TAG_POLICY", "TargetId": organization.account });
    let denied = ("AccessDeniedException", 400);
    inside.refused(("organizations", "DescribeEffectivePolicy"), other, denied);
}

#[test]
fn what_an_effective_policy_lacks_is_told() {
    let Some(lab) = Lab::start("what_an_effective_policy_lacks_is_told") else { return };
    let organization = Organization::new(&lab);
    let root = organization.root.clone();
    organization.ok("EnablePolicyType", json!({ "RootId": root, "PolicyType": "BACKUP_POLICY" }));
    let account = organization.new_account("member");
    let plan = json!({ "plans": { "daily": { "regions": { "@@assign": ["us-east-1"] } } } });
    let policy = organization.bind("BACKUP_POLICY", "plan", &plan, &account);
    let of_type = json!({ "PolicyType": "BACKUP_POLICY" });
    let operation = "ListAccountsWithInvalidEffectivePolicy";
    let (invalid, _) = organization.pages(operation, of_type, "Accounts", 1);
    assert_eq!(super::all(&invalid, "Id"), [account.as_str()]);
    let input = json!({ "AccountId": account, "PolicyType": "BACKUP_POLICY" });
    let told = organization.ok("ListEffectivePolicyValidationErrors", input);
    let errors = told["EffectivePolicyValidationErrors"].as_array().unwrap();
    let paths: Vec<&str> = errors.iter().map(|it| it["PathToError"].as_str().unwrap()).collect();
    assert_eq!(paths, ["plans/daily/rules", "plans/daily/selections"]);
    assert_eq!(errors[0]["ErrorCode"], "ELEMENTS_TOO_FEW");
    assert_eq!(errors[0]["ContributingPolicies"], json!([policy]));
}
