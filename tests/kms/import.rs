//! Imported key material.

use super::{blob, check_refusals, look_ahead, new_id, ok, peer};
use crate::support::{Caller, Lab};
use serde_json::{Value, json};

/// 32 bytes.
const MATERIAL: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER: &str = "/wECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The input of ImportKeyMaterial for that material; none where Python cannot wrap it.
fn wrapped(root: &Caller<'_>, key: &str, algorithm: &str, material: &str) -> Option<Value> {
    let asked = json!({
        "KeyId": key, "WrappingAlgorithm": algorithm, "WrappingKeySpec": "RSA_2048"
    });
    let given = ok(root, "GetParametersForImport", asked);
    let wrapped = peer(&json!({
        "do": "wrap", "public": given["PublicKey"], "material": material, "algorithm": algorithm
    }))?;
    Some(json!({
        "KeyId": key, "ImportToken": blob(&given["ImportToken"]),
        "EncryptedKeyMaterial": blob(&wrapped),
        "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"
    }))
}

#[test]
fn material_is_imported_and_expires() {
    let Some(lab) = Lab::start("material_is_imported_and_expires") else { return };
    let root = lab.root();
    let key = new_id(&root, json!({ "Origin": "EXTERNAL" }));
    let describe = || ok(&root, "DescribeKey", json!({ "KeyId": key }))["KeyMetadata"].clone();
    assert_eq!(describe()["KeyState"], json!("PendingImport"));
    let encrypt = json!({ "KeyId": key, "Plaintext": "x" });
    let pending = "is pending import.";
    check_refusals(
        &root,
        &[
            ("Encrypt", encrypt.clone(), "KMSInvalidStateException", pending),
            ("DisableKey", json!({ "KeyId": key }), "KMSInvalidStateException", pending),
        ],
    );
    let Some(import) = wrapped(&root, &key, "RSAES_OAEP_SHA_256", MATERIAL) else { return };
    ok(&root, "ImportKeyMaterial", import.clone());
    assert_eq!(describe()["ExpirationModel"], json!("KEY_MATERIAL_DOES_NOT_EXPIRE"));
    let sealed = ok(&root, "Encrypt", encrypt.clone());

    ok(&root, "DeleteImportedKeyMaterial", json!({ "KeyId": key }));
    assert_eq!(describe()["KeyState"], json!("PendingImport"));
    // The same material comes back, by the other algorithm and with an end; no other does.
    let other = wrapped(&root, &key, "RSA_AES_KEY_WRAP_SHA_256", OTHER).unwrap();
    let incorrect = "IncorrectKeyMaterialException";
    check_refusals(&root, &[("ImportKeyMaterial", other, incorrect, "")]);
    let mut again = wrapped(&root, &key, "RSA_AES_KEY_WRAP_SHA_1", MATERIAL).unwrap();
    again["ExpirationModel"] = json!("KEY_MATERIAL_EXPIRES");
    let missing = ("ImportKeyMaterial", again.clone(), "ValidationException", "validTo");
    check_refusals(&root, &[missing]);
    let (_, now) = lab.server.operator("GET", "clock", None);
    let year: i64 = now["now"].as_str().unwrap()[..4].parse().unwrap();
    again["ValidTo"] = json!(format!("{}-01-01T00:00:00Z", year + 2));
    ok(&root, "ImportKeyMaterial", again);
    assert_eq!(describe()["ExpirationModel"], json!("KEY_MATERIAL_EXPIRES"));
    let open = json!({ "CiphertextBlob": blob(&sealed["CiphertextBlob"]) });
    assert_eq!(ok(&root, "Decrypt", open.clone())["Plaintext"], json!("eA=="));
    look_ahead(&lab.server, 800);
    assert_eq!(describe()["KeyState"], json!("PendingImport"));
    check_refusals(&root, &[("Decrypt", open, "KMSInvalidStateException", pending)]);
}

#[test]
fn imports_are_refused() {
    let Some(lab) = Lab::start("imports_are_refused") else { return };
    let root = lab.root();
    let own = new_id(&root, json!({}));
    let key = new_id(&root, json!({ "Origin": "EXTERNAL" }));
    let other = new_id(&root, json!({ "Origin": "EXTERNAL" }));
    let rsa = new_id(
        &root,
        json!({
            "Origin": "EXTERNAL", "KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"
        }),
    );
    let asked = |key: &str, algorithm: &str, spec: &str| {
        json!({
            "KeyId": key, "WrappingAlgorithm": algorithm, "WrappingKeySpec": spec
        })
    };
    let oaep = "RSAES_OAEP_SHA_256";
    let unsupported = "UnsupportedOperationException";
    check_refusals(
        &root,
        &[
            (
                "GetParametersForImport",
                asked(&own, oaep, "RSA_2048"),
                unsupported,
                "origin is AWS_KMS",
            ),
            ("GetParametersForImport", asked(&key, oaep, "SM2"), unsupported, "SM2"),
            (
                "GetParametersForImport",
                asked(&key, "RSAES_PKCS1_V1_5", "RSA_2048"),
                unsupported,
                "RSAES_PKCS1_V1_5",
            ),
            (
                "GetParametersForImport",
                asked(&rsa, oaep, "RSA_2048"),
                "ValidationException",
                "wrap",
            ),
            (
                "DeleteImportedKeyMaterial",
                json!({ "KeyId": own }),
                unsupported,
                "origin is AWS_KMS",
            ),
            ("EnableKeyRotation", json!({ "KeyId": key }), unsupported, "origin is EXTERNAL"),
        ],
    );
    let Some(import) = wrapped(&root, &key, oaep, MATERIAL) else { return };
    let mut elsewhere = import.clone();
    elsewhere["KeyId"] = json!(other);
    let mut spoilt = import.clone();
    spoilt["EncryptedKeyMaterial"] = json!("junk");
    let mut forged = import.clone();
    forged["ImportToken"] = json!("junk");
    let short = wrapped(&root, &key, oaep, "AAEC").unwrap();
    let call = "ImportKeyMaterial";
    check_refusals(
        &root,
        &[
            (call, elsewhere, "InvalidImportTokenException", ""),
            (call, forged, "InvalidImportTokenException", ""),
            (call, spoilt, "InvalidCiphertextException", ""),
            (call, short, "IncorrectKeyMaterialException", "not valid for the key spec"),
        ],
    );
}

#[test]
fn new_material_is_rotated_to() {
    let Some(lab) = Lab::start("new_material_is_rotated_to") else { return };
    let root = lab.root();
    let key = new_id(&root, json!({ "Origin": "EXTERNAL" }));
    let oaep = "RSAES_OAEP_SHA_1";
    let Some(first) = wrapped(&root, &key, oaep, MATERIAL) else { return };
    let first = ok(&root, "ImportKeyMaterial", first);
    let sealed = ok(&root, "Encrypt", json!({ "KeyId": key, "Plaintext": "x" }));
    let rotate = json!({ "KeyId": key });
    let waits = "waits for rotation";
    check_refusals(
        &root,
        &[("RotateKeyOnDemand", rotate.clone(), "KMSInvalidStateException", waits)],
    );
    let mut second = wrapped(&root, &key, oaep, OTHER).unwrap();
    second["ImportType"] = json!("NEW_KEY_MATERIAL");
    let second = ok(&root, "ImportKeyMaterial", second);
    assert_ne!(first["KeyMaterialId"], second["KeyMaterialId"]);
    ok(&root, "RotateKeyOnDemand", rotate);
    let all = json!({ "KeyId": key, "IncludeKeyMaterial": "ALL_KEY_MATERIAL" });
    let mut states = Value::Null;
    for _ in 0..100 {
        let told = ok(&root, "ListKeyRotations", all.clone());
        states = json!([
            told["Rotations"][0]["KeyMaterialState"],
            told["Rotations"][1]["KeyMaterialState"]
        ]);
        if states == json!(["NON_CURRENT", "CURRENT"]) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(states, json!(["NON_CURRENT", "CURRENT"]));
    let open = json!({ "CiphertextBlob": blob(&sealed["CiphertextBlob"]) });
    assert_eq!(ok(&root, "Decrypt", open)["KeyMaterialId"], first["KeyMaterialId"]);
}
