//! The errors that the API's model documents for its operations, each provoked by boto3. What other
//! files test is not repeated here, but for sweeps over all operations that document an error.

use super::check_refusals;
use super::denial::given;
use crate::support::{Caller, Lab, policy, trust};
use serde_json::{Value, json};

/// What operations answered instead of the error that they document, as `Operation Code`.
fn others(root: &Caller<'_>, code: &str, given: &Value, named: &Value) -> Vec<String> {
    let told = root.sweep_documenting(code, given, named);
    assert!(told.len() > 50, "{code} is documented by {} operations", told.len());
    let others = told.into_iter().filter(|(_, answered, _)| answered != code);
    others.map(|(operation, code, _)| format!("{operation} {code}").trim_end().to_owned()).collect()
}

#[test]
fn what_is_not_there_is_no_such_entity() {
    let Some(lab) = Lab::start("what_is_not_there_is_no_such_entity") else { return };
    let root = lab.root();
    let mut given = given(&lab.server.account_id());
    given["Arn"] = given["PolicySourceArn"].clone();
    given["PolicyDocument"] = json!(policy("Allow", &["s3:GetObject"], &["*"]).to_string());
    let names = json!({ "UserName": "nobody" });
    // The model documents it for these too, where nothing that they name could be missing, where
    // AWS answers otherwise, or where the sweep made it itself a moment ago.
    let expected = [
        "ChangePassword InvalidUserType",
        "CreateGroup",
        "CreateServiceLinkedRole InvalidInput",
        "CreateUser",
        "DeleteGroup",
        "DeleteOpenIDConnectProvider",
        "DeleteUser",
        "ListDelegationRequests",
        "UpdateAccountPasswordPolicy",
    ];
    assert_eq!(others(&root, "NoSuchEntity", &given, &names), expected);
    let cases = [
        (
            "DeleteGroup",
            json!({ "GroupName": "none" }),
            "NoSuchEntity",
            404,
            "group with name none",
        ),
        ("DeleteUser", json!({ "UserName": "none" }), "NoSuchEntity", 404, "user with name none"),
    ];
    check_refusals(&root, &cases);
}

/// A user, a group, a role, an instance profile, a policy, a device and a provider, all called `a`.
fn make_all(root: &Caller<'_>) -> (String, String, String) {
    let name = "a";
    let document = policy("Allow", &["s3:GetObject"], &["*"]).to_string();
    let trust = trust_of_ec2();
    root.ok("iam", "CreateUser", json!({ "UserName": name }));
    root.ok("iam", "CreateGroup", json!({ "GroupName": name }));
    let role = json!({ "RoleName": name, "AssumeRolePolicyDocument": trust });
    root.ok("iam", "CreateRole", role);
    root.ok("iam", "CreateInstanceProfile", json!({ "InstanceProfileName": name }));
    let made = json!({ "PolicyName": name, "PolicyDocument": document });
    let made = root.ok("iam", "CreatePolicy", made)["Policy"]["Arn"].clone();
    let device = json!({ "VirtualMFADeviceName": name });
    let device = root.ok("iam", "CreateVirtualMFADevice", device);
    let device = device["VirtualMFADevice"]["SerialNumber"].clone();
    let provider = json!({ "Url": "https://example.com", "ThumbprintList": ["a".repeat(40)] });
    let provider = root.ok("iam", "CreateOpenIDConnectProvider", provider);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&made), text(&device), text(&provider["OpenIDConnectProviderArn"]))
}

fn trust_of_ec2() -> String {
    let mut trust = trust("x");
    trust["Statement"][0]["Principal"] = json!({ "Service": "ec2.amazonaws.com" });
    trust.to_string()
}

#[test]
fn what_cannot_be_meant_is_invalid_input() {
    let Some(lab) = Lab::start("what_cannot_be_meant_is_invalid_input") else { return };
    let root = lab.root();
    let (_, device, _) = make_all(&root);
    let mut given = given(&lab.server.account_id());
    for (name, value) in given.as_object_mut().unwrap() {
        if name.ends_with("Arn") || name == "PermissionsBoundary" {
            *value = json!("a".repeat(20));
        }
    }
    given["Arn"] = json!("a".repeat(20));
    given["SerialNumber"] = json!(device);
    given["AssumeRolePolicyDocument"] = json!(trust_of_ec2());
    let named = json!({
        "UserName": "a",
        "PermissionsBoundary": "a".repeat(20),
        // Nobody but AWS may use the prefix.
        "Tags": [{ "Key": "aws:x", "Value": "v" }],
    });
    let mut told = others(&root, "InvalidInput", &given, &named);
    // These name what is not there before anything else could be wrong with them.
    told.retain(|one| !one.ends_with(" NoSuchEntity"));
    let expected = [
        "CreateDelegationRequest AccessDenied",
        "ListAttachedGroupPolicies",
        "ListAttachedRolePolicies",
        "ListAttachedUserPolicies",
        "ListDelegationRequests",
        "ListMFADeviceTags",
        "UntagInstanceProfile",
        "UntagMFADevice",
        "UploadServerCertificate MalformedCertificate",
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_is_full_takes_no_more() {
    let Some(lab) = Lab::start("what_is_full_takes_no_more") else { return };
    let root = lab.root();
    let (policy_arn, device, provider) = make_all(&root);
    let tags: Vec<Value> =
        (0..50).map(|index| json!({ "Key": format!("k{index}"), "Value": "v" })).collect();
    for (operation, mut input) in [
        ("TagUser", json!({ "UserName": "a" })),
        ("TagRole", json!({ "RoleName": "a" })),
        ("TagInstanceProfile", json!({ "InstanceProfileName": "a" })),
        ("TagMFADevice", json!({ "SerialNumber": device })),
        ("TagPolicy", json!({ "PolicyArn": policy_arn })),
        ("TagOpenIDConnectProvider", json!({ "OpenIDConnectProviderArn": provider })),
    ] {
        input["Tags"] = json!(tags);
        root.ok("iam", operation, input.clone());
        input["Tags"] = json!([{ "Key": "more", "Value": "v" }]);
        let refusal = root.refused(("iam", operation), input, ("LimitExceeded", 409));
        assert!(refusal.message.contains("maximum limit of 50"), "{}", refusal.message);
    }
    let big = |count: usize| {
        let bucket = format!("arn:aws:s3:::{}", "b".repeat(50));
        policy("Allow", &["s3:GetObject"], &vec![bucket.as_str(); count]).to_string()
    };
    let long = trust_of_ec2()
        .replace("\"Effect\"", &format!("\"Sid\":\"{}\",\"Effect\"", "a".repeat(2048)));
    for index in 0..10 {
        let document = policy("Allow", &["s3:GetObject"], &["*"]).to_string();
        let made = json!({ "PolicyName": format!("p{index}"), "PolicyDocument": document });
        let arn = root.ok("iam", "CreatePolicy", made)["Policy"]["Arn"].clone();
        root.ok("iam", "AttachUserPolicy", json!({ "UserName": "a", "PolicyArn": arn }));
        root.ok("iam", "AttachGroupPolicy", json!({ "GroupName": "a", "PolicyArn": arn }));
        root.ok("iam", "AttachRolePolicy", json!({ "RoleName": "a", "PolicyArn": arn }));
        let group = format!("g{index}");
        root.ok("iam", "CreateGroup", json!({ "GroupName": group }));
        root.ok("iam", "AddUserToGroup", json!({ "GroupName": group, "UserName": "a" }));
    }
    let put = |of: &str, document: String| {
        let mut input = json!({ "PolicyName": "p", "PolicyDocument": document });
        input[of] = json!("a");
        input
    };
    let attach = |of: &str| json!({ of: "a", "PolicyArn": policy_arn });
    let full = ("LimitExceeded", 409);
    let cases = [
        ("PutGroupPolicy", put("GroupName", big(100)), full.0, full.1, "5120"),
        ("PutRolePolicy", put("RoleName", big(200)), full.0, full.1, "10240"),
        (
            "UpdateAssumeRolePolicy",
            json!({ "RoleName": "a", "PolicyDocument": long }),
            full.0,
            full.1,
            "2048",
        ),
        ("AttachUserPolicy", attach("UserName"), full.0, full.1, "PoliciesPerUser: 10"),
        ("AttachGroupPolicy", attach("GroupName"), full.0, full.1, "PoliciesPerGroup: 10"),
        ("AttachRolePolicy", attach("RoleName"), full.0, full.1, "PoliciesPerRole: 10"),
        (
            "AddUserToGroup",
            json!({ "GroupName": "a", "UserName": "a" }),
            full.0,
            full.1,
            "GroupsPerUser: 10",
        ),
    ];
    check_refusals(&root, &cases);
    // The account had one group and made ten.
    for index in 11..300 {
        root.ok("iam", "CreateGroup", json!({ "GroupName": format!("more{index}") }));
    }
    let more = json!({ "GroupName": "last" });
    check_refusals(&root, &[("CreateGroup", more, full.0, full.1, "GroupsPerAccount: 300")]);
}

#[test]
fn what_is_for_aws_is_not_for_customers() {
    let Some(lab) = Lab::start("what_is_for_aws_is_not_for_customers") else { return };
    let root = lab.root();
    let (policy_arn, ..) = make_all(&root);
    root.ok("iam", "CreateServiceLinkedRole", json!({ "AWSServiceName": "support.amazonaws.com" }));
    let document = policy("Allow", &["s3:GetObject"], &["*"]).to_string();
    let linked = [
        ("AddRoleToInstanceProfile", json!({ "InstanceProfileName": "a" })),
        ("RemoveRoleFromInstanceProfile", json!({ "InstanceProfileName": "a" })),
        ("DeleteRolePermissionsBoundary", json!({})),
        ("PutRolePermissionsBoundary", json!({ "PermissionsBoundary": policy_arn })),
        ("PutRolePolicy", json!({ "PolicyName": "p", "PolicyDocument": document })),
        ("DeleteRolePolicy", json!({ "PolicyName": "p" })),
        ("AttachRolePolicy", json!({ "PolicyArn": policy_arn })),
        ("DetachRolePolicy", json!({ "PolicyArn": policy_arn })),
        ("UpdateAssumeRolePolicy", json!({ "PolicyDocument": trust_of_ec2() })),
        ("DeleteRole", json!({})),
    ];
    for (operation, mut input) in linked {
        input["RoleName"] = json!("AWSServiceRoleForSupport");
        root.refused(("iam", operation), input, ("UnmodifiableEntity", 400));
    }
    let own = "arn:aws:iam::aws:policy/aws-service-role/AWSSupportServiceRolePolicy";
    let attach = |of: &str| json!({ of: "a", "PolicyArn": own });
    let limit = |of: &str| json!({ of: "a", "PermissionsBoundary": own });
    let no = "PolicyNotAttachable";
    let cases = [
        ("AttachUserPolicy", attach("UserName"), no, 400, "Customer User"),
        ("AttachGroupPolicy", attach("GroupName"), no, 400, "Customer Group"),
        ("AttachRolePolicy", attach("RoleName"), no, 400, "Customer Role"),
        ("PutUserPermissionsBoundary", limit("UserName"), no, 400, "Customer User"),
        ("PutRolePermissionsBoundary", limit("RoleName"), no, 400, "Customer Role"),
        (
            "CreateUser",
            json!({ "UserName": "b", "PermissionsBoundary": own }),
            "NoSuchEntity",
            404,
            "is not attachable",
        ),
        (
            "ListServiceSpecificCredentials",
            json!({ "UserName": "a", "ServiceName": "nonsense.amazonaws.com" }),
            "NotSupportedService",
            404,
            "nonsense.amazonaws.com",
        ),
    ];
    check_refusals(&root, &cases);
    for (operation, mut input) in [
        ("CreatePolicyVersion", json!({ "PolicyArn": policy_arn })),
        ("PutGroupPolicy", json!({ "GroupName": "a", "PolicyName": "p" })),
        ("PutRolePolicy", json!({ "RoleName": "a", "PolicyName": "p" })),
        ("UpdateAssumeRolePolicy", json!({ "RoleName": "a" })),
    ] {
        input["PolicyDocument"] = json!("{}");
        root.refused(("iam", operation), input, ("MalformedPolicyDocument", 400));
    }
}

#[test]
fn features_of_organizations_want_an_organization_that_has_them() {
    let test = "features_of_organizations_want_an_organization_that_has_them";
    let Some(lab) = Lab::start(test) else { return };
    let root = lab.root();
    let features = [
        "EnableOrganizationsRootCredentialsManagement",
        "EnableOrganizationsRootSessions",
        "ListOrganizationsFeatures",
        "DisableOrganizationsRootCredentialsManagement",
        "DisableOrganizationsRootSessions",
    ];
    let all = |code: &str| {
        for operation in features {
            root.refused(("iam", operation), json!({}), (code, 400));
        }
    };
    root.ok("organizations", "CreateOrganization", json!({ "FeatureSet": "CONSOLIDATED_BILLING" }));
    all("OrganizationNotInAllFeaturesModeException");
    root.ok("organizations", "DeleteOrganization", json!({}));
    root.ok("organizations", "CreateOrganization", json!({}));
    all("ServiceAccessNotEnabledException");
    let trusted = json!({ "ServicePrincipal": "iam.amazonaws.com" });
    root.ok("organizations", "EnableAWSServiceAccess", trusted);
    for operation in features {
        root.ok("iam", operation, json!({}));
    }
}

#[test]
fn a_report_expires_and_a_policy_of_passwords_binds() {
    let Some(lab) = Lab::start("a_report_expires_and_a_policy_of_passwords_binds") else { return };
    let root = lab.root();
    let ann = lab.user(&root, "ann", Some(policy("Allow", &["iam:ChangePassword"], &["*"])));
    let old = "Correct-Horse-9-Battery";
    root.ok("iam", "CreateLoginProfile", json!({ "UserName": "ann", "Password": old }));
    let change = json!({ "OldPassword": old, "NewPassword": "short" });
    ann.refused(("iam", "ChangePassword"), change, ("PasswordPolicyViolation", 400));
    let made = json!({ "UserName": "ann", "ServiceName": "codecommit.amazonaws.com" });
    let made = root.ok("iam", "CreateServiceSpecificCredential", made);
    let id = &made["ServiceSpecificCredential"]["ServiceSpecificCredentialId"];
    let delete = json!({ "UserName": "ann", "ServiceSpecificCredentialId": id });
    root.ok("iam", "DeleteServiceSpecificCredential", delete);
    root.ok("iam", "GenerateCredentialReport", json!({}));
    lab.advance(4 * 3600);
    root.refused(("iam", "GetCredentialReport"), json!({}), ("ReportExpired", 410));
}

#[test]
fn sessions_have_their_limits() {
    let Some(lab) = Lab::start("sessions_have_their_limits") else { return };
    let root = lab.root();
    let account = lab.server.account_id();
    let ann = lab.user(&root, "ann", Some(policy("Allow", &["sts:*"], &["*"])));
    let mut open = trust(&account);
    open["Statement"][0]["Action"] = json!(["sts:AssumeRole", "sts:TagSession"]);
    let role = json!({ "RoleName": "open", "AssumeRolePolicyDocument": open.to_string() });
    root.ok("iam", "CreateRole", role);
    let arn = format!("arn:aws:iam::{account}:role/open");
    let assume = |more: Value| {
        let mut input = json!({ "RoleArn": arn, "RoleSessionName": "ann" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let federate = |more: Value| {
        let mut input = json!({ "Name": "ann" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    // Nothing that packs well (the multiplier of Knuth's MMIX).
    let mut state = 1_u64;
    let mut letter = move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        char::from(letters[(state >> 33) as usize % letters.len()])
    };
    let mut value = move || (0..256).map(|_| letter()).collect::<String>();
    let tag = |index: usize| json!({ "Key": format!("k{index}"), "Value": value() });
    let tags: Vec<Value> = (0..50).map(tag).collect();
    for (operation, tagged, broken) in [
        ("AssumeRole", assume(json!({ "Tags": tags })), assume(json!({ "Policy": "{}" }))),
        (
            "GetFederationToken",
            federate(json!({ "Tags": tags })),
            federate(json!({ "Policy": "{}" })),
        ),
    ] {
        ann.refused(("sts", operation), tagged, ("PackedPolicyTooLarge", 400));
        ann.refused(("sts", operation), broken, ("MalformedPolicyDocument", 400));
    }
    // A region that the account has not enabled knows none of its keys.
    for (operation, input) in [("AssumeRole", assume(json!({}))), ("GetSessionToken", json!({}))] {
        ann.ok("sts", operation, input.clone());
        let refusal = ann.in_region("af-south-1", "sts", operation, input).unwrap_err();
        assert_eq!((refusal.code.as_str(), refusal.status), ("InvalidClientTokenId", 403));
    }
}
