//! Who answers the questions of a test.

use super::folder::Folder;
use super::recorded::{self, Call};
use crate::commands::client::{Endpoint, operator_token};
use crate::first_start;
use palisade_services::caller::Caller;
use palisade_services::clock::SystemClock;
use palisade_services::context::{Access, Context};
use palisade_services::iam::simulation::{Question, Verdict, ask};
use palisade_services::plane::{Plane, Settings};
use palisade_services::random::{Random, SystemRandom};
use palisade_services::reads::Reads;
use palisade_store::{MasterKey, Options, ReadLog, Sealer, Store};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;

/// Questions that one request to a server carries.
const BATCH: usize = 1_000;
/// Bytes of a log that nothing is written to.
const NO_LOG_BYTES: usize = 1 << 16;

/// Where the policies are.
pub enum Subject {
    Policies(Folder),
    /// A copy of a data folder.
    Data(Box<Copy>),
    Server {
        endpoint: Endpoint,
        token: String,
    },
}

/// The body of `POST /_palisade/simulate`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Questions {
    pub questions: Vec<Question>,
}

/// Its answer, in the order of the questions.
#[derive(Serialize, Deserialize)]
pub struct Answers {
    pub answers: Vec<Answer>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    Verdict(Verdict),
    Error { error: String },
}

/// The answer of `GET /_palisade/calls`.
#[derive(Serialize, Deserialize)]
pub struct Calls {
    pub calls: Vec<Call>,
}

impl Subject {
    /// A data folder. While a server runs on it that server is asked, since only it may look into
    /// the store; otherwise a copy is opened, so that nothing in the folder is written.
    pub fn of_data_dir(data_dir: &Path) -> Result<Self, String> {
        if let Ok(endpoint) = Endpoint::of_data_dir(data_dir)
            && endpoint.get("/_palisade/health", None).is_ok_and(|(status, _)| status == 200)
        {
            return Ok(Self::Server { endpoint, token: operator_token(data_dir)? });
        }
        Copy::open(data_dir).map(|copy| Self::Data(Box::new(copy)))
    }

    /// A running server by its URL, with the operator's token.
    pub fn of_endpoint(endpoint: Endpoint, token: String) -> Self {
        Self::Server { endpoint, token }
    }

    /// The answers in the order of the questions. The outer error: nobody can be asked at all.
    pub fn ask(&self, questions: &[Question]) -> Result<Vec<Result<Verdict, String>>, String> {
        match self {
            Self::Policies(folder) => Ok(questions.iter().map(|one| folder.ask(one)).collect()),
            Self::Data(copy) => Ok(answer_all(&copy.plane, questions)),
            Self::Server { endpoint, token } => {
                let mut answers = Vec::with_capacity(questions.len());
                for batch in questions.chunks(BATCH) {
                    answers.extend(ask_server(endpoint, token, batch)?);
                }
                Ok(answers)
            }
        }
    }

    /// The newest calls that were recorded, oldest first.
    pub fn calls(&self, most: usize) -> Result<Vec<Call>, String> {
        match self {
            Self::Policies(_) => Err("a folder of policies has recorded no calls".to_owned()),
            Self::Data(copy) => {
                recorded::calls(&copy.plane, most, None).map_err(|error| error.to_string())
            }
            Self::Server { endpoint, token } => {
                let path = format!("/_palisade/calls?limit={most}");
                let (status, body) = endpoint.get(&path, Some(token))?;
                let Calls { calls } = read(endpoint, status, &body)?;
                Ok(calls)
            }
        }
    }
}

fn ask_server(
    endpoint: &Endpoint,
    token: &str,
    batch: &[Question],
) -> Result<Vec<Result<Verdict, String>>, String> {
    let questions = Questions { questions: batch.to_vec() };
    let body = serde_json::to_vec(&questions).map_err(|error| error.to_string())?;
    let (status, body) = endpoint.post("/_palisade/simulate", body, Some(token))?;
    let Answers { answers } = read(endpoint, status, &body)?;
    let plain = |answer| match answer {
        Answer::Verdict(verdict) => Ok(verdict),
        Answer::Error { error } => Err(error),
    };
    Ok(answers.into_iter().map(plain).collect())
}

#[derive(Deserialize)]
struct Refusal {
    message: String,
}

fn read<T: for<'d> Deserialize<'d>>(
    endpoint: &Endpoint,
    status: u16,
    body: &[u8],
) -> Result<T, String> {
    let foreign = |error: serde_json::Error| format!("{} is no Palisade: {error}", endpoint.url);
    if status != 200 {
        let Refusal { message } = serde_json::from_slice(body).map_err(foreign)?;
        return Err(message);
    }
    serde_json::from_slice(body).map_err(foreign)
}

/// Answers on one snapshot of the store.
pub fn answer_all(plane: &Plane, questions: &[Question]) -> Vec<Result<Verdict, String>> {
    let snapshot = plane.store.snapshot();
    let request = first_start::request_of_start(plane);
    let caller = Caller::root(&plane.settings.account_id);
    let one = |question| {
        let mut cx = Context::new(plane, &caller, &request, Access::Read(&snapshot));
        ask(&mut cx, question).map_err(|error| error.message.into_owned())
    };
    questions.iter().map(one).collect()
}

/// A data folder, copied, and the copy opened.
pub struct Copy {
    plane: Plane,
    /// Removed with this.
    _folder: tempfile::TempDir,
}

/// The store's files in a data folder.
const STORE: &str = "palisade.sqlite3";

impl Copy {
    fn open(data_dir: &Path) -> Result<Self, String> {
        let store = data_dir.join(STORE);
        if !store.is_file() {
            return Err(format!("{} holds no SQLite store of Palisade", data_dir.display()));
        }
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        for end in ["", "-wal"] {
            copy(
                &data_dir.join(format!("{STORE}{end}")),
                &folder.path().join(format!("{STORE}{end}")),
            )?;
        }
        let log = folder.path().join("log");
        copy_all(&data_dir.join("log"), &log)?;
        let text = |error: palisade_store::StoreError| error.to_string();
        let options = Options::default();
        let store = Store::open_sqlite(folder.path(), &options).map_err(text)?;
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let fill = &mut |bytes: &mut [u8]| random.fill(bytes);
        // Policies are not sealed, so the copy is read without the folder's master key.
        let keys = Store::open_ephemeral(&options).map_err(text)?;
        let master = MasterKey::generate(fill).map_err(text)?;
        let sealer = Sealer::open(keys, master, fill).map_err(text)?;
        let reads = match log.is_dir() {
            true => ReadLog::open(&log).map_err(text)?,
            false => ReadLog::in_memory(NO_LOG_BYTES),
        };
        let account_id = first_account(&store)?;
        let settings = Settings { lab: false, account_id, region: "us-east-1".to_owned() };
        let (reads, clock) = (Reads::new(reads, false), Arc::new(SystemClock::default()));
        let plane = Plane::new(store, reads, sealer, clock, random, settings);
        Ok(Self { plane, _folder: folder })
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        self.plane.store.close();
    }
}

/// The account that the first start made: names without an account are of it.
fn first_account(store: &Store) -> Result<String, String> {
    let found = first_start::stored_account(store)?;
    found.ok_or_else(|| "the store holds no account yet".to_owned())
}

/// Copies a file if it is there.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    if from.is_file() {
        let copied = std::fs::copy(from, to);
        copied.map_err(|error| format!("cannot copy {}: {error}", from.display()))?;
    }
    Ok(())
}

fn copy_all(from: &Path, to: &Path) -> Result<(), String> {
    if !from.is_dir() {
        return Ok(());
    }
    let wrong = |error: std::io::Error| format!("cannot copy {}: {error}", from.display());
    std::fs::create_dir_all(to).map_err(wrong)?;
    for entry in std::fs::read_dir(from).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}
