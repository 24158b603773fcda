//! What the caller must be allowed. The authorization table names the actions; what it cannot know
//! is whose the bucket and the object are, that a missing object is only told of to who may list
//! the bucket, and what stands in the headers of copies and tags.
//!
//! Source: Amazon S3 User Guide, "Required permissions for Amazon S3 API operations".

use super::access_log::Logged;
use super::access_point::{self, AccessPoint};
use super::bucket::{self, BUCKETS, Bucket};
use super::copy::Source;
use super::error;
use super::object::{self, Version};
use super::{SERVICE, member, settings, tagging};
use crate::authorization::{Requirement, from_table};
use crate::context::Context;
use crate::service::{Input, Requires, Tags};
use palisade_protocol::select::select;
use palisade_shape::{Result, Shape};

/// An operation on a bucket or an object that is there or shall be, by its name.
pub struct Of(pub &'static str);

/// Operations that tell of an object only to who may list its bucket when it is not there.
const TELLING: [&str; 10] = [
    "CopyObject",
    "GetObject",
    "GetObjectAcl",
    "GetObjectAttributes",
    "GetObjectLegalHold",
    "GetObjectRetention",
    "GetObjectTagging",
    "HeadObject",
    "UploadPartCopy",
    "SelectObjectContent",
];

impl Requires for Of {
    fn requirements(&self, cx: &mut Context, input: &dyn Input) -> Result<Vec<Requirement>> {
        let shape = input.as_shape();
        let name = member::text(shape, "Bucket").unwrap_or_default();
        let bucket = bucket::load(cx, &name)?;
        check_owner(&bucket, shape, "ExpectedBucketOwner")?;
        settings::check_payer(cx, &bucket, member::text(shape, "RequestPayer").as_deref())?;
        let key = member::text(shape, "Key");
        let version_id = member::text(shape, "VersionId");
        let stored = match &key {
            Some(key) => stored(cx, &bucket, key, version_id.as_deref())?,
            None => None,
        };
        let account = match &stored {
            Some(version) if !bucket.acls_disabled() => version.owner.clone(),
            _ => bucket.account.clone(),
        };
        let source = member::text(shape, "CopySource").map(|header| Source::parse(&header));
        let source = source.transpose()?;
        let mut wanted = Vec::new();
        for mut one in from_table(cx, &SERVICE, self.0, input)? {
            if !one.action.starts_with("s3:") {
                wanted.push(one);
                continue;
            }
            if source.is_some() && one.action == "s3:GetObject" {
                continue;
            }
            match &key {
                Some(key) => {
                    one.resource = format!("{}/{key}", bucket.arn());
                    one.kind = "object".to_owned();
                    // Writing decides about the bucket, reading about the object.
                    let writes = one.action.starts_with("s3:Put") && !one.action.ends_with("Acl");
                    one.account = if writes { bucket.account.clone() } else { account.clone() };
                }
                None => {
                    one.resource = bucket.arn();
                    one.kind = "bucket".to_owned();
                    one.account = bucket.account.clone();
                }
            }
            with_request_tags(&mut one, shape);
            with_copy_source(&mut one);
            wanted.push(one);
        }
        // The API Reference asks for both; the authorization reference knows one.
        if self.0 == "UpdateObjectEncryption"
            && let Some(one) = wanted.first().cloned()
        {
            wanted.push(Requirement { action: "s3:PutObject".to_owned(), ..one });
        }
        let of_source = match &source {
            Some(source) => of_source(cx, self.0, &mut wanted, source, shape)?,
            None => Vec::new(),
        };
        if source.is_none() && key.is_some() && stored.is_none() && TELLING.contains(&self.0) {
            wanted.push(listing(&bucket));
        }
        let point = access_point::named(cx, &name)?;
        note_log(cx, &bucket, point.as_ref());
        let mut wanted = access_point::through(cx, point.as_ref(), &bucket, self.0, wanted)?;
        wanted.extend(of_source);
        Ok(wanted)
    }
}

/// Notes that the request is to be told in the bucket's access log, if it has one.
fn note_log(cx: &mut Context, bucket: &Bucket, point: Option<&AccessPoint>) {
    if bucket.logged {
        let (name, owner) = (bucket.name.clone(), bucket.account.clone());
        let access_point = point.map(AccessPoint::arn);
        cx.notes.access_log = Some(Box::new(Logged { bucket: name, owner, access_point }));
    }
}

/// The version that a request is about; a delete marker counts as none.
fn stored(
    cx: &Context,
    bucket: &Bucket,
    key: &str,
    version_id: Option<&str>,
) -> Result<Option<Version>> {
    match version_id {
        Some(id) => object::by_id(cx, &bucket.name, key, id),
        None => object::current(cx, &bucket.name, key),
    }
}

fn listing(bucket: &Bucket) -> Requirement {
    Requirement::new("s3:ListBucket", bucket.arn(), &bucket.account).of_kind("bucket")
}

/// Refuses a request for a bucket of another owner than it expects.
fn check_owner(bucket: &Bucket, input: &dyn Shape, name: &str) -> Result<()> {
    match member::text(input, name) {
        Some(expected) if expected != bucket.account => Err(error::denied()),
        _ => Ok(()),
    }
}

/// What the source of a copy wants. What its tags want of the destination goes to `wanted`.
fn of_source(
    cx: &mut Context,
    operation: &str,
    wanted: &mut Vec<Requirement>,
    source: &Source,
    input: &dyn Shape,
) -> Result<Vec<Requirement>> {
    let bucket = bucket::load(cx, &source.bucket)?;
    check_owner(&bucket, input, "ExpectedSourceBucketOwner")?;
    let stored = stored(cx, &bucket, &source.key, source.version_id.as_deref())?;
    let account = match &stored {
        Some(version) if !bucket.acls_disabled() => &version.owner,
        _ => &bucket.account,
    };
    let of_version = |plain: &str, version: &str| match &source.version_id {
        Some(_) => version.to_owned(),
        None => plain.to_owned(),
    };
    let arn = format!("{}/{}", bucket.arn(), source.key);
    let on_source = |action: String| {
        let one = Requirement::new(action, arn.clone(), account).of_kind("object");
        match &source.version_id {
            Some(id) => one.with_key("s3:versionid", id),
            None => one,
        }
    };
    let mut reading = Vec::new();
    let copies_tags = member::text(input, "TaggingDirective").as_deref() != Some("REPLACE")
        && member::text(input, "PartNumber").is_none()
        && stored.as_ref().is_some_and(|version| !version.tags.is_empty());
    if copies_tags {
        let tags = stored.as_ref().map(|version| version.tags.clone()).unwrap_or_default();
        reading.push(on_source(of_version("s3:GetObjectTagging", "s3:GetObjectVersionTagging")));
        if let Some(put) = wanted.iter().find(|one| one.action == "s3:PutObject").cloned() {
            let mut put = Requirement { action: "s3:PutObjectTagging".to_owned(), ..put };
            set_request_tags(&mut put, &tags);
            wanted.push(put);
        }
    }
    reading.push(on_source(of_version("s3:GetObject", "s3:GetObjectVersion")));
    if stored.is_none() {
        reading.push(listing(&bucket));
    }
    let point = access_point::named(cx, &source.bucket)?;
    access_point::through(cx, point.as_ref(), &bucket, operation, reading)
}

/// The tags that a request gives an object, as `s3:RequestObjectTag/key` and
/// `s3:RequestObjectTagKeys`.
fn with_request_tags(one: &mut Requirement, input: &dyn Shape) {
    let before = one.keys.len();
    one.keys.retain(|(key, _)| !key.starts_with("s3:requestobjecttag"));
    if one.keys.len() == before {
        return;
    }
    let keys = select(input, "Tagging.TagSet[].Key");
    let tags: Tags = match keys.is_empty() {
        false => keys.into_iter().zip(select(input, "Tagging.TagSet[].Value")).collect(),
        // What cannot be read is refused by the handler.
        true => tagging::of_header(member::text(input, "Tagging").as_deref()).unwrap_or_default(),
    };
    set_request_tags(one, &tags);
}

fn set_request_tags(one: &mut Requirement, tags: &Tags) {
    one.keys.retain(|(key, _)| !key.starts_with("s3:requestobjecttag"));
    if tags.is_empty() {
        return;
    }
    for (key, value) in tags {
        one.keys.push((format!("s3:requestobjecttag/{}", key.to_lowercase()), vec![value.clone()]));
    }
    let keys = tags.iter().map(|(key, _)| key.clone()).collect();
    one.keys.push(("s3:requestobjecttagkeys".to_owned(), keys));
}

/// Conditions compare `bucket/key`, however the header was written.
fn with_copy_source(one: &mut Requirement) {
    let keys = one.keys.iter_mut().filter(|(key, _)| key == "s3:x-amz-copy-source");
    for (_, values) in keys {
        for value in values {
            if let Ok(source) = Source::parse(value) {
                *value = format!("{}/{}", source.bucket, source.key);
            }
        }
    }
}

/// What deleting one of several objects wants.
pub fn of_deletion(
    bucket: &Bucket,
    key: &str,
    version_id: Option<&str>,
    bypass: bool,
) -> Vec<Requirement> {
    let arn = format!("{}/{key}", bucket.arn());
    let on_object =
        |action: &str| Requirement::new(action, arn.clone(), &bucket.account).of_kind("object");
    let mut wanted = vec![match version_id {
        None => on_object("s3:DeleteObject"),
        Some(id) => on_object("s3:DeleteObjectVersion").with_key("s3:versionid", id),
    }];
    if bypass {
        wanted.push(on_object("s3:BypassGovernanceRetention"));
    }
    wanted
}

/// Deleting several objects is decided object by object, in the handler.
pub struct EachObject;

impl Requires for EachObject {
    fn requirements(&self, cx: &mut Context, input: &dyn Input) -> Result<Vec<Requirement>> {
        let shape = input.as_shape();
        let name = member::text(shape, "Bucket").unwrap_or_default();
        let bucket = bucket::load(cx, &name)?;
        check_owner(&bucket, shape, "ExpectedBucketOwner")?;
        let point = access_point::named(cx, &name)?;
        note_log(cx, &bucket, point.as_ref());
        access_point::through(cx, point.as_ref(), &bucket, "DeleteObjects", Vec::new())
    }
}

/// The bucket in an ARN, or behind the access point in it, if it is there.
pub fn bucket_of(cx: &Context, arn: &str) -> Result<Option<(Bucket, u64)>> {
    let Some(resource) = arn.strip_prefix("arn:aws:s3:::") else {
        let Some((point, _)) = access_point::of_arn(cx, arn)? else { return Ok(None) };
        return cx.get_revised(&BUCKETS, &point.bucket);
    };
    let name = resource.split_once('/').map_or(resource, |(name, _)| name);
    cx.get_revised(&BUCKETS, name)
}

/// The key in an object's ARN.
pub fn key_of(arn: &str) -> Option<&str> {
    match arn.strip_prefix("arn:aws:s3:::") {
        Some(resource) => resource.split_once('/').map(|(_, key)| key),
        None => access_point::parse(arn).and_then(|(_, key)| key),
    }
}
