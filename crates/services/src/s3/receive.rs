//! Streamed bodies: what must hold for one before it is read, and what came of it.

use super::bucket;
use super::checksum::{self, Algorithm, Running};
use super::content::{PieceWriter, PlainKey, Staged, new_key};
use super::error::{self, BAD_DIGEST, ENTITY_TOO_LARGE, INVALID_DIGEST};
use super::{member, upload};
use crate::context::Context;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::{Digest as _, Md5};
use palisade_shape::{Result, Shape};
use palisade_store::blobs::Blobs;
use std::sync::Arc;

/// The largest body of one request: 5 GiB.
pub const BYTES_MAX: u64 = 5 << 30;

/// What to compute of a body and compare it with.
#[derive(Debug, Default)]
pub struct Plan {
    pub algorithms: Vec<Algorithm>,
    pub declared: Vec<(Algorithm, String)>,
    pub md5: Option<Vec<u8>>,
}

/// A body that was received, stored and checked.
pub struct Received {
    pub blob: Staged,
    pub bytes: u64,
    /// The key that the blob is encrypted with.
    pub key: PlainKey,
    /// Of the content.
    pub md5: [u8; 16],
    /// Base64, in the order of the plan.
    pub checksums: Vec<(Algorithm, String)>,
    /// What orders the version that it was copied from; none of what a client sent.
    pub source: Option<String>,
}

/// Plans the receipt of the body of a `PutObject` or `UploadPart`. `trailers` are the names in
/// `x-amz-trailer`.
pub fn plan(cx: &mut Context, input: &dyn Shape, trailers: &[String]) -> Result<Plan> {
    let declared = checksum::declared(input);
    if declared.len() > 1 {
        return Err(error::INVALID_REQUEST.because(
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not \
                      allowed.",
        ));
    }
    let of_trailer = |name: &String| name.strip_prefix("x-amz-checksum-").map(Algorithm::named);
    let mut algorithms: Vec<_> = declared.iter().map(|(algorithm, _)| *algorithm).collect();
    for algorithm in trailers.iter().filter_map(of_trailer) {
        let unknown = || {
            let message = "The value specified in the x-amz-trailer header is not supported";
            error::INVALID_REQUEST.because(message)
        };
        algorithms.push(algorithm.ok_or_else(unknown)?);
    }
    // That of the upload comes first: it is the one that counts for the object.
    if let Some(of_upload) = upload::algorithm(cx, input, &algorithms)? {
        algorithms.retain(|algorithm| *algorithm != of_upload);
        algorithms.insert(0, of_upload);
    }
    if algorithms.is_empty() {
        let named = member::text(input, "ChecksumAlgorithm");
        let named = named.as_deref().and_then(Algorithm::named);
        algorithms.push(named.unwrap_or(Algorithm::Crc64Nvme));
    }
    let md5 = match member::text(input, "ContentMD5") {
        None => None,
        Some(text) => {
            let invalid = || {
                let message = "The Content-MD5 you specified was invalid.";
                INVALID_DIGEST.because(message).with("Content-MD5", text.clone())
            };
            let bytes = STANDARD.decode(&text).map_err(|_| invalid())?;
            Some(bytes).filter(|bytes| bytes.len() == 16).ok_or_else(invalid).map(Some)?
        }
    };
    // Who may write into a bucket that is not there learns that before it sends the body.
    if let Some(name) = member::text(input, "Bucket") {
        bucket::load(cx, &name)?;
    }
    Ok(Plan { algorithms, declared, md5 })
}

/// A body on its way into a blob.
pub struct Receiving {
    blobs: Arc<dyn Blobs>,
    writer: PieceWriter,
    key: PlainKey,
    md5: Md5,
    running: Vec<(Algorithm, Running)>,
    bytes: u64,
    plan: Plan,
}

impl Receiving {
    pub fn begin(cx: &Context, plan: Plan) -> Result<Self> {
        let blobs = cx.plane.blobs.clone();
        let key = new_key(&*cx.plane.random);
        let writer = PieceWriter::new(&*blobs, &key)?;
        let running = plan.algorithms.iter();
        let running = running.map(|algorithm| (*algorithm, Running::new(*algorithm))).collect();
        Ok(Self { blobs, writer, key, md5: Md5::new(), running, bytes: 0, plan })
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes += bytes.len() as u64;
        if self.bytes > BYTES_MAX {
            return Err(too_large(self.bytes));
        }
        self.md5.update(bytes);
        for (_, running) in &mut self.running {
            running.update(bytes);
        }
        self.writer.write(bytes)
    }

    /// Checks what was declared, also by the trailing header fields, and makes the blob durable.
    pub fn finish(self, trailers: &[(String, String)]) -> Result<Received> {
        let md5: [u8; 16] = self.md5.finalize().into();
        if self.plan.md5.is_some_and(|declared| declared != md5) {
            return Err(
                BAD_DIGEST.because("The Content-MD5 you specified did not match what we received.")
            );
        }
        let mut declared = self.plan.declared;
        for (name, value) in trailers {
            let algorithm = name.strip_prefix("x-amz-checksum-").and_then(Algorithm::named);
            declared.extend(algorithm.map(|algorithm| (algorithm, value.clone())));
        }
        let mut checksums = Vec::with_capacity(self.running.len());
        for (algorithm, running) in self.running {
            let computed = running.finish();
            for (_, value) in declared.iter().filter(|(declared, _)| *declared == algorithm) {
                checksum::check(algorithm, value, &computed)?;
            }
            checksums.push((algorithm, STANDARD.encode(computed)));
        }
        let (name, bytes) = self.writer.finish()?;
        let blob = Staged::new(self.blobs, name);
        Ok(Received { blob, bytes, key: self.key, md5, checksums, source: None })
    }
}

/// More than a request may hold.
pub fn too_large(bytes: u64) -> palisade_shape::Error {
    ENTITY_TOO_LARGE
        .because("Your proposed upload exceeds the maximum allowed size")
        .with("ProposedSize", bytes.to_string())
        .with("MaxSizeAllowed", BYTES_MAX.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Lab;

    fn receive(plan: Plan, content: &[u8], trailers: &[(&str, &str)]) -> Result<Received> {
        let lab = Lab::new();
        let trailers: Vec<_> =
            trailers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        lab.read(|cx| {
            let mut receiving = Receiving::begin(cx, plan)?;
            receiving.write(content)?;
            receiving.finish(&trailers)
        })
    }

    #[test]
    fn what_was_declared_must_be_what_came() {
        let plan = || Plan { algorithms: vec![Algorithm::Crc32], ..Plan::default() };
        let received = receive(plan(), b"123456789", &[]).unwrap();
        assert_eq!((received.bytes, received.checksums.len()), (9, 1));
        let right = received.checksums[0].1.clone();
        let trailer = "x-amz-checksum-crc32";
        assert!(receive(plan(), b"123456789", &[(trailer, &right)]).is_ok());
        let refusals = [
            receive(plan(), b"12345678", &[(trailer, &right)]).err(),
            receive(Plan { declared: vec![(Algorithm::Crc32, right)], ..plan() }, b"", &[]).err(),
            receive(Plan { md5: Some(vec![0; 16]), ..plan() }, b"a", &[]).err(),
        ];
        for refusal in refusals {
            assert_eq!(refusal.unwrap().code.code, "BadDigest");
        }
    }
}
