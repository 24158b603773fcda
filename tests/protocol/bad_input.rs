//! Malformed requests: AWS's error, never a 500, and nothing changes.

use super::{FORM, JSON, LOOKUP, json_1_1, query, refused};
use crate::support::{Lab, Raw};
use serde_json::json;

#[test]
fn a_malformed_body_is_refused() {
    let Some(lab) = Lab::start("a_malformed_body_is_refused") else { return };
    let keys = lab.server.root_keys();
    let iam = |body| Raw { body, signature: super::signed(&keys, "iam"), ..query(&keys) };
    for (body, code) in [
        (&b"Action=CreateUser&Version=2010-05-08"[..], "ValidationError"),
        (b"Action=CreateUser&Version=2010-05-08&UserName=a%20b", "ValidationError"),
        (b"Action=ListUsers&Version=2010-05-08&MaxItems=many", "MalformedInput"),
        (b"Action=NoSuchThing&Version=2010-05-08", "InvalidAction"),
        (b"Action=ListUsers&Version=1999-01-01", "InvalidAction"),
        (b"Version=2010-05-08", "MissingAction"),
    ] {
        let answer = lab.boto.raw(&iam(body));
        let text = String::from_utf8_lossy(body);
        assert_eq!(answer.status, 400, "{text}: {answer:?}");
        if code != "MalformedInput" {
            assert_eq!(super::code_of(&answer), code, "{text}: {answer:?}");
        }
    }
    // Whatever it is, it is the client's fault.
    let deep_list = "Tags.member.1".repeat(2000);
    for body in [
        &b"%"[..],
        b"%zz=%",
        b"\xff\xfe=\xff",
        b"&&&&====",
        b"Action=CreateUser&Version=2010-05-08&UserName=%ff%fe",
        b"Action=CreateUser&Version=2010-05-08&UserName=a&Tags.member.99999999999.Key=k",
        b"Action=CreateUser&Version=2010-05-08&UserName=a&Tags.member.x.Key=k",
        b"Action=CreateUser&Version=2010-05-08&UserName=a%00",
        deep_list.as_bytes(),
    ] {
        let answer = lab.boto.raw(&iam(body));
        let text = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        assert!((400..500).contains(&answer.status), "{text}: {answer:?}");
    }
    let users = lab.root().ok("iam", "ListUsers", json!({}));
    assert_eq!(users["Users"], json!([]), "a refused request changed something");
}

#[test]
fn malformed_json_is_refused() {
    let Some(lab) = Lab::start("malformed_json_is_refused") else { return };
    let keys = lab.server.root_keys();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_member = format!("{{\"Unknown\":{deep}}}");
    let many = format!("{{\"LookupAttributes\":[{}{{}}]}}", "{},".repeat(50_000));
    for body in [
        &b"{"[..],
        b"[]",
        b"null",
        b"\"text\"",
        b"{\"MaxResults\":\"many\"}",
        b"{\"MaxResults\":1e400}",
        b"{\"MaxResults\":[1]}",
        b"{\"NextToken\":{}}",
        b"{\"NextToken\":\"\xff\"}",
        b"{\"NextToken\":\"\\ud800\"}",
        b"{\"MaxResults\":1}{}",
        b"{\"StartTime\":\"not a time\"}",
        deep.as_bytes(),
        deep_member.as_bytes(),
        many.as_bytes(),
    ] {
        let answer = lab.boto.raw(&Raw { body, ..json_1_1(&keys) });
        let text = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        assert_eq!(answer.status, 400, "{text}: {answer:?}");
        assert!(!super::code_of(&answer).is_empty(), "{text}");
    }
    refused(&lab, &Raw { body: b"{", ..json_1_1(&keys) }, 400, "SerializationException");
    // What nobody knows is passed over, as AWS does.
    let unknown = Raw { body: b"{\"Unknown\":{\"a\":[1,2]}}", ..json_1_1(&keys) };
    assert_eq!(lab.boto.raw(&unknown).status, 200);
    let target = LOOKUP.replace("LookupEvents", "NoSuchThing");
    let headers = [JSON[0], ("X-Amz-Target", target.as_str())];
    let raw = Raw { headers: &headers, ..json_1_1(&keys) };
    refused(&lab, &raw, 400, "UnknownOperationException");
}

#[test]
fn what_is_too_large_is_refused() {
    let Some(lab) = Lab::start("what_is_too_large_is_refused") else { return };
    let keys = lab.server.root_keys();
    let huge = vec![b'a'; (2 << 20) + 1];
    let answer = lab.boto.raw(&Raw { body: &huge, ..query(&keys) });
    assert_eq!(answer.status, 413, "{answer:?}");
    let long = "x".repeat(70_000);
    let headers = [FORM, ("X-Long", long.as_str())];
    let answer = lab.boto.raw(&Raw { headers: &headers, signature: None, ..query(&keys) });
    assert_eq!(answer.status, 431, "{answer:?}");
    let long = "x".repeat(300_000);
    let headers = [FORM, ("X-Long", long.as_str())];
    let answer = lab.boto.raw(&Raw { headers: &headers, signature: None, ..query(&keys) });
    // A client that is still sending may find the connection closed before it reads the answer.
    assert!(matches!(answer.status, 431 | 0), "{answer:?}");
    assert_eq!(lab.boto.raw(&query(&keys)).status, 200, "the server goes on");
}

#[test]
fn what_is_no_http_is_refused() {
    let Some(lab) = Lab::start("what_is_no_http_is_refused") else { return };
    let head = "Host: localhost\r\nConnection: close\r\n";
    for request in [
        "GARBAGE\r\n\r\n".to_owned(),
        format!("GET / HTTP/9.9\r\n{head}\r\n"),
        format!("POST / HTTP/1.1\r\n{head}Content-Length: -1\r\n\r\n"),
        format!("POST / HTTP/1.1\r\n{head}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
        format!("POST / HTTP/1.1\r\n{head}Bad Header: 1\r\n\r\n"),
        format!("GET /\u{0}x HTTP/1.1\r\n{head}\r\n"),
        format!("POST / HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
    ] {
        let (status, body) = lab.server.bytes(request.as_bytes());
        // What cannot be read may be hung up on without a word (0).
        let refused = status == 0 || (400..500).contains(&status);
        assert!(refused, "{request:?}: {status} {body}");
    }
    for request in [
        format!("GET /%ff%fe?%zz=%ff HTTP/1.1\r\n{head}\r\n"),
        format!("GET / HTTP/1.1\r\n{head}\r\n"),
        format!("DELETE /a/../../b HTTP/1.1\r\n{head}\r\n"),
        format!("TRACE / HTTP/1.1\r\n{head}Authorization: {}\r\n\r\n", "A".repeat(5000)),
        format!("POST / HTTP/1.1\r\n{head}X-Amz-Target: ..\r\nContent-Length: 0\r\n\r\n"),
    ] {
        let (status, body) = lab.server.bytes(request.as_bytes());
        let shown = &request[..request.len().min(80)];
        assert!((400..500).contains(&status), "{shown:?}: {status} {body}");
    }
    lab.root().ok("sts", "GetCallerIdentity", json!({}));
}
