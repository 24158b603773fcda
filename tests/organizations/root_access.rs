//! Root users of members, governed from the management account.

use super::Organization;
use crate::support::{Caller, Keys, Lab, each};
use serde_json::{Value, json};

fn features(caller: &Caller<'_>) -> Vec<String> {
    let told = caller.ok("iam", "ListOrganizationsFeatures", json!({}));
    let mut enabled: Vec<String> = told["EnabledFeatures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap().to_owned())
        .collect();
    enabled.sort_unstable();
    enabled
}

fn assume(
    caller: &Caller<'_>,
    account: &str,
    task: &str,
) -> Result<Value, crate::support::Refusal> {
    let policy = format!("arn:aws:iam::aws:policy/root-task/{task}");
    let input = json!({ "TargetPrincipal": account, "TaskPolicyArn": { "arn": policy } });
    caller.call("sts", "AssumeRoot", input)
}

#[test]
fn the_management_account_becomes_root_of_a_member_for_one_task() {
    let test = "the_management_account_becomes_root_of_a_member_for_one_task";
    let Some(lab) = Lab::start(test) else { return };
    let root = lab.root();
    let none = root.call("iam", "ListOrganizationsFeatures", json!({})).unwrap_err();
    assert_eq!(none.code, "OrganizationNotFoundException");
    let organization = Organization::new(&lab);
    let management = &organization.management;
    let account = organization.new_account("member");
    let early = management.call("iam", "EnableOrganizationsRootSessions", json!({})).unwrap_err();
    assert_eq!(early.code, "ServiceAccessNotEnabledException");
    let service = json!({ "ServicePrincipal": "iam.amazonaws.com" });
    organization.ok("EnableAWSServiceAccess", service);
    assert_eq!(features(management), Vec::<String>::new());
    management.ok("iam", "EnableOrganizationsRootCredentialsManagement", json!({}));
    let audit = "IAMAuditRootUserCredentials";
    assert_eq!(assume(management, &account, audit).unwrap_err().code, "AccessDenied");
    let enabled = management.ok("iam", "EnableOrganizationsRootSessions", json!({}));
    assert_eq!(enabled["OrganizationId"], json!(organization.id));
    assert_eq!(features(management), ["RootCredentialsManagement", "RootSessions"]);

    let session = assume(management, &account, audit).unwrap();
    let inside = lab.caller(Keys::of_session(&session));
    let who = inside.ok("sts", "GetCallerIdentity", json!({}));
    assert_eq!(who["Arn"], json!(format!("arn:aws:iam::{account}:root")));
    inside.ok("iam", "GetAccountSummary", json!({}));
    let refused = inside.call("iam", "CreateUser", json!({ "UserName": "eve" })).unwrap_err();
    assert_eq!(refused.code, "AccessDenied", "{}", refused.text);
    // Neither the management account's own root, nor a stranger's, nor for another task.
    let own = organization.account.clone();
    lab.account("222233334444");
    for target in [own.as_str(), "222233334444"] {
        assert_eq!(assume(management, target, audit).unwrap_err().code, "AccessDenied");
    }
    assert!(assume(management, &account, "AdministratorAccess").is_err());
    let member = organization.inside(&account);
    let refusal = member.call("iam", "ListOrganizationsFeatures", json!({})).unwrap_err();
    assert_eq!(refusal.code, "AccountNotManagementOrDelegatedAdministratorException");
    management.ok("iam", "DisableOrganizationsRootSessions", json!({}));
    assert_eq!(assume(management, &account, audit).unwrap_err().code, "AccessDenied");
}

#[test]
fn a_report_tells_which_services_are_open_and_used() {
    let test = "a_report_tells_which_services_are_open_and_used";
    let Some(lab) = Lab::start(test) else { return };
    let organization = Organization::new(&lab);
    let (id, root) = (&organization.id, &organization.root);
    let account = organization.new_account("member");
    let full = json!({ "PolicyId": "p-FullAWSAccess", "TargetId": account });
    let list = crate::support::policy("Allow", &["iam:*", "sts:*", "s3:Get*"], &["*"]);
    organization.bind("SERVICE_CONTROL_POLICY", "list", &list, &account);
    organization.ok("DetachPolicy", full);
    let report = |input: Value| {
        let management = &organization.management;
        let made = management.ok("iam", "GenerateOrganizationsAccessReport", input);
        let read = json!({ "JobId": made["JobId"], "MaxItems": 2 });
        management.ok("iam", "GetOrganizationsAccessReport", read)
    };
    let path = format!("{id}/{root}/{account}");
    let told = report(json!({ "EntityPath": path }));
    assert_eq!(
        (&told["JobStatus"], &told["NumberOfServicesAccessible"]),
        (&json!("COMPLETED"), &json!(3))
    );
    assert_eq!(each(&told["AccessDetails"], "ServiceNamespace"), ["iam", "s3"]);
    assert_eq!(told["IsTruncated"], json!(true));
    let whole = report(json!({ "EntityPath": format!("{id}/{root}") }));
    assert!(whole["NumberOfServicesAccessible"].as_u64() > Some(300), "{whole}");
    let odd = json!({ "EntityPath": format!("o-aaaaaaaaaa/{root}") });
    let refusal = organization.management.call("iam", "GenerateOrganizationsAccessReport", odd);
    assert_eq!(refusal.unwrap_err().code, "InvalidInput");
    let inside = organization.inside(&account);
    let input = json!({ "EntityPath": path });
    let refusal = inside.call("iam", "GenerateOrganizationsAccessReport", input).unwrap_err();
    assert_eq!(refusal.code, "AccessDenied");
}
