//! TLS: the operator's certificate, or one of an own certificate authority that the first start
//! makes in the data folder (`tls/ca.pem` is what clients trust).

use crate::config::Tls;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Makes aws-lc-rs the process's provider; without a choice rustls would panic at the first use.
pub fn install_provider() {
    // An error only says that a provider is installed already, which is just as good.
    let _already = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// The server's TLS settings and, for `auto`, the bundle that clients should trust.
pub struct Serving {
    pub config: Arc<ServerConfig>,
    pub ca_bundle: Option<PathBuf>,
}

/// `None` when TLS is off.
pub fn serving(tls: &Tls, data_dir: &Path) -> Result<Option<Serving>, String> {
    let (certificate, key, ca_bundle) = match tls {
        Tls::Off => return Ok(None),
        Tls::Files { certificate, key } => (certificate.clone(), key.clone(), None),
        Tls::Auto => {
            let folder = data_dir.join("tls");
            ensure_own_authority(&folder)?;
            let bundle = fs::canonicalize(folder.join("ca.pem")).map_err(|e| e.to_string())?;
            (folder.join("server.pem"), folder.join("server-key.pem"), Some(bundle))
        }
    };
    install_provider();
    let config = server_config(&certificate, &key)
        .map_err(|error| format!("TLS with {}: {error}", certificate.display()))?;
    Ok(Some(Serving { config: Arc::new(config), ca_bundle }))
}

fn server_config(certificate: &Path, key: &Path) -> Result<ServerConfig, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(certificate).map_err(|e| text(&e))?.collect();
    let key = PrivateKeyDer::from_pem_file(key).map_err(|e| text(&e))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain.map_err(|e| text(&e))?, key)
        .map_err(|e| text(&e))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// What a handshake agreed on, in the words of CloudTrail's `tlsDetails`: OpenSSL's names.
pub fn agreed(connection: &rustls::ServerConnection) -> Option<Agreed> {
    use rustls::{CipherSuite as Suite, ProtocolVersion};
    let version = match connection.protocol_version()? {
        ProtocolVersion::TLSv1_2 => "TLSv1.2",
        ProtocolVersion::TLSv1_3 => "TLSv1.3",
        _ => return None,
    };
    let cipher_suite = match connection.negotiated_cipher_suite()?.suite() {
        Suite::TLS13_AES_128_GCM_SHA256 => "TLS_AES_128_GCM_SHA256",
        Suite::TLS13_AES_256_GCM_SHA384 => "TLS_AES_256_GCM_SHA384",
        Suite::TLS13_CHACHA20_POLY1305_SHA256 => "TLS_CHACHA20_POLY1305_SHA256",
        Suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 => "ECDHE-ECDSA-AES128-GCM-SHA256",
        Suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 => "ECDHE-ECDSA-AES256-GCM-SHA384",
        Suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => "ECDHE-ECDSA-CHACHA20-POLY1305",
        Suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => "ECDHE-RSA-AES128-GCM-SHA256",
        Suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 => "ECDHE-RSA-AES256-GCM-SHA384",
        Suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => "ECDHE-RSA-CHACHA20-POLY1305",
        other => other.as_str()?,
    };
    Some(Agreed { version, cipher_suite })
}

/// How a connection is protected.
#[derive(Clone, Copy, Debug)]
pub struct Agreed {
    pub version: &'static str,
    pub cipher_suite: &'static str,
}

/// Makes the authority and the server's certificate if they are not there.
fn ensure_own_authority(folder: &Path) -> Result<(), String> {
    if folder.join("server-key.pem").exists() {
        return Ok(());
    }
    make_own_authority(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

fn make_own_authority(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    fs::create_dir_all(folder)?;
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.distinguished_name.push(DnType::CommonName, "Palisade local authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let authority_certificate = authority.self_signed(&authority_key)?;
    let names = ["localhost", "*.localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let server_key = KeyPair::generate()?;
    let issuer = Issuer::new(authority, authority_key);
    let server = CertificateParams::new(names)?.signed_by(&server_key, &issuer)?;
    fs::write(folder.join("ca.pem"), authority_certificate.pem())?;
    fs::write(folder.join("server.pem"), server.pem())?;
    // Written last: its presence says that all the files are there.
    write_private(&folder.join("server-key.pem"), server_key.serialize_pem().as_bytes())?;
    Ok(())
}

/// Writes a file that only its owner may read.
pub fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}
