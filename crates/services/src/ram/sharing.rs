//! Sharing with a whole organization, which its management account turns on once.
//!
//! Source: RAM API reference, EnableSharingWithAwsOrganization; RAM User Guide, "Enable resource
//! sharing within AWS Organizations".

use crate::authorization::Requirement;
use crate::context::Context;
use crate::iam::service_linked_role;
use crate::organizations::organization::Organization;
use crate::organizations::{access, service_access};
use palisade_model::organizations::EnableAWSServiceAccessRequest;
use palisade_model::ram::{
    EnableSharingWithAwsOrganizationRequest, EnableSharingWithAwsOrganizationResponse,
    OPERATION_NOT_PERMITTED_EXCEPTION,
};
use palisade_shape::Result;

/// The service that RAM is, to IAM and to Organizations.
pub const PRINCIPAL: &str = "ram.amazonaws.com";

/// Whether the organization of that account shares without invitations.
pub fn is_enabled(cx: &mut Context, account: &str) -> Result<bool> {
    let Some(organization) = access::organization_of(cx, account)? else { return Ok(false) };
    let management = organization.management_account;
    cx.in_account(&management, |cx| service_access::is_enabled(cx, PRINCIPAL))
}

/// The call, and what RAM does for its caller in IAM and Organizations.
pub fn enable_requirements(
    cx: &mut Context,
    _: &EnableSharingWithAwsOrganizationRequest,
) -> Result<Vec<Requirement>> {
    let account = cx.account().to_owned();
    let mut requirements: Vec<Requirement> =
        ["ram:EnableSharingWithAwsOrganization", "organizations:DescribeOrganization"]
            .map(|action| Requirement::new(action, "*", &account))
            .into();
    let access = Requirement::new("organizations:EnableAWSServiceAccess", "*", &account);
    requirements.push(access.with_key("organizations:ServicePrincipal", PRINCIPAL));
    requirements.extend(service_linked_role::requirement(cx, PRINCIPAL)?);
    Ok(requirements)
}

/// Lets RAM share within the organization, and gives it its role in the management account.
pub fn enable_sharing_with_aws_organization(
    cx: &mut Context,
    _: EnableSharingWithAwsOrganizationRequest,
) -> Result<EnableSharingWithAwsOrganizationResponse> {
    let account = cx.account().to_owned();
    let organization = access::organization_of(cx, &account)?;
    let managed = |organization: &Organization| {
        organization.management_account == account && organization.has_all_features()
    };
    let Some(organization) = organization.filter(managed) else {
        let text = "The operation is not permitted. You must call it from the management account \
                    of an organization that has all features enabled.";
        return Err(OPERATION_NOT_PERMITTED_EXCEPTION.because(text));
    };
    let input = EnableAWSServiceAccessRequest { service_principal: PRINCIPAL.to_owned() };
    service_access::enable_aws_service_access(cx, &organization, input)?;
    service_linked_role::ensure(cx, PRINCIPAL)?;
    Ok(EnableSharingWithAwsOrganizationResponse { return_value: Some(true) })
}
