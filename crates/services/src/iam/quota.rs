//! How many of each kind an account has, and may have (IAM User Guide, "IAM and AWS STS quotas").
//! The number is kept beside the records, so that creating the thousandth one costs what the first
//! one did, and GetAccountSummary reads a handful of rows.

use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use palisade_model::iam::LIMIT_EXCEEDED;
use palisade_shape::{Error, Result};
use serde::{Deserialize, Serialize};

/// A quota. What an account has been granted beyond it, or is held to below it, is stored
/// ([`grant`]).
pub struct Quota {
    /// As AWS's message names it.
    pub name: &'static str,
    /// Without a grant: a number, or a size in characters.
    pub most: u64,
}

const fn quota(name: &'static str, most: u64) -> Quota {
    Quota { name, most }
}

// Of the account; counted.
pub static USERS: Quota = quota("UsersPerAccount", 5000);
pub static GROUPS: Quota = quota("GroupsPerAccount", 300);
pub static ROLES: Quota = quota("RolesPerAccount", 1000);
pub static POLICIES: Quota = quota("PoliciesPerAccount", 1500);
pub static INSTANCE_PROFILES: Quota = quota("InstanceProfilesPerAccount", 1000);
pub static POLICY_VERSIONS_IN_USE: Quota = quota("PolicyVersionsInUse", 10_000);
/// Assigned or not, as many as users (IAM User Guide, "IAM and AWS STS quotas").
pub static VIRTUAL_MFA_DEVICES: Quota = quota("VirtualMFADevicesPerAccount", 5000);
/// Counted and not limited.
pub static MFA_DEVICES_IN_USE: Quota = quota("MFADevicesInUse", u64::MAX);
pub static MFA_TOKENS_IN_USE: Quota = quota("MFATokensInUse", u64::MAX);
pub static OIDC_PROVIDERS: Quota = quota("OpenIdConnectProvidersPerAccount", 100);
pub static SAML_PROVIDERS: Quota = quota("SAMLProvidersPerAccount", 100);
pub static SERVER_CERTIFICATES: Quota = quota("ServerCertificatesPerAccount", 20);

// Of one principal, policy or profile.
pub static ACCESS_KEYS_PER_USER: Quota = quota("AccessKeysPerUser", 2);
pub static CLIENTS_PER_OIDC_PROVIDER: Quota = quota("ClientIdsPerOpenIdConnectProvider", 100);
pub static MFA_DEVICES_PER_USER: Quota = quota("MFADevicesPerUser", 8);
pub static SIGNING_CERTIFICATES_PER_USER: Quota = quota("CertificatesPerUser", 2);
pub static SSH_PUBLIC_KEYS_PER_USER: Quota = quota("SSHPublicKeysPerUser", 5);
/// For each service.
pub static SERVICE_CREDENTIALS_PER_USER: Quota = quota("ServiceSpecificCredentialsPerUser", 2);
pub static GROUPS_PER_USER: Quota = quota("GroupsPerUser", 10);
pub static POLICIES_PER_USER: Quota = quota("PoliciesPerUser", 10);
pub static POLICIES_PER_GROUP: Quota = quota("PoliciesPerGroup", 10);
pub static POLICIES_PER_ROLE: Quota = quota("PoliciesPerRole", 10);
pub static VERSIONS_PER_POLICY: Quota = quota("VersionsPerPolicy", 5);
/// An instance profile holds one role, and that cannot be raised.
pub static ROLES_PER_INSTANCE_PROFILE: Quota = quota("InstanceSessionsPerInstanceProfile", 1);

// Sizes of documents, in characters without white space; of inline policies, all of a principal's.
pub static POLICY_SIZE: Quota = quota("PolicySize", 6144);
pub static TRUST_POLICY_SIZE: Quota = quota("ACLSizePerRole", 2048);
pub static USER_POLICY_SIZE: Quota = quota("PolicySizePerUser", 2048);
pub static GROUP_POLICY_SIZE: Quota = quota("PolicySizePerGroup", 5120);
pub static ROLE_POLICY_SIZE: Quota = quota("PolicySizePerRole", 10_240);

/// Tags on one resource.
pub const TAGS: usize = 50;

/// The figure of one quota: how much is used of it, or how much was granted.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Figure {
    name: String,
    figure: u64,
}

static USED: Table<Figure> = Table::of_private("iam/count", Scope::Account, name, taken, missing);
static GRANTED: Table<Figure> =
    Table::of_private("iam/quota", Scope::Account, name, taken, missing);

fn name(row: &Figure) -> String {
    row.name.clone()
}

fn taken(row: &Figure) -> Error {
    internal(format!("there is a figure of {} already", row.name))
}

fn missing(name: &str) -> Error {
    internal(format!("there is no figure of {name}"))
}

/// How many of the kind the account has.
pub fn used(cx: &Context, quota: &Quota) -> Result<u64> {
    Ok(cx.get(&USED, quota.name)?.map_or(0, |row| row.figure))
}

/// How many the account may have.
pub fn most(cx: &Context, quota: &Quota) -> Result<u64> {
    Ok(cx.get(&GRANTED, quota.name)?.map_or(quota.most, |row| row.figure))
}

/// Sets another limit for the account.
pub fn grant(cx: &mut Context, quota: &Quota, figure: u64) -> Result<()> {
    cx.put(&GRANTED, &Figure { name: quota.name.to_owned(), figure })
}

/// Counts one more, or refuses what would exceed the quota.
pub fn take(cx: &mut Context, quota: &Quota) -> Result<()> {
    let figure = used(cx, quota)? + 1;
    check(cx, quota, usize::try_from(figure).unwrap_or(usize::MAX))?;
    cx.put(&USED, &Figure { name: quota.name.to_owned(), figure })
}

/// Counts one more of what has no limit.
pub fn add(cx: &mut Context, quota: &Quota) -> Result<()> {
    let figure = used(cx, quota)? + 1;
    cx.put(&USED, &Figure { name: quota.name.to_owned(), figure })
}

/// Counts one less.
pub fn give_back(cx: &mut Context, quota: &Quota) -> Result<()> {
    let figure = used(cx, quota)?.saturating_sub(1);
    cx.put(&USED, &Figure { name: quota.name.to_owned(), figure })
}

/// Refuses a number or size that exceeds the quota.
pub fn check(cx: &Context, quota: &Quota, wanted: usize) -> Result<()> {
    let most = most(cx, quota)?;
    if u64::try_from(wanted).unwrap_or(u64::MAX) <= most {
        return Ok(());
    }
    let name = quota.name;
    Err(LIMIT_EXCEEDED.because(format!("Cannot exceed quota for {name}: {most}")))
}
