//! What an account tells about its credentials and their use.

use super::check_refusals;
use crate::support::Lab;
use serde_json::json;

#[test]
fn a_credential_report_tells_the_truth() {
    let Some(lab) = Lab::start("a_credential_report_tells_the_truth") else { return };
    let root = lab.root();
    let none = ("ReportNotPresent", 410);
    root.refused(("iam", "GetCredentialReport"), json!({}), none);
    let ann = lab.user(&root, "ann", Some(crate::support::policy("Allow", &["iam:*"], &["*"])));
    ann.ok("iam", "ListUsers", json!({}));
    let password = json!({ "UserName": "ann", "Password": "Correct-Horse-9-Battery" });
    root.ok("iam", "CreateLoginProfile", password);
    root.ok("iam", "UpdateAccountPasswordPolicy", json!({ "MaxPasswordAge": 30 }));
    let made = root.ok("iam", "GenerateCredentialReport", json!({}));
    assert_eq!(made["State"], json!("STARTED"));
    assert_eq!(root.ok("iam", "GenerateCredentialReport", json!({}))["State"], json!("COMPLETE"));
    let report = root.ok("iam", "GetCredentialReport", json!({}));
    assert_eq!(report["ReportFormat"], json!("text/csv"));
    let text = super::text_of_blob(&report["Content"]);
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    let value = |line: usize, column: &str| {
        lines[line][lines[0].iter().position(|name| *name == column).unwrap()]
    };
    assert_eq!(lines.len(), 3);
    assert_eq!(value(1, "user"), "<root_account>");
    assert_eq!(value(1, "password_enabled"), "not_supported");
    assert_eq!(value(1, "access_key_1_active"), "true");
    assert_eq!(value(1, "access_key_1_last_used_service"), "iam");
    assert_eq!(value(2, "user"), "ann");
    assert_eq!((value(2, "password_enabled"), value(2, "mfa_active")), ("true", "false"));
    assert_eq!(value(2, "password_last_used"), "no_information");
    assert!(value(2, "password_next_rotation") > value(2, "password_last_changed"));
    assert_eq!(value(2, "access_key_1_last_used_service"), "iam");
    assert_eq!(value(2, "access_key_1_last_used_region"), "us-east-1");
    assert!(value(2, "access_key_1_last_used_date").ends_with("+00:00"));
    assert_eq!((value(2, "access_key_2_active"), value(2, "cert_1_active")), ("false", "false"));
    let bob = lab.user(&root, "bob", None);
    for operation in ["GenerateCredentialReport", "GetCredentialReport"] {
        bob.refused(("iam", operation), json!({}), ("AccessDenied", 403));
    }
}

#[test]
fn without_an_organization_its_features_are_not_there() {
    let Some(lab) = Lab::start("without_an_organization_its_features_are_not_there") else {
        return;
    };
    let root = lab.root();
    let bob = lab.user(&root, "bob", None);
    for operation in [
        "EnableOrganizationsRootCredentialsManagement",
        "DisableOrganizationsRootCredentialsManagement",
        "EnableOrganizationsRootSessions",
        "DisableOrganizationsRootSessions",
        "ListOrganizationsFeatures",
    ] {
        let missing = ("OrganizationNotFoundException", 400);
        root.refused(("iam", operation), json!({}), missing);
        bob.refused(("iam", operation), json!({}), ("AccessDenied", 403));
    }
    let path = "o-exampleorgid/r-examplerootid111";
    check_refusals(
        &root,
        &[
            (
                "GenerateOrganizationsAccessReport",
                json!({ "EntityPath": path }),
                "AccessDenied",
                403,
                "management account",
            ),
            (
                "GenerateOrganizationsAccessReport",
                json!({ "EntityPath": "nonsense" }),
                "ValidationError",
                400,
                "ntityPath",
            ),
            (
                "GetOrganizationsAccessReport",
                json!({ "JobId": "0".repeat(36) }),
                "NoSuchEntity",
                404,
                "",
            ),
        ],
    );
}

#[test]
fn outbound_federation_is_switched() {
    let Some(lab) = Lab::start("outbound_federation_is_switched") else { return };
    let root = lab.root();
    let off = ("FeatureDisabled", 404);
    root.refused(("iam", "GetOutboundWebIdentityFederationInfo"), json!({}), off);
    root.refused(("iam", "DisableOutboundWebIdentityFederation"), json!({}), off);
    let made = root.ok("iam", "EnableOutboundWebIdentityFederation", json!({}));
    assert!(made["IssuerIdentifier"].as_str().unwrap().starts_with("https://"));
    let on = ("FeatureEnabled", 409);
    root.refused(("iam", "EnableOutboundWebIdentityFederation"), json!({}), on);
    let shown = root.ok("iam", "GetOutboundWebIdentityFederationInfo", json!({}));
    assert_eq!(shown["JwtVendingEnabled"], json!(true));
    root.ok("iam", "DisableOutboundWebIdentityFederation", json!({}));
    root.refused(("iam", "GetOutboundWebIdentityFederationInfo"), json!({}), off);
    let again = root.ok("iam", "EnableOutboundWebIdentityFederation", json!({}));
    assert_eq!(again["IssuerIdentifier"], made["IssuerIdentifier"]);
    let bob = lab.user(&root, "bob", None);
    let info = ("iam", "GetOutboundWebIdentityFederationInfo");
    bob.refused(info, json!({}), ("AccessDenied", 403));
}

#[test]
fn reports_of_last_access_are_of_real_calls() {
    let Some(lab) = Lab::start("reports_of_last_access_are_of_real_calls") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let allowed = crate::support::policy("Allow", &["iam:ListUsers", "s3:GetObject"], &["*"]);
    let ann = lab.user(&root, "ann", Some(allowed));
    ann.ok("iam", "ListUsers", json!({}));
    let arn = format!("arn:aws:iam::{account}:user/ann");
    let input = json!({ "Arn": arn, "Granularity": "ACTION_LEVEL" });
    let job = root.ok("iam", "GenerateServiceLastAccessedDetails", input.clone());
    let of_job = json!({ "JobId": job["JobId"] });
    let report = root.ok("iam", "GetServiceLastAccessedDetails", of_job);
    assert_eq!(report["JobStatus"], json!("COMPLETED"));
    let services = report["ServicesLastAccessed"].clone();
    assert_eq!(crate::support::each(&services, "ServiceNamespace"), ["iam", "s3"]);
    assert_eq!(services[0]["LastAuthenticatedEntity"], json!(arn));
    assert_eq!(services[0]["TotalAuthenticatedEntities"], json!(1));
    assert_eq!(services[1]["TotalAuthenticatedEntities"], json!(0));
    let actions = services[0]["TrackedActionsLastAccessed"].as_array().unwrap();
    let used: Vec<_> = actions.iter().filter(|one| one["LastAccessedTime"].is_string()).collect();
    assert_eq!(used.len(), 1);
    assert_eq!(used[0]["ActionName"], json!("ListUsers"));
    let with = json!({ "JobId": job["JobId"], "ServiceNamespace": "iam" });
    let with = root.ok("iam", "GetServiceLastAccessedDetailsWithEntities", with);
    assert_eq!(with["EntityDetailsList"][0]["EntityInfo"]["Name"], json!("ann"));
    let granting = json!({ "Arn": arn, "ServiceNamespaces": ["s3", "ec2"] });
    let granting = root.ok("iam", "ListPoliciesGrantingServiceAccess", granting);
    let entries = &granting["PoliciesGrantingServiceAccess"];
    assert_eq!(entries[0]["Policies"][0]["PolicyName"], json!("own"));
    assert_eq!(entries[1]["Policies"], json!([]));

    let other = json!({ "JobId": job["JobId"], "ServiceNamespace": "ec2" });
    let nobody = json!({ "Arn": format!("arn:aws:iam::{account}:user/nobody") });
    let lost = json!({ "JobId": "0".repeat(36) });
    check_refusals(
        &root,
        &[
            ("GenerateServiceLastAccessedDetails", nobody, "NoSuchEntity", 404, "nobody"),
            (
                "GenerateServiceLastAccessedDetails",
                json!({ "Arn": "arn:aws:s3:::some-bucket-name" }),
                "InvalidInput",
                400,
                "Invalid ARN",
            ),
            ("GetServiceLastAccessedDetails", lost, "NoSuchEntity", 404, ""),
            ("GetServiceLastAccessedDetailsWithEntities", other, "InvalidInput", 400, "ec2"),
        ],
    );
    let generate = ("iam", "GenerateServiceLastAccessedDetails");
    ann.refused(generate, input, ("AccessDenied", 403));
    let get = json!({ "JobId": job["JobId"] });
    ann.refused(("iam", "GetServiceLastAccessedDetails"), get, ("AccessDenied", 403));
}
