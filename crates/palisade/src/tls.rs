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
