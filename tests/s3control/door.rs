//! S3 through access points: what is decided about the access point and about the bucket behind it.

use super::Control;
use crate::support::{Caller, Lab, policy};
use serde_json::{Value, json};

const DATA: &str = "data";

fn set_bucket_policy(root: &Caller<'_>, statements: Value) {
    let document = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
    root.ok("s3", "PutBucketPolicy", json!({ "Bucket": DATA, "Policy": document }));
}

/// The bucket leaves it to the access points of an account.
fn delegation(account: &str) -> Value {
    json!([{ "Effect": "Allow", "Principal": "*", "Action": "s3:*",
        "Resource": ["arn:aws:s3:::data", "arn:aws:s3:::data/*"],
        "Condition": { "StringEquals": { "s3:DataAccessPointAccount": account } } }])
}

/// By alias and by ARN, all calls on objects reach the bucket behind the door.
#[test]
fn objects_are_reached_by_alias_and_by_arn() {
    let Some(lab) = Lab::start("objects_are_reached_by_alias_and_by_arn") else { return };
    let root = lab.root();
    let control = Control::new(&lab, &root);
    root.ok("s3", "CreateBucket", json!({ "Bucket": DATA }));
    let alias = control.point("door", DATA);
    let arn = control.arn("door");
    for (index, door) in [&alias, &arn].into_iter().enumerate() {
        let (key, copy) = (format!("k{index}"), format!("c{index}"));
        let of = |key: &str| json!({ "Bucket": door, "Key": key });
        root.ok("s3", "PutObject", json!({ "Bucket": door, "Key": key, "Body": "hello" }));
        assert_eq!(root.ok("s3", "GetObject", of(&key))["Body"], json!("hello"));
        assert_eq!(root.ok("s3", "HeadObject", of(&key))["ContentLength"], json!(5));
        let source = json!({ "Bucket": door, "Key": key });
        let input = json!({ "Bucket": door, "Key": copy, "CopySource": source });
        root.ok("s3", "CopyObject", input);
        let straight = json!({ "Bucket": DATA, "Key": copy });
        assert_eq!(root.ok("s3", "GetObject", straight)["Body"], json!("hello"));
        let listed = root.ok("s3", "ListObjectsV2", json!({ "Bucket": door }));
        assert_eq!(listed["KeyCount"], json!(2));
        let made = root.ok("s3", "CreateMultipartUpload", of("m"));
        let upload = &made["UploadId"];
        let part = json!({ "Bucket": door, "Key": "m", "UploadId": upload, "PartNumber": 1,
            "Body": "part" });
        let etag = root.ok("s3", "UploadPart", part)["ETag"].clone();
        let parts = json!({ "Parts": [{ "PartNumber": 1, "ETag": etag }] });
        let whole = json!({ "Bucket": door, "Key": "m", "UploadId": upload,
            "MultipartUpload": parts });
        root.ok("s3", "CompleteMultipartUpload", whole);
        let objects = json!({ "Objects": [{ "Key": key }, { "Key": copy }, { "Key": "m" }] });
        let gone = root.ok("s3", "DeleteObjects", json!({ "Bucket": door, "Delete": objects }));
        assert_eq!(gone["Deleted"].as_array().unwrap().len(), 3, "{gone}");
    }
    root.ok("s3", "HeadBucket", json!({ "Bucket": alias }));
    // What concerns the bucket itself is not done through a door.
    for operation in ["DeleteBucket", "GetBucketVersioning", "GetBucketTagging"] {
        let input = json!({ "Bucket": alias });
        root.refused(("s3", operation), input, ("MethodNotAllowed", 405));
    }
    let none = json!({ "Bucket": "none-abcdefghijabcdefghijabcdefghij1234-s3alias", "Key": "k" });
    root.refused(("s3", "GetObject"), none, ("NoSuchBucket", 404));
    // An access point of a VPC answers only what comes through an endpoint of that VPC.
    let inside = json!({ "Name": "inside", "Bucket": DATA,
        "VpcConfiguration": { "VpcId": "vpc-0123456789abcdef0" } });
    let alias = control.ok("CreateAccessPoint", inside)["Alias"].clone();
    let input = json!({ "Bucket": alias });
    root.refused(("s3", "ListObjectsV2"), input, ("AccessDenied", 403));
}

/// Both the access point and the bucket must permit, by whatever policies.
#[test]
fn both_sides_must_permit() {
    let Some(lab) = Lab::start("access_points_both_sides_must_permit") else { return };
    let root = lab.root();
    let control = Control::new(&lab, &root);
    root.ok("s3", "CreateBucket", json!({ "Bucket": DATA }));
    root.ok("s3", "PutObject", json!({ "Bucket": DATA, "Key": "k", "Body": "x" }));
    let (alias, door) = (control.point("door", DATA), control.arn("door"));
    let objects = format!("{door}/object/*");
    let on = |resources: &[&str]| policy("Allow", &["s3:GetObject"], resources);
    let one_sided = lab.user(&root, "point", Some(on(&[&objects])));
    let other_sided = lab.user(&root, "bucket", Some(on(&["arn:aws:s3:::data/*"])));
    let both = lab.user(&root, "both", Some(on(&[&objects, "arn:aws:s3:::data/*"])));
    let none = lab.user(&root, "none", None);
    let get = json!({ "Bucket": alias, "Key": "k" });
    both.ok("s3", "GetObject", get.clone());
    for caller in [&one_sided, &other_sided, &none] {
        caller.refused(("s3", "GetObject"), get.clone(), ("AccessDenied", 403));
    }
    let told = none.refused(("s3", "GetObject"), get.clone(), ("AccessDenied", 403));
    assert!(told.message.contains(&format!("{door}/object/k")), "{told:?}");
    // The bucket leaves it to its access points: the identity policy on the door is enough.
    set_bucket_policy(&root, delegation(&control.account));
    one_sided.ok("s3", "GetObject", get.clone());
    let straight = json!({ "Bucket": DATA, "Key": "k" });
    one_sided.refused(("s3", "GetObject"), straight.clone(), ("AccessDenied", 403));
    // Then the access point's policy alone lets in who is of the account.
    let me = format!("arn:aws:iam::{}:user/none", control.account);
    let allow = |action: &str, resource: &str| {
        json!({ "Effect": "Allow", "Principal": { "AWS": me }, "Action": action,
            "Resource": resource })
    };
    control.set_policy("door", json!([allow("s3:GetObject", &objects)]));
    none.ok("s3", "GetObject", get.clone());
    none.refused(("s3", "GetObject"), straight, ("AccessDenied", 403));
    // What is missing is told to who may list through the door.
    let missing = json!({ "Bucket": alias, "Key": "missing" });
    none.refused(("s3", "GetObject"), missing.clone(), ("AccessDenied", 403));
    control.set_policy(
        "door",
        json!([allow("s3:GetObject", &objects), allow("s3:ListBucket", &door)]),
    );
    none.refused(("s3", "GetObject"), missing, ("NoSuchKey", 404));
    // A denial on either side is one.
    let deny = json!({ "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": objects });
    control.set_policy("door", json!([deny]));
    both.refused(("s3", "GetObject"), get.clone(), ("AccessDenied", 403));
    control.ok("DeleteAccessPointPolicy", json!({ "Name": "door" }));
    both.ok("s3", "GetObject", get.clone());
    let deny = json!([{ "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::data/*",
        "Condition": { "StringEquals": { "s3:DataAccessPointArn": door } } }]);
    set_bucket_policy(&root, deny);
    both.refused(("s3", "GetObject"), get, ("AccessDenied", 403));
    both.ok("s3", "GetObject", json!({ "Bucket": DATA, "Key": "k" }));
}

/// An account's access point to a bucket of another one: both accounts must let in.
#[test]
fn access_points_of_another_account() {
    let Some(lab) = Lab::start("access_points_of_another_account") else { return };
    let root = lab.root();
    root.ok("s3", "CreateBucket", json!({ "Bucket": DATA }));
    root.ok("s3", "PutObject", json!({ "Bucket": DATA, "Key": "k", "Body": "x" }));
    let stranger = lab.account("210987654321");
    let theirs = Control { caller: &stranger, account: "210987654321".to_owned() };
    let own = lab.server.account_id();
    let plain = json!({ "Name": "door", "Bucket": DATA });
    theirs.refused("CreateAccessPoint", plain, "AccessDenied", 403);
    let named = json!({ "Name": "door", "Bucket": DATA, "BucketAccountId": own });
    let alias = theirs.ok("CreateAccessPoint", named)["Alias"].clone();
    let shown = theirs.ok("GetAccessPoint", json!({ "Name": "door" }));
    assert_eq!(shown["BucketAccountId"], json!(own));
    let get = json!({ "Bucket": alias, "Key": "k" });
    let allowed = policy("Allow", &["s3:*"], &["*"]);
    let ann = lab.user(&stranger, "ann", Some(allowed));
    ann.refused(("s3", "GetObject"), get.clone(), ("AccessDenied", 403));
    set_bucket_policy(&root, delegation("210987654321"));
    ann.ok("s3", "GetObject", get.clone());
    let mut conditional = delegation("210987654321");
    conditional[0]["Condition"]["StringEquals"]["s3:AccessPointNetworkOrigin"] = json!("VPC");
    set_bucket_policy(&root, conditional);
    ann.refused(("s3", "GetObject"), get, ("AccessDenied", 403));
    // It keeps the bucket's owner from nothing.
    root.ok("s3", "DeleteObject", json!({ "Bucket": DATA, "Key": "k" }));
    root.ok("s3", "DeleteBucket", json!({ "Bucket": DATA }));
}

/// What may be made at all: condition keys of `CreateAccessPoint`.
#[test]
fn only_access_points_of_a_vpc() {
    let Some(lab) = Lab::start("only_access_points_of_a_vpc") else { return };
    let root = lab.root();
    root.ok("s3", "CreateBucket", json!({ "Bucket": DATA }));
    let origin = json!({ "StringEquals": { "s3:AccessPointNetworkOrigin": "VPC" } });
    let document = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow",
        "Action": "s3:CreateAccessPoint", "Resource": "*", "Condition": origin }] });
    let ann = lab.user(&root, "ann", Some(document));
    let control = Control::new(&lab, &ann);
    let open = json!({ "Name": "open", "Bucket": DATA });
    control.refused("CreateAccessPoint", open, "AccessDenied", 403);
    let inside = json!({ "Name": "inside", "Bucket": DATA,
        "VpcConfiguration": { "VpcId": "vpc-0123456789abcdef0" } });
    control.ok("CreateAccessPoint", inside);
}
