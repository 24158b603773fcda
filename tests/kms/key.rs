//! Keys: their life, states and tags.

use super::{Failing, check_refusals, look_ahead, new_id, new_key, ok, pages};
use crate::support::{Lab, each};
use serde_json::{Value, json};

#[test]
fn keys_live_and_die() {
    let Some(lab) = Lab::start("keys_live_and_die") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let tags = json!([{ "TagKey": "team", "TagValue": "blue" }]);
    let made = new_key(&root, json!({ "Description": "first", "Tags": tags }));
    let id = made["KeyId"].as_str().unwrap().to_owned();
    let arn = format!("arn:aws:kms:us-east-1:{account}:key/{id}");
    for (member, value) in [
        ("Arn", json!(arn)),
        ("AWSAccountId", json!(account)),
        ("Enabled", json!(true)),
        ("KeyState", json!("Enabled")),
        ("KeyUsage", json!("ENCRYPT_DECRYPT")),
        ("KeySpec", json!("SYMMETRIC_DEFAULT")),
        ("CustomerMasterKeySpec", json!("SYMMETRIC_DEFAULT")),
        ("EncryptionAlgorithms", json!(["SYMMETRIC_DEFAULT"])),
        ("KeyManager", json!("CUSTOMER")),
        ("Origin", json!("AWS_KMS")),
        ("MultiRegion", json!(false)),
        ("Description", json!("first")),
    ] {
        assert_eq!(made[member], value, "{member}");
    }
    assert_eq!(ok(&root, "DescribeKey", json!({ "KeyId": arn }))["KeyMetadata"], made);

    ok(&root, "UpdateKeyDescription", json!({ "KeyId": id, "Description": "second" }));
    let more = json!([{ "TagKey": "team", "TagValue": "red" }, { "TagKey": "a", "TagValue": "" }]);
    ok(&root, "TagResource", json!({ "KeyId": id, "Tags": more }));
    let paged = pages(&root, "ListResourceTags", json!({ "KeyId": id, "Limit": 1 }), "Tags");
    assert_eq!(paged.len(), 2);
    ok(&root, "UntagResource", json!({ "KeyId": id, "TagKeys": ["a", "unknown"] }));
    let kept = ok(&root, "ListResourceTags", json!({ "KeyId": id }));
    assert_eq!(kept["Tags"], json!([{ "TagKey": "team", "TagValue": "red" }]));

    ok(&root, "DisableKey", json!({ "KeyId": id }));
    let encrypt = |code: &'static str, part: &'static str| -> Failing<'static> {
        ("Encrypt", json!({ "KeyId": id, "Plaintext": "x" }), code, part)
    };
    check_refusals(&root, &[encrypt("DisabledException", " is disabled.")]);
    ok(&root, "EnableKey", json!({ "KeyId": id }));
    ok(&root, "Encrypt", json!({ "KeyId": id, "Plaintext": "x" }));

    let end = json!({ "KeyId": id, "PendingWindowInDays": 7 });
    let scheduled = ok(&root, "ScheduleKeyDeletion", end.clone());
    assert_eq!(scheduled["KeyState"], json!("PendingDeletion"));
    let pending = " is pending deletion.";
    check_refusals(
        &root,
        &[
            encrypt("KMSInvalidStateException", pending),
            ("ScheduleKeyDeletion", end.clone(), "KMSInvalidStateException", pending),
            ("EnableKey", json!({ "KeyId": id }), "KMSInvalidStateException", pending),
            ("DisableKey", json!({ "KeyId": id }), "KMSInvalidStateException", pending),
            (
                "TagResource",
                json!({ "KeyId": id, "Tags": more }),
                "KMSInvalidStateException",
                pending,
            ),
        ],
    );
    ok(&root, "CancelKeyDeletion", json!({ "KeyId": id }));
    let again = json!({ "KeyId": id });
    check_refusals(
        &root,
        &[
            (
                "CancelKeyDeletion",
                again.clone(),
                "KMSInvalidStateException",
                "is not pending deletion",
            ),
            encrypt("DisabledException", " is disabled."),
        ],
    );
    ok(&root, "ScheduleKeyDeletion", end);
    look_ahead(&lab.server, 6);
    ok(&root, "DescribeKey", again.clone());
    look_ahead(&lab.server, 8);
    let gone = format!("Key '{arn}' does not exist");
    check_refusals(&root, &[("DescribeKey", again, "NotFoundException", &gone)]);
}

#[test]
fn keys_of_every_kind() {
    let Some(lab) = Lab::start("keys_of_every_kind") else { return };
    let root = lab.root();
    for (spec, usage, member, algorithms) in [
        ("RSA_2048", "ENCRYPT_DECRYPT", "EncryptionAlgorithms", 2),
        ("RSA_3072", "SIGN_VERIFY", "SigningAlgorithms", 6),
        ("ECC_NIST_P256", "SIGN_VERIFY", "SigningAlgorithms", 1),
        ("ECC_NIST_P384", "KEY_AGREEMENT", "KeyAgreementAlgorithms", 1),
        ("ECC_SECG_P256K1", "SIGN_VERIFY", "SigningAlgorithms", 1),
        ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", "SigningAlgorithms", 2),
        ("ML_DSA_65", "SIGN_VERIFY", "SigningAlgorithms", 1),
        ("HMAC_224", "GENERATE_VERIFY_MAC", "MacAlgorithms", 1),
    ] {
        let made = new_key(&root, json!({ "KeySpec": spec, "KeyUsage": usage }));
        assert_eq!(made[member].as_array().unwrap().len(), algorithms, "{made}");
        assert_eq!((&made["KeySpec"], &made["KeyUsage"]), (&json!(spec), &json!(usage)));
        assert_eq!(made["CurrentKeyMaterialId"], Value::Null);
    }
    check_refusals(
        &root,
        &[
            (
                "CreateKey",
                json!({ "KeySpec": "RSA_2048" }),
                "ValidationException",
                "KeyUsage value",
            ),
            (
                "CreateKey",
                json!({ "KeySpec": "HMAC_256", "KeyUsage": "SIGN_VERIFY" }),
                "ValidationException",
                "KeyUsage SIGN_VERIFY is not compatible with KeySpec HMAC_256",
            ),
            (
                "CreateKey",
                json!({ "KeySpec": "SM2", "KeyUsage": "SIGN_VERIFY" }),
                "ValidationException",
                "SM2",
            ),
            ("CreateKey", json!({ "KeySpec": "DES" }), "ValidationException", "keySpec"),
            (
                "CreateKey",
                json!({ "Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": "cks-1" }),
                "CustomKeyStoreNotFoundException",
                "cks-1",
            ),
            (
                "CreateKey",
                json!({ "Origin": "AWS_CLOUDHSM" }),
                "ValidationException",
                "CustomKeyStoreId",
            ),
            (
                "CreateKey",
                json!({ "Tags": [{ "TagKey": "aws:x", "TagValue": "" }] }),
                "TagException",
                "aws:",
            ),
            ("CreateKey", json!({ "Policy": "{}" }), "MalformedPolicyDocumentException", ""),
        ],
    );
}

#[test]
fn keys_are_listed_and_named() {
    let Some(lab) = Lab::start("keys_are_listed_and_named") else { return };
    let (root, account) = (lab.root(), lab.server.account_id());
    let mut made: Vec<String> = (0..3).map(|_| new_id(&root, json!({}))).collect();
    made.sort();
    let paged = pages(&root, "ListKeys", json!({ "Limit": 2 }), "Keys");
    assert_eq!(paged.len(), 2);
    let listed: Vec<&str> = paged.iter().flat_map(|page| each(page, "KeyId")).collect();
    assert_eq!(listed, made);
    let wrong = "11111111-2222-3333-4444-555555555555";
    let missing = format!("Key 'arn:aws:kms:us-east-1:{account}:key/{wrong}' does not exist");
    let elsewhere = format!("arn:aws:kms:eu-west-1:{account}:key/{}", made[0]);
    let describe = |key: &str| json!({ "KeyId": key });
    check_refusals(
        &root,
        &[
            ("DescribeKey", describe(wrong), "NotFoundException", &missing),
            ("DescribeKey", describe("nonsense"), "NotFoundException", "Invalid keyId 'nonsense'"),
            ("DescribeKey", describe("arn:aws:s3:::x"), "InvalidArnException", "Invalid arn"),
            ("DescribeKey", describe(&elsewhere), "NotFoundException", "Invalid arn eu-west-1"),
            (
                "DescribeKey",
                describe("alias/none"),
                "NotFoundException",
                "alias/none is not found.",
            ),
            ("DescribeKey", describe(""), "ValidationException", "keyId"),
            ("ListKeys", json!({ "Marker": "?" }), "InvalidMarkerException", "?"),
            ("ListKeys", json!({ "Limit": 0 }), "ValidationException", "limit"),
            ("EnableKey", describe("nonsense"), "NotFoundException", "Invalid keyId"),
            (
                "ScheduleKeyDeletion",
                json!({ "KeyId": made[0], "PendingWindowInDays": 6 }),
                "ValidationException",
                "greater than or equal to 7",
            ),
            (
                "ScheduleKeyDeletion",
                json!({ "KeyId": made[0], "PendingWindowInDays": 31 }),
                "ValidationException",
                "less than or equal to 30",
            ),
        ],
    );
}

#[test]
fn custom_key_stores_are_refused() {
    let Some(lab) = Lab::start("custom_key_stores_are_refused") else { return };
    let root = lab.root();
    assert_eq!(ok(&root, "DescribeCustomKeyStores", json!({}))["CustomKeyStores"], json!([]));
    let named = || json!({ "CustomKeyStoreId": "cks-1234567890abcdef0" });
    let missing = "CustomKeyStoreNotFoundException";
    let hsm = json!({
        "CustomKeyStoreName": "hsm", "CloudHsmClusterId": "cluster-2a23b4cdefg",
        "TrustAnchorCertificate": "x", "KeyStorePassword": "kmsPswd"
    });
    let proxy = json!({
        "CustomKeyStoreName": "proxy", "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
        "XksProxyUriEndpoint": "https://proxy.example.com", "XksProxyUriPath": "/kms/xks/v1",
        "XksProxyConnectivity": "PUBLIC_ENDPOINT",
        "XksProxyAuthenticationCredential": {
            "AccessKeyId": "ABCDEFGHIJKLMNOPQRST", "RawSecretAccessKey": "x".repeat(43)
        }
    });
    check_refusals(
        &root,
        &[
            ("ConnectCustomKeyStore", named(), missing, "cks-"),
            ("DisconnectCustomKeyStore", named(), missing, "cks-"),
            ("DeleteCustomKeyStore", named(), missing, "cks-"),
            ("UpdateCustomKeyStore", named(), missing, "cks-"),
            ("DescribeCustomKeyStores", named(), missing, "cks-"),
            (
                "CreateCustomKeyStore",
                hsm,
                "CloudHsmClusterNotFoundException",
                "cluster-2a23b4cdefg",
            ),
            ("CreateCustomKeyStore", proxy, "XksProxyUriUnreachableException", "proxy.example.com"),
            (
                "CreateCustomKeyStore",
                json!({ "CustomKeyStoreName": "x" }),
                "ValidationException",
                "CloudHsmClusterId",
            ),
            (
                "GenerateRandom",
                json!({ "NumberOfBytes": 8, "CustomKeyStoreId": "cks-1" }),
                missing,
                "cks-1",
            ),
        ],
    );
}
