//! The service, its operations and the errors they document.

use crate::Result;
use crate::generate::names::{screaming, unique};
use crate::generate::service::{Api, error_code};
use crate::json::Json;
use std::collections::BTreeSet;
use std::fmt::Write as _;

pub fn service(api: &Api, text: &mut String) -> Result<()> {
    let of = |key: &str| api.metadata.text(key);
    let signing =
        if of("signingName").is_empty() { of("endpointPrefix") } else { of("signingName") };
    let list: Vec<String> =
        protocols(api)?.iter().map(|protocol| format!("shape::Protocol::{protocol}")).collect();
    text.push_str("pub static SERVICE: shape::Service = shape::Service {\n");
    for (field, value) in [
        ("name", api.name.as_str()),
        ("signing_name", signing),
        ("endpoint_prefix", of("endpointPrefix")),
        ("id", of("serviceId")),
        ("api_version", of("apiVersion")),
        ("target_prefix", of("targetPrefix")),
        ("xml_namespace", of("xmlNamespace")),
    ] {
        let _ = writeln!(text, "    {field}: {value:?},");
    }
    let _ = writeln!(text, "    protocols: &[{}],", list.join(", "));
    text.push_str("    operations: &[\n");
    for name in api.operations.keys() {
        let _ = writeln!(text, "        &operations::{},", screaming(name));
    }
    text.push_str("    ],\n};\n\n");
    Ok(())
}

fn protocols(api: &Api) -> Result<Vec<&'static str>> {
    let mut names = api.metadata.strings("protocols");
    if names.is_empty() {
        names.push(api.metadata.text("protocol"));
    }
    let json = match api.metadata.text("jsonVersion") {
        "1.0" => "Json10",
        _ => "Json11",
    };
    let known = |name: &&str| match *name {
        "query" => Ok("Query"),
        "ec2" => Ok("Ec2"),
        "json" => Ok(json),
        "rest-json" => Ok("RestJson"),
        "rest-xml" => Ok("RestXml"),
        "smithy-rpc-v2-cbor" => Ok("RpcV2Cbor"),
        other => Err(format!("{}: protocol {other}", api.name)),
    };
    names.iter().map(known).collect()
}

pub fn errors(api: &Api, text: &mut String) -> Result<()> {
    for (name, shape) in api.errors() {
        let error = shape.get("error").unwrap_or(&Json::Null);
        let receiver = shape.flag("fault");
        let fault = if receiver { "Receiver" } else { "Sender" };
        let status = error.integer("httpStatusCode").unwrap_or(if receiver { 500 } else { 400 });
        let fault = if status >= 500 { "Receiver" } else { fault };
        let structure = format!("Some(&structures::{})", api.table_name(name)?);
        let _ = write!(
            text,
            "pub static {}: shape::ErrorCode = shape::ErrorCode {{\n    code: {:?},\n\
              \x20   shape: {name:?},\n\
             \x20   status: {status},\n    fault: shape::Fault::{fault},\n\
              \x20   structure: {structure},\n}};\n\n",
            api.error_name(name)?,
            error_code(name, shape),
        );
    }
    Ok(())
}

pub fn operations(api: &Api, text: &mut String) -> Result<()> {
    text.push_str(
        "pub mod operations {\n    use super::*;\n    \
                   use palisade_shape::{Auth, Method, Operation};\n\n",
    );
    let query = protocols(api)?.contains(&"Query");
    let mut used = BTreeSet::new();
    for (name, operation) in &api.operations {
        let constant = unique(screaming(name), &mut used);
        if constant != screaming(name) {
            return Err(format!("{}: two operations are {constant}", api.name));
        }
        let uid = api.metadata.text("uid");
        let _ = writeln!(text, "    /// <https://docs.aws.amazon.com/goto/WebAPI/{uid}/{name}>");
        let _ = writeln!(text, "    pub static {constant}: Operation = Operation {{");
        for (field, value) in operation_fields(api, name, operation, query)? {
            let _ = writeln!(text, "        {field}: {value},");
        }
        text.push_str("    };\n\n");
    }
    text.push_str("}\n\n");
    Ok(())
}

fn operation_fields(
    api: &Api,
    name: &str,
    operation: &Json,
    query: bool,
) -> Result<Vec<(&'static str, String)>> {
    let http = operation.get("http").unwrap_or(&Json::Null);
    let method = match http.text("method") {
        "GET" => "Get",
        "HEAD" => "Head",
        "POST" => "Post",
        "PUT" => "Put",
        "PATCH" => "Patch",
        "DELETE" => "Delete",
        other => return Err(format!("{}: {name}: method {other}", api.name)),
    };
    let structure = |side: &str| match operation.get(side) {
        Some(side) => Ok(format!("&structures::{}", api.table_name(side.text("shape"))?)),
        None => Ok::<String, String>("<Nothing as Named>::STRUCTURE".into()),
    };
    let wrapper = match operation.get("output") {
        Some(output) if !output.text("resultWrapper").is_empty() => {
            output.text("resultWrapper").to_string()
        }
        // Models that left the query protocol no longer say what it always was.
        Some(_) if query => format!("{name}Result"),
        _ => String::new(),
    };
    let mut errors = Vec::new();
    for error in operation.get("errors").map(Json::items).unwrap_or_default() {
        errors.push(format!("&{}", api.error_name(error.text("shape"))?));
    }
    let checksum = operation.get("httpChecksum").unwrap_or(&Json::Null);
    let checksum =
        operation.flag("httpChecksumRequired") || checksum.flag("requestChecksumRequired");
    let host = operation.get("endpoint").map(|endpoint| endpoint.text("hostPrefix"));
    Ok(vec![
        ("name", format!("{name:?}")),
        ("method", format!("Method::{method}")),
        ("uri", format!("{:?}", http.text("requestUri"))),
        ("status", http.integer("responseCode").unwrap_or(200).to_string()),
        ("host_prefix", format!("{:?}", host.unwrap_or_default())),
        ("input", structure("input")?),
        ("output", structure("output")?),
        ("result_wrapper", format!("{wrapper:?}")),
        ("errors", format!("&[{}]", errors.join(", "))),
        ("auth", format!("Auth::{}", auth(api, name, operation)?)),
        ("checksum_required", checksum.to_string()),
        ("idempotent", operation.flag("idempotent").to_string()),
    ])
}

fn auth(api: &Api, name: &str, operation: &Json) -> Result<&'static str> {
    match operation.text("authtype") {
        "" => {}
        "none" => return Ok("None"),
        "v4-unsigned-body" => return Ok("SigV4UnsignedPayload"),
        "bearer" => return Ok("Bearer"),
        other => return Err(format!("{}: {name}: authtype {other}", api.name)),
    }
    let mut schemes = operation.strings("auth");
    if schemes.is_empty() {
        schemes = api.metadata.strings("auth");
    }
    match schemes.first() {
        Some(&"smithy.api#noAuth") => Ok("None"),
        Some(&"smithy.api#httpBearerAuth") => Ok("Bearer"),
        Some(&("aws.auth#sigv4" | "aws.auth#sigv4a")) | None => {
            let unsigned = operation.flag("unsignedPayload");
            Ok(if unsigned { "SigV4UnsignedPayload" } else { "SigV4" })
        }
        Some(other) => Err(format!("{}: {name}: auth {other}", api.name)),
    }
}
