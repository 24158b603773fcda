//! The behaviours that Smithy's protocol tests cover, as our own cases: one value, and how each
//! protocol writes it. A wire form is used in every direction in which the protocol has it.

use crate::tables::{self, Tables};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use palisade_protocol::dynamic::Dynamic;
use palisade_protocol::{Parts, Routes, from_json, read_request, respond, to_json};
use palisade_shape::{Protocol, Structure};
use serde_json::Value;
use std::path::Path;

fn files(folder: &str) -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(folder);
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: &Path| {
        let text = std::fs::read_to_string(path).unwrap();
        let value = serde_json::from_str(&text);
        value.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), read(path))).collect()
}

fn value_of(structure: &'static Structure, value: &Value) -> Dynamic {
    let mut dynamic = Dynamic::of(structure);
    from_json(value.to_string().as_bytes(), &mut dynamic).unwrap();
    dynamic
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What stands around the members in a protocol's request or response.
struct Trial<'a> {
    id: String,
    structure: &'static Structure,
    value: &'a Value,
    wrong: &'a mut Vec<String>,
    done: &'a mut usize,
}

impl Trial<'_> {
    fn request(&mut self, protocol: Protocol, body: &[u8]) {
        *self.done += 1;
        let operation = tables::operation(self.structure, &Value::Null);
        let service = tables::service(protocol, operation);
        let (method, headers) = (Method::POST, HeaderMap::new());
        let parts = Parts {
            method: &method,
            raw_path: "/",
            raw_query: "",
            headers: &headers,
            body,
            labels: &[],
        };
        let mut input = Dynamic::of(self.structure);
        let read = read_request(protocol, service, operation, &parts, &mut input);
        let expected = value_of(self.structure, self.value);
        if read.is_err() || input != expected {
            let got = String::from_utf8(to_json(&input)).unwrap();
            let body = String::from_utf8_lossy(body).into_owned();
            self.wrong.push(format!("{} {protocol:?} request {body}: {read:?} {got}", self.id));
        }
    }

    fn response(&mut self, protocol: Protocol, expected: &str) {
        *self.done += 1;
        let operation = tables::operation(self.structure, &Value::Null);
        let service = tables::service(protocol, operation);
        let output = value_of(self.structure, self.value);
        let response = respond(protocol, service, operation, &output, "id-1");
        let got = if protocol == Protocol::RpcV2Cbor {
            hex(&response.body)
        } else {
            String::from_utf8(response.body).unwrap()
        };
        if got != expected {
            self.wrong.push(format!(
                "{} {protocol:?} response\n  got  {got}\n  want {expected}",
                self.id
            ));
        }
    }

    fn wire(&mut self, form: &str, wire: &str) {
        let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
        match form {
            "query" => self.request(Protocol::Query, format!("Action=Try&{wire}").as_bytes()),
            "ec2" => self.request(Protocol::Ec2, format!("Action=Try&{wire}").as_bytes()),
            "xml" => {
                let root = if wire.is_empty() {
                    "<Tried xmlns=\"urn:trial\"/>".to_owned()
                } else {
                    format!("<Tried xmlns=\"urn:trial\">{wire}</Tried>")
                };
                self.request(Protocol::RestXml, root.as_bytes());
                self.response(Protocol::RestXml, &format!("{declaration}{root}"));
                self.response(
                    Protocol::Query,
                    &format!(
                        "<TryResponse xmlns=\"urn:trial\"><TryResult>{wire}</TryResult>\
                         <ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata>\
                         </TryResponse>"
                    ),
                );
            }
            "ec2-xml" => self.response(
                Protocol::Ec2,
                &format!(
                    "{declaration}<TryResponse xmlns=\"urn:trial\"><requestId>id-1</requestId>\
                     {wire}</TryResponse>"
                ),
            ),
            "json" => {
                for protocol in [Protocol::Json10, Protocol::Json11, Protocol::RestJson] {
                    self.request(protocol, wire.as_bytes());
                    self.response(protocol, wire);
                }
            }
            "cbor" => {
                self.request(Protocol::RpcV2Cbor, &unhex(wire));
                self.response(Protocol::RpcV2Cbor, &wire.replace(' ', ""));
            }
            // Forms that are read but never written.
            "json-in" => {
                for protocol in [Protocol::Json10, Protocol::Json11, Protocol::RestJson] {
                    self.request(protocol, wire.as_bytes());
                }
            }
            "xml-in" => {
                self.request(Protocol::RestXml, format!("<Tried>{wire}</Tried>").as_bytes());
            }
            "cbor-in" => self.request(Protocol::RpcV2Cbor, &unhex(wire)),
            "query-in" => self.request(Protocol::Query, format!("{wire}&Action=Try").as_bytes()),
            "ec2-in" => self.request(Protocol::Ec2, format!("{wire}&Action=Try").as_bytes()),
            other => panic!("no form {other}"),
        }
    }
}

#[test]
fn each_value_in_each_protocol() {
    let (mut wrong, mut done) = (Vec::new(), 0);
    for (file, content) in files("smithy") {
        for case in content["cases"].as_array().unwrap() {
            let tables = Tables { shapes: &content["shapes"] };
            let structure = tables.structure("Tried", &case["members"]);
            let id = format!("{file}/{}", case["id"].as_str().unwrap());
            let mut trial =
                Trial { id, structure, value: &case["value"], wrong: &mut wrong, done: &mut done };
            for (form, wire) in case["wire"].as_object().unwrap() {
                // Several spellings of the same value may be listed.
                match wire {
                    Value::Array(all) => {
                        for one in all {
                            trial.wire(form, one.as_str().unwrap());
                        }
                    }
                    one => trial.wire(form, one.as_str().unwrap()),
                }
            }
        }
    }
    println!("{done} wire forms");
    assert!(done >= 300, "cases were lost: {done}");
    assert!(wrong.is_empty(), "{} of {done} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn header_map(spec: &Value) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in spec.as_object().into_iter().flatten() {
        let name: HeaderName = name.parse().unwrap();
        headers.append(name, HeaderValue::from_str(value.as_str().unwrap()).unwrap());
    }
    headers
}

fn check_bound_request(case: &Value, protocol: Protocol, wrong: &mut Vec<String>) {
    let request = &case["request"];
    let tables = Tables { shapes: &case["shapes"] };
    let structure = tables.structure("Tried", &case["members"]);
    let operation = tables::operation(structure, case);
    let service = tables::service(protocol, operation);
    let id = &case["id"];
    let method: Method = case["method"].as_str().unwrap_or("POST").parse().unwrap();
    let (path, query) = request["target"].as_str().unwrap_or("/").split_once('?').map_or_else(
        || (request["target"].as_str().unwrap_or("/"), ""),
        |(path, query)| (path, query),
    );
    let headers = header_map(&request["headers"]);
    let Some((_, labels)) = Routes::new(service).find(&method, path, query, &headers) else {
        return wrong.push(format!("{id} {protocol:?}: no route"));
    };
    let parts = Parts {
        method: &method,
        raw_path: path,
        raw_query: query,
        headers: &headers,
        body: request["body"].as_str().unwrap_or_default().as_bytes(),
        labels: &labels,
    };
    let mut input = Dynamic::of(structure);
    let read = read_request(protocol, service, operation, &parts, &mut input);
    let expected = value_of(structure, request.get("value").unwrap_or(&case["value"]));
    if read.is_err() || input != expected {
        let got = String::from_utf8(to_json(&input)).unwrap();
        wrong.push(format!("{id} {protocol:?} request: {read:?} {got}"));
    }
}

fn check_bound_response(case: &Value, protocol: Protocol, wrong: &mut Vec<String>) {
    let expected = &case["response"];
    let tables = Tables { shapes: &case["shapes"] };
    let structure = tables.structure("Tried", &case["members"]);
    let operation = tables::operation(structure, case);
    let service = tables::service(protocol, operation);
    let output = value_of(structure, &case["value"]);
    let response = respond(protocol, service, operation, &output, "id-1");
    let mut differences = Vec::new();
    if u64::from(response.status) != expected["status"].as_u64().unwrap_or(200) {
        differences.push(format!("status {}", response.status));
    }
    let body = String::from_utf8(response.body).unwrap();
    let body = body.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").unwrap_or(&body);
    if body != expected["body"].as_str().unwrap_or_default() {
        differences.push(format!("body {body}"));
    }
    for (name, value) in expected["headers"].as_object().into_iter().flatten() {
        let got = response.headers.get(name).map(|got| got.to_str().unwrap());
        if got != value.as_str() {
            differences.push(format!("{name}: {got:?}"));
        }
    }
    if !differences.is_empty() {
        wrong.push(format!("{} {protocol:?} response: {}", case["id"], differences.join("; ")));
    }
}

#[test]
fn each_place_of_an_http_message() {
    let (mut wrong, mut done) = (Vec::new(), 0);
    for (_, content) in files("http") {
        for case in content["cases"].as_array().unwrap() {
            for name in case["protocols"].as_array().unwrap() {
                let protocol = tables::protocol(name.as_str().unwrap());
                if case.get("request").is_some() {
                    done += 1;
                    check_bound_request(case, protocol, &mut wrong);
                }
                if case.get("response").is_some() {
                    done += 1;
                    check_bound_response(case, protocol, &mut wrong);
                }
            }
        }
    }
    println!("{done} bindings");
    assert!(done >= 60, "cases were lost: {done}");
    assert!(wrong.is_empty(), "{} of {done} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
