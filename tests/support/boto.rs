//! boto3 in a Python process (`driver.py`), ordered over a pipe, so that a test's calls and what
//! they must answer stand beside each other.

use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const DRIVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/support/driver.py");

pub struct Boto {
    child: Child,
    pipes: RefCell<(ChildStdin, BufReader<ChildStdout>)>,
    pub endpoint: String,
    /// The file of authorities to trust, for a server with TLS.
    pub ca_bundle: Option<String>,
    /// How far the server's clock is ahead of ours.
    pub clock_seconds: Cell<i64>,
}

/// An access key, with the token of a session when it is of one.
#[derive(Clone, Debug)]
pub struct Keys {
    pub id: String,
    pub secret: String,
    pub token: Option<String>,
}

impl Keys {
    pub fn of(id: &str, secret: &str) -> Keys {
        Keys { id: id.to_owned(), secret: secret.to_owned(), token: None }
    }

    /// Of the `Credentials` of an answer of STS.
    pub fn of_session(answer: &Value) -> Keys {
        let text = |name: &str| answer["Credentials"][name].as_str().unwrap().to_owned();
        Keys {
            id: text("AccessKeyId"),
            secret: text("SecretAccessKey"),
            token: Some(text("SessionToken")),
        }
    }

    fn json(&self) -> Value {
        json!({ "id": self.id, "secret": self.secret, "token": self.token })
    }
}

/// What boto3 raised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    pub code: String,
    pub message: String,
    pub status: u64,
    pub request_id: String,
    /// The exception's `Reason`, where it has one.
    pub reason: Box<str>,
    /// The exception as boto3 words it.
    pub text: String,
}

/// How a raw request is signed.
pub struct Signature<'a> {
    pub keys: &'a Keys,
    pub service: &'a str,
    pub moved_seconds: i64,
    pub in_query: bool,
}

/// A request that boto3 would not make.
#[derive(Default)]
pub struct Raw<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a [u8],
    pub signature: Option<Signature<'a>>,
    /// Changed after it was signed.
    pub headers_after: &'a [(&'a str, &'a str)],
    pub body_after: Option<&'a [u8]>,
}

/// What came back: the status (0 when the connection was closed instead), the headers in lower
/// case, the body.
#[derive(Debug)]
pub struct Answer {
    pub status: u64,
    pub headers: Value,
    pub body: String,
}

impl Boto {
    pub fn start(endpoint: &str) -> Boto {
        let mut command = Command::new("python3");
        command.arg(DRIVER).stdin(Stdio::piped()).stdout(Stdio::piped());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
            command.env_remove(name);
        }
        command.env("AWS_CONFIG_FILE", "/nonexistent").env("AWS_EC2_METADATA_DISABLED", "true");
        let mut child = command.spawn().unwrap();
        let pipes = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Boto {
            child,
            pipes: RefCell::new(pipes),
            endpoint: endpoint.to_owned(),
            ca_bundle: None,
            clock_seconds: Cell::new(0),
        }
    }

    fn order(&self, mut order: Value) -> Value {
        order["endpoint"] = json!(self.endpoint);
        order["ca_bundle"] = json!(self.ca_bundle);
        order["clock"] = json!(self.clock_seconds.get());
        let mut pipes = self.pipes.borrow_mut();
        let (stdin, stdout) = &mut *pipes;
        writeln!(stdin, "{order}").unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("driver.py ended at {order}"))
    }

    /// What a device with that seed (base32) shows, so many steps of 30 s from the server's now,
    /// which is `moved_seconds` from ours. Made by Python's `hmac`.
    pub fn totp(&self, seed: &str, moved_seconds: i64, steps: i64) -> String {
        let order = json!({
            "order": "totp", "seed": seed, "moved_seconds": moved_seconds, "steps": steps
        });
        self.order(order)["ok"].as_str().unwrap().to_owned()
    }

    /// A presigned URL (Signature Version 4) of `get_object` or `put_object`.
    pub fn presigned(&self, keys: &Keys, method: &str, bucket: &str, key: &str) -> String {
        let order = json!({
            "order": "presigned", "keys": keys.json(), "method": method, "bucket": bucket,
            "key": key,
        });
        self.order(order)["ok"].as_str().unwrap().to_owned()
    }

    /// The fields of a form that may be uploaded for `seconds` from now: what boto3 makes of
    /// `fields` and `conditions`.
    pub fn presigned_post(
        &self,
        keys: &Keys,
        (bucket, key): (&str, &str),
        (fields, conditions): (Value, Value),
        seconds: i64,
    ) -> Vec<(String, String)> {
        let order = json!({
            "order": "presigned_post", "keys": keys.json(), "bucket": bucket, "key": key,
            "fields": fields, "conditions": conditions, "seconds": seconds,
        });
        serde_json::from_value(self.order(order)["ok"].clone()).unwrap()
    }

    pub fn raw(&self, raw: &Raw<'_>) -> Answer {
        let headers = |list: &[(&str, &str)]| {
            let pairs = list.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
            Value::Object(pairs.collect())
        };
        let mut order = json!({
            "order": "raw",
            "method": raw.method,
            "path": raw.path,
            "headers": headers(raw.headers),
            "headers_after": headers(raw.headers_after),
            "body": base64(raw.body),
        });
        if let Some(signature) = &raw.signature {
            order["sign"] = json!({
                "keys": signature.keys.json(),
                "service": signature.service,
                "moved_seconds": signature.moved_seconds,
                "query": signature.in_query,
            });
        }
        if let Some(body) = raw.body_after {
            order["body_after"] = json!(base64(body));
        }
        let answer = self.order(order);
        Answer {
            status: answer["status"].as_u64().unwrap(),
            headers: answer["headers"].clone(),
            body: answer["body"].as_str().unwrap().to_owned(),
        }
    }
}

impl Drop for Boto {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _ended_already = self.child.wait();
    }
}

/// boto3 with one access key.
pub struct Caller<'a> {
    pub boto: &'a Boto,
    pub keys: Keys,
}

impl Caller<'_> {
    /// Calls an operation by AWS's name for it.
    pub fn call(&self, service: &str, operation: &str, input: Value) -> Result<Value, Refusal> {
        self.answer("us-east-1", service, operation, input, false)
    }

    /// The same in another region.
    pub fn in_region(
        &self,
        region: &str,
        service: &str,
        operation: &str,
        input: Value,
    ) -> Result<Value, Refusal> {
        self.answer(region, service, operation, input, false)
    }

    /// The same without boto3's own checks, so that the server's are met.
    pub fn unchecked(
        &self,
        service: &str,
        operation: &str,
        input: Value,
    ) -> Result<Value, Refusal> {
        self.answer("us-east-1", service, operation, input, true)
    }

    fn answer(
        &self,
        region: &str,
        service: &str,
        operation: &str,
        input: Value,
        unchecked: bool,
    ) -> Result<Value, Refusal> {
        outcome(self.boto.order(json!({
            "order": "call",
            "region": region,
            "service": service,
            "operation": operation,
            "input": input,
            "unchecked": unchecked,
            "keys": self.keys.json(),
        })))
    }

    /// Calls every operation of a service with the smallest input that its model allows, and
    /// answers operation, error code and message of each; the code is empty where it succeeded.
    /// `given` has values for members whose patterns the smallest input would not meet.
    pub fn sweep(&self, service: &str, given: &Value) -> Vec<(String, String, String)> {
        self.swept(json!({ "order": "sweep", "service": service, "given": given }))
    }

    /// The same of the operations of IAM that document an error. `named` has values for members
    /// that are put in wherever an input has them. The sweep itself is unchecked by boto3.
    pub fn sweep_documenting(
        &self,
        code: &str,
        given: &Value,
        named: &Value,
    ) -> Vec<(String, String, String)> {
        self.swept(json!({
            "order": "sweep", "service": "iam", "given": given, "documenting": code,
            "named": named, "unchecked": true,
        }))
    }

    fn swept(&self, mut order: Value) -> Vec<(String, String, String)> {
        order["keys"] = self.keys.json();
        let answer = self.boto.order(order);
        let text = |told: &Value, place: usize| told[place].as_str().unwrap().to_owned();
        let told = answer["ok"].as_array().unwrap_or_else(|| panic!("{answer}"));
        told.iter().map(|told| (text(told, 0), text(told, 1), text(told, 2))).collect()
    }

    /// The output of a call that must succeed.
    #[track_caller]
    pub fn ok(&self, service: &str, operation: &str, input: Value) -> Value {
        match self.call(service, operation, input) {
            Ok(output) => output,
            Err(refusal) => panic!("{}", refusal.text),
        }
    }

    /// The refusal of a call that must fail with this code and status.
    #[track_caller]
    pub fn refused(
        &self,
        (service, operation): (&str, &str),
        input: Value,
        (code, status): (&str, u64),
    ) -> Refusal {
        match self.unchecked(service, operation, input.clone()) {
            Ok(output) => panic!("{operation} {input} succeeded: {output}"),
            Err(refusal) => {
                let got = (refusal.code.as_str(), refusal.status);
                assert_eq!(got, (code, status), "{operation} {input}: {}", refusal.text);
                refusal
            }
        }
    }

    /// A list call to its last page with `MaxItems`: the pages' items.
    #[track_caller]
    pub fn pages(&self, operation: &str, mut input: Value, list: &str, size: u64) -> Vec<Value> {
        let mut pages = Vec::new();
        input["MaxItems"] = json!(size);
        for _ in 0..1000 {
            let answer = self.ok("iam", operation, input.clone());
            pages.push(answer[list].clone());
            if answer["IsTruncated"] != json!(true) {
                assert!(answer.get("Marker").is_none(), "a marker on the last page: {answer}");
                return pages;
            }
            input["Marker"] = answer["Marker"].clone();
        }
        panic!("{operation} has no last page");
    }

    pub fn new_key(&self, user: &str) -> Keys {
        let made = self.ok("iam", "CreateAccessKey", json!({ "UserName": user }));
        let key = &made["AccessKey"];
        Keys::of(key["AccessKeyId"].as_str().unwrap(), key["SecretAccessKey"].as_str().unwrap())
    }
}

/// What the driver says of a call: the output, or what boto3 raised.
fn outcome(answer: Value) -> Result<Value, Refusal> {
    let Some(error) = answer.get("error") else { return Ok(answer["ok"].clone()) };
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    Err(Refusal {
        code: text("code"),
        message: text("message"),
        status: error["status"].as_u64().unwrap_or(0),
        request_id: text("request_id"),
        reason: text("reason").into(),
        text: text("text"),
    })
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut group = [0; 3];
        group[..chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes([0, group[0], group[1], group[2]]);
        for place in 0..4 {
            let digit = (bits >> (18 - 6 * place)) & 63;
            let shown = place <= chunk.len();
            text.push(if shown { char::from(DIGITS[digit as usize]) } else { '=' });
        }
    }
    text
}
