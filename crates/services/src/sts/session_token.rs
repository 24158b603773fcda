//! Sessions of users and root users as themselves.

use super::session::{self, NewSession};
use super::{federated_user, mfa};
use crate::authorization::Requirement;
use crate::caller::SessionKind;
use crate::context::Context;
use palisade_model::sts::{GetSessionTokenRequest, GetSessionTokenResponse};
use palisade_shape::Result;

/// Issues temporary credentials of the caller's own permissions. They end with the user, whose
/// policies they always follow.
pub fn get_session_token(
    cx: &mut Context,
    input: GetSessionTokenRequest,
) -> Result<GetSessionTokenResponse> {
    let GetSessionTokenRequest { duration_seconds, serial_number, token_code } = input;
    let issuer = federated_user::issuer(cx, "GetSessionToken")?;
    let proof = mfa::check(cx, serial_number.as_deref(), token_code.as_deref())?;
    let seconds = federated_user::duration(cx, duration_seconds);
    let new = NewSession {
        mfa_at_millis: mfa::prove(cx, proof.as_ref())?,
        ..NewSession::of(issuer, SessionKind::SessionToken, seconds)
    };
    let credentials = session::issue(cx, new)?;
    Ok(GetSessionTokenResponse { credentials: Some(credentials) })
}

/// None: "no permissions are required for users to perform this operation", and no policy can deny
/// it (IAM User Guide, "Permissions for GetSessionToken").
pub fn get_session_token_requirements(
    cx: &mut Context,
    _input: &GetSessionTokenRequest,
) -> Result<Vec<Requirement>> {
    federated_user::issuer(cx, "GetSessionToken").map(|_| Vec::new())
}
