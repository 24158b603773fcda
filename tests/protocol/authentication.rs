//! Proofs that are wrong, in the query and the JSON protocol. Sources: IAM API reference, "Common
//! errors"; Signature Version 4, "Troubleshooting".

use super::{FORM, json_1_1, query, refused, signed};
use crate::support::{Keys, Lab, Raw, Signature};
use serde_json::json;

#[test]
fn a_wrong_proof_is_refused_in_awss_words() {
    let Some(lab) = Lab::start("a_wrong_proof_is_refused_in_awss_words") else { return };
    let keys = lab.server.root_keys();
    assert_eq!(lab.boto.raw(&query(&keys)).status, 200);
    assert_eq!(lab.boto.raw(&json_1_1(&keys)).status, 200);

    let wrong = Keys { secret: "wrong".into(), ..keys.clone() };
    let answer = refused(&lab, &query(&wrong), 403, "SignatureDoesNotMatch");
    let expected = "The request signature we calculated does not match the signature you provided. \
                    Check your AWS Secret Access Key and signing method.";
    assert!(answer.body.contains(expected), "{}", answer.body);
    // These services' JSON errors name it otherwise, with 400.
    refused(&lab, &json_1_1(&wrong), 400, "InvalidSignatureException");

    let unknown = Keys::of("AKIAAAAAAAAAAAAAAAAA", "secret");
    let answer = refused(&lab, &query(&unknown), 403, "InvalidClientTokenId");
    let expected = "The security token included in the request is invalid.";
    assert!(answer.body.contains(expected), "{}", answer.body);
    refused(&lab, &json_1_1(&unknown), 400, "UnrecognizedClientException");

    // Signed for another service or not at all.
    let elsewhere = Raw { signature: signed(&keys, "iam"), ..query(&keys) };
    let status = lab.boto.raw(&elsewhere).status;
    assert!((400..500).contains(&status), "{status}");
    let unsigned = Raw { signature: None, ..query(&keys) };
    refused(&lab, &unsigned, 403, "MissingAuthenticationToken");
    let unsigned = Raw { signature: None, ..json_1_1(&keys) };
    refused(&lab, &unsigned, 400, "MissingAuthenticationTokenException");
}

#[test]
fn a_changed_request_proves_nothing() {
    let Some(lab) = Lab::start("a_changed_request_proves_nothing") else { return };
    let keys = lab.server.root_keys();
    let tampered: &[u8] = b"Action=GetAccessKeyInfo&Version=2011-06-15&AccessKeyId=AKIAAAAAAAAAAAA";
    let other = Raw { body_after: Some(tampered), ..query(&keys) };
    refused(&lab, &other, 403, "SignatureDoesNotMatch");
    let other = Raw { body_after: Some(b"{\"MaxResults\":1}"), ..json_1_1(&keys) };
    refused(&lab, &other, 400, "InvalidSignatureException");
    let headers = [("X-Amz-Date", "20200101T000000Z")];
    let other = Raw { headers_after: &headers, ..query(&keys) };
    let status = lab.boto.raw(&other).status;
    assert_eq!(status, 403);
    for authorization in [
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=b",
        "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/sts/aws4_request",
    ] {
        let headers = [("Authorization", authorization)];
        let other = Raw { headers_after: &headers, ..query(&keys) };
        refused(&lab, &other, 400, "IncompleteSignature");
    }
}

#[test]
fn an_old_or_early_signature_is_refused() {
    let Some(lab) = Lab::start("an_old_or_early_signature_is_refused") else { return };
    let keys = lab.server.root_keys();
    let moved = |seconds: i64| Signature {
        keys: &keys,
        service: "sts",
        moved_seconds: seconds,
        in_query: false,
    };
    for seconds in [-240, 240] {
        let raw = Raw { signature: Some(moved(seconds)), ..query(&keys) };
        assert_eq!(lab.boto.raw(&raw).status, 200, "{seconds}");
    }
    for (seconds, words) in [(-3600, "Signature expired: "), (3600, "Signature not yet current: ")]
    {
        let raw = Raw { signature: Some(moved(seconds)), ..query(&keys) };
        let answer = refused(&lab, &raw, 403, "SignatureDoesNotMatch");
        assert!(answer.body.contains(words), "{}", answer.body);
        let signature = Signature { service: "cloudtrail", ..moved(seconds) };
        let raw = Raw { signature: Some(signature), ..json_1_1(&keys) };
        let answer = refused(&lab, &raw, 400, "InvalidSignatureException");
        assert!(answer.body.contains(words), "{}", answer.body);
    }
}

#[test]
fn a_session_is_nothing_without_its_token_and_its_time() {
    let test = "a_session_is_nothing_without_its_token_and_its_time";
    let Some(lab) = Lab::start(test) else { return };
    let root = lab.root();
    root.ok("iam", "CreateUser", json!({ "UserName": "ann" }));
    let ann = lab.caller(root.new_key("ann"));
    let answer = ann.ok("sts", "GetSessionToken", json!({ "DurationSeconds": 900 }));
    let session = Keys::of_session(&answer);
    assert_eq!(lab.boto.raw(&query(&session)).status, 200);
    let bare = Keys { token: None, ..session.clone() };
    refused(&lab, &query(&bare), 403, "InvalidClientTokenId");
    let token = session.token.clone().unwrap();
    for spoiled in [token[..token.len() - 4].to_owned(), token.to_uppercase(), "x".repeat(9)] {
        let spoiled = Keys { token: Some(spoiled), ..session.clone() };
        refused(&lab, &query(&spoiled), 403, "InvalidClientTokenId");
    }
    // The token of one key is of no use with another.
    let other = Keys { token: Some(token), ..ann.keys.clone() };
    refused(&lab, &query(&other), 403, "InvalidClientTokenId");

    let (status, _) = lab.server.operator("PUT", "clock", Some(&json!({ "advance": 901 })));
    assert_eq!(status, 200);
    let late = |service| Signature { keys: &session, service, moved_seconds: 901, in_query: false };
    let raw = Raw { signature: Some(late("sts")), ..query(&session) };
    let answer = refused(&lab, &raw, 403, "ExpiredToken");
    let expected = "The security token included in the request is expired";
    assert!(answer.body.contains(expected), "{}", answer.body);
    let raw = Raw { signature: Some(late("cloudtrail")), ..json_1_1(&session) };
    refused(&lab, &raw, 400, "ExpiredTokenException");
}

#[test]
fn a_presigned_url_is_as_good_as_a_header() {
    let Some(lab) = Lab::start("a_presigned_url_is_as_good_as_a_header") else { return };
    let keys = lab.server.root_keys();
    let path = "/?Action=GetCallerIdentity&Version=2011-06-15";
    let presigned = |keys| Raw {
        method: "GET",
        path,
        headers: &[],
        body: b"",
        signature: Some(Signature { keys, service: "sts", moved_seconds: 0, in_query: true }),
        ..Raw::default()
    };
    let answer = lab.boto.raw(&presigned(&keys));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.body.contains(":root</Arn>"), "{answer:?}");
    let wrong = Keys { secret: "wrong".into(), ..keys.clone() };
    refused(&lab, &presigned(&wrong), 403, "SignatureDoesNotMatch");
    // Neither an anonymous form nor a bare path leads anywhere.
    let anonymous = Raw { headers: &[FORM], signature: None, ..presigned(&keys) };
    refused(&lab, &anonymous, 403, "MissingAuthenticationToken");
}
