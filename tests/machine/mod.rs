//! Workloads that get a role's credentials from an address.

mod container;
mod instance;

use crate::support::{Boto, Caller, Ran, Server, finish, policy};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;

const ACCOUNT: &str = "111122223333";

/// A server in lab mode with workload addresses, and one who asks it.
struct Site {
    server: Server,
    boto: Boto,
    address: SocketAddr,
    _configuration: tempfile::TempDir,
}

impl Site {
    /// `table` is the configuration of one workload, without its `listen`.
    fn start(table: &str, more: &dyn Fn(&std::path::Path) -> String) -> Site {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("palisade.toml");
        let text = format!("[[{table}]]\nlisten = \"{address}\"\n{}", more(folder.path()));
        std::fs::write(&path, text).unwrap();
        let config = path.to_str().unwrap();
        let arguments =
            ["--lab", "--listen", "127.0.0.1:0", "--account-id", ACCOUNT, "--config", config];
        let server = Server::start(&arguments);
        let boto = Boto::start(&server.url);
        Site { server, boto, address, _configuration: folder }
    }

    fn root(&self) -> Caller<'_> {
        Caller { boto: &self.boto, keys: self.server.root_keys() }
    }

    fn advance(&self, seconds: i64) {
        let (status, answer) =
            self.server.operator("PUT", "clock", Some(&json!({ "advance": seconds })));
        assert_eq!(status, 200, "{answer}");
    }

    /// Sends a request to the workload's address: status, header lines, body.
    fn ask(&self, method: &str, path: &str, headers: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{headers}Connection: close\r\n\r\n",
            self.address
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_lowercase(), body.to_owned())
    }

    /// boto3 as a workload has it: with an address, and no key of its own.
    fn workload(&self, script: &str, environment: &[(&str, &str)]) -> Ran {
        let mut command = Command::new("python3");
        command.args(["-c", script]);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
            command.env_remove(name);
        }
        command
            .env("AWS_ENDPOINT_URL", &self.server.url)
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_CONFIG_FILE", "/nonexistent")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
            .envs(environment.iter().copied());
        finish(&mut command)
    }
}

/// A role that trusts a service and may list users; answers its ARN.
fn role(root: &Caller<'_>, name: &str, service: &str) -> String {
    let trust = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "Service": service },
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    }] });
    let input = json!({ "RoleName": name, "AssumeRolePolicyDocument": trust.to_string() });
    let arn = root.ok("iam", "CreateRole", input)["Role"]["Arn"].as_str().unwrap().to_owned();
    let list = policy("Allow", &["iam:ListUsers"], &["*"]).to_string();
    let input = json!({ "RoleName": name, "PolicyName": "list", "PolicyDocument": list });
    root.ok("iam", "PutRolePolicy", input);
    arn
}

/// The newest AssumeRole event.
fn assumed(root: &Caller<'_>) -> Value {
    let by_name = json!([{ "AttributeKey": "EventName", "AttributeValue": "AssumeRole" }]);
    let found = root.ok("cloudtrail", "LookupEvents", json!({ "LookupAttributes": by_name }));
    serde_json::from_str(found["Events"][0]["CloudTrailEvent"].as_str().unwrap()).unwrap()
}

/// Who the default chain finds, what it may and what it may not.
const WHO: &str = "
import boto3, botocore
print(boto3.client('sts').get_caller_identity()['Arn'])
iam = boto3.client('iam')
iam.list_users()
try:
    iam.list_roles()
except botocore.exceptions.ClientError as error:
    print(error.response['Error']['Code'])
";
