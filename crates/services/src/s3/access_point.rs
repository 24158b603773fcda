//! Access points: named doors to a bucket, each with a policy and a public access block of its own.
//! S3 Control makes them; this is how requests come through them.
//!
//! A request names an access point where others name a bucket: by its alias, or as
//! `name-account`, the first label of its host name, which clients make of its ARN; the source of a
//! copy has the ARN itself. It must be allowed on the access point and on the bucket behind it,
//! each with all policies of the caller.
//!
//! Source: Amazon S3 User Guide, "Managing access to shared datasets with access points",
//! "Configuring IAM policies for using access points", "Access point compatibility".

use super::bucket::{BUCKETS, Bucket, PublicAccessBlock};
use super::error::{self, METHOD_NOT_ALLOWED};
use super::public;
use crate::authorization::Requirement;
use crate::caller::Principal;
use crate::context::Context;
use crate::errors::internal;
use crate::service::Tags;
use crate::table::{Scope, Table};
use palisade_shape::{Error, ErrorCode, Result};
use serde::{Deserialize, Serialize};

static ALREADY_OWNED: ErrorCode = ErrorCode::plain("AccessPointAlreadyOwnedByYou", 409);
static NO_SUCH_ACCESS_POINT: ErrorCode = ErrorCode::plain("NoSuchAccessPoint", 404);

/// What all aliases end with.
const ALIAS_END: &str = "-s3alias";
const ACCOUNT_DIGITS: usize = 12;

/// The operations that a bucket answers through an access point.
const OPERATIONS: [&str; 35] = [
    "AbortMultipartUpload",
    "CompleteMultipartUpload",
    "CopyObject",
    "CreateMultipartUpload",
    "DeleteObject",
    "DeleteObjectTagging",
    "DeleteObjects",
    "GetBucketAcl",
    "GetBucketCors",
    "GetBucketLocation",
    "GetBucketNotificationConfiguration",
    "GetBucketPolicy",
    "GetObject",
    "GetObjectAcl",
    "GetObjectAttributes",
    "GetObjectLegalHold",
    "GetObjectRetention",
    "GetObjectTagging",
    "HeadBucket",
    "HeadObject",
    "ListMultipartUploads",
    "ListObjectVersions",
    "ListObjects",
    "ListObjectsV2",
    "ListParts",
    "PutObject",
    "PutObjectAcl",
    "PutObjectLegalHold",
    "PutObjectRetention",
    "PutObjectTagging",
    "RestoreObject",
    "SelectObjectContent",
    "UpdateObjectEncryption",
    "UploadPart",
    "UploadPartCopy",
];

/// One access point.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessPoint {
    pub name: String,
    /// The account that made it.
    pub account: String,
    pub region: String,
    pub bucket: String,
    /// The account that owned the bucket when the access point was made.
    pub bucket_account: String,
    /// Requests must come from this VPC; from anywhere when there is none.
    pub vpc_id: Option<String>,
    /// Milliseconds since the epoch.
    pub created_millis: i64,
    pub alias: String,
    pub policy: Option<String>,
    pub block: PublicAccessBlock,
    pub tags: Tags,
}

impl AccessPoint {
    pub fn arn(&self) -> String {
        format!("arn:aws:s3:{}:{}:accesspoint/{}", self.region, self.account, self.name)
    }

    /// `Internet` or `VPC`.
    pub fn network_origin(&self) -> &'static str {
        if self.vpc_id.is_some() { "VPC" } else { "Internet" }
    }

    /// Whether its policy lets anybody in. One of a VPC never counts as public.
    pub fn is_public(&self) -> bool {
        self.vpc_id.is_none() && self.policy.as_deref().is_some_and(public::is_public)
    }
}

/// All access points, by account, region and name.
pub static ACCESS_POINTS: Table<AccessPoint> = Table::of_private(
    "s3/access-point",
    Scope::Plane,
    |point: &AccessPoint| key(&point.account, &point.region, &point.name),
    |point| {
        ALREADY_OWNED
            .because(
                "Your previous request to create the named accesspoint succeeded and you already \
                 own it.",
            )
            .with("AccessPointName", point.name.clone())
    },
    |key| no_such_access_point(key.rsplit('/').next().unwrap_or_default()),
);

pub fn key(account: &str, region: &str, name: &str) -> String {
    format!("{account}/{region}/{name}")
}

pub fn no_such_access_point(name: &str) -> Error {
    NO_SUCH_ACCESS_POINT
        .because("The specified accesspoint does not exist")
        .with("AccessPointName", name)
}

/// Another way to an access point: the key of this row names it, `point` is its key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Way {
    at: String,
    pub point: String,
}

static ALIASES: Table<Way> = Table::of_private(
    "s3/access-point-alias",
    Scope::Plane,
    |way: &Way| way.at.clone(),
    |way| internal(format!("alias {} is taken", way.at)),
    no_such_access_point,
);

/// The access points of each bucket, by bucket and their own keys.
pub static ATTACHED: Table<Way> = Table::of_private(
    "s3/attached-access-point",
    Scope::Plane,
    |way: &Way| way.at.clone(),
    |way| internal(format!("access point {} is attached already", way.at)),
    no_such_access_point,
);

/// Stores a new access point.
pub fn insert(cx: &mut Context, point: &AccessPoint) -> Result<()> {
    let at = (ACCESS_POINTS.key)(point);
    cx.insert(&ACCESS_POINTS, point)?;
    cx.insert(&ALIASES, &Way { at: point.alias.clone(), point: at.clone() })?;
    let attached = format!("{}/{at}", point.bucket);
    cx.insert(&ATTACHED, &Way { at: attached, point: at })
}

/// Removes an access point.
pub fn remove(cx: &mut Context, point: &AccessPoint) -> Result<()> {
    let at = (ACCESS_POINTS.key)(point);
    cx.delete(&ACCESS_POINTS, &at)?;
    cx.delete(&ALIASES, &point.alias)?;
    cx.delete(&ATTACHED, &format!("{}/{at}", point.bucket))?;
    Ok(())
}

/// Refuses to remove a bucket with access points of its own account. Those of others cannot keep
/// its owner from it; they then lead nowhere.
pub fn check_none_attached(cx: &Context, bucket: &Bucket) -> Result<()> {
    static ATTACHED_STILL: ErrorCode = ErrorCode::plain("BucketHasAccessPointsAttached", 400);
    let own = format!("{}/{}/", bucket.name, bucket.account);
    match cx.scan(&ATTACHED, &own, None, 1)?.is_empty() {
        true => Ok(()),
        false => Err(ATTACHED_STILL
            .because(
                "The bucket you are trying to delete has access points attached. Delete your \
                 access points and try again.",
            )
            .with("BucketName", bucket.name.clone())),
    }
}

/// The access point that stands where a request names a bucket; none where it names a bucket.
/// A bucket and an access point may come to have one name: the older of them keeps it.
pub fn named(cx: &Context, name: &str) -> Result<Option<AccessPoint>> {
    if name.ends_with(ALIAS_END) {
        let Some(way) = cx.get(&ALIASES, name)? else { return Ok(None) };
        return cx.get(&ACCESS_POINTS, &way.point);
    }
    if name.starts_with("arn:") {
        return Ok(of_arn(cx, name)?.map(|(point, _)| point));
    }
    let Some((point, account)) = name.rsplit_once('-') else { return Ok(None) };
    if account.len() != ACCOUNT_DIGITS || !account.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(None);
    }
    let Some(found) = cx.get(&ACCESS_POINTS, &key(account, cx.region(), point))? else {
        return Ok(None);
    };
    let bucket = cx.get(&BUCKETS, name)?;
    Ok(bucket.is_none_or(|it| it.created_millis > found.created_millis).then_some(found))
}

/// The access point in an ARN and the object's key behind it, if it has one.
pub fn parse(arn: &str) -> Option<(String, Option<&str>)> {
    let mut fields = arn.strip_prefix("arn:aws:s3:")?.splitn(3, ':');
    let (region, account) = (fields.next()?, fields.next()?);
    let resource = fields.next()?.strip_prefix("accesspoint/")?;
    let (name, rest) = match resource.split_once('/') {
        Some((name, rest)) => (name, Some(rest)),
        None => (resource, None),
    };
    let object = match rest {
        Some(rest) => Some(rest.strip_prefix("object/")?),
        None => None,
    };
    Some((key(account, region, name), object))
}

/// The access point in an ARN, if it is there, and the revision of its record.
pub fn of_arn(cx: &Context, arn: &str) -> Result<Option<(AccessPoint, u64)>> {
    match parse(arn) {
        Some((key, _)) => cx.get_revised(&ACCESS_POINTS, &key),
        None => Ok(None),
    }
}

/// The access point and the key in the ARN of an object behind it.
pub fn split_object(arn: &str) -> Option<(&str, &str)> {
    let (_, object) = parse(arn)?;
    let point = arn.strip_suffix(object?)?.strip_suffix("/object/")?;
    Some((point, object?))
}

/// What a request through an access point wants: all that it wants of the bucket, and the same of
/// the access point. Refuses what no policy can allow.
pub fn through(
    cx: &mut Context,
    point: Option<&AccessPoint>,
    bucket: &Bucket,
    operation: &str,
    wanted: Vec<Requirement>,
) -> Result<Vec<Requirement>> {
    let Some(point) = point else { return Ok(wanted) };
    if !OPERATIONS.contains(&operation) {
        return Err(METHOD_NOT_ALLOWED
            .because("The specified method is not allowed against this resource.")
            .with("ResourceType", "ACCESSPOINT"));
    }
    check_origin(cx, point)?;
    check_block(cx, point, bucket)?;
    let mut both = Vec::with_capacity(wanted.len() * 2);
    let base = bucket.arn();
    for mut one in wanted {
        let of_bucket = one.action.starts_with("s3:")
            && one
                .resource
                .strip_prefix(&base)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if !of_bucket {
            both.push(one);
            continue;
        }
        with_keys(&mut one, point);
        let object = one.resource.strip_prefix(&base).and_then(|rest| rest.strip_prefix('/'));
        let (kind, resource) = match object {
            Some(key) => ("accesspointobject", format!("{}/object/{key}", point.arn())),
            None => ("accesspoint", point.arn()),
        };
        both.push(Requirement {
            kind: kind.to_owned(),
            resource,
            account: point.account.clone(),
            ..one.clone()
        });
        both.push(one);
    }
    Ok(both)
}

/// The condition keys that requests through an access point have.
fn with_keys(one: &mut Requirement, point: &AccessPoint) {
    let mut set = |key: String, value: &str| one.keys.push((key, vec![value.to_owned()]));
    set("s3:dataaccesspointarn".to_owned(), &point.arn());
    set("s3:dataaccesspointaccount".to_owned(), &point.account);
    set("s3:accesspointnetworkorigin".to_owned(), point.network_origin());
    for (key, value) in &point.tags {
        set(format!("s3:accesspointtag/{}", key.to_lowercase()), value);
    }
}

/// An access point of a VPC answers what comes through an endpoint of that VPC.
fn check_origin(cx: &Context, point: &AccessPoint) -> Result<()> {
    let Some(wanted) = &point.vpc_id else { return Ok(()) };
    let came_through = cx.request.way.endpoint.as_ref().map(|endpoint| &endpoint.vpc_id);
    if came_through == Some(wanted) { Ok(()) } else { Err(error::denied()) }
}

/// The access point's own block counts beside the bucket's and the accounts'.
fn check_block(cx: &mut Context, point: &AccessPoint, bucket: &Bucket) -> Result<()> {
    let service = matches!(cx.caller.principal, Principal::Service { .. });
    let caller = &*cx.caller.account;
    let outside = |account: &str| !service && caller != account;
    let (of_point, of_bucket) = (outside(&point.account), outside(&bucket.account));
    if of_point && point.is_public() {
        let account = cx.in_account(&point.account, |cx| cx.get(&public::ACCOUNT_BLOCKS, ""))?;
        if point.block.with(account.unwrap_or_default()).restrict {
            return Err(error::denied());
        }
    }
    let public = bucket.policy.as_deref().is_some_and(public::is_public);
    if of_bucket && public && point.block.restrict {
        return Err(error::denied());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns() {
        let found = |arn: &str| parse(arn).map(|(key, object)| (key, object.map(str::to_owned)));
        let point = "arn:aws:s3:eu-west-1:123456789012:accesspoint/fin";
        let key = "123456789012/eu-west-1/fin".to_owned();
        assert_eq!(found(point), Some((key.clone(), None)));
        let object = format!("{point}/object/a/b");
        assert_eq!(found(&object), Some((key, Some("a/b".to_owned()))));
        for wrong in ["arn:aws:s3:::b", "arn:aws:s3:::b/accesspoint/x", &format!("{point}/a")] {
            assert_eq!(found(wrong), None, "{wrong}");
        }
        assert_eq!(split_object(&object), Some((point, "a/b")));
    }

    #[test]
    fn the_operations_are_of_the_model() {
        assert!(OPERATIONS.is_sorted());
        for name in OPERATIONS {
            assert!(palisade_model::s3::SERVICE.operation(name).is_some(), "{name}");
        }
    }
}
