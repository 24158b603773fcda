//! Who is calling, and whose an access key is.

use crate::authorization::Requirement;
use crate::context::Context;
use crate::errors::VALIDATION_ERROR;
use crate::random::account_of_access_key;
use palisade_model::sts::{
    GetAccessKeyInfoRequest, GetAccessKeyInfoResponse, GetCallerIdentityRequest,
    GetCallerIdentityResponse,
};
use palisade_shape::Result;

/// Tells the caller who it is.
pub fn get_caller_identity(
    cx: &mut Context,
    _input: GetCallerIdentityRequest,
) -> Result<GetCallerIdentityResponse> {
    Ok(GetCallerIdentityResponse {
        user_id: Some(cx.caller.user_id.to_string()),
        account: Some(cx.caller.account.to_string()),
        arn: Some(cx.caller.arn.to_string()),
    })
}

/// No permission is needed and no denial stops it, which the policy engine knows; the decision is
/// recorded all the same.
pub fn get_caller_identity_requirements(
    cx: &mut Context,
    _input: &GetCallerIdentityRequest,
) -> Result<Vec<Requirement>> {
    Ok(vec![Requirement::new("sts:GetCallerIdentity", "*", &cx.caller.account)])
}

/// Tells the account of an access key. The id says it itself, so the key may be deleted, expired or
/// of an account elsewhere (STS API reference, GetAccessKeyInfo).
pub fn get_access_key_info(
    _cx: &mut Context,
    input: GetAccessKeyInfoRequest,
) -> Result<GetAccessKeyInfoResponse> {
    let GetAccessKeyInfoRequest { access_key_id } = input;
    let account = Some(&access_key_id)
        .filter(|id| id.starts_with("AKIA") || id.starts_with("ASIA"))
        .and_then(|id| account_of_access_key(id));
    match account {
        Some(account) => Ok(GetAccessKeyInfoResponse { account: Some(account) }),
        // AWS documents no error for an id that is none.
        None => Err(VALIDATION_ERROR.because(format!("{access_key_id} is not a valid access key"))),
    }
}
