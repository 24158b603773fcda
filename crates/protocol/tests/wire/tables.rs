//! Tables built from the compact notation of `testdata`, leaked for the life of the test.
//!
//! A member is a type, or an object with its `type` and traits. A type is the name of a scalar,
//! `@Name` for one of the case's `shapes` (unrolled a few levels where it names itself), or one of
//! `{"list": member}`, `{"map": [key, value]}`, `{"structure": {…}}`, `{"union": {…}}`.

use palisade_shape::{
    Auth, Kind, Length, List, Location, Map, Member, Method, Number, Operation, Protocol, Service,
    Structure, Target, Text, TimestampFormat, Traits, XmlNamespace,
};
use serde_json::Value;

const UNROLLED_MAX: usize = 4;

pub fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn text(value: &str) -> &'static str {
    Box::leak(value.to_owned().into_boxed_str())
}

fn string_of(spec: &Value, name: &str) -> &'static str {
    spec[name].as_str().map_or("", text)
}

/// Builds tables; `shapes` are what `@Name` means.
pub struct Tables<'a> {
    pub shapes: &'a Value,
}

impl Tables<'_> {
    pub fn structure(&self, name: &str, members: &Value) -> &'static Structure {
        self.structure_at(name, members, false, 0)
    }

    fn structure_at(
        &self,
        name: &str,
        members: &Value,
        union: bool,
        depth: usize,
    ) -> &'static Structure {
        let rows = members.as_object().unwrap();
        let payload = rows.values().position(|spec| spec["payload"] == true);
        let members: Vec<Member> =
            rows.iter().map(|(name, spec)| self.member(name, spec, depth)).collect();
        leak(Structure {
            name: text(name),
            members: Box::leak(members.into_boxed_slice()),
            union,
            payload,
            ..Structure::EMPTY
        })
    }

    fn member(&self, name: &str, spec: &Value, depth: usize) -> Member {
        let plain = Value::Null;
        let (kind, traits) = match spec {
            Value::Object(object) if object.contains_key("type") => (&spec["type"], spec),
            _ => (spec, &plain),
        };
        let flags = [
            ("required", Traits::REQUIRED),
            ("flattened", Traits::FLATTENED),
            ("attribute", Traits::XML_ATTRIBUTE),
            ("sensitive", Traits::SENSITIVE),
            ("jsonvalue", Traits::JSON_VALUE),
            ("streaming", Traits::STREAMING),
            ("event_header", Traits::EVENT_HEADER),
            ("event_payload", Traits::EVENT_PAYLOAD),
        ];
        let bits = flags.iter().filter(|(name, _)| traits[name] == true);
        let location = match traits["at"].as_str() {
            Some("header") => Location::Header,
            Some("prefix") => Location::HeaderPrefix,
            Some("uri") => Location::Uri,
            Some("query") => Location::Query,
            Some("status") => Location::StatusCode,
            _ => Location::Body,
        };
        let namespace = traits["namespace"].as_array().map(|pair| {
            let part = |index: usize| text(pair[index].as_str().unwrap());
            leak(XmlNamespace { prefix: part(0), uri: part(1) })
        });
        Member {
            name: text(name),
            wire: string_of(traits, "wire"),
            query_name: string_of(traits, "query"),
            location,
            traits: Traits(bits.fold(0, |all, (_, bit)| all | bit)),
            xml_namespace: namespace,
            target: self.target(kind, traits, depth),
        }
    }

    fn target(&self, kind: &Value, traits: &Value, depth: usize) -> &'static Target {
        let kind = self.kind(kind, traits, depth);
        leak(Target { name: "Target", kind, sensitive: false })
    }

    fn kind(&self, kind: &Value, traits: &Value, depth: usize) -> Kind {
        if let Some(name) = kind.as_str() {
            return match name.strip_prefix('@') {
                Some(name) => self.reference(name, depth),
                None => scalar(name, traits),
            };
        }
        let length = length(traits);
        if let Some(element) = kind.get("list") {
            let member = self.member("", element, depth);
            return Kind::List(List { member, flattened: false, length });
        }
        if let Some(pair) = kind.get("map") {
            let (key, value) = (self.member("", &pair[0], depth), self.member("", &pair[1], depth));
            return Kind::Map(Map { key, value, flattened: false, length });
        }
        if let Some(members) = kind.get("union") {
            return Kind::Structure(self.structure_at("Choice", members, true, depth));
        }
        let members = kind.get("structure").unwrap_or_else(|| panic!("no type: {kind}"));
        Kind::Structure(self.structure_at("Inner", members, false, depth))
    }

    fn reference(&self, name: &str, depth: usize) -> Kind {
        let empty = serde_json::json!({});
        let members = if depth < UNROLLED_MAX { &self.shapes[name] } else { &empty };
        Kind::Structure(self.structure_at(name, members, false, depth + 1))
    }
}

fn length(traits: &Value) -> Length {
    Length { min: traits["min"].as_u64(), max: traits["max"].as_u64() }
}

fn scalar(name: &str, traits: &Value) -> Kind {
    let number = Number { min: traits["min"].as_i64(), max: traits["max"].as_i64() };
    match name {
        "boolean" => Kind::Boolean,
        "integer" => Kind::Integer(number),
        "long" => Kind::Long(number),
        "float" => Kind::Float,
        "double" => Kind::Double,
        "blob" => Kind::Blob(length(traits)),
        "document" => Kind::Document,
        "timestamp" => Kind::Timestamp(match traits["format"].as_str() {
            Some("date-time") => Some(TimestampFormat::DateTime),
            Some("http-date") => Some(TimestampFormat::HttpDate),
            Some("epoch-seconds") => Some(TimestampFormat::EpochSeconds),
            _ => None,
        }),
        "string" => {
            let values = traits["enum"].as_array().cloned().unwrap_or_default();
            let values: Vec<&'static str> =
                values.iter().map(|value| text(value.as_str().unwrap())).collect();
            Kind::String(Text {
                length: length(traits),
                pattern: string_of(traits, "pattern"),
                values: Box::leak(values.into_boxed_slice()),
            })
        }
        other => panic!("no scalar {other}"),
    }
}

pub fn protocol(name: &str) -> Protocol {
    match name {
        "query" => Protocol::Query,
        "ec2" => Protocol::Ec2,
        "json-1.0" => Protocol::Json10,
        "json-1.1" => Protocol::Json11,
        "rest-json" => Protocol::RestJson,
        "rest-xml" => Protocol::RestXml,
        "cbor" => Protocol::RpcV2Cbor,
        other => panic!("no protocol {other}"),
    }
}

/// An operation `Try` with the same structure in and out.
pub fn operation(structure: &'static Structure, spec: &Value) -> &'static Operation {
    let method = match spec["method"].as_str() {
        Some("GET") => Method::Get,
        Some("PUT") => Method::Put,
        Some("HEAD") => Method::Head,
        _ => Method::Post,
    };
    leak(Operation {
        name: "Try",
        method,
        uri: spec["uri"].as_str().map_or("/", text),
        status: 200,
        host_prefix: string_of(spec, "host"),
        input: structure,
        output: structure,
        result_wrapper: "TryResult",
        errors: &[],
        auth: Auth::SigV4,
        checksum_required: false,
        idempotent: false,
    })
}

pub fn service(protocol: Protocol, operation: &'static Operation) -> &'static Service {
    leak(Service {
        name: "trial",
        signing_name: "trial",
        endpoint_prefix: "trial",
        id: "Trial",
        api_version: "2020-01-01",
        target_prefix: "Trial_20200101",
        protocols: Box::leak(vec![protocol].into_boxed_slice()),
        xml_namespace: "urn:trial",
        operations: Box::leak(vec![operation].into_boxed_slice()),
    })
}
