//! Handshakes: what one account asks another one to agree to. They are rows of the whole plane,
//! because both sides see them; who they are from and for is an index beside them.
//!
//! Source: Organizations API reference, Handshake, HandshakeState, ActionType.

use super::membership;
use super::organization::Organization;
use super::refusal::denied;
use super::{all_features, invitation, list, responsibility_transfer, tag};
use crate::accounts::ACCOUNTS;
use crate::context::Context;
use crate::errors::internal;
use crate::job::{JobKind, Next};
use crate::random;
use crate::table::{Scope, Table};
use palisade_model::organizations::{
    AcceptHandshakeRequest, AcceptHandshakeResponse, CancelHandshakeRequest,
    CancelHandshakeResponse, DeclineHandshakeRequest, DeclineHandshakeResponse,
    DescribeHandshakeRequest, DescribeHandshakeResponse, HANDSHAKE_ALREADY_IN_STATE_EXCEPTION,
    HANDSHAKE_NOT_FOUND_EXCEPTION, HandshakeFilter, INVALID_HANDSHAKE_TRANSITION_EXCEPTION,
    ListHandshakesForAccountRequest, ListHandshakesForAccountResponse,
    ListHandshakesForOrganizationRequest, ListHandshakesForOrganizationResponse, action_type,
    handshake_state,
};
use palisade_shape::{Error, Result, Timestamp};
use serde::{Deserialize, Serialize};

const DAY_SECONDS: i64 = 86_400;
/// How long an answered handshake can still be seen.
const KEPT_SECONDS: i64 = 30 * DAY_SECONDS;

/// Whom a handshake is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Recipient {
    Account(String),
    /// The owner of the account with that address, which may not be there yet.
    Email(String),
    /// The organization's own management account.
    Management,
}

/// A handshake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handshake {
    /// `h-…`
    pub id: String,
    /// `INVITE`, `ENABLE_ALL_FEATURES`, …
    pub action: String,
    pub organization_id: String,
    /// The account that sent it.
    pub management_account: String,
    pub recipient: Recipient,
    pub state: String,
    pub requested_millis: i64,
    pub expires_millis: i64,
    /// When it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_millis: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// What the account that is invited is tagged with.
    #[serde(default, skip_serializing_if = "tag::TagMap::is_empty")]
    pub tags: tag::TagMap,
    /// The handshake that this one is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// The transfer that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<String>,
}

pub static HANDSHAKES: Table<Handshake> = Table::of_private(
    "organizations/handshake",
    Scope::Plane,
    |handshake| handshake.id.clone(),
    |handshake| internal(format!("handshake {} is there already", handshake.id)),
    |_| {
        let text = "We can't find a handshake with the HandshakeId that you specified.";
        HANDSHAKE_NOT_FOUND_EXCEPTION.because(text)
    },
);

/// Whose a handshake is: `account/ID`, `email/ADDRESS` or `sent/ACCOUNT`, then the handshake.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Party {
    party: String,
    handshake: String,
}

static PARTIES: Table<Party> = Table::of_private(
    "organizations/handshake-party",
    Scope::Plane,
    |row| format!("{}/{}", row.party, row.handshake),
    |row| internal(format!("handshake {} is listed twice", row.handshake)),
    |key| internal(format!("handshake party {key} is not there")),
);

/// Ends what nobody answered in time, and forgets what was answered long ago. The job's subject is
/// the handshake.
pub static EXPIRE: JobKind = JobKind {
    name: "organizations/expire-handshake",
    principal: "organizations.amazonaws.com",
    run: expire,
};

impl Handshake {
    /// A new one of an organization, open for so many days.
    pub fn new(
        cx: &Context,
        organization: &Organization,
        action: &str,
        recipient: Recipient,
        days: i64,
    ) -> Self {
        let now = cx.now();
        Self {
            id: random::lower_id(&*cx.plane.random, "h-", 12),
            action: action.to_owned(),
            organization_id: organization.id.clone(),
            management_account: organization.management_account.clone(),
            recipient,
            state: handshake_state::OPEN.to_owned(),
            requested_millis: now.millis(),
            expires_millis: now.plus_seconds(days * DAY_SECONDS).millis(),
            answered_millis: None,
            notes: None,
            tags: tag::TagMap::new(),
            parent: None,
            transfer: None,
        }
    }

    pub fn arn(&self) -> String {
        let Self { id, action, organization_id, management_account, .. } = self;
        let action = action.to_lowercase();
        format!(
            "arn:aws:organizations::{management_account}:handshake/{organization_id}/{action}/{id}"
        )
    }

    /// Its state at that time: what is not answered expires.
    pub fn state_at(&self, now: Timestamp) -> &str {
        if self.is_waiting() && now.millis() >= self.expires_millis {
            return handshake_state::EXPIRED;
        }
        &self.state
    }

    fn is_waiting(&self) -> bool {
        matches!(self.state.as_str(), handshake_state::OPEN | handshake_state::REQUESTED)
    }

    /// Whether it still waits for an answer.
    pub fn is_open_at(&self, now: Timestamp) -> bool {
        self.is_waiting() && now.millis() < self.expires_millis
    }

    fn parties(&self) -> Vec<String> {
        let to = match &self.recipient {
            Recipient::Account(id) => format!("account/{id}"),
            Recipient::Email(email) => format!("email/{}", email.to_lowercase()),
            Recipient::Management => format!("account/{}", self.management_account),
        };
        vec![to, format!("sent/{}", self.management_account)]
    }
}

/// Stores a new handshake, and lets it expire when its time is over.
pub fn send(cx: &mut Context, handshake: &Handshake) -> Result<()> {
    cx.insert(&HANDSHAKES, handshake)?;
    for party in handshake.parties() {
        cx.put(&PARTIES, &Party { party, handshake: handshake.id.clone() })?;
    }
    cx.later(&EXPIRE, Timestamp::from_millis(handshake.expires_millis), &handshake.id)?;
    cx.touch("AWS::Organizations::Handshake", handshake.arn());
    Ok(())
}

/// Sets the state for good.
pub fn end(cx: &mut Context, handshake: &mut Handshake, state: &str) -> Result<()> {
    handshake.state = state.to_owned();
    handshake.answered_millis = Some(cx.now().millis());
    cx.put(&HANDSHAKES, handshake)?;
    if handshake.action == action_type::INVITE {
        invitation::ended(cx, handshake)?;
    }
    let forgotten = cx.now().plus_seconds(KEPT_SECONDS);
    cx.later(&EXPIRE, forgotten, &handshake.id)
}

fn expire(cx: &mut Context, subject: &str) -> Result<Next> {
    let Some(mut handshake) = cx.get(&HANDSHAKES, subject)? else { return Ok(Next::Done) };
    if handshake.is_waiting() {
        if cx.now().millis() < handshake.expires_millis {
            return Ok(Next::Again(Timestamp::from_millis(handshake.expires_millis)));
        }
        responsibility_transfer::answered(cx, &handshake, handshake_state::EXPIRED)?;
        end(cx, &mut handshake, handshake_state::EXPIRED)?;
        return Ok(Next::Done);
    }
    let answered = Timestamp::from_millis(handshake.answered_millis.unwrap_or_default());
    let forgotten = answered.plus_seconds(KEPT_SECONDS);
    if cx.now() < forgotten {
        return Ok(Next::Again(forgotten));
    }
    for party in handshake.parties() {
        cx.delete(&PARTIES, &format!("{party}/{}", handshake.id))?;
    }
    cx.delete(&HANDSHAKES, &handshake.id)?;
    Ok(Next::Done)
}

/// Whether the account is the one that has to answer.
pub fn is_for(cx: &Context, handshake: &Handshake, account: &str) -> Result<bool> {
    Ok(match &handshake.recipient {
        Recipient::Account(id) => id == account,
        Recipient::Management => handshake.management_account == account,
        Recipient::Email(email) => {
            cx.get(&ACCOUNTS, account)?.is_some_and(|known| known.email.eq_ignore_ascii_case(email))
        }
    })
}

/// The handshakes that an account sent, newest last by their id.
pub fn sent_by(cx: &Context, account: &str) -> Result<Vec<Handshake>> {
    let rows = cx.all(&PARTIES, &format!("sent/{account}/"))?;
    rows.into_iter().map(|row| cx.find(&HANDSHAKES, &row.handshake)).collect()
}

/// The open handshakes for that recipient with that action.
pub fn open_for(
    cx: &Context,
    organization: &Organization,
    action: &str,
    recipient: &Recipient,
) -> Result<bool> {
    let now = cx.now();
    let sent = sent_by(cx, &organization.management_account)?;
    Ok(sent.iter().any(|known| {
        known.action == action && known.recipient == *recipient && known.is_open_at(now)
    }))
}

/// Cancels what an organization asked for and nobody has answered, when it goes.
pub fn cancel_all(cx: &mut Context, organization: &Organization) -> Result<()> {
    let now = cx.now();
    for mut handshake in sent_by(cx, &organization.management_account)? {
        if handshake.is_open_at(now) {
            end(cx, &mut handshake, handshake_state::CANCELED)?;
        }
    }
    Ok(())
}

/// The handshake, which must still be open, for its recipient or its sender to end.
fn open(cx: &Context, id: &str, wanted: &str) -> Result<Handshake> {
    let handshake = cx.find(&HANDSHAKES, id)?;
    if handshake.is_open_at(cx.now()) {
        return Ok(handshake);
    }
    if handshake.state_at(cx.now()) == wanted {
        let text = "The specified handshake is already in the requested state.";
        return Err(HANDSHAKE_ALREADY_IN_STATE_EXCEPTION.because(text));
    }
    Err(wrong_state())
}

/// The handshake cannot be answered so as it stands.
pub fn wrong_state() -> Error {
    let text = "You can't perform the operation on the handshake in its current state.";
    INVALID_HANDSHAKE_TRANSITION_EXCEPTION.because(text)
}

fn own(cx: &Context) -> String {
    cx.caller.account.to_string()
}

/// Agrees to what the handshake asks, which then happens at once.
pub fn accept_handshake(
    cx: &mut Context,
    input: AcceptHandshakeRequest,
) -> Result<AcceptHandshakeResponse> {
    let account = own(cx);
    let mut handshake = open(cx, &input.handshake_id, handshake_state::ACCEPTED)?;
    if !is_for(cx, &handshake, &account)? {
        return Err(denied());
    }
    match handshake.action.as_str() {
        action_type::INVITE => invitation::accept(cx, &handshake, &account)?,
        action_type::TRANSFER_RESPONSIBILITY => {
            responsibility_transfer::accept(cx, &handshake, &account)?;
        }
        _ => all_features::accept(cx, &handshake)?,
    }
    end(cx, &mut handshake, handshake_state::ACCEPTED)?;
    all_features::after_answer(cx, &handshake)?;
    share(cx, &handshake);
    Ok(AcceptHandshakeResponse { handshake: Some(shown(cx, &handshake)?) })
}

/// Refuses what the handshake asks.
pub fn decline_handshake(
    cx: &mut Context,
    input: DeclineHandshakeRequest,
) -> Result<DeclineHandshakeResponse> {
    let account = own(cx);
    let mut handshake = open(cx, &input.handshake_id, handshake_state::DECLINED)?;
    if !is_for(cx, &handshake, &account)? {
        return Err(denied());
    }
    responsibility_transfer::answered(cx, &handshake, handshake_state::DECLINED)?;
    end(cx, &mut handshake, handshake_state::DECLINED)?;
    all_features::after_answer(cx, &handshake)?;
    share(cx, &handshake);
    Ok(DeclineHandshakeResponse { handshake: Some(shown(cx, &handshake)?) })
}

/// Takes a handshake back that was not answered yet.
pub fn cancel_handshake(
    cx: &mut Context,
    input: CancelHandshakeRequest,
) -> Result<CancelHandshakeResponse> {
    let mut handshake = open(cx, &input.handshake_id, handshake_state::CANCELED)?;
    if handshake.management_account != own(cx) {
        return Err(denied());
    }
    responsibility_transfer::answered(cx, &handshake, handshake_state::CANCELED)?;
    end(cx, &mut handshake, handshake_state::CANCELED)?;
    share(cx, &handshake);
    Ok(CancelHandshakeResponse { handshake: Some(shown(cx, &handshake)?) })
}

/// Both sides have the event.
fn share(cx: &mut Context, handshake: &Handshake) {
    cx.touch("AWS::Organizations::Handshake", handshake.arn());
    cx.notes.shared_with.push(handshake.management_account.clone());
    if let Recipient::Account(id) = &handshake.recipient {
        cx.notes.shared_with.push(id.clone());
    }
}

/// Shows a handshake to its sender or its recipient.
pub fn describe_handshake(
    cx: &mut Context,
    input: DescribeHandshakeRequest,
) -> Result<DescribeHandshakeResponse> {
    let account = own(cx);
    let handshake = cx.find(&HANDSHAKES, &input.handshake_id)?;
    let of_organization = membership::of(cx, &account)?
        .is_some_and(|member| member.organization_id == handshake.organization_id);
    if !(of_organization || is_for(cx, &handshake, &account)?) {
        return Err(denied());
    }
    Ok(DescribeHandshakeResponse { handshake: Some(shown(cx, &handshake)?) })
}

/// Whether a list's filter keeps it.
fn kept(filter: Option<&HandshakeFilter>, handshake: &Handshake) -> bool {
    let Some(HandshakeFilter { action_type, parent_handshake_id }) = filter else { return true };
    let action = action_type.as_ref().is_none_or(|action| *action == handshake.action);
    let parent = parent_handshake_id.as_ref();
    action && parent.is_none_or(|parent| handshake.parent.as_ref() == Some(parent))
}

/// Lists what the caller's account was asked.
pub fn list_handshakes_for_account(
    cx: &mut Context,
    input: ListHandshakesForAccountRequest,
) -> Result<ListHandshakesForAccountResponse> {
    let ListHandshakesForAccountRequest { filter, next_token, max_results } = input;
    let account = own(cx);
    let mut rows = cx.all(&PARTIES, &format!("account/{account}/"))?;
    if let Some(known) = cx.get(&ACCOUNTS, &account)? {
        rows.extend(cx.all(&PARTIES, &format!("email/{}/", known.email.to_lowercase()))?);
    }
    let mut handshakes = Vec::new();
    for row in rows {
        let handshake = cx.find(&HANDSHAKES, &row.handshake)?;
        if kept(filter.as_ref(), &handshake) {
            handshakes.push(handshake);
        }
    }
    let page = list::of_items(handshakes, (next_token, max_results))?;
    let shown = page.items.iter().map(|handshake| shown(cx, handshake));
    let handshakes = Some(shown.collect::<Result<_>>()?);
    Ok(ListHandshakesForAccountResponse { handshakes, next_token: page.next })
}

/// Lists what the organization asked of others.
pub fn list_handshakes_for_organization(
    cx: &mut Context,
    organization: &Organization,
    input: ListHandshakesForOrganizationRequest,
) -> Result<ListHandshakesForOrganizationResponse> {
    let ListHandshakesForOrganizationRequest { filter, next_token, max_results } = input;
    let of = format!("sent/{}/", organization.management_account);
    let page = list::page(cx, &PARTIES, &of, (next_token, max_results), |cx, row| {
        let handshake = cx.find(&HANDSHAKES, &row.handshake)?;
        match kept(filter.as_ref(), &handshake) {
            true => shown(cx, &handshake).map(Some),
            false => Ok(None),
        }
    })?;
    Ok(ListHandshakesForOrganizationResponse {
        handshakes: Some(page.items),
        next_token: page.next,
    })
}

pub use super::handshake_view::shown;
