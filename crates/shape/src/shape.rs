use crate::TimestampFormat;

/// The table of a structure or union: one row a member, in the model's order.
#[derive(Debug)]
pub struct Structure {
    /// The model's shape name, e.g. `CreateRoleRequest`.
    pub name: &'static str,
    pub members: &'static [Member],
    /// The root element in XML bodies when the model names one, else empty.
    pub xml_name: &'static str,
    pub xml_namespace: Option<&'static XmlNamespace>,
    /// Exactly one member is set (Smithy `union`).
    pub union: bool,
    /// The members are the events of a stream (`vnd.amazon.eventstream`).
    pub event_stream: bool,
    /// The index of the member that is the whole HTTP body.
    pub payload: Option<usize>,
}

impl Structure {
    /// The structure with no member, for operations that take or answer nothing.
    pub const EMPTY: Structure = Structure {
        name: "",
        members: &[],
        xml_name: "",
        xml_namespace: None,
        union: false,
        event_stream: false,
        payload: None,
    };

    /// The place of a member by its model name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.members.iter().position(|member| member.name == name)
    }
}

impl PartialEq for Structure {
    /// Tables are compared by identity: there is one for each shape, and they may be recursive.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

#[derive(Debug)]
pub struct XmlNamespace {
    pub prefix: &'static str,
    pub uri: &'static str,
}

/// One member of a structure, the element of a list, or the key or value of a map.
#[derive(Debug)]
pub struct Member {
    /// The model's name, e.g. `RoleName`; empty for elements of lists and maps.
    pub name: &'static str,
    /// `locationName`: the name on the wire where it differs, else empty.
    pub wire: &'static str,
    /// `queryName`, which the ec2 protocol puts before `locationName`; else empty.
    pub query_name: &'static str,
    pub location: Location,
    pub traits: Traits,
    pub xml_namespace: Option<&'static XmlNamespace>,
    pub target: &'static Target,
}

impl Member {
    /// The name on the wire: `locationName`, else the member's own.
    pub const fn wire_name(&self) -> &'static str {
        if self.wire.is_empty() { self.name } else { self.wire }
    }

    pub const fn is_required(&self) -> bool {
        self.traits.has(Traits::REQUIRED)
    }
}

/// Where in an HTTP message a member stands (rest protocols; the others have all in the body).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    Body,
    Header,
    /// All headers that begin with the wire name, as a map.
    HeaderPrefix,
    /// A label of the path.
    Uri,
    /// A query parameter; a map target takes all that no other member names.
    Query,
    StatusCode,
}

/// Yes-or-no facts about a member or its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traits(pub u16);

impl Traits {
    pub const NONE: u16 = 0;
    pub const REQUIRED: u16 = 1;
    /// List or map without an element around it.
    pub const FLATTENED: u16 = 1 << 1;
    pub const XML_ATTRIBUTE: u16 = 1 << 2;
    /// Filled by the SDK with a fresh token when the caller gives none.
    pub const IDEMPOTENCY_TOKEN: u16 = 1 << 3;
    pub const HOST_LABEL: u16 = 1 << 4;
    /// Never in a log, an event or a debug print.
    pub const SENSITIVE: u16 = 1 << 5;
    /// The string is JSON, base64-encoded in a header.
    pub const JSON_VALUE: u16 = 1 << 6;
    pub const EVENT_PAYLOAD: u16 = 1 << 7;
    pub const EVENT_HEADER: u16 = 1 << 8;
    /// The body is handed over as a stream and stands outside the structure.
    pub const STREAMING: u16 = 1 << 9;

    pub const fn has(self, trait_bit: u16) -> bool {
        self.0 & trait_bit != 0
    }
}

/// What a member holds.
#[derive(Debug)]
pub struct Target {
    /// The model's shape name, e.g. `roleNameType`.
    pub name: &'static str,
    pub kind: Kind,
    pub sensitive: bool,
}

#[derive(Debug)]
pub enum Kind {
    Boolean,
    Integer(Number),
    Long(Number),
    Float,
    Double,
    String(Text),
    Blob(Length),
    /// With the format the shape demands, whatever the place.
    Timestamp(Option<TimestampFormat>),
    List(List),
    Map(Map),
    Structure(&'static Structure),
    Document,
}

/// Inclusive bounds of a number.
#[derive(Clone, Copy, Debug)]
pub struct Number {
    pub min: Option<i64>,
    pub max: Option<i64>,
}

/// Inclusive bounds of a length: characters, bytes or elements.
#[derive(Clone, Copy, Debug)]
pub struct Length {
    pub min: Option<u64>,
    pub max: Option<u64>,
}

#[derive(Debug)]
pub struct Text {
    pub length: Length,
    /// A regular expression the whole value must match, in the model's spelling, or empty.
    pub pattern: &'static str,
    /// The values allowed, when it is an enumeration.
    pub values: &'static [&'static str],
}

#[derive(Debug)]
pub struct List {
    pub member: Member,
    pub flattened: bool,
    pub length: Length,
}

#[derive(Debug)]
pub struct Map {
    pub key: Member,
    pub value: Member,
    pub flattened: bool,
    pub length: Length,
}
