//! Opens a fresh store of each kind.

use std::time::Duration;

use palisade_store::{Abort, Committed, Key, Options, Store, StoreError, Transaction};
use tempfile::TempDir;

/// A fresh store and what keeps it alive.
pub struct Bed {
    pub store: Store,
    place: Place,
}

enum Place {
    Memory,
    Folder(TempDir),
    Postgres(String),
}

impl Bed {
    pub fn sqlite() -> Bed {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(folder.path(), &options()).unwrap();
        Bed { store, place: Place::Folder(folder) }
    }

    pub fn ephemeral() -> Bed {
        let store = Store::open_ephemeral(&options()).unwrap();
        Bed { store, place: Place::Memory }
    }

    pub fn postgres(url: String) -> Bed {
        let store = Store::open_postgres(&url, &options()).unwrap();
        Bed { store, place: Place::Postgres(url) }
    }

    /// Drops the store and opens it again from what it left.
    pub fn reopen(self) -> Bed {
        drop(self.store);
        match self.place {
            Place::Memory => panic!("nothing is left of a store in memory"),
            Place::Postgres(url) => Bed::postgres(url),
            Place::Folder(folder) => {
                let store = Store::open_sqlite(folder.path(), &options()).unwrap();
                Bed { store, place: Place::Folder(folder) }
            }
        }
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
    Options { queue_length: 64, poll_period: Duration::from_millis(20), ..Options::default() }
}

pub fn user(name: &str) -> Key<'_> {
    Key::new("iam/user", "111122223333", "", name)
}
