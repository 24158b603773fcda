//! What is wrong with a request, in each protocol's own error; and input made to do harm.

use crate::tables::{self, Tables};
use http::{HeaderMap, Method};
use palisade_protocol::dynamic::Dynamic;
use palisade_protocol::{Parts, read_request};
use palisade_shape::{Error, Protocol, Structure};
use serde_json::{Value, json};

fn trial() -> &'static Structure {
    let tables = Tables { shapes: &Value::Null };
    tables.structure(
        "TryRequest",
        &json!({
            "Count": {"type": "integer", "min": 1, "max": 10},
            "Flag": "boolean",
            "Kind": {"type": "string", "enum": ["one", "two"]},
            "Map": {"map": [{"type": "string", "max": 3}, {"type": "string", "pattern": "[a-z]+"}]},
            "Names": {"type": {"list": {"type": "string", "min": 2, "max": 5}}, "max": 2},
            "Secret": {"type": "string", "min": 8, "sensitive": true},
            "Tags": {"list": {"structure": {
                "Key": {"type": "string", "min": 1, "required": true}
            }}},
            "UserName": {
                "type": "string", "required": true, "max": 8, "pattern": "[\\w+=,.@-]+"
            },
            "When": "timestamp",
            "Which": {"union": {"A": "string", "B": "string"}}
        }),
    )
}

fn refused(protocol: Protocol, body: &[u8]) -> Result<(), Error> {
    let operation = tables::operation(trial(), &Value::Null);
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
    read_request(protocol, service, operation, &parts, &mut Dynamic::of(trial()))
}

#[track_caller]
fn check(protocol: Protocol, body: impl AsRef<[u8]>, code: &str, message: &str) {
    let error = refused(protocol, body.as_ref()).unwrap_err();
    assert_eq!((error.code.code, error.message.as_ref()), (code, message));
    assert_eq!(error.code.status, 400);
}

const ONE: &str = "1 validation error detected: ";
const NULL: &str = "failed to satisfy constraint: Member must not be null";

#[test]
fn constraints_in_words() {
    let cases = [
        (
            json!({"UserName": "x y"}),
            "Value 'x y' at 'userName' failed to satisfy constraint: Member must satisfy regular \
             expression pattern: [\\w+=,.@-]+",
        ),
        (json!({}), &format!("Value null at 'userName' {NULL}")),
        (
            json!({"UserName": "123456789"}),
            "Value '123456789' at 'userName' failed to satisfy constraint: Member must have length \
             less than or equal to 8",
        ),
        (
            json!({"UserName": "u", "Count": 0}),
            "Value '0' at 'count' failed to satisfy constraint: Member must have value greater \
             than or equal to 1",
        ),
        (
            json!({"UserName": "u", "Kind": "three"}),
            "Value 'three' at 'kind' failed to satisfy constraint: Member must satisfy enum value \
             set: [one, two]",
        ),
        (
            json!({"UserName": "u", "Secret": "hush"}),
            "Value at 'secret' failed to satisfy constraint: Member must have length greater than \
             or equal to 8",
        ),
    ];
    for (body, message) in cases {
        check_words(&body, message);
    }
}

#[track_caller]
fn check_words(body: &Value, message: &str) {
    let message = format!("{ONE}{message}");
    check(Protocol::Json11, body.to_string(), "ValidationException", &message);
}

#[test]
fn constraints_inside_lists_and_maps_in_words() {
    let cases = [
        (
            json!({"UserName": "u", "Names": ["ok", "x"]}),
            "Value '[ok, x]' at 'names' failed to satisfy constraint: Member must satisfy \
             constraint: [Member must have length less than or equal to 5, Member must have length \
             greater than or equal to 2]",
        ),
        (
            json!({"UserName": "u", "Names": ["aa", "bb", "cc"]}),
            "Value '[aa, bb, cc]' at 'names' failed to satisfy constraint: Member must have length \
             less than or equal to 2",
        ),
        (
            json!({"UserName": "u", "Map": {"long": "a"}}),
            "Value '{long=a}' at 'map' failed to satisfy constraint: Map keys must satisfy \
             constraint: [Member must have length less than or equal to 3]",
        ),
        (
            json!({"UserName": "u", "Map": {"k": "A"}}),
            "Value '{k=A}' at 'map' failed to satisfy constraint: Map value must satisfy \
             constraint: [Member must satisfy regular expression pattern: [a-z]+]",
        ),
        (
            json!({"UserName": "u", "Tags": [{"Key": "a"}, {"Key": ""}]}),
            "Value '' at 'tags.2.member.key' failed to satisfy constraint: Member must have length \
             greater than or equal to 1",
        ),
        (
            json!({"UserName": "u", "Tags": [{}]}),
            &format!("Value null at 'tags.1.member.key' {NULL}"),
        ),
        (
            json!({"UserName": "u", "Which": {"A": "a", "B": "b"}}),
            "Value at 'which' failed to satisfy constraint: Member must have exactly one of its \
             members set",
        ),
    ];
    for (body, message) in cases {
        check_words(&body, message);
    }
}

#[test]
fn all_violations_come_in_one_message() {
    check(
        Protocol::Query,
        "Action=Try&Count=11&Tags.member.1.Key=",
        "ValidationError",
        &format!(
            "3 validation errors detected: Value null at 'userName' {NULL}; Value '11' at 'count' \
             failed to satisfy constraint: Member must have value less than or equal to 10; Value \
             '' at 'tags.1.member.key' failed to satisfy constraint: Member must have length \
             greater than or equal to 1"
        ),
    );
}

#[test]
fn each_protocol_has_its_own_codes() {
    let name = "x".repeat(9);
    let long = format!(
        "{ONE}Value '{name}' at 'userName' failed to satisfy constraint: Member must have length \
         less than or equal to 8"
    );
    let json = format!("{{\"UserName\":\"{name}\"}}");
    let query = format!("UserName={name}");
    check(Protocol::Query, &query, "ValidationError", &long);
    check(Protocol::Json10, &json, "ValidationException", &long);
    check(Protocol::RestJson, &json, "ValidationException", &long);
    check(Protocol::RestXml, format!("<T><UserName>{name}</UserName></T>"), "InvalidInput", &long);
    let cbor = [b"\xa1\x68UserName\x69".as_slice(), name.as_bytes()].concat();
    check(Protocol::RpcV2Cbor, cbor, "ValidationException", &long);
    check(
        Protocol::Ec2,
        &query,
        "InvalidParameterValue",
        &format!("Value ({name}) for parameter UserName is invalid."),
    );
    check(
        Protocol::Ec2,
        "Count=1",
        "MissingParameter",
        "The request must contain the parameter UserName",
    );
}

#[test]
fn values_of_the_wrong_type() {
    let serialization = "SerializationException";
    let cases = [
        (json!({"UserName": 1}), "NUMBER_VALUE can not be converted to String"),
        (json!({"UserName": {}}), "Start of structure or map found where not expected"),
        (json!({"UserName": []}), "Start of list found where not expected"),
        (json!({"Count": "1"}), "STRING_VALUE can not be converted to Integer"),
        (json!({"Count": 1.5}), "NUMBER_VALUE can not be converted to Integer"),
        (json!({"Count": 2_147_483_648_i64}), "number out of range for a 32-bit integer"),
        (json!({"Flag": "true"}), "STRING_VALUE can not be converted to Boolean"),
        (json!({"Names": "a"}), "STRING_VALUE can not be converted to a list"),
        (json!({"Map": true}), "TRUE_VALUE can not be converted to a map"),
        (json!({"When": "2020-01-01T00:00:00Z"}), "STRING_VALUE can not be converted to Timestamp"),
        (json!({"Tags": [7]}), "NUMBER_VALUE can not be converted to Inner"),
        (json!([]), "Start of list found where not expected"),
    ];
    for (body, message) in cases {
        check(Protocol::Json11, body.to_string(), serialization, message);
        check(Protocol::RestJson, body.to_string(), serialization, message);
    }
    let queries = [
        ("Count=one", "Count must be an integer"),
        ("Flag=yes", "Flag must be true or false"),
        ("When=yesterday", "When must be a timestamp"),
        ("Tags.member.x.Key=a", "Tags.member must be followed by numbers"),
        ("Map.entry.1.value=a", "Map.entry.1.value has no key"),
    ];
    for (body, message) in queries {
        check(Protocol::Query, body, "MalformedInput", message);
    }
    check(
        Protocol::RpcV2Cbor,
        b"\xa1\x68UserName\x01",
        serialization,
        "NUMBER_VALUE can not be converted to String",
    );
}

#[test]
fn bytes_that_are_not_of_the_protocol() {
    let not_json = "Unable to parse the request body as JSON";
    let deep = format!("{{\"Deep\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
    let nested_tags = format!("{{\"Tags\":{}", "[{\"Tags\":".repeat(3000));
    let texts: Vec<&[u8]> = vec![
        b"{",
        b"{\"a\"",
        b"{\"a\":}",
        b"{\"a\":1,}",
        b"{\"UserName\":\"a\"} x",
        b"{\"UserName\":\"\\ud800\"}",
        b"{\"UserName\":\"\\x\"}",
        b"{\"UserName\":\"a\nb\"}",
        b"{\"Count\":01}",
        b"{\"Count\":1.}",
        b"{\"UserName\":\"\xff\"}",
        b"\xef\xbb\xbf{}",
        b"nul",
        deep.as_bytes(),
        nested_tags.as_bytes(),
    ];
    for text in texts {
        let error = refused(Protocol::Json11, text).unwrap_err();
        assert_eq!(error.code.code, "SerializationException", "{}", error.message);
        assert_eq!(error.message, not_json, "{:?}", String::from_utf8_lossy(text));
    }
    let forms: [&[u8]; 4] = [b"UserName=%zz", b"UserName=%ff", b"User%2", b"UserName=\xff"];
    for form in forms {
        let error = refused(Protocol::Query, form).unwrap_err();
        assert_eq!(error.code.code, "MalformedQueryString");
    }
    let many = "A=1&".repeat(30_000);
    assert_eq!(
        refused(Protocol::Query, many.as_bytes()).unwrap_err().code.code,
        "MalformedQueryString"
    );
    let bomb = "<!DOCTYPE a [<!ENTITY x \"xxxxxxxxxx\"><!ENTITY y \"&x;&x;&x;\">]><T>&y;</T>";
    let deep = "<a>".repeat(100_000);
    let wide = format!("<T>{}</T>", "<a/>".repeat(300_000));
    for xml in [bomb, &deep, &wide, "<T><UserName>a</T>", "<T>&nbsp;</T>", "a", "<T/><T/>"] {
        let error = refused(Protocol::RestXml, xml.as_bytes()).unwrap_err();
        assert_eq!(error.code.code, "InvalidInput");
    }
}

#[test]
fn cbor_that_lies_about_its_length() {
    let deep = [vec![0xa1, 0x61, b'X'], vec![0x81; 100_000]].concat();
    let tags = [vec![0xa1, 0x61, b'X'], vec![0xc1; 100_000]].concat();
    let cases: Vec<Vec<u8>> = vec![
        vec![0xbf],
        vec![0xa1],
        vec![0xa1, 0x61],
        vec![0xbb, 255, 255, 255, 255, 255, 255, 255, 255],
        vec![0xa1, 0x7b, 255, 255, 255, 255, 255, 255, 255, 255],
        vec![0xa1, 0x65, b'N', b'a', b'm', b'e', b's', 0x9a, 255, 255, 255, 255],
        vec![0xa1, 0x61, 0xff, 0x01],
        vec![0xa1, 0x7f, 0x61, b'X', 0x41, 0, 0xff, 0x01],
        vec![0xa0, 0xa0],
        vec![0xff],
        vec![0x1c],
        vec![0xf8, 0x20],
        deep,
        tags,
    ];
    for body in cases {
        let error = refused(Protocol::RpcV2Cbor, &body).unwrap_err();
        assert_eq!(error.code.code, "SerializationException", "{body:02x?}");
    }
}

#[test]
fn long_values_are_cut_in_messages() {
    let body = json!({"UserName": "u", "Names": vec!["x".repeat(500); 400]}).to_string();
    let error = refused(Protocol::Json11, body.as_bytes()).unwrap_err();
    assert!(error.message.len() < 8_000, "{}", error.message.len());
}

/// The patterns of all services: those that no engine here can hold are listed, and the list may
/// only shrink.
#[test]
fn every_pattern_of_every_service_is_checked() {
    use palisade_shape::{Kind, Member};
    use std::collections::BTreeSet;
    fn walk(member: &'static Member, seen: &mut BTreeSet<usize>, found: &mut BTreeSet<&str>) {
        if !seen.insert(std::ptr::from_ref(member.target).addr()) {
            return;
        }
        match &member.target.kind {
            Kind::String(text) => {
                found.insert(text.pattern);
            }
            Kind::List(list) => walk(&list.member, seen, found),
            Kind::Map(map) => {
                walk(&map.key, seen, found);
                walk(&map.value, seen, found);
            }
            Kind::Structure(structure) => {
                structure.members.iter().for_each(|member| walk(member, seen, found));
            }
            _ => {}
        }
    }
    let (mut seen, mut found) = (BTreeSet::new(), BTreeSet::new());
    for service in palisade_model::SERVICES {
        for operation in service.operations {
            for structure in [operation.input, operation.output] {
                structure.members.iter().for_each(|row| walk(row, &mut seen, &mut found));
            }
        }
    }
    let unsupported: Vec<&str> = found
        .iter()
        .copied()
        .filter(|pattern| !palisade_protocol::pattern_is_supported(pattern))
        .collect();
    println!("{} patterns", found.len());
    assert!(found.len() > 100);
    assert_eq!(unsupported, Vec::<&str>::new());
}
