use crate::Structure;
use std::borrow::Cow;

/// Who is to blame for an error: decides `<Type>` in the query protocol and the SDKs' retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Sender,
    Receiver,
}

/// One error that an API documents. Generated from the model's exception shapes.
#[derive(Debug, PartialEq)]
pub struct ErrorCode {
    /// The code on the wire, e.g. `EntityAlreadyExists`.
    pub code: &'static str,
    /// The model's shape, e.g. `EntityAlreadyExistsException`; JSON protocols send this name.
    pub shape: &'static str,
    /// The HTTP status.
    pub status: u16,
    pub fault: Fault,
    /// The members that the exception carries, when the model gives it any.
    pub structure: Option<&'static Structure>,
}

impl ErrorCode {
    /// An error with a code of its own name that the model does not describe.
    pub const fn plain(code: &'static str, status: u16) -> Self {
        let fault = if status < 500 { Fault::Sender } else { Fault::Receiver };
        Self { code, shape: code, status, fault, structure: None }
    }

    /// This error, saying why.
    pub fn because(&'static self, message: impl Into<Cow<'static, str>>) -> Error {
        Error { code: self, message: message.into(), fields: Vec::new(), internal: None }
    }
}

/// What a handler or a stage of the pipeline returns when it refuses.
#[derive(Clone, Debug)]
pub struct Error {
    pub code: &'static ErrorCode,
    /// What the client is told: AWS's text.
    pub message: Cow<'static, str>,
    /// Further members of the exception, by model name (`Reason`, `BucketName`, …).
    pub fields: Vec<(&'static str, String)>,
    /// What only the log is told.
    pub internal: Option<String>,
}

impl Error {
    /// Adds a member of the exception's structure.
    #[must_use]
    pub fn with(mut self, member: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((member, value.into()));
        self
    }

    /// Adds what the operator's log should say and the client must not see.
    #[must_use]
    pub fn internally(mut self, cause: impl std::fmt::Display) -> Self {
        self.internal = Some(cause.to_string());
        self
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.code, self.message)
    }
}

impl std::error::Error for Error {}

pub type Result<T, E = Error> = std::result::Result<T, E>;
