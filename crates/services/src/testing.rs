//! A plane for unit tests: a store in memory, a clock that stands still, reproducible ids, and a
//! caller whose requests reach handlers without pipeline and authorization.
//!
//! ```ignore
//! let lab = Lab::new();
//! let output = lab.call(user::create_user, CreateUserRequest { … })?;
//! let count = lab.read(|cx| quota::used(cx, &quota::USERS))?;
//! let other = lab.in_account("210987654321");
//! ```

use crate::accounts;
use crate::caller::{Caller, Principal};
use crate::clock::FixedClock;
use crate::context::{Access, Context, Request, Way};
use crate::job;
use crate::plane::{Plane, Settings};
use crate::random::{Random, SeededRandom};
use crate::reads::Reads;
use crate::sts::issuer_keys::{IssuerKeys, Known};
use palisade_shape::{Result, Timestamp};
use palisade_store::{Abort, MasterKey, Options, Read, ReadLog, Sealer, Store, Transaction};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

/// The account of [`Lab::new`].
pub const ACCOUNT: &str = "123456789012";

/// When every request of a lab arrives: 2026-01-01T00:00:00.250Z.
pub const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_250);

/// A plane and a caller. Cloning shares the plane.
#[derive(Clone)]
pub struct Lab {
    pub plane: Arc<Plane>,
    pub caller: Caller,
    pub request: Request,
}

#[expect(clippy::new_without_default, reason = "a lab is never made by default")]
impl Lab {
    /// A plane with one account, called by its root user.
    pub fn new() -> Self {
        let settings =
            Settings { lab: true, account_id: ACCOUNT.to_owned(), region: "us-east-1".to_owned() };
        let store = Store::open_ephemeral(&Options::default()).unwrap();
        let sealer = sealer(store.clone());
        let reads = Reads::new(ReadLog::in_memory(1 << 20), false);
        let (clock, random) = (Arc::new(FixedClock(NOW)), Arc::new(SeededRandom::new(42)));
        let mut plane = Plane::new(store, reads, sealer, clock, random, settings);
        plane.issuer_keys = IssuerKeys::new(Known { fetch_any: true, ..Known::default() });
        let request = Request {
            id: "00000000-0000-4000-8000-000000000000".to_owned(),
            region: "us-east-1".to_owned(),
            source_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            user_agent: None,
            referer: None,
            secure: false,
            tls: None,
            way: Way::default(),
            at: NOW,
            service: "test",
            operation: "Test",
        };
        let plane = Arc::new(plane);
        let followed = Arc::downgrade(&plane);
        plane.store.subscribe(Box::new(move |changes| {
            if let Some(plane) = followed.upgrade() {
                plane.credentials.committed(changes);
            }
        }));
        Self { plane, caller: Caller::root(ACCOUNT), request }.in_account(ACCOUNT)
    }

    /// The same plane, called by the root user of that account, which is made if need be.
    pub fn in_account(&self, account: &str) -> Self {
        let lab = self.called_by(Caller::root(account));
        lab.write({
            let id = account.to_owned();
            move |cx| match cx.exists(&accounts::ACCOUNTS, &id)? {
                true => Ok(()),
                false => {
                    accounts::create(cx, &id, "Test", &format!("root+{id}@example.com")).map(drop)
                }
            }
        })
        .unwrap();
        lab
    }

    /// The same plane, called by someone else.
    pub fn called_by(&self, caller: Caller) -> Self {
        Self { caller, ..self.clone() }
    }

    /// The same plane, called by a user of the account. The user need not be there.
    pub fn called_by_user(&self, name: &str, id: &str) -> Self {
        let account = self.caller.account.clone();
        self.called_by(Caller {
            arn: format!("arn:aws:iam::{account}:user/{name}").into(),
            account,
            principal: Principal::User { name: name.into(), path: "/".into(), id: id.into() },
            user_id: id.into(),
            access_key_id: None,
            session: None,
        })
    }

    /// The same plane, called by a session of a role of the account.
    pub fn called_by_role(&self, role: &str, id: &str) -> Self {
        let account = self.caller.account.clone();
        self.called_by(Caller {
            arn: format!("arn:aws:sts::{account}:assumed-role/{role}/test").into(),
            account,
            principal: Principal::AssumedRole {
                role: role.into(),
                path: "/".into(),
                id: id.into(),
                session: "test".into(),
            },
            user_id: format!("{id}:test").into(),
            access_key_id: None,
            session: None,
        })
    }

    /// The same plane, at another time.
    pub fn at(&self, now: Timestamp) -> Self {
        let mut lab = self.clone();
        lab.request.at = now;
        lab
    }

    /// Runs `work` in a transaction, which commits unless it fails.
    pub fn write<T: Send + 'static>(
        &self,
        mut work: impl FnMut(&mut Context) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let answer: Arc<Mutex<Option<Result<T>>>> = Arc::default();
        let (lab, sender) = (self.clone(), answer.clone());
        let committed =
            self.plane.store.write_blocking(Box::new(move |transaction: &mut dyn Transaction| {
                let access = Access::Write(transaction);
                let mut cx = Context::new(&lab.plane, &lab.caller, &lab.request, access);
                let result = work(&mut cx);
                let outcome = if result.is_ok() { Ok(()) } else { Err(Abort::Refused) };
                *sender.lock().unwrap() = Some(result);
                outcome
            }));
        let result = answer.lock().unwrap().take().unwrap();
        assert_eq!(committed.is_ok(), result.is_ok(), "{committed:?}");
        result
    }

    /// Runs `work` on a snapshot; it cannot write.
    pub fn read<T>(&self, work: impl FnOnce(&mut Context) -> Result<T>) -> Result<T> {
        let snapshot = self.plane.store.snapshot();
        let access = Access::Read(&snapshot);
        work(&mut Context::new(&self.plane, &self.caller, &self.request, access))
    }

    /// Runs the jobs that are due at this lab's time, and those that they queue for now.
    pub fn run_jobs(&self) {
        while let Some(due) =
            self.plane.store.snapshot().due_jobs(self.request.at.millis(), 1).unwrap().pop()
        {
            let kind = job::kind(&due.job.kind).unwrap();
            let body = job::body(&due).unwrap();
            let mut lab = self.called_by(Caller::service(kind.principal));
            lab.request = job::request(lab.request, kind, &body);
            lab.write(move |cx| job::run(cx, kind, &due, &body)).unwrap();
        }
    }

    /// Calls a handler in a transaction.
    pub fn call<I: Clone + Send + 'static, O: Send + 'static>(
        &self,
        handler: fn(&mut Context, I) -> Result<O>,
        input: I,
    ) -> Result<O> {
        self.write(move |cx| handler(cx, input.clone()))
    }

    /// Calls a handler that must refuse; answers `Code: message`.
    pub fn refusal<I: Clone + Send + 'static, O: Send + 'static>(
        &self,
        handler: fn(&mut Context, I) -> Result<O>,
        input: I,
    ) -> String {
        match self.call(handler, input) {
            Ok(_) => panic!("the handler did not refuse"),
            Err(error) => error.to_string(),
        }
    }
}

fn sealer(store: Store) -> Sealer {
    let random = SeededRandom::new(7);
    let mut fill = |bytes: &mut [u8]| random.fill(bytes);
    let master = MasterKey::generate(&mut fill).unwrap();
    Sealer::open(store, master, &mut fill).unwrap()
}
