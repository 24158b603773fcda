//! What the wire says when a request is wrong: unproven, unknown, malformed, too large.

mod authentication;
mod bad_input;
mod not_implemented;

use crate::support::{Answer, Keys, Lab, Raw, Signature};

/// What each request of the query protocol is sent as.
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
const WHO: &[u8] = b"Action=GetCallerIdentity&Version=2011-06-15";
const LOOKUP: &str = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents";
const JSON: [(&str, &str); 2] =
    [("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Target", LOOKUP)];

fn signed<'a>(keys: &'a Keys, service: &'a str) -> Option<Signature<'a>> {
    Some(Signature { keys, service, moved_seconds: 0, in_query: false })
}

/// `sts:GetCallerIdentity`, to be spoiled.
fn query<'a>(keys: &'a Keys) -> Raw<'a> {
    Raw {
        method: "POST",
        path: "/",
        headers: &[FORM],
        body: WHO,
        signature: signed(keys, "sts"),
        ..Raw::default()
    }
}

/// `cloudtrail:LookupEvents`, to be spoiled.
fn json_1_1<'a>(keys: &'a Keys) -> Raw<'a> {
    Raw {
        method: "POST",
        path: "/",
        headers: &JSON,
        body: b"{}",
        signature: signed(keys, "cloudtrail"),
        ..Raw::default()
    }
}

/// The code of an answer in the shape of its protocol, which is checked on the way.
#[track_caller]
fn code_of(answer: &Answer) -> String {
    let body = &answer.body;
    assert!(answer.headers["x-amzn-requestid"].is_string(), "{answer:?}");
    if answer.headers["content-type"].as_str().unwrap().contains("json") {
        let error: serde_json::Value = serde_json::from_str(body).unwrap();
        let kind = error["__type"].as_str().unwrap();
        return kind.rsplit('#').next().unwrap().to_owned();
    }
    assert!(body.contains("<ErrorResponse") && body.contains("<RequestId>"), "{body}");
    let after = body.split_once("<Code>").unwrap().1;
    after.split_once("</Code>").unwrap().0.to_owned()
}

/// Sends a request that must be refused with this status and code.
#[track_caller]
fn refused(lab: &Lab, raw: &Raw<'_>, status: u64, code: &str) -> Answer {
    let answer = lab.boto.raw(raw);
    assert_eq!((answer.status, code_of(&answer).as_str()), (status, code), "{answer:?}");
    answer
}
