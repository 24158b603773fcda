//! `palisade health`

use super::{Output, client::Endpoint};
use clap::Args;
use serde::Deserialize;
use std::path::PathBuf;
use std::process::ExitCode;

/// Ask a running server how it is; exit 0 when it answers.
#[derive(Args)]
pub struct Health {
    /// The server's data folder, which says where it listens
    #[arg(long, env = "PALISADE_DATA_DIR", value_name = "DIR", default_value = "palisade-data")]
    data_dir: PathBuf,

    /// The server's URL, instead of the one in the data folder
    #[arg(long, env = "PALISADE_ENDPOINT", value_name = "URL")]
    endpoint: Option<String>,

    #[arg(long, value_enum, env = "PALISADE_OUTPUT", default_value_t = Output::Text)]
    output: Output,
}

#[derive(Deserialize)]
struct Answer {
    version: String,
    mode: String,
    store: String,
    revision: u64,
    lag_millis: u64,
    enforcement: String,
}

impl Health {
    pub fn run(self) -> Result<ExitCode, String> {
        let endpoint = match self.endpoint {
            Some(url) => Endpoint { url, region: String::new(), ca_bundle: None },
            None => Endpoint::of_data_dir(&self.data_dir)?,
        };
        let (status, body) = endpoint.get("/_palisade/health", None)?;
        if status != 200 {
            return Err(format!("{} answered with status {status}", endpoint.url));
        }
        if self.output == Output::Json {
            println!("{}", String::from_utf8_lossy(&body).trim_end());
            return Ok(ExitCode::SUCCESS);
        }
        let answer: Answer = serde_json::from_slice(&body)
            .map_err(|error| format!("{} is no Palisade: {error}", endpoint.url))?;
        println!("version      {}", answer.version);
        println!("mode         {}", answer.mode);
        println!("store        {}", answer.store);
        println!("revision     {}", answer.revision);
        println!("lag          {} ms", answer.lag_millis);
        println!("enforcement  {}", answer.enforcement);
        Ok(ExitCode::SUCCESS)
    }
}
