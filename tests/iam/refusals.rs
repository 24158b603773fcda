//! Who has no permission learns so, in AWS's words, and nothing else.

use crate::support::{Caller, Lab, policy};
use serde_json::{Value, json};

/// Operations, their inputs and the resource that the refusal names after the account.
fn calls(account: &str) -> Vec<(&'static str, Value, String)> {
    let arn = |resource: &str| format!("arn:aws:iam::{account}:{resource}");
    let document = policy("Allow", &["*"], &["*"]).to_string();
    let managed = arn("policy/p");
    vec![
        ("ListUsers", json!({}), arn("user/")),
        ("ListUsers", json!({ "PathPrefix": "/a/" }), arn("user/a/")),
        ("ListGroups", json!({}), arn("group/")),
        ("ListRoles", json!({}), arn("role/")),
        ("ListInstanceProfiles", json!({}), arn("instance-profile/")),
        ("ListPolicies", json!({}), "policy path /".into()),
        ("GetAccountSummary", json!({}), "*".into()),
        ("ListAccountAliases", json!({}), "*".into()),
        ("CreateAccountAlias", json!({ "AccountAlias": "abc" }), "*".into()),
        ("GetAccountAuthorizationDetails", json!({}), "*".into()),
        // Without a name it is the caller's own.
        ("GetUser", json!({}), arn("user/ann")),
        ("ListAccessKeys", json!({}), arn("user/ann")),
        ("CreateAccessKey", json!({ "UserName": "bob" }), arn("user/team/bob")),
        // What is there is named with its path, what is not without one.
        ("DeleteUser", json!({ "UserName": "bob" }), arn("user/team/bob")),
        ("DeleteUser", json!({ "UserName": "nobody" }), arn("user/nobody")),
        ("CreateUser", json!({ "UserName": "x", "Path": "/y/" }), arn("user/y/x")),
        (
            "PutUserPolicy",
            json!({ "UserName": "bob", "PolicyName": "p", "PolicyDocument": document }),
            arn("user/team/bob"),
        ),
        (
            "AttachUserPolicy",
            json!({ "UserName": "bob", "PolicyArn": managed }),
            arn("user/team/bob"),
        ),
        ("CreateGroup", json!({ "GroupName": "devs" }), arn("group/devs")),
        ("AddUserToGroup", json!({ "GroupName": "devs", "UserName": "bob" }), arn("group/devs")),
        (
            "CreateRole",
            json!({ "RoleName": "r", "AssumeRolePolicyDocument": document }),
            arn("role/r"),
        ),
        ("GetRole", json!({ "RoleName": "r" }), arn("role/r")),
        ("CreatePolicy", json!({ "PolicyName": "p", "PolicyDocument": document }), managed.clone()),
        ("GetPolicy", json!({ "PolicyArn": managed }), managed.clone()),
        (
            "CreatePolicyVersion",
            json!({ "PolicyArn": managed, "PolicyDocument": document }),
            managed,
        ),
        (
            "CreateInstanceProfile",
            json!({ "InstanceProfileName": "box" }),
            arn("instance-profile/box"),
        ),
    ]
}

/// The same for passwords, keys, certificates and credentials.
fn credential_calls(account: &str) -> Vec<(&'static str, Value, String)> {
    let arn = |resource: &str| format!("arn:aws:iam::{account}:{resource}");
    let id = "A".repeat(32);
    let token = json!({ "GlobalEndpointTokenVersion": "v2Token" });
    let server = || json!({ "ServerCertificateName": "web" });
    let uploaded = json!({
        "ServerCertificateName": "web", "Path": "/p/", "CertificateBody": "x", "PrivateKey": "x"
    });
    let credential = |mut input: Value| {
        input["ServiceSpecificCredentialId"] = json!(id);
        input
    };
    vec![
        ("CreateLoginProfile", json!({ "UserName": "bob", "Password": "x" }), arn("user/team/bob")),
        ("GetLoginProfile", json!({}), arn("user/ann")),
        ("UpdateLoginProfile", json!({ "UserName": "bob" }), arn("user/team/bob")),
        ("DeleteLoginProfile", json!({ "UserName": "bob" }), arn("user/team/bob")),
        ("ChangePassword", json!({ "OldPassword": "x", "NewPassword": "y" }), arn("user/ann")),
        ("GetAccountPasswordPolicy", json!({}), "*".into()),
        ("UpdateAccountPasswordPolicy", json!({}), "*".into()),
        ("DeleteAccountPasswordPolicy", json!({}), "*".into()),
        ("SetSecurityTokenServicePreferences", token, "*".into()),
        ("ListSSHPublicKeys", json!({}), arn("user/ann")),
        (
            "UploadSSHPublicKey",
            json!({ "UserName": "bob", "SSHPublicKeyBody": "x" }),
            arn("user/team/bob"),
        ),
        (
            "GetSSHPublicKey",
            json!({ "UserName": "bob", "SSHPublicKeyId": id, "Encoding": "SSH" }),
            arn("user/team/bob"),
        ),
        (
            "UpdateSSHPublicKey",
            json!({ "UserName": "bob", "SSHPublicKeyId": id, "Status": "Active" }),
            arn("user/team/bob"),
        ),
        (
            "DeleteSSHPublicKey",
            json!({ "UserName": "bob", "SSHPublicKeyId": id }),
            arn("user/team/bob"),
        ),
        ("UploadSigningCertificate", json!({ "CertificateBody": "x" }), arn("user/ann")),
        ("ListSigningCertificates", json!({ "UserName": "bob" }), arn("user/team/bob")),
        (
            "UpdateSigningCertificate",
            json!({ "CertificateId": id, "Status": "Active" }),
            arn("user/ann"),
        ),
        ("DeleteSigningCertificate", json!({ "CertificateId": id }), arn("user/ann")),
        ("UploadServerCertificate", uploaded, arn("server-certificate/p/web")),
        ("GetServerCertificate", server(), arn("server-certificate/web")),
        ("ListServerCertificates", json!({}), arn("server-certificate/")),
        ("UpdateServerCertificate", server(), arn("server-certificate/web")),
        ("DeleteServerCertificate", server(), arn("server-certificate/web")),
        ("ListServerCertificateTags", server(), arn("server-certificate/web")),
        (
            "TagServerCertificate",
            json!({ "ServerCertificateName": "web", "Tags": [{ "Key": "k", "Value": "v" }] }),
            arn("server-certificate/web"),
        ),
        (
            "UntagServerCertificate",
            json!({ "ServerCertificateName": "web", "TagKeys": ["k"] }),
            arn("server-certificate/web"),
        ),
        (
            "CreateServiceSpecificCredential",
            json!({ "UserName": "bob", "ServiceName": "codecommit.amazonaws.com" }),
            arn("user/team/bob"),
        ),
        ("ListServiceSpecificCredentials", json!({}), arn("user/ann")),
        ("ListServiceSpecificCredentials", json!({ "AllUsers": true }), "*".into()),
        ("ResetServiceSpecificCredential", credential(json!({})), arn("user/ann")),
        ("DeleteServiceSpecificCredential", credential(json!({})), arn("user/ann")),
        (
            "UpdateServiceSpecificCredential",
            credential(json!({ "Status": "Active" })),
            arn("user/ann"),
        ),
    ]
}

#[test]
fn a_user_without_policies_may_do_nothing() {
    let Some(lab) = Lab::start("a_user_without_policies_may_do_nothing") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    root.ok("iam", "CreateUser", json!({ "UserName": "bob", "Path": "/team/" }));
    let ann = lab.user(&root, "ann", None);
    for (operation, input, resource) in
        calls(&account).into_iter().chain(credential_calls(&account))
    {
        let refusal = ann.call("iam", operation, input.clone()).unwrap_err();
        let expected = format!(
            "User: arn:aws:iam::{account}:user/ann is not authorized to perform: iam:{operation} \
             on resource: {resource} because no identity-based policy allows the iam:{operation} \
             action"
        );
        assert_eq!(refusal.message, expected, "{operation} {input}");
        assert_eq!((refusal.code.as_str(), refusal.status), ("AccessDenied", 403), "{operation}");
    }
    assert_eq!(users(&root), 2, "a refused call changed something");
}

fn users(root: &Caller<'_>) -> usize {
    root.ok("iam", "ListUsers", json!({}))["Users"].as_array().unwrap().len()
}

#[test]
fn a_denial_is_worded_by_the_policy_that_denies() {
    let Some(lab) = Lab::start("a_denial_is_worded_by_the_policy_that_denies") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let ann = lab.user(&root, "ann", Some(policy("Allow", &["*"], &["*"])));
    ann.ok("iam", "ListUsers", json!({}));
    let deny = policy("Deny", &["iam:ListUsers"], &["*"]).to_string();
    let made = json!({ "PolicyName": "no", "PolicyDocument": deny });
    let arn = root.ok("iam", "CreatePolicy", made)["Policy"]["Arn"].clone();
    let refusal = || ann.call("iam", "ListUsers", json!({})).unwrap_err().message;
    let start = format!(
        "User: arn:aws:iam::{account}:user/ann is not authorized to perform: iam:ListUsers on \
         resource: arn:aws:iam::{account}:user/ with an explicit deny in "
    );
    root.ok("iam", "AttachUserPolicy", json!({ "UserName": "ann", "PolicyArn": arn }));
    let text = arn.as_str().unwrap();
    assert_eq!(refusal(), format!("{start}an identity-based policy: {text}"));
    root.ok("iam", "DetachUserPolicy", json!({ "UserName": "ann", "PolicyArn": arn }));
    let input = json!({ "UserName": "ann", "PolicyName": "no", "PolicyDocument": deny });
    root.ok("iam", "PutUserPolicy", input);
    assert_eq!(refusal(), format!("{start}an identity-based policy"));
    root.ok("iam", "DeleteUserPolicy", json!({ "UserName": "ann", "PolicyName": "no" }));
    let boundary = json!({ "UserName": "ann", "PermissionsBoundary": arn });
    root.ok("iam", "PutUserPermissionsBoundary", boundary);
    assert_eq!(refusal(), format!("{start}a permissions boundary: {text}"));
    root.ok("iam", "DeleteUserPermissionsBoundary", json!({ "UserName": "ann" }));
    ann.ok("iam", "ListUsers", json!({}));
}

#[test]
fn conditions_are_met_or_not() {
    let Some(lab) = Lab::start("conditions_are_met_or_not") else { return };
    let root = lab.root();
    let mut by_tag = policy("Allow", &["iam:TagUser", "iam:DeleteUser"], &["*"]);
    by_tag["Statement"][0]["Condition"] =
        json!({ "StringEquals": { "aws:ResourceTag/owner": "${aws:username}" } });
    let mut pass = policy("Allow", &["iam:PassRole"], &["*"]);
    pass["Statement"][0]["Condition"] =
        json!({ "StringEquals": { "iam:PassedToService": "ec2.amazonaws.com" } });
    let ann = lab.user(&root, "ann", Some(by_tag));
    for (name, owner) in [("mine", "ann"), ("yours", "bob")] {
        let tags = json!([{ "Key": "owner", "Value": owner }]);
        root.ok("iam", "CreateUser", json!({ "UserName": name, "Tags": tags }));
    }
    let delete = |name: &str| ann.call("iam", "DeleteUser", json!({ "UserName": name })).map(drop);
    assert_eq!(delete("yours").unwrap_err().code, "AccessDenied");
    assert_eq!(delete("mine"), Ok(()));

    // Passing a role into an instance profile needs iam:PassRole besides the call's own action.
    let add = policy("Allow", &["iam:AddRoleToInstanceProfile"], &["*"]);
    let cat = lab.user(&root, "cat", Some(add));
    let trusted = crate::support::trust("*").to_string();
    root.ok("iam", "CreateRole", json!({ "RoleName": "r", "AssumeRolePolicyDocument": trusted }));
    root.ok("iam", "CreateInstanceProfile", json!({ "InstanceProfileName": "box" }));
    let held = json!({ "InstanceProfileName": "box", "RoleName": "r" });
    let refusal = cat.call("iam", "AddRoleToInstanceProfile", held.clone()).unwrap_err();
    assert!(refusal.message.contains("iam:PassRole on resource: arn:aws:iam::"), "{refusal:?}");
    let input = json!({ "UserName": "cat", "PolicyName": "p", "PolicyDocument": pass.to_string() });
    root.ok("iam", "PutUserPolicy", input);
    cat.ok("iam", "AddRoleToInstanceProfile", held);
}
