//! The AWS APIs as Rust types and tables, generated from the trimmed models under `models/`.
//!
//! One module a service holds its structures, its enumerations' values, its errors and its
//! [`palisade_shape::Service`] with every operation. Nothing here does anything: the protocols read
//! the tables, the services use the types.

mod generated;
mod table;

pub use generated::*;
