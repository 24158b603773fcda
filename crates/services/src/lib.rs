//! The AWS services. An operation is a plain, synchronous function from its typed input to its
//! typed output, inside one store transaction; it parses no request, writes no wire format, reads
//! no clock and opens no connection.
//!
//! To find an operation, look for its name in the `OPERATIONS` table of its service's `mod.rs`.

pub mod accessanalyzer;
pub mod account;
pub mod accounts;
pub mod attempts;
pub mod audit;
pub mod authorization;
pub mod caller;
pub mod clock;
pub mod cloudtrail;
pub mod context;
pub mod coverage;
pub mod errors;
pub mod findings;
pub mod iam;
pub mod job;
pub mod kms;
pub mod last_access;
pub mod organizations;
pub mod outbox;
pub mod page;
pub mod password_hash;
pub mod plane;
pub mod ram;
pub mod random;
pub mod reads;
pub mod s3;
pub mod s3control;
pub mod service;
pub mod signin;
pub mod sts;
pub mod table;
pub mod tags;
#[cfg(test)]
pub mod testing;
pub mod transfer;
pub mod usage;

use service::Service;

/// All services that are answered here; the others are known by name and answered 501.
pub static SERVICES: &[&Service] = &[
    &accessanalyzer::SERVICE,
    &account::SERVICE,
    &cloudtrail::SERVICE,
    &iam::SERVICE,
    &kms::SERVICE,
    &organizations::SERVICE,
    &ram::SERVICE,
    &s3::SERVICE,
    &s3control::SERVICE,
    &sts::SERVICE,
];
