//! A SAML response as it arrives: base64, signed, perhaps encrypted.

use super::assertion::{self, Assertion, Fault};
use super::signature::{self, Part, Signed};
use super::xml::{self, ENCRYPTION};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeyPair;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bergshamra_enc::EncContext;
use bergshamra_keys::{Key, KeyData, KeyUsage, KeysManager};
use kryptering::KeyAlgorithm;
use palisade_shape::Timestamp;
use uppsala::{Document, NodeId};

/// A response is no longer; the model lets 100,000 characters of base64 in.
const BYTES_MAX: usize = 100_000;

/// With and without padding: some clients lose it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Whom a response must come from.
pub struct Trusted<'p> {
    pub entity_id: &'p str,
    /// In DER.
    pub certificates: &'p [Vec<u8>],
    /// RSA keys that assertions may be encrypted for, in DER.
    pub private_keys: &'p [Vec<u8>],
    /// An assertion that is not encrypted is refused.
    pub encryption_required: bool,
}

/// Ciphers and transports of keys. PKCS #1 v1.5 is not among them: its padding gives keys away.
const ALGORITHMS: [&str; 8] = [
    "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
    "http://www.w3.org/2001/04/xmlenc#aes192-cbc",
    "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
    "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
    "http://www.w3.org/2009/xmlenc11#aes128-gcm",
    "http://www.w3.org/2009/xmlenc11#aes192-gcm",
    "http://www.w3.org/2009/xmlenc11#aes256-gcm",
    "http://www.w3.org/2009/xmlenc11#rsa-oaep",
];

const MALFORMED: Fault = Fault::Invalid("Invalid base64 SAMLResponse");
const UNREADABLE: Fault = Fault::Invalid("The SAML response cannot be read.");
const UNSIGNED: Fault = Fault::Invalid("Response signature invalid");
const UNDECIPHERABLE: Fault = Fault::Invalid("The assertion could not be decrypted.");

/// The assertion of a response, after its signatures and all that it says about its own validity
/// were checked.
pub fn verify(encoded: &str, trusted: &Trusted<'_>, now: Timestamp) -> Result<Assertion, Fault> {
    let letters: String = encoded.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
    let bytes = BASE64.decode(letters).map_err(|_| MALFORMED)?;
    let text = String::from_utf8(bytes).map_err(|_| MALFORMED)?;
    if text.len() > BYTES_MAX {
        return Err(UNREADABLE);
    }
    let document = xml::parse(&text).ok_or(UNREADABLE)?;
    let (response, assertion, encrypted) =
        signature::response_and_assertion(&document).ok_or(UNREADABLE)?;
    if trusted.encryption_required && !encrypted {
        return Err(Fault::Invalid("The assertion must be encrypted."));
    }
    let plain = (!encrypted).then_some(assertion);
    let part = Part { response, assertion: plain, opened: false };
    let outer = signature::check(&document, &text, &part, trusted.certificates);
    let outer = outer.ok_or(UNSIGNED)?;
    if !encrypted {
        if !outer.response && !outer.assertion {
            return Err(UNSIGNED);
        }
        return assertion::read(&document, response, assertion, trusted.entity_id, now);
    }
    let opened = decrypt(&document, &text, assertion, trusted).ok_or(UNDECIPHERABLE)?;
    read_opened(&opened, outer, trusted, now)
}

/// Reads what was decrypted. The response's own signature was made over the encrypted form and
/// checked there; inside, only that of the assertion counts. All that is wrong with the form of it
/// has one answer, so that nobody learns from trials what the cipher holds.
fn read_opened(
    text: &str,
    outer: Signed,
    trusted: &Trusted<'_>,
    now: Timestamp,
) -> Result<Assertion, Fault> {
    let document = if text.len() > BYTES_MAX { None } else { xml::parse(text) };
    let document = document.ok_or(UNDECIPHERABLE)?;
    let (response, assertion) = signature::opened(&document).ok_or(UNDECIPHERABLE)?;
    let inner = Part { response, assertion: Some(assertion), opened: true };
    let inner = signature::check(&document, text, &inner, trusted.certificates);
    let inner = inner.ok_or(UNDECIPHERABLE)?;
    if !outer.response && !inner.assertion {
        return Err(UNDECIPHERABLE);
    }
    assertion::read(&document, response, assertion, trusted.entity_id, now)
}

/// The response with what its one encrypted assertion holds in place of the cipher.
fn decrypt(
    document: &Document<'_>,
    text: &str,
    assertion: NodeId,
    trusted: &Trusted<'_>,
) -> Option<String> {
    // Exactly one thing is encrypted, inside the encrypted assertion, and its cipher stands there:
    // a reference could name something elsewhere.
    let data = xml::everywhere(document, ENCRYPTION, "EncryptedData");
    let references = xml::everywhere(document, ENCRYPTION, "CipherReference");
    let methods = xml::everywhere(document, ENCRYPTION, "EncryptionMethod");
    let taken = |method: &NodeId| {
        let algorithm = xml::attribute(document, *method, "Algorithm");
        algorithm.is_some_and(|algorithm| ALGORITHMS.contains(&algorithm))
    };
    let [data] = data[..] else { return None };
    let inside = document.parent(data) == Some(assertion);
    if !inside || !references.is_empty() || !methods.iter().all(taken) {
        return None;
    }
    trusted.private_keys.iter().find_map(|der| {
        let mut keys = KeysManager::new();
        let key = KeyData::from_pkcs8_der(KeyAlgorithm::Rsa, pkcs8(der)?.as_ref()).ok()?;
        keys.add_key(Key::new(key, KeyUsage::Decrypt));
        let context =
            EncContext::new(keys).with_disable_cipher_reference(true).with_max_pbkdf2_iterations(0);
        bergshamra_enc::decrypt::decrypt(&context, text).ok()
    })
}

/// A key of PKCS #1 or PKCS #8 in the form of the latter.
fn pkcs8(der: &[u8]) -> Option<Pkcs8V1Der<'static>> {
    let pair = KeyPair::from_pkcs8(der).or_else(|_| KeyPair::from_der(der)).ok()?;
    pair.as_der().ok()
}
