use crate::{Structure, Timestamp};
use std::collections::BTreeMap;

/// A value that can be written to and read from every protocol.
pub trait Shape {
    fn write(&self, writer: &mut dyn Writer);

    /// Fills the value. What is wrong is told to the reader ([`Reader::violation`]), which collects
    /// it: AWS reports all violations of a request in one message.
    fn read(&mut self, reader: &mut dyn Reader);

    /// False only for an optional value that is absent.
    fn is_present(&self) -> bool {
        true
    }
}

/// A generated structure, which knows its own table.
pub trait Named: Shape + Default + Send + 'static {
    const STRUCTURE: &'static Structure;
}

/// Takes a value apart. A writer knows the [`crate::Target`] it stands at, because it walked there
/// through `structure`, `list` or `map`.
pub trait Writer {
    /// `members` stand in the order of the table. An absent one is not visited.
    fn structure(&mut self, structure: &'static Structure, members: &[&dyn Shape]);
    fn list(&mut self, items: &mut dyn ExactSizeIterator<Item = &dyn Shape>);
    fn map(&mut self, entries: &mut dyn ExactSizeIterator<Item = (&str, &dyn Shape)>);
    fn string(&mut self, value: &str);
    fn boolean(&mut self, value: bool);
    /// An integer or a long.
    fn integer(&mut self, value: i64);
    /// A float or a double.
    fn float(&mut self, value: f64);
    fn blob(&mut self, value: &[u8]);
    fn timestamp(&mut self, value: Timestamp);
    fn document(&mut self, value: &Document);
}

/// Puts a value together. See [`Writer`] for how it knows where it stands.
pub trait Reader {
    /// Reads each member that is there and notes each required one that is not.
    fn structure(&mut self, structure: &'static Structure, members: &mut [&mut dyn Shape]);
    /// Calls `item` once for each element, standing at it.
    fn list(&mut self, item: &mut dyn FnMut(&mut dyn Reader));
    /// Calls `entry` once for each entry with its key, standing at the value.
    fn map(&mut self, entry: &mut dyn FnMut(String, &mut dyn Reader));
    fn string(&mut self) -> String;
    fn boolean(&mut self) -> bool;
    /// An integer or a long; out of the target's range is a violation.
    fn integer(&mut self) -> i64;
    fn float(&mut self) -> f64;
    fn blob(&mut self) -> Vec<u8>;
    fn timestamp(&mut self) -> Timestamp;
    fn document(&mut self) -> Document;
    fn violation(&mut self, violation: Violation);
}

/// What is wrong with one value of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// The bytes are not of the protocol or the type at all: the request cannot be read.
    Malformed { path: String, reason: String },
    /// A required member is absent.
    Missing { path: String },
    /// Read, but outside what the model allows. `constraint` is AWS's wording, such as
    /// `Member must have length less than or equal to 64`.
    Constraint { path: String, value: Option<String>, constraint: String },
}

/// Bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blob(pub Vec<u8>);

/// Stands where the model has a streaming body: the bytes travel beside the structure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Streaming;

/// Stands where the model has an event stream: the events travel beside the structure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventStream;

/// The input or output of an operation that has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Nothing;

/// An open value (Smithy `document`).
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Document {
    #[default]
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    String(String),
    List(Vec<Document>),
    Map(BTreeMap<String, Document>),
}

static EMPTY: Structure = Structure::EMPTY;

impl Shape for Nothing {
    fn write(&self, writer: &mut dyn Writer) {
        writer.structure(&EMPTY, &[]);
    }
    fn read(&mut self, reader: &mut dyn Reader) {
        reader.structure(&EMPTY, &mut []);
    }
}

impl Named for Nothing {
    const STRUCTURE: &'static Structure = &EMPTY;
}

impl Shape for Streaming {
    fn write(&self, _: &mut dyn Writer) {}
    fn read(&mut self, _: &mut dyn Reader) {}
    fn is_present(&self) -> bool {
        false
    }
}

impl Shape for EventStream {
    fn write(&self, _: &mut dyn Writer) {}
    fn read(&mut self, _: &mut dyn Reader) {}
    fn is_present(&self) -> bool {
        false
    }
}

impl Shape for String {
    fn write(&self, writer: &mut dyn Writer) {
        writer.string(self);
    }
    fn read(&mut self, reader: &mut dyn Reader) {
        *self = reader.string();
    }
}

impl Shape for bool {
    fn write(&self, writer: &mut dyn Writer) {
        writer.boolean(*self);
    }
    fn read(&mut self, reader: &mut dyn Reader) {
        *self = reader.boolean();
    }
}

impl Shape for i32 {
    fn write(&self, writer: &mut dyn Writer) {
        writer.integer(i64::from(*self));
    }
    fn read(&mut self, reader: &mut dyn Reader) {
        match i32::try_from(reader.integer()) {
            Ok(value) => *self = value,
            Err(_) => reader.violation(Violation::Malformed {
                path: String::new(),
                reason: "number out of range for a 32-bit integer".into(),
            }),
        }
    }
}

impl Shape for i64 {
    fn write(&self, writer: &mut dyn Writer) {
        writer.integer(*self);
    }
    fn read(&mut self, reader: &mut dyn Reader) {
        *self = reader.integer();
    }
}

impl Shape for f32 {
    fn write(&self, writer: &mut dyn Writer) {
        writer.float(f64::from(*self));
    }
    fn read(&mut self, reader: &mut dyn Reader) {
        *self = reader.float() as f32;
    }
}

impl Shape for f64 {
    fn write(&self, writer: &mut dyn Writer) {
        writer.float(*self);
    }
    fn read(&mut self, reader: &mut dyn Reader) {
        *self = reader.float();
    }
}

impl Shape for Blob {
    fn write(&self, writer: &mut dyn Writer) {
        writer.blob(&self.0);
    }
    fn read(&mut self, reader: &mut dyn Reader) {
        self.0 = reader.blob();
    }
}

impl Shape for Timestamp {
    fn write(&self, writer: &mut dyn Writer) {
        writer.timestamp(*self);
    }
    fn read(&mut self, reader: &mut dyn Reader) {
        *self = reader.timestamp();
    }
}

impl Shape for Document {
    fn write(&self, writer: &mut dyn Writer) {
        writer.document(self);
    }
    fn read(&mut self, reader: &mut dyn Reader) {
        *self = reader.document();
    }
}

impl<T: Shape + Default> Shape for Option<T> {
    fn write(&self, writer: &mut dyn Writer) {
        if let Some(value) = self {
            value.write(writer);
        }
    }
    fn read(&mut self, reader: &mut dyn Reader) {
        self.insert(T::default()).read(reader);
    }
    fn is_present(&self) -> bool {
        self.is_some()
    }
}

impl<T: Shape> Shape for Box<T> {
    fn write(&self, writer: &mut dyn Writer) {
        (**self).write(writer);
    }
    fn read(&mut self, reader: &mut dyn Reader) {
        (**self).read(reader);
    }
    fn is_present(&self) -> bool {
        (**self).is_present()
    }
}

impl<T: Shape + Default> Shape for Vec<T> {
    fn write(&self, writer: &mut dyn Writer) {
        writer.list(&mut self.iter().map(|item| item as &dyn Shape));
    }
    fn read(&mut self, reader: &mut dyn Reader) {
        self.clear();
        reader.list(&mut |reader| {
            let mut item = T::default();
            item.read(reader);
            self.push(item);
        });
    }
}

impl<T: Shape + Default> Shape for BTreeMap<String, T> {
    fn write(&self, writer: &mut dyn Writer) {
        writer.map(&mut self.iter().map(|(key, value)| (key.as_str(), value as &dyn Shape)));
    }
    fn read(&mut self, reader: &mut dyn Reader) {
        self.clear();
        reader.map(&mut |key, reader| {
            let mut value = T::default();
            value.read(reader);
            self.insert(key, value);
        });
    }
}
