//! S3 Control as its clients see it, and S3 through what it makes.

mod access_point;
mod account;
mod door;

use crate::support::{Caller, Lab, Refusal};
use serde_json::{Value, json};

/// Calls of the account's own.
struct Control<'a> {
    caller: &'a Caller<'a>,
    account: String,
}

impl<'a> Control<'a> {
    fn new(lab: &Lab, caller: &'a Caller<'a>) -> Control<'a> {
        Control { caller, account: lab.server.account_id().to_owned() }
    }

    fn input(&self, mut input: Value) -> Value {
        input["AccountId"] = json!(self.account);
        input
    }

    #[track_caller]
    fn ok(&self, operation: &str, input: Value) -> Value {
        self.caller.ok("s3control", operation, self.input(input))
    }

    #[track_caller]
    fn refused(&self, operation: &str, input: Value, code: &str, status: u64) -> Refusal {
        self.caller.refused(("s3control", operation), self.input(input), (code, status))
    }

    /// The ARN of an access point of the account.
    fn arn(&self, name: &str) -> String {
        format!("arn:aws:s3:us-east-1:{}:accesspoint/{name}", self.account)
    }

    /// Makes an access point and answers its alias.
    #[track_caller]
    fn point(&self, name: &str, bucket: &str) -> String {
        let made = self.ok("CreateAccessPoint", json!({ "Name": name, "Bucket": bucket }));
        assert_eq!(made["AccessPointArn"], json!(self.arn(name)));
        made["Alias"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    fn set_policy(&self, name: &str, statements: Value) {
        let document = json!({ "Version": "2012-10-17", "Statement": statements });
        let input = json!({ "Name": name, "Policy": document.to_string() });
        self.ok("PutAccessPointPolicy", input);
    }
}
