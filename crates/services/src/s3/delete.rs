//! Deleting objects: for good, or behind a delete marker; one or up to a thousand at once.
//!
//! Source: Amazon S3 API Reference, DeleteObject, DeleteObjects; User Guide, "Deleting object
//! versions from a versioning-enabled bucket", "Configuring MFA delete".

use super::access_point;
use super::bucket::{self, Bucket, Versioning};
use super::error::{self, ACCESS_DENIED};
use super::object::{self, Version};
use super::{condition, lock, read, requirement, write};
use crate::authorization;
use crate::context::Context;
use crate::errors::internal;
use crate::iam::mfa_device::{self, Verdict};
use palisade_model::s3::{
    DeleteObjectOutput, DeleteObjectRequest, DeleteObjectsOutput, DeleteObjectsRequest,
    DeletedObject, Error as KeyError, ObjectIdentifier,
};
use palisade_shape::{Result, Timestamp};

const OBJECTS_MAX: usize = 1000;

/// The second factor that a bucket with MFA delete wants: `serial code`. A right code is used up.
pub fn check_mfa(cx: &mut Context, mfa: Option<&str>) -> Result<()> {
    let denied = || ACCESS_DENIED.because("Mfa Authentication must be used for this request");
    let (serial, code) = mfa.and_then(|mfa| mfa.trim().rsplit_once(' ')).ok_or_else(denied)?;
    let user_id = cx.caller.user_id.to_string();
    match mfa_device::check_code(cx, &user_id, serial.trim(), code)? {
        Verdict::Right(step) => mfa_device::use_code(cx, serial.trim(), step),
        Verdict::Wrong | Verdict::NotTheirs => Err(denied()),
    }
}

/// What shall be deleted.
struct Wanted<'a> {
    key: &'a str,
    version_id: Option<&'a str>,
    etag: Option<&'a str>,
    modified: Option<Timestamp>,
    size: Option<i64>,
    bypass: bool,
}

/// What was done: the version removed, or the delete marker that was made.
#[derive(Default)]
struct Done {
    version_id: Option<String>,
    /// A delete marker was made or removed.
    marker: bool,
}

/// Deletes one version, or puts a delete marker before all of them.
fn delete(cx: &mut Context, bucket: &Bucket, wanted: &Wanted<'_>) -> Result<Done> {
    let Wanted { key, version_id, etag, modified, size, bypass } = *wanted;
    write::check_key(key)?;
    if let Some(id) = version_id {
        if !read::is_version_id(id) {
            return Err(error::invalid_argument("Invalid version id specified", "versionId", id));
        }
        let found = object::by_id(cx, &bucket.name, key, id)?;
        condition::check_delete(found.as_ref(), etag, modified, size)?;
        let Some(version) = found else { return Ok(Done::default()) };
        lock::check_removal(cx, &version, bypass)?;
        object::remove(cx, &version)?;
        let version_id = bucket.keeps_versions().then(|| id.to_owned());
        return Ok(Done { version_id, marker: version.marker });
    }
    let current = object::current(cx, &bucket.name, key)?;
    condition::check_delete(current.as_ref(), etag, modified, size)?;
    if bucket.versioning == Versioning::Never {
        if let Some(version) = current {
            object::remove(cx, &version)?;
        }
        return Ok(Done::default());
    }
    let marker = Version {
        bucket: bucket.name.clone(),
        key: key.to_owned(),
        order: object::new_order(cx),
        owner: bucket.account.clone(),
        modified: cx.now().seconds(),
        marker: true,
        ..Version::default()
    };
    let marker = object::store(cx, bucket, marker)?;
    Ok(Done { version_id: Some(marker.id().to_owned()), marker: true })
}

pub fn delete_object(cx: &mut Context, input: DeleteObjectRequest) -> Result<DeleteObjectOutput> {
    let DeleteObjectRequest {
        bucket,
        key,
        mfa,
        version_id,
        request_payer: _,
        bypass_governance_retention,
        expected_bucket_owner: _,
        if_match,
        if_match_last_modified_time,
        if_match_size,
    } = input;
    let bucket = bucket::load(cx, &bucket)?;
    if bucket.mfa_delete && version_id.is_some() {
        check_mfa(cx, mfa.as_deref())?;
    }
    let wanted = Wanted {
        key: &key,
        version_id: version_id.as_deref(),
        etag: if_match.as_deref(),
        modified: if_match_last_modified_time,
        size: if_match_size,
        bypass: bypass_governance_retention == Some(true),
    };
    let Done { version_id, marker } = delete(cx, &bucket, &wanted)?;
    let arn = format!("{}/{key}", bucket.arn());
    cx.in_account(&bucket.account, |cx| cx.touch("AWS::S3::Object", arn));
    bucket::touch(cx, &bucket);
    let delete_marker = marker.then_some(true);
    Ok(DeleteObjectOutput { delete_marker, version_id, request_charged: None })
}

/// Deletes each object that the caller may delete; the answer tells of each of them.
pub fn delete_objects(
    cx: &mut Context,
    input: DeleteObjectsRequest,
) -> Result<DeleteObjectsOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let objects = &input.delete.objects;
    if objects.is_empty() || objects.len() > OBJECTS_MAX {
        return Err(error::malformed_xml());
    }
    if bucket.mfa_delete && objects.iter().any(|object| object.version_id.is_some()) {
        check_mfa(cx, input.mfa.as_deref())?;
    }
    let quiet = input.delete.quiet == Some(true);
    let bypass = input.bypass_governance_retention == Some(true);
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for object in objects {
        let done = permit(cx, &bucket, &input, object)
            .and_then(|()| delete(cx, &bucket, &wanted(object, bypass)));
        match done {
            Ok(done) if !quiet => deleted.push(told(object, done)),
            Ok(_) => {}
            // What fails is ours: nothing of the request is done.
            Err(error) if error.code.status >= 500 => return Err(error),
            Err(error) => errors.push(KeyError {
                key: Some(object.key.clone()),
                version_id: object.version_id.clone(),
                code: Some(error.code.code.to_owned()),
                message: Some(error.message.into_owned()),
            }),
        }
    }
    bucket::touch(cx, &bucket);
    Ok(DeleteObjectsOutput {
        deleted: Some(deleted).filter(|deleted| !deleted.is_empty()),
        request_charged: None,
        errors: Some(errors).filter(|errors| !errors.is_empty()),
    })
}

fn wanted(object: &ObjectIdentifier, bypass: bool) -> Wanted<'_> {
    let ObjectIdentifier { key, version_id, e_tag, last_modified_time, size } = object;
    Wanted {
        key,
        version_id: version_id.as_deref(),
        etag: e_tag.as_deref(),
        modified: *last_modified_time,
        size: *size,
        bypass,
    }
}

fn told(object: &ObjectIdentifier, done: Done) -> DeletedObject {
    let of_marker = done.marker.then(|| done.version_id.clone()).flatten();
    DeletedObject {
        key: Some(object.key.clone()),
        version_id: object.version_id.clone(),
        delete_marker: done.marker.then_some(true),
        delete_marker_version_id: of_marker,
    }
}

/// Decides about one object: S3 denies those that may not be deleted and deletes the others.
fn permit(
    cx: &mut Context,
    bucket: &Bucket,
    input: &DeleteObjectsRequest,
    object: &ObjectIdentifier,
) -> Result<()> {
    let Some(credential) = cx.credential else {
        return Err(internal("a call without its credential"));
    };
    let bypass = input.bypass_governance_retention == Some(true);
    let version_id = object.version_id.as_deref();
    let wanted = requirement::of_deletion(bucket, &object.key, version_id, bypass);
    let point = access_point::named(cx, &input.bucket)?;
    for wanted in access_point::through(cx, point.as_ref(), bucket, "DeleteObjects", wanted)? {
        let decided = authorization::decide(cx, &super::SERVICE, wanted, input, credential)?;
        if !decided.decision.allowed() {
            return Err(error::denied());
        }
    }
    Ok(())
}
