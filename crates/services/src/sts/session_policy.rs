//! Session policies: what a session may at most do, on top of what its principal may.
//!
//! Source: IAM User Guide, "Policies and permissions in IAM", session policies; STS API reference,
//! AssumeRole and GetFederationToken.

use crate::authorization::Dependencies;
use crate::context::Context;
use crate::errors::VALIDATION_ERROR;
use crate::iam;
use palisade_model::sts::{MALFORMED_POLICY_DOCUMENT, PolicyDescriptorType};
use palisade_policy::{DocumentKind, Policy};
use palisade_shape::Result;

const ARNS_MAX: usize = 10;

/// The session policies of a new session, checked.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct SessionPolicies {
    /// The inline one, as it was given; none or one.
    pub inline: Vec<String>,
    /// The managed ones.
    pub arns: Vec<String>,
}

/// Checks the inline policy, and that the managed ones exist. Those are customer managed policies
/// of `account`, the account of the session, or AWS's own.
pub fn check(
    cx: &Context,
    account: &str,
    inline: Option<String>,
    arns: Option<Vec<PolicyDescriptorType>>,
) -> Result<SessionPolicies> {
    if let Some(text) = &inline {
        Policy::parse(text, DocumentKind::Session).map_err(|malformed| {
            MALFORMED_POLICY_DOCUMENT.because(malformed.message().to_owned())
        })?;
    }
    let arns: Vec<String> =
        arns.unwrap_or_default().into_iter().filter_map(|policy| policy.arn).collect();
    if arns.len() > ARNS_MAX {
        return Err(VALIDATION_ERROR.because(format!(
            "1 validation error detected: Value at 'policyArns' failed to satisfy constraint: \
             Member must have length less than or equal to {ARNS_MAX}"
        )));
    }
    let mut dependencies = Dependencies::new(cx.reader());
    for arn in &arns {
        let reachable =
            matches!(arn.split(':').nth(4), Some(owner) if owner == "aws" || owner == account);
        if !reachable || iam::managed::document_of(&mut dependencies, arn)?.is_none() {
            return Err(VALIDATION_ERROR
                .because(format!("Policy ARN {arn} does not exist or is not attachable.")));
        }
    }
    Ok(SessionPolicies { inline: inline.into_iter().collect(), arns })
}
