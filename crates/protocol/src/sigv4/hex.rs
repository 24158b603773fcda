//! Lower-case hexadecimal, as signatures and payload hashes are written.

const DIGITS: [u8; 16] = *b"0123456789abcdef";

/// Writes `bytes` as lower-case hexadecimal digits behind `out`.
pub(super) fn push(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(bytes.len() * 2);
    for byte in bytes {
        out.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
}

/// Returns `bytes` as a string of lower-case hexadecimal digits.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(digit(byte >> 4)));
        text.push(char::from(digit(byte & 15)));
    }
    text
}

/// Reads exactly 64 hexadecimal digits of either case.
pub(super) fn decode_hash(text: &[u8]) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(text.chunks_exact(2)) {
        *byte = pair_value(pair)?;
    }
    Some(hash)
}

/// Reads any even number of hexadecimal digits of either case.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.chunks_exact(2).map(pair_value).collect()
}

/// The value of one hexadecimal digit of either case.
pub(super) fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

fn pair_value(pair: &[u8]) -> Option<u8> {
    match pair {
        [high, low] => Some(value(*high)? << 4 | value(*low)?),
        _ => None,
    }
}

fn digit(value: u8) -> u8 {
    DIGITS.get(usize::from(value)).copied().unwrap_or(b'0')
}
