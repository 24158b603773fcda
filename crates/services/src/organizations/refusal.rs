//! Organizations' refusals: each with the reason that its exception carries, in AWS's words.
//!
//! Source: Organizations API reference, ConstraintViolationException, InvalidInputException,
//! HandshakeConstraintViolationException and the errors of each operation.

use palisade_model::organizations::{
    ACCESS_DENIED_EXCEPTION, ACCOUNT_NOT_FOUND_EXCEPTION, AWS_ORGANIZATIONS_NOT_IN_USE_EXCEPTION,
    CONSTRAINT_VIOLATION_EXCEPTION, HANDSHAKE_CONSTRAINT_VIOLATION_EXCEPTION,
    INVALID_INPUT_EXCEPTION, PARENT_NOT_FOUND_EXCEPTION, TARGET_NOT_FOUND_EXCEPTION,
};
use palisade_shape::Error;
use std::borrow::Cow;

/// A limit that the operation would exceed or fall below.
pub fn constraint(reason: &'static str, text: impl Into<Cow<'static, str>>) -> Error {
    CONSTRAINT_VIOLATION_EXCEPTION.because(text).with("Reason", reason)
}

/// A limit of handshakes.
pub fn handshake_constraint(reason: &'static str, text: &'static str) -> Error {
    HANDSHAKE_CONSTRAINT_VIOLATION_EXCEPTION.because(text).with("Reason", reason)
}

/// A value that the model allows and the operation does not.
pub fn invalid(reason: &'static str, text: impl Into<Cow<'static, str>>) -> Error {
    INVALID_INPUT_EXCEPTION.because(text).with("Reason", reason)
}

pub fn not_in_use() -> Error {
    AWS_ORGANIZATIONS_NOT_IN_USE_EXCEPTION
        .because("Your account is not a member of an organization.")
}

pub fn denied() -> Error {
    ACCESS_DENIED_EXCEPTION.because("You don't have permissions to access this resource.")
}

pub fn no_account() -> Error {
    ACCOUNT_NOT_FOUND_EXCEPTION.because("You specified an account that doesn't exist.")
}

pub fn no_parent() -> Error {
    PARENT_NOT_FOUND_EXCEPTION.because("You specified parent that doesn't exist.")
}

pub fn no_target() -> Error {
    TARGET_NOT_FOUND_EXCEPTION.because("You specified a target that doesn't exist.")
}

/// The operation needs all features, and the organization shares its bill alone.
pub fn not_all_features() -> Error {
    constraint(
        "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE",
        "This operation can be performed only in an organization that has all features enabled.",
    )
}
