//! Edits in words.

use super::Edit;
use super::change::{Change, Place};
use crate::explain::RequestValue;
use std::fmt;

impl fmt::Display for Edit {
    /// The changes, one after the other.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, change) in self.changes.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{change}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Place {
    /// `stmt 2 (Sid) of inline:user/ann/own`; statements are counted from one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stmt {}", self.statement + 1)?;
        if let Some(sid) = &self.sid {
            write!(f, " ({sid})")?;
        }
        write!(f, " of {}", self.policy)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddValue { at, element, value, .. } => {
                write!(f, "add {value:?} to {element} of {at}")
            }
            Self::RemoveValue { at, element, value, .. } => {
                write!(f, "remove {value:?} from {element} of {at}")
            }
            Self::RemoveStatement { at, .. } => write!(f, "remove {at}"),
            Self::AddStatement { layer, policy: Some(policy), statement, .. } => {
                write!(f, "add {statement} to {policy} ({layer})")
            }
            Self::AddStatement { layer, policy: None, statement, .. } => {
                write!(f, "add a new {layer} with {statement}")
            }
            Self::RemovePolicy { layer, policy, .. } => {
                write!(f, "take away the {layer} {policy}")
            }
            Self::SetContext { key, value } => write_context(f, key, value),
        }
    }
}

fn write_context(f: &mut fmt::Formatter<'_>, key: &str, value: &RequestValue) -> fmt::Result {
    match value {
        RequestValue::Absent => write!(f, "call without {key}"),
        RequestValue::Value(value) => write!(f, "call with {key} = {value:?}"),
        RequestValue::Values(values) => write!(f, "call with {key} = {values:?}"),
        RequestValue::Unresolvable => write!(f, "call with an unknown {key}"),
    }
}
