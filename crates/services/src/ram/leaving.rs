//! Taking something out of a share: the owner whatever is in it, another account itself alone.
//!
//! Source: RAM API reference, DisassociateResourceShare; RAM User Guide, "Leaving a resource
//! share".

use super::association::{self, ASSOCIATIONS, Association, Wanted, key};
use super::principal::{self, Principal};
use super::share::{self, SHARES, Share};
use super::{arn, received, resource_policy, resource_type, settle};
use crate::context::Context;
use palisade_model::ram::{
    DisassociateResourceShareRequest, DisassociateResourceShareResponse,
    INVALID_PARAMETER_EXCEPTION, OPERATION_NOT_PERMITTED_EXCEPTION, UNKNOWN_RESOURCE_EXCEPTION,
    resource_share_association_type as kind,
};
use palisade_shape::Result;

pub fn disassociate_resource_share(
    cx: &mut Context,
    input: DisassociateResourceShareRequest,
) -> Result<DisassociateResourceShareResponse> {
    let DisassociateResourceShareRequest {
        resource_share_arn,
        resource_arns,
        principals,
        client_token,
        sources,
    } = input;
    let wanted = Wanted::of(principals, resource_arns, sources);
    if wanted.is_empty() {
        return Err(association::nothing_named());
    }
    let own = cx.account().to_owned();
    let named = arn::parse(&resource_share_arn, arn::SHARE)?;
    let ended = if named.account == own {
        let share = share::changeable(cx, &resource_share_arn)?;
        take_out(cx, &share, &wanted)?
    } else {
        leave(cx, &resource_share_arn, &own, &wanted)?
    };
    Ok(DisassociateResourceShareResponse { resource_share_associations: Some(ended), client_token })
}

type Shown = palisade_model::ram::ResourceShareAssociation;

/// Ends associations of a share of the account that is seen.
fn take_out(cx: &mut Context, share: &Share, wanted: &Wanted) -> Result<Vec<Shown>> {
    let mut ended = Vec::new();
    for (entities, kind) in [
        (&wanted.principals, kind::PRINCIPAL),
        (&wanted.resources, kind::RESOURCE),
        (&wanted.sources, kind::SOURCE),
    ] {
        for entity in entities {
            let found = cx.get(&ASSOCIATIONS, &key(&share.id, kind, entity))?;
            let Some(one) = found.filter(Association::is_there) else {
                let arn = share.arn(cx);
                let text = format!("{entity} is not associated with ResourceShare {arn}.");
                return Err(UNKNOWN_RESOURCE_EXCEPTION.because(text));
            };
            ended.push(association::end(cx, share, one)?);
        }
    }
    check_sources(cx, share, wanted)?;
    for entity in &wanted.resources {
        resource_policy::refresh(cx, entity)?;
    }
    if !(wanted.principals.is_empty() && wanted.sources.is_empty()) {
        settle::refresh(cx, share)?;
    }
    share::store(cx, share)?;
    settle::soon(cx, share)?;
    Ok(ended.iter().map(|one| one.shown(cx, share)).collect())
}

/// A share with service principals keeps one source of those that it has.
fn check_sources(cx: &Context, share: &Share, wanted: &Wanted) -> Result<()> {
    if wanted.sources.is_empty() {
        return Ok(());
    }
    let there = |kind: &str| -> Result<Vec<Association>> {
        let all = association::of(cx, &share.id, kind)?;
        Ok(all.into_iter().filter(Association::is_there).collect())
    };
    let serves = there(kind::PRINCIPAL)?
        .iter()
        .any(|one| principal::parse(&one.entity).is_ok_and(|known| known == Principal::Service));
    if serves && there(kind::SOURCE)?.is_empty() {
        let text = "At least one source must remain when service principals are present.";
        return Err(INVALID_PARAMETER_EXCEPTION.because(text));
    }
    Ok(())
}

/// Lets an account out of a share of another one that it was invited to.
fn leave(cx: &mut Context, arn: &str, account: &str, wanted: &Wanted) -> Result<Vec<Shown>> {
    let named = arn::parse(arn, arn::SHARE)?;
    if named.region != cx.region() {
        return Err(share::unknown(arn));
    }
    let alone = wanted.resources.is_empty() && wanted.sources.is_empty();
    cx.in_account(named.account, |cx| {
        let share = cx.get(&SHARES, named.id)?.filter(Share::is_active);
        let Some(share) = share else { return Err(share::unknown(arn)) };
        let own = received::of_account(cx, &share, account)?;
        let asked = |entity: &String| own.iter().any(|one| one.entity == *entity && one.invited);
        if !alone || own.is_empty() || !wanted.principals.iter().all(asked) {
            let text = "You can leave a resource share only if it was shared with you as an \
                        individual account and you accepted an invitation.";
            return Err(OPERATION_NOT_PERMITTED_EXCEPTION.because(text));
        }
        for one in association::of(cx, &share.id, kind::RESOURCE)? {
            let of = one.resource_type.as_deref().and_then(resource_type::find);
            if one.is_there() && !of.is_some_and(|of| of.can_be_left) {
                let text = "You can't leave a resource share with resources of a type that does \
                            not support it. Ask its owner to remove you.";
                return Err(OPERATION_NOT_PERMITTED_EXCEPTION.because(text));
            }
        }
        cx.notes.shared_with.push(named.account.to_owned());
        take_out(cx, &share, wanted)
    })
}
