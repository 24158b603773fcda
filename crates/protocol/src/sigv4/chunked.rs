//! Bodies sent as `aws-chunked`: chunks with a signature each, chained from the request's own, and
//! trailing headers.
//!
//! Formats: S3 API Reference, "Signature Calculations for the Authorization Header: Transferring
//! Payload in Multiple Chunks" and "… Including Trailing Headers".

use sha2::{Digest, Sha256};

use super::error::{Error, Mismatch};
use super::hex;
use super::parse::Parsed;
use super::request::RequestParts;
use super::signing_key::Key;
use super::verify::push_scope;

const EMPTY_HASH: &[u8; 64] = b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

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

    fn signed(self) -> bool {
        self != Self::UnsignedTrailer
    }

    fn has_trailer(self) -> bool {
        match self {
            Self::Hmac { trailer } | Self::Ecdsa { trailer } => trailer,
            Self::UnsignedTrailer => true,
        }
    }
}

/// What the chunks of one body are verified with. Made by [`verify`](super::verify()).
#[derive(Clone)]
pub struct ChunkSeed {
    signing: ChunkSigning,
    key: Key,
    algorithm: &'static str,
    timestamp: String,
    scope: Vec<u8>,
    signature: Vec<u8>,
    access_key_id: String,
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

/// Reads an `aws-chunked` body piece by piece, from slices cut anywhere.
///
/// Data is handed out before the signature that proves it has arrived, so that no chunk needs to
/// be held. **Nothing of it may become visible before [`ChunkDecoder::finish`] returned `Ok`.**
pub struct ChunkDecoder {
    seed: ChunkSeed,
    limits: ChunkLimits,
    declared_bytes: u64,
    declared_trailers: Vec<String>,
    state: State,
    line: Vec<u8>,
    received: u64,
    chunk: u64,
    last_chunk_bytes: u64,
    chunk_signature: Vec<u8>,
    hash: Sha256,
    trailers: Vec<(String, String)>,
    trailer_bytes: usize,
    failed: Option<ChunkError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Reading `size;chunk-signature=…`.
    Header,
    /// Reading this many more bytes of data.
    Data(u64),
    /// Reading the line end behind data.
    DataEnd,
    /// Reading trailing headers up to an empty line.
    Trailer,
    /// Reading `x-amz-trailer-signature` done: the empty line that ends the body.
    End,
    /// Nothing may follow.
    Done,
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
        Ok(ChunkDecoder {
            seed: self,
            limits,
            declared_bytes,
            declared_trailers,
            state: State::Header,
            line: Vec::new(),
            received: 0,
            chunk: 0,
            last_chunk_bytes: u64::MAX,
            chunk_signature: Vec::new(),
            hash: Sha256::new(),
            trailers: Vec::new(),
            trailer_bytes: 0,
            failed: None,
        })
    }
}

impl ChunkDecoder {
    /// The declared length of the decoded body, in bytes.
    pub fn declared_bytes(&self) -> u64 {
        self.declared_bytes
    }

    /// Takes bytes off the front of `input` and returns the next run of data among them, which is
    /// never empty; `None` when `input` is used up. Call it until then for each slice received.
    ///
    /// # Errors
    /// Any [`ChunkError`]; the same again on every later call.
    pub fn next<'i>(&mut self, input: &mut &'i [u8]) -> Result<Option<&'i [u8]>, ChunkError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let step = self.advance(input);
        if let Err(error) = &step {
            self.failed = Some(error.clone());
        }
        step
    }

    /// Ends the body and returns its trailing headers, names in lower case, in the order sent.
    ///
    /// # Errors
    /// Any [`ChunkError`] met before, or [`ChunkError::Incomplete`].
    pub fn finish(self) -> Result<Vec<(String, String)>, ChunkError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if self.state != State::Done || self.received != self.declared_bytes {
            return Err(ChunkError::Incomplete {
                declared: self.declared_bytes,
                received: self.received,
            });
        }
        Ok(self.trailers)
    }

    fn advance<'i>(&mut self, input: &mut &'i [u8]) -> Result<Option<&'i [u8]>, ChunkError> {
        while !input.is_empty() {
            match self.state {
                State::Data(left) => return self.take_data(left, input).map(Some),
                State::Done => return Err(ChunkError::Malformed),
                State::Header | State::DataEnd | State::Trailer | State::End => {
                    if let Some(line) = self.take_line(input)? {
                        self.end_line(&line)?;
                    }
                }
            }
        }
        Ok(None)
    }

    fn take_data<'i>(&mut self, left: u64, input: &mut &'i [u8]) -> Result<&'i [u8], ChunkError> {
        let bytes = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
        let (data, rest) = input.split_at_checked(bytes).ok_or(ChunkError::Malformed)?;
        *input = rest;
        let taken = u64::try_from(bytes).map_err(|_| ChunkError::Malformed)?;
        self.received = self.received.saturating_add(taken);
        if self.seed.signing.signed() {
            self.hash.update(data);
        }
        let left = left.saturating_sub(taken);
        self.state = if left == 0 { State::DataEnd } else { State::Data(left) };
        Ok(data)
    }

    /// Collects a line, returned without its end. A line ends with LF; a CR before it is dropped.
    fn take_line(&mut self, input: &mut &[u8]) -> Result<Option<Vec<u8>>, ChunkError> {
        let end = input.iter().position(|byte| *byte == b'\n');
        let (part, rest) = match end {
            Some(end) => (input.get(..end), input.get(end + 1..)),
            None => (Some(*input), None),
        };
        let part = part.unwrap_or_default();
        if self.line.len() + part.len() > self.limits.max_line_bytes {
            return Err(ChunkError::Malformed);
        }
        self.line.extend_from_slice(part);
        *input = rest.unwrap_or_default();
        if end.is_none() {
            return Ok(None);
        }
        let mut line = std::mem::take(&mut self.line);
        match (line.last(), self.state) {
            (Some(b'\r'), _) => {
                line.pop();
            }
            // AWS's own examples write a trailing header with a bare LF; chunks always end in CRLF.
            (_, State::Trailer) => {}
            _ => return Err(ChunkError::Malformed),
        }
        Ok(Some(line))
    }

    fn end_line(&mut self, line: &[u8]) -> Result<(), ChunkError> {
        match self.state {
            State::Header => self.begin_chunk(line),
            State::DataEnd if line.is_empty() => {
                self.check_chunk()?;
                self.state = State::Header;
                Ok(())
            }
            State::Trailer => self.trailer_line(line),
            State::End if line.is_empty() => {
                self.state = State::Done;
                Ok(())
            }
            _ => Err(ChunkError::Malformed),
        }
    }

    fn begin_chunk(&mut self, line: &[u8]) -> Result<(), ChunkError> {
        let mut fields = line.split(|byte| *byte == b';');
        let bytes = fields.next().and_then(hexadecimal).ok_or(ChunkError::Malformed)?;
        self.chunk += 1;
        self.chunk_signature.clear();
        for field in fields {
            if let Some(signature) = field.strip_prefix(b"chunk-signature=") {
                if !self.chunk_signature.is_empty() {
                    return Err(ChunkError::Malformed);
                }
                self.chunk_signature.extend_from_slice(signature);
            }
        }
        if bytes == 0 {
            return self.last_chunk();
        }
        if self.last_chunk_bytes < self.limits.min_chunk_bytes {
            let (chunk, bytes) = (self.chunk - 1, self.last_chunk_bytes);
            return Err(ChunkError::TooSmall { chunk, bytes });
        }
        if bytes > self.limits.max_chunk_bytes {
            return Err(ChunkError::TooLarge { chunk: self.chunk, bytes });
        }
        let announced = self.received.saturating_add(bytes);
        if announced > self.declared_bytes {
            let declared = self.declared_bytes;
            return Err(ChunkError::Incomplete { declared, received: announced });
        }
        self.last_chunk_bytes = bytes;
        self.state = State::Data(bytes);
        Ok(())
    }

    fn last_chunk(&mut self) -> Result<(), ChunkError> {
        if self.received != self.declared_bytes {
            let (declared, received) = (self.declared_bytes, self.received);
            return Err(ChunkError::Incomplete { declared, received });
        }
        self.check_chunk()?;
        self.state = if self.seed.signing.has_trailer() { State::Trailer } else { State::End };
        Ok(())
    }

    /// Checks the signature of the chunk that has just ended, and makes it the next one's seed.
    fn check_chunk(&mut self) -> Result<(), ChunkError> {
        if !self.seed.signing.signed() {
            return Ok(());
        }
        let hash = std::mem::take(&mut self.hash).finalize();
        let mut text = self.string_to_sign("-PAYLOAD");
        text.extend_from_slice(EMPTY_HASH);
        text.push(b'\n');
        hex::push(&mut text, &hash);
        let signature = std::mem::take(&mut self.chunk_signature);
        self.check_signature(&text, signature)
    }

    fn string_to_sign(&self, suffix: &str) -> Vec<u8> {
        let mut text = Vec::with_capacity(384);
        text.extend_from_slice(self.seed.algorithm.as_bytes());
        text.extend_from_slice(suffix.as_bytes());
        text.push(b'\n');
        text.extend_from_slice(self.seed.timestamp.as_bytes());
        text.push(b'\n');
        text.extend_from_slice(&self.seed.scope);
        text.push(b'\n');
        text.extend_from_slice(&self.seed.signature);
        text.push(b'\n');
        text
    }

    fn check_signature(&mut self, text: &[u8], signature: Vec<u8>) -> Result<(), ChunkError> {
        if self.seed.key.signed(text, &signature) {
            // An ECDSA signature is chained without the `*` that pad it to a fixed length.
            let length =
                signature.iter().rposition(|byte| *byte != b'*').map_or(0, |last| last + 1);
            self.seed.signature = signature;
            self.seed.signature.truncate(length);
            return Ok(());
        }
        Err(ChunkError::SignatureMismatch(Box::new(Mismatch {
            access_key_id: self.seed.access_key_id.clone(),
            signature_provided: String::from_utf8_lossy(&signature).into_owned(),
            string_to_sign: String::from_utf8_lossy(text).into_owned(),
            canonical_request: Vec::new(),
        })))
    }

    fn trailer_line(&mut self, line: &[u8]) -> Result<(), ChunkError> {
        if line.is_empty() {
            // AWS's examples separate the signature from the headers that it signs by an extra
            // CRLF; without a signature an empty line is the end.
            if self.seed.signing.signed() && self.complete() {
                return Ok(());
            }
            if self.seed.signing.signed() || !self.complete() {
                return Err(ChunkError::Trailer);
            }
            self.state = State::Done;
            return Ok(());
        }
        self.trailer_bytes += line.len();
        if self.trailer_bytes > self.limits.max_trailer_bytes {
            return Err(ChunkError::Trailer);
        }
        let line = std::str::from_utf8(line).map_err(|_| ChunkError::Trailer)?;
        let (name, value) = line.split_once(':').ok_or(ChunkError::Trailer)?;
        let (name, value) = (name.trim_ascii().to_ascii_lowercase(), value.trim_ascii());
        if name == "x-amz-trailer-signature" && self.seed.signing.signed() {
            return self.end_trailer(value.as_bytes().to_vec());
        }
        let known = self.declared_trailers.contains(&name);
        if !known || self.trailers.iter().any(|trailer| trailer.0 == name) {
            return Err(ChunkError::Trailer);
        }
        self.trailers.push((name, value.to_owned()));
        Ok(())
    }

    fn end_trailer(&mut self, signature: Vec<u8>) -> Result<(), ChunkError> {
        if !self.complete() {
            return Err(ChunkError::Trailer);
        }
        let mut headers: Vec<_> = self.trailers.iter().collect();
        headers.sort();
        let mut hash = Sha256::new();
        for (name, value) in headers {
            for part in [name, ":", value, "\n"] {
                hash.update(part);
            }
        }
        let mut text = self.string_to_sign("-TRAILER");
        hex::push(&mut text, &hash.finalize());
        self.check_signature(&text, signature)?;
        self.state = State::End;
        Ok(())
    }

    /// Whether every declared trailing header has arrived.
    fn complete(&self) -> bool {
        let arrived = |name: &String| self.trailers.iter().any(|trailer| trailer.0 == *name);
        self.declared_trailers.iter().all(arrived)
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

fn hexadecimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 16 {
        return None;
    }
    digits.iter().try_fold(0, |sum: u64, digit| Some(sum << 4 | u64::from(hex::value(*digit)?)))
}

fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}
