//! JSON as AWS's json and rest-json protocols write it, and as the store keeps bodies.
//!
//! Reading: unknown members are ignored, `null` is absence, null elements of lists and maps are
//! left out (the tables do not mark sparse ones), a repeated key counts the last time.

mod document;
mod reader;
mod scan;
mod writer;

pub use reader::JsonReader;
pub(crate) use reader::{element_of, is_single, note_missing, value_of};
pub use writer::JsonWriter;
pub(crate) use writer::push_string;

use palisade_shape::{Shape, Violation};

/// Which dialect of JSON is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Wire names and the timestamp formats of the model.
    Wire,
    /// The model's own names and timestamps as epoch seconds: lossless, for the store.
    Model,
}

/// Writes a value by its members' model names. [`from_json`] reads it back unchanged.
pub fn to_json(value: &dyn Shape) -> Vec<u8> {
    let mut writer = JsonWriter::new(Dialect::Model);
    value.write(&mut writer);
    writer.into_bytes()
}

/// Reads what [`to_json`] wrote. Members that the table does not know are ignored and absent ones
/// keep their default, so that records outlive changes of a model.
pub fn from_json(body: &[u8], value: &mut dyn Shape) -> Result<(), Violation> {
    let mut reader = JsonReader::new(body, Dialect::Model);
    value.read(&mut reader);
    reader.finish();
    let missing = |violation: &Violation| !matches!(violation, Violation::Missing { .. });
    match reader.into_violations().into_iter().find(missing) {
        Some(violation) => Err(violation),
        None => Ok(()),
    }
}
