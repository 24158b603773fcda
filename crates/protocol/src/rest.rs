//! Where the rest protocols put members in an HTTP message: labels, query, headers, status, body.

mod reader;
mod text_reader;
mod text_writer;
mod writer;

pub(crate) use reader::read;
pub(crate) use writer::{RawWriter, write};
