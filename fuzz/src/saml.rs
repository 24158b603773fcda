//! Responses of SAML identity providers.

use base64::{Engine, engine::general_purpose::STANDARD};
use palisade_services::sts::saml::assertion::Assertion;
use palisade_services::sts::saml::response::{Trusted, verify};
use palisade_shape::Timestamp;
use std::sync::OnceLock;

/// What `https://idp.example.com/saml` signed about `ana`, and its certificate. The key is gone, so
/// that nothing else can ever be signed with it.
const RESPONSE: &str = include_str!("signed/response.xml");
const CERTIFICATE: &[u8] = include_bytes!("signed/certificate.der");
/// The time at which the response was made: 2026-01-01.
const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

fn read(encoded: &str) -> Option<Assertion> {
    static KEY: OnceLock<Vec<u8>> = OnceLock::new();
    let key = KEY.get_or_init(|| {
        use aws_lc_rs::encoding::AsDer;
        let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048);
        pair.expect("a key").as_der().expect("PKCS #8").as_ref().to_vec()
    });
    let trusted = Trusted {
        entity_id: "https://idp.example.com/saml",
        certificates: &[CERTIFICATE.to_vec()],
        private_keys: std::slice::from_ref(key),
        encryption_required: false,
    };
    verify(encoded, &trusted, NOW).ok()
}

/// The rest as a response, in base64 already when the first byte is odd. What is taken says what
/// was signed.
pub fn saml(data: &[u8]) {
    static SIGNED: OnceLock<Assertion> = OnceLock::new();
    let signed = SIGNED.get_or_init(|| read(&STANDARD.encode(RESPONSE)).expect("it was signed"));
    let Some((mode, rest)) = data.split_first() else { return };
    let taken = match (mode & 1, std::str::from_utf8(rest)) {
        (0, _) => read(&STANDARD.encode(rest)),
        (_, Ok(text)) => read(text),
        (_, Err(_)) => return,
    };
    if let Some(taken) = taken {
        assert_eq!(&taken, signed, "nobody signed this");
    }
}
