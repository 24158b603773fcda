//! Passwords as they are kept: hashed with Argon2id (RFC 9106), each with a salt of its own and the
//! parameters it was hashed with.
//!
//! A hash takes tens of milliseconds on purpose. The pipeline lets an operation that hashes do so
//! before its transaction ([`crate::service::Operation::preparing`]): what was computed then is
//! remembered for the call in [`Hashes`], and the handler, which asks for the same again, finds it.
//! So the store's one writer never waits for a hash, and a handler that is called without
//! preparation, or whose profile changed meanwhile, is right all the same, only slower.

use crate::context::Context;
use crate::errors::internal;
use crate::random::Random;
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::STANDARD};
use palisade_shape::Result;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Parameters of new hashes: 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet).
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

type Salt = [u8; SALT_BYTES];
type Hash = [u8; HASH_BYTES];

/// One hashed password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasswordHash {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
    /// In base64.
    pub salt: String,
    /// In base64.
    pub hash: String,
}

/// The hashes computed for one call, and the other slow thing that a call may make.
#[derive(Default)]
pub struct Hashes {
    /// The salt of the password that the call sets; a call sets one at most.
    salt: OnceLock<Salt>,
    /// By SHA-256 of parameters, salt and password.
    known: Mutex<BTreeMap<Hash, Hash>>,
    /// The secret of the KMS key that the call makes.
    pub secret: OnceLock<Zeroizing<Vec<u8>>>,
}

/// Hashes a new password.
pub fn hash(cx: &Context, password: &str) -> Result<PasswordHash> {
    new_hash(&*cx.plane.random, cx.hashes, password)
}

/// Hashes a new password before there is a context to do it in: in one that is given these hashes,
/// [`hash`] finds it done.
pub fn ahead(random: &dyn Random, password: &str) -> Result<Hashes> {
    let hashes = Hashes::default();
    new_hash(random, Some(&hashes), password)?;
    Ok(hashes)
}

fn new_hash(random: &dyn Random, hashes: Option<&Hashes>, password: &str) -> Result<PasswordHash> {
    let fresh = || {
        let mut salt = Salt::default();
        random.fill(&mut salt);
        salt
    };
    let salt = hashes.map_or_else(fresh, |hashes| *hashes.salt.get_or_init(fresh));
    let mut made = PasswordHash {
        memory_kib: MEMORY_KIB,
        passes: PASSES,
        lanes: LANES,
        salt: STANDARD.encode(salt),
        hash: String::new(),
    };
    made.hash = STANDARD.encode(output(hashes, password, &made)?);
    Ok(made)
}

/// Whether the password is the hashed one. Takes the same time whichever it is.
pub fn is(cx: &Context, password: &str, hashed: &PasswordHash) -> Result<bool> {
    let kept = STANDARD.decode(&hashed.hash).map_err(internal)?;
    Ok(output(cx.hashes, password, hashed)?.as_slice().ct_eq(&kept).into())
}

/// Works as long as [`is`] and is never the one: for names that have no password.
pub fn is_nobodys(cx: &Context, password: &str) -> Result<bool> {
    let nobody = PasswordHash {
        memory_kib: MEMORY_KIB,
        passes: PASSES,
        lanes: LANES,
        salt: STANDARD.encode(Salt::default()),
        hash: STANDARD.encode(Hash::default()),
    };
    is(cx, password, &nobody).map(|_| false)
}

/// The hash of a password with the salt and the parameters of `with`.
fn output(hashes: Option<&Hashes>, password: &str, with: &PasswordHash) -> Result<Hash> {
    let name = name(password, with)?;
    if let Some(hashes) = hashes {
        let known = hashes.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(&name) {
            return Ok(*known);
        }
    }
    let params = Params::new(with.memory_kib, with.passes, with.lanes, Some(HASH_BYTES));
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.map_err(internal)?);
    let salt = STANDARD.decode(&with.salt).map_err(internal)?;
    let mut hash = Hash::default();
    argon.hash_password_into(password.as_bytes(), &salt, &mut hash).map_err(internal)?;
    if let Some(hashes) = hashes {
        hashes.known.lock().unwrap_or_else(PoisonError::into_inner).insert(name, hash);
    }
    Ok(hash)
}

/// What a computed hash is remembered by.
fn name(password: &str, with: &PasswordHash) -> Result<Hash> {
    let PasswordHash { memory_kib, passes, lanes, salt, hash: _ } = with;
    let text = format!("{memory_kib} {passes} {lanes} {salt} {password}");
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    digest.as_ref().try_into().map_err(internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Access;
    use crate::testing::Lab;

    #[test]
    fn a_hash_is_salted_and_knows_its_password() {
        Lab::new()
            .read(|cx| {
                let (one, other) = (hash(cx, "secret")?, hash(cx, "secret")?);
                assert_ne!(one.hash, other.hash);
                assert!(is(cx, "secret", &one)? && is(cx, "secret", &other)?);
                assert!(!is(cx, "Secret", &one)? && !is_nobodys(cx, "secret")?);
                assert_eq!((one.memory_kib, one.passes, one.lanes), (19_456, 2, 1));
                Ok(())
            })
            .unwrap();
    }

    /// RFC 9106 has vectors with secret and associated data only; this one is of the reference
    /// implementation's test suite (version 0x13, t = 2, m = 2^8 KiB, p = 1).
    #[test]
    fn hashes_are_argon2id() {
        let with = PasswordHash {
            memory_kib: 256,
            passes: 2,
            lanes: 1,
            salt: STANDARD.encode("somesalt"),
            hash: String::new(),
        };
        let hash = output(None, "password", &with).unwrap();
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe");
    }

    #[test]
    fn a_call_computes_each_hash_once() {
        let (lab, hashes) = (Lab::new(), Hashes::default());
        let snapshot = lab.plane.store.snapshot();
        let access = Access::Read(&snapshot);
        let mut cx = Context::new(&lab.plane, &lab.caller, &lab.request, access);
        cx.hashes = Some(&hashes);
        let (one, other) = (hash(&cx, "secret").unwrap(), hash(&cx, "secret").unwrap());
        assert_eq!(one, other);
        assert!(is(&cx, "secret", &one).unwrap() && !is(&cx, "other", &one).unwrap());
        assert_eq!(hashes.known.lock().unwrap().len(), 2);
    }
}
