//! The project's build tasks: `cargo xtask <task>`. Each task is one module.

mod bench;
mod coverage;
mod fuzz;
mod generate;
mod json;
mod models;
mod test;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

pub type Result<T> = std::result::Result<T, String>;

const USAGE: &str = "\
usage: cargo xtask <task>

  bench [section…]     measure; without sections also write docs/benchmarks.md
  coverage             write docs/coverage.md
  fuzz [seconds]       run every fuzz target for so long, else for 10 minutes: docs/fuzzing.md
  generate [--check]   write crates/model from models/ (--check: only compare); offline
  models               fetch the pinned packages of models/sources.toml and write models/
  test                 install what is missing, then format, lints, house rules and all tests
  tidy                 only the house rules
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["bench", sections @ ..] => bench::run(&root(), sections),
        ["coverage"] => coverage::write(&root()),
        ["fuzz"] => fuzz::run(&root(), None),
        ["fuzz", seconds] => fuzz::run(&root(), Some(*seconds)),
        ["generate"] => generate::write(&root()),
        ["generate", "--check"] => generate::check(&root()),
        ["models"] => models::update(&root()),
        ["test"] => test::run(&root()),
        ["tidy"] => tidy::run(&root()),
        _ => Err(USAGE.to_string()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace.
pub fn root() -> PathBuf {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().map_or(manifest.clone(), PathBuf::from)
}
