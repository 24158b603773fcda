//! ARNs of identity providers.

use palisade_model::iam::INVALID_INPUT;
use palisade_policy::arn::Arn;
use palisade_shape::Result;

/// Refuses what is not the ARN of a provider of that kind (`saml-provider`).
pub fn check(kind: &str, arn: &str) -> Result<()> {
    let parsed = Arn::parse(arn).filter(|parsed| parsed.service == "iam");
    match parsed.and_then(|parsed| parsed.split_resource()) {
        Some((found, name)) if found == kind && !name.is_empty() => Ok(()),
        _ => Err(INVALID_INPUT.because(format!("Invalid ARN: {arn}"))),
    }
}
