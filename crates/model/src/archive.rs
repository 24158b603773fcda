//! Embedded data: deflated blocks behind an index, so that looking at one service inflates only
//! that. `xtask/src/generate/archive.rs` writes it and says how it is laid out.
//!
//! What is inflated stays for the life of the process, because callers keep references into it;
//! each block is inflated at most once where its decoder keeps the result.

use flate2::read::DeflateDecoder;
use std::io::Read as _;

pub(crate) struct Archive {
    blocks: &'static [u8],
    pub(crate) entries: Vec<Entry>,
}

/// One block, as the index has it.
pub(crate) struct Entry {
    pub(crate) fields: Vec<&'static str>,
    offset: usize,
    length: usize,
    inflated: usize,
}

impl Entry {
    pub(crate) fn field(&self, number: usize) -> &'static str {
        self.fields.get(number).copied().unwrap_or_default()
    }
}

impl Archive {
    /// Reads the index. An archive that is not one has no entry: a test reads all of them.
    pub(crate) fn open(bytes: &'static [u8]) -> Archive {
        let (length, rest) = bytes.split_first_chunk::<4>().unwrap_or((&[0; 4], &[]));
        let length = u32::from_le_bytes(*length) as usize;
        let (index, blocks) = rest.split_at_checked(length).unwrap_or_default();
        // The index of the largest archive is some ten times longer inflated.
        let index: &'static str = inflate(index, length * 10).leak();
        Archive { blocks, entries: index.lines().filter_map(entry).collect() }
    }

    pub(crate) fn inflate(&self, entry: &Entry) -> String {
        let block = self.blocks.get(entry.offset..entry.offset + entry.length);
        inflate(block.unwrap_or_default(), entry.inflated)
    }
}

fn entry(line: &'static str) -> Option<Entry> {
    let mut fields = line.split('\t');
    let mut number = || fields.next()?.parse::<usize>().ok();
    let (offset, length, inflated) = (number()?, number()?, number()?);
    Some(Entry { fields: fields.collect(), offset, length, inflated })
}

fn inflate(bytes: &[u8], capacity: usize) -> String {
    let mut text = String::with_capacity(capacity);
    match DeflateDecoder::new(bytes).read_to_string(&mut text) {
        Ok(_) => text,
        Err(_) => String::new(),
    }
}
