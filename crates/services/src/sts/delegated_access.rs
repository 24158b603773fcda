//! Access that a principal delegated to a product of a partner, through a delegation request.
//!
//! Source: STS API reference, GetDelegatedAccessToken.

use crate::context::Context;
use palisade_model::sts::{
    EXPIRED_TRADE_IN_TOKEN_EXCEPTION, GetDelegatedAccessTokenRequest,
    GetDelegatedAccessTokenResponse,
};
use palisade_shape::Result;

/// Refuses: trade-in tokens come of delegation requests that AWS partners make, and no partner is
/// registered here, so none was ever handed out.
pub fn get_delegated_access_token(
    _cx: &mut Context,
    input: GetDelegatedAccessTokenRequest,
) -> Result<GetDelegatedAccessTokenResponse> {
    let GetDelegatedAccessTokenRequest { trade_in_token: _ } = input;
    let text = "The trade-in token is not valid or has expired.";
    Err(EXPIRED_TRADE_IN_TOKEN_EXCEPTION.because(text))
}
