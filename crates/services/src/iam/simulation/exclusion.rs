//! `PolicyExclusionList`: what a simulation of a principal leaves out.
//!
//! Source: IAM API reference, PolicyIdentifier and InlinePolicyIdentifierType. "Syntactically valid
//! identifiers that don't match any attached policy are ignored."

use super::source::{Origin, Source};
use crate::iam::access::Kind;
use crate::iam::managed::{self, Owner};
use palisade_model::iam::{INVALID_INPUT, InlinePolicyIdentifierType, PolicyIdentifier};
use palisade_shape::{Error, Result};

/// All exclusions of a request.
pub struct Exclusions {
    list: Vec<Exclusion>,
}

enum Exclusion {
    /// `inline`, `aws-managed`, `user-managed`, `permission-boundary`, `scp`, `rcp`.
    Type(String),
    /// The ARNs of managed policies.
    Arn(String),
    Inline {
        kind: Kind,
        owner: String,
        name: String,
    },
}

impl Exclusions {
    pub fn read(identifiers: &[PolicyIdentifier]) -> Result<Self> {
        let list: Result<Vec<Exclusion>> = identifiers.iter().map(Exclusion::read).collect();
        Ok(Self { list: list? })
    }

    /// Whether a policy of the principal is left out.
    pub fn exclude(&self, policy: &Source) -> bool {
        self.list.iter().any(|exclusion| exclusion.matches(&policy.origin))
    }

    /// A boundary goes by its type alone: the same policy may be attached for its permissions.
    pub fn exclude_boundary(&self) -> bool {
        self.has_type("permission-boundary")
    }

    pub fn exclude_organization(&self) -> bool {
        self.has_type("scp")
    }

    fn has_type(&self, wanted: &str) -> bool {
        let mut types = self.list.iter();
        types.any(|exclusion| matches!(exclusion, Exclusion::Type(kind) if kind == wanted))
    }
}

impl Exclusion {
    fn read(identifier: &PolicyIdentifier) -> Result<Self> {
        let PolicyIdentifier { policy_type, policy_arn, inline_policy_identifier } = identifier;
        match (policy_type, policy_arn, inline_policy_identifier) {
            (Some(kind), None, None) => Ok(Self::Type(kind.clone())),
            (None, Some(arn), None) => {
                check_arn(arn)?;
                Ok(Self::Arn(arn.clone()))
            }
            (None, None, Some(inline)) => Self::inline(inline),
            _ => Err(invalid(
                "A policy identifier must specify exactly one of PolicyType, PolicyArn, or \
                 InlinePolicyIdentifier."
                    .to_owned(),
            )),
        }
    }

    fn inline(identifier: &InlinePolicyIdentifierType) -> Result<Self> {
        let InlinePolicyIdentifierType { policy_name, attachment_type, attachment_name } =
            identifier;
        let kind = match attachment_type.as_str() {
            "user" => Kind::User,
            "group" => Kind::Group,
            "role" => Kind::Role,
            other => return Err(invalid(format!("Invalid attachment type: {other}."))),
        };
        check_stars(attachment_name)?;
        Ok(Self::Inline { kind, owner: attachment_name.clone(), name: policy_name.clone() })
    }

    fn matches(&self, origin: &Origin) -> bool {
        match (self, origin) {
            (_, Origin::Input) => false,
            (Self::Type(kind), Origin::Inline { .. }) => kind == "inline",
            (Self::Type(kind), Origin::Managed { arn }) => {
                let aws = managed::owner(arn) == Some(Owner::Aws);
                kind == if aws { "aws-managed" } else { "user-managed" }
            }
            // AWS was seen to compare with the ARN without its path; the whole ARN is documented.
            (Self::Arn(pattern), Origin::Managed { arn }) => {
                selects(pattern, arn) || selects(pattern, &without_path(arn))
            }
            (
                Self::Inline { kind, owner, name },
                Origin::Inline { kind: attached, owner: holder, name: policy },
            ) => kind == attached && name == policy && selects(owner, holder),
            (Self::Arn(_), Origin::Inline { .. })
            | (Self::Inline { .. }, Origin::Managed { .. }) => false,
        }
    }
}

fn invalid(message: String) -> Error {
    INVALID_INPUT.because(message)
}

/// An ARN of a managed policy, with wildcards in its name at most.
fn check_arn(arn: &str) -> Result<()> {
    let before = arn.find(":policy/").and_then(|at| arn.get(..at)).unwrap_or_default();
    if managed::owner(arn).is_none() || before.contains(['*', '?']) {
        return Err(invalid(format!("Invalid ARN provided in the request: {arn}")));
    }
    check_stars(arn)
}

fn check_stars(pattern: &str) -> Result<()> {
    match pattern.matches('*').count() {
        0 | 1 => Ok(()),
        _ => Err(invalid(format!("Only one * is allowed in a policy identifier: {pattern}"))),
    }
}

fn without_path(arn: &str) -> String {
    let prefix = arn.find("policy/").and_then(|at| arn.get(..at)).unwrap_or_default();
    format!("{prefix}policy/{}", managed::name_of(arn))
}

/// Whether a pattern with one `*` at most matches; `?` stands for one character.
fn selects(pattern: &str, text: &str) -> bool {
    let alike = |pattern: &str, text: &[char]| {
        pattern.chars().count() == text.len()
            && pattern.chars().zip(text).all(|(wanted, found)| wanted == '?' || wanted == *found)
    };
    let characters: Vec<char> = text.chars().collect();
    let Some((start, end)) = pattern.split_once('*') else { return alike(pattern, &characters) };
    let (first, last) = (start.chars().count(), end.chars().count());
    let Some(rest) = characters.len().checked_sub(last).filter(|rest| *rest >= first) else {
        return false;
    };
    let head = characters.get(..first).unwrap_or_default();
    let tail = characters.get(rest..).unwrap_or_default();
    alike(start, head) && alike(end, tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_has_one_star_and_any_number_of_question_marks() {
        let cases = [
            ("ana", "ana", true),
            ("ana", "anb", false),
            ("an?", "ana", true),
            ("an?", "an", false),
            ("*", "", true),
            ("a*a", "ana", true),
            ("a*a", "a", false),
            ("a*?", "ana", true),
            ("é*", "éclair", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(selects(pattern, text), expected, "{pattern} on {text}");
        }
    }
}
