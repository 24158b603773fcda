//! Invitations: an account outside of the owner's organization, or of one that does not share,
//! says whether it wants to be in a share. They lie in the account that is asked.
//!
//! Source: RAM API reference, ResourceShareInvitation and the operations on it; RAM User Guide,
//! "Accepting and rejecting resource share invitations", "Service quotas for AWS RAM".

use super::association::{self, ASSOCIATIONS, Association};
use super::principal::Principal;
use super::share::{self, SHARES, Share};
use super::{arn, list, settle};
use crate::context::Context;
use crate::errors::internal;
use crate::job::{JobKind, Next};
use crate::table::{Scope, Table};
use palisade_model::ram::{
    AcceptResourceShareInvitationRequest, AcceptResourceShareInvitationResponse,
    GetResourceShareInvitationsRequest, GetResourceShareInvitationsResponse,
    RESOURCE_SHARE_INVITATION_ALREADY_ACCEPTED_EXCEPTION,
    RESOURCE_SHARE_INVITATION_ALREADY_REJECTED_EXCEPTION,
    RESOURCE_SHARE_INVITATION_ARN_NOT_FOUND_EXCEPTION, RESOURCE_SHARE_INVITATION_EXPIRED_EXCEPTION,
    RESOURCE_SHARE_LIMIT_EXCEEDED_EXCEPTION, RejectResourceShareInvitationRequest,
    RejectResourceShareInvitationResponse, ResourceShareInvitation,
    resource_share_association_status, resource_share_association_type as kind,
    resource_share_invitation_status as status,
};
use palisade_shape::{Error, Result, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How long an invitation waits. AWS gives seven days to some types, none of which is in
/// [`super::resource_type`], and twelve hours to all others.
const WAIT_SECONDS: i64 = 12 * 3_600;
/// How long one that is over can be seen. AWS says nothing of it.
const SHOWN_SECONDS: i64 = 7 * 86_400;
/// Invitations of one account that wait.
const PENDING_MOST: usize = 20;

/// An invitation, in the account that is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    /// A UUID.
    pub id: String,
    pub sender: String,
    pub receiver: String,
    /// The principal as the share names it.
    pub entity: String,
    pub share: String,
    pub share_name: String,
    /// `PENDING`, `ACCEPTED`, `REJECTED`, `EXPIRED`
    pub status: String,
    pub sent_millis: i64,
    pub over_millis: Option<i64>,
}

pub static INVITATIONS: Table<Invitation> = Table::of_private(
    "ram/invitation",
    Scope::Region,
    |one| one.id.clone(),
    |one| internal(format!("invitation {} is there already", one.id)),
    |id| internal(format!("invitation {id} is not there")),
);

/// Ends an invitation that nobody answered, and forgets one that is over. The job's subject is the
/// invitation; it runs in the account that is asked.
pub static EXPIRE: JobKind =
    JobKind { name: "ram/expire-invitation", principal: "ram.amazonaws.com", run: expire };

impl Invitation {
    pub fn arn(&self, cx: &Context) -> String {
        let (region, sender, id) = (cx.region(), &self.sender, &self.id);
        format!("arn:aws:ram:{region}:{sender}:{}/{id}", arn::INVITATION)
    }

    fn share_arn(&self, cx: &Context) -> String {
        let (region, sender, share) = (cx.region(), &self.sender, &self.share);
        format!("arn:aws:ram:{region}:{sender}:{}/{share}", arn::SHARE)
    }

    fn ends(&self) -> Timestamp {
        Timestamp::from_millis(self.sent_millis).plus_seconds(WAIT_SECONDS)
    }

    /// Its status at that time: what is not answered expires.
    pub fn status_at(&self, now: Timestamp) -> &str {
        match self.status.as_str() {
            status::PENDING if self.ends() <= now => status::EXPIRED,
            known => known,
        }
    }

    fn shown(&self, cx: &Context) -> ResourceShareInvitation {
        ResourceShareInvitation {
            resource_share_invitation_arn: Some(self.arn(cx)),
            resource_share_name: Some(self.share_name.clone()),
            resource_share_arn: Some(self.share_arn(cx)),
            sender_account_id: Some(self.sender.clone()),
            receiver_account_id: Some(self.receiver.clone()),
            invitation_timestamp: Some(Timestamp::from_millis(self.sent_millis)),
            status: Some(self.status_at(cx.now()).to_owned()),
            resource_share_associations: None,
            receiver_arn: self.entity.starts_with("arn:").then(|| self.entity.clone()),
        }
    }
}

/// Asks a principal of a share of the account that is seen.
pub fn send(cx: &mut Context, share: &Share, entity: &str, of: &Principal) -> Result<()> {
    let Some(receiver) = of.account().map(str::to_owned) else { return Ok(()) };
    if waiting(cx)? >= PENDING_MOST {
        let text = format!("An account can have at most {PENDING_MOST} pending invitations.");
        return Err(RESOURCE_SHARE_LIMIT_EXCEEDED_EXCEPTION.because(text));
    }
    let invitation = Invitation {
        id: cx.uuid(),
        sender: cx.account().to_owned(),
        receiver: receiver.clone(),
        entity: entity.to_owned(),
        share: share.id.clone(),
        share_name: share.name.clone(),
        status: status::PENDING.to_owned(),
        sent_millis: cx.now().millis(),
        over_millis: None,
    };
    cx.in_account(&receiver, |cx| {
        cx.insert(&INVITATIONS, &invitation)?;
        cx.later(&EXPIRE, invitation.ends(), &invitation.id)
    })?;
    cx.notes.shared_with.push(receiver);
    Ok(())
}

/// How many invitations of the account, in this region, wait for an answer.
fn waiting(cx: &Context) -> Result<usize> {
    Ok(cx.all(&ASSOCIATIONS, "")?.iter().filter(|one| one.waits).count())
}

/// Takes back what nobody has answered.
pub fn withdraw(cx: &mut Context, share: &Share, entity: &str, of: &Principal) -> Result<()> {
    let Some(receiver) = of.account() else { return Ok(()) };
    cx.in_account(receiver, |cx| {
        for one in cx.all(&INVITATIONS, "")? {
            if one.share == share.id && one.entity == entity && one.status == status::PENDING {
                cx.delete(&INVITATIONS, &one.id)?;
            }
        }
        Ok(())
    })
}

fn not_found(arn: &str) -> Error {
    let text = format!("The specified resource share invitation {arn} could not be found.");
    RESOURCE_SHARE_INVITATION_ARN_NOT_FOUND_EXCEPTION.because(text)
}

/// The invitation of the account that is seen.
pub fn find(cx: &Context, text: &str) -> Result<Invitation> {
    let named = arn::parse(text, arn::INVITATION)?;
    let found = match named.region == cx.region() {
        true => cx.get(&INVITATIONS, named.id)?,
        false => None,
    };
    found.filter(|one| one.sender == named.account).ok_or_else(|| not_found(text))
}

/// Refuses one that is over.
pub fn check_open(cx: &Context, one: &Invitation) -> Result<()> {
    let arn = one.arn(cx);
    let (code, what) = match one.status_at(cx.now()) {
        status::PENDING => return Ok(()),
        status::ACCEPTED => (&RESOURCE_SHARE_INVITATION_ALREADY_ACCEPTED_EXCEPTION, "accepted"),
        status::REJECTED => (&RESOURCE_SHARE_INVITATION_ALREADY_REJECTED_EXCEPTION, "rejected"),
        _ => (&RESOURCE_SHARE_INVITATION_EXPIRED_EXCEPTION, "expired"),
    };
    let is = if what == "expired" { "has" } else { "was already" };
    Err(code.because(format!("The resource share invitation {arn} {is} {what}.")))
}

/// Sets what became of an invitation, and of the principal in the sender's share.
fn answer(cx: &mut Context, one: &mut Invitation, status: &str) -> Result<()> {
    one.status = status.to_owned();
    one.over_millis = Some(cx.now().millis());
    cx.put(&INVITATIONS, one)?;
    cx.later(&EXPIRE, cx.now().plus_seconds(SHOWN_SECONDS), &one.id)?;
    let key = association::key(&one.share, kind::PRINCIPAL, &one.entity);
    cx.notes.shared_with.push(one.sender.clone());
    cx.in_account(&one.sender, |cx| {
        let Some(share) = cx.get(&SHARES, &one.share)? else { return Ok(()) };
        let found = cx.get(&ASSOCIATIONS, &key)?.filter(|one| one.waits);
        let Some(mut principal) = found else { return Ok(()) };
        principal.waits = false;
        if status == status::ACCEPTED {
            principal.set(cx, resource_share_association_status::ASSOCIATED)?;
            settle::refresh(cx, &share)?;
        } else {
            end(cx, &share, principal)?;
        }
        Ok(())
    })
}

fn end(cx: &mut Context, share: &Share, principal: Association) -> Result<()> {
    association::end(cx, share, principal)?;
    settle::soon(cx, share)
}

fn expire(cx: &mut Context, subject: &str) -> Result<Next> {
    let Some(mut one) = cx.get(&INVITATIONS, subject)? else { return Ok(Next::Done) };
    if one.status == status::PENDING {
        if cx.now() < one.ends() {
            return Ok(Next::Again(one.ends()));
        }
        answer(cx, &mut one, status::EXPIRED)?;
        return Ok(Next::Done);
    }
    let over = Timestamp::from_millis(one.over_millis.unwrap_or_default());
    let forgotten = over.plus_seconds(SHOWN_SECONDS);
    if cx.now() < forgotten {
        return Ok(Next::Again(forgotten));
    }
    cx.delete(&INVITATIONS, subject)?;
    Ok(Next::Done)
}

pub fn accept_resource_share_invitation(
    cx: &mut Context,
    input: AcceptResourceShareInvitationRequest,
) -> Result<AcceptResourceShareInvitationResponse> {
    let AcceptResourceShareInvitationRequest { resource_share_invitation_arn, client_token } =
        input;
    let mut one = find(cx, &resource_share_invitation_arn)?;
    check_open(cx, &one)?;
    answer(cx, &mut one, status::ACCEPTED)?;
    let resource_share_invitation = Some(one.shown(cx));
    Ok(AcceptResourceShareInvitationResponse { resource_share_invitation, client_token })
}

pub fn reject_resource_share_invitation(
    cx: &mut Context,
    input: RejectResourceShareInvitationRequest,
) -> Result<RejectResourceShareInvitationResponse> {
    let RejectResourceShareInvitationRequest { resource_share_invitation_arn, client_token } =
        input;
    let mut one = find(cx, &resource_share_invitation_arn)?;
    check_open(cx, &one)?;
    answer(cx, &mut one, status::REJECTED)?;
    let resource_share_invitation = Some(one.shown(cx));
    Ok(RejectResourceShareInvitationResponse { resource_share_invitation, client_token })
}

/// Lists what the account was asked.
pub fn get_resource_share_invitations(
    cx: &mut Context,
    input: GetResourceShareInvitationsRequest,
) -> Result<GetResourceShareInvitationsResponse> {
    let GetResourceShareInvitationsRequest {
        resource_share_invitation_arns,
        resource_share_arns,
        next_token,
        max_results,
    } = input;
    let all = cx.all(&INVITATIONS, "")?;
    let mut wanted = BTreeSet::new();
    for arn in resource_share_invitation_arns.iter().flatten() {
        wanted.insert(find(cx, arn)?.id);
    }
    for arn in resource_share_arns.iter().flatten() {
        arn::parse(arn, arn::SHARE)?;
        if !all.iter().any(|one| one.share_arn(cx) == *arn) {
            return Err(share::unknown(arn));
        }
    }
    let of_share = |one: &Invitation| {
        let arns = resource_share_arns.as_deref().unwrap_or_default();
        arns.is_empty() || arns.contains(&one.share_arn(cx))
    };
    let kept = all.iter().filter(|one| wanted.is_empty() || wanted.contains(&one.id));
    let items = kept.filter(|one| of_share(one)).map(|one| (one.id.clone(), one.shown(cx)));
    let page = list::page(items.collect(), (next_token, max_results))?;
    Ok(GetResourceShareInvitationsResponse {
        resource_share_invitations: Some(page.items),
        next_token: page.next,
    })
}
