//! Black-box tests: the built server, and the clients that people use, unmodified: boto3, the AWS
//! CLI, Terraform. Nothing in here knows the server's code.
//!
//! The server is `target/debug/palisade` (`cargo build -p palisade` makes it), or what
//! `PALISADE_TEST_BINARY` names. A test whose tool is missing says `SKIPPED:` and why.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop, and say where"
)]

mod support;

mod accessanalyzer;
mod account;
mod clients;
mod cloudtrail;
mod iam;
mod kms;
mod machine;
mod operator;
mod organizations;
mod protocol;
mod ram;
mod s3;
mod s3control;
mod signin;
mod sts;
