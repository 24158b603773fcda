//! The second factor of a call that issues a session.

use crate::errors::ACCESS_DENIED;
use palisade_shape::Result;

/// Refuses a second factor that cannot be proven. No device is registered with any user until MFA
/// devices are implemented, so each serial number is an unknown one.
pub fn check(serial_number: Option<&str>, token_code: Option<&str>) -> Result<()> {
    let message = match (serial_number, token_code) {
        (None, None) => return Ok(()),
        (Some(_), Some(_)) => {
            "MultiFactorAuthentication failed with invalid MFA one time pass code. "
        }
        _ => {
            "MultiFactorAuthentication failed, must provide both MFA serial number and one time \
             pass code. "
        }
    };
    Err(ACCESS_DENIED.because(message))
}
