//! Key policies as documents: checked when they come, kept with the ids of whom they name.
//!
//! Source: AWS KMS Developer Guide, "Key policies in AWS KMS", "Default key policy".

use crate::authorization::policy_principal;
use crate::context::Context;
use crate::iam::principal_ids;
use palisade_model::iam::MALFORMED_POLICY_DOCUMENT;
use palisade_model::kms::{LIMIT_EXCEEDED_EXCEPTION, MALFORMED_POLICY_DOCUMENT_EXCEPTION};
use palisade_policy::{
    DocumentKind, NoKeys, Policies, Policy, PolicySet, Request, ResourceRule, decide,
};
use palisade_shape::Result;

/// Bytes of a key policy (Developer Guide, "Resource quotas").
const BYTES_MAX: usize = 32 * 1024;

/// Lets its caller do everything, in the account's identity policies' stead.
const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

/// Whether a policy may lock its writer out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lockout {
    Refused,
    /// The call bypasses the safety check.
    Taken,
}

impl Lockout {
    pub fn of(bypass: Option<bool>) -> Self {
        if bypass == Some(true) { Self::Taken } else { Self::Refused }
    }
}

/// The policy of a key that is created without one: the account's identity policies decide.
pub fn default(account: &str) -> String {
    format!(
        r#"{{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {{
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "arn:aws:iam::{account}:root"
    }},
    "Action" : "kms:*",
    "Resource" : "*"
  }} ]
}}"#
    )
}

/// The document as it is kept, or why it cannot be a key policy.
pub fn checked(cx: &mut Context, text: &str, lockout: Lockout) -> Result<String> {
    if text.len() > BYTES_MAX {
        let text = format!("The key policy is larger than {BYTES_MAX} bytes.");
        return Err(LIMIT_EXCEEDED_EXCEPTION.because(text));
    }
    Policy::parse(text, DocumentKind::Resource)
        .map_err(|error| MALFORMED_POLICY_DOCUMENT_EXCEPTION.because(error.message().to_owned()))?;
    let kept = principal_ids::to_ids_in(cx, text, DocumentKind::Resource);
    let kept = kept.map_err(|error| match error.code == &MALFORMED_POLICY_DOCUMENT {
        true => MALFORMED_POLICY_DOCUMENT_EXCEPTION
            .because("Policy contains a statement with one or more invalid principals."),
        false => error,
    })?;
    if lockout == Lockout::Refused && !can_change(cx, &kept)? {
        return Err(MALFORMED_POLICY_DOCUMENT_EXCEPTION.because(
            "The new key policy will not allow you to update the key policy in the future.",
        ));
    }
    Ok(kept)
}

/// Whether the caller could change the policy again, by itself or as its account's identity
/// policies may allow it. Conditions count as not met, so that nothing is promised that a later
/// call would not be given.
fn can_change(cx: &Context, document: &str) -> Result<bool> {
    let compiled = cx.plane.credentials.compiled();
    let of_key = compiled.policy("key policy", document, DocumentKind::Resource)?;
    let everything = compiled.policy("everything", EVERYTHING, DocumentKind::Identity)?;
    let resource = PolicySet::of("key policy", &of_key);
    let identity = PolicySet::of("everything", &everything);
    let principal = policy_principal(cx.caller);
    let arn = super::key::arn(cx.region(), cx.account(), "00000000-0000-0000-0000-000000000000");
    let question = Request {
        principal: &principal,
        action: "kms:PutKeyPolicy",
        resource: &arn,
        resource_account: Some(cx.account()),
        rule: ResourceRule::KeyPolicy,
        keys: &NoKeys,
    };
    let policies =
        Policies { identity: Some(&identity), resource: Some(&resource), ..Policies::default() };
    Ok(decide(&question, &policies).allowed())
}

/// A kept document as it is shown.
pub fn shown(cx: &mut Context, kept: &str) -> Result<String> {
    principal_ids::to_arns_in(cx, kept, DocumentKind::Resource)
}
