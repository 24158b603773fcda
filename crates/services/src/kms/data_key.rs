//! Data keys and random bytes.
//!
//! Source: AWS KMS API reference, GenerateDataKey, GenerateDataKeyWithoutPlaintext, GenerateRandom.

use super::ciphertext::EncryptionContext;
use super::key::{self, Key};
use super::secret::{self, Secret};
use super::{
    VALIDATION_EXCEPTION, custom_key_store, dry_run, encrypt, grant_token, key_id, last_usage,
    recipient,
};
use crate::context::Context;
use palisade_model::kms::{
    GenerateDataKeyRequest, GenerateDataKeyResponse, GenerateDataKeyWithoutPlaintextRequest,
    GenerateDataKeyWithoutPlaintextResponse, GenerateRandomRequest, GenerateRandomResponse,
};
use palisade_shape::{Blob, Result};

/// How long the data key is, by its spec or a number of bytes.
fn length(spec: Option<&str>, bytes: Option<i32>) -> Result<usize> {
    match (spec, bytes) {
        (Some("AES_128"), None) => Ok(16),
        (Some(_), None) => Ok(32),
        (None, Some(bytes)) => Ok(usize::try_from(bytes).unwrap_or_default()),
        _ => {
            Err(VALIDATION_EXCEPTION.because("Please specify either number of bytes or key spec."))
        }
    }
}

struct Wanted {
    key_id: String,
    context: Option<EncryptionContext>,
    bytes: usize,
    grant_tokens: Option<Vec<String>>,
    dry_run: Option<bool>,
    operation: &'static str,
}

fn made(cx: &mut Context, wanted: Wanted) -> Result<(Key, Secret, Vec<u8>)> {
    let Wanted { key_id, context, bytes, grant_tokens, dry_run, operation } = wanted;
    grant_token::check(cx, grant_tokens.as_deref())?;
    let key = key_id::load(cx, &key_id)?;
    encrypt::refuse_asymmetric(cx, &key, operation)?;
    dry_run::stop(dry_run)?;
    let (plain, sealed) = encrypt::data_key(cx, &key, bytes, &context.unwrap_or_default())?;
    last_usage::note(cx, &key);
    key::touch(cx, &key);
    Ok((key, plain, sealed))
}

/// A fresh key in the clear and encrypted.
pub fn generate_data_key(
    cx: &mut Context,
    input: GenerateDataKeyRequest,
) -> Result<GenerateDataKeyResponse> {
    let GenerateDataKeyRequest {
        key_id,
        encryption_context: context,
        number_of_bytes,
        key_spec,
        grant_tokens,
        recipient,
        dry_run,
    } = input;
    recipient::refuse(recipient.as_ref())?;
    let bytes = length(key_spec.as_deref(), number_of_bytes)?;
    let operation = "GenerateDataKey";
    let wanted = Wanted { key_id, context, bytes, grant_tokens, dry_run, operation };
    let (key, plain, sealed) = made(cx, wanted)?;
    Ok(GenerateDataKeyResponse {
        ciphertext_blob: Some(Blob(sealed)),
        plaintext: Some(Blob(plain.to_vec())),
        key_id: Some(key.arn()),
        ciphertext_for_recipient: None,
        key_material_id: key.shown_material_id(),
    })
}

/// A fresh key encrypted, for somebody else to decrypt.
pub fn generate_data_key_without_plaintext(
    cx: &mut Context,
    input: GenerateDataKeyWithoutPlaintextRequest,
) -> Result<GenerateDataKeyWithoutPlaintextResponse> {
    let GenerateDataKeyWithoutPlaintextRequest {
        key_id,
        encryption_context: context,
        key_spec,
        number_of_bytes,
        grant_tokens,
        dry_run,
    } = input;
    let bytes = length(key_spec.as_deref(), number_of_bytes)?;
    let operation = "GenerateDataKeyWithoutPlaintext";
    let wanted = Wanted { key_id, context, bytes, grant_tokens, dry_run, operation };
    let (key, _, sealed) = made(cx, wanted)?;
    Ok(GenerateDataKeyWithoutPlaintextResponse {
        ciphertext_blob: Some(Blob(sealed)),
        key_id: Some(key.arn()),
        key_material_id: key.shown_material_id(),
    })
}

/// Up to 1,024 random bytes.
pub fn generate_random(
    cx: &mut Context,
    input: GenerateRandomRequest,
) -> Result<GenerateRandomResponse> {
    let GenerateRandomRequest { number_of_bytes, custom_key_store_id, recipient } = input;
    recipient::refuse(recipient.as_ref())?;
    custom_key_store::check_random(custom_key_store_id.as_deref())?;
    let bytes = number_of_bytes.and_then(|bytes| usize::try_from(bytes).ok());
    let bytes = bytes.ok_or_else(|| VALIDATION_EXCEPTION.because("NumberOfBytes is required."))?;
    let made = secret::random(cx, bytes);
    Ok(GenerateRandomResponse {
        plaintext: Some(Blob(made.to_vec())),
        ciphertext_for_recipient: None,
    })
}
