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

    /// A call of a service that speaks JSON 1.1.
    pub fn json(&self, target: &str, body: &str) -> Bytes {
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)];
        let hash = hex(&Sha256::digest(body.as_bytes()));
        let head = self.head(("POST", "/"), &headers, &hash, body.len() as u64);
        Bytes::from(head + body)
    }

    /// An S3 request with a small body, whose hash is signed.
    pub fn object(&self, method: &str, target: &str, body: &[u8]) -> Bytes {
        let hash = hex(&Sha256::digest(body));
        let head = self.head((method, target), &[], &hash, body.len() as u64);
        Bytes::from([head.as_bytes(), body].concat())
    }

    /// The head of an S3 request whose body follows and is not signed.
    pub fn unsigned(&self, method: &str, target: &str, length: u64) -> String {
        self.head((method, target), &[], "UNSIGNED-PAYLOAD", length)
    }

    /// `target` is a path and a query whose names are sorted, both encoded; `more` is sorted and
    /// stands before `host` or behind `x-amz-date`.
    fn head(
        &self,
        (method, target): (&str, &str),
        more: &[(&str, &str)],
        payload_hash: &str,
        length: u64,
    ) -> String {
        let Self { host, key_id, scope, time, derived } = self;
        let mut headers: Vec<(&str, &str)> = more.to_vec();
        headers.extend([("host", host.as_str()), ("x-amz-content-sha256", payload_hash)]);
        headers.push(("x-amz-date", time));
        headers.sort_unstable();
        let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let lines: String =
            headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let (path, query) = canonical_query(target);
        let canonical = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{payload_hash}");
        let canonical_hash = hex(&Sha256::digest(canonical.as_bytes()));
        let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{canonical_hash}");
        let signature = hex(&mac(derived, to_sign.as_bytes()));
        let sent: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        // A query parameter without a value is sent as its name alone.
        let target = target.replace("uploads=", "uploads");
        format!(
            "{method} {target} HTTP/1.1\r\n{sent}Authorization: AWS4-HMAC-SHA256 \
             Credential={key_id}/{scope}, SignedHeaders={names}, Signature={signature}\r\n\
             Content-Length: {length}\r\n\r\n"
        )
    }
}

fn canonical_query(target: &str) -> (&str, &str) {
    target.split_once('?').unwrap_or((target, ""))
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
