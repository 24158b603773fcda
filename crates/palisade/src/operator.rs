//! The operator's door, `/_palisade/`: how the server is, its figures, decisions and, in lab mode,
//! the clock, the outbox, accounts and the reset.

use crate::authenticate::{self, Offered, Surroundings, authenticate};
use crate::metrics::Ending;
use crate::outcome;
use crate::server::Server;
use crate::upgrade::upgrade;
use crate::{explain, first_start, jobs};
use aws_lc_rs::constant_time;
use bytes::Bytes;
use http::request::Parts as Head;
use http::{Method, Response};
use http_body_util::Full;
use palisade_protocol::sigv4::Payload;
use palisade_services::authorization::Requirement;
use palisade_services::clock::Clock;
use palisade_services::context::Request;
use palisade_shape::{Protocol, Timestamp};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

/// All operator paths begin so; an underscore can stand in no bucket's name.
pub const PREFIX: &str = "/_palisade/";

mod accounts;
pub mod checklist;
mod mfa_token;
mod outbox;
mod partner;
pub mod replay;
mod simulate;

type Answer = Result<serde_json::Value, Refusal>;

/// Why an operator's request is refused.
struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
}

fn refuse(status: u16, code: &'static str, message: impl Into<String>) -> Refusal {
    Refusal { status, code, message: message.into() }
}

/// What an operator path is for, and what it wants of the caller.
enum Task<'a> {
    Health,
    Metrics,
    Decision(&'a str),
    LastDecision,
    Calls,
    Checklist,
    Simulate,
    Replay,
    Reset,
    Clock,
    SetClock,
    Outbox,
    CreateAccount,
    ReopenAccount(&'a str),
    LoadMfaToken,
    RegisterDelegationPartner,
    UnloadMfaToken(&'a str),
}

impl<'a> Task<'a> {
    fn of(method: &Method, path: &'a str) -> Option<Self> {
        let rest = path.strip_prefix(PREFIX)?;
        Some(match (method.as_str(), rest) {
            ("GET", "health") => Self::Health,
            ("GET", "metrics") => Self::Metrics,
            ("GET", "decisions/last") => Self::LastDecision,
            ("GET", "calls") => Self::Calls,
            ("GET", "checklist") => Self::Checklist,
            ("POST", "simulate") => Self::Simulate,
            ("POST", "replay") => Self::Replay,
            ("GET", "clock") => Self::Clock,
            ("PUT", "clock") => Self::SetClock,
            ("GET", "outbox") => Self::Outbox,
            ("POST", "reset") => Self::Reset,
            ("POST", "accounts") => Self::CreateAccount,
            ("POST", "delegation-partners") => Self::RegisterDelegationPartner,
            ("POST", "mfa-tokens") => Self::LoadMfaToken,
            ("POST", account) => {
                Self::ReopenAccount(account.strip_prefix("accounts/")?.strip_suffix("/reopen")?)
            }
            ("DELETE", token) => Self::UnloadMfaToken(token.strip_prefix("mfa-tokens/")?),
            ("GET", decision) => Self::Decision(decision.strip_prefix("decisions/")?),
            _ => return None,
        })
    }

    /// The action that a signed caller must be allowed; none for what anybody may ask.
    fn action(&self) -> Option<&'static str> {
        match self {
            Self::Health => None,
            Self::Metrics => Some("palisade:GetMetrics"),
            Self::Decision(_) | Self::LastDecision => Some("palisade:GetDecision"),
            Self::Calls => Some("palisade:ListCalls"),
            Self::Checklist => Some("palisade:GetChecklist"),
            Self::Simulate => Some("palisade:Simulate"),
            Self::Replay => Some("palisade:Replay"),
            Self::Reset => Some("palisade:Reset"),
            Self::Clock => Some("palisade:GetClock"),
            Self::SetClock => Some("palisade:SetClock"),
            Self::Outbox => Some("palisade:GetOutbox"),
            Self::CreateAccount => Some("palisade:CreateAccount"),
            Self::RegisterDelegationPartner => Some("palisade:RegisterDelegationPartner"),
            Self::ReopenAccount(_) => Some("palisade:ReopenAccount"),
            Self::LoadMfaToken => Some("palisade:LoadMfaToken"),
            Self::UnloadMfaToken(_) => Some("palisade:UnloadMfaToken"),
        }
    }

    /// The actions of services that decide how much of the answer a signed caller sees.
    fn reads(&self) -> Vec<&'static str> {
        match self {
            Self::Decision(_) | Self::LastDecision => vec![READS_POLICIES],
            Self::Checklist => checklist::reads(),
            _ => Vec::new(),
        }
    }

    fn only_in_lab(&self) -> bool {
        use Task::{Clock, CreateAccount, Reset, SetClock};
        matches!(self, Reset | Clock | SetClock | CreateAccount)
    }

    /// In lab mode a client on this machine needs no proof for these.
    fn open_to_loopback(&self) -> bool {
        matches!(self, Self::Reset | Self::Clock | Self::SetClock | Self::Outbox)
    }
}

/// Answers a request below [`PREFIX`].
pub async fn serve(
    server: &Arc<Server>,
    head: &Head,
    body: &[u8],
    peer: SocketAddr,
) -> (Response<Full<Bytes>>, Ending) {
    let Some(task) = Task::of(&head.method, head.uri.path()) else {
        return refused(&refuse(404, "NotFound", "There is no such operator path."));
    };
    let reach = match permit(server, head, body, peer, &task) {
        Ok(reach) => reach,
        Err(refusal) => return refused(&refusal),
    };
    if let Task::Metrics = task {
        let text = server.metrics.render(&server.plane.store.status());
        return (response(200, "text/plain; version=0.0.4", text), Ending::Allowed);
    }
    let query = head.uri.query().unwrap_or_default();
    match perform(server, &task, query, body, reach).await {
        Ok(answer) => (response(200, "application/json", answer.to_string()), Ending::Allowed),
        Err(refusal) => refused(&refusal),
    }
}

/// How much of what there is the caller may learn.
enum Reach {
    /// Who may read the data folder knows everything.
    All,
    /// A signed caller: what is of its account, and only what it may read anyway. `reads` are those
    /// of the task's actions that it may do.
    Account { id: String, reads: BTreeSet<&'static str> },
}

impl Reach {
    /// The account that the caller is of; none for who may know everything.
    fn account(&self) -> Option<&str> {
        match self {
            Self::All => None,
            Self::Account { id, .. } => Some(id),
        }
    }

    fn may(&self, action: &str) -> bool {
        match self {
            Self::All => true,
            Self::Account { reads, .. } => reads.contains(action),
        }
    }
}

/// A web page of another origin may never ask; others must show who they are.
fn permit(
    server: &Arc<Server>,
    head: &Head,
    body: &[u8],
    peer: SocketAddr,
    task: &Task<'_>,
) -> Result<Reach, Refusal> {
    if is_foreign_page(head) {
        return Err(refuse(403, "AccessDenied", "Requests from other web pages are refused."));
    }
    let lab = server.plane.settings.lab;
    if task.only_in_lab() && !lab {
        return Err(refuse(404, "NotFound", "Only lab mode has this path."));
    }
    let Some(action) = task.action() else { return Ok(Reach::All) };
    if lab && task.open_to_loopback() && peer.ip().to_canonical().is_loopback() {
        return Ok(Reach::All);
    }
    if has_token(server, head) {
        return Ok(Reach::All);
    }
    is_allowed(server, head, body, peer, (action, task))
}

/// A browser says where a request comes from; programs say nothing.
pub fn is_foreign_page(head: &Head) -> bool {
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let host = text("host").or(head.uri.authority().map(|authority| authority.as_str()));
    let foreign_origin = match text("origin") {
        None => false,
        Some(origin) => origin.split_once("://").map(|(_, origin)| origin) != host,
    };
    foreign_origin || !matches!(text("sec-fetch-site"), None | Some("same-origin" | "none"))
}

fn has_token(server: &Server, head: &Head) -> bool {
    let given = head.headers.get("authorization").map(|value| value.as_bytes());
    let given = given.and_then(|value| value.strip_prefix(b"Bearer "));
    given.is_some_and(|given| {
        constant_time::verify_slices_are_equal(given, server.operator_token.as_bytes()).is_ok()
    })
}

/// A signed caller, decided like any other call.
fn is_allowed(
    server: &Arc<Server>,
    head: &Head,
    body: &[u8],
    peer: SocketAddr,
    (action, task): (&'static str, &Task<'_>),
) -> Result<Reach, Refusal> {
    let fields = authenticate::fields(head);
    let offered = Offered::read(head, &fields);
    let changes = server.plane.credentials.changes();
    let snapshot = server.plane.store.snapshot();
    let now = server.plane.clock.now();
    let around = Surroundings {
        server,
        read: &snapshot,
        changes,
        now,
        secure: false,
        protocol: Protocol::RestJson,
        model: &SERVICE,
        operation: None,
    };
    let (credential, _proven) = authenticate(&offered, Payload::Body(body), &around)
        .map_err(|error| refuse(error.code.status, error.code.code, error.message.into_owned()))?;
    let request = Request {
        region: server.plane.settings.region.clone(),
        source_ip: peer.ip().to_canonical(),
        at: now,
        ..first_start::request_of_start(&server.plane)
    };
    let account = credential.caller.account.to_string();
    let decide = |action: &str| {
        let requirement = Requirement::new(action, "*", &account);
        explain::decide_alone(server, &request, &credential, &snapshot, requirement)
            .map_err(|error| refuse(500, "InternalFailure", error.to_string()))
    };
    let decided = decide(action)?;
    if !decided.decision.allowed() {
        let error = outcome::access_denied(Protocol::RestJson, &SERVICE, &credential, &decided);
        return Err(refuse(403, "AccessDenied", error.message.into_owned()));
    }
    let mut reads = BTreeSet::new();
    for action in task.reads() {
        if decide(action)?.decision.allowed() {
            reads.insert(action);
        }
    }
    Ok(Reach::Account { id: account, reads })
}

/// The one action of IAM that reads every policy of an account. Who may not do it learns from a
/// decision what its caller was told, and no more.
const READS_POLICIES: &str = "iam:GetAccountAuthorizationDetails";

/// How operator calls are signed and worded.
static SERVICE: palisade_shape::Service = palisade_shape::Service {
    name: "palisade",
    signing_name: "palisade",
    endpoint_prefix: "palisade",
    id: "Palisade",
    api_version: "2026-11-22",
    target_prefix: "",
    protocols: &[Protocol::RestJson],
    xml_namespace: "",
    operations: &[],
};

async fn perform(
    server: &Arc<Server>,
    task: &Task<'_>,
    query: &str,
    body: &[u8],
    reach: Reach,
) -> Answer {
    match task {
        Task::Health => Ok(health(server)),
        Task::Metrics => Ok(json!({})),
        Task::Decision(id) => decision(server, id, reach).await,
        Task::LastDecision => decision(server, "", reach).await,
        Task::Calls => simulate::calls(server, query, reach.account()).await,
        Task::Checklist => checklist::answer(server, query, reach).await,
        Task::Simulate => simulate::simulate(server, body, reach.account()).await,
        Task::Replay => replay::answer(server, body, reach.account()).await,
        Task::Clock => Ok(clock(server)),
        Task::SetClock => set_clock(server, body).await,
        Task::Outbox => outbox::messages(server, &reach),
        Task::Reset => reset(server).await,
        Task::CreateAccount => accounts::create(server, body).await,
        Task::RegisterDelegationPartner => partner::register(server, body).await,
        Task::ReopenAccount(account) => accounts::reopen(server, account).await,
        Task::LoadMfaToken => mfa_token::load(server, body).await,
        Task::UnloadMfaToken(serial) => mfa_token::unload(server, serial).await,
    }
}

fn health(server: &Server) -> serde_json::Value {
    let status = server.plane.store.status();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "mode": if server.plane.settings.lab { "lab" } else { "production" },
        "store": status.backend,
        "revision": status.revision,
        "lag_millis": status.staleness.as_millis() as u64,
        "enforcement": "on",
    })
}

async fn decision(server: &Arc<Server>, id: &str, reach: Reach) -> Answer {
    let (work, wanted) = (server.clone(), id.to_owned());
    let found = tokio::task::spawn_blocking(move || told(&work, &wanted, &reach)).await;
    let failed = |error: String| refuse(500, "InternalFailure", error);
    let told = found.map_err(|error| failed(error.to_string()))?;
    told.map_err(|error| failed(error.to_string()))?.ok_or_else(|| match id {
        "" => refuse(404, "NotFound", "No decision was recorded yet."),
        id => refuse(404, "NotFound", format!("There is no decision {id}.")),
    })
}

/// What a caller of that reach learns of a decision. None also for one of another account.
fn told(server: &Server, id: &str, reach: &Reach) -> palisade_shape::Result<Option<Told>> {
    let Some(found) = explain::find(server, id, reach.account())? else { return Ok(None) };
    if !reach.may(READS_POLICIES) {
        let decision = found.decision;
        return Ok(Some(json!({
            "id": decision.id,
            "time": decision.time,
            "service": decision.service,
            "operation": decision.operation,
            "error": decision.error,
            "errorMessage": found.error_message,
        })));
    }
    let receipt = explain::receipt(server, found)?;
    let value = serde_json::to_value(receipt);
    value.map(Some).map_err(palisade_services::errors::internal)
}

type Told = serde_json::Value;

fn clock(server: &Server) -> serde_json::Value {
    let now = jiff::Timestamp::from_millisecond(server.clock.now().millis()).unwrap_or_default();
    json!({ "now": now.to_string() })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetClock {
    now: Option<String>,
    advance: Option<i64>,
}

/// Moves the clock. What became due has been done when the answer leaves.
async fn set_clock(server: &Arc<Server>, body: &[u8]) -> Answer {
    let wanted: SetClock = serde_json::from_slice(body)
        .map_err(|error| refuse(400, "ValidationException", error.to_string()))?;
    match (wanted.now, wanted.advance) {
        (Some(now), None) => {
            let now: jiff::Timestamp = now
                .parse()
                .map_err(|error| refuse(400, "ValidationException", format!("now: {error}")))?;
            server.clock.set(Timestamp::from_millis(now.as_millisecond()));
        }
        (None, Some(seconds)) => server.clock.advance(seconds),
        _ => {
            let message = "Give either `now` (RFC 3339) or `advance` (seconds).";
            return Err(refuse(400, "ValidationException", message));
        }
    }
    jobs::run_due(server).await;
    Ok(clock(server))
}

/// Back to the state of the first start. History and audit stay; the clock is the system's again.
async fn reset(server: &Arc<Server>) -> Answer {
    let work = server.clone();
    let done = tokio::task::spawn_blocking(move || {
        let restored = work.plane.store.restore(work.first_revision);
        let committed = restored.map_err(|error| error.to_string())?;
        // An older version may have made that state.
        upgrade(&work.plane).map(|()| committed)
    });
    let failed = |error: String| refuse(500, "InternalFailure", error);
    let committed = done.await.map_err(|error| failed(error.to_string()))?.map_err(failed)?;
    server.plane.credentials.clear();
    drop(server.plane.usage.drain());
    drop(server.plane.key_uses.drain());
    server.plane.attempts.clear();
    server.plane.last_accesses.clear();
    server.clock.restore();
    Ok(json!({ "revision": committed.revision }))
}

fn refused(refusal: &Refusal) -> (Response<Full<Bytes>>, Ending) {
    let body = json!({ "code": refusal.code, "message": refusal.message }).to_string();
    let ending = if refusal.status >= 500 { Ending::Failed } else { Ending::Denied };
    (response(refusal.status, "application/json", body), ending)
}

fn response(status: u16, content_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    let kind = http::HeaderValue::from_static(content_type);
    response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
    response
}
