//! AWS Identity and Access Management: an account's users, groups, roles, policies and access keys.
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
pub mod attachment;
pub mod authorization_details;
pub mod boundary;
pub mod certificate;
pub mod context_keys;
pub mod credential;
pub mod credential_report;
mod delegation_check;
pub mod delegation_partner;
pub mod delegation_request;
pub mod document;
pub mod granted;
pub mod group;
pub mod inline_policy;
pub mod instance_profile;
pub mod last_accessed;
pub mod list;
pub mod login_profile;
pub mod managed;
pub mod mfa;
pub mod mfa_device;
pub mod oidc_provider;
pub mod organizations;
pub mod organizations_report;
pub mod outbound_federation;
pub mod pass_role;
pub mod password;
pub mod password_policy;
pub mod policy;
pub mod policy_list;
pub mod policy_use;
pub mod policy_version;
pub mod principal;
pub mod principal_ids;
mod provider_arn;
pub mod qr_code;
pub mod quota;
pub mod requirements;
pub mod resources;
pub mod role;
pub mod saml_metadata;
pub mod saml_provider;
#[cfg(test)]
pub mod samples;
pub mod server_certificate;
pub mod service_credential;
pub mod service_linked_role;
pub mod signing_certificate;
pub mod simulation;
pub mod ssh_public_key;
pub mod tag;
pub mod totp;
pub mod user;

use crate::service::{Operation, Preparing, Requiring, Service, Typed, read, write};

pub static SERVICE: Service = Service {
    model: &palisade_model::iam::SERVICE,
    operations: OPERATIONS,
    resources: &resources::IamResources,
    jobs: &[],
};

pub static OPERATIONS: &[Operation] = &[
    // Users.
    write("CreateUser", &Typed(user::create_user)).requiring(&Requiring(requirements::create_user)),
    read("GetUser", &Typed(user::get_user)).requiring(&Requiring(requirements::get_user)),
    read("ListUsers", &Typed(user::list_users)).requiring(&Requiring(requirements::list_users)),
    write("UpdateUser", &Typed(user::update_user)).requiring(&Requiring(requirements::update_user)),
    write("DeleteUser", &Typed(user::delete_user)),
    write("TagUser", &Typed(user::tag_user)),
    write("UntagUser", &Typed(user::untag_user)),
    read("ListUserTags", &Typed(user::list_user_tags)),
    write("PutUserPermissionsBoundary", &Typed(user::put_user_permissions_boundary)),
    write("DeleteUserPermissionsBoundary", &Typed(user::delete_user_permissions_boundary)),
    // Groups.
    write("CreateGroup", &Typed(group::create_group))
        .requiring(&Requiring(requirements::create_group)),
    read("GetGroup", &Typed(group::get_group)),
    read("ListGroups", &Typed(group::list_groups)).requiring(&Requiring(requirements::list_groups)),
    write("UpdateGroup", &Typed(group::update_group))
        .requiring(&Requiring(requirements::update_group)),
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
    // Login profiles and the password policy.
    write("CreateLoginProfile", &Typed(login_profile::create_login_profile))
        .requiring(&Requiring(requirements::create_login_profile))
        .preparing(&Preparing(login_profile::prepare_create)),
    read("GetLoginProfile", &Typed(login_profile::get_login_profile))
        .requiring(&Requiring(requirements::get_login_profile)),
    write("UpdateLoginProfile", &Typed(login_profile::update_login_profile))
        .preparing(&Preparing(login_profile::prepare_update)),
    write("DeleteLoginProfile", &Typed(login_profile::delete_login_profile))
        .requiring(&Requiring(requirements::delete_login_profile)),
    write("ChangePassword", &Typed(login_profile::change_password))
        .requiring(&Requiring(requirements::change_password))
        .preparing(&Preparing(login_profile::prepare_change)),
    read("GetAccountPasswordPolicy", &Typed(password_policy::get_account_password_policy)),
    write("UpdateAccountPasswordPolicy", &Typed(password_policy::update_account_password_policy)),
    write("DeleteAccountPasswordPolicy", &Typed(password_policy::delete_account_password_policy)),
    // SSH public keys.
    write("UploadSSHPublicKey", &Typed(ssh_public_key::upload_ssh_public_key)),
    read("GetSSHPublicKey", &Typed(ssh_public_key::get_ssh_public_key)),
    read("ListSSHPublicKeys", &Typed(ssh_public_key::list_ssh_public_keys))
        .requiring(&Requiring(requirements::list_ssh_public_keys)),
    write("UpdateSSHPublicKey", &Typed(ssh_public_key::update_ssh_public_key)),
    write("DeleteSSHPublicKey", &Typed(ssh_public_key::delete_ssh_public_key)),
    // Signing certificates.
    write("UploadSigningCertificate", &Typed(signing_certificate::upload_signing_certificate))
        .requiring(&Requiring(requirements::upload_signing_certificate)),
    read("ListSigningCertificates", &Typed(signing_certificate::list_signing_certificates))
        .requiring(&Requiring(requirements::list_signing_certificates)),
    write("UpdateSigningCertificate", &Typed(signing_certificate::update_signing_certificate))
        .requiring(&Requiring(requirements::update_signing_certificate)),
    write("DeleteSigningCertificate", &Typed(signing_certificate::delete_signing_certificate))
        .requiring(&Requiring(requirements::delete_signing_certificate)),
    // Server certificates.
    write("UploadServerCertificate", &Typed(server_certificate::upload_server_certificate))
        .requiring(&Requiring(requirements::upload_server_certificate)),
    read("GetServerCertificate", &Typed(server_certificate::get_server_certificate)),
    read("ListServerCertificates", &Typed(server_certificate::list_server_certificates))
        .requiring(&Requiring(requirements::list_server_certificates)),
    write("UpdateServerCertificate", &Typed(server_certificate::update_server_certificate))
        .requiring(&Requiring(requirements::update_server_certificate)),
    write("DeleteServerCertificate", &Typed(server_certificate::delete_server_certificate)),
    write("TagServerCertificate", &Typed(server_certificate::tag_server_certificate)),
    write("UntagServerCertificate", &Typed(server_certificate::untag_server_certificate)),
    read("ListServerCertificateTags", &Typed(server_certificate::list_server_certificate_tags)),
    // Service-specific credentials.
    write(
        "CreateServiceSpecificCredential",
        &Typed(service_credential::create_service_specific_credential),
    ),
    read(
        "ListServiceSpecificCredentials",
        &Typed(service_credential::list_service_specific_credentials),
    )
    .requiring(&Requiring(requirements::list_service_credentials)),
    write(
        "UpdateServiceSpecificCredential",
        &Typed(service_credential::update_service_specific_credential),
    )
    .requiring(&Requiring(requirements::update_service_credential)),
    write(
        "ResetServiceSpecificCredential",
        &Typed(service_credential::reset_service_specific_credential),
    )
    .requiring(&Requiring(requirements::reset_service_credential)),
    write(
        "DeleteServiceSpecificCredential",
        &Typed(service_credential::delete_service_specific_credential),
    )
    .requiring(&Requiring(requirements::delete_service_credential)),
    // MFA devices.
    write("CreateVirtualMFADevice", &Typed(mfa::create_virtual_mfa_device))
        .requiring(&Requiring(requirements::create_virtual_mfa_device)),
    write("EnableMFADevice", &Typed(mfa::enable_mfa_device))
        .requiring(&Requiring(requirements::enable_mfa_device)),
    write("DeactivateMFADevice", &Typed(mfa::deactivate_mfa_device))
        .requiring(&Requiring(requirements::deactivate_mfa_device)),
    write("ResyncMFADevice", &Typed(mfa::resync_mfa_device))
        .requiring(&Requiring(requirements::resync_mfa_device)),
    read("GetMFADevice", &Typed(mfa::get_mfa_device))
        .requiring(&Requiring(requirements::get_mfa_device)),
    read("ListMFADevices", &Typed(mfa::list_mfa_devices))
        .requiring(&Requiring(requirements::list_mfa_devices)),
    read("ListVirtualMFADevices", &Typed(mfa::list_virtual_mfa_devices))
        .requiring(&Requiring(requirements::list_virtual_mfa_devices)),
    write("DeleteVirtualMFADevice", &Typed(mfa::delete_virtual_mfa_device)),
    write("TagMFADevice", &Typed(mfa::tag_mfa_device)),
    write("UntagMFADevice", &Typed(mfa::untag_mfa_device)),
    read("ListMFADeviceTags", &Typed(mfa::list_mfa_device_tags)),
    // The account.
    write("CreateAccountAlias", &Typed(account::create_account_alias)),
    write("DeleteAccountAlias", &Typed(account::delete_account_alias)),
    read("ListAccountAliases", &Typed(account::list_account_aliases)),
    read("GetAccountSummary", &Typed(account::get_account_summary)),
    write(
        "SetSecurityTokenServicePreferences",
        &Typed(account::set_security_token_service_preferences),
    ),
    read(
        "GetAccountAuthorizationDetails",
        &Typed(authorization_details::get_account_authorization_details),
    ),
    write(
        "EnableOutboundWebIdentityFederation",
        &Typed(outbound_federation::enable_outbound_web_identity_federation),
    ),
    write(
        "DisableOutboundWebIdentityFederation",
        &Typed(outbound_federation::disable_outbound_web_identity_federation),
    ),
    read(
        "GetOutboundWebIdentityFederationInfo",
        &Typed(outbound_federation::get_outbound_web_identity_federation_info),
    ),
    // Reports.
    write("GenerateCredentialReport", &Typed(credential_report::generate_credential_report)),
    read("GetCredentialReport", &Typed(credential_report::get_credential_report)),
    write(
        "GenerateServiceLastAccessedDetails",
        &Typed(last_accessed::generate_service_last_accessed_details),
    ),
    read("GetServiceLastAccessedDetails", &Typed(last_accessed::get_service_last_accessed_details)),
    read(
        "GetServiceLastAccessedDetailsWithEntities",
        &Typed(last_accessed::get_service_last_accessed_details_with_entities),
    ),
    read(
        "ListPoliciesGrantingServiceAccess",
        &Typed(granted::list_policies_granting_service_access),
    ),
    // Organizations.
    write(
        "EnableOrganizationsRootCredentialsManagement",
        &Typed(organizations::enable_organizations_root_credentials_management),
    ),
    write(
        "DisableOrganizationsRootCredentialsManagement",
        &Typed(organizations::disable_organizations_root_credentials_management),
    ),
    write(
        "EnableOrganizationsRootSessions",
        &Typed(organizations::enable_organizations_root_sessions),
    ),
    write(
        "DisableOrganizationsRootSessions",
        &Typed(organizations::disable_organizations_root_sessions),
    ),
    read("ListOrganizationsFeatures", &Typed(organizations::list_organizations_features)),
    write(
        "GenerateOrganizationsAccessReport",
        &Typed(organizations_report::generate_organizations_access_report),
    ),
    read(
        "GetOrganizationsAccessReport",
        &Typed(organizations_report::get_organizations_access_report),
    ),
    // Delegation requests.
    write("CreateDelegationRequest", &Typed(delegation_request::create_delegation_request))
        .requiring(&Requiring(delegation_request::create_requirements)),
    write("AssociateDelegationRequest", &Typed(delegation_request::associate_delegation_request)),
    write("UpdateDelegationRequest", &Typed(delegation_request::update_delegation_request))
        .requiring(&Requiring(delegation_request::update_requirements)),
    write("AcceptDelegationRequest", &Typed(delegation_request::accept_delegation_request)),
    write("RejectDelegationRequest", &Typed(delegation_request::reject_delegation_request)),
    write("SendDelegationToken", &Typed(delegation_request::send_delegation_token)),
    read("GetDelegationRequest", &Typed(delegation_request::get_delegation_request)),
    read("ListDelegationRequests", &Typed(delegation_request::list_delegation_requests)),
    read("GetHumanReadableSummary", &Typed(delegation_check::get_human_readable_summary)),
    // Roles.
    write("CreateRole", &Typed(role::create_role)).requiring(&Requiring(requirements::create_role)),
    read("GetRole", &Typed(role::get_role)),
    read("ListRoles", &Typed(role::list_roles)).requiring(&Requiring(requirements::list_roles)),
    write("UpdateRole", &Typed(role::update_role)),
    write("UpdateRoleDescription", &Typed(role::update_role_description)),
    write("UpdateAssumeRolePolicy", &Typed(role::update_assume_role_policy)),
    write("DeleteRole", &Typed(role::delete_role)),
    write("TagRole", &Typed(role::tag_role)),
    write("UntagRole", &Typed(role::untag_role)),
    read("ListRoleTags", &Typed(role::list_role_tags)),
    write("PutRolePermissionsBoundary", &Typed(role::put_role_permissions_boundary)),
    write("DeleteRolePermissionsBoundary", &Typed(role::delete_role_permissions_boundary)),
    write("CreateServiceLinkedRole", &Typed(service_linked_role::create_service_linked_role))
        .requiring(&Requiring(service_linked_role::create_requirements)),
    write("DeleteServiceLinkedRole", &Typed(service_linked_role::delete_service_linked_role)),
    read(
        "GetServiceLinkedRoleDeletionStatus",
        &Typed(service_linked_role::get_service_linked_role_deletion_status),
    )
    .requiring(&Requiring(service_linked_role::deletion_status_requirements)),
    // Managed policies.
    write("CreatePolicy", &Typed(policy::create_policy))
        .requiring(&Requiring(requirements::create_policy)),
    read("GetPolicy", &Typed(policy::get_policy)),
    write("DeletePolicy", &Typed(policy::delete_policy)),
    write("TagPolicy", &Typed(policy::tag_policy)),
    write("UntagPolicy", &Typed(policy::untag_policy)),
    read("ListPolicyTags", &Typed(policy::list_policy_tags)),
    read("ListPolicies", &Typed(policy_list::list_policies))
        .requiring(&Requiring(requirements::list_policies)),
    read("ListEntitiesForPolicy", &Typed(policy_list::list_entities_for_policy)),
    write("CreatePolicyVersion", &Typed(policy_version::create_policy_version)),
    read("GetPolicyVersion", &Typed(policy_version::get_policy_version)),
    read("ListPolicyVersions", &Typed(policy_version::list_policy_versions)),
    write("SetDefaultPolicyVersion", &Typed(policy_version::set_default_policy_version)),
    write("DeletePolicyVersion", &Typed(policy_version::delete_policy_version)),
    write("AttachUserPolicy", &Typed(attachment::attach_user_policy)),
    write("AttachGroupPolicy", &Typed(attachment::attach_group_policy)),
    write("AttachRolePolicy", &Typed(attachment::attach_role_policy)),
    write("DetachUserPolicy", &Typed(attachment::detach_user_policy)),
    write("DetachGroupPolicy", &Typed(attachment::detach_group_policy)),
    write("DetachRolePolicy", &Typed(attachment::detach_role_policy)),
    read("ListAttachedUserPolicies", &Typed(attachment::list_attached_user_policies)),
    read("ListAttachedGroupPolicies", &Typed(attachment::list_attached_group_policies)),
    read("ListAttachedRolePolicies", &Typed(attachment::list_attached_role_policies)),
    // Inline policies.
    write("PutUserPolicy", &Typed(inline_policy::put_user_policy)),
    write("PutGroupPolicy", &Typed(inline_policy::put_group_policy)),
    write("PutRolePolicy", &Typed(inline_policy::put_role_policy)),
    read("GetUserPolicy", &Typed(inline_policy::get_user_policy)),
    read("GetGroupPolicy", &Typed(inline_policy::get_group_policy)),
    read("GetRolePolicy", &Typed(inline_policy::get_role_policy)),
    write("DeleteUserPolicy", &Typed(inline_policy::delete_user_policy)),
    write("DeleteGroupPolicy", &Typed(inline_policy::delete_group_policy)),
    write("DeleteRolePolicy", &Typed(inline_policy::delete_role_policy)),
    read("ListUserPolicies", &Typed(inline_policy::list_user_policies)),
    read("ListGroupPolicies", &Typed(inline_policy::list_group_policies)),
    read("ListRolePolicies", &Typed(inline_policy::list_role_policies)),
    // The policy simulator.
    read("SimulateCustomPolicy", &Typed(simulation::simulate_custom_policy)),
    read("SimulatePrincipalPolicy", &Typed(simulation::simulate_principal_policy)),
    read("GetContextKeysForCustomPolicy", &Typed(context_keys::get_context_keys_for_custom_policy)),
    read(
        "GetContextKeysForPrincipalPolicy",
        &Typed(context_keys::get_context_keys_for_principal_policy),
    ),
    // SAML providers.
    write("CreateSAMLProvider", &Typed(saml_provider::create_saml_provider)),
    read("GetSAMLProvider", &Typed(saml_provider::get_saml_provider)),
    read("ListSAMLProviders", &Typed(saml_provider::list_saml_providers))
        .requiring(&Requiring(requirements::list_saml_providers)),
    write("UpdateSAMLProvider", &Typed(saml_provider::update_saml_provider)),
    write("DeleteSAMLProvider", &Typed(saml_provider::delete_saml_provider)),
    write("TagSAMLProvider", &Typed(saml_provider::tag_saml_provider)),
    write("UntagSAMLProvider", &Typed(saml_provider::untag_saml_provider)),
    read("ListSAMLProviderTags", &Typed(saml_provider::list_saml_provider_tags)),
    // OpenID Connect providers.
    write("CreateOpenIDConnectProvider", &Typed(oidc_provider::create_open_id_connect_provider))
        .requiring(&Requiring(requirements::create_open_id_connect_provider)),
    read("GetOpenIDConnectProvider", &Typed(oidc_provider::get_open_id_connect_provider)),
    read("ListOpenIDConnectProviders", &Typed(oidc_provider::list_open_id_connect_providers))
        .requiring(&Requiring(requirements::list_open_id_connect_providers)),
    write("DeleteOpenIDConnectProvider", &Typed(oidc_provider::delete_open_id_connect_provider)),
    write(
        "AddClientIDToOpenIDConnectProvider",
        &Typed(oidc_provider::add_client_id_to_open_id_connect_provider),
    ),
    write(
        "RemoveClientIDFromOpenIDConnectProvider",
        &Typed(oidc_provider::remove_client_id_from_open_id_connect_provider),
    ),
    write(
        "UpdateOpenIDConnectProviderThumbprint",
        &Typed(oidc_provider::update_open_id_connect_provider_thumbprint),
    ),
    write("TagOpenIDConnectProvider", &Typed(oidc_provider::tag_open_id_connect_provider)),
    write("UntagOpenIDConnectProvider", &Typed(oidc_provider::untag_open_id_connect_provider)),
    read(
        "ListOpenIDConnectProviderTags",
        &Typed(oidc_provider::list_open_id_connect_provider_tags),
    ),
    // Instance profiles.
    write("CreateInstanceProfile", &Typed(instance_profile::create_instance_profile))
        .requiring(&Requiring(requirements::create_instance_profile)),
    read("GetInstanceProfile", &Typed(instance_profile::get_instance_profile)),
    read("ListInstanceProfiles", &Typed(instance_profile::list_instance_profiles))
        .requiring(&Requiring(requirements::list_instance_profiles)),
    read("ListInstanceProfilesForRole", &Typed(instance_profile::list_instance_profiles_for_role)),
    write("AddRoleToInstanceProfile", &Typed(instance_profile::add_role_to_instance_profile))
        .requiring(&Requiring(instance_profile::add_role_requirements)),
    write(
        "RemoveRoleFromInstanceProfile",
        &Typed(instance_profile::remove_role_from_instance_profile),
    ),
    write("DeleteInstanceProfile", &Typed(instance_profile::delete_instance_profile)),
    write("TagInstanceProfile", &Typed(instance_profile::tag_instance_profile)),
    write("UntagInstanceProfile", &Typed(instance_profile::untag_instance_profile)),
    read("ListInstanceProfileTags", &Typed(instance_profile::list_instance_profile_tags)),
];
