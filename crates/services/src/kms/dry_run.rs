//! Calls that only ask whether they would succeed.

use palisade_model::kms::DRY_RUN_OPERATION_EXCEPTION;
use palisade_shape::Result;

/// Ends a dry run that has come so far.
pub fn stop(dry_run: Option<bool>) -> Result<()> {
    match dry_run {
        Some(true) => Err(DRY_RUN_OPERATION_EXCEPTION
            .because("The request would have succeeded, but the DryRun option is set.")),
        _ => Ok(()),
    }
}
