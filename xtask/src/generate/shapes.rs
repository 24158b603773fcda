//! Structures as Rust structs, enumerations as constants.

use crate::Result;
use crate::generate::names::{screaming, snake, unique};
use crate::generate::service::{Api, is_structure};
use crate::json::Json;
use std::collections::BTreeSet;
use std::fmt::Write as _;

pub fn structs(api: &Api, text: &mut String) -> Result<()> {
    for (name, shape) in api.values().filter(|(_, shape)| is_structure(shape)) {
        let kind = api.type_name(name)?;
        let table = api.table_name(name)?;
        let mut used = BTreeSet::new();
        let mut fields = Vec::new();
        text.push_str("#[derive(Clone, Default, PartialEq)]\n");
        let _ = writeln!(text, "pub struct {kind} {{");
        for (member_name, member) in members(shape) {
            let field = unique(snake(member_name), &mut used);
            let _ =
                writeln!(text, "    pub {field}: {},", field_type(api, name, member_name, member)?);
            fields.push(field);
        }
        text.push_str("}\n\n");
        let list = |borrow: &str| {
            let fields: Vec<String> =
                fields.iter().map(|field| format!("{borrow}self.{field}")).collect();
            fields.join(", ")
        };
        let _ = write!(
            text,
            "impl Shape for {kind} {{\n\
             \x20   fn write(&self, writer: &mut dyn Writer) {{\n\
             \x20       writer.structure(&structures::{table}, &[{}]);\n    }}\n\
             \x20   fn read(&mut self, reader: &mut dyn Reader) {{\n\
             \x20       reader.structure(&structures::{table}, &mut [{}]);\n    }}\n}}\n\n\
             impl Named for {kind} {{\n\
             \x20   const STRUCTURE: &'static Structure = &structures::{table};\n}}\n\n",
            list("&"),
            list("&mut "),
        );
    }
    Ok(())
}

pub fn members(shape: &Json) -> &[(String, Json)] {
    shape.get("members").map(Json::entries).unwrap_or_default()
}

pub fn is_required(shape: &Json, member: &str) -> bool {
    !shape.flag("union") && shape.strings("required").contains(&member)
}

/// The body of the message is handed over beside the structure.
pub fn is_streaming(member: &Json, target: &Json) -> bool {
    target.text("type") == "blob" && (member.flag("streaming") || target.flag("streaming"))
}

fn field_type(api: &Api, owner: &str, name: &str, member: &Json) -> Result<String> {
    let shape = api.shape(owner)?;
    let target_name = member.text("shape");
    let target = api.shape(target_name)?;
    if is_streaming(member, target) {
        return Ok("Streaming".into());
    }
    if target.flag("eventstream") {
        return Ok("EventStream".into());
    }
    let mut kind = value_type(api, target_name)?;
    if is_structure(target) && holds(api, target_name, owner, &mut BTreeSet::new())? {
        kind = format!("Box<{kind}>");
    }
    Ok(if is_required(shape, name) { kind } else { format!("Option<{kind}>") })
}

fn value_type(api: &Api, name: &str) -> Result<String> {
    let shape = api.shape(name)?;
    Ok(match shape.text("type") {
        "string" | "character" => "String".into(),
        "boolean" => "bool".into(),
        "integer" => "i32".into(),
        "long" => "i64".into(),
        "float" => "f32".into(),
        "double" => "f64".into(),
        "timestamp" => "Timestamp".into(),
        "blob" => "Blob".into(),
        "list" => format!("Vec<{}>", part_type(api, shape, "member")?),
        "map" => format!("BTreeMap<String, {}>", part_type(api, shape, "value")?),
        "structure" if shape.flag("document") => "Document".into(),
        "structure" => api.type_name(name)?.to_string(),
        other => return Err(format!("{}: {name}: no Rust type for {other}", api.name)),
    })
}

fn part_type(api: &Api, shape: &Json, part: &str) -> Result<String> {
    value_type(api, shape.get(part).map(|part| part.text("shape")).unwrap_or_default())
}

/// Whether a value of `shape` holds one of `wanted` without a list, map or box between them.
fn holds(api: &Api, shape: &str, wanted: &str, seen: &mut BTreeSet<String>) -> Result<bool> {
    if shape == wanted {
        return Ok(true);
    }
    if !seen.insert(shape.to_string()) {
        return Ok(false);
    }
    for (_, member) in members(api.shape(shape)?) {
        let target = member.text("shape");
        let inner = api.shape(target)?;
        if is_structure(inner) && !inner.flag("eventstream") && holds(api, target, wanted, seen)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The list of all structures, for tests that want to see each of them.
pub fn every_shape(api: &Api, text: &mut String) -> Result<()> {
    text.push_str("#[cfg(any(test, feature = \"every-shape\"))]\n");
    text.push_str("pub static EVERY_SHAPE: &[crate::AnyShape] = &[\n");
    for (name, _) in api.values().filter(|(_, shape)| is_structure(shape)) {
        let _ = writeln!(text, "    crate::AnyShape::of::<{}>(),", api.type_name(name)?);
    }
    text.push_str("];\n\n");
    Ok(())
}

/// AWS adds values to its enumerations at any time, so members are strings; the values known
/// today are constants, in one module an enumeration.
pub fn constants(api: &Api, text: &mut String) {
    let mut modules: BTreeSet<String> =
        ["operations", "shape", "structures", "targets"].map(String::from).into();
    for (name, shape) in api.values() {
        let values = shape.strings("enum");
        if values.is_empty() {
            continue;
        }
        let module = unique(snake(name), &mut modules);
        let _ = writeln!(text, "/// The values of `{name}`.\npub mod {module} {{");
        let mut used = BTreeSet::new();
        for value in values {
            let constant = unique(screaming(value), &mut used);
            let _ = writeln!(text, "    pub const {constant}: &str = {value:?};");
        }
        text.push_str("}\n\n");
    }
}
