//! A client of the AWS APIs for subcommands: its calls are signed, decided and recorded like any
//! other client's. Typed calls speak JSON 1.1; others are sent as they are.

use crate::commands::client::Endpoint;
use crate::commands::env::root_credentials;
use bytes::Bytes;
use palisade_protocol::json::{Dialect, JsonReader, JsonWriter};
use palisade_protocol::sigv4::{RequestParts, Signing, Timestamp};
use palisade_services::clock::{Clock, SystemClock};
use palisade_services::s3::write::hex;
use palisade_shape::{Named, Service, Shape};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::path::Path;

/// Who calls, and where.
pub struct Api {
    endpoint: Endpoint,
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
}

/// Why a call gave no output.
#[derive(Debug)]
pub enum ApiError {
    /// The service's own error.
    Refused { code: String, message: String },
    /// There was no answer, or none that can be read.
    Failed(String),
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { code, message } => write!(f, "{code}: {message}"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

impl From<ApiError> for String {
    fn from(error: ApiError) -> Self {
        error.to_string()
    }
}

impl Api {
    /// With the keys of the environment, as the AWS CLI takes them, or else with the root key that
    /// the data folder holds. The server is that of the data folder unless `AWS_ENDPOINT_URL`
    /// names another.
    pub fn open(data_dir: &Path) -> Result<Self, String> {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let endpoint = match set("AWS_ENDPOINT_URL") {
            None => Endpoint::of_data_dir(data_dir)?,
            Some(url) => Endpoint {
                url,
                region: set("AWS_REGION")
                    .or_else(|| set("AWS_DEFAULT_REGION"))
                    .unwrap_or_else(|| "us-east-1".to_owned()),
                ca_bundle: set("AWS_CA_BUNDLE").map(Into::into),
            },
        };
        match (set("AWS_ACCESS_KEY_ID"), set("AWS_SECRET_ACCESS_KEY")) {
            (Some(access_key_id), Some(secret_access_key)) => Ok(Self {
                endpoint,
                access_key_id,
                secret_access_key,
                session_token: set("AWS_SESSION_TOKEN"),
            }),
            _ => {
                let (access_key_id, secret_access_key) = root_credentials(data_dir)?;
                Ok(Self { endpoint, access_key_id, secret_access_key, session_token: None })
            }
        }
    }

    /// With the root key that the data folder holds, whatever the environment says.
    pub fn of_root(data_dir: &Path) -> Result<Self, String> {
        let (access_key_id, secret_access_key) = root_credentials(data_dir)?;
        let endpoint = Endpoint::of_data_dir(data_dir)?;
        Ok(Self { endpoint, access_key_id, secret_access_key, session_token: None })
    }

    /// Calls an operation of a service that speaks JSON 1.1.
    pub fn call<O: Named>(
        &self,
        service: &'static Service,
        operation: &str,
        input: &dyn Shape,
    ) -> Result<O, ApiError> {
        let mut writer = JsonWriter::new(Dialect::Wire);
        input.write(&mut writer);
        let body = writer.into_bytes();
        let headers = self.signed(service, operation, &body).map_err(ApiError::Failed)?;
        let sent = self.endpoint.send("POST", "/", &headers, body);
        let (status, answer) = sent.map_err(ApiError::Failed)?;
        if status != 200 {
            return Err(refusal(status, &answer));
        }
        let mut output = O::default();
        let mut reader = JsonReader::new(&answer, Dialect::Wire);
        output.read(&mut reader);
        reader.finish();
        match reader.into_violations().into_iter().next() {
            None => Ok(output),
            Some(violation) => Err(ApiError::Failed(format!("{operation}: {violation:?}"))),
        }
    }

    /// The same client with another key.
    pub fn with_key(&self, access_key_id: String, secret_access_key: String) -> Self {
        let endpoint = self.endpoint.clone();
        Self { endpoint, access_key_id, secret_access_key, session_token: None }
    }

    /// Sends a request of any service, signed, and gives the answer as it came.
    pub fn ask(&self, asked: &Asked, body: Vec<u8>) -> Result<http::Response<Bytes>, String> {
        let headers = self.sign(asked, &body)?;
        let target = match asked.query {
            "" => asked.path.to_owned(),
            query => format!("{}?{query}", asked.path),
        };
        self.endpoint.ask(asked.method, &target, &headers, body)
    }

    fn signed(
        &self,
        service: &Service,
        operation: &str,
        body: &[u8],
    ) -> Result<Vec<(&'static str, String)>, String> {
        let asked = Asked {
            method: "POST",
            path: "/",
            query: "",
            service: service.signing_name,
            headers: vec![
                ("content-type", "application/x-amz-json-1.1".to_owned()),
                ("x-amz-target", format!("{}.{operation}", service.target_prefix)),
            ],
        };
        self.sign(&asked, body)
    }

    /// All headers of a request, the signature last.
    fn sign(&self, asked: &Asked, body: &[u8]) -> Result<Vec<(&'static str, String)>, String> {
        let now = SystemClock::default().now().seconds();
        let at = Timestamp::from_seconds(now).ok_or("the clock is out of range")?;
        let (host, port) = self.endpoint.host()?;
        let host = format!("{host}:{port}");
        let mut headers = asked.headers.clone();
        headers.push(("user-agent", concat!("palisade/", env!("CARGO_PKG_VERSION")).to_owned()));
        headers.push(("x-amz-date", at.basic().to_owned()));
        headers.push(("x-amz-content-sha256", hex(&Sha256::digest(body))));
        if let Some(token) = &self.session_token {
            headers.push(("x-amz-security-token", token.clone()));
        }
        let mut seen: Vec<(&str, &[u8])> = vec![("host", host.as_bytes())];
        seen.extend(headers.iter().map(|(name, value)| (*name, value.as_bytes())));
        let parts = RequestParts {
            method: asked.method,
            path: asked.path.as_bytes(),
            query: asked.query.as_bytes(),
            headers: &seen,
            authority: None,
        };
        let signing = Signing {
            access_key_id: &self.access_key_id,
            secret_access_key: &self.secret_access_key,
            region: &self.endpoint.region,
            service: asked.service,
            at,
        };
        let authorization = signing.authorization(&parts, body);
        headers.push(("authorization", authorization));
        Ok(headers)
    }
}

/// A request before it is signed.
pub struct Asked<'a> {
    pub method: &'static str,
    pub path: &'a str,
    pub query: &'a str,
    /// The signing name of the service.
    pub service: &'static str,
    pub headers: Vec<(&'static str, String)>,
}

/// The error of an answer: `__type` may carry a namespace before a `#`.
fn refusal(status: u16, answer: &[u8]) -> ApiError {
    let parsed: serde_json::Value = serde_json::from_slice(answer).unwrap_or_default();
    let text = |name: &str| parsed.get(name).and_then(serde_json::Value::as_str);
    let Some(code) = text("__type") else {
        return ApiError::Failed(format!("status {status}"));
    };
    let code = code.rsplit('#').next().unwrap_or(code).to_owned();
    let message = text("message").or(text("Message")).unwrap_or_default().to_owned();
    ApiError::Refused { code, message }
}
