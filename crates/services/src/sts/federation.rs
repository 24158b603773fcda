//! What the two calls of federated users have in common: roles for whom an identity provider
//! vouches for.
//!
//! Source: STS API reference, AssumeRoleWithSAML and AssumeRoleWithWebIdentity.

use super::packing;
use super::role::{self, RoleArn, role_of, session_arn};
use super::session::{self, NewSession};
use super::session_policy::{self, SessionPolicies};
use super::session_tag::{self, SessionTags};
use crate::authorization::Requirement;
use crate::caller::{Federated, Principal, SessionKind};
use crate::context::Context;
use crate::errors::{ACCESS_DENIED, VALIDATION_ERROR, internal};
use palisade_model::sts::{AssumedRoleUser, Credentials, PolicyDescriptorType, Tag};
use palisade_shape::{Error, Result};
use std::sync::Arc;

/// What the caller asks for beside the role.
pub(super) struct Asked {
    pub role: RoleArn,
    pub kind: SessionKind,
    pub session_name: String,
    pub policy: Option<String>,
    pub policy_arns: Option<Vec<PolicyDescriptorType>>,
    pub duration_seconds: Option<i32>,
    /// The session lasts no longer than this, whatever was asked.
    pub seconds_max: Option<i32>,
}

/// A session as both calls answer it.
pub(super) struct Issued {
    pub credentials: Credentials,
    pub assumed_role_user: AssumedRoleUser,
    pub packed_policy_size: Option<i32>,
}

/// The role's ARN, or AWS's refusal of a text that is none.
pub(super) fn role_arn(text: &str) -> Result<RoleArn> {
    RoleArn::parse(text).ok_or_else(|| VALIDATION_ERROR.because("Request ARN is invalid"))
}

/// For whom the provider vouches. The pipeline has proven it before the call came here.
pub(super) fn federated(cx: &Context) -> Result<Arc<Federated>> {
    match &cx.caller.principal {
        Principal::Federated(federated) => Ok(federated.clone()),
        _ => Err(internal("a federated call whose caller was not proven")),
    }
}

/// Issues credentials of the role.
pub(super) fn issue(cx: &mut Context, federated: &Federated, asked: Asked) -> Result<Issued> {
    let Asked { role: arn, kind, session_name, policy, policy_arns, .. } = asked;
    let operation = match kind {
        SessionKind::AssumeRoleWithSaml => "AssumeRoleWithSAML",
        _ => "AssumeRoleWithWebIdentity",
    };
    let Some(role) = role_of(cx, &arn)? else { return Err(denied(operation)) };
    let seconds = role::duration(&role, asked.duration_seconds, false)?;
    let seconds = asked.seconds_max.map_or(seconds, |most| seconds.min(most));
    let SessionPolicies { inline, arns } =
        session_policy::check(cx, &arn.account, policy, policy_arns)?;
    let tag = |(key, value): &(String, String)| Tag { key: key.clone(), value: value.clone() };
    let tags: Vec<Tag> = federated.tags.iter().map(tag).collect();
    let SessionTags { tags, transitive_keys } =
        session_tag::combine(None, &tags, &federated.transitive_tag_keys)?;
    let packed_policy_size = packing::percentage(&inline, &arns, &tags)?;
    let assumed_role_user = AssumedRoleUser {
        assumed_role_id: format!("{}:{session_name}", role.role_id),
        arn: session_arn(cx, &arn.account, &role.role_name, &session_name),
    };
    role::note(cx, &arn);
    let new = NewSession {
        name: session_name,
        policies: inline,
        policy_arns: arns,
        tags,
        transitive_tag_keys: transitive_keys,
        source_identity: federated.source_identity.clone(),
        federation: federated.kept.clone(),
        ..NewSession::of(role::issuer(&arn, role), kind, seconds)
    };
    let credentials = session::issue(cx, new)?;
    Ok(Issued { credentials, assumed_role_user, packed_policy_size })
}

/// Assuming the role with what was proven; tagging the session and naming its source where the
/// provider does so. Only the role's trust policy can allow it: a federated user has no others.
pub(super) fn requirements(
    action: &str,
    federated: &Federated,
    role: &RoleArn,
    session_name: &str,
    duration_seconds: Option<i32>,
) -> Vec<Requirement> {
    let one = |action: &str| {
        let requirement = Requirement::new(action, role.arn.clone(), &role.account);
        let mut requirement =
            requirement.of_kind("role").with_key("sts:RoleSessionName", session_name);
        for (key, values) in &federated.keys {
            requirement = requirement.with_keys(key, values.clone());
        }
        if let Some(source) = &federated.source_identity {
            requirement = requirement.with_key("sts:SourceIdentity", source.clone());
        }
        if let Some(seconds) = duration_seconds {
            requirement = requirement.with_key("sts:DurationSeconds", seconds.to_string());
        }
        if !federated.transitive_tag_keys.is_empty() {
            let keys = federated.transitive_tag_keys.clone();
            requirement = requirement.with_keys("sts:TransitiveTagKeys", keys);
        }
        requirement.with_tags(federated.tags.clone())
    };
    let mut requirements = vec![one(action)];
    if !federated.tags.is_empty() {
        requirements.push(one("sts:TagSession"));
    }
    if federated.source_identity.is_some() {
        requirements.push(one("sts:SetSourceIdentity"));
    }
    requirements
}

/// As for a role that does not trust the provider, so that nobody learns which roles there are.
fn denied(operation: &str) -> Error {
    ACCESS_DENIED.because(format!("Not authorized to perform sts:{operation}"))
}

/// Whether the text can name a session or its source: `[\w+=,.@-]{2,64}`.
pub(super) fn is_name(text: &str) -> bool {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_+=,.@-".contains(letter);
    (2..=64).contains(&text.len()) && text.chars().all(allowed)
}
