//! Compiled policies, kept by the hash of their text: the same document attached to many
//! principals is compiled once.

use super::Attached;
use super::credential::unreadable;
use aws_lc_rs::digest;
use palisade_policy::{CompiledPolicy, DocumentKind, Policy, PolicySet};
use palisade_shape::Result;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Beyond this the cache is emptied and filled anew.
const ENTRIES_MAX: usize = 8_192;

type Hash = [u8; 32];

/// The documents in use, compiled.
#[derive(Default)]
pub struct PolicyCache {
    entries: RwLock<HashMap<(Hash, DocumentKind), Arc<CompiledPolicy>>>,
}

impl PolicyCache {
    /// The policies as one layer.
    pub fn set(&self, attached: &[Attached], kind: DocumentKind) -> Result<PolicySet> {
        let mut policies = Vec::with_capacity(attached.len());
        for policy in attached {
            let compiled = self.policy(&policy.label, &policy.document, kind)?;
            policies.push((Arc::from(policy.label.as_str()), compiled));
        }
        Ok(PolicySet::new(policies))
    }

    /// One document, compiled.
    pub fn policy(
        &self,
        label: &str,
        document: &str,
        kind: DocumentKind,
    ) -> Result<Arc<CompiledPolicy>> {
        let hash = hash(document);
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = entries.get(&(hash, kind)) {
            return Ok(known.clone());
        }
        drop(entries);
        let policy = Policy::parse(document, kind).map_err(|error| unreadable(label, error))?;
        let compiled = policy.compile();
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= ENTRIES_MAX {
            entries.clear();
        }
        entries.insert((hash, kind), compiled.clone());
        Ok(compiled)
    }
}

fn hash(document: &str) -> Hash {
    let digest = digest::digest(&digest::SHA256, document.as_bytes());
    let mut hash = [0; 32];
    hash.copy_from_slice(digest.as_ref());
    hash
}
