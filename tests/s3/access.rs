//! Who may reach buckets and objects.

use super::{Bucket, nobody_special};
use crate::support::{Lab, Raw, policy};
use serde_json::{Value, json};

fn statement(effect: &str, principal: Value, action: &str, resource: &str) -> Value {
    json!({ "Effect": effect, "Principal": principal, "Action": action, "Resource": resource })
}

fn set_policy(bucket: &Bucket<'_>, statements: Value) {
    let document = json!({ "Version": "2012-10-17", "Statement": statements });
    bucket.ok("PutBucketPolicy", json!({ "Policy": document.to_string() }));
}

/// S16: the sample policy with its three shapes of resources.
#[test]
fn the_productionapp_policy() {
    let Some(lab) = Lab::start("the_productionapp_policy") else { return };
    let root = lab.root();
    let app = Bucket::new(&root, "productionapp");
    let other = Bucket::new(&root, "other");
    let document = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*" },
        { "Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetBucketLocation"],
          "Resource": "arn:aws:s3:::productionapp" },
        { "Effect": "Allow", "Action": ["s3:PutObject", "s3:GetObject", "s3:DeleteObject"],
          "Resource": "arn:aws:s3:::productionapp/*" },
    ] });
    let ann = lab.user(&root, "ann", Some(document));
    assert_eq!(ann.ok("s3", "ListBuckets", json!({}))["Buckets"].as_array().unwrap().len(), 2);
    let mine = app.by(&ann);
    mine.put("a", "x");
    assert_eq!((mine.get("a"), mine.keys("Contents", json!({}))), ("x".into(), vec!["a".into()]));
    mine.refused("GetObject", json!({ "Key": "none" }), "NoSuchKey", 404);
    mine.refused("DeleteBucket", json!({}), "AccessDenied", 403);
    other.put("a", "x");
    let theirs = other.by(&ann);
    theirs.refused("ListObjectsV2", json!({}), "AccessDenied", 403);
    theirs.refused("GetObject", json!({ "Key": "a" }), "AccessDenied", 403);
    let told = theirs.refused("GetObject", json!({ "Key": "none" }), "AccessDenied", 403);
    assert!(told.message.contains("is not authorized to perform: s3:GetObject"), "{told:?}");
}

/// S49: a bucket policy alone lets in who is of the account; who is of another needs both.
#[test]
fn bucket_policies_let_in_and_keep_out() {
    let Some(lab) = Lab::start("bucket_policies_let_in_and_keep_out") else { return };
    let root = lab.root();
    let account = lab.server.account_id();
    let bucket = Bucket::new(&root, "shared");
    bucket.put("a", "x");
    let ann = lab.caller(nobody_special(&lab, "ann"));
    let stranger_root = lab.account("210987654321");
    let allowed = policy("Allow", &["s3:*"], &["*"]);
    let stranger = lab.user(&stranger_root, "bob", Some(allowed));
    let quiet = lab.user(&stranger_root, "eve", None);
    let (by_ann, by_bob, by_eve) = (bucket.by(&ann), bucket.by(&stranger), bucket.by(&quiet));
    let get = json!({ "Key": "a" });
    for caller in [&by_ann, &by_bob, &by_eve] {
        caller.refused("GetObject", get.clone(), "AccessDenied", 403);
    }
    let principals = json!({ "AWS": [
        format!("arn:aws:iam::{account}:user/ann"), "arn:aws:iam::210987654321:root",
    ] });
    let objects = "arn:aws:s3:::shared/*";
    set_policy(&bucket, json!([statement("Allow", principals.clone(), "s3:GetObject", objects)]));
    assert_eq!((by_ann.get("a"), by_bob.get("a")), ("x".into(), "x".into()));
    by_eve.refused("GetObject", get.clone(), "AccessDenied", 403);
    by_ann.refused("GetObject", json!({ "Key": "none" }), "AccessDenied", 403);
    let shown = bucket.ok("GetBucketPolicy", json!({}));
    assert!(shown["Policy"].as_str().unwrap().contains(&format!("{account}:user/ann")));
    let mut deny = statement("Deny", json!("*"), "s3:GetObject", objects);
    deny["Condition"] = json!({ "Bool": { "aws:SecureTransport": "false" } });
    let allow = statement("Allow", principals, "s3:GetObject", objects);
    set_policy(&bucket, json!([allow, deny]));
    for caller in [&by_ann, &by_bob, &bucket] {
        caller.refused("GetObject", get.clone(), "AccessDenied", 403);
    }
    let not = json!({ "Effect": "Deny", "Action": "s3:GetObject", "Resource": objects,
        "NotPrincipal": { "AWS": [format!("arn:aws:iam::{account}:root")] } });
    set_policy(&bucket, json!([not]));
    assert_eq!(bucket.get("a"), "x");
    by_ann.refused("GetObject", get, "AccessDenied", 403);
    bucket.ok("DeleteBucketPolicy", json!({}));
    bucket.refused("GetBucketPolicy", json!({}), "NoSuchBucketPolicy", 404);
    for document in [
        "{}".to_owned(),
        "no json".to_owned(),
        json!({ "Version": "2012-10-17", "Statement": [
            statement("Allow", json!("*"), "s3:GetObject", "arn:aws:s3:::other/*") ] })
        .to_string(),
        json!({ "Version": "2012-10-17", "Statement": [statement("Allow",
            json!({ "AWS": "arn:aws:iam::123456789012:user/gone" }), "s3:GetObject", objects)] })
        .to_string(),
    ] {
        bucket.refused("PutBucketPolicy", json!({ "Policy": document }), "MalformedPolicy", 400);
    }
}

/// Nobody in particular gets what a public policy gives, unless public access is blocked.
#[test]
fn the_public_is_let_in_by_policy_and_kept_out_by_blocks() {
    let Some(lab) = Lab::start("the_public_is_let_in_by_policy") else { return };
    let root = lab.root();
    let bucket = Bucket::new(&root, "public");
    bucket.put("a", "hello");
    let get = || {
        let raw = Raw { method: "GET", path: "/public/a", ..Raw::default() };
        let answer = lab.boto.raw(&raw);
        (answer.status, answer.body)
    };
    assert_eq!(get().0, 403);
    let open = statement("Allow", json!("*"), "s3:GetObject", "arn:aws:s3:::public/*");
    let document = json!({ "Version": "2012-10-17", "Statement": [open] }).to_string();
    let put = json!({ "Policy": document });
    bucket.refused("PutBucketPolicy", put.clone(), "AccessDenied", 403);
    bucket.ok("DeletePublicAccessBlock", json!({}));
    let missing = "NoSuchPublicAccessBlockConfiguration";
    bucket.refused("GetPublicAccessBlock", json!({}), missing, 404);
    bucket.ok("PutBucketPolicy", put);
    assert_eq!(get(), (200, "hello".to_owned()));
    let status = bucket.ok("GetBucketPolicyStatus", json!({}));
    assert_eq!(status["PolicyStatus"]["IsPublic"], json!(true));
    let restrict = json!({ "RestrictPublicBuckets": true });
    bucket.ok("PutPublicAccessBlock", json!({ "PublicAccessBlockConfiguration": restrict }));
    assert_eq!(get().0, 403);
    assert_eq!(bucket.get("a"), "hello");
}

#[test]
fn access_control_lists_grant_where_they_are_on() {
    let Some(lab) = Lab::start("access_control_lists_grant_where_they_are_on") else { return };
    let root = lab.root();
    let bucket = Bucket::new(&root, "listed");
    bucket.put("a", "x");
    let acl = json!({ "Key": "a", "ACL": "public-read" });
    bucket.refused("PutObjectAcl", acl.clone(), "AccessControlListNotSupported", 400);
    let rules = json!({ "Rules": [{ "ObjectOwnership": "ObjectWriter" }] });
    bucket.ok("PutBucketOwnershipControls", json!({ "OwnershipControls": rules }));
    bucket.refused("PutObjectAcl", acl.clone(), "AccessDenied", 403);
    bucket.ok("DeletePublicAccessBlock", json!({}));
    bucket.ok("PutObjectAcl", acl);
    let get = || lab.boto.raw(&Raw { method: "GET", path: "/listed/a", ..Raw::default() }).status;
    assert_eq!(get(), 200);
    let grants = bucket.ok("GetObjectAcl", json!({ "Key": "a" }))["Grants"].clone();
    assert_eq!(grants.as_array().unwrap().len(), 2, "{grants}");
    let ignore = json!({ "IgnorePublicAcls": true });
    bucket.ok("PutPublicAccessBlock", json!({ "PublicAccessBlockConfiguration": ignore }));
    assert_eq!(get(), 403);
    let both = json!({ "Key": "b", "ACL": "private", "GrantRead": "id=\"x\"" });
    let refusal = bucket.call("PutObject", both).unwrap_err();
    assert!(["InvalidArgument", "InvalidRequest"].contains(&refusal.code.as_str()), "{refusal:?}");
}

/// Condition keys of S3, each with a call that meets it and one that does not.
#[test]
fn conditions_see_the_request_and_the_object() {
    let Some(lab) = Lab::start("conditions_see_the_request_and_the_object") else { return };
    let root = lab.root();
    let bucket = Bucket::new(&root, "conditional");
    bucket.ok("PutObject", json!({ "Key": "secret", "Body": "x", "Tagging": "class=secret" }));
    bucket.ok("PutObject", json!({ "Key": "open", "Body": "x", "Tagging": "class=open" }));
    let cases: [(&str, Value, Value, Value); 8] = [
        (
            "GetObject",
            json!({ "StringEquals": { "s3:ExistingObjectTag/class": "open" } }),
            json!({ "Key": "open" }),
            json!({ "Key": "secret" }),
        ),
        (
            "PutObject",
            json!({ "StringEquals": { "s3:RequestObjectTag/class": "open" } }),
            json!({ "Key": "n", "Tagging": "class=open" }),
            json!({ "Key": "n" }),
        ),
        (
            "PutObject",
            json!({ "StringEquals": { "s3:x-amz-server-side-encryption": "AES256" } }),
            json!({ "Key": "n", "ServerSideEncryption": "AES256" }),
            json!({ "Key": "n" }),
        ),
        (
            "PutObject",
            json!({ "StringEquals": { "s3:x-amz-storage-class": "STANDARD_IA" } }),
            json!({ "Key": "n", "StorageClass": "STANDARD_IA" }),
            json!({ "Key": "n" }),
        ),
        (
            "ListObjectsV2",
            json!({ "StringLike": { "s3:prefix": "home/*" } }),
            json!({ "Prefix": "home/ann" }),
            json!({ "Prefix": "" }),
        ),
        (
            "ListObjectsV2",
            json!({ "NumericLessThanEquals": { "s3:max-keys": "10" } }),
            json!({ "MaxKeys": 10 }),
            json!({ "MaxKeys": 11 }),
        ),
        (
            "CopyObject",
            json!({ "StringLikeIfExists": { "s3:x-amz-copy-source": "conditional/o*" } }),
            json!({ "Key": "n", "CopySource": "conditional/open" }),
            json!({ "Key": "n", "CopySource": "conditional/secret" }),
        ),
        (
            "PutObject",
            json!({ "NumericLessThan": { "s3:signatureAge": "600000" },
            "StringEquals": { "s3:authType": "REST-HEADER",
                "s3:signatureversion": "AWS4-HMAC-SHA256", "s3:x-amz-acl": "private" } }),
            json!({ "Key": "n", "ACL": "private" }),
            json!({ "Key": "n" }),
        ),
    ];
    for (index, (operation, condition, met, unmet)) in cases.into_iter().enumerate() {
        let statement = json!({
            "Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": condition,
        });
        let document = json!({ "Version": "2012-10-17", "Statement": [statement] });
        let caller = lab.user(&root, &format!("user{index}"), Some(document));
        let mine = bucket.by(&caller);
        mine.ok(operation, met);
        mine.refused(operation, unmet, "AccessDenied", 403);
    }
}

/// Every operation refuses a user without policies, and tells which action it wanted.
#[test]
fn every_operation_refuses_a_fresh_user() {
    let Some(lab) = Lab::start("every_operation_refuses_a_fresh_user") else { return };
    let root = lab.root();
    let bucket = Bucket::new(&root, "closed");
    bucket.put("k", "x");
    let ann = lab.caller(nobody_special(&lab, "ann"));
    let mine = bucket.by(&ann);
    let object = [
        "GetObject",
        "GetObjectAcl",
        "GetObjectTagging",
        "GetObjectRetention",
        "GetObjectLegalHold",
        "DeleteObject",
        "DeleteObjectTagging",
        "PutObject",
        "CreateMultipartUpload",
    ];
    for operation in object {
        mine.refused(operation, json!({ "Key": "k" }), "AccessDenied", 403);
    }
    let reads = [
        "GetBucketAbac",
        "GetBucketAccelerateConfiguration",
        "GetBucketAcl",
        "GetBucketCors",
        "GetBucketEncryption",
        "GetBucketLifecycleConfiguration",
        "GetBucketLocation",
        "GetBucketLogging",
        "GetBucketNotificationConfiguration",
        "GetBucketOwnershipControls",
        "GetBucketPolicy",
        "GetBucketPolicyStatus",
        "GetBucketReplication",
        "GetBucketRequestPayment",
        "GetBucketTagging",
        "GetBucketVersioning",
        "GetBucketWebsite",
        "GetObjectLockConfiguration",
        "GetPublicAccessBlock",
        "ListBucketMetricsConfigurations",
        "ListMultipartUploads",
        "ListObjectVersions",
        "ListObjects",
        "ListObjectsV2",
        "DeleteBucket",
        "DeleteBucketCors",
        "DeleteBucketEncryption",
        "DeleteBucketLifecycle",
        "DeleteBucketOwnershipControls",
        "DeleteBucketPolicy",
        "DeleteBucketReplication",
        "DeleteBucketTagging",
        "DeleteBucketWebsite",
        "DeletePublicAccessBlock",
    ];
    for operation in reads {
        mine.refused(operation, json!({}), "AccessDenied", 403);
    }
    ann.refused(("s3", "ListBuckets"), json!({}), ("AccessDenied", 403));
    ann.refused(("s3", "CreateBucket"), json!({ "Bucket": "mine" }), ("AccessDenied", 403));
    let objects = json!({ "Delete": { "Objects": [{ "Key": "k" }, { "Key": "l" }] } });
    let answer = mine.ok("DeleteObjects", objects);
    let errors = answer["Errors"].as_array().unwrap();
    assert!(errors.len() == 2 && errors.iter().all(|it| it["Code"] == json!("AccessDenied")));
    assert_eq!(bucket.get("k"), "x");
}
