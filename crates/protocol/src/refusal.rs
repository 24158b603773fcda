//! What a reader found wrong, as the error that AWS answers in that protocol.

use palisade_shape::{Error, ErrorCode, Kind, Operation, Protocol, Service, Violation};

/// query: a constraint is broken (IAM, "Common errors").
pub static VALIDATION_ERROR: ErrorCode = ErrorCode::plain("ValidationError", 400);
/// query: a parameter is not of its type.
pub static MALFORMED_INPUT: ErrorCode = ErrorCode::plain("MalformedInput", 400);
/// query: the form itself cannot be read.
pub static MALFORMED_QUERY_STRING: ErrorCode = ErrorCode::plain("MalformedQueryString", 400);
/// json, rest-json, cbor: a constraint is broken.
pub static VALIDATION_EXCEPTION: ErrorCode = ErrorCode::plain("ValidationException", 400);
/// json, rest-json, cbor: the body cannot be read as the input.
pub static SERIALIZATION_EXCEPTION: ErrorCode = ErrorCode::plain("SerializationException", 400);
/// Cognito and CloudWatch Logs say this for a broken constraint.
pub static INVALID_PARAMETER_EXCEPTION: ErrorCode =
    ErrorCode::plain("InvalidParameterException", 400);
/// ec2: a required parameter is absent.
pub static MISSING_PARAMETER: ErrorCode = ErrorCode::plain("MissingParameter", 400);
/// ec2: a parameter's value is not allowed.
pub static INVALID_PARAMETER_VALUE: ErrorCode = ErrorCode::plain("InvalidParameterValue", 400);
/// S3: the body is no XML or not of the schema.
pub static MALFORMED_XML: ErrorCode = ErrorCode::plain("MalformedXML", 400);
/// S3: a header or query parameter is wrong.
pub static INVALID_ARGUMENT: ErrorCode = ErrorCode::plain("InvalidArgument", 400);
/// S3: a required header or query parameter is absent.
pub static INVALID_REQUEST: ErrorCode = ErrorCode::plain("InvalidRequest", 400);
/// Other rest-xml services (Route 53).
pub static INVALID_INPUT: ErrorCode = ErrorCode::plain("InvalidInput", 400);

/// S3's text, which never says what is wrong with the document.
const NOT_WELL_FORMED: &str = "The XML you provided was not well-formed or did not validate \
                               against our published schema";

/// The error for the violations, of which there is at least one.
pub fn refuse(
    protocol: Protocol,
    service: &Service,
    operation: &Operation,
    violations: &[Violation],
) -> Error {
    let malformed = violations.iter().find_map(|violation| match violation {
        Violation::Malformed { path, reason } => Some((path.as_str(), reason.as_str())),
        _ => None,
    });
    if let Some((path, reason)) = malformed {
        return refuse_malformed(protocol, service, path, reason);
    }
    match protocol {
        Protocol::Query => VALIDATION_ERROR.because(message(violations)),
        Protocol::Ec2 => refuse_ec2(violations),
        Protocol::RestXml if service.name == "s3" => refuse_s3(violations),
        Protocol::RestXml => declared(operation, &["InvalidInput", "ValidationException"])
            .unwrap_or(&INVALID_INPUT)
            .because(message(violations)),
        Protocol::Json10 | Protocol::Json11 | Protocol::RestJson | Protocol::RpcV2Cbor => {
            refuse_json(service, operation, violations)
        }
    }
}

fn refuse_malformed(protocol: Protocol, service: &Service, path: &str, reason: &str) -> Error {
    match protocol {
        Protocol::Query => MALFORMED_INPUT.because(reason.to_owned()),
        Protocol::Ec2 => INVALID_PARAMETER_VALUE.because(reason.to_owned()),
        Protocol::RestXml if service.name == "s3" => {
            // The body's members have no better text; headers name what is wrong.
            MALFORMED_XML.because(NOT_WELL_FORMED).internally(format!("{path}: {reason}"))
        }
        Protocol::RestXml => INVALID_INPUT.because(reason.to_owned()),
        _ => SERIALIZATION_EXCEPTION.because(reason.to_owned()),
    }
}

fn refuse_ec2(violations: &[Violation]) -> Error {
    match violations.first() {
        Some(Violation::Missing { path }) => {
            let name = upper_camel(path);
            MISSING_PARAMETER.because(format!("The request must contain the parameter {name}"))
        }
        Some(Violation::Constraint { path, value, .. }) => {
            let value = value.as_deref().unwrap_or_default();
            let name = upper_camel(path);
            INVALID_PARAMETER_VALUE
                .because(format!("Value ({value}) for parameter {name} is invalid."))
        }
        _ => INVALID_PARAMETER_VALUE.because(message(violations)),
    }
}

fn upper_camel(path: &str) -> String {
    let mut letters = path.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn refuse_s3(violations: &[Violation]) -> Error {
    let is_nested = |path: &str| path.contains('.');
    match violations.first() {
        Some(Violation::Missing { path } | Violation::Constraint { path, .. })
            if is_nested(path) =>
        {
            MALFORMED_XML.because(NOT_WELL_FORMED).internally(message(violations))
        }
        Some(Violation::Missing { path }) => {
            INVALID_REQUEST.because(format!("Missing required parameter: {}", upper_camel(path)))
        }
        _ => INVALID_ARGUMENT.because(message(violations)),
    }
}

fn refuse_json(service: &Service, operation: &Operation, violations: &[Violation]) -> Error {
    let coded = matches!(service.name, "cognito-idp" | "cognito-identity" | "logs");
    let names: &[&str] = if coded {
        &["InvalidParameterException", "ValidationException"]
    } else {
        &["ValidationException"]
    };
    let otherwise = if coded { &INVALID_PARAMETER_EXCEPTION } else { &VALIDATION_EXCEPTION };
    let code = declared(operation, names).unwrap_or(otherwise);
    let error = code.because(message(violations));
    match reason_of(code) {
        Some((member, reason)) => error.with(member, reason),
        None => error,
    }
}

/// The value that newer services' `ValidationException` has for a broken constraint.
fn reason_of(code: &'static ErrorCode) -> Option<(&'static str, &'static str)> {
    let member =
        code.structure?.members.iter().find(|member| member.name.eq_ignore_ascii_case("reason"))?;
    let Kind::String(text) = &member.target.kind else { return None };
    let plain = |value: &str| value.replace('_', "").to_ascii_lowercase();
    let value = text.values.iter().find(|value| plain(value) == "fieldvalidationfailed")?;
    Some((member.name, value))
}

fn declared(operation: &Operation, names: &[&str]) -> Option<&'static ErrorCode> {
    let named = |name: &str| operation.errors.iter().find(|error| error.shape == name).copied();
    names.iter().find_map(|name| named(name))
}

/// Coral's message: all violations in one line.
pub fn message(violations: &[Violation]) -> String {
    let plural = if violations.len() == 1 { "" } else { "s" };
    let mut text = format!("{} validation error{plural} detected: ", violations.len());
    for (index, violation) in violations.iter().enumerate() {
        if index > 0 {
            text.push_str("; ");
        }
        match violation {
            Violation::Malformed { path, reason } => {
                text.push_str(&format!("Value at '{path}' failed to be read: {reason}"));
            }
            Violation::Missing { path } => text.push_str(&format!(
                "Value null at '{path}' failed to satisfy constraint: Member must not be null"
            )),
            Violation::Constraint { path, value: Some(value), constraint } => text.push_str(
                &format!("Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"),
            ),
            Violation::Constraint { path, value: None, constraint } => text
                .push_str(&format!("Value at '{path}' failed to satisfy constraint: {constraint}")),
        }
    }
    text
}
