//! Trusted access: which AWS services may work with the whole organization.
//!
//! Source: Organizations API reference, EnableAWSServiceAccess and its like; User Guide, "AWS
//! services that you can use with Organizations".

use super::organization::Organization;
use super::refusal::{constraint, invalid, not_all_features};
use super::{delegated_administrator, list, node, policy_type};
use crate::context::Context;
use crate::errors::internal;
use crate::ram;
use crate::table::{Scope, Table};
use palisade_model::organizations::{
    DisableAWSServiceAccessRequest, EnableAWSServiceAccessRequest, EnabledServicePrincipal,
    ListAWSServiceAccessForOrganizationRequest, ListAWSServiceAccessForOrganizationResponse,
};
use palisade_shape::{Nothing, Result};

/// Services that have access, by their principal.
pub static SERVICES: Table<EnabledServicePrincipal> = Table::of_shapes(
    "organizations/service-access",
    Scope::Account,
    |row| row.service_principal.clone().unwrap_or_default(),
    |row| internal(format!("{:?} has access already", row.service_principal)),
    |service| internal(format!("{service} has no access")),
);

/// Whether a service has access. The context stands in the management account.
pub fn is_enabled(cx: &Context, service: &str) -> Result<bool> {
    cx.exists(&SERVICES, service)
}

/// Refuses what is no principal of a service.
pub fn check_principal(service: &str) -> Result<()> {
    const ENDINGS: [&str; 2] = [".amazonaws.com", ".amazon.com"];
    let known = ENDINGS.iter().find_map(|ending| service.strip_suffix(ending));
    if known.is_some_and(|name| !name.is_empty() && !name.contains(['*', '@', '+', '='])) {
        return Ok(());
    }
    let text = "You specified an unrecognized service principal.";
    Err(invalid("UNRECOGNIZED_SERVICE_PRINCIPAL", text))
}

/// Lets a service in. One that is in already stays with its date.
pub fn enable_aws_service_access(
    cx: &mut Context,
    organization: &Organization,
    input: EnableAWSServiceAccessRequest,
) -> Result<Nothing> {
    if !organization.has_all_features() {
        return Err(not_all_features());
    }
    let service = input.service_principal;
    check_principal(&service)?;
    if !is_enabled(cx, &service)? {
        let row = EnabledServicePrincipal {
            service_principal: Some(service),
            date_enabled: Some(cx.now()),
        };
        cx.put(&SERVICES, &row)?;
    }
    Ok(Nothing)
}

/// Shuts a service out, with its delegated administrators.
pub fn disable_aws_service_access(
    cx: &mut Context,
    organization: &Organization,
    input: DisableAWSServiceAccessRequest,
) -> Result<Nothing> {
    let service = input.service_principal;
    check_principal(&service)?;
    let root = node::target(cx, &organization.root)?;
    let mut needing = policy_type::TYPES.iter().filter(|of| of.service == Some(service.as_str()));
    if needing.any(|of| root.enabled.contains(of.name)) {
        let text = "You attempted to disable service access before you disabled the policy type.";
        return Err(constraint("POLICY_TYPE_ENABLED_FOR_THIS_SERVICE", text));
    }
    delegated_administrator::forget_service(cx, &service)?;
    if cx.delete(&SERVICES, &service)? && service == ram::sharing::PRINCIPAL {
        ram::departure::disabled(cx)?;
    }
    Ok(Nothing)
}

pub fn list_aws_service_access_for_organization(
    cx: &mut Context,
    organization: &Organization,
    input: ListAWSServiceAccessForOrganizationRequest,
) -> Result<ListAWSServiceAccessForOrganizationResponse> {
    let ListAWSServiceAccessForOrganizationRequest { next_token, max_results } = input;
    if !organization.has_all_features() {
        return Err(not_all_features());
    }
    let at = (next_token, max_results);
    let page = list::page(cx, &SERVICES, "", at, |_, row| Ok(Some(row)))?;
    Ok(ListAWSServiceAccessForOrganizationResponse {
        enabled_service_principals: Some(page.items),
        next_token: page.next,
    })
}

/// Shuts all services out, when the organization goes.
pub fn forget(cx: &mut Context) -> Result<()> {
    for row in cx.all(&SERVICES, "")? {
        cx.delete(&SERVICES, &(SERVICES.key)(&row))?;
    }
    Ok(())
}
