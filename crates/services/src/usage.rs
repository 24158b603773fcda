//! When and where credentials were last used. AWS reports it with a delay of hours; here it is kept
//! in memory, exact, and flushed to the store by the pipeline from time to time.

use palisade_shape::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The last use of an access key or a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastUse {
    pub id: String,
    pub account: String,
    pub at_millis: i64,
    pub region: String,
    /// The service as CloudTrail and IAM name it: its signing name.
    pub service: String,
}

impl LastUse {
    pub fn at(&self) -> Timestamp {
        Timestamp::from_millis(self.at_millis)
    }
}

const SHARDS: usize = 16;

/// The uses since the last flush, by access key id (`AKIA…`) or role id (`AROA…`).
#[derive(Default)]
pub struct Usage {
    shards: [Mutex<BTreeMap<String, LastUse>>; SHARDS],
}

impl Usage {
    fn shard(&self, id: &str) -> Option<&Mutex<BTreeMap<String, LastUse>>> {
        let last = id.as_bytes().last().copied().unwrap_or_default();
        self.shards.get(usize::from(last) % SHARDS)
    }

    /// Notes a use. Allocates only for an id not noted since the last flush.
    pub fn note(&self, id: &str, account: &str, at: Timestamp, region: &str, service: &str) {
        let Some(shard) = self.shard(id) else { return };
        let mut uses = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = uses.get_mut(id) {
            known.at_millis = known.at_millis.max(at.millis());
            replace(&mut known.region, region);
            replace(&mut known.service, service);
            return;
        }
        let last = LastUse {
            id: id.to_owned(),
            account: account.to_owned(),
            at_millis: at.millis(),
            region: region.to_owned(),
            service: service.to_owned(),
        };
        uses.insert(id.to_owned(), last);
    }

    /// The use noted since the last flush, if any.
    pub fn get(&self, id: &str) -> Option<LastUse> {
        let uses = self.shard(id)?.lock().unwrap_or_else(PoisonError::into_inner);
        uses.get(id).cloned()
    }

    /// Takes out all that was noted, to be stored.
    pub fn drain(&self) -> Vec<LastUse> {
        let take = |shard: &Mutex<BTreeMap<String, LastUse>>| {
            std::mem::take(&mut *shard.lock().unwrap_or_else(PoisonError::into_inner))
        };
        self.shards.iter().flat_map(|shard| take(shard).into_values()).collect()
    }
}

fn replace(old: &mut String, new: &str) {
    if old != new {
        new.clone_into(old);
    }
}
