//! Blobs in memory, for tests.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::{Blob, BlobName, BlobWriter, Blobs, Verifying};
use crate::error::Result;

/// Blobs in memory, gone with the process. Their time of writing is always 0.
#[derive(Clone, Default)]
pub struct MemoryBlobs {
    held: Arc<Mutex<BTreeMap<BlobName, Arc<[u8]>>>>,
}

impl MemoryBlobs {
    fn find(&self, name: &BlobName) -> Option<Arc<[u8]>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

struct MemoryWriter {
    blobs: MemoryBlobs,
    bytes: Vec<u8>,
}

impl BlobWriter for MemoryWriter {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(BlobName, u64)> {
        let name = BlobName(Sha256::digest(&self.bytes).into());
        let length = self.bytes.len() as u64;
        let mut held = self.blobs.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert(name, self.bytes.into());
        Ok((name, length))
    }
}

impl Blobs for MemoryBlobs {
    fn writer(&self) -> Result<Box<dyn BlobWriter>> {
        Ok(Box::new(MemoryWriter { blobs: self.clone(), bytes: Vec::new() }))
    }

    fn reader(&self, name: &BlobName) -> Result<Option<Box<dyn Read + Send>>> {
        let Some(bytes) = self.find(name) else { return Ok(None) };
        Ok(Some(Box::new(Verifying::new(Cursor::new(bytes), *name))))
    }

    fn range(
        &self,
        name: &BlobName,
        offset: u64,
        bytes: u64,
    ) -> Result<Option<Box<dyn Read + Send>>> {
        let Some(held) = self.find(name) else { return Ok(None) };
        let mut cursor = Cursor::new(held);
        cursor.set_position(offset);
        Ok(Some(Box::new(cursor.take(bytes))))
    }

    fn list(&self, after: Option<&BlobName>, limit: usize) -> Result<Vec<Blob>> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let blob = |(name, bytes): (&BlobName, &Arc<[u8]>)| Blob {
            name: *name,
            bytes: bytes.len() as u64,
            written_millis: 0,
        };
        Ok(held.range((start, Bound::Unbounded)).take(limit).map(blob).collect())
    }

    fn remove(&self, name: &BlobName, _written_before_millis: i64) -> Result<bool> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        Ok(true)
    }
}
