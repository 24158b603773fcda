//! Multipart uploads.

use super::Bucket;
use crate::support::Lab;
use serde_json::{Value, json};

fn part(bucket: &Bucket<'_>, key: &str, upload: &Value, number: u64, body: &str) -> Value {
    let input = json!({ "Key": key, "UploadId": upload, "PartNumber": number, "Body": body });
    let made = bucket.ok("UploadPart", input);
    json!({ "PartNumber": number, "ETag": made["ETag"] })
}

#[test]
fn parts_become_an_object() {
    let Some(lab) = Lab::start("parts_become_an_object") else { return };
    let root = lab.root();
    let bucket = Bucket::new(&root, "uploads");
    let input = json!({ "Key": "k", "Metadata": { "a": "1" } });
    let begun = bucket.ok("CreateMultipartUpload", input);
    let id = begun["UploadId"].clone();
    let long = "p".repeat(5 << 20);
    let two = part(&bucket, "k", &id, 2, "tail");
    let one = part(&bucket, "k", &id, 1, &long);
    let complete = |parts: &[&Value]| {
        let parts = json!({ "Parts": parts });
        json!({ "Key": "k", "UploadId": id, "MultipartUpload": parts })
    };
    bucket.refused("GetObject", json!({ "Key": "k" }), "NoSuchKey", 404);
    let operation = "CompleteMultipartUpload";
    bucket.refused(operation, complete(&[&two, &one]), "InvalidPartOrder", 400);
    let wrong = json!({ "PartNumber": 1, "ETag": "\"x\"" });
    bucket.refused(operation, complete(&[&wrong, &two]), "InvalidPart", 400);
    bucket.refused(operation, complete(&[]), "MalformedXML", 400);
    let small = part(&bucket, "k", &id, 3, "x");
    bucket.refused(operation, complete(&[&one, &two, &small]), "EntityTooSmall", 400);
    let listed = bucket.ok("ListParts", json!({ "Key": "k", "UploadId": id, "MaxParts": 2 }));
    assert_eq!(listed["Parts"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&listed["IsTruncated"], &listed["NextPartNumberMarker"]),
        (&json!(true), &json!(2))
    );
    let uploads = bucket.ok("ListMultipartUploads", json!({}));
    assert_eq!(uploads["Uploads"][0]["UploadId"], id);
    let made = bucket.ok(operation, complete(&[&one, &two]));
    assert!(made["ETag"].as_str().unwrap().ends_with("-2\""), "{made}");
    assert_eq!(bucket.get("k"), format!("{long}tail"));
    let head = bucket.ok("HeadObject", json!({ "Key": "k", "PartNumber": 2 }));
    assert_eq!((&head["PartsCount"], &head["ContentLength"]), (&json!(2), &json!(4)));
    assert_eq!(bucket.ok("HeadObject", json!({ "Key": "k" }))["Metadata"], json!({ "a": "1" }));
    bucket.refused(operation, complete(&[&one]), "NoSuchUpload", 404);
    assert!(bucket.ok("ListMultipartUploads", json!({}))["Uploads"].is_null());
}

#[test]
fn uploads_are_aborted_and_parts_copied() {
    let Some(lab) = Lab::start("uploads_are_aborted_and_parts_copied") else { return };
    let root = lab.root();
    let bucket = Bucket::new(&root, "uploads");
    bucket.put("source", "0123456789");
    let id = bucket.ok("CreateMultipartUpload", json!({ "Key": "k" }))["UploadId"].clone();
    let copy = |range: &str| {
        json!({
            "Key": "k", "UploadId": id, "PartNumber": 1, "CopySource": "uploads/source",
            "CopySourceRange": range,
        })
    };
    bucket.refused("UploadPartCopy", copy("bytes=5-20"), "InvalidArgument", 400);
    let copied = bucket.ok("UploadPartCopy", copy("bytes=2-5"));
    let parts = json!([{ "PartNumber": 1, "ETag": copied["CopyPartResult"]["ETag"] }]);
    let complete = json!({ "Key": "k", "UploadId": id, "MultipartUpload": { "Parts": parts } });
    bucket.ok("CompleteMultipartUpload", complete);
    assert_eq!(bucket.get("k"), "2345");
    let id = bucket.ok("CreateMultipartUpload", json!({ "Key": "gone" }))["UploadId"].clone();
    part(&bucket, "gone", &id, 1, "x");
    let named = json!({ "Key": "gone", "UploadId": id });
    bucket.ok("AbortMultipartUpload", named.clone());
    bucket.refused("AbortMultipartUpload", named.clone(), "NoSuchUpload", 404);
    bucket.refused("ListParts", named, "NoSuchUpload", 404);
    let numbered = json!({ "Key": "k", "UploadId": "none", "PartNumber": 1, "Body": "x" });
    bucket.refused("UploadPart", numbered, "NoSuchUpload", 404);
}
