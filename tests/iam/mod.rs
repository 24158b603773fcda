//! IAM through boto3: each noun's operations, their documented errors, pages and refusals.

mod access_key;
mod account;
mod certificate;
mod delegation;
mod denial;
mod documented;
mod group;
mod instance_profile;
mod login_profile;
mod mfa;
mod password_policy;
mod policy;
mod provider;
mod race;
mod refusals;
mod report;
mod role;
mod service_credential;
mod service_linked_role;
mod simulation;
mod ssh_public_key;
mod user;

use crate::support::Caller;
use serde_json::{Value, json};

/// Calls that must fail, as `(operation, input, code, status, part of the message)`.
type Failing<'a> = (&'a str, Value, &'a str, u64, &'a str);

#[track_caller]
fn check_refusals(caller: &Caller<'_>, cases: &[Failing<'_>]) {
    for (operation, input, code, status, part) in cases {
        let refusal = caller.refused(("iam", operation), input.clone(), (code, *status));
        assert!(refusal.message.contains(part), "{operation} {input}: {}", refusal.message);
    }
}

/// The tags of a call, in the order of their keys.
fn tags(pairs: &[(&str, &str)]) -> Value {
    pairs.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}

/// Everything on all pages, as one list of the member's texts.
fn all(pages: &[Value], member: &str) -> Vec<String> {
    let items = pages.iter().flat_map(|page| page.as_array().unwrap());
    items.map(|item| item[member].as_str().unwrap().to_owned()).collect()
}

/// What the driver shows of a blob, as text.
pub fn text_of_blob(blob: &Value) -> String {
    String::from_utf8(from_base64(blob.as_str().unwrap())).unwrap()
}

/// RFC 4648, section 4, of what Python encoded.
fn from_base64(text: &str) -> Vec<u8> {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for digit in text.chars().filter(|digit| *digit != '=') {
        bits = bits << 6 | DIGITS.find(digit).unwrap() as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}
