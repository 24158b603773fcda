//! Versions, delete markers, object lock and MFA delete.

use super::Bucket;
use crate::support::Lab;
use serde_json::{Value, json};

fn versioned(bucket: &Bucket<'_>, status: &str) {
    let configuration = json!({ "VersioningConfiguration": { "Status": status } });
    bucket.ok("PutBucketVersioning", configuration);
}

/// Version ids and whether each is the latest, delete markers with a `-` before them.
fn versions(bucket: &Bucket<'_>) -> Vec<(String, bool)> {
    let listed = bucket.ok("ListObjectVersions", json!({}));
    let mut found = Vec::new();
    for (list, sign) in [("DeleteMarkers", "-"), ("Versions", "")] {
        for item in listed[list].as_array().cloned().unwrap_or_default() {
            let id = item["VersionId"].as_str().unwrap();
            found.push((format!("{sign}{id}"), item["IsLatest"].as_bool().unwrap()));
        }
    }
    found
}

#[test]
fn versions_and_delete_markers() {
    let Some(lab) = Lab::start("versions_and_delete_markers") else { return };
    let root = lab.root();
    let bucket = Bucket::new(&root, "versions");
    assert!(bucket.ok("GetBucketVersioning", json!({}))["Status"].is_null());
    bucket.put("k", "null");
    versioned(&bucket, "Enabled");
    let id = |made: Value| made["VersionId"].as_str().unwrap().to_owned();
    let one = id(bucket.put("k", "one"));
    let two = id(bucket.put("k", "two"));
    let marker = id(bucket.ok("DeleteObject", json!({ "Key": "k" })));
    bucket.refused("GetObject", json!({ "Key": "k" }), "NoSuchKey", 404);
    let expected = [
        (format!("-{marker}"), true),
        (two.clone(), false),
        (one.clone(), false),
        ("null".to_owned(), false),
    ];
    assert_eq!(versions(&bucket), expected);
    let get = |version: &str| {
        let found = bucket.ok("GetObject", json!({ "Key": "k", "VersionId": version }));
        found["Body"].as_str().unwrap().to_owned()
    };
    assert_eq!((get(&one), get(&two), get("null")), ("one".into(), "two".into(), "null".into()));
    let of_marker = json!({ "Key": "k", "VersionId": marker });
    bucket.refused("GetObject", of_marker.clone(), "MethodNotAllowed", 405);
    let gone = bucket.ok("DeleteObject", of_marker);
    assert_eq!(gone["DeleteMarker"], json!(true));
    assert_eq!(bucket.get("k"), "two");
    bucket.ok("DeleteObject", json!({ "Key": "k", "VersionId": two }));
    assert_eq!(bucket.get("k"), "one");
    let missing = json!({ "Key": "k", "VersionId": two });
    bucket.refused("GetObject", missing, "NoSuchVersion", 404);
    let no_id = json!({ "Key": "k", "VersionId": "x" });
    bucket.refused("GetObject", no_id, "InvalidArgument", 400);
    versioned(&bucket, "Suspended");
    bucket.put("k", "second null");
    assert_eq!(versions(&bucket), [("null".to_owned(), true), (one.clone(), false)]);
    bucket.ok("DeleteObject", json!({ "Key": "k" }));
    assert_eq!(versions(&bucket), [("-null".to_owned(), true), (one.clone(), false)]);
    bucket.refused("DeleteBucket", json!({}), "BucketNotEmpty", 409);
    let objects = json!([{ "Key": "k", "VersionId": "null" }, { "Key": "k", "VersionId": one }]);
    let deleted = bucket.ok("DeleteObjects", json!({ "Delete": { "Objects": objects } }));
    assert_eq!(deleted["Deleted"].as_array().unwrap().len(), 2);
    bucket.ok("DeleteBucket", json!({}));
}

#[test]
fn locked_versions_stay() {
    let Some(lab) = Lab::start("locked_versions_stay") else { return };
    let root = lab.root();
    let input = json!({ "Bucket": "locked", "ObjectLockEnabledForBucket": true });
    root.ok("s3", "CreateBucket", input);
    let bucket = Bucket { caller: &root, name: "locked" };
    let put = |mode: &str| {
        let made = bucket.ok(
            "PutObject",
            json!({
                "Key": mode, "Body": "x", "ObjectLockMode": mode,
                "ObjectLockRetainUntilDate": "2090-01-01T00:00:00Z",
            }),
        );
        json!({ "Key": mode, "VersionId": made["VersionId"] })
    };
    let bypass = |named: &Value| {
        let mut input = named.clone();
        input["BypassGovernanceRetention"] = json!(true);
        input
    };
    let (governed, compliant) = (put("GOVERNANCE"), put("COMPLIANCE"));
    for named in [&governed, &compliant] {
        bucket.refused("DeleteObject", named.clone(), "AccessDenied", 403);
        let mut sooner = named.clone();
        let mode = named["Key"].clone();
        sooner["Retention"] = json!({ "Mode": mode, "RetainUntilDate": "2080-01-01T00:00:00Z" });
        bucket.refused("PutObjectRetention", sooner, "AccessDenied", 403);
    }
    bucket.refused("DeleteObject", bypass(&compliant), "AccessDenied", 403);
    bucket.ok("DeleteObject", bypass(&governed));
    // Who may not bypass it does not.
    let held = bucket.put("held", "x");
    let named = json!({ "Key": "held", "VersionId": held["VersionId"] });
    let mut hold = named.clone();
    hold["LegalHold"] = json!({ "Status": "ON" });
    bucket.ok("PutObjectLegalHold", hold.clone());
    bucket.refused("DeleteObject", bypass(&named), "AccessDenied", 403);
    hold["LegalHold"] = json!({ "Status": "OFF" });
    bucket.ok("PutObjectLegalHold", hold);
    bucket.ok("DeleteObject", named);
    let suspended = json!({ "VersioningConfiguration": { "Status": "Suspended" } });
    bucket.refused("PutBucketVersioning", suspended, "InvalidBucketState", 409);
    let rule = json!({ "DefaultRetention": { "Mode": "GOVERNANCE", "Days": 1 } });
    let lock = json!({ "ObjectLockEnabled": "Enabled", "Rule": rule });
    bucket.ok("PutObjectLockConfiguration", json!({ "ObjectLockConfiguration": lock }));
    let found = bucket.ok("GetObjectLockConfiguration", json!({}));
    assert_eq!(found["ObjectLockConfiguration"], lock);
    bucket.put("by-default", "x");
    let retention = bucket.ok("GetObjectRetention", json!({ "Key": "by-default" }));
    assert_eq!(retention["Retention"]["Mode"], json!("GOVERNANCE"));
    let plain = Bucket::new(&root, "unlocked");
    let missing = "ObjectLockConfigurationNotFoundError";
    plain.refused("GetObjectLockConfiguration", json!({}), missing, 404);
}
