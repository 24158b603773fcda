//! The wire protocols against data, against botocore, and against hostile input.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed expectation is how these tests report"
)]

mod botocore;
mod errors;
mod events;
mod random;
mod refusals;
mod routing;
mod smithy;
mod tables;
