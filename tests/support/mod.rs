//! What every test stands on: a server of its own, and clients of it.

mod boto;
mod certificates;
mod chromium;
mod server;
mod skip;
mod tools;

pub use boto::{Answer, Boto, Caller, Keys, Raw, Refusal, Signature};
pub use certificates::{Authority, Pair};
pub use chromium::Chromium;
pub use server::{Server, palisade};
pub use skip::{have_boto3, have_tool, skip};
pub use tools::{Ran, aws, aws_json, finish, run};

use serde_json::{Value, json};

/// A server and a Python process that runs boto3 against it.
pub struct Lab {
    pub server: Server,
    pub boto: Boto,
}

impl Lab {
    /// None, said loudly, where boto3 is missing.
    pub fn start(test: &str) -> Option<Lab> {
        if !have_boto3() {
            skip(test, "boto3 is not installed");
            return None;
        }
        let server = Server::lab();
        let boto = Boto::start(&server.url);
        Some(Lab { server, boto })
    }

    pub fn advance(&self, seconds: i64) {
        let wanted = json!({ "advance": seconds });
        let (status, answer) = self.server.operator("PUT", "clock", Some(&wanted));
        assert_eq!(status, 200, "{answer}");
        self.boto.clock_seconds.set(self.boto.clock_seconds.get() + seconds);
    }

    /// Moves the server's clock to the beginning of a step of 30 s, so that no test that shows
    /// codes meets its end.
    pub fn begin_step(&self) {
        let (_, clock) = self.server.operator("GET", "clock", None);
        let seconds: i64 = clock["now"].as_str().unwrap()[17..19].parse().unwrap();
        self.advance(30 - seconds % 30);
    }

    /// What a device with that seed (base32) shows, so many steps of 30 s from the server's now.
    pub fn totp(&self, seed: &str, steps: i64) -> String {
        self.boto.totp(seed, self.boto.clock_seconds.get(), steps)
    }

    pub fn root(&self) -> Caller<'_> {
        self.caller(self.server.root_keys())
    }

    pub fn caller(&self, keys: Keys) -> Caller<'_> {
        Caller { boto: &self.boto, keys }
    }

    /// Makes another account and answers its root.
    pub fn account(&self, id: &str) -> Caller<'_> {
        let wanted = json!({ "name": "Other", "email": format!("{id}@localhost"), "id": id });
        let (status, made) = self.server.operator("POST", "accounts", Some(&wanted));
        assert_eq!(status, 200, "{made}");
        self.caller(Keys::of(
            made["accessKeyId"].as_str().unwrap(),
            made["secretAccessKey"].as_str().unwrap(),
        ))
    }

    /// A user with one inline policy, and an access key of it.
    pub fn user(&self, root: &Caller<'_>, name: &str, policy: Option<Value>) -> Caller<'_> {
        root.ok("iam", "CreateUser", json!({ "UserName": name }));
        if let Some(policy) = policy {
            let document = policy.to_string();
            let input =
                json!({ "UserName": name, "PolicyName": "own", "PolicyDocument": document });
            root.ok("iam", "PutUserPolicy", input);
        }
        self.caller(root.new_key(name))
    }
}

/// A policy of one statement.
pub fn policy(effect: &str, actions: &[&str], resources: &[&str]) -> Value {
    let statement = json!({ "Effect": effect, "Action": actions, "Resource": resources });
    json!({ "Version": "2012-10-17", "Statement": [statement] })
}

/// A trust policy that lets a principal assume the role.
pub fn trust(principal: &str) -> Value {
    let statement =
        json!({ "Effect": "Allow", "Principal": { "AWS": principal }, "Action": "sts:AssumeRole" });
    json!({ "Version": "2012-10-17", "Statement": [statement] })
}

/// A trust policy that lets a service assume the role.
pub fn trust_service(service: &str) -> Value {
    let statement = json!({ "Effect": "Allow", "Principal": { "Service": service },
        "Action": "sts:AssumeRole" });
    json!({ "Version": "2012-10-17", "Statement": [statement] })
}

/// The texts of one member of each item of a list.
pub fn each<'a>(list: &'a Value, member: &str) -> Vec<&'a str> {
    let items = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    items.iter().map(|item| item[member].as_str().unwrap_or_default()).collect()
}
