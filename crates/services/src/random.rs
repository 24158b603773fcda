//! Randomness, and the ids made of it. Handlers get both through the `Context`.

use aws_lc_rs::{digest, rand};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::sync::atomic::{AtomicU64, Ordering};

/// A source of random bytes. Shared by all requests.
pub trait Random: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's generator.
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        if rand::fill(bytes).is_err() {
            // Going on with predictable secrets would be worse than stopping.
            std::process::abort();
        }
    }
}

/// A reproducible sequence, for tests only: SHA-256 over a seed and a counter.
pub struct SeededRandom {
    seed: u64,
    counter: AtomicU64,
}

impl SeededRandom {
    pub const fn new(seed: u64) -> Self {
        Self { seed, counter: AtomicU64::new(0) }
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let count = self.counter.fetch_add(1, Ordering::Relaxed);
            let block = [self.seed.to_be_bytes(), count.to_be_bytes()].concat();
            let hash = digest::digest(&digest::SHA256, &block);
            chunk.copy_from_slice(hash.as_ref().get(..chunk.len()).unwrap_or_default());
        }
    }
}

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const ALPHANUMERIC: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Letters and digits, without those that look alike, and some signs: 64.
const PASSWORD: &[u8; 64] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789+=@_%*#";

/// `length` characters of `alphabet`, whose size must be a power of two so that none is favoured.
fn text(random: &dyn Random, alphabet: &[u8], length: usize) -> String {
    let mut bytes = vec![0; length];
    random.fill(&mut bytes);
    let pick = |byte: u8| alphabet.get(usize::from(byte) % alphabet.len()).copied();
    bytes.into_iter().filter_map(pick).map(char::from).collect()
}

/// An IAM unique id such as `AIDACKCEVSQ6C2EXAMPLE`: a prefix of four letters and 17 of base32
/// (IAM User Guide, "IAM identifiers").
pub fn unique_id(random: &dyn Random, prefix: &str) -> String {
    format!("{prefix}{}", text(random, BASE32, 17))
}

/// The id of what Organizations makes: a prefix and small letters and digits (`o-a2b3c4d5e6`).
pub fn lower_id(random: &dyn Random, prefix: &str, length: usize) -> String {
    format!("{prefix}{}", text(random, BASE32, length).to_ascii_lowercase())
}

/// A code that somebody types in: six letters and digits.
pub fn confirmation_code(random: &dyn Random) -> String {
    text(random, BASE32, 6)
}

/// The id of an account: twelve digits that do not begin with a zero.
pub fn account_id(random: &dyn Random) -> String {
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    (100_000_000_000 + u64::from_be_bytes(bytes) % 900_000_000_000).to_string()
}

/// An access key id. As in AWS, the account is encoded in the characters after the prefix, which is
/// what lets `sts:GetAccessKeyInfo` name the account of any key.
pub fn access_key_id(random: &dyn Random, prefix: &str, account: &str) -> String {
    let account: u64 = account.parse().unwrap_or_default();
    let mut noise = [0; 8];
    random.fill(&mut noise);
    // 80 bits: one set bit, 40 of the account, 39 of noise, in sixteen base32 characters.
    let noise = u128::from(u64::from_be_bytes(noise)) & ((1 << 39) - 1);
    let bits = (1_u128 << 79) | (u128::from(account & ((1 << 40) - 1)) << 39) | noise;
    let letter = |index: u32| {
        let five = (bits >> (75 - 5 * index)) & 31;
        BASE32.get(five as usize).copied().map(char::from)
    };
    format!("{prefix}{}", (0..16).filter_map(letter).collect::<String>())
}

/// The account that an access key id belongs to, or none if it has no such form.
pub fn account_of_access_key(access_key_id: &str) -> Option<String> {
    let encoded = access_key_id.get(4..)?;
    if encoded.len() != 16 {
        return None;
    }
    let mut bits = 0_u128;
    for letter in encoded.bytes() {
        let five = BASE32.iter().position(|known| *known == letter)?;
        bits = (bits << 5) | five as u128;
    }
    Some(format!("{:012}", (bits >> 39) & ((1 << 40) - 1)))
}

/// A secret access key: forty characters.
pub fn secret_access_key(random: &dyn Random) -> String {
    text(random, ALPHANUMERIC, 40)
}

/// The id of a signing certificate, as AWS makes them: 32 characters.
pub fn certificate_id(random: &dyn Random) -> String {
    text(random, BASE32, 32)
}

/// The password of a service-specific credential: 32 bytes in base64.
pub fn service_password(random: &dyn Random) -> String {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    STANDARD.encode(bytes)
}

/// A console password of 27 characters, 24 of them random: four groups of six between dashes, with
/// small and capital letters and a digit among them, as every kind of password policy wants it. It
/// begins with a letter or digit, so that no spreadsheet takes it for a formula.
pub fn console_password(random: &dyn Random) -> String {
    loop {
        let groups: Vec<String> = (0..4).map(|_| text(random, PASSWORD, 6)).collect();
        let password = groups.join("-");
        let has = |kind: fn(&char) -> bool| password.chars().any(|c| kind(&c));
        let kinds = [char::is_ascii_lowercase, char::is_ascii_uppercase, char::is_ascii_digit];
        let plain = password.starts_with(|first: char| first.is_ascii_alphanumeric());
        if plain && kinds.into_iter().all(has) {
            return password;
        }
    }
}

/// A version 4 UUID (RFC 9562), as AWS uses for request and event ids.
pub fn uuid(random: &dyn Random) -> String {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    uuid_of(bytes)
}

fn uuid_of(bytes: [u8; 16]) -> String {
    let bits =
        (u128::from_be_bytes(bytes) & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    let mut text = String::with_capacity(36);
    for (index, digit) in hex.chars().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_forms_of_aws() {
        let random = SeededRandom::new(7);
        let user = unique_id(&random, "AIDA");
        assert_eq!((user.len(), &user[..4]), (21, "AIDA"));
        let key = access_key_id(&random, "AKIA", "123456789012");
        assert_eq!((key.len(), &key[..4]), (20, "AKIA"));
        assert_eq!(secret_access_key(&random).len(), 40);
        assert_eq!(certificate_id(&random).len(), 32);
        assert_eq!(service_password(&random).len(), 44);
        let password = console_password(&random);
        assert_eq!((password.len(), password.matches('-').count()), (27, 3), "{password}");
        let id = uuid(&random);
        assert_eq!((id.len(), &id[14..15]), (36, "4"));
        assert_ne!(unique_id(&random, "AIDA"), user);
    }

    #[test]
    fn an_access_key_names_its_account() {
        let random = SeededRandom::new(1);
        for account in ["000000000000", "123456789012", "999999999999", "000000000001"] {
            let key = access_key_id(&random, "ASIA", account);
            assert_eq!(account_of_access_key(&key).as_deref(), Some(account), "{key}");
        }
        // The documented example: a real key and its real account.
        assert_eq!(account_of_access_key("ASIAQNZGKIQY56JQ7WML").as_deref(), Some("029608264753"));
        assert_eq!(account_of_access_key("AKIA"), None);
        assert_eq!(account_of_access_key("AKIA0000000000000000"), None);
    }
}
