//! A PostgreSQL server for tests: the one of `PALISADE_TEST_POSTGRES`, or a private one.

use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A running server; a private one ends when this is dropped.
pub struct Server {
    url: String,
    next: AtomicU32,
    certificate: Option<PathBuf>,
    private: Option<(Child, TempDir)>,
}

impl Server {
    /// Starts or finds a server. Says why when there is none.
    pub fn start() -> Option<Server> {
        if let Ok(url) = std::env::var("PALISADE_TEST_POSTGRES") {
            return Some(Server { url, next: AtomicU32::new(0), certificate: None, private: None });
        }
        let Some(programs) = programs() else {
            println!("SKIPPED: no PALISADE_TEST_POSTGRES and no /usr/lib/postgresql/*/bin/initdb");
            return None;
        };
        let user = match user_to_run_as() {
            Ok(user) => user,
            Err(reason) => {
                println!("SKIPPED: {reason}");
                return None;
            }
        };
        Some(Server::start_private(&programs, user))
    }

    fn start_private(programs: &Path, user: Option<(u32, u32)>) -> Server {
        let folder = tempfile::tempdir().unwrap();
        if let Some((uid, gid)) = user {
            chown(folder.path(), Some(uid), Some(gid)).unwrap();
        }
        let as_user = |program: &str| {
            let mut command = Command::new(programs.join(program));
            if let Some((uid, gid)) = user {
                command.uid(uid).gid(gid);
            }
            command.current_dir(folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        let data = folder.path().join("data");
        let made = as_user("initdb")
            .args(["--no-sync", "--auth=trust", "--username=postgres", "-D"])
            .arg(&data)
            .status()
            .unwrap();
        assert!(made.success(), "initdb failed");
        let certificate = folder.path().join("server.crt");
        let key = folder.path().join("server.key");
        let certified = as_user("/usr/bin/openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
            .args(["-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext"])
            .args(["subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"])
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .status()
            .is_ok_and(|status| status.success());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = as_user("postgres");
        if certified {
            server.args(["-c", "ssl=on", "-c"]);
            server.arg(format!("ssl_cert_file={}", certificate.display()));
            server.arg("-c").arg(format!("ssl_key_file={}", key.display()));
        }
        let server = server
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"])
            .args(["-c", "shared_buffers=64MB", "-c", "max_wal_size=1GB", "-k"])
            .arg(folder.path())
            .spawn()
            .unwrap();
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(60), "postgres did not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        let certificate = certified.then_some(certificate);
        let private = Some((server, folder));
        Server { url, next: AtomicU32::new(0), certificate, private }
    }

    /// The certificate of a server that has TLS.
    #[allow(dead_code, reason = "not every test that starts a server uses TLS")]
    pub fn certificate(&self) -> Option<&Path> {
        self.certificate.as_deref()
    }

    /// A URL at which no table exists yet.
    pub fn fresh_url(&self) -> String {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        let schema = format!("palisade_test_{}_{number}", std::process::id());
        self.with_client(async |client| {
            client.batch_execute(&format!("CREATE SCHEMA {schema}")).await.unwrap();
        });
        let separator = if self.url.contains('?') { '&' } else { '?' };
        format!("{}{separator}options=-csearch_path%3D{schema}", self.url)
    }

    /// Waits until no backend serves a client that calls itself `application`.
    #[allow(dead_code, reason = "only the crash test kills clients")]
    pub fn wait_for_end(&self, application: &str) {
        let began = Instant::now();
        let query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1";
        self.with_client(async |client| {
            while client.query_one(query, &[&application]).await.unwrap().get::<_, i64>(0) > 0 {
                assert!(began.elapsed() < Duration::from_secs(60), "{application} does not end");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
    }

    fn with_client(&self, work: impl AsyncFnOnce(&tokio_postgres::Client)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let began = Instant::now();
            // A server that is still starting up accepts connections and refuses them.
            let (client, driver) = loop {
                match tokio_postgres::connect(&self.url, tokio_postgres::NoTls).await {
                    Ok(connected) => break connected,
                    Err(error) => assert!(began.elapsed() < Duration::from_secs(60), "{error}"),
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            };
            let driver = tokio::spawn(driver);
            work(&client).await;
            drop(client);
            let _ = driver.await;
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some((server, _folder)) = &mut self.private {
            // Its folder goes next, so it need not stop tidily. The backends notice and end.
            let _ = Command::new("kill").args(["-QUIT", &server.id().to_string()]).status();
            let _ = server.wait();
        }
    }
}

fn programs() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|version| Some(version.ok()?.path().join("bin")))
        .filter(|programs| programs.join("initdb").exists())
        .collect();
    found.sort();
    found.pop()
}

/// PostgreSQL refuses to run as root: then it runs as the user `postgres`.
fn user_to_run_as() -> Result<Option<(u32, u32)>, String> {
    let id = Command::new("id").arg("-u").output().map_err(|error| error.to_string())?;
    if String::from_utf8_lossy(&id.stdout).trim() != "0" {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd").map_err(|error| error.to_string())?;
    for user in users.lines() {
        let fields: Vec<&str> = user.split(':').collect();
        if let ["postgres", _, uid, gid, ..] = fields[..] {
            return Ok(Some((uid.parse().unwrap(), gid.parse().unwrap())));
        }
    }
    Err("running as root and there is no user postgres".into())
}
