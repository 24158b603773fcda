//! What the caller must be allowed where the authorization table is not enough: calls whose user is
//! the caller when none is named, new resources with a path, and renames, which concern both names.
//!
//! Sources: Service Authorization Reference, "Actions, resources, and condition keys for AWS
//! Identity and Access Management"; IAM API reference, UpdateUser and UpdateGroup.

use super::access::Kind;
use super::mfa_device::Form;
use super::principal::{Owner, named_or_own};
use super::{access_key, group, server_certificate, tag, user};
use crate::authorization::Requirement;
use crate::caller::Principal;
use crate::context::Context;
use palisade_model::iam::{
    AddUserToGroupRequest, ChangePasswordRequest, CreateAccessKeyRequest, CreateGroupRequest,
    CreateInstanceProfileRequest, CreateLoginProfileRequest, CreateOpenIDConnectProviderRequest,
    CreatePolicyRequest, CreateRoleRequest, CreateUserRequest, CreateVirtualMFADeviceRequest,
    DeactivateMFADeviceRequest, DeleteAccessKeyRequest, DeleteLoginProfileRequest,
    DeleteServiceSpecificCredentialRequest, DeleteSigningCertificateRequest,
    EnableMFADeviceRequest, GetAccessKeyLastUsedRequest, GetLoginProfileRequest,
    GetMFADeviceRequest, GetUserRequest, ListAccessKeysRequest, ListGroupsRequest,
    ListInstanceProfilesRequest, ListMFADevicesRequest, ListOpenIDConnectProvidersRequest,
    ListPoliciesRequest, ListRolesRequest, ListSAMLProvidersRequest, ListSSHPublicKeysRequest,
    ListServerCertificatesRequest, ListServiceSpecificCredentialsRequest,
    ListSigningCertificatesRequest, ListUsersRequest, ListVirtualMFADevicesRequest,
    RemoveUserFromGroupRequest, ResetServiceSpecificCredentialRequest, ResyncMFADeviceRequest, Tag,
    UpdateAccessKeyRequest, UpdateGroupRequest, UpdateServerCertificateRequest,
    UpdateServiceSpecificCredentialRequest, UpdateSigningCertificateRequest, UpdateUserRequest,
    UploadServerCertificateRequest, UploadSigningCertificateRequest,
};
use palisade_shape::Result;

type Requirements = Result<Vec<Requirement>>;

/// One action on a resource of the account.
fn one(cx: &Context, action: &str, kind: &str, arn: String) -> Requirement {
    Requirement::new(format!("iam:{action}"), arn, cx.account()).of_kind(kind)
}

/// A new resource: its ARN has the path of the request.
fn new(
    cx: &Context,
    action: &str,
    kind: &str,
    (path, name): (Option<&str>, &str),
    tags: Option<&[Tag]>,
) -> Requirement {
    let arn = cx.iam_arn(kind, path.unwrap_or("/"), name);
    one(cx, action, kind, arn).with_tags(tag::pairs(tags))
}

fn with_boundary(requirement: Requirement, boundary: Option<&String>) -> Requirement {
    match boundary {
        Some(arn) => requirement.with_key("iam:PermissionsBoundary", arn),
        None => requirement,
    }
}

/// The ARN of a user or group as it is stored, or as it would be without a path.
fn stored(cx: &Context, kind: Kind, name: &str) -> Result<String> {
    let key = name.to_lowercase();
    let found = match kind {
        Kind::User => cx.get(&user::USERS, &key)?.map(|user| user.arn),
        Kind::Group => cx.get(&group::GROUPS, &key)?.map(|group| group.arn),
        Kind::Role => cx.get(&super::role::ROLES, &key)?.map(|role| role.arn),
    };
    Ok(found.unwrap_or_else(|| cx.iam_arn(kind.word(), "/", name)))
}

pub fn create_user(cx: &mut Context, input: &CreateUserRequest) -> Requirements {
    let named = (input.path.as_deref(), input.user_name.as_str());
    let requirement = new(cx, "CreateUser", "user", named, input.tags.as_deref());
    Ok(vec![with_boundary(requirement, input.permissions_boundary.as_ref())])
}

pub fn create_group(cx: &mut Context, input: &CreateGroupRequest) -> Requirements {
    let arn = cx.iam_arn("group", input.path.as_deref().unwrap_or("/"), &input.group_name);
    Ok(vec![one(cx, "CreateGroup", "group", arn)])
}

pub fn create_role(cx: &mut Context, input: &CreateRoleRequest) -> Requirements {
    let named = (input.path.as_deref(), input.role_name.as_str());
    let requirement = new(cx, "CreateRole", "role", named, input.tags.as_deref());
    Ok(vec![with_boundary(requirement, input.permissions_boundary.as_ref())])
}

pub fn create_policy(cx: &mut Context, input: &CreatePolicyRequest) -> Requirements {
    let named = (input.path.as_deref(), input.policy_name.as_str());
    Ok(vec![new(cx, "CreatePolicy", "policy", named, input.tags.as_deref())])
}

pub fn create_instance_profile(
    cx: &mut Context,
    input: &CreateInstanceProfileRequest,
) -> Requirements {
    let named = (input.path.as_deref(), input.instance_profile_name.as_str());
    let tags = input.tags.as_deref();
    Ok(vec![new(cx, "CreateInstanceProfile", "instance-profile", named, tags)])
}

/// The user as it is and, when name or path change, as it will be.
pub fn update_user(cx: &mut Context, input: &UpdateUserRequest) -> Requirements {
    let known = cx.get(&user::USERS, &input.user_name.to_lowercase())?;
    let (arn, path) = match known {
        Some(user) => (user.arn, user.path),
        None => (cx.iam_arn("user", "/", &input.user_name), "/".to_owned()),
    };
    let path = input.new_path.as_ref().unwrap_or(&path);
    let name = input.new_user_name.as_ref().unwrap_or(&input.user_name);
    let target = cx.iam_arn("user", path, name);
    Ok(source_and_target(cx, "UpdateUser", "user", arn, target))
}

/// The group as it is and, when name or path change, as it will be.
pub fn update_group(cx: &mut Context, input: &UpdateGroupRequest) -> Requirements {
    let known = cx.get(&group::GROUPS, &input.group_name.to_lowercase())?;
    let (arn, path) = match known {
        Some(group) => (group.arn, group.path),
        None => (cx.iam_arn("group", "/", &input.group_name), "/".to_owned()),
    };
    let path = input.new_path.as_ref().unwrap_or(&path);
    let name = input.new_group_name.as_ref().unwrap_or(&input.group_name);
    let target = cx.iam_arn("group", path, name);
    Ok(source_and_target(cx, "UpdateGroup", "group", arn, target))
}

fn source_and_target(
    cx: &Context,
    action: &str,
    kind: &str,
    source: String,
    target: String,
) -> Vec<Requirement> {
    let moves = source != target;
    let mut requirements = vec![one(cx, action, kind, source)];
    if moves {
        requirements.push(one(cx, action, kind, target));
    }
    requirements
}

pub fn upload_server_certificate(
    cx: &mut Context,
    input: &UploadServerCertificateRequest,
) -> Requirements {
    let named = (input.path.as_deref(), input.server_certificate_name.as_str());
    let tags = input.tags.as_deref();
    Ok(vec![new(cx, "UploadServerCertificate", "server-certificate", named, tags)])
}

/// The certificate as it is and, when name or path change, as it will be.
pub fn update_server_certificate(
    cx: &mut Context,
    input: &UpdateServerCertificateRequest,
) -> Requirements {
    const KIND: &str = "server-certificate";
    let name = &input.server_certificate_name;
    let known = cx.get(&server_certificate::CERTIFICATES, &name.to_lowercase())?;
    let (arn, path) = match known {
        Some(record) => (record.arn(cx), record.path),
        None => (cx.iam_arn(KIND, "/", name), "/".to_owned()),
    };
    let path = input.new_path.as_ref().unwrap_or(&path);
    let name = input.new_server_certificate_name.as_ref().unwrap_or(name);
    let target = cx.iam_arn(KIND, path, name);
    Ok(source_and_target(cx, "UpdateServerCertificate", KIND, arn, target))
}

/// A list is asked for by its path: AWS's denial names `arn:aws:iam::…:user/`, and a policy for
/// `user/*` allows it, though the reference has no resource type for it.
fn list(cx: &Context, action: &str, kind: &str, path: Option<&str>) -> Requirements {
    let arn = cx.iam_arn(kind, path.unwrap_or("/"), "");
    Ok(vec![one(cx, action, "", arn)])
}

pub fn list_users(cx: &mut Context, input: &ListUsersRequest) -> Requirements {
    list(cx, "ListUsers", "user", input.path_prefix.as_deref())
}

pub fn list_groups(cx: &mut Context, input: &ListGroupsRequest) -> Requirements {
    list(cx, "ListGroups", "group", input.path_prefix.as_deref())
}

pub fn list_roles(cx: &mut Context, input: &ListRolesRequest) -> Requirements {
    list(cx, "ListRoles", "role", input.path_prefix.as_deref())
}

pub fn list_instance_profiles(
    cx: &mut Context,
    input: &ListInstanceProfilesRequest,
) -> Requirements {
    list(cx, "ListInstanceProfiles", "instance-profile", input.path_prefix.as_deref())
}

pub fn list_server_certificates(
    cx: &mut Context,
    input: &ListServerCertificatesRequest,
) -> Requirements {
    list(cx, "ListServerCertificates", "server-certificate", input.path_prefix.as_deref())
}

/// The one list that AWS's denial names in words.
pub fn list_policies(cx: &mut Context, input: &ListPoliciesRequest) -> Requirements {
    let path = input.path_prefix.as_deref().unwrap_or("/");
    Ok(vec![one(cx, "ListPolicies", "", format!("policy path {path}"))])
}

/// Membership is the group's business: the user does not matter.
pub fn add_user_to_group(cx: &mut Context, input: &AddUserToGroupRequest) -> Requirements {
    let arn = stored(cx, Kind::Group, &input.group_name)?;
    Ok(vec![one(cx, "AddUserToGroup", "group", arn)])
}

/// Membership is the group's business: the user does not matter.
pub fn remove_user_from_group(
    cx: &mut Context,
    input: &RemoveUserFromGroupRequest,
) -> Requirements {
    let arn = stored(cx, Kind::Group, &input.group_name)?;
    Ok(vec![one(cx, "RemoveUserFromGroup", "group", arn)])
}

pub fn get_user(cx: &mut Context, input: &GetUserRequest) -> Requirements {
    on_owner(cx, "GetUser", input.user_name.as_deref())
}

pub fn create_access_key(cx: &mut Context, input: &CreateAccessKeyRequest) -> Requirements {
    on_owner(cx, "CreateAccessKey", input.user_name.as_deref())
}

pub fn list_access_keys(cx: &mut Context, input: &ListAccessKeysRequest) -> Requirements {
    on_owner(cx, "ListAccessKeys", input.user_name.as_deref())
}

pub fn update_access_key(cx: &mut Context, input: &UpdateAccessKeyRequest) -> Requirements {
    on_owner(cx, "UpdateAccessKey", input.user_name.as_deref())
}

pub fn delete_access_key(cx: &mut Context, input: &DeleteAccessKeyRequest) -> Requirements {
    on_owner(cx, "DeleteAccessKey", input.user_name.as_deref())
}

pub fn create_login_profile(cx: &mut Context, input: &CreateLoginProfileRequest) -> Requirements {
    on_owner(cx, "CreateLoginProfile", input.user_name.as_deref())
}

pub fn get_login_profile(cx: &mut Context, input: &GetLoginProfileRequest) -> Requirements {
    on_owner(cx, "GetLoginProfile", input.user_name.as_deref())
}

pub fn delete_login_profile(cx: &mut Context, input: &DeleteLoginProfileRequest) -> Requirements {
    on_owner(cx, "DeleteLoginProfile", input.user_name.as_deref())
}

/// It is always the caller's own.
pub fn change_password(cx: &mut Context, _: &ChangePasswordRequest) -> Requirements {
    match cx.caller.principal {
        Principal::User { .. } | Principal::Root => on_owner(cx, "ChangePassword", None),
        _ => Ok(vec![one(cx, "ChangePassword", "", "*".to_owned())]),
    }
}

pub fn list_ssh_public_keys(cx: &mut Context, input: &ListSSHPublicKeysRequest) -> Requirements {
    on_owner(cx, "ListSSHPublicKeys", input.user_name.as_deref())
}

pub fn upload_signing_certificate(
    cx: &mut Context,
    input: &UploadSigningCertificateRequest,
) -> Requirements {
    on_owner(cx, "UploadSigningCertificate", input.user_name.as_deref())
}

pub fn list_signing_certificates(
    cx: &mut Context,
    input: &ListSigningCertificatesRequest,
) -> Requirements {
    on_owner(cx, "ListSigningCertificates", input.user_name.as_deref())
}

pub fn update_signing_certificate(
    cx: &mut Context,
    input: &UpdateSigningCertificateRequest,
) -> Requirements {
    on_owner(cx, "UpdateSigningCertificate", input.user_name.as_deref())
}

pub fn delete_signing_certificate(
    cx: &mut Context,
    input: &DeleteSigningCertificateRequest,
) -> Requirements {
    on_owner(cx, "DeleteSigningCertificate", input.user_name.as_deref())
}

/// Of all users, or of one.
pub fn list_service_credentials(
    cx: &mut Context,
    input: &ListServiceSpecificCredentialsRequest,
) -> Requirements {
    const ACTION: &str = "ListServiceSpecificCredentials";
    if input.all_users == Some(true) {
        return Ok(vec![one(cx, ACTION, "", "*".to_owned())]);
    }
    on_owner(cx, ACTION, input.user_name.as_deref())
}

pub fn update_service_credential(
    cx: &mut Context,
    input: &UpdateServiceSpecificCredentialRequest,
) -> Requirements {
    on_owner(cx, "UpdateServiceSpecificCredential", input.user_name.as_deref())
}

pub fn reset_service_credential(
    cx: &mut Context,
    input: &ResetServiceSpecificCredentialRequest,
) -> Requirements {
    on_owner(cx, "ResetServiceSpecificCredential", input.user_name.as_deref())
}

pub fn delete_service_credential(
    cx: &mut Context,
    input: &DeleteServiceSpecificCredentialRequest,
) -> Requirements {
    on_owner(cx, "DeleteServiceSpecificCredential", input.user_name.as_deref())
}

pub fn create_virtual_mfa_device(
    cx: &mut Context,
    input: &CreateVirtualMFADeviceRequest,
) -> Requirements {
    let named = (input.path.as_deref(), input.virtual_mfa_device_name.as_str());
    Ok(vec![new(cx, "CreateVirtualMFADevice", "mfa", named, input.tags.as_deref())])
}

pub fn enable_mfa_device(cx: &mut Context, input: &EnableMFADeviceRequest) -> Requirements {
    let requirements = on_device_owner(cx, "EnableMFADevice", Some(&input.user_name))?;
    if Form::of(&input.serial_number) != Form::SecurityKey {
        return Ok(requirements);
    }
    // Registering and enabling are one step here and two decisions, as AWS has them.
    let of = |step: &'static str| {
        let requirements = requirements.clone().into_iter();
        requirements.map(move |one| one.with_key("iam:RegisterSecurityKey", step))
    };
    Ok(of("Create").chain(of("Activate")).collect())
}

pub fn deactivate_mfa_device(cx: &mut Context, input: &DeactivateMFADeviceRequest) -> Requirements {
    on_device_owner(cx, "DeactivateMFADevice", input.user_name.as_deref())
}

pub fn resync_mfa_device(cx: &mut Context, input: &ResyncMFADeviceRequest) -> Requirements {
    on_device_owner(cx, "ResyncMFADevice", Some(&input.user_name))
}

pub fn get_mfa_device(cx: &mut Context, input: &GetMFADeviceRequest) -> Requirements {
    on_device_owner(cx, "GetMFADevice", input.user_name.as_deref())
}

pub fn list_mfa_devices(cx: &mut Context, input: &ListMFADevicesRequest) -> Requirements {
    on_device_owner(cx, "ListMFADevices", input.user_name.as_deref())
}

pub fn list_virtual_mfa_devices(
    cx: &mut Context,
    _input: &ListVirtualMFADevicesRequest,
) -> Requirements {
    list(cx, "ListVirtualMFADevices", "mfa", None)
}

pub fn list_saml_providers(cx: &mut Context, _: &ListSAMLProvidersRequest) -> Requirements {
    list(cx, "ListSAMLProviders", "saml-provider", None)
}

pub fn list_open_id_connect_providers(
    cx: &mut Context,
    _: &ListOpenIDConnectProvidersRequest,
) -> Requirements {
    list(cx, "ListOpenIDConnectProviders", "oidc-provider", None)
}

/// The provider's name is its whole address, path included.
pub fn create_open_id_connect_provider(
    cx: &mut Context,
    input: &CreateOpenIDConnectProviderRequest,
) -> Requirements {
    let url = input.url.strip_prefix("https://").unwrap_or(&input.url);
    let named = (None, url.trim_end_matches('/'));
    let tags = input.tags.as_deref();
    Ok(vec![new(cx, "CreateOpenIDConnectProvider", "oidc-provider", named, tags)])
}

/// Like [`on_owner`], where root's name is its account id.
fn on_device_owner(cx: &Context, action: &str, name: Option<&str>) -> Requirements {
    match name {
        Some(name) if cx.caller.is_root() && name == cx.account() => on_owner(cx, action, None),
        name => on_owner(cx, action, name),
    }
}

/// The user that is named, else the caller's own, else (for root) the account's root.
fn on_owner(cx: &Context, action: &str, name: Option<&str>) -> Requirements {
    let (kind, arn) = match named_or_own(cx, name)? {
        Owner::User(name) => ("user", stored(cx, Kind::User, &name)?),
        Owner::Root => ("", root_arn(cx)),
    };
    Ok(vec![one(cx, action, kind, arn)])
}

/// The user that the key belongs to. A key that is not of this account, or not at all, is asked for
/// as AWS words it in its denial, so that only who may ask about everything learns more.
pub fn get_access_key_last_used(
    cx: &mut Context,
    input: &GetAccessKeyLastUsedRequest,
) -> Requirements {
    let requirement = match access_key::owner_arn(cx, &input.access_key_id)? {
        Some(arn) if arn.ends_with(":root") => one(cx, "GetAccessKeyLastUsed", "", arn),
        Some(arn) => one(cx, "GetAccessKeyLastUsed", "user", arn),
        None => one(cx, "GetAccessKeyLastUsed", "", "*".to_owned()),
    };
    Ok(vec![requirement])
}

fn root_arn(cx: &Context) -> String {
    format!("arn:{}:iam::{}:root", cx.partition(), cx.account())
}
