//! Conditions: one operator, one key, its values, compiled once and tested against the context.

use crate::asked::Asked;
use crate::document::{ConditionElement, Version};
use crate::operator::{Family, Operator, Quantifier, Relation};
use crate::pattern::{Pattern, Syntax};
use crate::request::Lookup;
use crate::resource::ArnPattern;
use crate::truth::Truth;
use crate::value::{self, Decimal};
use ipnet::IpNet;
use std::cmp::Ordering;

/// One compiled condition.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    operator: Operator,
    /// In lower case.
    key: Box<str>,
    test: Test,
}

/// The policy's values by family. A value that cannot be of its type never equals anything.
#[derive(Clone, Debug)]
enum Test {
    Text(Box<[Pattern]>),
    TextIgnoringCase(Box<[Pattern]>),
    Numeric(Relation, Box<[Box<str>]>),
    Date(Relation, Box<[i128]>),
    Bool(Box<[Pattern]>),
    Binary(Box<[Box<[u8]>]>),
    Address(Box<[IpNet]>),
    Arn(Box<[ArnPattern]>),
    Null(Box<[bool]>),
}

impl Condition {
    /// Compiles a condition of a parsed document, whose operators are all known.
    pub fn compile(element: &ConditionElement, version: Version) -> Option<Self> {
        let operator = Operator::parse(&element.operator.text)?;
        let variables = version == Version::V2012 && operator.admits_variables();
        let texts = || element.values.iter().map(|value| value.text.as_str());
        let exact = Syntax { wildcards: false, variables };
        let glob = Syntax { wildcards: true, variables };
        let patterns = |syntax| texts().map(|text| Pattern::compile(text, syntax)).collect();
        let test = match operator.family {
            Family::StringEquals => Test::Text(patterns(exact)),
            Family::StringLike => Test::Text(patterns(glob)),
            Family::StringEqualsIgnoreCase => Test::TextIgnoringCase(patterns(exact)),
            Family::Bool => Test::Bool(patterns(exact)),
            Family::Numeric(relation) => Test::Numeric(relation, texts().map(Box::from).collect()),
            Family::Date(relation) => {
                Test::Date(relation, texts().filter_map(value::parse_date).collect())
            }
            Family::Binary => {
                let binaries = texts().filter_map(value::parse_binary);
                Test::Binary(binaries.map(Vec::into_boxed_slice).collect())
            }
            Family::IpAddress => Test::Address(texts().filter_map(value::parse_network).collect()),
            Family::Arn => {
                Test::Arn(texts().filter_map(|text| ArnPattern::compile(text, glob)).collect())
            }
            Family::Null => Test::Null(texts().filter_map(value::parse_bool).collect()),
        };
        Some(Self { operator, key: element.key.text.to_lowercase().into(), test })
    }

    /// The key, in lower case.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether the condition holds.
    pub fn holds<'a>(&'a self, keys: &Asked<'a>) -> Truth {
        keys.with(&self.key, |found| self.holds_for(found, keys))
    }

    /// As [`Condition::holds`], with the key's value already looked up.
    pub fn holds_for<'a>(&'a self, found: &Lookup<'_>, keys: &Asked<'a>) -> Truth {
        let values = match found {
            Lookup::Unresolvable => return Truth::Unresolvable,
            Lookup::Absent => &[],
            Lookup::One(value) => std::slice::from_ref(value),
            Lookup::Many(values) => values.as_ref(),
        };
        if let Test::Null(expected) = &self.test {
            let absent = values.is_empty();
            return Truth::of(expected.contains(&absent));
        }
        if values.is_empty() {
            return Truth::of(self.holds_without_value());
        }
        match self.operator.quantifier {
            // A multivalued key needs a set operator (docs/decisions/001-multivalued-key.md).
            Quantifier::Single if matches!(found, Lookup::Many(_)) => Truth::No,
            Quantifier::Single | Quantifier::ForAllValues => {
                Truth::all(values.iter().map(|value| self.accepts(value, keys)))
            }
            Quantifier::ForAnyValue => {
                Truth::any(values.iter().map(|value| self.accepts(value, keys)))
            }
        }
    }

    /// The answer for an absent key or an empty set.
    fn holds_without_value(&self) -> bool {
        match self.operator.quantifier {
            _ if self.operator.if_exists => true,
            Quantifier::ForAllValues => true,
            Quantifier::ForAnyValue => false,
            Quantifier::Single => self.operator.negated,
        }
    }

    /// Whether one value of the request is as the policy wants it. A negated operator wants it to
    /// match none of the policy's values, which a value of the wrong type does.
    fn accepts<'a>(&'a self, value: &str, keys: &Asked<'a>) -> Truth {
        let matched = self.matches_any(value, keys);
        if self.operator.negated { matched.invert() } else { matched }
    }

    fn matches_any<'a>(&'a self, text: &str, keys: &Asked<'a>) -> Truth {
        match &self.test {
            Test::Text(patterns) => {
                Truth::any(patterns.iter().map(|pattern| pattern.matches(text, keys)))
            }
            Test::TextIgnoringCase(patterns) => {
                Truth::any(patterns.iter().map(|it| it.matches_ignoring_case(text, keys)))
            }
            Test::Numeric(relation, values) => Truth::of(numeric(text, *relation, values)),
            Test::Date(relation, values) => {
                let date = value::parse_date(text);
                let related =
                    |date: i128| values.iter().any(|value| relation.holds(date.cmp(value)));
                Truth::of(date.is_some_and(related))
            }
            Test::Bool(patterns) => match value::parse_bool(text) {
                Some(value) => {
                    let text = if value { "true" } else { "false" };
                    Truth::any(patterns.iter().map(|it| it.matches_ignoring_case(text, keys)))
                }
                None => Truth::No,
            },
            Test::Binary(values) => {
                Truth::of(value::with_binary(text, |bytes| values.iter().any(|it| **it == *bytes)))
            }
            Test::Address(networks) => {
                let address = value::parse_network(text);
                let inside = |address: IpNet| {
                    networks.iter().any(|network| value::contains(network, &address))
                };
                Truth::of(address.is_some_and(inside))
            }
            Test::Arn(patterns) => {
                Truth::any(patterns.iter().map(|pattern| pattern.matches_text(text, keys)))
            }
            Test::Null(_) => Truth::No,
        }
    }
}

fn numeric(text: &str, relation: Relation, values: &[Box<str>]) -> bool {
    let Some(number) = Decimal::parse(text) else { return false };
    values.iter().any(|value| {
        let ordering: Option<Ordering> = Decimal::parse(value).map(|value| number.cmp(&value));
        ordering.is_some_and(|ordering| relation.holds(ordering))
    })
}
