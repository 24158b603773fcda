//! What is left of a server or a client that was killed: all that was acknowledged, and nothing
//! half done.

use super::Bucket;
use crate::support::{Lab, have_tool, skip};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Clients that put objects of many sizes as fast as they are answered, one line of what was
/// acknowledged each: key, SHA-256, and how the object came (whole, or in parts).
const WRITER: &str = r#"
import base64, hashlib, os, sys, threading
import boto3
from botocore.config import Config
url, key, secret, bucket, run, writers = sys.argv[1:7]
lock = threading.Lock()

def tell(key, body, how):
    with lock:
        print(key, hashlib.sha256(body).hexdigest(), how, flush=True)

def work(writer):
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30)
    s3 = boto3.client("s3", endpoint_url=url, region_name="us-east-1", config=config,
        aws_access_key_id=key, aws_secret_access_key=secret)
    number = 0
    while True:
        number += 1
        name = f"{run}/{writer}/{number:05}"
        size = (number * 7919 * (writer + 1)) % 90_000 if number % 9 else 700_000
        body = os.urandom(size)
        try:
            if number % 5:
                digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
                s3.put_object(Bucket=bucket, Key=name, Body=body, ChecksumSHA256=digest)
                tell(name, body, "whole")
            else:
                upload = s3.create_multipart_upload(Bucket=bucket, Key=name)["UploadId"]
                named = {"Bucket": bucket, "Key": name, "UploadId": upload}
                tag = s3.upload_part(**named, PartNumber=1, Body=body)["ETag"]
                parts = {"Parts": [{"PartNumber": 1, "ETag": tag}]}
                s3.complete_multipart_upload(**named, MultipartUpload=parts)
                tell(name, body, "parts")
        except Exception:
            return

threads = [threading.Thread(target=work, args=(number,)) for number in range(int(writers))]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"#;

/// Reads every object that is listed and says its key and SHA-256.
const READER: &str = r#"
import hashlib, sys
import boto3
url, key, secret, bucket = sys.argv[1:5]
s3 = boto3.client("s3", endpoint_url=url, region_name="us-east-1",
    aws_access_key_id=key, aws_secret_access_key=secret)
for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
    for item in page.get("Contents", []):
        got = s3.get_object(Bucket=bucket, Key=item["Key"], ChecksumMode="ENABLED")
        body = got["Body"].read()
        assert len(body) == item["Size"], item
        print(item["Key"], hashlib.sha256(body).hexdigest(), flush=True)
"#;

const ROUNDS: usize = 3;

/// The server is killed while clients write. What it answered is there, whole; what is listed can
/// be read; what was under way has left nothing.
#[test]
fn nothing_acknowledged_is_lost_when_the_server_is_killed() {
    let test = "nothing_acknowledged_is_lost_when_the_server_is_killed";
    let Some(mut lab) = Lab::start(test) else { return };
    let keys = lab.server.root_keys();
    Bucket::new(&lab.root(), "crash");
    let mut acknowledged: BTreeMap<String, String> = BTreeMap::new();
    let mut in_parts = 0;
    for round in 0..ROUNDS {
        let run = format!("run{round}");
        let mut writer = Command::new("python3")
            .args(["-c", WRITER, &lab.server.url, &keys.id, &keys.secret, "crash", &run, "4"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut out = writer.stdout.take().unwrap();
        let reading = std::thread::spawn(move || {
            let mut text = String::new();
            out.read_to_string(&mut text).unwrap();
            text
        });
        // At another moment of the work in each round, and never before there was any.
        wait_for_blobs(&lab, 20 * (round + 1));
        std::thread::sleep(Duration::from_millis(137 * round as u64));
        lab.server.kill();
        let text = reading.join().unwrap();
        writer.wait().unwrap();
        for line in text.lines() {
            let mut words = line.split(' ');
            let (key, sum) = (words.next().unwrap(), words.next().unwrap());
            in_parts += usize::from(words.next() == Some("parts"));
            acknowledged.insert(key.to_owned(), sum.to_owned());
        }
        lab.server.start_again();
        let there = read_all(&lab);
        for (key, sum) in &acknowledged {
            assert_eq!(there.get(key), Some(sum), "{key} was acknowledged in some round");
        }
        // A client may have missed the answer to one call each.
        assert!(there.len() <= acknowledged.len() + 4 * (round + 1), "{}", there.len());
    }
    assert!(acknowledged.len() > 20 * ROUNDS && in_parts > 0, "{}", acknowledged.len());
}

/// Waits until so many blobs were stored more than there are now.
fn wait_for_blobs(lab: &Lab, more: usize) {
    let wanted = count_blobs(lab) + more;
    let until = Instant::now() + Duration::from_secs(120);
    while count_blobs(lab) < wanted {
        assert!(Instant::now() < until, "the clients write nothing");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn count_blobs(lab: &Lab) -> usize {
    let Ok(drawers) = std::fs::read_dir(lab.server.folder.path().join("blobs")) else { return 0 };
    let files = drawers.flatten().filter_map(|drawer| std::fs::read_dir(drawer.path()).ok());
    files.map(Iterator::count).sum()
}

/// Each listed object and the SHA-256 of its bytes.
fn read_all(lab: &Lab) -> BTreeMap<String, String> {
    let keys = lab.server.root_keys();
    let mut command = Command::new("python3");
    command.args(["-c", READER, &lab.server.url, &keys.id, &keys.secret, "crash"]);
    let ran = crate::support::finish(&mut command);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let pairs = ran.out.lines().filter_map(|line| line.split_once(' '));
    pairs.map(|(key, sum)| (key.to_owned(), sum.to_owned())).collect()
}

/// A client that is killed in the middle of an upload leaves the parts before it, which an abort
/// frees.
#[test]
fn a_killed_client_leaves_whole_parts_only() {
    let Some(lab) = Lab::start("a_killed_client_leaves_whole_parts_only") else { return };
    let root = lab.root();
    let bucket = Bucket::new(&root, "killed");
    let id = bucket.ok("CreateMultipartUpload", json!({ "Key": "k" }))["UploadId"].clone();
    let part = json!({ "Key": "k", "UploadId": id, "PartNumber": 1, "Body": "x".repeat(100_000) });
    let made = bucket.ok("UploadPart", part);
    let blobs = count_blobs(&lab);
    let url = lab.boto.presigned(&root.keys, "put_object", "killed", "half");
    let path = url.split_once(lab.server.address()).unwrap().1;
    {
        let mut stream = std::net::TcpStream::connect(lab.server.address()).unwrap();
        let head = format!(
            "PUT {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: 1000000\r\n\r\n",
            lab.server.address()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&[b'y'; 300_000]).unwrap();
        std::thread::sleep(Duration::from_millis(100));
    }
    let listed = bucket.ok("ListParts", json!({ "Key": "k", "UploadId": id }));
    let parts = listed["Parts"].as_array().unwrap();
    assert_eq!((parts.len(), &parts[0]["ETag"]), (1, &made["ETag"]));
    assert_eq!(bucket.keys("Contents", json!({})), [""; 0]);
    wait_for_count(&lab, blobs);
    bucket.ok("AbortMultipartUpload", json!({ "Key": "k", "UploadId": id }));
    bucket.refused("ListParts", json!({ "Key": "k", "UploadId": id }), "NoSuchUpload", 404);
    assert!(bucket.ok("ListMultipartUploads", json!({}))["Uploads"].is_null());
    bucket.ok("DeleteBucket", json!({}));
}

/// The same with the AWS CLI, killed while it uploads.
#[test]
fn a_killed_cli_leaves_parts_to_list_and_abort() {
    let test = "a_killed_cli_leaves_parts_to_list_and_abort";
    let Some(lab) = Lab::start(test) else { return };
    if !have_tool("aws", &["--version"]) {
        return skip(test, "aws is not installed");
    }
    let root = lab.root();
    let bucket = Bucket::new(&root, "killed");
    let file = lab.server.folder.path().join("big");
    std::fs::write(&file, vec![7_u8; 160 << 20]).unwrap();
    let mut cli = Command::new("aws")
        .args(["s3", "cp", file.to_str().unwrap(), "s3://killed/big"])
        .env("AWS_ENDPOINT_URL", &lab.server.url)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", &root.keys.id)
        .env("AWS_SECRET_ACCESS_KEY", &root.keys.secret)
        .env("AWS_CONFIG_FILE", "/nonexistent")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let until = Instant::now() + Duration::from_secs(120);
    let id = loop {
        let uploads = bucket.ok("ListMultipartUploads", json!({}));
        let id = uploads["Uploads"][0]["UploadId"].clone();
        let parts = match id.is_string() {
            true => bucket.call("ListParts", json!({ "Key": "big", "UploadId": id })).ok(),
            false => None,
        };
        if parts.is_some_and(|parts| parts["Parts"].as_array().is_some_and(|it| it.len() > 1)) {
            break id;
        }
        assert!(Instant::now() < until, "the CLI uploads no part");
    };
    cli.kill().unwrap();
    cli.wait().unwrap();
    let listed = bucket.ok("ListParts", json!({ "Key": "big", "UploadId": id }));
    let parts = listed["Parts"].as_array().unwrap();
    assert!(parts.len() > 1 && parts.len() < 20, "{}", parts.len());
    assert!(parts.iter().all(|part| part["Size"] == json!(8 << 20)), "{listed}");
    bucket.refused("HeadObject", json!({ "Key": "big" }), "404", 404);
    bucket.ok("AbortMultipartUpload", json!({ "Key": "big", "UploadId": id }));
    assert!(bucket.ok("ListMultipartUploads", json!({}))["Uploads"].is_null());
    bucket.refused("ListParts", json!({ "Key": "big", "UploadId": id }), "NoSuchUpload", 404);
}

/// What a broken upload wrote goes as soon as the server notices that its client is gone.
fn wait_for_count(lab: &Lab, wanted: usize) {
    let until = Instant::now() + Duration::from_secs(60);
    while count_blobs(lab) != wanted {
        assert!(Instant::now() < until, "{} blobs, not {wanted}", count_blobs(lab));
        std::thread::sleep(Duration::from_millis(20));
    }
}
