//! Signs with AWS Signature Version 4, and verifies 4 and 4A, in the header and the presigned form,
//! and bodies sent as `aws-chunked`. Nothing in here does I/O, reads a clock or stores a secret
//! beyond the bounded cache of derived keys.
//!
//! ```text
//! let Proof::Signature(parsed) = parse(&parts)? else { … };
//! let secret = look_up(&parsed.access_key_id, parsed.session_token.as_deref())?;
//! let verified = verify(&parsed, &parts, &secret, Payload::Body(&body), &rules, &keys)?;
//! ```
//!
//! An [`Error`] says what is wrong as data; [`Error::answer`] gives code, status, text and fields
//! as the services of a [`Dialect`] print them.

mod answer;
mod answer_s3;
mod asymmetric;
mod canonical;
mod chunk_seed;
mod chunked;
#[cfg(test)]
mod chunked_tests;
mod error;
mod hex;
mod parse;
#[cfg(test)]
mod parse_tests;
mod payload;
mod post_policy;
mod request;
mod sign;
mod signing_key;
#[cfg(test)]
mod suite_tests;
#[cfg(test)]
mod test_request;
mod timestamp;
mod verify;
#[cfg(test)]
mod verify_tests;

pub use answer::{Answer, Dialect};
pub use chunk_seed::{ChunkError, ChunkLimits, ChunkSeed, ChunkSigning};
pub use chunked::ChunkDecoder;
pub use error::{Error, ExpiresProblem, Mismatch, Missing, Skew};
pub use parse::{Algorithm, Form, Parsed, Proof, Scope, parse};
pub use payload::{BodyProof, Payload};
pub use post_policy::PostProof;
pub use request::RequestParts;
pub use sign::Signing;
pub use signing_key::SigningKeys;
pub use timestamp::Timestamp;
pub use verify::{Rules, Verified, verify};
