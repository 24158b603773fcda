//! Copying objects and ranges of them. The bytes are read, encrypted anew and stored before the
//! transaction, which takes them only if the source is still the one that was read.
//!
//! Source: Amazon S3 API Reference, CopyObject, UploadPartCopy.

use super::access_point;
use super::bucket::{self, Bucket};
use super::checksum::Algorithm;
use super::condition::{self, Conditions};
use super::error::{self, INVALID_REQUEST};
use super::object::{self, Version};
use super::receive::{Plan, Receiving};
use super::upload;
use super::{encryption, member, read, restore, tagging, write};
use crate::context::Context;
use crate::errors::internal;
use palisade_model::s3::{
    CopyObjectOutput, CopyObjectRequest, CopyObjectResult, CopyPartResult, UploadPartCopyOutput,
    UploadPartCopyRequest,
};
use palisade_protocol::percent;
use palisade_shape::{Result, Shape, Timestamp};

/// The largest object that one call copies.
const BYTES_MAX: u64 = 5 << 30;

/// What `x-amz-copy-source` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub bucket: String,
    pub key: String,
    pub version_id: Option<String>,
}

impl Source {
    /// `bucket/key` or `/bucket/key`, percent-encoded, with `?versionId=` behind it.
    pub fn parse(header: &str) -> Result<Self> {
        let invalid = || {
            error::invalid_argument(
                "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
                "x-amz-copy-source",
                header,
            )
        };
        let (path, version_id) = match header.split_once("?versionId=") {
            Some((path, id)) => (path, Some(id.to_owned())),
            None => (header, None),
        };
        let path = percent::decode(path, percent::Place::Path).ok_or_else(invalid)?;
        let path = path.strip_prefix('/').unwrap_or(&path);
        if path.starts_with("arn:") {
            let (point, key) = access_point::split_object(path).ok_or_else(invalid)?;
            let (bucket, key) = (point.to_owned(), key.to_owned());
            return Ok(Self { bucket, key, version_id });
        }
        let (bucket, key) = path.split_once('/').ok_or_else(invalid)?;
        if bucket.is_empty() || key.is_empty() {
            return Err(invalid());
        }
        Ok(Self { bucket: bucket.to_owned(), key: key.to_owned(), version_id })
    }

    fn find(&self, cx: &Context) -> Result<(Bucket, Version)> {
        let bucket = bucket::load(cx, &self.bucket)?;
        let version = read::find(cx, &bucket, &self.key, self.version_id.as_deref())?;
        Ok((bucket, version))
    }
}

/// Reads a range of the source and stores it as if it had been received.
fn fetch(
    cx: &mut Context,
    source: &Source,
    algorithm: Option<Algorithm>,
    range: Option<&str>,
    input: &dyn Shape,
) -> Result<()> {
    let Some(transfer) = cx.transfer else { return Ok(()) };
    let (bucket, version) = source.find(cx)?;
    restore::check_source(&version, cx.now())?;
    let (offset, bytes) = span(range, version.size)?;
    if bytes > BYTES_MAX {
        return Err(too_large());
    }
    let content =
        version.content(cx, &bucket, (offset, bytes), (input, "CopySourceSSECustomer"))?;
    let algorithm = algorithm
        .or(version.checksum.as_ref().map(|checksum| checksum.algorithm))
        .unwrap_or(Algorithm::Crc64Nvme);
    let plan = Plan { algorithms: vec![algorithm], ..Plan::default() };
    let mut receiving = Receiving::begin(cx, plan)?;
    let mut reader = content.reader(cx.plane.blobs.clone());
    while let Some(bytes) = reader.frame()? {
        receiving.write(&bytes)?;
    }
    let mut received = receiving.finish(&[])?;
    received.source = Some(version.order);
    transfer.put(received);
    Ok(())
}

fn too_large() -> palisade_shape::Error {
    INVALID_REQUEST.because(format!(
        "The specified copy source is larger than the maximum allowable size for a copy source: \
         {BYTES_MAX}"
    ))
}

/// `bytes=first-last`, both of which must be in the source.
pub fn span(range: Option<&str>, size: u64) -> Result<(u64, u64)> {
    let Some(range) = range else { return Ok((0, size)) };
    let invalid = || {
        error::invalid_argument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first \
             and last are the zero-based offsets of the first and last bytes to copy",
            "x-amz-copy-source-range",
            range,
        )
    };
    let (first, last) =
        range.strip_prefix("bytes=").and_then(|range| range.split_once('-')).ok_or_else(invalid)?;
    let first: u64 = first.parse().map_err(|_| invalid())?;
    let last: u64 = last.parse().map_err(|_| invalid())?;
    if first > last {
        return Err(invalid());
    }
    if last >= size {
        return Err(error::invalid_argument(
            format!("Range specified is not valid for source object of size: {size}"),
            "x-amz-copy-source-range",
            range,
        ));
    }
    Ok((first, last - first + 1))
}

/// The source, if it is still the version whose bytes were copied.
fn unchanged(cx: &Context, source: &Source) -> Result<(Bucket, Version)> {
    let (bucket, version) = source.find(cx)?;
    let Some(transfer) = cx.transfer else { return Err(internal("a copy without its bytes")) };
    let same = transfer.with(|received| {
        received.is_some_and(|received| received.source.as_ref() == Some(&version.order))
    });
    if same { Ok((bucket, version)) } else { Err(condition::conflict()) }
}

pub fn prepare_copy_object(cx: &mut Context, input: &CopyObjectRequest) -> Result<()> {
    let source = Source::parse(&input.copy_source)?;
    let algorithm = input.checksum_algorithm.as_deref().and_then(Algorithm::named);
    fetch(cx, &source, algorithm, None, input)
}

pub fn copy_object(cx: &mut Context, input: CopyObjectRequest) -> Result<CopyObjectOutput> {
    let source = Source::parse(&input.copy_source)?;
    let bucket = bucket::load(cx, &input.bucket)?;
    let (source_bucket, original) = source.find(cx)?;
    if original.size > BYTES_MAX {
        return Err(too_large());
    }
    restore::check_source(&original, cx.now())?;
    Conditions::of(&input, "CopySource").check(&original, true)?;
    check_changes(&source, source_bucket.name == bucket.name, &input)?;
    if let Some(seal) = &original.seal {
        encryption::check_customer_key(cx, seal, (&input, "CopySourceSSECustomer"))?;
    }
    let (source_bucket, original) =
        unchanged(cx, &source).map_err(|error| match error.code.code {
            "NoSuchKey" => error,
            _ => error.with("SourceBucket", source_bucket.name),
        })?;
    let current = object::current(cx, &bucket.name, &input.key)?;
    let (if_match, if_none_match) = (input.if_match.as_deref(), input.if_none_match.as_deref());
    condition::check_write(current.as_ref(), &input.key, if_match, if_none_match)?;
    let mut version = write::draft(cx, &bucket, &input.key, &input, input.metadata.as_ref())?;
    if input.metadata_directive.as_deref() != Some("REPLACE") {
        let redirect = version.headers.website_redirect_location.take();
        version.headers = original.headers.clone();
        version.headers.website_redirect_location = redirect;
        version.metadata = original.metadata.clone();
    }
    version.tags = match input.tagging_directive.as_deref() {
        Some("REPLACE") => tagging::of_header(input.tagging.as_deref())?,
        _ => original.tags.clone(),
    };
    let wanted = encryption::wanted(cx, &bucket, &input)?;
    let (seal, key) = encryption::seal(cx, &bucket, &wanted, &version.arn())?;
    let stored = write::received(cx, &key)?;
    version.size = stored.piece.bytes;
    version.etag = write::etag(&seal, &stored.md5, &version.order);
    version.pieces = vec![stored.piece];
    version.checksum = stored.checksum;
    version.seal = Some(seal);
    let version = object::store(cx, &bucket, version)?;
    write::touch(cx, &bucket, &version);
    let mut result = CopyObjectResult {
        e_tag: Some(version.quoted_etag()),
        last_modified: Some(version.modified()),
        ..CopyObjectResult::default()
    };
    if let Some(checksum) = &version.checksum {
        checksum.tell(&mut result);
    }
    let mut output = CopyObjectOutput {
        copy_object_result: Some(result),
        copy_source_version_id: original.shown_id(&source_bucket),
        version_id: version.shown_id(&bucket),
        ..CopyObjectOutput::default()
    };
    if let Some(seal) = &version.seal {
        encryption::tell(seal, &mut output);
    }
    Ok(output)
}

/// A copy onto itself must change something.
fn check_changes(source: &Source, same_bucket: bool, input: &CopyObjectRequest) -> Result<()> {
    let same = same_bucket && source.key == input.key;
    let changes = input.metadata_directive.as_deref() == Some("REPLACE")
        || input.tagging_directive.as_deref() == Some("REPLACE")
        || input.storage_class.is_some()
        || input.website_redirect_location.is_some()
        || input.server_side_encryption.is_some()
        || input.sse_customer_algorithm.is_some()
        || input.checksum_algorithm.is_some()
        || source.version_id.is_some();
    if same && !changes {
        return Err(INVALID_REQUEST.because(
            "This copy request is illegal because it is trying to copy an object to itself without \
             changing the object's metadata, storage class, website redirect location or \
             encryption attributes.",
        ));
    }
    Ok(())
}

pub fn prepare_upload_part_copy(cx: &mut Context, input: &UploadPartCopyRequest) -> Result<()> {
    let source = Source::parse(&input.copy_source)?;
    let algorithm = upload::algorithm(cx, input, &[])?;
    fetch(cx, &source, algorithm, input.copy_source_range.as_deref(), input)
}

pub fn upload_part_copy(
    cx: &mut Context,
    input: UploadPartCopyRequest,
) -> Result<UploadPartCopyOutput> {
    let source = Source::parse(&input.copy_source)?;
    let bucket = bucket::load(cx, &input.bucket)?;
    let upload = upload::find(cx, &bucket.name, &input.key, &input.upload_id)?;
    let (source_bucket, original) = source.find(cx)?;
    restore::check_source(&original, cx.now())?;
    Conditions::of(&input, "CopySource").check(&original, true)?;
    span(input.copy_source_range.as_deref(), original.size)?;
    if let Some(seal) = &original.seal {
        encryption::check_customer_key(cx, seal, (&input, "CopySourceSSECustomer"))?;
    }
    unchanged(cx, &source)?;
    let row = upload::store_part(cx, &bucket, &upload, input.part_number, &input)?;
    write::touch(cx, &bucket, &upload.draft);
    let mut result = CopyPartResult {
        e_tag: Some(format!("\"{}\"", row.etag)),
        last_modified: Some(Timestamp::from_seconds(row.modified)),
        ..CopyPartResult::default()
    };
    if let (Some(algorithm), Some(value)) = (upload.algorithm, &row.part.checksum) {
        member::set(&mut result, algorithm.member(), value);
    }
    let mut output = UploadPartCopyOutput {
        copy_source_version_id: original.shown_id(&source_bucket),
        copy_part_result: Some(result),
        ..UploadPartCopyOutput::default()
    };
    if let Some(seal) = &upload.draft.seal {
        encryption::tell(seal, &mut output);
    }
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources() {
        let source = |header: &str| {
            let source = Source::parse(header).ok()?;
            Some((source.bucket, source.key, source.version_id))
        };
        let found = |bucket: &str, key: &str, id: Option<&str>| {
            Some((bucket.to_owned(), key.to_owned(), id.map(str::to_owned)))
        };
        assert_eq!(source("b/k"), found("b", "k", None));
        assert_eq!(source("/b/a%20b/c?versionId=null"), found("b", "a b/c", Some("null")));
        assert_eq!(source("b%2Fk"), found("b", "k", None));
        let point = "arn:aws:s3:eu-west-1:123456789012:accesspoint/fin";
        let named = found(point, "a/b", None);
        assert_eq!(source(&format!("{point}/object/a/b")), named);
        for broken in ["", "b", "/b/", "b/%zz", point, "arn:aws:s3:::b/k"] {
            assert_eq!(source(broken), None, "{broken}");
        }
    }
}
