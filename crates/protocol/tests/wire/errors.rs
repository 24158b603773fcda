//! The envelopes of errors, as they stand on the wire.

use crate::tables::{self, Tables, leak};
use palisade_protocol::{Extra, Response, respond_error};
use palisade_shape::{ErrorCode, Fault, Operation, Protocol, Service};
use serde_json::{Value, json};

fn gone() -> &'static ErrorCode {
    let tables = Tables { shapes: &Value::Null };
    let structure = tables.structure(
        "GoneException",
        &json!({
            "Code": {"type": "integer"},
            "Message": "string",
            "Seconds": {"type": "integer", "at": "header", "wire": "x-seconds"},
            "ThingName": {"type": "string", "wire": "thingName"},
            "Things": {"list": "string"},
            "When": "timestamp"
        }),
    );
    leak(ErrorCode {
        code: "Gone.Thing",
        shape: "GoneException",
        status: 410,
        fault: Fault::Sender,
        structure: Some(structure),
    })
}

fn text_of(response: &Response) -> String {
    let mut text = format!("{}\n", response.status);
    for (name, value) in &response.headers {
        text.push_str(&format!("{name}: {}\n", value.to_str().unwrap()));
    }
    text.push('\n');
    match std::str::from_utf8(&response.body) {
        Ok(body) if !body.contains('\u{1}') => text.push_str(body),
        _ => response.body.iter().for_each(|byte| text.push_str(&format!("{byte:02x}"))),
    }
    text
}

fn services() -> Vec<(&'static str, Protocol, &'static Service, &'static Operation)> {
    let structure = Tables { shapes: &Value::Null }.structure("Tried", &json!({}));
    let protocols = ["query", "ec2", "json-1.0", "json-1.1", "rest-json", "rest-xml", "cbor"];
    let row = |name: &'static str| {
        let protocol = tables::protocol(name);
        let operation = tables::operation(structure, &Value::Null);
        (name, protocol, tables::service(protocol, operation), operation)
    };
    protocols.into_iter().map(row).collect()
}

#[test]
fn an_error_with_members() {
    let error = gone()
        .because("It is <gone> & lost")
        .with("ThingName", "a \"thing\"")
        .with("Code", "7")
        .with("Seconds", "30")
        .with("When", "1970-01-01T00:00:10Z")
        .with("Things", "[not carried]")
        .internally("never shown");
    for (name, protocol, service, operation) in services() {
        let extra = Extra::default();
        let response = respond_error(protocol, service, Some(operation), &error, "id-1", &extra);
        insta::assert_snapshot!(format!("members-{name}"), text_of(&response));
    }
}

#[test]
fn an_error_that_no_model_has() {
    static PLAIN: ErrorCode = ErrorCode::plain("ThrottlingException", 400);
    let error = PLAIN.because("Rate exceeded");
    for (name, protocol, service, _) in services() {
        let response = respond_error(protocol, service, None, &error, "id-1", &Extra::default());
        insta::assert_snapshot!(format!("plain-{name}"), text_of(&response));
    }
}

#[test]
fn an_error_of_s3() {
    static NO_SUCH_KEY: ErrorCode = ErrorCode::plain("NoSuchKey", 404);
    let error = NO_SUCH_KEY.because("The specified key does not exist.").with("Key", "a<b");
    let s3 = palisade_model::s3::SERVICE.operation("GetObject").unwrap();
    let head = palisade_model::s3::SERVICE.operation("HeadObject").unwrap();
    let extra = Extra { resource: "/bucket/a%3Cb", host_id: "host/id==", ..Extra::default() };
    for operation in [s3, head] {
        let service = &palisade_model::s3::SERVICE;
        let response =
            respond_error(Protocol::RestXml, service, Some(operation), &error, "ID1", &extra);
        insta::assert_snapshot!(format!("s3-{}", operation.name), text_of(&response));
    }
}

/// SQS moved from query to JSON and still tells the old code in a header.
#[test]
fn an_error_of_a_service_that_moved() {
    let service = &palisade_model::sqs::SERVICE;
    let operation = service.operation("GetQueueUrl").unwrap();
    let gone = operation.errors.iter().find(|code| code.shape == "QueueDoesNotExist").unwrap();
    let error = gone.because("The specified queue does not exist.");
    for (name, protocol) in [("query", Protocol::Query), ("json", Protocol::Json10)] {
        let extra = Extra { retry_after_seconds: Some(5), ..Extra::default() };
        let response = respond_error(protocol, service, Some(operation), &error, "id-1", &extra);
        insta::assert_snapshot!(format!("sqs-{name}"), text_of(&response));
    }
}
