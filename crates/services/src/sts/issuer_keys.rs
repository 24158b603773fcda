//! The public keys of the issuers of web identity tokens: given by the operator, or fetched.
//!
//! A server opens no connection of its own unless its operator says to which issuers. Fetching
//! itself is not done here: whoever serves the requests does it, and leaves the outcome.

use super::jwt::KeySet;
use palisade_shape::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// How long fetched keys are used.
const KEPT_SECONDS: i64 = 3600;
/// How long after an attempt there is no other one, so that nobody can make the server knock at an
/// issuer at will: for a key that is not among those fetched, and after a failure.
const UNKNOWN_KEY_SECONDS: i64 = 60;
const FAILURE_SECONDS: i64 = 10;
/// Beyond this many issuers all are forgotten and fetched again.
const ISSUERS_MAX: usize = 1_000;

/// Why keys could not be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The issuer was not reached, did not answer in time or said to come back.
    Unreachable,
    /// Neither a known authority nor a thumbprint vouches for its certificate.
    Certificate,
    /// It answered with something else than its configuration and keys.
    Unusable,
}

/// What the operator says about issuers.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Keys, by issuer without `https://`.
    pub keys: BTreeMap<String, KeySet>,
    /// The issuers that may be asked for their keys, without `https://`.
    pub fetched: Vec<String>,
    /// All others may be asked, too.
    pub fetch_any: bool,
}

#[derive(Clone, Debug)]
struct Attempt {
    at: Timestamp,
    outcome: Result<Arc<KeySet>, Failure>,
}

/// What is known of an issuer's keys.
#[derive(Clone, Debug)]
pub enum Found {
    Keys(Arc<KeySet>),
    /// The last attempt failed.
    Failed(Failure),
    /// They are to be fetched first.
    Wanted,
    /// The operator gave none and allows no connection.
    NotAllowed,
}

/// The keys of all issuers.
#[derive(Debug, Default)]
pub struct IssuerKeys {
    given: BTreeMap<String, Arc<KeySet>>,
    allowed: Vec<String>,
    any_allowed: bool,
    fetched: RwLock<BTreeMap<String, Attempt>>,
}

impl IssuerKeys {
    pub fn new(known: Known) -> Self {
        let Known { keys, fetched, fetch_any } = known;
        Self {
            given: keys.into_iter().map(|(issuer, keys)| (issuer, Arc::new(keys))).collect(),
            allowed: fetched,
            any_allowed: fetch_any,
            fetched: RwLock::default(),
        }
    }

    /// The keys of an issuer (without `https://`), for a token that names `key_id`.
    pub fn find(&self, issuer: &str, key_id: Option<&str>, now: Timestamp) -> Found {
        if let Some(keys) = self.given.get(issuer) {
            return Found::Keys(keys.clone());
        }
        if !self.any_allowed && !self.allowed.iter().any(|allowed| allowed == issuer) {
            return Found::NotAllowed;
        }
        let fetched = self.fetched.read().unwrap_or_else(PoisonError::into_inner);
        let Some(attempt) = fetched.get(issuer) else { return Found::Wanted };
        // A clock that was set back makes an attempt of the future: it counts for nothing.
        let age = now.seconds() - attempt.at.seconds();
        match &attempt.outcome {
            Err(failure) if (0..FAILURE_SECONDS).contains(&age) => Found::Failed(failure.clone()),
            Ok(keys) if (0..UNKNOWN_KEY_SECONDS).contains(&age) => Found::Keys(keys.clone()),
            Ok(keys) if (0..KEPT_SECONDS).contains(&age) && keys.has(key_id) => {
                Found::Keys(keys.clone())
            }
            _ => Found::Wanted,
        }
    }

    /// Keeps what came of an attempt to fetch.
    pub fn keep(&self, issuer: &str, outcome: Result<KeySet, Failure>, now: Timestamp) {
        let attempt = Attempt { at: now, outcome: outcome.map(Arc::new) };
        let mut fetched = self.fetched.write().unwrap_or_else(PoisonError::into_inner);
        if fetched.len() >= ISSUERS_MAX {
            fetched.clear();
        }
        fetched.insert(issuer.to_owned(), attempt);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JWKS: &[u8] = br#"{"keys":[{"kty":"EC","crv":"P-256","kid":"one","use":"sig",
        "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;

    fn after(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000).plus_seconds(seconds)
    }

    fn say(found: &Found) -> &'static str {
        match found {
            Found::Keys(_) => "keys",
            Found::Failed(_) => "failed",
            Found::Wanted => "wanted",
            Found::NotAllowed => "not allowed",
        }
    }

    #[test]
    fn nothing_is_fetched_unless_the_operator_says_so() {
        let keys = KeySet::parse(JWKS).unwrap();
        let given = BTreeMap::from([("given.example".to_owned(), keys)]);
        let fetched = vec!["idp.example".to_owned()];
        let known = IssuerKeys::new(Known { keys: given, fetched, fetch_any: false });
        assert_eq!(say(&known.find("given.example", Some("two"), after(0))), "keys");
        assert_eq!(say(&known.find("idp.example", None, after(0))), "wanted");
        assert_eq!(say(&known.find("other.example", None, after(0))), "not allowed");
        let known = IssuerKeys::new(Known { fetch_any: true, ..Known::default() });
        assert_eq!(say(&known.find("other.example", None, after(0))), "wanted");
    }

    #[test]
    fn an_issuer_is_asked_no_more_often_than_needed() {
        let known = IssuerKeys::new(Known { fetch_any: true, ..Known::default() });
        let find = |id, at| say(&known.find("idp.example", Some(id), after(at)));
        known.keep("idp.example", Err(Failure::Unreachable), after(0));
        assert_eq!((find("one", 9), find("one", 10)), ("failed", "wanted"));
        known.keep("idp.example", Ok(KeySet::parse(JWKS).unwrap()), after(10));
        assert_eq!((find("one", 3609), find("one", 3610)), ("keys", "wanted"));
        assert_eq!((find("two", 69), find("two", 70)), ("keys", "wanted"));
        assert_eq!(find("one", 0), "wanted");
    }

    #[test]
    fn what_is_no_key_set() {
        for json in ["", "{}", "[]", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#] {
            assert!(KeySet::parse(json.as_bytes()).is_none(), "{json}");
        }
        assert!(KeySet::parse(JWKS).is_some());
    }
}
