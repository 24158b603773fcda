//! Answers for an AWS Nitro enclave. Its attestation document would have to be proven against the
//! certificates of AWS's hypervisors, which no machine of this plane has: it is refused, so that
//! nothing is handed out for an enclave that is not there.

use super::VALIDATION_EXCEPTION;
use palisade_model::kms::RecipientInfo;
use palisade_shape::Result;

pub fn refuse(recipient: Option<&RecipientInfo>) -> Result<()> {
    match recipient {
        None => Ok(()),
        Some(_) => Err(VALIDATION_EXCEPTION
            .because("The attestation document in Recipient could not be verified.")),
    }
}
