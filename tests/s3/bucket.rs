//! Buckets and their settings.

use super::Bucket;
use crate::support::Lab;
use serde_json::{Value, json};

#[test]
fn buckets_are_made_found_and_deleted() {
    let Some(lab) = Lab::start("buckets_are_made_found_and_deleted") else { return };
    let (root, other) = (lab.root(), lab.account("210987654321"));
    let bucket = Bucket::new(&root, "productionapp");
    let again = bucket.ok("CreateBucket", json!({}));
    assert_eq!(again["Location"], json!("/productionapp"));
    let input = json!({ "Bucket": "productionapp" });
    other.refused(("s3", "CreateBucket"), input.clone(), ("BucketAlreadyExists", 409));
    other.refused(("s3", "HeadBucket"), input, ("403", 403));
    let missing = json!({ "Bucket": "nobodys" });
    root.refused(("s3", "HeadBucket"), missing.clone(), ("404", 404));
    root.refused(("s3", "ListObjectsV2"), missing, ("NoSuchBucket", 404));
    for name in ["Upper", "a_b", "xn--abc", "a..b", "192.168.1.1"] {
        let input = json!({ "Bucket": name });
        let refusal = root.unchecked("s3", "CreateBucket", input).unwrap_err();
        assert!(["InvalidBucketName", "ParamValidationError"].contains(&refusal.code.as_str()));
    }
    let region = json!({ "LocationConstraint": "eu-west-1" });
    let far = json!({ "Bucket": "far-away", "CreateBucketConfiguration": region });
    root.ok("s3", "CreateBucket", far.clone());
    root.refused(("s3", "CreateBucket"), far, ("BucketAlreadyOwnedByYou", 409));
    let location = root.ok("s3", "GetBucketLocation", json!({ "Bucket": "far-away" }));
    assert_eq!(location["LocationConstraint"], json!("eu-west-1"));
    let listed = root.ok("s3", "ListBuckets", json!({ "MaxBuckets": 1 }));
    assert_eq!(listed["Buckets"][0]["Name"], json!("far-away"));
    let token = listed["ContinuationToken"].clone();
    let rest = root.ok("s3", "ListBuckets", json!({ "ContinuationToken": token }));
    assert_eq!(rest["Buckets"][0]["Name"], json!("productionapp"));
    assert_eq!(other.ok("s3", "ListBuckets", json!({}))["Buckets"], json!([]));
    bucket.put("a", "x");
    bucket.refused("DeleteBucket", json!({}), "BucketNotEmpty", 409);
    bucket.ok("DeleteObject", json!({ "Key": "a" }));
    bucket.ok("DeleteBucket", json!({}));
    bucket.refused("DeleteBucket", json!({}), "NoSuchBucket", 404);
    let owner = json!({ "Bucket": "far-away", "ExpectedBucketOwner": "210987654321" });
    root.refused(("s3", "ListObjectsV2"), owner, ("AccessDenied", 403));
}

/// Each is refused while there is none, given back as it was stored, and gone when deleted.
#[test]
fn configurations_are_given_back_whole() {
    let Some(lab) = Lab::start("configurations_are_given_back_whole") else { return };
    let root = lab.root();
    let bucket = Bucket::new(&root, "settings");
    Bucket::new(&root, "log-target");
    let cors = json!({ "CORSRules": [{
        "ID": "one", "AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["https://*.example.com"],
        "AllowedHeaders": ["*"], "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 300,
    }] });
    let website = json!({
        "IndexDocument": { "Suffix": "index.html" }, "ErrorDocument": { "Key": "error.html" },
    });
    let lifecycle = json!({ "Rules": [{
        "ID": "old", "Status": "Enabled", "Filter": { "Prefix": "logs/" },
        "Expiration": { "Days": 30 },
    }] });
    let tags = json!({ "TagSet": [{ "Key": "team", "Value": "blue" }] });
    let ownership = json!({ "Rules": [{ "ObjectOwnership": "ObjectWriter" }] });
    let cases: &[(&str, &str, Value, &str)] = &[
        ("Cors", "CORSConfiguration", cors, "NoSuchCORSConfiguration"),
        ("Website", "WebsiteConfiguration", website, "NoSuchWebsiteConfiguration"),
        ("Tagging", "Tagging", tags, "NoSuchTagSet"),
        ("OwnershipControls", "OwnershipControls", ownership, "OwnershipControlsNotFoundError"),
    ];
    for (name, member, value, missing) in cases {
        let (get, put, delete) =
            (format!("GetBucket{name}"), format!("PutBucket{name}"), format!("DeleteBucket{name}"));
        if *name != "OwnershipControls" {
            bucket.refused(&get, json!({}), missing, 404);
        }
        bucket.ok(&put, json!({ *member: value }));
        let found = bucket.ok(&get, json!({}));
        let found = found.get(*member).unwrap_or(&found);
        for (part, expected) in value.as_object().unwrap() {
            assert_eq!(&found[part], expected, "{name}");
        }
        bucket.ok(&delete, json!({}));
        bucket.refused(&get, json!({}), missing, 404);
    }
    let missing = "NoSuchLifecycleConfiguration";
    bucket.refused("GetBucketLifecycleConfiguration", json!({}), missing, 404);
    let input = json!({ "LifecycleConfiguration": lifecycle });
    bucket.ok("PutBucketLifecycleConfiguration", input);
    let found = bucket.ok("GetBucketLifecycleConfiguration", json!({}));
    assert_eq!(found["Rules"], lifecycle["Rules"]);
    bucket.ok("DeleteBucketLifecycle", json!({}));
    bucket.refused("GetBucketLifecycleConfiguration", json!({}), missing, 404);
    let logging = json!({ "TargetBucket": "log-target", "TargetPrefix": "a/" });
    let input = json!({ "BucketLoggingStatus": { "LoggingEnabled": logging } });
    bucket.ok("PutBucketLogging", input);
    assert_eq!(bucket.ok("GetBucketLogging", json!({}))["LoggingEnabled"], logging);
    let payer = json!({ "RequestPaymentConfiguration": { "Payer": "Requester" } });
    bucket.ok("PutBucketRequestPayment", payer);
    assert_eq!(bucket.ok("GetBucketRequestPayment", json!({}))["Payer"], json!("Requester"));
    let input = json!({ "AccelerateConfiguration": { "Status": "Enabled" } });
    bucket.ok("PutBucketAccelerateConfiguration", input);
    let found = bucket.ok("GetBucketAccelerateConfiguration", json!({}));
    assert_eq!(found["Status"], json!("Enabled"));
}

#[test]
fn listed_configurations() {
    let Some(lab) = Lab::start("listed_configurations") else { return };
    let root = lab.root();
    let bucket = Bucket::new(&root, "settings");
    let destination = json!({ "S3BucketDestination": {
        "Bucket": "arn:aws:s3:::settings", "Format": "CSV",
    } });
    let cases = [
        ("Metrics", json!({ "Id": "one" })),
        ("Analytics", json!({ "Id": "one", "StorageClassAnalysis": {} })),
        (
            "Inventory",
            json!({
                "Id": "one", "Destination": destination, "IsEnabled": true,
                "IncludedObjectVersions": "All", "Schedule": { "Frequency": "Daily" },
            }),
        ),
        (
            "IntelligentTiering",
            json!({
                "Id": "one", "Status": "Enabled",
                "Tierings": [{ "Days": 90, "AccessTier": "ARCHIVE_ACCESS" }],
            }),
        ),
    ];
    for (kind, value) in cases {
        let member = format!("{kind}Configuration");
        let of = |verb: &str| format!("{verb}Bucket{member}");
        let id = json!({ "Id": "one" });
        bucket.refused(&of("Get"), id.clone(), "NoSuchConfiguration", 404);
        bucket.ok(&of("Put"), json!({ "Id": "one", member.as_str(): value }));
        assert_eq!(bucket.ok(&of("Get"), id.clone())[&member], value, "{kind}");
        let wrong = json!({ "Id": "two", member.as_str(): value });
        bucket.refused(&of("Put"), wrong, "InvalidArgument", 400);
        let listed = bucket.ok(&format!("ListBucket{member}s"), json!({}));
        assert_eq!(listed[format!("{member}List")], json!([value]), "{kind}");
        bucket.ok(&of("Delete"), id.clone());
        bucket.refused(&of("Delete"), id, "NoSuchConfiguration", 404);
    }
}
