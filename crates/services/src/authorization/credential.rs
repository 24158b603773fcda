//! Credentials as the request path needs them: the secret, the caller it proves, and the caller's
//! policies, compiled. Cached per access key and kept until a document they were made of changes.

use super::compiled::PolicyCache;
use super::identity::{Dependencies, Identity, unchanged};
use super::standing_cache::StandingCache;
use crate::accounts::ACCOUNTS;
use crate::audit::{CallerFragment, PolicyUse, push_policies};
use crate::caller::{Caller, Principal, Session, SessionKind};
use crate::errors::internal;
use crate::iam;
use crate::plane::Plane;
use palisade_policy::{DocumentKind, Layer, PolicySet};
use palisade_shape::{Result, Timestamp};
use palisade_store::{Change, Key, OwnedKey, Read};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// One access key, ready to prove and to decide with.
pub struct Credential {
    pub caller: Caller,
    pub secret: String,
    /// The caller in the terms of the policy engine.
    pub principal: palisade_policy::Principal,
    pub identity: Identity,
    pub policies: Option<PolicySet>,
    pub boundary: Option<PolicySet>,
    /// The session policies, inline and managed together, of a session that has any.
    pub session: Option<PolicySet>,
    /// The documents of `session`.
    pub session_policies: Vec<super::Attached>,
    /// What all audit records of this caller have in common.
    pub fragment: CallerFragment,
    /// The policies above, as decision records list them.
    pub consulted: Vec<u8>,
    /// The session's end; none for a long-term key.
    expires: Option<Timestamp>,
    /// What all of this was made of.
    seen: Vec<(OwnedKey, Option<u64>)>,
}

/// Why an access key proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Unknown, inactive, or of a principal that is gone; or a token that is not ours.
    Invalid,
    /// The session is over.
    Expired,
}

/// Written every few seconds and read by no decision.
const LAST_USES: [&str; 2] = ["iam/last-use", "iam/last-access"];

struct Cached {
    credential: Arc<Credential>,
    /// The session token it came with: another one must be opened anew.
    token: Option<Box<str>>,
    /// The count of IAM changes at which it was last known to be true.
    checked_at: AtomicU64,
}

const SHARDS: usize = 16;
/// Beyond this a shard is emptied: callers in use are back within a request each.
const SHARD_ENTRIES_MAX: usize = 4_096;

/// The credentials in use.
#[derive(Default)]
pub struct Credentials {
    shards: [RwLock<HashMap<Box<str>, Cached>>; SHARDS],
    /// Counts changes of IAM's documents, in any account.
    changes: AtomicU64,
    compiled: PolicyCache,
    standings: StandingCache,
}

impl Credentials {
    /// To be called with all committed changes, before their writers are answered.
    pub fn committed(&self, changes: &[Change]) {
        for change in changes {
            let collection = change.key.as_key().collection;
            let of_iam = collection.starts_with("iam/") && !LAST_USES.contains(&collection);
            if of_iam || collection == ACCOUNTS.name {
                self.changes.fetch_add(1, Ordering::AcqRel);
            }
            self.standings.changed(collection, change.revision);
        }
        if let Some(newest) = changes.iter().map(|change| change.revision).max() {
            self.standings.told(newest);
        }
    }

    /// How many changes of IAM there were. To be asked **before** the snapshot is taken that is
    /// given to [`Self::find`]: asked after it, a change in between would be taken for seen.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Forgets everything, after the state was reset.
    pub fn clear(&self) {
        for shard in &self.shards {
            shard.write().unwrap_or_else(PoisonError::into_inner).clear();
        }
        self.changes.fetch_add(1, Ordering::AcqRel);
        self.standings.clear();
    }

    pub fn standings(&self) -> &StandingCache {
        &self.standings
    }

    pub fn compiled(&self) -> &PolicyCache {
        &self.compiled
    }

    /// The credential of an access key, as of `read`, a snapshot taken after `changes` was asked.
    pub fn find(
        &self,
        plane: &Plane,
        read: &dyn Read,
        access_key_id: &str,
        token: Option<&str>,
        now: Timestamp,
        changes: u64,
    ) -> Result<Result<Arc<Credential>, Refusal>> {
        if let Some(known) = self.known(read, access_key_id, token, changes)? {
            return Ok(in_time(known, now));
        }
        let loaded = match load(plane, &self.compiled, read, access_key_id, token, now)? {
            Ok(loaded) => Arc::new(loaded),
            Err(refusal) => return Ok(Err(refusal)),
        };
        let cached = Cached {
            credential: loaded.clone(),
            token: token.map(Into::into),
            checked_at: AtomicU64::new(changes),
        };
        if let Some(shard) = self.shard(access_key_id) {
            let mut entries = shard.write().unwrap_or_else(PoisonError::into_inner);
            if entries.len() >= SHARD_ENTRIES_MAX {
                entries.clear();
            }
            entries.insert(access_key_id.into(), cached);
        }
        Ok(in_time(loaded, now))
    }

    /// The credential as `read` has it, inside a transaction: what a group of transactions has not
    /// made durable yet must not reach the cache.
    pub fn refresh(
        &self,
        plane: &Plane,
        read: &dyn Read,
        known: &Arc<Credential>,
        token: Option<&str>,
        now: Timestamp,
    ) -> Result<Arc<Credential>> {
        if unchanged(read, &known.seen)? {
            return Ok(known.clone());
        }
        let Some(id) = known.caller.access_key_id.as_deref() else { return Ok(known.clone()) };
        match load(plane, &self.compiled, read, id, token, now)? {
            Ok(loaded) => Ok(Arc::new(loaded)),
            // The key was deleted between proof and transaction.
            Err(_) => Err(crate::errors::ACCESS_DENIED
                .because("The security token included in the request is invalid.")),
        }
    }

    /// A cached credential that is still true.
    fn known(
        &self,
        read: &dyn Read,
        access_key_id: &str,
        token: Option<&str>,
        changes: u64,
    ) -> Result<Option<Arc<Credential>>> {
        let Some(shard) = self.shard(access_key_id) else { return Ok(None) };
        let entries = shard.read().unwrap_or_else(PoisonError::into_inner);
        let Some(cached) = entries.get(access_key_id) else { return Ok(None) };
        if cached.token.as_deref() != token {
            return Ok(None);
        }
        if cached.checked_at.load(Ordering::Acquire) != changes {
            if !unchanged(read, &cached.credential.seen)? {
                return Ok(None);
            }
            cached.checked_at.store(changes, Ordering::Release);
        }
        Ok(Some(cached.credential.clone()))
    }

    fn shard(&self, access_key_id: &str) -> Option<&RwLock<HashMap<Box<str>, Cached>>> {
        let last = access_key_id.as_bytes().last().copied().unwrap_or_default();
        self.shards.get(usize::from(last) % SHARDS)
    }
}

fn in_time(credential: Arc<Credential>, now: Timestamp) -> Result<Arc<Credential>, Refusal> {
    match credential.expires {
        Some(end) if end <= now => Err(Refusal::Expired),
        _ => Ok(credential),
    }
}

fn load(
    plane: &Plane,
    compiled: &PolicyCache,
    read: &dyn Read,
    access_key_id: &str,
    token: Option<&str>,
    now: Timestamp,
) -> Result<Result<Credential, Refusal>> {
    match token {
        None => load_long_term(plane, compiled, read, access_key_id),
        Some(token) => load_session(plane, compiled, read, access_key_id, token, now),
    }
}

fn load_long_term(
    plane: &Plane,
    compiled: &PolicyCache,
    read: &dyn Read,
    access_key_id: &str,
) -> Result<Result<Credential, Refusal>> {
    let mut dependencies = Dependencies::new(read);
    let found = iam::principal::find_access_key(&mut |key| dependencies.get(key), access_key_id)?;
    let Some(key) = found else { return Ok(Err(Refusal::Invalid)) };
    let caller = match key.is_active() {
        true => iam::principal::caller_of(read, &key)?,
        false => None,
    };
    let Some(caller) = caller else { return Ok(Err(Refusal::Invalid)) };
    let secret = key.secret(plane)?;
    finish(compiled, dependencies, caller, secret, None)
}

fn load_session(
    plane: &Plane,
    compiled: &PolicyCache,
    read: &dyn Read,
    access_key_id: &str,
    token: &str,
    now: Timestamp,
) -> Result<Result<Credential, Refusal>> {
    let Some(session) = crate::sts::session::open(plane, token, access_key_id) else {
        return Ok(Err(Refusal::Invalid));
    };
    if session.expires_at() <= now {
        return Ok(Err(Refusal::Expired));
    }
    let session = Arc::new(session);
    let caller = caller_of(&session);
    let secret = session.secret_access_key.clone();
    let expires = Some(session.expires_at());
    finish(compiled, Dependencies::new(read), caller, secret, expires)
}

/// The caller that a session stands for.
pub fn caller_of(session: &Arc<Session>) -> Caller {
    let account: Arc<str> = session.account.as_str().into();
    let name: Arc<str> = session.issuer_name.as_str().into();
    let path: Arc<str> = session.issuer_path.as_str().into();
    let id: Arc<str> = session.issuer_id.as_str().into();
    let (principal, arn, user_id) = match session.kind {
        SessionKind::FederationToken => (
            Principal::FederatedUser { name: session.name.as_str().into() },
            format!("arn:aws:sts::{account}:federated-user/{}", session.name),
            format!("{account}:{}", session.name),
        ),
        SessionKind::SessionToken | SessionKind::SignIn if session.issuer_name.is_empty() => {
            (Principal::Root, format!("arn:aws:iam::{account}:root"), account.to_string())
        }
        SessionKind::AssumeRoot => {
            (Principal::Root, format!("arn:aws:iam::{account}:root"), account.to_string())
        }
        SessionKind::SessionToken | SessionKind::SignIn => {
            let arn = session.issuer_arn.clone();
            (Principal::User { name, path, id: id.clone() }, arn, id.to_string())
        }
        SessionKind::AssumeRole
        | SessionKind::AssumeRoleWithSaml
        | SessionKind::AssumeRoleWithWebIdentity => {
            let arn = format!("arn:aws:sts::{account}:assumed-role/{name}/{}", session.name);
            let user_id = format!("{id}:{}", session.name);
            let session = session.name.as_str().into();
            (Principal::AssumedRole { role: name, path, id, session }, arn, user_id)
        }
    };
    Caller {
        account,
        principal,
        arn: arn.into(),
        user_id: user_id.into(),
        access_key_id: Some(session.access_key_id.as_str().into()),
        session: Some(session.clone()),
    }
}

fn finish(
    compiled: &PolicyCache,
    mut dependencies: Dependencies<'_>,
    caller: Caller,
    secret: String,
    expires: Option<Timestamp>,
) -> Result<Result<Credential, Refusal>> {
    if !is_active(&mut dependencies, &caller.account)? {
        return Ok(Err(Refusal::Invalid));
    }
    let principal = match caller.session.as_deref() {
        Some(session) => iam::principal::issuer(session),
        None => caller.principal.clone(),
    };
    let identity = iam::principal::identity(&mut dependencies, &caller.account, &principal)?;
    let Some(mut identity) = identity else { return Ok(Err(Refusal::Invalid)) };
    let federated = matches!(caller.principal, Principal::FederatedUser { .. });
    if federated && principal == Principal::Root {
        // A federated user that root made may do what its session policies leave of everything.
        identity.policies = vec![everything()];
    }
    let policies = match caller.principal {
        // Root has no identity policies; what it may do is not decided by any.
        Principal::Root => None,
        _ => Some(compiled.set(&identity.policies, DocumentKind::Identity)?),
    };
    let boundary = match &identity.boundary {
        Some(boundary) => {
            Some(compiled.set(std::slice::from_ref(boundary), DocumentKind::Boundary)?)
        }
        None => None,
    };
    let session_policies = session_policies(&mut dependencies, &caller)?;
    let session = match &session_policies {
        Some(attached) => Some(compiled.set(attached, DocumentKind::Session)?),
        None => None,
    };
    let session_policies = session_policies.unwrap_or_default();
    let consulted = consulted(&identity, &session_policies);
    let fragment = CallerFragment::of(&caller);
    let principal = policy_principal(&caller);
    let seen = dependencies.into_seen();
    Ok(Ok(Credential {
        fragment,
        consulted,
        caller,
        secret,
        principal,
        identity,
        policies,
        boundary,
        session,
        session_policies,
        expires,
        seen,
    }))
}

/// Whether the account is there and not closed: the keys of others prove nothing.
fn is_active(dependencies: &mut Dependencies<'_>, account: &str) -> Result<bool> {
    let key = Key { collection: ACCOUNTS.name, account: "", region: "", key: account };
    let Some(found) = dependencies.get(&key)? else { return Ok(false) };
    Ok(ACCOUNTS.decode(&found.body)?.state.is_active())
}

/// What root may do, as a policy.
fn everything() -> super::Attached {
    let document = r#"{"Version":"2012-10-17","Statement":
        {"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    super::Attached {
        label: "inline:root".to_owned(),
        managed: false,
        revision: 0,
        document: document.to_owned(),
    }
}

/// The list of policies for decision records, written once.
fn consulted(identity: &Identity, session: &[super::Attached]) -> Vec<u8> {
    let of =
        |layer| move |policy: &'_ super::Attached| (layer, policy.label.clone(), policy.revision);
    let mut uses: Vec<(Layer, String, u64)> =
        identity.policies.iter().map(of(Layer::Identity)).collect();
    uses.extend(identity.boundary.iter().map(of(Layer::Boundary)));
    uses.extend(session.iter().map(of(Layer::Session)));
    let mut list = Vec::new();
    push_policies(
        &mut list,
        uses.iter().map(|(layer, label, revision)| PolicyUse {
            layer: *layer,
            label,
            revision: *revision,
        }),
    );
    list
}

/// The documents of the session's policies; none where the session was made without any.
fn session_policies(
    dependencies: &mut Dependencies<'_>,
    caller: &Caller,
) -> Result<Option<Vec<super::Attached>>> {
    let Some(session) = caller.session.as_deref() else { return Ok(None) };
    if session.policies.is_empty() && session.policy_arns.is_empty() {
        return Ok(None);
    }
    let mut attached = Vec::new();
    for (index, document) in session.policies.iter().enumerate() {
        attached.push(super::Attached {
            label: format!("session-policy-{index}"),
            managed: false,
            revision: 0,
            document: document.clone(),
        });
    }
    for arn in &session.policy_arns {
        // A managed policy deleted since then grants nothing, and the session goes on without it.
        attached.extend(iam::policy::document_of(dependencies, &session.account, arn)?);
    }
    if session.kind == SessionKind::AssumeRoot {
        // A task policy only denies: it takes away from what a root user may do.
        attached.push(everything());
    }
    Ok(Some(attached))
}

/// The caller in the terms of the policy engine.
pub fn policy_principal(caller: &Caller) -> palisade_policy::Principal {
    use palisade_policy::Principal as Known;
    let issuer = caller.session.as_deref().map_or("", |session| session.issuer_arn.as_str());
    let mut principal = match &caller.principal {
        Principal::Root => Known::root(&caller.arn),
        Principal::User { .. } => Known::user(&caller.arn),
        Principal::AssumedRole { .. } => Known::assumed_role(&caller.arn, issuer),
        Principal::FederatedUser { .. } => Known::federated_user(&caller.arn, issuer),
        Principal::Service { name } => Known::service(name),
        Principal::Federated(federated) => Known::federated(&federated.provider),
        Principal::Anonymous => Known::anonymous(),
    };
    match &caller.principal {
        Principal::User { id, .. } => principal.unique_id = Some(id.to_string()),
        Principal::AssumedRole { id, path, .. } => {
            principal.unique_id = Some(id.to_string());
            principal.service_linked_role = path.starts_with("/aws-service-role/");
        }
        Principal::FederatedUser { .. } => {
            let session = caller.session.as_deref();
            principal.unique_id = session.map(|session| session.issuer_id.clone());
        }
        Principal::Root
        | Principal::Service { .. }
        | Principal::Federated(_)
        | Principal::Anonymous => {}
    }
    principal
}

/// A caller's policies as `read` has them, to decide again what was decided then. None when the
/// principal was not there.
pub fn of_caller(plane: &Plane, read: &dyn Read, caller: Caller) -> Result<Option<Credential>> {
    if matches!(caller.principal, Principal::Federated(_)) {
        // It has no policies of its own: the role's trust policy alone decides.
        return Ok(Some(without_key(caller)));
    }
    let dependencies = Dependencies::new(read);
    let compiled = &plane.credentials.compiled;
    Ok(finish(compiled, dependencies, caller, String::new(), None)?.ok())
}

/// A credential for a caller that needs none: a service, or nobody.
pub fn without_key(caller: Caller) -> Credential {
    Credential {
        principal: policy_principal(&caller),
        fragment: CallerFragment::of(&caller),
        consulted: Vec::new(),
        caller,
        secret: String::new(),
        identity: Identity::default(),
        policies: None,
        boundary: None,
        session: None,
        session_policies: Vec::new(),
        expires: None,
        seen: Vec::new(),
    }
}

impl std::fmt::Debug for Credential {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential").field("caller", &self.caller.arn).finish_non_exhaustive()
    }
}

/// A stored policy that no longer parses is our fault, and denies.
pub(super) fn unreadable(label: &str, error: impl std::fmt::Display) -> palisade_shape::Error {
    internal(format!("stored policy {label}: {error}"))
}
