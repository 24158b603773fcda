//! `palisade checklist`

use super::client::{Endpoint, operator_token};
use crate::operator::checklist::Checked;
use clap::{Args, ValueEnum};
use palisade_services::findings::{Affected, CHECKS, Finding, Status};
use serde::Deserialize;
use std::fmt::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Check an account against the best practices of IAM.
///
/// Exit 0 when every check passes, 1 when one fails, 2 when the server cannot be asked.
#[derive(Args)]
pub struct Checklist {
    /// The account [default: that of the first start]
    #[arg(long, value_name = "ID")]
    account: Option<String>,

    /// A check that may fail; can be given more than once
    #[arg(long, value_name = "CHECK")]
    ignore: Vec<String>,

    /// The server's data folder, which holds the operator's token
    #[arg(long, env = "PALISADE_DATA_DIR", value_name = "DIR", default_value = "palisade-data")]
    data_dir: PathBuf,

    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

#[derive(Deserialize)]
struct Refusal {
    message: String,
}

impl Checklist {
    pub fn run(self) -> Result<ExitCode, String> {
        match self.check() {
            Ok(code) => Ok(code),
            Err(message) => {
                eprintln!("palisade: {message}");
                Ok(ExitCode::from(2))
            }
        }
    }

    fn check(&self) -> Result<ExitCode, String> {
        let is_known = |id: &&String| CHECKS.iter().any(|check| check.id == **id);
        if let Some(unknown) = self.ignore.iter().find(|id| !is_known(id)) {
            let known: Vec<&str> = CHECKS.iter().map(|check| check.id).collect();
            return Err(format!("there is no check {unknown}; there are {}", known.join(", ")));
        }
        let endpoint = Endpoint::of_data_dir(&self.data_dir)?;
        let token = operator_token(&self.data_dir)?;
        let path = match &self.account {
            None => "/_palisade/checklist".to_owned(),
            Some(id) if id.bytes().all(|byte| byte.is_ascii_digit()) => {
                format!("/_palisade/checklist?account={id}")
            }
            Some(id) => return Err(format!("{id} is no account id, which is twelve digits")),
        };
        let (status, body) = endpoint.get(&path, Some(&token))?;
        let foreign =
            |error: serde_json::Error| format!("{} is no Palisade: {error}", endpoint.url);
        if status != 200 {
            let refusal: Refusal = serde_json::from_slice(&body).map_err(foreign)?;
            return Err(refusal.message);
        }
        let checked: Checked = serde_json::from_slice(&body).map_err(foreign)?;
        match self.format {
            Format::Text => {
                let mut text = String::new();
                write_text(&mut text, &checked).map_err(|error| error.to_string())?;
                print!("{text}");
            }
            Format::Json => {
                let json = serde_json::to_string_pretty(&checked).map_err(foreign)?;
                println!("{json}");
            }
        }
        let counts = |finding: &&Finding| !self.ignore.contains(&finding.id);
        let mut counted = checked.findings.iter().filter(counts);
        let failed = counted.any(|finding| finding.status == Status::Failed);
        Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// A line for each check; what is wrong and what to do below those that failed.
fn write_text(out: &mut String, checked: &Checked) -> fmt::Result {
    writeln!(out, "Account {} at {}\n", checked.account, checked.time)?;
    for finding in &checked.findings {
        let Finding { id, title, severity, status, why, resources } = finding;
        let word = match status {
            Status::Passed => "ok  ",
            Status::Failed => "FAIL",
        };
        writeln!(out, "{word}  {id}: {title}")?;
        for Affected { arn, credential, why } in resources {
            let credential = credential.as_ref().map(|id| format!(" ({id})"));
            writeln!(out, "        {arn}{}: {why}", credential.unwrap_or_default())?;
        }
        if *status == Status::Failed {
            writeln!(out, "      {severity:?}. {why}")?;
        }
    }
    let failed = checked.findings.iter().filter(|one| one.status == Status::Failed).count();
    writeln!(out, "\n{failed} of {} checks failed", checked.findings.len())
}
