//! The tables: what a structure's members are called, where they stand, what they may hold.

use crate::Result;
use crate::generate::service::{Api, is_structure};
use crate::generate::shapes::{is_required, is_streaming, members};
use crate::json::Json;
use std::collections::BTreeMap;
use std::fmt::Write as _;

pub fn structures(api: &Api, text: &mut String) -> Result<()> {
    let roots = request_roots(api)?;
    text.push_str("pub mod structures {\n    use super::targets;\n    use crate::table::*;\n");
    text.push_str(
        "    use palisade_shape::{Location, Member, Structure, Traits, XmlNamespace};\n\n",
    );
    let exceptions = api.errors().filter(|(name, _)| !api.is_value(name));
    for (name, shape) in api.values().chain(exceptions).filter(|(_, shape)| is_structure(shape)) {
        let table = api.table_name(name)?;
        let _ = writeln!(text, "    pub static {table}: Structure = Structure {{");
        let _ = writeln!(text, "        name: {name:?},");
        let root = roots.get(name).copied().unwrap_or(shape);
        if !root.text("locationName").is_empty() {
            let _ = writeln!(text, "        xml_name: {:?},", root.text("locationName"));
        }
        if let Some(namespace) = root.get("xmlNamespace") {
            let _ = writeln!(text, "        xml_namespace: {},", xml_namespace(namespace));
        }
        for (fact, field) in [("union", "union"), ("eventstream", "event_stream")] {
            if shape.flag(fact) {
                let _ = writeln!(text, "        {field}: true,");
            }
        }
        let payload = shape.text("payload");
        if !payload.is_empty() {
            let index = members(shape).iter().position(|(member, _)| member == payload);
            let index = index.ok_or_else(|| format!("{name}: no member {payload}"))?;
            let _ = writeln!(text, "        payload: Some({index}),");
        }
        text.push_str("        members: &[\n");
        for (member_name, member) in members(shape) {
            let _ =
                writeln!(text, "            {},", self::member(api, shape, member_name, member)?);
        }
        text.push_str("        ],\n        ..STRUCTURE\n    };\n\n");
    }
    text.push_str("}\n\n");
    Ok(())
}

/// Shapes that some operation gives a root element of its own: the operation's `input`.
fn request_roots(api: &Api) -> Result<BTreeMap<&str, &Json>> {
    let mut roots: BTreeMap<&str, &Json> = BTreeMap::new();
    for input in api.operations.values().filter_map(|operation| operation.get("input")) {
        if input.get("locationName").is_none() && input.get("xmlNamespace").is_none() {
            continue;
        }
        let shape = input.text("shape");
        if roots.insert(shape, input).is_some_and(|other| other != input) {
            return Err(format!("{}: {shape} has two root elements", api.name));
        }
    }
    Ok(roots)
}

fn xml_namespace(namespace: &Json) -> String {
    let (prefix, uri) = match namespace.as_str() {
        Some(uri) => ("", uri),
        None => (namespace.text("prefix"), namespace.text("uri")),
    };
    format!("Some(&XmlNamespace {{ prefix: {prefix:?}, uri: {uri:?} }})")
}

fn member(api: &Api, owner: &Json, name: &str, member: &Json) -> Result<String> {
    let target_name = member.text("shape");
    let target = api.shape(target_name)?;
    let mut facts = facts(api, name, member)?;
    let traits = traits(member, target);
    let required = is_required(owner, name);
    let plain = if required { "required" } else { "member" };
    let base = format!("{plain}({name:?}, &targets::{})", api.table_name(target_name)?);
    if !traits.is_empty() {
        let required = required.then_some("REQUIRED");
        facts.push(("traits", bits(required.into_iter().chain(traits))));
    }
    Ok(with(base, &facts))
}

/// The element of a list, or the key or value of a map.
fn item(api: &Api, owner: &Json, part: &str) -> Result<String> {
    let item = owner.get(part).unwrap_or(&Json::Null);
    let target_name = item.text("shape");
    let mut facts = facts(api, part, item)?;
    let traits = traits(item, api.shape(target_name)?);
    if !traits.is_empty() {
        facts.push(("traits", bits(traits.into_iter())));
    }
    Ok(with(format!("item(&{})", api.table_name(target_name)?), &facts))
}

fn with(base: String, facts: &[(&str, String)]) -> String {
    if facts.is_empty() {
        return base;
    }
    let facts: Vec<String> =
        facts.iter().map(|(field, value)| format!("{field}: {value}")).collect();
    format!("Member {{ {}, ..{base} }}", facts.join(", "))
}

fn facts(api: &Api, name: &str, member: &Json) -> Result<Vec<(&'static str, String)>> {
    let mut facts = Vec::new();
    for (fact, field) in [("locationName", "wire"), ("queryName", "query_name")] {
        let value = member.text(fact);
        if !value.is_empty() && (value != name || fact == "queryName") {
            facts.push((field, format!("{value:?}")));
        }
    }
    let location = match member.text("location") {
        "" => None,
        "header" => Some("Header"),
        "headers" => Some("HeaderPrefix"),
        "uri" => Some("Uri"),
        "querystring" => Some("Query"),
        "statusCode" => Some("StatusCode"),
        other => return Err(format!("{}: {name}: location {other}", api.name)),
    };
    if let Some(location) = location {
        facts.push(("location", format!("Location::{location}")));
    }
    if let Some(namespace) = member.get("xmlNamespace") {
        facts.push(("xml_namespace", xml_namespace(namespace)));
    }
    if member.get("timestampFormat").is_some() {
        return Err(format!("{}: {name}: a member with a timestamp format", api.name));
    }
    Ok(facts)
}

fn traits(member: &Json, target: &Json) -> Vec<&'static str> {
    let mut traits = Vec::new();
    let facts = [
        ("flattened", "FLATTENED"),
        ("xmlAttribute", "XML_ATTRIBUTE"),
        ("idempotencyToken", "IDEMPOTENCY_TOKEN"),
        ("hostLabel", "HOST_LABEL"),
        ("jsonvalue", "JSON_VALUE"),
        ("eventpayload", "EVENT_PAYLOAD"),
        ("eventheader", "EVENT_HEADER"),
    ];
    traits.extend(facts.iter().filter(|(fact, _)| member.flag(fact)).map(|(_, name)| *name));
    if member.flag("sensitive") || target.flag("sensitive") {
        traits.push("SENSITIVE");
    }
    if is_streaming(member, target) {
        traits.push("STREAMING");
    }
    traits
}

fn bits<'a>(traits: impl Iterator<Item = &'a str>) -> String {
    let traits: Vec<String> = traits.map(|name| format!("Traits::{name}")).collect();
    format!("Traits({})", traits.join(" | "))
}

pub fn targets(api: &Api, text: &mut String) -> Result<()> {
    text.push_str("mod targets {\n    use super::structures;\n    use crate::table::*;\n");
    text.push_str("    use palisade_shape::{Kind, Member, Target, TimestampFormat, Traits};\n\n");
    for (name, shape) in api.targets() {
        let table = api.table_name(name)?;
        let make = if shape.flag("sensitive") { "sensitive" } else { "target" };
        let kind = kind(api, name, shape)?;
        let _ = writeln!(text, "    pub static {table}: Target = {make}({name:?}, {kind});");
    }
    text.push_str("}\n");
    Ok(())
}

fn kind(api: &Api, name: &str, shape: &Json) -> Result<String> {
    let flattened = shape.flag("flattened");
    let length = bounds(shape, "length", "ANY");
    Ok(match shape.text("type") {
        "boolean" => "Kind::Boolean".into(),
        "integer" => format!("Kind::Integer({})", bounds(shape, "number", "number(None, None)")),
        "long" => format!("Kind::Long({})", bounds(shape, "number", "number(None, None)")),
        "float" => "Kind::Float".into(),
        "double" => "Kind::Double".into(),
        "string" | "character" => {
            let values: Vec<String> =
                shape.strings("enum").iter().map(|value| format!("{value:?}")).collect();
            format!("text({length}, {}, &[{}])", raw(shape.text("pattern")), values.join(", "))
        }
        "blob" => format!("Kind::Blob({length})"),
        "timestamp" => format!("Kind::Timestamp({})", timestamp_format(api, name, shape)?),
        "list" => format!("list({}, {flattened}, {length})", item(api, shape, "member")?),
        "map" => {
            let key = item(api, shape, "key")?;
            let value = item(api, shape, "value")?;
            format!("map({key}, {value}, {flattened}, {length})")
        }
        "structure" if shape.flag("document") => "Kind::Document".into(),
        "structure" => format!("Kind::Structure(&structures::{})", api.table_name(name)?),
        other => return Err(format!("{}: {name}: no kind for {other}", api.name)),
    })
}

fn bounds(shape: &Json, make: &str, none: &str) -> String {
    let bound = |key: &str| match shape.integer(key) {
        // A negative bound of a length, or one past the type, bounds nothing.
        Some(value) if make == "number" || value >= 0 => format!("Some({value})"),
        _ => "None".to_string(),
    };
    let (min, max) = (bound("min"), bound("max"));
    if min == "None" && max == "None" { none.into() } else { format!("{make}({min}, {max})") }
}

fn timestamp_format(api: &Api, name: &str, shape: &Json) -> Result<String> {
    let format = match shape.text("timestampFormat") {
        "" => return Ok("None".into()),
        "iso8601" => "DateTime",
        "rfc822" => "HttpDate",
        "unixTimestamp" => "EpochSeconds",
        other => return Err(format!("{}: {name}: timestamp format {other}", api.name)),
    };
    Ok(format!("Some(TimestampFormat::{format})"))
}

/// A string literal, raw where that reads better.
fn raw(text: &str) -> String {
    if text.chars().any(char::is_control) || !text.contains(['\\', '"']) {
        return format!("{text:?}");
    }
    let mut hashes = String::new();
    while text.contains(&format!("\"{hashes}")) {
        hashes.push('#');
    }
    format!("r{hashes}\"{text}\"{hashes}")
}
