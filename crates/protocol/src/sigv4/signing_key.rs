//! Signing keys: deriving them, and keeping those that proved a request.

use std::hash::{BuildHasher, RandomState};
use std::sync::{PoisonError, RwLock};

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use p256::ecdsa::VerifyingKey;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::asymmetric;
use super::parse::{Algorithm, Parsed};

/// How many entries share one lock and compete for its places.
const WAYS: usize = 8;

/// A bounded cache of derived signing keys, shared by all threads.
///
/// A key is found by access key id, day, region, service **and secret**, so a changed secret
/// misses. Only keys that verified a signature are kept, so nobody without a secret can displace
/// one. Entries live in small sets with a lock each; a hit takes a read lock for a few
/// comparisons.
pub struct SigningKeys {
    sets: Box<[RwLock<Set>]>,
    hasher: RandomState,
}

#[derive(Default)]
struct Set {
    entries: [Option<Entry>; WAYS],
    oldest: usize,
}

struct Entry {
    access_key_id: Box<str>,
    date: Box<str>,
    region: Option<Box<str>>,
    service: Box<str>,
    secret: Zeroizing<Box<[u8]>>,
    key: Key,
}

/// A key that checks signatures.
#[derive(Clone)]
pub(super) enum Key {
    /// HMAC with both pads already compressed.
    Hmac(Hmac<Sha256>),
    /// The public half of Signature Version 4A's derived key pair.
    Ecdsa(Box<VerifyingKey>),
}

impl SigningKeys {
    /// A cache of about `capacity` keys, at about 500 bytes each when full.
    pub fn new(capacity: usize) -> Self {
        let sets = capacity.div_ceil(WAYS).max(1).next_power_of_two();
        Self {
            sets: std::iter::repeat_with(RwLock::default).take(sets).collect(),
            hasher: RandomState::new(),
        }
    }

    /// How many keys are kept now.
    pub fn len(&self) -> usize {
        let filled = |set: &RwLock<Set>| {
            let set = set.read().unwrap_or_else(PoisonError::into_inner);
            set.entries.iter().flatten().count()
        };
        self.sets.iter().map(filled).sum()
    }

    /// Whether no key is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn find(&self, parsed: &Parsed, secret: &[u8]) -> Option<Key> {
        let set = self.set(parsed)?.read().unwrap_or_else(PoisonError::into_inner);
        let fits = |entry: &&Entry| entry.fits(parsed) && entry.has_secret(secret);
        set.entries.iter().flatten().find(fits).map(|entry| entry.key.clone())
    }

    pub(super) fn keep(&self, parsed: &Parsed, secret: &[u8], key: &Key) {
        let Some(set) = self.set(parsed) else { return };
        let mut set = set.write().unwrap_or_else(PoisonError::into_inner);
        let same = |entry: &Option<Entry>| entry.as_ref().is_some_and(|entry| entry.fits(parsed));
        let place = match set.entries.iter().position(same) {
            Some(place) => place,
            None => {
                let place = set.oldest;
                set.oldest = (place + 1) % WAYS;
                place
            }
        };
        if let Some(slot) = set.entries.get_mut(place) {
            *slot = Some(Entry {
                access_key_id: parsed.access_key_id.as_ref().into(),
                date: parsed.scope.date.as_ref().into(),
                region: parsed.scope.region.as_deref().map(Into::into),
                service: parsed.scope.service.as_ref().into(),
                secret: Zeroizing::new(secret.into()),
                key: key.clone(),
            });
        }
    }

    fn set(&self, parsed: &Parsed) -> Option<&RwLock<Set>> {
        let scope = &parsed.scope;
        let name = (&parsed.access_key_id, &scope.date, &scope.region, &scope.service);
        let hash = usize::try_from(self.hasher.hash_one(name) >> 32).unwrap_or_default();
        self.sets.get(hash & (self.sets.len() - 1))
    }
}

impl Entry {
    fn fits(&self, parsed: &Parsed) -> bool {
        *self.access_key_id == *parsed.access_key_id
            && *self.date == *parsed.scope.date
            && self.region.as_deref() == parsed.scope.region.as_deref()
            && *self.service == *parsed.scope.service
    }

    fn has_secret(&self, secret: &[u8]) -> bool {
        self.secret.ct_eq(secret).into()
    }
}

impl Key {
    /// Derives the key of a scope from a secret access key.
    pub(super) fn derive(parsed: &Parsed, secret: &[u8]) -> Option<Self> {
        let scope = &parsed.scope;
        match parsed.algorithm {
            Algorithm::HmacSha256 => {
                let region = scope.region.as_deref().unwrap_or_default();
                Some(Self::Hmac(hmac_key(secret, &scope.date, region, &scope.service)))
            }
            Algorithm::EcdsaP256Sha256 => {
                let key = asymmetric::verifying_key(secret, &parsed.access_key_id)?;
                Some(Self::Ecdsa(Box::new(key)))
            }
        }
    }

    /// Whether `signature`, hexadecimal as sent, signs `string_to_sign`. The HMAC comparison
    /// takes the same time wherever the first difference is.
    pub(super) fn signed(&self, string_to_sign: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Hmac(key) => {
                let mut mac = key.clone();
                mac.update(string_to_sign);
                let expected: [u8; 32] = mac.finalize().into_bytes().into();
                let mut digits = Vec::with_capacity(64);
                super::hex::push(&mut digits, &expected);
                digits.as_slice().ct_eq(signature).into()
            }
            Self::Ecdsa(key) => asymmetric::signed(key, string_to_sign, signature),
        }
    }
}

/// `HMAC(HMAC(HMAC(HMAC("AWS4" + secret, day), region), service), "aws4_request")`, ready to use.
pub(super) fn hmac_key(secret: &[u8], date: &str, region: &str, service: &str) -> Hmac<Sha256> {
    let mut key = Zeroizing::new([b"AWS4", secret].concat());
    for part in [date, region, service, "aws4_request"] {
        let next = mac(hmac(&key), part.as_bytes());
        key = Zeroizing::new(next.to_vec());
    }
    hmac(&key)
}

/// An HMAC-SHA256 under a key of any length (RFC 2104, section 2: a long key is hashed first).
pub(super) fn hmac(key: &[u8]) -> Hmac<Sha256> {
    let mut block = Zeroizing::new([0; 64]);
    match block.get_mut(..key.len()) {
        Some(start) => start.copy_from_slice(key),
        None => {
            let hash: [u8; 32] = Sha256::digest(key).into();
            for (place, byte) in block.iter_mut().zip(hash) {
                *place = byte;
            }
        }
    }
    Hmac::new((&*block).into())
}

pub(super) fn mac(mut key: Hmac<Sha256>, message: &[u8]) -> [u8; 32] {
    key.update(message);
    key.finalize().into_bytes().into()
}
