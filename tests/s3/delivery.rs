//! What S3 itself writes: access logs, replicas, inventories.

use super::Bucket;
use crate::support::{Caller, Lab, trust_service};
use serde_json::{Value, json};

const DAY: i64 = 86_400;

/// Lets a service write into a bucket, for a source of the account.
fn let_in(lab: &Lab, bucket: &Bucket<'_>, service: &str, source: &str) {
    let document = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "Service": service }, "Action": "s3:PutObject",
        "Resource": format!("arn:aws:s3:::{}/*", bucket.name),
        "Condition": { "ArnLike": { "aws:SourceArn": format!("arn:aws:s3:::{source}") },
            "StringEquals": { "aws:SourceAccount": lab.server.account_id() } } }] });
    bucket.ok("PutBucketPolicy", json!({ "Policy": document.to_string() }));
}

fn enable(bucket: &Bucket<'_>) {
    let enabled = json!({ "VersioningConfiguration": { "Status": "Enabled" } });
    bucket.ok("PutBucketVersioning", enabled);
}

#[test]
fn requests_are_told_in_access_logs() {
    let Some(lab) = Lab::start("requests_are_told_in_access_logs") else { return };
    let root = lab.root();
    let (app, logs) = (Bucket::new(&root, "app"), Bucket::new(&root, "logs"));
    let wanted = |target: &str| {
        let enabled = json!({ "TargetBucket": target, "TargetPrefix": "app/" });
        json!({ "BucketLoggingStatus": { "LoggingEnabled": enabled } })
    };
    app.refused("PutBucketLogging", wanted("none"), "InvalidTargetBucketForLogging", 400);
    app.ok("PutBucketLogging", wanted("logs"));
    app.put("a b", "hello");
    app.get("a b");
    // The target lets nobody in yet: what was to be told by then is dropped.
    lab.advance(300);
    assert_eq!(logs.keys("Contents", json!({})), [""; 0]);
    let_in(&lab, &logs, "logging.s3.amazonaws.com", "app");
    let ann = lab.user(&root, "ann", None);
    app.get("a b");
    app.by(&ann).refused("GetObject", json!({ "Key": "a b" }), "AccessDenied", 403);
    app.ok("ListObjectsV2", json!({}));
    lab.advance(300);
    let keys = logs.keys("Contents", json!({}));
    assert_eq!(keys.len(), 1, "{keys:?}");
    assert!(keys[0].starts_with("app/20"), "{keys:?}");
    let text = logs.get(&keys[0]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].contains(" REST.GET.OBJECT a%20b \"GET /app/a%20b"), "{text}");
    assert!(lines[0].contains("HTTP/1.1\" 200 - 5 5 "), "{text}");
    let denied = format!("arn:aws:iam::{}:user/ann", lab.server.account_id());
    assert!(lines[1].contains(&denied) && lines[1].contains(" 403 AccessDenied "), "{text}");
    assert!(lines[2].contains(" REST.GET.BUCKET - "), "{text}");
    assert!(lines.iter().all(|line| line.contains(" SigV4 - AuthHeader ")), "{text}");
    app.ok("PutBucketLogging", json!({ "BucketLoggingStatus": {} }));
    app.get("a b");
    lab.advance(600);
    assert_eq!(logs.keys("Contents", json!({})), keys);
}

/// Destinations that nothing here can reach are refused; EventBridge needs none.
#[test]
fn notifications_go_where_something_is() {
    let Some(lab) = Lab::start("notifications_go_where_something_is") else { return };
    let root = lab.root();
    let bucket = Bucket::new(&root, "noisy");
    let topic = json!({ "TopicArn": "arn:aws:sns:us-east-1:123456789012:none",
        "Events": ["s3:ObjectCreated:*"] });
    let wanted = json!({ "NotificationConfiguration": { "TopicConfigurations": [topic] } });
    bucket.refused("PutBucketNotificationConfiguration", wanted, "InvalidArgument", 400);
    let events = json!({ "NotificationConfiguration": { "EventBridgeConfiguration": {} } });
    bucket.ok("PutBucketNotificationConfiguration", events);
    let shown = bucket.ok("GetBucketNotificationConfiguration", json!({}));
    assert!(shown.get("EventBridgeConfiguration").is_some(), "{shown}");
}

fn role(lab: &Lab, root: &Caller<'_>, statements: Value) -> String {
    let trusted = trust_service("s3.amazonaws.com").to_string();
    let input = json!({ "RoleName": "replicator", "AssumeRolePolicyDocument": trusted });
    root.ok("iam", "CreateRole", input);
    let document = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
    let policy = json!({ "RoleName": "replicator", "PolicyName": "p", "PolicyDocument": document });
    root.ok("iam", "PutRolePolicy", policy);
    format!("arn:aws:iam::{}:role/replicator", lab.server.account_id())
}

fn replicating() -> Value {
    json!([
        { "Effect": "Allow", "Action": ["s3:GetReplicationConfiguration", "s3:ListBucket"],
          "Resource": "arn:aws:s3:::source" },
        { "Effect": "Allow", "Action": ["s3:GetObjectVersionForReplication",
            "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"],
          "Resource": "arn:aws:s3:::source/*" },
        { "Effect": "Allow", "Action": ["s3:ReplicateObject", "s3:ReplicateDelete",
            "s3:ReplicateTags"], "Resource": "arn:aws:s3:::target/*" },
    ])
}

#[test]
fn new_versions_are_replicated() {
    let Some(lab) = Lab::start("new_versions_are_replicated") else { return };
    let root = lab.root();
    let (from, to) = (Bucket::new(&root, "source"), Bucket::new(&root, "target"));
    enable(&from);
    let role = role(&lab, &root, replicating());
    let wanted = json!({ "ReplicationConfiguration": { "Role": role, "Rules": [{
        "ID": "all", "Priority": 1, "Status": "Enabled", "Filter": { "Prefix": "keep/" },
        "DeleteMarkerReplication": { "Status": "Enabled" },
        "Destination": { "Bucket": "arn:aws:s3:::target", "StorageClass": "STANDARD_IA" } }] } });
    from.refused("PutBucketReplication", wanted.clone(), "InvalidRequest", 400);
    enable(&to);
    from.ok("PutBucketReplication", wanted);
    let made = from.ok(
        "PutObject",
        json!({ "Key": "keep/a", "Body": "hello", "Tagging": "a=1",
        "Metadata": { "who": "ann" } }),
    );
    from.put("other", "x");
    lab.advance(1);
    let head = |bucket: &Bucket<'_>, key: &str| bucket.ok("HeadObject", json!({ "Key": key }));
    let source = head(&from, "keep/a");
    assert_eq!(source["ReplicationStatus"], json!("COMPLETED"));
    assert!(head(&from, "other").get("ReplicationStatus").is_none());
    let replica = head(&to, "keep/a");
    assert_eq!(replica["ReplicationStatus"], json!("REPLICA"));
    assert_eq!(replica["VersionId"], made["VersionId"]);
    assert_eq!((&replica["ETag"], &replica["Metadata"]), (&source["ETag"], &source["Metadata"]));
    assert_eq!(replica["StorageClass"], json!("STANDARD_IA"));
    assert_eq!(
        (to.get("keep/a"), to.keys("Contents", json!({}))),
        ("hello".into(), vec!["keep/a".into()])
    );
    // Tags that change later follow.
    let tags = json!({ "Key": "keep/a", "Tagging": { "TagSet": [{ "Key": "a", "Value": "2" }] } });
    from.ok("PutObjectTagging", tags);
    lab.advance(1);
    let tags = to.ok("GetObjectTagging", json!({ "Key": "keep/a" }));
    assert_eq!(tags["TagSet"], json!([{ "Key": "a", "Value": "2" }]));
    // In parts, and with the bytes of the source gone.
    let upload = from.ok("CreateMultipartUpload", json!({ "Key": "keep/m" }))["UploadId"].clone();
    let part = json!({ "Key": "keep/m", "UploadId": upload, "PartNumber": 1, "Body": "parts" });
    let etag = from.ok("UploadPart", part)["ETag"].clone();
    let parts = json!({ "Parts": [{ "PartNumber": 1, "ETag": etag }] });
    let whole = json!({ "Key": "keep/m", "UploadId": upload, "MultipartUpload": parts });
    let whole = from.ok("CompleteMultipartUpload", whole);
    lab.advance(1);
    for (key, version) in [("keep/a", &made["VersionId"]), ("keep/m", &whole["VersionId"])] {
        from.ok("DeleteObject", json!({ "Key": key, "VersionId": version }));
    }
    lab.advance(4 * 3_600);
    assert_eq!((to.get("keep/a"), to.get("keep/m")), ("hello".into(), "parts".into()));
    // A delete marker follows, the removal of a version does not.
    from.put("keep/b", "x");
    from.ok("DeleteObject", json!({ "Key": "keep/b" }));
    lab.advance(1);
    to.refused("GetObject", json!({ "Key": "keep/b" }), "NoSuchKey", 404);
    let versions = to.ok("ListObjectVersions", json!({ "Prefix": "keep/b" }));
    assert_eq!(versions["DeleteMarkers"].as_array().unwrap().len(), 1, "{versions}");
    // What the role may not is not done, and says so.
    root.ok("iam", "DeleteRolePolicy", json!({ "RoleName": "replicator", "PolicyName": "p" }));
    from.put("keep/c", "x");
    lab.advance(1);
    assert_eq!(head(&from, "keep/c")["ReplicationStatus"], json!("FAILED"));
    to.refused("GetObject", json!({ "Key": "keep/c" }), "NoSuchKey", 404);
}

#[test]
fn inventories_are_written() {
    let Some(lab) = Lab::start("inventories_are_written") else { return };
    let root = lab.root();
    let (app, lists) = (Bucket::new(&root, "app"), Bucket::new(&root, "lists"));
    enable(&app);
    app.put("a,\"b", "hello");
    app.put("z", "1");
    app.put("z", "22");
    let wanted = |format: &str| {
        json!({ "Id": "daily", "InventoryConfiguration": { "Id": "daily", "IsEnabled": true,
            "IncludedObjectVersions": "All", "Schedule": { "Frequency": "Daily" },
            "OptionalFields": ["Size", "EncryptionStatus"],
            "Destination": { "S3BucketDestination": { "Bucket": "arn:aws:s3:::lists",
                "Format": format, "Prefix": "inv" } } } })
    };
    app.refused("PutBucketInventoryConfiguration", wanted("ORC"), "NotImplemented", 501);
    app.ok("PutBucketInventoryConfiguration", wanted("CSV"));
    lab.advance(DAY);
    assert_eq!(lists.keys("Contents", json!({})), [""; 0]);
    let_in(&lab, &lists, "s3.amazonaws.com", "app");
    lab.advance(DAY);
    let keys = lists.keys("Contents", json!({}));
    let ends = |end: &str| keys.iter().filter(|key| key.ends_with(end)).collect::<Vec<_>>();
    assert_eq!((keys.len(), ends(".csv.gz").len()), (4, 2), "{keys:?}");
    let manifest = lists.get(ends("/manifest.json")[0]);
    let told: Value = serde_json::from_str(&manifest).unwrap();
    let schema = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, EncryptionStatus";
    assert_eq!(told["fileSchema"], json!(schema));
    assert_eq!((&told["sourceBucket"], &told["fileFormat"]), (&json!("app"), &json!("CSV")));
    let files: Vec<&str> = crate::support::each(&told["files"], "key");
    assert_eq!(files.len(), 2);
    let mut lines = Vec::new();
    for file in files {
        let link = lab.boto.presigned(&lab.server.root_keys(), "get_object", "lists", file);
        let script = format!("curl -sf '{link}' | gunzip");
        let ran = crate::support::finish(std::process::Command::new("sh").args(["-c", &script]));
        lines.extend(ran.out.lines().map(str::to_owned).collect::<Vec<_>>());
    }
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0].starts_with("\"app\",\"a%2C%22b\",\""), "{lines:?}");
    assert!(lines[0].ends_with("\",\"true\",\"false\",\"5\",\"SSE-S3\""), "{lines:?}");
    assert!(
        lines.iter().any(|it| it.ends_with("\"false\",\"false\",\"1\",\"SSE-S3\"")),
        "{lines:?}"
    );
    let checksum = lists.get(ends("/manifest.checksum")[0]);
    assert_eq!(checksum.len(), 32);
    app.ok("DeleteBucketInventoryConfiguration", json!({ "Id": "daily" }));
    lab.advance(DAY);
    assert_eq!(lists.keys("Contents", json!({})).len(), 4);
}
