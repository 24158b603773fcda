//! The account's public access block, tags by ARN, and who may call at all.

use super::Control;
use crate::support::{Lab, Raw, Signature, policy};
use serde_json::json;

/// SHA-256 of nothing.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// The account's block holds over all of its buckets, whatever theirs say.
#[test]
fn the_account_block_keeps_the_public_out() {
    let Some(lab) = Lab::start("the_account_block_keeps_the_public_out") else { return };
    let root = lab.root();
    let control = Control::new(&lab, &root);
    let missing = "NoSuchPublicAccessBlockConfiguration";
    control.refused("GetPublicAccessBlock", json!({}), missing, 404);
    root.ok("s3", "CreateBucket", json!({ "Bucket": "public" }));
    root.ok("s3", "PutObject", json!({ "Bucket": "public", "Key": "a", "Body": "x" }));
    root.ok("s3", "DeletePublicAccessBlock", json!({ "Bucket": "public" }));
    let open = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow",
        "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::public/*" }] });
    let put = json!({ "Bucket": "public", "Policy": open.to_string() });
    root.ok("s3", "PutBucketPolicy", put.clone());
    let get = || lab.boto.raw(&Raw { method: "GET", path: "/public/a", ..Raw::default() }).status;
    assert_eq!(get(), 200);
    let all = json!({ "BlockPublicAcls": true, "IgnorePublicAcls": true,
        "BlockPublicPolicy": true, "RestrictPublicBuckets": true });
    let block = json!({ "PublicAccessBlockConfiguration": all });
    control.ok("PutPublicAccessBlock", block.clone());
    let shown = control.ok("GetPublicAccessBlock", json!({}));
    assert_eq!(shown["PublicAccessBlockConfiguration"], all);
    assert_eq!(get(), 403);
    root.refused(("s3", "PutBucketPolicy"), put, ("AccessDenied", 403));
    control.ok("DeletePublicAccessBlock", json!({}));
    control.refused("GetPublicAccessBlock", json!({}), missing, 404);
    assert_eq!(get(), 200);
    let none = json!({ "PublicAccessBlockConfiguration": {} });
    control.refused("PutPublicAccessBlock", none, "InvalidRequest", 400);
    let other = Control { caller: &root, account: "210987654321".to_owned() };
    other.refused("GetPublicAccessBlock", json!({}), "AccessDenied", 403);
    other.refused("PutPublicAccessBlock", block, "AccessDenied", 403);
}

/// The account in the host name and the one in the header must be one.
#[test]
fn host_and_header_name_one_account() {
    let Some(lab) = Lab::start("host_and_header_name_one_account") else { return };
    let keys = lab.server.root_keys();
    let status = |host: &str| {
        let account = lab.server.account_id();
        let signature = Signature { keys: &keys, service: "s3", moved_seconds: 0, in_query: false };
        let answer = lab.boto.raw(&Raw {
            method: "GET",
            path: "/v20180820/accesspoint",
            headers: &[
                ("x-amz-account-id", &account),
                ("Host", host),
                ("x-amz-content-sha256", EMPTY),
            ],
            signature: Some(signature),
            ..Raw::default()
        });
        (answer.status, answer.body)
    };
    let own = format!("{}.s3-control.us-east-1.amazonaws.com", lab.server.account_id());
    let (found, body) = status(&own);
    assert_eq!(found, 200, "{body}");
    let (found, body) = status("210987654321.s3-control.us-east-1.amazonaws.com");
    assert_eq!(found, 403, "{body}");
    assert!(body.contains("<Code>AccessDenied</Code>"), "{body}");
}

#[test]
fn tags_by_arn() {
    let Some(lab) = Lab::start("s3control_tags_by_arn") else { return };
    let root = lab.root();
    let control = Control::new(&lab, &root);
    root.ok("s3", "CreateBucket", json!({ "Bucket": "tagged" }));
    control.point("door", "tagged");
    for arn in ["arn:aws:s3:::tagged".to_owned(), control.arn("door")] {
        let named = |more: serde_json::Value| {
            let mut input = more;
            input["ResourceArn"] = json!(arn);
            input
        };
        let tags = json!([{ "Key": "a", "Value": "1" }, { "Key": "b", "Value": "2" }]);
        control.ok("TagResource", named(json!({ "Tags": tags })));
        let tags = json!([{ "Key": "a", "Value": "3" }]);
        control.ok("TagResource", named(json!({ "Tags": tags })));
        control.ok("UntagResource", named(json!({ "TagKeys": ["b", "none"] })));
        let shown = control.ok("ListTagsForResource", named(json!({})));
        assert_eq!(shown["Tags"], tags, "{arn}");
        let wrong = json!([{ "Key": "aws:x", "Value": "3" }]);
        control.refused("TagResource", named(json!({ "Tags": wrong })), "InvalidTag", 400);
    }
    let shown = root.ok("s3", "GetBucketTagging", json!({ "Bucket": "tagged" }));
    assert_eq!(shown["TagSet"], json!([{ "Key": "a", "Value": "3" }]));
    for (arn, code, status) in [
        ("arn:aws:s3:::none", "NoSuchBucket", 404),
        (&control.arn("none"), "NoSuchAccessPoint", 404),
        ("arn:aws:s3:::tagged/key", "InvalidRequest", 400),
    ] {
        control.refused("ListTagsForResource", json!({ "ResourceArn": arn }), code, status);
    }
}

/// Every operation refuses a user without policies; those that are not there say so.
#[test]
fn every_operation_of_s3control_refuses_a_fresh_user() {
    let test = "every_operation_of_s3control_refuses_a_fresh_user";
    let Some(lab) = Lab::start(test) else { return };
    let root = lab.root();
    let ann = lab.user(&root, "ann", None);
    let arn = Control::new(&lab, &root).arn("door");
    let given = json!({ "AccountId": lab.server.account_id(), "Name": "door", "Bucket": "data",
        "ResourceArn": arn });
    let told = ann.sweep("s3control", &given);
    let here = told.iter().filter(|(_, code, _)| code == "AccessDenied").count();
    assert_eq!(here, 17, "{told:?}");
    // Some of the smallest inputs are refused by the client itself.
    let others = told.iter().filter(|(_, code, _)| code != "AccessDenied");
    for (operation, code, message) in others.filter(|(_, code, _)| code != "ParamValidationError") {
        assert_eq!(code, "NotImplemented", "{operation}: {message}");
        assert!(message.contains(operation.as_str()), "{operation}: {message}");
    }
    let allowed = lab.user(&root, "bob", Some(policy("Allow", &["s3:GetAccessPoint"], &["*"])));
    let control = Control::new(&lab, &allowed);
    control.refused("GetAccessPoint", json!({ "Name": "door" }), "NoSuchAccessPoint", 404);
    control.refused("ListAccessPoints", json!({}), "AccessDenied", 403);
}
