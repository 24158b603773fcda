//! What IAM keeps of the account itself: its alias, the root user's keys, and the counts that
//! GetAccountSummary shows.
//!
//! Source: IAM API reference, CreateAccountAlias, GetAccountSummary.

use super::principal::Owner;
use super::{list, password, quota, signing_certificate};
use crate::accounts::ACCOUNTS;
use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use palisade_model::iam::{
    CreateAccountAliasRequest, DeleteAccountAliasRequest, ENTITY_ALREADY_EXISTS,
    GetAccountSummaryResponse, ListAccountAliasesRequest, ListAccountAliasesResponse,
    NO_SUCH_ENTITY, SetSecurityTokenServicePreferencesRequest, global_endpoint_token_version,
};
use palisade_shape::{Nothing, Result, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// IAM's own record of an account. An account without one has neither alias nor root keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// An account has one alias at most.
    pub alias: Option<String>,
    /// The ids of the root user's access keys, in the order of their creation.
    #[serde(default)]
    pub access_keys: Vec<String>,
    /// When root last signed in with its password.
    #[serde(default)]
    pub password_last_used_millis: Option<i64>,
    /// The version of the tokens of STS's global endpoint, if it was ever chosen: 1 or 2.
    #[serde(default)]
    pub token_version: Option<u64>,
    /// The serial numbers of the root user's MFA devices, in the order of their enabling.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mfa_devices: Vec<String>,
}

/// One row an account.
static RECORDS: Table<Record> = Table::of_private(
    "iam/account",
    Scope::Account,
    |_| String::new(),
    |_| internal("the account's record is there already"),
    |_| internal("there is no record of the account"),
);

/// Which account has an alias: aliases name accounts in sign-in addresses, so all accounts share
/// them.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Alias {
    alias: String,
    account: String,
}

static ALIASES: Table<Alias> = Table::of_private(
    "iam/account-alias",
    Scope::Plane,
    |row| row.alias.clone(),
    |row| {
        let alias = &row.alias;
        ENTITY_ALREADY_EXISTS.because(format!("The account alias {alias} already exists."))
    },
    |alias| NO_SUCH_ENTITY.because(format!("The account alias {alias} cannot be found.")),
);

pub fn load(cx: &Context) -> Result<Record> {
    Ok(cx.get(&RECORDS, "")?.unwrap_or_default())
}

pub fn save(cx: &mut Context, record: &Record) -> Result<()> {
    cx.put(&RECORDS, record)
}

/// When the account was made.
pub fn created(cx: &Context) -> Result<Timestamp> {
    let account = cx.find(&ACCOUNTS, cx.account())?;
    Ok(Timestamp::from_millis(account.created_millis).whole_seconds())
}

/// The account that an alias names, in a sign-in address.
pub fn of_alias(cx: &Context, alias: &str) -> Result<Option<String>> {
    Ok(cx.get(&ALIASES, alias)?.map(|row| row.account))
}

/// Gives the account an alias, in place of the one it has. Refuses one that any account has.
pub fn create_account_alias(cx: &mut Context, input: CreateAccountAliasRequest) -> Result<Nothing> {
    let alias = input.account_alias;
    let mut record = load(cx)?;
    cx.insert(&ALIASES, &Alias { alias: alias.clone(), account: cx.account().to_owned() })?;
    if let Some(old) = record.alias.replace(alias) {
        cx.delete(&ALIASES, &old)?;
    }
    save(cx, &record)?;
    Ok(Nothing)
}

/// Takes the account's alias away.
pub fn delete_account_alias(cx: &mut Context, input: DeleteAccountAliasRequest) -> Result<Nothing> {
    let mut record = load(cx)?;
    if record.alias.as_ref() != Some(&input.account_alias) {
        return Err((ALIASES.missing)(&input.account_alias));
    }
    cx.delete(&ALIASES, &input.account_alias)?;
    record.alias = None;
    save(cx, &record)?;
    Ok(Nothing)
}

/// Lists the account's alias, if it has one.
pub fn list_account_aliases(
    cx: &mut Context,
    input: ListAccountAliasesRequest,
) -> Result<ListAccountAliasesResponse> {
    let ListAccountAliasesRequest { marker, max_items } = input;
    let aliases: Vec<String> = load(cx)?.alias.into_iter().collect();
    let page = list::of_items(aliases, marker.as_deref(), max_items)?;
    Ok(ListAccountAliasesResponse {
        account_aliases: page.items,
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}

/// Whether the root user can sign in with a password.
pub fn root_has_password(cx: &Context) -> Result<bool> {
    let profile = password::profile(cx, &Owner::Root)?;
    Ok(profile.is_some_and(|profile| !profile.passwords.is_empty()))
}

/// Chooses the version of the session tokens that STS's global endpoint hands out.
/// GetAccountSummary shows it; Palisade's tokens are valid in all regions either way.
pub fn set_security_token_service_preferences(
    cx: &mut Context,
    input: SetSecurityTokenServicePreferencesRequest,
) -> Result<Nothing> {
    let second = input.global_endpoint_token_version == global_endpoint_token_version::V2_TOKEN;
    let mut record = load(cx)?;
    record.token_version = Some(if second { 2 } else { 1 });
    save(cx, &record)?;
    Ok(Nothing)
}

/// Counts what the account has and says how much it may have. Reads one counter for each kind, so
/// the size of the account does not matter.
pub fn get_account_summary(cx: &mut Context, _: Nothing) -> Result<GetAccountSummaryResponse> {
    let record = load(cx)?;
    let used = |quota| quota::used(cx, quota);
    let most = |quota| quota::most(cx, quota);
    // Hardware tokens are the account's while somebody uses them.
    let tokens = used(&quota::MFA_TOKENS_IN_USE)?;
    let mfa_devices = used(&quota::VIRTUAL_MFA_DEVICES)? + tokens;
    let figures = [
        ("AccessKeysPerUserQuota", most(&quota::ACCESS_KEYS_PER_USER)?),
        ("AccountAccessKeysPresent", u64::from(!record.access_keys.is_empty())),
        ("AccountPasswordPresent", u64::from(root_has_password(cx)?)),
        ("AccountSigningCertificatesPresent", u64::from(signing_certificate::root_has_one(cx)?)),
        ("AssumeRolePolicySizeQuota", most(&quota::TRUST_POLICY_SIZE)?),
        ("AttachedPoliciesPerGroupQuota", most(&quota::POLICIES_PER_GROUP)?),
        ("AttachedPoliciesPerRoleQuota", most(&quota::POLICIES_PER_ROLE)?),
        ("AttachedPoliciesPerUserQuota", most(&quota::POLICIES_PER_USER)?),
        ("GlobalEndpointTokenVersion", record.token_version.unwrap_or(1)),
        ("GroupPolicySizeQuota", most(&quota::GROUP_POLICY_SIZE)?),
        ("Groups", used(&quota::GROUPS)?),
        ("GroupsPerUserQuota", most(&quota::GROUPS_PER_USER)?),
        ("GroupsQuota", most(&quota::GROUPS)?),
        ("InstanceProfiles", used(&quota::INSTANCE_PROFILES)?),
        ("InstanceProfilesQuota", most(&quota::INSTANCE_PROFILES)?),
        ("AccountMFAEnabled", u64::from(!record.mfa_devices.is_empty())),
        ("MFADevices", mfa_devices),
        ("MFADevicesInUse", used(&quota::MFA_DEVICES_IN_USE)?),
        ("Policies", used(&quota::POLICIES)?),
        ("PoliciesQuota", most(&quota::POLICIES)?),
        ("PolicySizeQuota", most(&quota::POLICY_SIZE)?),
        ("PolicyVersionsInUse", used(&quota::POLICY_VERSIONS_IN_USE)?),
        ("PolicyVersionsInUseQuota", most(&quota::POLICY_VERSIONS_IN_USE)?),
        ("Providers", used(&quota::OIDC_PROVIDERS)? + used(&quota::SAML_PROVIDERS)?),
        ("RolePolicySizeQuota", most(&quota::ROLE_POLICY_SIZE)?),
        ("Roles", used(&quota::ROLES)?),
        ("RolesQuota", most(&quota::ROLES)?),
        ("ServerCertificates", used(&quota::SERVER_CERTIFICATES)?),
        ("ServerCertificatesQuota", most(&quota::SERVER_CERTIFICATES)?),
        ("SigningCertificatesPerUserQuota", most(&quota::SIGNING_CERTIFICATES_PER_USER)?),
        ("UserPolicySizeQuota", most(&quota::USER_POLICY_SIZE)?),
        ("Users", used(&quota::USERS)?),
        ("UsersQuota", most(&quota::USERS)?),
        ("VersionsPerPolicyQuota", most(&quota::VERSIONS_PER_POLICY)?),
    ];
    let number = |figure| i32::try_from(figure).unwrap_or(i32::MAX);
    let summary: BTreeMap<String, i32> =
        figures.into_iter().map(|(name, figure)| (name.to_owned(), number(figure))).collect();
    Ok(GetAccountSummaryResponse { summary_map: Some(summary) })
}

#[cfg(test)]
mod tests;
