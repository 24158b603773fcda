//! Sealed secrets: what the store holds of TOTP seeds, secret keys and private keys.
//!
//! Values are encrypted with AES-256-GCM under a data key. Data keys are documents of the store
//! (`store/data-key`), themselves encrypted under the master key, a file that only its owner can
//! read. Purpose and owner are authenticated, so that a sealed value copied to another document,
//! field or account does not open.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Mutex, PoisonError, RwLock};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::api::Read;
use crate::document::Key;
use crate::error::{Abort, Result, StoreError};
use crate::store::Store;

/// Fills a buffer with random bytes. The caller's, so that tests are deterministic.
pub type Random<'r> = &'r mut dyn FnMut(&mut [u8]);

/// The master key's name in the data folder.
pub const MASTER_KEY_NAME: &str = "master.key";

const KEY_LEN: usize = 32;
const COLLECTION: &str = "store/data-key";
/// First byte of every sealed value; the layout after it is key id u32, nonce, ciphertext and tag.
const FORMAT: u8 = 1;
const HEAD_LEN: usize = 5;

/// The key over all keys. Never leaves this module.
pub struct MasterKey(LessSafeKey);

impl MasterKey {
    /// Reads the key file, creating it with mode 0600 when it does not exist.
    ///
    /// A file that others may read or write is refused, as is one that is no key.
    pub fn load_or_create(path: &Path, random: Random<'_>) -> Result<MasterKey> {
        let create = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        match create {
            Ok(file) => create_key(path, file, random)?,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.into()),
        }
        let mut file = File::open(path)?;
        let mode = file.metadata()?.mode();
        if mode & 0o077 != 0 {
            let mode = mode & 0o777;
            let path = path.display();
            return Err(StoreError::MasterKey(format!("{path} has mode {mode:o}, not 600")));
        }
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let wrong = || StoreError::MasterKey(format!("{} is no master key", path.display()));
        let bytes = from_hex(text.trim()).ok_or_else(wrong)?;
        Ok(MasterKey(key(&bytes).ok_or_else(wrong)?))
    }
}

impl MasterKey {
    /// A key that is kept nowhere, for a store in memory.
    pub fn generate(random: Random<'_>) -> Result<MasterKey> {
        let mut bytes = [0; KEY_LEN];
        random(&mut bytes);
        key(&bytes).map(MasterKey).ok_or(StoreError::Unsealable)
    }
}

fn create_key(path: &Path, mut file: File, random: Random<'_>) -> Result<()> {
    let mut bytes = [0; KEY_LEN];
    random(&mut bytes);
    file.write_all(to_hex(&bytes).as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn key(bytes: &[u8]) -> Option<LessSafeKey> {
    Some(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, bytes).ok()?))
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| u8::try_from(digit.to_digit(16)?).ok()).collect();
    let digits = digits?;
    let (pairs, []) = digits.as_chunks::<2>() else {
        return None;
    };
    Some(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

/// Seals and opens values. One a process; share it behind an `Arc`.
pub struct Sealer {
    store: Store,
    master: Mutex<MasterKey>,
    keys: RwLock<BTreeMap<u32, LessSafeKey>>,
}

impl Sealer {
    /// Loads the data keys, creating the first one in a new store.
    pub fn open(store: Store, master: MasterKey, random: Random<'_>) -> Result<Sealer> {
        let sealer = Sealer { store, master: Mutex::new(master), keys: RwLock::default() };
        sealer.load()?;
        if sealer.newest().is_none() {
            sealer.add_key(1, random)?;
        }
        Ok(sealer)
    }

    /// Adds a data key and seals with it from now on. Values sealed before still open.
    pub fn rotate(&self, random: Random<'_>) -> Result<()> {
        self.load()?;
        self.add_key(self.newest().unwrap_or_default() + 1, random)
    }

    /// Encrypts all data keys under another master key, in one transaction. Values stay.
    pub fn change_master(&self, master: MasterKey, random: Random<'_>) -> Result<()> {
        let mut current = self.master.lock().unwrap_or_else(PoisonError::into_inner);
        let mut wrapped = Vec::new();
        for (id, body) in self.documents()? {
            let plain = open(&current.0, &wrap_context(id), &body)?;
            wrapped.push((id, encrypt(&master.0, id, &wrap_context(id), &plain, random)?));
        }
        self.store.write_blocking(Box::new(move |tx| {
            for (id, body) in &wrapped {
                tx.replace(&document_key(&id.to_string()), to_hex(body).as_bytes())?;
            }
            Ok(())
        }))?;
        *current = master;
        Ok(())
    }

    /// Seals `plain` for one purpose (`iam/access-key`) of one owner (an ARN or document key).
    pub fn seal(
        &self,
        purpose: &str,
        owner: &str,
        plain: &[u8],
        random: Random<'_>,
    ) -> Result<Vec<u8>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let (id, key) = keys.last_key_value().ok_or(StoreError::Unsealable)?;
        encrypt(key, *id, &context(purpose, owner), plain, random)
    }

    /// Opens what was sealed for exactly this purpose and owner.
    pub fn unseal(&self, purpose: &str, owner: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let id = key_id(sealed).ok_or(StoreError::Unsealable)?;
        let open_now = || {
            let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
            keys.get(&id).map(|key| open(key, &context(purpose, owner), sealed))
        };
        if let Some(result) = open_now() {
            return result;
        }
        // Another node may have rotated.
        self.load()?;
        open_now().unwrap_or(Err(StoreError::Unsealable))
    }

    /// The id of the data key that seals now, for metrics and for finding values to seal anew.
    pub fn newest(&self) -> Option<u32> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.last_key_value().map(|(id, _)| *id)
    }

    fn documents(&self) -> Result<Vec<(u32, Vec<u8>)>> {
        let mut found = Vec::new();
        let snapshot = self.store.snapshot();
        for (id, document) in snapshot.scan(COLLECTION, "", "", "", None, usize::MAX)? {
            let body = std::str::from_utf8(&document.body).ok().and_then(from_hex);
            let (Ok(id), Some(body)) = (id.parse(), body) else {
                return Err(StoreError::Corrupt(format!("data key {id:?}")));
            };
            found.push((id, body));
        }
        Ok(found)
    }

    fn load(&self) -> Result<()> {
        let mut loaded = BTreeMap::new();
        let master = self.master.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, body) in self.documents()? {
            let plain = open(&master.0, &wrap_context(id), &body).map_err(|_| {
                StoreError::MasterKey("the master key does not open the store's data keys".into())
            })?;
            loaded.insert(id, key(&plain).ok_or(StoreError::Unsealable)?);
        }
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(())
    }

    fn add_key(&self, id: u32, random: Random<'_>) -> Result<()> {
        let mut plain = [0; KEY_LEN];
        random(&mut plain);
        let wrapped = {
            let master = self.master.lock().unwrap_or_else(PoisonError::into_inner);
            to_hex(&encrypt(&master.0, id, &wrap_context(id), &plain, random)?)
        };
        let added = self.store.write_blocking(Box::new(move |tx| {
            match tx.insert(&document_key(&id.to_string()), wrapped.as_bytes()) {
                // Another node was faster; its key is as good.
                Err(StoreError::Taken) => Ok(()),
                result => result.map_err(Abort::from),
            }
        }));
        added?;
        self.load()
    }
}

fn document_key(id: &str) -> Key<'_> {
    Key::new(COLLECTION, "", "", id)
}

/// The authenticated data of a sealed value. Lengths keep `("ab", "c")` and `("a", "bc")` apart.
fn context(purpose: &str, owner: &str) -> Vec<u8> {
    let mut context = b"palisade sealed value 1".to_vec();
    for part in [purpose, owner] {
        context.extend_from_slice(&(part.len() as u64).to_be_bytes());
        context.extend_from_slice(part.as_bytes());
    }
    context
}

fn wrap_context(id: u32) -> Vec<u8> {
    format!("palisade data key {id}").into_bytes()
}

fn encrypt(
    key: &LessSafeKey,
    id: u32,
    context: &[u8],
    plain: &[u8],
    random: Random<'_>,
) -> Result<Vec<u8>> {
    let mut nonce = [0; NONCE_LEN];
    random(&mut nonce);
    let mut sealed = vec![FORMAT];
    sealed.extend_from_slice(&id.to_be_bytes());
    let context = [context, &sealed].concat();
    sealed.extend_from_slice(&nonce);
    let mut body = plain.to_vec();
    key.seal_in_place_append_tag(
        Nonce::assume_unique_for_key(nonce),
        Aad::from(context),
        &mut body,
    )
    .map_err(|_| StoreError::TooLarge)?;
    sealed.append(&mut body);
    Ok(sealed)
}

fn key_id(sealed: &[u8]) -> Option<u32> {
    let (format, rest) = sealed.split_first()?;
    (*format == FORMAT).then(|| rest.first_chunk::<4>().map(|id| u32::from_be_bytes(*id)))?
}

fn open(key: &LessSafeKey, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
    let parts = sealed.split_at_checked(HEAD_LEN).and_then(|(head, rest)| {
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>()?;
        Some((head, *nonce, body.to_vec()))
    });
    let (head, nonce, mut body) = parts.ok_or(StoreError::Unsealable)?;
    let context = Aad::from([context, head].concat());
    let nonce = Nonce::assume_unique_for_key(nonce);
    let opened = key.open_in_place(nonce, context, &mut body);
    let length = opened.map_err(|_| StoreError::Unsealable)?.len();
    body.truncate(length);
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Options;
    use std::os::unix::fs::PermissionsExt;

    fn counting() -> impl FnMut(&mut [u8]) {
        let mut next = 0u8;
        move |buffer| {
            for byte in buffer {
                next = next.wrapping_add(1);
                *byte = next;
            }
        }
    }

    fn open_sealer(store: &Store, folder: &Path, seed: &mut dyn FnMut(&mut [u8])) -> Sealer {
        let master = MasterKey::load_or_create(&folder.join(MASTER_KEY_NAME), seed).unwrap();
        Sealer::open(store.clone(), master, seed).unwrap()
    }

    #[test]
    fn a_value_opens_only_for_its_purpose_and_owner() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_ephemeral(&Options::default()).unwrap();
        let mut random = counting();
        let sealer = open_sealer(&store, folder.path(), &mut random);
        let sealed = sealer.seal("totp", "arn:1", b"seed", &mut random).unwrap();
        assert!(!sealed.windows(4).any(|window| window == b"seed"));
        let again = open_sealer(&store, folder.path(), &mut random);
        for sealer in [&sealer, &again] {
            assert_eq!(sealer.unseal("totp", "arn:1", &sealed).unwrap(), b"seed");
            for (purpose, owner) in [("totp", "arn:2"), ("key", "arn:1"), ("totparn", ":1")] {
                assert_eq!(sealer.unseal(purpose, owner, &sealed), Err(StoreError::Unsealable));
            }
        }
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert_eq!(sealer.unseal("totp", "arn:1", &altered), Err(StoreError::Unsealable));
            let cut = sealer.unseal("totp", "arn:1", &sealed[..at]);
            assert_eq!(cut, Err(StoreError::Unsealable));
        }
    }

    #[test]
    fn keys_rotate() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_ephemeral(&Options::default()).unwrap();
        let mut random = counting();
        let first = open_sealer(&store, folder.path(), &mut random);
        let second = open_sealer(&store, folder.path(), &mut random);
        let old = first.seal("p", "o", b"old", &mut random).unwrap();
        first.rotate(&mut random).unwrap();
        let new = first.seal("p", "o", b"new", &mut random).unwrap();
        assert_eq!((key_id(&old), key_id(&new)), (Some(1), Some(2)));
        for sealer in [&first, &second] {
            assert_eq!(sealer.unseal("p", "o", &old).unwrap(), b"old");
            assert_eq!(sealer.unseal("p", "o", &new).unwrap(), b"new");
        }
        let other = folder.path().join("other.key");
        let master = MasterKey::load_or_create(&other, &mut random).unwrap();
        first.change_master(master, &mut random).unwrap();
        assert_eq!(first.unseal("p", "o", &old).unwrap(), b"old");
        let master = MasterKey::load_or_create(&other, &mut random).unwrap();
        let third = Sealer::open(store.clone(), master, &mut random).unwrap();
        assert_eq!(third.unseal("p", "o", &new).unwrap(), b"new");
        let stale = MasterKey::load_or_create(&folder.path().join(MASTER_KEY_NAME), &mut random);
        let refused = Sealer::open(store, stale.unwrap(), &mut random);
        assert!(matches!(refused.err(), Some(StoreError::MasterKey(_))));
    }

    #[test]
    fn a_master_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(MASTER_KEY_NAME);
        MasterKey::load_or_create(&path, &mut counting()).unwrap();
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(&path).unwrap();
        for mode in [0o640, 0o604, 0o660, 0o601] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let refused = MasterKey::load_or_create(&path, &mut counting()).err();
            assert!(matches!(refused, Some(StoreError::MasterKey(_))), "{mode:o}");
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        for wrong in ["", "00", &text[..62], "zz", &text.replace('\n', "00")] {
            std::fs::write(&path, wrong).unwrap();
            let refused = MasterKey::load_or_create(&path, &mut counting()).err();
            assert!(matches!(refused, Some(StoreError::MasterKey(_))), "{wrong:?}");
        }
    }
}
