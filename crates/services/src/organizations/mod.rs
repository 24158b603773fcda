//! AWS Organizations: many accounts governed from one.
//!
//! Everything of an organization is in the rows of its management account; which organization an
//! account is in is one row of the whole plane ([`membership`]). A node of the tree is one record
//! ([`node`]) with the policies attached to it, so that a decision reads the way from an account to
//! the root and nothing else ([`crate::authorization::standing`]).
//!
//! Source: Organizations API reference, 2016-11-28; Organizations User Guide.

pub mod access;
pub mod account;
pub mod all_features;
pub mod closure;
pub mod create_account;
pub mod delegated_administrator;
pub mod effective_policy;
pub mod handshake;
pub mod handshake_view;
pub mod hierarchy;
pub mod invitation;
pub mod list;
pub mod management_policy;
pub mod membership;
pub mod node;
pub mod organization;
pub mod organizational_unit;
pub mod policy;
pub mod policy_attachment;
pub mod policy_type;
pub mod quota;
pub mod refusal;
pub mod requirements;
pub mod resource_policy;
pub mod responsibility_transfer;
pub mod root;
pub mod service_access;
pub mod service_event;
pub mod tag;

use crate::service::{Operation, Requiring, Service, Typed, read, write};
use access::Gated;
use access::Who::{Management, Manager, Member, Reader};
use requirements::{On, OnHandshake, OrganizationsResources};

pub static SERVICE: Service = Service {
    model: &palisade_model::organizations::SERVICE,
    operations: OPERATIONS,
    resources: &OrganizationsResources,
    jobs: &[&closure::FINISH_CLOSURE, &create_account::FINISH, &handshake::EXPIRE],
};

pub static OPERATIONS: &[Operation] = &[
    // The organization.
    write("CreateOrganization", &Typed(organization::create_organization))
        .requiring(&Requiring(organization::create_requirements)),
    read("DescribeOrganization", &Gated(Member, organization::describe_organization)),
    write("DeleteOrganization", &Gated(Management, organization::delete_organization))
        .requiring(&On("DeleteOrganization", &[])),
    write("EnableAllFeatures", &Gated(Management, all_features::enable_all_features))
        .requiring(&On("EnableAllFeatures", &[])),
    read("ListRoots", &Gated(Reader, root::list_roots)).requiring(&On("ListRoots", &[])),
    // Accounts.
    write("CreateAccount", &Gated(Management, create_account::create_account))
        .requiring(&On("CreateAccount", &[])),
    write("CreateGovCloudAccount", &Gated(Management, create_account::create_gov_cloud_account))
        .requiring(&On("CreateGovCloudAccount", &[])),
    read(
        "DescribeCreateAccountStatus",
        &Gated(Reader, create_account::describe_create_account_status),
    )
    .requiring(&On("DescribeCreateAccountStatus", &[])),
    read("ListCreateAccountStatus", &Gated(Reader, create_account::list_create_account_status))
        .requiring(&On("ListCreateAccountStatus", &[])),
    read("DescribeAccount", &Gated(Reader, account::describe_account))
        .requiring(&On("DescribeAccount", &["AccountId"])),
    read("ListAccounts", &Gated(Reader, account::list_accounts))
        .requiring(&On("ListAccounts", &[])),
    read("ListAccountsForParent", &Gated(Reader, account::list_accounts_for_parent))
        .requiring(&On("ListAccountsForParent", &["ParentId"])),
    write("MoveAccount", &Gated(Management, account::move_account))
        .requiring(&On("MoveAccount", &["AccountId", "SourceParentId", "DestinationParentId"])),
    write(
        "RemoveAccountFromOrganization",
        &Gated(Management, account::remove_account_from_organization),
    )
    .requiring(&On("RemoveAccountFromOrganization", &["AccountId"])),
    write("LeaveOrganization", &Gated(Member, account::leave_organization)),
    write("CloseAccount", &Gated(Management, closure::close_account))
        .requiring(&On("CloseAccount", &["AccountId"])),
    // Units.
    write(
        "CreateOrganizationalUnit",
        &Gated(Management, organizational_unit::create_organizational_unit),
    )
    .requiring(&On("CreateOrganizationalUnit", &["ParentId"])),
    read(
        "DescribeOrganizationalUnit",
        &Gated(Reader, organizational_unit::describe_organizational_unit),
    )
    .requiring(&On("DescribeOrganizationalUnit", &["OrganizationalUnitId"])),
    write(
        "UpdateOrganizationalUnit",
        &Gated(Management, organizational_unit::update_organizational_unit),
    )
    .requiring(&On("UpdateOrganizationalUnit", &["OrganizationalUnitId"])),
    write(
        "DeleteOrganizationalUnit",
        &Gated(Management, organizational_unit::delete_organizational_unit),
    )
    .requiring(&On("DeleteOrganizationalUnit", &["OrganizationalUnitId"])),
    read(
        "ListOrganizationalUnitsForParent",
        &Gated(Reader, organizational_unit::list_organizational_units_for_parent),
    )
    .requiring(&On("ListOrganizationalUnitsForParent", &["ParentId"])),
    read("ListParents", &Gated(Reader, hierarchy::list_parents))
        .requiring(&On("ListParents", &["ChildId"])),
    read("ListChildren", &Gated(Reader, hierarchy::list_children))
        .requiring(&On("ListChildren", &["ParentId"])),
    // Handshakes.
    write(
        "InviteAccountToOrganization",
        &Gated(Management, invitation::invite_account_to_organization),
    )
    .requiring(&On("InviteAccountToOrganization", &[])),
    write("AcceptHandshake", &Typed(handshake::accept_handshake))
        .requiring(&OnHandshake("AcceptHandshake")),
    write("DeclineHandshake", &Typed(handshake::decline_handshake))
        .requiring(&OnHandshake("DeclineHandshake")),
    write("CancelHandshake", &Typed(handshake::cancel_handshake))
        .requiring(&OnHandshake("CancelHandshake")),
    read("DescribeHandshake", &Typed(handshake::describe_handshake))
        .requiring(&OnHandshake("DescribeHandshake")),
    read("ListHandshakesForAccount", &Typed(handshake::list_handshakes_for_account)),
    read(
        "ListHandshakesForOrganization",
        &Gated(Reader, handshake::list_handshakes_for_organization),
    )
    .requiring(&On("ListHandshakesForOrganization", &[])),
    // Policies.
    write("EnablePolicyType", &Gated(Manager, policy_type::enable_policy_type))
        .requiring(&On("EnablePolicyType", &["RootId"])),
    write("DisablePolicyType", &Gated(Manager, policy_type::disable_policy_type))
        .requiring(&On("DisablePolicyType", &["RootId"])),
    write("CreatePolicy", &Gated(Manager, policy::create_policy))
        .requiring(&On("CreatePolicy", &["+policy"])),
    read("DescribePolicy", &Gated(Reader, policy::describe_policy))
        .requiring(&On("DescribePolicy", &["PolicyId"])),
    write("UpdatePolicy", &Gated(Manager, policy::update_policy))
        .requiring(&On("UpdatePolicy", &["PolicyId"])),
    write("DeletePolicy", &Gated(Manager, policy::delete_policy))
        .requiring(&On("DeletePolicy", &["PolicyId"])),
    read("ListPolicies", &Gated(Reader, policy::list_policies)).requiring(&On("ListPolicies", &[])),
    write("AttachPolicy", &Gated(Manager, policy_attachment::attach_policy))
        .requiring(&On("AttachPolicy", &["PolicyId", "TargetId"])),
    write("DetachPolicy", &Gated(Manager, policy_attachment::detach_policy))
        .requiring(&On("DetachPolicy", &["PolicyId", "TargetId"])),
    read("ListPoliciesForTarget", &Gated(Reader, policy_attachment::list_policies_for_target))
        .requiring(&On("ListPoliciesForTarget", &["TargetId"])),
    read("ListTargetsForPolicy", &Gated(Reader, policy_attachment::list_targets_for_policy))
        .requiring(&On("ListTargetsForPolicy", &["PolicyId"])),
    read("DescribeEffectivePolicy", &Gated(Member, effective_policy::describe_effective_policy))
        .requiring(&On("DescribeEffectivePolicy", &["TargetId"])),
    read(
        "ListAccountsWithInvalidEffectivePolicy",
        &Gated(Reader, effective_policy::list_accounts_with_invalid_effective_policy),
    )
    .requiring(&On("ListAccountsWithInvalidEffectivePolicy", &[])),
    read(
        "ListEffectivePolicyValidationErrors",
        &Gated(Reader, effective_policy::list_effective_policy_validation_errors),
    )
    .requiring(&On("ListEffectivePolicyValidationErrors", &["AccountId"])),
    // Services and administrators.
    write("EnableAWSServiceAccess", &Gated(Management, service_access::enable_aws_service_access))
        .requiring(&On("EnableAWSServiceAccess", &[])),
    write(
        "DisableAWSServiceAccess",
        &Gated(Management, service_access::disable_aws_service_access),
    )
    .requiring(&On("DisableAWSServiceAccess", &[])),
    read(
        "ListAWSServiceAccessForOrganization",
        &Gated(Reader, service_access::list_aws_service_access_for_organization),
    )
    .requiring(&On("ListAWSServiceAccessForOrganization", &[])),
    write(
        "RegisterDelegatedAdministrator",
        &Gated(Management, delegated_administrator::register_delegated_administrator),
    )
    .requiring(&On("RegisterDelegatedAdministrator", &["AccountId"])),
    write(
        "DeregisterDelegatedAdministrator",
        &Gated(Management, delegated_administrator::deregister_delegated_administrator),
    )
    .requiring(&On("DeregisterDelegatedAdministrator", &["AccountId"])),
    read(
        "ListDelegatedAdministrators",
        &Gated(Reader, delegated_administrator::list_delegated_administrators),
    )
    .requiring(&On("ListDelegatedAdministrators", &[])),
    read(
        "ListDelegatedServicesForAccount",
        &Gated(Reader, delegated_administrator::list_delegated_services_for_account),
    )
    .requiring(&On("ListDelegatedServicesForAccount", &["AccountId"])),
    // The resource policy.
    write("PutResourcePolicy", &Gated(Management, resource_policy::put_resource_policy))
        .requiring(&On("PutResourcePolicy", &["+resourcepolicy"])),
    read("DescribeResourcePolicy", &Gated(Reader, resource_policy::describe_resource_policy))
        .requiring(&On("DescribeResourcePolicy", &[])),
    write("DeleteResourcePolicy", &Gated(Management, resource_policy::delete_resource_policy))
        .requiring(&On("DeleteResourcePolicy", &[])),
    // Tags.
    write("TagResource", &Gated(Manager, tag::tag_resource))
        .requiring(&On("TagResource", &["ResourceId"])),
    write("UntagResource", &Gated(Manager, tag::untag_resource))
        .requiring(&On("UntagResource", &["ResourceId"])),
    read("ListTagsForResource", &Gated(Reader, tag::list_tags_for_resource))
        .requiring(&On("ListTagsForResource", &["ResourceId"])),
    // Responsibility transfers.
    write(
        "InviteOrganizationToTransferResponsibility",
        &Gated(Management, responsibility_transfer::invite_organization_to_transfer_responsibility),
    )
    .requiring(&On("InviteOrganizationToTransferResponsibility", &[])),
    read(
        "DescribeResponsibilityTransfer",
        &Gated(Management, responsibility_transfer::describe_responsibility_transfer),
    )
    .requiring(&On("DescribeResponsibilityTransfer", &["Id"])),
    write(
        "UpdateResponsibilityTransfer",
        &Gated(Management, responsibility_transfer::update_responsibility_transfer),
    )
    .requiring(&On("UpdateResponsibilityTransfer", &["Id"])),
    write(
        "TerminateResponsibilityTransfer",
        &Gated(Management, responsibility_transfer::terminate_responsibility_transfer),
    )
    .requiring(&On("TerminateResponsibilityTransfer", &["Id"])),
    read(
        "ListInboundResponsibilityTransfers",
        &Gated(Management, responsibility_transfer::list_inbound_responsibility_transfers),
    )
    .requiring(&On("ListInboundResponsibilityTransfers", &[])),
    read(
        "ListOutboundResponsibilityTransfers",
        &Gated(Management, responsibility_transfer::list_outbound_responsibility_transfers),
    )
    .requiring(&On("ListOutboundResponsibilityTransfers", &[])),
];

#[cfg(test)]
mod tests;
