//! Reading objects: whole, in ranges, by part, or what is known of them.
//!
//! Source: Amazon S3 API Reference, GetObject, HeadObject, GetObjectAttributes.

use super::bucket::{self, Bucket};
use super::condition::Conditions;
use super::error::{self, INVALID_PART_NUMBER, INVALID_RANGE, METHOD_NOT_ALLOWED, NO_SUCH_KEY};
use super::object::{self, PARTS, Version};
use super::replication::Status;
use super::{encryption, lifecycle_run, member, restore, write};
use crate::context::Context;
use palisade_model::s3::{
    Checksum, GetObjectAttributesOutput, GetObjectAttributesParts, GetObjectAttributesRequest,
    GetObjectOutput, GetObjectRequest, HeadObjectOutput, HeadObjectRequest, ObjectPart,
};
use palisade_shape::{Result, Shape, Timestamp};

/// The version that a request names, or the current one. A delete marker answers as S3 has it.
pub fn find(cx: &Context, bucket: &Bucket, key: &str, id: Option<&str>) -> Result<Version> {
    let Some(id) = id else {
        return object::current(cx, &bucket.name, key)?.ok_or_else(|| missing(cx, bucket, key));
    };
    match object::by_id(cx, &bucket.name, key, id)? {
        Some(version) if version.marker => Err(METHOD_NOT_ALLOWED
            .because("The specified method is not allowed against this resource.")
            .with("ResourceType", "DeleteMarker")
            .with("Method", "GET")),
        Some(version) => Ok(version),
        None if is_version_id(id) => Err(error::no_such_version(key, id)),
        None => Err(error::invalid_argument("Invalid version id specified", "versionId", id)),
    }
}

/// Whether a text can be a version id at all.
pub fn is_version_id(id: &str) -> bool {
    id == object::NULL || (id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

fn missing(cx: &Context, bucket: &Bucket, key: &str) -> palisade_shape::Error {
    let error = NO_SUCH_KEY.because("The specified key does not exist.").with("Key", key);
    match object::newest_behind(cx, &bucket.name, key) {
        Ok(Some(newest)) if newest.marker => error,
        Ok(_) => error,
        Err(failed) => failed,
    }
}

/// What a request wants of an object's bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Span {
    pub offset: u64,
    pub bytes: u64,
    /// It is a part of the whole, answered with 206.
    pub partial: bool,
}

/// Reads `bytes=first-last`, `bytes=first-` or `bytes=-last`. What is no such range is ignored, as
/// several ranges are.
pub fn span(range: Option<&str>, size: u64) -> Result<Span> {
    let whole = Span { offset: 0, bytes: size, partial: false };
    let Some(range) = range else { return Ok(whole) };
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-'))
    else {
        return Ok(whole);
    };
    let (first, last) = (first.trim(), last.trim());
    let unsatisfiable = || {
        INVALID_RANGE
            .because("The requested range is not satisfiable")
            .with("RangeRequested", range)
            .with("ActualObjectSize", size.to_string())
    };
    let (offset, end) = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => (first, last.saturating_add(1).min(size)),
        (Ok(first), Err(_)) if last.is_empty() => (first, size),
        (Err(_), Ok(0)) if first.is_empty() => return Err(unsatisfiable()),
        (Err(_), Ok(last)) if first.is_empty() => (size.saturating_sub(last), size),
        _ => return Ok(whole),
    };
    if offset >= size {
        return Err(unsatisfiable());
    }
    Ok(Span { offset, bytes: end - offset, partial: true })
}

/// The bytes of one part; the whole object is part 1 of one that came at once.
fn part_span(cx: &Context, version: &Version, number: i32) -> Result<Span> {
    let whole = Span { offset: 0, bytes: version.size, partial: true };
    let out_of = || {
        INVALID_PART_NUMBER
            .because("The requested partnumber is not satisfiable")
            .with("PartNumberRequested", number.to_string())
            .with("ActualPartCount", version.parts.max(1).to_string())
    };
    if version.parts == 0 {
        return if number == 1 { Ok(whole) } else { Err(out_of()) };
    }
    let parts = cx.find(&PARTS, &version.parts_key())?.parts;
    let wanted = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    let wanted = wanted.filter(|wanted| *wanted < parts.len()).ok_or_else(out_of)?;
    let offset = parts.iter().take(wanted).map(|part| part.piece.bytes).sum();
    let bytes = parts.get(wanted).map_or(0, |part| part.piece.bytes);
    Ok(Span { offset, bytes, partial: true })
}

/// What both reads answer of a version: all members that have the same names.
fn describe(version: &Version, bucket: &Bucket, checksums: bool, output: &mut dyn Shape) {
    let headers = &version.headers;
    member::set(output, "AcceptRanges", "bytes");
    member::set(output, "ETag", &version.quoted_etag());
    member::set_some(output, "VersionId", version.shown_id(bucket).as_deref());
    let texts = [
        ("CacheControl", &headers.cache_control),
        ("ContentDisposition", &headers.content_disposition),
        ("ContentEncoding", &headers.content_encoding),
        ("ContentLanguage", &headers.content_language),
        ("Expires", &headers.expires),
        ("WebsiteRedirectLocation", &headers.website_redirect_location),
    ];
    for (name, value) in texts {
        member::set_some(output, name, value.as_deref());
    }
    let kind = headers.content_type.as_deref().unwrap_or("binary/octet-stream");
    member::set(output, "ContentType", kind);
    if version.storage_class != "STANDARD" {
        member::set(output, "StorageClass", &version.storage_class);
    }
    if !version.tags.is_empty() {
        member::set(output, "TagCount", &version.tags.len().to_string());
    }
    if let Some(seal) = &version.seal {
        encryption::tell(seal, output);
    }
    if let Some(checksum) = version.checksum.as_ref().filter(|_| checksums) {
        checksum.tell(output);
    }
    write::tell_lock(&version.lock, output);
    let replication = version.replication.map(Status::name);
    member::set_some(output, "ReplicationStatus", replication);
}

fn content_range(span: &Span, size: u64) -> Option<String> {
    let last = (span.offset + span.bytes).saturating_sub(1);
    span.partial.then(|| format!("bytes {}-{last}/{size}", span.offset))
}

/// The object's bytes, all or some.
pub fn get_object(cx: &mut Context, input: GetObjectRequest) -> Result<GetObjectOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let version = find(cx, &bucket, &input.key, input.version_id.as_deref())?;
    restore::check_readable(&version, cx.now())?;
    let span = wanted_span(cx, &version, input.range.as_deref(), input.part_number)?;
    Conditions::of(&input, "").check(&version, false)?;
    let place = (span.offset, span.bytes);
    let content = version.content(cx, &bucket, place, (&input, "SSECustomer"))?;
    let checksums = input.checksum_mode.is_some() && !span.partial;
    let mut output = GetObjectOutput {
        last_modified: Some(version.modified()),
        content_length: i64::try_from(span.bytes).ok(),
        content_range: content_range(&span, version.size),
        metadata: Some(version.metadata.clone()).filter(|metadata| !metadata.is_empty()),
        object_lock_retain_until_date: version.lock.until_millis.map(Timestamp::from_millis),
        parts_count: input.part_number.and_then(|_| parts_count(&version)),
        ..GetObjectOutput::default()
    };
    describe(&version, &bucket, checksums, &mut output);
    output.expiration = lifecycle_run::expiration(cx, &version)?;
    output.restore = restore::header(&version, cx.now());
    override_headers(&mut output, input);
    touch(cx, &bucket, &version);
    cx.reply.status = span.partial.then_some(206);
    cx.reply.content = Some(content);
    Ok(output)
}

fn wanted_span(
    cx: &Context,
    version: &Version,
    range: Option<&str>,
    part: Option<i32>,
) -> Result<Span> {
    match (range, part) {
        (Some(_), Some(_)) => Err(error::INVALID_REQUEST
            .because("Cannot specify both Range header and partNumber query parameter")),
        (_, Some(number)) => part_span(cx, version, number),
        (range, None) => span(range, version.size),
    }
}

fn parts_count(version: &Version) -> Option<i32> {
    (version.parts > 0).then(|| i32::try_from(version.parts).unwrap_or_default())
}

/// What the request wants some headers of the answer to say.
fn override_headers(output: &mut GetObjectOutput, input: GetObjectRequest) {
    let pairs = [
        (&mut output.cache_control, input.response_cache_control),
        (&mut output.content_disposition, input.response_content_disposition),
        (&mut output.content_encoding, input.response_content_encoding),
        (&mut output.content_language, input.response_content_language),
        (&mut output.content_type, input.response_content_type),
    ];
    for (place, wanted) in pairs {
        if wanted.is_some() {
            *place = wanted;
        }
    }
}

/// Names object and bucket in the audit record of a read.
fn touch(cx: &mut Context, bucket: &Bucket, version: &Version) {
    write::touch(cx, bucket, version);
}

/// What is known of an object.
pub fn head_object(cx: &mut Context, input: HeadObjectRequest) -> Result<HeadObjectOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let version = find(cx, &bucket, &input.key, input.version_id.as_deref())?;
    let span = wanted_span(cx, &version, input.range.as_deref(), input.part_number)?;
    Conditions::of(&input, "").check(&version, false)?;
    if let Some(seal) = &version.seal {
        encryption::check_customer_key(cx, seal, (&input, "SSECustomer"))?;
    }
    let mut output = HeadObjectOutput {
        last_modified: Some(version.modified()),
        content_length: i64::try_from(span.bytes).ok(),
        content_range: content_range(&span, version.size),
        metadata: Some(version.metadata.clone()).filter(|metadata| !metadata.is_empty()),
        object_lock_retain_until_date: version.lock.until_millis.map(Timestamp::from_millis),
        parts_count: input.part_number.and_then(|_| parts_count(&version)),
        ..HeadObjectOutput::default()
    };
    describe(&version, &bucket, input.checksum_mode.is_some(), &mut output);
    output.expiration = lifecycle_run::expiration(cx, &version)?;
    output.restore = restore::header(&version, cx.now());
    touch(cx, &bucket, &version);
    cx.reply.status = span.partial.then_some(206);
    Ok(output)
}

/// Chosen facts of an object, its parts among them.
pub fn get_object_attributes(
    cx: &mut Context,
    input: GetObjectAttributesRequest,
) -> Result<GetObjectAttributesOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let version = find(cx, &bucket, &input.key, input.version_id.as_deref())?;
    if let Some(seal) = &version.seal {
        encryption::check_customer_key(cx, seal, (&input, "SSECustomer"))?;
    }
    // The header may hold several in one value.
    let mut asked = input.object_attributes.iter().flat_map(|names| names.split(','));
    let names: Vec<&str> = asked.by_ref().map(str::trim).collect();
    let wants = |name: &str| names.contains(&name);
    let checksum = version.checksum.as_ref().filter(|_| wants("Checksum")).map(|stored| {
        let mut checksum = Checksum::default();
        stored.tell(&mut checksum);
        checksum
    });
    let object_parts = match wants("ObjectParts") && version.parts > 0 {
        true => Some(listed_parts(cx, &version, &input)?),
        false => None,
    };
    Ok(GetObjectAttributesOutput {
        delete_marker: None,
        last_modified: Some(version.modified()),
        version_id: version.shown_id(&bucket),
        request_charged: None,
        e_tag: wants("ETag").then(|| version.etag.clone()),
        checksum,
        object_parts,
        storage_class: wants("StorageClass").then(|| version.storage_class.clone()),
        object_size: i64::try_from(version.size).ok().filter(|_| wants("ObjectSize")),
    })
}

fn listed_parts(
    cx: &Context,
    version: &Version,
    input: &GetObjectAttributesRequest,
) -> Result<GetObjectAttributesParts> {
    let parts = cx.find(&PARTS, &version.parts_key())?.parts;
    let total = i32::try_from(parts.len()).ok();
    let after = input.part_number_marker.unwrap_or(0);
    let most = input.max_parts.unwrap_or(1000).clamp(0, 1000);
    let size = usize::try_from(most).unwrap_or_default();
    // Without a checksum of its own a part is counted and not listed.
    let Some(checksum) = &version.checksum.as_ref().filter(|checksum| checksum.composite) else {
        return Ok(GetObjectAttributesParts {
            total_parts_count: total,
            ..GetObjectAttributesParts::default()
        });
    };
    let mut left = parts.into_iter().filter(|part| part.number > after);
    let page: Vec<_> = left.by_ref().take(size).collect();
    let last = page.last().map_or(after, |part| part.number);
    let shown = page.into_iter().map(|part| {
        let mut shown = ObjectPart {
            part_number: Some(part.number),
            size: i64::try_from(part.piece.bytes).ok(),
            ..ObjectPart::default()
        };
        member::set_some(&mut shown, checksum.algorithm.member(), part.checksum.as_deref());
        shown
    });
    Ok(GetObjectAttributesParts {
        total_parts_count: total,
        part_number_marker: Some(after),
        parts: Some(shown.collect()),
        next_part_number_marker: Some(last),
        max_parts: Some(most),
        is_truncated: Some(left.next().is_some()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let found = |range: &str| match span(Some(range), 10) {
            Ok(span) => (span.offset, span.bytes, span.partial),
            Err(error) => (0, u64::from(error.code.status), false),
        };
        assert_eq!(found("bytes=0-3"), (0, 4, true));
        assert_eq!(found("bytes=4-"), (4, 6, true));
        assert_eq!(found("bytes=-3"), (7, 3, true));
        assert_eq!(found("bytes=-30"), (0, 10, true));
        assert_eq!(found("bytes=8-100"), (8, 2, true));
        assert_eq!(found("bytes=10-"), (0, 416, false));
        assert_eq!(found("bytes=-0"), (0, 416, false));
        assert_eq!(found("bytes=5-3"), (0, 10, false));
        assert_eq!(found("bytes=0-1,3-4"), (0, 10, false));
        assert_eq!(found("lines=0-1"), (0, 10, false));
    }
}
