//! Where S3's buckets are addressed: in the path (`/bucket/key`) or in the host name
//! (`bucket.s3.eu-west-1.amazonaws.com`), signed or not; and what is for S3 Control, which has the
//! account in its host name (`123456789012.s3-control.eu-west-1.amazonaws.com`).

use http::request::Parts as Head;
use palisade_protocol::routes::bucket_of_host;
use palisade_services::s3::error;
use palisade_shape::Result;
use std::borrow::Cow;

/// The endpoint's own host names, before which a bucket's name may stand. Clients put the names of
/// access points and accounts before an address as well.
const DOMAINS: [&str; 3] = ["s3.localhost", "localhost", "127.0.0.1"];

/// The first label of the host name, before the endpoint's own.
fn bucket(head: &Head) -> Option<&str> {
    let field = head.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
    let host = field.or_else(|| head.uri.authority().map(|authority| authority.as_str()))?;
    bucket_of_host(host, &DOMAINS)
}

/// The path as it would be with the bucket in it. Only a call for S3 has a bucket in its host name.
pub fn path<'h>(head: &'h Head, signing_name: &str) -> Cow<'h, str> {
    let path = head.uri.path();
    match bucket(head).filter(|_| signing_name == "s3" && !is_control(head)) {
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

/// Whether a request is for S3 Control, which has the same signing name: its calls name an account
/// in a header, and are sent to no bucket.
pub fn is_control(head: &Head) -> bool {
    let named = head.headers.contains_key(ACCOUNT);
    head.uri.path().starts_with("/v20180820/") && (named || bucket(head).is_none())
}

const ACCOUNT: &str = "x-amz-account-id";

/// Refuses a call for S3 Control whose host name says another account than its header.
pub fn check_account(head: &Head) -> Result<()> {
    let Some(label) = bucket(head) else { return Ok(()) };
    let first = label.split('.').next().unwrap_or_default();
    let is_account = first.len() == 12 && first.bytes().all(|byte| byte.is_ascii_digit());
    let given = head.headers.get(ACCOUNT).map(http::HeaderValue::as_bytes);
    if is_account && given != Some(first.as_bytes()) { Err(error::denied()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(host: &str, path: &str, account: Option<&str>) -> Head {
        let mut request = http::Request::get(path).header("host", host);
        if let Some(account) = account {
            request = request.header(ACCOUNT, account);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn buckets_and_access_points_in_host_names() {
        let found = |host: &str| path(&head(host, "/k", None), "s3").into_owned();
        assert_eq!(found("localhost:4570"), "/k");
        assert_eq!(found("127.0.0.1:4570"), "/k");
        assert_eq!(found("b.localhost:4570"), "/b/k");
        assert_eq!(found("b.s3.eu-west-1.amazonaws.com"), "/b/k");
        let label = "fin-123456789012";
        assert_eq!(found(&format!("{label}.127.0.0.1:4570")), format!("/{label}/k"));
        let aws = format!("{label}.s3-accesspoint.eu-west-1.amazonaws.com");
        assert_eq!(found(&aws), format!("/{label}/k"));
    }

    #[test]
    fn accounts_in_host_names() {
        let control = "/v20180820/accesspoint";
        let (mine, other) = ("123456789012", "210987654321");
        for domain in ["localhost:4570", "127.0.0.1:4570", "s3-control.eu-west-1.amazonaws.com"] {
            let host = format!("{mine}.{domain}");
            let found = head(&host, control, Some(mine));
            assert_eq!(path(&found, "s3"), control);
            assert!(check_account(&found).is_ok());
            assert!(check_account(&head(&host, control, Some(other))).is_err());
        }
        assert!(check_account(&head("localhost", control, Some(other))).is_ok());
        // A bucket may hold objects whose keys begin so.
        assert_eq!(path(&head("b.localhost", control, None), "s3"), format!("/b{control}"));
    }
}
