//! The data keys that SSE-KMS takes from KMS, as calls that S3 forwards for its caller: the
//! caller's policies and the key's decide, and KMS records them.
//!
//! Source: Amazon S3 User Guide, "Using server-side encryption with AWS KMS keys", "Encryption
//! context".

use super::bucket::Bucket;
use super::content::PlainKey;
use super::error::INVALID_ARGUMENT;
use crate::context::Context;
use crate::errors::internal;
use crate::kms::forwarded;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use palisade_shape::{Error, ErrorCode, Result};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// The service that the calls come through.
const SERVICE: &str = "s3";
/// The key of those who name none.
const MANAGED: &str = "alias/aws/s3";

/// KMS's refusals as S3 words them (Amazon S3 API Reference, "Error responses").
static OF_KMS: [ErrorCode; 6] = [
    ErrorCode::plain("KMS.DisabledException", 400),
    ErrorCode::plain("KMS.InvalidArnException", 400),
    ErrorCode::plain("KMS.InvalidKeyUsageException", 400),
    ErrorCode::plain("KMS.KMSInvalidStateException", 400),
    ErrorCode::plain("KMS.KeyUnavailableException", 400),
    ErrorCode::plain("KMS.NotFoundException", 400),
];

fn worded(error: Error) -> Error {
    let known = |code: &&ErrorCode| code.code.strip_prefix("KMS.") == Some(error.code.code);
    match OF_KMS.iter().find(known) {
        Some(code) => Error { code, fields: Vec::new(), ..error },
        None => error,
    }
}

/// Which key, and what the request binds it to.
pub struct Asked<'a> {
    /// None for the account's `alias/aws/s3`.
    pub key_id: Option<&'a str>,
    /// Base64 of a JSON object with strings.
    pub context: Option<&'a str>,
    pub bucket_key: bool,
}

/// A data key, in the clear and as KMS keeps it.
pub struct DataKey {
    pub key_arn: String,
    pub plain: PlainKey,
    pub ciphertext: Vec<u8>,
}

/// The encryption context: the request's own, and the ARN of the object, or of the bucket with a
/// bucket key.
fn context(bucket: &Bucket, asked: &Asked<'_>, arn: &str) -> Result<BTreeMap<String, String>> {
    let mut context: BTreeMap<String, String> = match asked.context {
        None => BTreeMap::new(),
        Some(text) => {
            let bytes = STANDARD.decode(text).ok();
            let read = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
            read.ok_or_else(|| {
                INVALID_ARGUMENT.because(
                    "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded \
                     UTF-8 string holding JSON which represents a string-string map",
                )
            })?
        }
    };
    let of = if asked.bucket_key { bucket.arn() } else { arn.to_owned() };
    context.entry("aws:s3:arn".to_owned()).or_insert(of);
    Ok(context)
}

fn plain(bytes: &[u8]) -> Result<PlainKey> {
    let key = <[u8; 32]>::try_from(bytes).map_err(|_| internal("a data key of wrong length"))?;
    Ok(Zeroizing::new(key))
}

/// Asks for a new data key.
pub fn data_key(
    cx: &mut Context,
    bucket: &Bucket,
    asked: &Asked<'_>,
    arn: &str,
) -> Result<DataKey> {
    let context = context(bucket, asked, arn)?;
    let key_id = asked.key_id.unwrap_or(MANAGED);
    let made = forwarded::generate_data_key(cx, SERVICE, key_id, &context).map_err(worded)?;
    Ok(DataKey { key_arn: made.key_arn, plain: plain(&made.plaintext)?, ciphertext: made.blob })
}

/// Asks for a data key in the clear.
pub fn decrypt(
    cx: &mut Context,
    bucket: &Bucket,
    asked: &Asked<'_>,
    arn: &str,
    ciphertext: &[u8],
) -> Result<PlainKey> {
    let context = context(bucket, asked, arn)?;
    plain(&forwarded::decrypt(cx, SERVICE, ciphertext, &context).map_err(worded)?)
}
