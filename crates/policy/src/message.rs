//! AWS's wording of a refusal.
//!
//! Source: "Troubleshoot access denied error messages", IAM User Guide; "Enhanced access denied
//! error messages with policy ARNs", AWS Security Blog.

use crate::decide::{Decision, Layer, Outcome};
use crate::request::{PrincipalKind, Request};

/// The message of `AccessDenied` for a refused request.
///
/// `caller_arn` is the ARN as the caller knows it, for sessions the session's. The denying
/// policy's label is appended as its ARN where AWS does so: for explicit denies of SCP, RCP,
/// boundary, session and identity policies, when the label is an ARN. Nobody gets a reason.
#[must_use]
pub fn access_denied_message(
    request: &Request<'_>,
    decision: &Decision,
    caller_arn: &str,
) -> String {
    if request.principal.kind == PrincipalKind::Anonymous {
        return "Access Denied".to_owned();
    }
    let action = request.action;
    let mut message = format!("User: {caller_arn} is not authorized to perform: {action}");
    if request.resource != "*" {
        message.push_str(" on resource: ");
        message.push_str(request.resource);
    }
    if let Some(layer) = decision.denied_by {
        message.push(' ');
        message.push_str(&reason(decision, layer, action));
    }
    message
}

fn reason(decision: &Decision, layer: Layer, action: &str) -> String {
    // AWS always knows its keys and so has no words for this.
    if layer == Layer::Unresolvable {
        return "because a condition of a policy could not be evaluated".to_owned();
    }
    if decision.outcome != Outcome::ExplicitDeny {
        return format!("because no {layer} allows the {action} action");
    }
    let article = match layer {
        Layer::Trust => "the",
        Layer::Identity => "an",
        _ => "a",
    };
    let mut reason = format!("with an explicit deny in {article} {layer}");
    let named = !matches!(layer, Layer::Resource | Layer::Trust | Layer::VpcEndpoint);
    let policy = decision.statements.first().map(|statement| &*statement.policy);
    let arn = policy.map(|label| label.split_once('#').map_or(label, |(arn, _)| arn));
    if let Some(arn) = arn.filter(|arn| named && arn.starts_with("arn:")) {
        reason.push_str(": ");
        reason.push_str(arn);
    }
    reason
}
