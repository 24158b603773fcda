//! Standard base64 with padding (RFC 4648, section 4), as all AWS protocols use.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;

pub fn push(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    let length = bytes.len().div_ceil(3) * 4;
    out.resize(start + length, 0);
    if let Some(space) = out.get_mut(start..) {
        // The space is as long as the encoding: this cannot fail.
        let written = STANDARD.encode_slice(bytes, space).unwrap_or(0);
        out.truncate(start + written);
    }
}

pub fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}
