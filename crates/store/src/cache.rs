//! The node's document cache: answers `get` without touching the database.
//!
//! Every entry is the newest published state of its key and carries a stamp: the entry is right for
//! every snapshot at or after the stamp. A snapshot older than the stamp asks the history instead,
//! so readers see one revision although entries change under them.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::document::{Document, Key, OwnedKey};

const SHARDS: usize = 64;
/// What an entry costs beside its key and body: table slot, two allocations, headers.
const ENTRY_BYTES: usize = 160;

struct Entry {
    hash: u64,
    key: OwnedKey,
    state: Option<Document>,
    stamp: u64,
    used: AtomicBool,
}

impl Entry {
    fn bytes(&self) -> usize {
        let body = self.state.as_ref().map_or(0, |document| document.body.len());
        ENTRY_BYTES + self.key.text_bytes() + body
    }
}

#[derive(Default)]
struct Shard {
    entries: HashTable<Entry>,
    bytes: usize,
    /// Counts publications, so that a reader does not store what it read before one.
    version: u64,
}

/// What the cache knows about a key.
pub(crate) enum Lookup {
    /// The state at the asked revision.
    Known(Option<Document>),
    /// A newer state than the asked revision: read the history.
    Newer,
    /// Nothing; pass the ticket to [`Cache::fill`] with what the database says.
    Unknown(Ticket),
}

/// Proof of when a reader missed.
pub(crate) struct Ticket {
    hash: u64,
    version: u64,
}

pub(crate) struct Cache {
    hasher: DefaultHashBuilder,
    shards: Vec<RwLock<Shard>>,
    shard_bytes_max: usize,
}

impl Cache {
    /// A cache that holds about `bytes_max` bytes.
    pub(crate) fn new(bytes_max: usize) -> Cache {
        Cache {
            hasher: DefaultHashBuilder::default(),
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            shard_bytes_max: bytes_max / SHARDS,
        }
    }

    fn shard(&self, hash: u64) -> Option<&RwLock<Shard>> {
        // The table inside the shard uses the low and the top seven bits.
        self.shards.get((hash >> 40) as usize % SHARDS)
    }

    fn lock(&self, hash: u64) -> Option<RwLockWriteGuard<'_, Shard>> {
        Some(self.shard(hash)?.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// The state of `key` at `revision`, which must be published.
    pub(crate) fn get(&self, key: &Key<'_>, revision: u64) -> Lookup {
        let hash = self.hasher.hash_one(key);
        let Some(shard) = self.shard(hash) else {
            return Lookup::Newer;
        };
        let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
        match shard.entries.find(hash, |entry| entry.hash == hash && entry.key.as_key() == *key) {
            None => Lookup::Unknown(Ticket { hash, version: shard.version }),
            Some(entry) if entry.stamp > revision => Lookup::Newer,
            Some(entry) => {
                // A plain load first: writing the line on every hit would bounce it between cores.
                if !entry.used.load(Ordering::Relaxed) {
                    entry.used.store(true, Ordering::Relaxed);
                }
                Lookup::Known(entry.state.clone())
            }
        }
    }

    /// Stores what the database said after a miss, unless the key may have changed meanwhile.
    /// `seen` is the database's revision when it was read.
    pub(crate) fn fill(&self, ticket: Ticket, key: &Key<'_>, state: Option<&Document>, seen: u64) {
        let Some(mut shard) = self.lock(ticket.hash) else {
            return;
        };
        if shard.version == ticket.version {
            let stamp = state.map_or(seen, |document| document.revision);
            self.store(&mut shard, ticket.hash, key.to_owned(), state.cloned(), stamp, true);
        }
    }

    /// Publishes the state that `key` has from `revision` on.
    pub(crate) fn publish(&self, key: &OwnedKey, state: Option<Document>, revision: u64) {
        let hash = self.hasher.hash_one(key.as_key());
        if let Some(mut shard) = self.lock(hash) {
            shard.version += 1;
            self.store(&mut shard, hash, key.clone(), state, revision, false);
        }
    }

    /// Forgets `key`, which changed elsewhere.
    pub(crate) fn forget(&self, key: &OwnedKey) {
        let hash = self.hasher.hash_one(key.as_key());
        let Some(mut shard) = self.lock(hash) else {
            return;
        };
        shard.version += 1;
        let same = |entry: &Entry| entry.hash == hash && entry.key == *key;
        if let Ok(found) = shard.entries.find_entry(hash, same) {
            let (entry, _) = found.remove();
            shard.bytes -= entry.bytes();
        }
    }

    fn store(
        &self,
        shard: &mut Shard,
        hash: u64,
        key: OwnedKey,
        state: Option<Document>,
        stamp: u64,
        used: bool,
    ) {
        let same = |entry: &Entry| entry.hash == hash && entry.key == key;
        if let Some(entry) = shard.entries.find_mut(hash, same) {
            let before = entry.bytes();
            entry.state = state;
            entry.stamp = stamp;
            let after = entry.bytes();
            shard.bytes = shard.bytes - before + after;
        } else {
            let entry = Entry { hash, key, state, stamp, used: AtomicBool::new(used) };
            shard.bytes += entry.bytes();
            shard.entries.insert_unique(hash, entry, |entry| entry.hash);
        }
        if shard.bytes > self.shard_bytes_max {
            shed(shard, self.shard_bytes_max / 8 * 7);
        }
    }

    /// Bytes held now, by estimate.
    pub(crate) fn bytes(&self) -> usize {
        let of = |shard: &RwLock<Shard>| shard.read().unwrap_or_else(PoisonError::into_inner).bytes;
        self.shards.iter().map(of).sum()
    }
}

/// Drops entries that were not used since the last shedding, then, if need be, any.
fn shed(shard: &mut Shard, bytes_wanted: usize) {
    for _ in 0..2 {
        let mut bytes = shard.bytes;
        shard.entries.retain(|entry| {
            if bytes <= bytes_wanted || entry.used.swap(false, Ordering::Relaxed) {
                return true;
            }
            bytes -= entry.bytes();
            false
        });
        shard.bytes = bytes;
        if bytes <= bytes_wanted {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(revision: u64, length: usize) -> Document {
        Document { revision, body: vec![b'x'; length].into() }
    }

    fn miss(cache: &Cache, key: &Key<'_>, revision: u64) -> Ticket {
        match cache.get(key, revision) {
            Lookup::Unknown(ticket) => ticket,
            _ => panic!("expected a miss"),
        }
    }

    #[test]
    fn a_reader_cannot_store_what_it_read_before_a_publication() {
        let cache = Cache::new(1 << 20);
        let key = Key::new("c", "1", "", "k");
        let ticket = miss(&cache, &key, 1);
        cache.publish(&key.to_owned(), Some(document(2, 1)), 2);
        cache.forget(&key.to_owned());
        cache.fill(ticket, &key, Some(&document(1, 1)), 1);
        miss(&cache, &key, 2);
    }

    #[test]
    fn an_older_snapshot_is_sent_to_the_history() {
        let cache = Cache::new(1 << 20);
        let key = Key::new("c", "1", "", "k");
        cache.publish(&key.to_owned(), Some(document(5, 1)), 5);
        assert!(matches!(cache.get(&key, 4), Lookup::Newer));
        assert!(matches!(cache.get(&key, 5), Lookup::Known(Some(_))));
        cache.publish(&key.to_owned(), None, 6);
        assert!(matches!(cache.get(&key, 5), Lookup::Newer));
        assert!(matches!(cache.get(&key, 6), Lookup::Known(None)));
    }

    #[test]
    fn memory_stays_bounded_and_used_entries_stay() {
        let cache = Cache::new(4 << 20);
        let hot = Key::new("c", "1", "", "hot");
        let ticket = miss(&cache, &hot, 1);
        cache.fill(ticket, &hot, Some(&document(1, 100)), 1);
        for number in 0..20_000 {
            let name = format!("cold{number}");
            cache.publish(&Key::new("c", "1", "", &name).to_owned(), Some(document(1, 500)), 1);
            assert!(matches!(cache.get(&hot, 1), Lookup::Known(Some(_))), "at {number}");
        }
        assert!(cache.bytes() <= 4 << 20, "{} bytes", cache.bytes());
        assert!(cache.bytes() > 2 << 20, "{} bytes", cache.bytes());
    }
}
