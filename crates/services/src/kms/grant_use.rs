//! When a grant allows a call: the caller is whom it is for, the operation is one of its, and the
//! encryption context is as it wants.
//!
//! Source: AWS KMS Developer Guide, "Grants in AWS KMS", "Grant constraints".

use super::ciphertext::EncryptionContext;
use super::grant::{self, Constraint, Grant};
use super::key::Key;
use super::requirements::context_member;
use crate::authorization::Requirement;
use crate::caller::{Caller, Principal};
use crate::context::Context;
use crate::service::Input;
use palisade_model::kms as model;
use palisade_shape::Result;

/// The names under which a grant may know the caller: its own ARN and the id of its user or role.
fn names(caller: &Caller) -> Vec<String> {
    let mut names = vec![caller.arn.to_string()];
    match &caller.principal {
        Principal::User { id, .. } | Principal::AssumedRole { id, .. } => {
            names.push(id.to_string());
        }
        Principal::Root
        | Principal::FederatedUser { .. }
        | Principal::Service { .. }
        | Principal::Federated(_)
        | Principal::Anonymous => {}
    }
    names
}

/// Whether a grant allows what the requirement asks. Seen from the key's account.
pub fn allows(
    cx: &Context,
    key: &Key,
    requirement: &Requirement,
    input: &dyn Input,
) -> Result<bool> {
    let Some((_, operation)) = requirement.action.split_once(':') else { return Ok(false) };
    let names = names(cx.caller);
    if let Some(input) = input.as_any().downcast_ref::<model::RetireGrantRequest>() {
        return may_retire(cx, key, &names, input);
    }
    let context = context_of(operation, input);
    let grants = grant::given_to(cx, key, &names)?;
    Ok(grants.iter().any(|grant| {
        grant.operations.iter().any(|known| known == operation)
            && match input.as_any().downcast_ref::<model::CreateGrantRequest>() {
                Some(input) => covers(grant, input),
                None => meets(grant.constraint.as_ref(), context),
            }
    }))
}

/// The account of the key, the retiring principal, and the grantee whose grant says so.
fn may_retire(
    cx: &Context,
    key: &Key,
    names: &[String],
    input: &model::RetireGrantRequest,
) -> Result<bool> {
    let (_, id) = grant::retired(cx, input)?;
    let Some(grant) = grant::find(cx, key, &id)? else { return Ok(false) };
    let is = |kept: &String| names.contains(kept);
    let own = cx.caller.is_root() && *cx.caller.account == *key.account;
    let retiring = grant.retiring.as_ref().is_some_and(is);
    let held = is(&grant.grantee) && grant.operations.iter().any(|known| known == "RetireGrant");
    Ok(own || retiring || held)
}

static NONE: EncryptionContext = EncryptionContext::new();

/// The encryption context of the call, for the side of it that the operation is about.
fn context_of<'i>(operation: &str, input: &'i dyn Input) -> &'i EncryptionContext {
    let found = match input.as_any().downcast_ref::<model::ReEncryptRequest>() {
        Some(input) if operation == "ReEncryptFrom" => input.source_encryption_context.as_ref(),
        Some(input) => input.destination_encryption_context.as_ref(),
        None => context_member(input),
    };
    found.unwrap_or(&NONE)
}

/// Whether the encryption context is as the constraint wants. DescribeKey and RetireGrant, which
/// have none, are held to it as well, except where it wants nothing.
fn meets(constraint: Option<&Constraint>, context: &EncryptionContext) -> bool {
    match constraint {
        None => true,
        Some(Constraint::Equals(pairs)) => pairs == context,
        Some(Constraint::Subset(pairs)) => contains(context, pairs),
    }
}

fn contains(whole: &EncryptionContext, part: &EncryptionContext) -> bool {
    part.iter().all(|(key, value)| whole.get(key) == Some(value))
}

/// Whether a grant that lets its holder make grants covers the one that is made: no operation more,
/// and a constraint at least as strict.
fn covers(parent: &Grant, child: &model::CreateGrantRequest) -> bool {
    let given = child.operations.iter().all(|operation| parent.operations.contains(operation));
    let limits = child.constraints.as_ref();
    let set = |pairs: &&EncryptionContext| !pairs.is_empty();
    let equals = limits.and_then(|limits| limits.encryption_context_equals.as_ref());
    let subset = limits.and_then(|limits| limits.encryption_context_subset.as_ref());
    let (equals, subset) = (equals.filter(set), subset.filter(set));
    let strict = match &parent.constraint {
        None => true,
        Some(Constraint::Equals(pairs)) => equals == Some(pairs),
        Some(Constraint::Subset(pairs)) => {
            equals.or(subset).is_some_and(|limits| contains(limits, pairs))
        }
    };
    given && strict
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> EncryptionContext {
        let pairs = text.split_whitespace().filter_map(|pair| pair.split_once('='));
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn constraints_hold_a_call_to_its_context() {
        let subset = |text: &str| Some(Constraint::Subset(pairs(text)));
        let equals = |text: &str| Some(Constraint::Equals(pairs(text)));
        for (constraint, context, met) in [
            (None, "", true),
            (None, "a=1", true),
            (subset("a=1"), "a=1 b=2", true),
            (subset("a=1"), "a=2 b=2", false),
            (subset("a=1"), "", false),
            (equals("a=1"), "a=1", true),
            (equals("a=1"), "a=1 b=2", false),
        ] {
            let got = meets(constraint.as_ref(), &pairs(context));
            assert_eq!(got, met, "{constraint:?} {context}");
        }
    }

    #[test]
    fn a_grant_made_under_a_grant_gives_no_more() {
        let parent = |constraint: Option<Constraint>| Grant {
            id: String::new(),
            region: String::new(),
            key_id: String::new(),
            name: String::new(),
            created_millis: 0,
            grantee: String::new(),
            retiring: None,
            issuer: String::new(),
            operations: vec!["Encrypt".into(), "CreateGrant".into()],
            constraint,
        };
        let child = |operation: &str, subset: Option<&str>| model::CreateGrantRequest {
            operations: vec![operation.to_owned()],
            constraints: subset.map(|text| model::GrantConstraints {
                encryption_context_subset: Some(pairs(text)),
                encryption_context_equals: None,
            }),
            ..Default::default()
        };
        let limit = || Some(Constraint::Subset(pairs("a=1")));
        assert!(covers(&parent(None), &child("Encrypt", None)));
        assert!(!covers(&parent(None), &child("Decrypt", None)));
        assert!(covers(&parent(limit()), &child("Encrypt", Some("a=1 b=2"))));
        assert!(!covers(&parent(limit()), &child("Encrypt", Some("b=2"))));
        assert!(!covers(&parent(limit()), &child("Encrypt", None)));
        let exact = Some(Constraint::Equals(pairs("a=1")));
        assert!(!covers(&parent(exact), &child("Encrypt", Some("a=1"))));
    }
}
