//! Lists of managed permissions and of their versions.
//!
//! Source: RAM API reference, ListPermissions, ListPermissionVersions.

use super::permission::{self, Known, PERMISSIONS};
use super::{list, resource_type};
use crate::context::Context;
use palisade_model::ram::{
    INVALID_PARAMETER_EXCEPTION, ListPermissionVersionsRequest, ListPermissionVersionsResponse,
    ListPermissionsRequest, ListPermissionsResponse, permission_type_filter as filter,
};
use palisade_shape::Result;

/// Lists permissions in their default versions.
pub fn list_permissions(
    cx: &mut Context,
    input: ListPermissionsRequest,
) -> Result<ListPermissionsResponse> {
    let ListPermissionsRequest { resource_type, next_token, max_results, permission_type } = input;
    let of = match resource_type.as_deref() {
        None => None,
        Some(name) => match resource_type::find(name) {
            Some(of) => Some(of.name),
            None => {
                let text = format!("Invalid resource type: {name}");
                return Err(INVALID_PARAMETER_EXCEPTION.because(text));
            }
        },
    };
    let wanted = permission_type.as_deref().unwrap_or(filter::ALL);
    let mut known = Vec::new();
    if wanted != filter::CUSTOMER_MANAGED {
        let types = resource_type::TYPES.iter();
        known.extend(types.flat_map(|of| of.permissions.iter().map(|one| Known::Aws(of, one))));
    }
    if wanted != filter::AWS_MANAGED {
        known.extend(cx.all(&PERMISSIONS, "")?.into_iter().map(Known::Own));
    }
    let kept = known.iter().filter(|one| of.is_none_or(|of| of == one.resource_type()));
    let shown = kept.filter_map(|one| {
        let shown = permission::summary(cx, one, one.default_version())?;
        Some((shown.arn.clone().unwrap_or_default(), shown))
    });
    let page = list::page(shown.collect(), (next_token, max_results))?;
    Ok(ListPermissionsResponse { permissions: Some(page.items), next_token: page.next })
}

pub fn list_permission_versions(
    cx: &mut Context,
    input: ListPermissionVersionsRequest,
) -> Result<ListPermissionVersionsResponse> {
    let ListPermissionVersionsRequest { permission_arn, next_token, max_results } = input;
    let known = permission::find(cx, &permission_arn)?;
    let versions = permission::summaries(cx, &known).into_iter();
    // Version numbers have as many digits as it takes; keys are compared as text.
    let shown = versions.map(|(version, shown)| (format!("{version:010}"), shown));
    let page = list::page(shown.collect(), (next_token, max_results))?;
    Ok(ListPermissionVersionsResponse { permissions: Some(page.items), next_token: page.next })
}
