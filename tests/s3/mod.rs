//! S3 as its clients see it.

mod access;
mod archive;
mod bucket;
mod crash;
mod delivery;
mod form;
mod guard;
mod object;
mod upload;
mod version;

use crate::support::{Caller, Keys, Lab, Refusal};
use serde_json::{Value, json};

/// Calls of one bucket.
struct Bucket<'a> {
    caller: &'a Caller<'a>,
    name: &'a str,
}

impl<'a> Bucket<'a> {
    /// A new bucket of the caller's.
    fn new(caller: &'a Caller<'a>, name: &'a str) -> Bucket<'a> {
        caller.ok("s3", "CreateBucket", json!({ "Bucket": name }));
        Bucket { caller, name }
    }

    /// The same bucket, called by someone else.
    fn by<'b>(&self, caller: &'b Caller<'b>) -> Bucket<'b>
    where
        'a: 'b,
    {
        Bucket { caller, name: self.name }
    }

    fn input(&self, mut input: Value) -> Value {
        input["Bucket"] = json!(self.name);
        input
    }

    #[track_caller]
    fn ok(&self, operation: &str, input: Value) -> Value {
        self.caller.ok("s3", operation, self.input(input))
    }

    fn call(&self, operation: &str, input: Value) -> Result<Value, Refusal> {
        self.caller.call("s3", operation, self.input(input))
    }

    #[track_caller]
    fn refused(&self, operation: &str, input: Value, code: &str, status: u64) -> Refusal {
        self.caller.refused(("s3", operation), self.input(input), (code, status))
    }

    #[track_caller]
    fn put(&self, key: &str, body: &str) -> Value {
        self.ok("PutObject", json!({ "Key": key, "Body": body }))
    }

    #[track_caller]
    fn get(&self, key: &str) -> String {
        self.ok("GetObject", json!({ "Key": key }))["Body"].as_str().unwrap().to_owned()
    }

    fn keys(&self, list: &str, input: Value) -> Vec<String> {
        let answer = self.ok("ListObjectsV2", input);
        let member = if list == "Contents" { "Key" } else { "Prefix" };
        let listed = answer[list].as_array().cloned().unwrap_or_default();
        listed.iter().map(|item| item[member].as_str().unwrap().to_owned()).collect()
    }
}

/// Keys of a user without any policy.
fn nobody_special(lab: &Lab, name: &str) -> Keys {
    lab.user(&lab.root(), name, None).keys
}
