//! What the management policies on the way to an account come to.

use super::management_policy::{self, EffectiveFault};
use super::node::{self, Kind, NODES, Node};
use super::organization::Organization;
use super::policy_type::{self, Language};
use super::refusal::{denied, invalid, no_target, not_all_features};
use super::{account, list, policy};
use crate::context::Context;
use palisade_model::organizations::{
    DescribeEffectivePolicyRequest, DescribeEffectivePolicyResponse,
    EFFECTIVE_POLICY_NOT_FOUND_EXCEPTION, EffectivePolicy, EffectivePolicyValidationError,
    ListAccountsWithInvalidEffectivePolicyRequest, ListAccountsWithInvalidEffectivePolicyResponse,
    ListEffectivePolicyValidationErrorsRequest, ListEffectivePolicyValidationErrorsResponse,
};
use palisade_shape::{Error, Result, Timestamp};
use serde_json::Value;

/// An effective policy with where it came from.
struct Found {
    effective: Value,
    /// The ids of the policies on the way.
    policies: Vec<String>,
    /// When the newest of them was changed.
    updated_millis: i64,
    path: String,
}

fn none() -> Error {
    let text = "There is no effective policy of the specified type for the target.";
    EFFECTIVE_POLICY_NOT_FOUND_EXCEPTION.because(text)
}

fn compute(
    cx: &Context,
    organization: &Organization,
    way: &[Node],
    policy_type: &str,
) -> Result<Option<Found>> {
    let (mut levels, mut policies) = (Vec::new(), Vec::new());
    let mut updated_millis = 0;
    for node in way {
        let mut documents = Vec::new();
        for id in node.policies(policy_type) {
            let stored = cx.find(&policy::POLICIES, id)?;
            updated_millis = updated_millis.max(stored.updated_millis);
            documents.push(stored.content);
            policies.push(id.clone());
        }
        levels.push(documents);
    }
    let effective = management_policy::effective(&levels);
    let path = node::path(organization, way);
    Ok(effective.map(|effective| Found { effective, policies, updated_millis, path }))
}

/// Refuses types that have no effective policy, and organizations that have none.
fn check_type(organization: &Organization, policy_type: &str) -> Result<()> {
    if !organization.has_all_features() {
        return Err(not_all_features());
    }
    match policy_type::find(policy_type)?.language {
        Language::Management(_) => Ok(()),
        Language::Authorization(_) => {
            let text = "You specified an invalid policy type string.";
            Err(invalid("INVALID_ENUM_POLICY_TYPE", text))
        }
    }
}

/// Shows what binds an account, the caller's own unless the management account names another.
pub fn describe_effective_policy(
    cx: &mut Context,
    organization: &Organization,
    input: DescribeEffectivePolicyRequest,
) -> Result<DescribeEffectivePolicyResponse> {
    let DescribeEffectivePolicyRequest { policy_type, target_id } = input;
    check_type(organization, &policy_type)?;
    let caller = cx.caller.account.to_string();
    let target = target_id.unwrap_or_else(|| caller.clone());
    if Kind::of(&target) != Kind::Account {
        let text = "You can't perform the specified operation on that target entity.";
        return Err(invalid("TARGET_NOT_SUPPORTED", text));
    }
    let manages = caller == organization.management_account
        || super::delegated_administrator::is_any(cx, &caller)?;
    if target != caller && !manages {
        return Err(denied());
    }
    node::find(cx, &target)?.ok_or_else(no_target)?;
    let way = node::way_to(cx, &target)?;
    let found = compute(cx, organization, &way, &policy_type)?.ok_or_else(none)?;
    let policy = EffectivePolicy {
        policy_content: Some(found.effective.to_string()),
        last_updated_timestamp: Some(Timestamp::from_millis(found.updated_millis)),
        target_id: Some(target),
        policy_type: Some(policy_type),
    };
    Ok(DescribeEffectivePolicyResponse { effective_policy: Some(policy) })
}

/// The effective policy of an account and what is wrong with it.
fn faults(
    cx: &Context,
    organization: &Organization,
    account: &str,
    policy_type: &str,
) -> Result<Option<(Found, Vec<EffectiveFault>)>> {
    let way = node::way_to(cx, account)?;
    let found = compute(cx, organization, &way, policy_type)?;
    Ok(found.map(|found| {
        let faults = management_policy::check_effective(policy_type, &found.effective);
        (found, faults)
    }))
}

/// Lists the accounts whose effective policy is not whole.
pub fn list_accounts_with_invalid_effective_policy(
    cx: &mut Context,
    organization: &Organization,
    input: ListAccountsWithInvalidEffectivePolicyRequest,
) -> Result<ListAccountsWithInvalidEffectivePolicyResponse> {
    let ListAccountsWithInvalidEffectivePolicyRequest { policy_type, next_token, max_results } =
        input;
    check_type(organization, &policy_type)?;
    let page = list::page(cx, &NODES, "account/", (next_token, max_results), |cx, node| {
        let found = faults(cx, organization, &node.id, &policy_type)?;
        match found.is_some_and(|(_, faults)| !faults.is_empty()) {
            true => account::shown(cx, organization, &node).map(Some),
            false => Ok(None),
        }
    })?;
    Ok(ListAccountsWithInvalidEffectivePolicyResponse {
        accounts: Some(page.items),
        policy_type: Some(policy_type),
        next_token: page.next,
    })
}

/// Lists what is wrong with the effective policy of an account.
pub fn list_effective_policy_validation_errors(
    cx: &mut Context,
    organization: &Organization,
    input: ListEffectivePolicyValidationErrorsRequest,
) -> Result<ListEffectivePolicyValidationErrorsResponse> {
    let ListEffectivePolicyValidationErrorsRequest {
        account_id,
        policy_type,
        next_token,
        max_results,
    } = input;
    check_type(organization, &policy_type)?;
    account::load(cx, &account_id)?;
    let found = faults(cx, organization, &account_id, &policy_type)?;
    let (found, faults) = found.ok_or_else(none)?;
    let page = list::of_items(faults, (next_token, max_results))?;
    let errors = page.items.into_iter().map(|fault| EffectivePolicyValidationError {
        error_code: Some(fault.code.to_owned()),
        error_message: Some(fault.message),
        path_to_error: Some(fault.path),
        contributing_policies: Some(found.policies.clone()),
    });
    Ok(ListEffectivePolicyValidationErrorsResponse {
        account_id: Some(account_id),
        policy_type: Some(policy_type),
        path: Some(found.path.clone()),
        evaluation_timestamp: Some(cx.now()),
        next_token: page.next,
        effective_policy_validation_errors: Some(errors.collect()),
    })
}
