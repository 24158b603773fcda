//! `palisade env`

use super::client::Endpoint;
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Print export lines for the AWS CLI and SDKs, for eval.
///
/// The keys are those of root-credentials.csv in the data folder, so only who may read that file
/// gets them.
#[derive(Args)]
pub struct Env {
    /// The server's data folder
    #[arg(long, env = "PALISADE_DATA_DIR", value_name = "DIR", default_value = "palisade-data")]
    data_dir: PathBuf,
}

impl Env {
    pub fn run(self) -> Result<ExitCode, String> {
        let endpoint = Endpoint::of_data_dir(&self.data_dir)?;
        let (access_key_id, secret) = root_credentials(&self.data_dir)?;
        println!("export AWS_ENDPOINT_URL={}", endpoint.url);
        println!("export AWS_REGION={0}\nexport AWS_DEFAULT_REGION={0}", endpoint.region);
        println!("export AWS_ACCESS_KEY_ID={access_key_id}");
        println!("export AWS_SECRET_ACCESS_KEY={secret}");
        println!("unset AWS_SESSION_TOKEN AWS_PROFILE");
        if let Some(bundle) = endpoint.ca_bundle {
            println!("export AWS_CA_BUNDLE={}", bundle.display());
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The access key id and secret of the second line of root-credentials.csv.
pub fn root_credentials(data_dir: &Path) -> Result<(String, String), String> {
    let path = data_dir.join("root-credentials.csv");
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let line = text.lines().nth(1).unwrap_or_default();
    let mut fields = line.split(',').skip(1);
    match (fields.next(), fields.next()) {
        (Some(id), Some(secret)) => Ok((id.to_owned(), secret.to_owned())),
        _ => Err(format!("{} is not in the form that the server writes", path.display())),
    }
}
