//! What can be wrong with a proof, as data. [`Error::answer`](super::answer) words it for the
//! protocol that the client spoke.

use super::answer::Dialect;
use super::parse::Form;

/// A refused proof. Every variant carries what AWS's text of it names.
///
/// `Display` and `Debug` are fit for logs: code and text, no token and no canonical request.
#[derive(Clone, PartialEq, Eq)]
pub enum Error {
    /// The operation wants a proof and the request carries none.
    MissingAuthenticationToken,
    /// An `Authorization` scheme or `X-Amz-Algorithm` that is not Signature Version 4 or 4A.
    UnsupportedAlgorithm {
        /// Where it was found.
        form: Form,
        /// The algorithm as sent.
        algorithm: String,
    },
    /// Both an `Authorization` header and presigned query parameters were sent.
    TwoMechanisms {
        /// The header's value.
        authorization: String,
    },
    /// A header or query parameter that must be unique was sent twice, or `Host` differs from
    /// `:authority`.
    RepeatedParameter {
        /// Its name.
        name: &'static str,
    },
    /// A header or query parameter of the proof is not UTF-8.
    NotText {
        /// Its name.
        name: &'static str,
    },
    /// A component of the `Authorization` header without `=`.
    NotKeyValue {
        /// The component.
        component: String,
        /// The whole header.
        authorization: String,
    },
    /// Parameters of the proof are missing.
    Incomplete(Missing),
    /// The date is in neither notation of [`super::Timestamp`].
    MalformedDate {
        /// Where it was found.
        form: Form,
        /// The date as sent.
        date: String,
    },
    /// The credential does not have its five (4A: four) parts.
    MalformedCredential {
        /// Where it was found.
        form: Form,
        /// The credential as sent.
        credential: String,
    },
    /// The day in the scope is not eight digits.
    MalformedScopeDate {
        /// Where it was found.
        form: Form,
        /// The day as sent.
        date: String,
    },
    /// The day in the scope is not that of the request's date.
    ScopeDate {
        /// Where it was found.
        form: Form,
        /// The day of the scope, `20150830`.
        scope_date: String,
        /// The request's date, `20150831T000000Z`.
        timestamp: String,
    },
    /// The scope's (or, for 4A, the region set's) region is not the endpoint's.
    WrongRegion {
        /// Where it was found.
        form: Form,
        /// The region or region set as sent.
        region: String,
        /// The endpoint's region.
        expected: String,
    },
    /// The scope's service is not the endpoint's.
    WrongService {
        /// Where it was found.
        form: Form,
        /// The service as sent.
        service: String,
        /// The endpoint's first service.
        expected: String,
    },
    /// The scope does not end with `aws4_request`.
    WrongTerminator {
        /// Where it was found.
        form: Form,
        /// The last part as sent.
        terminator: String,
    },
    /// `X-Amz-Expires` cannot be used (S3 only).
    Expires(ExpiresProblem),
    /// `host` is not among the signed headers.
    HostNotSigned,
    /// Headers that must be signed are not.
    HeadersNotSigned {
        /// Their names, lower case, in the order sent.
        names: Vec<String>,
    },
    /// The signature is older than the allowed skew.
    SignatureExpired(Skew),
    /// The signature is further in the future than the allowed skew.
    SignatureNotYetCurrent(Skew),
    /// A presigned request was used after `X-Amz-Expires` seconds.
    PresignedExpired {
        /// `X-Amz-Expires`, in seconds.
        expires_seconds: i64,
        /// When it expired, in Unix seconds.
        expired_at: i64,
        /// The server's time, in Unix seconds.
        now: i64,
    },
    /// `x-amz-content-sha256` is required and missing.
    PayloadHashMissing,
    /// `x-amz-content-sha256` is neither a hash nor a known mode, or one not allowed here.
    PayloadHashInvalid {
        /// The value as sent.
        value: String,
    },
    /// The body is not the one that was signed.
    PayloadHashMismatch {
        /// The hash of the header, hexadecimal.
        declared: String,
        /// The hash of the body, hexadecimal.
        computed: String,
    },
    /// The signature is wrong.
    SignatureMismatch(Box<Mismatch>),
    /// The body's chunks are wrong.
    Chunk(super::chunk_seed::ChunkError),
    /// The access key does not exist. Raised by the caller, whose lookup it is.
    UnknownAccessKey {
        /// The id as sent.
        access_key_id: String,
    },
    /// The session token does not belong to the access key. Raised by the caller.
    InvalidToken {
        /// The token as sent.
        token: String,
    },
    /// The session has ended. Raised by the caller.
    ExpiredToken {
        /// The token as sent.
        token: String,
    },
}

/// Which parameters of a proof are missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Where they were looked for; `None` stands for the header.
    pub form: Option<Form>,
    /// `X-Amz-Algorithm`.
    pub algorithm: bool,
    /// `Credential`.
    pub credential: bool,
    /// `Signature`.
    pub signature: bool,
    /// `SignedHeaders`.
    pub signed_headers: bool,
    /// `X-Amz-Date` (or, in the header form, `Date`).
    pub date: bool,
    /// `X-Amz-Region-Set` of Signature Version 4A.
    pub region_set: bool,
    /// `X-Amz-Expires` (S3 only).
    pub expires: bool,
    /// The value of the `Authorization` header.
    pub authorization: String,
}

/// Why `X-Amz-Expires` cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiresProblem {
    /// It is not an integer.
    NotANumber,
    /// It is below zero.
    Negative,
    /// It is above seven days, 604,800 seconds.
    TooLarge,
}

/// The times that do not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skew {
    /// When the request says it was signed, in Unix seconds.
    pub signed_at: i64,
    /// The server's time, in Unix seconds.
    pub now: i64,
    /// The allowed difference in seconds.
    pub max_skew_seconds: u32,
    /// Where the date was found.
    pub form: Form,
}

/// What a client needs to find its mistake. The client sent or can compute all of it, but the
/// canonical request may hold its session token: show it to nobody else.
#[derive(Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The access key that was used.
    pub access_key_id: String,
    /// The signature as sent.
    pub signature_provided: String,
    /// The string to sign as computed here.
    pub string_to_sign: String,
    /// The canonical request as computed here. For a chunk of a body it is empty.
    pub canonical_request: Vec<u8>,
}

impl std::fmt::Display for Error {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        let answer = self.answer(Dialect::Query);
        let line = answer.message.lines().next().unwrap_or_default();
        write!(formatter, "{}: {line}", answer.code)
    }
}

impl std::fmt::Debug for Error {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        std::fmt::Display::fmt(self, formatter)
    }
}

impl std::error::Error for Error {}

impl std::fmt::Debug for Mismatch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        let mut fields = formatter.debug_struct("Mismatch");
        fields.field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}
