//! What a handler gets: the caller, the time, ids, and the store seen through one account.

use crate::authorization::Credential;
use crate::caller::Caller;
use crate::errors::{SERVICE_UNAVAILABLE, internal};
use crate::password_hash::Hashes;
use crate::plane::Plane;
use crate::random;
use crate::s3::access_log::Logged;
use crate::table::{Scope, Table};
use crate::transfer::{Reply, Transfer};
use palisade_shape::{Error, Result, Timestamp};
use palisade_store::{AuditRecord, Document, Job, Key, Read, StoreError, Transaction};
use serde::{Deserialize, Serialize};

/// The facts of a request that are the same whatever it asks for.
#[derive(Clone, Debug)]
pub struct Request {
    /// A UUID; also the name of the decision.
    pub id: String,
    /// The region of the credential scope, or of the endpoint for unsigned requests.
    pub region: String,
    pub source_ip: std::net::IpAddr,
    pub user_agent: Option<String>,
    pub referer: Option<String>,
    /// It came over TLS.
    pub secure: bool,
    /// How TLS protected it, for the audit event; none where it is a record that is read again.
    pub tls: Option<TlsDetails>,
    /// How it came here other than straight from its caller.
    pub way: Way,
    pub at: Timestamp,
    /// The service's name in the model and the operation's.
    pub service: &'static str,
    pub operation: &'static str,
}

/// The way of a call that a service makes, or that came through a VPC endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// The services that forwarded the caller's own call, in order, as `aws:CalledVia` has them.
    /// Such a call stays the caller's: its policies decide.
    pub called_via: Vec<String>,
    /// What a calling service principal acts for.
    pub source: Option<Source>,
    pub endpoint: Option<Endpoint>,
    /// The instance that EC2 obtains credentials for.
    pub instance: Option<Instance>,
}

/// An instance whose metadata service hands out a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    pub arn: String,
    /// The version of the metadata service that was asked: `1.0` or `2.0`, as `ec2:RoleDelivery`
    /// has it.
    pub delivery: &'static str,
}

/// The resource on whose behalf a service principal calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    pub arn: String,
    pub account: String,
}

/// The VPC endpoint that a request came through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// `vpce-…`
    pub id: String,
    /// `vpc-…`
    pub vpc_id: String,
    pub account: String,
    /// Its policy's document, which must allow as well.
    pub policy: String,
}

/// The agreed protection of a connection, in the words of CloudTrail's `tlsDetails`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsDetails {
    /// `TLSv1.3`
    pub version: &'static str,
    /// `TLS_AES_128_GCM_SHA256`
    pub cipher_suite: &'static str,
    /// The `Host` header that the client sent.
    pub host: String,
}

/// The store as this request may use it.
pub enum Access<'a> {
    Read(&'a dyn Read),
    Write(&'a mut dyn Transaction),
}

/// Everything that a handler may use. It has no other way to the world outside.
pub struct Context<'a> {
    pub caller: &'a Caller,
    pub request: &'a Request,
    pub plane: &'a Plane,
    /// The account whose rows are seen: the caller's, unless the operation says otherwise.
    account: String,
    access: Access<'a>,
    /// The slow hashes that the call has computed already.
    pub hashes: Option<&'a Hashes>,
    /// Who calls, with the policies to decide with; none outside of the pipeline.
    pub credential: Option<&'a Credential>,
    /// What the call brought beside its input.
    pub transfer: Option<&'a Transfer>,
    /// What the answer has beside its output.
    pub reply: Reply,
    /// What the audit record should say beyond input and output.
    pub notes: Notes,
}

/// Additions to the audit record of this call.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// ARNs that the call touched, with their account and CloudFormation type (`AWS::IAM::Role`).
    pub resources: Vec<TouchedResource>,
    /// Accounts other than the caller's that own a touched resource and get the event too.
    pub shared_with: Vec<String>,
    /// The call queued a job, which may be due as soon as it commits.
    pub queued: bool,
    /// The call is to be told in a server access log.
    pub access_log: Option<Box<Logged>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TouchedResource {
    pub arn: String,
    pub account: String,
    pub kind: &'static str,
}

impl<'a> Context<'a> {
    pub fn new(
        plane: &'a Plane,
        caller: &'a Caller,
        request: &'a Request,
        access: Access<'a>,
    ) -> Self {
        let account = caller.account.to_string();
        Self {
            caller,
            request,
            plane,
            account,
            access,
            hashes: None,
            credential: None,
            transfer: None,
            reply: Reply::default(),
            notes: Notes::default(),
        }
    }

    /// The same call, seeing the rows of another account. For resources that name their account.
    pub fn in_account<R>(&mut self, account: &str, work: impl FnOnce(&mut Self) -> R) -> R {
        let before = std::mem::replace(&mut self.account, account.to_owned());
        let result = work(self);
        self.account = before;
        result
    }

    /// The account whose rows are seen.
    pub fn account(&self) -> &str {
        &self.account
    }

    pub fn region(&self) -> &str {
        &self.request.region
    }

    pub fn now(&self) -> Timestamp {
        self.request.at
    }

    pub fn partition(&self) -> &'static str {
        "aws"
    }

    /// A fresh unique id with AWS's prefix for its kind (`AIDA`, `AROA`, `AGPA`, `ANPA`, `AIPA`).
    pub fn unique_id(&self, prefix: &str) -> String {
        random::unique_id(&*self.plane.random, prefix)
    }

    pub fn access_key_id(&self, prefix: &str) -> String {
        random::access_key_id(&*self.plane.random, prefix, &self.account)
    }

    pub fn secret_access_key(&self) -> String {
        random::secret_access_key(&*self.plane.random)
    }

    pub fn uuid(&self) -> String {
        random::uuid(&*self.plane.random)
    }

    /// `arn:aws:iam::ACCOUNT:kind/path/name`; `path` begins and ends with a slash.
    pub fn iam_arn(&self, kind: &str, path: &str, name: &str) -> String {
        format!("arn:{}:iam::{}:{kind}{path}{name}", self.partition(), self.account)
    }

    /// Names a resource in the audit record's `resources`.
    pub fn touch(&mut self, kind: &'static str, arn: impl Into<String>) {
        let resource = TouchedResource { arn: arn.into(), account: self.account.clone(), kind };
        self.notes.resources.push(resource);
    }

    pub fn get<T>(&self, table: &Table<T>, key: &str) -> Result<Option<T>> {
        let found = self.reader().get(&self.key(table, key)).map_err(from_store)?;
        found.map(|document| table.decode(&document.body)).transpose()
    }

    /// The record of a key, and the revision at which it was written.
    pub fn get_revised<T>(&self, table: &Table<T>, key: &str) -> Result<Option<(T, u64)>> {
        let found = self.reader().get(&self.key(table, key)).map_err(from_store)?;
        let Some(document) = found else { return Ok(None) };
        Ok(Some((table.decode(&document.body)?, document.revision)))
    }

    /// The record of a key, or the table's error for a missing one.
    pub fn find<T>(&self, table: &Table<T>, key: &str) -> Result<T> {
        self.get(table, key)?.ok_or_else(|| (table.missing)(key))
    }

    pub fn exists<T>(&self, table: &Table<T>, key: &str) -> Result<bool> {
        Ok(self.reader().get(&self.key(table, key)).map_err(from_store)?.is_some())
    }

    /// Up to `limit` records whose keys begin with `prefix` and come after `after`, by key.
    pub fn scan<T>(
        &self,
        table: &Table<T>,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, T)>> {
        let (account, region) = self.place(table);
        let rows = self.reader().scan(table.name, account, region, prefix, after, limit);
        rows.map_err(from_store)?
            .into_iter()
            .map(|(key, document): (String, Document)| Ok((key, table.decode(&document.body)?)))
            .collect()
    }

    /// All records whose keys begin with `prefix`. For sets that a quota keeps small.
    pub fn all<T>(&self, table: &Table<T>, prefix: &str) -> Result<Vec<T>> {
        let rows = self.scan(table, prefix, None, usize::MAX)?;
        Ok(rows.into_iter().map(|(_, record)| record).collect())
    }

    /// Stores a new record, or fails with the table's error for a taken key.
    pub fn insert<T>(&mut self, table: &Table<T>, record: &T) -> Result<()> {
        let key = (table.key)(record);
        if self.exists(table, &key)? {
            return Err((table.taken)(record));
        }
        self.put(table, record)
    }

    /// Stores a record, whether its key is there or not.
    pub fn put<T>(&mut self, table: &Table<T>, record: &T) -> Result<()> {
        let key = (table.key)(record);
        let body = table.encode(record)?;
        let (account, region) = self.place_owned(table);
        let key = Key { collection: table.name, account: &account, region: &region, key: &key };
        self.writer()?.put(&key, &body).map_err(from_store)
    }

    /// Removes a record; false if there was none.
    pub fn delete<T>(&mut self, table: &Table<T>, key: &str) -> Result<bool> {
        let (account, region) = self.place_owned(table);
        let key = Key { collection: table.name, account: &account, region: &region, key };
        match self.writer()?.delete(&key) {
            Ok(()) => Ok(true),
            Err(StoreError::Missing) => Ok(false),
            Err(error) => Err(from_store(error)),
        }
    }

    /// Adds an audit record that commits with the transaction.
    pub fn audit(&mut self, record: AuditRecord) -> Result<()> {
        self.writer()?.audit(record).map_err(from_store)
    }

    /// Adds a job that commits with the transaction; see [`Context::later`].
    pub(crate) fn queue(&mut self, job: Job) -> Result<()> {
        self.notes.queued = true;
        self.writer()?.job(job).map_err(from_store)
    }

    /// Takes a job off the queue.
    pub(crate) fn finish(&mut self, job: u64) -> Result<()> {
        self.writer()?.finish_job(job).map_err(from_store)
    }

    /// Whether the call runs in a transaction.
    pub fn may_write(&self) -> bool {
        matches!(self.access, Access::Write(_))
    }

    /// Another call of the same caller, in the same transaction or on the same snapshot: one that
    /// a service makes for whom it serves. Notes and prepared work stay this call's own.
    pub fn as_request<R>(
        &mut self,
        request: &Request,
        work: impl FnOnce(&mut Context<'_>) -> R,
    ) -> R {
        let access = match &mut self.access {
            Access::Read(read) => Access::Read(*read),
            Access::Write(transaction) => Access::Write(&mut **transaction),
        };
        let mut cx = Context::new(self.plane, self.caller, request, access);
        let result = work(&mut cx);
        let queued = cx.notes.queued;
        self.notes.queued |= queued;
        result
    }

    /// A call of somebody else, in the same transaction or on the same snapshot: one that a service
    /// makes for itself, or as a role that it was given.
    pub fn as_caller<'s, R>(
        &'s mut self,
        caller: &'s Caller,
        request: &'s Request,
        transfer: &'s Transfer,
        work: impl FnOnce(&mut Context<'s>) -> R,
    ) -> R {
        let access = match &mut self.access {
            Access::Read(read) => Access::Read(*read),
            Access::Write(transaction) => Access::Write(&mut **transaction),
        };
        let mut cx = Context::new(self.plane, caller, request, access);
        cx.transfer = Some(transfer);
        work(&mut cx)
    }

    /// The store as it can be read here.
    pub fn reader(&self) -> &dyn Read {
        match &self.access {
            Access::Read(read) => *read,
            Access::Write(transaction) => &**transaction,
        }
    }

    /// Whether what is read here may be the change of somebody that is not durable yet.
    pub fn is_transaction(&self) -> bool {
        matches!(self.access, Access::Write(_))
    }

    fn writer(&mut self) -> Result<&mut dyn Transaction> {
        match &mut self.access {
            Access::Read(_) => Err(internal("a handler declared as read tried to write")),
            Access::Write(transaction) => Ok(&mut **transaction),
        }
    }

    fn place<T>(&self, table: &Table<T>) -> (&str, &str) {
        match table.scope {
            Scope::Plane => ("", ""),
            Scope::Account => (&self.account, ""),
            Scope::Region => (&self.account, &self.request.region),
        }
    }

    fn place_owned<T>(&self, table: &Table<T>) -> (String, String) {
        let (account, region) = self.place(table);
        (account.to_owned(), region.to_owned())
    }

    fn key<'k, T>(&'k self, table: &Table<T>, key: &'k str) -> Key<'k> {
        let (account, region) = self.place(table);
        Key { collection: table.name, account, region, key }
    }
}

/// What a caller sees of a failing store: try again when it is busy, else our fault.
pub fn from_store(error: StoreError) -> Error {
    match error {
        StoreError::Busy => SERVICE_UNAVAILABLE
            .because("The request has failed due to a temporary failure of the server."),
        other => internal(other),
    }
}
