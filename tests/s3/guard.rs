//! Guards of buckets: a second factor, rules of their lifecycle, keys of KMS, pages of others.

use super::{Bucket, nobody_special};
use crate::support::{Lab, Raw, policy};
use serde_json::{Value, json};

/// S113: nothing is deleted for good without a code, and a policy wants a session with a second
/// factor for the rest.
#[test]
fn the_mfa_guarded_bucket() {
    let Some(lab) = Lab::start("the_mfa_guarded_bucket") else { return };
    let root = lab.root();
    let bucket = Bucket::new(&root, "trail-logs");
    let made = root.ok("iam", "CreateVirtualMFADevice", json!({ "VirtualMFADeviceName": "root" }));
    let device = &made["VirtualMFADevice"];
    let serial = device["SerialNumber"].as_str().unwrap();
    let seed = decoded(device["Base32StringSeed"].as_str().unwrap());
    let code = |steps: i64| lab.boto.totp(&seed, 0, steps);
    let enable = json!({
        "UserName": lab.server.account_id(), "SerialNumber": serial,
        "AuthenticationCode1": code(-2), "AuthenticationCode2": code(-1),
    });
    root.ok("iam", "EnableMFADevice", enable);
    let versioning = json!({ "Status": "Enabled", "MFADelete": "Enabled" });
    let plain = json!({ "VersioningConfiguration": versioning });
    bucket.refused("PutBucketVersioning", plain.clone(), "AccessDenied", 403);
    let with = |mut input: Value, code: &str| {
        input["MFA"] = json!(format!("{serial} {code}"));
        input
    };
    bucket.refused("PutBucketVersioning", with(plain.clone(), "000000"), "AccessDenied", 403);
    bucket.ok("PutBucketVersioning", with(plain, &code(0)));
    assert_eq!(bucket.ok("GetBucketVersioning", json!({}))["MFADelete"], json!("Enabled"));
    let version = bucket.put("log", "x")["VersionId"].clone();
    let named = json!({ "Key": "log", "VersionId": version });
    bucket.refused("DeleteObject", named.clone(), "AccessDenied", 403);
    // A code is good once.
    bucket.refused("DeleteObject", with(named.clone(), &code(0)), "AccessDenied", 403);
    assert_eq!(bucket.get("log"), "x");
    bucket.ok("DeleteObject", with(named, &code(1)));
    bucket.refused("GetObject", json!({ "Key": "log" }), "NoSuchKey", 404);
    let deny = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject",
            "Resource": "arn:aws:s3:::trail-logs/*",
            "Condition": { "BoolIfExists": { "aws:MultiFactorAuthPresent": "false" } },
        }],
    });
    bucket.ok("PutBucketPolicy", json!({ "Policy": deny.to_string() }));
    bucket.put("log", "y");
    let allowed = policy("Allow", &["s3:*", "sts:GetSessionToken"], &["*"]);
    let ann = lab.user(&root, "ann", Some(allowed));
    bucket.by(&ann).refused("DeleteObject", json!({ "Key": "log" }), "AccessDenied", 403);
}

/// RFC 4648, section 4: the seed comes in base64, and says base32.
fn decoded(text: &str) -> String {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'=').map(digit).collect();
    let mut bytes = Vec::new();
    for group in digits.chunks(4) {
        let bits = group.iter().fold(0_u32, |bits, digit| bits << 6 | u32::from(*digit));
        let bits = bits << (6 * (4 - group.len()));
        bytes.extend(bits.to_be_bytes()[1..group.len()].iter());
    }
    String::from_utf8(bytes).unwrap()
}

/// Rules are followed on the plane's clock.
#[test]
fn lifecycle_rules_are_followed() {
    let Some(lab) = Lab::start("lifecycle_rules_are_followed") else { return };
    let root = lab.root();
    let bucket = Bucket::new(&root, "ageing");
    bucket.put("logs/old", "x");
    bucket.put("kept", "x");
    bucket.ok("CreateMultipartUpload", json!({ "Key": "logs/never" }));
    let rules = json!([
        { "ID": "logs", "Status": "Enabled", "Filter": { "Prefix": "logs/" },
          "Expiration": { "Days": 30 },
          "AbortIncompleteMultipartUpload": { "DaysAfterInitiation": 7 } },
        { "ID": "off", "Status": "Disabled", "Filter": { "Prefix": "" },
          "Expiration": { "Days": 1 } },
    ]);
    let input = json!({ "LifecycleConfiguration": { "Rules": rules } });
    bucket.ok("PutBucketLifecycleConfiguration", input);
    let told = bucket.ok("HeadObject", json!({ "Key": "logs/old" }));
    assert!(told["Expiration"].as_str().unwrap().contains("rule-id=\"logs\""), "{told}");
    let advance = |days: i64| {
        let wanted = json!({ "advance": days * 86_400 });
        assert_eq!(lab.server.operator("PUT", "clock", Some(&wanted)).0, 200);
    };
    advance(20);
    advance(-20);
    assert_eq!(bucket.keys("Contents", json!({})), ["kept", "logs/old"]);
    assert!(bucket.ok("ListMultipartUploads", json!({}))["Uploads"].is_null());
    advance(40);
    advance(-40);
    assert_eq!(bucket.keys("Contents", json!({})), ["kept"]);
    let none = json!({ "LifecycleConfiguration": { "Rules": [
        { "Status": "Enabled", "Filter": { "Prefix": "" }, "Expiration": { "Days": 0 } } ] } });
    bucket.refused("PutBucketLifecycleConfiguration", none, "InvalidArgument", 400);
}

/// SSE-KMS: the key's state and the caller's rights to it count for every object.
#[test]
fn objects_under_kms_keys() {
    let Some(lab) = Lab::start("objects_under_kms_keys") else { return };
    let root = lab.root();
    let bucket = Bucket::new(&root, "sealed");
    let key = root.ok("kms", "CreateKey", json!({}))["KeyMetadata"]["Arn"].clone();
    let rule = json!({ "ApplyServerSideEncryptionByDefault": {
        "SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key } });
    let default = json!({ "ServerSideEncryptionConfiguration": { "Rules": [rule] } });
    bucket.ok("PutBucketEncryption", default);
    let made = bucket.put("a", "secret");
    assert_eq!(made["SSEKMSKeyId"], key);
    assert_eq!(bucket.get("a"), "secret");
    let reader = policy("Allow", &["s3:GetObject"], &["arn:aws:s3:::sealed/*"]);
    let ann = lab.user(&root, "ann", Some(reader));
    let mine = bucket.by(&ann);
    let refusal = mine.refused("GetObject", json!({ "Key": "a" }), "AccessDenied", 403);
    assert!(refusal.message.contains("kms:Decrypt"), "{refusal:?}");
    let both = policy("Allow", &["kms:Decrypt"], &[key.as_str().unwrap()]);
    let input = json!({
        "UserName": "ann", "PolicyName": "kms", "PolicyDocument": both.to_string(),
    });
    root.ok("iam", "PutUserPolicy", input);
    assert_eq!(mine.get("a"), "secret");
    let plain = json!({ "Key": "b", "Body": "x", "ServerSideEncryption": "AES256" });
    assert_eq!(bucket.ok("PutObject", plain)["ServerSideEncryption"], json!("AES256"));
    let with = |key: Value| {
        json!({
            "Key": "c", "Body": "x", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key,
        })
    };
    let none = json!("11111111-2222-3333-4444-555555555555");
    bucket.refused("PutObject", with(none), "KMS.NotFoundException", 400);
    root.ok("kms", "DisableKey", json!({ "KeyId": key }));
    bucket.refused("GetObject", json!({ "Key": "a" }), "KMS.DisabledException", 400);
    bucket.refused("PutObject", with(key.clone()), "KMS.DisabledException", 400);
    let signing = json!({ "KeyUsage": "SIGN_VERIFY", "KeySpec": "ECC_NIST_P256" });
    let signing = root.ok("kms", "CreateKey", signing)["KeyMetadata"]["Arn"].clone();
    bucket.refused("PutObject", with(signing), "KMS.InvalidKeyUsageException", 400);
    root.ok("kms", "ScheduleKeyDeletion", json!({ "KeyId": key, "PendingWindowInDays": 7 }));
    bucket.refused("GetObject", json!({ "Key": "a" }), "KMS.KMSInvalidStateException", 400);
}

/// A page of another origin may do what the bucket's rules say.
#[test]
fn pages_of_other_origins() {
    let Some(lab) = Lab::start("pages_of_other_origins") else { return };
    let root = lab.root();
    let bucket = Bucket::new(&root, "paged");
    let ask = |origin: &str, method: &str| {
        let headers = [("Origin", origin), ("Access-Control-Request-Method", method)];
        let raw = Raw { method: "OPTIONS", path: "/paged/a", headers: &headers, ..Raw::default() };
        lab.boto.raw(&raw)
    };
    assert_eq!(ask("https://a.example.com", "GET").status, 403);
    let rule = json!({
        "AllowedMethods": ["GET"], "AllowedOrigins": ["https://*.example.com"],
        "MaxAgeSeconds": 60, "ExposeHeaders": ["ETag"],
    });
    bucket.ok("PutBucketCors", json!({ "CORSConfiguration": { "CORSRules": [rule] } }));
    let answer = ask("https://a.example.com", "GET");
    assert_eq!(answer.status, 200, "{answer:?}");
    let header = |name: &str| answer.headers[name].clone();
    assert_eq!(header("access-control-allow-origin"), json!("https://a.example.com"));
    assert_eq!(header("access-control-max-age"), json!("60"));
    assert_eq!(ask("https://a.example.com", "PUT").status, 403);
    assert_eq!(ask("https://evil.example.org", "GET").status, 403);
    let headers = [("Origin", "https://a.example.com")];
    let raw = Raw { method: "GET", path: "/paged/a", headers: &headers, ..Raw::default() };
    let refused = lab.boto.raw(&raw);
    assert_eq!(refused.status, 403);
    assert_eq!(refused.headers["access-control-expose-headers"], json!("ETag"));
}

/// Calls on objects are data events: recorded, and no part of the event history.
#[test]
fn data_events_are_not_looked_up() {
    let Some(lab) = Lab::start("data_events_are_not_looked_up") else { return };
    let root = lab.root();
    let bucket = Bucket::new(&root, "recorded");
    bucket.put("a", "x");
    bucket.get("a");
    let ann = lab.caller(nobody_special(&lab, "ann"));
    bucket.by(&ann).refused("GetObject", json!({ "Key": "a" }), "AccessDenied", 403);
    let attribute =
        json!([{ "AttributeKey": "EventSource", "AttributeValue": "s3.amazonaws.com" }]);
    let found = root.ok("cloudtrail", "LookupEvents", json!({ "LookupAttributes": attribute }));
    let events = found["Events"].as_array().unwrap();
    let names: Vec<_> = events.iter().map(|event| event["EventName"].clone()).collect();
    assert_eq!(names, [json!("CreateBucket")]);
}
