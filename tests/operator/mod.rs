//! What the operator is promised: starting, stopping, lab mode, TLS, the commands.

mod commands;
mod coverage;
mod lab_mode;
mod policy_tests;
mod receipts;
mod starting;
