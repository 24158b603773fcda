//! `palisade serve`

use crate::config::{Config, Options};
use crate::{jobs, listener, server::Server};
use clap::Args;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Run the server.
///
/// The first start makes an account and a root access key, prints them once, and writes them to
/// root-credentials.csv in the data folder.
#[derive(Args)]
pub struct Serve {
    #[command(flatten)]
    options: Options,

    /// TOML file with the same options by their names; the command line and variables win
    #[arg(long, env = "PALISADE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Serve {
    pub fn run(self) -> Result<ExitCode, String> {
        let config = self.options.over_file(self.config.as_deref())?.resolve()?;
        start_logging(&config);
        let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(workers)
            .enable_all()
            .build()
            .map_err(|error| format!("cannot start: {error}"))?;
        let server = Arc::new(Server::open(&config)?);
        runtime.spawn(server.clone().upkeep());
        runtime.spawn(server.clone().sweep());
        runtime.spawn(jobs::work(server.clone()));
        let stopped = runtime.block_on(listener::run(server.clone(), &config));
        runtime.shutdown_timeout(std::time::Duration::from_secs(1));
        server.close();
        stopped.map(|()| ExitCode::SUCCESS)
    }
}

/// Log lines go to stderr; `RUST_LOG` chooses more of them.
fn start_logging(config: &Config) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if config.log_json {
        lines.json().init();
    } else {
        lines.with_target(false).with_ansi(std::io::stderr().is_terminal()).init();
    }
}
