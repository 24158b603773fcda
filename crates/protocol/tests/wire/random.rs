//! Random values written and read again in every protocol that has both directions, and random
//! bytes read as requests.

use crate::tables::{self, Tables};
use http::{HeaderMap, Method};
use palisade_protocol::dynamic::Dynamic;
use palisade_protocol::{Parts, from_json, read_request, respond, to_json};
use palisade_shape::{Operation, Protocol, Service, Structure};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// All kinds, nested in each other.
fn members() -> Value {
    json!({
        "Blob": "blob",
        "Bool": "boolean",
        "Double": "double",
        "Float": "float",
        "Inner": {"structure": {
            "Deep": {"map": ["string", {"list": "timestamp"}]},
            "Text": "string"
        }},
        "Integer": "integer",
        "List": {"list": {"structure": {"Key": "string", "Value": "long"}}},
        "Long": "long",
        "Map": {"map": ["string", "string"]},
        "Text": "string",
        "Union": {"union": {"A": "string", "B": {"list": "integer"}}},
        "When": "timestamp"
    })
}

fn member() -> impl Strategy<Value = (String, Value)> {
    let pair = |name: &'static str| move |value: Value| (name.to_owned(), value);
    let text = any::<String>();
    let object = |pairs: Vec<(String, Value)>| Value::Object(pairs.into_iter().collect());
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..20).prop_map(|bytes| {
            use base64::Engine as _;
            let text = base64::engine::general_purpose::STANDARD.encode(bytes);
            ("Blob".to_owned(), json!(text))
        }),
        any::<bool>().prop_map(|value| json!(value)).prop_map(pair("Bool")),
        any::<f64>().prop_map(number).prop_map(pair("Double")),
        any::<f32>().prop_map(|value| number(f64::from(value))).prop_map(pair("Float")),
        any::<i32>().prop_map(|value| json!(value)).prop_map(pair("Integer")),
        any::<i64>().prop_map(|value| json!(value)).prop_map(pair("Long")),
        text.prop_map(|value| json!(value)).prop_map(pair("Text")),
        instant().prop_map(pair("When")),
        prop::collection::vec((text, any::<i64>()), 0..4)
            .prop_map(|all| {
                all.into_iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
            })
            .prop_map(pair("List")),
        prop::collection::vec((text, text.prop_map(|value| json!(value))), 0..4)
            .prop_map(object)
            .prop_map(pair("Map")),
        prop_oneof![
            text.prop_map(|value| json!({"A": value})),
            prop::collection::vec(any::<i32>(), 0..3).prop_map(|value| json!({"B": value})),
        ]
        .prop_map(pair("Union")),
        prop::collection::vec(
            (text, prop::collection::vec(instant(), 0..3).prop_map(Value::Array)),
            0..3
        )
        .prop_map(move |deep| json!({"Deep": object(deep), "Text": "t"}))
        .prop_map(pair("Inner")),
    ]
}

fn number(value: f64) -> Value {
    if value.is_nan() {
        json!("NaN")
    } else if value.is_infinite() {
        json!(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        json!(value)
    }
}

/// Milliseconds in years of four digits.
fn instant() -> impl Strategy<Value = Value> {
    (-62_167_219_200_000_i64..253_402_300_799_999).prop_map(|millis| {
        let sign = if millis < 0 { "-" } else { "" };
        let millis = millis.unsigned_abs();
        let text = format!("{sign}{}.{:03}", millis / 1000, millis % 1000);
        serde_json::from_str(&text).unwrap()
    })
}

fn value() -> impl Strategy<Value = Value> {
    prop::collection::vec(member(), 0..8)
        .prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>()))
}

thread_local! {
    static TABLE: &'static Structure =
        Tables { shapes: &Value::Null }.structure("Tried", &members());
}

fn trial(protocol: Protocol) -> (&'static Service, &'static Operation) {
    let operation = tables::operation(TABLE.with(|table| *table), &Value::Null);
    (tables::service(protocol, operation), operation)
}

fn read(protocol: Protocol, body: &[u8]) -> (palisade_shape::Result<()>, Dynamic) {
    let (service, operation) = trial(protocol);
    let (method, headers) = (Method::POST, HeaderMap::new());
    let parts = Parts {
        method: &method,
        raw_path: "/",
        raw_query: "",
        headers: &headers,
        body,
        labels: &[],
    };
    let mut input = Dynamic::of(operation.input);
    let result = read_request(protocol, service, operation, &parts, &mut input);
    (result, input)
}

/// Control characters other than tab and line ends are in no XML document, whoever writes it.
fn is_xml(value: &Value) -> bool {
    let text = value.to_string();
    !["\\u00", "\\b", "\\f", "\u{fffe}", "\u{ffff}"].iter().any(|mark| text.contains(mark))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(value in value()) {
        let mut given = Dynamic::of(TABLE.with(|table| *table));
        from_json(value.to_string().as_bytes(), &mut given).unwrap();
        let mut again = Dynamic::of(TABLE.with(|table| *table));
        from_json(&to_json(&given), &mut again).unwrap();
        prop_assert_eq!(&again, &given, "the store's JSON");
        let protocols =
            [Protocol::Json10, Protocol::Json11, Protocol::RestJson, Protocol::RpcV2Cbor];
        for protocol in protocols {
            let (service, operation) = trial(protocol);
            let response = respond(protocol, service, operation, &given, "id");
            let (result, input) = read(protocol, &response.body);
            prop_assert!(result.is_ok(), "{protocol:?} {result:?}");
            prop_assert_eq!(&input, &given, "{:?}", protocol);
        }
        if is_xml(&value) {
            let (service, operation) = trial(Protocol::RestXml);
            let response = respond(Protocol::RestXml, service, operation, &given, "id");
            let (result, input) = read(Protocol::RestXml, &response.body);
            let text = String::from_utf8_lossy(&response.body);
            prop_assert!(result.is_ok(), "{text} {result:?}");
            prop_assert_eq!(&input, &given, "{}", text);
        }
    }

    #[test]
    fn no_bytes_make_a_reader_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        text in "[\\[\\]{}\",:a-zA-Z0-9<>/&;=%.+ -]{0,120}",
    ) {
        let protocols = [
            Protocol::Query, Protocol::Ec2, Protocol::Json11, Protocol::RestJson,
            Protocol::RestXml, Protocol::RpcV2Cbor,
        ];
        for protocol in protocols {
            let _ = read(protocol, &bytes);
            let _ = read(protocol, text.as_bytes());
        }
    }

    #[test]
    fn a_cut_document_is_refused(value in value(), cut in any::<prop::sample::Index>()) {
        let mut given = Dynamic::of(TABLE.with(|table| *table));
        from_json(value.to_string().as_bytes(), &mut given).unwrap();
        for protocol in [Protocol::Json11, Protocol::RestXml, Protocol::RpcV2Cbor] {
            let (service, operation) = trial(protocol);
            let body = respond(protocol, service, operation, &given, "id").body;
            let end = cut.index(body.len());
            // Nothing at all is an input without members.
            if end > 0 {
                prop_assert!(read(protocol, &body[..end]).0.is_err(), "{protocol:?}");
            }
        }
    }
}
