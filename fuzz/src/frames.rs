//! The event stream decoder.

use palisade_protocol::event_stream::{Decoder, Frame, FrameError};

/// Byte 0: the size of the pieces; byte 1: how the rest is read. When it is odd, the rest is
/// frames as they are. When it is even, it is the headers' length (2 bytes) and one frame's
/// content, which gets the right lengths and checksums.
pub fn event_stream(data: &[u8]) {
    let Some(([size, mode], rest)) = data.split_first_chunk::<2>() else { return };
    let framed = if mode % 2 == 1 { rest.to_vec() } else { frame_around(rest) };
    let whole = decode(&framed, framed.len().max(1));
    let pieces = decode(&framed, usize::from(*size).max(1));
    assert_eq!(whole, pieces, "pieces of {size}");
    for frame in &whole.0 {
        let bytes = frame.encode().expect("a frame that was read can be written");
        let (again, error, partial) = decode(&bytes, bytes.len());
        assert_eq!((again.as_slice(), error, partial), (std::slice::from_ref(frame), None, false));
    }
}

fn decode(bytes: &[u8], size: usize) -> (Vec<Frame>, Option<FrameError>, bool) {
    let (mut decoder, mut frames) = (Decoder::default(), Vec::new());
    for piece in bytes.chunks(size) {
        decoder.push(piece);
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error), false),
            }
        }
    }
    (frames, None, decoder.is_partial())
}

fn frame_around(content: &[u8]) -> Vec<u8> {
    let Some((headers, content)) = content.split_first_chunk::<2>() else { return Vec::new() };
    let headers = usize::from(u16::from_be_bytes(*headers)).min(content.len());
    let mut out = Vec::with_capacity(content.len() + 16);
    out.extend(((content.len() + 16) as u32).to_be_bytes());
    out.extend((headers as u32).to_be_bytes());
    out.extend(checksum(&out));
    out.extend_from_slice(content);
    out.extend(checksum(&out));
    out
}

fn checksum(bytes: &[u8]) -> [u8; 4] {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(bytes);
    hasher.finalize().to_be_bytes()
}
