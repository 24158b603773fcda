//! What lives as long as the process: the store, the keys, the clock, and what is cached of them.

use crate::attempts::Attempts;
use crate::authorization::Credentials;
use crate::clock::Clock;
use crate::kms::last_usage::KeyUses;
use crate::last_access::LastAccesses;
use crate::random::Random;
use crate::reads::Reads;
use crate::s3::access_log::AccessLogs;
use crate::sts::issuer_keys::IssuerKeys;
use crate::usage::Usage;
use palisade_store::blobs::{Blobs, MemoryBlobs};
use palisade_store::{Sealer, Store};
use std::sync::Arc;

/// The parts that every request shares.
pub struct Plane {
    pub store: Store,
    /// The audit records of calls that changed nothing.
    pub reads: Reads,
    pub sealer: Sealer,
    /// The bytes of objects; in memory unless another place is given.
    pub blobs: Arc<dyn Blobs>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub settings: Settings,
    /// The access keys in use, with their compiled policies.
    pub credentials: Credentials,
    /// The keys of whom web identity tokens come from.
    pub issuer_keys: IssuerKeys,
    /// Wrong codes, by device.
    pub attempts: Attempts,
    /// When KMS keys were last used.
    pub key_uses: KeyUses,
    /// When and where keys and roles were last used.
    pub usage: Usage,
    /// Which services and operations users and roles called last.
    pub last_accesses: LastAccesses,
    /// Lines of server access logs that wait for their delivery.
    pub access_logs: AccessLogs,
}

impl Plane {
    /// A plane on what was opened, with nothing cached.
    pub fn new(
        store: Store,
        reads: Reads,
        sealer: Sealer,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        settings: Settings,
    ) -> Self {
        Self {
            store,
            reads,
            sealer,
            blobs: Arc::new(MemoryBlobs::default()),
            clock,
            random,
            settings,
            credentials: Credentials::default(),
            issuer_keys: IssuerKeys::default(),
            attempts: Attempts::default(),
            key_uses: KeyUses::default(),
            usage: Usage::default(),
            last_accesses: LastAccesses::default(),
            access_logs: AccessLogs::default(),
        }
    }
}

/// How this installation was started.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Lab mode: the clock can be moved, the state reset, the outbox read.
    pub lab: bool,
    /// The account made at the first start.
    pub account_id: String,
    /// The region of unsigned requests and of global services.
    pub region: String,
}
