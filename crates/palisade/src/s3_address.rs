//! Where S3's buckets are addressed: in the path (`/bucket/key`) or in the host name
//! (`bucket.s3.eu-west-1.amazonaws.com`), signed or not.

use http::request::Parts as Head;
use palisade_protocol::routes::bucket_of_host;
use std::borrow::Cow;

/// The endpoint's own host names, before which a bucket's name may stand.
const DOMAINS: [&str; 2] = ["s3.localhost", "localhost"];

/// The bucket in the host name.
fn bucket(head: &Head) -> Option<&str> {
    let field = head.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
    let host = field.or_else(|| head.uri.authority().map(|authority| authority.as_str()))?;
    bucket_of_host(host, &DOMAINS)
}

/// The path as it would be with the bucket in it. Only a call for S3 has a bucket in its host name.
pub fn path<'h>(head: &'h Head, signing_name: &str) -> Cow<'h, str> {
    let path = head.uri.path();
    match bucket(head).filter(|_| signing_name == "s3") {
        Some(bucket) => Cow::Owned(format!("/{bucket}{path}")),
        None => Cow::Borrowed(path),
    }
}

/// Whether a request that nobody signed can only be for S3: it names a bucket.
pub fn is_for(head: &Head) -> bool {
    if bucket(head).is_some() {
        return true;
    }
    let first = head.uri.path().trim_start_matches('/').split('/').next().unwrap_or_default();
    let allowed = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-')
    };
    (3..=63).contains(&first.len())
        && first.bytes().all(allowed)
        && first.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
}

/// Whether a path is one of S3 Control, which has the same signing name.
pub fn is_control(path: &str) -> bool {
    path.starts_with("/v20180820/")
}
