//! The secret of a key: how it is made, and its public half.
//!
//! A symmetric or MAC key is its bytes; an RSA or elliptic-curve key its PKCS #8 document; an
//! Ed25519 or ML-DSA key its seed.

use super::spec::{Curve, Family, MlDsa};
use crate::context::Context;
use crate::errors::internal;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256K1_SHA256_ASN1_SIGNING,
    ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, ML_DSA_44_SIGNING, ML_DSA_65_SIGNING,
    ML_DSA_87_SIGNING, PqdsaKeyPair, PqdsaSigningAlgorithm, RsaKeyPair,
};
use palisade_shape::{Error, Result};
use zeroize::Zeroizing;

/// Bytes that are wiped when they are let go.
pub type Secret = Zeroizing<Vec<u8>>;

/// The length of a symmetric key, and of the seeds of Ed25519 and ML-DSA.
pub const SYMMETRIC_BYTES: usize = 32;

/// How elliptic-curve keys of a curve sign.
pub fn ecdsa(curve: Curve) -> &'static EcdsaSigningAlgorithm {
    match curve {
        Curve::P256 => &ECDSA_P256_SHA256_ASN1_SIGNING,
        Curve::P384 => &ECDSA_P384_SHA384_ASN1_SIGNING,
        Curve::P521 => &ECDSA_P521_SHA512_ASN1_SIGNING,
        Curve::Secp256k1 => &ECDSA_P256K1_SHA256_ASN1_SIGNING,
    }
}

pub fn ml_dsa(set: MlDsa) -> &'static PqdsaSigningAlgorithm {
    match set {
        MlDsa::MlDsa44 => &ML_DSA_44_SIGNING,
        MlDsa::MlDsa65 => &ML_DSA_65_SIGNING,
        MlDsa::MlDsa87 => &ML_DSA_87_SIGNING,
    }
}

/// Random bytes from the plane's source.
pub fn random(cx: &Context, length: usize) -> Secret {
    let mut bytes = Zeroizing::new(vec![0; length]);
    cx.plane.random.fill(&mut bytes);
    bytes
}

/// A new secret for keys of the spec. Slow for RSA: 4,096 bits take about a second.
pub fn generate(cx: &Context, family: Family) -> Result<Secret> {
    Ok(match family {
        Family::Symmetric | Family::Ed25519 | Family::MlDsa(_) => random(cx, SYMMETRIC_BYTES),
        Family::Hmac(bytes) => random(cx, usize::from(bytes)),
        Family::Rsa(bits) => {
            let size = match bits {
                2048 => KeySize::Rsa2048,
                3072 => KeySize::Rsa3072,
                _ => KeySize::Rsa4096,
            };
            let pair = RsaKeyPair::generate(size).map_err(failed)?;
            Zeroizing::new(AsDer::<Pkcs8V1Der>::as_der(&pair).map_err(failed)?.as_ref().to_vec())
        }
        Family::Ec(curve) => {
            let pair = EcdsaKeyPair::generate(ecdsa(curve)).map_err(failed)?;
            Zeroizing::new(pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec())
        }
    })
}

/// The secret that the call made before its turn, or makes now.
pub fn prepared(cx: &Context, family: Family) -> Result<Secret> {
    let Some(hashes) = cx.hashes else { return generate(cx, family) };
    if let Some(made) = hashes.secret.get() {
        return Ok(made.clone());
    }
    let made = generate(cx, family)?;
    Ok(hashes.secret.get_or_init(|| made).clone())
}

/// The public half as a `SubjectPublicKeyInfo` (RFC 5280); none of a symmetric key. Fails for what
/// is no secret of the family, as imported material may be.
pub fn public_key(family: Family, secret: &[u8]) -> Result<Option<Vec<u8>>> {
    let der: PublicKeyX509Der = match family {
        Family::Symmetric | Family::Hmac(_) => return Ok(None),
        Family::Rsa(_) => {
            let pair = RsaKeyPair::from_pkcs8(secret).map_err(failed)?;
            pair.public_key().as_der().map_err(failed)?
        }
        Family::Ec(curve) => {
            let pair = EcdsaKeyPair::from_pkcs8(ecdsa(curve), secret).map_err(failed)?;
            pair.public_key().as_der().map_err(failed)?
        }
        Family::Ed25519 => {
            let pair = Ed25519KeyPair::from_seed_unchecked(secret).map_err(failed)?;
            pair.public_key().as_der().map_err(failed)?
        }
        Family::MlDsa(set) => {
            let pair = PqdsaKeyPair::from_seed(ml_dsa(set), secret).map_err(failed)?;
            pair.public_key().as_der().map_err(failed)?
        }
    };
    Ok(Some(der.as_ref().to_vec()))
}

/// The private half as a PKCS #8 document, as data key pairs are handed out.
pub fn private_key(family: Family, secret: &Secret) -> Result<Secret> {
    let der = match family {
        Family::Ed25519 => {
            let pair = Ed25519KeyPair::from_seed_unchecked(secret).map_err(failed)?;
            pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec()
        }
        Family::MlDsa(set) => {
            let pair = PqdsaKeyPair::from_seed(ml_dsa(set), secret).map_err(failed)?;
            pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec()
        }
        Family::Rsa(_) | Family::Ec(_) | Family::Symmetric | Family::Hmac(_) => {
            return Ok(secret.clone());
        }
    };
    Ok(Zeroizing::new(der))
}

/// A failure of the library with what is ours: nobody's fault but our own.
pub fn failed(error: impl std::fmt::Display) -> Error {
    internal(format!("cryptography: {error}"))
}
