//! The subcommands, one file each. Answers go to stdout, everything else to stderr.

mod cases;
pub mod checklist;
pub mod client;
pub mod coverage;
pub mod demo;
pub mod env;
pub mod explain;
pub mod health;
pub mod org;
pub mod policy;
pub mod serve;
pub mod test;
pub mod validate;
pub mod why;

use clap::ValueEnum;

/// How an answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    Text,
    Json,
}
