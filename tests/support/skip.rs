//! Tests that cannot run here say so.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Says that a test did not run, and why: on stderr, and in the file that `cargo xtask test` counts
/// and shows at the end.
pub fn skip(test: &str, reason: &str) {
    eprintln!("SKIPPED: {test}: {reason}");
    let Some(path) = std::env::var_os("PALISADE_TEST_SKIPPED_FILE") else { return };
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    writeln!(file.unwrap(), "SKIPPED: {test}: {reason}").unwrap();
}

/// Whether `program arguments` runs and ends well.
pub fn have_tool(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

pub fn have_boto3() -> bool {
    have_tool("python3", &["-c", "import boto3"])
}
