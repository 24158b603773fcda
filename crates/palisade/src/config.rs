//! What `palisade serve` may be told, from three places: the command line, then `PALISADE_*`
//! variables, then the TOML file of `--config`. An option that nobody knows is an error.

use crate::issuer::Issuer;
use crate::machine::{Container, Instance, Machines};
use clap::Args;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The options of `palisade serve`.
#[derive(Args, Clone, Debug, Default)]
pub struct Options {
    /// Address to listen on [default: 127.0.0.1:4570]
    #[arg(long, env = "PALISADE_LISTEN", value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,

    /// Folder for the database, the log and the keys [default: palisade-data]
    #[arg(long, env = "PALISADE_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// Where documents are kept: `sqlite`, or a `postgres://` URL [default: sqlite]
    #[arg(long, env = "PALISADE_STORE", value_name = "sqlite|postgres://…")]
    pub store: Option<String>,

    /// Keep everything in memory; it is gone when the server stops
    #[arg(long, env = "PALISADE_EPHEMERAL", num_args = 0..=1, default_missing_value = "true")]
    pub ephemeral: Option<bool>,

    /// Lab mode: the clock can be moved, the state reset and the outbox read
    #[arg(long, env = "PALISADE_LAB", num_args = 0..=1, default_missing_value = "true")]
    pub lab: Option<bool>,

    /// Id of the account made at the first start, twelve digits [default: a random one]
    #[arg(long, env = "PALISADE_ACCOUNT_ID", value_name = "ID")]
    pub account_id: Option<String>,

    /// Region of unsigned requests [default: us-east-1]
    #[arg(long, env = "PALISADE_REGION", value_name = "REGION")]
    pub region: Option<String>,

    /// Serve TLS: `auto` makes an own certificate authority, or name two PEM files
    #[arg(long, env = "PALISADE_TLS", value_name = "auto|CERT,KEY")]
    pub tls: Option<String>,

    /// Allow plain HTTP on an address that is not loopback
    #[arg(
        long,
        env = "PALISADE_INSECURE_PLAINTEXT",
        num_args = 0..=1,
        default_missing_value = "true"
    )]
    pub insecure_plaintext: Option<bool>,

    /// How log lines look on stderr: `text` or `json` [default: text]
    #[arg(long, env = "PALISADE_LOG_FORMAT", value_name = "text|json")]
    pub log_format: Option<String>,

    /// When a read is answered: `grouped` once its record is with the operating system, `synced`
    /// once it is on the disk [default: grouped]
    #[arg(long, env = "PALISADE_AUDIT_READS", value_name = "grouped|synced")]
    pub audit_reads: Option<String>,

    /// The tables of the file that describe workloads.
    #[arg(skip)]
    pub machines: Machines,

    /// The tables of the file that describe issuers of web identity tokens.
    #[arg(skip)]
    pub issuers: Vec<Issuer>,
}

/// The file of `--config`: the options by their names, and tables for parts of the system.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    listen: Option<SocketAddr>,
    data_dir: Option<PathBuf>,
    store: Option<String>,
    ephemeral: Option<bool>,
    lab: Option<bool>,
    account_id: Option<String>,
    region: Option<String>,
    tls: Option<String>,
    insecure_plaintext: Option<bool>,
    log_format: Option<String>,
    audit: Option<AuditFile>,
    #[serde(default)]
    instance: Vec<Instance>,
    #[serde(default)]
    container: Vec<Container>,
    #[serde(default)]
    oidc_issuer: Vec<Issuer>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct AuditFile {
    reads: Option<String>,
}

/// The options once every default is filled in and every value understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub listen: SocketAddr,
    pub data_dir: PathBuf,
    pub store: Backend,
    pub lab: bool,
    pub account_id: Option<String>,
    pub region: String,
    pub tls: Tls,
    pub log_json: bool,
    pub synced_reads: bool,
    pub machines: Machines,
    pub issuers: Vec<Issuer>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Memory,
    Postgres(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    Off,
    Auto,
    Files { certificate: PathBuf, key: PathBuf },
}

/// Variables that are read elsewhere, or by the client commands.
const OTHER_VARIABLES: &[&str] = &[
    "PALISADE_CONFIG",
    "PALISADE_ENDPOINT",
    "PALISADE_OUTPUT",
    "PALISADE_ROOT_ACCESS_KEY_ID",
    "PALISADE_ROOT_SECRET_ACCESS_KEY",
];

/// Variables that only the tests and benchmarks of this repository read.
const TEST_PREFIXES: &[&str] = &["PALISADE_TEST_", "PALISADE_BENCH_", "PALISADE_CRASH_"];

/// Names the first `PALISADE_*` variable that means nothing.
pub fn refuse_unknown_variables(
    known: &[String],
    names: impl Iterator<Item = String>,
) -> Result<(), String> {
    for name in names {
        let test = TEST_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        let ours = name.starts_with("PALISADE_") && !test;
        if ours && !known.contains(&name) && !OTHER_VARIABLES.contains(&name.as_str()) {
            return Err(format!("{name} is set, but there is no such option"));
        }
    }
    Ok(())
}

impl Options {
    /// The options with those of the file behind them.
    pub fn over_file(self, path: Option<&Path>) -> Result<Options, String> {
        let Some(path) = path else { return Ok(self) };
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let file: File =
            toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Options {
            listen: self.listen.or(file.listen),
            data_dir: self.data_dir.or(file.data_dir),
            store: self.store.or(file.store),
            ephemeral: self.ephemeral.or(file.ephemeral),
            lab: self.lab.or(file.lab),
            account_id: self.account_id.or(file.account_id),
            region: self.region.or(file.region),
            tls: self.tls.or(file.tls),
            insecure_plaintext: self.insecure_plaintext.or(file.insecure_plaintext),
            log_format: self.log_format.or(file.log_format),
            audit_reads: self.audit_reads.or(file.audit.and_then(|audit| audit.reads)),
            machines: Machines { instances: file.instance, containers: file.container },
            issuers: file.oidc_issuer,
        })
    }

    /// Fills in the defaults and refuses what makes no sense.
    pub fn resolve(self) -> Result<Config, String> {
        let listen = self.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 4570)));
        let tls = tls(self.tls.as_deref())?;
        let plaintext = self.insecure_plaintext.unwrap_or(false);
        if !listen.ip().is_loopback() && tls == Tls::Off && !plaintext {
            return Err(format!(
                "{listen} is not a loopback address: add --tls auto, or --insecure-plaintext if \
                 something in front of Palisade already encrypts"
            ));
        }
        self.machines.check(plaintext)?;
        self.issuers.iter().try_for_each(Issuer::check)?;
        let account_id = self.account_id;
        if account_id.as_deref().is_some_and(|id| !is_account_id(id)) {
            return Err("--account-id wants twelve digits".into());
        }
        let store = backend(self.store.as_deref(), self.ephemeral.unwrap_or(false))?;
        let log_json = choice("--log-format", self.log_format, "text", "json")?;
        let synced_reads = choice("--audit-reads", self.audit_reads, "grouped", "synced")?;
        Ok(Config {
            listen,
            data_dir: self.data_dir.unwrap_or_else(|| PathBuf::from("palisade-data")),
            store,
            lab: self.lab.unwrap_or(false),
            account_id,
            region: self.region.unwrap_or_else(|| "us-east-1".into()),
            tls,
            log_json,
            synced_reads,
            machines: self.machines,
            issuers: self.issuers,
        })
    }
}

/// Twelve digits.
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// True for the second word; an error for a third.
fn choice(option: &str, given: Option<String>, no: &str, yes: &str) -> Result<bool, String> {
    match given.as_deref() {
        None => Ok(false),
        Some(word) if word == no => Ok(false),
        Some(word) if word == yes => Ok(true),
        Some(other) => Err(format!("{option} is `{no}` or `{yes}`, not `{other}`")),
    }
}

fn tls(given: Option<&str>) -> Result<Tls, String> {
    match given {
        None => Ok(Tls::Off),
        Some("auto") => Ok(Tls::Auto),
        Some(files) => match files.split_once(',') {
            Some((certificate, key)) => {
                Ok(Tls::Files { certificate: certificate.into(), key: key.into() })
            }
            None => Err(format!("--tls is `auto` or `CERT,KEY`, not `{files}`")),
        },
    }
}

fn backend(store: Option<&str>, ephemeral: bool) -> Result<Backend, String> {
    match (store, ephemeral) {
        (None | Some("sqlite"), true) => Ok(Backend::Memory),
        (Some(_), true) => Err("--ephemeral keeps all in memory: leave out --store".into()),
        (None | Some("sqlite"), false) => Ok(Backend::Sqlite),
        (Some(url), false) if url.starts_with("postgres://") => {
            Ok(Backend::Postgres(url.to_owned()))
        }
        (Some(url), false) if url.starts_with("postgresql://") => {
            Ok(Backend::Postgres(url.to_owned()))
        }
        (Some(other), false) => {
            Err(format!("--store is `sqlite` or a `postgres://` URL, not `{other}`"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Options {
        Options::default()
    }

    #[test]
    fn the_defaults_are_loopback_and_production() {
        let config = options().resolve().unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:4570");
        assert!(!config.lab && !config.synced_reads);
        assert_eq!((config.tls, config.store), (Tls::Off, Backend::Sqlite));
    }

    #[test]
    fn plain_text_stays_on_loopback_unless_asked_for() {
        let open = Options { listen: Some(([0, 0, 0, 0], 4570).into()), ..options() };
        assert!(open.clone().resolve().unwrap_err().contains("--tls auto"));
        assert!(Options { tls: Some("auto".into()), ..open.clone() }.resolve().is_ok());
        assert!(Options { insecure_plaintext: Some(true), ..open }.resolve().is_ok());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let bad = [
            Options { account_id: Some("12".into()), ..options() },
            Options { store: Some("mysql://x".into()), ..options() },
            Options { tls: Some("yes".into()), ..options() },
            Options { log_format: Some("xml".into()), ..options() },
            Options { audit_reads: Some("never".into()), ..options() },
            Options { store: Some("postgres://x".into()), ephemeral: Some(true), ..options() },
        ];
        for options in bad {
            assert!(options.clone().resolve().is_err(), "{options:?}");
        }
    }

    #[test]
    fn the_file_stands_behind_the_command_line_and_knows_its_keys() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("palisade.toml");
        std::fs::write(&path, "lab = true\nregion = \"eu-west-1\"\n[audit]\nreads = \"synced\"\n")
            .unwrap();
        let given = Options { region: Some("us-west-2".into()), ..options() };
        let config = given.over_file(Some(&path)).unwrap().resolve().unwrap();
        assert!(config.lab && config.synced_reads);
        assert_eq!(config.region, "us-west-2");
        std::fs::write(&path, "labb = true\n").unwrap();
        assert!(options().over_file(Some(&path)).unwrap_err().contains("labb"));
    }

    #[test]
    fn an_unknown_variable_is_named() {
        let known = ["PALISADE_LAB".to_owned()];
        let check = |name: &str| refuse_unknown_variables(&known, [name.to_owned()].into_iter());
        assert!(check("PALISADE_LAB").is_ok());
        assert!(check("PALISADE_ROOT_ACCESS_KEY_ID").is_ok());
        assert!(check("HOME").is_ok());
        assert!(check("PALISADE_LABB").unwrap_err().contains("PALISADE_LABB"));
    }
}
