//! Which names a bucket may have.
//!
//! Source: Amazon S3 User Guide, "General purpose bucket naming rules".

use super::error::INVALID_BUCKET_NAME;
use palisade_shape::Result;

const PREFIXES: [&str; 4] = ["xn--", "sthree-", "amzn-s3-demo-", "sthree-configurator"];
const SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

/// Refuses a name that a new bucket cannot have.
pub fn check(name: &str) -> Result<()> {
    if is_valid(name) {
        return Ok(());
    }
    Err(INVALID_BUCKET_NAME.because("The specified bucket is not valid.").with("BucketName", name))
}

fn is_valid(name: &str) -> bool {
    let allowed = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-')
    };
    let bytes = name.as_bytes();
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    (3..=63).contains(&bytes.len())
        && bytes.iter().copied().all(allowed)
        && ends(bytes.first())
        && ends(bytes.last())
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err()
        && !PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        && !SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in ["abc", "productionapp", "a.b-c", "1-2", &"a".repeat(63), "12.34.56"] {
            assert!(is_valid(name), "{name}");
        }
        let long = "a".repeat(64);
        let wrong = [
            "ab",
            "",
            &long,
            "Abc",
            "a_b",
            "-ab",
            "ab-",
            "a..b",
            "192.168.5.4",
            "xn--abc",
            "abc-s3alias",
            "abc--ol-s3",
            "äbc",
        ];
        for name in wrong {
            assert!(!is_valid(name), "{name}");
        }
    }
}
