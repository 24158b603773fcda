//! Delegation requests: a partner asks for limited access to an account for some hours, people of
//! the account approve or reject, and the partner trades the token that it is sent for credentials
//! (`sts:GetDelegatedAccessToken`).
//!
//! A request belongs to no account until somebody takes it on, so the whole plane shares the table;
//! who may see one is looked up in the request itself ([`visible`]). The owner may always read and
//! update its own request ([`owners_policy`]).
//!
//! The notification channel is an SNS topic; until SNS is there, notifications go to the outbox.
//!
//! Source: IAM API reference, CreateDelegationRequest and its like; IAM User Guide, "IAM temporary
//! delegation", "Building your integration" (states and how long each lasts).

use super::{delegation_check, delegation_partner as partner, list};
use crate::authorization::Requirement;
use crate::caller::{Principal, Session};
use crate::context::Context;
use crate::errors::{ACCESS_DENIED, internal};
use crate::outbox::{self, Mail};
use crate::signin::{hashed, secret, subject};
use crate::table::{Scope, Table};
use palisade_model::iam::{
    AcceptDelegationRequestRequest, AssociateDelegationRequestRequest,
    CreateDelegationRequestRequest, CreateDelegationRequestResponse, DelegationRequest,
    ENTITY_ALREADY_EXISTS, GetDelegationRequestRequest, GetDelegationRequestResponse,
    INVALID_INPUT, ListDelegationRequestsRequest, ListDelegationRequestsResponse, NO_SUCH_ENTITY,
    RejectDelegationRequestRequest, SendDelegationTokenRequest, UpdateDelegationRequestRequest,
    permission_check_status_type as check_status, state_type as state,
};
use palisade_policy::{DocumentKind, Policy};
use palisade_shape::{Error, Nothing, Result, Timestamp};
use serde::{Deserialize, Serialize};

/// How long a request waits to be taken on.
const UNASSIGNED_DAYS: i64 = 1;
/// How long any other state lasts.
const STATE_DAYS: i64 = 7;
const DAY_SECONDS: i64 = 86_400;
/// Root users approve requests for four hours at most.
const ROOT_SECONDS_MAX: i32 = 4 * 3600;

/// Requests as the API shows them, by id.
static REQUESTS: Table<DelegationRequest> = Table::of_shapes(
    "iam/delegation-request",
    Scope::Plane,
    |request| id_of(request).to_owned(),
    |_| internal("a delegation request's id came twice"),
    missing,
);

/// What is kept of a request and never shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Terms {
    id: String,
    notification_channel: String,
    /// The owner in the terms of a policy: a user's unique id, a session's ARN; none for root.
    owner_principal: Option<String>,
    /// The approver as a session, without a key.
    approver: Option<Session>,
    /// The hash of the token that was sent.
    token: Option<String>,
    finalized_millis: Option<i64>,
}

static TERMS: Table<Terms> = Table::of_private(
    "iam/delegation-terms",
    Scope::Plane,
    |terms| terms.id.clone(),
    |_| internal("a delegation request's terms are there already"),
    missing,
);

/// The partner's own names of its requests.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Workflow {
    id: String,
}

static WORKFLOWS: Table<Workflow> = Table::of_private(
    "iam/delegation-workflow",
    Scope::Account,
    |workflow| workflow.id.clone(),
    |workflow| {
        let id = &workflow.id;
        let message = format!("A delegation request with workflow ID {id} already exists.");
        ENTITY_ALREADY_EXISTS.because(message)
    },
    |id| internal(format!("there is no workflow {id}")),
);

/// The requests that people of an account own.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Owned {
    id: String,
    owner: String,
}

static OWNED: Table<Owned> = Table::of_private(
    "iam/delegation-owned",
    Scope::Account,
    |owned| owned.id.clone(),
    |_| internal("a delegation request is owned already"),
    missing,
);

/// The request that a token was sent for, by the token's hash.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    hash: String,
    request: String,
}

static TOKENS: Table<Token> = Table::of_private(
    "iam/delegation-token",
    Scope::Plane,
    |token| token.hash.clone(),
    |_| internal("a delegation token came twice"),
    |_| internal("there is no such delegation token"),
);

fn missing(id: &str) -> Error {
    NO_SUCH_ENTITY.because(format!("Delegation request with id {id} cannot be found."))
}

fn id_of(request: &DelegationRequest) -> &str {
    request.delegation_request_id.as_deref().unwrap_or_default()
}

fn arn_of(cx: &Context, id: &str) -> String {
    cx.iam_arn("delegation-request", "/", id)
}

/// The request as it is now: its time may be over.
pub(super) fn load(cx: &Context, id: &str) -> Result<DelegationRequest> {
    let mut request = cx.find(&REQUESTS, id)?;
    if request.expiration_time.is_some_and(|at| at <= cx.now()) {
        request.state = Some(state::EXPIRED.to_owned());
    }
    Ok(request)
}

/// The request, if the account may see it: its own, or one that is meant for no account yet.
pub(super) fn visible(cx: &Context, id: &str) -> Result<DelegationRequest> {
    let request = load(cx, id)?;
    match request.owner_account_id.as_deref() {
        Some(owner) if owner != cx.account() => Err(missing(id)),
        _ => Ok(request),
    }
}

/// Moves a request on, and tells the partner.
fn save(cx: &mut Context, mut request: DelegationRequest, to: &str) -> Result<()> {
    let now = cx.now().whole_seconds();
    request.state = Some(to.to_owned());
    request.updated_time = Some(now);
    request.expiration_time = Some(now.plus_seconds(STATE_DAYS * DAY_SECONDS));
    cx.put(&REQUESTS, &request)?;
    notify(cx, &request, None)
}

/// Tells the partner of a new state and, at the end, the token.
fn notify(cx: &mut Context, request: &DelegationRequest, token: Option<&str>) -> Result<()> {
    let terms = cx.find(&TERMS, id_of(request))?;
    let (id, state) = (id_of(request), request.state.as_deref().unwrap_or_default());
    let requestor = request.requestor_id.clone().unwrap_or_default();
    let text = format!("Delegation request {id} is {state}.");
    let mail = Mail {
        kind: "delegation-request",
        to: &terms.notification_channel,
        subject: "Delegation request notification",
        text: &text,
        code: token,
    };
    cx.in_account(&requestor, |cx| outbox::send(cx, &mail)).map(drop)
}

/// What is asked is checked against the partner's account, whose resource the new request is.
pub fn create_requirements(
    cx: &mut Context,
    input: &CreateDelegationRequestRequest,
) -> Result<Vec<Requirement>> {
    let arn = arn_of(cx, "*");
    let requirement = Requirement::new("iam:CreateDelegationRequest", arn, cx.account())
        .of_kind("delegation-request")
        .with_key("iam:DelegationDuration", input.session_duration.to_string())
        .with_key("iam:NotificationChannel", &input.notification_channel);
    Ok(vec![match &input.permissions.policy_template_arn {
        Some(template) => requirement.with_key("iam:TemplateArn", template),
        None => requirement,
    }])
}

/// The reference has no row for it; it is about the request, like the others.
pub fn update_requirements(
    cx: &mut Context,
    input: &UpdateDelegationRequestRequest,
) -> Result<Vec<Requirement>> {
    let arn = arn_of(cx, &input.delegation_request_id);
    let requirement = Requirement::new("iam:UpdateDelegationRequest", arn, cx.account());
    Ok(vec![requirement.of_kind("delegation-request")])
}

/// Asks for access. Only for accounts that were taken on as partners.
pub fn create_delegation_request(
    cx: &mut Context,
    input: CreateDelegationRequestRequest,
) -> Result<CreateDelegationRequestResponse> {
    let CreateDelegationRequestRequest {
        owner_account_id,
        description,
        permissions,
        request_message,
        requestor_workflow_id,
        redirect_url,
        notification_channel,
        session_duration,
        only_send_by_owner,
    } = input;
    let requestor = partner::load(cx)?;
    if !notification_channel.starts_with("arn:aws:sns:") {
        let message = "The notification channel must be the ARN of an SNS topic.";
        return Err(INVALID_INPUT.because(message));
    }
    let template = permissions.policy_template_arn.as_deref().unwrap_or_default();
    let Some(policy) = requestor.templates.get(template) else {
        let message = format!("Policy template {template} is not registered for this account.");
        return Err(INVALID_INPUT.because(message));
    };
    let policy = partner::filled(policy, permissions.parameters.as_deref().unwrap_or_default())?;
    let parsed =
        Policy::parse(&policy, DocumentKind::Identity).map_err(|e| internal(e.message()))?;
    let boundaries = Some(partner::role_boundaries(&parsed)).filter(|found| !found.is_empty());
    cx.insert(&WORKFLOWS, &Workflow { id: requestor_workflow_id })?;
    let (id, now) = (cx.uuid(), cx.now().whole_seconds());
    let request = DelegationRequest {
        delegation_request_id: Some(id.clone()),
        owner_account_id,
        description: Some(description),
        request_message,
        permissions: Some(permissions),
        permission_policy: Some(policy),
        role_permission_restriction_arns: boundaries,
        owner_id: None,
        approver_id: None,
        state: Some(state::UNASSIGNED.to_owned()),
        expiration_time: Some(now.plus_seconds(UNASSIGNED_DAYS * DAY_SECONDS)),
        requestor_id: Some(requestor.account),
        requestor_name: Some(requestor.name),
        create_date: Some(now),
        session_duration: Some(session_duration),
        redirect_url,
        notes: None,
        rejection_reason: None,
        only_send_by_owner,
        updated_time: Some(now),
    };
    cx.insert(&REQUESTS, &request)?;
    let terms = Terms {
        id: id.clone(),
        notification_channel,
        owner_principal: None,
        approver: None,
        token: None,
        finalized_millis: None,
    };
    cx.insert(&TERMS, &terms)?;
    Ok(CreateDelegationRequestResponse {
        console_deep_link: Some(format!("/_palisade/console/iam/delegation-requests/{id}")),
        delegation_request_id: Some(id),
    })
}

fn wrong_state(request: &DelegationRequest) -> Error {
    let (id, state) = (id_of(request), request.state.as_deref().unwrap_or_default());
    INVALID_INPUT.because(format!(
        "Delegation request {id} is in state {state}, which does not allow this operation."
    ))
}

/// The request, if it is the account's and in one of these states.
fn in_state(cx: &Context, id: &str, allowed: &[&str]) -> Result<DelegationRequest> {
    let request = visible(cx, id)?;
    match allowed.contains(&request.state.as_deref().unwrap_or_default()) {
        true => Ok(request),
        false => Err(wrong_state(&request)),
    }
}

/// Takes a request on: from then on it is its caller's.
pub fn associate_delegation_request(
    cx: &mut Context,
    input: AssociateDelegationRequestRequest,
) -> Result<Nothing> {
    let mut request = in_state(cx, &input.delegation_request_id, &[state::UNASSIGNED])?;
    let owner = cx.caller.arn.to_string();
    let mut terms = cx.find(&TERMS, id_of(&request))?;
    terms.owner_principal = match &cx.caller.principal {
        Principal::Root => None,
        Principal::User { id, .. } => Some(id.to_string()),
        _ => Some(owner.clone()),
    };
    cx.put(&TERMS, &terms)?;
    cx.insert(&OWNED, &Owned { id: terms.id, owner: owner.clone() })?;
    request.owner_account_id = Some(cx.account().to_owned());
    request.owner_id = Some(owner);
    save(cx, request, state::ASSIGNED)?;
    Ok(Nothing)
}

/// Adds notes and hands the request to who may approve it.
pub fn update_delegation_request(
    cx: &mut Context,
    input: UpdateDelegationRequestRequest,
) -> Result<Nothing> {
    let UpdateDelegationRequestRequest { delegation_request_id: id, notes } = input;
    let mut request = in_state(cx, &id, &[state::ASSIGNED, state::PENDING_APPROVAL])?;
    request.notes = notes.or(request.notes);
    save(cx, request, state::PENDING_APPROVAL)?;
    Ok(Nothing)
}

/// Approves: what is delegated is the caller's access, within the request's policy.
pub fn accept_delegation_request(
    cx: &mut Context,
    input: AcceptDelegationRequestRequest,
) -> Result<Nothing> {
    let id = input.delegation_request_id;
    let mut request = visible(cx, &id)?;
    if ![Some(state::ASSIGNED), Some(state::PENDING_APPROVAL)].contains(&request.state.as_deref()) {
        let message = format!("There is no delegation request {id} that awaits approval.");
        return Err(NO_SUCH_ENTITY.because(message));
    }
    if cx.caller.is_root() && request.session_duration.unwrap_or(0) > ROOT_SECONDS_MAX {
        let message = "Root users can only approve delegation requests of four hours or less.";
        return Err(ACCESS_DENIED.because(message));
    }
    let mut terms = cx.find(&TERMS, &id)?;
    terms.approver = Some(approver(cx)?);
    cx.put(&TERMS, &terms)?;
    request.approver_id = Some(cx.caller.arn.to_string());
    save(cx, request, state::ACCEPTED)?;
    Ok(Nothing)
}

/// The caller as a session to issue credentials from later.
fn approver(cx: &Context) -> Result<Session> {
    if let Some(session) = cx.caller.session.as_deref() {
        if !session.policies.is_empty() || !session.policy_arns.is_empty() {
            let message = "Sessions with session policies cannot approve delegation requests.";
            return Err(ACCESS_DENIED.because(message));
        }
        let (access_key_id, secret_access_key) = (String::new(), String::new());
        return Ok(Session { access_key_id, secret_access_key, ..session.clone() });
    }
    let person = match &cx.caller.principal {
        Principal::Root => Some(subject::root(cx.account())),
        Principal::User { name, .. } => subject::user_named(cx, name)?,
        _ => None,
    };
    let refused = || ACCESS_DENIED.because("The caller cannot approve delegation requests.");
    Ok(person.ok_or_else(refused)?.session(0, None))
}

/// Rejects for good, also what was accepted and not sent.
pub fn reject_delegation_request(
    cx: &mut Context,
    input: RejectDelegationRequestRequest,
) -> Result<Nothing> {
    let RejectDelegationRequestRequest { delegation_request_id: id, notes } = input;
    let open = [state::ASSIGNED, state::PENDING_APPROVAL, state::ACCEPTED];
    let mut request = in_state(cx, &id, &open)?;
    request.rejection_reason = notes;
    save(cx, request, state::REJECTED)?;
    Ok(Nothing)
}

/// Sends the token: from now on the partner has access for as long as it asked for.
pub fn send_delegation_token(
    cx: &mut Context,
    input: SendDelegationTokenRequest,
) -> Result<Nothing> {
    let mut request = in_state(cx, &input.delegation_request_id, &[state::ACCEPTED])?;
    let by_owner = request.only_send_by_owner.unwrap_or(false);
    if by_owner && request.owner_id.as_deref() != Some(&*cx.caller.arn) {
        let message = "Only the owner of the delegation request can send its token.";
        return Err(ACCESS_DENIED.because(message));
    }
    let token = secret(cx);
    let hash = hashed("delegation", &token);
    let mut terms = cx.find(&TERMS, id_of(&request))?;
    terms.token = Some(hash.clone());
    terms.finalized_millis = Some(cx.now().whole_seconds().millis());
    cx.put(&TERMS, &terms)?;
    cx.insert(&TOKENS, &Token { hash, request: terms.id })?;
    let now = cx.now().whole_seconds();
    request.state = Some(state::FINALIZED.to_owned());
    request.updated_time = Some(now);
    request.expiration_time = Some(now.plus_seconds(STATE_DAYS * DAY_SECONDS));
    cx.put(&REQUESTS, &request)?;
    notify(cx, &request, Some(&token))?;
    Ok(Nothing)
}

/// Shows a request and, if asked, whether the caller may do all that it asks for.
pub fn get_delegation_request(
    cx: &mut Context,
    input: GetDelegationRequestRequest,
) -> Result<GetDelegationRequestResponse> {
    let GetDelegationRequestRequest { delegation_request_id: id, delegation_permission_check } =
        input;
    let request = visible(cx, &id)?;
    let result = match delegation_permission_check {
        Some(true) => Some(delegation_check::result(cx, &request)?.to_owned()),
        _ => None,
    };
    Ok(GetDelegationRequestResponse {
        delegation_request: Some(request),
        permission_check_status: result.is_some().then(|| check_status::COMPLETE.to_owned()),
        permission_check_result: result,
    })
}

/// Lists the requests that people of the account own, or those of one of them.
pub fn list_delegation_requests(
    cx: &mut Context,
    input: ListDelegationRequestsRequest,
) -> Result<ListDelegationRequestsResponse> {
    let ListDelegationRequestsRequest { owner_id, marker, max_items } = input;
    let page = list::page(cx, &OWNED, "", marker.as_deref(), max_items, |owned| {
        owner_id.as_ref().is_none_or(|wanted| *wanted == owned.owner)
    })?;
    let requests = page.items.iter().map(|owned| load(cx, &owned.id));
    Ok(ListDelegationRequestsResponse {
        delegation_requests: Some(requests.collect::<Result<_>>()?),
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}

/// What the owner of a request may always do with it, as a policy of the request; an explicit deny
/// still wins. None where nobody owns it, or root, who needs none.
pub(super) fn owners_policy(cx: &Context, id: &str) -> Result<Option<String>> {
    let Some(request) = cx.get(&REQUESTS, id)? else { return Ok(None) };
    if request.owner_account_id.as_deref() != Some(cx.account()) {
        return Ok(None);
    }
    let principal = cx.get(&TERMS, id)?.and_then(|terms| terms.owner_principal);
    let Some(principal) = principal else { return Ok(None) };
    let principal = serde_json::to_string(&principal).map_err(internal)?;
    Ok(Some(format!(
        "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Principal\":\
         {{\"AWS\":{principal}}},\"Action\":[\"iam:GetDelegationRequest\",\
         \"iam:GetHumanReadableSummary\",\"iam:UpdateDelegationRequest\"],\"Resource\":\"*\"}}]}}"
    )))
}

/// The access that a token stands for: the approver within the request's policy, until the time
/// that was asked for is over. None for a token that is not the caller's, wrong or too old.
pub fn of_token(cx: &mut Context, token: &str) -> Result<Option<(Session, Timestamp)>> {
    let Some(row) = cx.get(&TOKENS, &hashed("delegation", token))? else { return Ok(None) };
    let (request, terms) = (cx.find(&REQUESTS, &row.request)?, cx.find(&TERMS, &row.request)?);
    let (Some(approver), Some(since)) = (terms.approver, terms.finalized_millis) else {
        return Ok(None);
    };
    let seconds = i64::from(request.session_duration.unwrap_or(0));
    let until = Timestamp::from_millis(since).plus_seconds(seconds);
    let foreign = request.requestor_id.as_deref() != Some(&*cx.caller.account);
    if foreign || until <= cx.now() {
        return Ok(None);
    }
    let issued_at_millis = cx.now().whole_seconds().millis();
    let policies = request.permission_policy.into_iter().collect();
    Ok(Some((Session { policies, issued_at_millis, ..approver }, until)))
}

#[cfg(test)]
mod tests;
