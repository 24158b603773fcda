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
    versions.sort_by_key(|version| std::cmp::Reverse(version.number));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::samples::{DOCUMENT, READ_ONLY, make_policy};
    use crate::testing::Lab;

    fn create(arn: &str, set_as_default: Option<bool>) -> CreatePolicyVersionRequest {
        let policy_document = DOCUMENT.replace("GetObject", "PutObject");
        CreatePolicyVersionRequest { policy_arn: arn.to_owned(), policy_document, set_as_default }
    }

    fn listed(lab: &Lab, arn: &str) -> Vec<(String, bool)> {
        let policy_arn = arn.to_owned();
        let input = ListPolicyVersionsRequest { policy_arn, ..Default::default() };
        let versions = lab.call(list_policy_versions, input).unwrap().versions.unwrap();
        let pair = |version: PolicyVersion| {
            assert_eq!(version.document, None);
            (version.version_id.unwrap(), version.is_default_version.unwrap())
        };
        versions.into_iter().map(pair).collect()
    }

    fn delete(arn: &str, version: &str) -> DeletePolicyVersionRequest {
        DeletePolicyVersionRequest { policy_arn: arn.to_owned(), version_id: version.to_owned() }
    }

    #[test]
    fn versions_are_added_chosen_and_deleted_and_numbers_never_return() {
        let lab = Lab::new();
        let arn = make_policy(&lab, "p");
        let second = lab.call(create_policy_version, create(&arn, None)).unwrap();
        let second = second.policy_version.unwrap();
        assert_eq!(second.version_id.as_deref(), Some("v2"));
        assert_eq!((second.is_default_version, second.document), (Some(false), None));
        lab.call(create_policy_version, create(&arn, Some(true))).unwrap();
        let is = |expected: &[(&str, bool)]| {
            let listed = listed(&lab, &arn);
            let listed: Vec<_> = listed.iter().map(|(id, is)| (id.as_str(), *is)).collect();
            assert_eq!(listed, expected);
        };
        is(&[("v3", true), ("v2", false), ("v1", false)]);
        let input =
            SetDefaultPolicyVersionRequest { policy_arn: arn.clone(), version_id: "v1".into() };
        lab.call(set_default_policy_version, input).unwrap();
        lab.call(delete_policy_version, delete(&arn, "v3")).unwrap();
        lab.call(create_policy_version, create(&arn, None)).unwrap();
        is(&[("v4", false), ("v2", false), ("v1", true)]);
        assert_eq!(
            lab.refusal(delete_policy_version, delete(&arn, "v1")),
            "DeleteConflict: Cannot delete the default version of a policy."
        );
        assert_eq!(
            lab.refusal(delete_policy_version, delete(&arn, "v3")),
            format!("NoSuchEntity: Policy {arn} version v3 does not exist or is not attachable.")
        );
    }

    #[test]
    fn a_policy_has_at_most_five_versions() {
        let lab = Lab::new();
        let arn = make_policy(&lab, "p");
        for _ in 2..=5 {
            lab.call(create_policy_version, create(&arn, None)).unwrap();
        }
        assert_eq!(
            lab.refusal(create_policy_version, create(&arn, None)),
            "LimitExceeded: A managed policy can have up to 5 versions. Before you create a new \
             version, you must delete an existing version."
        );
    }

    #[test]
    fn a_version_is_shown_with_its_document() {
        let lab = Lab::new();
        let arn = make_policy(&lab, "p");
        let get = |arn: &str, version_id: &str| GetPolicyVersionRequest {
            policy_arn: arn.to_owned(),
            version_id: version_id.to_owned(),
        };
        let version = lab.call(get_policy_version, get(&arn, "v1")).unwrap();
        assert_eq!(version.policy_version.unwrap().document, Some(document::encoded(DOCUMENT)));
        assert_eq!(
            lab.refusal(get_policy_version, get(&arn, "v9")),
            format!("NoSuchEntity: Policy {arn} version v9 does not exist or is not attachable.")
        );
        let of_aws = listed(&lab, READ_ONLY);
        assert!(of_aws[0].1, "{of_aws:?}");
        let version = lab.call(get_policy_version, get(READ_ONLY, &of_aws[0].0)).unwrap();
        assert!(version.policy_version.unwrap().document.unwrap().starts_with("%7B%22"));
        assert!(lab.refusal(get_policy_version, get(READ_ONLY, "v0")).starts_with("NoSuchEntity"));
        assert!(
            lab.refusal(create_policy_version, create(READ_ONLY, None)).starts_with("AccessDenied")
        );
    }
}
