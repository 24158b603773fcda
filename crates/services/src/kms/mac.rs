//! Message authentication codes.
//!
//! Source: AWS KMS API reference, GenerateMac, VerifyMac.

use super::key::{self, Key};
use super::spec::GENERATE_VERIFY_MAC;
use super::{dry_run, encrypt, grant_token, key_id, last_usage, material};
use crate::context::Context;
use aws_lc_rs::hmac;
use palisade_model::kms::{
    GenerateMacRequest, GenerateMacResponse, KMS_INVALID_MAC_EXCEPTION, VerifyMacRequest,
    VerifyMacResponse,
};
use palisade_shape::{Blob, Result};

fn load(cx: &mut Context, key_id: &str, algorithm: &str, operation: &str) -> Result<Key> {
    let key = key_id::load(cx, key_id)?;
    key.refuse_unusable(cx.now())?;
    key.refuse_other_usage(GENERATE_VERIFY_MAC, operation)?;
    key.refuse_other_algorithm(algorithm)?;
    Ok(key)
}

/// The key as the library has it.
fn keyed(cx: &Context, key: &Key, algorithm: &str) -> Result<hmac::Key> {
    let hash = match algorithm {
        "HMAC_SHA_224" => hmac::HMAC_SHA224,
        "HMAC_SHA_256" => hmac::HMAC_SHA256,
        "HMAC_SHA_384" => hmac::HMAC_SHA384,
        _ => hmac::HMAC_SHA512,
    };
    let secret = material::unseal(cx, key, encrypt::current(cx, key)?)?;
    Ok(hmac::Key::new(hash, &secret))
}

pub fn generate_mac(cx: &mut Context, input: GenerateMacRequest) -> Result<GenerateMacResponse> {
    let GenerateMacRequest { message, key_id, mac_algorithm, grant_tokens, dry_run } = input;
    grant_token::check(cx, grant_tokens.as_deref())?;
    let key = load(cx, &key_id, &mac_algorithm, "GenerateMac")?;
    dry_run::stop(dry_run)?;
    let mac = hmac::sign(&keyed(cx, &key, &mac_algorithm)?, &message.0);
    last_usage::note(cx, &key);
    key::touch(cx, &key);
    Ok(GenerateMacResponse {
        mac: Some(Blob(mac.as_ref().to_vec())),
        mac_algorithm: Some(mac_algorithm),
        key_id: Some(key.arn()),
    })
}

/// Compares in constant time. A code that is not the message's is an error.
pub fn verify_mac(cx: &mut Context, input: VerifyMacRequest) -> Result<VerifyMacResponse> {
    let VerifyMacRequest { message, key_id, mac_algorithm, mac, grant_tokens, dry_run } = input;
    grant_token::check(cx, grant_tokens.as_deref())?;
    let key = load(cx, &key_id, &mac_algorithm, "VerifyMac")?;
    dry_run::stop(dry_run)?;
    let verified = hmac::verify(&keyed(cx, &key, &mac_algorithm)?, &message.0, &mac.0);
    last_usage::note(cx, &key);
    key::touch(cx, &key);
    verified.map_err(|_| KMS_INVALID_MAC_EXCEPTION.because(""))?;
    Ok(VerifyMacResponse {
        key_id: Some(key.arn()),
        mac_valid: Some(true),
        mac_algorithm: Some(mac_algorithm),
    })
}
