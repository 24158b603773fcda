//! Multipart uploads: begun, filled part by part in any order, and completed to one object.
//!
//! Source: Amazon S3 User Guide, "Uploading and copying objects using multipart upload"; "Amazon S3
//! multipart upload limits".

use super::bucket::{self, Bucket};
use super::checksum::{self, Algorithm, COMPOSITE, FULL_OBJECT};
use super::encryption;
use super::error::{self, ENTITY_TOO_SMALL, INVALID_PART, INVALID_PART_ORDER, INVALID_REQUEST};
use super::object::{self, PARTS, Part, Parts, Version};
use super::{condition, member, write};
use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use md5::{Digest as _, Md5};
use palisade_model::s3::{
    AbortMultipartUploadOutput, AbortMultipartUploadRequest, CompleteMultipartUploadOutput,
    CompleteMultipartUploadRequest, CompletedPart, CreateMultipartUploadOutput,
    CreateMultipartUploadRequest, UploadPartOutput, UploadPartRequest,
};
use palisade_shape::{Result, Shape};
use serde::{Deserialize, Serialize};

const PART_NUMBER_MAX: i32 = 10_000;
/// Every part but the last.
const PART_BYTES_MIN: u64 = 5 << 20;
/// 50 TB since December 2025.
const OBJECT_BYTES_MAX: u64 = 50_000_000_000_000;

/// An upload under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Upload {
    pub id: String,
    /// The object as it will be, without its parts.
    pub draft: Version,
    pub initiated_millis: i64,
    /// The ARN of who began it.
    pub initiator: String,
    pub algorithm: Option<Algorithm>,
    /// Who began it named the algorithm: parts must use it.
    pub named: bool,
    pub composite: bool,
}

/// Uploads under way, by bucket, key and id.
pub static UPLOADS: Table<Upload> = Table::of_private(
    "s3/upload",
    Scope::Plane,
    |upload: &Upload| object::version_key(&upload.draft.bucket, &upload.draft.key, &upload.id),
    |upload| internal(format!("upload {} is there already", upload.id)),
    error::no_such_upload,
);

/// A part of an upload under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UploadedPart {
    pub upload: String,
    pub part: Part,
    pub etag: String,
    /// Unix seconds.
    pub modified: i64,
}

/// The parts of uploads under way, by upload and number.
pub static UPLOADED: Table<UploadedPart> = Table::of_private(
    "s3/uploaded-part",
    Scope::Plane,
    |row: &UploadedPart| format!("{}/{:05}", row.upload, row.part.number),
    |row| internal(format!("part {} is there already", row.part.number)),
    error::no_such_upload,
);

/// The upload that a request names.
pub fn find(cx: &Context, bucket: &str, key: &str, id: &str) -> Result<Upload> {
    let found = cx.get(&UPLOADS, &object::version_key(bucket, key, id))?;
    found.ok_or_else(|| error::no_such_upload(id))
}

/// The checksum algorithm of the upload that an input names. Where it was chosen, a part that comes
/// with another one is refused.
pub fn algorithm(cx: &Context, input: &dyn Shape, sent: &[Algorithm]) -> Result<Option<Algorithm>> {
    let Some(id) = member::text(input, "UploadId") else { return Ok(None) };
    let text = |name: &str| member::text(input, name).unwrap_or_default();
    let bucket = bucket::load(cx, &text("Bucket"))?;
    let upload = find(cx, &bucket.name, &text("Key"), &id)?;
    let other = sent.iter().find(|sent| upload.named && Some(**sent) != upload.algorithm);
    let Some(actual) = other else { return Ok(upload.algorithm) };
    let name = |algorithm: Algorithm| algorithm.name().to_ascii_lowercase();
    let (expected, actual) = (upload.algorithm.map_or_else(String::new, name), name(*actual));
    Err(INVALID_REQUEST.because(format!(
        "Checksum Type mismatch occurred, expected checksum Type: {expected}, actual checksum \
         Type: {actual}"
    )))
}

pub fn create_multipart_upload(
    cx: &mut Context,
    input: CreateMultipartUploadRequest,
) -> Result<CreateMultipartUploadOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let mut draft = write::draft(cx, &bucket, &input.key, &input, input.metadata.as_ref())?;
    let wanted = encryption::wanted(cx, &bucket, &input)?;
    let (seal, _) = encryption::seal(cx, &bucket, &wanted, &draft.arn())?;
    draft.seal = Some(seal.clone());
    let algorithm = input.checksum_algorithm.as_deref().and_then(Algorithm::named);
    let composite = composite(algorithm, input.checksum_type.as_deref())?;
    let id = cx.unique_id("");
    let upload = Upload {
        id: format!("{:016x}{id}", cx.now().millis().max(0)),
        draft,
        initiated_millis: cx.now().whole_seconds().millis(),
        initiator: cx.caller.arn.to_string(),
        algorithm: algorithm.or(Some(Algorithm::Crc64Nvme)),
        named: algorithm.is_some(),
        composite,
    };
    cx.put(&UPLOADS, &upload)?;
    write::touch(cx, &bucket, &upload.draft);
    let mut output = CreateMultipartUploadOutput {
        bucket: Some(bucket.name),
        key: Some(input.key),
        upload_id: Some(upload.id),
        checksum_algorithm: input.checksum_algorithm,
        checksum_type: algorithm.map(|_| type_name(composite).to_owned()),
        ..CreateMultipartUploadOutput::default()
    };
    encryption::tell(&seal, &mut output);
    Ok(output)
}

pub fn type_name(composite: bool) -> &'static str {
    if composite { COMPOSITE } else { FULL_OBJECT }
}

/// Whether the checksum of the object will be one of its parts' checksums.
fn composite(algorithm: Option<Algorithm>, wanted: Option<&str>) -> Result<bool> {
    let Some(algorithm) = algorithm else { return Ok(false) };
    let default = algorithm.combines().is_none() || algorithm != Algorithm::Crc64Nvme;
    let composite = wanted.map_or(default, |wanted| wanted == COMPOSITE);
    let has = match composite {
        true => algorithm != Algorithm::Crc64Nvme,
        false => algorithm.combines().is_some(),
    };
    if has {
        return Ok(composite);
    }
    let (wanted, name) = (type_name(composite), algorithm.name().to_ascii_lowercase());
    Err(INVALID_REQUEST.because(format!(
        "The {wanted} checksum type cannot be used with the {name} checksum algorithm."
    )))
}

fn check_number(number: i32) -> Result<()> {
    if (1..=PART_NUMBER_MAX).contains(&number) {
        return Ok(());
    }
    let message = "Part number must be an integer between 1 and 10000, inclusive";
    Err(error::invalid_argument(message, "partNumber", &number.to_string()))
}

pub fn upload_part(cx: &mut Context, input: UploadPartRequest) -> Result<UploadPartOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let upload = find(cx, &bucket.name, &input.key, &input.upload_id)?;
    let row = store_part(cx, &bucket, &upload, input.part_number, &input)?;
    let mut output = UploadPartOutput { e_tag: Some(quoted(&row.etag)), ..Default::default() };
    for (algorithm, value) in write::checksums_received(cx) {
        member::set(&mut output, algorithm.member(), &value);
    }
    if let Some(seal) = &upload.draft.seal {
        encryption::tell(seal, &mut output);
    }
    write::touch(cx, &bucket, &upload.draft);
    Ok(output)
}

pub fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

/// Stores what was received as a part, in the place of an earlier one of its number.
pub fn store_part(
    cx: &mut Context,
    bucket: &Bucket,
    upload: &Upload,
    number: i32,
    input: &dyn Shape,
) -> Result<UploadedPart> {
    check_number(number)?;
    let Some(seal) = &upload.draft.seal else { return Err(internal("an upload without a key")) };
    let arn = upload.draft.arn();
    let key = encryption::open(cx, bucket, seal, &arn, (input, "SSECustomer"))?;
    let stored = write::received(cx, &key)?;
    let row = UploadedPart {
        upload: upload.id.clone(),
        etag: write::etag(seal, &stored.md5, &upload.id),
        modified: cx.now().seconds(),
        part: Part {
            number,
            piece: stored.piece,
            checksum: stored.checksum.map(|checksum| checksum.value),
        },
    };
    if let Some(before) = cx.get(&UPLOADED, &(UPLOADED.key)(&row))? {
        object::dereference(cx, &before.part.piece)?;
    }
    object::reference(cx, &row.part.piece)?;
    cx.put(&UPLOADED, &row)?;
    Ok(row)
}

fn all_parts(cx: &Context, upload: &str) -> Result<Vec<UploadedPart>> {
    cx.all(&UPLOADED, &format!("{upload}/"))
}

/// The parts that a completion names, which must be there and in order.
fn named(
    upload: &Upload,
    uploaded: &[UploadedPart],
    wanted: &[CompletedPart],
) -> Result<Vec<UploadedPart>> {
    let invalid = || {
        INVALID_PART.because(
            "One or more of the specified parts could not be found.  The part may not have been \
             uploaded, or the specified entity tag may not match the part's entity tag.",
        )
    };
    let mut parts: Vec<UploadedPart> = Vec::with_capacity(wanted.len());
    for part in wanted {
        let number = part.part_number.ok_or_else(error::malformed_xml)?;
        if parts.last().is_some_and(|before| before.part.number >= number) {
            return Err(INVALID_PART_ORDER.because(
                "The list of parts was not in ascending order. Parts must be ordered by part \
                 number.",
            ));
        }
        let place = uploaded.binary_search_by_key(&number, |row| row.part.number);
        let row = place.ok().and_then(|place| uploaded.get(place)).ok_or_else(invalid)?;
        let etag = part.e_tag.as_deref().map(|etag| etag.trim_matches('"'));
        if etag != Some(row.etag.as_str()) {
            return Err(invalid().with("PartNumber", number.to_string()));
        }
        let declared = checksum::declared(part);
        let differs = |(algorithm, value): &(Algorithm, String)| {
            Some(*algorithm) == upload.algorithm && Some(value) != row.part.checksum.as_ref()
        };
        if declared.iter().any(differs) {
            return Err(invalid().with("PartNumber", number.to_string()));
        }
        parts.push(row.clone());
    }
    let but_last = parts.len().saturating_sub(1);
    if let Some(small) =
        parts.iter().take(but_last).find(|row| row.part.piece.bytes < PART_BYTES_MIN)
    {
        return Err(ENTITY_TOO_SMALL
            .because("Your proposed upload is smaller than the minimum allowed size")
            .with("ProposedSize", small.part.piece.bytes.to_string())
            .with("MinSizeAllowed", PART_BYTES_MIN.to_string())
            .with("PartNumber", small.part.number.to_string())
            .with("ETag", small.etag.clone()));
    }
    Ok(parts)
}

pub fn complete_multipart_upload(
    cx: &mut Context,
    input: CompleteMultipartUploadRequest,
) -> Result<CompleteMultipartUploadOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let upload = find(cx, &bucket.name, &input.key, &input.upload_id)?;
    if let Some(seal) = &upload.draft.seal
        && (input.sse_customer_key.is_some() || input.sse_customer_algorithm.is_some())
    {
        encryption::check_customer_key(cx, seal, (&input, "SSECustomer"))?;
    }
    let wanted = input.multipart_upload.as_ref().and_then(|wanted| wanted.parts.as_deref());
    let wanted = wanted.filter(|parts| !parts.is_empty()).ok_or_else(error::malformed_xml)?;
    let current = object::current(cx, &bucket.name, &input.key)?;
    let (if_match, if_none_match) = (input.if_match.as_deref(), input.if_none_match.as_deref());
    condition::check_write(current.as_ref(), &input.key, if_match, if_none_match)?;
    let uploaded = all_parts(cx, &upload.id)?;
    let parts = named(&upload, &uploaded, wanted)?;
    let version = assembled(cx, &upload, &parts, &input)?;
    let mut version = object::store(cx, &bucket, version)?;
    version.parts = parts.len();
    let stored = parts.iter().map(|row| row.part.clone()).collect();
    cx.put(&PARTS, &Parts { order: version.parts_key(), parts: stored })?;
    object::update(cx, &version)?;
    let kept: Vec<&str> = parts.iter().map(|row| row.part.piece.blob.as_str()).collect();
    forget(cx, &upload, uploaded.iter(), &kept)?;
    write::touch(cx, &bucket, &version);
    let mut output = CompleteMultipartUploadOutput {
        location: Some(format!("http://{}.s3.amazonaws.com/{}", bucket.name, input.key)),
        bucket: Some(bucket.name.clone()),
        key: Some(input.key),
        e_tag: Some(version.quoted_etag()),
        version_id: version.shown_id(&bucket),
        ..CompleteMultipartUploadOutput::default()
    };
    write::tell(&version, &mut output);
    Ok(output)
}

/// The object of those parts, checked against what the request declares of it.
fn assembled(
    cx: &Context,
    upload: &Upload,
    parts: &[UploadedPart],
    input: &CompleteMultipartUploadRequest,
) -> Result<Version> {
    let size: u64 = parts.iter().map(|row| row.part.piece.bytes).sum();
    if size > OBJECT_BYTES_MAX {
        return Err(super::receive::too_large(size));
    }
    if input.mpu_object_size.is_some_and(|wanted| u64::try_from(wanted).ok() != Some(size)) {
        return Err(INVALID_REQUEST.because(format!(
            "The provided 'x-amz-mp-object-size' header does not match what was computed. Object \
             size: {size}"
        )));
    }
    let mut digest = Md5::new();
    for row in parts {
        let bytes = data_encoding::HEXLOWER.decode(row.etag.as_bytes()).map_err(internal)?;
        digest.update(bytes);
    }
    let sums: Vec<(String, u64)> = parts
        .iter()
        .filter_map(|row| Some((row.part.checksum.clone()?, row.part.piece.bytes)))
        .collect();
    let complete = sums.len() == parts.len();
    let algorithm = upload.algorithm.filter(|_| complete);
    let sum = algorithm.and_then(|it| checksum::of_parts(it, upload.composite, &sums));
    for (algorithm, declared) in checksum::declared(input) {
        let same = sum.as_ref().is_some_and(|sum| {
            sum.algorithm == algorithm && sum.value.split('-').next() == declared.split('-').next()
        });
        if !same {
            let name = algorithm.name().to_ascii_lowercase();
            return Err(error::BAD_DIGEST.because(format!(
                "The {name} you specified did not match the calculated checksum."
            )));
        }
    }
    Ok(Version {
        order: object::new_order(cx),
        modified: upload.initiated_millis / 1000,
        size,
        etag: format!("{}-{}", write::hex(&digest.finalize()), parts.len()),
        checksum: sum,
        ..upload.draft.clone()
    })
}

/// Removes the upload and the blobs that its object does not have.
fn forget<'u>(
    cx: &mut Context,
    upload: &Upload,
    uploaded: impl Iterator<Item = &'u UploadedPart>,
    kept: &[&str],
) -> Result<()> {
    for row in uploaded {
        if !kept.contains(&row.part.piece.blob.as_str()) {
            object::dereference(cx, &row.part.piece)?;
        }
        cx.delete(&UPLOADED, &(UPLOADED.key)(row))?;
    }
    cx.delete(&UPLOADS, &(UPLOADS.key)(upload))?;
    Ok(())
}

/// Ends an upload and lets go of its parts.
pub fn abort(cx: &mut Context, upload: &Upload) -> Result<()> {
    let parts = all_parts(cx, &upload.id)?;
    forget(cx, upload, parts.iter(), &[])
}

/// Ends all uploads of a bucket that is deleted.
pub fn abort_all(cx: &mut Context, bucket: &str) -> Result<()> {
    let uploads = cx.all(&UPLOADS, &format!("{bucket}/"))?;
    uploads.iter().try_for_each(|upload| abort(cx, upload))
}

pub fn abort_multipart_upload(
    cx: &mut Context,
    input: AbortMultipartUploadRequest,
) -> Result<AbortMultipartUploadOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let upload = find(cx, &bucket.name, &input.key, &input.upload_id)?;
    let begun = input.if_match_initiated_time;
    if begun.is_some_and(|at| at.seconds() != upload.initiated_millis / 1000) {
        return Err(error::precondition_failed("x-amz-if-match-initiated-time"));
    }
    abort(cx, &upload)?;
    write::touch(cx, &bucket, &upload.draft);
    Ok(AbortMultipartUploadOutput { request_charged: None })
}
