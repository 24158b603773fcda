//! What each fuzz target does with its bytes. A function here panics where the code under test
//! breaks one of its promises; `fuzz_targets/` and `tests/corpus.rs` call them.

mod chunks;
mod conditions;
mod frames;
mod jwt;
mod kms_blob;
pub mod message;
mod policies;
mod s3;
mod saml;
mod signature;
pub mod trial;
pub mod wire;

pub use chunks::aws_chunked;
pub use conditions::condition;
pub use frames::event_stream;
pub use jwt::jwt;
pub use kms_blob::kms_blob;
pub use policies::{arn, case, policy};
pub use s3::{s3_headers, s3_xml, with_documents};
pub use saml::saml;
pub use signature::sigv4;
pub use wire::{cbor, ec2, json, query, rest_json, rest_xml, xml};

/// A target by its name.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("arn", arn),
    ("aws_chunked", aws_chunked),
    ("case", case),
    ("cbor", cbor),
    ("condition", condition),
    ("ec2", ec2),
    ("event_stream", event_stream),
    ("json", json),
    ("jwt", jwt),
    ("kms_blob", kms_blob),
    ("policy", policy),
    ("query", query),
    ("rest_json", rest_json),
    ("rest_xml", rest_xml),
    ("s3_headers", s3_headers),
    ("s3_xml", s3_xml),
    ("saml", saml),
    ("sigv4", sigv4),
    ("xml", xml),
];
