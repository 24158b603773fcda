//! Bodies built here chunk by chunk, whole, cut in any way, and broken.

use p256::ecdsa::Signature;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::test_request::{SECRET, mac};
use super::*;

const SCOPE: &str = "20150830/us-east-1/s3/aws4_request";
const ECDSA_SCOPE: &str = "20150830/s3/aws4_request";
const TRAILER: &str = "x-amz-checksum-crc32c";

/// A seed as [`verify`] would make it, and what signs its chunks.
struct Upload {
    signing: ChunkSigning,
    declared_bytes: usize,
    signature: String,
    body: Vec<u8>,
}

/// The data and the trailing headers of a body.
type Decoded = (Vec<u8>, Vec<(String, String)>);

fn hash(data: &[u8]) -> String {
    hex::encode(&Sha256::digest(data))
}

impl Upload {
    fn new(signing: ChunkSigning, chunks: &[&[u8]]) -> Self {
        let declared_bytes = chunks.iter().map(|chunk| chunk.len()).sum();
        let mut upload =
            Self { signing, declared_bytes, signature: "seed".to_owned(), body: Vec::new() };
        for chunk in chunks {
            upload.chunk(chunk);
            upload.body.extend_from_slice(chunk);
            upload.body.extend_from_slice(b"\r\n");
        }
        upload.chunk(b"");
        if signing.has_trailer() {
            upload.trailer("abc=");
        } else {
            upload.body.extend_from_slice(b"\r\n");
        }
        upload
    }

    fn names(&self) -> (&'static str, &'static str) {
        match self.signing {
            ChunkSigning::Ecdsa { .. } => ("AWS4-ECDSA-P256-SHA256", ECDSA_SCOPE),
            _ => ("AWS4-HMAC-SHA256", SCOPE),
        }
    }

    /// Signs the next link of the chain, by AWS's description of it.
    fn sign(&mut self, suffix: &str, rest: &str) -> String {
        let (algorithm, scope) = self.names();
        let text = format!(
            "{algorithm}-{suffix}\n20150830T123600Z\n{scope}\n{}\n{rest}",
            self.signature.trim_end_matches('*')
        );
        self.signature = match self.signing {
            ChunkSigning::Ecdsa { .. } => {
                let secret = asymmetric::secret_key(SECRET, "AKIDEXAMPLE").unwrap();
                let key = p256::ecdsa::SigningKey::from(secret);
                let signature: Signature = key.sign_prehash(&Sha256::digest(&text)).unwrap();
                format!("{:*<144}", hex::encode(signature.to_der().as_bytes()))
            }
            _ => mac(scope, &text),
        };
        self.signature.clone()
    }

    fn chunk(&mut self, data: &[u8]) {
        let header = if self.signing.signed() {
            let rest = format!("{}\n{}", hash(b""), hash(data));
            let signature = self.sign("PAYLOAD", &rest);
            format!("{:x};chunk-signature={signature}\r\n", data.len())
        } else {
            format!("{:x}\r\n", data.len())
        };
        self.body.extend_from_slice(header.as_bytes());
    }

    fn trailer(&mut self, value: &str) {
        self.body.extend_from_slice(format!("{TRAILER}:{value}\r\n").as_bytes());
        if self.signing.signed() {
            let signature = self.sign("TRAILER", &hash(format!("{TRAILER}:{value}\n").as_bytes()));
            let line = format!("x-amz-trailer-signature:{signature}\r\n");
            self.body.extend_from_slice(line.as_bytes());
        }
        self.body.extend_from_slice(b"\r\n");
    }

    fn decoder(&self) -> Result<ChunkDecoder, ChunkError> {
        let (algorithm, scope) = self.names();
        let authorization = format!(
            "{algorithm} Credential=AKIDEXAMPLE/{scope}, SignedHeaders=host, Signature=seed"
        );
        let length = self.declared_bytes.to_string();
        let mut headers: Vec<(&str, &[u8])> = vec![
            ("host", b"h"),
            ("x-amz-date", b"20150830T123600Z"),
            ("x-amz-region-set", b"*"),
            ("x-amz-decoded-content-length", length.as_bytes()),
            ("authorization", authorization.as_bytes()),
        ];
        if self.signing.has_trailer() {
            headers.push(("x-amz-trailer", TRAILER.as_bytes()));
        }
        let parts = RequestParts {
            method: "PUT",
            path: b"/b/k",
            query: b"",
            headers: &headers,
            authority: None,
        };
        let Proof::Signature(parsed) = parse(&parts).unwrap() else { panic!("no signature") };
        let key = signing_key::Key::derive(&parsed, SECRET).unwrap();
        ChunkSeed::new(self.signing, &parsed, key).decoder(&parts, ChunkLimits::default())
    }

    /// Feeds `pieces` and returns the data and the trailers.
    fn decode<'p>(&self, pieces: impl Iterator<Item = &'p [u8]>) -> Result<Decoded, ChunkError> {
        let mut decoder = self.decoder()?;
        let mut data = Vec::new();
        for mut piece in pieces {
            while let Some(run) = decoder.next(&mut piece)? {
                assert!(!run.is_empty());
                data.extend_from_slice(run);
            }
        }
        Ok((data, decoder.finish()?))
    }

    fn code(&self, body: &[u8]) -> String {
        match self.decode(std::iter::once(body)) {
            Ok((data, _)) => format!("ok, {} bytes", data.len()),
            Err(error) => Error::from(error).answer(Dialect::S3).code.to_owned(),
        }
    }
}

const ALL: [ChunkSigning; 5] = [
    ChunkSigning::Hmac { trailer: false },
    ChunkSigning::Hmac { trailer: true },
    ChunkSigning::Ecdsa { trailer: false },
    ChunkSigning::Ecdsa { trailer: true },
    ChunkSigning::UnsignedTrailer,
];

fn data(bytes: usize) -> Vec<u8> {
    (0_u8..=250).cycle().take(bytes).collect()
}

#[test]
fn every_kind_is_read() {
    let (first, last) = (data(8192), data(100));
    for signing in ALL {
        let upload = Upload::new(signing, &[&first, &last]);
        let (read, trailers) = upload.decode(upload.body.chunks(usize::MAX)).unwrap();
        assert_eq!(read, [first.clone(), last.clone()].concat());
        let expected = [(TRAILER.to_owned(), "abc=".to_owned())];
        assert_eq!(trailers, &expected[..usize::from(signing.has_trailer())]);
        let empty = Upload::new(signing, &[]);
        assert_eq!(empty.code(&empty.body), "ok, 0 bytes");
    }
}

#[test]
fn every_prefix_is_incomplete() {
    for signing in ALL {
        let upload = Upload::new(signing, &[&data(300)]);
        // Verifying 4A is slow; a prefix in the data says as much as its neighbour.
        let step = if matches!(signing, ChunkSigning::Ecdsa { .. }) { 23 } else { 1 };
        for length in (0..upload.body.len()).step_by(step) {
            assert_eq!(upload.code(&upload.body[..length]), "IncompleteBody", "{length}");
        }
    }
}

#[test]
fn every_changed_byte_is_noticed() {
    for signing in ALL {
        let upload = Upload::new(signing, &[&data(40)]);
        let step = if matches!(signing, ChunkSigning::Ecdsa { .. }) { 17 } else { 1 };
        for at in (0..upload.body.len()).step_by(step) {
            let mut body = upload.body.clone();
            body[at] ^= 1;
            let original = upload.decode(upload.body.chunks(usize::MAX)).unwrap();
            match upload.decode(std::iter::once(&*body)) {
                Err(_) => {}
                // Without signatures it is the checksum's task to notice changed data.
                Ok(read) if signing == ChunkSigning::UnsignedTrailer => assert_ne!(read, original),
                Ok(_) => panic!("{signing:?}: byte {at} can be changed"),
            }
        }
    }
}

#[test]
fn broken_bodies_in_the_words_of_s3() {
    let hmac = ChunkSigning::Hmac { trailer: false };
    let upload = Upload::new(hmac, &[&data(9000), &data(10)]);
    let text = |body: &[u8]| String::from_utf8_lossy(body).into_owned();
    assert_eq!(upload.code(&upload.body), "ok, 9010 bytes");
    assert_eq!(upload.code(&[&*upload.body, b"x"].concat()), "IncompleteBody");
    let small = Upload::new(hmac, &[&data(8191), &data(10)]);
    assert_eq!(small.code(&small.body), "InvalidChunkSizeError");
    let mut short = Upload::new(hmac, &[&data(9000)]);
    short.declared_bytes += 1;
    assert_eq!(short.code(&short.body), "IncompleteBody");
    short.declared_bytes -= 2;
    assert_eq!(short.code(&short.body), "IncompleteBody");

    let mut huge = Upload::new(hmac, &[]);
    huge.declared_bytes = usize::MAX;
    assert_eq!(huge.code(b"fffffffffff;chunk-signature=0\r\n"), "EntityTooLarge");
    assert_eq!(huge.code(b"10000000000000000;chunk-signature=0\r\n"), "IncompleteBody");
    assert_eq!(huge.code(b"-1;chunk-signature=0\r\n"), "IncompleteBody");
    assert_eq!(huge.code(b"\r\n"), "IncompleteBody");
    assert_eq!(huge.code(&[b'0'; 100_000]), "IncompleteBody");
    let empty = Upload::new(hmac, &[]);
    assert_eq!(empty.code(b"0\r\n\r\n"), "SignatureDoesNotMatch");
    assert_eq!(empty.code(b"0;chunk-signature=00\r\n\r\n"), "SignatureDoesNotMatch");
    assert_eq!(empty.code(text(&empty.body).replace("\r\n", "\n").as_bytes()), "IncompleteBody");

    let signed = Upload::new(ChunkSigning::Hmac { trailer: true }, &[&data(10)]);
    let change = |from: &str, to: &str| {
        let changed = text(&signed.body).replace(from, to);
        assert_ne!(changed, text(&signed.body));
        signed.code(changed.as_bytes())
    };
    assert_eq!(change("abc=", "abd="), "SignatureDoesNotMatch");
    assert_eq!(change("x-amz-trailer-signature:", "x-amz-other:"), "MalformedTrailerError");
    assert_eq!(change("crc32c", "crc32"), "MalformedTrailerError");
    assert_eq!(change("crc32c:", "crc32c"), "MalformedTrailerError");
    assert_eq!(change("x-amz-checksum-crc32c:abc=\r\n", ""), "MalformedTrailerError");
    let unsigned = Upload::new(ChunkSigning::UnsignedTrailer, &[&data(10)]);
    let body = text(&unsigned.body);
    let twice = "x-amz-checksum-crc32c:abc=\r\nx-amz-checksum-crc32c:abc=";
    let body = body.replace("x-amz-checksum-crc32c:abc=", twice);
    assert_eq!(unsigned.code(body.as_bytes()), "MalformedTrailerError");
    assert_eq!(unsigned.code(b"a\r\n0123456789\r\n0\r\n\r\n"), "MalformedTrailerError");
    let mut endless = b"a\r\n0123456789\r\n0\r\nx-amz-checksum-crc32c:".to_vec();
    endless.extend(std::iter::repeat_n(b'a', 100_000));
    assert_eq!(unsigned.code(&endless), "IncompleteBody");
}

#[test]
fn an_error_stays() {
    let upload = Upload::new(ChunkSigning::Hmac { trailer: false }, &[&data(10)]);
    let mut decoder = upload.decoder().unwrap();
    let mut broken: &[u8] = b"zz\r\n";
    assert!(decoder.next(&mut broken).is_err());
    let mut right: &[u8] = &upload.body;
    assert!(decoder.next(&mut right).is_err());
    assert!(decoder.finish().is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_split_gives_the_same(kind in 0..5_usize, sizes in sizes(), cuts in cuts()) {
        let chunks: Vec<_> = sizes.iter().map(|bytes| data(*bytes)).collect();
        let slices: Vec<_> = chunks.iter().map(Vec::as_slice).collect();
        let upload = Upload::new(ALL[kind], &slices);
        let whole = upload.decode(std::iter::once(&*upload.body));
        prop_assert!(whole.is_ok());
        prop_assert_eq!(upload.decode(pieces(&upload.body, &cuts)), whole);
    }

    #[test]
    fn any_bytes_in_any_split_give_the_same(
        kind in 0..5_usize,
        body in proptest::collection::vec(any::<u8>(), 0..300),
        framed in "([0-9a-f]{0,3}(;chunk-signature=[0-9a-f*]{0,3})?\r?\n[a-z:]{0,20}(\r\n)?){0,6}",
        cuts in cuts(),
    ) {
        let mut upload = Upload::new(ALL[kind], &[]);
        upload.declared_bytes = 20;
        for body in [&body, framed.as_bytes()] {
            let whole = upload.decode(std::iter::once(body));
            prop_assert_eq!(upload.decode(pieces(body, &cuts)), whole);
        }
    }
}

/// Sizes of which all but the last are large enough for S3.
fn sizes() -> impl Strategy<Value = Vec<usize>> {
    (proptest::collection::vec(8192..9000_usize, 0..3), 1..8192_usize)
        .prop_map(|(large, last)| [large, vec![last]].concat())
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(1..2000_usize, 1..20)
}

/// Cuts `body` into pieces of the given lengths, over and over.
fn pieces<'b>(body: &'b [u8], cuts: &[usize]) -> impl Iterator<Item = &'b [u8]> {
    let mut lengths = cuts.iter().copied().cycle();
    let mut rest = body;
    std::iter::from_fn(move || {
        let length = lengths.next()?.min(rest.len());
        let (piece, after) = rest.split_at(length);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}
