//! What RAM makes of a policy that somebody put on a shareable resource by hand: a share and a
//! permission of the feature set CREATED_FROM_POLICY, which these calls turn into ordinary ones. No
//! service of this plane keeps such a policy yet, so none is made; the calls answer for what there
//! is.
//!
//! Source: RAM API reference, PromotePermissionCreatedFromPolicy,
//! PromoteResourceShareCreatedFromPolicy.

use super::permission::{self, Known, PERMISSIONS, Permission, Version};
use super::resource_type;
use super::share;
use super::share_permission::Granted;
use super::{permission_template, settle};
use crate::context::Context;
use crate::errors::internal;
use palisade_model::ram::{
    INVALID_PARAMETER_EXCEPTION, OPERATION_NOT_PERMITTED_EXCEPTION,
    PromotePermissionCreatedFromPolicyRequest, PromotePermissionCreatedFromPolicyResponse,
    PromoteResourceShareCreatedFromPolicyRequest, PromoteResourceShareCreatedFromPolicyResponse,
    UNMATCHED_POLICY_PERMISSION_EXCEPTION, permission_feature_set, resource_share_feature_set,
};
use palisade_shape::{Error, Result};
use std::collections::BTreeMap;

fn is_ordinary(what: &str) -> Error {
    let text = format!("The {what} was not created from a resource-based policy.");
    OPERATION_NOT_PERMITTED_EXCEPTION.because(text)
}

/// Makes a permission of the account's own that allows the same.
pub fn promote_permission_created_from_policy(
    cx: &mut Context,
    input: PromotePermissionCreatedFromPolicyRequest,
) -> Result<PromotePermissionCreatedFromPolicyResponse> {
    let PromotePermissionCreatedFromPolicyRequest { permission_arn, name, client_token } = input;
    let known = permission::find(cx, &permission_arn)?;
    let Known::Own(made) = known else { return Err(is_ordinary("permission")) };
    if made.feature_set != permission_feature_set::CREATED_FROM_POLICY {
        return Err(is_ordinary("permission"));
    }
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if name.is_empty() || name.len() > 36 || !name.bytes().all(is_name) {
        let text = "The name of a permission has 1 to 36 letters, digits and characters of _.-";
        return Err(INVALID_PARAMETER_EXCEPTION.because(text));
    }
    let Some(version) = made.versions.get(&made.default_version) else {
        return Err(internal(format!("{permission_arn} has no default version")));
    };
    if let Some(of) = resource_type::find(&made.resource_type) {
        permission_template::check(of, &version.template)?;
    }
    let one = Permission {
        name,
        resource_type: made.resource_type.clone(),
        versions: BTreeMap::from([(1, Version::new(cx, version.template.clone()))]),
        default_version: 1,
        tags: Vec::new(),
        feature_set: permission_feature_set::STANDARD.to_owned(),
        deleted_millis: None,
    };
    if permission::live(cx, &one.name)?.is_some() {
        let text = format!("A permission with the name {} already exists.", one.name);
        return Err(INVALID_PARAMETER_EXCEPTION.because(text));
    }
    permission::store(cx, &one)?;
    let permission = permission::summary(cx, &Known::Own(one), 1);
    Ok(PromotePermissionCreatedFromPolicyResponse { permission, client_token })
}

/// Makes the share an ordinary one, with permissions of the account's own that allow the same.
pub fn promote_resource_share_created_from_policy(
    cx: &mut Context,
    input: PromoteResourceShareCreatedFromPolicyRequest,
) -> Result<PromoteResourceShareCreatedFromPolicyResponse> {
    let mut share = share::own(cx, &input.resource_share_arn)?;
    if share.is_standard() {
        return Err(is_ordinary("resource share"));
    }
    for (of, granted) in share.permissions.clone() {
        let equal = equal_to(cx, &of, &granted)?;
        share.permissions.insert(of, equal);
    }
    share.feature_set = resource_share_feature_set::STANDARD.to_owned();
    share::store(cx, &share)?;
    settle::refresh(cx, &share)?;
    Ok(PromoteResourceShareCreatedFromPolicyResponse { return_value: Some(true) })
}

/// The ordinary permission for the type that allows just the same.
fn equal_to(cx: &Context, of: &str, granted: &Granted) -> Result<Granted> {
    let known = permission::find(cx, &granted.arn)?;
    let read = |text: Option<&str>| -> Option<serde_json::Value> {
        serde_json::from_str(text.unwrap_or_default()).ok()
    };
    let wanted = read(known.template(granted.version));
    let own = cx.all(&PERMISSIONS, "")?.into_iter().filter(|one| {
        one.feature_set == permission_feature_set::STANDARD && one.deleted_millis.is_none()
    });
    let aws = resource_type::find(of).into_iter();
    let aws = aws.flat_map(|of| of.permissions.iter().map(move |one| Known::Aws(of, one)));
    let equal = own.map(Known::Own).chain(aws).find(|one| {
        one.resource_type() == of && read(one.template(one.default_version())) == wanted
    });
    let Some(equal) = equal else {
        let text = "There isn't an existing managed permission defined in RAM that has the same \
                    IAM permissions as the resource-based policy attached to the resource. You \
                    should first run PromotePermissionCreatedFromPolicy to create that managed \
                    permission.";
        return Err(UNMATCHED_POLICY_PERMISSION_EXCEPTION.because(text));
    };
    let arn = match &equal {
        Known::Aws(_, one) => one.arn(),
        Known::Own(one) => one.arn(cx),
    };
    let version = equal.default_version();
    Ok(Granted { arn, version, updated_millis: cx.now().millis() })
}
