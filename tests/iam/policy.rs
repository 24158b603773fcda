//! Managed policies with their versions, attachments, and inline policies.

use super::{all, check_refusals, tags};
use crate::support::{Caller, Lab, each, policy, trust};
use serde_json::{Value, json};

fn create(root: &Caller<'_>, name: &str) -> Value {
    let document = policy("Allow", &["s3:GetObject"], &["*"]).to_string();
    let input = json!({ "PolicyName": name, "PolicyDocument": document });
    root.ok("iam", "CreatePolicy", input)["Policy"].clone()
}

#[test]
fn policies_and_versions_live_and_die() {
    let Some(lab) = Lab::start("policies_and_versions_live_and_die") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let first = policy("Allow", &["s3:GetObject"], &["arn:aws:s3:::a/*"]);
    let made = root.ok(
        "iam",
        "CreatePolicy",
        json!({
            "PolicyName": "read",
            "Path": "/p/",
            "PolicyDocument": first.to_string(),
            "Description": "reads",
            "Tags": tags(&[("a", "1")]),
        }),
    )["Policy"]
        .clone();
    let arn = json!(format!("arn:aws:iam::{account}:policy/p/read"));
    assert_eq!(made["Arn"], arn);
    assert!(made["PolicyId"].as_str().unwrap().starts_with("ANPA"), "{made}");
    let counts = (&made["AttachmentCount"], &made["DefaultVersionId"], &made["IsAttachable"]);
    assert_eq!(counts, (&json!(0), &json!("v1"), &json!(true)));

    let add = |n: usize, default: bool| {
        let document = policy("Allow", &["s3:GetObject"], &[&format!("arn:aws:s3:::b{n}/*")]);
        let input = json!({
            "PolicyArn": arn,
            "PolicyDocument": document.to_string(),
            "SetAsDefault": default
        });
        root.call("iam", "CreatePolicyVersion", input)
    };
    for n in 2..=5 {
        let version = add(n, n == 3).unwrap()["PolicyVersion"].clone();
        assert_eq!(version["VersionId"], json!(format!("v{n}")));
    }
    assert_eq!(add(6, false).unwrap_err().code, "LimitExceeded");
    let versions = root.pages("ListPolicyVersions", json!({ "PolicyArn": arn }), "Versions", 2);
    let mut listed = all(&versions, "VersionId");
    listed.sort();
    assert_eq!((listed.len(), versions.len()), (5, 3));
    let input = json!({ "PolicyArn": arn, "VersionId": "v1" });
    let got = root.ok("iam", "GetPolicyVersion", input.clone())["PolicyVersion"].clone();
    assert_eq!((&got["Document"], &got["IsDefaultVersion"]), (&first, &json!(false)));
    root.ok("iam", "DeletePolicyVersion", input);
    let default = json!({ "PolicyArn": arn, "VersionId": "v5" });
    root.ok("iam", "SetDefaultPolicyVersion", default.clone());
    let refusal = root.call("iam", "DeletePolicyVersion", default).unwrap_err();
    assert_eq!((refusal.code.as_str(), refusal.status), ("DeleteConflict", 409));
    let got = root.ok("iam", "GetPolicy", json!({ "PolicyArn": arn }))["Policy"].clone();
    assert_eq!(got["DefaultVersionId"], json!("v5"));
    // A number is never used again.
    assert_eq!(add(7, false).unwrap()["PolicyVersion"]["VersionId"], json!("v6"));

    root.ok("iam", "TagPolicy", json!({ "PolicyArn": arn, "Tags": tags(&[("b", "2")]) }));
    root.ok("iam", "UntagPolicy", json!({ "PolicyArn": arn, "TagKeys": ["a"] }));
    let kept = root.ok("iam", "ListPolicyTags", json!({ "PolicyArn": arn }));
    assert_eq!(kept["Tags"], tags(&[("b", "2")]));
    for version in ["v2", "v3", "v4", "v6"] {
        let input = json!({ "PolicyArn": arn, "VersionId": version });
        root.ok("iam", "DeletePolicyVersion", input);
    }
    root.ok("iam", "DeletePolicy", json!({ "PolicyArn": arn }));
    let gone = root.call("iam", "GetPolicy", json!({ "PolicyArn": arn })).unwrap_err();
    assert_eq!((gone.code.as_str(), gone.status), ("NoSuchEntity", 404));
}

#[test]
fn documents_are_refused_as_documented() {
    let Some(lab) = Lab::start("documents_are_refused_as_documented") else { return };
    let root = lab.root();
    root.ok("iam", "CreateUser", json!({ "UserName": "ann" }));
    let with = |document: &str| json!({ "PolicyName": "x", "PolicyDocument": document });
    let big = policy("Allow", &["s3:GetObject"], &[&format!("arn:aws:s3:::{}", "a".repeat(6200))])
        .to_string();
    let mut principal = policy("Allow", &["s3:GetObject"], &["*"]);
    principal["Statement"][0]["Principal"] = json!("*");
    let principal = principal.to_string();
    let no_action = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Resource":"*"}]}"#;
    let malformed = "MalformedPolicyDocument";
    check_refusals(
        &root,
        &[
            ("CreatePolicy", with("not json"), malformed, 400, ""),
            ("CreatePolicy", with("{}"), malformed, 400, ""),
            ("CreatePolicy", with(no_action), malformed, 400, ""),
            ("CreatePolicy", with(&principal), malformed, 400, "rincipal"),
            ("CreatePolicy", with(&big), "LimitExceeded", 409, "6144"),
            (
                "PutUserPolicy",
                json!({ "UserName": "ann", "PolicyName": "x", "PolicyDocument": "{" }),
                malformed,
                400,
                "",
            ),
            (
                "PutUserPolicy",
                json!({ "UserName": "ann", "PolicyName": "x", "PolicyDocument": big }),
                "LimitExceeded",
                409,
                "2048",
            ),
        ],
    );
    assert_eq!(root.ok("iam", "ListPolicies", json!({ "Scope": "Local" }))["Policies"], json!([]));
}

#[test]
fn policies_are_refused_as_documented() {
    let Some(lab) = Lab::start("policies_are_refused_as_documented") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let arn = create(&root, "taken")["Arn"].clone();
    root.ok("iam", "CreateUser", json!({ "UserName": "ann" }));
    root.ok("iam", "AttachUserPolicy", json!({ "UserName": "ann", "PolicyArn": arn }));
    let good = policy("Allow", &["s3:GetObject"], &["*"]).to_string();
    let missing = format!("arn:aws:iam::{account}:policy/missing");
    check_refusals(
        &root,
        &[
            (
                "CreatePolicy",
                json!({ "PolicyName": "TAKEN", "PolicyDocument": good }),
                "EntityAlreadyExists",
                409,
                "A policy called TAKEN already exists.",
            ),
            (
                "GetPolicy",
                json!({ "PolicyArn": missing }),
                "NoSuchEntity",
                404,
                &format!("Policy {missing} was not found."),
            ),
            (
                "GetPolicyVersion",
                json!({ "PolicyArn": arn, "VersionId": "v9" }),
                "NoSuchEntity",
                404,
                "v9",
            ),
            ("DeletePolicy", json!({ "PolicyArn": arn }), "DeleteConflict", 409, "attached"),
            (
                "DetachUserPolicy",
                json!({ "UserName": "ann", "PolicyArn": missing }),
                "NoSuchEntity",
                404,
                "was not found.",
            ),
            (
                "AttachUserPolicy",
                json!({ "UserName": "ann", "PolicyArn": "no arn, but it is long enough" }),
                "InvalidInput",
                400,
                "ARN",
            ),
            (
                "DeletePolicy",
                json!({ "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess" }),
                "AccessDenied",
                403,
                "",
            ),
            (
                "GetUserPolicy",
                json!({ "UserName": "ann", "PolicyName": "x" }),
                "NoSuchEntity",
                404,
                "The user policy with name x cannot be found.",
            ),
        ],
    );
}

#[test]
fn policies_are_attached_listed_and_found() {
    let Some(lab) = Lab::start("policies_are_attached_listed_and_found") else { return };
    let root = lab.root();
    let document = trust("*").to_string();
    root.ok("iam", "CreateUser", json!({ "UserName": "ann" }));
    root.ok("iam", "CreateGroup", json!({ "GroupName": "devs" }));
    let role = json!({ "RoleName": "app", "AssumeRolePolicyDocument": document });
    root.ok("iam", "CreateRole", role);
    let kinds = [("User", "ann"), ("Group", "devs"), ("Role", "app")];
    let arns: Vec<Value> = (0..4).map(|n| create(&root, &format!("p{n}"))["Arn"].clone()).collect();
    for (kind, name) in kinds {
        let named = |more: Value| {
            let mut input = json!({ format!("{kind}Name"): name });
            input.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
            input
        };
        for arn in &arns {
            let input = named(json!({ "PolicyArn": arn }));
            root.ok("iam", &format!("Attach{kind}Policy"), input);
        }
        let list = format!("ListAttached{kind}Policies");
        let pages = root.pages(&list, named(json!({})), "AttachedPolicies", 3);
        assert_eq!(all(&pages, "PolicyName"), ["p0", "p1", "p2", "p3"], "{kind}");
        root.ok("iam", &format!("Detach{kind}Policy"), named(json!({ "PolicyArn": arns[3] })));
        let again = root.call(
            "iam",
            &format!("Detach{kind}Policy"),
            named(json!({ "PolicyArn": arns[3] })),
        );
        assert_eq!(again.unwrap_err().code, "NoSuchEntity", "{kind}");

        let own = policy("Deny", &["sqs:*"], &["*"]);
        for policy in ["b", "a"] {
            let input = json!({ "PolicyName": policy, "PolicyDocument": own.to_string() });
            root.ok("iam", &format!("Put{kind}Policy"), named(input));
        }
        let list = format!("List{kind}Policies");
        let pages = root.pages(&list, named(json!({})), "PolicyNames", 1);
        assert_eq!(pages, [json!(["a"]), json!(["b"])], "{kind}");
        let inline = named(json!({ "PolicyName": "a" }));
        let got = root.ok("iam", &format!("Get{kind}Policy"), inline.clone());
        assert_eq!(got["PolicyDocument"], own, "{kind}");
        root.ok("iam", &format!("Delete{kind}Policy"), inline.clone());
        let gone = root.call("iam", &format!("Delete{kind}Policy"), inline).unwrap_err();
        assert_eq!(gone.code, "NoSuchEntity", "{kind}");
    }
    let entities = root.ok("iam", "ListEntitiesForPolicy", json!({ "PolicyArn": arns[0] }));
    assert_eq!(each(&entities["PolicyUsers"], "UserName"), ["ann"]);
    assert_eq!(each(&entities["PolicyGroups"], "GroupName"), ["devs"]);
    assert_eq!(each(&entities["PolicyRoles"], "RoleName"), ["app"]);
    let got = root.ok("iam", "GetPolicy", json!({ "PolicyArn": arns[0] }));
    assert_eq!(got["Policy"]["AttachmentCount"], json!(3));
    let local = json!({ "Scope": "Local", "OnlyAttached": true });
    let pages = root.pages("ListPolicies", local, "Policies", 2);
    assert_eq!(all(&pages, "PolicyName"), ["p0", "p1", "p2"]);
}

#[test]
fn aws_managed_policies_are_the_real_ones() {
    let Some(lab) = Lab::start("aws_managed_policies_are_the_real_ones") else { return };
    let root = lab.root();
    let pages = root.pages("ListPolicies", json!({ "Scope": "AWS" }), "Policies", 1000);
    let arns = all(&pages, "Arn");
    assert!(arns.len() > 1000, "{}", arns.len());
    assert!(arns.iter().all(|arn| arn.starts_with("arn:aws:iam::aws:policy/")));
    let distinct: std::collections::BTreeSet<&String> = arns.iter().collect();
    assert_eq!(distinct.len(), arns.len());
    let admin = "arn:aws:iam::aws:policy/AdministratorAccess";
    let got = root.ok("iam", "GetPolicy", json!({ "PolicyArn": admin }))["Policy"].clone();
    assert!(got["PolicyId"].as_str().unwrap().starts_with("ANPA"), "{got}");
    let version = json!({ "PolicyArn": admin, "VersionId": got["DefaultVersionId"] });
    let version = root.ok("iam", "GetPolicyVersion", version);
    assert_eq!(version["PolicyVersion"]["Document"], policy_of_admin());
}

fn policy_of_admin() -> Value {
    let statement = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
    json!({ "Version": "2012-10-17", "Statement": [statement] })
}
