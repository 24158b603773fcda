//! Condition operators and their modifiers, by name.
//!
//! Source: "IAM JSON policy elements: Condition operators" and "Set operators for multivalued
//! context keys", IAM User Guide.

/// How the request's values of a key are quantified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantifier {
    /// No set operator: the key must be single-valued.
    Single,
    ForAllValues,
    ForAnyValue,
}

/// How an ordered value compares with the policy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Relation {
    pub fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    Numeric(Relation),
    Date(Relation),
    Bool,
    Binary,
    IpAddress,
    Arn,
    Null,
}

/// An operator with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operator {
    pub family: Family,
    pub negated: bool,
    pub quantifier: Quantifier,
    pub if_exists: bool,
}

/// Every operator name without modifiers: family and whether it is the negated one.
const NAMES: &[(&str, Family, bool)] = &[
    ("StringEquals", Family::StringEquals, false),
    ("StringNotEquals", Family::StringEquals, true),
    ("StringEqualsIgnoreCase", Family::StringEqualsIgnoreCase, false),
    ("StringNotEqualsIgnoreCase", Family::StringEqualsIgnoreCase, true),
    ("StringLike", Family::StringLike, false),
    ("StringNotLike", Family::StringLike, true),
    ("NumericEquals", Family::Numeric(Relation::Equal), false),
    ("NumericNotEquals", Family::Numeric(Relation::Equal), true),
    ("NumericLessThan", Family::Numeric(Relation::Less), false),
    ("NumericLessThanEquals", Family::Numeric(Relation::LessOrEqual), false),
    ("NumericGreaterThan", Family::Numeric(Relation::Greater), false),
    ("NumericGreaterThanEquals", Family::Numeric(Relation::GreaterOrEqual), false),
    ("DateEquals", Family::Date(Relation::Equal), false),
    ("DateNotEquals", Family::Date(Relation::Equal), true),
    ("DateLessThan", Family::Date(Relation::Less), false),
    ("DateLessThanEquals", Family::Date(Relation::LessOrEqual), false),
    ("DateGreaterThan", Family::Date(Relation::Greater), false),
    ("DateGreaterThanEquals", Family::Date(Relation::GreaterOrEqual), false),
    ("Bool", Family::Bool, false),
    ("BinaryEquals", Family::Binary, false),
    ("IpAddress", Family::IpAddress, false),
    ("NotIpAddress", Family::IpAddress, true),
    ("ArnEquals", Family::Arn, false),
    ("ArnLike", Family::Arn, false),
    ("ArnNotEquals", Family::Arn, true),
    ("ArnNotLike", Family::Arn, true),
    ("Null", Family::Null, false),
];

impl Operator {
    /// Reads an operator's name; `None` for one AWS does not know. `Null` takes no modifier.
    pub fn parse(text: &str) -> Option<Self> {
        let (quantifier, name) = match text.split_once(':') {
            Some(("ForAllValues", name)) => (Quantifier::ForAllValues, name),
            Some(("ForAnyValue", name)) => (Quantifier::ForAnyValue, name),
            Some(_) => return None,
            None => (Quantifier::Single, text),
        };
        let (name, if_exists) = match name.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let (_, family, negated) = NAMES.iter().find(|(known, _, _)| *known == name)?;
        let modified = if_exists || quantifier != Quantifier::Single;
        if *family == Family::Null && modified {
            return None;
        }
        Some(Self { family: *family, negated: *negated, quantifier, if_exists })
    }

    /// Whether the operator's values may hold policy variables.
    pub fn admits_variables(self) -> bool {
        matches!(
            self.family,
            Family::StringEquals
                | Family::StringEqualsIgnoreCase
                | Family::StringLike
                | Family::Arn
                | Family::Bool
        )
    }
}
