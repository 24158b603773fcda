//! The errors that every AWS API shares (IAM API reference, "Common error types").

use palisade_shape::{Error, ErrorCode};

pub static ACCESS_DENIED: ErrorCode = ErrorCode::plain("AccessDenied", 403);
pub static INTERNAL_FAILURE: ErrorCode = ErrorCode::plain("InternalFailure", 500);
pub static SERVICE_UNAVAILABLE: ErrorCode = ErrorCode::plain("ServiceUnavailable", 503);
pub static THROTTLING: ErrorCode = ErrorCode::plain("Throttling", 400);
pub static VALIDATION_ERROR: ErrorCode = ErrorCode::plain("ValidationError", 400);
pub static NOT_IMPLEMENTED: ErrorCode = ErrorCode::plain("NotImplemented", 501);

/// Something that is our fault. The client learns only that it failed; `cause` goes to the log.
pub fn internal(cause: impl std::fmt::Display) -> Error {
    INTERNAL_FAILURE
        .because("The request processing has failed because of an unknown error.")
        .internally(cause)
}
