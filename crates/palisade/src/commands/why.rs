//! `palisade why`

use super::Output;
use super::client::{Endpoint, operator_token};
use crate::receipt::Receipt;
use clap::Args;
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

    /// Tell of every statement, also of those about other actions
    #[arg(long)]
    full: bool,

    /// `json` prints the receipt, for `palisade explain`
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
        let receipt = Receipt::parse(&body)?;
        match self.output {
            Output::Json => println!("{}", receipt.to_json()?),
            Output::Text => print!("{}", receipt.in_words(self.full)),
        }
        Ok(ExitCode::SUCCESS)
    }
}
