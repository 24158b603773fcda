//! A value that any table can describe, so that tests run over tables without generated types.

use palisade_shape::{
    Document, Kind, Reader, Shape, Structure, Timestamp, Traits, Violation, Writer,
};

/// A value and the kind that it has by its table.
#[derive(Clone)]
pub struct Dynamic {
    kind: Slot,
    pub value: Value,
}

#[derive(Clone, Copy)]
enum Slot {
    Structure(&'static Structure),
    Kind(&'static Kind),
    /// A streaming body or event stream: travels outside.
    Stream,
}

/// What a [`Dynamic`] holds.
#[derive(Clone, Debug)]
pub enum Value {
    Absent,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    String(String),
    Blob(Vec<u8>),
    Timestamp(Timestamp),
    List(Vec<Dynamic>),
    Map(Vec<(String, Dynamic)>),
    /// One for each row of the table.
    Structure(Vec<Dynamic>),
    Document(Document),
}

impl Dynamic {
    /// An empty structure of a table, for reading an input into.
    pub fn of(structure: &'static Structure) -> Self {
        let members = Self::members(structure);
        Self { kind: Slot::Structure(structure), value: Value::Structure(members) }
    }

    /// A value of a kind.
    pub fn new(kind: &'static Kind, value: Value) -> Self {
        Self { kind: Slot::Kind(kind), value }
    }

    /// The value of a member by its model name, when there is one.
    pub fn get(&self, name: &str) -> Option<&Self> {
        let (Slot::Structure(structure), Value::Structure(members)) = (self.kind, &self.value)
        else {
            return None;
        };
        let index = structure.position(name)?;
        members.get(index).filter(|member| member.is_present())
    }

    fn members(structure: &'static Structure) -> Vec<Self> {
        let rows = structure.members.iter();
        let absent = rows.map(|member| {
            let stream = member.traits.has(Traits::STREAMING);
            let kind = match &member.target.kind {
                _ if stream => Slot::Stream,
                Kind::Structure(inner) if inner.event_stream => Slot::Stream,
                Kind::Structure(inner) => Slot::Structure(inner),
                kind => Slot::Kind(kind),
            };
            Self { kind, value: Value::Absent }
        });
        absent.collect()
    }

    fn absent(kind: &'static Kind) -> Self {
        let kind = match kind {
            Kind::Structure(structure) => Slot::Structure(structure),
            kind => Slot::Kind(kind),
        };
        Self { kind, value: Value::Absent }
    }
}

fn read_kind(kind: &'static Kind, reader: &mut dyn Reader) -> Value {
    match kind {
        Kind::Boolean => Value::Boolean(reader.boolean()),
        Kind::Integer(_) => {
            let value = reader.integer();
            if i32::try_from(value).is_err() {
                let reason = "number out of range for a 32-bit integer".into();
                reader.violation(Violation::Malformed { path: String::new(), reason });
            }
            Value::Integer(value)
        }
        Kind::Long(_) => Value::Integer(reader.integer()),
        Kind::Float => Value::Float(f64::from(reader.float() as f32)),
        Kind::Double => Value::Float(reader.float()),
        Kind::String(_) => Value::String(reader.string()),
        Kind::Blob(_) => Value::Blob(reader.blob()),
        Kind::Timestamp(_) => Value::Timestamp(reader.timestamp()),
        Kind::Document => Value::Document(reader.document()),
        Kind::Structure(structure) => {
            let mut inner = Dynamic::of(structure);
            inner.read(reader);
            inner.value
        }
        Kind::List(list) => {
            let mut items = Vec::new();
            reader.list(&mut |reader| {
                let mut item = Dynamic::absent(&list.member.target.kind);
                item.read(reader);
                items.push(item);
            });
            Value::List(items)
        }
        Kind::Map(map) => {
            let mut entries: Vec<(String, Dynamic)> = Vec::new();
            reader.map(&mut |key, reader| {
                let mut value = Dynamic::absent(&map.value.target.kind);
                value.read(reader);
                entries.retain(|(other, _)| *other != key);
                entries.push((key, value));
            });
            entries.sort_by(|left, right| left.0.cmp(&right.0));
            Value::Map(entries)
        }
    }
}

impl Shape for Dynamic {
    fn write(&self, writer: &mut dyn Writer) {
        match &self.value {
            Value::Absent => {}
            Value::Boolean(value) => writer.boolean(*value),
            Value::Integer(value) => writer.integer(*value),
            Value::Float(value) => writer.float(*value),
            Value::String(value) => writer.string(value),
            Value::Blob(value) => writer.blob(value),
            Value::Timestamp(value) => writer.timestamp(*value),
            Value::Document(value) => writer.document(value),
            Value::List(items) => writer.list(&mut items.iter().map(|item| item as &dyn Shape)),
            Value::Map(entries) => writer
                .map(&mut entries.iter().map(|(key, value)| (key.as_str(), value as &dyn Shape))),
            Value::Structure(members) => {
                let members: Vec<&dyn Shape> =
                    members.iter().map(|member| member as &dyn Shape).collect();
                if let Slot::Structure(structure) = self.kind {
                    writer.structure(structure, &members);
                }
            }
        }
    }

    fn read(&mut self, reader: &mut dyn Reader) {
        match self.kind {
            Slot::Stream => {}
            Slot::Kind(kind) => self.value = read_kind(kind, reader),
            Slot::Structure(structure) => {
                let mut members = Self::members(structure);
                let mut refs: Vec<&mut dyn Shape> =
                    members.iter_mut().map(|member| member as &mut dyn Shape).collect();
                reader.structure(structure, &mut refs);
                self.value = Value::Structure(members);
            }
        }
    }

    fn is_present(&self) -> bool {
        !matches!(self.value, Value::Absent)
    }
}

impl std::fmt::Debug for Dynamic {
    /// The value alone: a table that names itself would be told without end.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.value.fmt(f)
    }
}

impl PartialEq for Dynamic {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl PartialEq for Value {
    /// As `==` of the values, but a number that is none equals itself.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Absent, Self::Absent) => true,
            (Self::Boolean(left), Self::Boolean(right)) => left == right,
            (Self::Integer(left), Self::Integer(right)) => left == right,
            (Self::Float(left), Self::Float(right)) => {
                left == right || (left.is_nan() && right.is_nan())
            }
            (Self::String(left), Self::String(right)) => left == right,
            (Self::Blob(left), Self::Blob(right)) => left == right,
            (Self::Timestamp(left), Self::Timestamp(right)) => left == right,
            (Self::List(left), Self::List(right)) => left == right,
            (Self::Map(left), Self::Map(right)) => left == right,
            (Self::Structure(left), Self::Structure(right)) => left == right,
            (Self::Document(left), Self::Document(right)) => left == right,
            _ => false,
        }
    }
}
