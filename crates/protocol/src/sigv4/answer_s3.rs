//! S3's words for a refused proof.

use super::answer::Answer;
use super::chunk_seed::ChunkError;
use super::error::{Error, ExpiresProblem, Mismatch, Missing, Skew};
use super::parse::Form;
use super::timestamp::{basic, extended};

const CREDENTIAL_FORM: &str =
    "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".";

/// The error as S3 answers it.
pub(super) fn answer(error: &Error) -> Answer {
    match error {
        Error::MissingAuthenticationToken => Answer::new("AccessDenied", 403, "Access Denied"),
        Error::UnsupportedAlgorithm { form, algorithm } => unsupported(*form, algorithm),
        Error::TwoMechanisms { authorization } => Answer::new(
            "InvalidArgument",
            400,
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature \
             query string parameter or the Authorization header should be specified",
        )
        .field("ArgumentName", "Authorization")
        .field("ArgumentValue", authorization),
        Error::RepeatedParameter { name } => {
            Answer::new("InvalidArgument", 400, format!("{name} must be sent once"))
                .field("ArgumentName", *name)
        }
        Error::NotText { name } => {
            Answer::new("InvalidArgument", 400, format!("{name} must be UTF-8"))
                .field("ArgumentName", *name)
        }
        Error::NotKeyValue { component, .. } => malformed(
            Form::Header,
            format!("the authorization component \"{component}\" is malformed."),
        ),
        Error::Incomplete(missing) => incomplete(missing),
        Error::MalformedDate { form: Form::Header, .. } => Answer::new(
            "AccessDenied",
            403,
            "AWS authentication requires a valid Date or x-amz-date header",
        ),
        Error::MalformedDate { form: Form::Query, .. } => Answer::new(
            "AuthorizationQueryParametersError",
            400,
            "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"",
        ),
        Error::MalformedCredential { form, .. } => malformed(*form, CREDENTIAL_FORM),
        Error::MalformedScopeDate { .. }
        | Error::ScopeDate { .. }
        | Error::WrongRegion { .. }
        | Error::WrongService { .. }
        | Error::WrongTerminator { .. } => scope(error),
        Error::Expires(problem) => expires(*problem),
        Error::HostNotSigned => headers_not_signed("host"),
        Error::HeadersNotSigned { names } => headers_not_signed(&names.join(", ")),
        Error::SignatureExpired(skew) | Error::SignatureNotYetCurrent(skew) => skewed(skew),
        Error::PresignedExpired { expires_seconds, expired_at, now } => {
            Answer::new("AccessDenied", 403, "Request has expired")
                .field("X-Amz-Expires", expires_seconds.to_string())
                .field("Expires", extended(*expired_at))
                .field("ServerTime", extended(*now))
        }
        Error::PayloadHashMissing
        | Error::PayloadHashInvalid { .. }
        | Error::PayloadHashMismatch { .. } => payload(error),
        Error::SignatureMismatch(mismatch) => does_not_match(mismatch),
        Error::Chunk(error) => chunk(error),
        Error::UnknownAccessKey { .. }
        | Error::InvalidToken { .. }
        | Error::ExpiredToken { .. } => identity(error),
    }
}

/// A credential that is not for this endpoint or not for this day.
fn scope(error: &Error) -> Answer {
    match error {
        Error::MalformedScopeDate { form, date } => malformed(
            *form,
            format!(
                "incorrect date format \"{date}\". This date in the credential must be in the \
                 format \"yyyyMMdd\"."
            ),
        ),
        Error::ScopeDate { form, scope_date, timestamp } => {
            scope_date_differs(*form, scope_date, timestamp)
        }
        Error::WrongRegion { form, region, expected } => {
            malformed(*form, format!("the region '{region}' is wrong; expecting '{expected}'"))
                .field("Region", expected)
        }
        Error::WrongService { form, service, expected } => malformed(
            *form,
            format!("incorrect service \"{service}\". This endpoint belongs to \"{expected}\"."),
        ),
        Error::WrongTerminator { form, terminator } => malformed(
            *form,
            format!("incorrect terminal \"{terminator}\". This endpoint uses \"aws4_request\"."),
        ),
        _ => malformed(Form::Header, CREDENTIAL_FORM),
    }
}

/// An access key or token that the caller's lookup refused.
fn identity(error: &Error) -> Answer {
    match error {
        Error::UnknownAccessKey { access_key_id } => Answer::new(
            "InvalidAccessKeyId",
            403,
            "The AWS Access Key Id you provided does not exist in our records.",
        )
        .field("AWSAccessKeyId", access_key_id),
        Error::InvalidToken { token } => Answer::new(
            "InvalidToken",
            400,
            "The provided token is malformed or otherwise invalid.",
        )
        .field("Token-0", token),
        Error::ExpiredToken { token } => {
            Answer::new("ExpiredToken", 400, "The provided token has expired.")
                .field("Token-0", token)
        }
        _ => Answer::new("AccessDenied", 403, "Access Denied"),
    }
}

/// A wrong body as S3 answers it.
pub(super) fn chunk(error: &ChunkError) -> Answer {
    match error {
        ChunkError::LengthMissing => Answer::new(
            "MissingContentLength",
            411,
            "You must provide the Content-Length HTTP header.",
        ),
        ChunkError::Incomplete { declared, received } if received != declared => Answer::new(
            "IncompleteBody",
            400,
            "You did not provide the number of bytes specified by the Content-Length HTTP header",
        ),
        ChunkError::Incomplete { .. } | ChunkError::Malformed => {
            Answer::new("IncompleteBody", 400, "The request body terminated unexpectedly")
        }
        ChunkError::TooSmall { chunk, bytes } => Answer::new(
            "InvalidChunkSizeError",
            403,
            "Only the last chunk is allowed to have a size less than 8192 bytes",
        )
        .field("Chunk", chunk.to_string())
        .field("BadChunkSize", bytes.to_string()),
        ChunkError::TooLarge { bytes, .. } => Answer::new(
            "EntityTooLarge",
            400,
            "Your proposed upload exceeds the maximum allowed size",
        )
        .field("ProposedSize", bytes.to_string()),
        ChunkError::SignatureMismatch(mismatch) => does_not_match(mismatch),
        ChunkError::Trailer => Answer::new(
            "MalformedTrailerError",
            400,
            "The request contained trailing data that was not well-formed or did not conform to \
             our published schema.",
        ),
    }
}

fn malformed(form: Form, detail: impl AsRef<str>) -> Answer {
    let detail = detail.as_ref();
    match form {
        Form::Header => Answer::new(
            "AuthorizationHeaderMalformed",
            400,
            format!("The authorization header is malformed; {detail}"),
        ),
        Form::Query => Answer::new(
            "AuthorizationQueryParametersError",
            400,
            format!("Error parsing the X-Amz-Credential parameter; {detail}"),
        ),
    }
}

fn scope_date_differs(form: Form, scope_date: &str, timestamp: &str) -> Answer {
    let day = timestamp.get(..8).unwrap_or_default();
    let detail = format!(
        "Invalid credential date \"{scope_date}\". This date is not the same as X-Amz-Date: \
         \"{day}\"."
    );
    match form {
        Form::Header => malformed(form, detail),
        Form::Query => Answer::new("AuthorizationQueryParametersError", 400, detail),
    }
}

fn unsupported(form: Form, algorithm: &str) -> Answer {
    match (form, algorithm) {
        (_, "AWS") => Answer::new(
            "InvalidRequest",
            400,
            "The authorization mechanism you have provided is not supported. Please use \
             AWS4-HMAC-SHA256.",
        ),
        (Form::Header, _) => Answer::new("InvalidArgument", 400, "Unsupported Authorization Type")
            .field("ArgumentName", "Authorization")
            .field("ArgumentValue", algorithm),
        (Form::Query, _) => Answer::new(
            "AuthorizationQueryParametersError",
            400,
            "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256\"",
        ),
    }
}

fn incomplete(missing: &Missing) -> Answer {
    if missing.form == Some(Form::Query) {
        return Answer::new(
            "AuthorizationQueryParametersError",
            400,
            "Query-string authentication version 4 requires the X-Amz-Algorithm, \
             X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires \
             parameters.",
        );
    }
    match (missing.credential, missing.signature, missing.signed_headers) {
        (true, false, false) => malformed(Form::Header, "missing Credential."),
        (false, true, false) => malformed(Form::Header, "missing Signature."),
        (false, false, true) => malformed(Form::Header, "missing SignedHeaders."),
        (false, false, false) if missing.region_set => {
            malformed(Form::Header, "missing X-Amz-Region-Set.")
        }
        (false, false, false) => Answer::new(
            "AccessDenied",
            403,
            "AWS authentication requires a valid Date or x-amz-date header",
        ),
        _ => malformed(
            Form::Header,
            "the authorization header requires three components: Credential, SignedHeaders, and \
             Signature.",
        ),
    }
}

fn expires(problem: ExpiresProblem) -> Answer {
    let text = match problem {
        ExpiresProblem::NotANumber => "X-Amz-Expires should be a number",
        ExpiresProblem::Negative => "X-Amz-Expires must be non-negative",
        ExpiresProblem::TooLarge => {
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires \
             must be less than 604800 seconds"
        }
    };
    Answer::new("AuthorizationQueryParametersError", 400, text)
}

fn headers_not_signed(names: &str) -> Answer {
    let text = "There were headers present in the request which were not signed";
    Answer::new("AccessDenied", 403, text).field("HeadersNotSigned", names)
}

fn skewed(skew: &Skew) -> Answer {
    if skew.form == Form::Query && skew.signed_at > skew.now {
        return Answer::new("AccessDenied", 403, "Request is not yet valid");
    }
    let text = "The difference between the request time and the current time is too large.";
    Answer::new("RequestTimeTooSkewed", 403, text)
        .field("RequestTime", basic(skew.signed_at))
        .field("ServerTime", extended(skew.now))
        .field("MaxAllowedSkewMilliseconds", (u64::from(skew.max_skew_seconds) * 1000).to_string())
}

fn payload(error: &Error) -> Answer {
    match error {
        Error::PayloadHashInvalid { value } => Answer::new(
            "InvalidArgument",
            400,
            "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, \
             STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, \
             STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, \
             STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
        )
        .field("ArgumentName", "x-amz-content-sha256")
        .field("ArgumentValue", value),
        Error::PayloadHashMismatch { declared, computed } => Answer::new(
            "XAmzContentSHA256Mismatch",
            400,
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )
        .field("ClientComputedContentSHA256", declared)
        .field("S3ComputedContentSHA256", computed),
        _ => Answer::new(
            "InvalidRequest",
            400,
            "Missing required header for this request: x-amz-content-sha256",
        ),
    }
}

fn does_not_match(mismatch: &Mismatch) -> Answer {
    let answer = Answer::new(
        "SignatureDoesNotMatch",
        403,
        "The request signature we calculated does not match the signature you provided. Check your \
         key and signing method.",
    )
    .field("AWSAccessKeyId", &mismatch.access_key_id)
    .field("StringToSign", &mismatch.string_to_sign)
    .field("SignatureProvided", &mismatch.signature_provided)
    .field("StringToSignBytes", spaced(mismatch.string_to_sign.as_bytes()));
    if mismatch.canonical_request.is_empty() {
        return answer;
    }
    let text = String::from_utf8_lossy(&mismatch.canonical_request);
    answer
        .field("CanonicalRequest", text)
        .field("CanonicalRequestBytes", spaced(&mismatch.canonical_request))
}

/// Bytes as S3 prints them: two digits each, separated by spaces.
fn spaced(bytes: &[u8]) -> String {
    let pairs: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(" ")
}
