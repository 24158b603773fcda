//! From consolidated billing to all features: every invited member must agree, then the management
//! account finishes it.
//!
//! Source: Organizations User Guide, "Enabling all features for an organization".

use super::access;
use super::handshake::{self, HANDSHAKES, Handshake, Recipient, shown};
use super::node::NODES;
use super::organization::{self, ORGANIZATIONS, Organization};
use super::refusal::{denied, handshake_constraint};
use crate::context::Context;
use crate::iam::service_linked_role;
use palisade_model::organizations::{
    EnableAllFeaturesRequest, EnableAllFeaturesResponse, account_joined_method, action_type,
    handshake_state, organization_feature_set,
};
use palisade_shape::Result;

/// The members have so long to agree.
const DAYS: i64 = 90;

/// The request that waits, if there is one.
fn pending(cx: &Context, management: &str) -> Result<Option<Handshake>> {
    let now = cx.now();
    let sent = handshake::sent_by(cx, management)?;
    Ok(sent.into_iter().find(|known| {
        known.action == action_type::ENABLE_ALL_FEATURES
            && known.recipient == Recipient::Management
            && known.is_open_at(now)
    }))
}

pub fn is_pending(cx: &Context, organization: &Organization) -> Result<bool> {
    Ok(pending(cx, &organization.management_account)?.is_some())
}

/// Begins: each member that was invited is asked.
pub fn enable_all_features(
    cx: &mut Context,
    organization: &Organization,
    _: EnableAllFeaturesRequest,
) -> Result<EnableAllFeaturesResponse> {
    if organization.has_all_features() {
        let text = "The handshake request is invalid because the organization has already enabled \
                    all features.";
        return Err(handshake_constraint("ORGANIZATION_ALREADY_HAS_ALL_FEATURES", text));
    }
    if is_pending(cx, organization)? {
        let text = "The handshake request is invalid because the organization has already started \
                    the process to enable all features.";
        let reason = "ORGANIZATION_IS_ALREADY_PENDING_ALL_FEATURES_MIGRATION";
        return Err(handshake_constraint(reason, text));
    }
    let action = action_type::ENABLE_ALL_FEATURES;
    let mut request = Handshake {
        state: handshake_state::REQUESTED.to_owned(),
        ..Handshake::new(cx, organization, action, Recipient::Management, DAYS)
    };
    let mut asked = false;
    for node in cx.all(&NODES, "account/")? {
        let invited = node.joined.is_some_and(|it| it.method == account_joined_method::INVITED);
        if !invited || node.id == organization.management_account {
            continue;
        }
        asked = true;
        let to = Recipient::Account(node.id.clone());
        let question = Handshake {
            parent: Some(request.id.clone()),
            ..Handshake::new(cx, organization, action, to, DAYS)
        };
        handshake::send(cx, &question)?;
        cx.notes.shared_with.push(node.id);
    }
    if !asked {
        request.state = handshake_state::OPEN.to_owned();
    }
    handshake::send(cx, &request)?;
    if !asked {
        ask_management(cx, organization, &request)?;
    }
    Ok(EnableAllFeaturesResponse { handshake: Some(shown(cx, &request)?) })
}

/// All have agreed: the management account may finish.
fn ask_management(cx: &mut Context, organization: &Organization, of: &Handshake) -> Result<()> {
    let action = action_type::APPROVE_ALL_FEATURES;
    let question = Handshake {
        parent: Some(of.id.clone()),
        ..Handshake::new(cx, organization, action, Recipient::Management, DAYS)
    };
    handshake::send(cx, &question)
}

/// A member agrees, which changes nothing yet; or the management account finishes.
pub fn accept(cx: &mut Context, handshake: &Handshake) -> Result<()> {
    let finishing = match (handshake.action.as_str(), &handshake.recipient) {
        (action_type::APPROVE_ALL_FEATURES, _) => true,
        (_, Recipient::Management) if handshake.state == handshake_state::OPEN => true,
        // Not all have agreed yet.
        (_, Recipient::Management) => return Err(handshake::wrong_state()),
        _ => false,
    };
    if !finishing {
        return Ok(());
    }
    let management = handshake.management_account.clone();
    let found = access::organization_of(cx, &management)?;
    let Some(mut organization) = found.filter(|it| it.id == handshake.organization_id) else {
        return Err(denied());
    };
    cx.in_account(&management, |cx| {
        organization.feature_set = organization_feature_set::ALL.to_owned();
        cx.put(&ORGANIZATIONS, &organization)?;
        for node in cx.all(&NODES, "account/")? {
            cx.in_account(&node.id, |cx| service_linked_role::ensure(cx, organization::PRINCIPAL))?;
        }
        Ok(())
    })?;
    let now = cx.now();
    for mut other in handshake::sent_by(cx, &management)? {
        let part = other.action == action_type::ENABLE_ALL_FEATURES
            || other.action == action_type::APPROVE_ALL_FEATURES;
        if part && other.id != handshake.id && other.is_open_at(now) {
            handshake::end(cx, &mut other, handshake_state::ACCEPTED)?;
        }
    }
    Ok(())
}

/// What follows from a member's answer: when all have agreed, the management account is asked; when
/// one declines, the whole request is over and can be made again.
pub fn after_answer(cx: &mut Context, handshake: &Handshake) -> Result<()> {
    let Some(parent) = &handshake.parent else { return Ok(()) };
    if handshake.action != action_type::ENABLE_ALL_FEATURES {
        return Ok(());
    }
    let Some(mut request) = cx.get(&HANDSHAKES, parent)? else { return Ok(()) };
    if !request.is_open_at(cx.now()) {
        return Ok(());
    }
    let sent = handshake::sent_by(cx, &request.management_account)?;
    let mut parts: Vec<Handshake> =
        sent.into_iter().filter(|it| it.parent.as_ref() == Some(&request.id)).collect();
    if handshake.state == handshake_state::DECLINED {
        let now = cx.now();
        for part in parts.iter_mut().filter(|part| part.is_open_at(now)) {
            handshake::end(cx, part, handshake_state::CANCELED)?;
        }
        return handshake::end(cx, &mut request, handshake_state::CANCELED);
    }
    if parts.iter().any(|part| part.state != handshake_state::ACCEPTED) {
        return Ok(());
    }
    request.state = handshake_state::OPEN.to_owned();
    cx.put(&HANDSHAKES, &request)?;
    let management = request.management_account.clone();
    let Some(organization) = access::organization_of(cx, &management)? else { return Ok(()) };
    ask_management(cx, &organization, &request)
}
