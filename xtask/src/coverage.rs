//! `cargo xtask coverage`: writes docs/coverage.md as the server's own ledger prints it.

use crate::Result;
use std::path::Path;
use std::process::Command;

pub fn write(root: &Path) -> Result<()> {
    let output = Command::new(env!("CARGO"))
        .current_dir(root)
        .args(["run", "--quiet", "--package", "palisade", "--", "coverage", "--markdown"])
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if !output.status.success() {
        return Err("`palisade coverage --markdown` failed".to_string());
    }
    let path = root.join("docs/coverage.md");
    std::fs::write(&path, output.stdout).map_err(|error| format!("{}: {error}", path.display()))
}
