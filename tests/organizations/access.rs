//! Who may call what: members, delegated administrators, and whom the resource policy lets.

use super::{Organization, call};
use crate::support::{Caller, Lab, each, policy};
use serde_json::{Value, json};

const DENIED: (&str, u64) = ("AccessDeniedException", 400);

fn denied(caller: &Caller<'_>, operation: &str, input: Value) -> String {
    caller.refused(("organizations", operation), input, DENIED).message
}

fn new_policy(of: &str, content: &str) -> Value {
    json!({ "Name": "p", "Description": "", "Type": of, "Content": content })
}

#[test]
fn a_member_learns_little() {
    let Some(lab) = Lab::start("a_member_learns_little") else { return };
    let organization = Organization::new(&lab);
    let account = organization.new_account("member");
    let inside = organization.inside(&account);
    let told = call(&inside, "DescribeOrganization", json!({}));
    assert_eq!(told["Organization"]["Id"], json!(organization.id));
    let expected = "You don't have permissions to access this resource.";
    for (operation, input) in [
        ("ListAccounts", json!({})),
        ("ListRoots", json!({})),
        ("DescribeAccount", json!({ "AccountId": account })),
        ("CreateOrganizationalUnit", json!({ "ParentId": organization.root, "Name": "x" })),
        ("ListPolicies", json!({ "Filter": "SERVICE_CONTROL_POLICY" })),
        ("DetachPolicy", json!({ "PolicyId": "p-FullAWSAccess", "TargetId": account })),
        ("DeleteOrganization", json!({})),
    ] {
        assert_eq!(denied(&inside, operation, input), expected, "{operation}");
    }
}

#[test]
fn a_delegated_administrator_reads() {
    let Some(lab) = Lab::start("a_delegated_administrator_reads") else { return };
    let organization = Organization::new(&lab);
    let account = organization.new_account("member");
    let inside = organization.inside(&account);
    let service = "access-analyzer.amazonaws.com";
    let input = json!({ "AccountId": account, "ServicePrincipal": service });
    let code = "ConstraintViolationException";
    let refusal = organization.refused("RegisterDelegatedAdministrator", input.clone(), code);
    assert_eq!(refusal["reason"], "SERVICE_ACCESS_NOT_ENABLED");
    organization.ok("EnableAWSServiceAccess", json!({ "ServicePrincipal": service }));
    organization.ok("RegisterDelegatedAdministrator", input.clone());
    let code = "AccountAlreadyRegisteredException";
    organization.refused("RegisterDelegatedAdministrator", input.clone(), code);
    let own = json!({ "AccountId": organization.account, "ServicePrincipal": service });
    let code = "ConstraintViolationException";
    let refusal = organization.refused("RegisterDelegatedAdministrator", own, code);
    assert_eq!(refusal["reason"], "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR");
    let listed = organization.ok("ListDelegatedAdministrators", json!({}));
    assert_eq!(each(&listed["DelegatedAdministrators"], "Id"), [account.as_str()]);
    let services = json!({ "AccountId": account });
    let services = organization.ok("ListDelegatedServicesForAccount", services);
    assert_eq!(each(&services["DelegatedServices"], "ServicePrincipal"), [service]);

    let accounts = call(&inside, "ListAccounts", json!({}));
    assert_eq!(accounts["Accounts"].as_array().unwrap().len(), 2);
    call(&inside, "DescribeAccount", json!({ "AccountId": organization.account }));
    denied(
        &inside,
        "CreateOrganizationalUnit",
        json!({ "ParentId": organization.root, "Name": "x" }),
    );
    let removed = json!({ "AccountId": account });
    let refusal = organization.refused("RemoveAccountFromOrganization", removed, code);
    assert_eq!(refusal["reason"], "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG");

    organization.ok("DeregisterDelegatedAdministrator", input.clone());
    let code = "AccountNotRegisteredException";
    organization.refused("DeregisterDelegatedAdministrator", input.clone(), code);
    denied(&inside, "ListAccounts", json!({}));
    // What a service takes with it when it is shut out.
    organization.ok("RegisterDelegatedAdministrator", input);
    let enabled = organization.ok("ListAWSServiceAccessForOrganization", json!({}));
    assert_eq!(each(&enabled["EnabledServicePrincipals"], "ServicePrincipal"), [service]);
    organization.ok("DisableAWSServiceAccess", json!({ "ServicePrincipal": service }));
    let listed = organization.ok("ListDelegatedAdministrators", json!({}));
    assert_eq!(listed["DelegatedAdministrators"], json!([]));
    let odd = json!({ "ServicePrincipal": "nobody" });
    let refusal = organization.refused("EnableAWSServiceAccess", odd, "InvalidInputException");
    assert_eq!(refusal["reason"], "UNRECOGNIZED_SERVICE_PRINCIPAL");
}

#[test]
fn a_resource_policy_delegates() {
    let Some(lab) = Lab::start("a_resource_policy_delegates") else { return };
    let organization = Organization::new(&lab);
    let account = organization.new_account("member");
    let inside = organization.inside(&account);
    let code = "ResourcePolicyNotFoundException";
    organization.refused("DescribeResourcePolicy", json!({}), code);
    let statement = json!({
        "Sid": "Delegate", "Effect": "Allow",
        "Principal": { "AWS": format!("arn:aws:iam::{account}:root") },
        "Action": ["organizations:CreatePolicy", "organizations:ListPolicies",
            "organizations:DescribePolicy"],
        "Resource": "*",
        "Condition": { "StringEquals": { "organizations:PolicyType": "TAG_POLICY" } },
    });
    let document = json!({ "Version": "2012-10-17", "Statement": [statement] });
    let made = organization.ok("PutResourcePolicy", json!({ "Content": document.to_string() }));
    let arn = made["ResourcePolicy"]["ResourcePolicySummary"]["Arn"].as_str().unwrap().to_owned();
    assert!(arn.contains(":resourcepolicy/o-"), "{arn}");
    let told = organization.ok("DescribeResourcePolicy", json!({}));
    assert_eq!(told["ResourcePolicy"], made["ResourcePolicy"]);

    let tag = json!({ "tags": { "a": { "tag_key": { "@@assign": "A" } } } }).to_string();
    let scp = policy("Deny", &["s3:*"], &["*"]).to_string();
    call(&inside, "CreatePolicy", new_policy("TAG_POLICY", &tag));
    let listed = call(&inside, "ListPolicies", json!({ "Filter": "TAG_POLICY" }));
    assert_eq!(each(&listed["Policies"], "Name"), ["p"]);
    let message = denied(&inside, "CreatePolicy", new_policy("SERVICE_CONTROL_POLICY", &scp));
    assert!(message.contains("no resource-based policy allows"), "{message}");
    denied(&inside, "ListAccounts", json!({}));
    // Only the management account moves accounts, whatever a policy says.
    let mut more = document.clone();
    more["Statement"][0]["Action"] = json!("organizations:MoveAccount");
    let code = "InvalidInputException";
    let input = json!({ "Content": more.to_string() });
    let refusal = organization.refused("PutResourcePolicy", input, code);
    assert_eq!(refusal["reason"], "UNSUPPORTED_ACTION_IN_RESOURCE_POLICY");
    let refusal = organization.refused("PutResourcePolicy", json!({ "Content": "{}" }), code);
    assert_eq!(refusal["reason"], "INVALID_RESOURCE_POLICY_JSON");
    organization.ok("DeleteResourcePolicy", json!({}));
    denied(&inside, "ListPolicies", json!({ "Filter": "TAG_POLICY" }));
}

#[test]
fn identity_policies_name_units_and_types() {
    let Some(lab) = Lab::start("identity_policies_name_units_and_types") else { return };
    let organization = Organization::new(&lab);
    let (account, of) = (&organization.account, &organization.id);
    let unit = organization.new_unit(&organization.root, "mine");
    let other = organization.new_unit(&organization.root, "other");
    let arn = format!("arn:aws:organizations::{account}:ou/{of}/{unit}");
    let mut own = policy("Allow", &["organizations:UpdateOrganizationalUnit"], &[&arn]);
    let types = json!({
        "Effect": "Allow", "Action": "organizations:ListPolicies", "Resource": "*",
        "Condition": { "StringEquals": { "organizations:PolicyType": "TAG_POLICY" } },
    });
    let tagged = json!({
        "Effect": "Allow", "Action": "organizations:DescribeAccount", "Resource": "*",
        "Condition": { "StringEquals": { "aws:ResourceTag/team": "blue" } },
    });
    own["Statement"].as_array_mut().unwrap().extend([types, tagged]);
    let ann = lab.user(&lab.root(), "ann", Some(own));
    let rename = |unit: &str| json!({ "OrganizationalUnitId": unit, "Name": "renamed" });
    call(&ann, "UpdateOrganizationalUnit", rename(&unit));
    let message = denied(&ann, "UpdateOrganizationalUnit", rename(&other));
    assert!(message.contains(&format!("ou/{of}/{other}")), "{message}");
    call(&ann, "ListPolicies", json!({ "Filter": "TAG_POLICY" }));
    denied(&ann, "ListPolicies", json!({ "Filter": "BACKUP_POLICY" }));
    let own = json!({ "AccountId": account });
    denied(&ann, "DescribeAccount", own.clone());
    let tags = json!([{ "Key": "team", "Value": "blue" }]);
    organization.ok("TagResource", json!({ "ResourceId": account, "Tags": tags }));
    call(&ann, "DescribeAccount", own);
}
