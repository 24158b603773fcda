//! Palisade's store: revisioned documents, change feed, audit records and jobs.
//!
//! Documents live under `(collection, account, region, key)`. Every committed transaction gets the
//! next **revision**, without gaps; every change stays readable as history. Writers queue up and
//! are committed in groups, serially; readers see one revision and are answered from memory where
//! it knows. Nothing here is async, reads the clock or knows AWS.
//!
//! ```
//! use palisade_store::{Abort, Key, Options, Read, Store, StoreError};
//!
//! # fn main() -> Result<(), StoreError> {
//! let store = Store::open_ephemeral(&Options::default())?;
//! let role = Key::new("iam/role", "111122223333", "", "app");
//!
//! // A transaction: everything in it commits, or nothing.
//! let committed = store.write_blocking(Box::new(move |tx| {
//!     let role = Key::new("iam/role", "111122223333", "", "app");
//!     tx.insert(&role, br#"{"RoleName":"app"}"#)?;
//!     Ok(())
//! }))?;
//! assert_eq!(committed.revision, 1);
//!
//! // A snapshot: one revision, whatever is committed meanwhile.
//! let snapshot = store.snapshot();
//! store.write_blocking(Box::new(move |tx| {
//!     tx.delete(&Key::new("iam/role", "111122223333", "", "app"))?;
//!     Ok(())
//! }))?;
//! assert!(snapshot.get(&role)?.is_some());
//! assert!(store.snapshot().get(&role)?.is_none());
//! assert!(store.snapshot().get_at(&role, 1)?.is_some());
//!
//! // A refusal rolls back. Work may run more than once, so it sets its answer each time.
//! let refused = store.write_blocking(Box::new(|tx| {
//!     tx.put(&Key::new("iam/role", "111122223333", "", "never"), b"{}")?;
//!     Err(Abort::Refused)
//! }));
//! assert_eq!(refused, Err(StoreError::Aborted));
//! # Ok(())
//! # }
//! ```

mod api;
mod backend;
pub mod blobs;
mod cache;
mod core;
mod document;
mod error;
pub mod log;
mod postgres;
pub mod sealer;
mod snapshot;
mod sqlite;
mod store;
mod transaction;
mod writer;

pub use api::{
    AuditCursor, AuditQuery, AuditRecord, CHANGES_MAX, DueJob, Feed, Job, Read, Transaction,
};
pub use core::Subscriber;
pub use document::{Change, Document, Key, OwnedKey, Version};
pub use error::{Abort, Result, StoreError};
pub use log::{LogEntry, LogPosition, LogQuery, ReadLog, Segment, Synced};
pub use sealer::{MASTER_KEY_NAME, MasterKey, Sealer};
pub use snapshot::Snapshot;
pub use sqlite::{FILE_NAME, LOCK_NAME};
pub use store::{Options, Status, Store};
pub use writer::{Committed, Done, Work};
