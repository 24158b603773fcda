//! What is public, and what keeps it from being so: block public access of the account and of the
//! bucket.
//!
//! Source: Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage".

use super::bucket::{self, Bucket, PublicAccessBlock};
use super::error;
use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use palisade_model::s3::{
    DeletePublicAccessBlockRequest, GetBucketPolicyStatusOutput, GetBucketPolicyStatusRequest,
    GetPublicAccessBlockOutput, GetPublicAccessBlockRequest, PolicyStatus,
    PublicAccessBlockConfiguration, PutPublicAccessBlockRequest,
};
use palisade_policy::{DocumentKind, Effect, Policy, PrincipalType, Statement};
use palisade_shape::{Error, ErrorCode, Nothing, Result};

static NO_SUCH_BLOCK: ErrorCode = ErrorCode::plain("NoSuchPublicAccessBlockConfiguration", 404);

/// The block of a whole account, which S3 Control sets.
pub static ACCOUNT_BLOCKS: Table<PublicAccessBlock> = Table::of_private(
    "s3/account-public-access-block",
    Scope::Account,
    |_| String::new(),
    |_| internal("the account's public access block is there already"),
    |_| no_such_block(),
);

pub fn no_such_block() -> Error {
    NO_SUCH_BLOCK.because("The public access block configuration was not found")
}

/// The bucket's own block; none is one that blocks nothing.
pub fn block(bucket: &Bucket) -> PublicAccessBlock {
    bucket.block.unwrap_or_default()
}

/// What is in force: the bucket's and its account's together.
pub fn block_of(cx: &mut Context, bucket: &Bucket) -> Result<PublicAccessBlock> {
    let of_account = cx.in_account(&bucket.account, |cx| cx.get(&ACCOUNT_BLOCKS, ""))?;
    Ok(block(bucket).with(of_account.unwrap_or_default()))
}

pub fn blocked_acl() -> Error {
    error::ACCESS_DENIED.because(
        "User is not authorized to set a public ACL because public ACLs are prevented by the \
         BlockPublicAcls setting in S3 Block Public Access.",
    )
}

/// Keys whose fixed values keep a statement from being public.
const FIXING: [&str; 15] = [
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourcearn",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourceowner",
    "aws:sourceaccount",
    "aws:sourceip",
    "aws:userid",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:vpceaccount",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "s3:dataaccesspointarn",
    "s3:dataaccesspointaccount",
];

/// Whether a bucket policy is public: a statement allows it to everybody, and no condition fixes
/// who that may be.
pub fn is_public(document: &str) -> bool {
    let Ok(policy) = Policy::parse(document, DocumentKind::Resource) else { return true };
    policy.statements.iter().any(statement_is_public)
}

fn statement_is_public(statement: &Statement) -> bool {
    if statement.effect != Effect::Allow {
        return false;
    }
    let Some(principal) = &statement.principal else { return false };
    let everybody = |kind: PrincipalType, text: &str| {
        text == "*" && !matches!(kind, PrincipalType::Service | PrincipalType::Federated)
    };
    // With NotPrincipal it is allowed to all but a few.
    let open = principal.negated
        || principal.entries.iter().any(|entry| everybody(entry.kind, &entry.value.text));
    open && !statement.conditions.iter().any(|condition| {
        let key = condition.key.text.to_ascii_lowercase();
        let operator = condition.operator.text.to_ascii_lowercase();
        let positive = !operator.contains("not")
            && operator != "null"
            && !operator.contains("ifexists")
            && !operator.starts_with("forallvalues");
        let fixed = condition.values.iter().all(|value| is_fixed(&key, &value.text));
        FIXING.contains(&key.as_str()) && positive && fixed && !condition.values.is_empty()
    })
}

/// Without wildcards and policy variables; of addresses, not nearly all of them.
fn is_fixed(key: &str, value: &str) -> bool {
    if key == "aws:sourceip" {
        let bits = value.rsplit_once('/').and_then(|(_, bits)| bits.parse::<u8>().ok());
        let least = if value.contains(':') { 32 } else { 8 };
        return bits.is_none_or(|bits| bits >= least);
    }
    let arn = matches!(key, "aws:sourcearn" | "aws:principalarn" | "s3:dataaccesspointarn");
    let checked = match arn {
        // An ARN that fixes the account fixes who it is.
        true => value.split(':').nth(4).unwrap_or("*"),
        false => value,
    };
    !checked.is_empty() && !checked.contains(['*', '?', '$'])
}

/// Whether anybody may come in: by policy, or by access control list.
pub fn get_bucket_policy_status(
    cx: &mut Context,
    input: GetBucketPolicyStatusRequest,
) -> Result<GetBucketPolicyStatusOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let Some(policy) = &bucket.policy else {
        return Err(super::policy::no_such_policy(&bucket.name));
    };
    let policy_status = Some(PolicyStatus { is_public: Some(is_public(policy)) });
    Ok(GetBucketPolicyStatusOutput { policy_status })
}

/// The bucket's own block.
pub fn get_public_access_block(
    cx: &mut Context,
    input: GetPublicAccessBlockRequest,
) -> Result<GetPublicAccessBlockOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let block = bucket.block.ok_or_else(no_such_block)?;
    Ok(GetPublicAccessBlockOutput { public_access_block_configuration: Some(shown(block)) })
}

fn shown(block: PublicAccessBlock) -> PublicAccessBlockConfiguration {
    PublicAccessBlockConfiguration {
        block_public_acls: Some(block.block_acls),
        ignore_public_acls: Some(block.ignore_acls),
        block_public_policy: Some(block.block_policy),
        restrict_public_buckets: Some(block.restrict),
    }
}

/// Sets the bucket's own block; what is not given is off.
pub fn put_public_access_block(
    cx: &mut Context,
    input: PutPublicAccessBlockRequest,
) -> Result<Nothing> {
    let mut bucket = bucket::load(cx, &input.bucket)?;
    let PublicAccessBlockConfiguration {
        block_public_acls,
        ignore_public_acls,
        block_public_policy,
        restrict_public_buckets,
    } = input.public_access_block_configuration;
    bucket.block = Some(PublicAccessBlock {
        block_acls: block_public_acls == Some(true),
        ignore_acls: ignore_public_acls == Some(true),
        block_policy: block_public_policy == Some(true),
        restrict: restrict_public_buckets == Some(true),
    });
    bucket::save(cx, &bucket)?;
    Ok(Nothing)
}

/// Removes the bucket's own block.
pub fn delete_public_access_block(
    cx: &mut Context,
    input: DeletePublicAccessBlockRequest,
) -> Result<Nothing> {
    let mut bucket = bucket::load(cx, &input.bucket)?;
    bucket.block = None;
    bucket::save(cx, &bucket)?;
    Ok(Nothing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn public_statements() {
        let public = |principal: serde_json::Value, condition: serde_json::Value| {
            let statement = json!({
                "Effect": "Allow", "Principal": principal, "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::b/*", "Condition": condition,
            });
            is_public(&json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string())
        };
        let all = json!("*");
        let account = json!({ "AWS": "arn:aws:iam::123456789012:root" });
        assert!(public(all.clone(), json!({})));
        assert!(public(json!({ "AWS": "*" }), json!({})));
        assert!(!public(account, json!({})));
        let equals = |key: &str, value: &str| json!({ "StringEquals": { key: value } });
        assert!(!public(all.clone(), equals("aws:PrincipalOrgID", "o-a1b2c3d4e5")));
        assert!(public(all.clone(), equals("aws:PrincipalOrgID", "o-*")));
        assert!(public(all.clone(), equals("aws:Referer", "x")));
        assert!(!public(all.clone(), json!({ "IpAddress": { "aws:SourceIp": "10.0.0.0/8" } })));
        assert!(public(all.clone(), json!({ "IpAddress": { "aws:SourceIp": "0.0.0.0/0" } })));
        assert!(public(all, json!({ "NotIpAddress": { "aws:SourceIp": "10.0.0.0/8" } })));
    }
}
