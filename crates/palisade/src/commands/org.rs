//! `palisade org`

use super::Output;
use super::client::{Endpoint, operator_token};
use crate::api::Api;
use crate::operator::replay::Wanted;
use crate::organization::apply::apply;
use crate::organization::plan::{Plan, plan};
use crate::organization::survey::{Survey, survey};
use crate::organization::tree::{Tree, is_yaml};
use crate::replay::{Flip, Replayed};
use clap::{Args, Subcommand};
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Keep an organization in a file: units, accounts, policies and what they are attached to.
///
/// Calls the Organizations API with the keys of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or
/// else with the root key of the data folder. They must be of the management account.
#[derive(Subcommand)]
pub enum Org {
    /// Tell what would have to be done for the organization to be as FILE says, and do nothing
    Plan(Planned),
    /// Do it
    Apply(Planned),
    /// Write the organization as it is into FILE
    Export(Export),
}

#[derive(Args)]
pub struct Planned {
    /// The tree, TOML or (named .yaml or .yml) YAML
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Delete policies and empty units that the file does not name; accounts never are
    #[arg(long)]
    prune: bool,

    /// Also decide the newest NUMBER recorded calls of each account again, and tell which would be
    /// decided otherwise
    #[arg(
        long,
        value_name = "NUMBER",
        num_args = 0..=1,
        default_missing_value = "1000",
        value_parser = clap::value_parser!(u32).range(1..=10_000)
    )]
    replay: Option<u32>,

    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,

    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Args)]
pub struct Export {
    /// The file to write, YAML when named .yaml or .yml; standard output without one
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,

    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Args)]
struct ServerArgs {
    /// The server's data folder
    #[arg(long, env = "PALISADE_DATA_DIR", value_name = "DIR", default_value = "palisade-data")]
    data_dir: PathBuf,
}

impl Org {
    pub fn run(self) -> Result<ExitCode, String> {
        match self {
            Self::Plan(planned) => planned.run(false),
            Self::Apply(planned) => planned.run(true),
            Self::Export(export) => export.run(),
        }
    }
}

impl Planned {
    fn run(&self, doing: bool) -> Result<ExitCode, String> {
        let tree = Tree::read(&self.file)?;
        let api = Api::open(&self.server.data_dir)?;
        let now = survey(&api)?;
        let plan = plan(&tree, &now, self.prune)?;
        let replayed = self.replay.map(|limit| self.replay(&now.after(&plan.steps), limit));
        let replayed = replayed.transpose()?;
        let mut out = std::io::stdout().lock();
        let mut line = |text: String| writeln!(out, "{text}").map_err(|error| error.to_string());
        if self.output == Output::Json {
            let steps: Vec<String> = plan.steps.iter().map(ToString::to_string).collect();
            let mut told = json!({ "steps": steps, "leftAlone": plan.left_alone });
            if let (Some(replayed), Some(told)) = (&replayed, told.as_object_mut()) {
                told.insert("replayed".to_owned(), json!(replayed));
            }
            line(told.to_string())?;
        }
        let text = self.output == Output::Text;
        if text && (!doing || replayed.is_some()) {
            line(words(&plan, replayed.as_ref()))?;
        }
        if !doing {
            return Ok(ExitCode::SUCCESS);
        }
        let mut count = 0;
        let applied = apply(&api, &now, &plan.steps, |step| {
            count += 1;
            if text {
                // Who reads this is gone: the changes go on.
                let _gone = line(step.to_string());
            }
        });
        let all = plan.steps.len();
        applied.map_err(|error| format!("{error}\n{count} of {all} changes were made"))?;
        if text {
            line(format!("{}, done", changes(all)))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Planned {
    /// Asks the server, which has the records.
    fn replay(&self, after: &Survey, limit: u32) -> Result<Replayed, String> {
        let data_dir = &self.server.data_dir;
        let (endpoint, token) = (Endpoint::of_data_dir(data_dir)?, operator_token(data_dir)?);
        let wanted = Wanted { limit: limit as usize, instead: after.binding() };
        let body = serde_json::to_vec(&wanted).map_err(|error| error.to_string())?;
        let (status, answer) = endpoint.post("/_palisade/replay", body, Some(&token))?;
        if status != 200 {
            return Err(format!("status {status}: {}", String::from_utf8_lossy(&answer)));
        }
        serde_json::from_slice(&answer).map_err(|error| error.to_string())
    }
}

fn flips(replayed: &Replayed) -> Vec<String> {
    let Replayed { calls, flips } = replayed;
    let mut lines = vec![format!(
        "of {calls} recorded calls {} would be decided otherwise",
        if flips.is_empty() { "none".to_owned() } else { flips.len().to_string() }
    )];
    lines.extend(flips.iter().map(|flip| {
        let Flip { id, principal, action, resource, was, becomes, denied_by, .. } = flip;
        let by = denied_by.as_ref().map(|layer| format!(" ({layer})")).unwrap_or_default();
        format!("  {was} -> {becomes}{by}: {principal} {action} on {resource}, decision {id}")
    }));
    lines
}

fn words(plan: &Plan, replayed: Option<&Replayed>) -> String {
    let mut lines: Vec<String> = plan.steps.iter().map(ToString::to_string).collect();
    if !plan.left_alone.is_empty() {
        lines.push("not in the file, and left alone:".to_owned());
        lines.extend(plan.left_alone.iter().map(|what| format!("  {what}")));
    }
    lines.extend(replayed.map(flips).into_iter().flatten());
    lines.push(match plan.steps.len() {
        0 => "nothing to do".to_owned(),
        count => format!("{}; nothing was done", changes(count)),
    });
    lines.join("\n")
}

fn changes(count: usize) -> String {
    format!("{count} change{}", if count == 1 { "" } else { "s" })
}

impl Export {
    fn run(&self) -> Result<ExitCode, String> {
        let now = survey(&Api::open(&self.server.data_dir)?)?;
        if !now.exists {
            return Err("the account is in no organization".to_owned());
        }
        let text = now.tree().write(self.file.as_deref().is_some_and(is_yaml))?;
        match &self.file {
            None => print!("{text}"),
            Some(path) => write(path, &text)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}
