//! Permissions boundaries of users and roles: one managed policy that says the most they may do.
//!
//! Source: IAM User Guide, "Permissions boundaries for IAM entities"; API reference,
//! PutUserPermissionsBoundary.

use super::access::Kind;
use super::managed;
use crate::context::Context;
use palisade_model::iam::{AttachedPermissionsBoundary, NO_SUCH_ENTITY, POLICY_NOT_ATTACHABLE};
use palisade_shape::{Error, Result};

/// What AWS answers as the type of every boundary, whatever the model's enumeration says.
const TYPE: &str = "Policy";

/// The boundary that a request names, once it is known to be a policy that can be one.
pub fn checked(cx: &Context, arn: &str) -> Result<AttachedPermissionsBoundary> {
    managed::check_arn(arn)?;
    let policy = managed::find(cx, arn)?.ok_or_else(|| missing(arn))?;
    if managed::is_for_service_linked_roles(&policy) {
        return Err(missing(arn));
    }
    Ok(AttachedPermissionsBoundary {
        permissions_boundary_type: Some(TYPE.to_owned()),
        permissions_boundary_arn: Some(arn.to_owned()),
    })
}

/// The same for a user or role that is there, which has a refusal of its own for the policies of
/// service-linked roles.
pub fn checked_for(cx: &Context, kind: Kind, arn: &str) -> Result<AttachedPermissionsBoundary> {
    managed::check_arn(arn)?;
    if managed::find(cx, arn)?.is_some_and(|policy| managed::is_for_service_linked_roles(&policy)) {
        let to = kind.title();
        let text = format!("Cannot attach a Service Role Policy to a Customer {to}.");
        return Err(POLICY_NOT_ATTACHABLE.because(text));
    }
    checked(cx, arn)
}

/// AWS's answer to a boundary that is no policy.
fn missing(arn: &str) -> Error {
    let text = format!("Scope ARN: {arn} does not exist or is not attachable.");
    NO_SUCH_ENTITY.because(text)
}

/// The ARN of a stored boundary.
pub fn arn(boundary: Option<&AttachedPermissionsBoundary>) -> Option<&str> {
    boundary.and_then(|boundary| boundary.permissions_boundary_arn.as_deref())
}
