//! A [`Table`] is what one kind of record is called in the store, how its key is made, and what AWS
//! says when a key is taken or missing.

use palisade_shape::{Error, Named, Result};
use serde::{Serialize, de::DeserializeOwned};

/// Who sees a row: the whole plane, one account, or one region of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Plane,
    Account,
    Region,
}

/// One kind of stored record. The AWS shape is the record ([`Table::of_shapes`]); where AWS keeps
/// what it never returns, a private struct stands beside it ([`Table::of_private`]).
pub struct Table<T> {
    /// The collection, as `service/noun`.
    pub name: &'static str,
    pub scope: Scope,
    /// The key of a record. Keys are ordered by their bytes, and that order is AWS's list order.
    pub key: fn(&T) -> String,
    /// What AWS answers when the key is taken.
    pub taken: fn(&T) -> Error,
    /// What AWS answers when there is no record of the key.
    pub missing: fn(&str) -> Error,
    encode: fn(&T) -> Result<Vec<u8>>,
    decode: fn(&[u8]) -> Result<T>,
}

impl<T: Named> Table<T> {
    /// A table of generated shapes.
    pub const fn of_shapes(
        name: &'static str,
        scope: Scope,
        key: fn(&T) -> String,
        taken: fn(&T) -> Error,
        missing: fn(&str) -> Error,
    ) -> Self {
        Self { name, scope, key, taken, missing, encode: encode_shape, decode: decode_shape }
    }
}

impl<T: Serialize + DeserializeOwned> Table<T> {
    /// A table of private records.
    pub const fn of_private(
        name: &'static str,
        scope: Scope,
        key: fn(&T) -> String,
        taken: fn(&T) -> Error,
        missing: fn(&str) -> Error,
    ) -> Self {
        Self { name, scope, key, taken, missing, encode: encode_private, decode: decode_private }
    }
}

impl<T> Table<T> {
    pub(crate) fn encode(&self, record: &T) -> Result<Vec<u8>> {
        (self.encode)(record)
    }

    pub(crate) fn decode(&self, body: &[u8]) -> Result<T> {
        (self.decode)(body)
    }
}

fn encode_shape<T: Named>(record: &T) -> Result<Vec<u8>> {
    Ok(palisade_protocol::json::to_json(record))
}

fn decode_shape<T: Named>(body: &[u8]) -> Result<T> {
    let mut record = T::default();
    palisade_protocol::json::from_json(body, &mut record)
        .map_err(|error| crate::errors::internal(format!("stored record: {error:?}")))?;
    Ok(record)
}

fn encode_private<T: Serialize>(record: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(record).map_err(crate::errors::internal)
}

fn decode_private<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(crate::errors::internal)
}
