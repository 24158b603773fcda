//! A handshake as the API shows it: its parties, and the nested resources that say what it is
//! about.

use super::access;
use super::handshake::{Handshake, Recipient};
use super::responsibility_transfer;
use crate::accounts::ACCOUNTS;
use crate::context::Context;
use palisade_model::organizations::{
    HandshakeParty, HandshakeResource, action_type, handshake_party_type, handshake_resource_type,
};
use palisade_shape::{Result, Timestamp};

fn resource(kind: &str, value: impl Into<String>) -> HandshakeResource {
    HandshakeResource { value: Some(value.into()), r#type: Some(kind.to_owned()), resources: None }
}

fn party(kind: &str, id: &str) -> HandshakeParty {
    HandshakeParty { id: id.to_owned(), r#type: kind.to_owned() }
}

/// The organization, with what the recipient should know of it.
fn organization(cx: &mut Context, handshake: &Handshake) -> Result<HandshakeResource> {
    let management = &handshake.management_account;
    let mut about = Vec::new();
    if let Some(account) = cx.get(&ACCOUNTS, management)? {
        about.push(resource(handshake_resource_type::MASTER_EMAIL, account.email));
        about.push(resource(handshake_resource_type::MASTER_NAME, account.name));
    }
    if let Some(known) = access::organization_of(cx, management)? {
        let features = handshake_resource_type::ORGANIZATION_FEATURE_SET;
        about.push(resource(features, known.feature_set));
    }
    Ok(HandshakeResource {
        resources: Some(about),
        ..resource(handshake_resource_type::ORGANIZATION, &*handshake.organization_id)
    })
}

/// The handshake as it is now.
pub fn shown(
    cx: &mut Context,
    handshake: &Handshake,
) -> Result<palisade_model::organizations::Handshake> {
    let organization_id = handshake.organization_id.as_str();
    let mut parties = vec![party(handshake_party_type::ORGANIZATION, organization_id)];
    let mut resources = vec![organization(cx, handshake)?];
    match &handshake.recipient {
        Recipient::Account(id) => {
            parties.push(party(handshake_party_type::ACCOUNT, id));
            resources.push(resource(handshake_resource_type::ACCOUNT, id));
        }
        Recipient::Email(email) => {
            parties.push(party(handshake_party_type::EMAIL, email));
            resources.push(resource(handshake_resource_type::EMAIL, email));
        }
        Recipient::Management => {}
    }
    if let Some(notes) = &handshake.notes {
        resources.push(resource(handshake_resource_type::NOTES, notes));
    }
    if let Some(parent) = &handshake.parent {
        resources.push(resource(handshake_resource_type::PARENT_HANDSHAKE, parent));
    }
    if handshake.action == action_type::TRANSFER_RESPONSIBILITY {
        resources.extend(responsibility_transfer::resources(cx, handshake)?);
    }
    Ok(palisade_model::organizations::Handshake {
        id: Some(handshake.id.clone()),
        arn: Some(handshake.arn()),
        parties: Some(parties),
        state: Some(handshake.state_at(cx.now()).to_owned()),
        requested_timestamp: Some(Timestamp::from_millis(handshake.requested_millis)),
        expiration_timestamp: Some(Timestamp::from_millis(handshake.expires_millis)),
        action: Some(handshake.action.clone()),
        resources: Some(resources),
    })
}

/// A resource of a handshake, for those who describe more of one.
pub fn described(kind: &str, value: impl Into<String>) -> HandshakeResource {
    resource(kind, value)
}
