//! What is stored: documents under four-part keys, and the changes made to them.

use std::sync::Arc;

/// Names one document: `(collection, account, region, key)`.
///
/// `collection` is a service and noun (`iam/role`); `account` is the twelve digits, or empty for
/// what belongs to the installation; `region` is empty for global services. Keys sort by their
/// bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key<'a> {
    /// Service and noun, such as `iam/role`.
    pub collection: &'a str,
    /// The owning account's id, or empty.
    pub account: &'a str,
    /// The region's name, or empty.
    pub region: &'a str,
    /// The name within the collection, account and region.
    pub key: &'a str,
}

impl<'a> Key<'a> {
    /// A key of a regional resource.
    pub fn new(collection: &'a str, account: &'a str, region: &'a str, key: &'a str) -> Self {
        Key { collection, account, region, key }
    }

    /// The same key, owning its text.
    pub fn to_owned(&self) -> OwnedKey {
        let mut text = String::with_capacity(
            self.collection.len() + self.account.len() + self.region.len() + self.key.len(),
        );
        text.push_str(self.collection);
        let collection_end = text.len();
        text.push_str(self.account);
        let account_end = text.len();
        text.push_str(self.region);
        let region_end = text.len();
        text.push_str(self.key);
        OwnedKey { text: text.into(), collection_end, account_end, region_end }
    }
}

/// A [`Key`] that owns its text, in one allocation. Cloning it is cheap.
#[derive(Clone)]
pub struct OwnedKey {
    text: Arc<str>,
    collection_end: usize,
    account_end: usize,
    region_end: usize,
}

impl OwnedKey {
    /// The key, borrowed.
    pub fn as_key(&self) -> Key<'_> {
        let part = |from: usize, to: usize| self.text.get(from..to).unwrap_or_default();
        Key {
            collection: part(0, self.collection_end),
            account: part(self.collection_end, self.account_end),
            region: part(self.account_end, self.region_end),
            key: part(self.region_end, self.text.len()),
        }
    }

    /// Bytes of text held, for weighing caches.
    pub(crate) fn text_bytes(&self) -> usize {
        self.text.len()
    }
}

impl std::fmt::Debug for OwnedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_key().fmt(f)
    }
}

impl PartialEq for OwnedKey {
    fn eq(&self, other: &Self) -> bool {
        self.as_key() == other.as_key()
    }
}

impl Eq for OwnedKey {}

impl PartialOrd for OwnedKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for OwnedKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_key().cmp(&other.as_key())
    }
}

impl std::hash::Hash for OwnedKey {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_key().hash(state);
    }
}

/// A document as it was committed at `revision`. Cloning it does not copy the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The revision of the transaction that wrote it.
    pub revision: u64,
    /// The body, opaque to the store; JSON by convention, so that `sqlite3` can show it.
    pub body: Arc<[u8]>,
}

/// One state in a document's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The revision of the transaction that made it so.
    pub revision: u64,
    /// The body from then on; `None` when the transaction deleted the document.
    pub body: Option<Arc<[u8]>>,
}

/// One document changed by one committed transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The revision of the transaction.
    pub revision: u64,
    /// The document that changed.
    pub key: OwnedKey,
    /// Whether the transaction deleted it.
    pub deleted: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owned_key_gives_back_its_parts_and_sorts_like_them() {
        let texts = ["", "a", "ab", "b", "é"];
        let mut keys = Vec::new();
        for collection in texts {
            for account in texts {
                for key in texts {
                    keys.push(Key::new(collection, account, "", key));
                }
            }
        }
        for one in &keys {
            assert_eq!(one.to_owned().as_key(), *one);
            for other in &keys {
                assert_eq!(one.cmp(other), one.to_owned().cmp(&other.to_owned()));
            }
        }
    }
}
