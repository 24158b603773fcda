//! PostgreSQL, or an engine that speaks its wire protocol; several nodes may share it.
//!
//! Uses only what PostgreSQL, CockroachDB and YugabyteDB have in common: no advisory locks, no
//! LISTEN/NOTIFY, no sequences. Run on PostgreSQL; designed for, not run on, the others.

mod connection;
mod rows;
mod schema;
mod session;

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::backend::{Backend, Rows, Session};
use crate::error::{Result, StoreError};
use connection::{Address, Connection};
use rows::PostgresRows;
use session::PostgresSession;

/// Connections for reading, at most.
const READERS_MAX: usize = 8;

pub(crate) struct Postgres {
    address: Address,
    poll_period: Duration,
    writer: Mutex<Option<Connection>>,
    readers: Mutex<Readers>,
    returned: Condvar,
    /// Drives the connections on a thread of its own; dropped last.
    runtime: Runtime,
}

struct Readers {
    idle: Vec<Connection>,
    in_use: usize,
}

impl Postgres {
    pub(crate) fn open(url: &str, poll_period: Duration) -> Result<Postgres> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("store-postgres")
            .enable_all()
            .build()?;
        let postgres = Postgres {
            address: Address::parse(url)?,
            poll_period,
            writer: Mutex::default(),
            readers: Mutex::new(Readers { idle: Vec::new(), in_use: 0 }),
            returned: Condvar::new(),
            runtime,
        };
        let mut connection = postgres.connect()?;
        postgres.wait(connection.migrate())?;
        *postgres.writer.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
        Ok(postgres)
    }

    fn connect(&self) -> Result<Connection> {
        self.wait(self.address.connect(&self.runtime))
    }

    /// Waits for a future. Blocking inside another runtime is not allowed on its threads, so there
    /// a thread of our own does the waiting; beside a round trip that costs little.
    fn wait<T: Send>(&self, future: impl Future<Output = Result<T>> + Send) -> Result<T> {
        if Handle::try_current().is_err() {
            return self.runtime.block_on(future);
        }
        let joined =
            std::thread::scope(|scope| scope.spawn(|| self.runtime.block_on(future)).join());
        joined.unwrap_or_else(|_| Err(StoreError::Io("waiting for the database failed".into())))
    }

    fn take_reader(&self) -> Result<Connection> {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        while readers.in_use >= READERS_MAX {
            readers = self.returned.wait(readers).unwrap_or_else(PoisonError::into_inner);
        }
        readers.in_use += 1;
        while let Some(connection) = readers.idle.pop() {
            if !connection.is_closed() {
                return Ok(connection);
            }
        }
        drop(readers);
        let connected = self.connect();
        if connected.is_err() {
            self.give_back(None);
        }
        connected
    }

    fn give_back(&self, connection: Option<Connection>) {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.in_use -= 1;
        readers.idle.extend(connection);
        drop(readers);
        self.returned.notify_one();
    }

    fn read_once(&self, work: &mut dyn FnMut(&mut dyn Rows) -> Result<()>) -> Result<()> {
        let mut connection = self.take_reader()?;
        let mut rows = PostgresRows { postgres: self, connection: &mut connection, begun: false };
        let mut result = work(&mut rows);
        if rows.begun {
            result = result.and(self.wait(connection.run("COMMIT")));
        }
        // A connection that failed is closed, in whatever state it is.
        self.give_back(result.is_ok().then_some(connection));
        result
    }

    /// Closes idle connections, which may have been lost together with one that was used.
    fn forget_idle(&self) {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).idle.clear();
    }
}

impl Backend for Postgres {
    fn read(&self, work: &mut dyn FnMut(&mut dyn Rows) -> Result<()>) -> Result<()> {
        match self.read_once(work) {
            // The server was restarted, or asks for a retry: once more, on a new connection.
            Err(StoreError::Io(_) | StoreError::Conflict) => {
                self.forget_idle();
                self.read_once(work)
            }
            result => result,
        }
    }

    fn begin(&self) -> Result<Box<dyn Session + '_>> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Box::new(PostgresSession::begin(self, writer)?))
    }

    fn reads_wait_for_writer(&self) -> bool {
        false
    }

    fn poll_period(&self) -> Option<Duration> {
        Some(self.poll_period)
    }

    fn name(&self) -> &'static str {
        "postgres"
    }
}
