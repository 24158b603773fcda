//! The bytes of objects: encrypted in frames, each authenticated, so that any range of an object
//! can be read without the rest and an altered byte is never handed out.
//!
//! A piece is one blob: what one request sent. Its frames are AES-256-GCM under a key of its own,
//! the frame's number as the nonce, and whether it is the last as additional data. The key is
//! stored wrapped under the object's key ([`super::encryption`]).

use super::error::INTERNAL_ERROR;
use crate::errors::internal;
use crate::random::Random;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use palisade_shape::{Error, Result};
use palisade_store::blobs::{BlobName, BlobWriter, Blobs};
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use zeroize::Zeroizing;

/// Bytes of content in one frame.
const FRAME: usize = 64 << 10;
const TAG: usize = 16;

/// A key of 256 bits, in the clear. Never stored so.
pub type PlainKey = Zeroizing<[u8; 32]>;

pub fn new_key(random: &dyn Random) -> PlainKey {
    let mut key = Zeroizing::new([0; 32]);
    random.fill(&mut *key);
    key
}

pub fn aead(key: &[u8]) -> Result<LessSafeKey> {
    let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| internal("a key of wrong length"))?;
    Ok(LessSafeKey::new(key))
}

/// One blob of an object's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// The blob's name: 64 hexadecimal digits.
    pub blob: String,
    /// How many bytes of content it holds.
    pub bytes: u64,
    /// The piece's key, wrapped under the object's and in base64.
    pub key: String,
}

fn nonce(frame: u64) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    for (place, byte) in bytes.iter_mut().skip(4).zip(frame.to_be_bytes()) {
        *place = byte;
    }
    Nonce::assume_unique_for_key(bytes)
}

/// Writes a piece.
pub struct PieceWriter {
    writer: Box<dyn BlobWriter>,
    key: LessSafeKey,
    frame: Vec<u8>,
    frames: u64,
    bytes: u64,
}

impl PieceWriter {
    pub fn new(blobs: &dyn Blobs, key: &PlainKey) -> Result<Self> {
        let writer = blobs.writer().map_err(internal)?;
        let frame = Vec::with_capacity(FRAME + TAG);
        Ok(Self { writer, key: aead(&**key)?, frame, frames: 0, bytes: 0 })
    }

    pub fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        self.bytes += bytes.len() as u64;
        while !bytes.is_empty() {
            if self.frame.len() == FRAME {
                self.seal(false)?;
            }
            let room = (FRAME - self.frame.len()).min(bytes.len());
            let (now, later) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
            self.frame.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    fn seal(&mut self, last: bool) -> Result<()> {
        let sealed = self.key.seal_in_place_append_tag(
            nonce(self.frames),
            Aad::from([u8::from(last)]),
            &mut self.frame,
        );
        sealed.map_err(|_| internal("a frame cannot be sealed"))?;
        self.writer.write(&self.frame).map_err(internal)?;
        self.frame.clear();
        self.frames += 1;
        Ok(())
    }

    /// Makes the piece durable; tells the blob and how many bytes of content it holds.
    pub fn finish(mut self) -> Result<(BlobName, u64)> {
        self.seal(true)?;
        let (name, _) = self.writer.finish().map_err(internal)?;
        Ok((name, self.bytes))
    }
}

/// A blob that no document names yet: it goes with this value unless it is kept.
pub struct Staged {
    blobs: Arc<dyn Blobs>,
    name: BlobName,
    kept: AtomicBool,
}

impl Staged {
    pub fn new(blobs: Arc<dyn Blobs>, name: BlobName) -> Self {
        Self { blobs, name, kept: AtomicBool::new(false) }
    }

    pub fn name(&self) -> &BlobName {
        &self.name
    }

    /// The transaction that names the blob has committed.
    pub fn keep(&self) {
        self.kept.store(true, Ordering::Release);
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.kept.load(Ordering::Acquire) {
            // What stays behind is removed by the next sweep.
            let _swept_later = self.blobs.remove(&self.name, i64::MAX);
        }
    }
}

/// A piece ready to be read.
#[derive(Clone)]
pub struct OpenPiece {
    pub blob: BlobName,
    pub bytes: u64,
    pub key: PlainKey,
}

/// Content to hand out: a range over pieces.
#[derive(Clone)]
pub struct Content {
    pub pieces: Vec<OpenPiece>,
    /// Where it begins in all of the pieces' bytes.
    pub offset: u64,
    pub bytes: u64,
}

impl Content {
    pub fn reader(self, blobs: Arc<dyn Blobs>) -> ContentReader {
        let Content { pieces, offset, bytes } = self;
        ContentReader { blobs, pieces: pieces.into_iter(), skip: offset, left: bytes, open: None }
    }
}

/// Reads content frame by frame.
pub struct ContentReader {
    blobs: Arc<dyn Blobs>,
    pieces: std::vec::IntoIter<OpenPiece>,
    /// Bytes of the pieces still to come that are not wanted.
    skip: u64,
    left: u64,
    open: Option<Opened>,
}

struct Opened {
    source: Box<dyn Read + Send>,
    key: LessSafeKey,
    frame: u64,
    frames: u64,
    /// Bytes of content in the piece.
    bytes: u64,
    /// Bytes of the next frame that are not wanted.
    skip: usize,
}

fn corrupt(name: &str) -> Error {
    INTERNAL_ERROR
        .because("We encountered an internal error. Please try again.")
        .internally(format!("the content of blob {name} is missing or was altered"))
}

impl ContentReader {
    /// The next bytes, at most a frame of them; none at the end. An altered frame is an error.
    pub fn frame(&mut self) -> Result<Option<Vec<u8>>> {
        while self.left > 0 {
            let Some(open) = &mut self.open else {
                if !self.open_next()? {
                    return Err(internal("content ends before its length"));
                }
                continue;
            };
            if open.frame == open.frames {
                self.open = None;
                continue;
            }
            let mut bytes = open.read_frame()?;
            if bytes.len() as u64 > self.left {
                bytes.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
            }
            self.left -= bytes.len() as u64;
            if !bytes.is_empty() {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    fn open_next(&mut self) -> Result<bool> {
        for piece in self.pieces.by_ref() {
            if self.skip >= piece.bytes {
                self.skip -= piece.bytes;
                continue;
            }
            let frame = self.skip / FRAME as u64;
            let frames = piece.bytes.div_ceil(FRAME as u64).max(1);
            let sealed = (FRAME + TAG) as u64;
            let length = (frames - frame) * sealed;
            let source = self.blobs.range(&piece.blob, frame * sealed, length).map_err(internal)?;
            let source = source.ok_or_else(|| corrupt(&piece.blob.to_string()))?;
            let skip = usize::try_from(self.skip % FRAME as u64).unwrap_or_default();
            let key = aead(&*piece.key)?;
            self.skip = 0;
            self.open = Some(Opened { source, key, frame, frames, bytes: piece.bytes, skip });
            return Ok(true);
        }
        Ok(false)
    }
}

impl Opened {
    fn read_frame(&mut self) -> Result<Vec<u8>> {
        let last = self.frame + 1 == self.frames;
        let size = match last {
            true => usize::try_from(self.bytes - self.frame * FRAME as u64).map_err(internal)?,
            false => FRAME,
        };
        let mut sealed = vec![0; size + TAG];
        let altered = |error: &dyn std::fmt::Display| corrupt(&error.to_string());
        self.source.read_exact(&mut sealed).map_err(|error| altered(&error))?;
        let opened =
            self.key.open_in_place(nonce(self.frame), Aad::from([u8::from(last)]), &mut sealed);
        let length = opened.map_err(|_| altered(&"(a frame)"))?.len();
        sealed.truncate(length);
        sealed.drain(..self.skip.min(length));
        self.skip = 0;
        self.frame += 1;
        Ok(sealed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SeededRandom;
    use palisade_store::blobs::MemoryBlobs;
    use proptest::prelude::*;

    fn write(blobs: &dyn Blobs, key: &PlainKey, content: &[u8]) -> OpenPiece {
        let mut writer = PieceWriter::new(blobs, key).unwrap();
        for part in content.chunks(10_007) {
            writer.write(part).unwrap();
        }
        let (blob, bytes) = writer.finish().unwrap();
        assert_eq!(bytes, content.len() as u64);
        OpenPiece { blob, bytes, key: key.clone() }
    }

    fn read(blobs: &MemoryBlobs, pieces: &[OpenPiece], offset: u64, bytes: u64) -> Result<Vec<u8>> {
        let content = Content { pieces: pieces.to_vec(), offset, bytes };
        let mut reader = content.reader(Arc::new(blobs.clone()));
        let mut all = Vec::new();
        while let Some(next) = reader.frame()? {
            all.extend(next);
        }
        Ok(all)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn any_range_over_any_pieces_is_what_was_written(
            sizes in prop::collection::vec(0_usize..200_000, 1..4),
            from in 0.0..1.0, part in 0.0..1.0,
        ) {
            let (blobs, random) = (MemoryBlobs::default(), SeededRandom::new(1));
            let mut whole = Vec::new();
            let mut pieces = Vec::new();
            for size in sizes {
                let mut content = vec![0; size];
                random.fill(&mut content);
                pieces.push(write(&blobs, &new_key(&random), &content));
                whole.extend(content);
            }
            let offset = (whole.len() as f64 * from) as usize;
            let bytes = ((whole.len() - offset) as f64 * part) as usize;
            let found = read(&blobs, &pieces, offset as u64, bytes as u64).unwrap();
            prop_assert!(found == whole[offset..offset + bytes]);
        }
    }

    #[test]
    fn an_altered_or_cut_blob_is_refused() {
        let (blobs, random) = (MemoryBlobs::default(), SeededRandom::new(1));
        let key = new_key(&random);
        let piece = write(&blobs, &key, &vec![7; 3 * FRAME]);
        let mut sealed = Vec::new();
        blobs.range(&piece.blob, 0, u64::MAX).unwrap().unwrap().read_to_end(&mut sealed).unwrap();
        let alter = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut sealed = sealed.clone();
            change(&mut sealed);
            let mut writer = blobs.writer().unwrap();
            writer.write(&sealed).unwrap();
            let (blob, _) = writer.finish().unwrap();
            read(&blobs, &[OpenPiece { blob, ..piece.clone() }], 0, piece.bytes).is_err()
        };
        assert!(!alter(&|_| {}));
        assert!(alter(&|sealed| sealed[FRAME + 40] ^= 1));
        assert!(alter(&|sealed| sealed.truncate(2 * (FRAME + TAG))));
        let frame = FRAME + TAG;
        assert!(alter(&|sealed| sealed.copy_within(frame..2 * frame, 0)));
    }
}
