//! The second factor of a call that issues a session.
//!
//! Source: STS API reference, AssumeRole and GetSessionToken, `SerialNumber` and `TokenCode`.

use crate::caller::{Caller, Principal, SessionKind};
use crate::context::Context;
use crate::errors::ACCESS_DENIED;
use crate::iam::mfa_device::{self, Verdict};
use crate::service::Input;
use palisade_model::sts::{AssumeRoleRequest, GetSessionTokenRequest};
use palisade_shape::{Error, Result};

/// A code that was found right and is not used up yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    serial_number: String,
    step: i64,
}

/// Checks the second factor that the call brings, if it brings one. It must be of a device of the
/// user or root user who calls.
pub fn check(cx: &Context, serial: Option<&str>, code: Option<&str>) -> Result<Option<Proof>> {
    let (serial, code) = match (serial, code) {
        (None, None) => return Ok(None),
        (Some(serial), Some(code)) => (serial, code),
        _ => return Err(ACCESS_DENIED.because(INCOMPLETE)),
    };
    let Some(user_id) = user_id(cx.caller) else { return Err(ACCESS_DENIED.because(NOT_THEIRS)) };
    match mfa_device::check_code(cx, user_id, serial, code)? {
        Verdict::Right(step) => Ok(Some(Proof { serial_number: serial.to_owned(), step })),
        Verdict::Wrong => Err(wrong()),
        Verdict::NotTheirs => Err(ACCESS_DENIED.because(NOT_THEIRS)),
    }
}

const INCOMPLETE: &str = "MultiFactorAuthentication failed, must provide both MFA serial number \
                          and one time pass code. ";
const NOT_THEIRS: &str = "MultiFactorAuthentication failed, unable to validate MFA code.  Please \
                          verify your MFA serial number is valid and associated with this user. ";

fn wrong() -> Error {
    ACCESS_DENIED.because("MultiFactorAuthentication failed with invalid MFA one time pass code. ")
}

/// The id that devices know their owner by. Sessions of roles are nobody's who could have a device.
fn user_id(caller: &Caller) -> Option<&str> {
    match &caller.principal {
        Principal::Root => Some(&caller.account),
        Principal::User { id, .. } => Some(id),
        _ => None,
    }
}

/// Uses the code of a proof up, and answers when the second factor of the new session was proven:
/// now, or when the caller's own session was, if that stands for the user itself.
pub fn prove(cx: &mut Context, proof: Option<&Proof>) -> Result<Option<i64>> {
    match proof {
        Some(proof) => {
            mfa_device::use_code(cx, &proof.serial_number, proof.step)?;
            Ok(Some(cx.now().whole_seconds().millis()))
        }
        None => Ok(inherited(cx.caller)),
    }
}

/// A user's session hands on that a second factor was proven; a role's session does not.
fn inherited(caller: &Caller) -> Option<i64> {
    let session = caller.session.as_deref()?;
    let own = matches!(session.kind, SessionKind::SessionToken | SessionKind::SignIn);
    own.then_some(session.mfa_at_millis).flatten()
}

/// Whether the call brings a code, which must be stored as used.
pub fn brings_code(input: &dyn Input) -> bool {
    let input = input.as_any();
    let assuming = input.downcast_ref().map(|input: &AssumeRoleRequest| &input.token_code);
    let own = || input.downcast_ref().map(|input: &GetSessionTokenRequest| &input.token_code);
    assuming.or_else(own).is_some_and(Option::is_some)
}
