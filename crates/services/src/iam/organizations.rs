//! What IAM does for an organization's management account: credentials of members' root users, and
//! reports of what the organization uses.
//!
//! No account of this plane is in an organization until Organizations makes one, so
//! [`organization`] finds none and each operation answers as AWS does then.
//!
//! Source: IAM API reference, EnableOrganizationsRootCredentialsManagement and its like,
//! GenerateOrganizationsAccessReport.

use crate::context::Context;
use crate::errors::ACCESS_DENIED;
use palisade_model::iam::{
    DisableOrganizationsRootCredentialsManagementRequest,
    DisableOrganizationsRootCredentialsManagementResponse, DisableOrganizationsRootSessionsRequest,
    DisableOrganizationsRootSessionsResponse, EnableOrganizationsRootCredentialsManagementRequest,
    EnableOrganizationsRootCredentialsManagementResponse, EnableOrganizationsRootSessionsRequest,
    EnableOrganizationsRootSessionsResponse, GenerateOrganizationsAccessReportRequest,
    GenerateOrganizationsAccessReportResponse, GetOrganizationsAccessReportRequest,
    GetOrganizationsAccessReportResponse, ListOrganizationsFeaturesRequest,
    ListOrganizationsFeaturesResponse, NO_SUCH_ENTITY, ORGANIZATION_NOT_FOUND_EXCEPTION,
};
use palisade_shape::{Error, Result};

/// The organization that the account manages, and what IAM may do for it.
///
/// The one place that issue 5 fills in: it checks, in AWS's order, that there is an organization,
/// that it has all features, that IAM is a trusted service of it, and that the account manages it.
enum Never {}

fn organization(_cx: &Context) -> Result<Never> {
    let text = "Your account is not a member of an organization.";
    Err(ORGANIZATION_NOT_FOUND_EXCEPTION.because(text))
}

pub fn enable_organizations_root_credentials_management(
    cx: &mut Context,
    _: EnableOrganizationsRootCredentialsManagementRequest,
) -> Result<EnableOrganizationsRootCredentialsManagementResponse> {
    match organization(cx)? {}
}

pub fn disable_organizations_root_credentials_management(
    cx: &mut Context,
    _: DisableOrganizationsRootCredentialsManagementRequest,
) -> Result<DisableOrganizationsRootCredentialsManagementResponse> {
    match organization(cx)? {}
}

pub fn enable_organizations_root_sessions(
    cx: &mut Context,
    _: EnableOrganizationsRootSessionsRequest,
) -> Result<EnableOrganizationsRootSessionsResponse> {
    match organization(cx)? {}
}

pub fn disable_organizations_root_sessions(
    cx: &mut Context,
    _: DisableOrganizationsRootSessionsRequest,
) -> Result<DisableOrganizationsRootSessionsResponse> {
    match organization(cx)? {}
}

pub fn list_organizations_features(
    cx: &mut Context,
    _: ListOrganizationsFeaturesRequest,
) -> Result<ListOrganizationsFeaturesResponse> {
    match organization(cx)? {}
}

/// Only an organization's management account may ask for a report.
pub fn generate_organizations_access_report(
    cx: &mut Context,
    _: GenerateOrganizationsAccessReportRequest,
) -> Result<GenerateOrganizationsAccessReportResponse> {
    let denied = |_: Error| {
        ACCESS_DENIED.because(
            "You must sign in with the management account of an organization to generate this \
             report.",
        )
    };
    match organization(cx).map_err(denied)? {}
}

/// No report was ever generated, so there is no job of any id.
pub fn get_organizations_access_report(
    cx: &mut Context,
    input: GetOrganizationsAccessReportRequest,
) -> Result<GetOrganizationsAccessReportResponse> {
    let id = input.job_id;
    let missing = |_: Error| NO_SUCH_ENTITY.because(format!("Job with ID {id} cannot be found."));
    match organization(cx).map_err(missing)? {}
}
