//! Multi-Region keys.

use super::{blob, check_refusals, look_ahead, new_id, new_key, ok};
use crate::support::Lab;
use serde_json::{Value, json};

#[test]
fn keys_are_the_same_in_every_region() {
    let Some(lab) = Lab::start("keys_are_the_same_in_every_region") else { return };
    let root = lab.root();
    let made = new_key(&root, json!({ "MultiRegion": true }));
    let id = made["KeyId"].as_str().unwrap();
    assert!(id.starts_with("mrk-") && id.len() == 36, "{id}");
    assert_eq!(made["MultiRegionConfiguration"]["MultiRegionKeyType"], json!("PRIMARY"));
    let there = |operation: &str, input: Value| {
        root.in_region("eu-west-1", "kms", operation, input)
            .unwrap_or_else(|e| panic!("{}", e.text))
    };
    let input = json!({ "KeyId": id, "ReplicaRegion": "eu-west-1", "Description": "there" });
    let replica = ok(&root, "ReplicateKey", input.clone())["ReplicaKeyMetadata"].clone();
    assert_eq!(replica["MultiRegionConfiguration"]["MultiRegionKeyType"], json!("REPLICA"));
    assert_eq!(replica["Description"], json!("there"));
    assert_eq!(replica["CurrentKeyMaterialId"], made["CurrentKeyMaterialId"]);

    // What one seals the other opens; keys of one region do not.
    let sealed = ok(&root, "Encrypt", json!({ "KeyId": id, "Plaintext": "x" }));
    let open = json!({ "CiphertextBlob": blob(&sealed["CiphertextBlob"]) });
    let opened = there("Decrypt", open);
    assert_eq!((&opened["Plaintext"], &opened["KeyId"]), (&json!("eA=="), &replica["Arn"]));
    let single = new_id(&root, json!({}));
    let sealed = ok(&root, "Encrypt", json!({ "KeyId": single, "Plaintext": "x" }));
    let open = json!({ "CiphertextBlob": blob(&sealed["CiphertextBlob"]) });
    let refused = root.in_region("eu-west-1", "kms", "Decrypt", open).unwrap_err();
    assert_eq!(refused.code, "AccessDeniedException");
    assert!(refused.message.contains("does not exist in this region"), "{}", refused.message);

    let unsupported = "UnsupportedOperationException";
    check_refusals(
        &root,
        &[
            ("ReplicateKey", input, "AlreadyExistsException", "already exists"),
            (
                "ReplicateKey",
                json!({ "KeyId": single, "ReplicaRegion": "eu-west-1" }),
                unsupported,
                "is not a multi-Region key",
            ),
            (
                "ReplicateKey",
                json!({ "KeyId": id, "ReplicaRegion": "cn-north-1" }),
                "ValidationException",
                "partition",
            ),
            (
                "UpdatePrimaryRegion",
                json!({ "KeyId": id, "PrimaryRegion": "us-east-1" }),
                "ValidationException",
                "already",
            ),
            (
                "UpdatePrimaryRegion",
                json!({ "KeyId": id, "PrimaryRegion": "ap-south-1" }),
                "NotFoundException",
                "ap-south-1",
            ),
        ],
    );
    ok(&root, "EnableKeyRotation", json!({ "KeyId": id }));
    look_ahead(&lab.server, 366);
    let rotated = ok(&root, "DescribeKey", json!({ "KeyId": id }))["KeyMetadata"].clone();
    assert_ne!(rotated["CurrentKeyMaterialId"], made["CurrentKeyMaterialId"]);
    let followed = there("DescribeKey", json!({ "KeyId": id }))["KeyMetadata"].clone();
    assert_eq!(followed["CurrentKeyMaterialId"], rotated["CurrentKeyMaterialId"]);

    ok(&root, "UpdatePrimaryRegion", json!({ "KeyId": id, "PrimaryRegion": "eu-west-1" }));
    let moved = there("DescribeKey", json!({ "KeyId": id }))["KeyMetadata"].clone();
    assert_eq!(moved["MultiRegionConfiguration"]["MultiRegionKeyType"], json!("PRIMARY"));
    let dry = json!({ "KeyId": id, "PrimaryRegion": "eu-west-1" });
    check_refusals(&root, &[("UpdatePrimaryRegion", dry, unsupported, "is not a primary key")]);

    // A primary key waits for its replicas' end.
    let waiting = there("ScheduleKeyDeletion", json!({ "KeyId": id, "PendingWindowInDays": 7 }));
    assert_eq!(waiting["KeyState"], json!("PendingReplicaDeletion"));
    ok(&root, "ScheduleKeyDeletion", json!({ "KeyId": id, "PendingWindowInDays": 7 }));
    look_ahead(&lab.server, 8);
    let told = there("DescribeKey", json!({ "KeyId": id }))["KeyMetadata"].clone();
    assert_eq!(told["KeyState"], json!("PendingDeletion"));
    look_ahead(&lab.server, 16);
    let gone =
        root.in_region("eu-west-1", "kms", "DescribeKey", json!({ "KeyId": id })).unwrap_err();
    assert_eq!(gone.code, "NotFoundException");
}
