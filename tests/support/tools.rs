//! Command line programs, run to their end.

use super::boto::Keys;
use super::server::Server;
use serde_json::Value;
use std::process::Command;

/// What a program said, and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

pub fn finish(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A `palisade` command that needs no server.
pub fn run(arguments: &[&str]) -> Ran {
    finish(super::server::palisade().args(arguments))
}

/// The AWS CLI as it is, told only the endpoint and the key.
pub fn aws(server: &Server, keys: &Keys, arguments: &[&str]) -> Ran {
    let mut command = Command::new("aws");
    command
        .args(arguments)
        .env("AWS_ENDPOINT_URL", &server.url)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", &keys.id)
        .env("AWS_SECRET_ACCESS_KEY", &keys.secret)
        .env("AWS_CONFIG_FILE", server.folder.path().join("no-config"))
        .env("AWS_SHARED_CREDENTIALS_FILE", server.folder.path().join("no-credentials"))
        .env("AWS_PAGER", "")
        .env("AWS_MAX_ATTEMPTS", "1")
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_CA_BUNDLE")
        .env_remove("AWS_SESSION_TOKEN");
    if let Some(token) = &keys.token {
        command.env("AWS_SESSION_TOKEN", token);
    }
    finish(&mut command)
}

/// The same where it must end well, and what it printed.
pub fn aws_json(server: &Server, keys: &Keys, arguments: &[&str]) -> Value {
    let ran = aws(server, keys, arguments);
    assert_eq!(ran.code, Some(0), "aws {arguments:?}: {}{}", ran.out, ran.err);
    serde_json::from_str(&ran.out).unwrap_or(Value::Null)
}
