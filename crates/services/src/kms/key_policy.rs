//! The policy of a key, of which there is exactly one, called `default`.
//!
//! Source: AWS KMS API reference, GetKeyPolicy, PutKeyPolicy, ListKeyPolicies.

use super::key;
use super::policy_document::{self, Lockout};
use super::{key_id, list};
use crate::context::Context;
use crate::page;
use palisade_model::kms::{
    GetKeyPolicyRequest, GetKeyPolicyResponse, INVALID_MARKER_EXCEPTION, ListKeyPoliciesRequest,
    ListKeyPoliciesResponse, NOT_FOUND_EXCEPTION, PutKeyPolicyRequest,
};
use palisade_shape::{Nothing, Result};

const NAME: &str = "default";

fn check_name(name: Option<String>) -> Result<()> {
    match name.as_deref() {
        None | Some(NAME) => Ok(()),
        Some(_) => Err(NOT_FOUND_EXCEPTION.because("No such policy exists")),
    }
}

pub fn get_key_policy(
    cx: &mut Context,
    input: GetKeyPolicyRequest,
) -> Result<GetKeyPolicyResponse> {
    let GetKeyPolicyRequest { key_id, policy_name } = input;
    let key = key_id::load_by_id(cx, &key_id)?;
    check_name(policy_name)?;
    key::touch(cx, &key);
    Ok(GetKeyPolicyResponse {
        policy: Some(policy_document::shown(cx, &key.policy)?),
        policy_name: Some(NAME.to_owned()),
    })
}

/// Replaces the policy of a key.
pub fn put_key_policy(cx: &mut Context, input: PutKeyPolicyRequest) -> Result<Nothing> {
    let PutKeyPolicyRequest { key_id, policy_name, policy, bypass_policy_lockout_safety_check } =
        input;
    let mut key = key_id::load_by_id(cx, &key_id)?;
    check_name(policy_name)?;
    let lockout = Lockout::of(bypass_policy_lockout_safety_check);
    key.policy = policy_document::checked(cx, &policy, lockout)?;
    key::put(cx, &key)?;
    key::touch(cx, &key);
    Ok(Nothing)
}

pub fn list_key_policies(
    cx: &mut Context,
    input: ListKeyPoliciesRequest,
) -> Result<ListKeyPoliciesResponse> {
    let ListKeyPoliciesRequest { key_id, limit, marker } = input;
    let key = key_id::load_by_id(cx, &key_id)?;
    page::start(marker.as_deref(), &INVALID_MARKER_EXCEPTION)?;
    key::touch(cx, &key);
    let rows = vec![(NAME.to_owned(), NAME.to_owned())];
    let page = list::page_of(rows, marker.as_deref(), limit, list::LONG)?;
    Ok(ListKeyPoliciesResponse {
        truncated: Some(page.next.is_some()),
        next_marker: page.next,
        policy_names: Some(page.items),
    })
}
