//! The permission that a share has for each type of its resources.
//!
//! Source: RAM API reference, AssociateResourceSharePermission and its like.

use super::permission::{self, Known};
use super::received;
use super::share::{self, SHARES, Share};
use super::{arn, list, resource_type, settle};
use crate::context::Context;
use crate::errors::internal;
use palisade_model::ram::{
    AssociateResourceSharePermissionRequest, AssociateResourceSharePermissionResponse,
    AssociatedPermission, DisassociateResourceSharePermissionRequest,
    DisassociateResourceSharePermissionResponse, INVALID_PARAMETER_EXCEPTION,
    ListPermissionAssociationsRequest, ListPermissionAssociationsResponse,
    ListResourceSharePermissionsRequest, ListResourceSharePermissionsResponse,
    OPERATION_NOT_PERMITTED_EXCEPTION, UNKNOWN_RESOURCE_EXCEPTION, permission_status,
    resource_share_association_status as status,
};
use palisade_shape::{Result, Timestamp};
use serde::{Deserialize, Serialize};

/// A permission in a share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Granted {
    pub arn: String,
    pub version: i32,
    pub updated_millis: i64,
}

/// What the permission allows. The context stands in the share's account and region.
pub fn template(cx: &Context, granted: &Granted) -> Result<String> {
    let known = permission::find(cx, &granted.arn)?;
    let missing = || internal(format!("{} has no version {}", granted.arn, granted.version));
    known.template(granted.version).map(str::to_owned).ok_or_else(missing)
}

/// Gives the share a permission in its default version, which the caller stores. A share has one
/// for each type.
pub fn grant(cx: &Context, share: &mut Share, arn: &str) -> Result<()> {
    let known = attachable(cx, arn)?;
    let granted = Granted {
        arn: arn.to_owned(),
        version: known.default_version(),
        updated_millis: cx.now().millis(),
    };
    let of = known.resource_type().to_owned();
    if share.permissions.insert(of.clone(), granted).is_some() {
        let text = format!("A resource share can have one permission for the type {of}.");
        return Err(INVALID_PARAMETER_EXCEPTION.because(text));
    }
    Ok(())
}

/// The permission, which must not be deleted or of a policy.
fn attachable(cx: &Context, arn: &str) -> Result<Known> {
    match permission::find(cx, arn)? {
        Known::Own(one) if one.deleted_millis.is_some() => Err(permission::unknown(arn)),
        known => Ok(known),
    }
}

/// The account's own shares that use a permission, in any version or in one.
pub fn users(cx: &Context, arn: &str, version: Option<i32>) -> Result<Vec<Share>> {
    let uses = |granted: &Granted| {
        granted.arn == arn && version.is_none_or(|version| version == granted.version)
    };
    let shares = cx.all(&SHARES, "")?.into_iter().filter(Share::is_active);
    Ok(shares.filter(|share| share.permissions.values().any(uses)).collect())
}

/// Adds a permission to a share, or puts it in the place of the one for its type.
pub fn associate_resource_share_permission(
    cx: &mut Context,
    input: AssociateResourceSharePermissionRequest,
) -> Result<AssociateResourceSharePermissionResponse> {
    let AssociateResourceSharePermissionRequest {
        resource_share_arn,
        permission_arn,
        replace,
        client_token,
        permission_version,
    } = input;
    let mut share = share::changeable(cx, &resource_share_arn)?;
    let known = attachable(cx, &permission_arn)?;
    let default = known.default_version();
    if permission_version.is_some_and(|version| version != default) {
        let text = "You can associate only the default version of a permission.";
        return Err(INVALID_PARAMETER_EXCEPTION.because(text));
    }
    let of = known.resource_type().to_owned();
    let replaced = share.permissions.remove(&of);
    if replaced.is_some() && replace != Some(true) {
        let text = format!(
            "The resource share has a permission for the type {of} already. Set replace to \
             replace it."
        );
        return Err(INVALID_PARAMETER_EXCEPTION.because(text));
    }
    grant(cx, &mut share, &permission_arn)?;
    share::store(cx, &share)?;
    settle::refresh(cx, &share)?;
    Ok(AssociateResourceSharePermissionResponse { return_value: Some(true), client_token })
}

/// Takes a permission out of a share that has no resource of its type.
pub fn disassociate_resource_share_permission(
    cx: &mut Context,
    input: DisassociateResourceSharePermissionRequest,
) -> Result<DisassociateResourceSharePermissionResponse> {
    let DisassociateResourceSharePermissionRequest {
        resource_share_arn,
        permission_arn,
        client_token,
    } = input;
    let mut share = share::changeable(cx, &resource_share_arn)?;
    arn::parse(&permission_arn, arn::PERMISSION)?;
    let mut types = share.permissions.iter();
    let found = types.find(|(_, granted)| granted.arn == permission_arn);
    let Some(of) = found.map(|(of, _)| of.clone()) else {
        let text = format!(
            "Permission {permission_arn} is not associated with ResourceShare \
             {resource_share_arn}."
        );
        return Err(UNKNOWN_RESOURCE_EXCEPTION.because(text));
    };
    if share::has_type(cx, &share, &of)? {
        let text = format!("The resource share has resources of the type {of}.");
        return Err(OPERATION_NOT_PERMITTED_EXCEPTION.because(text));
    }
    share.permissions.remove(&of);
    share::store(cx, &share)?;
    Ok(DisassociateResourceSharePermissionResponse { return_value: Some(true), client_token })
}

/// Lists the permissions of a share, the account's own or one that it is in.
pub fn list_resource_share_permissions(
    cx: &mut Context,
    input: ListResourceSharePermissionsRequest,
) -> Result<ListResourceSharePermissionsResponse> {
    let ListResourceSharePermissionsRequest { resource_share_arn, next_token, max_results } = input;
    let own = arn::parse(&resource_share_arn, arn::SHARE)?.account == cx.account();
    let seen = received::seen(cx, own, Some(std::slice::from_ref(&resource_share_arn)))?;
    let mut items = Vec::new();
    for received::Seen { owner, share } in seen {
        cx.in_account(&owner, |cx| -> Result<()> {
            for (of, granted) in &share.permissions {
                let known = permission::find(cx, &granted.arn)?;
                if let Some(shown) = permission::summary(cx, &known, granted.version) {
                    items.push((of.clone(), shown));
                }
            }
            Ok(())
        })?;
    }
    let page = list::page(items, (next_token, max_results))?;
    Ok(ListResourceSharePermissionsResponse {
        permissions: Some(page.items),
        next_token: page.next,
    })
}

/// Lists which of the account's own shares use which permissions.
pub fn list_permission_associations(
    cx: &mut Context,
    input: ListPermissionAssociationsRequest,
) -> Result<ListPermissionAssociationsResponse> {
    let ListPermissionAssociationsRequest {
        permission_arn,
        permission_version,
        association_status,
        resource_type,
        feature_set,
        default_version,
        next_token,
        max_results,
    } = input;
    if let Some(arn) = &permission_arn {
        arn::parse(arn, arn::PERMISSION)?;
    }
    if let Some(name) = resource_type.as_deref().filter(|it| resource_type::find(it).is_none()) {
        let text = format!("Invalid resource type: {name}");
        return Err(INVALID_PARAMETER_EXCEPTION.because(text));
    }
    let mut items = Vec::new();
    for share in cx.all(&SHARES, "")?.into_iter().filter(Share::is_active) {
        for (of, granted) in &share.permissions {
            let is_default =
                permission::find(cx, &granted.arn)?.default_version() == granted.version;
            let attachable = match is_default {
                true => permission_status::ATTACHABLE,
                false => permission_status::UNATTACHABLE,
            };
            let wanted = permission_arn.as_ref().is_none_or(|arn| *arn == granted.arn)
                && permission_version.is_none_or(|version| version == granted.version)
                // A permission is in a share or it is not; nothing is under way.
                && association_status.as_ref().is_none_or(|wanted| wanted == status::ASSOCIATED)
                && resource_type.as_ref().is_none_or(|name| name.eq_ignore_ascii_case(of))
                && feature_set.as_ref().is_none_or(|wanted| *wanted == share.feature_set)
                && (default_version != Some(true) || is_default);
            if wanted {
                let shown = AssociatedPermission {
                    arn: Some(granted.arn.clone()),
                    permission_version: Some(granted.version.to_string()),
                    default_version: Some(is_default),
                    resource_type: Some(of.clone()),
                    status: Some(attachable.to_owned()),
                    feature_set: Some(share.feature_set.clone()),
                    last_updated_time: Some(Timestamp::from_millis(granted.updated_millis)),
                    resource_share_arn: Some(share.arn(cx)),
                };
                items.push((format!("{}|{of}", share.id), shown));
            }
        }
    }
    let page = list::page(items, (next_token, max_results))?;
    Ok(ListPermissionAssociationsResponse { permissions: Some(page.items), next_token: page.next })
}
