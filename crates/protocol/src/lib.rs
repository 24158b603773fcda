//! The AWS wire protocols and request signatures.
//!
//! Each protocol is one reader and one writer over `dyn Shape`, driven by the static tables of
//! `palisade-shape`; [`read_request`], [`respond`] and [`respond_error`] choose among them.
//! Architecture invariant: this crate knows shapes, not services. It reads no clock and draws no
//! random number.

mod answer;
mod base64;
mod cbor;
pub mod detect;
#[cfg(any(test, feature = "testing"))]
pub mod dynamic;
pub mod event_stream;
mod failure;
mod findings;
pub mod form_data;
pub mod json;
mod number;
mod pattern;
pub mod percent;
mod query;
pub mod refusal;
mod render;
mod request;
mod rest;
pub mod routes;
mod s3;
pub mod select;
pub mod sigv4;
mod sqs;
mod timestamp;
pub mod trail;
mod validate;
mod xml;

pub use answer::{Response, respond};
pub use failure::{Extra, respond_error};
pub use json::{from_json, to_json};
pub use pattern::is_supported as pattern_is_supported;
pub use query::Form;
pub use request::{Labels, Parts, read_form, read_request};
pub use routes::Routes;
pub use s3::post_response;
pub use sqs::query_code;
pub use validate::validate;
