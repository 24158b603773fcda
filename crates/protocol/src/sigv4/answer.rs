//! The words of AWS's services for a refused proof.
//!
//! Sources: IAM and STS API References, "Common Errors"; S3 API Reference, "Error Responses"; EC2
//! API Reference, "Client error codes"; texts as the services answer them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::answer_s3;
use super::chunk_seed::ChunkError;
use super::error::{Error, Mismatch, Missing, Skew};
use super::parse::Form;
use super::timestamp::basic;

/// Which family of services words the answer. They differ in codes, statuses and texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// The query protocol (IAM, STS, SNS, …) and rest-xml other than S3.
    Query,
    /// The ec2 protocol.
    Ec2,
    /// json 1.0, json 1.1 and rpc-v2-cbor: codes end in `Exception`, the status is 400.
    Json,
    /// rest-json: the codes of json with the status 403.
    RestJson,
    /// S3.
    S3,
}

/// What to print: the caller wraps it in the protocol's envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The error code.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The text.
    pub message: String,
    /// S3's further elements, by name, in order.
    pub fields: Vec<(&'static str, String)>,
}

impl Answer {
    pub(super) fn new(code: &'static str, status: u16, message: impl Into<String>) -> Self {
        Self { code, status, message: message.into(), fields: Vec::new() }
    }

    pub(super) fn field(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }
}

/// What kind of failure it is, where all services but S3 agree.
#[derive(Clone, Copy)]
enum Kind {
    MissingAuthentication,
    Incomplete,
    Mismatch,
    UnknownKey,
    ExpiredToken,
    InvalidRequest,
}

const INVALID_TOKEN: &str = "The security token included in the request is invalid.";
const EXPIRED_TOKEN: &str = "The security token included in the request is expired";
const DOES_NOT_MATCH: &str = "The request signature we calculated does not match the signature you \
    provided. Check your AWS Secret Access Key and signing method. Consult the service \
    documentation for details.";

impl Error {
    /// The error as the services of `dialect` answer it.
    pub fn answer(&self, dialect: Dialect) -> Answer {
        if dialect == Dialect::S3 {
            return answer_s3::answer(self);
        }
        if dialect == Dialect::Ec2 && self.is_too_late() {
            return Answer::new("RequestExpired", 400, "Request has expired.");
        }
        let (kind, message) = self.describe(dialect);
        let (code, status) = code(kind, dialect);
        match (dialect, kind) {
            (Dialect::Ec2, Kind::Mismatch | Kind::UnknownKey) => {
                let text = "AWS was not able to validate the provided access credentials";
                Answer::new(code, status, text)
            }
            _ => Answer::new(code, status, message),
        }
    }

    /// EC2 has one code for sessions and dates that are over, or not yet there.
    fn is_too_late(&self) -> bool {
        matches!(
            self,
            Self::ExpiredToken { .. }
                | Self::SignatureExpired(_)
                | Self::SignatureNotYetCurrent(_)
                | Self::PresignedExpired { .. }
        )
    }

    fn describe(&self, dialect: Dialect) -> (Kind, String) {
        match self {
            Self::MissingAuthenticationToken => {
                let text = match dialect {
                    Dialect::Json | Dialect::RestJson => "Missing Authentication Token",
                    _ => "Request is missing Authentication Token",
                };
                (Kind::MissingAuthentication, text.to_owned())
            }
            Self::UnsupportedAlgorithm { algorithm, .. } => {
                (Kind::Incomplete, format!("Unsupported AWS 'algorithm': '{algorithm}'."))
            }
            Self::TwoMechanisms { .. } => (
                Kind::Incomplete,
                "The request contains a query parameter that duplicates a header value.".to_owned(),
            ),
            Self::RepeatedParameter { name } => {
                (Kind::Incomplete, format!("'{name}' must have one value in the request."))
            }
            Self::NotText { name } => (Kind::Incomplete, format!("'{name}' must be UTF-8.")),
            Self::NotKeyValue { component, .. } => (
                Kind::Incomplete,
                format!(
                    "Invalid key=value pair (missing equal-sign) in Authorization header \
                     (hashed with SHA-256 and encoded with Base64): '{}'.",
                    hashed(component)
                ),
            ),
            Self::Incomplete(missing) => (Kind::Incomplete, incomplete(missing)),
            Self::MalformedDate { date, .. } => (
                Kind::Incomplete,
                format!(
                    "Date must be in ISO-8601 'basic format'. Got '{date}'. \
                     See http://en.wikipedia.org/wiki/ISO_8601"
                ),
            ),
            Self::MalformedCredential { credential, .. } => (
                Kind::Incomplete,
                format!(
                    "Credential must have exactly 5 slash-delimited elements, \
                     e.g. keyid/date/region/service/term, got '{credential}'"
                ),
            ),
            Self::PayloadHashMissing | Self::PayloadHashInvalid { .. } => {
                (Kind::Incomplete, "Invalid x-amz-content-sha256 value".to_owned())
            }
            Self::Expires(_) => (
                Kind::Incomplete,
                "X-Amz-Expires must be a number of seconds from 0 to 604800".to_owned(),
            ),
            Self::PayloadHashMismatch { .. } => (Kind::Mismatch, DOES_NOT_MATCH.to_owned()),
            Self::SignatureMismatch(mismatch) => (Kind::Mismatch, does_not_match(mismatch)),
            Self::Chunk(error) => chunk(error),
            Self::UnknownAccessKey { .. } | Self::InvalidToken { .. } => {
                (Kind::UnknownKey, INVALID_TOKEN.to_owned())
            }
            Self::ExpiredToken { .. } => (Kind::ExpiredToken, EXPIRED_TOKEN.to_owned()),
            Self::MalformedScopeDate { .. }
            | Self::ScopeDate { .. }
            | Self::WrongRegion { .. }
            | Self::WrongService { .. }
            | Self::WrongTerminator { .. }
            | Self::HostNotSigned
            | Self::HeadersNotSigned { .. }
            | Self::SignatureExpired(_)
            | Self::SignatureNotYetCurrent(_)
            | Self::PresignedExpired { .. } => (Kind::Mismatch, self.describe_scope()),
        }
    }

    /// What does not fit this endpoint or this moment; all of it is a signature that does not
    /// match to AWS.
    fn describe_scope(&self) -> String {
        match self {
            Self::MalformedScopeDate { date, .. } => {
                format!("Date in Credential scope does not match YYYYMMDD: '{date}'.")
            }
            Self::ScopeDate { scope_date, timestamp, .. } => {
                let day = timestamp.get(..8).unwrap_or_default();
                format!(
                    "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of \
                     date from HTTP: '{scope_date}' != '{day}', from '{timestamp}'."
                )
            }
            Self::WrongRegion { region, .. } => {
                format!("Credential should be scoped to a valid region, not '{region}'.")
            }
            Self::WrongService { expected, .. } => {
                format!("Credential should be scoped to correct service: '{expected}'.")
            }
            Self::WrongTerminator { terminator, .. } => format!(
                "Credential should be scoped with a valid terminator: 'aws4_request', \
                 not '{terminator}'."
            ),
            Self::HostNotSigned => {
                "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
                    .to_owned()
            }
            Self::HeadersNotSigned { names } => {
                let quoted: Vec<_> = names.iter().map(|name| format!("'{name}'")).collect();
                let names = quoted.join(", ");
                format!("{names} must be a 'SignedHeader' in the AWS Authorization.")
            }
            Self::SignatureExpired(skew) => expired(skew),
            Self::SignatureNotYetCurrent(skew) => not_yet_current(skew),
            _ => "Request has expired.".to_owned(),
        }
    }
}

fn code(kind: Kind, dialect: Dialect) -> (&'static str, u16) {
    match (dialect, kind) {
        (Dialect::Json | Dialect::RestJson, kind) => {
            let code = match kind {
                Kind::MissingAuthentication => "MissingAuthenticationTokenException",
                Kind::Incomplete => "IncompleteSignatureException",
                Kind::Mismatch => "InvalidSignatureException",
                Kind::UnknownKey => "UnrecognizedClientException",
                Kind::ExpiredToken => "ExpiredTokenException",
                Kind::InvalidRequest => "ValidationException",
            };
            let refused = dialect == Dialect::RestJson && !matches!(kind, Kind::InvalidRequest);
            (code, if refused { 403 } else { 400 })
        }
        (_, Kind::MissingAuthentication) => ("MissingAuthenticationToken", 403),
        (_, Kind::Incomplete) => ("IncompleteSignature", 400),
        (Dialect::Ec2, Kind::Mismatch | Kind::UnknownKey) => ("AuthFailure", 401),
        (_, Kind::Mismatch) => ("SignatureDoesNotMatch", 403),
        (_, Kind::UnknownKey) => ("InvalidClientTokenId", 403),
        (_, Kind::ExpiredToken) => ("ExpiredToken", 403),
        (_, Kind::InvalidRequest) => ("ValidationError", 400),
    }
}

fn incomplete(missing: &Missing) -> String {
    let mut text = String::new();
    if missing.form == Some(Form::Query) {
        for (lacking, name) in [
            (missing.algorithm, "X-Amz-Algorithm"),
            (missing.credential, "X-Amz-Credential"),
            (missing.signature, "X-Amz-Signature"),
            (missing.signed_headers, "X-Amz-SignedHeaders"),
            (missing.date, "X-Amz-Date"),
            (missing.region_set, "X-Amz-Region-Set"),
            (missing.expires, "X-Amz-Expires"),
        ] {
            if lacking {
                text.push_str("AWS query-string parameters must include '");
                text.push_str(name);
                text.push_str("'. ");
            }
        }
        text.push_str("Re-examine the query-string parameters.");
        return text;
    }
    for (lacking, name) in [
        (missing.credential, "Credential"),
        (missing.signature, "Signature"),
        (missing.signed_headers, "SignedHeaders"),
    ] {
        if lacking {
            text.push_str("Authorization header requires '");
            text.push_str(name);
            text.push_str("' parameter. ");
        }
    }
    if missing.date {
        text.push_str(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
        );
    }
    if missing.region_set {
        text.push_str("Authorization header requires existence of a 'X-Amz-Region-Set' header. ");
    }
    // AWS prints the header hashed, for it may be somebody's bearer token.
    text.push_str("(Hashed with SHA-256 and encoded with Base64) Authorization=");
    text.push_str(&hashed(&missing.authorization));
    text
}

fn expired(skew: &Skew) -> String {
    let limit = basic(skew.now.saturating_sub(i64::from(skew.max_skew_seconds)));
    let (signed_at, now) = (basic(skew.signed_at), basic(skew.now));
    let minutes = skew.max_skew_seconds / 60;
    format!("Signature expired: {signed_at} is now earlier than {limit} ({now} - {minutes} min.)")
}

fn not_yet_current(skew: &Skew) -> String {
    let limit = basic(skew.now.saturating_add(i64::from(skew.max_skew_seconds)));
    let (signed_at, now) = (basic(skew.signed_at), basic(skew.now));
    let minutes = skew.max_skew_seconds / 60;
    format!(
        "Signature not yet current: {signed_at} is still later than {limit} \
         ({now} + {minutes} min.)"
    )
}

fn does_not_match(mismatch: &Mismatch) -> String {
    let canonical = String::from_utf8_lossy(&mismatch.canonical_request);
    format!(
        "{DOES_NOT_MATCH}\n\nThe Canonical String for this request should have been\n\
         '{canonical}'\n\nThe String-to-Sign should have been\n'{}'\n",
        mismatch.string_to_sign
    )
}

fn chunk(error: &ChunkError) -> (Kind, String) {
    match error {
        ChunkError::SignatureMismatch(_) => (Kind::Mismatch, DOES_NOT_MATCH.to_owned()),
        _ => (Kind::InvalidRequest, answer_s3::chunk(error).message),
    }
}

fn hashed(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text))
}
