//! Whether an issuer's certificate is to be believed: one of the machine's authorities vouches for
//! it, or a certificate that came with it has a thumbprint that the provider's record names.

use ::aws_lc_rs::digest;
use palisade_services::sts::issuer_keys::Failure;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, OnceLock};

/// The authorities of this machine, read when they are first needed.
#[derive(Default)]
pub struct Trust {
    known: OnceLock<Option<Arc<WebPkiServerVerifier>>>,
}

impl Trust {
    /// For one connection to an issuer with these thumbprints.
    pub fn config(&self, thumbprints: &[String]) -> Option<ClientConfig> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let known = self.known.get_or_init(|| {
            let mut roots = RootCertStore::empty();
            let certificates = rustls_native_certs::load_native_certs().certs;
            roots.add_parsable_certificates(certificates);
            verifier(roots, &provider)
        });
        let verifier = Verifier {
            known: known.clone(),
            thumbprints: thumbprints.to_vec(),
            provider: provider.clone(),
        };
        let builder = ClientConfig::builder_with_provider(provider);
        let builder = builder.with_safe_default_protocol_versions().ok()?.dangerous();
        let mut config =
            builder.with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Some(config)
    }
}

fn verifier(
    roots: RootCertStore,
    provider: &Arc<CryptoProvider>,
) -> Option<Arc<WebPkiServerVerifier>> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().ok()
}

/// What a handshake failed for.
pub fn failure(error: &io::Error) -> Failure {
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match cause {
        Some(Error::InvalidCertificate(_)) => Failure::Certificate,
        _ => Failure::Unreachable,
    }
}

#[derive(Debug)]
struct Verifier {
    known: Option<Arc<WebPkiServerVerifier>>,
    thumbprints: Vec<String>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn is_pinned(&self, certificate: &CertificateDer<'_>) -> bool {
        let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, certificate);
        let mut hex = String::with_capacity(40);
        for byte in hash.as_ref() {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        self.thumbprints.contains(&hex)
    }

    /// A server's own certificate that is named by its thumbprint needs nobody to vouch for it; its
    /// host and its time must be right all the same.
    fn stands_alone(
        &self,
        certificate: &CertificateDer<'_>,
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> bool {
        let Ok((_, parsed)) = x509_parser::parse_x509_certificate(certificate) else {
            return false;
        };
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let validity = parsed.validity();
        let in_time =
            validity.not_before.timestamp() <= now && now <= validity.not_after.timestamp();
        let named = ParsedCertificate::try_from(certificate)
            .is_ok_and(|parsed| verify_server_name(&parsed, name).is_ok());
        self.is_pinned(certificate) && in_time && named
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let check = |by: &WebPkiServerVerifier| {
            by.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        };
        if let Some(known) = &self.known
            && let Ok(verified) = check(known)
        {
            return Ok(verified);
        }
        for pinned in intermediates.iter().filter(|certificate| self.is_pinned(certificate)) {
            let mut roots = RootCertStore::empty();
            if roots.add(pinned.clone().into_owned()).is_ok()
                && let Some(by) = verifier(roots, &self.provider)
                && let Ok(verified) = check(&by)
            {
                return Ok(verified);
            }
        }
        if self.stands_alone(end_entity, server_name, now) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
