//! XML of the query, ec2 and rest-xml protocols. Unknown elements are ignored, as is the root's
//! name, which S3 does not check either.

mod reader;
mod tree;
mod writer;

pub use reader::XmlReader;
pub use tree::parse;
pub use writer::XmlWriter;
