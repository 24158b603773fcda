//! CBOR (RFC 8949) as Smithy's RPC v2 protocol uses it. Unknown members are ignored, `null` is
//! absence, instants are epoch seconds under tag 1.

mod reader;
mod writer;

pub use reader::CborReader;
pub use writer::CborWriter;
