//! Signatures, and the public keys to verify them with.
//!
//! Source: AWS KMS API reference, Sign, Verify, GetPublicKey; Developer Guide, "Key spec
//! reference".

use super::key::{self, Key};
use super::signature;
use super::spec::{ENCRYPT_DECRYPT, KEY_AGREEMENT, SIGN_VERIFY};
use super::{VALIDATION_EXCEPTION, dry_run, encrypt, grant_token, key_id, last_usage, material};
use crate::context::Context;
use palisade_model::kms::{
    GetPublicKeyRequest, GetPublicKeyResponse, KMS_INVALID_SIGNATURE_EXCEPTION, SignRequest,
    SignResponse, VerifyRequest, VerifyResponse,
};
use palisade_shape::{Blob, Result};

/// What a message is: itself, or what was computed of it already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'m> {
    Raw(&'m [u8]),
    /// Its digest, of the algorithm's length.
    Digest(&'m [u8]),
    /// The 64-byte representative of FIPS 204, step 6 of algorithm 7.
    ExternalMu(&'m [u8]),
}

/// How long the digest is that an algorithm signs.
fn digest_bytes(algorithm: &str) -> usize {
    match algorithm.rsplit('_').next() {
        Some("256") => 32,
        Some("384") => 48,
        _ => 64,
    }
}

/// The message of a call, as its type says.
fn message<'m>(algorithm: &str, kind: Option<&str>, bytes: &'m [u8]) -> Result<Message<'m>> {
    let refused = |text: String| Err(VALIDATION_EXCEPTION.because(text));
    let kind = kind.unwrap_or("RAW");
    let fits = match algorithm {
        "ED25519_SHA_512" => kind == "RAW",
        "ED25519_PH_SHA_512" => kind == "DIGEST",
        "ML_DSA_SHAKE_256" => kind != "DIGEST",
        _ => kind != "EXTERNAL_MU",
    };
    if !fits {
        return refused(format!("MessageType {kind} is not valid for algorithm {algorithm}."));
    }
    match kind {
        "DIGEST" if bytes.len() != digest_bytes(algorithm) => {
            refused(format!("Digest is invalid length for algorithm {algorithm}."))
        }
        "DIGEST" => Ok(Message::Digest(bytes)),
        "EXTERNAL_MU" if bytes.len() != 64 => {
            refused(format!("External mu is invalid length for algorithm {algorithm}."))
        }
        "EXTERNAL_MU" => Ok(Message::ExternalMu(bytes)),
        _ if bytes.len() > 4096 => refused(
            "1 validation error detected: Value at 'message' failed to satisfy constraint: Member \
             must have length less than or equal to 4096"
                .to_owned(),
        ),
        _ => Ok(Message::Raw(bytes)),
    }
}

fn load(cx: &mut Context, key_id: &str, algorithm: &str, operation: &str) -> Result<Key> {
    let key = key_id::load(cx, key_id)?;
    key.refuse_unusable(cx.now())?;
    key.refuse_other_usage(SIGN_VERIFY, operation)?;
    key.refuse_other_algorithm(algorithm)?;
    Ok(key)
}

pub fn sign(cx: &mut Context, input: SignRequest) -> Result<SignResponse> {
    let SignRequest {
        key_id,
        message: bytes,
        message_type,
        grant_tokens,
        signing_algorithm,
        dry_run,
    } = input;
    grant_token::check(cx, grant_tokens.as_deref())?;
    let key = load(cx, &key_id, &signing_algorithm, "Sign")?;
    let message = message(&signing_algorithm, message_type.as_deref(), &bytes.0)?;
    dry_run::stop(dry_run)?;
    let secret = material::unseal(cx, &key, encrypt::current(cx, &key)?)?;
    let signed = signature::sign(key.spec()?.family, &signing_algorithm, &secret, message)?;
    last_usage::note(cx, &key);
    key::touch(cx, &key);
    Ok(SignResponse {
        key_id: Some(key.arn()),
        signature: Some(Blob(signed)),
        signing_algorithm: Some(signing_algorithm),
    })
}

/// A signature that is not the message's is an error.
pub fn verify(cx: &mut Context, input: VerifyRequest) -> Result<VerifyResponse> {
    let VerifyRequest {
        key_id,
        message: bytes,
        message_type,
        signature: given,
        signing_algorithm,
        grant_tokens,
        dry_run,
    } = input;
    grant_token::check(cx, grant_tokens.as_deref())?;
    let key = load(cx, &key_id, &signing_algorithm, "Verify")?;
    let message = message(&signing_algorithm, message_type.as_deref(), &bytes.0)?;
    dry_run::stop(dry_run)?;
    let public = key::public_key(&key)?;
    let family = key.spec()?.family;
    let good = signature::is_good(family, &signing_algorithm, &public, message, &given.0)?;
    last_usage::note(cx, &key);
    key::touch(cx, &key);
    if !good {
        return Err(KMS_INVALID_SIGNATURE_EXCEPTION.because(""));
    }
    Ok(VerifyResponse {
        key_id: Some(key.arn()),
        signature_valid: Some(true),
        signing_algorithm: Some(signing_algorithm),
    })
}

/// The public half of an asymmetric key, for use outside of KMS.
pub fn get_public_key(
    cx: &mut Context,
    input: GetPublicKeyRequest,
) -> Result<GetPublicKeyResponse> {
    let GetPublicKeyRequest { key_id, grant_tokens } = input;
    grant_token::check(cx, grant_tokens.as_deref())?;
    let key = key_id::load(cx, &key_id)?;
    key.refuse_unusable(cx.now())?;
    let public = key::public_key(&key)?;
    key::touch(cx, &key);
    let algorithms = key.algorithms()?;
    let of = |usage: &str| {
        let all = || algorithms.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>();
        (key.usage == usage).then(all)
    };
    Ok(GetPublicKeyResponse {
        key_id: Some(key.arn()),
        public_key: Some(Blob(public)),
        customer_master_key_spec: Some(key.spec.clone()),
        key_spec: Some(key.spec.clone()),
        key_usage: Some(key.usage.clone()),
        encryption_algorithms: of(ENCRYPT_DECRYPT),
        signing_algorithms: of(SIGN_VERIFY),
        key_agreement_algorithms: of(KEY_AGREEMENT),
    })
}
