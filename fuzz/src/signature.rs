//! The SigV4 parser and verifier.

use crate::message::Message;
use hmac::{Hmac, KeyInit, Mac};
use palisade_protocol::sigv4::{
    Algorithm, Dialect, Error, Parsed, Payload, Proof, RequestParts, Rules, SigningKeys, parse,
    verify,
};
use sha2::Sha256;
use std::borrow::Cow;

pub const SECRET: &[u8] = b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// Byte 0: bit 0 S3's rules, bit 1 the body still unread, bit 2 `GET`, bit 3 an HTTP/2 authority;
/// then a [`Message`].
pub fn sigv4(data: &[u8]) {
    let Some((flags, rest)) = data.split_first() else { return };
    let Some(message) = Message::parse(rest) else { return };
    let parts = RequestParts {
        method: if flags & 4 == 0 { "POST" } else { "GET" },
        path: message.path.as_bytes(),
        query: message.query.as_bytes(),
        headers: &message.headers,
        authority: (flags & 8 != 0).then_some(b"example.amazonaws.com"),
    };
    let parsed = match parse(&parts) {
        Ok(Proof::Signature(parsed)) => parsed,
        Ok(proof) => {
            assert!(!format!("{proof:?}").is_empty());
            return;
        }
        Err(error) => return check_refusal(&error),
    };
    // The client's own time, so that mutations are not all stopped at the clock.
    let now = parsed.timestamp.seconds;
    let rules = if flags & 1 == 0 { Rules::standard(now) } else { Rules::s3(now) };
    let payload = if flags & 2 == 0 { Payload::Body(message.body) } else { Payload::Unread };
    check(&parsed, &parts, payload, &rules);
}

fn check(parsed: &Parsed<'_>, parts: &RequestParts<'_>, payload: Payload<'_>, rules: &Rules<'_>) {
    let keys = SigningKeys::new(8);
    let mismatch = match verify(parsed, parts, SECRET, payload, rules, &keys) {
        Ok(_) => return check_proven(parsed, parts, payload, rules, &keys),
        Err(Error::SignatureMismatch(mismatch)) => mismatch,
        Err(error) => return check_refusal(&error),
    };
    assert!(keys.is_empty(), "a key that proved nothing is kept");
    check_refusal(&Error::SignatureMismatch(mismatch.clone()));
    if parsed.algorithm != Algorithm::HmacSha256 {
        return;
    }
    // Signed rightly, the request must be proven, or fail for its body alone.
    let signature = sign(parsed, &mismatch.string_to_sign);
    let right = Parsed { signature: Cow::Owned(signature), ..parsed.clone() };
    match verify(&right, parts, SECRET, payload, rules, &keys) {
        Ok(_) => check_proven(&right, parts, payload, rules, &keys),
        Err(Error::PayloadHashMismatch { .. }) => {}
        Err(error) => panic!("rightly signed and refused: {error:?}"),
    }
}

/// What one secret proves, no other does; a cached key changes nothing.
fn check_proven(
    parsed: &Parsed<'_>,
    parts: &RequestParts<'_>,
    payload: Payload<'_>,
    rules: &Rules<'_>,
    keys: &SigningKeys,
) {
    assert_eq!(keys.len(), 1);
    assert!(verify(parsed, parts, SECRET, payload, rules, keys).is_ok());
    let other = verify(parsed, parts, b"another", payload, rules, keys);
    assert!(matches!(other, Err(Error::SignatureMismatch(_))));
    let late = Rules { now: rules.now + 700_000, ..*rules };
    assert!(verify(parsed, parts, SECRET, payload, &late, keys).is_err(), "it lives forever");
}

fn check_refusal(error: &Error) {
    let dialects = [Dialect::Query, Dialect::Ec2, Dialect::Json, Dialect::RestJson, Dialect::S3];
    for dialect in dialects {
        let answer = error.answer(dialect);
        assert!((400..500).contains(&answer.status), "{answer:?}");
        assert!(!answer.code.is_empty() && !answer.message.is_empty(), "{answer:?}");
    }
}

fn sign(parsed: &Parsed<'_>, text: &str) -> String {
    let scope = &parsed.scope;
    let region = scope.region.as_deref().unwrap_or_default();
    mac(&[&scope.date, region, &scope.service, &scope.terminator], text)
}

/// AWS's chain of keys, and the signature of a text with the last one.
pub fn mac(scope: &[&str], text: &str) -> String {
    let mut key = [b"AWS4", SECRET].concat();
    for part in scope.iter().chain([&text]) {
        let mut state = Hmac::<Sha256>::new_from_slice(&key).expect("any length will do");
        state.update(part.as_bytes());
        key = state.finalize().into_bytes().to_vec();
    }
    hex(&key)
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
