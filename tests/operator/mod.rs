//! What the operator is promised: starting, stopping, lab mode, TLS, the commands.

mod checklist;
mod commands;
mod coverage;
mod demo;
mod lab_mode;
mod org;
mod policy_tests;
mod reach;
mod receipts;
mod starting;
