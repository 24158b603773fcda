//! Tokens of OpenID Connect issuers, and the keys that they publish.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use palisade_services::sts::jwt::{KeySet, Token};

/// The public keys of an issuer, and one token signed with each. The private keys are gone.
const KEYS: &[u8] = include_bytes!("signed/keys.json");
const TOKENS: &str = include_str!("signed/tokens.txt");

/// The rest as a token, as the claims or the header of one, or as a set of keys.
pub fn jwt(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    let right = TOKENS.lines().next().expect("a token");
    let (signed, signature) = right.rsplit_once('.').expect("a signature");
    let (header, claims) = signed.split_once('.').expect("a header");
    let encoded = URL_SAFE_NO_PAD.encode(rest);
    match mode % 4 {
        0 => drop(std::str::from_utf8(rest).map(token)),
        1 => token(&format!("{header}.{encoded}.{signature}")),
        2 => keys(rest),
        _ => token(&format!("{encoded}.{claims}.{signature}")),
    }
}

/// A token is signed when its header and claims are those of one that was.
fn token(text: &str) {
    let Some(token) = Token::parse(text) else { return };
    for name in token.claims.keys() {
        let texts = token.texts(name);
        if let Some(text) = token.text(name) {
            assert_eq!(texts, [text]);
            assert_eq!(token.time(name), None);
        }
    }
    let keys = KeySet::parse(KEYS).expect("keys");
    if token.is_signed_by(&keys) {
        assert!(keys.has(token.key_id.as_deref()), "signed by a key that is not there");
        let (signed, _) = text.rsplit_once('.').expect("a token has a signature");
        let known = TOKENS.lines().filter_map(|line| line.rsplit_once('.'));
        let known: Vec<&str> = known.map(|(signed, _)| signed).collect();
        assert!(known.contains(&signed), "nobody signed this");
    }
}

fn keys(json: &[u8]) {
    let Some(keys) = KeySet::parse(json) else { return };
    assert!(keys.has(None), "a set of keys without a key");
    assert_eq!(KeySet::parse(json).as_ref(), Some(&keys));
    for line in TOKENS.lines() {
        let token = Token::parse(line).expect("a token");
        let signed = token.is_signed_by(&keys);
        assert!(!signed || keys.has(token.key_id.as_deref()));
    }
}
