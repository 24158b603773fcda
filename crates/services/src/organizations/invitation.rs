//! Inviting accounts that exist already.

use super::access;
use super::handshake::{self, Handshake, Recipient, shown};
use super::membership;
use super::organization::{self, Organization};
use super::refusal::{constraint, handshake_constraint, invalid};
use super::{all_features, quota, tag};
use crate::accounts::{self, ACCOUNTS};
use crate::context::Context;
use palisade_model::organizations::{
    DUPLICATE_HANDSHAKE_EXCEPTION, InviteAccountToOrganizationRequest,
    InviteAccountToOrganizationResponse, account_joined_method, action_type, handshake_party_type,
};
use palisade_shape::Result;

/// An invitation can be accepted for so long.
const DAYS: i64 = 15;

/// Whom the request names.
pub fn recipient(cx: &Context, kind: &str, id: &str) -> Result<Recipient> {
    match kind {
        handshake_party_type::ACCOUNT => {
            if id.len() != 12 || !id.bytes().all(|byte| byte.is_ascii_digit()) {
                let text = "You provided a value that does not match the required pattern.";
                return Err(invalid("INVALID_PATTERN_TARGET_ID", text));
            }
            if !cx.exists(&ACCOUNTS, id)? {
                return Err(super::refusal::no_account());
            }
            Ok(Recipient::Account(id.to_owned()))
        }
        handshake_party_type::EMAIL if super::create_account::is_email(id) => {
            Ok(Recipient::Email(id.to_owned()))
        }
        handshake_party_type::EMAIL => {
            let text = "You specified an invalid email address for the invited account owner.";
            Err(invalid("INVALID_EMAIL_ADDRESS_TARGET", text))
        }
        _ => {
            let text = "You specified the wrong type of entity as a party.";
            Err(invalid("INVALID_PARTY_TYPE_TARGET", text))
        }
    }
}

/// Asks an account to join.
pub fn invite_account_to_organization(
    cx: &mut Context,
    organization: &Organization,
    input: InviteAccountToOrganizationRequest,
) -> Result<InviteAccountToOrganizationResponse> {
    let InviteAccountToOrganizationRequest { target, notes, tags } = input;
    let recipient = recipient(cx, &target.r#type, &target.id)?;
    if all_features::is_pending(cx, organization)? {
        let text = "You can't issue new invitations to join an organization while it's in the \
                    process of enabling all features.";
        return Err(handshake_constraint("INVITE_DISABLED_DURING_ENABLE_ALL_FEATURES", text));
    }
    let account = match &recipient {
        Recipient::Account(id) => Some(id.clone()),
        Recipient::Email(email) => accounts::of_email(cx, email)?,
        Recipient::Management => None,
    };
    if let Some(account) = &account {
        if membership::of(cx, account)?.is_some() {
            let text = "The handshake request is invalid because the invited account is already a \
                        member of an organization.";
            return Err(handshake_constraint("ALREADY_IN_AN_ORGANIZATION", text));
        }
        super::account::check_active(cx, account)?;
    }
    if handshake::open_for(cx, organization, action_type::INVITE, &recipient)? {
        let text = "A handshake with the same action and target already exists.";
        return Err(DUPLICATE_HANDSHAKE_EXCEPTION.because(text));
    }
    if quota::has_no_room(cx)? {
        let text = "You have exceeded the allowed number of AWS accounts in your organization.";
        return Err(constraint("ACCOUNT_NUMBER_LIMIT_EXCEEDED", text));
    }
    quota::count(cx, quota::INVITATIONS, 1)?;
    let invitation = Handshake {
        notes,
        tags: tag::given(tags)?,
        ..Handshake::new(cx, organization, action_type::INVITE, recipient, DAYS)
    };
    handshake::send(cx, &invitation)?;
    cx.notes.shared_with.extend(account);
    Ok(InviteAccountToOrganizationResponse { handshake: Some(shown(cx, &invitation)?) })
}

/// An invitation that was answered, or that nobody answered, holds no place any more.
pub fn ended(cx: &mut Context, invitation: &Handshake) -> Result<()> {
    let management = invitation.management_account.clone();
    cx.in_account(&management, |cx| quota::count(cx, quota::INVITATIONS, -1))
}

/// Puts the account that was invited into the organization.
pub fn accept(cx: &mut Context, invitation: &Handshake, account: &str) -> Result<()> {
    if membership::of(cx, account)?.is_some() {
        let text = "The account is already a member of an organization.";
        return Err(handshake_constraint("ALREADY_IN_AN_ORGANIZATION", text));
    }
    let management = invitation.management_account.clone();
    let found = access::organization_of(cx, &management)?;
    let Some(organization) = found.filter(|known| known.id == invitation.organization_id) else {
        return Err(handshake::wrong_state());
    };
    cx.in_account(&management, |cx| {
        let method = account_joined_method::INVITED;
        organization::join(cx, &organization, account, method, invitation.tags.clone())
    })
}
