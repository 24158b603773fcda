//! Lists across shares: resources and principals, of the account's own shares and of those of
//! others that it is in.
//!
//! Source: RAM API reference, ListResources, ListPrincipals, ListPendingInvitationResources.

use super::association::{self, Association};
use super::received::{self, Seen};
use super::resource_type::{self, ResourceType};
use super::share::{SHARES, Share};
use super::{invitation, list, principal};
use crate::context::Context;
use palisade_model::ram::{
    INVALID_PARAMETER_EXCEPTION, INVALID_RESOURCE_TYPE_EXCEPTION,
    ListPendingInvitationResourcesRequest, ListPendingInvitationResourcesResponse,
    ListPrincipalsRequest, ListPrincipalsResponse, ListResourcesRequest, ListResourcesResponse,
    Principal, Resource, resource_owner, resource_share_association_type as kind,
    resource_share_invitation_status, resource_status,
};
use palisade_policy::arn::Arn;
use palisade_shape::{ErrorCode, Result, Timestamp};

/// The type of that name, which the list is narrowed to.
fn type_of(
    name: Option<&str>,
    refusal: &'static ErrorCode,
) -> Result<Option<&'static ResourceType>> {
    let Some(name) = name else { return Ok(None) };
    let missing = || refusal.because(format!("Invalid resource type: {name}"));
    resource_type::find(name).map(Some).ok_or_else(missing)
}

fn there(cx: &Context, share: &Share, kind: &str) -> Result<Vec<Association>> {
    let all = association::of(cx, &share.id, kind)?;
    Ok(all.into_iter().filter(Association::is_there).collect())
}

/// A resource of a share, in whose owner's account the context stands.
fn shown(cx: &Context, share: &Share, one: &Association) -> Result<Resource> {
    let of = one.resource_type.as_deref().and_then(resource_type::find);
    let is_there = match of.and_then(|of| of.exists) {
        Some(exists) => exists(cx, &one.entity)?,
        None => false,
    };
    let status = match is_there {
        true if one.is_in_force() => resource_status::AVAILABLE,
        true => resource_status::PENDING,
        false => resource_status::UNAVAILABLE,
    };
    Ok(Resource {
        arn: Some(one.entity.clone()),
        r#type: one.resource_type.clone(),
        resource_share_arn: Some(share.arn(cx)),
        resource_group_arn: None,
        status: Some(status.to_owned()),
        status_message: None,
        creation_time: Some(Timestamp::from_millis(one.created_millis)),
        last_updated_time: Some(Timestamp::from_millis(one.updated_millis)),
        resource_region_scope: of.map(|of| of.scope().to_owned()),
    })
}

fn is_in_scope(one: &Association, scope: Option<&str>) -> bool {
    let of = one.resource_type.as_deref().and_then(resource_type::find);
    of.is_some_and(|of| resource_type::is_in_scope(of, scope))
}

pub fn list_resources(
    cx: &mut Context,
    input: ListResourcesRequest,
) -> Result<ListResourcesResponse> {
    let ListResourcesRequest {
        resource_owner,
        principal,
        resource_type,
        resource_arns,
        resource_share_arns,
        next_token,
        max_results,
        resource_region_scope,
    } = input;
    let of = type_of(resource_type.as_deref(), &INVALID_RESOURCE_TYPE_EXCEPTION)?;
    check_arns(resource_arns.as_deref())?;
    let own = resource_owner == resource_owner::SELF;
    let mut items = Vec::new();
    for Seen { owner, share } in received::seen(cx, own, resource_share_arns.as_deref())? {
        cx.in_account(&owner, |cx| -> Result<()> {
            let principals = there(cx, &share, kind::PRINCIPAL)?;
            // Of others, a principal is who shares.
            let is_it = |name: &String| match own {
                true => principals.iter().any(|one| one.entity == *name),
                false => *name == owner,
            };
            if !principal.as_ref().is_none_or(is_it) {
                return Ok(());
            }
            for one in there(cx, &share, kind::RESOURCE)? {
                let wanted = resource_arns.as_ref().is_none_or(|arns| arns.contains(&one.entity))
                    && of.is_none_or(|of| one.resource_type.as_deref() == Some(of.name))
                    && is_in_scope(&one, resource_region_scope.as_deref());
                if wanted {
                    let key = format!("{}|{}", one.entity, one.share);
                    items.push((key, shown(cx, &share, &one)?));
                }
            }
            Ok(())
        })?;
    }
    let page = list::page(items, (next_token, max_results))?;
    Ok(ListResourcesResponse { resources: Some(page.items), next_token: page.next })
}

fn check_arns(arns: Option<&[String]>) -> Result<()> {
    match arns.unwrap_or_default().iter().find(|arn| Arn::parse(arn).is_none()) {
        Some(arn) => Err(super::arn::malformed(arn)),
        None => Ok(()),
    }
}

pub fn list_principals(
    cx: &mut Context,
    input: ListPrincipalsRequest,
) -> Result<ListPrincipalsResponse> {
    let ListPrincipalsRequest {
        resource_owner,
        resource_arn,
        principals,
        resource_type,
        resource_share_arns,
        next_token,
        max_results,
    } = input;
    let of = type_of(resource_type.as_deref(), &INVALID_PARAMETER_EXCEPTION)?;
    check_arns(resource_arn.as_ref().map(std::slice::from_ref))?;
    for one in principals.iter().flatten() {
        principal::parse(one)?;
    }
    let own = resource_owner == resource_owner::SELF;
    let mut items = Vec::new();
    for Seen { owner, share } in received::seen(cx, own, resource_share_arns.as_deref())? {
        cx.in_account(&owner, |cx| -> Result<()> {
            let resources = there(cx, &share, kind::RESOURCE)?;
            let has = |arn: &String| resources.iter().any(|one| one.entity == *arn);
            let has_type = |of: &ResourceType| {
                resources.iter().any(|one| one.resource_type.as_deref() == Some(of.name))
            };
            if !resource_arn.as_ref().is_none_or(has) || !of.is_none_or(has_type) {
                return Ok(());
            }
            for (id, one) in listed(cx, &share, own)? {
                if principals.as_ref().is_none_or(|wanted| wanted.contains(&id)) {
                    let shown = Principal {
                        id: Some(id.clone()),
                        resource_share_arn: Some(share.arn(cx)),
                        creation_time: Some(Timestamp::from_millis(one.created_millis)),
                        last_updated_time: Some(Timestamp::from_millis(one.updated_millis)),
                        external: Some(one.external),
                    };
                    items.push((format!("{id}|{}", share.id), shown));
                }
            }
            Ok(())
        })?;
    }
    let page = list::page(items, (next_token, max_results))?;
    Ok(ListPrincipalsResponse { principals: Some(page.items), next_token: page.next })
}

/// Whom a share is for, to its owner; who shares, to the others.
fn listed(cx: &Context, share: &Share, own: bool) -> Result<Vec<(String, Association)>> {
    let principals = there(cx, share, kind::PRINCIPAL)?;
    if own {
        return Ok(principals.into_iter().map(|one| (one.entity.clone(), one)).collect());
    }
    let owner = cx.account().to_owned();
    Ok(principals.into_iter().next().map(|one| (owner, one)).into_iter().collect())
}

/// Lists what the account would get by accepting.
pub fn list_pending_invitation_resources(
    cx: &mut Context,
    input: ListPendingInvitationResourcesRequest,
) -> Result<ListPendingInvitationResourcesResponse> {
    let ListPendingInvitationResourcesRequest {
        resource_share_invitation_arn,
        next_token,
        max_results,
        resource_region_scope,
    } = input;
    let one = invitation::find(cx, &resource_share_invitation_arn)?;
    if one.status == resource_share_invitation_status::ACCEPTED {
        let text = "The specified resource share invitation is not pending.";
        return Err(INVALID_PARAMETER_EXCEPTION.because(text));
    }
    invitation::check_open(cx, &one)?;
    let mut items = Vec::new();
    cx.in_account(&one.sender, |cx| -> Result<()> {
        let Some(share) = cx.get(&SHARES, &one.share)? else { return Ok(()) };
        for one in there(cx, &share, kind::RESOURCE)? {
            if is_in_scope(&one, resource_region_scope.as_deref()) {
                items.push((one.entity.clone(), shown(cx, &share, &one)?));
            }
        }
        Ok(())
    })?;
    let page = list::page(items, (next_token, max_results))?;
    Ok(ListPendingInvitationResourcesResponse {
        resources: Some(page.items),
        next_token: page.next,
    })
}
