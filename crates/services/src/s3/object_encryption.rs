//! Another encryption for an object that is there: its bytes stay as they are, its key is held
//! otherwise.
//!
//! Source: Amazon S3 API Reference, UpdateObjectEncryption.

use super::encryption::{self, Seal, Wanted};
use super::error::{ACCESS_DENIED, INVALID_REQUEST};
use super::object::{self, Version};
use super::{bucket, read, write};
use crate::context::Context;
use crate::errors::internal;
use palisade_model::s3::{
    SSEKMSEncryption, UpdateObjectEncryptionRequest, UpdateObjectEncryptionResponse,
};
use palisade_policy::arn::Arn;
use palisade_shape::Result;

/// Has a version's key held by a KMS key of the bucket's account from now on.
pub fn update_object_encryption(
    cx: &mut Context,
    input: UpdateObjectEncryptionRequest,
) -> Result<UpdateObjectEncryptionResponse> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let mut version = read::find(cx, &bucket, &input.key, input.version_id.as_deref())?;
    let Some(SSEKMSEncryption { kms_key_arn, bucket_key_enabled }) =
        input.object_encryption.ssekms.clone()
    else {
        return Err(INVALID_REQUEST.because(
            "Requests that modify an object encryption configuration require a valid new \
             encryption type. Valid values are SSEKMS. Modify the request to specify SSE-KMS for \
             the updated encryption type, and then try again.",
        ));
    };
    check_key(&bucket.account, &kms_key_arn)?;
    check_lock(cx, &version)?;
    let Some(seal) = version.seal.clone() else { return Err(internal("an object without a key")) };
    if matches!(seal, Seal::Customer { .. } | Seal::Kms { dual: true, .. }) {
        return Err(INVALID_REQUEST.because(
            "The UpdateObjectEncryption operation doesn't support source objects with the \
             encryption type DSSE-KMS or SSE-C. Only source objects encrypted with SSE-S3 or \
             SSE-KMS are supported.",
        ));
    }
    let arn = version.arn();
    let key = encryption::open(cx, &bucket, &seal, &arn, (&input, "SSECustomer"))?;
    let bucket_key = bucket_key_enabled == Some(true);
    let wanted = Wanted::Kms { key_id: Some(kms_key_arn), context: None, bucket_key, dual: false };
    version.seal = Some(encryption::hold(cx, &bucket, &wanted, &arn, &key)?);
    object::update(cx, &version)?;
    write::touch(cx, &bucket, &version);
    Ok(UpdateObjectEncryptionResponse::default())
}

/// A key by its ARN, of the account that owns the bucket.
fn check_key(account: &str, key: &str) -> Result<()> {
    let parsed = Arn::parse(key);
    let parsed = parsed.filter(|arn| arn.service == "kms" && arn.resource.starts_with("key/"));
    let Some(arn) = parsed else {
        return Err(INVALID_REQUEST.because(
            "Requests that modify an object's encryption type to SSE-KMS require a valid Amazon \
             Web Services KMS key Amazon Resource Name (ARN). Confirm that you have a correctly \
             formatted KMS key ARN in your request, and then try again.",
        ));
    };
    match arn.account == account {
        true => Ok(()),
        false => Err(ACCESS_DENIED.because(
            "The Amazon Web Services KMS key in the request must be owned by the same account as \
             the bucket. Modify the request to specify a KMS key from the same account, and then \
             try again.",
        )),
    }
}

/// What is locked stays as it is.
fn check_lock(cx: &Context, version: &Version) -> Result<()> {
    let lock = &version.lock;
    let held = lock.legal_hold.as_deref() == Some("ON");
    let retained = lock.until_millis.is_some_and(|until| until > cx.now().millis());
    match held || retained {
        false => Ok(()),
        true => Err(ACCESS_DENIED.because(
            "The encryption type for the specified object can\u{2019}t be updated because that \
             object is protected by S3 Object Lock. If the object has a governance-mode retention \
             period or a legal hold, you must first remove the Object Lock status on the object \
             before you issue your UpdateObjectEncryption request. You can't use the \
             UpdateObjectEncryption operation with objects that have an Object Lock compliance \
             mode retention period applied to them.",
        )),
    }
}
