//! Objects: bytes in and out, whole, in ranges, under conditions, listed.

use super::Bucket;
use crate::support::{Lab, Ran, aws, each, finish, have_tool, skip};
use serde_json::json;
use std::io::Write as _;
use std::net::TcpStream;
use std::process::Command;

#[test]
fn objects_come_back_as_they_were_put() {
    let Some(lab) = Lab::start("objects_come_back_as_they_were_put") else { return };
    let root = lab.root();
    let bucket = Bucket::new(&root, "objects");
    let long = "0123456789abcdef".repeat(20_000);
    for (key, body) in [("a", "hello"), ("b/ü +?", "x"), ("//c", ""), ("long", &long)] {
        bucket.put(key, body);
        assert_eq!(bucket.get(key), body, "{key}");
    }
    let metadata = json!({ "one": "1", "two": "zwei" });
    let put = json!({
        "Key": "told", "Body": "hello", "Metadata": metadata, "ContentType": "text/plain",
        "CacheControl": "no-cache", "ContentEncoding": "identity", "Tagging": "a=1&b=2",
    });
    let made = bucket.ok("PutObject", put);
    assert_eq!(made["ETag"], json!("\"5d41402abc4b2a76b9719d911017c592\""));
    assert_eq!(made["ServerSideEncryption"], json!("AES256"));
    let told = bucket.ok("HeadObject", json!({ "Key": "told" }));
    for (member, expected) in [
        ("ContentLength", json!(5)),
        ("ContentType", json!("text/plain")),
        ("CacheControl", json!("no-cache")),
        ("ContentEncoding", json!("identity")),
        ("Metadata", metadata),
        ("ETag", made["ETag"].clone()),
    ] {
        assert_eq!(told[member], expected, "{member}");
    }
    for (range, body, shown) in [
        ("bytes=0-3", "0123", "bytes 0-3/320000"),
        ("bytes=-4", "cdef", "bytes 319996-319999/320000"),
        ("bytes=131070-131074", "ef012", "bytes 131070-131074/320000"),
    ] {
        let part = bucket.ok("GetObject", json!({ "Key": "long", "Range": range }));
        assert_eq!((&part["Body"], &part["ContentRange"]), (&json!(body), &json!(shown)));
    }
    let beyond = json!({ "Key": "long", "Range": "bytes=320000-" });
    bucket.refused("GetObject", beyond, "InvalidRange", 416);
    bucket.refused("GetObject", json!({ "Key": "none" }), "NoSuchKey", 404);
    bucket.refused("HeadObject", json!({ "Key": "none" }), "404", 404);
    let long_key = "k".repeat(1025);
    bucket.refused("PutObject", json!({ "Key": long_key }), "KeyTooLongError", 400);
    let digest = json!({ "Key": "told", "Body": "x", "ContentMD5": "AAAAAAAAAAAAAAAAAAAAAA==" });
    bucket.refused("PutObject", digest, "BadDigest", 400);
    assert_eq!(bucket.get("told"), "hello");
}

#[test]
fn checksums_are_checked_and_kept() {
    let Some(lab) = Lab::start("checksums_are_checked_and_kept") else { return };
    let root = lab.root();
    let bucket = Bucket::new(&root, "checksums");
    for algorithm in ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] {
        let member = format!("Checksum{algorithm}");
        let put = json!({ "Key": algorithm, "Body": "hello", "ChecksumAlgorithm": algorithm });
        let made = bucket.call("PutObject", put);
        // Some algorithms want a library of AWS's in the client.
        let Ok(made) = made else { continue };
        assert_eq!(made["ChecksumType"], json!("FULL_OBJECT"), "{algorithm}");
        let head = json!({ "Key": algorithm, "ChecksumMode": "ENABLED" });
        assert_eq!(bucket.ok("HeadObject", head)[&member], made[&member], "{algorithm}");
        let sum = made[&member].as_str().unwrap();
        let wrong = json!({ "Key": "wrong", "Body": "other", member.as_str(): sum });
        bucket.refused("PutObject", wrong, "BadDigest", 400);
    }
    let sum = json!({ "Key": "CRC32", "ObjectAttributes": ["Checksum", "ObjectSize", "ETag"] });
    let attributes = bucket.ok("GetObjectAttributes", sum);
    assert_eq!(attributes["Checksum"]["ChecksumCRC32"], json!("NhCmhg=="));
    assert_eq!(attributes["ObjectSize"], json!(5));
}

#[test]
fn conditions_on_reads_writes_and_copies() {
    let Some(lab) = Lab::start("conditions_on_reads_writes_and_copies") else { return };
    let root = lab.root();
    let bucket = Bucket::new(&root, "conditions");
    let etag = bucket.put("a", "one")["ETag"].clone();
    let with = |name: &str, value: &str| json!({ "Key": "a", name: value, "Body": "two" });
    let read = |name: &str, value: &str| json!({ "Key": "a", name: value });
    let etag = etag.as_str().unwrap();
    bucket.ok("GetObject", read("IfMatch", etag));
    bucket.refused("GetObject", read("IfMatch", "\"x\""), "PreconditionFailed", 412);
    bucket.refused("GetObject", read("IfNoneMatch", etag), "304", 304);
    bucket.refused("PutObject", with("IfNoneMatch", "*"), "PreconditionFailed", 412);
    bucket.refused("PutObject", with("IfMatch", "\"x\""), "PreconditionFailed", 412);
    let copy =
        |name: &str, value: &str| json!({ "Key": "b", "CopySource": "conditions/a", name: value });
    bucket.refused("CopyObject", copy("CopySourceIfMatch", "\"x\""), "PreconditionFailed", 412);
    bucket.ok("CopyObject", copy("CopySourceIfMatch", etag));
    assert_eq!(bucket.get("b"), "one");
    bucket.ok("PutObject", with("IfMatch", etag));
    assert_eq!(bucket.get("a"), "two");
    let itself = json!({ "Key": "a", "CopySource": "conditions/a" });
    bucket.refused("CopyObject", itself, "InvalidRequest", 400);
    let missing = json!({ "Key": "c", "CopySource": "conditions/none" });
    bucket.refused("CopyObject", missing, "NoSuchKey", 404);
}

#[test]
fn listings_have_pages_and_common_prefixes() {
    let Some(lab) = Lab::start("listings_have_pages_and_common_prefixes") else { return };
    let root = lab.root();
    let bucket = Bucket::new(&root, "listings");
    for key in ["a/1", "a/2", "b", "c/d/1", "c/d/2", "z"] {
        bucket.put(key, "x");
    }
    let all = bucket.keys("Contents", json!({}));
    assert_eq!(all, ["a/1", "a/2", "b", "c/d/1", "c/d/2", "z"]);
    let slash = json!({ "Delimiter": "/" });
    assert_eq!(bucket.keys("Contents", slash.clone()), ["b", "z"]);
    assert_eq!(bucket.keys("CommonPrefixes", slash), ["a/", "c/"]);
    let below = json!({ "Delimiter": "/", "Prefix": "c/" });
    assert_eq!(bucket.keys("CommonPrefixes", below), ["c/d/"]);
    let (mut found, mut token) = (Vec::new(), None);
    for _ in 0..10 {
        let mut input = json!({ "MaxKeys": 1, "Delimiter": "/" });
        if let Some(token) = &token {
            input["ContinuationToken"] = json!(token);
        }
        let page = bucket.ok("ListObjectsV2", input);
        for (list, member) in [("Contents", "Key"), ("CommonPrefixes", "Prefix")] {
            let listed = page[list].as_array().cloned().unwrap_or_default();
            found.extend(listed.iter().map(|it| it[member].as_str().unwrap().to_owned()));
        }
        token = page["NextContinuationToken"].as_str().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    assert_eq!(found, ["a/", "b", "c/", "z"]);
    let after = json!({ "StartAfter": "c/d/1" });
    assert_eq!(bucket.keys("Contents", after), ["c/d/2", "z"]);
    let first = bucket.ok("ListObjects", json!({ "MaxKeys": 2, "Delimiter": "/" }));
    assert_eq!(first["NextMarker"], json!("b"));
    let bad = json!({ "ContinuationToken": "%%%" });
    bucket.refused("ListObjectsV2", bad, "InvalidArgument", 400);
}

fn said(ran: &Ran) -> String {
    format!("{}{}", ran.out, ran.err)
}

/// The AWS CLI's own multipart uploads, and curl with nothing but a presigned URL.
#[test]
fn the_cli_syncs_and_curl_uploads() {
    let test = "the_cli_syncs_and_curl_uploads";
    let Some(lab) = Lab::start(test) else { return };
    if !have_tool("aws", &["--version"]) || !have_tool("curl", &["--version"]) {
        return skip(test, "aws or curl is not installed");
    }
    let (root, server) = (lab.root(), &lab.server);
    let bucket = Bucket::new(&root, "synced");
    let folder = server.folder.path().join("sync");
    std::fs::create_dir_all(folder.join("sub")).unwrap();
    std::fs::write(folder.join("small"), "small").unwrap();
    let big: Vec<u8> = (0..12_000_000_u32).map(|number| (number % 251) as u8).collect();
    std::fs::write(folder.join("sub/big"), &big).unwrap();
    let here = folder.to_str().unwrap();
    let up = aws(server, &root.keys, &["s3", "sync", here, "s3://synced/x"]);
    assert_eq!(up.code, Some(0), "{}", said(&up));
    assert_eq!(bucket.keys("Contents", json!({})), ["x/small", "x/sub/big"]);
    let back = server.folder.path().join("back");
    let down = aws(server, &root.keys, &["s3", "sync", "s3://synced", back.to_str().unwrap()]);
    assert_eq!(down.code, Some(0), "{}", said(&down));
    assert!(std::fs::read(back.join("x/sub/big")).unwrap() == big);
    let again = aws(server, &root.keys, &["s3", "sync", here, "s3://synced/x"]);
    assert_eq!(again.out, "", "{}", said(&again));
    let link = lab.boto.presigned(&root.keys, "put_object", "synced", "by-curl");
    let file = folder.join("small");
    let sent = finish(Command::new("curl").args(["-sS", "-f", "-T"]).arg(&file).arg(&link));
    assert_eq!(sent.code, Some(0), "{}", said(&sent));
    let link = lab.boto.presigned(&root.keys, "get_object", "synced", "by-curl");
    let got = finish(Command::new("curl").args(["-sS", "-f"]).arg(&link));
    assert_eq!(got.out, "small");
    let spoilt = link.replace("by-curl", "x/small");
    let refused = finish(Command::new("curl").arg("-sS").arg(&spoilt));
    assert!(refused.out.contains("SignatureDoesNotMatch"), "{}", said(&refused));
}

/// A byte that was altered on the disk never reaches a client.
#[test]
fn an_altered_byte_is_noticed() {
    let Some(lab) = Lab::start("an_altered_byte_is_noticed") else { return };
    let root = lab.root();
    let bucket = Bucket::new(&root, "altered");
    bucket.put("a", "hello");
    let blobs = lab.server.folder.path().join("blobs");
    let mut altered = 0;
    for drawer in std::fs::read_dir(&blobs).unwrap() {
        for file in std::fs::read_dir(drawer.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let mut bytes = std::fs::read(&path).unwrap();
            bytes[1] ^= 1;
            std::fs::write(&path, bytes).unwrap();
            altered += 1;
        }
    }
    assert_eq!(altered, 1);
    bucket.refused("GetObject", json!({ "Key": "a" }), "InternalError", 500);
    bucket.ok("HeadObject", json!({ "Key": "a" }));
}

/// Whatever a client does after it sent its body: what a listing shows can be read.
#[test]
fn an_upload_whose_client_hangs_up_is_whole_or_not_there() {
    let name = "an_upload_whose_client_hangs_up_is_whole_or_not_there";
    let Some(lab) = Lab::start(name) else { return };
    let root = lab.root();
    let bucket = Bucket::new(&root, "hangup");
    let body = vec![b'x'; 20_000];
    for number in 0..60 {
        let link = lab.boto.presigned(&root.keys, "put_object", "hangup", &format!("k{number}"));
        let (_, rest) = link.split_once("://").unwrap();
        let (host, target) = rest.split_once('/').unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        let head = format!(
            "PUT /{target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(number % 12));
    }
    // All that was begun has ended when a later change has.
    bucket.ok("PutObject", json!({ "Key": "last", "Body": "x" }));
    std::thread::sleep(std::time::Duration::from_millis(500));
    let listed = bucket.ok("ListObjectsV2", json!({}));
    let keys = each(&listed["Contents"], "Key");
    assert!(keys.len() > 1, "no upload was far enough when its client hung up");
    for key in keys.into_iter().filter(|key| *key != "last") {
        let read = bucket.ok("GetObject", json!({ "Key": key }));
        assert_eq!(read["ContentLength"], json!(body.len()), "{key}");
    }
}
