//! Opens a fresh store of each kind.

use palisade_store::{Abort, Committed, Key, Options, Store, StoreError, Transaction};
use tempfile::TempDir;

/// A fresh store and what keeps it alive.
pub struct Bed {
    pub store: Store,
    folder: Option<TempDir>,
}

impl Bed {
    pub fn sqlite() -> Bed {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(folder.path(), &options()).unwrap();
        Bed { store, folder: Some(folder) }
    }

    pub fn ephemeral() -> Bed {
        let store = Store::open_ephemeral(&options()).unwrap();
        Bed { store, folder: None }
    }

    /// Drops the store and opens it again from what it left.
    pub fn reopen(self) -> Bed {
        drop(self.store);
        let folder = self.folder.unwrap();
        let store = Store::open_sqlite(folder.path(), &options()).unwrap();
        Bed { store, folder: Some(folder) }
    }

    /// Runs a transaction that must commit.
    pub fn write(
        &self,
        work: impl FnMut(&mut dyn Transaction) -> Result<(), Abort> + Send + 'static,
    ) -> Committed {
        self.store.write_blocking(Box::new(work)).unwrap()
    }

    /// Runs a transaction.
    pub fn try_write(
        &self,
        work: impl FnMut(&mut dyn Transaction) -> Result<(), Abort> + Send + 'static,
    ) -> Result<Committed, StoreError> {
        self.store.write_blocking(Box::new(work))
    }
}

/// A queue short enough to fill in a test.
pub fn options() -> Options {
    Options { queue_length: 64, ..Options::default() }
}

pub fn user(name: &str) -> Key<'_> {
    Key::new("iam/user", "111122223333", "", name)
}
