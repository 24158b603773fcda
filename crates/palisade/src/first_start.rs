//! What the first start makes: the data folder, the account, its root key, the operator's token.

use crate::commands::client::OPERATOR_TOKEN;
use crate::config::{Backend, Config};
use crate::server::Server;
use crate::tls::write_private;
use crate::upgrade;
use palisade_services::accounts;
use palisade_services::caller::Caller;
use palisade_services::context::{Access, Context, Request, Way, from_store};
use palisade_services::errors::internal;
use palisade_services::iam::access_key;
use palisade_services::iam::password::{self, Profile};
use palisade_services::iam::principal::Owner;
use palisade_services::password_hash::{self, Hashes};
use palisade_services::plane::Plane;
use palisade_services::random::{self, Random};
use palisade_store::{Abort, Key, Read, Store, Transaction};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Where the first start is noted. Its revision is what lab mode's reset goes back to.
const NOTE: Key<'static> =
    Key { collection: "plane/first-start", account: "", region: "", key: "first-start" };
/// The file with the root key of the first start.
const ROOT_CREDENTIALS: &str = "root-credentials.csv";
/// The root user's e-mail address in the account of the first start.
const ROOT_EMAIL: &str = "root@localhost";
/// The file that says how the folder is used: `production` or `lab`.
const MODE: &str = "mode";

/// What is known of the first start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FirstStart {
    pub account_id: String,
    #[serde(skip)]
    pub revision: u64,
}

/// What an account's root user begins with. Shown once.
#[derive(Clone)]
pub struct RootKey {
    pub account: String,
    pub access_key_id: String,
    pub secret: String,
    pub email: String,
    pub password: String,
}

/// Makes the folder, for the owner alone. A folder used in production never becomes a lab: its
/// clock and state are real.
pub fn prepare_folder(folder: &Path, lab: bool) -> Result<(), String> {
    use std::os::unix::fs::DirBuilderExt;
    let shown = folder.display();
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| format!("cannot make {shown}: {error}"))?;
    let mode = folder.join(MODE);
    let before = std::fs::read_to_string(&mode).ok();
    match (before.as_deref().map(str::trim), lab) {
        (Some("production"), true) => {
            Err(format!("{shown} is in use for production: --lab wants a folder of its own"))
        }
        (Some("lab"), true) | (Some("production"), false) => Ok(()),
        (_, lab) => std::fs::write(&mode, if lab { "lab\n" } else { "production\n" })
            .map_err(|error| format!("cannot write {}: {error}", mode.display())),
    }
}

/// The operator's token, made at the first start. In memory it is gone with the process.
pub fn operator_token(folder: Option<&Path>, random: &dyn Random) -> Result<String, String> {
    let fresh = || format!("{}{}", random::uuid(random), random::uuid(random)).replace('-', "");
    let Some(folder) = folder else { return Ok(fresh()) };
    let path = folder.join(OPERATOR_TOKEN);
    if let Ok(token) = std::fs::read_to_string(&path) {
        return Ok(token.trim().to_owned());
    }
    let token = fresh();
    let written = write_private(&path, token.as_bytes());
    written.map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    Ok(token)
}

/// The account of the first start; none in a store that never had one.
pub fn stored_account(store: &Store) -> Result<Option<String>, String> {
    Ok(noted(store)?.map(|known| known.account_id))
}

/// The account of the first start, or the one that it will have.
pub fn account_id(store: &Store, random: &dyn Random, config: &Config) -> Result<String, String> {
    match (noted(store)?, &config.account_id) {
        (Some(known), Some(wanted)) if *wanted != known.account_id => Err(format!(
            "--account-id differs from the account of this data folder, {}",
            known.account_id
        )),
        (Some(known), _) => Ok(known.account_id),
        (None, Some(wanted)) => Ok(wanted.clone()),
        (None, None) => Ok(random::account_id(random)),
    }
}

/// The root user's first password, whose hash is under way.
pub struct RootPassword {
    text: String,
    hashing: JoinHandle<palisade_shape::Result<Hashes>>,
}

impl RootPassword {
    /// Makes one and begins to hash it.
    pub fn new(random: &Arc<dyn Random>) -> Self {
        let (text, random) = (random::console_password(&**random), random.clone());
        let hashed = text.clone();
        let hashing = std::thread::spawn(move || password_hash::ahead(&*random, &hashed));
        Self { text, hashing }
    }

    /// One where the data folder has no store yet, or there is none: its hash takes as long as
    /// making the store's files, and need not wait for them.
    pub fn ahead(config: &Config, folder: Option<&Path>, random: &Arc<dyn Random>) -> Option<Self> {
        let is_first = match (&config.store, folder) {
            (Backend::Postgres(_), _) => false,
            (Backend::Sqlite, Some(folder)) => !folder.join(palisade_store::FILE_NAME).exists(),
            (Backend::Sqlite | Backend::Memory, _) => true,
        };
        is_first.then(|| Self::new(random))
    }
}

/// Makes the account and its root key unless they are there. Answers the store's revision since
/// which they are.
pub fn first_start(
    plane: &Arc<Plane>,
    lab: bool,
    folder: Option<&Path>,
    root_password: Option<RootPassword>,
) -> Result<u64, String> {
    if let Some(known) = noted(&plane.store)? {
        upgrade::upgrade(plane)?;
        return Ok(known.revision);
    }
    let account = plane.settings.account_id.clone();
    let (access_key_id, secret) = chosen_key(plane, &account, lab)?;
    let root_password = root_password.unwrap_or_else(|| RootPassword::new(&plane.random));
    let (email, password) = (ROOT_EMAIL.to_owned(), root_password.text);
    let key = RootKey { account, access_key_id, secret, email, password };
    if let Some(folder) = folder {
        // Written before the key exists: a crash in between leaves a key that proves nothing,
        // never one that nobody knows.
        keep(&key, folder)?;
    }
    let hashed = root_password.hashing.join();
    let hashes = hashed.map_err(|_| "the root password could not be hashed".to_owned())?;
    let profile = root_profile(plane, &key, &hashes.map_err(|error| error.to_string())?)?;
    show(&key, folder);
    store(plane, key, profile)?;
    let known = noted(&plane.store)?.ok_or("the first start left no note")?;
    Ok(known.revision)
}

fn noted(store: &Store) -> Result<Option<FirstStart>, String> {
    let noted: Option<(FirstStart, u64)> = read_note(store, &NOTE)?;
    Ok(noted.map(|(noted, revision)| FirstStart { revision, ..noted }))
}

/// A note of the operator's side, and the revision at which it was written.
pub fn read_note<T: DeserializeOwned>(
    store: &Store,
    key: &Key<'_>,
) -> Result<Option<(T, u64)>, String> {
    let found = store.snapshot().get(key).map_err(|error| error.to_string())?;
    let Some(document) = found else { return Ok(None) };
    let noted = serde_json::from_slice(&document.body).map_err(|error| error.to_string())?;
    Ok(Some((noted, document.revision)))
}

/// The root key that lab mode was told to use, or a fresh one.
fn chosen_key(plane: &Plane, account: &str, lab: bool) -> Result<(String, String), String> {
    let chosen = (
        std::env::var("PALISADE_ROOT_ACCESS_KEY_ID").ok(),
        std::env::var("PALISADE_ROOT_SECRET_ACCESS_KEY").ok(),
    );
    match chosen {
        (None, None) => Ok((
            random::access_key_id(&*plane.random, "AKIA", account),
            random::secret_access_key(&*plane.random),
        )),
        (Some(id), Some(secret)) if lab => Ok((id, secret)),
        (Some(_), Some(_)) => Err("only lab mode lets a variable choose the root key".to_owned()),
        _ => Err("PALISADE_ROOT_ACCESS_KEY_ID and PALISADE_ROOT_SECRET_ACCESS_KEY go together"
            .to_owned()),
    }
}

/// The root user's password, hashed before the transaction that stores it.
fn root_profile(plane: &Plane, key: &RootKey, hashes: &Hashes) -> Result<Profile, String> {
    let (caller, request) = (Caller::root(&key.account), request_of_start(plane));
    let snapshot = plane.store.snapshot();
    let mut cx = Context::new(plane, &caller, &request, Access::Read(&snapshot));
    cx.hashes = Some(hashes);
    password::new_profile(&cx, &Owner::Root, &key.account, Some(&key.password), false)
        .map_err(|error| error.to_string())
}

/// One transaction: the account, its root key and password, and the note.
fn store(plane: &Arc<Plane>, key: RootKey, profile: Profile) -> Result<(), String> {
    transact(plane, move |plane, transaction| {
        make(plane, &key, "Palisade", &profile, transaction)?;
        let note = FirstStart { account_id: key.account.clone(), revision: 0 };
        let body = serde_json::to_vec(&note).map_err(internal)?;
        transaction.put(&NOTE, &body).map_err(from_store)?;
        upgrade::note(transaction)
    })
}

/// Another account with a root key, for lab mode.
pub fn create_account(
    plane: &Arc<Plane>,
    id: Option<String>,
    name: &str,
    email: &str,
) -> Result<RootKey, String> {
    let account = id.unwrap_or_else(|| random::account_id(&*plane.random));
    let access_key_id = random::access_key_id(&*plane.random, "AKIA", &account);
    let secret = random::secret_access_key(&*plane.random);
    let (email, password) = (email.to_owned(), random::console_password(&*plane.random));
    let key = RootKey { account, access_key_id, secret, email, password };
    let profile = root_profile(plane, &key, &Hashes::default())?;
    let (made, name) = (key.clone(), name.to_owned());
    transact(plane, move |plane, transaction| make(plane, &made, &name, &profile, transaction))?;
    Ok(key)
}

/// Runs what the operator asks for, in the account of the first start, and waits for it.
pub async fn as_operator(
    server: &Server,
    work: impl Fn(&mut Context) -> palisade_shape::Result<()> + Send + 'static,
) -> Result<(), String> {
    let plane = server.plane.clone();
    let done = tokio::task::spawn_blocking(move || {
        transact(&plane, move |plane, transaction| {
            let caller = Caller::root(&plane.settings.account_id);
            let request = request_of_start(plane);
            work(&mut Context::new(plane, &caller, &request, Access::Write(transaction)))
        })
    });
    done.await.map_err(|error| error.to_string())?
}

/// Runs a transaction outside the pipeline and waits for it. Only what the operator does.
pub fn transact(
    plane: &Arc<Plane>,
    work: impl Fn(&Plane, &mut dyn Transaction) -> palisade_shape::Result<()> + Send + 'static,
) -> Result<(), String> {
    let failure = Arc::new(Mutex::new(None));
    let (told, owned) = (failure.clone(), plane.clone());
    let work = Box::new(move |transaction: &mut dyn Transaction| {
        work(&owned, transaction).map_err(|error| {
            *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            Abort::Refused
        })
    });
    let result = plane.store.write_blocking(work);
    let refused = failure.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (result, refused) {
        (Ok(_), _) => Ok(()),
        (Err(_), Some(error)) => {
            Err(format!("{error} {}", error.internal.as_deref().unwrap_or_default()))
        }
        (Err(error), None) => Err(error.to_string()),
    }
}

fn make(
    plane: &Plane,
    key: &RootKey,
    name: &str,
    profile: &Profile,
    transaction: &mut dyn Transaction,
) -> palisade_shape::Result<()> {
    let caller = Caller::root(&key.account);
    let request = request_of_start(plane);
    let mut cx = Context::new(plane, &caller, &request, Access::Write(transaction));
    accounts::create(&mut cx, &key.account, name, &key.email)?;
    access_key::add(&mut cx, &Owner::Root, key.access_key_id.clone(), &key.secret)?;
    cx.put(&password::PROFILES, profile)
}

/// The facts of a request that nobody sent.
pub fn request_of_start(plane: &Plane) -> Request {
    Request {
        id: random::uuid(&*plane.random),
        region: plane.settings.region.clone(),
        source_ip: std::net::Ipv4Addr::LOCALHOST.into(),
        user_agent: None,
        referer: None,
        secure: true,
        tls: None,
        way: Way::default(),
        at: plane.clock.now(),
        service: "palisade",
        operation: "FirstStart",
    }
}

/// The only copy of the secret outside the sealed store. Not opened through the umask: mode 0600.
fn keep(key: &RootKey, folder: &Path) -> Result<(), String> {
    let path = folder.join(ROOT_CREDENTIALS);
    let RootKey { account, access_key_id, secret, email, password } = key;
    let text = format!(
        "Account ID,Access key ID,Secret access key,Root e-mail,Root password\n\
         {account},{access_key_id},{secret},{email},{password}\n"
    );
    let written = write_private(&path, text.as_bytes());
    written.map_err(|error| format!("cannot write {}: {error}", path.display()))
}

/// Shown this once.
fn show(key: &RootKey, folder: Option<&Path>) {
    println!("Palisade made account {} with a root user and its access key:", key.account);
    println!("  e-mail address {}", key.email);
    println!("  password {}", key.password);
    println!("  AWS_ACCESS_KEY_ID={}", key.access_key_id);
    println!("  AWS_SECRET_ACCESS_KEY={}", key.secret);
    if let Some(folder) = folder {
        println!(
            "They are not shown again; a copy is in {}.",
            folder.join(ROOT_CREDENTIALS).display()
        );
    }
}
