//! The algorithms that sign: RSASSA (RFC 8017), ECDSA (FIPS 186-5), Ed25519 and Ed25519ph
//! (RFC 8032), ML-DSA (FIPS 204).

use super::secret::{ecdsa, failed, ml_dsa};
use super::signing::Message;
use super::spec::{Curve, Family, MlDsa};
use crate::errors::internal;
use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256K1_SHA256_ASN1, ECDSA_P384_SHA384_ASN1,
    ECDSA_P521_SHA512_ASN1, ED25519, EcdsaKeyPair, Ed25519KeyPair, ML_DSA_44, ML_DSA_65, ML_DSA_87,
    PqdsaKeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RSA_PSS_SHA256,
    RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair, UnparsedPublicKey,
    VerificationAlgorithm,
};
use digest_0_10::{FixedOutput, HashMarker, Output, OutputSizeUser, Reset, Update, consts::U64};
use ml_dsa::{MlDsa44, MlDsa65, MlDsa87, MlDsaParams, SigningKey, VerifyingKey};
use palisade_shape::Result;

fn unfit() -> palisade_shape::Error {
    internal("a message of a type that the algorithm does not have")
}

fn hash_of(algorithm: &str) -> &'static digest::Algorithm {
    match algorithm.rsplit('_').next() {
        Some("256") => &digest::SHA256,
        Some("384") => &digest::SHA384,
        _ => &digest::SHA512,
    }
}

/// The digest that RSA and ECDSA sign.
fn digest_of(algorithm: &str, message: Message<'_>) -> Result<Digest> {
    let hash = hash_of(algorithm);
    match message {
        Message::Raw(bytes) => Ok(digest::digest(hash, bytes)),
        Message::Digest(bytes) => Digest::import_less_safe(bytes, hash).map_err(failed),
        Message::ExternalMu(_) => Err(unfit()),
    }
}

fn rsassa(algorithm: &str) -> (&'static dyn RsaEncoding, &'static dyn VerificationAlgorithm) {
    match algorithm {
        "RSASSA_PKCS1_V1_5_SHA_256" => (&RSA_PKCS1_SHA256, &RSA_PKCS1_2048_8192_SHA256),
        "RSASSA_PKCS1_V1_5_SHA_384" => (&RSA_PKCS1_SHA384, &RSA_PKCS1_2048_8192_SHA384),
        "RSASSA_PKCS1_V1_5_SHA_512" => (&RSA_PKCS1_SHA512, &RSA_PKCS1_2048_8192_SHA512),
        "RSASSA_PSS_SHA_256" => (&RSA_PSS_SHA256, &RSA_PSS_2048_8192_SHA256),
        "RSASSA_PSS_SHA_384" => (&RSA_PSS_SHA384, &RSA_PSS_2048_8192_SHA384),
        _ => (&RSA_PSS_SHA512, &RSA_PSS_2048_8192_SHA512),
    }
}

/// Signs with a secret of the family.
pub fn sign(
    family: Family,
    algorithm: &str,
    secret: &[u8],
    message: Message<'_>,
) -> Result<Vec<u8>> {
    match family {
        Family::Rsa(_) => {
            let pair = RsaKeyPair::from_pkcs8(secret).map_err(failed)?;
            let mut signed = vec![0; pair.public_modulus_len()];
            let digest = digest_of(algorithm, message)?;
            pair.sign_digest(rsassa(algorithm).0, &digest, &mut signed).map_err(failed)?;
            Ok(signed)
        }
        Family::Ec(curve) => {
            let pair = EcdsaKeyPair::from_pkcs8(ecdsa(curve), secret).map_err(failed)?;
            // The library takes nonces from its own generator: its `SecureRandom` is sealed, so
            // that the plane's source cannot stand in for it.
            let signed = match message {
                Message::Raw(bytes) => pair.sign(&SystemRandom::new(), bytes),
                other => pair.sign_digest(&digest_of(algorithm, other)?),
            };
            Ok(signed.map_err(failed)?.as_ref().to_vec())
        }
        Family::Ed25519 => sign_ed25519(secret, message),
        Family::MlDsa(set) => sign_ml_dsa(set, secret, message),
        Family::Symmetric | Family::Hmac(_) => Err(internal("a symmetric key that signs")),
    }
}

fn sign_ed25519(seed: &[u8], message: Message<'_>) -> Result<Vec<u8>> {
    match message {
        Message::Raw(bytes) => {
            let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(failed)?;
            Ok(pair.sign(bytes).as_ref().to_vec())
        }
        Message::Digest(bytes) => {
            let seed = seed.try_into().map_err(failed)?;
            let pair = ed25519_dalek::SigningKey::from_bytes(seed);
            let signed = pair.sign_prehashed(Known::of(bytes)?, None).map_err(failed)?;
            Ok(signed.to_bytes().to_vec())
        }
        Message::ExternalMu(_) => Err(unfit()),
    }
}

fn sign_ml_dsa(set: MlDsa, seed: &[u8], message: Message<'_>) -> Result<Vec<u8>> {
    match message {
        Message::Raw(bytes) => {
            let pair = PqdsaKeyPair::from_seed(ml_dsa(set), seed).map_err(failed)?;
            let mut signed = vec![0; ml_dsa(set).signature_len()];
            let length = pair.sign(bytes, &mut signed).map_err(failed)?;
            signed.truncate(length);
            Ok(signed)
        }
        Message::ExternalMu(mu) => match set {
            MlDsa::MlDsa44 => sign_mu::<MlDsa44>(seed, mu),
            MlDsa::MlDsa65 => sign_mu::<MlDsa65>(seed, mu),
            MlDsa::MlDsa87 => sign_mu::<MlDsa87>(seed, mu),
        },
        Message::Digest(_) => Err(unfit()),
    }
}

/// The deterministic variant of FIPS 204.
fn sign_mu<P: MlDsaParams>(seed: &[u8], mu: &[u8]) -> Result<Vec<u8>> {
    let seed = seed.try_into().map_err(failed)?;
    let mu = mu.try_into().map_err(failed)?;
    let pair = SigningKey::<P>::from_seed(&seed);
    Ok(pair.expanded_key().sign_mu_deterministic(&mu).encode().to_vec())
}

/// Whether a signature is the message's. `public` is a `SubjectPublicKeyInfo`.
pub fn is_good(
    family: Family,
    algorithm: &str,
    public: &[u8],
    message: Message<'_>,
    signature: &[u8],
) -> Result<bool> {
    let by: &'static dyn VerificationAlgorithm = match family {
        Family::Rsa(_) => rsassa(algorithm).1,
        Family::Ec(Curve::P256) => &ECDSA_P256_SHA256_ASN1,
        Family::Ec(Curve::P384) => &ECDSA_P384_SHA384_ASN1,
        Family::Ec(Curve::P521) => &ECDSA_P521_SHA512_ASN1,
        Family::Ec(Curve::Secp256k1) => &ECDSA_P256K1_SHA256_ASN1,
        Family::Ed25519 => &ED25519,
        Family::MlDsa(MlDsa::MlDsa44) => &ML_DSA_44,
        Family::MlDsa(MlDsa::MlDsa65) => &ML_DSA_65,
        Family::MlDsa(MlDsa::MlDsa87) => &ML_DSA_87,
        Family::Symmetric | Family::Hmac(_) => {
            return Err(internal("a symmetric key that verifies"));
        }
    };
    match (family, message) {
        (_, Message::Raw(bytes)) => {
            Ok(UnparsedPublicKey::new(by, public).verify(bytes, signature).is_ok())
        }
        (Family::Ed25519, Message::Digest(bytes)) => is_good_prehashed(public, bytes, signature),
        (_, Message::Digest(_)) => {
            let digest = digest_of(algorithm, message)?;
            Ok(UnparsedPublicKey::new(by, public).verify_digest(&digest, signature).is_ok())
        }
        (Family::MlDsa(set), Message::ExternalMu(mu)) => match set {
            MlDsa::MlDsa44 => is_good_mu::<MlDsa44>(public, mu, signature),
            MlDsa::MlDsa65 => is_good_mu::<MlDsa65>(public, mu, signature),
            MlDsa::MlDsa87 => is_good_mu::<MlDsa87>(public, mu, signature),
        },
        (_, Message::ExternalMu(_)) => Err(unfit()),
    }
}

fn is_good_prehashed(public: &[u8], digest: &[u8], signature: &[u8]) -> Result<bool> {
    // RFC 8410: the key's 32 bytes end the structure.
    let raw: &[u8; 32] = public.last_chunk().ok_or_else(|| internal("a short public key"))?;
    let public = ed25519_dalek::VerifyingKey::from_bytes(raw).map_err(failed)?;
    let Ok(signature) = ed25519_dalek::Signature::from_slice(signature) else { return Ok(false) };
    Ok(public.verify_prehashed_strict(Known::of(digest)?, None, &signature).is_ok())
}

fn is_good_mu<P: MlDsaParams>(public: &[u8], mu: &[u8], signature: &[u8]) -> Result<bool> {
    // RFC 9881: the key ends the structure.
    let length = ml_dsa::EncodedVerifyingKey::<P>::default().len();
    let start = public.len().checked_sub(length).ok_or_else(|| internal("a short public key"))?;
    let encoded = public.get(start..).unwrap_or_default().try_into().map_err(failed)?;
    let public = VerifyingKey::<P>::decode(&encoded);
    let mu = mu.try_into().map_err(failed)?;
    let decoded = ml_dsa::Signature::<P>::try_from(signature);
    Ok(decoded.is_ok_and(|signature| public.verify_mu(&mu, &signature)))
}

/// A SHA-512 digest that was computed elsewhere, for a library that wants to finish it itself.
#[derive(Clone, Default)]
struct Known(Output<Known>);

impl Known {
    fn of(digest: &[u8]) -> Result<Self> {
        if digest.len() != 64 {
            return Err(internal("a digest of another length"));
        }
        Ok(Self(Output::<Known>::clone_from_slice(digest)))
    }
}

impl OutputSizeUser for Known {
    type OutputSize = U64;
}

impl HashMarker for Known {}

impl Update for Known {
    /// There is nothing more to come.
    fn update(&mut self, _data: &[u8]) {}
}

impl Reset for Known {
    fn reset(&mut self) {}
}

impl FixedOutput for Known {
    fn finalize_into(self, out: &mut Output<Self>) {
        out.clone_from(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kms::secret;
    use crate::kms::spec::{SIGN_VERIFY, Spec};
    use crate::testing::Lab;

    #[test]
    fn every_algorithm_verifies_its_own_signatures_alone() {
        let lab = Lab::new();
        let specs = [
            "RSA_2048",
            "ECC_NIST_P256",
            "ECC_NIST_P384",
            "ECC_NIST_P521",
            "ECC_SECG_P256K1",
            "ECC_NIST_EDWARDS25519",
            "ML_DSA_44",
            "ML_DSA_65",
            "ML_DSA_87",
        ];
        for spec in specs {
            let spec = Spec::named(spec).unwrap();
            let family = spec.family;
            let secret = lab.read(|cx| secret::generate(cx, family)).unwrap();
            let public = secret::public_key(family, &secret).unwrap().unwrap();
            for algorithm in spec.algorithms(SIGN_VERIFY).unwrap() {
                let long = [7; 64];
                let short = digest::digest(hash_of(algorithm), b"message");
                let messages: Vec<Message> = match *algorithm {
                    "ED25519_PH_SHA_512" => vec![Message::Digest(&long)],
                    "ED25519_SHA_512" => vec![Message::Raw(b"message")],
                    "ML_DSA_SHAKE_256" => {
                        vec![Message::Raw(b"message"), Message::ExternalMu(&long)]
                    }
                    _ => vec![Message::Raw(b"message"), Message::Digest(short.as_ref())],
                };
                for message in messages {
                    let signed = sign(family, algorithm, &secret, message).unwrap();
                    let good = |message, signed: &[u8]| {
                        is_good(family, algorithm, &public, message, signed).unwrap()
                    };
                    assert!(good(message, &signed), "{algorithm} {message:?}");
                    let mut spoilt = signed.clone();
                    spoilt[signed.len() / 2] ^= 1;
                    assert!(!good(message, &spoilt), "{algorithm} {message:?}");
                    assert!(!good(message, b""), "{algorithm}");
                }
                if !algorithm.starts_with("ED") && !algorithm.starts_with("ML") {
                    // What was signed as a digest is the signature of the message.
                    let digest = Message::Digest(short.as_ref());
                    let signed = sign(family, algorithm, &secret, digest).unwrap();
                    let raw = Message::Raw(b"message");
                    assert!(is_good(family, algorithm, &public, raw, &signed).unwrap());
                }
            }
        }
    }
}
