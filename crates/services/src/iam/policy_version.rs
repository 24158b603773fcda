//! The versions of customer managed policies: at most five, never changed, their numbers never used
//! again. The principal's policy is always the default version.

use super::{document, managed, policy, quota};
use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use palisade_model::iam::{
    CreatePolicyVersionRequest, CreatePolicyVersionResponse, DELETE_CONFLICT,
    DeletePolicyVersionRequest, GetPolicyVersionRequest, GetPolicyVersionResponse, LIMIT_EXCEEDED,
    ListPolicyVersionsRequest, ListPolicyVersionsResponse, NO_SUCH_ENTITY, Policy, PolicyVersion,
    SetDefaultPolicyVersionRequest,
};
use palisade_shape::{Error, Nothing, Result, Timestamp};
use serde::{Deserialize, Serialize};

/// One version as it is stored. The shape knows neither its policy nor its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    pub arn: String,
    pub number: u32,
    /// As it was given.
    pub document: String,
    pub created_millis: i64,
}

pub static POLICY_VERSIONS: Table<Version> = Table::of_private(
    "iam/policy-version",
    Scope::Account,
    |version| key(&version.arn, &version.id()),
    |version| internal(format!("{} of {} is there already", version.id(), version.arn)),
    |key| internal(format!("there is no version {key:?}")),
);

/// The key of a version in its table.
pub fn key(arn: &str, version_id: &str) -> String {
    format!("{arn}\0{version_id}")
}

impl Version {
    pub fn id(&self) -> String {
        format!("v{}", self.number)
    }

    /// As the API shows it. Lists leave the document out.
    pub fn shape(&self, policy: &Policy, with_document: bool) -> PolicyVersion {
        PolicyVersion {
            document: with_document.then(|| document::encoded(&self.document)),
            is_default_version: Some(policy.default_version_id == Some(self.id())),
            version_id: Some(self.id()),
            create_date: Some(Timestamp::from_millis(self.created_millis)),
        }
    }
}

/// All versions of a policy, the newest first.
pub fn all(cx: &Context, arn: &str) -> Result<Vec<Version>> {
    let mut versions = cx.all(&POLICY_VERSIONS, &format!("{arn}\0"))?;
    versions.sort_by(|one, other| other.number.cmp(&one.number));
    Ok(versions)
}

/// Stores a new version of a policy that has room for it.
pub fn add(cx: &mut Context, arn: &str, number: u32, text: String) -> Result<Version> {
    quota::take(cx, &quota::POLICY_VERSIONS_IN_USE)?;
    let created_millis = cx.now().whole_seconds().millis();
    let version = Version { arn: arn.to_owned(), number, document: text, created_millis };
    cx.insert(&POLICY_VERSIONS, &version)?;
    Ok(version)
}

/// Removes a version.
pub fn remove(cx: &mut Context, version: &Version) -> Result<()> {
    cx.delete(&POLICY_VERSIONS, &key(&version.arn, &version.id()))?;
    quota::give_back(cx, &quota::POLICY_VERSIONS_IN_USE)
}

fn missing(arn: &str, version_id: &str) -> Error {
    let text = format!("Policy {arn} version {version_id} does not exist or is not attachable.");
    NO_SUCH_ENTITY.because(text)
}

fn find(cx: &Context, arn: &str, version_id: &str) -> Result<Version> {
    let found = cx.get(&POLICY_VERSIONS, &key(arn, version_id))?;
    found.ok_or_else(|| missing(arn, version_id))
}

/// Adds a version, which becomes the default only if the caller says so.
pub fn create_policy_version(
    cx: &mut Context,
    input: CreatePolicyVersionRequest,
) -> Result<CreatePolicyVersionResponse> {
    let CreatePolicyVersionRequest { policy_arn, policy_document, set_as_default } = input;
    let mut policy = policy::find_own(cx, &policy_arn)?;
    document::check_managed(cx, &policy_document)?;
    let most = quota::most(cx, &quota::VERSIONS_PER_POLICY)?;
    if all(cx, &policy_arn)?.len() as u64 >= most {
        return Err(LIMIT_EXCEEDED.because(format!(
            "A managed policy can have up to {most} versions. Before you create a new version, \
             you must delete an existing version."
        )));
    }
    let number = policy::next_version(cx, &policy)?;
    let version = add(cx, &policy_arn, number, policy_document)?;
    if set_as_default == Some(true) {
        policy.default_version_id = Some(version.id());
    }
    policy.update_date = Some(cx.now().whole_seconds());
    cx.put(&policy::POLICIES, &policy)?;
    cx.touch("AWS::IAM::ManagedPolicy", policy_arn);
    Ok(CreatePolicyVersionResponse { policy_version: Some(version.shape(&policy, false)) })
}

/// Shows one version with its document, of a customer's policy or of AWS's.
pub fn get_policy_version(
    cx: &mut Context,
    input: GetPolicyVersionRequest,
) -> Result<GetPolicyVersionResponse> {
    let GetPolicyVersionRequest { policy_arn, version_id } = input;
    let shown = match managed::aws_policy(&policy_arn) {
        Some(aws) if aws.default_version_id == version_id => managed::version(aws, true)?,
        Some(_) => return Err(missing(&policy_arn, &version_id)),
        None => {
            managed::check_arn(&policy_arn)?;
            let Some(policy) = cx.get(&policy::POLICIES, &policy_arn)? else {
                return Err(missing(&policy_arn, &version_id));
            };
            find(cx, &policy_arn, &version_id)?.shape(&policy, true)
        }
    };
    Ok(GetPolicyVersionResponse { policy_version: Some(shown) })
}

/// Lists the versions of a policy, the newest first.
pub fn list_policy_versions(
    cx: &mut Context,
    input: ListPolicyVersionsRequest,
) -> Result<ListPolicyVersionsResponse> {
    let ListPolicyVersionsRequest { policy_arn, marker, max_items } = input;
    let versions = match managed::aws_policy(&policy_arn) {
        Some(aws) => vec![managed::version(aws, false)?],
        None => {
            let policy = policy::find(cx, &policy_arn)?;
            let versions = all(cx, &policy_arn)?;
            versions.iter().map(|version| version.shape(&policy, false)).collect()
        }
    };
    let page = super::list::of_items(versions, marker.as_deref(), max_items)?;
    Ok(ListPolicyVersionsResponse {
        versions: Some(page.items),
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}

/// Makes another version the one that counts, at once and everywhere.
pub fn set_default_policy_version(
    cx: &mut Context,
    input: SetDefaultPolicyVersionRequest,
) -> Result<Nothing> {
    let SetDefaultPolicyVersionRequest { policy_arn, version_id } = input;
    let mut policy = policy::find_own(cx, &policy_arn)?;
    let version = find(cx, &policy_arn, &version_id)?;
    policy.default_version_id = Some(version.id());
    policy.update_date = Some(cx.now().whole_seconds());
    cx.put(&policy::POLICIES, &policy)?;
    cx.touch("AWS::IAM::ManagedPolicy", policy_arn);
    Ok(Nothing)
}

/// Deletes a version that is not the default.
pub fn delete_policy_version(
    cx: &mut Context,
    input: DeletePolicyVersionRequest,
) -> Result<Nothing> {
    let DeletePolicyVersionRequest { policy_arn, version_id } = input;
    let policy = policy::find_own(cx, &policy_arn)?;
    let version = find(cx, &policy_arn, &version_id)?;
    if policy.default_version_id == Some(version.id()) {
        return Err(DELETE_CONFLICT.because("Cannot delete the default version of a policy."));
    }
    remove(cx, &version)?;
    cx.touch("AWS::IAM::ManagedPolicy", policy_arn);
    Ok(Nothing)
}
