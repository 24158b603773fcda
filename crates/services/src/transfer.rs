//! What travels beside a call's input and output: how it was signed, a body that was streamed in,
//! content to stream out.

use crate::s3::content::Content;
use crate::s3::receive::Received;
use palisade_shape::Timestamp;
use std::sync::{Mutex, PoisonError};

/// What a call brought besides its input.
#[derive(Default)]
pub struct Transfer {
    /// None for who signed nothing.
    pub signed: Option<Signed>,
    /// The streamed body, once it was received.
    received: Mutex<Option<Received>>,
}

/// How a call was signed.
#[derive(Clone, Debug)]
pub struct Signed {
    /// `REST-HEADER`, `REST-QUERY-STRING` or `POST`, as `s3:authType` has it.
    pub auth_type: &'static str,
    /// `AWS4-HMAC-SHA256` or `AWS4-ECDSA-P256-SHA256`.
    pub algorithm: &'static str,
    pub at: Timestamp,
    /// The header `x-amz-content-sha256`.
    pub content_sha256: Option<String>,
}

impl Transfer {
    /// A call that was signed so.
    pub fn signed(signed: Signed) -> Self {
        Self { signed: Some(signed), received: Mutex::default() }
    }

    /// What was received is named by something stored: it stays.
    pub fn keep(&self) {
        self.with(|received| received.map(|received| received.blob.keep()));
    }

    /// Puts what was received where the handler finds it.
    pub fn put(&self, received: Received) {
        *self.received.lock().unwrap_or_else(PoisonError::into_inner) = Some(received);
    }

    /// Looks at what was received.
    pub fn with<R>(&self, look: impl FnOnce(Option<&Received>) -> R) -> R {
        look(self.received.lock().unwrap_or_else(PoisonError::into_inner).as_ref())
    }
}

/// What an answer says beyond the operation's output.
#[derive(Default)]
pub struct Reply {
    /// The body to stream.
    pub content: Option<Content>,
    /// Another status than the operation's own (206).
    pub status: Option<u16>,
}
