//! Signature Version 4A: a P-256 key pair derived from the secret access key.
//!
//! The derivation is NIST SP 800-108's KDF in counter mode with HMAC-SHA256, followed by the
//! candidate test of FIPS 186-4, B.4.2. AWS publishes it in its Common Runtime (aws-c-auth,
//! `key_derivation.c`), the signer that its SDKs use for 4A.

use p256::SecretKey;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::ecdsa::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::hex;
use super::parse::ECDSA;
use super::signing_key::{hmac, mac};

/// The order of P-256's group minus two, big-endian (SEC 2, section 2.4.2).
const ORDER_MINUS_TWO: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x4f,
];

/// Derives the public key of an access key. `None` after 254 unusable candidates, which happens
/// with a probability below 2⁻⁸⁰⁰⁰.
pub(super) fn verifying_key(secret: &[u8], access_key_id: &str) -> Option<VerifyingKey> {
    secret_key(secret, access_key_id).map(|key| VerifyingKey::from(key.public_key()))
}

pub(super) fn secret_key(secret: &[u8], access_key_id: &str) -> Option<SecretKey> {
    let key = hmac(&Zeroizing::new([b"AWS4A", secret].concat()));
    for counter in 1..=254_u8 {
        let mut message = Vec::with_capacity(64);
        message.extend_from_slice(&1_u32.to_be_bytes());
        message.extend_from_slice(ECDSA.as_bytes());
        message.push(0);
        message.extend_from_slice(access_key_id.as_bytes());
        message.push(counter);
        message.extend_from_slice(&256_u32.to_be_bytes());
        let mut candidate = Zeroizing::new(mac(key.clone(), &message));
        if *candidate <= ORDER_MINUS_TWO {
            add_one(&mut candidate);
            return SecretKey::from_slice(&*candidate).ok();
        }
    }
    None
}

/// Whether `signature` (hexadecimal DER; a chunk's is padded with `*`) signs `string_to_sign`.
pub(super) fn signed(key: &VerifyingKey, string_to_sign: &[u8], signature: &[u8]) -> bool {
    let unpadded = signature.iter().rposition(|byte| *byte != b'*').map_or(0, |last| last + 1);
    let Some(der) = signature.get(..unpadded).and_then(hex::decode) else { return false };
    let Ok(signature) = Signature::from_der(&der) else { return false };
    key.verify_prehash(&Sha256::digest(string_to_sign), &signature).is_ok()
}

/// Whether a region is in a region set: names separated by commas, `*` standing for any run of
/// characters.
pub(super) fn region_in_set(region: &str, set: &str) -> bool {
    set.split(',').any(|pattern| matches(pattern.trim_ascii().as_bytes(), region.as_bytes()))
}

fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let mut pieces = pattern.split(|byte| *byte == b'*');
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        let found = (0..=rest.len())
            .find_map(|at| rest.get(at..).and_then(|tail| tail.strip_prefix(piece)));
        let Some(after) = found else { return false };
        rest = after;
    }
    true
}

fn add_one(number: &mut [u8; 32]) {
    for byte in number.iter_mut().rev() {
        let (sum, carry) = byte.overflowing_add(1);
        *byte = sum;
        if !carry {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn region_sets() {
        let check = |region, set, expected| {
            assert_eq!(region_in_set(region, set), expected, "{region} in {set}");
        };
        check("us-east-1", "us-east-1", true);
        check("us-east-1", "us-west-2,us-east-1", true);
        check("us-east-1", "us-west-2, us-east-1", true);
        check("us-east-1", "*", true);
        check("us-east-1", "us-*", true);
        check("us-east-1", "*-1", true);
        check("us-east-1", "us-*-1", true);
        check("us-east-1", "us-*-2", false);
        check("us-east-1", "us-east-1x", false);
        check("us-east-1", "us-east", false);
        check("us-east-1", "*st*s*", false);
        check("us-east-1", "*east-1*", true);
        check("us", "us*us", false);
        check("us-east-1", "", false);
        check("us-east-1", "eu-*,ap-*", false);
    }
}
