//! The policies that AWS manages, as published, with the date of the copy.
//!
//! The list is decoded on first use and kept; a document is inflated from its block each time it
//! is asked for, since hardly any of the 1,500 documents is ever used in one process.

use crate::archive::Archive;
use std::sync::LazyLock;

static ARCHIVE: LazyLock<Archive> =
    LazyLock::new(|| Archive::open(include_bytes!("generated/managed_policies.bin")));

static POLICIES: LazyLock<Vec<ManagedPolicy>> = LazyLock::new(|| {
    let list = ARCHIVE.entries.first().map(|entry| ARCHIVE.inflate(entry)).unwrap_or_default();
    let list: &'static str = list.leak();
    list.lines().enumerate().map(|(number, line)| ManagedPolicy::new(number, line)).collect()
});

/// How many documents stand in one block; `xtask/src/generate/managed_policies.rs` decides it.
const SHARED: usize = 16;

/// A policy that AWS manages.
#[derive(Debug)]
pub struct ManagedPolicy {
    /// `AdministratorAccess`
    pub name: &'static str,
    /// `/`, `/aws-service-role/`, `/job-function/`, `/root-task/` or `/service-role/`.
    pub path: &'static str,
    /// `v1`
    pub default_version_id: &'static str,
    /// RFC 3339, with an offset: `2015-02-06T18:39:46+00:00`.
    pub create_date: &'static str,
    /// When the default version was published, in the same form.
    pub update_date: &'static str,
    block: usize,
    line: usize,
}

impl ManagedPolicy {
    fn new(number: usize, line: &'static str) -> ManagedPolicy {
        let mut fields = line.split('\t');
        let mut next = || fields.next().unwrap_or_default();
        ManagedPolicy {
            name: next(),
            path: next(),
            default_version_id: next(),
            create_date: next(),
            update_date: next(),
            block: next().parse().unwrap_or_default(),
            line: number % SHARED,
        }
    }

    /// The ARN in a partition (`aws`): `arn:aws:iam::aws:policy/job-function/Billing`.
    pub fn arn(&self, partition: &str) -> String {
        format!("arn:{partition}:iam::aws:policy{}{}", self.path, self.name)
    }

    /// The document of the default version, as JSON without white space.
    pub fn document(&self) -> Option<String> {
        let block = ARCHIVE.inflate(ARCHIVE.entries.get(self.block)?);
        block.lines().nth(self.line).map(String::from)
    }
}

/// All of them, sorted by name in byte order.
pub fn all() -> &'static [ManagedPolicy] {
    &POLICIES
}

/// When the newest policy of the copy was published (RFC 3339).
pub fn as_of() -> &'static str {
    ARCHIVE.entries.first().map(|entry| entry.field(1)).unwrap_or_default()
}

/// A policy by name; AWS's names are unique across paths.
pub fn by_name(name: &str) -> Option<&'static ManagedPolicy> {
    let found = POLICIES.binary_search_by(|policy| policy.name.cmp(name));
    found.ok().and_then(|index| POLICIES.get(index))
}

/// A policy by its ARN, in any partition.
pub fn by_arn(arn: &str) -> Option<&'static ManagedPolicy> {
    let (before, rest) = arn.split_once(":iam::aws:policy/")?;
    let name = rest.rsplit('/').next().unwrap_or_default();
    let policy = by_name(name)?;
    let path = rest.strip_suffix(name)?;
    let known = before.starts_with("arn:") && policy.path.strip_prefix('/') == Some(path);
    known.then_some(policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_has_its_document() {
        assert!(all().len() >= 1_400, "{}", all().len());
        assert!(as_of() >= "2026");
        for policy in all() {
            let document = policy.document().unwrap();
            let begins = document.starts_with('{') && document.ends_with('}');
            assert!(begins && document.contains("\"Statement\""), "{}", policy.name);
            assert!(std::ptr::eq(by_arn(&policy.arn("aws-cn")).unwrap(), policy));
        }
    }

    #[test]
    fn a_policy_is_found_by_arn() {
        let policy = by_arn("arn:aws:iam::aws:policy/AdministratorAccess").unwrap();
        assert_eq!((policy.path, policy.default_version_id), ("/", "v1"));
        assert!(policy.document().unwrap().contains("\"Action\":\"*\""));
        assert!(by_arn("arn:aws:iam::aws:policy/job-function/AdministratorAccess").is_none());
        assert!(by_arn("arn:aws:iam::aws:policy/Nonsense").is_none());
        assert!(by_arn("arn:aws:iam::123456789012:policy/AdministratorAccess").is_none());
    }
}
