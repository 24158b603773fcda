//! Servers as child processes, what they cost, and single calls to them.

use crate::Result;
use crate::sign::{AccessKey, Signer};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const READY_SECONDS_MAX: u64 = 120;
/// `sysconf(_SC_CLK_TCK)` of every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// A running server. Killed when dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Server {
    /// A process that is just starting.
    pub fn of(child: Child, address: SocketAddr) -> Self {
        Self { child, address }
    }

    /// Starts a command and waits until it accepts connections.
    pub fn start(mut command: Command, address: SocketAddr) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        let server = Self::of(child, address);
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            if began.elapsed() > Duration::from_secs(READY_SECONDS_MAX) {
                return Err(format!("{command:?} does not answer").into());
            }
            std::thread::sleep(Duration::from_micros(500));
        }
        Ok(server)
    }

    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Seconds of processor time so far, in user and system.
    pub fn cpu_seconds(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name may hold spaces: the numbers follow its bracket.
        let (_, numbers) = stat.rsplit_once(')').ok_or("/proc/…/stat")?;
        let ticks = numbers.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
        let ticks: Vec<f64> = ticks.collect::<std::result::Result<_, _>>()?;
        Ok(ticks.iter().sum::<f64>() / TICKS_PER_SECOND)
    }

    /// Resident memory in MiB.
    pub fn resident_mib(&self) -> Result<f64> {
        self.memory_mib("VmRSS:")
    }

    /// The most that was ever resident, in MiB.
    pub fn peak_mib(&self) -> Result<f64> {
        self.memory_mib("VmHWM:")
    }

    fn memory_mib(&self, name: &str) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib: f64 = line.and_then(|l| l.split_whitespace().next()).ok_or("memory")?.parse()?;
        Ok(kib / 1024.0)
    }

    /// One signed call; its answer's body.
    pub fn call(&self, key: &AccessKey, service: &str, form: &str) -> Result<String> {
        let request = Signer::new(key, service, &self.host()).form(form);
        exchange(self.address, &request)
    }

    /// Another account, in lab mode; its root key. The operator's token is in the data folder.
    pub fn create_account(&self, folder: &Path, id: &str) -> Result<AccessKey> {
        let token = std::fs::read_to_string(folder.join("operator-token"))?;
        let body = format!("{{\"id\":\"{id}\",\"name\":\"a{id}\",\"email\":\"{id}@example.com\"}}");
        let head = format!(
            "POST /_palisade/accounts HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
             Content-Length: {}\r\n\r\n",
            self.host(),
            token.trim(),
            body.len()
        );
        let answer = exchange(self.address, format!("{head}{body}").as_bytes())?;
        let answer: serde_json::Value = serde_json::from_str(&answer)?;
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        Ok(AccessKey { id: text("accessKeyId"), secret: text("secretAccessKey") })
    }
}

/// Sends one request on a connection of its own.
pub fn exchange(address: SocketAddr, request: &[u8]) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(READY_SECONDS_MAX)))?;
    stream.write_all(request)?;
    let mut answer = Vec::new();
    let mut part = [0; 16 << 10];
    loop {
        let read = stream.read(&mut part)?;
        answer.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            if read == 0 {
                return Err("the connection was closed before an answer".into());
            }
            continue;
        };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is = name.eq_ignore_ascii_case("content-length");
            if is { value.trim().parse::<usize>().ok() } else { None }
        });
        if read == 0 || length.is_some_and(|length| body.len() >= length) {
            return match head.split(' ').nth(1) {
                Some("200") => Ok(body.to_owned()),
                _ => Err(format!("not 200: {text}").into()),
            };
        }
    }
}

/// A port of loopback that is free now.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// moto's server, with nothing in it.
pub fn moto() -> Result<Server> {
    let address = free_address()?;
    let mut command = Command::new("python3");
    command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &address.port().to_string()]);
    Server::start(command, address)
}

/// `palisade serve` on a data folder.
pub fn palisade(binary: &Path, folder: &Path, options: &[&str]) -> Result<Server> {
    let address = free_address()?;
    Server::start(palisade_command(binary, folder, address, options), address)
}

pub fn palisade_command(
    binary: &Path,
    folder: &Path,
    address: SocketAddr,
    options: &[&str],
) -> Command {
    let mut command = Command::new(binary);
    command.arg("serve").arg("--listen").arg(address.to_string());
    command.arg("--data-dir").arg(folder).args(options);
    command
}

/// The root key that the first start left in its folder.
pub fn root_key(folder: &Path) -> Result<AccessKey> {
    let text = std::fs::read_to_string(folder.join("root-credentials.csv"))?;
    let row: Vec<&str> = text.lines().nth(1).unwrap_or_default().split(',').collect();
    match row.as_slice() {
        [_, id, secret, ..] => Ok(AccessKey { id: (*id).to_owned(), secret: (*secret).to_owned() }),
        _ => Err("root-credentials.csv has another form".into()),
    }
}

/// The text of an XML answer's first element of that name.
pub fn element(xml: &str, name: &str) -> Result<String> {
    let found = xml.split_once(&format!("<{name}>")).and_then(|(_, rest)| rest.split_once("</"));
    Ok(found.map(|(text, _)| text.to_owned()).ok_or(format!("no {name} in {xml}"))?)
}
