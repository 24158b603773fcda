//! Settings of a bucket that decide: versioning with MFA delete, default encryption, object
//! ownership, who pays, and whether tags decide.
//!
//! Source: Amazon S3 API Reference.

use super::acl::Grants;
use super::bucket::{self, Versioning};
use super::delete;
use super::error::{self, INVALID_ARGUMENT, INVALID_BUCKET_STATE};
use crate::caller::Principal;
use crate::context::Context;
use palisade_model::s3::{
    AbacStatus, BlockedEncryptionTypes, DeleteBucketEncryptionRequest,
    DeleteBucketOwnershipControlsRequest, GetBucketAbacOutput, GetBucketAbacRequest,
    GetBucketEncryptionOutput, GetBucketEncryptionRequest, GetBucketOwnershipControlsOutput,
    GetBucketOwnershipControlsRequest, GetBucketRequestPaymentOutput,
    GetBucketRequestPaymentRequest, GetBucketVersioningOutput, GetBucketVersioningRequest,
    OwnershipControls, OwnershipControlsRule, PutBucketAbacRequest, PutBucketEncryptionRequest,
    PutBucketOwnershipControlsRequest, PutBucketRequestPaymentRequest, PutBucketVersioningRequest,
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use palisade_shape::{ErrorCode, Nothing, Result};

static NO_OWNERSHIP_CONTROLS: ErrorCode = ErrorCode::plain("OwnershipControlsNotFoundError", 404);
static ILLEGAL_VERSIONING: ErrorCode =
    ErrorCode::plain("IllegalVersioningConfigurationException", 400);

pub fn get_bucket_versioning(
    cx: &mut Context,
    input: GetBucketVersioningRequest,
) -> Result<GetBucketVersioningOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let status = match bucket.versioning {
        Versioning::Never => None,
        Versioning::Enabled => Some("Enabled".to_owned()),
        Versioning::Suspended => Some("Suspended".to_owned()),
    };
    let mfa_delete = bucket.mfa_delete.then(|| "Enabled".to_owned());
    Ok(GetBucketVersioningOutput { status, mfa_delete })
}

/// Turns versioning on or off. Only root may set MFA delete, and only with its device; with MFA
/// delete on, every change wants a code.
pub fn put_bucket_versioning(
    cx: &mut Context,
    input: PutBucketVersioningRequest,
) -> Result<Nothing> {
    let mut bucket = bucket::load(cx, &input.bucket)?;
    let wanted = input.versioning_configuration;
    let mfa_delete = match wanted.mfa_delete.as_deref() {
        None => bucket.mfa_delete,
        Some("Enabled") => true,
        Some("Disabled") => false,
        Some(_) => return Err(error::malformed_xml()),
    };
    let versioning = match wanted.status.as_deref() {
        Some("Enabled") => Versioning::Enabled,
        Some("Suspended") => Versioning::Suspended,
        None => {
            return Err(ILLEGAL_VERSIONING.because("The Versioning element must be specified"));
        }
        Some(_) => return Err(error::malformed_xml()),
    };
    if mfa_delete || bucket.mfa_delete {
        if !matches!(cx.caller.principal, Principal::Root) && mfa_delete != bucket.mfa_delete {
            return Err(
                error::ACCESS_DENIED.because("Mfa Authentication must be used for this request")
            );
        }
        delete::check_mfa(cx, input.mfa.as_deref())?;
    }
    if bucket.lock.is_some() && versioning != Versioning::Enabled {
        return Err(INVALID_BUCKET_STATE.because(
            "An Object Lock configuration is present on this bucket, so the versioning state \
             cannot be changed.",
        ));
    }
    bucket.versioning = versioning;
    bucket.mfa_delete = mfa_delete;
    bucket::save(cx, &bucket)?;
    Ok(Nothing)
}

/// The default encryption, which every bucket has.
pub fn get_bucket_encryption(
    cx: &mut Context,
    input: GetBucketEncryptionRequest,
) -> Result<GetBucketEncryptionOutput> {
    let default = bucket::load(cx, &input.bucket)?.encryption;
    let blocked = Some(default.blocked).filter(|blocked| !blocked.is_empty());
    let rule = ServerSideEncryptionRule {
        apply_server_side_encryption_by_default: Some(ServerSideEncryptionByDefault {
            sse_algorithm: default.algorithm,
            kms_master_key_id: default.key_id,
        }),
        bucket_key_enabled: Some(default.bucket_key),
        blocked_encryption_types: blocked
            .map(|blocked| BlockedEncryptionTypes { encryption_type: Some(blocked) }),
    };
    let configuration = ServerSideEncryptionConfiguration { rules: vec![rule] };
    Ok(GetBucketEncryptionOutput { server_side_encryption_configuration: Some(configuration) })
}

pub fn put_bucket_encryption(
    cx: &mut Context,
    input: PutBucketEncryptionRequest,
) -> Result<Nothing> {
    let mut bucket = bucket::load(cx, &input.bucket)?;
    let rules = input.server_side_encryption_configuration.rules;
    let [rule] = rules.as_slice() else { return Err(error::malformed_xml()) };
    let mut default = bucket.encryption.clone();
    if let Some(wanted) = &rule.apply_server_side_encryption_by_default {
        let kms = wanted.sse_algorithm != "AES256";
        if !matches!(wanted.sse_algorithm.as_str(), "AES256" | "aws:kms" | "aws:kms:dsse") {
            return Err(error::malformed_xml());
        }
        if wanted.kms_master_key_id.is_some() && !kms {
            return Err(INVALID_ARGUMENT.because(
                "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or \
                 aws:kms:dsse",
            ));
        }
        default.algorithm = wanted.sse_algorithm.clone();
        default.key_id = wanted.kms_master_key_id.clone();
    }
    default.bucket_key = rule.bucket_key_enabled == Some(true);
    let blocked = rule.blocked_encryption_types.as_ref();
    let blocked = blocked.and_then(|blocked| blocked.encryption_type.clone()).unwrap_or_default();
    default.blocked = blocked.into_iter().filter(|kind| kind != "NONE").collect();
    bucket.encryption = default;
    bucket::save(cx, &bucket)?;
    Ok(Nothing)
}

/// Back to SSE-S3.
pub fn delete_bucket_encryption(
    cx: &mut Context,
    input: DeleteBucketEncryptionRequest,
) -> Result<Nothing> {
    let mut bucket = bucket::load(cx, &input.bucket)?;
    bucket.encryption = bucket::DefaultEncryption::default();
    bucket::save(cx, &bucket)?;
    Ok(Nothing)
}

pub fn get_bucket_ownership_controls(
    cx: &mut Context,
    input: GetBucketOwnershipControlsRequest,
) -> Result<GetBucketOwnershipControlsOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let Some(object_ownership) = bucket.ownership else {
        return Err(NO_OWNERSHIP_CONTROLS
            .because("The bucket ownership controls were not found")
            .with("BucketName", bucket.name));
    };
    let rules = vec![OwnershipControlsRule { object_ownership }];
    Ok(GetBucketOwnershipControlsOutput { ownership_controls: Some(OwnershipControls { rules }) })
}

/// Sets who owns new objects. To turn access control lists off, the bucket's must be private.
pub fn put_bucket_ownership_controls(
    cx: &mut Context,
    input: PutBucketOwnershipControlsRequest,
) -> Result<Nothing> {
    static NOT_PRIVATE: ErrorCode = ErrorCode::plain("InvalidBucketAclWithObjectOwnership", 400);
    let mut bucket = bucket::load(cx, &input.bucket)?;
    let [rule] = input.ownership_controls.rules.as_slice() else {
        return Err(error::malformed_xml());
    };
    let enforced = rule.object_ownership == "BucketOwnerEnforced";
    if enforced && bucket.grants != Grants::private(&bucket.account) {
        return Err(NOT_PRIVATE.because(
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
        ));
    }
    bucket.ownership = Some(rule.object_ownership.clone());
    bucket::save(cx, &bucket)?;
    Ok(Nothing)
}

/// Without ownership controls who writes an object owns it.
pub fn delete_bucket_ownership_controls(
    cx: &mut Context,
    input: DeleteBucketOwnershipControlsRequest,
) -> Result<Nothing> {
    let mut bucket = bucket::load(cx, &input.bucket)?;
    bucket.ownership = None;
    bucket::save(cx, &bucket)?;
    Ok(Nothing)
}

pub fn get_bucket_request_payment(
    cx: &mut Context,
    input: GetBucketRequestPaymentRequest,
) -> Result<GetBucketRequestPaymentOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let payer = if bucket.requester_pays { "Requester" } else { "BucketOwner" };
    Ok(GetBucketRequestPaymentOutput { payer: Some(payer.to_owned()) })
}

pub fn put_bucket_request_payment(
    cx: &mut Context,
    input: PutBucketRequestPaymentRequest,
) -> Result<Nothing> {
    let mut bucket = bucket::load(cx, &input.bucket)?;
    bucket.requester_pays = input.request_payment_configuration.payer == "Requester";
    bucket::save(cx, &bucket)?;
    Ok(Nothing)
}

/// Whether the bucket's tags decide.
pub fn get_bucket_abac(
    cx: &mut Context,
    input: GetBucketAbacRequest,
) -> Result<GetBucketAbacOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let status = if bucket.abac { "Enabled" } else { "Disabled" };
    Ok(GetBucketAbacOutput { abac_status: Some(AbacStatus { status: Some(status.to_owned()) }) })
}

pub fn put_bucket_abac(cx: &mut Context, input: PutBucketAbacRequest) -> Result<Nothing> {
    let mut bucket = bucket::load(cx, &input.bucket)?;
    bucket.abac = input.abac_status.status.as_deref() == Some("Enabled");
    bucket::save(cx, &bucket)?;
    Ok(Nothing)
}

/// Refuses others who do not say that they pay, where they must.
pub fn check_payer(cx: &Context, bucket: &bucket::Bucket, payer: Option<&str>) -> Result<()> {
    let owner = *cx.caller.account == *bucket.account;
    if bucket.requester_pays && !owner && payer != Some("requester") {
        return Err(error::denied());
    }
    Ok(())
}
