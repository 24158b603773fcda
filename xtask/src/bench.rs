//! `cargo xtask bench`: release builds of the server and of `benches`, the measurements, and the
//! page with their tables.

use crate::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

const SERVER: &str = "palisade";
const MEASUREMENTS: &str = "palisade-benches";
const PAGE: &str = "docs/benchmarks.md";

/// Runs the named sections, or all of them: then the page is written anew.
pub fn run(root: &Path, sections: &[&str]) -> Result<()> {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), |folder| root.join(PathBuf::from(folder)));
    // A lock file and a folder of their own: what the peers need must not rebuild the server.
    let benches = std::env::var_os("PALISADE_BENCH_TARGET_DIR")
        .map_or_else(|| target.join("benches"), |folder| root.join(PathBuf::from(folder)));
    let mut server = cargo(root);
    server.args(["build", "--release", "--locked", "--package", SERVER]);
    step("the server", server.arg("--target-dir").arg(&target))?;
    let mut measurements = cargo(root);
    measurements.args(["build", "--release", "--locked", "--manifest-path", "benches/Cargo.toml"]);
    step("the measurements", measurements.arg("--target-dir").arg(&benches))?;
    let mut measure = Command::new(benches.join("release").join(MEASUREMENTS));
    measure.current_dir(root).arg("run").arg(target.join("release").join(SERVER));
    if sections.is_empty() {
        measure.args(["--page", PAGE]);
    }
    step("measuring", measure.args(sections))
}

fn cargo(root: &Path) -> Command {
    let program = std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
    let mut command = Command::new(program);
    command.current_dir(root);
    command
}

fn step(what: &str, command: &mut Command) -> Result<()> {
    println!("== {what}");
    let status = command.status().map_err(|error| format!("{what}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{what}: failed")) }
}
