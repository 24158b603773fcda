//! `cargo xtask test`: sets up what a fresh machine lacks, then runs every check and test.

use crate::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Debian packages and the file that shows that each is there.
const DEBIAN: &[(&str, &str)] = &[
    ("postgresql", "/usr/lib/postgresql"),
    ("chromium", "/usr/bin/chromium"),
    ("curl", "/usr/bin/curl"),
    ("gcc", "/usr/bin/gcc"),
];

/// Python packages, pinned, and the module that shows that each is there.
const PYTHON: &[(&str, &str)] = &[
    ("boto3==1.43.11", "boto3"),
    ("awscli==1.45.11", "awscli"),
    ("moto[server]==5.2.1", "moto"),
    ("awscrt==0.38.1", "awscrt"),
];

/// Where a Terraform provider mirror may be when no variable says so.
const TERRAFORM_MIRRORS: &[&str] = &["/opt/tf-plugins"];

pub fn run(root: &Path) -> Result<()> {
    set_up();
    step("formatting", cargo(root, &["fmt", "--all", "--check"]))?;
    crate::tidy::run(root)?;
    let mut lints = cargo(root, &["clippy", "--workspace", "--all-targets", "--locked"]);
    lints.args(["--", "-D", "warnings"]);
    step("lints", lints)?;
    // The black-box tests start this binary.
    step("the server", cargo(root, &["build", "--locked", "--package", "palisade"]))?;
    let mut tests = match has_nextest() {
        true => cargo(root, &["nextest", "run", "--workspace", "--locked", "--no-fail-fast"]),
        false => {
            cargo(root, &["test", "--workspace", "--locked", "--all-targets", "--no-fail-fast"])
        }
    };
    if std::env::var_os("PALISADE_TEST_TERRAFORM_MIRROR").is_none()
        && let Some(mirror) = TERRAFORM_MIRRORS.iter().find(|mirror| Path::new(mirror).exists())
    {
        tests.env("PALISADE_TEST_TERRAFORM_MIRROR", mirror);
    }
    let skipped = std::env::temp_dir().join(format!("palisade-skipped-{}", std::process::id()));
    let _none_before = std::fs::remove_file(&skipped);
    tests.env("PALISADE_TEST_SKIPPED_FILE", &skipped);
    let tested = step("tests", tests);
    // A runner may keep what a passing test says to itself: here it is said for sure.
    let skipped = std::fs::read_to_string(&skipped).unwrap_or_default();
    print!("{skipped}");
    println!("{} tests were skipped", skipped.lines().count());
    tested?;
    step("documentation examples", cargo(root, &["test", "--workspace", "--locked", "--doc"]))
}

/// Installs by package name what is missing. What cannot be installed is said here, and the tests
/// that want it skip themselves and say so too.
fn set_up() {
    let missing: Vec<&str> = DEBIAN
        .iter()
        .filter(|(_, shown_by)| !Path::new(shown_by).exists())
        .map(|(package, _)| *package)
        .collect();
    if !missing.is_empty() {
        attempt(Command::new("apt-get").arg("update"));
        attempt(Command::new("apt-get").args(["install", "--yes"]).args(&missing));
    }
    let pip = Command::new("python3").args(["-m", "pip", "--version"]).output();
    if !pip.is_ok_and(|output| output.status.success()) {
        attempt(Command::new("apt-get").args(["install", "--yes", "python3-pip"]));
    }
    for (package, module) in PYTHON {
        let there = Command::new("python3").args(["-c", &format!("import {module}")]).output();
        if !there.is_ok_and(|output| output.status.success()) {
            let mut pip = Command::new("python3");
            pip.args(["-m", "pip", "install", "--quiet", package]);
            if !attempt(&mut pip) {
                // Debian's own Python refuses to install beside its packages unless told to.
                attempt(pip.arg("--break-system-packages"));
            }
        }
    }
    if !has_nextest() {
        println!("cargo-nextest is not installed: running the tests with cargo test");
    }
}

fn has_nextest() -> bool {
    let output = Command::new("cargo").args(["nextest", "--version"]).output();
    output.is_ok_and(|output| output.status.success())
}

fn attempt(command: &mut Command) -> bool {
    let done = command.status().is_ok_and(|status| status.success());
    if !done {
        println!("could not run {command:?}; tests that need it will be skipped");
    }
    done
}

fn cargo(root: &Path, arguments: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
    let mut command = Command::new(program);
    command.current_dir(root).args(arguments);
    command
}

fn step(what: &str, mut command: Command) -> Result<()> {
    println!("== {what}");
    let status = command.status().map_err(|error| format!("{what}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{what}: failed")) }
}
