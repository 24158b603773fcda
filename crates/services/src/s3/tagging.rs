//! Tags of buckets and of objects.
//!
//! Source: Amazon S3 User Guide, "Categorizing your objects using tags", "Using cost allocation
//! S3 bucket tags".

use super::bucket::{self, Bucket};
use super::error::{self, INVALID_TAG, NO_SUCH_TAG_SET};
use super::object::{self, Version};
use super::{read, replication};
use crate::context::Context;
use crate::service::Tags;
use palisade_model::s3::{
    DeleteBucketTaggingRequest, DeleteObjectTaggingOutput, DeleteObjectTaggingRequest,
    GetBucketTaggingOutput, GetBucketTaggingRequest, GetObjectTaggingOutput,
    GetObjectTaggingRequest, PutBucketTaggingRequest, PutObjectTaggingOutput,
    PutObjectTaggingRequest, Tag,
};
use palisade_protocol::Form;
use palisade_shape::{Nothing, Result};
use std::collections::BTreeSet;

pub const BUCKET_TAGS_MAX: usize = 50;
pub const OBJECT_TAGS_MAX: usize = 10;

/// Refuses tags that S3 does not take.
pub fn check(tags: &Tags, most: usize) -> Result<()> {
    let mut seen = BTreeSet::new();
    for (key, value) in tags {
        let allowed = |text: &str| {
            text.chars().all(|c| c.is_alphanumeric() || c == ' ' || "+-=._:/@".contains(c))
        };
        if key.is_empty() || key.chars().count() > 128 || !allowed(key) {
            let message = "The TagKey you have provided is invalid";
            return Err(INVALID_TAG.because(message).with("TagKey", key.clone()));
        }
        if value.chars().count() > 256 || !allowed(value) {
            let message = "The TagValue you have provided is invalid";
            return Err(INVALID_TAG.because(message).with("TagKey", key.clone()));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(INVALID_TAG.because("System tags cannot be added/updated by requester"));
        }
        if !seen.insert(key.as_str()) {
            return Err(INVALID_TAG
                .because("Cannot provide multiple Tags with the same key")
                .with("TagKey", key.clone()));
        }
    }
    if tags.len() > most {
        return Err(match most {
            OBJECT_TAGS_MAX => error::BAD_REQUEST.because("Object tags cannot be greater than 10"),
            _ => error::BAD_REQUEST.because("Bucket tag count cannot be greater than 50"),
        });
    }
    Ok(())
}

/// The tags in the header `x-amz-tagging`, encoded as a query.
pub fn of_header(header: Option<&str>) -> Result<Tags> {
    let Some(header) = header else { return Ok(Tags::new()) };
    let mut form = Form::default();
    let readable = form.add(header).is_some();
    let tags: Tags = form.pairs().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    if !readable {
        let message = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL \
                       query parameters without tag name duplicates.";
        return Err(error::invalid_argument(message, "x-amz-tagging", header));
    }
    check(&tags, OBJECT_TAGS_MAX)?;
    Ok(tags)
}

pub fn pairs(tags: &[Tag]) -> Tags {
    tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()
}

fn shown(tags: Tags) -> Vec<Tag> {
    tags.into_iter().map(|(key, value)| Tag { key, value }).collect()
}

pub fn get_bucket_tagging(
    cx: &mut Context,
    input: GetBucketTaggingRequest,
) -> Result<GetBucketTaggingOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    if bucket.tags.is_empty() {
        return Err(NO_SUCH_TAG_SET
            .because("The TagSet does not exist")
            .with("BucketName", bucket.name));
    }
    Ok(GetBucketTaggingOutput { tag_set: shown(bucket.tags) })
}

/// Replaces all tags of the bucket.
pub fn put_bucket_tagging(cx: &mut Context, input: PutBucketTaggingRequest) -> Result<Nothing> {
    let mut bucket = bucket::load(cx, &input.bucket)?;
    let tags = pairs(&input.tagging.tag_set);
    check(&tags, BUCKET_TAGS_MAX)?;
    bucket.tags = tags;
    bucket::save(cx, &bucket)?;
    Ok(Nothing)
}

pub fn delete_bucket_tagging(
    cx: &mut Context,
    input: DeleteBucketTaggingRequest,
) -> Result<Nothing> {
    let mut bucket = bucket::load(cx, &input.bucket)?;
    bucket.tags.clear();
    bucket::save(cx, &bucket)?;
    Ok(Nothing)
}

pub fn get_object_tagging(
    cx: &mut Context,
    input: GetObjectTaggingRequest,
) -> Result<GetObjectTaggingOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let version = read::find(cx, &bucket, &input.key, input.version_id.as_deref())?;
    let version_id = version.shown_id(&bucket);
    Ok(GetObjectTaggingOutput { version_id, tag_set: shown(version.tags) })
}

/// Stores a version with other tags. Those of its replica follow.
fn changed(cx: &mut Context, bucket: &Bucket, version: &mut Version) -> Result<()> {
    if version.replication.is_some() {
        replication::begin(cx, bucket, version)?;
    }
    object::update(cx, version)
}

/// Replaces all tags of a version.
pub fn put_object_tagging(
    cx: &mut Context,
    input: PutObjectTaggingRequest,
) -> Result<PutObjectTaggingOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let tags = pairs(&input.tagging.tag_set);
    check(&tags, OBJECT_TAGS_MAX)?;
    let mut version = read::find(cx, &bucket, &input.key, input.version_id.as_deref())?;
    version.tags = tags;
    changed(cx, &bucket, &mut version)?;
    bucket::touch(cx, &bucket);
    Ok(PutObjectTaggingOutput { version_id: version.shown_id(&bucket) })
}

pub fn delete_object_tagging(
    cx: &mut Context,
    input: DeleteObjectTaggingRequest,
) -> Result<DeleteObjectTaggingOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let mut version = read::find(cx, &bucket, &input.key, input.version_id.as_deref())?;
    version.tags.clear();
    changed(cx, &bucket, &mut version)?;
    bucket::touch(cx, &bucket);
    Ok(DeleteObjectTaggingOutput { version_id: version.shown_id(&bucket) })
}
