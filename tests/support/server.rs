//! One server process, on a port of its own, with a data folder of its own.

use super::boto::Keys;
use super::tools::{Ran, finish};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a server may take to answer, on a machine that is busy with other tests.
const START_SECONDS_MAX: u64 = 60;

pub struct Server {
    child: Child,
    pub folder: TempDir,
    pub url: String,
    arguments: Vec<String>,
}

impl Server {
    /// In lab mode, with an empty data folder.
    pub fn lab() -> Server {
        Self::start(&["--lab", "--listen", "127.0.0.1:0"])
    }

    pub fn start(arguments: &[&str]) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
        let child = spawn(&arguments, folder.path());
        let mut server = Server { child, folder, url: String::new(), arguments };
        server.wait_until_it_answers();
        server
    }

    fn wait_until_it_answers(&mut self) {
        let until = Instant::now() + Duration::from_secs(START_SECONDS_MAX);
        let path = self.folder.path().join("endpoint.json");
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the server ended at once with {status}");
            }
            let endpoint = std::fs::read_to_string(&path).unwrap_or_default();
            if let Ok(endpoint) = serde_json::from_str::<Value>(&endpoint) {
                self.url = endpoint["url"].as_str().unwrap().to_owned();
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("the server did not answer in {START_SECONDS_MAX} s");
    }

    /// SIGKILL: no chance to write anything.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and how it ended.
    pub fn terminate(&mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap()
    }

    /// Starts again on the same data folder and the same port.
    pub fn start_again(&mut self) {
        let address = self.address().to_owned();
        std::fs::remove_file(self.folder.path().join("endpoint.json")).unwrap();
        let place = self.arguments.iter().position(|text| text == "--listen").unwrap();
        self.arguments[place + 1] = address;
        self.child = spawn(&self.arguments, self.folder.path());
        self.wait_until_it_answers();
    }

    /// `host:port`.
    pub fn address(&self) -> &str {
        self.url.split_once("://").unwrap().1
    }

    pub fn root_keys(&self) -> Keys {
        let path = self.folder.path().join("root-credentials.csv");
        let text = std::fs::read_to_string(path).unwrap();
        let line: Vec<&str> = text.lines().nth(1).unwrap().split(',').collect();
        Keys::of(line[1], line[2])
    }

    pub fn account_id(&self) -> String {
        let path = self.folder.path().join("root-credentials.csv");
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().nth(1).unwrap().split(',').next().unwrap().to_owned()
    }

    /// A request to `/_palisade/` with the operator's token.
    pub fn operator(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let token = std::fs::read_to_string(self.folder.path().join("operator-token")).unwrap();
        let authorization = format!("Authorization: Bearer {}\r\n", token.trim());
        let (status, text) =
            self.plain(method, &format!("/_palisade/{path}"), &authorization, body);
        let answer = serde_json::from_str(&text).unwrap_or(Value::String(text));
        (status, answer)
    }

    /// A request with exactly these header lines, each ended by CR LF.
    pub fn plain(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        body: Option<&Value>,
    ) -> (u16, String) {
        let body = body.map(Value::to_string).unwrap_or_default();
        let length = body.len();
        let text = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{headers}Connection: close\r\n\
             Content-Length: {length}\r\n\r\n{body}",
            self.address()
        );
        self.bytes(text.as_bytes())
    }

    /// Sends these bytes, and reads the answer: its status (0 when there is none) and its body.
    pub fn bytes(&self, request: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        // A server may refuse before it has read everything.
        let _refused_early = stream.write_all(request);
        let mut answer = Vec::new();
        let _reset = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
        (status.unwrap_or(0), body.unwrap_or_default())
    }

    /// A `palisade` command on this server's data folder.
    pub fn palisade(&self, arguments: &[&str]) -> Ran {
        let mut command = palisade();
        command.args(arguments).arg("--data-dir").arg(self.folder.path());
        finish(&mut command)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _ended_already = self.child.wait();
    }
}

/// A `palisade` command without the variables of whoever runs the tests.
pub fn palisade() -> Command {
    let mut command = Command::new(binary());
    for (name, _) in std::env::vars() {
        if name.starts_with("PALISADE_") || name.starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    command
}

fn spawn(arguments: &[String], folder: &Path) -> Child {
    let mut command = palisade();
    command.arg("serve").args(arguments).arg("--data-dir").arg(folder);
    command.env("RUST_LOG", "warn").stdout(Stdio::null());
    command.spawn().unwrap()
}

/// The server under test: of this build's target folder unless a variable names another.
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("PALISADE_TEST_BINARY") {
        return path.into();
    }
    // The test is target/debug/deps/blackbox-….
    let test = std::env::current_exe().unwrap();
    let path = test.ancestors().nth(2).unwrap().join("palisade");
    let hint = "`cargo build --package palisade` makes it";
    assert!(path.exists(), "there is no {}: {hint}", path.display());
    path
}
