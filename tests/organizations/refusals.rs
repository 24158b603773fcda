//! Who has no permission may do nothing, whatever the operation; and what the model forbids.

use super::Organization;
use crate::support::Lab;
use serde_json::{Value, json};

/// Every operation with an input that the model allows.
fn calls(organization: &Organization<'_>, unit: &str) -> Vec<(&'static str, Value)> {
    let account = organization.account.as_str();
    let root = organization.root.as_str();
    let of_account = json!({ "AccountId": account });
    let handshake = json!({ "HandshakeId": "h-aaaaaaaa" });
    let of_unit = json!({ "OrganizationalUnitId": unit });
    let policy = json!({ "PolicyId": "p-FullAWSAccess" });
    let both = json!({ "PolicyId": "p-FullAWSAccess", "TargetId": root });
    let parent = json!({ "ParentId": root });
    let service = json!({ "ServicePrincipal": "config.amazonaws.com" });
    let delegate = json!({ "AccountId": account, "ServicePrincipal": "config.amazonaws.com" });
    let enable = json!({ "RootId": root, "PolicyType": "TAG_POLICY" });
    let effective = json!({ "PolicyType": "TAG_POLICY", "TargetId": account });
    let transfer = json!({ "Id": "rt-aaaaaaaa" });
    let billing = json!({ "Type": "BILLING" });
    let new = json!({ "Email": "a@example.com", "AccountName": "a" });
    let target = json!({ "Id": "222233334444", "Type": "ACCOUNT" });
    vec![
        ("AcceptHandshake", handshake.clone()),
        ("AttachPolicy", both.clone()),
        ("CancelHandshake", handshake.clone()),
        ("CloseAccount", of_account.clone()),
        ("CreateAccount", new.clone()),
        ("CreateGovCloudAccount", new),
        ("CreateOrganization", json!({})),
        ("CreateOrganizationalUnit", json!({ "ParentId": root, "Name": "x" })),
        (
            "CreatePolicy",
            json!({ "Content": "{}", "Description": "", "Name": "p", "Type": "TAG_POLICY" }),
        ),
        ("DeclineHandshake", handshake.clone()),
        ("DeleteOrganization", json!({})),
        ("DeleteOrganizationalUnit", of_unit.clone()),
        ("DeletePolicy", policy.clone()),
        ("DeleteResourcePolicy", json!({})),
        ("DeregisterDelegatedAdministrator", delegate.clone()),
        ("DescribeAccount", of_account.clone()),
        ("DescribeCreateAccountStatus", json!({ "CreateAccountRequestId": "car-aaaaaaaa" })),
        ("DescribeEffectivePolicy", effective),
        ("DescribeHandshake", handshake),
        ("DescribeOrganization", json!({})),
        ("DescribeOrganizationalUnit", of_unit.clone()),
        ("DescribePolicy", policy.clone()),
        ("DescribeResourcePolicy", json!({})),
        ("DescribeResponsibilityTransfer", transfer.clone()),
        ("DetachPolicy", both),
        ("DisableAWSServiceAccess", service.clone()),
        ("DisablePolicyType", enable.clone()),
        ("EnableAWSServiceAccess", service),
        ("EnableAllFeatures", json!({})),
        ("EnablePolicyType", enable),
        ("InviteAccountToOrganization", json!({ "Target": target })),
        (
            "InviteOrganizationToTransferResponsibility",
            json!({
                "Type": "BILLING", "Target": target, "SourceName": "x",
                "StartTimestamp": "2030-01-01T00:00:00Z",
            }),
        ),
        ("LeaveOrganization", json!({})),
        ("ListAWSServiceAccessForOrganization", json!({})),
        ("ListAccounts", json!({})),
        ("ListAccountsForParent", parent.clone()),
        ("ListAccountsWithInvalidEffectivePolicy", json!({ "PolicyType": "TAG_POLICY" })),
        ("ListChildren", json!({ "ParentId": root, "ChildType": "ACCOUNT" })),
        ("ListCreateAccountStatus", json!({})),
        ("ListDelegatedAdministrators", json!({})),
        ("ListDelegatedServicesForAccount", of_account.clone()),
        (
            "ListEffectivePolicyValidationErrors",
            json!({ "AccountId": account, "PolicyType": "TAG_POLICY" }),
        ),
        ("ListHandshakesForAccount", json!({})),
        ("ListHandshakesForOrganization", json!({})),
        ("ListInboundResponsibilityTransfers", billing.clone()),
        ("ListOrganizationalUnitsForParent", parent),
        ("ListOutboundResponsibilityTransfers", billing),
        ("ListParents", json!({ "ChildId": unit })),
        ("ListPolicies", json!({ "Filter": "TAG_POLICY" })),
        ("ListPoliciesForTarget", json!({ "TargetId": root, "Filter": "TAG_POLICY" })),
        ("ListRoots", json!({})),
        ("ListTagsForResource", json!({ "ResourceId": unit })),
        ("ListTargetsForPolicy", policy.clone()),
        (
            "MoveAccount",
            json!({ "AccountId": account, "SourceParentId": root, "DestinationParentId": unit }),
        ),
        ("PutResourcePolicy", json!({ "Content": "{}" })),
        ("RegisterDelegatedAdministrator", delegate),
        ("RemoveAccountFromOrganization", of_account),
        ("TagResource", json!({ "ResourceId": unit, "Tags": [{ "Key": "k", "Value": "v" }] })),
        ("TerminateResponsibilityTransfer", transfer.clone()),
        ("UntagResource", json!({ "ResourceId": unit, "TagKeys": ["k"] })),
        ("UpdateOrganizationalUnit", of_unit),
        ("UpdatePolicy", policy),
        ("UpdateResponsibilityTransfer", json!({ "Id": transfer["Id"], "Name": "x" })),
    ]
}

#[test]
fn who_has_no_permission_may_do_nothing() {
    let Some(lab) = Lab::start("who_has_no_permission_may_do_nothing") else { return };
    let organization = Organization::new(&lab);
    let unit = organization.new_unit(&organization.root, "a");
    let nobody = lab.user(&lab.root(), "nobody", None);
    let account = &organization.account;
    let calls = calls(&organization, &unit);
    assert_eq!(calls.len(), 63);
    for (operation, input) in calls {
        let code = ("AccessDeniedException", 400);
        let refusal = nobody.refused(("organizations", operation), input, code);
        let start = format!(
            "User: arn:aws:iam::{account}:user/nobody is not authorized to perform: \
             organizations:{operation}"
        );
        assert!(refusal.message.starts_with(&start), "{operation}: {}", refusal.message);
        let end = format!("no identity-based policy allows the organizations:{operation} action");
        assert!(refusal.message.ends_with(&end), "{operation}: {}", refusal.message);
    }
    let units = organization
        .ok("ListOrganizationalUnitsForParent", json!({ "ParentId": organization.root }));
    assert_eq!(units["OrganizationalUnits"].as_array().unwrap().len(), 1);
}

#[test]
fn bad_input_is_refused_and_changes_nothing() {
    let Some(lab) = Lab::start("bad_input_is_refused_and_changes_nothing") else { return };
    let organization = Organization::new(&lab);
    let name = "x".repeat(129);
    let cases = [
        ("DescribeAccount", json!({ "AccountId": "12" })),
        ("DescribeAccount", json!({})),
        ("ListAccounts", json!({ "MaxResults": 0 })),
        ("ListAccounts", json!({ "MaxResults": 21 })),
        ("ListAccounts", json!({ "NextToken": "no such token!" })),
        ("EnablePolicyType", json!({ "RootId": "r-abcd", "PolicyType": "NO_POLICY" })),
        ("CreateOrganizationalUnit", json!({ "ParentId": organization.root, "Name": name })),
        ("CreateOrganizationalUnit", json!({ "ParentId": "x", "Name": "a" })),
        ("CreateAccount", json!({ "Email": "x", "AccountName": "a" })),
    ];
    for (operation, input) in cases {
        let refused = organization.management.unchecked("organizations", operation, input.clone());
        let refusal = refused.expect_err(operation);
        assert_eq!(refusal.status, 400, "{operation} {input}: {}", refusal.text);
        assert!(!refusal.message.is_empty(), "{operation} {input}: {}", refusal.text);
    }
    let token = json!({ "NextToken": "no such token!" });
    let refusal = organization.refused("ListAccounts", token, "InvalidInputException");
    assert_eq!(refusal["reason"], "INVALID_NEXT_TOKEN");
}
