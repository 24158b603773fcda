//! Forms that browsers upload: signed by boto3, sent by curl.

use super::{Bucket, nobody_special};
use crate::support::{Keys, Lab, finish, have_tool, policy, skip};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;

type Fields = Vec<(String, String)>;

/// A laboratory with curl, and the file that is uploaded.
struct Page {
    lab: Lab,
    file: PathBuf,
}

/// What curl was told: status, head and body.
#[derive(Debug)]
struct Told {
    status: u16,
    head: String,
    body: String,
}

impl Page {
    fn open(test: &str) -> Option<Page> {
        let lab = Lab::start(test)?;
        if !have_tool("curl", &["--version"]) {
            skip(test, "curl is not installed");
            return None;
        }
        let file = lab.server.folder.path().join("cat picture.txt");
        std::fs::write(&file, "a picture of a cat").unwrap();
        Some(Page { lab, file })
    }

    /// Fields for a key that begins with `user/ann/`, and for files of 1 to 100 bytes.
    fn signed(&self, keys: &Keys, bucket: &str, more: Value, conditions: Value) -> Fields {
        let mut list = json!([["content-length-range", 1, 100]]);
        list.as_array_mut().unwrap().extend(conditions.as_array().unwrap().clone());
        let key = (bucket, "user/ann/${filename}");
        self.lab.boto.presigned_post(keys, key, (more, list), 600)
    }

    fn send(&self, bucket: &str, fields: &Fields) -> Told {
        let mut command = Command::new("curl");
        command.args(["-sS", "-i", "-H", "Expect:"]);
        for (name, value) in fields {
            command.arg("--form-string").arg(format!("{name}={value}"));
        }
        command.arg("-F").arg(format!("file=@{}", self.file.display()));
        command.arg(format!("{}/{bucket}", self.lab.server.url));
        let ran = finish(&mut command);
        let (head, body) = ran.out.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{ran:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Told { status, head: head.to_owned(), body: body.to_owned() }
    }

    #[track_caller]
    fn refused(&self, fields: &Fields, status: u16, code: &str, text: &str) {
        let told = self.send("pages", fields);
        assert_eq!(told.status, status, "{told:?}");
        assert!(told.body.contains(&format!("<Code>{code}</Code>")), "{told:?}");
        assert!(told.body.contains(text), "{told:?} does not say {text}");
    }
}

/// The fields with one changed, or added.
fn with(fields: &Fields, name: &str, value: &str) -> Fields {
    let mut fields = fields.clone();
    match fields.iter_mut().find(|(known, _)| known == name) {
        Some((_, known)) => *known = value.to_owned(),
        None => fields.push((name.to_owned(), value.to_owned())),
    }
    fields
}

#[test]
fn forms_become_objects() {
    let Some(page) = Page::open("forms_become_objects") else { return };
    let root = page.lab.root();
    let bucket = Bucket::new(&root, "pages");
    let tags = "<Tagging><TagSet><Tag><Key>a b</Key><Value>1</Value></Tag></TagSet></Tagging>";
    let more = json!({
        "acl": "bucket-owner-full-control", "Content-Type": "text/plain",
        "x-amz-meta-of": "${filename}", "x-amz-server-side-encryption": "AES256",
        "x-amz-checksum-crc32": "1bSDvQ==", "tagging": tags, "success_action_status": "201",
    });
    let conditions = json!([
        { "acl": "bucket-owner-full-control" }, ["starts-with", "$Content-Type", "text/"],
        ["starts-with", "$x-amz-meta-of", ""], { "x-amz-server-side-encryption": "AES256" },
        ["starts-with", "$x-amz-checksum-crc32", ""], ["starts-with", "$tagging", ""],
        { "success_action_status": "201" },
    ]);
    let fields = page.signed(&root.keys, "pages", more, conditions);
    page.refused(&fields, 400, "BadDigest", "checksum");
    let fields = with(&fields, "x-amz-checksum-crc32", &crc32(b"a picture of a cat"));
    let told = page.send("pages", &fields);
    assert_eq!(told.status, 201, "{told:?}");
    let key = "user/ann/cat picture.txt";
    let head = bucket.ok("HeadObject", json!({ "Key": key, "ChecksumMode": "ENABLED" }));
    assert!(told.body.contains(&format!("<Bucket>pages</Bucket><Key>{key}</Key>")), "{told:?}");
    let location = format!("{}/pages/user/ann/cat%20picture.txt", page.lab.server.url);
    assert!(told.body.contains(&format!("<Location>{location}</Location>")), "{told:?}");
    assert!(told.head.contains(head["ETag"].as_str().unwrap()), "{told:?}");
    assert_eq!(bucket.get(key), "a picture of a cat");
    assert_eq!(head["ContentType"], json!("text/plain"));
    assert_eq!(head["Metadata"], json!({ "of": "cat picture.txt" }));
    assert_eq!(head["ChecksumCRC32"], json!(crc32(b"a picture of a cat")));
    let tagged = bucket.ok("GetObjectTagging", json!({ "Key": key }));
    assert_eq!(tagged["TagSet"], json!([{ "Key": "a b", "Value": "1" }]));
    let plain = page.signed(&root.keys, "pages", json!({}), json!([]));
    assert_eq!(page.send("pages", &plain).status, 204);
    let target = json!({ "success_action_redirect": "http://localhost/done?a=1" });
    let condition = json!([["starts-with", "$success_action_redirect", "http://localhost/"]]);
    let told = page.send("pages", &page.signed(&root.keys, "pages", target, condition));
    assert_eq!(told.status, 303, "{told:?}");
    let wanted = "http://localhost/done?a=1&bucket=pages&key=user%2Fann%2Fcat%20picture.txt&etag=";
    assert!(told.head.contains(wanted), "{told:?}");
}

/// With Python's `zlib`, so that the sum is another maker's.
fn crc32(bytes: &[u8]) -> String {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let code = "import base64,sys,zlib;\
                print(base64.b64encode(zlib.crc32(sys.argv[1].encode()).to_bytes(4)).decode())";
    finish(Command::new("python3").args(["-c", code, &text])).out.trim().to_owned()
}

#[test]
fn policies_of_forms_are_kept() {
    let Some(page) = Page::open("policies_of_forms_are_kept") else { return };
    let root = page.lab.root();
    let bucket = Bucket::new(&root, "pages");
    let fields = page.signed(&root.keys, "pages", json!({}), json!([]));
    let failed = "Invalid according to Policy: Policy Condition failed";
    let elsewhere = with(&fields, "key", "user/bob/${filename}");
    page.refused(&elsewhere, 403, "AccessDenied", failed);
    let extra = "Invalid according to Policy: Extra input fields: x-amz-meta-a";
    page.refused(&with(&fields, "x-amz-meta-a", "1"), 403, "AccessDenied", extra);
    let open = with(&fields, "acl", "public-read");
    page.refused(&open, 403, "AccessDenied", "Extra input fields: acl");
    let other_day = with(&fields, "x-amz-date", "20200101T000000Z");
    page.refused(&other_day, 400, "InvalidArgument", "x-amz-credential");
    let (name, signature) = fields.last().unwrap();
    assert_eq!(name, "x-amz-signature");
    let spoilt = format!("{}0", &signature[..63]);
    let spoilt = if spoilt == *signature { format!("{}1", &signature[..63]) } else { spoilt };
    let spoilt = with(&fields, "x-amz-signature", &spoilt);
    page.refused(&spoilt, 403, "SignatureDoesNotMatch", "StringToSign");
    let policy = &fields.iter().find(|(name, _)| name == "policy").unwrap().1;
    let another = with(&fields, "policy", &policy.replace('J', "I"));
    page.refused(&another, 403, "SignatureDoesNotMatch", "");
    let unsigned: Fields = fields[..fields.len() - 1].to_vec();
    page.refused(&unsigned, 400, "InvalidArgument", "x-amz-signature");
    let nameless: Fields = fields.iter().filter(|(name, _)| name != "key").cloned().collect();
    page.refused(&nameless, 403, "AccessDenied", failed);
    let unknown = Keys::of("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let unknown = page.signed(&unknown, "pages", json!({}), json!([]));
    page.refused(&unknown, 403, "InvalidAccessKeyId", "");
    let old = json!({ "AWSAccessKeyId": "x", "signature": "y", "policy": "e30=", "key": "k" });
    let old: Fields = serde_json::from_value::<std::collections::BTreeMap<_, _>>(old)
        .unwrap()
        .into_iter()
        .collect();
    page.refused(&old, 400, "InvalidRequest", "AWS4-HMAC-SHA256");
    std::fs::write(&page.file, "").unwrap();
    page.refused(&fields, 400, "EntityTooSmall", "<MinSizeAllowed>1</MinSizeAllowed>");
    std::fs::write(&page.file, "x".repeat(101)).unwrap();
    page.refused(&fields, 400, "EntityTooLarge", "<MaxSizeAllowed>100</MaxSizeAllowed>");
    std::fs::write(&page.file, "x").unwrap();
    page.lab.advance(601);
    page.refused(&fields, 403, "AccessDenied", "Invalid according to Policy: Policy expired.");
    page.lab.advance(-601);
    assert_eq!(bucket.keys("Contents", json!({})), [""; 0]);
    assert_eq!(page.send("pages", &fields).status, 204);
    let none = Bucket { caller: &root, name: "none" };
    let missing = page.signed(&root.keys, none.name, json!({}), json!([]));
    let told = page.send(none.name, &missing);
    assert!(told.status == 404 && told.body.contains("NoSuchBucket"), "{told:?}");
}

/// A form is no more than a `PutObject` by who signed it.
#[test]
fn forms_are_authorized_and_recorded() {
    let Some(page) = Page::open("forms_are_authorized_and_recorded") else { return };
    let root = page.lab.root();
    let bucket = Bucket::new(&root, "pages");
    let quiet = nobody_special(&page.lab, "eve");
    let refused = page.signed(&quiet, "pages", json!({}), json!([]));
    page.refused(&refused, 403, "AccessDenied", "is not authorized to perform: s3:PutObject");
    let mut allowed = policy("Allow", &["s3:PutObject"], &["arn:aws:s3:::pages/user/*"]);
    let only = json!({ "StringEquals": { "s3:authType": "POST" } });
    allowed["Statement"][0]["Condition"] = only;
    allowed["Statement"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "Effect": "Allow", "Action": "sts:GetSessionToken", "Resource": "*" }));
    let ann = page.lab.user(&root, "ann", Some(allowed));
    let fields = page.signed(&ann.keys, "pages", json!({}), json!([]));
    assert_eq!(page.send("pages", &fields).status, 204);
    let put = json!({ "Key": "user/ann/x", "Body": "x" });
    bucket.by(&ann).refused("PutObject", put, "AccessDenied", 403);
    let session = ann.ok("sts", "GetSessionToken", json!({ "DurationSeconds": 900 }));
    let session = Keys::of_session(&session);
    let fields = page.signed(&session, "pages", json!({}), json!([]));
    assert_eq!(page.send("pages", &fields).status, 204);
    let tokenless: Fields =
        fields.iter().filter(|(name, _)| name != "x-amz-security-token").cloned().collect();
    page.refused(&tokenless, 403, "InvalidAccessKeyId", "");
    let spoilt = with(&fields, "x-amz-security-token", "AAAA");
    page.refused(&spoilt, 403, "InvalidAccessKeyId", "");
    page.lab.advance(901);
    page.refused(&fields, 400, "ExpiredToken", "");
    page.lab.advance(-901);
    let told = page.send("pages", &refused);
    let id = told.head.lines().find_map(|line| line.strip_prefix("x-palisade-decision: "));
    let why = page.lab.server.palisade(&["why", id.unwrap().trim()]);
    assert!(why.out.contains("s3:PutObject"), "{why:?}");
}

/// Without a policy a form is from nobody in particular, who may what a public bucket gives.
#[test]
fn anonymous_forms() {
    let Some(page) = Page::open("anonymous_forms") else { return };
    let root = page.lab.root();
    let bucket = Bucket::new(&root, "pages");
    let fields = vec![
        ("key".to_owned(), "in/${filename}".to_owned()),
        ("success_action_status".to_owned(), "200".to_owned()),
    ];
    page.refused(&fields, 403, "AccessDenied", "");
    bucket.ok("DeletePublicAccessBlock", json!({}));
    let open = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": "*", "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::pages/in/*" }],
    });
    bucket.ok("PutBucketPolicy", json!({ "Policy": open.to_string() }));
    let told = page.send("pages", &fields);
    assert_eq!((told.status, told.body.as_str()), (200, ""), "{told:?}");
    assert_eq!(bucket.get("in/cat picture.txt"), "a picture of a cat");
    let outside = with(&fields, "key", "out");
    page.refused(&outside, 403, "AccessDenied", "");
    page.refused(&Fields::new(), 400, "InvalidArgument", "'key'");
    let post = |kind: &str, body: &str| {
        let head = format!(
            "POST /pages HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: {kind}\r\n\
             Content-Length: {}\r\n\r\n",
            page.lab.server.address(),
            body.len(),
        );
        page.lab.server.bytes(format!("{head}{body}").as_bytes())
    };
    let kind = "multipart/form-data; boundary=B";
    for (body, status, code) in [
        ("no form", 400, "MalformedPOSTRequest"),
        (
            "--B\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nx\r\n--B--\r\n",
            400,
            "InvalidArgument",
        ),
        (
            "--B\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nin/x\r\n--B\r\n\
             Content-Disposition: form-data; name=\"file\"\r\n\r\nhalf",
            400,
            "IncompleteBody",
        ),
        (&"x".repeat(30_000), 400, "MaxPostPreDataLengthExceeded"),
    ] {
        let (told, text) = post(kind, body);
        assert!(told == status && text.contains(code), "{told} {text}, not {code}");
    }
    assert_eq!(bucket.keys("Contents", json!({})), ["in/cat picture.txt"]);
}
