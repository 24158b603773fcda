//! What the signature says about the body.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use super::canonical;
use super::chunk_seed::{ChunkSeed, ChunkSigning};
use super::error::Error;
use super::hex;
use super::parse::{Algorithm, Form, Parsed};
use super::request::RequestParts;
use super::verify::Rules;

const UNSIGNED: &[u8] = b"UNSIGNED-PAYLOAD";
const EMPTY_HASH: &[u8; 64] = b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// What the caller knows of the body when it verifies the signature.
#[derive(Clone, Copy, Debug)]
pub enum Payload<'a> {
    /// The whole body, as received.
    Body(&'a [u8]),
    /// The SHA-256 of the whole body, as received.
    Hash([u8; 32]),
    /// Nothing yet: the body streams in later. The hash must then be declared, and the caller
    /// must do what [`BodyProof`] asks.
    Unread,
}

/// How far the body is proven, and what the caller still owes.
#[derive(Clone, Debug)]
pub enum BodyProof {
    /// The body is the one that was signed.
    Proven,
    /// The body must have this SHA-256, else [`Error::PayloadHashMismatch`]: see
    /// [`BodyProof::check`].
    Sha256([u8; 32]),
    /// The client chose not to sign the body (`UNSIGNED-PAYLOAD`, or a presigned S3 request).
    Unsigned,
    /// The body is `aws-chunked` and must be read through [`ChunkSeed::decoder`].
    Chunked(Box<ChunkSeed>),
}

impl BodyProof {
    /// Settles a body read after [`verify`](super::verify()), given the SHA-256 of all of it. It
    /// compares for [`BodyProof::Sha256`] only: chunks prove themselves in their decoder, and the
    /// other two owe nothing.
    ///
    /// # Errors
    /// [`Error::PayloadHashMismatch`] when another body was signed.
    pub fn check(&self, computed: [u8; 32]) -> Result<(), Error> {
        match self {
            Self::Sha256(declared) => compare(*declared, computed),
            Self::Proven | Self::Unsigned | Self::Chunked(_) => Ok(()),
        }
    }
}

/// The last line of the canonical request, and what it promises.
pub(super) struct Declared<'a> {
    pub line: Cow<'a, [u8]>,
    pub promise: Promise,
}

/// What the last line of the canonical request promises about the body.
#[derive(Clone, Copy)]
pub(super) enum Promise {
    /// It was computed from the body, which a right signature therefore proves.
    Computed,
    /// The body's SHA-256.
    Sha256([u8; 32]),
    /// Nothing.
    Unsigned,
    /// The body's chunks carry the proof.
    Chunked(ChunkSigning),
}

/// Finds the last line of the canonical request.
pub(super) fn declared<'a>(
    parsed: &Parsed,
    parts: &RequestParts<'a>,
    payload: Payload,
    rules: &Rules,
) -> Result<Declared<'a>, Error> {
    let value = match (parts.single("x-amz-content-sha256")?, parsed.form) {
        (Some(value), _) => Some(Cow::Borrowed(value.trim_ascii())),
        (None, Form::Query) => query_hash(parts)?,
        (None, Form::Header) => None,
    };
    let Some(value) = value else {
        return match (rules.s3, parsed.form, payload) {
            (true, Form::Query, _) => {
                Ok(Declared { line: UNSIGNED.into(), promise: Promise::Unsigned })
            }
            (true, Form::Header, _) | (false, _, Payload::Unread) => Err(Error::PayloadHashMissing),
            (false, _, Payload::Body([])) => {
                Ok(Declared { line: EMPTY_HASH[..].into(), promise: Promise::Computed })
            }
            (false, _, Payload::Body(body)) => Ok(computed(Sha256::digest(body).into())),
            (false, _, Payload::Hash(hash)) => Ok(computed(hash)),
        };
    };
    let promise = promise(&value, parsed, rules);
    match promise {
        Some(promise) => Ok(Declared { line: value, promise }),
        None => Err(Error::PayloadHashInvalid { value: super::parse::lossy(&value) }),
    }
}

fn promise(value: &[u8], parsed: &Parsed, rules: &Rules) -> Option<Promise> {
    if let Some(hash) = hex::decode_hash(value) {
        return Some(Promise::Sha256(hash));
    }
    if value == UNSIGNED {
        return rules.unsigned_payload.then_some(Promise::Unsigned);
    }
    let signing = ChunkSigning::named(value)?;
    let fits = match signing {
        ChunkSigning::Hmac { .. } => parsed.algorithm == Algorithm::HmacSha256,
        ChunkSigning::Ecdsa { .. } => parsed.algorithm == Algorithm::EcdsaP256Sha256,
        ChunkSigning::UnsignedTrailer => rules.unsigned_payload,
    };
    (fits && rules.s3 && parsed.form == Form::Header).then_some(Promise::Chunked(signing))
}

/// Compares the body with what was declared, as far as it is known.
pub(super) fn settle(declared: [u8; 32], payload: Payload) -> Result<BodyProof, Error> {
    let computed = match payload {
        Payload::Body(body) => Sha256::digest(body).into(),
        Payload::Hash(hash) => hash,
        Payload::Unread => return Ok(BodyProof::Sha256(declared)),
    };
    compare(declared, computed).map(|()| BodyProof::Proven)
}

fn compare(declared: [u8; 32], computed: [u8; 32]) -> Result<(), Error> {
    if declared == computed {
        return Ok(());
    }
    let (declared, computed) = (hex::encode(&declared), hex::encode(&computed));
    Err(Error::PayloadHashMismatch { declared, computed })
}

fn computed(hash: [u8; 32]) -> Declared<'static> {
    let mut line = Vec::with_capacity(64);
    hex::push(&mut line, &hash);
    Declared { line: line.into(), promise: Promise::Computed }
}

fn query_hash<'a>(parts: &RequestParts<'a>) -> Result<Option<Cow<'a, [u8]>>, Error> {
    const NAME: &str = "X-Amz-Content-Sha256";
    let mut values = parts.query_pairs().filter(|(key, _)| *key == NAME.as_bytes());
    let first = values.next().map(|(_, value)| canonical::decode_query(value));
    match values.next() {
        None => Ok(first),
        Some(_) => Err(Error::RepeatedParameter { name: NAME }),
    }
}
