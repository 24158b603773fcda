//! Checksums of objects and parts: the algorithms, and how those of parts make that of an object.
//!
//! Source: Amazon S3 User Guide, "Checking object integrity".

use super::error::{BAD_DIGEST, INVALID_REQUEST};
use super::member;
use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use crc_fast::CrcAlgorithm;
use md5::{Digest as _, Md5};
use palisade_shape::{Result, Shape};
use serde::{Deserialize, Serialize};
use xxhash_rust::{xxh3::Xxh3Default, xxh64::Xxh64};

/// An algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Algorithm {
    Crc32,
    Crc32C,
    Crc64Nvme,
    Sha1,
    Sha256,
    Sha512,
    Md5,
    Xxhash64,
    Xxhash3,
    Xxhash128,
}

use Algorithm::{
    Crc32, Crc32C, Crc64Nvme, Md5 as Md5Sum, Sha1, Sha256, Sha512, Xxhash3, Xxhash64, Xxhash128,
};

/// All of them, with their names in requests and the members that hold their values.
pub const ALGORITHMS: [(Algorithm, &str, &str); 10] = [
    (Crc32, "CRC32", "ChecksumCRC32"),
    (Crc32C, "CRC32C", "ChecksumCRC32C"),
    (Crc64Nvme, "CRC64NVME", "ChecksumCRC64NVME"),
    (Sha1, "SHA1", "ChecksumSHA1"),
    (Sha256, "SHA256", "ChecksumSHA256"),
    (Sha512, "SHA512", "ChecksumSHA512"),
    (Md5Sum, "MD5", "ChecksumMD5"),
    (Xxhash64, "XXHASH64", "ChecksumXXHASH64"),
    (Xxhash3, "XXHASH3", "ChecksumXXHASH3"),
    (Xxhash128, "XXHASH128", "ChecksumXXHASH128"),
];

/// What S3 calls a checksum over all bytes.
pub const FULL_OBJECT: &str = "FULL_OBJECT";
/// What it calls a checksum of the parts' checksums.
pub const COMPOSITE: &str = "COMPOSITE";

impl Algorithm {
    pub fn named(name: &str) -> Option<Self> {
        let mut all = ALGORITHMS.iter();
        all.find(|(_, known, _)| known.eq_ignore_ascii_case(name)).map(|(algorithm, ..)| *algorithm)
    }

    fn row(self) -> (&'static str, &'static str) {
        let mut all = ALGORITHMS.iter();
        let found = all.find(|(algorithm, ..)| *algorithm == self);
        found.map_or(("", ""), |(_, name, member)| (name, member))
    }

    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// The member of S3's shapes that holds its value.
    pub fn member(self) -> &'static str {
        self.row().1
    }

    /// Those whose value over all bytes follows from the parts' values.
    pub fn combines(self) -> Option<CrcAlgorithm> {
        match self {
            Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Crc32C => Some(CrcAlgorithm::Crc32Iscsi),
            Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
            _ => None,
        }
    }
}

/// A checksum on its way.
pub enum Running {
    Crc(Box<crc_fast::Digest>, usize),
    Sha(digest::Context),
    Md5(Md5),
    Xxh64(Xxh64),
    Xxh3(Box<Xxh3Default>, bool),
}

impl Running {
    pub fn new(algorithm: Algorithm) -> Self {
        let sha = |algorithm| Self::Sha(digest::Context::new(algorithm));
        let crc = |algorithm, bytes| Self::Crc(Box::new(crc_fast::Digest::new(algorithm)), bytes);
        match algorithm {
            Crc32 => crc(CrcAlgorithm::Crc32IsoHdlc, 4),
            Crc32C => crc(CrcAlgorithm::Crc32Iscsi, 4),
            Crc64Nvme => crc(CrcAlgorithm::Crc64Nvme, 8),
            Sha1 => sha(&digest::SHA1_FOR_LEGACY_USE_ONLY),
            Sha256 => sha(&digest::SHA256),
            Sha512 => sha(&digest::SHA512),
            Md5Sum => Self::Md5(Md5::new()),
            Xxhash64 => Self::Xxh64(Xxh64::new(0)),
            Xxhash3 => Self::Xxh3(Box::default(), false),
            Xxhash128 => Self::Xxh3(Box::default(), true),
        }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc(crc, _) => crc.update(bytes),
            Self::Sha(sha) => sha.update(bytes),
            Self::Md5(md5) => md5.update(bytes),
            Self::Xxh64(hash) => hash.update(bytes),
            Self::Xxh3(hash, _) => hash.update(bytes),
        }
    }

    pub fn finish(self) -> Vec<u8> {
        match self {
            Self::Crc(crc, bytes) => crc_bytes(crc.finalize(), bytes),
            Self::Sha(sha) => sha.finish().as_ref().to_vec(),
            Self::Md5(md5) => md5.finalize().to_vec(),
            Self::Xxh64(hash) => hash.digest().to_be_bytes().to_vec(),
            Self::Xxh3(hash, false) => hash.digest().to_be_bytes().to_vec(),
            Self::Xxh3(hash, true) => hash.digest128().to_be_bytes().to_vec(),
        }
    }
}

/// The last `bytes` bytes, big-endian.
fn crc_bytes(value: u64, bytes: usize) -> Vec<u8> {
    value.to_be_bytes().into_iter().skip(8_usize.saturating_sub(bytes)).collect()
}

/// A checksum as it is stored with an object or a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksum {
    pub algorithm: Algorithm,
    /// Base64; of a composite one with `-` and the number of parts.
    pub value: String,
    pub composite: bool,
}

impl Checksum {
    pub fn of_type(&self) -> &'static str {
        if self.composite { COMPOSITE } else { FULL_OBJECT }
    }

    /// Writes value and type into an output.
    pub fn tell(&self, output: &mut dyn Shape) {
        member::set(output, self.algorithm.member(), &self.value);
        member::set(output, "ChecksumType", self.of_type());
    }
}

/// The checksums that a request declares.
pub fn declared(input: &dyn Shape) -> Vec<(Algorithm, String)> {
    let value = |(algorithm, _, name): &(Algorithm, &str, &str)| {
        Some((*algorithm, member::text(input, name)?))
    };
    ALGORITHMS.iter().filter_map(value).collect()
}

/// Refuses a declared value that is none of its algorithm, or another than was computed.
pub fn check(algorithm: Algorithm, declared: &str, computed: &[u8]) -> Result<()> {
    let name = algorithm.name();
    let bytes = STANDARD.decode(declared).ok().filter(|bytes| bytes.len() == computed.len());
    let Some(bytes) = bytes else {
        let header = format!("x-amz-checksum-{}", name.to_ascii_lowercase());
        return Err(INVALID_REQUEST.because(format!("Value for {header} header is invalid.")));
    };
    if bytes == computed {
        return Ok(());
    }
    Err(BAD_DIGEST
        .because(format!("The {name} you specified did not match the calculated checksum.")))
}

/// The checksum of an object made of parts: (value, size) of each, in order. None when a part has
/// none, or when the kind is not one that the algorithm has.
pub fn of_parts(
    algorithm: Algorithm,
    composite: bool,
    parts: &[(String, u64)],
) -> Option<Checksum> {
    let decode = |value: &String| STANDARD.decode(value).ok();
    if composite {
        let mut running = Running::new(algorithm);
        for (value, _) in parts {
            running.update(&decode(value)?);
        }
        let value = format!("{}-{}", STANDARD.encode(running.finish()), parts.len());
        return Some(Checksum { algorithm, value, composite });
    }
    let crc = algorithm.combines()?;
    let width = if algorithm == Crc64Nvme { 8 } else { 4 };
    let mut whole: Option<u64> = None;
    for (value, size) in parts {
        let bytes = decode(value)?;
        let part = bytes.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        whole = Some(match whole {
            None => part,
            Some(whole) => crc_fast::checksum_combine(crc, whole, part, *size),
        });
    }
    let value = STANDARD.encode(crc_bytes(whole?, width));
    Some(Checksum { algorithm, value, composite })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(algorithm: Algorithm, bytes: &[u8]) -> String {
        let mut running = Running::new(algorithm);
        running.update(bytes);
        STANDARD.encode(running.finish())
    }

    #[test]
    fn the_check_values_of_123456789() {
        // Source: Catalogue of parametrised CRC algorithms; RFC 1321; FIPS 180.
        assert_eq!(of(Crc32, b"123456789"), STANDARD.encode(0xcbf4_3926_u32.to_be_bytes()));
        assert_eq!(of(Crc32C, b"123456789"), STANDARD.encode(0xe306_9283_u32.to_be_bytes()));
        let nvme = 0xae8b_1486_0a79_9888_u64.to_be_bytes();
        assert_eq!(of(Crc64Nvme, b"123456789"), STANDARD.encode(nvme));
        assert_eq!(of(Md5Sum, b""), "1B2M2Y8AsgTpgAmY7PhCfg==");
        assert_eq!(of(Sha1, b""), "2jmj7l5rSw0yVb/vlWAYkK/YBwk=");
        assert_eq!(of(Xxhash64, b""), STANDARD.encode(0xef46_db37_51d8_e999_u64.to_be_bytes()));
    }

    #[test]
    fn parts_combine_to_the_checksum_of_the_whole() {
        for (algorithm, ..) in ALGORITHMS {
            let parts = [of(algorithm, b"1234"), of(algorithm, b"56789")];
            let sized = [(parts[0].clone(), 4), (parts[1].clone(), 5)];
            let whole = of_parts(algorithm, false, &sized);
            match algorithm.combines() {
                Some(_) => assert_eq!(whole.unwrap().value, of(algorithm, b"123456789")),
                None => assert_eq!(whole, None),
            }
            let composite = of_parts(algorithm, true, &sized).unwrap();
            assert!(composite.value.ends_with("-2"), "{composite:?}");
        }
    }

    #[test]
    fn declared_values_are_checked() {
        let right = STANDARD.decode(of(Crc32, b"a")).unwrap();
        assert!(check(Crc32, &of(Crc32, b"a"), &right).is_ok());
        let wrong = check(Crc32, &of(Crc32, b"b"), &right).unwrap_err();
        assert_eq!(wrong.code.code, "BadDigest");
        let broken = check(Crc32, "%%%", &right).unwrap_err();
        assert_eq!(broken.code.code, "InvalidRequest");
    }
}
