//! The small vocabulary that every generated AWS type and every protocol speaks.
//!
//! A generated type implements [`Shape`]: it hands its members to a [`Writer`] or takes them from
//! a [`Reader`]. A static [`Structure`] table beside it says what each member is called, where on
//! the wire it stands and which values it may hold. A protocol is one `Reader` and one `Writer`,
//! written once by hand and driven by those tables, so adding a service adds tables and no code.
//!
//! Invariants: this crate depends on nothing, knows no protocol, no service and no HTTP library.

mod error;
mod operation;
mod shape;
mod timestamp;
mod value;

pub use error::{Error, ErrorCode, Fault, Result};
pub use operation::{Auth, Method, Operation, Protocol, Service};
pub use shape::{
    Kind, Length, List, Location, Map, Member, Number, Structure, Target, Text, Traits,
    XmlNamespace,
};
pub use timestamp::{Timestamp, TimestampFormat};
pub use value::{
    Blob, Document, EventStream, Named, Nothing, Reader, Shape, Streaming, Violation, Writer,
};
