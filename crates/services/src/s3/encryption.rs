//! Encryption at rest. Each object has a key of its own; what holds that key depends on the kind:
//! the plane's sealer (SSE-S3), a data key of KMS (SSE-KMS, DSSE-KMS), or the key that the client
//! sends with every request and that is never stored (SSE-C).
//!
//! Source: Amazon S3 User Guide, "Protecting data with encryption".

use super::bucket::Bucket;
use super::content::{PlainKey, aead, new_key};
use super::error::{self, INVALID_ARGUMENT, INVALID_REQUEST};
use super::{kms_keys, member};
use crate::context::Context;
use crate::errors::internal;
use crate::random::Random;
use aws_lc_rs::aead::{Aad, NONCE_LEN, Nonce};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::{Digest as _, Md5};
use palisade_shape::{ErrorCode, Result, Shape};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

static INVALID_ALGORITHM: ErrorCode = ErrorCode::plain("InvalidEncryptionAlgorithmError", 400);

const PURPOSE: &str = "s3/object-key";

/// How a stored object's key is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Seal {
    /// SSE-S3: sealed by the plane.
    S3 { key: String },
    /// SSE-C: wrapped under the client's key, whose digest S3 tells.
    Customer { md5: String, key: String },
    /// SSE-KMS: wrapped under a data key, which KMS holds encrypted.
    Kms {
        key_arn: String,
        /// Base64 of the JSON that the request gave.
        context: Option<String>,
        /// KMS's ciphertext of the data key, in base64.
        data_key: String,
        key: String,
        bucket_key: bool,
        dual: bool,
    },
}

/// How a new object shall be encrypted.
pub enum Wanted {
    S3,
    Customer { md5: String, key: PlainKey },
    Kms { key_id: Option<String>, context: Option<String>, bucket_key: bool, dual: bool },
}

/// A client's key, when the request has one. `prefix` is `SSECustomer` or `CopySourceSSECustomer`.
fn customer_key(
    cx: &Context,
    input: &dyn Shape,
    prefix: &str,
) -> Result<Option<(String, PlainKey)>> {
    let given = |part: &str| member::text(input, &format!("{prefix}{part}"));
    let (algorithm, key, md5) = (given("Algorithm"), given("Key"), given("KeyMD5"));
    if algorithm.is_none() && key.is_none() && md5.is_none() {
        return Ok(None);
    }
    let invalid = |text: &'static str| INVALID_ARGUMENT.because(text);
    let Some(algorithm) = algorithm else {
        return Err(invalid(
            "Requests specifying Server Side Encryption with Customer provided keys must provide a \
             valid encryption algorithm.",
        ));
    };
    if algorithm != "AES256" {
        let message = "The encryption request that you specified is not valid. The valid value is \
                       AES256.";
        return Err(INVALID_ALGORITHM.because(message));
    }
    if !cx.request.secure && !cx.request.source_ip.is_loopback() {
        return Err(INVALID_REQUEST.because(
            "Requests specifying Server Side Encryption with Customer provided keys must be made \
             over a secure connection.",
        ));
    }
    let Some(key) = key else {
        return Err(invalid(
            "Requests specifying Server Side Encryption with Customer provided keys must provide \
             an appropriate secret key.",
        ));
    };
    let bytes = Zeroizing::new(STANDARD.decode(key).unwrap_or_default());
    let Ok(plain) = <[u8; 32]>::try_from(bytes.as_slice()) else {
        return Err(invalid("The secret key was invalid for the specified algorithm."));
    };
    let computed = STANDARD.encode(Md5::digest(plain));
    match md5 {
        Some(md5) if md5 == computed => Ok(Some((md5, Zeroizing::new(plain)))),
        Some(_) => Err(invalid(
            "The calculated MD5 hash of the key did not match the hash that was provided.",
        )),
        None => Err(invalid(
            "Requests specifying Server Side Encryption with Customer provided keys must provide \
             the client calculated MD5 of the secret key.",
        )),
    }
}

/// What the request asks for, or the bucket's default.
pub fn wanted(cx: &Context, bucket: &Bucket, input: &dyn Shape) -> Result<Wanted> {
    let asked = member::text(input, "ServerSideEncryption");
    let key_id = member::text(input, "SSEKMSKeyId");
    let context = member::text(input, "SSEKMSEncryptionContext");
    if let Some((md5, key)) = customer_key(cx, input, "SSECustomer")? {
        if asked.is_some() {
            return Err(INVALID_ARGUMENT.because(
                "Server Side Encryption with Customer provided key is incompatible with the \
                 encryption method specified",
            ));
        }
        if bucket.encryption.blocked.iter().any(|kind| kind == "SSE-C") {
            return Err(error::ACCESS_DENIED.because(
                "The bucket does not allow encryption with a customer-provided key (SSE-C).",
            ));
        }
        return Ok(Wanted::Customer { md5, key });
    }
    let default = &bucket.encryption;
    let algorithm = asked.as_deref().unwrap_or(&default.algorithm);
    if algorithm == "AES256" {
        if key_id.is_some() || context.is_some() {
            return Err(INVALID_ARGUMENT.because(
                "Server Side Encryption with AWS KMS managed key requires HTTP header \
                 x-amz-server-side-encryption : aws:kms",
            ));
        }
        return Ok(Wanted::S3);
    }
    let dual = match algorithm {
        "aws:kms" => false,
        "aws:kms:dsse" => true,
        other => {
            let message = "The encryption method specified is not supported";
            let header = "x-amz-server-side-encryption";
            return Err(error::invalid_argument(message, header, other));
        }
    };
    let of_bucket = default.algorithm == algorithm;
    let bucket_key = member::text(input, "BucketKeyEnabled").map(|value| value == "true");
    Ok(Wanted::Kms {
        key_id: key_id.or_else(|| default.key_id.clone().filter(|_| of_bucket)),
        context,
        bucket_key: bucket_key.unwrap_or(of_bucket && default.bucket_key),
        dual,
    })
}

/// Makes an object's key and seals it. `arn` is the object's.
pub fn seal(
    cx: &mut Context,
    bucket: &Bucket,
    wanted: &Wanted,
    arn: &str,
) -> Result<(Seal, PlainKey)> {
    let key = new_key(&*cx.plane.random);
    Ok((hold(cx, bucket, wanted, arn, &key)?, key))
}

/// Seals the key of an object as it is wanted.
pub fn hold(
    cx: &mut Context,
    bucket: &Bucket,
    wanted: &Wanted,
    arn: &str,
    key: &PlainKey,
) -> Result<Seal> {
    Ok(match wanted {
        Wanted::S3 => {
            let random = &mut |bytes: &mut [u8]| cx.plane.random.fill(bytes);
            let sealed = cx.plane.sealer.seal(PURPOSE, &bucket.name, &**key, random);
            Seal::S3 { key: STANDARD.encode(sealed.map_err(internal)?) }
        }
        Wanted::Customer { md5, key: own } => {
            Seal::Customer { md5: md5.clone(), key: wrap(&*cx.plane.random, own, key)? }
        }
        Wanted::Kms { key_id, context, bucket_key, dual } => {
            let asked = kms_keys::Asked {
                key_id: key_id.as_deref(),
                context: context.as_deref(),
                bucket_key: *bucket_key,
            };
            let made = kms_keys::data_key(cx, bucket, &asked, arn)?;
            Seal::Kms {
                key_arn: made.key_arn,
                context: context.clone(),
                data_key: STANDARD.encode(&made.ciphertext),
                key: wrap(&*cx.plane.random, &made.plain, key)?,
                bucket_key: *bucket_key,
                dual: *dual,
            }
        }
    })
}

/// Opens a stored object's key. `prefix` names the members with the client's key.
pub fn open(
    cx: &mut Context,
    bucket: &Bucket,
    seal: &Seal,
    arn: &str,
    (input, prefix): (&dyn Shape, &str),
) -> Result<PlainKey> {
    check_customer_key(cx, seal, (input, prefix))?;
    match seal {
        Seal::S3 { key } => {
            let sealed = STANDARD.decode(key).map_err(internal)?;
            let plain = cx.plane.sealer.unseal(PURPOSE, &bucket.name, &sealed);
            let plain = Zeroizing::new(plain.map_err(internal)?);
            plain_key(&plain)
        }
        Seal::Customer { key, .. } => match customer_key(cx, input, prefix)? {
            Some((_, own)) => unwrap(&own, key),
            None => Err(internal("an object's customer key was not checked")),
        },
        Seal::Kms { key_arn, context, data_key, key, bucket_key, .. } => {
            let asked = kms_keys::Asked {
                key_id: Some(key_arn),
                context: context.as_deref(),
                bucket_key: *bucket_key,
            };
            let ciphertext = STANDARD.decode(data_key).map_err(internal)?;
            let data_key = kms_keys::decrypt(cx, bucket, &asked, arn, &ciphertext)?;
            unwrap(&data_key, key)
        }
    }
}

/// Refuses a request that lacks the client's key of the object, or brings one for nothing.
pub fn check_customer_key(
    cx: &Context,
    seal: &Seal,
    (input, prefix): (&dyn Shape, &str),
) -> Result<()> {
    match (seal, customer_key(cx, input, prefix)?) {
        (Seal::Customer { md5, .. }, Some((given, _))) if *md5 == given => Ok(()),
        (Seal::Customer { .. }, Some(_)) => Err(error::denied()),
        (Seal::Customer { .. }, None) => Err(INVALID_REQUEST.because(
            "The object was stored using a form of Server Side Encryption. The correct parameters \
             must be provided to retrieve the object.",
        )),
        (_, Some(_)) => {
            Err(INVALID_REQUEST
                .because("The encryption parameters are not applicable to this object."))
        }
        (_, None) => Ok(()),
    }
}

fn plain_key(bytes: &[u8]) -> Result<PlainKey> {
    let key = <[u8; 32]>::try_from(bytes).map_err(|_| internal("an object's key is no key"))?;
    Ok(Zeroizing::new(key))
}

/// A key under another: nonce, ciphertext and tag, in base64.
pub fn wrap(random: &dyn Random, under: &PlainKey, key: &PlainKey) -> Result<String> {
    let mut nonce = [0; NONCE_LEN];
    random.fill(&mut nonce);
    let mut sealed = key.to_vec();
    aead(&**under)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed)
        .map_err(|_| internal("a key cannot be wrapped"))?;
    Ok(STANDARD.encode([&nonce[..], &sealed].concat()))
}

/// Opens what [`wrap`] made. The wrong key is refused as S3 refuses a client's wrong key.
pub fn unwrap(under: &PlainKey, wrapped: &str) -> Result<PlainKey> {
    let bytes = STANDARD.decode(wrapped).map_err(internal)?;
    let (nonce, sealed) = bytes.split_first_chunk().ok_or_else(|| internal("no wrapped key"))?;
    let mut sealed = Zeroizing::new(sealed.to_vec());
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let opened = aead(&**under)?.open_in_place(nonce, Aad::empty(), &mut sealed);
    plain_key(opened.map_err(|_| error::denied())?)
}

/// Writes what an answer tells of an object's encryption.
pub fn tell(seal: &Seal, output: &mut dyn Shape) {
    match seal {
        Seal::S3 { .. } => member::set(output, "ServerSideEncryption", "AES256"),
        Seal::Customer { md5, .. } => {
            member::set(output, "SSECustomerAlgorithm", "AES256");
            member::set(output, "SSECustomerKeyMD5", md5);
        }
        Seal::Kms { key_arn, context, bucket_key, dual, .. } => {
            let algorithm = if *dual { "aws:kms:dsse" } else { "aws:kms" };
            member::set(output, "ServerSideEncryption", algorithm);
            member::set(output, "SSEKMSKeyId", key_arn);
            member::set_some(output, "SSEKMSEncryptionContext", context.as_deref());
            if *bucket_key {
                member::set(output, "BucketKeyEnabled", "true");
            }
        }
    }
}
