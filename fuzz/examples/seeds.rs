//! Writes first inputs for every target into a folder: `cargo run --example seeds -- FOLDER`.
//! They are made from the tables and from `crates/policy/cases`, then minimized by hand.

use palisade_fuzz::wire;
use palisade_protocol::dynamic::Dynamic;
use palisade_protocol::{from_json, respond};
use palisade_shape::{Kind, Location, Member, Operation, Protocol, Service, Structure, Traits};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: seeds FOLDER")?);
    let protocols = [
        ("query", Protocol::Query),
        ("ec2", Protocol::Ec2),
        ("json", Protocol::Json11),
        ("cbor", Protocol::RpcV2Cbor),
        ("rest_json", Protocol::RestJson),
        ("rest_xml", Protocol::RestXml),
    ];
    for (target, protocol) in protocols {
        requests(&folder.join(target), protocol)?;
    }
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/policy/cases");
    decisions(&folder, &cases)?;
    conditions(&folder.join("condition"))?;
    let trial = wire::operations(Protocol::RestXml)[0];
    let body = answer(Protocol::RestXml, trial, &sample(trial.1.input, 0));
    write(&folder.join("xml"), "trial", &body)?;
    let entity =
        b"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"c\">]><Trial><Text>&b;</Text></Trial>";
    write(&folder.join("xml"), "entity", entity)?;
    let text = b"<Trial><Text>a&amp;&#x41;<![CDATA[<b>]]></Text><Pairs><member Kind=\"k\">\
        <Key>x</Key></member></Pairs><Flat>a</Flat><Flat>b</Flat></Trial>";
    write(&folder.join("xml"), "text", text)?;
    documents_of_s3(&folder.join("s3_xml"))?;
    headers_of_s3(&folder.join("s3_headers"))?;
    texts(&folder)
}

/// A document for each operation of S3 that takes one.
fn documents_of_s3(folder: &Path) -> Result<(), Failure> {
    for (index, operation) in palisade_fuzz::with_documents().iter().enumerate() {
        let value = sample(operation.input, 0);
        let body = answer(Protocol::RestXml, (&palisade_model::s3::SERVICE, operation), &value);
        let seed = [&[u8::try_from(index)?][..], &body].concat();
        write(folder, operation.name, &seed)?;
    }
    Ok(())
}

fn headers_of_s3(folder: &Path) -> Result<(), Failure> {
    let policy = "{\"expiration\": \"2030-01-01T00:00:00Z\", \"conditions\": [{\"bucket\": \
        \"bucket\"}, [\"starts-with\", \"$key\", \"\"], [\"content-length-range\", 0, \"9\"], \
        [\"eq\", \"$acl\", \"\\$private\"]]}";
    let proof = "AWS4-HMAC-SHA256\nAKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request\n\
        20151229T000000Z\ne30=\n00";
    let form = "multipart/form-data; boundary=B\n\x03--B\r\nContent-Disposition: form-data; \
        name=\"key\"\r\n\r\na/${filename}\r\n--B\r\nContent-Disposition: form-data; \
        name=\"file\"; filename=\"x\\\"y\"\r\nContent-Type: text/plain\r\n\r\nbytes\r\n--B--\r\n";
    let texts: [(u8, &str, &str); 11] = [
        (0, "copy", "/bucket/a%20b/c?versionId=null"),
        (1, "range", "100\nbytes=1-20"),
        (1, "tail", "100\nbytes=-7"),
        (2, "checksum", "abcd\nCRC32\nYWJjZA=="),
        (2, "parts", "abcdefgh\nCRC64NVME\nYWJjZGVmZ2g=-2"),
        (3, "tags", "a%20b=c%3Dd&e=f+g&h"),
        (4, "grants", "id=\"0123\", uri=\"http://acs.amazonaws.com/groups/global/AllUsers\""),
        (5, "policy", policy),
        (6, "proof", proof),
        (7, "form", form),
        (7, "short", "multipart/form-data; boundary=B\n\x01--B--"),
    ];
    for (kind, name, text) in texts {
        write(folder, name, &[&[kind][..], text.as_bytes()].concat())?;
    }
    Ok(())
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)?;
    Ok(std::fs::write(folder.join(name), bytes)?)
}

/// One request for each operation, with all members up to a depth.
fn requests(folder: &Path, protocol: Protocol) -> Result<(), Failure> {
    for (index, (service, operation)) in wire::operations(protocol).iter().enumerate() {
        let index = u16::try_from(index)?;
        let mut seed = index.to_be_bytes().to_vec();
        let value = sample(operation.input, 0);
        match protocol {
            Protocol::Query | Protocol::Ec2 => {
                let action = operation.name;
                seed.extend(format!("\nAction={action}&Version={}", service.api_version).bytes());
                form(&mut seed, "", operation.input, &value);
            }
            Protocol::RestJson | Protocol::RestXml => {
                seed.extend(head(operation, &value).bytes());
                seed.extend(answer(protocol, (service, operation), &value));
            }
            _ => seed.extend(answer(protocol, (service, operation), &value)),
        }
        write(folder, &format!("{}-{}", service.name, operation.name), &seed)?;
    }
    Ok(())
}

/// The value as the body of an answer, which is the body of a request with the same members.
fn answer(
    protocol: Protocol,
    (service, operation): (&'static Service, &'static Operation),
    value: &Value,
) -> Vec<u8> {
    let mut input = Dynamic::of(operation.input);
    if from_json(value.to_string().as_bytes(), &mut input).is_err() {
        return Vec::new();
    }
    let turned = Operation { output: operation.input, ..*operation };
    respond(protocol, service, &turned, &input, "id").body
}

/// The first line and the headers of a rest request.
fn head(operation: &Operation, value: &Value) -> String {
    let (mut path, mut query, mut headers) =
        (operation.uri.to_owned(), String::new(), String::new());
    for member in operation.input.members {
        let value = &value[member.name];
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let name = member.wire_name();
        match member.location {
            Location::Uri => {
                path = path.replace(&format!("{{{name}}}"), &text);
                path = path.replace(&format!("{{{name}+}}"), &text);
            }
            Location::Query => query.push_str(&format!("&{name}={text}")),
            Location::Header => headers.push_str(&format!("\n{name}: {text}")),
            Location::HeaderPrefix => headers.push_str(&format!("\n{name}a: {text}")),
            Location::Body | Location::StatusCode => {}
        }
    }
    let joint = if path.contains('?') { "" } else { "?" };
    format!("{path}{joint}{query}{headers}\n\n")
}

fn form(out: &mut Vec<u8>, prefix: &str, structure: &'static Structure, value: &Value) {
    for member in structure.members {
        let name = format!("{prefix}{}", member.wire_name());
        parameters(out, &name, member, &value[member.name]);
    }
}

fn parameters(out: &mut Vec<u8>, name: &str, member: &'static Member, value: &Value) {
    match (&member.target.kind, value) {
        (_, Value::Null) => {}
        (Kind::Structure(structure), value) => form(out, &format!("{name}."), structure, value),
        (Kind::List(list), Value::Array(items)) => {
            let flat = list.flattened || member.traits.has(Traits::FLATTENED);
            for (index, item) in items.iter().enumerate() {
                let step = if flat { "" } else { ".member" };
                parameters(out, &format!("{name}{step}.{}", index + 1), &list.member, item);
            }
        }
        (Kind::Map(map), Value::Object(entries)) => {
            for (index, (key, item)) in entries.iter().enumerate() {
                let entry = format!("{name}.entry.{}", index + 1);
                out.extend(format!("&{entry}.key={key}").bytes());
                parameters(out, &format!("{entry}.value"), &map.value, item);
            }
        }
        (_, Value::String(text)) => out.extend(format!("&{name}={text}").bytes()),
        (_, value) => out.extend(format!("&{name}={value}").bytes()),
    }
}

/// A value of a table as the store's JSON.
fn sample(structure: &'static Structure, depth: usize) -> Value {
    let mut object = Map::new();
    for member in structure.members {
        let skip = member.traits.has(Traits::STREAMING) || (depth > 3 && !member.is_required());
        if !skip && let Some(value) = kind(&member.target.kind, depth) {
            object.insert(member.name.to_owned(), value);
            if structure.union {
                break;
            }
        }
    }
    Value::Object(object)
}

fn kind(kind: &'static Kind, depth: usize) -> Option<Value> {
    if depth > 6 {
        return None;
    }
    Some(match kind {
        Kind::Boolean => json!(true),
        Kind::Integer(number) | Kind::Long(number) => json!(number.min.unwrap_or(1)),
        Kind::Float | Kind::Double => json!(1.5),
        Kind::String(text) => json!(match text.values.first() {
            Some(value) => (*value).to_owned(),
            None if text.pattern.contains("arn:") => {
                "arn:aws:iam::111122223333:role/Reader".to_owned()
            }
            None if text.pattern.contains("[0-9]{12}") || text.pattern.contains("\\d{12}") => {
                "111122223333".to_owned()
            }
            None => "abcd".repeat(usize::try_from(text.length.min.unwrap_or(1)).ok()?.div_ceil(4)),
        }),
        Kind::Blob(_) => json!("YWJj"),
        Kind::Timestamp(_) => json!(1_440_938_160.5),
        Kind::Document => json!({"a": [1, null, 1.5]}),
        Kind::Structure(structure) if structure.event_stream => return None,
        Kind::Structure(structure) => sample(structure, depth + 1),
        Kind::List(list) => json!([self::kind(&list.member.target.kind, depth + 1)?]),
        Kind::Map(map) => {
            let key = self::kind(&map.key.target.kind, depth + 1)?;
            json!({key.as_str()?: self::kind(&map.value.target.kind, depth + 1)?})
        }
    })
}

/// Cases as they are, and each policy in them.
fn decisions(folder: &Path, cases: &Path) -> Result<(), Failure> {
    for file in std::fs::read_dir(cases)? {
        let path = file?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        for (index, line) in std::fs::read_to_string(&path)?.lines().enumerate() {
            let mut case: Value = serde_json::from_str(line)?;
            let object = case.as_object_mut().ok_or("a case is an object")?;
            object.remove("source");
            object.insert("id".into(), json!("1"));
            write(&folder.join("case"), &format!("{stem}-{index}"), case.to_string().as_bytes())?;
            let name = format!("{stem}-{index}");
            let slots = [
                ("identityPolicies", 0),
                ("resourcePolicy", 1),
                ("scps", 3),
                ("rcps", 4),
                ("sessionPolicies", 5),
                ("permissionsBoundary", 6),
                ("vpcEndpointPolicy", 7),
            ];
            for (slot, kind) in slots {
                let mut policy = &case[slot];
                while let Some(first) = policy.get(0) {
                    policy = first;
                }
                let trust = slot == "resourcePolicy" && stem == "trust";
                if policy.is_object() {
                    let kind: u8 = if trust { 2 } else { kind };
                    let seed = [&[kind][..], policy.to_string().as_bytes()].concat();
                    write(&folder.join("policy"), &format!("{name}-{slot}"), &seed)?;
                }
            }
        }
    }
    Ok(())
}

fn conditions(folder: &Path) -> Result<(), Failure> {
    let values: [(std::ops::Range<u8>, &str); 8] = [
        (0..6, "a*b?${*}${aws:username, 'x'}\naxb"),
        (6..12, "-12.50\n1e3"),
        (6..12, "1\n+1.0"),
        (12..18, "2026-01-31T23:59:59.5+02:00\n1767225600.5"),
        (18..19, "true\nFALSE"),
        (19..20, "YQ==\nYg"),
        (20..22, "10.0.0.0/8\n10.1.2.3\n2001:db8::/32"),
        (22..26, "arn:aws:sns:*:*:t*\narn:aws:sns:eu-west-1:111122223333:topic"),
    ];
    for (index, (operators, text)) in values.into_iter().enumerate() {
        for operator in operators {
            for mode in [0, 1, 2, 0x41] {
                let seed = [&[operator, mode][..], text.as_bytes()].concat();
                write(folder, &format!("{operator}-{mode}-{index}"), &seed)?;
            }
        }
    }
    write(folder, "null", b"\x1a\x00true\nx")
}

fn texts(folder: &Path) -> Result<(), Failure> {
    let arns = [
        "arn:aws:s3:::bucket/key",
        "arn:aws:sqs:eu-west-1:111122223333:queue",
        "arn:aws:lambda:eu-west-1:111122223333:function:f:7",
        "arn:aws:iam::111122223333:role/team/Reader",
        "arn:aws:sts::111122223333:assumed-role/Reader/session",
        "arn:aws:iam::aws:policy/*",
        "arn:aws-cn:kms:*:${aws:PrincipalAccount}:key/?",
        "arn:::::",
    ];
    for (index, text) in arns.iter().enumerate() {
        write(&folder.join("arn"), &index.to_string(), text.as_bytes())?;
    }
    let header = "/?a=b&c=%20\nHost: iam.amazonaws.com\nX-Amz-Date: 20150830T123600Z\n\
        Authorization: AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1/iam/aws4_request, \
        SignedHeaders=host;x-amz-date, Signature=00\n\nAction=GetUser";
    let presigned = "/b/k%2F/../x?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20150830\
        %2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&\
        X-Amz-SignedHeaders=host&X-Amz-Signature=00&X-Amz-Security-Token=t\n\
        Host: s3.amazonaws.com\n\n";
    let asymmetric = "/\nHost: a.b\nX-Amz-Date: 20150830T123600Z\n\
        X-Amz-Region-Set: us-*,eu-west-1\nAuthorization: \
        AWS4-ECDSA-P256-SHA256 Credential=AKID/20150830/s3/aws4_request, \
        SignedHeaders=host;x-amz-date;x-amz-region-set, Signature=3045022000\n\n";
    let upload = "/b/k\nHost: s3.amazonaws.com\nDate: Sun, 30 Aug 2015 12:36:00 GMT\n\
        x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD\nAuthorization: \
        AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1/s3/aws4_request,SignedHeaders=date;\
        host;x-amz-content-sha256,Signature=00\nx-amz-security-token: t\n\nbody";
    let bearer = "/\nAuthorization: Bearer token\n\n";
    let signed = [(0, header), (5, presigned), (1, asymmetric), (3, upload), (8, bearer)];
    for (index, (flags, text)) in signed.iter().enumerate() {
        let seed = [&[*flags][..], text.as_bytes()].concat();
        write(&folder.join("sigv4"), &index.to_string(), &seed)?;
    }
    let plain = b"5\r\nabcde\r\n0\r\nx-amz-checksum-crc32c:AAAAAA==\r\n\r\n";
    for mode in [0_u8, 1, 2, 0x80, 0x81, 0x82] {
        let seed = [&[mode, 5, 3, 20][..], plain].concat();
        write(&folder.join("aws_chunked"), &mode.to_string(), &seed)?;
    }
    let frame = b"\x00\x15\x05:type\x07\x00\x05event\x01a\x04\x00\x00\x00\x01payload";
    write(&folder.join("event_stream"), "built", &[&[3, 0][..], frame].concat())?;
    let empty = b"\x03\x01\0\0\0\x10\0\0\0\0\x05\xc2\x48\xeb\x7d\x98\xc8\xff";
    write(&folder.join("event_stream"), "empty", empty)
}
