//! Event stream frames both ways, whole and in pieces, right and wrong.

use crate::tables::Tables;
use palisade_protocol::dynamic::Dynamic;
use palisade_protocol::event_stream::{Decoder, Frame, FrameError, HeaderValue, event, exception};
use palisade_protocol::from_json;
use palisade_shape::{ErrorCode, Kind, Protocol, Timestamp};
use serde_json::{Value, json};

fn all_types() -> Frame {
    let headers = [
        ("yes", HeaderValue::Boolean(true)),
        ("no", HeaderValue::Boolean(false)),
        ("byte", HeaderValue::Byte(-1)),
        ("short", HeaderValue::Short(-2)),
        ("integer", HeaderValue::Integer(-3)),
        ("long", HeaderValue::Long(i64::MIN)),
        ("bytes", HeaderValue::Bytes(vec![0, 255])),
        ("string", HeaderValue::String("é".into())),
        ("timestamp", HeaderValue::Timestamp(Timestamp::from_millis(-5))),
        ("uuid", HeaderValue::Uuid([7; 16])),
    ];
    let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Frame { headers, payload: b"payload".to_vec() }
}

#[test]
fn every_header_type_survives_in_pieces() {
    let frame = all_types();
    let bytes = frame.encode().unwrap();
    let stream = [bytes.clone(), Frame::default().encode().unwrap(), bytes].concat();
    for size in [1, 2, 7, 13, stream.len()] {
        let (mut decoder, mut found) = (Decoder::default(), Vec::new());
        for piece in stream.chunks(size) {
            decoder.push(piece);
            while let Some(frame) = decoder.next_frame().unwrap() {
                found.push(frame);
            }
        }
        assert_eq!(found, [frame.clone(), Frame::default(), frame.clone()]);
        assert!(!decoder.is_partial());
    }
}

/// The empty message of the specification: sixteen bytes with these two checksums.
#[test]
fn the_empty_frame() {
    let bytes = Frame::default().encode().unwrap();
    let expected = [0, 0, 0, 16, 0, 0, 0, 0, 0x05, 0xc2, 0x48, 0xeb, 0x7d, 0x98, 0xc8, 0xff];
    assert_eq!(bytes, expected);
}

#[test]
fn every_changed_bit_is_noticed() {
    let bytes = all_types().encode().unwrap();
    for index in 0..bytes.len() {
        let mut broken = bytes.clone();
        broken[index] ^= 0x10;
        let mut decoder = Decoder::default();
        decoder.push(&broken);
        assert!(decoder.next_frame().is_err(), "byte {index}");
    }
}

#[test]
fn lengths_beyond_the_limits() {
    let prelude = |total: u32, headers: u32| {
        let mut bytes = [total.to_be_bytes(), headers.to_be_bytes()].concat();
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        bytes
    };
    for (total, headers) in [(u32::MAX, 0), (20, 200_000), (15, 0), (16, 1), (0, 0)] {
        let mut decoder = Decoder::default();
        decoder.push(&prelude(total, headers));
        assert_eq!(decoder.next_frame(), Err(FrameError::Length), "{total} {headers}");
    }
    let long = Frame {
        headers: vec![("n".into(), HeaderValue::Bytes(vec![0; 70_000]))],
        payload: Vec::new(),
    };
    assert_eq!(long.encode(), Err(FrameError::Header));
}

/// A header without a name cannot be written and is not read either.
#[test]
fn a_header_without_a_name() {
    let mut bytes = [22_u32.to_be_bytes(), 2_u32.to_be_bytes()].concat();
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes.extend(b"\x00\x00load");
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    let mut decoder = Decoder::default();
    decoder.push(&bytes);
    assert_eq!(decoder.next_frame(), Err(FrameError::Header));
}

#[test]
fn events_take_their_members_apart() {
    let stream = Tables { shapes: &Value::Null }.structure(
        "Stream",
        &json!({
            "Plain": {"structure": {"A": "string", "B": "integer"}},
            "Raw": {"structure": {
                "Data": {"type": "blob", "event_payload": true},
                "Size": {"type": "long", "event_header": true}
            }}
        }),
    );
    let make = |name: &str, value: Value| {
        let row = &stream.members[stream.position(name).unwrap()];
        let Kind::Structure(structure) = &row.target.kind else { panic!("no structure") };
        let mut dynamic = Dynamic::of(structure);
        from_json(value.to_string().as_bytes(), &mut dynamic).unwrap();
        (row, dynamic)
    };
    let (row, value) = make("Plain", json!({"A": "x", "B": 1}));
    let cases: [(Protocol, &[u8], &str); 3] = [
        (Protocol::RestJson, b"{\"A\":\"x\",\"B\":1}", "application/json"),
        (Protocol::RestXml, b"<Target><A>x</A><B>1</B></Target>", "text/xml"),
        (Protocol::RpcV2Cbor, b"\xa2\x61A\x61x\x61B\x01", "application/cbor"),
    ];
    for (protocol, payload, media) in cases {
        let frame = event(protocol, row, &value);
        assert_eq!(frame.payload, payload);
        assert_eq!(frame.text(":event-type"), Some("Plain"));
        assert_eq!(frame.text(":message-type"), Some("event"));
        assert_eq!(frame.text(":content-type"), Some(media));
    }
    let (row, value) = make("Raw", json!({"Data": "YWI=", "Size": 2}));
    let frame = event(Protocol::RestXml, row, &value);
    assert_eq!(frame.payload, b"ab");
    assert!(frame.headers.contains(&("Size".into(), HeaderValue::Integer(2))));
    static BROKEN: ErrorCode = ErrorCode::plain("Broken", 500);
    let frame = exception(Protocol::RestJson, "Broken", &BROKEN.because("\"so\""));
    assert_eq!(frame.text(":exception-type"), Some("Broken"));
    assert_eq!(frame.payload, b"{\"message\":\"\\\"so\\\"\"}");
}
