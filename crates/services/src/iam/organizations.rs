//! What IAM does for an organization: credentials of members' root users are managed in one place.
//!
//! Source: IAM API reference, EnableOrganizationsRootCredentialsManagement and its like; IAM User
//! Guide, "Centrally manage root access for member accounts".

use crate::context::Context;
use crate::errors::internal;
use crate::organizations::access::organization_of;
use crate::organizations::organization::Organization;
use crate::organizations::{delegated_administrator, service_access};
use crate::table::{Scope, Table};
use palisade_model::iam::{
    ACCOUNT_NOT_MANAGEMENT_OR_DELEGATED_ADMINISTRATOR_EXCEPTION,
    DisableOrganizationsRootCredentialsManagementRequest,
    DisableOrganizationsRootCredentialsManagementResponse, DisableOrganizationsRootSessionsRequest,
    DisableOrganizationsRootSessionsResponse, EnableOrganizationsRootCredentialsManagementRequest,
    EnableOrganizationsRootCredentialsManagementResponse, EnableOrganizationsRootSessionsRequest,
    EnableOrganizationsRootSessionsResponse, ListOrganizationsFeaturesRequest,
    ListOrganizationsFeaturesResponse, ORGANIZATION_NOT_FOUND_EXCEPTION,
    ORGANIZATION_NOT_IN_ALL_FEATURES_MODE_EXCEPTION, SERVICE_ACCESS_NOT_ENABLED_EXCEPTION,
    feature_type,
};
use palisade_shape::Result;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// IAM, as a service that an organization trusts.
const PRINCIPAL: &str = "iam.amazonaws.com";

/// What IAM may do for an organization. In the rows of its management account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Features {
    organization_id: String,
    enabled: BTreeSet<String>,
}

static FEATURES: Table<Features> = Table::of_private(
    "iam/organization-features",
    Scope::Account,
    |features| features.organization_id.clone(),
    |features| internal(format!("features of {} are there", features.organization_id)),
    |id| internal(format!("there are no features of {id}")),
);

/// The organization of the caller, who manages it or administers IAM for it.
fn organization(cx: &mut Context) -> Result<Organization> {
    let caller = cx.caller.account.to_string();
    let Some(organization) = organization_of(cx, &caller)? else {
        let text = "Your account is not a member of an organization.";
        return Err(ORGANIZATION_NOT_FOUND_EXCEPTION.because(text));
    };
    let management = organization.management_account.clone();
    let (trusted, delegate) = cx.in_account(&management, |cx| -> Result<_> {
        let delegate = delegated_administrator::administers(cx, &caller, PRINCIPAL)?;
        Ok((service_access::is_enabled(cx, PRINCIPAL)?, delegate))
    })?;
    if caller != management && !delegate {
        let text = "The request was rejected because the account making the request is not the \
                    management account or delegated administrator account for centralized root \
                    access.";
        return Err(ACCOUNT_NOT_MANAGEMENT_OR_DELEGATED_ADMINISTRATOR_EXCEPTION.because(text));
    }
    if !organization.has_all_features() {
        let text = "The request was rejected because your organization does not have All features \
                    enabled.";
        return Err(ORGANIZATION_NOT_IN_ALL_FEATURES_MODE_EXCEPTION.because(text));
    }
    if !trusted {
        let text = "The request was rejected because trusted access is not enabled for IAM in \
                    Organizations.";
        return Err(SERVICE_ACCESS_NOT_ENABLED_EXCEPTION.because(text));
    }
    Ok(organization)
}

/// What is enabled for the organization, as far as IAM is still trusted.
fn enabled(cx: &mut Context, organization: &Organization) -> Result<BTreeSet<String>> {
    let management = organization.management_account.clone();
    let features = cx.in_account(&management, |cx| cx.get(&FEATURES, &organization.id))?;
    Ok(features.map(|features| features.enabled).unwrap_or_default())
}

/// Whether the organization keeps the root users of its members without credentials: new accounts
/// get none (IAM User Guide, "Centrally manage root access for member accounts").
pub fn manages_root_credentials(cx: &mut Context, organization: &Organization) -> Result<bool> {
    Ok(enabled(cx, organization)?.contains(feature_type::ROOT_CREDENTIALS_MANAGEMENT))
}

/// Whether the caller may have sessions of the root user of that member account: root sessions are
/// enabled, and the account is a member other than the management account.
pub fn may_assume_root(cx: &mut Context, account: &str) -> Result<bool> {
    let Ok(own) = organization(cx) else { return Ok(false) };
    let same = organization_of(cx, account)?.is_some_and(|other| other.id == own.id);
    let sessions = enabled(cx, &own)?.contains(feature_type::ROOT_SESSIONS);
    Ok(same && sessions && account != own.management_account)
}

/// Enables or disables one feature; what is so already stays. Answers the organization and what is
/// enabled then.
fn set(cx: &mut Context, feature: &str, on: bool) -> Result<(Option<String>, Option<Vec<String>>)> {
    let organization = organization(cx)?;
    let mut enabled = enabled(cx, &organization)?;
    match on {
        true => enabled.insert(feature.to_owned()),
        false => enabled.remove(feature),
    };
    let features = Features { organization_id: organization.id.clone(), enabled: enabled.clone() };
    cx.in_account(&organization.management_account, |cx| cx.put(&FEATURES, &features))?;
    Ok((Some(organization.id), Some(enabled.into_iter().collect())))
}

pub fn enable_organizations_root_credentials_management(
    cx: &mut Context,
    _: EnableOrganizationsRootCredentialsManagementRequest,
) -> Result<EnableOrganizationsRootCredentialsManagementResponse> {
    let (organization_id, enabled_features) =
        set(cx, feature_type::ROOT_CREDENTIALS_MANAGEMENT, true)?;
    Ok(EnableOrganizationsRootCredentialsManagementResponse { organization_id, enabled_features })
}

pub fn disable_organizations_root_credentials_management(
    cx: &mut Context,
    _: DisableOrganizationsRootCredentialsManagementRequest,
) -> Result<DisableOrganizationsRootCredentialsManagementResponse> {
    let (organization_id, enabled_features) =
        set(cx, feature_type::ROOT_CREDENTIALS_MANAGEMENT, false)?;
    Ok(DisableOrganizationsRootCredentialsManagementResponse { organization_id, enabled_features })
}

pub fn enable_organizations_root_sessions(
    cx: &mut Context,
    _: EnableOrganizationsRootSessionsRequest,
) -> Result<EnableOrganizationsRootSessionsResponse> {
    let (organization_id, enabled_features) = set(cx, feature_type::ROOT_SESSIONS, true)?;
    Ok(EnableOrganizationsRootSessionsResponse { organization_id, enabled_features })
}

pub fn disable_organizations_root_sessions(
    cx: &mut Context,
    _: DisableOrganizationsRootSessionsRequest,
) -> Result<DisableOrganizationsRootSessionsResponse> {
    let (organization_id, enabled_features) = set(cx, feature_type::ROOT_SESSIONS, false)?;
    Ok(DisableOrganizationsRootSessionsResponse { organization_id, enabled_features })
}

pub fn list_organizations_features(
    cx: &mut Context,
    _: ListOrganizationsFeaturesRequest,
) -> Result<ListOrganizationsFeaturesResponse> {
    let organization = organization(cx)?;
    let enabled = enabled(cx, &organization)?;
    Ok(ListOrganizationsFeaturesResponse {
        organization_id: Some(organization.id),
        enabled_features: Some(enabled.into_iter().collect()),
    })
}
