//! Archived objects, another encryption for what is there, and what AWS has retired.

use super::{Bucket, nobody_special};
use crate::support::{Lab, policy};
use serde_json::json;

#[test]
fn archived_objects_are_read_after_a_restore() {
    let Some(lab) = Lab::start("archived_objects_are_read_after_a_restore") else { return };
    let root = lab.root();
    let bucket = Bucket::new(&root, "archive");
    for (key, class) in [("cold", "GLACIER"), ("colder", "DEEP_ARCHIVE")] {
        bucket.ok("PutObject", json!({ "Key": key, "Body": "hello", "StorageClass": class }));
    }
    bucket.put("warm", "x");
    let cold = json!({ "Key": "cold" });
    bucket.refused("GetObject", cold.clone(), "InvalidObjectState", 403);
    let copy = json!({ "Key": "copy", "CopySource": "archive/cold" });
    bucket.refused("CopyObject", copy.clone(), "ObjectNotInActiveTierError", 403);
    let restore = |key: &str, days: i32, tier: &str| {
        let request = json!({ "Days": days, "GlacierJobParameters": { "Tier": tier } });
        json!({ "Key": key, "RestoreRequest": request })
    };
    bucket.refused("RestoreObject", restore("warm", 1, "Standard"), "InvalidObjectState", 403);
    bucket.refused("RestoreObject", restore("none", 1, "Standard"), "NoSuchKey", 404);
    bucket.refused("RestoreObject", restore("cold", 0, "Standard"), "InvalidArgument", 400);
    bucket.refused("RestoreObject", restore("colder", 1, "Expedited"), "InvalidArgument", 400);
    bucket.refused("RestoreObject", json!({ "Key": "cold" }), "MalformedXML", 400);
    let status = |answer: &serde_json::Value| answer["ResponseMetadata"]["HTTPStatusCode"].clone();
    let begun = bucket.ok("RestoreObject", restore("cold", 2, "Standard"));
    assert!(status(&begun) == json!(202) || status(&begun).is_null(), "{begun}");
    let told = || bucket.ok("HeadObject", cold.clone())["Restore"].clone();
    assert_eq!(told(), json!("ongoing-request=\"true\""));
    bucket.refused("RestoreObject", restore("cold", 2, "Bulk"), "RestoreAlreadyInProgress", 409);
    bucket.refused("GetObject", cold.clone(), "InvalidObjectState", 403);
    lab.advance(5 * 3_600);
    assert_eq!(bucket.get("cold"), "hello");
    let shown = told();
    assert!(shown.as_str().unwrap().starts_with("ongoing-request=\"false\", expiry-date=\""));
    let asked = json!({ "OptionalObjectAttributes": ["RestoreStatus"], "Prefix": "cold" });
    let listed = bucket.ok("ListObjectsV2", asked);
    let status = &listed["Contents"][0]["RestoreStatus"];
    assert_eq!(status["IsRestoreInProgress"], json!(false), "{listed}");
    assert!(status["RestoreExpiryDate"].is_string(), "{listed}");
    bucket.ok("CopyObject", copy);
    assert_eq!(bucket.get("copy"), "hello");
    // Asked again, the days count from now on.
    bucket.ok("RestoreObject", restore("cold", 9, "Standard"));
    assert_ne!(told(), shown);
    lab.advance(10 * 86_400);
    assert!(told().is_null());
    bucket.refused("GetObject", cold, "InvalidObjectState", 403);
    let ann = lab.caller(nobody_special(&lab, "ann"));
    let mine = bucket.by(&ann);
    mine.refused("RestoreObject", restore("cold", 1, "Standard"), "AccessDenied", 403);
}

#[test]
fn another_encryption_without_a_copy() {
    let Some(lab) = Lab::start("another_encryption_without_a_copy") else { return };
    let root = lab.root();
    let bucket = Bucket::new(&root, "sealed");
    let before = bucket.put("k", "hello");
    let key = root.ok("kms", "CreateKey", json!({}))["KeyMetadata"]["Arn"].clone();
    let update = |key: &serde_json::Value| {
        let kms = json!({ "SSEKMS": { "KMSKeyArn": key, "BucketKeyEnabled": true } });
        json!({ "Key": "k", "ObjectEncryption": kms })
    };
    bucket.ok("UpdateObjectEncryption", update(&key));
    let head = bucket.ok("HeadObject", json!({ "Key": "k" }));
    assert_eq!(head["ServerSideEncryption"], json!("aws:kms"));
    assert_eq!((&head["SSEKMSKeyId"], &head["ETag"]), (&key, &before["ETag"]));
    assert_eq!(bucket.get("k"), "hello");
    let foreign =
        json!("arn:aws:kms:us-east-1:210987654321:key/00000000-0000-4000-8000-000000000000");
    bucket.refused("UpdateObjectEncryption", update(&foreign), "AccessDenied", 403);
    let read = policy("Allow", &["s3:GetObject", "s3:UpdateObjectEncryption"], &["*"]);
    let ann = lab.user(&root, "ann", Some(read));
    let mine = bucket.by(&ann);
    mine.refused("UpdateObjectEncryption", update(&key), "AccessDenied", 403);
    mine.refused("GetObject", json!({ "Key": "k" }), "AccessDenied", 403);
    bucket.ok(
        "PutObject",
        json!({ "Key": "d", "Body": "x", "ServerSideEncryption": "aws:kms:dsse" }),
    );
    let mut dual = update(&key);
    dual["Key"] = json!("d");
    bucket.refused("UpdateObjectEncryption", dual, "InvalidRequest", 400);
}

/// The names that S3 had before send the same requests as their successors.
#[test]
fn legacy_names_of_configurations() {
    let Some(lab) = Lab::start("legacy_names_of_configurations") else { return };
    let root = lab.root();
    let bucket = Bucket::new(&root, "legacy");
    let rule = json!({ "ID": "old", "Prefix": "logs/", "Status": "Enabled",
        "Expiration": { "Days": 7 } });
    let rules = json!({ "LifecycleConfiguration": { "Rules": [rule] } });
    bucket.ok("PutBucketLifecycle", rules);
    let old = bucket.ok("GetBucketLifecycle", json!({}));
    assert_eq!(old["Rules"], json!([rule]));
    let new = bucket.ok("GetBucketLifecycleConfiguration", json!({}));
    assert_eq!(new["Rules"], old["Rules"]);
    bucket.ok("PutBucketNotification", json!({ "NotificationConfiguration": {} }));
    bucket.ok("GetBucketNotification", json!({}));
}

#[test]
fn what_aws_has_retired_is_refused() {
    let Some(lab) = Lab::start("what_aws_has_retired_is_refused") else { return };
    let root = lab.root();
    let bucket = Bucket::new(&root, "retired");
    bucket.put("k", "a,b");
    bucket.refused("GetObjectTorrent", json!({ "Key": "k" }), "MethodNotAllowed", 405);
    let select = |key: &str| {
        json!({ "Key": key, "Expression": "select * from s3object", "ExpressionType": "SQL",
            "InputSerialization": { "CSV": {} }, "OutputSerialization": { "CSV": {} } })
    };
    bucket.refused("SelectObjectContent", select("k"), "MethodNotAllowed", 405);
    bucket.refused("SelectObjectContent", select("none"), "NoSuchKey", 404);
    let ann = lab.caller(nobody_special(&lab, "ann"));
    let mine = bucket.by(&ann);
    mine.refused("SelectObjectContent", select("k"), "AccessDenied", 403);
    mine.refused("GetObjectTorrent", json!({ "Key": "k" }), "AccessDenied", 403);
}
