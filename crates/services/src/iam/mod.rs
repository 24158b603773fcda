//! AWS Identity and Access Management: users, groups, roles, policies and access keys of an account.
//!
//! A principal is two documents: the AWS shape that the API shows (`iam/user`, `iam/role`, …) and a
//! small [`access::Access`] that holds all that decides about it, so that loading a principal for a
//! decision is a few `get`s and no scan. Names are unique in an account, ignoring case; keys are
//! therefore the names in lower case. Unique ids (`AIDA…`) are what stored policies and sessions
//! name principals by ([`principal`]), so a recreated user is another principal.
//!
//! Source: IAM API reference, 2010-05-08.

pub mod access;
pub mod access_key;
pub mod account;
pub mod authorization_details;
pub mod boundary;
pub mod group;
pub mod inline_policy;
pub mod instance_profile;
pub mod list;
pub mod managed_policy;
pub mod policy;
pub mod policy_use;
pub mod principal;
pub mod principal_ids;
pub mod quota;
pub mod requirements;
pub mod resources;
pub mod role;
pub mod tag;
pub mod user;

use crate::service::{Operation, Requiring, Service, Typed, read, write};

pub static SERVICE: Service = Service {
    model: &palisade_model::iam::SERVICE,
    operations: OPERATIONS,
    resources: &resources::IamResources,
};

pub static OPERATIONS: &[Operation] = &[
    // Users.
    write("CreateUser", &Typed(user::create_user)).requiring(&Requiring(requirements::create_user)),
    read("GetUser", &Typed(user::get_user)).requiring(&Requiring(requirements::get_user)),
    read("ListUsers", &Typed(user::list_users)),
    write("UpdateUser", &Typed(user::update_user)).requiring(&Requiring(requirements::update_user)),
    write("DeleteUser", &Typed(user::delete_user)),
    write("TagUser", &Typed(user::tag_user)),
    write("UntagUser", &Typed(user::untag_user)),
    read("ListUserTags", &Typed(user::list_user_tags)),
    write("PutUserPermissionsBoundary", &Typed(user::put_user_permissions_boundary)),
    write("DeleteUserPermissionsBoundary", &Typed(user::delete_user_permissions_boundary)),
    // Groups.
    write("CreateGroup", &Typed(group::create_group)).requiring(&Requiring(requirements::create_group)),
    read("GetGroup", &Typed(group::get_group)),
    read("ListGroups", &Typed(group::list_groups)),
    write("UpdateGroup", &Typed(group::update_group)).requiring(&Requiring(requirements::update_group)),
    write("DeleteGroup", &Typed(group::delete_group)),
    write("AddUserToGroup", &Typed(group::add_user_to_group))
        .requiring(&Requiring(requirements::add_user_to_group)),
    write("RemoveUserFromGroup", &Typed(group::remove_user_from_group))
        .requiring(&Requiring(requirements::remove_user_from_group)),
    read("ListGroupsForUser", &Typed(group::list_groups_for_user)),
    // Access keys.
    write("CreateAccessKey", &Typed(access_key::create_access_key))
        .requiring(&Requiring(requirements::create_access_key)),
    read("ListAccessKeys", &Typed(access_key::list_access_keys))
        .requiring(&Requiring(requirements::list_access_keys)),
    write("UpdateAccessKey", &Typed(access_key::update_access_key))
        .requiring(&Requiring(requirements::update_access_key)),
    write("DeleteAccessKey", &Typed(access_key::delete_access_key))
        .requiring(&Requiring(requirements::delete_access_key)),
    read("GetAccessKeyLastUsed", &Typed(access_key::get_access_key_last_used))
        .requiring(&Requiring(requirements::get_access_key_last_used)),
    // The account.
    write("CreateAccountAlias", &Typed(account::create_account_alias)),
    write("DeleteAccountAlias", &Typed(account::delete_account_alias)),
    read("ListAccountAliases", &Typed(account::list_account_aliases)),
    read("GetAccountSummary", &Typed(account::get_account_summary)),
    read(
        "GetAccountAuthorizationDetails",
        &Typed(authorization_details::get_account_authorization_details),
    ),
    // Roles (iam-b).
    // Managed policies (iam-b).
    // Inline policies (iam-b).
    // Instance profiles (iam-b).
];
