//! Conditional requests: `If-Match` and its like, for reads, writes and copies.
//!
//! Source: Amazon S3 User Guide, "Add preconditions to S3 operations"; RFC 9110, section 13.

use super::error::{self, NOT_MODIFIED, PRECONDITION_FAILED};
use super::member;
use super::object::Version;
use palisade_shape::{Error, ErrorCode, Result, Shape, Timestamp};

static CONFLICT: ErrorCode = ErrorCode::plain("ConditionalRequestConflict", 409);

/// The conditions of a read.
#[derive(Default)]
pub struct Conditions {
    pub if_match: Option<String>,
    pub if_none_match: Option<String>,
    pub if_modified_since: Option<Timestamp>,
    pub if_unmodified_since: Option<Timestamp>,
}

/// Whether a list of entity tags names this one.
fn names(list: &str, etag: &str) -> bool {
    list.split(',').any(|given| {
        let given = given.trim();
        let given = given.strip_prefix("W/").unwrap_or(given);
        given == "*" || given.trim_matches('"') == etag
    })
}

impl Conditions {
    /// Those of a request. `prefix` is `CopySource` for those on the source of a copy.
    pub fn of(input: &dyn Shape, prefix: &str) -> Self {
        let text = |name: &str| member::text(input, &format!("{prefix}{name}"));
        let time = |name: &str| {
            let seconds = text(name).and_then(|seconds| seconds.parse().ok());
            seconds.map(Timestamp::from_seconds)
        };
        Self {
            if_match: text("IfMatch"),
            if_none_match: text("IfNoneMatch"),
            if_modified_since: time("IfModifiedSince"),
            if_unmodified_since: time("IfUnmodifiedSince"),
        }
    }

    /// Refuses what a read must not answer: 412 before 304. A copy answers 412 to all.
    pub fn check(&self, version: &Version, copy: bool) -> Result<()> {
        let changed_since = |at: Timestamp| version.modified > at.seconds();
        if let Some(list) = &self.if_match {
            if !names(list, &version.etag) {
                return Err(failed("If-Match", copy));
            }
        } else if self.if_unmodified_since.is_some_and(changed_since) {
            return Err(failed("If-Unmodified-Since", copy));
        }
        if let Some(list) = &self.if_none_match {
            if names(list, &version.etag) {
                return Err(if copy { failed("If-None-Match", true) } else { not_modified() });
            }
        } else if self.if_modified_since.is_some_and(|at| !changed_since(at)) {
            return Err(if copy { failed("If-Modified-Since", true) } else { not_modified() });
        }
        Ok(())
    }
}

fn failed(condition: &str, copy: bool) -> Error {
    match copy {
        false => error::precondition_failed(condition),
        true => {
            let header = condition.to_ascii_lowercase();
            error::precondition_failed(&format!("x-amz-copy-source-{header}"))
        }
    }
}

fn not_modified() -> Error {
    NOT_MODIFIED.because("Not Modified")
}

/// Refuses a write whose conditions on what is there do not hold.
pub fn check_write(
    current: Option<&Version>,
    key: &str,
    if_match: Option<&str>,
    if_none_match: Option<&str>,
) -> Result<()> {
    if let Some(list) = if_none_match {
        if list != "*" {
            return Err(error::NOT_IMPLEMENTED
                .because("A header you provided implies functionality that is not implemented")
                .with("Header", "If-None-Match"));
        }
        if current.is_some() {
            return Err(error::precondition_failed("If-None-Match"));
        }
    }
    match (if_match, current) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(error::no_such_key(key)),
        (Some(list), Some(current)) if names(list, &current.etag) => Ok(()),
        (Some(_), Some(_)) => Err(error::precondition_failed("If-Match")),
    }
}

/// A delete whose condition does not hold.
pub fn check_delete(
    current: Option<&Version>,
    etag: Option<&str>,
    modified: Option<Timestamp>,
    size: Option<i64>,
) -> Result<()> {
    let Some(current) = current else {
        return match etag.is_some() || modified.is_some() || size.is_some() {
            true => Err(PRECONDITION_FAILED
                .because("At least one of the pre-conditions you specified did not hold")),
            false => Ok(()),
        };
    };
    let holds = etag.is_none_or(|list| names(list, &current.etag))
        && modified.is_none_or(|at| at.seconds() == current.modified)
        && size.is_none_or(|size| u64::try_from(size).ok() == Some(current.size));
    if holds { Ok(()) } else { Err(error::precondition_failed("If-Match")) }
}

/// Something else changed what this request works on.
pub fn conflict() -> Error {
    CONFLICT.because(
        "The conditional request cannot succeed due to a conflicting operation against this \
         resource.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use palisade_model::s3::HeadObjectRequest;

    #[test]
    fn reads() {
        let version = Version { etag: "abc".to_owned(), modified: 1_000, ..Version::default() };
        let check = |conditions: Conditions, expected: Option<u16>| {
            let found = conditions.check(&version, false).err().map(|error| error.code.status);
            assert_eq!(found, expected);
        };
        let at = |seconds| Some(Timestamp::from_seconds(seconds));
        let of = Conditions::default;
        check(Conditions { if_match: Some("\"abc\"".into()), ..of() }, None);
        check(Conditions { if_match: Some("\"x\", \"abc\"".into()), ..of() }, None);
        check(Conditions { if_match: Some("\"x\"".into()), ..of() }, Some(412));
        check(Conditions { if_none_match: Some("\"abc\"".into()), ..of() }, Some(304));
        check(Conditions { if_none_match: Some("\"x\"".into()), ..of() }, None);
        check(Conditions { if_modified_since: at(999), ..of() }, None);
        check(Conditions { if_modified_since: at(1_000), ..of() }, Some(304));
        check(Conditions { if_unmodified_since: at(999), ..of() }, Some(412));
        let both = Conditions { if_match: Some("abc".into()), if_unmodified_since: at(1), ..of() };
        check(both, None);
    }

    #[test]
    fn of_requests() {
        let input = HeadObjectRequest {
            if_match: Some("a".to_owned()),
            if_modified_since: Some(Timestamp::from_seconds(7)),
            ..HeadObjectRequest::default()
        };
        let found = Conditions::of(&input, "");
        assert_eq!(found.if_match.as_deref(), Some("a"));
        assert_eq!(found.if_modified_since, Some(Timestamp::from_seconds(7)));
        assert_eq!((found.if_none_match, found.if_unmodified_since), (None, None));
        assert_eq!(Conditions::of(&input, "CopySource").if_match, None);
    }
}
