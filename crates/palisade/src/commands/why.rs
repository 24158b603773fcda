//! `palisade why`

use super::Output;
use super::client::{Endpoint, operator_token};
use crate::explain::Answer;
use clap::Args;
use palisade_services::audit::DecisionRecord;
use serde::Deserialize;
use std::path::PathBuf;
use std::process::ExitCode;

/// Tell in words why a request was allowed or refused.
///
/// The id of a decision is the request id of the answer, also in its x-palisade-decision header.
#[derive(Args)]
pub struct Why {
    /// The decision's id
    #[arg(required_unless_present = "last", conflicts_with = "last")]
    decision: Option<String>,

    /// The newest decision
    #[arg(long)]
    last: bool,

    /// The server's data folder, which holds the operator's token
    #[arg(long, env = "PALISADE_DATA_DIR", value_name = "DIR", default_value = "palisade-data")]
    data_dir: PathBuf,

    #[arg(long, value_enum, env = "PALISADE_OUTPUT", default_value_t = Output::Text)]
    output: Output,
}

#[derive(Deserialize)]
struct Refusal {
    message: String,
}

impl Why {
    pub fn run(self) -> Result<ExitCode, String> {
        let endpoint = Endpoint::of_data_dir(&self.data_dir)?;
        let token = operator_token(&self.data_dir)?;
        let id = self.decision.as_deref().unwrap_or("last");
        if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(format!("`{id}` is not the id of a decision"));
        }
        let path = format!("/_palisade/decisions/{id}");
        let (status, body) = endpoint.get(&path, Some(&token))?;
        let foreign =
            |error: serde_json::Error| format!("{} is no Palisade: {error}", endpoint.url);
        if status != 200 {
            let refusal: Refusal = serde_json::from_slice(&body).map_err(foreign)?;
            return Err(refusal.message);
        }
        if self.output == Output::Json {
            println!("{}", String::from_utf8_lossy(&body));
            return Ok(ExitCode::SUCCESS);
        }
        let answer: Answer = serde_json::from_slice(&body).map_err(foreign)?;
        tell(&answer);
        Ok(ExitCode::SUCCESS)
    }
}

/// The answer for a person: who asked for what and how it ended, then each stage of the decision.
fn tell(answer: &Answer) {
    let DecisionRecord { id, time, service, operation, outcome, error, caller, .. } =
        &answer.decision;
    let outcome = match outcome.as_deref() {
        Some("allowed") => "ALLOWED",
        Some("explicitDeny") => "DENIED by a statement",
        Some("implicitDeny") => "DENIED: nothing allows it",
        _ => "ENDED before it was decided",
    };
    println!("{service} {operation}: {outcome}");
    println!("  caller    {}", caller.arn);
    println!("  time      {time}");
    println!("  decision  {id}");
    if let (Some(code), Some(message)) = (error, &answer.error_message) {
        println!("  answered  {code}: {message}");
    }
    for explained in &answer.explained {
        println!("\n{} on {}", explained.action, explained.resource);
        println!("{}", explained.trace);
    }
}
