//! How store calls fail.

use std::path::PathBuf;

/// Why the store could not do what was asked.
///
/// Cheap to clone, because every writer of a failed group is told the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// `insert` found a document under that key.
    #[error("a document with this key exists already")]
    Taken,
    /// `replace`, `delete` or `finish_job` found nothing under that key.
    #[error("no document with this key exists")]
    Missing,
    /// The write queue is full; nothing was queued. Answer with a throttling error.
    #[error("the write queue is full")]
    Busy,
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
    /// The work itself asked to be rolled back with [`Abort::Refused`].
    #[error("the transaction was rolled back by its own work")]
    Aborted,
    /// The work panicked; it was rolled back and the others of its group went on.
    #[error("the transaction's work panicked: {0}")]
    Panicked(String),
    /// Serialization kept failing until the retries were used up.
    #[error("the transaction conflicted with others too often")]
    Conflict,
    /// A blocking call was made from inside a transaction, a `done` or a subscriber.
    #[error("the store was called from inside its own writer")]
    Reentrant,
    /// One transaction may change at most [`crate::CHANGES_MAX`] rows of each kind.
    #[error("the transaction changes too many documents")]
    TooLarge,
    /// Another process uses the data folder.
    #[error("the data folder {} is in use by another process", .0.display())]
    Locked(PathBuf),
    /// The database was written by a newer version of the program.
    #[error("the database has schema version {found}, this program knows up to {known}")]
    TooNew {
        /// The version found in the database.
        found: u32,
        /// The newest version this program knows.
        known: u32,
    },
    /// The disk or quota is full; nothing of the group was committed.
    #[error("the disk is full: {0}")]
    Full(String),
    /// The database or file system failed; nothing of the group was acknowledged.
    #[error("storage failed: {0}")]
    Io(String),
    /// A sealed value does not open: another key, purpose or owner, or altered.
    #[error("the sealed value cannot be opened")]
    Unsealable,
    /// The master key file is unusable.
    #[error("master key: {0}")]
    MasterKey(String),
    /// What was read is not what was written.
    #[error("stored data is damaged: {0}")]
    Corrupt(String),
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                StoreError::Full(error.to_string())
            }
            _ => StoreError::Io(error.to_string()),
        }
    }
}

/// What a transaction's work returns to be rolled back. Others in its group go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Abort {
    /// The work decided so (a name is taken, a quota is full). It keeps its own reason.
    Refused,
    /// The store failed underneath it; reported to `done` as it is.
    Failed(StoreError),
}

impl From<StoreError> for Abort {
    fn from(error: StoreError) -> Self {
        Abort::Failed(error)
    }
}

/// The result of a call into the store.
pub type Result<T> = std::result::Result<T, StoreError>;
