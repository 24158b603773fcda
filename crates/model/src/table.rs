//! Constructors that keep the generated tables short: each fills in what is usual.

use palisade_shape::{
    Kind, Length, List, Location, Map, Member, Number, Structure, Target, Text, Traits,
};

/// A structure without anything unusual; the generated tables override what differs.
pub(crate) const STRUCTURE: Structure = Structure::EMPTY;

/// The bounds of a value that has none.
pub(crate) const ANY: Length = Length { min: None, max: None };

pub(crate) const fn member(name: &'static str, target: &'static Target) -> Member {
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

pub(crate) const fn required(name: &'static str, target: &'static Target) -> Member {
    Member { traits: Traits(Traits::REQUIRED), ..member(name, target) }
}

/// The element of a list, or the key or value of a map.
pub(crate) const fn item(target: &'static Target) -> Member {
    member("", target)
}

pub(crate) const fn target(name: &'static str, kind: Kind) -> Target {
    Target { name, kind, sensitive: false }
}

pub(crate) const fn sensitive(name: &'static str, kind: Kind) -> Target {
    Target { name, kind, sensitive: true }
}

pub(crate) const fn number(min: Option<i64>, max: Option<i64>) -> Number {
    Number { min, max }
}

pub(crate) const fn length(min: Option<u64>, max: Option<u64>) -> Length {
    Length { min, max }
}

pub(crate) const fn text(
    length: Length,
    pattern: &'static str,
    values: &'static [&'static str],
) -> Kind {
    Kind::String(Text { length, pattern, values })
}

pub(crate) const fn list(member: Member, flattened: bool, length: Length) -> Kind {
    Kind::List(List { member, flattened, length })
}

pub(crate) const fn map(key: Member, value: Member, flattened: bool, length: Length) -> Kind {
    Kind::Map(Map { key, value, flattened, length })
}
