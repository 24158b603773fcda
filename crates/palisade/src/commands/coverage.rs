//! `palisade coverage`

use super::Output;
use clap::Args;
use palisade_policy::{DocumentKind, Policy};
use palisade_services::coverage::{self, StatementCoverage};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Tell what of policies cannot be decided here, and why; exit 1 when there is something. Without
/// a policy: every action, resource type and condition key that can be decided.
#[derive(Args)]
pub struct Coverage {
    /// Files, each with one policy document
    #[arg(value_name = "POLICY")]
    policies: Vec<PathBuf>,

    /// What the documents are: identity, resource, trust, scp, rcp, session, boundary or vpce
    #[arg(long, default_value = "identity")]
    kind: DocumentKind,

    /// Print the page docs/coverage.md
    #[arg(long, conflicts_with_all = ["policies", "output"])]
    markdown: bool,

    #[arg(long, value_enum, env = "PALISADE_OUTPUT", default_value_t = Output::Text)]
    output: Output,
}

impl Coverage {
    pub fn run(self) -> Result<ExitCode, String> {
        if self.policies.is_empty() {
            return self.ledger();
        }
        let mut found = Vec::new();
        for path in &self.policies {
            found.push((path, of_policy(path, self.kind)?));
        }
        match self.output {
            Output::Json => {
                let told = found.iter().map(|(path, statements)| {
                    json!({ "policy": path.display().to_string(), "statements": statements })
                });
                println!("{}", json!(told.collect::<Vec<_>>()));
            }
            Output::Text => found.iter().for_each(|(path, statements)| tell(path, statements)),
        }
        let mut all = found.iter().flat_map(|(_, statements)| statements);
        let whole = all.all(|statement| statement.undecided.is_empty());
        Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn ledger(&self) -> Result<ExitCode, String> {
        let ledger = coverage::ledger();
        if self.markdown {
            print!("{}", coverage::markdown(&ledger));
            return Ok(ExitCode::SUCCESS);
        }
        if self.output == Output::Json {
            let text = serde_json::to_string(&ledger).map_err(|error| error.to_string())?;
            println!("{text}");
            return Ok(ExitCode::SUCCESS);
        }
        for prefix in &ledger.prefixes {
            let (known, all) = (prefix.actions.len(), prefix.not_implemented.len());
            println!("{:<16} {known} of {} actions", prefix.prefix, known + all);
        }
        let actions: usize = ledger.not_implemented.iter().map(|(_, actions)| actions).sum();
        println!("{} other prefixes: none of {actions} actions", ledger.not_implemented.len());
        println!("--output json lists every action, resource type and condition key");
        Ok(ExitCode::SUCCESS)
    }
}

fn of_policy(path: &Path, kind: DocumentKind) -> Result<Vec<StatementCoverage>, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let policy = Policy::parse(&text, kind);
    let policy = policy.map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(coverage::check(&policy))
}

fn tell(path: &Path, statements: &[StatementCoverage]) {
    for statement in statements {
        let sid = statement.sid.as_deref().map(|sid| format!(" ({sid})")).unwrap_or_default();
        for reason in &statement.undecided {
            let coverage::Reason { element, value, why } = reason;
            let number = statement.index + 1;
            println!("{}: stmt {number}{sid}: {element} {value}: {why}", path.display());
        }
    }
}
