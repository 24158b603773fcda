//! Requests signed ahead of time, as bytes ready for a socket.

use bytes::Bytes;
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

/// An access key.
#[derive(Clone, Debug)]
pub struct AccessKey {
    pub id: String,
    pub secret: String,
}

/// One service at one address, and the key that signs for it. The derived key is made once.
pub struct Signer {
    host: String,
    key_id: String,
    scope: String,
    time: String,
    derived: [u8; 32],
}

const REGION: &str = "us-east-1";

impl Signer {
    /// Signs as of now; AWS and Palisade take such a request for a quarter of an hour.
    pub fn new(key: &AccessKey, service: &str, host: &str) -> Self {
        let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let day = time.get(..8).unwrap_or_default();
        let secret = format!("AWS4{}", key.secret);
        let mut derived = mac(secret.as_bytes(), day.as_bytes());
        for part in [REGION, service, "aws4_request"] {
            derived = mac(&derived, part.as_bytes());
        }
        Self {
            host: host.to_owned(),
            key_id: key.id.clone(),
            scope: format!("{day}/{REGION}/{service}/aws4_request"),
            time,
            derived,
        }
    }

    /// `POST /` with a form, as botocore sends it.
    pub fn form(&self, form: &str) -> Bytes {
        let Self { host, key_id, scope, time, derived } = self;
        let kind = "application/x-www-form-urlencoded; charset=utf-8";
        let names = "content-type;host;x-amz-date";
        let headers = format!("content-type:{kind}\nhost:{host}\nx-amz-date:{time}\n");
        let body_hash = hex(&Sha256::digest(form.as_bytes()));
        let canonical = format!("POST\n/\n\n{headers}\n{names}\n{body_hash}");
        let canonical_hash = hex(&Sha256::digest(canonical.as_bytes()));
        let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{canonical_hash}");
        let signature = hex(&mac(derived, to_sign.as_bytes()));
        Bytes::from(format!(
            "POST / HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: identity\r\n\
             Content-Type: {kind}\r\n\
             User-Agent: Boto3/1.43.11 md/Botocore#1.43.11 ua/2.1 os/linux lang/python#3.11\r\n\
             X-Amz-Date: {time}\r\namz-sdk-invocation-id: 7f5e2f0e-58a5-4a0f-9a3c-0f6c1d3d9f42\r\n\
             amz-sdk-request: attempt=1\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential={key_id}/{scope}, SignedHeaders={names}, Signature={signature}\r\n\
             Content-Length: {}\r\n\r\n{form}",
            form.len()
        ))
    }
}

fn mac(key: &[u8], message: &[u8]) -> [u8; 32] {
    // HMAC takes keys of any length: this constructor fails for none.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.update(message);
    mac.finalize().into_bytes().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
