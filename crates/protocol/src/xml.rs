//! XML of the query, ec2 and rest-xml protocols.

mod writer;

pub use writer::XmlWriter;
