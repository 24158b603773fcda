//! Policy documents as IAM takes and returns them: validated on save, counted without white space,
//! percent-encoded (RFC 3986) in answers.

use super::quota::{self, Quota};
use crate::context::Context;
use palisade_model::iam::MALFORMED_POLICY_DOCUMENT;
use palisade_policy::{DocumentKind, Policy, VERSION_TOO_OLD};
use palisade_shape::Result;

/// Refuses what IAM does not take as an inline policy.
pub fn check_inline(text: &str) -> Result<()> {
    parse(text, DocumentKind::Identity).map(drop)
}

/// Refuses what IAM does not take as a version of a managed policy.
pub fn check_managed(cx: &Context, text: &str) -> Result<()> {
    let policy = parse(text, DocumentKind::Identity)?;
    if !policy.is_current_version() {
        return Err(MALFORMED_POLICY_DOCUMENT.because(VERSION_TOO_OLD));
    }
    check_size(cx, text, DocumentKind::Identity, &quota::POLICY_SIZE)
}

/// Refuses what IAM does not take as a role's trust policy.
pub fn check_trust(cx: &Context, text: &str) -> Result<()> {
    parse(text, DocumentKind::Trust)?;
    check_size(cx, text, DocumentKind::Trust, &quota::TRUST_POLICY_SIZE)
}

fn parse(text: &str, kind: DocumentKind) -> Result<Policy> {
    Policy::parse(text, kind)
        .map_err(|malformed| MALFORMED_POLICY_DOCUMENT.because(malformed.message().to_owned()))
}

fn check_size(cx: &Context, text: &str, kind: DocumentKind, quota: &Quota) -> Result<()> {
    quota::check(cx, quota, Policy::size(text, kind))
}

/// The size that counts towards the quota of inline policies, in characters.
pub fn inline_size(text: &str) -> usize {
    Policy::size(text, DocumentKind::Identity)
}

/// A document as IAM's answers hold it: percent-encoded.
pub fn encoded(text: &str) -> String {
    palisade_protocol::percent::encode(text, b"")
}
