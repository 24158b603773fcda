//! JSON Web Tokens of OpenID Connect issuers: taking one apart, and checking its signature.
//!
//! Source: RFC 7515 (JWS), RFC 7517 (JWK), RFC 7519 (JWT); IAM User Guide, "Create an OpenID
//! Connect (OIDC) identity provider in IAM", the signature algorithms that AWS takes.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED,
    EcdsaVerificationAlgorithm, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Keys of one issuer; further ones are not looked at.
const KEYS_MAX: usize = 100;

/// A token that was taken apart and not believed yet.
pub struct Token<'t> {
    algorithm: Algorithm,
    pub key_id: Option<String>,
    pub claims: BTreeMap<String, Claim>,
    /// Header and claims, as they were signed.
    signed: &'t str,
    signature: &'t str,
}

/// What a claim can hold.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Claim {
    Text(String),
    Number(f64),
    Texts(Vec<String>),
    SessionTags(SessionTagsClaim),
    Other(IgnoredAny),
}

/// `https://aws.amazon.com/tags` (IAM User Guide, "Pass session tags in AWS STS").
#[derive(Clone, Debug, Default, Deserialize)]
pub struct SessionTagsClaim {
    #[serde(default)]
    pub principal_tags: BTreeMap<String, OneOrMany>,
    #[serde(default)]
    pub transitive_tag_keys: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Extensions that must be understood: none is.
    crit: Option<Vec<String>>,
}

impl<'t> Token<'t> {
    /// None when the text is no signed token of an algorithm that AWS takes.
    pub fn parse(text: &'t str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        if claims.contains('.') || signature.is_empty() {
            return None;
        }
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        let header: Header = serde_json::from_slice(&decode(header)?).ok()?;
        if header.crit.is_some() {
            return None;
        }
        let claims = serde_json::from_slice(&decode(claims)?).ok()?;
        let algorithm = algorithm(&header.alg)?;
        Some(Self { algorithm, key_id: header.kid, claims, signed, signature })
    }

    /// A claim that is a text and says something.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.claims.get(name) {
            Some(Claim::Text(text)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// A claim that is a text or a list of texts.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        match self.claims.get(name) {
            Some(Claim::Text(text)) => vec![text],
            Some(Claim::Texts(texts)) => texts.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// A claim that is a point in time, in seconds since the epoch.
    pub fn time(&self, name: &str) -> Option<i64> {
        match self.claims.get(name) {
            // Beyond 2^53 a float no longer tells seconds apart, and no clock will get there.
            Some(Claim::Number(at)) if at.abs() < 9.0e15 => Some(*at as i64),
            _ => None,
        }
    }

    /// Whether one of the keys made the signature.
    pub fn is_signed_by(&self, keys: &KeySet) -> bool {
        let Ok(signature) = URL_SAFE_NO_PAD.decode(self.signature) else { return false };
        let named = |key: &&Key| match (&self.key_id, &key.id) {
            (Some(wanted), Some(id)) => wanted == id,
            _ => true,
        };
        let mut named = keys.keys.iter().filter(named);
        named.any(|key| key.made(self.algorithm, self.signed.as_bytes(), &signature))
    }
}

/// A signature algorithm. Which kind of key it wants is never the token's word: a key of another
/// kind has made no signature of it.
#[derive(Clone, Copy)]
enum Algorithm {
    Rsa(&'static RsaParameters),
    /// With the name of its curve in JWKs.
    Ecdsa(&'static EcdsaVerificationAlgorithm, &'static str),
}

/// Those that AWS takes.
fn algorithm(name: &str) -> Option<Algorithm> {
    Some(match name {
        "RS256" => Algorithm::Rsa(&RSA_PKCS1_2048_8192_SHA256),
        "RS384" => Algorithm::Rsa(&RSA_PKCS1_2048_8192_SHA384),
        "RS512" => Algorithm::Rsa(&RSA_PKCS1_2048_8192_SHA512),
        "ES256" => Algorithm::Ecdsa(&ECDSA_P256_SHA256_FIXED, "P-256"),
        "ES384" => Algorithm::Ecdsa(&ECDSA_P384_SHA384_FIXED, "P-384"),
        "ES512" => Algorithm::Ecdsa(&ECDSA_P521_SHA512_FIXED, "P-521"),
        _ => return None,
    })
}

/// One public key.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    id: Option<String>,
    material: Material,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// The point is not compressed.
    Ecdsa {
        curve: String,
        point: Vec<u8>,
    },
}

/// A JWK, as far as it matters here (RFC 7518, section 6).
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Key {
    /// None for a key that no signature could be checked with.
    fn of(jwk: Jwk) -> Option<Self> {
        if jwk.purpose.is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let part = |text: Option<String>| URL_SAFE_NO_PAD.decode(text?).ok();
        let material = match jwk.kty.as_str() {
            "RSA" => Material::Rsa { modulus: part(jwk.n)?, exponent: part(jwk.e)? },
            "EC" => {
                let curve = jwk.crv?;
                let bytes = match curve.as_str() {
                    "P-256" => 32,
                    "P-384" => 48,
                    "P-521" => 66,
                    _ => return None,
                };
                let (x, y) = (part(jwk.x)?, part(jwk.y)?);
                if x.len() != bytes || y.len() != bytes {
                    return None;
                }
                Material::Ecdsa { curve, point: [&[4], x.as_slice(), y.as_slice()].concat() }
            }
            _ => return None,
        };
        Some(Self { id: jwk.kid, material })
    }

    /// Whether the key made the signature.
    fn made(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> bool {
        match (&self.material, algorithm) {
            (Material::Rsa { modulus, exponent }, Algorithm::Rsa(parameters)) => {
                let key = RsaPublicKeyComponents { n: modulus, e: exponent };
                key.verify(parameters, signed, signature).is_ok()
            }
            (Material::Ecdsa { curve, point }, Algorithm::Ecdsa(algorithm, of)) => {
                let key = UnparsedPublicKey::new(algorithm, point);
                curve == of && key.verify(signed, signature).is_ok()
            }
            _ => false,
        }
    }
}

/// The public keys of an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySet {
    keys: Vec<Key>,
}

impl KeySet {
    /// Reads a JWK Set. None when it is none, or has no key that a signature could be checked with.
    /// Keys of other kinds are passed over (RFC 7517, section 5).
    pub fn parse(json: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Set<'j> {
            #[serde(borrow)]
            keys: Vec<&'j RawValue>,
        }
        let Set { keys } = serde_json::from_slice(json).ok()?;
        let of = |key: &RawValue| serde_json::from_str(key.get()).ok().and_then(Key::of);
        let keys: Vec<Key> = keys.into_iter().filter_map(of).take(KEYS_MAX).collect();
        (!keys.is_empty()).then_some(Self { keys })
    }

    /// Whether there is a key of that id. A token without an id may be of any key.
    pub fn has(&self, key_id: Option<&str>) -> bool {
        let Some(wanted) = key_id else { return true };
        let mut ids = self.keys.iter().map(|key| key.id.as_deref());
        ids.any(|id| id.is_none_or(|id| id == wanted))
    }
}
