//! Access that a principal delegated to a product of a partner, through a delegation request.
//!
//! Source: STS API reference, GetDelegatedAccessToken.

use super::{packing, session};
use crate::context::Context;
use crate::iam::delegation_request;
use palisade_model::sts::{
    EXPIRED_TRADE_IN_TOKEN_EXCEPTION, GetDelegatedAccessTokenRequest,
    GetDelegatedAccessTokenResponse,
};
use palisade_shape::Result;
use std::collections::BTreeMap;

/// Trades the token of a delegation request for credentials: those of who approved it, within the
/// request's policy, until the time that was asked for is over. Only the partner that asked for the
/// access can; it may again while there is time left.
pub fn get_delegated_access_token(
    cx: &mut Context,
    input: GetDelegatedAccessTokenRequest,
) -> Result<GetDelegatedAccessTokenResponse> {
    let found = delegation_request::of_token(cx, &input.trade_in_token)?;
    let Some((session, until)) = found else {
        let text = "The trade-in token is not valid or has expired.";
        return Err(EXPIRED_TRADE_IN_TOKEN_EXCEPTION.because(text));
    };
    let packed_policy_size = packing::percentage(&session.policies, &[], &BTreeMap::new())?;
    let credentials = session::reissue(cx, &session, until)?;
    Ok(GetDelegatedAccessTokenResponse {
        credentials: Some(credentials),
        packed_policy_size,
        assumed_principal: Some(session.issuer_arn),
    })
}
