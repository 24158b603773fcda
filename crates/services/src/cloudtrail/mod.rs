//! AWS CloudTrail: what the audit trail says of the last ninety days, without any trail being set
//! up.
//!
//! Source: CloudTrail API reference, 2013-11-01; CloudTrail User Guide, "Working with CloudTrail
//! event history".

mod history;
mod listed;
pub mod lookup;

use crate::service::{Operation, PlainResources, Service, Typed, read};

pub static SERVICE: Service = Service {
    model: &palisade_model::cloudtrail::SERVICE,
    operations: OPERATIONS,
    resources: &PlainResources,
    jobs: &[],
};

pub static OPERATIONS: &[Operation] = &[
    // Event history.
    read("LookupEvents", &Typed(lookup::lookup_events)),
];

#[cfg(test)]
mod tests;
