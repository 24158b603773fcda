//! Key policies: they must allow, within the account and across.

use super::{check_refusals, new_id, new_key, ok};
use crate::support::{Lab, policy};
use serde_json::{Value, json};

fn document(statements: Value) -> String {
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

fn allow(principal: &str, action: &str) -> Value {
    json!({
        "Effect": "Allow", "Principal": { "AWS": principal }, "Action": action, "Resource": "*"
    })
}

#[test]
fn the_key_policy_must_allow() {
    let Some(lab) = Lab::start("the_key_policy_must_allow") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let ann = lab.user(&root, "ann", None);
    let all = policy("Allow", &["kms:*"], &["*"]);
    let bob = lab.user(&root, "bob", Some(all));
    let whole = format!("arn:aws:iam::{account}:root");
    let ann_arn = format!("arn:aws:iam::{account}:user/ann");

    let key = new_id(&root, json!({}));
    let got = ok(&root, "GetKeyPolicy", json!({ "KeyId": key, "PolicyName": "default" }));
    let got: Value = serde_json::from_str(got["Policy"].as_str().unwrap()).unwrap();
    assert_eq!(got["Statement"][0]["Principal"]["AWS"], json!(whole));
    let names = ok(&root, "ListKeyPolicies", json!({ "KeyId": key }));
    assert_eq!(names["PolicyNames"], json!(["default"]));
    let encrypt = json!({ "KeyId": key, "Plaintext": "x" });
    // The account's policies decide: bob has one, ann has none.
    ok(&bob, "Encrypt", encrypt.clone());
    let denied = "no identity-based policy allows the kms:Encrypt action";
    check_refusals(&ann, &[("Encrypt", encrypt.clone(), "AccessDeniedException", denied)]);

    // Naming ann is enough for ann; bob's identity policy is not enough any more, nor is root.
    let only_ann = json!([
        allow(&ann_arn, "kms:Encrypt"),
        allow(&whole, "kms:PutKeyPolicy"),
        allow(&whole, "kms:GetKeyPolicy"),
    ]);
    ok(&root, "PutKeyPolicy", json!({ "KeyId": key, "Policy": document(only_ann) }));
    ok(&ann, "Encrypt", encrypt.clone());
    let denied = "no resource-based policy allows the kms:Encrypt action";
    for caller in [&bob, &root] {
        check_refusals(caller, &[("Encrypt", encrypt.clone(), "AccessDeniedException", denied)]);
    }
    // A user that is made again is another one.
    ok(&root, "GetKeyPolicy", json!({ "KeyId": key }));

    let put = |statements: Value| json!({ "KeyId": key, "Policy": document(statements) });
    let mut locked = put(json!([allow(&ann_arn, "kms:Encrypt")]));
    let nobody = format!("arn:aws:iam::{account}:user/nobody");
    let malformed = "MalformedPolicyDocumentException";
    check_refusals(
        &root,
        &[
            ("PutKeyPolicy", locked.clone(), malformed, "will not allow you to update"),
            (
                "PutKeyPolicy",
                put(json!([allow(&nobody, "kms:*")])),
                malformed,
                "invalid principals",
            ),
            ("PutKeyPolicy", json!({ "KeyId": key, "Policy": "{" }), malformed, ""),
            (
                "PutKeyPolicy",
                json!({ "KeyId": key, "Policy": "{}", "PolicyName": "other" }),
                "NotFoundException",
                "No such policy exists",
            ),
            (
                "GetKeyPolicy",
                json!({ "KeyId": key, "PolicyName": "other" }),
                "NotFoundException",
                "No such policy exists",
            ),
            ("GetKeyPolicy", json!({ "KeyId": "alias/x" }), "NotFoundException", ""),
        ],
    );
    locked["BypassPolicyLockoutSafetyCheck"] = json!(true);
    ok(&root, "PutKeyPolicy", locked);
    let denied = json!({ "KeyId": key });
    check_refusals(&root, &[("GetKeyPolicy", denied, "AccessDeniedException", "kms:GetKeyPolicy")]);
}

#[test]
fn keys_are_used_across_accounts() {
    let Some(lab) = Lab::start("keys_are_used_across_accounts") else { return };
    let (root, other) = (lab.root(), lab.account("210987654321"));
    let whole = format!("arn:aws:iam::{}:root", lab.server.account_id());
    let both = json!([allow(&whole, "kms:*"), allow("arn:aws:iam::210987654321:root", "kms:*"),]);
    let made = new_key(&root, json!({ "Policy": document(both) }));
    let arn = made["Arn"].as_str().unwrap();
    let user = lab.user(&other, "eve", Some(policy("Allow", &["kms:Encrypt"], &[arn])));
    let sealed = ok(&user, "Encrypt", json!({ "KeyId": arn, "Plaintext": "x" }));
    assert_eq!(sealed["KeyId"], made["Arn"]);
    let blob = super::blob(&sealed["CiphertextBlob"]);
    check_refusals(
        &user,
        &[(
            "Decrypt",
            json!({ "CiphertextBlob": blob }),
            "AccessDeniedException",
            "no identity-based policy allows the kms:Decrypt action",
        )],
    );
    let private = new_key(&root, json!({}));
    let denied = "no resource-based policy allows the kms:Encrypt action";
    let encrypt = |key: &Value| json!({ "KeyId": key, "Plaintext": "x" });
    check_refusals(
        &other,
        &[
            ("Encrypt", encrypt(&private["Arn"]), "AccessDeniedException", denied),
            // An id without its account is one of the caller's own.
            ("Encrypt", encrypt(&made["KeyId"]), "NotFoundException", "does not exist"),
        ],
    );
    // Both accounts' trails tell of it.
    let found = root.ok("cloudtrail", "LookupEvents", json!({}));
    assert!(found["Events"].to_string().contains("Encrypt"), "{found}");
}

#[test]
fn conditions_tell_keys_apart() {
    let Some(lab) = Lab::start("conditions_tell_keys_apart") else { return };
    let root = lab.root();
    let tags = json!([{ "TagKey": "team", "TagValue": "blue" }]);
    let key = new_id(&root, json!({ "Tags": tags }));
    ok(&root, "CreateAlias", json!({ "AliasName": "alias/app", "TargetKeyId": key }));
    let context = json!({ "app": "web", "stage": "one" });
    let with = json!({ "KeyId": key, "Plaintext": "x", "EncryptionContext": context });
    let by_alias = json!({ "KeyId": "alias/app", "Plaintext": "x" });
    let plain = json!({ "KeyId": key, "Plaintext": "x" });
    for (number, (operator, name, value, input, allowed)) in [
        ("StringEquals", "kms:EncryptionContext:app", json!("web"), &with, true),
        ("StringEquals", "kms:EncryptionContext:app", json!("db"), &with, false),
        ("StringEquals", "kms:EncryptionContext:app", json!("web"), &plain, false),
        (
            "ForAllValues:StringEquals",
            "kms:EncryptionContextKeys",
            json!(["app", "stage"]),
            &with,
            true,
        ),
        ("ForAllValues:StringEquals", "kms:EncryptionContextKeys", json!(["app"]), &with, false),
        ("StringEquals", "kms:EncryptionAlgorithm", json!("SYMMETRIC_DEFAULT"), &plain, true),
        ("StringEquals", "kms:RequestAlias", json!("alias/app"), &by_alias, true),
        ("StringEquals", "kms:RequestAlias", json!("alias/app"), &plain, false),
        ("ForAnyValue:StringEquals", "kms:ResourceAliases", json!("alias/app"), &plain, true),
        ("ForAnyValue:StringEquals", "kms:ResourceAliases", json!("alias/b"), &plain, false),
        ("StringEquals", "kms:KeySpec", json!("SYMMETRIC_DEFAULT"), &plain, true),
        ("StringEquals", "kms:KeyUsage", json!("SIGN_VERIFY"), &plain, false),
        ("StringEquals", "kms:KeyOrigin", json!("AWS_KMS"), &plain, true),
        ("Bool", "kms:MultiRegion", json!("true"), &plain, false),
        ("StringEquals", "kms:CallerAccount", json!(lab.server.account_id()), &plain, true),
        ("StringLike", "kms:ViaService", json!("s3.*"), &plain, false),
        ("StringEquals", "aws:ResourceTag/team", json!("blue"), &plain, true),
        ("StringEquals", "aws:ResourceTag/team", json!("red"), &plain, false),
    ]
    .into_iter()
    .enumerate()
    {
        let mut own = policy("Allow", &["kms:Encrypt"], &["*"]);
        own["Statement"][0]["Condition"] = json!({ operator: { name: value } });
        let user = lab.user(&root, &format!("user{number}"), Some(own));
        let got = user.call("kms", "Encrypt", input.clone());
        assert_eq!(got.is_ok(), allowed, "{operator} {name} {value}: {got:?}");
    }
}
