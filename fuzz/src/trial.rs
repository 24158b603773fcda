//! One structure with every kind of member, for operations of no real service.

use palisade_shape::{
    Auth, Kind, Length, List, Location, Map, Member, Method, Number, Operation, Protocol, Service,
    Structure, Target, Text, Traits,
};

const ANY: Length = Length { min: None, max: None };
const NUMBER: Number = Number { min: None, max: None };

const fn target(kind: Kind) -> Target {
    Target { name: "Target", kind, sensitive: false }
}

const fn member(name: &'static str, target: &'static Target) -> Member {
    Member {
        name,
        wire: "",
        query_name: "",
        location: Location::Body,
        traits: Traits(Traits::NONE),
        xml_namespace: None,
        target,
    }
}

const fn marked(bits: u16, member: Member) -> Member {
    Member { traits: Traits(bits), ..member }
}

const fn list(target: &'static Target, flattened: bool) -> Kind {
    Kind::List(List { member: member("", target), flattened, length: ANY })
}

static BLOB: Target = target(Kind::Blob(ANY));
static BOOLEAN: Target = target(Kind::Boolean);
static DOCUMENT: Target = target(Kind::Document);
static DOUBLE: Target = target(Kind::Double);
static FLOAT: Target = target(Kind::Float);
static INTEGER: Target = target(Kind::Integer(NUMBER));
static LONG: Target = target(Kind::Long(NUMBER));
static TEXT: Target = target(Kind::String(Text { length: ANY, pattern: "", values: &[] }));
static SHORT: Target = target(Kind::String(Text {
    length: Length { min: Some(1), max: Some(4) },
    pattern: "[a-z]+",
    values: &[],
}));
static TIMESTAMP: Target = target(Kind::Timestamp(None));
static INSTANTS: Target = target(list(&TIMESTAMP, false));
static FLAT: Target = target(list(&TEXT, true));
static PAIRS: Target = target(list(&PAIR, false));
static TEXTS: Target = target(Kind::Map(Map {
    key: member("", &TEXT),
    value: member("", &TEXT),
    flattened: false,
    length: ANY,
}));
static FLAT_MAP: Target = target(Kind::Map(Map {
    key: member("", &TEXT),
    value: member("", &INSTANTS),
    flattened: true,
    length: ANY,
}));
static PAIR: Target = target(Kind::Structure(&PAIR_TABLE));
static CHOICE: Target = target(Kind::Structure(&CHOICE_TABLE));
static SELF: Target = target(Kind::Structure(&TABLE));

static PAIR_TABLE: Structure = Structure {
    name: "Pair",
    members: &[
        marked(Traits::REQUIRED, member("Key", &TEXT)),
        member("Value", &LONG),
        marked(Traits::XML_ATTRIBUTE, member("Kind", &TEXT)),
    ],
    ..Structure::EMPTY
};

static CHOICE_TABLE: Structure = Structure {
    name: "Choice",
    members: &[member("A", &TEXT), member("B", &INSTANTS)],
    union: true,
    ..Structure::EMPTY
};

/// Every kind of member, some of them nested, one of them itself.
pub static TABLE: Structure = Structure {
    name: "Trial",
    members: &[
        member("Blob", &BLOB),
        member("Bool", &BOOLEAN),
        member("Choice", &CHOICE),
        member("Double", &DOUBLE),
        member("Flat", &FLAT),
        member("FlatMap", &FLAT_MAP),
        member("Float", &FLOAT),
        member("Integer", &INTEGER),
        member("Long", &LONG),
        member("Map", &TEXTS),
        member("Open", &DOCUMENT),
        member("Pairs", &PAIRS),
        member("Self", &SELF),
        member("Short", &SHORT),
        member("Text", &TEXT),
        member("When", &TIMESTAMP),
    ],
    ..Structure::EMPTY
};

pub static OPERATION: Operation = Operation {
    name: "Try",
    method: Method::Post,
    uri: "/",
    status: 200,
    host_prefix: "",
    input: &TABLE,
    output: &TABLE,
    result_wrapper: "TryResult",
    errors: &[],
    auth: Auth::SigV4,
    checksum_required: false,
    idempotent: false,
};

pub static SERVICE: Service = Service {
    name: "trial",
    signing_name: "trial",
    endpoint_prefix: "trial",
    id: "Trial",
    api_version: "2020-01-01",
    target_prefix: "Trial_20200101",
    protocols: &[
        Protocol::Json10,
        Protocol::Json11,
        Protocol::RestJson,
        Protocol::RestXml,
        Protocol::RpcV2Cbor,
        Protocol::Query,
        Protocol::Ec2,
    ],
    xml_namespace: "urn:trial",
    operations: &[&OPERATION],
};
