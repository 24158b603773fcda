//! Blobs: object bytes too large for documents, named by the SHA-256 of their content.
//!
//! A blob is written first and referenced by a document afterwards, so a reference never dangles.
//! What no document references any more is garbage, to be listed and removed by its owner.

mod local;
mod memory;
#[cfg(feature = "s3-blobs")]
mod s3;

use std::io::Read;

pub use local::LocalBlobs;
pub use memory::MemoryBlobs;
#[cfg(feature = "s3-blobs")]
pub use s3::{S3Blobs, S3Options};

use crate::error::Result;

/// A blob's name: the SHA-256 of its content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobName(pub [u8; 32]);

impl BlobName {
    /// Reads 64 lower-case hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<BlobName> {
        let mut bytes = [0; 32];
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
            return None;
        };
        if pairs.len() != bytes.len() {
            return None;
        }
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(BlobName(bytes))
    }
}

impl std::fmt::Display for BlobName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for BlobName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BlobName({self})")
    }
}

/// A stored blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blob {
    /// Its name.
    pub name: BlobName,
    /// Its length.
    pub bytes: u64,
    /// When it was last written, by the storage's own clock, in milliseconds since 1970.
    pub written_millis: i64,
}

/// A blob being written. Dropping it unfinished leaves nothing.
pub trait BlobWriter: Send {
    /// Appends to the blob.
    fn write(&mut self, bytes: &[u8]) -> Result<()>;

    /// Makes the blob durable and tells its name and length. Only now may it be referenced.
    fn finish(self: Box<Self>) -> Result<(BlobName, u64)>;
}

/// Where blobs are.
pub trait Blobs: Send + Sync {
    /// Begins a blob.
    fn writer(&self) -> Result<Box<dyn BlobWriter>>;

    /// The blob's content. Reading to the end verifies it: altered content ends in an error of kind
    /// `InvalidData` in place of the end of file. `None` when there is no such blob.
    fn reader(&self, name: &BlobName) -> Result<Option<Box<dyn Read + Send>>>;

    /// Up to `bytes` bytes from `offset` on, not verified. `None` when there is no such blob.
    fn range(
        &self,
        name: &BlobName,
        offset: u64,
        bytes: u64,
    ) -> Result<Option<Box<dyn Read + Send>>>;

    /// Up to `limit` blobs whose names follow `after`, in the order of their names.
    fn list(&self, after: Option<&BlobName>, limit: usize) -> Result<Vec<Blob>>;

    /// Removes a blob unless it was written again at or after `written_before_millis`. Tells
    /// whether it is gone.
    fn remove(&self, name: &BlobName, written_before_millis: i64) -> Result<bool>;
}

/// Removes blobs that `is_referenced` denies and that were written before `written_before_millis`,
/// and tells how many. The time must leave writers long enough to reference what they wrote.
pub fn remove_garbage(
    blobs: &dyn Blobs,
    written_before_millis: i64,
    is_referenced: &mut dyn FnMut(&BlobName) -> Result<bool>,
) -> Result<usize> {
    let mut removed = 0;
    let mut after = None;
    loop {
        let page = blobs.list(after.as_ref(), 1000)?;
        let Some(last) = page.last() else {
            return Ok(removed);
        };
        after = Some(last.name);
        for blob in page {
            if blob.written_millis < written_before_millis
                && !is_referenced(&blob.name)?
                && blobs.remove(&blob.name, written_before_millis)?
            {
                removed += 1;
            }
        }
    }
}

/// Verifies content while it is read.
pub(crate) struct Verifying<R> {
    inner: R,
    name: BlobName,
    digest: sha2::Sha256,
}

impl<R: Read> Verifying<R> {
    pub(crate) fn new(inner: R, name: BlobName) -> Self {
        Verifying { inner, name, digest: sha2::Sha256::default() }
    }
}

impl<R: Read> Read for Verifying<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        use sha2::Digest;
        let count = self.inner.read(buffer)?;
        self.digest.update(buffer.get(..count).unwrap_or_default());
        if count == 0 && !buffer.is_empty() {
            let found: [u8; 32] = self.digest.clone().finalize().into();
            if found != self.name.0 {
                let text = format!("the content of blob {} was altered", self.name);
                return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, text));
            }
        }
        Ok(count)
    }
}
