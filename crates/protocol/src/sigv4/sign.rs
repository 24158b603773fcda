//! Signing requests: what a client does, and the gateway towards its backends.
//!
//! Rules: IAM User Guide, "Create a signed AWS API request".

use super::canonical::{Canonical, Path, sorted_names};
use super::request::RequestParts;
use super::signing_key::{hmac_key, mac};
use super::{Timestamp, hex};
use sha2::{Digest, Sha256};

/// Who signs, for which service, and when.
pub struct Signing<'a> {
    pub access_key_id: &'a str,
    pub secret_access_key: &'a str,
    pub region: &'a str,
    /// The signing name of the service: `organizations`.
    pub service: &'a str,
    pub at: Timestamp,
}

impl Signing<'_> {
    /// The `Authorization` header of a request. `parts` must hold `Host`, `X-Amz-Date` with
    /// [`Signing::at`] and all other headers that are to be signed; every header is.
    ///
    /// S3 wants its path unnormalized and the hash of the body in `X-Amz-Content-SHA256`.
    pub fn authorization(&self, parts: &RequestParts, body: &[u8]) -> String {
        let names: Vec<String> =
            parts.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        let signed_headers = names.join(";");
        let s3 = self.service == "s3";
        let payload_hash = hex::encode(&Sha256::digest(body));
        let canonical = Canonical {
            path: if s3 { Path::Unnormalized } else { Path::Normalized },
            signed_headers: &sorted_names(&signed_headers),
            payload_hash: payload_hash.as_bytes(),
            skip_security_token: false,
        };
        let scope = format!("{}/{}/{}/aws4_request", self.at.day(), self.region, self.service);
        let text = format!(
            "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
            self.at.basic(),
            hex::encode(&Sha256::digest(canonical.write(parts)))
        );
        let secret = self.secret_access_key.as_bytes();
        let key = hmac_key(secret, self.at.day(), self.region, self.service);
        let signature = hex::encode(&mac(key, text.as_bytes()));
        format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed_headers}, \
             Signature={signature}",
            self.access_key_id
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Payload, Proof, Rules, SigningKeys, parse, verify};
    use super::*;
    use proptest::prelude::*;

    const AT: i64 = 1_440_938_160;

    proptest! {
        /// What is signed here is proven there, and nothing else is.
        #[test]
        fn what_is_signed_is_proven(
            path in "/[a-z%2F./ ~é]{0,20}",
            query in "([a-z]{1,3}=[a-z+%]{0,3}&){0,3}",
            value in "[ -~]{0,20}",
            body in "[a-z]{0,20}",
            service in "(s3|iam)",
        ) {
            let at = Timestamp::from_seconds(AT).unwrap();
            let hash = hex::encode(&Sha256::digest(body.as_bytes()));
            let date = at.basic().to_owned();
            let headers = vec![
                ("Host", b"localhost".as_slice()),
                ("X-Amz-Date", date.as_bytes()),
                ("X-Amz-Content-SHA256", hash.as_bytes()),
                ("x-amz-meta-some", value.as_bytes()),
            ];
            let parts = |headers| RequestParts {
                method: "PUT",
                path: path.as_bytes(),
                query: query.as_bytes(),
                headers,
                authority: None,
            };
            let signing = Signing {
                access_key_id: "AKIDEXAMPLE",
                secret_access_key: "a secret",
                region: "us-east-1",
                service: &service,
                at,
            };
            let authorization = signing.authorization(&parts(&headers), body.as_bytes());
            let proof = ("Authorization", authorization.as_bytes());
            let headers: Vec<_> = headers.iter().copied().chain([proof]).collect();
            let parts = parts(&headers);
            let Ok(Proof::Signature(parsed)) = parse(&parts) else { panic!("no signature") };
            let rules = if service == "s3" { Rules::s3(AT) } else { Rules::standard(AT) };
            let proves = |secret: &[u8], body: &[u8]| {
                let keys = SigningKeys::new(8);
                verify(&parsed, &parts, secret, Payload::Body(body), &rules, &keys).is_ok()
            };
            prop_assert!(proves(b"a secret", body.as_bytes()));
            prop_assert!(!proves(b"another", body.as_bytes()));
            prop_assert!(!proves(b"a secret", b"Another"));
        }
    }
}
