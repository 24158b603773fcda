//! Key agreement: the shared secret of a KMS key and somebody's public key.
//!
//! Source: AWS KMS API reference, DeriveSharedSecret; NIST SP 800-56A revision 3, section 5.7.1.2.

use super::key;
use super::secret::failed;
use super::spec::{Curve, Family, KEY_AGREEMENT};
use super::{
    VALIDATION_EXCEPTION, dry_run, encrypt, grant_token, key_id, last_usage, material, recipient,
};
use crate::context::Context;
use crate::errors::internal;
use aws_lc_rs::agreement::{ECDH_P256, ECDH_P384, ECDH_P521, PrivateKey, UnparsedPublicKey, agree};
use palisade_model::kms::{DeriveSharedSecretRequest, DeriveSharedSecretResponse};
use palisade_shape::{Blob, Result};

/// The raw shared secret: the x coordinate of the common point.
pub fn derive_shared_secret(
    cx: &mut Context,
    input: DeriveSharedSecretRequest,
) -> Result<DeriveSharedSecretResponse> {
    let DeriveSharedSecretRequest {
        key_id,
        key_agreement_algorithm,
        public_key,
        grant_tokens,
        dry_run,
        recipient,
    } = input;
    grant_token::check(cx, grant_tokens.as_deref())?;
    recipient::refuse(recipient.as_ref())?;
    let key = key_id::load(cx, &key_id)?;
    key.refuse_unusable(cx.now())?;
    key.refuse_other_usage(KEY_AGREEMENT, "DeriveSharedSecret")?;
    key.refuse_other_algorithm(&key_agreement_algorithm)?;
    dry_run::stop(dry_run)?;
    let algorithm = match key.spec()?.family {
        Family::Ec(Curve::P256) => &ECDH_P256,
        Family::Ec(Curve::P384) => &ECDH_P384,
        Family::Ec(Curve::P521) => &ECDH_P521,
        _ => return Err(internal("a key that agrees on no curve")),
    };
    let secret = material::unseal(cx, &key, encrypt::current(cx, &key)?)?;
    let private = PrivateKey::from_private_key_der(algorithm, &secret).map_err(failed)?;
    let invalid = || {
        VALIDATION_EXCEPTION
            .because("The public key is not a valid public key of the KMS key's curve.")
    };
    let peer = UnparsedPublicKey::new(algorithm, &public_key.0);
    let shared = agree(&private, peer, invalid(), |shared| Ok(shared.to_vec()))?;
    last_usage::note(cx, &key);
    key::touch(cx, &key);
    Ok(DeriveSharedSecretResponse {
        key_id: Some(key.arn()),
        shared_secret: Some(Blob(shared)),
        ciphertext_for_recipient: None,
        key_agreement_algorithm: Some(key_agreement_algorithm),
        key_origin: Some(key.origin),
    })
}
