//! The `aws-chunked` decoder.

use crate::signature::{SECRET, hex, mac};
use palisade_protocol::sigv4::{
    BodyProof, ChunkDecoder, ChunkError, ChunkLimits, ChunkSeed, Error, Payload, Proof,
    RequestParts, Rules, SigningKeys, parse, verify,
};
use sha2::{Digest, Sha256};

const SCOPE: [&str; 4] = ["20150830", "us-east-1", "s3", "aws4_request"];
const TIME: &str = "20150830T123600Z";
const NOW: i64 = 1_440_938_160;
const TRAILER: &str = "x-amz-checksum-crc32c";
const LIMITS: ChunkLimits = ChunkLimits {
    min_chunk_bytes: 4,
    max_chunk_bytes: 1 << 16,
    max_line_bytes: 256,
    max_trailer_bytes: 512,
};

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Signed,
    SignedTrailer,
    UnsignedTrailer,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Signed => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            Self::SignedTrailer => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            Self::UnsignedTrailer => "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        }
    }
}

/// Byte 0: the kind of signing, and in bit 7 whether the rest is a body as it is (0) or data to be
/// sent rightly (1). Byte 1: the declared length or the chunk's size. Byte 2: where it is cut.
/// Byte 3: which byte of a right body is broken. Then the rest.
pub fn aws_chunked(data: &[u8]) {
    let Some(([mode, size, cut, broken], rest)) = data.split_first_chunk::<4>() else { return };
    let kind = match mode & 3 {
        0 => Kind::Signed,
        1 => Kind::SignedTrailer,
        _ => Kind::UnsignedTrailer,
    };
    let cut = usize::from(*cut).max(1);
    if mode & 0x80 == 0 {
        check_cuts(kind, usize::from(*size), rest, cut);
        return;
    }
    let (seed, signature) = seed(kind, rest.len());
    let size = usize::from(*size).max(4);
    let body = encode(kind, rest, size, signature);
    let decoded = decode(decoder(seed, kind, rest.len()), &body, cut);
    let (data, end) = (decoded.0, decoded.1);
    assert_eq!((data.as_slice(), end.is_ok()), (rest, true), "{end:?}");
    let mut changed = body;
    let at = usize::from(*broken) % changed.len();
    changed[at] ^= 0x11;
    check_cuts(kind, rest.len(), &changed, cut);
    if kind != Kind::UnsignedTrailer {
        let (seed, _) = self::seed(kind, rest.len());
        let (data, end) = decode(decoder(seed, kind, rest.len()), &changed, cut);
        // What is not part of any chunk, such as the case of a size, may change; data may not.
        assert!(end.is_err() || data == rest, "a changed body is proven");
    }
}

/// However it is cut, a body gives the same data and the same answer.
fn check_cuts(kind: Kind, declared: usize, body: &[u8], cut: usize) {
    let (seed, _) = seed(kind, declared);
    let whole = decode(decoder(seed.clone(), kind, declared), body, body.len().max(1));
    let pieces = decode(decoder(seed, kind, declared), body, cut);
    assert_eq!(whole, pieces, "pieces of {cut}");
    assert!(whole.0.len() <= declared, "more data than declared");
    assert!(whole.1.is_err() || whole.0.len() == declared, "less data than declared");
}

type Decoded = (Vec<u8>, Result<Vec<(String, String)>, ChunkError>);

fn decode(mut decoder: ChunkDecoder, body: &[u8], cut: usize) -> Decoded {
    let mut data = Vec::new();
    for mut piece in body.chunks(cut) {
        loop {
            match decoder.next(&mut piece) {
                Ok(Some(run)) => {
                    assert!(!run.is_empty());
                    data.extend_from_slice(run);
                }
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.next(&mut piece), Err(error.clone()));
                    assert_eq!(decoder.finish(), Err(error.clone()));
                    return (data, Err(error));
                }
            }
        }
    }
    (data, decoder.finish())
}

/// The headers of an upload, as names and values.
fn headers(kind: Kind, declared: &str) -> Vec<(&'static str, String)> {
    let mut headers = vec![
        ("host", "s3.amazonaws.com".to_owned()),
        ("x-amz-content-sha256", kind.name().to_owned()),
        ("x-amz-date", TIME.to_owned()),
        ("x-amz-decoded-content-length", declared.to_owned()),
    ];
    if kind != Kind::Signed {
        headers.push(("x-amz-trailer", TRAILER.to_owned()));
    }
    headers
}

fn with_parts<T>(headers: &[(&str, String)], run: impl FnOnce(&RequestParts<'_>) -> T) -> T {
    let headers: Vec<(&str, &[u8])> =
        headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    run(&RequestParts {
        method: "PUT",
        path: b"/b/k",
        query: b"",
        headers: &headers,
        authority: None,
    })
}

/// The seed of a rightly signed upload, and its signature.
fn seed(kind: Kind, declared: usize) -> (ChunkSeed, String) {
    let mut headers = headers(kind, &declared.to_string());
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let (scope, names) = (SCOPE.join("/"), names.join(";"));
    let begin = format!("AWS4-HMAC-SHA256 Credential=AKID/{scope}, SignedHeaders={names}");
    let mut signature = "0".to_owned();
    headers.push(("authorization", String::new()));
    for _ in 0..2 {
        let authorization = format!("{begin}, Signature={signature}");
        headers.last_mut().expect("it was pushed").1 = authorization;
        let proven = with_parts(&headers, |parts| {
            let Ok(Proof::Signature(parsed)) = parse(parts) else { panic!("no signature") };
            let keys = SigningKeys::new(1);
            verify(&parsed, parts, SECRET, Payload::Unread, &Rules::s3(NOW), &keys)
                .map(|verified| verified.body)
        });
        match proven {
            Ok(BodyProof::Chunked(seed)) => return (*seed, signature),
            Err(Error::SignatureMismatch(mismatch)) => {
                signature = mac(&SCOPE, &mismatch.string_to_sign);
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("a right signature is refused");
}

fn decoder(seed: ChunkSeed, kind: Kind, declared: usize) -> ChunkDecoder {
    let headers = headers(kind, &declared.to_string());
    with_parts(&headers, |parts| seed.decoder(parts, LIMITS)).expect("the headers fit")
}

/// The body as a client sends it.
fn encode(kind: Kind, data: &[u8], size: usize, mut signature: String) -> Vec<u8> {
    let mut body = Vec::new();
    for chunk in data.chunks(size).chain([&[][..]]) {
        body.extend_from_slice(format!("{:x}", chunk.len()).as_bytes());
        if kind != Kind::UnsignedTrailer {
            let (empty, hash) = (hex(&Sha256::digest(b"")), hex(&Sha256::digest(chunk)));
            signature = link("PAYLOAD", &signature, &format!("{empty}\n{hash}"));
            body.extend_from_slice(format!(";chunk-signature={signature}").as_bytes());
        }
        body.extend_from_slice(b"\r\n");
        if !chunk.is_empty() {
            body.extend_from_slice(chunk);
            body.extend_from_slice(b"\r\n");
        }
    }
    if kind != Kind::Signed {
        body.extend_from_slice(format!("{TRAILER}:AAAAAA==\r\n").as_bytes());
    }
    if kind == Kind::SignedTrailer {
        let hash = hex(&Sha256::digest(format!("{TRAILER}:AAAAAA==\n")));
        let signature = link("TRAILER", &signature, &hash);
        body.extend_from_slice(format!("x-amz-trailer-signature:{signature}\r\n").as_bytes());
    }
    body.extend_from_slice(b"\r\n");
    body
}

fn link(suffix: &str, previous: &str, rest: &str) -> String {
    let scope = SCOPE.join("/");
    mac(&SCOPE, &format!("AWS4-HMAC-SHA256-{suffix}\n{TIME}\n{scope}\n{previous}\n{rest}"))
}
