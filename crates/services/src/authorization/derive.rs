//! From the authorization table and a typed input to requirements: which action, on which ARNs,
//! with which condition keys.

use super::Requirement;
use crate::context::Context;
use crate::errors::ACCESS_DENIED;
use crate::service::{Input, Operation, Service};
use palisade_model::authorization::{self, ActionRow, Part, ResourceRow};
use palisade_policy::arn::Arn;
use palisade_protocol::select::select;
use palisade_shape::{Result, Shape};

/// What the caller of one operation must be allowed. Never empty: an operation that the table does
/// not know is `prefix:Operation` on `*`.
pub fn requirements(
    cx: &mut Context,
    service: &Service,
    operation: &Operation,
    input: &dyn Input,
) -> Result<Vec<Requirement>> {
    if let Some(own) = operation.requirements {
        return own.requirements(cx, input);
    }
    from_table(cx, service, operation.name, input)
}

/// What the table says. Hooks start from this and change what AWS does differently.
pub fn from_table(
    cx: &mut Context,
    service: &Service,
    operation: &str,
    input: &dyn Input,
) -> Result<Vec<Requirement>> {
    let mut requirements = Vec::with_capacity(1);
    for row in authorization::rows(service.model.name, operation).unwrap_or_default() {
        if !applies(row, input.as_shape()) {
            continue;
        }
        let keys = request_keys(row, input.as_shape());
        let tags = row.request_tags.then(|| request_tags(row, input.as_shape()));
        for mut requirement in resources(cx, service, row, input)? {
            requirement.keys.clone_from(&keys);
            requirement.request_tags.clone_from(&tags);
            requirements.push(requirement);
        }
    }
    if requirements.is_empty() {
        let action = format!("{}:{operation}", service.model.signing_name);
        requirements.push(Requirement::new(action, "*", cx.account()));
    }
    Ok(requirements)
}

/// Whether AWS documents `key` (in lower case) for `action`, or for a resource type of it; others
/// it would never fill.
pub fn is_documented(action: &str, key: &str) -> bool {
    let Some(known) = authorization::action(action) else { return false };
    if known.condition_keys.iter().any(|documented| names(documented, key)) {
        return true;
    }
    let prefix = action.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let Some(prefix) = authorization::prefix(&prefix) else { return false };
    known.resource_types.iter().any(|(kind, _)| {
        let keys = prefix.resource_type(kind).map(|resource| resource.condition_keys.as_slice());
        keys.unwrap_or_default().iter().any(|documented| names(documented, key))
    })
}

/// Whether the key (in lower case) of a service holds a list, which it is with one value too.
pub fn is_multivalued(key: &str) -> bool {
    let prefix = key.split(':').next().and_then(authorization::prefix);
    let mut keys = prefix.iter().flat_map(|prefix| &prefix.condition_keys);
    keys.any(|(documented, kind)| kind.starts_with("ArrayOf") && names(documented, key))
}

/// Whether a documented key is this one. `${TagKey}` and `<key>` stand for any text.
fn names(documented: &str, key: &str) -> bool {
    match documented.find(['$', '<']) {
        None => documented.eq_ignore_ascii_case(key),
        Some(end) => {
            let start = documented.get(..end).unwrap_or_default();
            key.get(..end).is_some_and(|given| given.eq_ignore_ascii_case(start))
        }
    }
}

/// Whether the row counts for this input: some do only with or without a member.
fn applies(row: &ActionRow, input: &dyn Shape) -> bool {
    match row.when.strip_prefix('!') {
        None if row.when.is_empty() => true,
        None => !select(input, row.when).is_empty(),
        Some(absent) => select(input, absent).is_empty(),
    }
}

/// The values at a path; after `=` the path is the value.
fn values(input: &dyn Shape, path: &str) -> Vec<String> {
    match path.strip_prefix('=') {
        Some(fixed) => vec![fixed.to_owned()],
        None => select(input, path),
    }
}

fn request_keys(row: &ActionRow, input: &dyn Shape) -> Vec<(String, Vec<String>)> {
    let of_service = row.condition_keys.iter().filter(|(key, _)| *key != "aws:TagKeys");
    let taken = of_service.map(|(key, path)| (key.to_lowercase(), values(input, path)));
    taken.filter(|(_, values)| !values.is_empty()).collect()
}

/// The tags that the request sets, or the keys alone of those that it removes.
fn request_tags(row: &ActionRow, input: &dyn Shape) -> Vec<(String, String)> {
    let member = row.tag_member;
    if let Some(map) = member.strip_suffix("{}") {
        return pair(select(input, member), select(input, &format!("{map}{{=}}")));
    }
    for (key, value) in [("Key", "Value"), ("key", "value"), ("TagKey", "TagValue")] {
        let keys = select(input, &format!("{member}.{key}"));
        if !keys.is_empty() {
            return pair(keys, select(input, &format!("{member}.{value}")));
        }
    }
    let path = row.condition_keys.iter().find(|(key, _)| *key == "aws:TagKeys");
    let keys = path.map(|(_, path)| values(input, path)).unwrap_or_default();
    pair(keys, Vec::new())
}

fn pair(keys: Vec<String>, values: Vec<String>) -> Vec<(String, String)> {
    let values = values.into_iter().chain(std::iter::repeat(String::new()));
    keys.into_iter().zip(values).collect()
}

fn resources(
    cx: &mut Context,
    service: &Service,
    row: &ActionRow,
    input: &dyn Input,
) -> Result<Vec<Requirement>> {
    let mut found = Vec::new();
    for resource in &row.resources {
        if resource.required && !is_derivable(resource) {
            // A statement about one resource would be compared with a pattern for all of them.
            let caller = &cx.caller.arn;
            let (action, kind) = (row.action, resource.kind);
            return Err(ACCESS_DENIED.because(format!(
                "User: {caller} is not authorized to perform: {action} because Palisade cannot \
                 tell the {kind} that it is for"
            )));
        }
        for arn in arns(cx, resource, input.as_shape()) {
            let account = owner(&arn, cx.account());
            let kind = resource.kind;
            let arn = cx.in_account(&account, |cx| service.resources.resolve(cx, kind, arn))?;
            found.push(Requirement::new(row.action, arn, &account).of_kind(kind));
        }
    }
    if found.is_empty() {
        found.push(Requirement::new(row.action, "*", cx.account()));
    }
    Ok(found)
}

/// Whether a member of the request fills each part of the template.
pub fn is_derivable(resource: &ResourceRow) -> bool {
    resource.template.parts.iter().all(|part| match part {
        Part::Literal(_) => true,
        Part::Variable("Partition" | "Region" | "Account") => true,
        Part::Variable(name) => resource.variable(name).is_some(),
    })
}

/// The ARNs of one resource type that the request names. An optional type that it does not name
/// gives none; a required one gives its template with `*` in the open places.
fn arns(cx: &Context, resource: &ResourceRow, input: &dyn Shape) -> Vec<String> {
    let mut filled = vec![String::new()];
    let mut named = resource.variables.is_empty();
    for part in &resource.template.parts {
        match part {
            Part::Literal(text) => append(&mut filled, text),
            Part::Variable(name) => {
                if let Some(value) = standard_variable(cx, name) {
                    append(&mut filled, value);
                    continue;
                }
                let path = resource.variable(name);
                let values = path.map(|path| values(input, path)).unwrap_or_default();
                if values.is_empty() {
                    append(&mut filled, "*");
                } else if values.iter().any(|value| value.starts_with("arn:")) {
                    return values.into_iter().filter(|arn| is_of_type(arn, resource)).collect();
                } else {
                    named = true;
                    filled = extend(&filled, &values);
                }
            }
        }
    }
    if named || resource.required { filled } else { Vec::new() }
}

fn append(filled: &mut [String], text: &str) {
    for arn in filled {
        arn.push_str(text);
    }
}

fn extend(filled: &[String], values: &[String]) -> Vec<String> {
    let mut longer = Vec::with_capacity(filled.len() * values.len());
    for start in filled {
        for value in values {
            let end = match value.starts_with("https://") {
                true => value.rsplit('/').next().unwrap_or(value),
                false => value,
            };
            longer.push(format!("{start}{end}"));
        }
    }
    longer
}

/// Whether an ARN is of the service and type that the template describes.
fn is_of_type(arn: &str, resource: &ResourceRow) -> bool {
    let Some(arn) = Arn::parse(arn) else { return false };
    let mut fields = resource.template.text.splitn(6, ':').skip(2);
    if fields.next() != Some(arn.service) {
        return false;
    }
    let pattern = fields.nth(2).unwrap_or_default();
    let fixed = pattern.split('$').next().unwrap_or_default();
    arn.resource.starts_with(fixed)
}

fn standard_variable<'c>(cx: &'c Context, name: &str) -> Option<&'c str> {
    match name {
        "Partition" => Some(cx.partition()),
        "Region" => Some(cx.region()),
        "Account" => Some(cx.account()),
        _ => None,
    }
}

/// The account in the ARN, or the caller's where the ARN has none (S3 buckets).
fn owner(arn: &str, own: &str) -> String {
    match Arn::parse(arn).map(|arn| arn.account) {
        Some(account) if !account.is_empty() && account != "*" && account != "aws" => {
            account.to_owned()
        }
        _ => own.to_owned(),
    }
}
