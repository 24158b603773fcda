//! A small HTTP client for the subcommands that ask a running server. It speaks HTTP/1.1 over plain
//! TCP or TLS with the server's own certificate authority.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpStream;

/// What the server writes into `endpoint.json` of its data folder when it starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    pub url: String,
    pub region: String,
    pub ca_bundle: Option<PathBuf>,
}

/// The name of the file with the operator's token.
pub const OPERATOR_TOKEN: &str = "operator-token";
/// The name of the file with the [`Endpoint`].
pub const ENDPOINT: &str = "endpoint.json";

impl Endpoint {
    pub fn of_data_dir(data_dir: &Path) -> Result<Self, String> {
        let path = data_dir.join(ENDPOINT);
        let text = std::fs::read_to_string(&path).map_err(|error| {
            format!(
                "cannot read {}: {error}\nIs the server started, and is this its data folder?",
                path.display()
            )
        })?;
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// The answer's status and body.
    pub fn get(&self, path: &str, token: Option<&str>) -> Result<(u16, Bytes), String> {
        self.send("GET", path, &bearer(token), Vec::new())
    }

    /// The same for a request with a body.
    pub fn post(
        &self,
        path: &str,
        body: Vec<u8>,
        token: Option<&str>,
    ) -> Result<(u16, Bytes), String> {
        self.send("POST", path, &bearer(token), body)
    }

    /// The server's name and port, as the `Host` header has them.
    pub fn host(&self) -> Result<(String, u16), String> {
        let url: http::Uri = self.url.parse().map_err(|_| format!("bad endpoint {}", self.url))?;
        let host = url.host().unwrap_or("127.0.0.1").trim_matches(['[', ']']).to_owned();
        Ok((host, url.port_u16().unwrap_or(4570)))
    }

    /// Sends a request with those headers, and `Host`.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, String)],
        body: Vec<u8>,
    ) -> Result<(u16, Bytes), String> {
        let answer = self.ask(method, path, headers, body)?;
        Ok((answer.status().as_u16(), answer.into_body()))
    }

    /// The same, with the answer's headers.
    pub fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, String)],
        body: Vec<u8>,
    ) -> Result<http::Response<Bytes>, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let (host, port) = self.host()?;
        let mut request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("host", format!("{host}:{port}"));
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(Full::from(body)).map_err(|error| error.to_string())?;
        runtime.block_on(async {
            let patience = std::time::Duration::from_secs(10);
            tokio::time::timeout(patience, self.fetch(host, port, request))
                .await
                .map_err(|_| format!("{} does not answer", self.url))?
        })
    }

    async fn fetch(
        &self,
        host: String,
        port: u16,
        request: http::Request<Full<Bytes>>,
    ) -> Result<http::Response<Bytes>, String> {
        let unreachable = |error: std::io::Error| format!("cannot reach {}: {error}", self.url);
        let stream = TcpStream::connect((host.as_str(), port)).await.map_err(unreachable)?;
        match &self.ca_bundle {
            None => exchange(stream, request).await,
            Some(bundle) => {
                let connector = tokio_rustls::TlsConnector::from(client_config(bundle)?);
                let name = rustls::pki_types::ServerName::try_from(host)
                    .map_err(|error| error.to_string())?;
                let stream = connector.connect(name, stream).await.map_err(unreachable)?;
                exchange(stream, request).await
            }
        }
    }
}

fn bearer(token: Option<&str>) -> Vec<(&'static str, String)> {
    token.map(|token| ("authorization", format!("Bearer {token}"))).into_iter().collect()
}

/// The operator's token, which only who may read the data folder knows.
pub fn operator_token(data_dir: &Path) -> Result<String, String> {
    let path = data_dir.join(OPERATOR_TOKEN);
    let text = std::fs::read_to_string(&path);
    text.map(|token| token.trim().to_owned())
        .map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn client_config(bundle: &Path) -> Result<Arc<rustls::ClientConfig>, String> {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    crate::tls::install_provider();
    let mut roots = rustls::RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(bundle).map_err(|error| error.to_string())?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    let config = rustls::ClientConfig::builder().with_root_certificates(roots);
    Ok(Arc::new(config.with_no_client_auth()))
}

async fn exchange<S>(
    stream: S,
    request: http::Request<Full<Bytes>>,
) -> Result<http::Response<Bytes>, String>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    let driver = tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
    let (head, body) = response.into_parts();
    let body = body.collect().await.map_err(|error| error.to_string())?;
    driver.abort();
    Ok(http::Response::from_parts(head, body.to_bytes()))
}
