//! What S3 knows of its resources beyond the authorization table: bucket policies, access control
//! lists, tags, and its condition keys.
//!
//! Source: Service Authorization Reference, "Condition keys for Amazon S3"; Amazon S3 User Guide,
//! "Access control list (ACL) overview".

use super::acl::{Grants, Permission};
use super::bucket::Bucket;
use super::copy::Source;
use super::object::{self, Version};
use super::requirement::{bucket_of, key_of};
use super::{access_log, access_point, bucket, member, public};
use crate::authorization::Requirement;
use crate::caller::Principal;
use crate::context::Context;
use crate::service::{Call, Input, Known, ResourcePolicy, Resources, Tags};
use palisade_protocol::select::select;
use palisade_shape::Result;

/// The keys that S3 tells: of the request, of its signature, of what it is about.
const CONDITION_KEYS: [&str; 46] = [
    "s3:AccessGrantScope",
    "s3:AccessGrantsInstanceArn",
    "s3:AccessGrantsLocationScope",
    "s3:AccessPointNetworkOrigin",
    "s3:AccessPointTag/*",
    "s3:BucketTag/*",
    "s3:DataAccessPointAccount",
    "s3:DataAccessPointArn",
    "s3:ExistingObjectTag/*",
    "s3:InventoryAccessibleOptionalFields",
    "s3:ObjectCreationOperation",
    "s3:RequestObjectTag/*",
    "s3:RequestObjectTagKeys",
    "s3:ResourceAccount",
    "s3:TlsVersion",
    "s3:authType",
    "s3:delimiter",
    "s3:if-match",
    "s3:if-none-match",
    "s3:locationconstraint",
    "s3:max-keys",
    "s3:object-lock-legal-hold",
    "s3:object-lock-mode",
    "s3:object-lock-remaining-retention-days",
    "s3:object-lock-retain-until-date",
    "s3:prefix",
    "s3:signatureAge",
    "s3:signatureversion",
    "s3:versionid",
    "s3:x-amz-acl",
    "s3:x-amz-bucket-namespace",
    "s3:x-amz-content-sha256",
    "s3:x-amz-copy-source",
    "s3:x-amz-grant-full-control",
    "s3:x-amz-grant-read",
    "s3:x-amz-grant-read-acp",
    "s3:x-amz-grant-write",
    "s3:x-amz-grant-write-acp",
    "s3:x-amz-metadata-directive",
    "s3:x-amz-object-if-match",
    "s3:x-amz-object-ownership",
    "s3:x-amz-server-side-encryption",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "s3:x-amz-server-side-encryption-customer-algorithm",
    "s3:x-amz-storage-class",
    "s3:x-amz-website-redirect-location",
];

pub struct S3Resources;

impl Resources for S3Resources {
    fn tags(&self, cx: &mut Context, kind: &str, arn: &str) -> Result<Tags> {
        if kind.starts_with("accesspoint") {
            let point = access_point::of_arn(cx, arn)?;
            return Ok(point.map(|(point, _)| point.tags).unwrap_or_default());
        }
        if kind != "bucket" {
            return Ok(Tags::new());
        }
        let found = bucket_of(cx, arn)?.map(|(bucket, _)| bucket);
        // Tags of a bucket decide only where that was turned on.
        Ok(found.filter(|bucket| bucket.abac).map(|bucket| bucket.tags).unwrap_or_default())
    }

    fn policy(&self, cx: &mut Context, kind: &str, arn: &str) -> Result<Option<ResourcePolicy>> {
        if matches!(kind, "accesspoint" | "accesspointobject") {
            let found = access_point::of_arn(cx, arn)?;
            return Ok(found.and_then(|(point, revision)| {
                Some(ResourcePolicy { document: point.policy?, revision, must_allow: false })
            }));
        }
        if !matches!(kind, "bucket" | "object") {
            return Ok(None);
        }
        let Some((bucket, revision)) = bucket_of(cx, arn)? else { return Ok(None) };
        // An object of someone else's is not the bucket owner's to give.
        let Some(document) = bucket.policy.clone().filter(|_| cx.account() == bucket.account)
        else {
            return Ok(None);
        };
        if is_restricted(cx, &bucket, &document)? {
            return Ok(None);
        }
        Ok(Some(ResourcePolicy { document, revision, must_allow: false }))
    }

    fn granted(
        &self,
        cx: &mut Context,
        requirement: &Requirement,
        input: &dyn Input,
    ) -> Result<bool> {
        let (action, arn) = (requirement.action.as_str(), requirement.resource.as_str());
        let Some((permission, of_object)) = permission(action) else { return Ok(false) };
        // An access point has no list: what it lets in, its policy says.
        if access_point::parse(arn).is_some() {
            return Ok(false);
        }
        let Some((bucket, _)) = bucket_of(cx, arn)? else { return Ok(false) };
        if bucket.acls_disabled() {
            return Ok(false);
        }
        let (grants, owner): (Grants, String) = if of_object {
            let Some(version) = version_of(cx, arn, input)? else { return Ok(false) };
            (version.grants(), requirement.account.clone())
        } else {
            (bucket.grants.clone(), bucket.account.clone())
        };
        if cx.caller.is_service(access_log::SERVICE) {
            return Ok(grants.allow_logs(permission));
        }
        let open = !public::block_of(cx, &bucket)?.ignore_acls;
        Ok(grants.allow(&owner, &cx.caller.account, permission, open))
    }

    fn condition_keys(&self) -> &'static [&'static str] {
        &CONDITION_KEYS
    }

    fn condition(&self, cx: &mut Context, key: &str, call: &Call) -> Result<Known> {
        if let Some(tag) = key.strip_prefix("s3:existingobjecttag/") {
            let version = version_of(cx, call.resource, call.input)?;
            return Ok(tagged(version.map(|version| version.tags), tag));
        }
        if let Some(tag) = key.strip_prefix("s3:buckettag/") {
            let bucket = bucket_of(cx, call.resource)?.map(|(bucket, _)| bucket);
            return Ok(tagged(bucket.filter(|it| it.abac).map(|it| it.tags), tag));
        }
        if let Some(known) = of_call(cx, key) {
            return Ok(known);
        }
        match key {
            "s3:objectcreationoperation" => Ok(creates(cx.request.operation)),
            "s3:object-lock-remaining-retention-days" => Ok(remaining_days(cx, call.input)),
            "s3:inventoryaccessibleoptionalfields" => {
                let fields =
                    select(call.input.as_shape(), "InventoryConfiguration.OptionalFields[]");
                Ok(if fields.is_empty() { Known::Absent } else { Known::Many(fields) })
            }
            // The request has them or has them not; where it has, the requirement names them.
            _ if is_of_request(key) => Ok(Known::Absent),
            _ => Ok(Known::Unresolvable),
        }
    }
}

/// Whether block public access keeps the caller from a bucket with a public policy.
fn is_restricted(cx: &mut Context, bucket: &Bucket, document: &str) -> Result<bool> {
    let outside = *cx.caller.account != *bucket.account;
    let service = matches!(cx.caller.principal, Principal::Service { .. });
    if !outside || service || !public::block_of(cx, bucket)?.restrict {
        return Ok(false);
    }
    Ok(public::is_public(document))
}

/// Which permission of an access control list allows an action, and whether the object's.
fn permission(action: &str) -> Option<(Permission, bool)> {
    Some(match action {
        "s3:ListBucket" | "s3:ListBucketVersions" | "s3:ListBucketMultipartUploads" => {
            (Permission::Read, false)
        }
        "s3:PutObject" => (Permission::Write, false),
        "s3:GetBucketAcl" => (Permission::ReadAcp, false),
        "s3:PutBucketAcl" => (Permission::WriteAcp, false),
        "s3:GetObject" | "s3:GetObjectVersion" => (Permission::Read, true),
        "s3:GetObjectAcl" | "s3:GetObjectVersionAcl" => (Permission::ReadAcp, true),
        "s3:PutObjectAcl" | "s3:PutObjectVersionAcl" => (Permission::WriteAcp, true),
        _ => return None,
    })
}

/// The version that a call is about: the one it names of the resource's key.
fn version_of(cx: &Context, arn: &str, input: &dyn Input) -> Result<Option<Version>> {
    let (Some((bucket, _)), Some(key)) = (bucket_of(cx, arn)?, key_of(arn)) else {
        return Ok(None);
    };
    let shape = input.as_shape();
    let source = member::text(shape, "CopySource").and_then(|it| Source::parse(&it).ok());
    let of_source = source.filter(|source| {
        let read = bucket::load(cx, &source.bucket).is_ok_and(|it| it.name == bucket.name);
        read && source.key == key
    });
    let id = match of_source {
        Some(source) => source.version_id,
        None => member::text(shape, "VersionId"),
    };
    match id {
        Some(id) => object::by_id(cx, &bucket.name, key, &id),
        None => object::current(cx, &bucket.name, key),
    }
}

/// Keys of conditions ignore case, those of tags therefore too.
pub fn tagged(tags: Option<Tags>, wanted: &str) -> Known {
    let mut tags = tags.unwrap_or_default().into_iter();
    let found = tags.find(|(key, _)| key.to_lowercase() == wanted);
    found.map_or(Known::Absent, |(_, value)| Known::One(value))
}

fn tls_version(cx: &Context) -> Known {
    let version = cx.request.tls.as_ref().and_then(|tls| tls.version.strip_prefix("TLSv"));
    version.map_or(Known::Absent, |version| Known::One(version.to_owned()))
}

/// The keys that every call to S3 and S3 Control fills, whatever it is about.
pub fn of_call(cx: &Context, key: &str) -> Option<Known> {
    Some(match key {
        "s3:resourceaccount" => Known::One(cx.account().to_owned()),
        "s3:tlsversion" => tls_version(cx),
        "s3:authtype" | "s3:signatureage" | "s3:signatureversion" | "s3:x-amz-content-sha256" => {
            of_signature(cx, key)
        }
        _ => return None,
    })
}

fn of_signature(cx: &Context, key: &str) -> Known {
    let Some(signed) = cx.transfer.and_then(|transfer| transfer.signed.as_ref()) else {
        return Known::Absent;
    };
    match key {
        "s3:authtype" => Known::One(signed.auth_type.to_owned()),
        "s3:signatureversion" => Known::One(signed.algorithm.to_owned()),
        "s3:signatureage" => {
            let millis = cx.now().millis() - signed.at.millis();
            Known::One(millis.max(0).to_string())
        }
        _ => signed.content_sha256.clone().map_or(Known::Absent, Known::One),
    }
}

/// `s3:ObjectCreationOperation`: whether the call makes an object, not only parts of one.
fn creates(operation: &str) -> Known {
    let value = match operation {
        "PutObject" | "CopyObject" | "CompleteMultipartUpload" => "true",
        "CreateMultipartUpload" | "UploadPart" | "UploadPartCopy" => "false",
        _ => return Known::Absent,
    };
    Known::One(value.to_owned())
}

/// Whole days from now to the date that the request sets.
fn remaining_days(cx: &Context, input: &dyn Input) -> Known {
    let shape = input.as_shape();
    let until = member::text(shape, "ObjectLockRetainUntilDate")
        .or_else(|| select(shape, "Retention.RetainUntilDate").into_iter().next());
    let until = until.and_then(|until| until.parse::<i64>().ok());
    let days = until.map(|until| (until - cx.now().seconds()).div_euclid(86_400));
    days.map_or(Known::Absent, |days| Known::One(days.to_string()))
}

/// Keys that only a member of the request fills, or a way that this plane does not have.
fn is_of_request(key: &str) -> bool {
    CONDITION_KEYS.iter().any(|known| match known.strip_suffix('*') {
        Some(start) => key.get(..start.len()).is_some_and(|it| it.eq_ignore_ascii_case(start)),
        None => key.eq_ignore_ascii_case(known),
    })
}
