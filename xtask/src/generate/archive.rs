//! Embedded data: deflated blocks behind an index, so that a reader inflates only what it looks at.
//! `crates/model/src/archive.rs` is the reader.
//!
//! A file is the length of the deflated index (u32, little-endian), the index, the blocks. A line
//! of the index is a block's offset after the index, its length, its inflated length, and its
//! fields, with tabs between.

use crate::Result;
use flate2::read::DeflateDecoder;
use flate2::{Compress, Compression, FlushCompress};
use std::fmt::Write as _;
use std::io::Read as _;

#[derive(Default)]
pub struct Archive {
    index: String,
    blocks: Vec<u8>,
}

impl Archive {
    /// Adds a block; its fields may hold no tab and no line end.
    pub fn add(&mut self, fields: &[&str], block: &str) -> Result<()> {
        if fields.iter().any(|field| field.contains(['\t', '\n'])) {
            return Err(format!("a field with a tab or a line end: {fields:?}"));
        }
        let deflated = deflate(block.as_bytes())?;
        let (offset, length) = (self.blocks.len(), deflated.len());
        let _ = writeln!(self.index, "{offset}\t{length}\t{}\t{}", block.len(), fields.join("\t"));
        self.blocks.extend(deflated);
        Ok(())
    }

    pub fn finish(self) -> Result<Vec<u8>> {
        let index = deflate(self.index.as_bytes())?;
        let length = u32::try_from(index.len()).map_err(|error| error.to_string())?;
        Ok([&length.to_le_bytes()[..], &index, &self.blocks].concat())
    }
}

fn deflate(bytes: &[u8]) -> Result<Vec<u8>> {
    // One spare kilobyte covers what deflate adds to bytes that do not compress.
    let mut deflated = Vec::with_capacity(bytes.len() + 1024);
    let mut compress = Compress::new(Compression::best(), false);
    let status = compress.compress_vec(bytes, &mut deflated, FlushCompress::Finish);
    match status {
        Ok(flate2::Status::StreamEnd) => Ok(deflated),
        other => Err(format!("deflate: {other:?}")),
    }
}

/// All that an archive says, inflated: its index, then its blocks. Two archives that say the same
/// may differ in bytes, as another version of the compressor made them.
pub fn inflated(archive: &[u8]) -> Result<Vec<u8>> {
    let bad = || "not an archive".to_string();
    let (length, rest) = archive.split_first_chunk::<4>().ok_or_else(bad)?;
    let length = u32::from_le_bytes(*length) as usize;
    let (index, blocks) = rest.split_at_checked(length).ok_or_else(bad)?;
    let index = inflate(index)?;
    let mut all = Vec::new();
    for line in String::from_utf8_lossy(&index).lines() {
        let mut fields = line.split('\t');
        let mut number = || fields.next().and_then(|field| field.parse::<usize>().ok());
        let (offset, length) = number().zip(number()).ok_or_else(bad)?;
        let inflated = number().ok_or_else(bad)?;
        let block = blocks.get(offset..offset + length).ok_or_else(bad)?;
        let block = inflate(block)?;
        if block.len() != inflated {
            return Err(bad());
        }
        all.extend(fields.collect::<Vec<_>>().join("\t").into_bytes());
        all.push(b'\n');
        all.extend(block);
    }
    Ok(all)
}

fn inflate(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut inflated = Vec::new();
    let read = DeflateDecoder::new(bytes).read_to_end(&mut inflated);
    read.map_err(|error| error.to_string())?;
    Ok(inflated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_found() {
        let mut archive = Archive::default();
        archive.add(&["iam", "IAM"], "CreateUser\n").unwrap();
        archive.add(&["s3", ""], &"GetObject\n".repeat(1000)).unwrap();
        let bytes = archive.finish().unwrap();
        let all = format!("iam\tIAM\nCreateUser\ns3\t\n{}", "GetObject\n".repeat(1000));
        assert_eq!(inflated(&bytes).unwrap(), all.as_bytes());
        assert!(inflated(&bytes[..20]).is_err());
    }
}
