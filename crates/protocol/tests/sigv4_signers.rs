//! Requests signed by AWS's own signers (`sigv4/sign.py`: botocore, Common Runtime) are accepted,
//! and refused after any one change.
//!
//! `PALISADE_PYTHON` names another interpreter than `python3`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

use std::collections::BTreeMap;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use palisade_protocol::sigv4::*;
use serde_json::Value;

const COUNT: usize = 2_400;

#[derive(Clone)]
struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

struct Case {
    kind: String,
    s3: bool,
    secret: String,
    request: Request,
    line: Value,
}

/// What became of a request.
enum Outcome {
    Proven { decoded: Vec<u8>, trailers: Vec<(String, String)> },
    Refused(String),
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn bytes(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap()).unwrap()
}

fn case(line: Value) -> Case {
    let headers = line["headers"].as_array().unwrap();
    let request = Request {
        method: text(&line["method"]),
        path: text(&line["path"]),
        query: text(&line["query"]),
        headers: headers.iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
        body: bytes(&line["body"]),
    };
    Case {
        kind: text(&line["kind"]),
        s3: line["s3"].as_bool().unwrap(),
        secret: text(&line["secret"]),
        request,
        line,
    }
}

/// Verifies a request at the moment that it was signed, as an endpoint of the case's region.
fn outcome(case: &Case, request: &Request, secret: &str, keys: &SigningKeys) -> Outcome {
    let headers: Vec<(&str, &[u8])> =
        request.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let parts = RequestParts {
        method: &request.method,
        path: request.path.as_bytes(),
        query: request.query.as_bytes(),
        headers: &headers,
        authority: None,
    };
    let parsed = match parse(&parts) {
        Ok(Proof::Signature(parsed)) => parsed,
        Ok(other) => return Outcome::Refused(format!("{other:?}")),
        Err(error) => return Outcome::Refused(format!("{error:?}")),
    };
    let expected = &case.line["expected"];
    let services = [expected["service"].as_str().unwrap()];
    let now = parsed.timestamp.seconds;
    let rules = if case.s3 { Rules::s3(now) } else { Rules::standard(now) };
    let rules = rules.endpoint(expected["region"].as_str().unwrap(), &services);
    let payload = match case.kind.as_str() {
        "trailer" => Payload::Unread,
        _ => Payload::Body(&request.body),
    };
    let verified = match verify(&parsed, &parts, secret.as_bytes(), payload, &rules, keys) {
        Ok(verified) => verified,
        Err(error) => {
            // Wording an error must not fail, whatever the request held.
            for dialect in [Dialect::Query, Dialect::Ec2, Dialect::Json, Dialect::S3] {
                assert!(!error.answer(dialect).message.is_empty());
            }
            return Outcome::Refused(format!("{error:?}"));
        }
    };
    assert_eq!(expected["access_key_id"].as_str(), Some(&*parsed.access_key_id));
    assert_eq!(expected["token"].as_str(), parsed.session_token.as_deref());
    let BodyProof::Chunked(seed) = verified.body else {
        return Outcome::Proven { decoded: Vec::new(), trailers: Vec::new() };
    };
    let mut decoder = match seed.decoder(&parts, ChunkLimits::default()) {
        Ok(decoder) => decoder,
        Err(error) => return Outcome::Refused(format!("{error:?}")),
    };
    let mut decoded = Vec::new();
    for mut piece in request.body.chunks(1000) {
        loop {
            match decoder.next(&mut piece) {
                Ok(Some(data)) => decoded.extend_from_slice(data),
                Ok(None) => break,
                Err(error) => return Outcome::Refused(format!("{error:?}")),
            }
        }
    }
    match decoder.finish() {
        Ok(trailers) => Outcome::Proven { decoded, trailers },
        Err(error) => Outcome::Refused(format!("{error:?}")),
    }
}

/// Every way to change one thing of a request that its signature must notice.
fn changed(case: &Case) -> Vec<(&'static str, Request)> {
    let original = &case.request;
    let mut all = Vec::new();
    let mut add = |name, change: &dyn Fn(&mut Request)| {
        let mut request = original.clone();
        change(&mut request);
        all.push((name, request));
    };
    add("method", &|request| request.method = "PATCH".to_owned());
    add("path", &|request| request.path.push('x'));
    add("query", &|request| {
        let more = if request.query.is_empty() { "zz=1" } else { "&zz=1" };
        request.query.push_str(more);
    });
    add("host", &|request| header(request, "host").push('x'));
    add("unsigned x-amz header", &|request| {
        request.headers.push(("X-Amz-Target".to_owned(), "Other.Operation".to_owned()));
    });
    let signed = |name: &str| name.contains("-h0");
    if original.headers.iter().any(|(name, _)| signed(name)) {
        add("header", &|request| {
            let found = request.headers.iter_mut().find(|(name, _)| signed(name)).unwrap();
            found.1.push('x');
        });
        add("header removed", &|request| request.headers.retain(|(name, _)| !signed(name)));
    }
    for (name, from, to) in [
        ("scope", "/aws4_request", "/aws4_requests"),
        ("date", "T", "T0"),
        ("algorithm", "AWS4-", "AWS5-"),
    ] {
        add(name, &|request| {
            if original.query.contains("X-Amz-Signature") {
                let at = request.query.find("X-Amz-Algorithm").unwrap();
                let (from, to) = (from.replace('/', "%2F"), to.replace('/', "%2F"));
                let changed = request.query[at..].replacen(&from, &to, 1);
                request.query.replace_range(at.., &changed);
            } else {
                let field = if name == "date" { "x-amz-date" } else { "authorization" };
                *header(request, field) = header(request, field).replacen(from, to, 1);
            }
        });
    }
    let covered = match case.kind.as_str() {
        "S3SigV4QueryAuth" => false,
        "v4a-query" => !case.s3,
        _ => !original.headers.iter().any(|pair| pair.1 == "UNSIGNED-PAYLOAD"),
    };
    if covered {
        add("body", &|request| request.body.push(b'x'));
    }
    if case.line["trailers"].is_array() {
        add("body cut", &|request| {
            request.body.pop();
        });
    }
    all
}

fn header<'a>(request: &'a mut Request, name: &str) -> &'a mut String {
    let mut fields = request.headers.iter_mut();
    &mut fields.find(|pair| pair.0.eq_ignore_ascii_case(name)).unwrap().1
}

fn check(case: &Case, keys: &SigningKeys) -> usize {
    for _ in ["derived", "cached"] {
        match outcome(case, &case.request, &case.secret, keys) {
            Outcome::Proven { decoded, trailers } => {
                if case.line["decoded"].is_string() {
                    assert_eq!(decoded, bytes(&case.line["decoded"]));
                    let expected = case.line["trailers"].as_array().unwrap();
                    assert_eq!(trailers.len(), expected.len());
                    assert_eq!(trailers[0].1, text(&expected[0][1]));
                }
            }
            Outcome::Refused(why) => panic!("{}\n{why}", case.line),
        }
    }
    if let Outcome::Proven { .. } = outcome(case, &case.request, "another secret", keys) {
        panic!("accepted with another secret: {}", case.line);
    }
    let changed = changed(case);
    for (name, request) in &changed {
        if let Outcome::Proven { .. } = outcome(case, request, &case.secret, keys) {
            panic!("accepted with another {name}: {}", case.line);
        }
    }
    changed.len() + 1
}

#[test]
fn requests_of_other_signers() {
    let python = std::env::var("PALISADE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sigv4/sign.py");
    let seed = std::env::var("PALISADE_SEED").unwrap_or_else(|_| "1".to_owned());
    let run = Command::new(&python).args([script, &COUNT.to_string(), &seed]).output();
    let output = match run {
        Ok(output) => output,
        Err(error) => {
            println!("SKIPPED: {python} does not run: {error}");
            return;
        }
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let keys = SigningKeys::new(1024);
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if let Some(why) = line["skipped"].as_str() {
            println!("SKIPPED: {why}");
            continue;
        }
        let case = case(line);
        let refused = check(&case, &keys);
        let count = counts.entry(case.kind).or_default();
        *count = (count.0 + 1, count.1 + refused);
    }
    for (kind, (accepted, refused)) in &counts {
        println!("{kind}: {accepted} accepted, {refused} changed ones refused");
    }
    assert!(keys.len() <= 1024);
}
