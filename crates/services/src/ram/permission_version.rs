//! Versions of customer managed permissions. A new one is the default at once; shares keep what
//! they have.
//!
//! Source: RAM API reference, CreatePermissionVersion, DeletePermissionVersion,
//! SetDefaultPermissionVersion.

use super::permission::{self, Known, Permission, Version};
use super::{permission_template, resource_type, share_permission};
use crate::context::Context;
use crate::errors::internal;
use palisade_model::ram::{
    CreatePermissionVersionRequest, CreatePermissionVersionResponse,
    DeletePermissionVersionRequest, DeletePermissionVersionResponse, INVALID_PARAMETER_EXCEPTION,
    OPERATION_NOT_PERMITTED_EXCEPTION, PERMISSION_VERSIONS_LIMIT_EXCEEDED_EXCEPTION,
    SetDefaultPermissionVersionRequest, SetDefaultPermissionVersionResponse, permission_status,
};
use palisade_shape::Result;

/// Versions of a permission.
const MOST: usize = 5;

/// A version that is not deleted.
fn is_there(one: &Permission, number: i32) -> bool {
    one.versions.get(&number).is_some_and(|version| version.deleted_millis.is_none())
}

pub fn create_permission_version(
    cx: &mut Context,
    input: CreatePermissionVersionRequest,
) -> Result<CreatePermissionVersionResponse> {
    let CreatePermissionVersionRequest { permission_arn, policy_template, client_token } = input;
    let mut one = permission::own(cx, &permission_arn)?;
    let Some(of) = resource_type::find(&one.resource_type) else {
        return Err(internal(format!("{} is no resource type", one.resource_type)));
    };
    permission_template::check(of, &policy_template)?;
    if one.versions.values().filter(|version| version.deleted_millis.is_none()).count() >= MOST {
        let text = format!(
            "Permission {permission_arn} has the maximum of {MOST} versions. Delete one first."
        );
        return Err(PERMISSION_VERSIONS_LIMIT_EXCEEDED_EXCEPTION.because(text));
    }
    let number = one.versions.last_key_value().map_or(1, |(last, _)| last.saturating_add(1));
    one.versions.insert(number, Version::new(cx, policy_template));
    set_default(cx, &mut one, number)?;
    let permission = permission::detail(cx, &Known::Own(one), number);
    Ok(CreatePermissionVersionResponse { permission, client_token })
}

/// Makes a version the default. The one that was and the one that is are changed now.
fn set_default(cx: &mut Context, one: &mut Permission, number: i32) -> Result<()> {
    let now = cx.now().millis();
    for changed in [one.default_version, number] {
        if let Some(version) = one.versions.get_mut(&changed) {
            version.updated_millis = now;
        }
    }
    one.default_version = number;
    permission::store(cx, one)
}

pub fn set_default_permission_version(
    cx: &mut Context,
    input: SetDefaultPermissionVersionRequest,
) -> Result<SetDefaultPermissionVersionResponse> {
    let SetDefaultPermissionVersionRequest { permission_arn, permission_version, client_token } =
        input;
    let mut one = permission::own(cx, &permission_arn)?;
    if !is_there(&one, permission_version) {
        return Err(permission::no_version(&permission_arn, permission_version));
    }
    set_default(cx, &mut one, permission_version)?;
    Ok(SetDefaultPermissionVersionResponse { return_value: Some(true), client_token })
}

pub fn delete_permission_version(
    cx: &mut Context,
    input: DeletePermissionVersionRequest,
) -> Result<DeletePermissionVersionResponse> {
    let DeletePermissionVersionRequest { permission_arn, permission_version, client_token } = input;
    let mut one = permission::own(cx, &permission_arn)?;
    if !is_there(&one, permission_version) {
        return Err(permission::no_version(&permission_arn, permission_version));
    }
    if permission_version == one.default_version {
        let text = "You can't delete the default version of a permission.";
        return Err(INVALID_PARAMETER_EXCEPTION.because(text));
    }
    if !share_permission::users(cx, &permission_arn, Some(permission_version))?.is_empty() {
        let text = "You can't delete a version that is associated with a resource share.";
        return Err(OPERATION_NOT_PERMITTED_EXCEPTION.because(text));
    }
    let now = cx.now().millis();
    if let Some(version) = one.versions.get_mut(&permission_version) {
        version.deleted_millis = Some(now);
        version.updated_millis = now;
    }
    permission::store(cx, &one)?;
    permission::forget_later(cx, &one.name)?;
    Ok(DeletePermissionVersionResponse {
        return_value: Some(true),
        client_token,
        permission_status: Some(permission_status::DELETING.to_owned()),
    })
}
