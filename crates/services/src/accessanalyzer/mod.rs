//! IAM Access Analyzer: what is wrong with a policy before it does harm.
//!
//! Source: IAM Access Analyzer API reference, 2019-11-01.

pub mod knowledge;
pub mod validate_policy;

use crate::service::{Operation, PlainResources, Service, Typed, read};

pub static SERVICE: Service = Service {
    model: &palisade_model::accessanalyzer::SERVICE,
    operations: OPERATIONS,
    resources: &PlainResources,
    jobs: &[],
};

pub static OPERATIONS: &[Operation] = &[
    // Policy validation.
    read("ValidatePolicy", &Typed(validate_policy::validate_policy)),
];

#[cfg(test)]
mod tests;
