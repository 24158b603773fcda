//! Object lock: retention in governance and compliance mode, legal holds, the bucket's default, and
//! what they keep from being deleted.
//!
//! Source: Amazon S3 User Guide, "Locking objects with Object Lock".

use super::bucket::{self, Bucket, Lock, Versioning};
use super::error::{
    self, ACCESS_DENIED, INVALID_ARGUMENT, INVALID_BUCKET_STATE, INVALID_REQUEST,
    INVALID_RETENTION_PERIOD, NO_LOCK_CONFIGURATION, NO_SUCH_LOCK,
};
use super::object::{self, ObjectLock, Version};
use super::{member, read};
use crate::context::Context;
use palisade_model::s3::{
    DefaultRetention, GetObjectLegalHoldOutput, GetObjectLegalHoldRequest,
    GetObjectLockConfigurationOutput, GetObjectLockConfigurationRequest, GetObjectRetentionOutput,
    GetObjectRetentionRequest, ObjectLockConfiguration, ObjectLockLegalHold, ObjectLockRetention,
    ObjectLockRule, PutObjectLegalHoldOutput, PutObjectLegalHoldRequest,
    PutObjectLockConfigurationOutput, PutObjectLockConfigurationRequest, PutObjectRetentionOutput,
    PutObjectRetentionRequest,
};
use palisade_shape::{Error, Result, Shape, Timestamp};

const COMPLIANCE: &str = "COMPLIANCE";
const DAY_SECONDS: i64 = 86_400;
const YEARS_MAX: i32 = 100;

/// The lock of a new object: what the request says, else the bucket's default.
pub fn of_new(cx: &Context, bucket: &Bucket, input: &dyn Shape) -> Result<ObjectLock> {
    let mode = member::text(input, "ObjectLockMode");
    let until = member::text(input, "ObjectLockRetainUntilDate");
    let legal_hold = member::text(input, "ObjectLockLegalHoldStatus");
    let Some(lock) = &bucket.lock else {
        if mode.is_some() || until.is_some() || legal_hold.is_some() {
            return Err(INVALID_REQUEST.because("Bucket is missing Object Lock Configuration"));
        }
        return Ok(ObjectLock::default());
    };
    let until_millis = match (&mode, until) {
        (None, None) => {
            let until_millis = lock.mode.as_ref().map(|_| default_until(cx, lock));
            return Ok(ObjectLock { mode: lock.mode.clone(), until_millis, legal_hold });
        }
        (Some(_), Some(until)) => instant(&until)?,
        (Some(_), None) | (None, Some(_)) => {
            return Err(INVALID_ARGUMENT.because(
                "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be \
                 supplied",
            ));
        }
    };
    if until_millis <= cx.now().millis() {
        return Err(in_the_past());
    }
    Ok(ObjectLock { mode, until_millis: Some(until_millis), legal_hold })
}

fn in_the_past() -> Error {
    INVALID_ARGUMENT.because("The retain until date must be in the future!")
}

/// A timestamp as it is selected from an input: Unix seconds.
fn instant(text: &str) -> Result<i64> {
    text.parse::<i64>().map(|seconds| seconds.saturating_mul(1000)).map_err(|_| {
        error::invalid_argument(
            "The retain until date must be provided in ISO 8601 format",
            "x-amz-object-lock-retain-until-date",
            text,
        )
    })
}

fn default_until(cx: &Context, lock: &Lock) -> i64 {
    let days = match (lock.days, lock.years) {
        (Some(days), _) => i64::from(days),
        (None, years) => i64::from(years.unwrap_or_default()) * 365,
    };
    cx.now().plus_seconds(days * DAY_SECONDS).millis()
}

/// Refuses to remove a version that a lock keeps.
pub fn check_removal(cx: &Context, version: &Version, bypass: bool) -> Result<()> {
    let lock = &version.lock;
    let retained = lock.until_millis.is_some_and(|until| until > cx.now().millis());
    let held = lock.legal_hold.as_deref() == Some("ON");
    let bypassed = bypass && lock.mode.as_deref() != Some(COMPLIANCE);
    if held || (retained && !bypassed) {
        return Err(ACCESS_DENIED.because("Access Denied because object protected by object lock."));
    }
    Ok(())
}

fn need_lock(bucket: &Bucket) -> Result<()> {
    match &bucket.lock {
        Some(_) => Ok(()),
        None => Err(INVALID_REQUEST.because("Bucket is missing Object Lock Configuration")),
    }
}

pub fn get_object_lock_configuration(
    cx: &mut Context,
    input: GetObjectLockConfigurationRequest,
) -> Result<GetObjectLockConfigurationOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let Some(lock) = bucket.lock else {
        return Err(NO_LOCK_CONFIGURATION
            .because("Object Lock configuration does not exist for this bucket")
            .with("BucketName", bucket.name));
    };
    let retention = lock.mode.map(|mode| DefaultRetention {
        mode: Some(mode),
        days: lock.days,
        years: lock.years,
    });
    let rule = retention.map(|retention| ObjectLockRule { default_retention: Some(retention) });
    let enabled = Some("Enabled".to_owned());
    let configuration = ObjectLockConfiguration { object_lock_enabled: enabled, rule };
    Ok(GetObjectLockConfigurationOutput { object_lock_configuration: Some(configuration) })
}

/// Turns object lock on, and sets the retention that new objects get.
pub fn put_object_lock_configuration(
    cx: &mut Context,
    input: PutObjectLockConfigurationRequest,
) -> Result<PutObjectLockConfigurationOutput> {
    let mut bucket = bucket::load(cx, &input.bucket)?;
    let wanted = input.object_lock_configuration.ok_or_else(error::malformed_xml)?;
    if wanted.object_lock_enabled.as_deref() != Some("Enabled") {
        return Err(error::malformed_xml());
    }
    if bucket.versioning != Versioning::Enabled {
        return Err(INVALID_BUCKET_STATE.because(
            "Versioning must be 'Enabled' on the bucket to apply a Object Lock \
                      configuration",
        ));
    }
    let mut lock = Lock::default();
    if let Some(rule) = wanted.rule {
        let retention = rule.default_retention.ok_or_else(error::malformed_xml)?;
        let DefaultRetention { mode, days, years } = retention;
        let period = match (days, years) {
            (Some(days), None) => days > 0 && days <= YEARS_MAX * 365,
            (None, Some(years)) => years > 0 && years <= YEARS_MAX,
            _ => return Err(error::malformed_xml()),
        };
        if !period {
            return Err(INVALID_RETENTION_PERIOD
                .because("Default retention period must be a positive integer value."));
        }
        let mode = Some(mode.ok_or_else(error::malformed_xml)?);
        lock = Lock { mode, days, years };
    }
    bucket.lock = Some(lock);
    bucket::save(cx, &bucket)?;
    Ok(PutObjectLockConfigurationOutput { request_charged: None })
}

fn no_lock_on_object() -> Error {
    NO_SUCH_LOCK.because("The specified object does not have a ObjectLock configuration")
}

pub fn get_object_retention(
    cx: &mut Context,
    input: GetObjectRetentionRequest,
) -> Result<GetObjectRetentionOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    need_lock(&bucket)?;
    let version = read::find(cx, &bucket, &input.key, input.version_id.as_deref())?;
    let Some(until) = version.lock.until_millis else { return Err(no_lock_on_object()) };
    let retain_until_date = Some(Timestamp::from_millis(until));
    let retention = ObjectLockRetention { mode: version.lock.mode, retain_until_date };
    Ok(GetObjectRetentionOutput { retention: Some(retention) })
}

/// Sets the retention of a version. It can be made longer; shorter or weaker only in governance
/// mode, by who may bypass it and says so.
pub fn put_object_retention(
    cx: &mut Context,
    input: PutObjectRetentionRequest,
) -> Result<PutObjectRetentionOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    need_lock(&bucket)?;
    let mut version = read::find(cx, &bucket, &input.key, input.version_id.as_deref())?;
    let ObjectLockRetention { mode, retain_until_date } = input.retention.unwrap_or_default();
    if mode.is_some() != retain_until_date.is_some() {
        return Err(error::malformed_xml());
    }
    let now = cx.now().millis();
    let until = retain_until_date.map(Timestamp::millis);
    if until.is_some_and(|until| until <= now) {
        return Err(in_the_past());
    }
    let lock = &version.lock;
    let retained = lock.until_millis.filter(|before| *before > now);
    if let Some(before) = retained {
        let compliance = lock.mode.as_deref() == Some(COMPLIANCE);
        let weaker = until.is_none_or(|until| until < before)
            || (compliance && mode.as_deref() != Some(COMPLIANCE));
        let bypassed = !compliance && input.bypass_governance_retention == Some(true);
        if weaker && !bypassed {
            return Err(
                ACCESS_DENIED.because("Access Denied because object protected by object lock.")
            );
        }
    }
    version.lock.mode = mode;
    version.lock.until_millis = until;
    object::update(cx, &version)?;
    bucket::touch(cx, &bucket);
    Ok(PutObjectRetentionOutput { request_charged: None })
}

pub fn get_object_legal_hold(
    cx: &mut Context,
    input: GetObjectLegalHoldRequest,
) -> Result<GetObjectLegalHoldOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    need_lock(&bucket)?;
    let version = read::find(cx, &bucket, &input.key, input.version_id.as_deref())?;
    let Some(status) = version.lock.legal_hold else { return Err(no_lock_on_object()) };
    let legal_hold = Some(ObjectLockLegalHold { status: Some(status) });
    Ok(GetObjectLegalHoldOutput { legal_hold })
}

pub fn put_object_legal_hold(
    cx: &mut Context,
    input: PutObjectLegalHoldRequest,
) -> Result<PutObjectLegalHoldOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    need_lock(&bucket)?;
    let status = input.legal_hold.and_then(|hold| hold.status);
    let status = status.ok_or_else(error::malformed_xml)?;
    let mut version = read::find(cx, &bucket, &input.key, input.version_id.as_deref())?;
    version.lock.legal_hold = Some(status);
    object::update(cx, &version)?;
    bucket::touch(cx, &bucket);
    Ok(PutObjectLegalHoldOutput { request_charged: None })
}
