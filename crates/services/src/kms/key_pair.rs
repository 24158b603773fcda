//! Data key pairs: asymmetric keys for use outside of KMS.
//!
//! Source: AWS KMS API reference, GenerateDataKeyPair, GenerateDataKeyPairWithoutPlaintext.

use super::ciphertext::EncryptionContext;
use super::key::{self, Key};
use super::secret::{self, Secret};
use super::spec::Spec;
use super::{dry_run, encrypt, grant_token, key_id, last_usage, recipient};
use crate::context::Context;
use palisade_model::kms::{
    GenerateDataKeyPairRequest, GenerateDataKeyPairResponse,
    GenerateDataKeyPairWithoutPlaintextRequest, GenerateDataKeyPairWithoutPlaintextResponse,
    UNSUPPORTED_OPERATION_EXCEPTION,
};
use palisade_shape::{Blob, Result};

struct Wanted {
    key_id: String,
    spec: String,
    context: Option<EncryptionContext>,
    grant_tokens: Option<Vec<String>>,
    dry_run: Option<bool>,
    operation: &'static str,
}

struct Made {
    key: Key,
    private: Secret,
    sealed: Vec<u8>,
    public: Vec<u8>,
}

fn made(cx: &mut Context, wanted: Wanted) -> Result<Made> {
    let Wanted { key_id, spec, context, grant_tokens, dry_run, operation } = wanted;
    grant_token::check(cx, grant_tokens.as_deref())?;
    let key = key_id::load(cx, &key_id)?;
    encrypt::refuse_asymmetric(cx, &key, operation)?;
    let unsupported = || {
        let text = format!("KeyPairSpec {spec} is not supported in this Region.");
        UNSUPPORTED_OPERATION_EXCEPTION.because(text)
    };
    let family = Spec::named(&spec).map_err(|_| unsupported())?.family;
    dry_run::stop(dry_run)?;
    let secret = secret::prepared(cx, family)?;
    let public = secret::public_key(family, &secret)?.ok_or_else(unsupported)?;
    let private = secret::private_key(family, &secret)?;
    let sealed = encrypt::seal(cx, &key, &private, &context.unwrap_or_default())?;
    last_usage::note(cx, &key);
    key::touch(cx, &key);
    Ok(Made { key, private, sealed, public })
}

/// Makes the pair of [`generate_data_key_pair`] ahead.
pub fn prepare_pair(cx: &mut Context, input: &GenerateDataKeyPairRequest) -> Result<()> {
    prepare(cx, &input.key_pair_spec, input.dry_run)
}

/// Makes the pair of [`generate_data_key_pair_without_plaintext`] ahead.
pub fn prepare_pair_without_plaintext(
    cx: &mut Context,
    input: &GenerateDataKeyPairWithoutPlaintextRequest,
) -> Result<()> {
    prepare(cx, &input.key_pair_spec, input.dry_run)
}

fn prepare(cx: &Context, spec: &str, dry_run: Option<bool>) -> Result<()> {
    let spec = Spec::named(spec)?;
    if spec.is_asymmetric() && dry_run != Some(true) {
        secret::prepared(cx, spec.family)?;
    }
    Ok(())
}

/// A fresh key pair, its private half in the clear and encrypted.
pub fn generate_data_key_pair(
    cx: &mut Context,
    input: GenerateDataKeyPairRequest,
) -> Result<GenerateDataKeyPairResponse> {
    let GenerateDataKeyPairRequest {
        encryption_context: context,
        key_id,
        key_pair_spec: spec,
        grant_tokens,
        recipient,
        dry_run,
    } = input;
    recipient::refuse(recipient.as_ref())?;
    let operation = "GenerateDataKeyPair";
    let wanted = Wanted { key_id, spec: spec.clone(), context, grant_tokens, dry_run, operation };
    let Made { key, private, sealed, public } = made(cx, wanted)?;
    Ok(GenerateDataKeyPairResponse {
        private_key_ciphertext_blob: Some(Blob(sealed)),
        private_key_plaintext: Some(Blob(private.to_vec())),
        public_key: Some(Blob(public)),
        key_id: Some(key.arn()),
        key_pair_spec: Some(spec),
        ciphertext_for_recipient: None,
        key_material_id: key.shown_material_id(),
    })
}

/// A fresh key pair, its private half encrypted.
pub fn generate_data_key_pair_without_plaintext(
    cx: &mut Context,
    input: GenerateDataKeyPairWithoutPlaintextRequest,
) -> Result<GenerateDataKeyPairWithoutPlaintextResponse> {
    let GenerateDataKeyPairWithoutPlaintextRequest {
        encryption_context: context,
        key_id,
        key_pair_spec: spec,
        grant_tokens,
        dry_run,
    } = input;
    let operation = "GenerateDataKeyPairWithoutPlaintext";
    let wanted = Wanted { key_id, spec: spec.clone(), context, grant_tokens, dry_run, operation };
    let Made { key, sealed, public, private: _ } = made(cx, wanted)?;
    Ok(GenerateDataKeyPairWithoutPlaintextResponse {
        private_key_ciphertext_blob: Some(Blob(sealed)),
        public_key: Some(Blob(public)),
        key_id: Some(key.arn()),
        key_pair_spec: Some(spec),
        key_material_id: key.shown_material_id(),
    })
}
