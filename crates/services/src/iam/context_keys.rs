//! Which context keys policies ask for, so that a simulation can be given them all.
//!
//! Source: IAM API reference, GetContextKeysForCustomPolicy, GetContextKeysForPrincipalPolicy.

use super::simulation::{Source, find_source, invalid_content};
use crate::context::Context;
use palisade_model::iam::{
    GetContextKeysForCustomPolicyRequest, GetContextKeysForPolicyResponse,
    GetContextKeysForPrincipalPolicyRequest,
};
use palisade_policy::{DocumentKind, Policy};
use palisade_shape::Result;
use std::collections::BTreeSet;

/// Lists the keys of policies that are handed in.
pub fn get_context_keys_for_custom_policy(
    _cx: &mut Context,
    input: GetContextKeysForCustomPolicyRequest,
) -> Result<GetContextKeysForPolicyResponse> {
    let GetContextKeysForCustomPolicyRequest { policy_input_list } = input;
    let policies = parsed(&policy_input_list)?;
    Ok(answer(policies.iter()))
}

/// Lists the keys of a user's, group's or role's policies, its boundary included, and of those
/// handed in besides.
pub fn get_context_keys_for_principal_policy(
    cx: &mut Context,
    input: GetContextKeysForPrincipalPolicyRequest,
) -> Result<GetContextKeysForPolicyResponse> {
    let GetContextKeysForPrincipalPolicyRequest { policy_source_arn, policy_input_list } = input;
    let source = find_source(cx, &policy_source_arn)?;
    let given = parsed(&policy_input_list.unwrap_or_default())?;
    let own = source.policies.iter().chain(&source.boundary).map(document);
    Ok(answer(own.chain(given.iter())))
}

fn document(source: &Source) -> &Policy {
    source.policy.document()
}

fn parsed(texts: &[String]) -> Result<Vec<Policy>> {
    let parse = |(index, text): (usize, &String)| {
        Policy::parse(text, DocumentKind::Identity).map_err(|_| invalid_content(index))
    };
    texts.iter().enumerate().map(parse).collect()
}

/// Each key once, as it is written first: key names ignore case.
fn answer<'p>(policies: impl Iterator<Item = &'p Policy>) -> GetContextKeysForPolicyResponse {
    let mut seen = BTreeSet::new();
    let names = policies.flat_map(Policy::context_key_names);
    let names = names.filter(|name| seen.insert(name.to_lowercase()));
    GetContextKeysForPolicyResponse { context_key_names: Some(names.collect()) }
}
