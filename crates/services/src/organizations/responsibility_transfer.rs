//! Responsibility transfers: one organization takes over another one's bill. The organization that
//! takes it over invites the other one's management account.
//!
//! Source: Organizations API reference, InviteOrganizationToTransferResponsibility and its like.

use super::access;
use super::handshake::{self, Handshake, Recipient, shown};
use super::handshake_view::described;
use super::organization::Organization;
use super::refusal::{denied, handshake_constraint, invalid};
use super::{invitation, list, tag};
use crate::accounts::{self, ACCOUNTS};
use crate::context::Context;
use crate::errors::internal;
use crate::random;
use crate::table::{Scope, Table};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use palisade_model::organizations::{
    DUPLICATE_HANDSHAKE_EXCEPTION, DescribeResponsibilityTransferRequest,
    DescribeResponsibilityTransferResponse, HandshakeResource,
    INVALID_RESPONSIBILITY_TRANSFER_TRANSITION_EXCEPTION,
    InviteOrganizationToTransferResponsibilityRequest,
    InviteOrganizationToTransferResponsibilityResponse, ListInboundResponsibilityTransfersRequest,
    ListInboundResponsibilityTransfersResponse, ListOutboundResponsibilityTransfersRequest,
    ListOutboundResponsibilityTransfersResponse,
    RESPONSIBILITY_TRANSFER_ALREADY_IN_STATUS_EXCEPTION,
    RESPONSIBILITY_TRANSFER_NOT_FOUND_EXCEPTION, ResponsibilityTransfer,
    TerminateResponsibilityTransferRequest, TerminateResponsibilityTransferResponse,
    TransferParticipant, UpdateResponsibilityTransferRequest, UpdateResponsibilityTransferResponse,
    action_type, handshake_resource_type, handshake_state, responsibility_transfer_status,
    responsibility_transfer_type,
};
use palisade_shape::{Result, Timestamp};
use serde::{Deserialize, Serialize};

/// An invitation can be accepted for so long.
const DAYS: i64 = 15;
/// A transfer may begin this far ahead.
const AHEAD_SECONDS: i64 = 366 * 86_400;

/// A transfer, or the invitation to one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// `rt-…`
    pub id: String,
    pub name: String,
    pub status: String,
    /// The management account that takes the bill over.
    pub target: String,
    /// The one whose bill it is.
    pub source: String,
    pub handshake: String,
    pub start_millis: i64,
    pub end_millis: Option<i64>,
    #[serde(default, skip_serializing_if = "tag::TagMap::is_empty")]
    pub tags: tag::TagMap,
}

static TRANSFERS: Table<Transfer> = Table::of_private(
    "organizations/transfer",
    Scope::Plane,
    |transfer| transfer.id.clone(),
    |transfer| internal(format!("transfer {} is there already", transfer.id)),
    |_| {
        let text = "We can't find a transfer that has the ID that you specified.";
        RESPONSIBILITY_TRANSFER_NOT_FOUND_EXCEPTION.because(text)
    },
);

/// `inbound/TARGET/ID` and `outbound/SOURCE/ID`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Side {
    side: String,
    transfer: String,
}

static SIDES: Table<Side> = Table::of_private(
    "organizations/transfer-side",
    Scope::Plane,
    |row| format!("{}/{}", row.side, row.transfer),
    |row| internal(format!("transfer {} is listed twice", row.transfer)),
    |key| internal(format!("transfer {key} is not there")),
);

impl Transfer {
    fn is_over(&self) -> bool {
        !matches!(
            self.status.as_str(),
            responsibility_transfer_status::REQUESTED | responsibility_transfer_status::ACCEPTED
        )
    }

    /// As the organization sees it, from its side.
    fn shown(&self, cx: &Context, organization: &Organization) -> Result<ResponsibilityTransfer> {
        let inbound = self.target == organization.management_account;
        let side = if inbound { "inbound" } else { "outbound" };
        let participant = |id: &str| -> Result<TransferParticipant> {
            Ok(TransferParticipant {
                management_account_id: Some(id.to_owned()),
                management_account_email: cx.get(&ACCOUNTS, id)?.map(|account| account.email),
            })
        };
        let waiting = self.status == responsibility_transfer_status::REQUESTED;
        Ok(ResponsibilityTransfer {
            arn: Some(organization.arn_of("transfer", &format!("billing/{side}/{}", self.id))),
            name: Some(self.name.clone()),
            id: Some(self.id.clone()),
            r#type: Some(responsibility_transfer_type::BILLING.to_owned()),
            status: Some(self.status.clone()),
            source: Some(participant(&self.source)?),
            target: Some(participant(&self.target)?),
            start_timestamp: Some(Timestamp::from_millis(self.start_millis)),
            end_timestamp: self.end_millis.map(Timestamp::from_millis),
            active_handshake_id: waiting.then(|| self.handshake.clone()),
        })
    }
}

/// The transfer, if the organization is a side of it.
fn load(cx: &Context, organization: &Organization, id: &str) -> Result<Transfer> {
    let transfer = cx.find(&TRANSFERS, id)?;
    let own = &organization.management_account;
    match transfer.source == *own || transfer.target == *own {
        true => Ok(transfer),
        false => Err((TRANSFERS.missing)(id)),
    }
}

fn of_side(cx: &Context, side: &str, account: &str) -> Result<Vec<Transfer>> {
    let rows = cx.all(&SIDES, &format!("{side}/{account}/"))?;
    rows.into_iter().map(|row| cx.find(&TRANSFERS, &row.transfer)).collect()
}

/// Whether the organization is a side of a transfer that is not over.
pub fn is_any(cx: &Context, organization: &Organization) -> Result<bool> {
    let own = &organization.management_account;
    let mut transfers = of_side(cx, "inbound", own)?;
    transfers.extend(of_side(cx, "outbound", own)?);
    Ok(transfers.iter().any(|transfer| !transfer.is_over()))
}

/// The civil time in UTC.
fn civil(at: Timestamp) -> Result<DateTime> {
    let at = jiff::Timestamp::from_millisecond(at.millis()).map_err(internal)?;
    Ok(at.to_zoned(TimeZone::UTC).datetime())
}

/// A transfer begins with a month that is not begun yet.
fn check_start(cx: &Context, start: Timestamp) -> Result<()> {
    let at = civil(start)?;
    if at.time() != jiff::civil::Time::midnight() {
        let text = "The start date must be the beginning of the day (00:00:00.000).";
        return Err(invalid("START_DATE_NOT_BEGINNING_OF_DAY", text));
    }
    if at.day() != 1 {
        let text = "The start date must be the first day of the month.";
        return Err(invalid("START_DATE_NOT_BEGINNING_OF_MONTH", text));
    }
    if start <= cx.now() {
        return Err(invalid("START_DATE_TOO_EARLY", "The start date is too early."));
    }
    if start > cx.now().plus_seconds(AHEAD_SECONDS) {
        return Err(invalid("START_DATE_TOO_LATE", "The start date is too late."));
    }
    Ok(())
}

/// Offers another organization to take its bill over.
pub fn invite_organization_to_transfer_responsibility(
    cx: &mut Context,
    organization: &Organization,
    input: InviteOrganizationToTransferResponsibilityRequest,
) -> Result<InviteOrganizationToTransferResponsibilityResponse> {
    let InviteOrganizationToTransferResponsibilityRequest {
        r#type: _,
        target,
        notes,
        start_timestamp,
        source_name,
        tags,
    } = input;
    let to = invitation::recipient(cx, &target.r#type, &target.id)?;
    let source = match &to {
        Recipient::Account(id) => Some(id.clone()),
        Recipient::Email(email) => accounts::of_email(cx, email)?,
        Recipient::Management => None,
    };
    let Some(source) = source else {
        let text = "You specified an invalid email address for the invited account owner.";
        return Err(invalid("INVALID_EMAIL_ADDRESS_TARGET", text));
    };
    if source == organization.management_account {
        let text = "An account can't accept a transfer invitation if it is both the sender and \
                    recipient of the invitation.";
        return Err(handshake_constraint("SOURCE_AND_TARGET_CANNOT_MATCH", text));
    }
    check_start(cx, start_timestamp)?;
    for known in of_side(cx, "outbound", &source)? {
        if known.status == responsibility_transfer_status::ACCEPTED {
            let text = "You cannot perform this operation with the current transfer.";
            return Err(handshake_constraint("RESPONSIBILITY_TRANSFER_ALREADY_EXISTS", text));
        }
        if known.target == organization.management_account && !known.is_over() {
            let text = "A handshake with the same action and target already exists.";
            return Err(DUPLICATE_HANDSHAKE_EXCEPTION.because(text));
        }
    }
    let action = action_type::TRANSFER_RESPONSIBILITY;
    let mut offer = Handshake { notes, ..Handshake::new(cx, organization, action, to, DAYS) };
    let transfer = Transfer {
        id: random::lower_id(&*cx.plane.random, "rt-", 12),
        name: source_name,
        status: responsibility_transfer_status::REQUESTED.to_owned(),
        target: organization.management_account.clone(),
        source: source.clone(),
        handshake: offer.id.clone(),
        start_millis: start_timestamp.millis(),
        end_millis: None,
        tags: tag::given(tags)?,
    };
    offer.transfer = Some(transfer.id.clone());
    cx.insert(&TRANSFERS, &transfer)?;
    for side in [format!("inbound/{}", transfer.target), format!("outbound/{source}")] {
        cx.put(&SIDES, &Side { side, transfer: transfer.id.clone() })?;
    }
    handshake::send(cx, &offer)?;
    cx.notes.shared_with.push(source);
    let handshake = Some(shown(cx, &offer)?);
    Ok(InviteOrganizationToTransferResponsibilityResponse { handshake })
}

/// What a handshake about a transfer says of it.
pub fn resources(cx: &Context, handshake: &Handshake) -> Result<Vec<HandshakeResource>> {
    let Some(id) = &handshake.transfer else { return Ok(Vec::new()) };
    let transfer = cx.find(&TRANSFERS, id)?;
    let start = civil(Timestamp::from_millis(transfer.start_millis))?;
    Ok(vec![
        described(handshake_resource_type::RESPONSIBILITY_TRANSFER, id),
        described(handshake_resource_type::TRANSFER_START_TIMESTAMP, format!("{start}Z")),
        described(handshake_resource_type::TRANSFER_TYPE, responsibility_transfer_type::BILLING),
    ])
}

/// The invited management account agrees.
pub fn accept(cx: &mut Context, handshake: &Handshake, account: &str) -> Result<()> {
    let own = access::organization_of(cx, account)?;
    if own.is_none_or(|organization| organization.management_account != account) {
        return Err(denied());
    }
    for known in of_side(cx, "outbound", account)? {
        if known.status == responsibility_transfer_status::ACCEPTED {
            let text = "You cannot perform this operation with the current transfer.";
            return Err(handshake_constraint("RESPONSIBILITY_TRANSFER_ALREADY_EXISTS", text));
        }
    }
    answered(cx, handshake, handshake_state::ACCEPTED)
}

/// The transfer follows the handshake that is about it; others concern none.
pub fn answered(cx: &mut Context, handshake: &Handshake, state: &str) -> Result<()> {
    let Some(id) = &handshake.transfer else { return Ok(()) };
    let mut transfer = cx.find(&TRANSFERS, id)?;
    // The states that a handshake ends in are called the same for transfers.
    transfer.status = state.to_owned();
    cx.put(&TRANSFERS, &transfer)
}

pub fn describe_responsibility_transfer(
    cx: &mut Context,
    organization: &Organization,
    input: DescribeResponsibilityTransferRequest,
) -> Result<DescribeResponsibilityTransferResponse> {
    let transfer = load(cx, organization, &input.id)?.shown(cx, organization)?;
    Ok(DescribeResponsibilityTransferResponse { responsibility_transfer: Some(transfer) })
}

/// Gives a transfer another name.
pub fn update_responsibility_transfer(
    cx: &mut Context,
    organization: &Organization,
    input: UpdateResponsibilityTransferRequest,
) -> Result<UpdateResponsibilityTransferResponse> {
    let UpdateResponsibilityTransferRequest { id, name } = input;
    let mut transfer = load(cx, organization, &id)?;
    transfer.name = name;
    cx.put(&TRANSFERS, &transfer)?;
    let shown = transfer.shown(cx, organization)?;
    Ok(UpdateResponsibilityTransferResponse { responsibility_transfer: Some(shown) })
}

/// Ends a transfer with the end of a month: of this one unless the request names another.
pub fn terminate_responsibility_transfer(
    cx: &mut Context,
    organization: &Organization,
    input: TerminateResponsibilityTransferRequest,
) -> Result<TerminateResponsibilityTransferResponse> {
    let TerminateResponsibilityTransferRequest { id, end_timestamp } = input;
    let mut transfer = load(cx, organization, &id)?;
    match transfer.status.as_str() {
        responsibility_transfer_status::ACCEPTED => {}
        responsibility_transfer_status::WITHDRAWN => {
            let text = "The responsibility transfer is already in the status that you specified.";
            return Err(RESPONSIBILITY_TRANSFER_ALREADY_IN_STATUS_EXCEPTION.because(text));
        }
        _ => {
            let text = "The responsibility transfer can't transition to the requested state \
                        because it's not in a valid state for this operation.";
            return Err(INVALID_RESPONSIBILITY_TRANSFER_TRANSITION_EXCEPTION.because(text));
        }
    }
    let end = match end_timestamp {
        Some(end) => end,
        None => end_of_month(cx.now())?,
    };
    if end != end_of_month(end)? && end != end_of_month(end)?.whole_seconds() {
        let text = "The end date must be the end of the last day of the month (23.59.59.999).";
        return Err(invalid("END_DATE_NOT_END_OF_MONTH", text));
    }
    if end < cx.now() {
        let text = "You provided an invalid end date. It is too early for the transfer to end.";
        return Err(invalid("END_DATE_TOO_EARLY", text));
    }
    transfer.end_millis = Some(end.millis());
    transfer.status = responsibility_transfer_status::WITHDRAWN.to_owned();
    cx.put(&TRANSFERS, &transfer)?;
    let shown = transfer.shown(cx, organization)?;
    Ok(TerminateResponsibilityTransferResponse { responsibility_transfer: Some(shown) })
}

/// The last millisecond of the month.
fn end_of_month(at: Timestamp) -> Result<Timestamp> {
    let last = civil(at)?.date().last_of_month();
    let end = last.at(23, 59, 59, 999_000_000).to_zoned(TimeZone::UTC).map_err(internal)?;
    Ok(Timestamp::from_millis(end.timestamp().as_millisecond()))
}

/// Lists the transfers by which this organization takes over the bill of others.
pub fn list_inbound_responsibility_transfers(
    cx: &mut Context,
    organization: &Organization,
    input: ListInboundResponsibilityTransfersRequest,
) -> Result<ListInboundResponsibilityTransfersResponse> {
    let ListInboundResponsibilityTransfersRequest { r#type: _, id, next_token, max_results } =
        input;
    let mut transfers = of_side(cx, "inbound", &organization.management_account)?;
    if let Some(id) = id {
        transfers = vec![load(cx, organization, &id)?];
    }
    let page = list::of_items(transfers, (next_token, max_results))?;
    let shown = page.items.iter().map(|transfer| transfer.shown(cx, organization));
    Ok(ListInboundResponsibilityTransfersResponse {
        responsibility_transfers: Some(shown.collect::<Result<_>>()?),
        next_token: page.next,
    })
}

/// Lists the transfers by which others take over this organization's bill.
pub fn list_outbound_responsibility_transfers(
    cx: &mut Context,
    organization: &Organization,
    input: ListOutboundResponsibilityTransfersRequest,
) -> Result<ListOutboundResponsibilityTransfersResponse> {
    let ListOutboundResponsibilityTransfersRequest { r#type: _, next_token, max_results } = input;
    let transfers = of_side(cx, "outbound", &organization.management_account)?;
    let page = list::of_items(transfers, (next_token, max_results))?;
    let shown = page.items.iter().map(|transfer| transfer.shown(cx, organization));
    Ok(ListOutboundResponsibilityTransfersResponse {
        responsibility_transfers: Some(shown.collect::<Result<_>>()?),
        next_token: page.next,
    })
}

/// The tags of a transfer that the organization is a side of.
pub fn tags(cx: &Context, organization: &Organization, id: &str) -> Result<Option<tag::TagMap>> {
    let own = &organization.management_account;
    let found = cx.get(&TRANSFERS, id)?;
    let found = found.filter(|transfer| transfer.source == *own || transfer.target == *own);
    Ok(found.map(|transfer| transfer.tags))
}

pub fn set_tags(
    cx: &mut Context,
    organization: &Organization,
    id: &str,
    tags: tag::TagMap,
) -> Result<()> {
    let transfer = load(cx, organization, id)?;
    cx.put(&TRANSFERS, &Transfer { tags, ..transfer })
}
