//! Actions: `prefix:Name`, both without case, wildcards in the name.

use crate::document::Element;
use crate::pattern::{Pattern, Syntax};
use std::collections::{BTreeMap, BTreeSet};

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

/// A compiled `Action` or `NotAction`, by service, so that a policy about hundreds of services
/// costs no more to ask than one about a single one.
#[derive(Clone, Debug)]
pub(crate) struct Actions {
    negated: bool,
    /// The bare `*` is among the values.
    everything: bool,
    /// Sorted by service prefix; all in lower case.
    services: Box<[ServiceActions]>,
}

#[derive(Clone, Debug)]
struct ServiceActions {
    service: Box<str>,
    /// The names without wildcards, sorted.
    names: Box<[Box<str>]>,
    patterns: Box<[Pattern]>,
}

impl Actions {
    pub fn compile(element: &Element) -> Self {
        let mut everything = false;
        let mut services: BTreeMap<&str, (BTreeSet<&str>, Vec<Pattern>)> = BTreeMap::new();
        let lower: Vec<String> = element.values.iter().map(|it| it.text.to_lowercase()).collect();
        for value in &lower {
            everything |= value == "*";
            let Some((service, name)) = value.split_once(':') else { continue };
            let (names, patterns) = services.entry(service).or_default();
            if name.contains(['*', '?']) {
                let syntax = Syntax { wildcards: true, variables: false };
                patterns.push(Pattern::compile(name, syntax));
            } else {
                names.insert(name);
            }
        }
        let services = services.into_iter().map(|(service, (names, patterns))| ServiceActions {
            service: service.into(),
            names: names.into_iter().map(Box::from).collect(),
            patterns: patterns.into(),
        });
        Self { negated: element.negated, everything, services: services.collect() }
    }

    /// Whether the statement is about the action, given in lower case.
    pub fn matches(&self, service: &str, name: &str) -> bool {
        let listed = || {
            self.of_service(service).is_some_and(|entry| {
                entry.names.binary_search_by(|known| (**known).cmp(name)).is_ok()
                    || entry.patterns.iter().any(|pattern| pattern.matches_plain(name))
            })
        };
        (self.everything || listed()) != self.negated
    }

    /// Whether it can be about an action of the service that it does not name in full.
    pub fn may_match_unnamed(&self, service: &str) -> bool {
        let patterned = || self.of_service(service).is_some_and(|entry| !entry.patterns.is_empty());
        self.negated || self.everything || patterned()
    }

    /// The services it names, each with the names it gives in full.
    pub fn services(&self) -> impl Iterator<Item = (&str, &[Box<str>])> {
        self.services.iter().map(|entry| (&*entry.service, &*entry.names))
    }

    fn of_service(&self, service: &str) -> Option<&ServiceActions> {
        let found = self.services.binary_search_by(|entry| (*entry.service).cmp(service));
        found.ok().and_then(|at| self.services.get(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Spanned;

    #[test]
    fn names() {
        let action = ActionName::new("S3:GetObject").unwrap();
        assert_eq!((action.service(), action.name()), ("s3", "getobject"));
        assert!(ActionName::new("sts:getcalleridentity").unwrap().is_get_caller_identity());
        assert!(ActionName::new("GetObject").is_none());
        assert!(ActionName::new("s3:Gét").is_none());
        assert!(ActionName::new(&format!("s3:{}", "a".repeat(300))).is_none());
    }

    #[test]
    fn by_service() {
        let value = |text: &&str| Spanned { text: (*text).to_owned(), span: Default::default() };
        let values = ["S3:Get*", "sqs:SendMessage", "s3:PutObject"].iter().map(value).collect();
        let mut element = Element { negated: false, values, span: Default::default() };
        let actions = Actions::compile(&element);
        assert!(actions.matches("s3", "getobject") && actions.matches("s3", "putobject"));
        assert!(!actions.matches("s3", "deleteobject") && !actions.matches("sns", "getobject"));
        assert!(actions.may_match_unnamed("s3") && !actions.may_match_unnamed("sqs"));
        element.negated = true;
        let actions = Actions::compile(&element);
        assert!(!actions.matches("s3", "getobject") && actions.matches("sns", "publish"));
        assert!(actions.may_match_unnamed("sqs"));
    }
}
