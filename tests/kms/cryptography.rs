//! What keys do, against another maker's cryptography where that can be.

use super::{blob, check_refusals, new_id, new_key, ok, peer};
use crate::support::Lab;
use serde_json::{Value, json};

fn base64_of(value: &str) -> Value {
    json!({ "base64": value })
}

#[test]
fn symmetric_keys_encrypt() {
    let Some(lab) = Lab::start("symmetric_keys_encrypt") else { return };
    let root = lab.root();
    let (made, other) = (new_key(&root, json!({})), new_id(&root, json!({})));
    let (key, arn) = (made["KeyId"].clone(), made["Arn"].clone());
    let context = json!({ "app": "web" });
    let input = json!({ "KeyId": key, "Plaintext": "secret", "EncryptionContext": context });
    let sealed = ok(&root, "Encrypt", input.clone());
    assert_eq!(sealed["KeyId"], arn);
    assert_ne!(ok(&root, "Encrypt", input)["CiphertextBlob"], sealed["CiphertextBlob"]);
    let text = blob(&sealed["CiphertextBlob"]);
    let open = |context: Value| json!({ "CiphertextBlob": text, "EncryptionContext": context });
    let opened = ok(&root, "Decrypt", open(context.clone()));
    assert_eq!(opened["Plaintext"], json!("c2VjcmV0"));
    assert_eq!((&opened["KeyId"], &opened["KeyMaterialId"]), (&arn, &made["CurrentKeyMaterialId"]));

    let mut by_other = open(context.clone());
    by_other["KeyId"] = json!(other);
    let mut dry = open(context.clone());
    dry["DryRun"] = json!(true);
    let mut recipient = open(context.clone());
    recipient["Recipient"] = json!({
        "KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": "x"
    });
    check_refusals(
        &root,
        &[
            ("Decrypt", open(json!({ "app": "db" })), "InvalidCiphertextException", ""),
            ("Decrypt", open(json!({})), "InvalidCiphertextException", ""),
            ("Decrypt", json!({ "CiphertextBlob": "junk" }), "InvalidCiphertextException", ""),
            ("Decrypt", by_other, "IncorrectKeyException", "does not identify a CMK"),
            ("Decrypt", dry, "DryRunOperationException", "DryRun option is set"),
            ("Decrypt", recipient, "ValidationException", "attestation"),
            ("Decrypt", json!({}), "ValidationException", "CiphertextBlob"),
            (
                "Encrypt",
                json!({ "KeyId": key, "Plaintext": "x".repeat(4097) }),
                "ValidationException",
                "4096",
            ),
            (
                "Encrypt",
                json!({
                    "KeyId": key, "Plaintext": "x", "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"
                }),
                "InvalidKeyUsageException",
                "incompatible",
            ),
            (
                "Sign",
                json!({ "KeyId": key, "Message": "x", "SigningAlgorithm": "ECDSA_SHA_256" }),
                "InvalidKeyUsageException",
                "key usage is ENCRYPT_DECRYPT which is not valid for Sign.",
            ),
            (
                "GetPublicKey",
                json!({ "KeyId": key }),
                "UnsupportedOperationException",
                "GetPublicKey",
            ),
        ],
    );

    let moved = ok(
        &root,
        "ReEncrypt",
        json!({
            "CiphertextBlob": text, "SourceEncryptionContext": context,
            "DestinationKeyId": other, "DestinationEncryptionContext": { "stage": "two" }
        }),
    );
    assert_eq!(moved["SourceKeyId"], arn);
    let opened = ok(
        &root,
        "Decrypt",
        json!({
            "CiphertextBlob": blob(&moved["CiphertextBlob"]),
            "EncryptionContext": { "stage": "two" }
        }),
    );
    assert_eq!(opened["Plaintext"], json!("c2VjcmV0"));
    let used = ok(&root, "GetKeyLastUsage", json!({ "KeyId": other }));
    assert_eq!(used["KeyLastUsage"]["Operation"], json!("Decrypt"));
    let decrypts = json!([{ "AttributeKey": "EventName", "AttributeValue": "Decrypt" }]);
    let input = json!({ "LookupAttributes": decrypts });
    let found = root.ok("cloudtrail", "LookupEvents", input).to_string();
    assert!(found.contains("encryptionContext"), "{found}");
    for hidden in ["c2VjcmV0", sealed["CiphertextBlob"].as_str().unwrap()] {
        assert!(!found.contains(hidden), "an event shows {hidden}: {found}");
    }
}

#[test]
fn data_keys_come_sealed() {
    let Some(lab) = Lab::start("data_keys_come_sealed") else { return };
    let root = lab.root();
    let key = new_id(&root, json!({}));
    let context = json!({ "object": "1" });
    let order = |extra: (&str, Value)| {
        let mut order = json!({ "KeyId": key, "EncryptionContext": context });
        order[extra.0] = extra.1;
        order
    };
    for (extra, length) in [(("KeySpec", json!("AES_256")), 44), (("NumberOfBytes", json!(3)), 4)] {
        let made = ok(&root, "GenerateDataKey", order(extra));
        assert_eq!(made["Plaintext"].as_str().unwrap().len(), length);
        let sealed = blob(&made["CiphertextBlob"]);
        let open = json!({ "CiphertextBlob": sealed, "EncryptionContext": context });
        assert_eq!(ok(&root, "Decrypt", open)["Plaintext"], made["Plaintext"]);
    }
    let sealed = order(("KeySpec", json!("AES_128")));
    let sealed = ok(&root, "GenerateDataKeyWithoutPlaintext", sealed);
    assert!(sealed.get("Plaintext").is_none());
    let open = json!({
        "CiphertextBlob": blob(&sealed["CiphertextBlob"]), "EncryptionContext": context
    });
    assert_eq!(ok(&root, "Decrypt", open)["Plaintext"].as_str().unwrap().len(), 24);
    assert_eq!(
        ok(&root, "GenerateRandom", json!({ "NumberOfBytes": 6 }))["Plaintext"]
            .as_str()
            .unwrap()
            .len(),
        8
    );
    let mut dry = order(("KeySpec", json!("AES_256")));
    dry["DryRun"] = json!(true);
    let both = json!({ "KeyId": key, "KeySpec": "AES_256", "NumberOfBytes": 32 });
    let either = "either number of bytes or key spec";
    check_refusals(
        &root,
        &[
            ("GenerateDataKey", json!({ "KeyId": key }), "ValidationException", either),
            ("GenerateDataKey", both, "ValidationException", either),
            ("GenerateDataKey", dry, "DryRunOperationException", ""),
            ("GenerateRandom", json!({ "NumberOfBytes": 1025 }), "ValidationException", "1024"),
            ("GenerateRandom", json!({}), "ValidationException", "NumberOfBytes"),
        ],
    );
    for spec in ["RSA_2048", "ECC_NIST_P256", "ECC_NIST_EDWARDS25519"] {
        let order = json!({ "KeyId": key, "KeyPairSpec": spec });
        let made = ok(&root, "GenerateDataKeyPair", order.clone());
        let sealed = blob(&made["PrivateKeyCiphertextBlob"]);
        let opened = ok(&root, "Decrypt", json!({ "CiphertextBlob": sealed }));
        assert_eq!(opened["Plaintext"], made["PrivateKeyPlaintext"]);
        let order_of = json!({ "do": "pair", "private": made["PrivateKeyPlaintext"] });
        if let Some(public) = peer(&order_of) {
            assert_eq!(public, made["PublicKey"], "{spec}");
        }
        let sealed = ok(&root, "GenerateDataKeyPairWithoutPlaintext", order);
        assert!(sealed.get("PrivateKeyPlaintext").is_none());
    }
    let sm2 = json!({ "KeyId": key, "KeyPairSpec": "SM2" });
    check_refusals(&root, &[("GenerateDataKeyPair", sm2, "UnsupportedOperationException", "SM2")]);
}

#[test]
fn signatures_are_those_of_everyone() {
    let Some(lab) = Lab::start("signatures_are_those_of_everyone") else { return };
    let root = lab.root();
    // "message" and its SHA-256.
    let (message, digest) = ("bWVzc2FnZQ==", "q1MKE+RZFJgrefm34/ueP0+CM6epELNP0SOQs5jPD+E=");
    for (spec, algorithm) in [
        ("RSA_2048", "RSASSA_PSS_SHA_256"),
        ("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_512"),
        ("ECC_NIST_P256", "ECDSA_SHA_256"),
        ("ECC_NIST_P521", "ECDSA_SHA_512"),
        ("ECC_SECG_P256K1", "ECDSA_SHA_256"),
        ("ECC_NIST_EDWARDS25519", "ED25519_SHA_512"),
        ("ML_DSA_44", "ML_DSA_SHAKE_256"),
    ] {
        let key = new_id(&root, json!({ "KeySpec": spec, "KeyUsage": "SIGN_VERIFY" }));
        let call = |message: Value| {
            json!({
                "KeyId": key, "Message": message, "SigningAlgorithm": algorithm
            })
        };
        let signed = ok(&root, "Sign", call(base64_of(message)));
        let public = ok(&root, "GetPublicKey", json!({ "KeyId": key }));
        assert_eq!(public["KeySpec"], json!(spec));
        if !algorithm.starts_with("ML_DSA") {
            let order = json!({
                "do": "verify", "public": public["PublicKey"], "message": message,
                "signature": signed["Signature"], "algorithm": algorithm
            });
            if let Some(good) = peer(&order) {
                assert_eq!(good, json!(true), "{algorithm}");
            }
        }
        let mut check = call(base64_of(message));
        check["Signature"] = blob(&signed["Signature"]);
        assert_eq!(ok(&root, "Verify", check.clone())["SignatureValid"], json!(true));
        check["Message"] = json!("another");
        let mut dry = call(base64_of(message));
        dry["DryRun"] = json!(true);
        check_refusals(
            &root,
            &[
                ("Verify", check, "KMSInvalidSignatureException", ""),
                ("Sign", dry, "DryRunOperationException", ""),
            ],
        );
    }
    let key = new_id(&root, json!({ "KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY" }));
    let by_digest = |message: Value| {
        json!({
            "KeyId": key, "Message": message, "MessageType": "DIGEST",
            "SigningAlgorithm": "ECDSA_SHA_256"
        })
    };
    let signed = ok(&root, "Sign", by_digest(base64_of(digest)));
    let mut check = by_digest(base64_of(digest));
    check["Signature"] = blob(&signed["Signature"]);
    ok(&root, "Verify", check);
    let mut other = by_digest(base64_of(digest));
    other["SigningAlgorithm"] = json!("ECDSA_SHA_384");
    let mut raw = by_digest(json!("x".repeat(4097)));
    raw["MessageType"] = json!("RAW");
    let invalid = "Digest is invalid length for algorithm ECDSA_SHA_256.";
    check_refusals(
        &root,
        &[
            ("Sign", by_digest(json!("short")), "ValidationException", invalid),
            ("Sign", other, "InvalidKeyUsageException", "ECC_NIST_P256"),
            ("Sign", raw, "ValidationException", "4096"),
        ],
    );
}

#[test]
fn rsa_keys_encrypt() {
    let Some(lab) = Lab::start("rsa_keys_encrypt") else { return };
    let root = lab.root();
    let key = new_id(&root, json!({ "KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT" }));
    let public = ok(&root, "GetPublicKey", json!({ "KeyId": key }))["PublicKey"].clone();
    for algorithm in ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"] {
        let open = |text: Value| {
            json!({
                "KeyId": key, "CiphertextBlob": text, "EncryptionAlgorithm": algorithm
            })
        };
        let input = json!({ "KeyId": key, "Plaintext": "x", "EncryptionAlgorithm": algorithm });
        let sealed = ok(&root, "Encrypt", input);
        let opened = ok(&root, "Decrypt", open(blob(&sealed["CiphertextBlob"])));
        assert_eq!(opened["Plaintext"], json!("eA=="));
        let order = json!({
            "do": "encrypt", "public": public, "plain": "eQ==", "algorithm": algorithm
        });
        if let Some(sealed) = peer(&order) {
            assert_eq!(ok(&root, "Decrypt", open(blob(&sealed)))["Plaintext"], json!("eQ=="));
        }
    }
    let algorithm = "RSAES_OAEP_SHA_256";
    let with = |extra: (&str, Value)| {
        let mut input = json!({ "KeyId": key, "EncryptionAlgorithm": algorithm, "Plaintext": "x" });
        input[extra.0] = extra.1;
        input
    };
    let long = "cannot encrypt data larger than 190 bytes";
    check_refusals(
        &root,
        &[
            ("Encrypt", with(("Plaintext", json!("x".repeat(191)))), "ValidationException", long),
            (
                "Encrypt",
                with(("EncryptionContext", json!({ "a": "b" }))),
                "ValidationException",
                "EncryptionContext is not supported",
            ),
            (
                "Decrypt",
                json!({ "CiphertextBlob": "x", "EncryptionAlgorithm": algorithm }),
                "ValidationException",
                "KeyId is required",
            ),
            (
                "GenerateDataKey",
                json!({ "KeyId": key, "KeySpec": "AES_256" }),
                "InvalidKeyUsageException",
                "RSA_2048",
            ),
        ],
    );
}

#[test]
fn codes_and_agreements() {
    let Some(lab) = Lab::start("codes_and_agreements") else { return };
    let root = lab.root();
    for (spec, algorithm, length) in
        [("HMAC_224", "HMAC_SHA_224", 40), ("HMAC_512", "HMAC_SHA_512", 88)]
    {
        let key = new_id(&root, json!({ "KeySpec": spec, "KeyUsage": "GENERATE_VERIFY_MAC" }));
        let call = json!({ "KeyId": key, "Message": "x", "MacAlgorithm": algorithm });
        let made = ok(&root, "GenerateMac", call.clone());
        assert_eq!(made["Mac"].as_str().unwrap().len(), length);
        let mut check = call;
        check["Mac"] = blob(&made["Mac"]);
        assert_eq!(ok(&root, "VerifyMac", check.clone())["MacValid"], json!(true));
        check["Message"] = json!("y");
        check_refusals(
            &root,
            &[
                ("VerifyMac", check, "KMSInvalidMacException", ""),
                (
                    "GenerateMac",
                    json!({ "KeyId": key, "Message": "x", "MacAlgorithm": "HMAC_SHA_384" }),
                    "InvalidKeyUsageException",
                    spec,
                ),
            ],
        );
    }
    for spec in ["ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"] {
        let key = new_id(&root, json!({ "KeySpec": spec, "KeyUsage": "KEY_AGREEMENT" }));
        let public = ok(&root, "GetPublicKey", json!({ "KeyId": key }))["PublicKey"].clone();
        let derive = |public: Value| {
            json!({
                "KeyId": key, "KeyAgreementAlgorithm": "ECDH", "PublicKey": public
            })
        };
        if let Some(agreed) = peer(&json!({ "do": "agree", "public": public })) {
            let derived = ok(&root, "DeriveSharedSecret", derive(blob(&agreed["public"])));
            assert_eq!(derived["SharedSecret"], agreed["shared"], "{spec}");
        }
        let junk = derive(json!("junk"));
        check_refusals(&root, &[("DeriveSharedSecret", junk, "ValidationException", "public key")]);
    }
}
