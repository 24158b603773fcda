//! Standings of accounts, kept until a document they were made of changes; and the policies of one
//! level, put together once for all nodes that have the same ones.

use super::identity::unchanged;
use super::{Attached, Standing};
use palisade_policy::PolicySet;
use palisade_shape::Result;
use palisade_store::{OwnedKey, Read};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Beyond this a cache is emptied: what is in use is back within a request each.
const ENTRIES_MAX: usize = 65_536;

/// The policies of one level, compiled and as they are written.
#[derive(Clone)]
pub struct Levels {
    pub set: Arc<PolicySet>,
    pub documents: Arc<[Attached]>,
}

struct Cached {
    standing: Arc<Standing>,
    /// What it was made of.
    seen: Vec<(OwnedKey, Option<u64>)>,
    /// The newest revision at which it is known to be true.
    true_at: AtomicU64,
}

/// Labels and revisions of a level's policies.
type LevelKey = Vec<(String, u64)>;

#[derive(Default)]
pub struct StandingCache {
    entries: RwLock<HashMap<Box<str>, Cached>>,
    levels: RwLock<HashMap<LevelKey, Levels>>,
    /// The revision of the last change of anything of an organization.
    changed_at: AtomicU64,
    /// All changes up to this revision have been told.
    told: AtomicU64,
}

impl StandingCache {
    /// To be called for every committed change, in order.
    pub fn changed(&self, collection: &str, revision: u64) {
        if collection.starts_with("organizations/") {
            self.changed_at.fetch_max(revision, Ordering::AcqRel);
        }
    }

    /// To be called after all changes up to a revision were told.
    pub fn told(&self, revision: u64) {
        self.told.fetch_max(revision, Ordering::AcqRel);
    }

    /// Forgets everything, after the state was reset.
    pub fn clear(&self) {
        self.entries.write().unwrap_or_else(PoisonError::into_inner).clear();
        self.levels.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The standing of an account as a snapshot sees it, if it is kept and still true.
    pub fn known(&self, read: &dyn Read, account: &str) -> Result<Option<Arc<Standing>>> {
        let at = read.revision();
        // In this order: what has been told by now has counted as a change before.
        let told = self.told.load(Ordering::Acquire);
        let changed_at = self.changed_at.load(Ordering::Acquire);
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let Some(cached) = entries.get(account) else { return Ok(None) };
        let true_at = cached.true_at.load(Ordering::Acquire);
        if at == true_at || (true_at < at && at <= told && changed_at <= true_at) {
            return Ok(Some(cached.standing.clone()));
        }
        if !unchanged(read, &cached.seen)? {
            return Ok(None);
        }
        cached.true_at.fetch_max(at, Ordering::AcqRel);
        Ok(Some(cached.standing.clone()))
    }

    /// The same for a transaction, which asks for each document and leaves no trace.
    pub fn unchanged(&self, read: &dyn Read, account: &str) -> Result<Option<Arc<Standing>>> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let Some(cached) = entries.get(account) else { return Ok(None) };
        Ok(unchanged(read, &cached.seen)?.then(|| cached.standing.clone()))
    }

    /// Keeps a standing that a snapshot of that revision gave.
    pub fn keep(
        &self,
        account: &str,
        standing: &Arc<Standing>,
        seen: Vec<(OwnedKey, Option<u64>)>,
        revision: u64,
    ) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        // Who looks at the past must not make the present forgotten.
        let newer = |known: &Cached| known.true_at.load(Ordering::Acquire) > revision;
        if entries.get(account).is_some_and(newer) {
            return;
        }
        if entries.len() >= ENTRIES_MAX {
            entries.clear();
        }
        let true_at = AtomicU64::new(revision);
        entries.insert(account.into(), Cached { standing: standing.clone(), seen, true_at });
    }

    /// The level with these policies, made by `make` unless it is kept.
    pub fn level(
        &self,
        attached: Vec<Attached>,
        make: impl FnOnce(Vec<Attached>) -> Result<Levels>,
    ) -> Result<Levels> {
        let key: LevelKey =
            attached.iter().map(|policy| (policy.label.clone(), policy.revision)).collect();
        let levels = self.levels.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = levels.get(&key) {
            return Ok(known.clone());
        }
        drop(levels);
        let made = make(attached)?;
        let mut levels = self.levels.write().unwrap_or_else(PoisonError::into_inner);
        if levels.len() >= ENTRIES_MAX {
            levels.clear();
        }
        levels.insert(key, made.clone());
        Ok(made)
    }
}
