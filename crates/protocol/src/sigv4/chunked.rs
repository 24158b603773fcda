//! Bodies sent as `aws-chunked`: chunks with a signature each, chained from the request's own, and
//! trailing headers.
//!
//! Formats: S3 API Reference, "Signature Calculations for the Authorization Header: Transferring
//! Payload in Multiple Chunks" and "… Including Trailing Headers".

use sha2::{Digest, Sha256};

use super::chunk_seed::{ChunkError, ChunkLimits, ChunkSeed};
use super::error::Mismatch;
use super::hex;

const EMPTY_HASH: &[u8; 64] = b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

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

impl ChunkDecoder {
    pub(super) fn new(
        seed: ChunkSeed,
        limits: ChunkLimits,
        declared_bytes: u64,
        declared_trailers: Vec<String>,
    ) -> Self {
        Self {
            seed,
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
        }
    }

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
        let name = name.trim_ascii().to_ascii_lowercase();
        // Blanks only: any other control character belongs to the value that was signed.
        let value = value.trim_matches([' ', '\t']);
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

fn hexadecimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 16 {
        return None;
    }
    digits.iter().try_fold(0, |sum: u64, digit| Some(sum << 4 | u64::from(hex::value(*digit)?)))
}
