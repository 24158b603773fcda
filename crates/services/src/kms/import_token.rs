//! The way of imported material: a public key that wraps it, and a token that holds the private
//! key, sealed for one KMS key and good for 24 hours. Nothing of it is stored.
//!
//! Source: AWS KMS API reference, GetParametersForImport; RFC 5649 for the two-step algorithms.

use super::VALIDATION_EXCEPTION;
use super::key::Key;
use super::secret::{self, Secret, failed};
use super::spec::Family;
use crate::context::Context;
use crate::errors::internal;
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded as _};
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPrivateDecryptingKey,
    PrivateDecryptingKey,
};
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::{Engine, engine::general_purpose::STANDARD};
use palisade_model::kms::{
    EXPIRED_IMPORT_TOKEN_EXCEPTION, INVALID_IMPORT_TOKEN_EXCEPTION, UNSUPPORTED_OPERATION_EXCEPTION,
};
use palisade_shape::{Error, Result, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

const PURPOSE: &str = "kms/import-token";
const VALID_SECONDS: i64 = 24 * 3600;

/// What a token says.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    algorithm: String,
    valid_to_millis: i64,
    /// PKCS #8 in base64.
    private: String,
}

impl Drop for Sealed {
    fn drop(&mut self) {
        self.private.zeroize();
    }
}

/// How material is wrapped.
pub struct Wrapping {
    algorithm: String,
    bits: u16,
}

impl Wrapping {
    /// The wrapping that a call asks for. Those that AWS has no more, has in China alone, or does
    /// not have for keys of the kind are refused.
    pub fn of(key: &Key, algorithm: &str, spec: &str) -> Result<Self> {
        let refused = |text: String| Err(UNSUPPORTED_OPERATION_EXCEPTION.because(text));
        let bits = match spec {
            "RSA_2048" => 2048,
            "RSA_3072" => 3072,
            "RSA_4096" => 4096,
            other => return refused(format!("WrappingKeySpec {other} is not supported here.")),
        };
        let two_steps = algorithm.starts_with("RSA_AES_KEY_WRAP_");
        if !two_steps && !matches!(algorithm, "RSAES_OAEP_SHA_1" | "RSAES_OAEP_SHA_256") {
            return refused(format!("WrappingAlgorithm {algorithm} is not supported."));
        }
        let long = matches!(key.spec()?.family, Family::Rsa(_));
        if long && !two_steps {
            let text = format!(
                "WrappingAlgorithm {algorithm} cannot wrap the key material of {} keys.",
                key.spec
            );
            return Err(VALIDATION_EXCEPTION.because(text));
        }
        Ok(Self { algorithm: algorithm.to_owned(), bits })
    }
}

impl Wrapping {
    /// That of the key that wraps.
    pub fn family(&self) -> Family {
        Family::Rsa(self.bits)
    }
}

/// What GetParametersForImport answers.
pub struct Made {
    pub token: Vec<u8>,
    pub public: Vec<u8>,
    pub valid_to: Timestamp,
}

/// A fresh wrapping key. Slow.
pub fn make(cx: &Context, key: &Key, wrapping: &Wrapping) -> Result<Made> {
    let family = wrapping.family();
    let private = secret::prepared(cx, family)?;
    let public = secret::public_key(family, &private)?;
    let valid_to = cx.now().plus_seconds(VALID_SECONDS);
    let sealed = Sealed {
        algorithm: wrapping.algorithm.clone(),
        valid_to_millis: valid_to.millis(),
        private: STANDARD.encode(&*private),
    };
    let json = Zeroizing::new(serde_json::to_vec(&sealed).map_err(internal)?);
    let random = &mut |bytes: &mut [u8]| cx.plane.random.fill(bytes);
    let token = cx.plane.sealer.seal(PURPOSE, &key.arn(), &json, random).map_err(internal)?;
    Ok(Made { token, public: public.unwrap_or_default(), valid_to })
}

/// A token's private key, which unwraps.
pub struct Unwrapping {
    key: OaepPrivateDecryptingKey,
    oaep: &'static OaepAlgorithm,
    two_steps: bool,
    bytes: usize,
}

fn invalid() -> Error {
    INVALID_IMPORT_TOKEN_EXCEPTION.because("The import token is not that of this KMS key.")
}

/// Opens the token that was made for the key.
pub fn open(cx: &Context, key: &Key, token: &[u8]) -> Result<Unwrapping> {
    let json = cx.plane.sealer.unseal(PURPOSE, &key.arn(), token).map_err(|_| invalid())?;
    let json = Zeroizing::new(json);
    let sealed: Sealed = serde_json::from_slice(&json).map_err(|_| invalid())?;
    if sealed.valid_to_millis <= cx.now().millis() {
        return Err(EXPIRED_IMPORT_TOKEN_EXCEPTION.because("The import token has expired."));
    }
    let private = Zeroizing::new(STANDARD.decode(&sealed.private).map_err(internal)?);
    let private = PrivateDecryptingKey::from_pkcs8(&private).map_err(failed)?;
    let bytes = private.key_size_bytes();
    let oaep = match sealed.algorithm.ends_with("SHA_256") {
        true => &OAEP_SHA256_MGF1SHA256,
        false => &OAEP_SHA1_MGF1SHA1,
    };
    let two_steps = sealed.algorithm.starts_with("RSA_AES_KEY_WRAP_");
    let key = OaepPrivateDecryptingKey::new(private).map_err(failed)?;
    Ok(Unwrapping { key, oaep, two_steps, bytes })
}

impl Unwrapping {
    /// The material, if it was wrapped with this key.
    pub fn unwrap(&self, wrapped: &[u8]) -> Option<Secret> {
        if !self.two_steps {
            return self.by_rsa(wrapped);
        }
        let (kek, wrapped) = wrapped.split_at_checked(self.bytes)?;
        let kek = AesKek::new(&AES_256, &self.by_rsa(kek)?).ok()?;
        let mut plain = Zeroizing::new(vec![0; wrapped.len()]);
        let length = kek.unwrap_with_padding(wrapped, &mut plain).ok()?.len();
        plain.truncate(length);
        Some(plain)
    }

    fn by_rsa(&self, wrapped: &[u8]) -> Option<Secret> {
        let mut plain = Zeroizing::new(vec![0; self.key.min_output_size()]);
        let length = self.key.decrypt(self.oaep, wrapped, &mut plain, None).ok()?.len();
        plain.truncate(length);
        Some(plain)
    }
}

/// The material as [`super::secret`] keeps it: the seed of an Ed25519 key comes as PKCS #8.
pub fn as_kept(family: Family, material: Secret) -> Option<Secret> {
    if family != Family::Ed25519 {
        return Some(material);
    }
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&material).ok()?;
    let seed = pair.seed().ok()?;
    let bytes =
        aws_lc_rs::encoding::AsBigEndian::<aws_lc_rs::encoding::Curve25519SeedBin>::as_be_bytes(
            &seed,
        );
    Some(Zeroizing::new(bytes.ok()?.as_ref().to_vec()))
}
