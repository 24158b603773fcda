//! The types of condition keys, and which operators compare them.

use crate::operator::Family;

/// The type of a key's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// Text.
    String,
    /// An ARN.
    Arn,
    /// `true` or `false`.
    Bool,
    /// A date of ISO 8601.
    Date,
    /// `aws:EpochTime`: a date that may be compared as a number.
    DateOrNumeric,
    /// A number.
    Numeric,
    /// An address of IPv4 or IPv6.
    IpAddress,
    /// Bytes in base64.
    Binary,
}

impl KeyType {
    /// Reads a type of the Service Authorization Reference, without `ArrayOf`.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "String" => Some(Self::String),
            "ARN" | "Arn" => Some(Self::Arn),
            "Bool" | "Boolean" => Some(Self::Bool),
            "Date" => Some(Self::Date),
            "Numeric" | "Long" | "Integer" => Some(Self::Numeric),
            "IPAddress" | "IpAddress" => Some(Self::IpAddress),
            "Binary" => Some(Self::Binary),
            _ => None,
        }
    }

    /// The operators for it, by the name of their kind.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::String => "String",
            Self::Arn => "ARN",
            Self::Bool => "Boolean",
            Self::Date | Self::DateOrNumeric => "Date",
            Self::Numeric => "Numeric",
            Self::IpAddress => "IP address",
            Self::Binary => "Binary",
        }
    }

    /// Whether an operator fits. ARNs may be compared as strings too.
    pub(crate) fn takes(self, family: Family) -> bool {
        use Family::{Numeric, StringEquals, StringEqualsIgnoreCase, StringLike};
        let string = matches!(family, StringEquals | StringEqualsIgnoreCase | StringLike);
        match self {
            Self::String => string,
            Self::Arn => string || family == Family::Arn,
            Self::Bool => family == Family::Bool,
            Self::Date => matches!(family, Family::Date(_)),
            Self::DateOrNumeric => matches!(family, Family::Date(_) | Numeric(_)),
            Self::Numeric => matches!(family, Numeric(_)),
            Self::IpAddress => family == Family::IpAddress,
            Self::Binary => family == Family::Binary,
        }
    }
}
