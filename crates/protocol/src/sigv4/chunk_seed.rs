//! What the chunks of one body are verified with, and why they may be refused.

use super::chunked::ChunkDecoder;
use super::error::{Error, Mismatch};
use super::parse::Parsed;
use super::request::RequestParts;
use super::signing_key::Key;
use super::verify::push_scope;

/// How the chunks of a body are proven: the value of `x-amz-content-sha256`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkSigning {
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`, with `-TRAILER` when trailing headers follow.
    Hmac {
        /// Whether trailing headers follow.
        trailer: bool,
    },
    /// `STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD`, with `-TRAILER` when trailing headers follow.
    Ecdsa {
        /// Whether trailing headers follow.
        trailer: bool,
    },
    /// `STREAMING-UNSIGNED-PAYLOAD-TRAILER`: nothing is signed, trailing headers follow.
    UnsignedTrailer,
}

impl ChunkSigning {
    pub(super) fn named(value: &[u8]) -> Option<Self> {
        match value {
            b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Some(Self::Hmac { trailer: false }),
            b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => Some(Self::Hmac { trailer: true }),
            b"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD" => Some(Self::Ecdsa { trailer: false }),
            b"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER" => {
                Some(Self::Ecdsa { trailer: true })
            }
            b"STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Some(Self::UnsignedTrailer),
            _ => None,
        }
    }

    pub(super) fn signed(self) -> bool {
        self != Self::UnsignedTrailer
    }

    pub(super) fn has_trailer(self) -> bool {
        match self {
            Self::Hmac { trailer } | Self::Ecdsa { trailer } => trailer,
            Self::UnsignedTrailer => true,
        }
    }
}

/// What the chunks of one body are verified with. Made by [`verify`](super::verify()).
#[derive(Clone)]
pub struct ChunkSeed {
    pub(super) signing: ChunkSigning,
    pub(super) key: Key,
    pub(super) algorithm: &'static str,
    pub(super) timestamp: String,
    pub(super) scope: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) access_key_id: String,
}

impl std::fmt::Debug for ChunkSeed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter.debug_struct("ChunkSeed").field("signing", &self.signing).finish_non_exhaustive()
    }
}

/// Bounds of a body. What the decoder keeps in memory is bounded by `max_line_bytes` and
/// `max_trailer_bytes` alone: data passes through.
#[derive(Clone, Copy, Debug)]
pub struct ChunkLimits {
    /// The least size of every chunk but the last that holds data: 8,192 with S3.
    pub min_chunk_bytes: u64,
    /// The greatest size of a chunk.
    pub max_chunk_bytes: u64,
    /// The longest line: a chunk's header, or one trailing header.
    pub max_line_bytes: usize,
    /// The greatest sum of all trailing headers.
    pub max_trailer_bytes: usize,
}

impl Default for ChunkLimits {
    /// S3's minimum of 8 KiB, its greatest upload (5 GiB) as one chunk, lines up to 2 KiB and
    /// trailing headers up to 8 KiB together.
    fn default() -> Self {
        Self {
            min_chunk_bytes: 8192,
            max_chunk_bytes: 5 << 30,
            max_line_bytes: 2048,
            max_trailer_bytes: 8192,
        }
    }
}

/// Why a chunked body is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChunkError {
    /// `x-amz-decoded-content-length` is missing or not a number.
    LengthMissing,
    /// The body ended early, or holds another number of bytes than declared.
    Incomplete {
        /// The declared number of bytes.
        declared: u64,
        /// The number received so far.
        received: u64,
    },
    /// The framing is broken: no chunk size, no line end, a line too long, bytes after the end.
    Malformed,
    /// A chunk before the last is too small.
    TooSmall {
        /// Which chunk, counted from 1.
        chunk: u64,
        /// Its size in bytes.
        bytes: u64,
    },
    /// A chunk is larger than allowed.
    TooLarge {
        /// Which chunk, counted from 1.
        chunk: u64,
        /// Its size in bytes.
        bytes: u64,
    },
    /// The signature of a chunk or of the trailing headers is wrong or missing.
    SignatureMismatch(Box<Mismatch>),
    /// Trailing headers are malformed, undeclared, repeated or missing.
    Trailer,
}

impl ChunkSeed {
    pub(super) fn new(signing: ChunkSigning, parsed: &Parsed, key: Key) -> Self {
        let mut scope = Vec::with_capacity(48);
        push_scope(&mut scope, parsed);
        Self {
            signing,
            key,
            algorithm: parsed.algorithm.name(),
            timestamp: parsed.timestamp.basic().to_owned(),
            scope,
            signature: parsed.signature.as_bytes().to_vec(),
            access_key_id: parsed.access_key_id.to_string(),
        }
    }

    /// How the chunks are proven.
    pub fn signing(&self) -> ChunkSigning {
        self.signing
    }

    /// Begins to read the body of the request that this seed was made for.
    ///
    /// # Errors
    /// [`ChunkError::LengthMissing`] without `x-amz-decoded-content-length`, and
    /// [`ChunkError::Trailer`] when `x-amz-trailer` does not fit the kind of signing.
    pub fn decoder(
        self,
        parts: &RequestParts,
        limits: ChunkLimits,
    ) -> Result<ChunkDecoder, ChunkError> {
        let length = parts.single("x-amz-decoded-content-length");
        let declared_bytes = length
            .ok()
            .flatten()
            .and_then(|value| decimal(value.trim_ascii()))
            .ok_or(ChunkError::LengthMissing)?;
        let mut declared_trailers = Vec::new();
        for value in parts.values("x-amz-trailer") {
            let value = std::str::from_utf8(value).map_err(|_| ChunkError::Trailer)?;
            let names = value.split(',').map(str::trim_ascii).filter(|name| !name.is_empty());
            declared_trailers.extend(names.map(str::to_ascii_lowercase));
        }
        if self.signing.has_trailer() == declared_trailers.is_empty() {
            return Err(ChunkError::Trailer);
        }
        Ok(ChunkDecoder::new(self, limits, declared_bytes, declared_trailers))
    }
}

impl std::fmt::Display for ChunkError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        let answer = super::answer_s3::chunk(self);
        write!(formatter, "{}: {}", answer.code, answer.message)
    }
}

impl std::error::Error for ChunkError {}

impl From<ChunkError> for Error {
    fn from(error: ChunkError) -> Self {
        Self::Chunk(error)
    }
}

fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}
