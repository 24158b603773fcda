//! Every operation of every service, both ways, against botocore's own serializers and parsers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use palisade_protocol::dynamic::Dynamic;
use palisade_protocol::{Extra, Parts, Response, Routes, detect};
use palisade_protocol::{from_json, query_code, read_request, respond, respond_error, to_json};
use palisade_shape::{Operation, Protocol, Service};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A Python process that runs `botocore_peer.py`.
struct Peer {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Peer {
    /// `None`, said aloud, where Python or botocore is not there.
    fn start() -> Option<Self> {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/wire/botocore_peer.py");
        let started = Command::new("python3")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut child = match started {
            Ok(child) => child,
            Err(error) => {
                println!("SKIPPED: python3 cannot be started: {error}");
                return None;
            }
        };
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut peer = Self { child, input, output };
        let hello = peer.line();
        if let Some(missing) = hello.get("missing") {
            println!("SKIPPED: botocore is not importable: {missing}");
            return None;
        }
        println!("botocore {}", hello["botocore"]);
        Some(peer)
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn call(&mut self, call: Value) -> Value {
        writeln!(self.input, "{call}").unwrap();
        self.input.flush().unwrap();
        self.line()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// S3's operations that share their route with a newer one, and one that AWS has on a host of its
/// own (`s3express-control`) with the route of `ListBuckets`.
const SUPERSEDED: &[&str] = &[
    "GetBucketLifecycle",
    "GetBucketNotification",
    "ListDirectoryBuckets",
    "PutBucketLifecycle",
    "PutBucketNotification",
];

fn botocore_name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Query => "query",
        Protocol::Ec2 => "ec2",
        Protocol::Json10 | Protocol::Json11 => "json",
        Protocol::RestJson => "rest-json",
        Protocol::RestXml => "rest-xml",
        Protocol::RpcV2Cbor => "smithy-rpc-v2-cbor",
    }
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

fn headers_of(value: &Value) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for pair in value["headers"].as_array().unwrap() {
        let name: HeaderName = pair[0].as_str().unwrap().parse().unwrap();
        let value = HeaderValue::from_bytes(pair[1].as_str().unwrap().as_bytes()).unwrap();
        headers.append(name, value);
    }
    headers
}

fn answer_of(response: &Response) -> (Value, String) {
    let pairs = response.headers.iter().map(|(name, value)| {
        json!([name.as_str(), std::str::from_utf8(value.as_bytes()).unwrap()])
    });
    (Value::Array(pairs.collect()), STANDARD.encode(&response.body))
}

/// One request of botocore's, read here. Tells what is wrong.
fn check_request(
    peer: &mut Peer,
    service: &'static Service,
    operation: &'static Operation,
    protocol: Protocol,
    routes: &Routes,
    seed: u32,
) -> Result<(), String> {
    let sent = peer.call(json!({"do": "request", "operation": operation.name, "seed": seed}));
    if let Some(failed) = sent.get("failed") {
        return Err(format!("botocore: {failed}"));
    }
    let headers = headers_of(&sent);
    let body = STANDARD.decode(text(&sent, "body")).unwrap();
    let (path, query) = (text(&sent, "path"), text(&sent, "query"));
    let spoken = detect::protocol_of(service, path, query, &headers);
    // No service here speaks EC2's protocol, which a query request cannot be told from.
    if spoken != Some(protocol) && protocol != Protocol::Ec2 {
        return Err(format!("taken for {spoken:?}"));
    }
    let method: http::Method = text(&sent, "method").parse().unwrap();
    let mut labels = Vec::new();
    let found = match protocol {
        Protocol::RestJson | Protocol::RestXml => {
            let (found, its) = routes
                .find(&method, path, query, &headers)
                .ok_or_else(|| format!("no route for {method} {path}?{query}"))?;
            labels = its;
            found.name.to_owned()
        }
        Protocol::Json10 | Protocol::Json11 => detect::target_operation(&headers).unwrap().into(),
        Protocol::RpcV2Cbor => detect::cbor_operation(path).unwrap().1.to_owned(),
        Protocol::Query | Protocol::Ec2 => detect::query_action(query, &body).unwrap().into_owned(),
    };
    if service.name == "s3" && SUPERSEDED.contains(&operation.name) {
        // The same method and path as the other, which is the one to answer.
        let other = found == "ListBuckets" || found.starts_with(operation.name);
        return if other { Ok(()) } else { Err(found) };
    }
    if found != operation.name {
        return Err(format!("routed to {found}: {method} {path}?{query}"));
    }
    let parts = Parts {
        method: &method,
        raw_path: path,
        raw_query: query,
        headers: &headers,
        body: &body,
        labels: &labels,
    };
    let mut input = Dynamic::of(operation.input);
    let read = read_request(protocol, service, operation, &parts, &mut input);
    let mut expected = Dynamic::of(operation.input);
    let given = sent["input"].to_string();
    from_json(given.as_bytes(), &mut expected).map_err(|wrong| format!("{wrong:?}: {given}"))?;
    if expected != input {
        let (got, want) = (to_json(&input), to_json(&expected));
        let text = String::from_utf8_lossy(&body).into_owned();
        return Err(format!(
            "\n  read {}\n  sent {}\n  as   {path}?{query} {text}\n  {read:?}",
            String::from_utf8_lossy(&got),
            String::from_utf8_lossy(&want)
        ));
    }
    read.map_err(|error| format!("refused: {error}"))
}

/// One output written here, parsed by botocore.
fn check_output(
    peer: &mut Peer,
    service: &'static Service,
    operation: &'static Operation,
    protocol: Protocol,
    seed: u32,
) -> Result<(), String> {
    let made = peer.call(json!({"do": "output", "operation": operation.name, "seed": seed}));
    if let Some(failed) = made.get("failed") {
        return Err(format!("botocore: {failed}"));
    }
    let mut output = Dynamic::of(operation.output);
    let given = made["output"].to_string();
    from_json(given.as_bytes(), &mut output).map_err(|wrong| format!("{wrong:?}: {given}"))?;
    let response = respond(protocol, service, operation, &output, "request-1");
    if operation.name == "GetBucketLocation" {
        // botocore reads this one answer by hand, outside its parser: the text is checked here.
        let region = output
            .get("LocationConstraint")
            .map(|value| to_json(value))
            .unwrap_or(b"\"\"".to_vec());
        let region = String::from_utf8(region).unwrap().replace('"', "");
        let body = String::from_utf8(response.body).unwrap();
        let start = "<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";
        assert!(body.contains(start), "{body}");
        assert!(region.is_empty() || body.contains(&format!(">{region}</Loc")), "{body} {region}");
        return Ok(());
    }
    let (headers, body) = answer_of(&response);
    let parsed = peer.call(json!({
        "do": "parse",
        "operation": operation.name,
        "status": response.status,
        "headers": headers,
        "body": body,
    }));
    let text = String::from_utf8_lossy(&response.body).into_owned();
    match (parsed.get("failed"), parsed["difference"].as_str()) {
        (None, Some("")) => Ok(()),
        (Some(failed), _) => Err(format!("botocore: {failed}: {text}")),
        (_, difference) => Err(format!("{difference:?} in {text} of {given}")),
    }
}

/// The errors that an operation declares, parsed by botocore. Returns how many.
fn check_errors(
    peer: &mut Peer,
    service: &'static Service,
    operation: &'static Operation,
    protocol: Protocol,
    wrong: &mut Vec<String>,
) -> usize {
    let declared = peer.call(json!({"do": "errors", "operation": operation.name}));
    let mut count = 0;
    for case in declared["errors"].as_array().unwrap_or_else(|| panic!("{declared}")) {
        let shape = text(case, "shape");
        let Some(code) = operation.errors.iter().find(|code| code.shape == shape) else {
            wrong.push(format!("{} does not know {shape}", operation.name));
            continue;
        };
        let mut error = code.because("What went <wrong> & why");
        for (name, value) in case["fields"].as_object().unwrap() {
            let member = code.structure.unwrap().members.iter().find(|row| row.name == name);
            let plain = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            error = error.with(member.unwrap().name, plain);
        }
        let extra = Extra::default();
        let operation_row = Some(operation);
        let response = respond_error(protocol, service, operation_row, &error, "request-1", &extra);
        if operation.method == palisade_shape::Method::Head {
            assert!(response.body.is_empty());
            continue;
        }
        let (headers, body) = answer_of(&response);
        let query_era = matches!(protocol, Protocol::Query | Protocol::Ec2 | Protocol::RestXml);
        let expected = if query_era || response.headers.contains_key("x-amzn-query-error") {
            query_code(service, code)
        } else {
            code.shape
        };
        let parsed = peer.call(json!({
            "do": "parse_error", "shape": shape, "code": expected,
            "message": error.message, "fields": case["fields"],
            "status": response.status, "headers": headers, "body": body,
        }));
        count += 1;
        if parsed["difference"] != "" {
            let body = String::from_utf8_lossy(&response.body);
            wrong.push(format!("{} {shape}: {parsed} in {body}", operation.name));
        }
    }
    count
}

#[test]
fn botocore_and_we_read_each_other() {
    let Some(mut peer) = Peer::start() else { return };
    let models = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../models/services");
    let (mut requests, mut outputs, mut errors) = (0, 0, 0);
    let mut wrong: Vec<String> = Vec::new();
    for service in palisade_model::SERVICES {
        let routes = Routes::new(service);
        // No implemented service speaks EC2's protocol: it is tried with the tables of IAM.
        let extra: &[Protocol] = if service.name == "iam" { &[Protocol::Ec2] } else { &[] };
        for protocol in service.protocols.iter().chain(extra) {
            let model = models.join(format!("{}.json", service.name));
            let opened = peer
                .call(json!({"do": "open", "model": model, "protocol": botocore_name(*protocol)}));
            assert!(opened.get("failed").is_none(), "{} {opened}", service.name);
            for operation in service.operations {
                let place = format!("{} {protocol:?} {}", service.name, operation.name);
                for seed in 0..3 {
                    requests += 1;
                    let found =
                        check_request(&mut peer, service, operation, *protocol, &routes, seed);
                    wrong.extend(found.err().map(|what| format!("{place} request: {what}")));
                    outputs += 1;
                    let found = check_output(&mut peer, service, operation, *protocol, seed);
                    wrong.extend(found.err().map(|what| format!("{place} output: {what}")));
                }
                let before = wrong.len();
                errors += check_errors(&mut peer, service, operation, *protocol, &mut wrong);
                for found in wrong.iter_mut().skip(before) {
                    *found = format!("{place} error: {found}");
                }
            }
        }
    }
    println!("{requests} requests, {outputs} outputs, {errors} errors");
    assert!(wrong.is_empty(), "{} of them wrong:\n{}", wrong.len(), wrong.join("\n"));
}
