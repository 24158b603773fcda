//! Archived objects: their bytes are read only while a restored copy of them is there. Nothing runs
//! for it: whether a copy is on its way, there, or gone again follows from the clock.
//!
//! Source: Amazon S3 API Reference, RestoreObject; User Guide, "Restoring an archived object",
//! "Understanding archive retrieval options".

use super::error::{self, INVALID_ARGUMENT, METHOD_NOT_ALLOWED};
use super::object::{self, Version};
use super::{bucket, lifecycle_run, read, write};
use crate::context::Context;
use palisade_model::s3::{
    RestoreObjectOutput, RestoreObjectRequest, RestoreRequest, RestoreStatus,
};
use palisade_shape::{ErrorCode, Result, Timestamp};
use serde::{Deserialize, Serialize};

static INVALID_OBJECT_STATE: ErrorCode = ErrorCode::plain("InvalidObjectState", 403);
static IN_PROGRESS: ErrorCode = ErrorCode::plain("RestoreAlreadyInProgress", 409);
static NOT_ACTIVE: ErrorCode = ErrorCode::plain("ObjectNotInActiveTierError", 403);

const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;

/// What was asked for to have an archived version for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// From when on the copy is there, in Unix seconds.
    pub ready: i64,
    /// Until when it is: a midnight UTC, in Unix seconds.
    pub until: i64,
}

/// Where a version's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its storage class is no archive.
    Active,
    Archived,
    Restoring,
    /// A copy is there until then, in Unix seconds.
    Restored(i64),
}

pub fn state(version: &Version, now: Timestamp) -> State {
    if !matches!(version.storage_class.as_str(), "GLACIER" | "DEEP_ARCHIVE") {
        return State::Active;
    }
    match &version.restore {
        Some(restore) if now.seconds() < restore.ready => State::Restoring,
        Some(restore) if now.seconds() < restore.until => State::Restored(restore.until),
        _ => State::Archived,
    }
}

/// Refuses to read what is in an archive and not restored.
pub fn check_readable(version: &Version, now: Timestamp) -> Result<()> {
    match state(version, now) {
        State::Active | State::Restored(_) => Ok(()),
        State::Archived | State::Restoring => Err(INVALID_OBJECT_STATE
            .because("The operation is not valid for the object's storage class")
            .with("StorageClass", version.storage_class.clone())),
    }
}

/// The same for the source of a copy.
pub fn check_source(version: &Version, now: Timestamp) -> Result<()> {
    match check_readable(version, now) {
        Ok(()) => Ok(()),
        Err(_) => Err(NOT_ACTIVE.because(
            "The source object of the COPY action is not in the active tier and is only stored in \
             Amazon S3 Glacier.",
        )),
    }
}

/// The header `x-amz-restore`.
pub fn header(version: &Version, now: Timestamp) -> Option<String> {
    match state(version, now) {
        State::Active | State::Archived => None,
        State::Restoring => Some("ongoing-request=\"true\"".to_owned()),
        State::Restored(until) => {
            let date = lifecycle_run::http_date(until);
            Some(format!("ongoing-request=\"false\", expiry-date=\"{date}\""))
        }
    }
}

/// What lists tell of it to who asks.
pub fn status(version: &Version, now: Timestamp) -> Option<RestoreStatus> {
    let (in_progress, until) = match state(version, now) {
        State::Active | State::Archived => return None,
        State::Restoring => (true, None),
        State::Restored(until) => (false, Some(Timestamp::from_seconds(until))),
    };
    Some(RestoreStatus { is_restore_in_progress: Some(in_progress), restore_expiry_date: until })
}

/// The longest that S3 says a retrieval of a tier takes, in seconds.
fn duration(class: &str, tier: &str) -> Result<i64> {
    match (class, tier) {
        ("GLACIER", "Expedited") => Ok(300),
        ("GLACIER", "Standard") => Ok(5 * HOUR),
        ("GLACIER", "Bulk") | ("DEEP_ARCHIVE", "Standard") => Ok(12 * HOUR),
        ("DEEP_ARCHIVE", "Bulk") => Ok(48 * HOUR),
        _ => Err(INVALID_ARGUMENT
            .because(format!("Retrieval option {tier} is not supported by this storage class"))),
    }
}

/// The midnight UTC after so many days.
fn expiry(ready: i64, days: i32) -> i64 {
    (ready + i64::from(days) * DAY + DAY - 1).div_euclid(DAY) * DAY
}

/// Days and tier of a restore of an archive.
fn wanted(input: Option<RestoreRequest>) -> Result<(i32, String)> {
    let RestoreRequest {
        days,
        glacier_job_parameters,
        r#type,
        tier,
        description: _,
        select_parameters,
        output_location,
    } = input.ok_or_else(error::malformed_xml)?;
    // S3 Select, which AWS gives no new customer.
    if r#type.is_some() || select_parameters.is_some() || output_location.is_some() {
        return Err(METHOD_NOT_ALLOWED
            .because("The specified method is not allowed against this resource."));
    }
    let days = days.ok_or_else(error::malformed_xml)?;
    if days < 1 {
        return Err(INVALID_ARGUMENT.because("restoration days should be at least 1"));
    }
    let tier = glacier_job_parameters.map(|parameters| parameters.tier).or(tier);
    Ok((days, tier.unwrap_or_else(|| "Standard".to_owned())))
}

/// Has an archived version brought back for some days; how long that takes depends on the tier. Of
/// one that is there already the days count from now on.
pub fn restore_object(
    cx: &mut Context,
    input: RestoreObjectRequest,
) -> Result<RestoreObjectOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let mut version = read::find(cx, &bucket, &input.key, input.version_id.as_deref())?;
    let now = cx.now();
    let found = state(&version, now);
    if found == State::Active {
        return Err(INVALID_OBJECT_STATE
            .because("Restore is not allowed for the object's current storage class")
            .with("StorageClass", version.storage_class));
    }
    let (days, tier) = wanted(input.restore_request)?;
    let takes = duration(&version.storage_class, &tier)?;
    let ready = match (found, &version.restore) {
        (State::Restored(_), Some(restore)) => restore.ready,
        (State::Restoring, Some(restore)) => {
            // It may be made faster, and is not asked for twice otherwise.
            let sooner = now.seconds() + takes;
            if sooner >= restore.ready {
                return Err(IN_PROGRESS.because("Object restore is already in progress"));
            }
            sooner
        }
        _ => now.seconds() + takes,
    };
    let until = expiry(ready.max(now.seconds()), days);
    version.restore = Some(Restore { ready, until });
    object::update(cx, &version)?;
    write::touch(cx, &bucket, &version);
    cx.reply.status = (!matches!(found, State::Restored(_))).then_some(202);
    Ok(RestoreObjectOutput::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restore_follows_the_clock() {
        let at = Timestamp::from_seconds;
        let mut version = Version { storage_class: "GLACIER".to_owned(), ..Version::default() };
        assert_eq!(state(&version, at(0)), State::Archived);
        let until = expiry(5 * HOUR, 1);
        assert_eq!(until, 2 * DAY);
        version.restore = Some(Restore { ready: 5 * HOUR, until });
        assert_eq!(state(&version, at(5 * HOUR - 1)), State::Restoring);
        assert_eq!(header(&version, at(0)).as_deref(), Some("ongoing-request=\"true\""));
        assert_eq!(state(&version, at(5 * HOUR)), State::Restored(until));
        let told = header(&version, at(5 * HOUR)).unwrap();
        let date = "expiry-date=\"Sat, 03 Jan 1970 00:00:00 GMT\"";
        assert_eq!(told, format!("ongoing-request=\"false\", {date}"));
        assert_eq!(state(&version, at(until)), State::Archived);
        assert!(check_readable(&version, at(until)).is_err());
        version.storage_class = "STANDARD".to_owned();
        assert_eq!(state(&version, at(0)), State::Active);
        assert!(duration("DEEP_ARCHIVE", "Expedited").is_err());
    }
}
