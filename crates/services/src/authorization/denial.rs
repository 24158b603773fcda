//! What a caller is told that may not.

use super::{Credential, Decided};
use crate::caller::Principal;
use palisade_policy::{NoKeys, Request, ResourceRule, access_denied_message};

/// AWS's text for a requirement that was not allowed, in the words of the service.
pub fn denial(service: &str, credential: &Credential, denied: &Decided) -> String {
    let requirement = &denied.requirement;
    if matches!(credential.caller.principal, Principal::Federated(_)) {
        // Whom a provider vouches for has no name that a message could give.
        return format!("Not authorized to perform {}", requirement.action);
    }
    let request = Request {
        principal: &credential.principal,
        action: &requirement.action,
        resource: &requirement.resource,
        resource_account: Some(&requirement.account),
        rule: ResourceRule::Ordinary,
        keys: &NoKeys,
    };
    let message = access_denied_message(&request, &denied.decision, &credential.caller.arn);
    match (service, requirement.resource.as_str()) {
        // These two say it even where an action has no resource.
        ("iam" | "kms", "*") => {
            let action = format!("perform: {}", requirement.action);
            message.replacen(&action, &format!("{action} on resource: *"), 1)
        }
        _ => message,
    }
}
