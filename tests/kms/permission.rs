//! Who has no permission learns so, in AWS's words, whatever the operation.

use super::{blob, new_id, ok};
use crate::support::Lab;
use serde_json::{Value, json};

/// Operations on a key, with their inputs beyond the key's id.
fn on_key() -> Vec<(&'static str, Value)> {
    let principal = "arn:aws:iam::123456789012:root";
    let document = json!({ "Version": "2012-10-17", "Statement": [] }).to_string();
    let signing = |extra: (&str, Value)| {
        let mut input = json!({ "Message": "x", "SigningAlgorithm": "ECDSA_SHA_256" });
        input[extra.0] = extra.1;
        input
    };
    vec![
        ("CancelKeyDeletion", json!({})),
        ("CreateGrant", json!({ "GranteePrincipal": principal, "Operations": ["Encrypt"] })),
        ("DeleteImportedKeyMaterial", json!({})),
        ("DeriveSharedSecret", json!({ "KeyAgreementAlgorithm": "ECDH", "PublicKey": "x" })),
        ("DescribeKey", json!({})),
        ("DisableKey", json!({})),
        ("DisableKeyRotation", json!({})),
        ("EnableKey", json!({})),
        ("EnableKeyRotation", json!({})),
        ("Encrypt", json!({ "Plaintext": "x" })),
        ("GenerateDataKey", json!({ "KeySpec": "AES_256" })),
        ("GenerateDataKeyPair", json!({ "KeyPairSpec": "RSA_4096" })),
        ("GenerateDataKeyPairWithoutPlaintext", json!({ "KeyPairSpec": "RSA_4096" })),
        ("GenerateDataKeyWithoutPlaintext", json!({ "KeySpec": "AES_256" })),
        ("GenerateMac", json!({ "Message": "x", "MacAlgorithm": "HMAC_SHA_256" })),
        ("GetKeyLastUsage", json!({})),
        ("GetKeyPolicy", json!({})),
        ("GetKeyRotationStatus", json!({})),
        (
            "GetParametersForImport",
            json!({ "WrappingAlgorithm": "RSAES_OAEP_SHA_1", "WrappingKeySpec": "RSA_4096" }),
        ),
        ("GetPublicKey", json!({})),
        ("ImportKeyMaterial", json!({ "ImportToken": "x", "EncryptedKeyMaterial": "x" })),
        ("ListGrants", json!({})),
        ("ListKeyPolicies", json!({})),
        ("ListKeyRotations", json!({})),
        ("ListResourceTags", json!({})),
        ("PutKeyPolicy", json!({ "Policy": document })),
        ("ReplicateKey", json!({ "ReplicaRegion": "eu-west-1" })),
        ("RetireGrant", json!({ "GrantId": "x" })),
        ("RevokeGrant", json!({ "GrantId": "x" })),
        ("RotateKeyOnDemand", json!({})),
        ("ScheduleKeyDeletion", json!({})),
        ("Sign", signing(("MessageType", json!("RAW")))),
        ("TagResource", json!({ "Tags": [{ "TagKey": "a", "TagValue": "b" }] })),
        ("UntagResource", json!({ "TagKeys": ["a"] })),
        ("UpdateKeyDescription", json!({ "Description": "x" })),
        ("UpdatePrimaryRegion", json!({ "PrimaryRegion": "eu-west-1" })),
        ("Verify", signing(("Signature", json!("x")))),
        ("VerifyMac", json!({ "Message": "x", "MacAlgorithm": "HMAC_SHA_256", "Mac": "x" })),
    ]
}

#[test]
fn nothing_is_allowed_by_itself() {
    let Some(lab) = Lab::start("nothing_is_allowed_by_itself") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let ann = lab.user(&root, "ann", None);
    let key = new_id(&root, json!({}));
    ok(&root, "CreateAlias", json!({ "AliasName": "alias/app", "TargetKeyId": key }));
    let sealed = ok(&root, "Encrypt", json!({ "KeyId": key, "Plaintext": "x" }));
    let sealed = blob(&sealed["CiphertextBlob"]);
    let arn = format!("arn:aws:kms:us-east-1:{account}:key/{key}");
    let alias = format!("arn:aws:kms:us-east-1:{account}:alias/app");
    let mut calls: Vec<(&str, Value, String, &str)> = Vec::new();
    for (operation, mut input) in on_key() {
        input["KeyId"] = json!(key);
        calls.push((operation, input, operation.to_owned(), &arn));
    }
    let named =
        |name: &'static str| (name, json!({ "CustomKeyStoreId": "cks-1" }), name.into(), "*");
    for name in ["ConnectCustomKeyStore", "DeleteCustomKeyStore", "DisconnectCustomKeyStore"] {
        calls.push(named(name));
    }
    calls.push(named("UpdateCustomKeyStore"));
    calls.push(named("DescribeCustomKeyStores"));
    let target = json!({ "AliasName": "alias/app", "TargetKeyId": key });
    for (operation, input, action, resource) in [
        ("CreateKey", json!({}), "CreateKey", "*"),
        ("CreateAlias", target.clone(), "CreateAlias", alias.as_str()),
        ("UpdateAlias", target, "UpdateAlias", &alias),
        ("DeleteAlias", json!({ "AliasName": "alias/app" }), "DeleteAlias", &alias),
        ("ListAliases", json!({}), "ListAliases", "*"),
        ("ListKeys", json!({}), "ListKeys", "*"),
        (
            "ListRetirableGrants",
            json!({ "RetiringPrincipal": format!("arn:aws:iam::{account}:root") }),
            "ListRetirableGrants",
            "*",
        ),
        ("GenerateRandom", json!({ "NumberOfBytes": 1 }), "GenerateRandom", "*"),
        ("CreateCustomKeyStore", json!({ "CustomKeyStoreName": "x" }), "CreateCustomKeyStore", "*"),
        ("Decrypt", json!({ "CiphertextBlob": sealed }), "Decrypt", &arn),
        (
            "ReEncrypt",
            json!({ "CiphertextBlob": sealed, "DestinationKeyId": key }),
            "ReEncryptFrom",
            &arn,
        ),
    ] {
        calls.push((operation, input, action.to_owned(), resource));
    }
    assert_eq!(calls.len(), 54);
    for (operation, input, action, resource) in calls {
        let refusal = ann.refused(("kms", operation), input, ("AccessDeniedException", 400));
        let text = format!(
            "User: arn:aws:iam::{account}:user/ann is not authorized to perform: kms:{action} on \
             resource: {resource} because no identity-based policy allows the kms:{action} action"
        );
        assert_eq!(refusal.message, text, "{operation}");
    }
    // Whether a key is there is not told to who may not know.
    let wrong = json!({ "KeyId": "11111111-2222-3333-4444-555555555555" });
    ann.refused(("kms", "DescribeKey"), wrong, ("AccessDeniedException", 400));
}
