//! `palisade demo`

use super::client::{ENDPOINT, Endpoint, operator_token};
use crate::api::{Api, Asked};
use crate::receipt::Receipt;
use bytes::Bytes;
use clap::{Args, Subcommand};
use palisade_protocol::percent;
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

const BUCKET: &str = "productionapp";
const OTHER: &str = "other";
const USER: &str = "dev";
const POLICY: &str = "app";
/// How long an own server may take to start.
const START_SECONDS_MAX: u64 = 30;

/// Walk through what the server does, for people who are new to it.
#[derive(Subcommand)]
pub enum Demo {
    /// A user, a bucket and a policy of three statements: what it allows, and why not more
    Productionapp(Productionapp),
}

/// Make the user `dev` with a policy for the bucket `productionapp`, walk through the calls that it
/// allows and those that it does not, and tell why each was answered so.
///
/// User, policy and buckets stay; what is there already is used. Exit 0 when each call was answered
/// as it should be, 1 when one was not. Calls as `palisade org` does: with the keys of
/// AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or else with the root key of the data folder.
#[derive(Args)]
pub struct Productionapp {
    /// The server's data folder, which holds the operator's token
    #[arg(long, env = "PALISADE_DATA_DIR", value_name = "DIR", default_value = "palisade-data")]
    data_dir: PathBuf,

    /// Start a server for the walk, in a temporary folder that goes with it
    #[arg(long)]
    own_server: bool,

    /// Leave the user its access key, and print it as export lines
    #[arg(long, conflicts_with = "own_server")]
    keep_key: bool,
}

/// A step of the walk: a call of the user's, and the status that S3 should answer.
struct Step {
    /// As it is with the AWS CLI.
    words: &'static str,
    method: &'static str,
    path: &'static str,
    query: &'static str,
    body: &'static str,
    wanted: u16,
}

const STEPS: [Step; 6] = [
    Step::get("aws s3 ls", "/", "", 200),
    Step::get("aws s3 ls s3://productionapp", "/productionapp", "list-type=2", 200),
    Step {
        method: "PUT",
        body: "hello",
        ..Step::get("aws s3 cp hello.txt s3://productionapp/", "/productionapp/hello.txt", "", 200)
    },
    Step::get("aws s3 cp s3://productionapp/hello.txt .", "/productionapp/hello.txt", "", 200),
    Step::get("aws s3 ls s3://other", "/other", "list-type=2", 403),
    Step {
        method: "DELETE",
        ..Step::get("aws s3api delete-bucket --bucket productionapp", "/productionapp", "", 403)
    },
];

impl Step {
    const fn get(
        words: &'static str,
        path: &'static str,
        query: &'static str,
        wanted: u16,
    ) -> Self {
        Self { words, method: "GET", path, query, body: "", wanted }
    }
}

impl Demo {
    pub fn run(self) -> Result<ExitCode, String> {
        match self {
            Self::Productionapp(walk) => walk.run(),
        }
    }
}

impl Productionapp {
    fn run(self) -> Result<ExitCode, String> {
        if !self.own_server {
            return self.walk(&Api::open(&self.data_dir)?, &self.data_dir);
        }
        let server = OwnServer::start()?;
        let api = Api::of_root(&server.folder)?;
        self.walk(&api, &server.folder)
    }

    fn walk(&self, api: &Api, data_dir: &Path) -> Result<ExitCode, String> {
        let (endpoint, token) = (Endpoint::of_data_dir(data_dir)?, operator_token(data_dir)?);
        let mut out = std::io::stdout().lock();
        let mut line = |text: &str| writeln!(out, "{text}").map_err(|error| error.to_string());
        line(&format!("The user {USER} with this policy, and the buckets {BUCKET} and {OTHER}:"))?;
        line(&policy())?;
        let (id, secret) = prepare(api)?;
        let user = api.with_key(id.clone(), secret.clone());
        let walked = STEPS.iter().try_fold(0, |differing, step| {
            let (text, as_wanted) = take(step, &user, &endpoint, &token)?;
            line(&text)?;
            Ok::<_, String>(differing + usize::from(!as_wanted))
        });
        if self.keep_key {
            line(&format!("export AWS_ACCESS_KEY_ID={id}\nexport AWS_SECRET_ACCESS_KEY={secret}"))?;
        } else {
            let gone = [("UserName", USER), ("AccessKeyId", id.as_str())];
            iam(api, "DeleteAccessKey", &gone)?;
        }
        let differing = walked?;
        line(&match differing {
            0 => "\nEach call was answered as it should be.".to_owned(),
            1 => "\n1 call was not answered as it should be.".to_owned(),
            more => format!("\n{more} calls were not answered as they should be."),
        })?;
        Ok(if differing == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// The sample policy: one statement for each shape of resource.
fn policy() -> String {
    let statement = |actions: &[&str], resource: &str| {
        let (effect, action) = ("Allow", actions);
        json!({ "Effect": effect, "Action": action, "Resource": resource })
    };
    let arn = format!("arn:aws:s3:::{BUCKET}");
    let objects = format!("{arn}/*");
    let document = json!({
        "Version": "2012-10-17",
        "Statement": [
            statement(&["s3:ListAllMyBuckets"], "*"),
            statement(&["s3:ListBucket", "s3:GetBucketLocation"], &arn),
            statement(&["s3:PutObject", "s3:GetObject", "s3:DeleteObject"], &objects),
        ],
    });
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

/// Makes what is not there yet, and a key for the user.
fn prepare(api: &Api) -> Result<(String, String), String> {
    for path in ["/productionapp", "/other"] {
        let asked = Asked { method: "PUT", path, query: "", service: "s3", headers: Vec::new() };
        let answer = api.ask(&asked, Vec::new())?;
        let there = text_of(answer.body(), "Code") == Some("BucketAlreadyOwnedByYou");
        if !answer.status().is_success() && !there {
            return Err(refusal("CreateBucket", &answer));
        }
    }
    match iam(api, "CreateUser", &[("UserName", USER)]) {
        Err(error) if !error.contains("EntityAlreadyExists") => return Err(error),
        Ok(_) | Err(_) => {}
    }
    let document = policy();
    let put = [("UserName", USER), ("PolicyName", POLICY), ("PolicyDocument", document.as_str())];
    iam(api, "PutUserPolicy", &put)?;
    let made = iam(api, "CreateAccessKey", &[("UserName", USER)])?;
    let found = text_of(&made, "AccessKeyId").zip(text_of(&made, "SecretAccessKey"));
    let (id, secret) = found.ok_or("CreateAccessKey answered no key")?;
    Ok((id.to_owned(), secret.to_owned()))
}

/// Calls IAM, which speaks the query protocol.
fn iam(api: &Api, operation: &str, members: &[(&str, &str)]) -> Result<Bytes, String> {
    let mut body = format!("Action={operation}&Version=2010-05-08");
    for (name, value) in members {
        body.push_str(&format!("&{name}={}", percent::encode(value, b"")));
    }
    let kind = "application/x-www-form-urlencoded".to_owned();
    let headers = vec![("content-type", kind)];
    let asked = Asked { method: "POST", path: "/", query: "", service: "iam", headers };
    let answer = api.ask(&asked, body.into_bytes())?;
    if !answer.status().is_success() {
        return Err(refusal(operation, &answer));
    }
    Ok(answer.into_body())
}

fn refusal(operation: &str, answer: &http::Response<Bytes>) -> String {
    let text = |name: &str| text_of(answer.body(), name).unwrap_or_default();
    format!("{operation}: {} {}: {}", answer.status().as_u16(), text("Code"), text("Message"))
}

/// The text of the first element of that name; none of those that are read here is escaped.
fn text_of<'b>(body: &'b [u8], name: &str) -> Option<&'b str> {
    let text = std::str::from_utf8(body).ok()?;
    let (_, rest) = text.split_once(&["<", name, ">"].concat())?;
    Some(rest.split_once("</")?.0)
}

/// Makes a call as the user. Answers what to print, and whether it was answered as it should be.
fn take(
    step: &Step,
    user: &Api,
    endpoint: &Endpoint,
    token: &str,
) -> Result<(String, bool), String> {
    let Step { words, method, path, query, body, wanted } = *step;
    let asked = Asked { method, path, query, service: "s3", headers: Vec::new() };
    let answer = user.ask(&asked, body.as_bytes().to_vec())?;
    let status = answer.status().as_u16();
    let as_wanted = status == wanted;
    let verdict = if as_wanted { "as it should be".to_owned() } else { format!("NOT {wanted}") };
    let mut text = format!("\n$ {words}\n  answered {status}, {verdict}");
    let id = answer.headers().get("x-palisade-decision").and_then(|id| id.to_str().ok());
    let id = id.ok_or_else(|| format!("{} is no Palisade", endpoint.url))?;
    let (found, receipt) = endpoint.get(&format!("/_palisade/decisions/{id}"), Some(token))?;
    if found != 200 {
        return Err(format!("there is no decision {id}: {}", String::from_utf8_lossy(&receipt)));
    }
    for line in Receipt::parse(&receipt)?.in_words(false).lines() {
        text.push_str("\n  ");
        text.push_str(line);
    }
    Ok((text, as_wanted))
}

/// A server for one walk. It ends, and its folder goes, when this is dropped.
struct OwnServer {
    child: Child,
    folder: PathBuf,
}

impl OwnServer {
    fn start() -> Result<Self, String> {
        let folder = std::env::temp_dir().join(format!("palisade-demo-{}", std::process::id()));
        let wrong = |error: std::io::Error| format!("cannot start a server: {error}");
        std::fs::create_dir(&folder).map_err(wrong)?;
        let binary = std::env::current_exe().map_err(wrong)?;
        let mut command = Command::new(binary);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PALISADE_")) {
            command.env_remove(name);
        }
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&folder);
        command.env("RUST_LOG", "error").stdout(Stdio::null());
        let child = command.spawn().map_err(|error| {
            let _left_behind = std::fs::remove_dir(&folder);
            wrong(error)
        })?;
        let mut server = Self { child, folder };
        server.wait()?;
        Ok(server)
    }

    /// Waits until it has told where it listens.
    fn wait(&mut self) -> Result<(), String> {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(START_SECONDS_MAX) {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("the server ended at once: {status}"));
            }
            if self.folder.join(ENDPOINT).exists() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(format!("the server did not start in {START_SECONDS_MAX} s"))
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _ended_already = self.child.wait();
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            eprintln!("palisade: cannot remove {}: {error}", self.folder.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use palisade_policy::{DocumentKind, Policy};

    #[test]
    fn texts_of_elements() {
        let body = b"<A><AccessKeyId>AKIA</AccessKeyId><Code></Code></A>";
        assert_eq!(text_of(body, "AccessKeyId"), Some("AKIA"));
        assert_eq!((text_of(body, "Code"), text_of(body, "None")), (Some(""), None));
    }

    #[test]
    fn the_policy_is_sound() {
        assert!(Policy::parse(&policy(), DocumentKind::Identity).is_ok());
    }
}
