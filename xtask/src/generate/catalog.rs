//! The catalog: how every operation of every AWS service is called.

use crate::Result;
use crate::generate::archive::Archive;
use crate::generate::derive;
use crate::generate::facts::{Facts, Service};
use crate::json::Json;
use std::fmt::Write as _;

/// Fields of the index: name, id, full name, API version, signing name, endpoint prefix, global
/// endpoint, target prefix, protocols, IAM prefix, number of operations. A line of a block: name,
/// method, URI, host prefix, flags (`r` reads only, `w` writes, neither: unknown; `a` anonymous).
pub fn archive(facts: &Facts) -> Result<Vec<u8>> {
    let mut archive = Archive::default();
    for (name, service) in &facts.services {
        let of = |key: &str| service.metadata.text(key);
        let signing = of("signingName");
        let signing = if signing.is_empty() { of("endpointPrefix") } else { signing };
        let prefix = derive::prefix(facts, name, service);
        let fields = [
            name.as_str(),
            of("serviceId"),
            of("serviceFullName"),
            of("apiVersion"),
            signing,
            of("endpointPrefix"),
            of("globalEndpoint"),
            of("targetPrefix"),
            &protocols(&service.metadata),
            prefix.map_or("", |prefix| prefix.name.as_str()),
            &service.operations.len().to_string(),
        ];
        archive.add(&fields, &operations(facts, name, service)?)?;
    }
    archive.finish()
}

/// botocore's names, with the version of JSON.
fn protocols(metadata: &Json) -> String {
    let mut names = metadata.strings("protocols");
    if names.is_empty() {
        names.push(metadata.text("protocol"));
    }
    let version = metadata.text("jsonVersion");
    let named = names.iter().map(|name| match *name {
        "json" if version == "1.0" => "json-1.0".to_string(),
        "json" => "json-1.1".to_string(),
        other => other.to_string(),
    });
    named.collect::<Vec<String>>().join(",")
}

fn operations(facts: &Facts, service_name: &str, service: &Service) -> Result<String> {
    let rows = derive::rows(facts, service_name, service)?;
    let mut text = String::new();
    for (name, operation) in &service.operations {
        let rows = rows.get(name).map(Vec::as_slice).unwrap_or_default();
        let levels = rows.iter().filter_map(|row| facts.action(&row.action));
        let levels: Vec<&str> = levels.map(|(_, action)| action.level.as_str()).collect();
        let reads = levels.iter().all(|level| ["Read", "List"].contains(level));
        let mut flags = match (operation.facts.flag("readonly"), levels.is_empty()) {
            (true, _) => "r".to_string(),
            (false, true) => String::new(),
            (false, false) => if reads { "r" } else { "w" }.to_string(),
        };
        if operation.facts.flag("anonymous") {
            flags.push('a');
        }
        let of = |key: &str| operation.facts.text(key);
        let _ = writeln!(
            text,
            "{name}\t{}\t{}\t{}\t{flags}",
            of("method"),
            of("uri"),
            of("hostPrefix")
        );
    }
    Ok(text)
}
