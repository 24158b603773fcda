//! Managed policies by their ARNs: the account's own and those of AWS, which are in the binary with
//! their documents as AWS published them.

use super::document;
use super::policy::POLICIES;
use super::policy_version::{self, POLICY_VERSIONS};
use crate::authorization::{Attached, Dependencies};
use crate::context::Context;
use crate::errors::internal;
use aws_lc_rs::digest;
use palisade_model::iam::{INVALID_INPUT, Policy, PolicyVersion};
use palisade_model::managed_policies::{self, ManagedPolicy};
use palisade_policy::arn::is_account_id;
use palisade_shape::{Result, Timestamp};
use palisade_store::Key;

/// Who manages a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner<'a> {
    Aws,
    Account(&'a str),
}

/// Who manages the policy of that ARN; none if it is no ARN of a managed policy.
pub fn owner(arn: &str) -> Option<Owner<'_>> {
    let mut fields = arn.splitn(6, ':');
    let mut next = || fields.next();
    if (next()?, next()?, next()?, next()?) != ("arn", "aws", "iam", "") {
        return None;
    }
    let account = next()?;
    let named = next()?.strip_prefix("policy/").is_some_and(|name| !name.is_empty());
    match account {
        "aws" if named => Some(Owner::Aws),
        account if named && is_account_id(account) => Some(Owner::Account(account)),
        _ => None,
    }
}

/// Refuses what is no ARN of a managed policy.
pub fn check_arn(arn: &str) -> Result<()> {
    match owner(arn) {
        Some(_) => Ok(()),
        None => Err(INVALID_INPUT.because(format!("ARN {arn} is not valid."))),
    }
}

/// The name in a policy's ARN.
pub fn name_of(arn: &str) -> &str {
    arn.rsplit_once('/').map_or(arn, |(_, name)| name)
}

/// The path in a policy's ARN.
pub fn path_of(arn: &str) -> &str {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    let path = resource.strip_prefix("policy").unwrap_or_default();
    path.rfind('/').and_then(|end| path.get(..=end)).unwrap_or("/")
}

/// The policy of that ARN, whoever manages it, without the counts of its uses.
pub fn find(cx: &Context, arn: &str) -> Result<Option<Policy>> {
    match aws_policy(arn) {
        Some(aws) => shape(aws).map(Some),
        None => cx.get(&POLICIES, arn),
    }
}

/// Whether only roles that AWS services make for themselves may have the policy.
pub fn is_for_service_linked_roles(policy: &Policy) -> bool {
    policy.path.as_deref().is_some_and(|path| path.starts_with("/aws-service-role/"))
}

/// What a principal with that policy gets: the default version. None if there is no such policy.
pub fn document_of(deps: &mut Dependencies, arn: &str) -> Result<Option<Attached>> {
    let label = arn.to_owned();
    if let Some(aws) = aws_policy(arn) {
        let document = aws_document(aws)?;
        return Ok(Some(Attached { label, managed: true, revision: 0, document }));
    }
    let Some(Owner::Account(account)) = owner(arn) else { return Ok(None) };
    let key = Key { collection: POLICIES.name, account, region: "", key: arn };
    let Some(stored) = deps.get(&key)? else { return Ok(None) };
    let policy = POLICIES.decode(&stored.body)?;
    let version = policy_version::key(arn, &policy.default_version_id.unwrap_or_default());
    let key = Key { collection: POLICY_VERSIONS.name, account, region: "", key: &version };
    let Some(stored) = deps.get(&key)? else {
        return Err(internal(format!("policy {arn} has no default version")));
    };
    let document = POLICY_VERSIONS.decode(&stored.body)?.document;
    Ok(Some(Attached { label, managed: true, revision: stored.revision, document }))
}

/// AWS's policy of that ARN.
pub fn aws_policy(arn: &str) -> Option<&'static ManagedPolicy> {
    if owner(arn) == Some(Owner::Aws) { managed_policies::by_arn(arn) } else { None }
}

/// The document of one of AWS's policies.
pub fn aws_document(aws: &ManagedPolicy) -> Result<String> {
    let name = aws.name;
    aws.document().ok_or_else(|| internal(format!("AWS's policy {name} has no document")))
}

/// One of AWS's policies as the API shows it, without the counts of its uses.
pub fn shape(aws: &ManagedPolicy) -> Result<Policy> {
    let arn = aws.arn("aws");
    Ok(Policy {
        policy_name: Some(aws.name.to_owned()),
        policy_id: Some(id_of(&arn)),
        arn: Some(arn),
        path: Some(aws.path.to_owned()),
        default_version_id: Some(aws.default_version_id.to_owned()),
        attachment_count: None,
        permissions_boundary_usage_count: None,
        is_attachable: Some(true),
        description: None,
        create_date: Some(date(aws.create_date)?),
        update_date: Some(date(aws.update_date)?),
        tags: None,
    })
}

/// The default version of one of AWS's policies. AWS publishes no other with its document, so it is
/// the only one there is here.
pub fn version(aws: &ManagedPolicy, with_document: bool) -> Result<PolicyVersion> {
    let document = with_document.then(|| aws_document(aws)).transpose()?;
    Ok(PolicyVersion {
        document: document.map(|text| document::encoded(&text)),
        version_id: Some(aws.default_version_id.to_owned()),
        is_default_version: Some(true),
        create_date: Some(date(aws.update_date)?),
    })
}

fn date(text: &str) -> Result<Timestamp> {
    let parsed: jiff::Timestamp = text.parse().map_err(internal)?;
    Ok(Timestamp::from_seconds(parsed.as_second()))
}

/// A stable id of AWS's form: the real ones of AWS's policies are not published.
fn id_of(arn: &str) -> String {
    let hash = digest::digest(&digest::SHA256, arn.as_bytes());
    let letter = |byte: &u8| match byte % 32 {
        digit @ 0..26 => char::from(b'A' + digit),
        digit => char::from(b'2' + digit - 26),
    };
    format!("ANPA{}", hash.as_ref().iter().take(17).map(letter).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_tells_who_manages_the_policy_and_where_it_stands() {
        let aws = "arn:aws:iam::aws:policy/job-function/Billing";
        let own = "arn:aws:iam::123456789012:policy/app";
        assert_eq!(owner(aws), Some(Owner::Aws));
        assert_eq!(owner(own), Some(Owner::Account("123456789012")));
        assert_eq!((path_of(aws), name_of(aws)), ("/job-function/", "Billing"));
        assert_eq!((path_of(own), name_of(own)), ("/", "app"));
        let wrong = [
            "arn:aws:iam::123456789012:role/app",
            "arn:aws:iam::12345:policy/app",
            "arn:aws:iam::123456789012:policy/",
            "arn:aws:iam:us-east-1:123456789012:policy/app",
            "arn:aws:s3:::policy/app",
            "policy/app/of/some/length",
        ];
        for arn in wrong {
            assert_eq!(owner(arn), None, "{arn}");
            let refusal = check_arn(arn).unwrap_err();
            assert_eq!(refusal.to_string(), format!("InvalidInput: ARN {arn} is not valid."));
        }
    }
}
