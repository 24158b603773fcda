//! `cargo xtask fuzz [SECONDS]`: every fuzz target in turn, for so many seconds each.

use crate::Result;
use std::path::Path;
use std::process::Command;

/// What issue 2 asks of each target.
const SECONDS: u32 = 600;

pub fn run(root: &Path, seconds: Option<&str>) -> Result<()> {
    let seconds = seconds.map_or(Ok(SECONDS), str::parse).map_err(|_| "SECONDS is no number")?;
    let folder = root.join("fuzz");
    let listed = fuzz(&folder, &["list"]).output().map_err(|error| error.to_string())?;
    if !listed.status.success() {
        return Err("cargo-fuzz or a nightly toolchain is missing: see docs/fuzzing.md".into());
    }
    let mut failed = Vec::new();
    for target in String::from_utf8_lossy(&listed.stdout).lines() {
        let limit = format!("-max_total_time={seconds}");
        let mut command = fuzz(&folder, &["run", "--sanitizer", "none", target, "--"]);
        command.args([limit.as_str(), "-timeout=10", "-rss_limit_mb=1024", "-max_len=4096"]);
        println!("== {target}, {seconds} s");
        if !command.status().is_ok_and(|status| status.success()) {
            failed.push(target.to_owned());
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
}

fn fuzz(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(folder).args(["+nightly", "fuzz"]).args(arguments);
    // The variable would choose this task's toolchain for the inner cargo.
    command.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO");
    command
}
