//! X.509 certificates and private keys in PEM, as uploads bring them: read, checked against the
//! clock, against each other, and against the chain.
//!
//! Source: IAM API reference, UploadServerCertificate; IAM User Guide, "Manage server certificates
//! in IAM"; RFC 5280; RFC 7468.

use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair, KeyPair,
};
use palisade_model::iam::{KEY_PAIR_MISMATCH, MALFORMED_CERTIFICATE};
use palisade_shape::{Error, Result, Timestamp};
use x509_parser::certificate::X509Certificate;
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// One certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    pub der: Vec<u8>,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
}

/// Whether a certificate is of use at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    Current,
    NotYet,
    NoLonger,
}

impl Certificate {
    pub fn validity(&self, now: Timestamp) -> Validity {
        if now.millis() < self.not_before.millis() {
            Validity::NotYet
        } else if now.millis() > self.not_after.millis() {
            Validity::NoLonger
        } else {
            Validity::Current
        }
    }

    fn parsed(&self) -> Result<X509Certificate<'_>> {
        parsed(&self.der)
    }

    /// The public key's bits: of RSA the modulus and exponent in DER, of an elliptic curve the
    /// point.
    fn public_key(&self) -> Result<Vec<u8>> {
        Ok(self.parsed()?.public_key().subject_public_key.data.to_vec())
    }

    /// Whether `issuer` has signed this certificate.
    fn is_signed_by(&self, issuer: &Self) -> Result<bool> {
        let (own, issuer) = (self.parsed()?, issuer.parsed()?);
        let named = own.issuer().as_raw() == issuer.subject().as_raw();
        Ok(named && own.verify_signature(Some(issuer.public_key())).is_ok())
    }
}

fn unparsable() -> Error {
    MALFORMED_CERTIFICATE
        .because("Unable to parse certificate. Please ensure the certificate is in PEM format.")
}

/// The one certificate of a text.
pub fn one(text: &str) -> Result<Certificate> {
    let mut all = many(text)?;
    match (all.pop(), all.is_empty()) {
        (Some(certificate), true) => Ok(certificate),
        _ => Err(unparsable()),
    }
}

/// The certificates of a text, one after the other, one at least.
pub fn many(text: &str) -> Result<Vec<Certificate>> {
    if !text.trim_start().starts_with(BEGIN) {
        return Err(unparsable());
    }
    let certificate = |pem: std::result::Result<Pem, _>| {
        let pem = pem.ok().filter(|pem| pem.label == "CERTIFICATE").ok_or_else(unparsable)?;
        let parsed = parsed(&pem.contents)?;
        let at = |time: i64| Timestamp::from_millis(time.saturating_mul(1000));
        let validity = parsed.validity();
        Ok(Certificate {
            not_before: at(validity.not_before.timestamp()),
            not_after: at(validity.not_after.timestamp()),
            der: pem.contents,
        })
    };
    let found: Vec<Certificate> =
        Pem::iter_from_buffer(text.as_bytes()).map(certificate).collect::<Result<_>>()?;
    if found.is_empty() { Err(unparsable()) } else { Ok(found) }
}

fn parsed(der: &[u8]) -> Result<X509Certificate<'_>> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(unparsable()),
    }
}

/// Refuses a chain that does not lead from the certificate upwards, each link signed by the next.
pub fn check_chain(leaf: &Certificate, chain: &[Certificate]) -> Result<()> {
    let mut signed = leaf;
    for (index, issuer) in (-1_i64..).zip(chain) {
        if !signed.is_signed_by(issuer)? {
            return Err(MALFORMED_CERTIFICATE.because(format!(
                "Unable to validate certificate chain. The certificate chain must start with the \
                 immediate signing certificate, followed by any intermediaries in order. The index \
                 within the chain of the invalid certificate is: {index}"
            )));
        }
        signed = issuer;
    }
    Ok(())
}

/// Refuses a private key that is not the certificate's. Keys are RSA of 2,048 to 8,192 bits or on
/// the curves P-256, P-384 and P-521, without a password.
pub fn check_private_key(certificate: &Certificate, text: &str) -> Result<()> {
    let invalid = || MALFORMED_CERTIFICATE.because("Invalid Private Key.");
    let mut blocks = Pem::iter_from_buffer(text.as_bytes()).filter_map(std::result::Result::ok);
    // OpenSSL writes the parameters of a curve into a block before the key.
    let pem = blocks.find(|pem| pem.label != "EC PARAMETERS").ok_or_else(invalid)?;
    let public = public_half(&pem.label, &pem.contents).ok_or_else(invalid)?;
    if public != certificate.public_key()? {
        return Err(KEY_PAIR_MISMATCH.because("The private key does not match the certificate."));
    }
    Ok(())
}

/// The public key that belongs to a private one, as [`Certificate::public_key`] has it.
fn public_half(label: &str, der: &[u8]) -> Option<Vec<u8>> {
    let rsa = match label {
        "RSA PRIVATE KEY" => rsa::KeyPair::from_der(der).ok(),
        "PRIVATE KEY" => rsa::KeyPair::from_pkcs8(der).ok(),
        "EC PRIVATE KEY" => None,
        _ => return None,
    };
    if let Some(pair) = rsa {
        return Some(pair.public_key().as_ref().to_vec());
    }
    let curves = [
        &ECDSA_P256_SHA256_ASN1_SIGNING,
        &ECDSA_P384_SHA384_ASN1_SIGNING,
        &ECDSA_P521_SHA512_ASN1_SIGNING,
    ];
    curves.into_iter().find_map(|curve| {
        let pair = match label {
            "EC PRIVATE KEY" => EcdsaKeyPair::from_private_key_der(curve, der),
            _ => EcdsaKeyPair::from_pkcs8(curve, der),
        };
        Some(pair.ok()?.public_key().as_ref().to_vec())
    })
}

#[cfg(test)]
mod tests;
