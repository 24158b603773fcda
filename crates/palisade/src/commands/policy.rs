//! `palisade policy`: the policy engine, offline.

use super::validate::Validate;
use clap::{Args, Subcommand, ValueEnum};
use palisade_policy::evaluate_case;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Subcommand)]
pub enum Policy {
    /// Decide cases of the format palisade-case/1
    Evaluate(Evaluate),
    /// Check policy documents as IAM Access Analyzer does; exit 1 on an error
    Validate(Validate),
}

impl Policy {
    pub fn run(self) -> Result<ExitCode, String> {
        match self {
            Self::Evaluate(command) => command.run(),
            Self::Validate(command) => command.run(),
        }
    }
}

/// Decide cases of the format palisade-case/1: one JSON object each, in and out.
#[derive(Args)]
pub struct Evaluate {
    /// File with the cases, or - for standard input
    #[arg(long, value_name = "FILE|-")]
    input: PathBuf,

    /// One case (`json`), or one a line (`jsonl`)
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Json,
    Jsonl,
}

impl Evaluate {
    fn run(self) -> Result<ExitCode, String> {
        let mut input = open(&self.input)?;
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        if self.format == Format::Json {
            let mut text = String::new();
            input.read_to_string(&mut text).map_err(|error| error.to_string())?;
            answer(&text, &mut out)?;
        } else {
            super::cases::answer(&mut *input, &mut out)?;
        }
        out.flush().map_err(|error| error.to_string())?;
        Ok(ExitCode::SUCCESS)
    }
}

pub fn open(path: &Path) -> Result<Box<dyn BufRead>, String> {
    if path == Path::new("-") {
        return Ok(Box::new(BufReader::with_capacity(1 << 20, std::io::stdin())));
    }
    let file = std::fs::File::open(path);
    let file = file.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(Box::new(BufReader::with_capacity(1 << 20, file)))
}

fn answer(case: &str, out: &mut dyn Write) -> Result<(), String> {
    let answer = evaluate_case(case).map_err(|error| error.to_string())?;
    serde_json::to_writer(&mut *out, &answer).map_err(|error| error.to_string())?;
    writeln!(out).map_err(|error| error.to_string())
}
