//! Resource elements and ARN conditions: six fields, each compared on its own.
//!
//! Source: "IAM JSON policy elements: Resource" and "Amazon Resource Names (ARNs)".

use crate::arn::Arn;
use crate::asked::Asked;
use crate::document::{Element, Version};
use crate::pattern::{Pattern, Syntax};
use crate::truth::Truth;
use std::sync::Arc;

/// An ARN pattern. Wildcards stay within their field; in the last they match anything.
#[derive(Clone, Debug)]
pub(crate) struct ArnPattern {
    partition: Pattern,
    service: Pattern,
    region: Pattern,
    account: Pattern,
    resource: Pattern,
}

impl ArnPattern {
    /// Compiles a pattern whose fields all take what the syntax says; missing fields count as
    /// `*`. `None` when it cannot match any ARN.
    pub fn compile(text: &str, syntax: Syntax) -> Option<Self> {
        Self::compile_fields(text, syntax, syntax)
    }

    /// Compiles a value of a resource element, where variables stand after the fifth colon only
    /// (docs/decisions/009-variables-in-arns.md).
    pub fn compile_resource(text: &str, version: Version) -> Option<Self> {
        let variables = version == Version::V2012;
        let early = Syntax { wildcards: true, variables: false };
        Self::compile_fields(text, early, Syntax { wildcards: true, variables })
    }

    fn compile_fields(text: &str, early: Syntax, last: Syntax) -> Option<Self> {
        let mut fields = Fields { rest: Some(text), variables: last.variables };
        // The bare star is every ARN (docs/decisions/008-bare-star.md).
        if text == "*" {
            fields.rest = None;
        } else if !Pattern::compile(fields.next()?, early).matches_plain("arn") {
            return None;
        }
        let padded = |field: Option<&str>, syntax| Pattern::compile(field.unwrap_or("*"), syntax);
        Some(Self {
            partition: padded(fields.next(), early),
            service: padded(fields.next(), early),
            region: padded(fields.next(), early),
            account: padded(fields.next(), early),
            resource: padded(fields.rest, last),
        })
    }

    pub fn matches_text<'a>(&'a self, text: &str, keys: &Asked<'a>) -> Truth {
        match Arn::parse(text) {
            Some(arn) => self.matches(&arn, keys),
            None => Truth::No,
        }
    }

    pub fn matches<'a>(&'a self, arn: &Arn<'_>, keys: &Asked<'a>) -> Truth {
        // The field that tells most apart goes first.
        let fields = [
            (&self.resource, arn.resource),
            (&self.service, arn.service),
            (&self.account, arn.account),
            (&self.region, arn.region),
            (&self.partition, arn.partition),
        ];
        Truth::all(fields.into_iter().map(|(pattern, field)| pattern.matches(field, keys)))
    }
}

/// Splits at colons that are not inside `${…}`.
struct Fields<'t> {
    rest: Option<&'t str>,
    variables: bool,
}

impl<'t> Fields<'t> {
    fn next(&mut self) -> Option<&'t str> {
        let rest = self.rest?;
        let mut from = 0;
        // Each byte is looked at twice at most, however many variables are unclosed.
        while let Some(at) = rest.get(from..)?.find([':', '$']).map(|at| from + at) {
            let found = rest.get(at..)?;
            if found.starts_with(':') {
                self.rest = rest.get(at + 1..);
                return rest.get(..at);
            }
            from = at + 1;
            if self.variables && found.starts_with("${") {
                // An unclosed variable is plain text, so its colon separates after all.
                match found.find('}') {
                    Some(close) => from = at + close + 1,
                    None => self.variables = false,
                }
            }
        }
        self.rest = None;
        Some(rest)
    }
}

#[derive(Clone, Debug)]
enum ResourcePattern {
    /// The bare `*`, which alone matches actions without a resource.
    All,
    Arn(Box<ArnPattern>),
}

/// The resource a request names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    text: &'a str,
    /// `None` for `*` and for anything that is no ARN.
    arn: Option<Arn<'a>>,
}

impl<'a> Target<'a> {
    pub fn new(resource: &'a str) -> Self {
        Self { text: resource, arn: Arn::parse(resource) }
    }

    /// As it was given.
    pub fn text(&self) -> &'a str {
        self.text
    }
}

/// A compiled `Resource` or `NotResource`.
#[derive(Clone, Debug)]
pub(crate) enum Resources {
    /// The document's kind has none: the policy belongs to its resource.
    Implied,
    Named(Box<[ResourceMatcher]>),
    AllBut(Box<[ResourceMatcher]>),
}

/// One compiled value of the element.
#[derive(Clone, Debug)]
pub(crate) struct ResourceMatcher {
    pattern: ResourcePattern,
    /// What every resource that matches begins with.
    lead: Arc<str>,
}

impl ResourceMatcher {
    fn compile(text: &str, version: Version) -> Option<Self> {
        if text == "*" {
            return Some(Self { pattern: ResourcePattern::All, lead: Arc::default() });
        }
        let pattern = ArnPattern::compile_resource(text, version)?;
        // Fields that are equal to the pattern's up to here are so as one text, too.
        let lead = text.find(['*', '?', '$']).and_then(|end| text.get(..end)).unwrap_or(text);
        Some(Self { pattern: ResourcePattern::Arn(Box::new(pattern)), lead: lead.into() })
    }

    pub fn matches<'a>(&'a self, target: &Target<'_>, keys: &Asked<'a>) -> Truth {
        match (&self.pattern, &target.arn) {
            (ResourcePattern::All, _) => Truth::Yes,
            (ResourcePattern::Arn(pattern), Some(arn)) => pattern.matches(arn, keys),
            (ResourcePattern::Arn(_), None) => Truth::No,
        }
    }
}

impl Resources {
    pub fn compile(element: Option<&Element>, version: Version) -> Self {
        let Some(element) = element else { return Self::Implied };
        let texts = element.values.iter().map(|value| value.text.as_str());
        let matchers = texts.filter_map(|text| ResourceMatcher::compile(text, version)).collect();
        if element.negated { Self::AllBut(matchers) } else { Self::Named(matchers) }
    }

    pub fn matches<'a>(&'a self, target: &Target<'_>, keys: &Asked<'a>) -> Truth {
        match self {
            Self::Implied => Truth::Yes,
            Self::Named(matchers) => {
                Truth::any(matchers.iter().map(|matcher| matcher.matches(target, keys)))
            }
            Self::AllBut(matchers) => {
                Truth::any(matchers.iter().map(|matcher| matcher.matches(target, keys))).invert()
            }
        }
    }

    /// Texts of which a resource must begin with one to match at all. Without one nothing matches.
    pub fn leads(&self) -> Vec<Arc<str>> {
        match self {
            Self::Implied | Self::AllBut(_) => vec![Arc::default()],
            Self::Named(matchers) => matchers.iter().map(|it| Arc::clone(&it.lead)).collect(),
        }
    }
}
