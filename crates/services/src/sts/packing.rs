//! How large the policies and tags of a session are in their packed form.
//!
//! AWS packs them into a binary form with a limit of its own and publishes neither; what it answers
//! is a percentage of the limit. Here the form is DEFLATE.

use flate2::{Compression, write::DeflateEncoder};
use palisade_model::sts::PACKED_POLICY_TOO_LARGE;
use palisade_shape::Result;
use std::collections::BTreeMap;
use std::io::Write;

/// The most characters of inline and managed session policies together, as they were given (STS API
/// reference, AssumeRole).
const PLAIN_CHARACTERS_MAX: usize = 2048;
/// The most bytes of policies and tags together when packed.
const PACKED_BYTES_MAX: usize = 2048;

/// `PackedPolicySize`: the percentage used of what is allowed; none when there is nothing to pack.
pub fn percentage(
    policies: &[String],
    policy_arns: &[String],
    tags: &BTreeMap<String, String>,
) -> Result<Option<i32>> {
    let texts = || policies.iter().chain(policy_arns);
    let plain: usize = texts().map(|text| text.chars().count()).sum();
    let pairs = tags.iter().flat_map(|(key, value)| [key, value]);
    let packed = packed_bytes(texts().chain(pairs));
    if plain == 0 && tags.is_empty() {
        return Ok(None);
    }
    let of_plain = (plain * 100).div_ceil(PLAIN_CHARACTERS_MAX);
    let of_packed = (packed * 100).div_ceil(PACKED_BYTES_MAX);
    if of_plain <= 100 && of_packed <= 100 {
        return Ok(Some(i32::try_from(of_packed).unwrap_or(100)));
    }
    let percent = if of_packed > 100 { of_packed } else { of_plain };
    Err(PACKED_POLICY_TOO_LARGE.because(if plain == 0 {
        format!("Packed size of session tags consumes {percent}% of allotted space.")
    } else {
        format!("Packed policy consumes {percent}% of allotted space, please use smaller policy.")
    }))
}

fn packed_bytes<'a>(texts: impl Iterator<Item = &'a String>) -> usize {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    for text in texts {
        // Writing to a Vec cannot fail.
        let _ = encoder.write_all(text.as_bytes());
        let _ = encoder.write_all(b"\0");
    }
    encoder.finish().map_or(usize::MAX / 200, |packed| packed.len())
}
