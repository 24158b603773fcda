//! One list of checks over every place for blobs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::io::Read;

use palisade_store::blobs::{BlobName, Blobs, LocalBlobs, remove_garbage};

fn put(blobs: &dyn Blobs, chunks: &[&[u8]]) -> BlobName {
    let mut writer = blobs.writer().unwrap();
    for chunk in chunks {
        writer.write(chunk).unwrap();
    }
    let (name, bytes) = writer.finish().unwrap();
    assert_eq!(bytes as usize, chunks.iter().map(|chunk| chunk.len()).sum::<usize>());
    name
}

fn read(mut reader: Box<dyn Read + Send>) -> Vec<u8> {
    let mut content = Vec::new();
    reader.read_to_end(&mut content).unwrap();
    content
}

fn check(blobs: &dyn Blobs) {
    let name = put(blobs, &[b"ab", b"", b"c"]);
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(name.to_string(), digest);
    assert_eq!(BlobName::from_hex(digest), Some(name));
    assert_eq!(read(blobs.reader(&name).unwrap().unwrap()), b"abc");
    assert_eq!(read(blobs.range(&name, 1, 1).unwrap().unwrap()), b"b");
    assert_eq!(read(blobs.range(&name, 1, 99).unwrap().unwrap()), b"bc");
    assert_eq!(put(blobs, &[b"abc"]), name, "the same content is the same blob");
    let empty = put(blobs, &[]);
    assert_eq!(read(blobs.reader(&empty).unwrap().unwrap()), b"");
    let large = vec![7; 11 << 20];
    let large_name = put(blobs, &large.chunks(100_000).collect::<Vec<_>>());
    assert!(read(blobs.reader(&large_name).unwrap().unwrap()) == large);

    drop(blobs.writer().unwrap());
    let none = BlobName([0; 32]);
    assert!(blobs.reader(&none).unwrap().is_none());
    assert!(blobs.range(&none, 0, 1).unwrap().is_none());
    assert!(blobs.remove(&none, i64::MAX).unwrap());

    let all: BTreeSet<BlobName> = [name, empty, large_name].into();
    let mut listed = Vec::new();
    while let Some(blob) = blobs.list(listed.last(), 1).unwrap().first() {
        listed.push(blob.name);
    }
    assert_eq!(listed, all.into_iter().collect::<Vec<_>>());
    let sizes: u64 = blobs.list(None, 99).unwrap().iter().map(|blob| blob.bytes).sum();
    assert_eq!(sizes, 3 + (11 << 20));

    let keep = |kept: BlobName| move |name: &BlobName| Ok(*name == kept);
    assert_eq!(remove_garbage(blobs, 0, &mut keep(name)).unwrap(), 0, "all are young");
    assert_eq!(remove_garbage(blobs, i64::MAX, &mut keep(name)).unwrap(), 2);
    assert_eq!(blobs.list(None, 99).unwrap().len(), 1);
    assert!(blobs.reader(&name).unwrap().is_some());
}

#[test]
fn local() {
    let folder = tempfile::tempdir().unwrap();
    check(&LocalBlobs::open(folder.path()).unwrap());
}

#[test]
fn local_notices_altered_content_and_clears_leftovers() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = LocalBlobs::open(folder.path()).unwrap();
    let name = put(&blobs, &[b"abc"]);
    let path = folder.path().join("ba").join(name.to_string());
    std::fs::write(path, b"abd").unwrap();
    let mut reader = blobs.reader(&name).unwrap().unwrap();
    let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);

    let mut unfinished = blobs.writer().unwrap();
    unfinished.write(b"half").unwrap();
    std::mem::forget(unfinished);
    let incoming = folder.path().join("incoming");
    assert_eq!(std::fs::read_dir(&incoming).unwrap().count(), 1);
    LocalBlobs::open(folder.path()).unwrap();
    assert_eq!(std::fs::read_dir(&incoming).unwrap().count(), 0);
}

/// Against moto's S3 on loopback, when Python has it.
#[cfg(feature = "s3-blobs")]
#[test]
fn s3() {
    use palisade_store::blobs::{S3Blobs, S3Options};
    use std::net::{TcpListener, TcpStream};
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    let moto = Command::new("python3").args(["-c", "import moto.server, boto3"]).output();
    if !moto.is_ok_and(|output| output.status.success()) {
        println!("SKIPPED: python3 has no moto with its server");
        return;
    }
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server = Command::new("python3")
        .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let outcome = std::panic::catch_unwind(|| {
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(60), "moto did not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        let endpoint = format!("http://127.0.0.1:{port}");
        let create = format!(
            "import boto3; boto3.client('s3', endpoint_url='{endpoint}', region_name='us-east-1', \
             aws_access_key_id='k', aws_secret_access_key='s').create_bucket(Bucket='blobs')"
        );
        assert!(Command::new("python3").args(["-c", &create]).status().unwrap().success());
        let spool = tempfile::tempdir().unwrap();
        for prefix in ["", "some/where"] {
            let options = S3Options {
                endpoint: endpoint.clone(),
                allow_http: true,
                region: "us-east-1".into(),
                bucket: "blobs".into(),
                prefix: prefix.into(),
                access_key_id: "k".into(),
                secret_access_key: "s".into(),
            };
            check(&S3Blobs::open(&options, spool.path()).unwrap());
        }
        assert_eq!(std::fs::read_dir(spool.path().join("incoming")).unwrap().count(), 0);
    });
    server.kill().unwrap();
    server.wait().unwrap();
    outcome.unwrap();
}
