//! Lifecycle: rules that expire objects, remove old versions, move objects to other storage classes
//! and end uploads that nobody completes.
//!
//! Source: Amazon S3 User Guide, "Managing the lifecycle of objects"; API Reference,
//! PutBucketLifecycleConfiguration.

use super::error::{self, INVALID_ARGUMENT, INVALID_REQUEST};
use crate::context::Context;
use palisade_model::s3::{BucketLifecycleConfiguration, LifecycleRule};
use palisade_shape::Result;
use std::collections::BTreeSet;

const RULES_MAX: usize = 1000;

/// Refuses rules that S3 does not take; gives those without an id one.
pub fn check(cx: &Context, wanted: &mut BucketLifecycleConfiguration) -> Result<()> {
    if wanted.rules.is_empty() || wanted.rules.len() > RULES_MAX {
        return Err(error::malformed_xml());
    }
    let mut ids = BTreeSet::new();
    for rule in &mut wanted.rules {
        let id = rule.id.get_or_insert_with(|| cx.uuid()).clone();
        if id.len() > 255 {
            return Err(
                INVALID_ARGUMENT.because("ID length should not exceed allowed limit of 255")
            );
        }
        if !ids.insert(id) {
            return Err(INVALID_ARGUMENT
                .because("Rule ID must be unique. Found same ID for more than one rule"));
        }
        check_rule(rule)?;
    }
    Ok(())
}

/// Refuses one rule that S3 does not take.
pub fn check_rule(rule: &LifecycleRule) -> Result<()> {
    if !matches!(rule.status.as_str(), "Enabled" | "Disabled") {
        return Err(error::malformed_xml());
    }
    if rule.prefix.is_some() == rule.filter.is_some() {
        return Err(error::malformed_xml());
    }
    let positive = |days: Option<i32>, what: &str| match days {
        Some(days) if days < 1 => {
            Err(INVALID_ARGUMENT.because(format!("'{what}' action must be a positive integer")))
        }
        _ => Ok(()),
    };
    let mut actions = 0;
    if let Some(expiration) = &rule.expiration {
        actions += 1;
        positive(expiration.days, "Days' for Expiration")?;
        let marker = expiration.expired_object_delete_marker.is_some();
        let given = usize::from(expiration.days.is_some())
            + usize::from(expiration.date.is_some())
            + usize::from(marker);
        if given != 1 {
            return Err(error::malformed_xml());
        }
        if expiration.date.is_some_and(|date| date.seconds() % 86_400 != 0) {
            return Err(INVALID_ARGUMENT.because("'Date' must be at midnight GMT"));
        }
    }
    for transition in rule.transitions.iter().flatten() {
        actions += 1;
        if transition.days.is_some() == transition.date.is_some()
            || transition.storage_class.is_none()
        {
            return Err(error::malformed_xml());
        }
        if transition.days.is_some_and(|days| days < 0) {
            return Err(INVALID_ARGUMENT.because("'Days' in Transition action must be nonnegative"));
        }
    }
    if let Some(expiration) = &rule.noncurrent_version_expiration {
        actions += 1;
        positive(expiration.noncurrent_days, "NoncurrentDays' for NoncurrentVersionExpiration")?;
    }
    actions += rule.noncurrent_version_transitions.iter().flatten().count();
    if let Some(abort) = &rule.abort_incomplete_multipart_upload {
        actions += 1;
        positive(
            abort.days_after_initiation,
            "DaysAfterInitiation' for AbortIncompleteMultipartUpload",
        )?;
    }
    if actions == 0 {
        return Err(INVALID_REQUEST.because("At least one action needs to be specified in a rule"));
    }
    Ok(())
}
