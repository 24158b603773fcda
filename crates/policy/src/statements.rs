//! The statements of a decision, without an allocation: there are two at most.

use crate::decide::StatementRef;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::ops::Deref;

/// The statements that decided, in the order of their layers. Reads as a slice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statements(Held);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Held {
    #[default]
    None,
    One([StatementRef; 1]),
    Two([StatementRef; 2]),
}

impl Statements {
    /// Those of the two that are there.
    #[must_use]
    pub fn new(first: Option<StatementRef>, second: Option<StatementRef>) -> Self {
        Self(match (first, second) {
            (Some(first), Some(second)) => Held::Two([first, second]),
            (Some(one), None) | (None, Some(one)) => Held::One([one]),
            (None, None) => Held::None,
        })
    }
}

impl Deref for Statements {
    type Target = [StatementRef];

    fn deref(&self) -> &[StatementRef] {
        match &self.0 {
            Held::None => &[],
            Held::One(statements) => statements,
            Held::Two(statements) => statements,
        }
    }
}

impl<'s> IntoIterator for &'s Statements {
    type Item = &'s StatementRef;
    type IntoIter = std::slice::Iter<'s, StatementRef>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Serialize for Statements {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}

impl<'de> Deserialize<'de> for Statements {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut statements = Vec::<StatementRef>::deserialize(deserializer)?.into_iter();
        let held = Self::new(statements.next(), statements.next());
        match statements.next() {
            None => Ok(held),
            Some(_) => Err(D::Error::custom("a decision has two statements at most")),
        }
    }
}
