//! Handing a role to a service: whoever does it must be allowed `iam:PassRole` on the role.
//!
//! Source: IAM User Guide, "Grant a user permissions to pass a role to an AWS service".

use crate::authorization::Requirement;
use crate::context::Context;

/// What a call that gives a role to a service needs besides its own action. `service` is the one
/// that will assume the role: `ec2.amazonaws.com`.
pub fn pass_role(cx: &Context, role_arn: &str, service: &str) -> Requirement {
    let owner = role_arn.split(':').nth(4).filter(|account| !account.is_empty());
    Requirement::new("iam:PassRole", role_arn, owner.unwrap_or(cx.account()))
        .of_kind("role")
        .with_key("iam:PassedToService", service)
}

/// The same where the role is handed over on behalf of a resource that will use it.
pub fn pass_role_for(cx: &Context, role_arn: &str, service: &str, resource: &str) -> Requirement {
    pass_role(cx, role_arn, service).with_key("iam:AssociatedResourceArn", resource)
}
