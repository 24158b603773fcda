//! New objects: what `PutObject`, `CopyObject` and multipart uploads have in common.

use super::acl;
use super::bucket::{self, Bucket};
use super::checksum::{Algorithm, Checksum};
use super::content::Piece;
use super::encryption::{self, Seal};
use super::error::{self, INVALID_REQUEST, KEY_TOO_LONG, METADATA_TOO_LARGE};
use super::object::{self, Headers, ObjectLock, Version};
use super::{condition, lifecycle_run, lock, member, tagging};
use crate::context::Context;
use crate::errors::internal;
use palisade_model::s3::{PutObjectOutput, PutObjectRequest};
use palisade_shape::{Result, Shape};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const KEY_BYTES_MAX: usize = 1024;
const METADATA_BYTES_MAX: usize = 2 << 10;
const STORAGE_CLASSES: [&str; 10] = [
    "DEEP_ARCHIVE",
    "FSX_OPENZFS",
    "GLACIER",
    "GLACIER_IR",
    "INTELLIGENT_TIERING",
    "ONEZONE_IA",
    "OUTPOSTS",
    "REDUCED_REDUNDANCY",
    "STANDARD",
    "STANDARD_IA",
];
/// Classes that only exist elsewhere.
const FOREIGN_CLASSES: [&str; 2] = ["FSX_OPENZFS", "OUTPOSTS"];

/// Refuses a key that no object may have.
pub fn check_key(key: &str) -> Result<()> {
    if key.len() > KEY_BYTES_MAX {
        return Err(KEY_TOO_LONG
            .because("Your key is too long")
            .with("MaxSizeAllowed", KEY_BYTES_MAX.to_string())
            .with("Size", key.len().to_string()));
    }
    // No XML answer could ever name it.
    if key.contains('\0') {
        return Err(error::INVALID_ARGUMENT.because("Object keys cannot contain a null character"));
    }
    Ok(())
}

/// A version without content, made of the members that new objects have in every operation.
pub fn draft(
    cx: &mut Context,
    bucket: &Bucket,
    key: &str,
    input: &dyn Shape,
    metadata: Option<&BTreeMap<String, String>>,
) -> Result<Version> {
    check_key(key)?;
    let owner = owner_of_new(cx, bucket, input);
    let grants = acl::requested(cx, input, &owner, &bucket.account)?;
    acl::check_for_object(bucket, &owner, grants.as_ref())?;
    if let Some(grants) = &grants
        && grants.is_public()
        && super::public::block_of(cx, bucket)?.block_acls
    {
        return Err(super::public::blocked_acl());
    }
    Ok(Version {
        bucket: bucket.name.clone(),
        key: key.to_owned(),
        order: object::new_order(cx),
        owner,
        modified: cx.now().seconds(),
        storage_class: storage_class(input)?,
        headers: headers(input),
        metadata: checked_metadata(metadata)?,
        tags: tagging::of_header(member::text(input, "Tagging").as_deref())?,
        grants: grants.filter(|_| !bucket.acls_disabled()),
        lock: lock::of_new(cx, bucket, input)?,
        ..Version::default()
    })
}

/// Who owns a new object: the bucket's owner unless access control lists are in use.
fn owner_of_new(cx: &Context, bucket: &Bucket, input: &dyn Shape) -> String {
    let writer = &*cx.caller.account;
    let gives = member::text(input, "ACL").as_deref() == Some("bucket-owner-full-control");
    match bucket.ownership() {
        "ObjectWriter" if !writer.is_empty() => writer.to_owned(),
        "BucketOwnerPreferred" if !gives && !writer.is_empty() => writer.to_owned(),
        _ => bucket.account.clone(),
    }
}

pub fn storage_class(input: &dyn Shape) -> Result<String> {
    let class = member::text(input, "StorageClass").unwrap_or_else(|| "STANDARD".to_owned());
    let known = STORAGE_CLASSES.contains(&class.as_str());
    if !known || FOREIGN_CLASSES.contains(&class.as_str()) {
        return Err(error::INVALID_STORAGE_CLASS
            .because("The storage class you specified is not valid")
            .with("StorageClassRequested", class));
    }
    Ok(class)
}

pub fn headers(input: &dyn Shape) -> Headers {
    let text = |name: &str| member::text(input, name);
    Headers {
        cache_control: text("CacheControl"),
        content_disposition: text("ContentDisposition"),
        content_encoding: text("ContentEncoding").and_then(|value| without_chunked(&value)),
        content_language: text("ContentLanguage"),
        content_type: text("ContentType"),
        expires: text("Expires"),
        website_redirect_location: text("WebsiteRedirectLocation"),
    }
}

/// `aws-chunked` is of the request, not of the object.
fn without_chunked(encodings: &str) -> Option<String> {
    let left: Vec<&str> =
        encodings.split(',').map(str::trim).filter(|name| *name != "aws-chunked").collect();
    Some(left.join(",")).filter(|left| !left.is_empty())
}

pub fn checked_metadata(
    metadata: Option<&BTreeMap<String, String>>,
) -> Result<BTreeMap<String, String>> {
    let metadata = metadata.cloned().unwrap_or_default();
    let bytes: usize = metadata.iter().map(|(key, value)| key.len() + value.len()).sum();
    if bytes > METADATA_BYTES_MAX {
        return Err(METADATA_TOO_LARGE
            .because("Your metadata headers exceed the maximum allowed metadata size")
            .with("Size", bytes.to_string())
            .with("MaxSizeAllowed", METADATA_BYTES_MAX.to_string()));
    }
    Ok(metadata)
}

pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// What was received, as a piece under the object's key.
pub struct Stored {
    pub piece: Piece,
    pub md5: [u8; 16],
    pub checksum: Option<Checksum>,
}

/// Takes the body that was received for this call, its key wrapped under `key`.
pub fn received(cx: &Context, key: &super::content::PlainKey) -> Result<Stored> {
    let Some(transfer) = cx.transfer else { return Err(internal("a call without its body")) };
    let random = &*cx.plane.random;
    transfer.with(|received| {
        let received = received.ok_or_else(|| internal("a body was not received"))?;
        let piece = Piece {
            blob: received.blob.name().to_string(),
            bytes: received.bytes,
            key: encryption::wrap(random, key, &received.key)?,
        };
        let checksum = received.checksums.first().map(|(algorithm, value)| Checksum {
            algorithm: *algorithm,
            value: value.clone(),
            composite: false,
        });
        Ok(Stored { piece, md5: received.md5, checksum })
    })
}

/// The checksums that were computed of the body that was received for this call.
pub fn checksums_received(cx: &Context) -> Vec<(Algorithm, String)> {
    let Some(transfer) = cx.transfer else { return Vec::new() };
    transfer.with(|received| received.map(|it| it.checksums.clone()).unwrap_or_default())
}

/// Stores an object that came in one request.
pub fn put_object(cx: &mut Context, input: PutObjectRequest) -> Result<PutObjectOutput> {
    if input.write_offset_bytes.is_some() {
        return Err(
            INVALID_REQUEST.because("WriteOffsetBytes is supported for directory buckets only")
        );
    }
    let bucket = bucket::load(cx, &input.bucket)?;
    let current = object::current(cx, &bucket.name, &input.key)?;
    let (if_match, if_none_match) = (input.if_match.as_deref(), input.if_none_match.as_deref());
    condition::check_write(current.as_ref(), &input.key, if_match, if_none_match)?;
    let mut version = draft(cx, &bucket, &input.key, &input, input.metadata.as_ref())?;
    let wanted = encryption::wanted(cx, &bucket, &input)?;
    let (seal, key) = encryption::seal(cx, &bucket, &wanted, &version.arn())?;
    let stored = received(cx, &key)?;
    version.size = stored.piece.bytes;
    version.etag = etag(&seal, &stored.md5, &version.order);
    version.pieces = vec![stored.piece];
    version.checksum = stored.checksum;
    version.seal = Some(seal);
    let version = object::store(cx, &bucket, version)?;
    touch(cx, &bucket, &version);
    let expiration = lifecycle_run::expiration(cx, &version)?;
    Ok(PutObjectOutput { expiration, ..put_output(&bucket, &version) })
}

/// The MD5 of the content; with KMS and client's keys something else, as S3 documents.
pub fn etag(seal: &Seal, md5: &[u8; 16], order: &str) -> String {
    match seal {
        Seal::S3 { .. } => hex(md5),
        Seal::Customer { .. } | Seal::Kms { .. } => {
            use md5::{Digest as _, Md5};
            hex(&Md5::digest([md5, order.as_bytes()].concat()))
        }
    }
}

fn put_output(bucket: &Bucket, version: &Version) -> PutObjectOutput {
    let mut output = PutObjectOutput {
        e_tag: Some(version.quoted_etag()),
        version_id: version.shown_id(bucket),
        ..PutObjectOutput::default()
    };
    tell(version, &mut output);
    output
}

/// Writes checksum and encryption into an answer.
pub fn tell(version: &Version, output: &mut dyn Shape) {
    if let Some(checksum) = &version.checksum {
        checksum.tell(output);
    }
    if let Some(seal) = &version.seal {
        encryption::tell(seal, output);
    }
}

/// Names object and bucket in the audit record.
pub fn touch(cx: &mut Context, bucket: &Bucket, version: &Version) {
    let arn = version.arn();
    cx.in_account(&bucket.account, |cx| cx.touch("AWS::S3::Object", arn));
    bucket::touch(cx, bucket);
}

/// The lock that a version has, in an answer's members.
pub fn tell_lock(lock: &ObjectLock, output: &mut dyn Shape) {
    member::set_some(output, "ObjectLockMode", lock.mode.as_deref());
    member::set_some(output, "ObjectLockLegalHoldStatus", lock.legal_hold.as_deref());
}
