//! What one running server holds, and how it is opened.

use crate::config::{Backend, Config};
use crate::first_start::{self, RootPassword, first_start};
use crate::issuer::{self, Issuers};
use crate::metrics::Metrics;
use crate::route::Router;
use palisade_protocol::sigv4::SigningKeys;
use palisade_services::caller::Caller;
use palisade_services::clock::{Clock, SystemClock};
use palisade_services::context::{Access, Context};
use palisade_services::iam::{access_key, last_accessed};
use palisade_services::kms::last_usage;
use palisade_services::plane::{Plane, Settings};
use palisade_services::random::{Random, SystemRandom};
use palisade_services::reads::Reads;
use palisade_services::s3::object::is_referenced;
use palisade_store::blobs::{LocalBlobs, remove_garbage};
use palisade_store::{
    Abort, MASTER_KEY_NAME, MasterKey, Options, ReadLog, Sealer, Store, Transaction,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, Semaphore};

/// Requests under way at once; further ones are told to come back.
const REQUESTS_MAX: usize = 2_048;
/// Derived signing keys kept.
const SIGNING_KEYS_MAX: usize = 4_096;
/// Bytes of documents kept in memory at most: some 200,000 users. Taken as they are read.
const CACHE_BYTES_MAX: usize = 256 << 20;
/// Bytes of the audit log of reads kept in memory with `--ephemeral`.
const EPHEMERAL_LOG_BYTES_MAX: usize = 16 << 20;
/// How often last uses are stored and latencies are sorted into their buckets.
const UPKEEP_PERIOD: Duration = Duration::from_secs(2);
/// How often blobs are swept.
const SWEEP_PERIOD: Duration = Duration::from_secs(3_600);
/// How old a blob must be that nothing names: the longest upload takes less.
const UNREFERENCED_SECONDS: i64 = 3_600;
/// CloudTrail keeps event history for 90 days.
const READS_KEPT_SECONDS: i64 = 90 * 86_400;

/// All that the requests share.
pub struct Server {
    pub plane: Arc<Plane>,
    pub router: Router,
    pub signing_keys: SigningKeys,
    pub metrics: Metrics,
    pub places: Arc<Semaphore>,
    /// For slow work on threads of its own.
    pub slow_places: Arc<Semaphore>,
    /// Rung when a call queued a job.
    pub jobs_queued: Notify,
    /// Held by who runs the jobs that are due.
    pub jobs_turn: tokio::sync::Mutex<()>,
    /// Who else may be asked for keys.
    pub issuers: Issuers,
    /// The clock as lab mode moves it.
    pub clock: Arc<SystemClock>,
    /// The secret of who may read the data folder.
    pub operator_token: String,
    /// The store's revision after the first start, which lab mode's reset goes back to.
    pub first_revision: u64,
    data_dir: Option<PathBuf>,
    remote_store: bool,
}

impl Server {
    /// Opens the store and, the first time, makes the account, its root key and the tokens.
    pub fn open(config: &Config) -> Result<Self, String> {
        let data_dir = (config.store != Backend::Memory).then(|| config.data_dir.clone());
        if let Some(folder) = &data_dir {
            first_start::prepare_folder(folder, config.lab)?;
        }
        let clock = Arc::new(SystemClock::default());
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let (issuer_keys, issuers) = issuer::open(&config.issuers)?;
        let root_password = RootPassword::ahead(config, data_dir.as_deref(), &random);
        let mut plane = open_plane(config, data_dir.as_deref(), clock.clone(), random.clone())?;
        plane.issuer_keys = issuer_keys;
        let plane = Arc::new(plane);
        let first_revision = first_start(&plane, config.lab, data_dir.as_deref(), root_password)?;
        let followed = Arc::downgrade(&plane);
        plane.store.subscribe(Box::new(move |changes| {
            let Some(plane) = followed.upgrade() else { return };
            plane.credentials.committed(changes);
        }));
        Ok(Self {
            plane,
            router: Router::new(),
            signing_keys: SigningKeys::new(SIGNING_KEYS_MAX),
            metrics: Metrics::new()?,
            places: Arc::new(Semaphore::new(REQUESTS_MAX)),
            slow_places: Arc::new(Semaphore::new(slow_places())),
            jobs_queued: Notify::new(),
            jobs_turn: tokio::sync::Mutex::default(),
            issuers,
            clock,
            operator_token: first_start::operator_token(data_dir.as_deref(), &*random)?,
            first_revision,
            data_dir,
            remote_store: matches!(config.store, Backend::Postgres(_)),
        })
    }

    /// False with `--ephemeral`.
    pub fn has_data_dir(&self) -> bool {
        self.data_dir.is_some()
    }

    /// Does what reads the store. Where that may wait for another machine, the other requests of
    /// this thread go on elsewhere meanwhile.
    pub fn reading<T>(&self, work: impl FnOnce() -> T) -> T {
        if self.remote_store { tokio::task::block_in_place(work) } else { work() }
    }

    /// Latency is wall time, in lab mode too.
    pub fn stopwatch(&self) -> Instant {
        Instant::now()
    }

    /// Regular small work, until the server is dropped.
    pub async fn upkeep(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(UPKEEP_PERIOD);
        loop {
            ticks.tick().await;
            self.metrics.upkeep();
            self.flush_usage(false);
            let oldest = self.plane.clock.now().plus_seconds(-READS_KEPT_SECONDS);
            if let Err(error) = self.plane.reads.remove_older_than(oldest.millis()) {
                tracing::warn!(%error, "cannot remove old audit records of reads");
            }
        }
    }

    /// Removes the bytes that nothing names any more, until the server is dropped. What was written
    /// lately stays: a transaction that names it may be under way.
    pub async fn sweep(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(SWEEP_PERIOD);
        loop {
            ticks.tick().await;
            let plane = self.plane.clone();
            let before = self.clock.unmoved().plus_seconds(-UNREFERENCED_SECONDS).millis();
            let swept = tokio::task::spawn_blocking(move || {
                let snapshot = plane.store.snapshot();
                remove_garbage(&*plane.blobs, before, &mut |blob| is_referenced(&snapshot, blob))
            });
            match swept.await {
                Ok(Ok(0)) => {}
                Ok(Ok(removed)) => tracing::debug!(removed, "removed blobs that nothing names"),
                Ok(Err(error)) => tracing::warn!(%error, "cannot remove unused blobs"),
                Err(error) => tracing::error!(%error, "the sweep of blobs did not end"),
            }
        }
    }

    /// Stores when keys and roles were last used, and for what, as far as that is due.
    fn flush_usage(&self, everything: bool) {
        let uses = self.plane.usage.drain();
        let accesses = self.plane.last_accesses.take_due(everything);
        let key_uses = self.plane.key_uses.drain();
        if uses.is_empty() && accesses.is_empty() && key_uses.is_empty() {
            return;
        }
        let plane = self.plane.clone();
        let work = Box::new(move |transaction: &mut dyn Transaction| {
            let request = first_start::request_of_start(&plane);
            let caller = Caller::anonymous();
            let mut cx = Context::new(&plane, &caller, &request, Access::Write(transaction));
            let stored = access_key::store_last_uses(&mut cx, &uses);
            let stored =
                stored.and_then(|()| last_accessed::store_last_accesses(&mut cx, &accesses));
            let stored = stored.and_then(|()| last_usage::store(&mut cx, &key_uses));
            stored.map_err(|error| {
                tracing::warn!(%error, "cannot store when keys were last used");
                Abort::Refused
            })
        });
        let done = Box::new(|_| ());
        if let Err(error) = self.plane.store.write(work, done) {
            tracing::warn!(%error, "cannot store when keys were last used");
        }
    }

    /// Writes what is still in memory and closes the store.
    pub fn close(&self) {
        self.flush_usage(true);
        self.plane.store.close();
        if self.data_dir.is_none() {
            let folder = std::env::temp_dir().join(format!("palisade-{}", std::process::id()));
            // What stays behind is removed by the next process of this number.
            let _left_behind = std::fs::remove_dir_all(folder);
        }
    }
}

/// A password's hash takes a core and 19 MiB: one for each core but one, which is for requests.
fn slow_places() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().saturating_sub(1).max(1))
}

/// Where the bytes of objects are: in the data folder, or in a folder that goes with the process.
fn open_blobs(data_dir: Option<&Path>) -> Result<LocalBlobs, String> {
    let text = |error: &dyn std::fmt::Display| format!("the blobs' folder: {error}");
    let folder = match data_dir {
        Some(folder) => folder.join("blobs"),
        None => std::env::temp_dir().join(format!("palisade-{}", std::process::id())),
    };
    if data_dir.is_none() && folder.exists() {
        // Left by an earlier process of this number.
        std::fs::remove_dir_all(&folder).map_err(|error| text(&error))?;
    }
    LocalBlobs::open(&folder).map_err(|error| text(&error))
}

fn open_plane(
    config: &Config,
    data_dir: Option<&Path>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
) -> Result<Plane, String> {
    let options = Options { cache_bytes: CACHE_BYTES_MAX, ..Options::default() };
    let text = |error: palisade_store::StoreError| error.to_string();
    let store = match (&config.store, data_dir) {
        (Backend::Postgres(url), _) => Store::open_postgres(url, &options),
        (Backend::Sqlite, Some(folder)) => Store::open_sqlite(folder, &options),
        (Backend::Sqlite | Backend::Memory, _) => Store::open_ephemeral(&options),
    }
    .map_err(text)?;
    let fill = &mut |bytes: &mut [u8]| random.fill(bytes);
    let (master, log) = match data_dir {
        Some(folder) => (
            MasterKey::load_or_create(&folder.join(MASTER_KEY_NAME), fill).map_err(text)?,
            ReadLog::open(&folder.join("log")).map_err(text)?,
        ),
        None => {
            let master = MasterKey::generate(fill).map_err(text)?;
            (master, ReadLog::in_memory(EPHEMERAL_LOG_BYTES_MAX))
        }
    };
    let sealer = Sealer::open(store.clone(), master, fill).map_err(text)?;
    let account_id = first_start::account_id(&store, &*random, config)?;
    let settings = Settings { lab: config.lab, account_id, region: config.region.clone() };
    let reads = Reads::new(log, config.synced_reads);
    let mut plane = Plane::new(store, reads, sealer, clock, random, settings);
    plane.blobs = Arc::new(open_blobs(data_dir)?);
    Ok(plane)
}
