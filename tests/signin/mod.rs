//! Signing in with a browser: pages, sessions, the second factor, roles, federation, and what the
//! trail says of all of it.

mod attack;
mod browser;
mod federation;
mod new_user;
mod password;
mod recovery;
mod refusals;
mod role;
mod second_factor;
mod security_key;
mod session;

use crate::support::{Caller, Lab};
use serde_json::{Value, json};

const PASSWORD: &str = "Correct-horse-1";
const HOME: &str = "/_palisade/signin/home";

/// A user who may sign in with [`PASSWORD`]. Answers its unique id.
fn user(root: &Caller<'_>, name: &str, reset_required: bool) -> String {
    let made = root.ok("iam", "CreateUser", json!({ "UserName": name }));
    let profile = json!({
        "UserName": name, "Password": PASSWORD, "PasswordResetRequired": reset_required
    });
    root.ok("iam", "CreateLoginProfile", profile);
    made["User"]["UserId"].as_str().unwrap().to_owned()
}

/// The events of one name, newest first.
fn events(root: &Caller<'_>, name: &str) -> Vec<Value> {
    let by_name = json!([{ "AttributeKey": "EventName", "AttributeValue": name }]);
    let found = root.ok("cloudtrail", "LookupEvents", json!({ "LookupAttributes": by_name }));
    let listed = found["Events"].as_array().unwrap();
    let text = |event: &Value| event["CloudTrailEvent"].as_str().unwrap().to_owned();
    listed.iter().map(|event| serde_json::from_str(&text(event)).unwrap()).collect()
}

fn advance(lab: &Lab, seconds: i64) {
    lab.advance(seconds);
}

/// E-mail address and password of the root user of the first start.
fn root_password(lab: &Lab) -> (String, String) {
    let path = lab.server.folder.path().join("root-credentials.csv");
    let text = std::fs::read_to_string(path).unwrap();
    let line: Vec<&str> = text.lines().nth(1).unwrap().split(',').collect();
    (line[3].to_owned(), line[4].to_owned())
}
