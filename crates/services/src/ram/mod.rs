//! AWS Resource Access Manager: what one account lets others use.
//!
//! A share ([`share`]) has resources and principals ([`association`]) and, for each type of its
//! resources, a managed permission ([`permission`]). What all shares of a resource allow together
//! is one policy of that resource ([`resource_policy`]), kept with the resource's owner and written
//! anew with every change: the authorize stage reads it like any other policy of a resource. Which
//! types there are is one table ([`resource_type`]).
//!
//! Source: RAM API reference, 2018-01-04; RAM User Guide.

pub mod arn;
pub mod association;
pub mod departure;
pub mod from_policy;
pub mod invitation;
pub mod leaving;
pub mod list;
pub mod listing;
pub mod once;
pub mod permission;
pub mod permission_list;
pub mod permission_template;
pub mod permission_version;
pub mod principal;
pub mod received;
pub mod replacement;
pub mod requirements;
pub mod resource;
pub mod resource_policy;
pub mod resource_type;
pub mod settle;
pub mod share;
pub mod share_permission;
pub mod sharing;
pub mod source;
pub mod tag;

use crate::service::{Operation, Requiring, Service, Typed, read, write};
use once::Once;
use requirements::{OnPairs, RamResources};

pub static SERVICE: Service = Service {
    model: &palisade_model::ram::SERVICE,
    operations: OPERATIONS,
    resources: &RamResources,
    jobs: &[
        &settle::SETTLE,
        &invitation::EXPIRE,
        &permission::FORGET,
        &replacement::REPLACE,
        &once::FORGET,
    ],
};

pub static OPERATIONS: &[Operation] = &[
    // Shares.
    write("CreateResourceShare", &Once(share::create_resource_share))
        .requiring(&OnPairs("CreateResourceShare")),
    write("UpdateResourceShare", &Once(share::update_resource_share)),
    write("DeleteResourceShare", &Once(share::delete_resource_share)),
    read("GetResourceShares", &Typed(share::get_resource_shares)),
    // What and who is in them.
    write("AssociateResourceShare", &Once(association::associate_resource_share))
        .requiring(&OnPairs("AssociateResourceShare")),
    write("DisassociateResourceShare", &Once(leaving::disassociate_resource_share))
        .requiring(&OnPairs("DisassociateResourceShare")),
    read("GetResourceShareAssociations", &Typed(association::get_resource_share_associations)),
    read("ListSourceAssociations", &Typed(source::list_source_associations)),
    read("ListResources", &Typed(listing::list_resources)),
    read("ListPrincipals", &Typed(listing::list_principals)),
    read("ListResourceTypes", &Typed(resource_type::list_resource_types)),
    read("GetResourcePolicies", &Typed(resource_policy::get_resource_policies)),
    // Invitations.
    read("GetResourceShareInvitations", &Typed(invitation::get_resource_share_invitations)),
    write("AcceptResourceShareInvitation", &Once(invitation::accept_resource_share_invitation)),
    write("RejectResourceShareInvitation", &Once(invitation::reject_resource_share_invitation)),
    read("ListPendingInvitationResources", &Typed(listing::list_pending_invitation_resources)),
    // Permissions.
    write("CreatePermission", &Once(permission::create_permission))
        .requiring(&Requiring(requirements::create_permission)),
    write("DeletePermission", &Once(permission::delete_permission)),
    read("GetPermission", &Typed(permission::get_permission)),
    read("ListPermissions", &Typed(permission_list::list_permissions)),
    read("ListPermissionVersions", &Typed(permission_list::list_permission_versions)),
    write("CreatePermissionVersion", &Once(permission_version::create_permission_version)),
    write("DeletePermissionVersion", &Once(permission_version::delete_permission_version)),
    write("SetDefaultPermissionVersion", &Once(permission_version::set_default_permission_version)),
    // Permissions of shares.
    write(
        "AssociateResourceSharePermission",
        &Once(share_permission::associate_resource_share_permission),
    ),
    write(
        "DisassociateResourceSharePermission",
        &Once(share_permission::disassociate_resource_share_permission),
    ),
    read("ListResourceSharePermissions", &Typed(share_permission::list_resource_share_permissions)),
    read("ListPermissionAssociations", &Typed(share_permission::list_permission_associations)),
    write("ReplacePermissionAssociations", &Once(replacement::replace_permission_associations)),
    read(
        "ListReplacePermissionAssociationsWork",
        &Typed(replacement::list_replace_permission_associations_work),
    ),
    // What was shared by a policy.
    write(
        "PromotePermissionCreatedFromPolicy",
        &Once(from_policy::promote_permission_created_from_policy),
    ),
    write(
        "PromoteResourceShareCreatedFromPolicy",
        &Typed(from_policy::promote_resource_share_created_from_policy),
    ),
    // The organization.
    write(
        "EnableSharingWithAwsOrganization",
        &Typed(sharing::enable_sharing_with_aws_organization),
    )
    .requiring(&Requiring(sharing::enable_requirements)),
    // Tags.
    write("TagResource", &Typed(tag::tag_resource)),
    write("UntagResource", &Typed(tag::untag_resource)),
];

#[cfg(test)]
mod tests;
