//! Rotation, by the clock and on demand.

use super::{blob, check_refusals, look_ahead, new_id, ok};
use crate::support::Lab;
use serde_json::{Value, json};

#[test]
fn keys_are_rotated() {
    let Some(lab) = Lab::start("keys_are_rotated") else { return };
    let root = lab.root();
    let key = new_id(&root, json!({}));
    let named = || json!({ "KeyId": key });
    let status = || ok(&root, "GetKeyRotationStatus", named());
    let rotations = || ok(&root, "ListKeyRotations", named())["Rotations"].clone();
    assert_eq!(status()["KeyRotationEnabled"], json!(false));
    let sealed = ok(&root, "Encrypt", json!({ "KeyId": key, "Plaintext": "x" }));
    ok(&root, "EnableKeyRotation", json!({ "KeyId": key, "RotationPeriodInDays": 90 }));
    assert_eq!(status()["RotationPeriodInDays"], json!(90));
    look_ahead(&lab.server, 89);
    assert_eq!(rotations(), json!([]));
    look_ahead(&lab.server, 91);
    assert_eq!(rotations()[0]["RotationType"], json!("AUTOMATIC"));
    look_ahead(&lab.server, 181);
    assert_eq!(rotations().as_array().unwrap().len(), 2);

    ok(&root, "RotateKeyOnDemand", named());
    let mut done = Value::Null;
    for _ in 0..100 {
        done = rotations()[2]["RotationType"].clone();
        if done != Value::Null {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(done, json!("ON_DEMAND"));
    let opened = ok(&root, "Decrypt", json!({ "CiphertextBlob": blob(&sealed["CiphertextBlob"]) }));
    let again = ok(&root, "Encrypt", json!({ "KeyId": key, "Plaintext": "x" }));
    let later = ok(&root, "Decrypt", json!({ "CiphertextBlob": blob(&again["CiphertextBlob"]) }));
    assert_ne!(opened["KeyMaterialId"], later["KeyMaterialId"]);
    ok(&root, "DisableKeyRotation", named());
    assert_eq!(status()["KeyRotationEnabled"], json!(false));

    let hmac = json!({ "KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC" });
    let hmac = new_id(&root, hmac);
    let of = |key: &str| json!({ "KeyId": key });
    let of_hmac = ok(&root, "GetKeyRotationStatus", of(&hmac));
    assert_eq!(of_hmac["KeyRotationEnabled"], json!(false));
    let unsupported = "UnsupportedOperationException";
    check_refusals(
        &root,
        &[
            ("EnableKeyRotation", of(&hmac), unsupported, "key spec is HMAC_256"),
            ("DisableKeyRotation", of(&hmac), unsupported, "HMAC_256"),
            ("RotateKeyOnDemand", of(&hmac), unsupported, "HMAC_256"),
            ("ListKeyRotations", of(&hmac), unsupported, "HMAC_256"),
            (
                "EnableKeyRotation",
                json!({ "KeyId": key, "RotationPeriodInDays": 89 }),
                "ValidationException",
                "90",
            ),
        ],
    );
    ok(&root, "DisableKey", named());
    check_refusals(
        &root,
        &[
            ("EnableKeyRotation", named(), "DisabledException", "is disabled"),
            ("RotateKeyOnDemand", named(), "DisabledException", "is disabled"),
        ],
    );
}
