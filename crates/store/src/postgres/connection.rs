//! Connecting, with TLS where the URL asks for it, and running one statement at a time.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::runtime::Runtime;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Row, SimpleQueryMessage, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::schema::{MIGRATIONS, VERSION};
use crate::error::{Result, StoreError};

/// How to reach the database. TLS is used when the URL says `sslmode=require` (or `prefer`, where
/// the server has it), and then the certificate is verified; `sslrootcert` names a PEM file to
/// trust in place of the system's roots.
pub(crate) struct Address {
    config: Config,
    tls: Option<MakeRustlsConnect>,
}

impl Address {
    pub(crate) fn parse(url: &str) -> Result<Address> {
        let (url, root) = split_root(url);
        let asks_for_tls = url.contains("sslmode=");
        let mut config = Config::from_str(&url)
            .map_err(|error| StoreError::Io(format!("the PostgreSQL URL: {error}")))?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(10));
        }
        if config.get_application_name().is_none() {
            config.application_name("palisade");
        }
        if !asks_for_tls {
            config.ssl_mode(SslMode::Disable);
        }
        let tls = match config.get_ssl_mode() {
            SslMode::Disable => None,
            _ => Some(MakeRustlsConnect::new(client_config(root.as_deref())?)),
        };
        Ok(Address { config, tls })
    }

    /// Opens a connection; its I/O runs on `runtime`.
    pub(crate) async fn connect(&self, runtime: &Runtime) -> Result<Connection> {
        let client = match &self.tls {
            Some(tls) => {
                let (client, driver) =
                    self.config.connect(tls.clone()).await.map_err(postgres_error)?;
                // Its end shows as `is_closed` on the client.
                runtime.spawn(async move { drop(driver.await) });
                client
            }
            None => {
                let (client, driver) = self.config.connect(NoTls).await.map_err(postgres_error)?;
                runtime.spawn(async move { drop(driver.await) });
                client
            }
        };
        Ok(Connection { client, statements: BTreeMap::new() })
    }
}

/// Takes `sslrootcert`, which tokio-postgres does not know, out of the URL's query.
fn split_root(url: &str) -> (String, Option<String>) {
    let Some((base, query)) = url.split_once('?') else {
        return (url.to_string(), None);
    };
    let mut root = None;
    let mut rest = Vec::new();
    for pair in query.split('&') {
        match pair.strip_prefix("sslrootcert=") {
            Some(path) => root = Some(path.replace("%2F", "/").replace("%2f", "/")),
            None => rest.push(pair),
        }
    }
    if rest.is_empty() { (base.into(), root) } else { (format!("{base}?{}", rest.join("&")), root) }
}

fn client_config(root: Option<&str>) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let unusable = |error: String| StoreError::Io(format!("TLS to PostgreSQL: {error}"));
    match root {
        Some(path) => {
            let certificates = CertificateDer::pem_file_iter(path)
                .map_err(|error| unusable(format!("{path}: {error}")))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
                roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
        }
    }
    // The provider is named, because two may be linked and then there is no default.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(error.to_string()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// A connection and the statements prepared on it.
pub(crate) struct Connection {
    client: Client,
    statements: BTreeMap<String, Statement>,
}

/// A statement's parameters.
pub(crate) type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

impl Connection {
    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    pub(crate) async fn prepare(&mut self, sql: &str) -> Result<Statement> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await.map_err(postgres_error)?;
        self.statements.insert(sql.to_string(), statement.clone());
        Ok(statement)
    }

    pub(crate) async fn query(&mut self, sql: &str, values: Parameters<'_>) -> Result<Vec<Row>> {
        let statement = self.prepare(sql).await?;
        self.client.query(&statement, values).await.map_err(postgres_error)
    }

    pub(crate) async fn execute(&mut self, sql: &str, values: Parameters<'_>) -> Result<u64> {
        let statement = self.prepare(sql).await?;
        self.client.execute(&statement, values).await.map_err(postgres_error)
    }

    /// Runs a statement without parameters.
    pub(crate) async fn run(&self, sql: &str) -> Result<()> {
        self.client.batch_execute(sql).await.map_err(postgres_error)
    }

    /// Runs statements without parameters and gives the first value of the last row.
    pub(crate) async fn run_for_text(&self, sql: &str) -> Result<Option<String>> {
        let messages = self.client.simple_query(sql).await.map_err(postgres_error)?;
        let mut rows = messages.into_iter().rev().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_string),
            _ => None,
        });
        Ok(rows.next())
    }

    /// Creates or updates the tables. Several nodes may do so at once.
    pub(crate) async fn migrate(&mut self) -> Result<()> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            match self.migrate_once().await {
                // Two nodes that create the same table collide in the catalogue; one of them tries
                // again and finds it there.
                Err(StoreError::Io(_) | StoreError::Conflict) if attempts < 10 => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                result => return result,
            }
        }
    }

    async fn migrate_once(&mut self) -> Result<()> {
        self.run("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY)").await?;
        let rows = self.query("SELECT max(version) FROM schema_version", &[]).await?;
        let found: Option<i64> = column(rows.first(), 0)?;
        let found = u32::try_from(found.unwrap_or(0)).unwrap_or(u32::MAX);
        if found > VERSION {
            return Err(StoreError::TooNew { found, known: VERSION });
        }
        for (version, statements) in (1u32..).zip(MIGRATIONS) {
            if version <= found {
                continue;
            }
            for statement in *statements {
                self.run(statement).await?;
            }
            let insert = "INSERT INTO schema_version VALUES ($1) ON CONFLICT (version) DO NOTHING";
            self.execute(insert, &[&i64::from(version)]).await?;
        }
        Ok(())
    }
}

/// One value of a row.
pub(crate) fn column<'a, T: tokio_postgres::types::FromSql<'a>>(
    row: Option<&'a Row>,
    index: usize,
) -> Result<T> {
    let row = row.ok_or_else(|| StoreError::Corrupt("a row is missing".into()))?;
    row.try_get(index).map_err(|error| StoreError::Corrupt(error.to_string()))
}

pub(crate) fn postgres_error(error: tokio_postgres::Error) -> StoreError {
    let text = match error.as_db_error() {
        Some(database) => format!("{} ({})", database.message(), database.code().code()),
        None => error.to_string(),
    };
    match error.code() {
        Some(code)
            if [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED]
                .contains(code) =>
        {
            StoreError::Conflict
        }
        Some(code) if *code == SqlState::DISK_FULL => StoreError::Full(text),
        _ => StoreError::Io(text),
    }
}

#[cfg(test)]
mod tests {
    use super::split_root;

    #[test]
    fn the_root_certificate_is_taken_out_of_the_url() {
        let cases = [
            ("postgres://h/d", "postgres://h/d", None),
            ("postgres://h/d?sslmode=require", "postgres://h/d?sslmode=require", None),
            ("postgres://h/d?sslrootcert=/ca.pem", "postgres://h/d", Some("/ca.pem")),
            (
                "postgres://h/d?a=b&sslrootcert=%2Fca.pem&sslmode=require",
                "postgres://h/d?a=b&sslmode=require",
                Some("/ca.pem"),
            ),
        ];
        for (url, rest, root) in cases {
            assert_eq!(split_root(url), (rest.to_string(), root.map(str::to_string)));
        }
    }
}
