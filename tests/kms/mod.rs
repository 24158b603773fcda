//! KMS through boto3: each noun's operations, their documented errors, pages and refusals; and the
//! cryptography against another maker's (`peer.py`).

mod alias;
mod cryptography;
mod grant;
mod import;
mod key;
mod multi_region;
mod permission;
mod policy;
mod rotation;

use crate::support::Caller;
use serde_json::{Value, json};
use std::process::Command;

const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/kms/peer.py");

/// Calls that must fail, as `(operation, input, code, part of the message)`; KMS's are all 400.
type Failing<'a> = (&'a str, Value, &'a str, &'a str);

#[track_caller]
fn check_refusals(caller: &Caller<'_>, cases: &[Failing<'_>]) {
    for (operation, input, code, part) in cases {
        let refusal = caller.refused(("kms", operation), input.clone(), (code, 400));
        assert!(refusal.message.contains(part), "{operation} {input}: {}", refusal.message);
    }
}

#[track_caller]
fn ok(caller: &Caller<'_>, operation: &str, input: Value) -> Value {
    caller.ok("kms", operation, input)
}

/// A new key's metadata.
#[track_caller]
fn new_key(caller: &Caller<'_>, input: Value) -> Value {
    ok(caller, "CreateKey", input)["KeyMetadata"].clone()
}

/// A new key's id.
#[track_caller]
fn new_id(caller: &Caller<'_>, input: Value) -> String {
    new_key(caller, input)["KeyId"].as_str().unwrap().to_owned()
}

/// An answer's blob as an input's.
fn blob(answer: &Value) -> Value {
    json!({ "base64": answer.as_str().unwrap_or_else(|| panic!("no blob: {answer}")) })
}

/// What Python's `cryptography` says to an order; none where that is missing.
fn peer(order: &Value) -> Option<Value> {
    let mut command = Command::new("python3");
    let output = command.arg(PEER).arg(order.to_string()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    if told.contains("No module named 'cryptography'") {
        crate::support::skip("kms", "Python's cryptography is not installed");
        return None;
    }
    assert!(output.status.success(), "{order}: {told}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// A list's pages to the last: each page's items.
#[track_caller]
fn pages(caller: &Caller<'_>, operation: &str, mut input: Value, list: &str) -> Vec<Value> {
    let mut pages = Vec::new();
    for _ in 0..100 {
        let answer = ok(caller, operation, input.clone());
        pages.push(answer[list].clone());
        if answer["Truncated"] != json!(true) {
            assert!(answer.get("NextMarker").is_none(), "{answer}");
            return pages;
        }
        input["Marker"] = answer["NextMarker"].clone();
    }
    panic!("{operation} has no last page");
}

/// Moves the server's clock ahead, lets what became due happen, and moves it back, so that the
/// requests of now are in time.
fn look_ahead(server: &crate::support::Server, days: i64) {
    let (_, before) = server.operator("GET", "clock", None);
    let ahead = json!({ "advance": days * 24 * 3600 });
    let (status, answer) = server.operator("PUT", "clock", Some(&ahead));
    assert_eq!(status, 200, "{answer}");
    let back = json!({ "now": before["now"] });
    let (status, answer) = server.operator("PUT", "clock", Some(&back));
    assert_eq!(status, 200, "{answer}");
}
