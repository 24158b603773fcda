//! `palisade explain`

use super::Output;
use crate::receipt::Receipt;
use clap::Args;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Decide the receipt of a decision again, offline, and tell why; exit 1 when it comes out
/// otherwise than the receipt says.
///
/// A receipt is what `palisade why --output json` prints. No server, no data folder and no network
/// is needed.
#[derive(Args)]
pub struct Explain {
    /// File with the receipt, or - for standard input
    #[arg(value_name = "RECEIPT|-")]
    receipt: PathBuf,

    /// Tell of every statement, also of those about other actions
    #[arg(long)]
    full: bool,

    #[arg(long, value_enum, env = "PALISADE_OUTPUT", default_value_t = Output::Text)]
    output: Output,
}

impl Explain {
    pub fn run(self) -> Result<ExitCode, String> {
        let receipt = Receipt::parse(&read(&self.receipt)?)?.again()?;
        match self.output {
            Output::Json => println!("{}", receipt.to_json()?),
            Output::Text => print!("{}", receipt.in_words(self.full)),
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        let read = std::io::stdin().read_to_end(&mut bytes);
        return read.map(|_| bytes).map_err(|error| error.to_string());
    }
    std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}
