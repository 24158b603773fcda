//! Bucket policies: inline, checked when they are saved, and what decides beside the callers' own.
//!
//! Source: Amazon S3 API Reference, PutBucketPolicy; User Guide, "Policies and permissions".

use super::bucket::{self, Bucket};
use super::error::{self, MALFORMED_POLICY, NO_SUCH_BUCKET_POLICY};
use super::public;
use crate::context::Context;
use crate::iam::principal_ids;
use palisade_model::s3::{
    DeleteBucketPolicyRequest, GetBucketPolicyOutput, GetBucketPolicyRequest,
    PutBucketPolicyRequest,
};
use palisade_policy::arn::Arn;
use palisade_policy::{DocumentKind, Policy};
use palisade_shape::{Error, Nothing, Result};

/// The longest policy, in bytes (User Guide, "Bucket policy examples").
const BYTES_MAX: usize = 20 << 10;

pub fn no_such_policy(bucket: &str) -> Error {
    NO_SUCH_BUCKET_POLICY.because("The bucket policy does not exist").with("BucketName", bucket)
}

fn malformed(message: impl Into<String>) -> Error {
    MALFORMED_POLICY.because(message.into())
}

/// The policy as it was saved, its principals by their ARNs of today.
pub fn get_bucket_policy(
    cx: &mut Context,
    input: GetBucketPolicyRequest,
) -> Result<GetBucketPolicyOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let Some(policy) = &bucket.policy else { return Err(no_such_policy(&bucket.name)) };
    let shown = principal_ids::resource_to_arns(cx, policy)?;
    Ok(GetBucketPolicyOutput { policy: Some(shown) })
}

/// Saves the policy, unless it is malformed, about other buckets, or public where that is blocked.
pub fn put_bucket_policy(cx: &mut Context, input: PutBucketPolicyRequest) -> Result<Nothing> {
    let mut bucket = bucket::load(cx, &input.bucket)?;
    let stored = checked(cx, &input.policy, &|resource| is_of(&bucket, resource))?;
    if public::is_public(&stored) && public::block_of(cx, &bucket)?.block_policy {
        return Err(error::ACCESS_DENIED.because(
            "User is not authorized to perform: s3:PutBucketPolicy because public policies are \
             prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
        ));
    }
    bucket.policy = Some(stored);
    bucket::save(cx, &bucket)?;
    Ok(Nothing)
}

/// S3's words for a principal that is not there.
fn invalid_principal(refusal: &Error) -> String {
    match refusal.message.starts_with("Invalid principal") {
        true => "Invalid principal in policy".to_owned(),
        false => refusal.message.to_string(),
    }
}

/// A policy as it is stored, its principals by their ids. Refuses one that is malformed or about
/// resources that `is_of` does not know.
pub fn checked(cx: &mut Context, document: &str, is_of: &dyn Fn(&str) -> bool) -> Result<String> {
    check(document, is_of)?;
    principal_ids::resource_to_ids(cx, document)
        .map_err(|refusal| malformed(invalid_principal(&refusal)))
}

fn check(document: &str, is_of: &dyn Fn(&str) -> bool) -> Result<()> {
    if document.len() > BYTES_MAX {
        return Err(error::INVALID_ARGUMENT.because("Policy exceeds the maximum allowed size"));
    }
    let starts = document.trim_start().starts_with('{');
    let policy =
        Policy::parse(document, DocumentKind::Resource).map_err(|refusal| match starts {
            true => malformed(refusal.message().to_owned()),
            false => malformed("Policies must be valid JSON and the first byte must be '{'"),
        })?;
    for statement in &policy.statements {
        for action in &statement.action.values {
            let is_s3 = action.text == "*" || action.text.to_ascii_lowercase().starts_with("s3");
            if !is_s3 {
                return Err(malformed("Policy has invalid action"));
            }
        }
        let Some(resources) = &statement.resource else { continue };
        for resource in &resources.values {
            if !is_of(&resource.text) {
                return Err(malformed("Policy has invalid resource"));
            }
        }
    }
    Ok(())
}

fn is_of(bucket: &Bucket, resource: &str) -> bool {
    let Some(arn) = Arn::parse(resource) else { return false };
    let name = arn.resource.split_once('/').map_or(arn.resource, |(name, _)| name);
    let wild = name.contains(['*', '?', '$']);
    arn.service == "s3" && (name == bucket.name || (wild && may_be(name, &bucket.name)))
}

/// Whether a pattern can stand for the name: its fixed beginning must.
pub fn may_be(pattern: &str, name: &str) -> bool {
    let fixed = pattern.split(['*', '?', '$']).next().unwrap_or_default();
    name.starts_with(fixed)
}

/// Removes the policy; it is no error when there is none.
pub fn delete_bucket_policy(cx: &mut Context, input: DeleteBucketPolicyRequest) -> Result<Nothing> {
    let mut bucket = bucket::load(cx, &input.bucket)?;
    bucket.policy = None;
    bucket::save(cx, &bucket)?;
    Ok(Nothing)
}
