//! S3's errors, those included that its model leaves out.
//!
//! Source: Amazon S3 API Reference, "Error responses".

use palisade_shape::{Error, ErrorCode};

pub static ACCESS_DENIED: ErrorCode = ErrorCode::plain("AccessDenied", 403);
pub static ACL_NOT_SUPPORTED: ErrorCode = ErrorCode::plain("AccessControlListNotSupported", 400);
pub static BAD_DIGEST: ErrorCode = ErrorCode::plain("BadDigest", 400);
pub static BAD_REQUEST: ErrorCode = ErrorCode::plain("BadRequest", 400);
pub static BUCKET_ALREADY_EXISTS: ErrorCode = ErrorCode::plain("BucketAlreadyExists", 409);
pub static BUCKET_ALREADY_OWNED_BY_YOU: ErrorCode =
    ErrorCode::plain("BucketAlreadyOwnedByYou", 409);
pub static BUCKET_NOT_EMPTY: ErrorCode = ErrorCode::plain("BucketNotEmpty", 409);
pub static ENTITY_TOO_LARGE: ErrorCode = ErrorCode::plain("EntityTooLarge", 400);
pub static ENTITY_TOO_SMALL: ErrorCode = ErrorCode::plain("EntityTooSmall", 400);
pub static ILLEGAL_LOCATION: ErrorCode =
    ErrorCode::plain("IllegalLocationConstraintException", 400);
pub static INCOMPLETE_BODY: ErrorCode = ErrorCode::plain("IncompleteBody", 400);
pub static INTERNAL_ERROR: ErrorCode = ErrorCode::plain("InternalError", 500);
pub static INVALID_ARGUMENT: ErrorCode = ErrorCode::plain("InvalidArgument", 400);
pub static INVALID_BUCKET_NAME: ErrorCode = ErrorCode::plain("InvalidBucketName", 400);
pub static INVALID_BUCKET_STATE: ErrorCode = ErrorCode::plain("InvalidBucketState", 409);
pub static INVALID_DIGEST: ErrorCode = ErrorCode::plain("InvalidDigest", 400);
pub static INVALID_LOCATION: ErrorCode = ErrorCode::plain("InvalidLocationConstraint", 400);
pub static INVALID_PART: ErrorCode = ErrorCode::plain("InvalidPart", 400);
pub static INVALID_PART_NUMBER: ErrorCode = ErrorCode::plain("InvalidPartNumber", 416);
pub static INVALID_PART_ORDER: ErrorCode = ErrorCode::plain("InvalidPartOrder", 400);
pub static INVALID_POLICY_DOCUMENT: ErrorCode = ErrorCode::plain("InvalidPolicyDocument", 400);
pub static INVALID_RANGE: ErrorCode = ErrorCode::plain("InvalidRange", 416);
pub static INVALID_REQUEST: ErrorCode = ErrorCode::plain("InvalidRequest", 400);
pub static INVALID_RETENTION_PERIOD: ErrorCode = ErrorCode::plain("InvalidRetentionPeriod", 400);
pub static INVALID_STORAGE_CLASS: ErrorCode = ErrorCode::plain("InvalidStorageClass", 400);
pub static INVALID_TAG: ErrorCode = ErrorCode::plain("InvalidTag", 400);
pub static KEY_TOO_LONG: ErrorCode = ErrorCode::plain("KeyTooLongError", 400);
pub static MALFORMED_POLICY: ErrorCode = ErrorCode::plain("MalformedPolicy", 400);
pub static MALFORMED_XML: ErrorCode = ErrorCode::plain("MalformedXML", 400);
pub static MALFORMED_POST: ErrorCode = ErrorCode::plain("MalformedPOSTRequest", 400);
pub static MAX_POST_PRE_DATA: ErrorCode = ErrorCode::plain("MaxPostPreDataLengthExceeded", 400);
pub static METADATA_TOO_LARGE: ErrorCode = ErrorCode::plain("MetadataTooLarge", 400);
pub static METHOD_NOT_ALLOWED: ErrorCode = ErrorCode::plain("MethodNotAllowed", 405);
pub static MISSING_CONTENT_LENGTH: ErrorCode = ErrorCode::plain("MissingContentLength", 411);
pub static NOT_IMPLEMENTED: ErrorCode = ErrorCode::plain("NotImplemented", 501);
pub static NOT_MODIFIED: ErrorCode = ErrorCode::plain("NotModified", 304);
pub static NO_SUCH_BUCKET: ErrorCode = ErrorCode::plain("NoSuchBucket", 404);
pub static NO_SUCH_BUCKET_POLICY: ErrorCode = ErrorCode::plain("NoSuchBucketPolicy", 404);
pub static NO_SUCH_CONFIGURATION: ErrorCode = ErrorCode::plain("NoSuchConfiguration", 404);
pub static NO_SUCH_KEY: ErrorCode = ErrorCode::plain("NoSuchKey", 404);
pub static NO_LOCK_CONFIGURATION: ErrorCode =
    ErrorCode::plain("ObjectLockConfigurationNotFoundError", 404);
pub static NO_SUCH_LOCK: ErrorCode = ErrorCode::plain("NoSuchObjectLockConfiguration", 404);
pub static NO_SUCH_TAG_SET: ErrorCode = ErrorCode::plain("NoSuchTagSet", 404);
pub static NO_SUCH_UPLOAD: ErrorCode = ErrorCode::plain("NoSuchUpload", 404);
pub static NO_SUCH_VERSION: ErrorCode = ErrorCode::plain("NoSuchVersion", 404);
pub static OPERATION_ABORTED: ErrorCode = ErrorCode::plain("OperationAborted", 409);
pub static PRECONDITION_FAILED: ErrorCode = ErrorCode::plain("PreconditionFailed", 412);
pub static TOO_MANY_BUCKETS: ErrorCode = ErrorCode::plain("TooManyBuckets", 400);
pub static UNRESOLVABLE_GRANT: ErrorCode = ErrorCode::plain("UnresolvableGrantByEmailAddress", 400);

/// 403 without a reason, as S3 gives it where no policy decided.
pub fn denied() -> Error {
    ACCESS_DENIED.because("Access Denied")
}

pub fn no_such_bucket(name: &str) -> Error {
    NO_SUCH_BUCKET.because("The specified bucket does not exist").with("BucketName", name)
}

pub fn no_such_key(key: &str) -> Error {
    NO_SUCH_KEY.because("The specified key does not exist.").with("Key", key)
}

pub fn no_such_version(key: &str, version_id: &str) -> Error {
    NO_SUCH_VERSION
        .because("The specified version does not exist.")
        .with("Key", key)
        .with("VersionId", version_id)
}

pub fn no_such_upload(upload_id: &str) -> Error {
    NO_SUCH_UPLOAD
        .because(
            "The specified upload does not exist. The upload ID may be invalid, or the upload may \
             have been aborted or completed.",
        )
        .with("UploadId", upload_id)
}

/// A header or parameter with a value that S3 does not take.
pub fn invalid_argument(message: impl Into<String>, name: &str, value: &str) -> Error {
    INVALID_ARGUMENT.because(message.into()).with("ArgumentName", name).with("ArgumentValue", value)
}

pub fn malformed_xml() -> Error {
    MALFORMED_XML.because(
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}

pub fn precondition_failed(condition: &str) -> Error {
    PRECONDITION_FAILED
        .because("At least one of the pre-conditions you specified did not hold")
        .with("Condition", condition)
}
