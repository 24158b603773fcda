//! The issuers of web identity tokens that the operator knows: their keys, given in files or
//! fetched from them. Nothing is fetched but from issuers that the configuration names.
//!
//! Source: OpenID Connect Discovery 1.0, section 4; IAM User Guide, "Obtain the thumbprint for an
//! OpenID Connect identity provider".

use crate::issuer_tls::{self, Trust};
use bytes::{Bytes, BytesMut};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper_util::rt::TokioIo;
use palisade_services::plane::Plane;
use palisade_services::sts::issuer_keys::{Failure, Found, IssuerKeys, Known};
use palisade_services::sts::jwt::KeySet;
use palisade_services::sts::web_identity::Wanted;
use rustls::pki_types::ServerName;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;

/// For both documents together, from the first packet to the last.
const FETCH_SECONDS_MAX: Duration = Duration::from_secs(10);
const DOCUMENT_BYTES_MAX: usize = 256 << 10;
/// Issuers asked at once; the others wait.
const FETCHES_MAX: usize = 16;

/// An `[[oidc-issuer]]` table of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Issuer {
    /// `https://host/path`, as tokens name it; `*` for all others.
    pub url: String,
    /// A file with its JWK Set.
    pub jwks: Option<PathBuf>,
    /// Its keys may be fetched.
    #[serde(default)]
    pub fetch: bool,
    /// `HOST:PORT` to connect to instead of the issuer's host.
    pub connect: Option<String>,
}

impl Issuer {
    /// Refuses what makes no sense.
    pub fn check(&self) -> Result<(), String> {
        let Self { url, jwks, fetch, connect } = self;
        let is_url = url.strip_prefix("https://").is_some_and(|rest| !rest.is_empty());
        if !is_url && url != "*" {
            return Err(format!("[[oidc-issuer]] url is `https://…` or `*`, not `{url}`"));
        }
        if jwks.is_some() == *fetch {
            return Err(format!("[[oidc-issuer]] {url} wants either jwks or fetch = true"));
        }
        if url == "*" && (jwks.is_some() || connect.is_some()) {
            return Err("[[oidc-issuer]] * takes fetch = true alone".to_owned());
        }
        if jwks.is_some() && connect.is_some() {
            return Err(format!("[[oidc-issuer]] {url} has its keys: it is not connected to"));
        }
        Ok(())
    }

    /// The issuer as providers name it.
    fn name(&self) -> String {
        self.url.trim_start_matches("https://").trim_end_matches('/').to_owned()
    }
}

/// Reads the files of the issuers that have one.
pub fn open(issuers: &[Issuer]) -> Result<(IssuerKeys, Issuers), String> {
    let mut known = Known::default();
    let mut connect = BTreeMap::new();
    for issuer in issuers {
        if issuer.url == "*" {
            known.fetch_any = true;
            continue;
        }
        match &issuer.jwks {
            Some(path) => {
                let json =
                    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
                let keys = KeySet::parse(&json);
                let keys = keys.ok_or_else(|| format!("{}: no JWK Set", path.display()))?;
                known.keys.insert(issuer.name(), keys);
            }
            None => known.fetched.push(issuer.name()),
        }
        if let Some(address) = &issuer.connect {
            connect.insert(issuer.name(), address.clone());
        }
    }
    let places = Semaphore::new(FETCHES_MAX);
    Ok((IssuerKeys::new(known), Issuers { connect, places, trust: Trust::default() }))
}

/// Fetches keys.
pub struct Issuers {
    /// Where else to connect, by issuer.
    connect: BTreeMap<String, String>,
    places: Semaphore,
    trust: Trust,
}

#[derive(Deserialize)]
struct Configuration {
    issuer: String,
    jwks_uri: String,
}

impl Issuers {
    /// Fetches an issuer's keys and leaves what came of it with the plane.
    pub async fn fetch(&self, plane: &Plane, wanted: &Wanted) {
        let Ok(_place) = self.places.acquire().await else { return };
        let (issuer, key_id) = (wanted.issuer.as_str(), wanted.key_id.as_deref());
        // Another call may have fetched them while this one waited.
        if !matches!(plane.issuer_keys.find(issuer, key_id, plane.clock.now()), Found::Wanted) {
            return;
        }
        let keys = tokio::time::timeout(FETCH_SECONDS_MAX, self.keys(wanted)).await;
        let keys = keys.unwrap_or(Err(Failure::Unreachable));
        if let Err(failure) = &keys {
            tracing::warn!(issuer, ?failure, "cannot fetch the keys of an issuer");
        }
        plane.issuer_keys.keep(issuer, keys, plane.clock.now());
    }

    async fn keys(&self, wanted: &Wanted) -> Result<KeySet, Failure> {
        let issuer = &wanted.issuer;
        let address = format!("https://{issuer}/.well-known/openid-configuration");
        let document = self.get(wanted, &address).await?;
        let configuration: Configuration =
            serde_json::from_slice(&document).map_err(|_| Failure::Unusable)?;
        let told = configuration.issuer.trim_end_matches('/').strip_prefix("https://");
        if told != Some(issuer.as_str()) {
            return Err(Failure::Unusable);
        }
        let document = self.get(wanted, &configuration.jwks_uri).await?;
        KeySet::parse(&document).ok_or(Failure::Unusable)
    }

    /// One document, over HTTPS. A redirect is not followed.
    async fn get(&self, wanted: &Wanted, address: &str) -> Result<Bytes, Failure> {
        let unreachable = |_| Failure::Unreachable;
        let uri: Uri = address.parse().map_err(|_| Failure::Unusable)?;
        let host = uri.host().filter(|_| uri.scheme_str() == Some("https"));
        let host = host.ok_or(Failure::Unusable)?;
        let own = wanted.issuer.split('/').next() == Some(host);
        let elsewhere = self.connect.get(&wanted.issuer).filter(|_| own);
        let port = uri.port_u16().unwrap_or(443);
        let socket = match elsewhere {
            Some(address) => TcpStream::connect(address).await,
            None => TcpStream::connect((host, port)).await,
        };
        let socket = socket.map_err(|_| Failure::Unreachable)?;
        let name = ServerName::try_from(host.to_owned()).map_err(|_| Failure::Unusable)?;
        let config = self.trust.config(&wanted.thumbprints).ok_or(Failure::Unreachable)?;
        let stream = TlsConnector::from(Arc::new(config)).connect(name, socket).await;
        let stream = stream.map_err(|error| issuer_tls::failure(&error))?;
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(unreachable)?;
        let running = tokio::spawn(connection);
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let request = Request::get(path)
            .header("host", uri.authority().map_or(host, |authority| authority.as_str()))
            .header("accept", "application/json")
            .header("user-agent", "palisade")
            .body(Empty::<Bytes>::new())
            .map_err(|_| Failure::Unusable)?;
        let answer = sender.send_request(request).await.map_err(unreachable)?;
        let status = answer.status();
        let body = read(Limited::new(answer.into_body(), DOCUMENT_BYTES_MAX)).await;
        running.abort();
        match status {
            StatusCode::OK => body,
            StatusCode::TOO_MANY_REQUESTS => Err(Failure::Unreachable),
            status if status.is_server_error() => Err(Failure::Unreachable),
            _ => Err(Failure::Unusable),
        }
    }
}

async fn read(mut body: Limited<hyper::body::Incoming>) -> Result<Bytes, Failure> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| match error.is::<LengthLimitError>() {
            true => Failure::Unusable,
            false => Failure::Unreachable,
        })?;
        if let Ok(data) = frame.into_data() {
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes.freeze())
}
