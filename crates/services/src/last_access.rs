//! Which services and operations each user and role called last, and when: what reports of the last
//! access are made of. An attempt counts, allowed or not, as in AWS.
//!
//! The request path notes a call in memory. What is new goes to the store with the next upkeep,
//! what is repeated once an hour, so that the record costs neither a write a call nor a version of
//! the document a call. A report sees the memory too; a killed process loses an hour of repetition
//! at most, a stopped one nothing.

use palisade_shape::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The last call of one operation, or of any of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    pub at_millis: i64,
    pub region: String,
}

/// What one user or role called, by its unique id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastAccess {
    pub id: String,
    pub account: String,
    /// The model's name of the service → the operation → its last call.
    pub services: BTreeMap<String, BTreeMap<String, Seen>>,
}

impl LastAccess {
    /// Takes over what is later in `other`.
    pub fn merge(&mut self, other: &Self) {
        for (service, operations) in &other.services {
            let known = self.services.entry(service.clone()).or_default();
            for (operation, seen) in operations {
                let last = known.entry(operation.clone()).or_default();
                if seen.at_millis >= last.at_millis {
                    *last = seen.clone();
                }
            }
        }
    }
}

/// How old what the store knows may get.
const STORED_MILLIS: i64 = 3_600_000;
const SHARDS: usize = 16;

struct Noted {
    at_millis: i64,
    region: String,
    /// As of when the store has it; none when it has not.
    stored_millis: Option<i64>,
}

#[derive(Default)]
struct Entity {
    account: String,
    calls: BTreeMap<(&'static str, &'static str), Noted>,
}

/// The calls that were noted in memory.
#[derive(Default)]
pub struct LastAccesses {
    shards: [Mutex<BTreeMap<String, Entity>>; SHARDS],
}

impl LastAccesses {
    fn shard(&self, id: &str) -> Option<&Mutex<BTreeMap<String, Entity>>> {
        let last = id.as_bytes().last().copied().unwrap_or_default();
        self.shards.get(usize::from(last) % SHARDS)
    }

    /// Notes a call. Allocates only for what was not noted before.
    pub fn note(
        &self,
        (id, account): (&str, &str),
        at: Timestamp,
        region: &str,
        call: (&'static str, &'static str),
    ) {
        let Some(shard) = self.shard(id) else { return };
        let mut entities = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(noted) = entities.get_mut(id).and_then(|entity| entity.calls.get_mut(&call)) {
            noted.at_millis = noted.at_millis.max(at.millis());
            if noted.region != region {
                region.clone_into(&mut noted.region);
            }
            return;
        }
        let entity = entities.entry(id.to_owned()).or_default();
        account.clone_into(&mut entity.account);
        let (at_millis, region) = (at.millis(), region.to_owned());
        entity.calls.insert(call, Noted { at_millis, region, stored_millis: None });
    }

    /// What was noted of a user or role since it was last forgotten.
    pub fn get(&self, id: &str) -> Option<LastAccess> {
        let entities = self.shard(id)?.lock().unwrap_or_else(PoisonError::into_inner);
        entities.get(id).map(|entity| entity.shown(id, |_| true))
    }

    /// What the store should know by now; all that it does not, when `everything` is asked for.
    pub fn take_due(&self, everything: bool) -> Vec<LastAccess> {
        let mut due = Vec::new();
        for shard in &self.shards {
            let mut entities = shard.lock().unwrap_or_else(PoisonError::into_inner);
            for (id, entity) in entities.iter_mut() {
                let is_due = |noted: &Noted| match noted.stored_millis {
                    None => true,
                    Some(stored) => {
                        let newer = noted.at_millis - stored;
                        newer >= STORED_MILLIS || (everything && newer > 0)
                    }
                };
                if entity.calls.values().any(is_due) {
                    due.push(entity.shown(id, is_due));
                }
                for noted in entity.calls.values_mut().filter(|noted| is_due(noted)) {
                    noted.stored_millis = Some(noted.at_millis);
                }
            }
        }
        due
    }

    /// Forgets everything, after the state was reset.
    pub fn clear(&self) {
        for shard in &self.shards {
            shard.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }
}

impl Entity {
    fn shown(&self, id: &str, wanted: impl Fn(&Noted) -> bool) -> LastAccess {
        let mut services: BTreeMap<String, BTreeMap<String, Seen>> = BTreeMap::new();
        for ((service, operation), noted) in self.calls.iter().filter(|(_, noted)| wanted(noted)) {
            let seen = Seen { at_millis: noted.at_millis, region: noted.region.clone() };
            let operations = services.entry((*service).to_owned()).or_default();
            operations.insert((*operation).to_owned(), seen);
        }
        LastAccess { id: id.to_owned(), account: self.account.clone(), services }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(accesses: &[LastAccess], operation: &str) -> Option<i64> {
        let services = accesses.iter().flat_map(|access| access.services.values());
        services
            .filter_map(|operations| operations.get(operation))
            .map(|seen| seen.at_millis)
            .next()
    }

    #[test]
    fn new_calls_are_due_at_once_and_repeated_ones_once_an_hour() {
        let all = LastAccesses::default();
        let note = |millis: i64, operation: &'static str| {
            let at = Timestamp::from_millis(millis);
            all.note(("AIDAX", "123456789012"), at, "us-east-1", ("iam", operation));
        };
        note(10, "ListUsers");
        assert_eq!(at(&all.take_due(false), "ListUsers"), Some(10));
        assert!(all.take_due(true).is_empty());
        note(20, "ListUsers");
        assert!(all.take_due(false).is_empty());
        note(30, "ListRoles");
        let due = all.take_due(false);
        assert_eq!((at(&due, "ListRoles"), at(&due, "ListUsers")), (Some(30), None));
        assert_eq!(at(&[all.get("AIDAX").unwrap()], "ListUsers"), Some(20));
        note(10 + STORED_MILLIS, "ListUsers");
        assert_eq!(at(&all.take_due(false), "ListUsers"), Some(10 + STORED_MILLIS));
        note(11 + STORED_MILLIS, "ListUsers");
        assert_eq!(at(&all.take_due(true), "ListUsers"), Some(11 + STORED_MILLIS));
        assert_eq!(all.get("AIDAY"), None);
        let mut one = all.get("AIDAX").unwrap();
        let older = LastAccess { services: due[0].services.clone(), ..LastAccess::default() };
        one.merge(&older);
        assert_eq!(one, all.get("AIDAX").unwrap());
    }
}
