//! Three-valued answers: what is known to match, known not to, and what cannot be known.

use serde::{Deserialize, Serialize};

/// Whether something matches. The order makes "and" the smallest and "or" the largest, so the
/// outcome never depends on the order in which the parts were looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Truth {
    /// It does not match.
    No,
    /// It needs a context key that AWS would know and the caller could not supply.
    Unresolvable,
    /// It matches.
    Yes,
}

impl Truth {
    pub(crate) fn of(value: bool) -> Self {
        if value { Self::Yes } else { Self::No }
    }

    pub(crate) fn invert(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unresolvable => Self::Unresolvable,
            Self::Yes => Self::No,
        }
    }

    /// "Or" over all: stops at the first `Yes`.
    pub(crate) fn any(parts: impl Iterator<Item = Self>) -> Self {
        let mut answer = Self::No;
        for part in parts {
            answer = answer.max(part);
            if answer == Self::Yes {
                break;
            }
        }
        answer
    }

    /// "And" over all: stops at the first `No`.
    pub(crate) fn all(parts: impl Iterator<Item = Self>) -> Self {
        let mut answer = Self::Yes;
        for part in parts {
            answer = answer.min(part);
            if answer == Self::No {
                break;
            }
        }
        answer
    }
}
