//! A fresh user may do nothing: every operation of IAM and STS refuses it and names the action.

use crate::support::{Caller, Lab};
use serde_json::{Value, json};

/// What AWS lets everybody do, and calls that are proven by what they bring.
const EXEMPT: [&str; 4] =
    ["AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "GetCallerIdentity", "GetSessionToken"];

/// Values for members with patterns, or whose smallest value means something else.
pub fn given(account: &str) -> Value {
    let arn = |resource: &str| format!("arn:aws:iam::{account}:{resource}");
    json!({
        "AccountAlias": "alias",
        "AccessKeyId": "AKIAIOSFODNN7EXAMPLE",
        "AuthenticationCode1": "123456",
        "AuthenticationCode2": "654321",
        "CertificateId": "A".repeat(24),
        "DelegationRequestId": "00000000-0000-4000-8000-000000000000",
        "DeletionTaskId": "task/aws-service-role/support.amazonaws.com/A/1",
        "EntityArn": arn("delegation-request/00000000-0000-4000-8000-000000000000"),
        "EntityPath": "o-1234567890/r-1234/",
        "JobId": "00000000-0000-4000-8000-000000000000",
        "NotificationChannel": "arn:aws:sns:us-east-1:123456789012:topic",
        "OpenIDConnectProviderArn": arn("oidc-provider/example.com"),
        "Permissions": { "PolicyTemplateArn": arn("delegation-template/none") },
        "PermissionsBoundary": arn("policy/p"),
        "PolicyArn": arn("policy/p"),
        "PolicySourceArn": arn("user/nobody"),
        "RoleArn": arn("role/r"),
        "SAMLProviderArn": arn("saml-provider/p"),
        "SerialNumber": arn("mfa/device"),
        "ServiceSpecificCredentialId": "ACCA1234567890123456",
        "SSHPublicKeyId": "APKA1234567890123456",
        "TargetPrincipal": account,
        "TaskPolicyArn": { "arn": "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials" },
        "Url": "https://example.com",
        "VersionId": "v1",
    })
}

/// The operations of a service that did not refuse as they should.
fn wrong(ann: &Caller<'_>, service: &str, account: &str) -> (usize, Vec<String>) {
    let told = ann.sweep(service, &given(account));
    let count = told.len();
    let refused = |operation: &str, code: &str, message: &str| {
        let action = format!("is not authorized to perform: {service}:{operation} ");
        matches!(code, "AccessDenied" | "AccessDeniedException") && message.contains(&action)
    };
    let wrong = told.into_iter().filter(|(operation, code, message)| {
        !EXEMPT.contains(&operation.as_str()) && !refused(operation, code, message)
    });
    (count, wrong.map(|(operation, code, text)| format!("{operation}: {code} {text}")).collect())
}

#[test]
fn a_fresh_user_is_refused_everything() {
    let Some(lab) = Lab::start("a_fresh_user_is_refused_everything") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let ann = lab.user(&root, "ann", None);
    for (service, least) in [("iam", 176), ("sts", 11)] {
        let (count, wrong) = wrong(&ann, service, &account);
        assert!(count >= least, "boto3 knows {count} operations of {service}");
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
    // Nothing came of any of it.
    let users = root.ok("iam", "ListUsers", json!({}))["Users"].as_array().unwrap().len();
    let keys = root.ok("iam", "ListAccessKeys", json!({ "UserName": "ann" }));
    assert_eq!((users, keys["AccessKeyMetadata"].as_array().unwrap().len()), (1, 1));
}
