//! Refusals that the pipeline itself makes, in the words of each protocol.

use palisade_services::authorization::{Credential, Decided, denial};
use palisade_services::errors::NOT_IMPLEMENTED;
use palisade_shape::{Error, ErrorCode, Protocol, Service};

static ACCESS_DENIED: ErrorCode = ErrorCode::plain("AccessDenied", 403);
static ACCESS_DENIED_JSON: ErrorCode = ErrorCode::plain("AccessDeniedException", 400);
static ACCESS_DENIED_REST_JSON: ErrorCode = ErrorCode::plain("AccessDeniedException", 403);
static UNAUTHORIZED_OPERATION: ErrorCode = ErrorCode::plain("UnauthorizedOperation", 403);
static AUTHORIZATION_ERROR: ErrorCode = ErrorCode::plain("AuthorizationError", 403);
static MISSING_ACTION: ErrorCode = ErrorCode::plain("MissingAction", 400);
static INVALID_ACTION: ErrorCode = ErrorCode::plain("InvalidAction", 400);
static UNKNOWN_OPERATION_JSON: ErrorCode = ErrorCode::plain("UnknownOperationException", 400);
static UNKNOWN_OPERATION_REST: ErrorCode = ErrorCode::plain("UnknownOperationException", 404);
static METHOD_NOT_ALLOWED: ErrorCode = ErrorCode::plain("MethodNotAllowed", 405);
pub static REQUEST_TIMEOUT: ErrorCode = ErrorCode::plain("RequestTimeout", 408);
pub static REQUEST_ENTITY_TOO_LARGE: ErrorCode = ErrorCode::plain("RequestEntityTooLarge", 413);
pub static REQUEST_HEADER_SECTION_TOO_LARGE: ErrorCode =
    ErrorCode::plain("RequestHeaderSectionTooLarge", 431);
pub static INCOMPLETE_BODY: ErrorCode = ErrorCode::plain("IncompleteBody", 400);
pub static MISSING_TOKEN: ErrorCode = ErrorCode::plain("MissingAuthenticationToken", 403);

/// The refusal of a call whose last requirement was not allowed.
pub fn access_denied(
    protocol: Protocol,
    service: &Service,
    credential: &Credential,
    denied: &Decided,
) -> Error {
    let code = match (protocol, service.name) {
        (_, "sns") => &AUTHORIZATION_ERROR,
        (Protocol::Query | Protocol::RestXml, _) => &ACCESS_DENIED,
        (Protocol::Ec2, _) => &UNAUTHORIZED_OPERATION,
        (Protocol::RestJson, _) => &ACCESS_DENIED_REST_JSON,
        (Protocol::Json10 | Protocol::Json11 | Protocol::RpcV2Cbor, _) => &ACCESS_DENIED_JSON,
    };
    code.because(denial(service.name, credential, denied))
}

/// AWS has the operation and Palisade does not, yet.
pub fn not_implemented(service: &Service, operation: &str) -> Error {
    let id = service.id;
    NOT_IMPLEMENTED
        .because(format!("Palisade does not implement {id} {operation} yet. Nothing was changed."))
}

/// No AWS service has the operation, or not in the version of the API that was asked for.
pub fn unknown_operation(
    protocol: Protocol,
    service: &Service,
    name: &str,
    version: Option<&str>,
) -> Error {
    match protocol {
        Protocol::Query | Protocol::Ec2 if name.is_empty() => {
            MISSING_ACTION.because("The request is missing an action or a required parameter.")
        }
        Protocol::Query | Protocol::Ec2 => INVALID_ACTION.because(format!(
            "Could not find operation {name} for version {}",
            version.unwrap_or(service.api_version)
        )),
        Protocol::Json10 | Protocol::Json11 | Protocol::RpcV2Cbor => {
            UNKNOWN_OPERATION_JSON.because("")
        }
        Protocol::RestJson => UNKNOWN_OPERATION_REST.because(""),
        Protocol::RestXml => {
            METHOD_NOT_ALLOWED.because("The specified method is not allowed against this resource.")
        }
    }
}
