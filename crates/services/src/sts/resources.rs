//! What STS knows of the resources that its actions name: the roles and users of IAM.

use super::role::{RoleArn, revised_role_of, role_of};
use crate::context::Context;
use crate::service::{Call, Known, ResourcePolicy, Resources, Tags};
use palisade_shape::Result;

/// The trust policy of a role that is not there: it lets nobody in, so that a caller cannot tell a
/// role that is missing from one that does not trust it.
const TRUSTS_NOBODY: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny",
    "Principal":{"Service":"nobody.amazonaws.com"},"Action":"sts:AssumeRole"}}"#;

/// The keys that calls bring where their token, assertion or input has what fills them.
const GIVEN: &[&str] = &[
    "accounts.google.com:aud",
    "accounts.google.com:oaud",
    "accounts.google.com:sub",
    "cognito-identity.amazonaws.com:*",
    "graph.facebook.com:*",
    "saml:*",
    "sts:*",
    "token.actions.githubusercontent.com:*",
    "www.amazon.com:*",
];

pub struct StsResources;

impl Resources for StsResources {
    fn tags(&self, cx: &mut Context, kind: &str, arn: &str) -> Result<Tags> {
        let Some(arn) = role_arn(kind, arn) else { return Ok(Vec::new()) };
        let tags = role_of(cx, &arn)?.and_then(|role| role.tags).unwrap_or_default();
        Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
    }

    fn condition_keys(&self) -> &'static [&'static str] {
        GIVEN
    }

    /// The keys of a call are given by its requirements; of these AWS would not fill what is not
    /// there. Claims of providers that are not among them are not read, so that what hangs on one
    /// is denied.
    fn condition(&self, _cx: &mut Context, key: &str, _call: &Call) -> Result<Known> {
        let given = GIVEN.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => key.starts_with(start),
            None => key == *pattern,
        });
        Ok(if given { Known::Absent } else { Known::Unresolvable })
    }

    fn policy(&self, cx: &mut Context, kind: &str, arn: &str) -> Result<Option<ResourcePolicy>> {
        let Some(arn) = role_arn(kind, arn) else { return Ok(None) };
        let found = revised_role_of(cx, &arn)?;
        let (role, revision) = found.map_or((None, 0), |(role, at)| (Some(role), at));
        let document = role.and_then(|role| role.assume_role_policy_document);
        let document = document.unwrap_or_else(|| TRUSTS_NOBODY.to_owned());
        Ok(Some(ResourcePolicy { document, revision, must_allow: true }))
    }
}

fn role_arn(kind: &str, arn: &str) -> Option<RoleArn> {
    if kind == "role" { RoleArn::parse(arn) } else { None }
}
