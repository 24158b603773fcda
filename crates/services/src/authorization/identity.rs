use crate::context::from_store;
use palisade_shape::Result;
use palisade_store::{Document, Key, OwnedKey, Read};

/// One policy that applies to a principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// The ARN of a managed policy; `inline:user/NAME/POLICY` for one of a principal's own.
    pub label: String,
    pub managed: bool,
    /// The revision of the document it was read from; 0 for what is built in.
    pub revision: u64,
    pub document: String,
}

/// All that IAM says about one principal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    pub policies: Vec<Attached>,
    pub boundary: Option<Attached>,
    /// The principal's own tags, for `aws:PrincipalTag/*`.
    pub tags: Vec<(String, String)>,
}

/// Notes every document that was looked at, so that what was built from them can be kept until one
/// of them changes.
pub struct Dependencies<'a> {
    read: &'a dyn Read,
    seen: Vec<(OwnedKey, Option<u64>)>,
}

impl<'a> Dependencies<'a> {
    pub fn new(read: &'a dyn Read) -> Self {
        Self { read, seen: Vec::new() }
    }

    pub fn get(&mut self, key: &Key<'_>) -> Result<Option<Document>> {
        let found = self.read.get(key).map_err(from_store)?;
        self.seen.push((key.to_owned(), found.as_ref().map(|document| document.revision)));
        Ok(found)
    }

    pub fn into_seen(self) -> Vec<(OwnedKey, Option<u64>)> {
        self.seen
    }
}

/// Whether all that was seen is still as it was.
pub fn unchanged(read: &dyn Read, seen: &[(OwnedKey, Option<u64>)]) -> Result<bool> {
    for (key, revision) in seen {
        let now = read.get(&key.as_key()).map_err(from_store)?.map(|document| document.revision);
        if now != *revision {
            return Ok(false);
        }
    }
    Ok(true)
}
