//! Actions: `prefix:Name`, both without case, wildcards in the name.

use crate::document::Element;
use crate::pattern::{Pattern, Syntax};

/// A request's action in lower case, split at its colon, kept on the stack.
pub(crate) struct ActionName {
    buffer: [u8; ActionName::LENGTH_MAX],
    length: usize,
    colon: usize,
}

impl ActionName {
    /// The longest action AWS knows has about 90 characters.
    const LENGTH_MAX: usize = 192;

    /// Reads an action; `None` when it has no colon, is not ASCII or far too long to be one.
    pub fn new(action: &str) -> Option<Self> {
        let colon = memchr::memchr(b':', action.as_bytes())?;
        let mut buffer = [0; Self::LENGTH_MAX];
        let lower = buffer.get_mut(..action.len()).filter(|_| action.is_ascii())?;
        lower.copy_from_slice(action.as_bytes());
        lower.make_ascii_lowercase();
        Some(Self { buffer, length: action.len(), colon })
    }

    /// The service prefix.
    pub fn service(&self) -> &str {
        self.text(0, self.colon)
    }

    /// The name behind the colon.
    pub fn name(&self) -> &str {
        self.text(self.colon + 1, self.length)
    }

    /// `sts:GetCallerIdentity` needs no permission, and no denial stops it.
    pub fn is_get_caller_identity(&self) -> bool {
        self.text(0, self.length) == "sts:getcalleridentity"
    }

    fn text(&self, from: usize, to: usize) -> &str {
        let bytes = self.buffer.get(from..to).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

/// One value of an action element.
#[derive(Clone, Debug)]
pub(crate) enum ActionMatcher {
    /// The bare `*`.
    All,
    /// One service's actions, prefix and name pattern in lower case.
    Service { service: Box<str>, name: Pattern },
}

impl ActionMatcher {
    fn compile(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::All);
        }
        let lower = text.to_lowercase();
        let (service, name) = lower.split_once(':')?;
        let syntax = Syntax { wildcards: true, variables: false };
        Some(Self::Service { service: service.into(), name: Pattern::compile(name, syntax) })
    }

    pub fn matches(&self, service: &str, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Service { service: own, name: pattern } => {
                **own == *service && pattern.matches_plain(name)
            }
        }
    }
}

/// A compiled `Action` or `NotAction`.
#[derive(Clone, Debug)]
pub(crate) struct Actions {
    pub negated: bool,
    pub matchers: Box<[ActionMatcher]>,
}

impl Actions {
    pub fn compile(element: &Element) -> Self {
        let texts = element.values.iter().map(|value| value.text.as_str());
        let matchers = texts.filter_map(ActionMatcher::compile).collect();
        Self { negated: element.negated, matchers }
    }

    /// Whether the statement is about the action, given in lower case.
    pub fn matches(&self, service: &str, name: &str) -> bool {
        self.matchers.iter().any(|matcher| matcher.matches(service, name)) != self.negated
    }
}
