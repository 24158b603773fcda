//! The blobs that symmetric encryption answers: AES-256-GCM under a key that is derived anew for
//! each blob, bound to the key, its material and the encryption context.
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | the version, 1 |
//! | 1 + n | the account's id, after its length |
//! | 1 + n | the region, after its length |
//! | 1 + n | the key's id, after its length |
//! | 32 | the material's id |
//! | 32 | the salt of the derived key |
//! | n + 16 | the ciphertext with its tag |
//!
//! The derived key and the nonce are HKDF-SHA-256 (RFC 5869) of the material with the salt. What
//! stands before the ciphertext is authenticated with it, and after that the encryption context:
//! its pairs in the order of their keys, each text after its length in eight bytes.

use super::secret::{Secret, failed};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf;
use palisade_shape::Result;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

pub type EncryptionContext = BTreeMap<String, String>;

const VERSION: u8 = 1;
const SALT_BYTES: usize = 32;
const TAG_BYTES: usize = 16;
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
const INFO: &[u8] = b"palisade-kms-ciphertext-1";

/// What a blob says in the clear, and its sealed rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob<'b> {
    pub account: &'b str,
    pub region: &'b str,
    pub key_id: &'b str,
    pub material_id: [u8; 32],
    salt: [u8; SALT_BYTES],
    header: &'b [u8],
    sealed: &'b [u8],
}

impl<'b> Blob<'b> {
    /// Reads a blob; nothing of it is proven before [`open`].
    pub fn parse(bytes: &'b [u8]) -> Option<Blob<'b>> {
        let rest = bytes.strip_prefix(&[VERSION])?;
        let (account, rest) = text(rest)?;
        let (region, rest) = text(rest)?;
        let (key_id, rest) = text(rest)?;
        let (material_id, rest) = rest.split_first_chunk::<32>()?;
        let (salt, sealed) = rest.split_first_chunk::<SALT_BYTES>()?;
        if sealed.len() < TAG_BYTES {
            return None;
        }
        let header = bytes.get(..bytes.len() - sealed.len())?;
        let (material_id, salt) = (*material_id, *salt);
        Some(Blob { account, region, key_id, material_id, salt, header, sealed })
    }
}

fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (text, rest) = rest.split_at_checked(usize::from(*length))?;
    Some((std::str::from_utf8(text).ok()?, rest))
}

/// What a new blob is bound to.
pub struct Binding<'a> {
    pub account: &'a str,
    pub region: &'a str,
    pub key_id: &'a str,
    pub material_id: [u8; 32],
    pub context: &'a EncryptionContext,
}

/// Encrypts. `salt` is fresh and random.
pub fn seal(
    binding: &Binding<'_>,
    material: &[u8],
    salt: &[u8; SALT_BYTES],
    plain: &[u8],
) -> Result<Vec<u8>> {
    let mut blob = vec![VERSION];
    for text in [binding.account, binding.region, binding.key_id] {
        let length = u8::try_from(text.len()).map_err(failed)?;
        blob.push(length);
        blob.extend_from_slice(text.as_bytes());
    }
    blob.extend_from_slice(&binding.material_id);
    blob.extend_from_slice(salt);
    let (key, nonce) = derive(material, salt)?;
    let mut sealed = Zeroizing::new(plain.to_vec());
    let aad = Aad::from(authenticated(&blob, binding.context));
    let tag = key.seal_in_place_separate_tag(nonce, aad, &mut sealed).map_err(failed)?;
    blob.extend_from_slice(&sealed);
    blob.extend_from_slice(tag.as_ref());
    Ok(blob)
}

/// Decrypts; none unless every bit and the encryption context are those of [`seal`].
pub fn open(blob: &Blob<'_>, material: &[u8], context: &EncryptionContext) -> Option<Secret> {
    let (key, nonce) = derive(material, &blob.salt).ok()?;
    let mut plain = Zeroizing::new(blob.sealed.to_vec());
    let aad = Aad::from(authenticated(blob.header, context));
    let length = key.open_in_place(nonce, aad, &mut plain).ok()?.len();
    plain.truncate(length);
    Some(plain)
}

struct Length;

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        KEY_BYTES + NONCE_BYTES
    }
}

fn derive(material: &[u8], salt: &[u8; SALT_BYTES]) -> Result<(LessSafeKey, Nonce)> {
    let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(material);
    let mut made = Zeroizing::new([0; KEY_BYTES + NONCE_BYTES]);
    let expanded = extracted.expand(&[INFO], Length).map_err(failed)?;
    expanded.fill(&mut *made).map_err(failed)?;
    let (key, nonce) = made.split_at(KEY_BYTES);
    let key = UnboundKey::new(&AES_256_GCM, key).map_err(failed)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(failed)?;
    Ok((LessSafeKey::new(key), nonce))
}

fn authenticated(header: &[u8], context: &EncryptionContext) -> Vec<u8> {
    let mut bytes = header.to_vec();
    for text in context.iter().flat_map(|(key, value)| [key, value]) {
        bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn context() -> impl Strategy<Value = EncryptionContext> {
        proptest::collection::btree_map(".{0,8}", ".{0,8}", 0..4)
    }

    fn binding(context: &EncryptionContext) -> Binding<'_> {
        Binding {
            account: "123456789012",
            region: "eu-west-1",
            key_id: "mrk-1",
            material_id: [7; 32],
            context,
        }
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens_with_its_context_alone(
            plain in proptest::collection::vec(any::<u8>(), 0..200),
            salt in any::<[u8; 32]>(),
            context in context(),
            other in context(),
        ) {
            let sealed = seal(&binding(&context), &[1; 32], &salt, &plain).unwrap();
            let blob = Blob::parse(&sealed).unwrap();
            prop_assert_eq!((blob.account, blob.key_id), ("123456789012", "mrk-1"));
            prop_assert_eq!(&**open(&blob, &[1; 32], &context).unwrap(), &plain);
            prop_assert!(open(&blob, &[2; 32], &context).is_none());
            if other != context {
                prop_assert!(open(&blob, &[1; 32], &other).is_none());
            }
        }

        #[test]
        fn a_changed_bit_does_not_open(
            plain in proptest::collection::vec(any::<u8>(), 0..40),
            place in any::<proptest::sample::Index>(),
            bit in 0_u8..8,
        ) {
            let context = EncryptionContext::from([("a".to_owned(), "b".to_owned())]);
            let mut sealed = seal(&binding(&context), &[1; 32], &[3; 32], &plain).unwrap();
            let place = place.index(sealed.len());
            sealed[place] ^= 1 << bit;
            let opened = Blob::parse(&sealed).and_then(|blob| open(&blob, &[1; 32], &context));
            prop_assert!(opened.is_none());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Some(blob) = Blob::parse(&bytes) {
                prop_assert!(open(&blob, &[1; 32], &EncryptionContext::new()).is_none());
            }
        }
    }

    #[test]
    fn pairs_do_not_run_into_each_other() {
        let one = EncryptionContext::from([("a".to_owned(), "bc".to_owned())]);
        let two = EncryptionContext::from([("ab".to_owned(), "c".to_owned())]);
        let sealed = seal(&binding(&one), &[1; 32], &[3; 32], b"x").unwrap();
        assert!(open(&Blob::parse(&sealed).unwrap(), &[1; 32], &two).is_none());
    }
}
