//! `palisade test`

use super::client::{Endpoint, operator_token};
use crate::expectations::folder::Folder;
use crate::expectations::subject::Subject;
use crate::expectations::{judge, recorded, report, table};
use clap::{Args, Subcommand, ValueEnum};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The file that is read, and written by `init`, when none is named.
const USUAL: &str = "access.palisade.toml";

/// Test policies: who may do what, and whether it is so.
///
/// Each FILE is a TOML or YAML table of tests. Exit 0 when all pass, 1 when one fails, 2 when a
/// file or what it is run against cannot be used.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Test {
    #[command(subcommand)]
    command: Option<Command>,

    /// Files of tests [default: access.palisade.toml]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    #[command(flatten)]
    target: Target,

    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Write the report there instead of to standard output
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Write a file of tests from the calls that were recorded
    Init(Init),
}

/// What the tests are run against: a data folder, a running server, or a folder of policy files.
#[derive(Args)]
struct Target {
    /// A data folder; its server is asked when it runs, else a copy is read
    #[arg(long, env = "PALISADE_DATA_DIR", value_name = "DIR", default_value = "palisade-data")]
    data_dir: PathBuf,

    /// A running server, with the operator's token of --data-dir or PALISADE_OPERATOR_TOKEN
    #[arg(long, env = "PALISADE_ENDPOINT", value_name = "URL", conflicts_with = "policies")]
    endpoint: Option<String>,

    /// The operator's token, when the server's data folder is not at hand
    #[arg(long, env = "PALISADE_OPERATOR_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    operator_token: Option<String>,

    /// The authorities to trust for an endpoint with TLS
    #[arg(long, env = "PALISADE_CA_BUNDLE", value_name = "FILE", requires = "endpoint")]
    ca_bundle: Option<PathBuf>,

    /// A folder of policy files
    #[arg(long, value_name = "DIR")]
    policies: Option<PathBuf>,
}

#[derive(Args)]
struct Init {
    #[command(flatten)]
    target: Target,

    /// The newest calls to take
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,

    /// The file to write; one that is there is left alone
    #[arg(value_name = "FILE", default_value = USUAL)]
    file: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Junit,
    Sarif,
}

impl Test {
    pub fn run(self) -> Result<ExitCode, String> {
        let done = match &self.command {
            Some(Command::Init(init)) => init.run(),
            None => self.test(),
        };
        match done {
            Ok(code) => Ok(code),
            Err(message) => {
                eprintln!("palisade: {message}");
                Ok(ExitCode::from(2))
            }
        }
    }

    fn test(&self) -> Result<ExitCode, String> {
        let usual = [PathBuf::from(USUAL)];
        let files: &[PathBuf] = if self.files.is_empty() { &usual } else { &self.files };
        let mut cases = Vec::new();
        for file in files {
            cases.extend(table::read(file)?);
        }
        let questions: Vec<_> =
            cases.iter().flat_map(|case| case.questions.iter().cloned()).collect();
        let answers = self.target.subject()?.ask(&questions)?;
        let outcomes = judge(cases, answers);
        let text = match self.format {
            Format::Text => report::text(&outcomes),
            Format::Junit => report::junit(&outcomes)?,
            Format::Sarif => report::sarif(&outcomes)?,
        };
        match &self.report {
            None => print!("{text}"),
            Some(path) => write(path, &text)?,
        }
        let passed = outcomes.iter().all(crate::expectations::Outcome::passed);
        Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl Init {
    fn run(&self) -> Result<ExitCode, String> {
        let most = usize::try_from(self.limit).map_err(|error| error.to_string())?;
        let calls = self.target.subject()?.calls(most)?;
        if calls.is_empty() {
            return Err("no call was recorded yet".to_owned());
        }
        let table = recorded::table(&calls);
        let tests = toml::to_string(&table).map_err(|error| error.to_string())?;
        let text = format!("# Made by `palisade test init` from recorded calls.\n\n{tests}");
        let file = std::fs::OpenOptions::new().write(true).create_new(true).open(&self.file);
        let wrong =
            |error: std::io::Error| format!("cannot write {}: {error}", self.file.display());
        std::io::Write::write_all(&mut file.map_err(wrong)?, text.as_bytes()).map_err(wrong)?;
        eprintln!("{} tests written to {}", calls.len(), self.file.display());
        Ok(ExitCode::SUCCESS)
    }
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

impl Target {
    fn subject(&self) -> Result<Subject, String> {
        if let Some(folder) = &self.policies {
            return Folder::open(folder).map(Subject::Policies);
        }
        let Some(url) = &self.endpoint else { return Subject::of_data_dir(&self.data_dir) };
        let token = match &self.operator_token {
            Some(token) => token.trim().to_owned(),
            None => operator_token(&self.data_dir)?,
        };
        let ca_bundle = self.ca_bundle.clone();
        let endpoint = Endpoint { url: url.clone(), region: String::new(), ca_bundle };
        Ok(Subject::of_endpoint(endpoint, token))
    }
}
