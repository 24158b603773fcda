//! The typed policy document: what was written, where, before compilation.

use crate::finding::{Finding, Severity, Span};
use crate::pattern::{variable_keys, written_variable_keys};
use crate::wording::{LEGACY, SYNTAX};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// What a document is for, which decides what it may contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DocumentKind {
    /// A managed or inline policy of a user, group or role.
    Identity,
    /// A policy of a resource: bucket, queue, topic, key, secret, …
    Resource,
    /// A role's trust policy.
    Trust,
    /// A service control policy.
    Scp,
    /// A resource control policy.
    Rcp,
    /// A session policy of `AssumeRole` or `GetFederationToken`.
    Session,
    /// A permissions boundary.
    Boundary,
    /// The policy of a VPC endpoint.
    VpcEndpoint,
}

impl DocumentKind {
    /// Whether statements name principals (and must).
    #[must_use]
    pub fn has_principal(self) -> bool {
        matches!(self, Self::Resource | Self::Trust | Self::Rcp | Self::VpcEndpoint)
    }
}

impl FromStr for DocumentKind {
    type Err = UnknownKind;

    /// Reads `identity`, `resource`, `trust`, `scp`, `rcp`, `session`, `boundary` or `vpce`.
    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        match text {
            "identity" => Ok(Self::Identity),
            "resource" => Ok(Self::Resource),
            "trust" => Ok(Self::Trust),
            "scp" => Ok(Self::Scp),
            "rcp" => Ok(Self::Rcp),
            "session" => Ok(Self::Session),
            "boundary" => Ok(Self::Boundary),
            "vpce" => Ok(Self::VpcEndpoint),
            _ => Err(UnknownKind),
        }
    }
}

/// A text that names no [`DocumentKind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownKind;

impl fmt::Display for UnknownKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "expected `identity`, `resource`, `trust`, `scp`, `rcp`, `session`, `boundary` or \
             `vpce`",
        )
    }
}

impl std::error::Error for UnknownKind {}

/// The policy language's version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// `2008-10-17`, also when none is written: policy variables are plain text.
    #[default]
    V2008,
    /// `2012-10-17`.
    V2012,
}

/// Allow or deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Effect {
    /// `"Effect": "Allow"`.
    Allow,
    /// `"Effect": "Deny"`.
    Deny,
}

/// A text and where it stands. Numbers and booleans appear as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned {
    /// The text, escapes resolved.
    pub text: String,
    /// Its place.
    pub span: Span,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Whether the element is the negated one.
    pub negated: bool,
    /// Its values.
    pub values: Vec<Spanned>,
    /// The element's place, key included.
    pub span: Span,
}

/// Which kind of principal an entry of `Principal` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PrincipalType {
    /// The bare `"*"`.
    Everyone,
    /// `"AWS"`.
    Aws,
    /// `"Service"`.
    Service,
    /// `"Federated"`.
    Federated,
    /// `"CanonicalUser"`.
    CanonicalUser,
}

/// One entry of `Principal` or `NotPrincipal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrincipalEntry {
    /// The map key it stands under.
    pub kind: PrincipalType,
    /// Its value.
    pub value: Spanned,
}

/// `Principal` or `NotPrincipal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrincipalElement {
    /// Whether it is `NotPrincipal`.
    pub negated: bool,
    /// All entries.
    pub entries: Vec<PrincipalEntry>,
    /// The element's place, key included.
    pub span: Span,
}

/// One key under one condition operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionElement {
    /// The operator as written, with its modifiers.
    pub operator: Spanned,
    /// The context key as written.
    pub key: Spanned,
    /// The values to compare with.
    pub values: Vec<Spanned>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// `Sid`.
    pub sid: Option<String>,
    /// `Effect`.
    pub effect: Effect,
    /// `Principal` or `NotPrincipal`.
    pub principal: Option<PrincipalElement>,
    /// `Action` or `NotAction`.
    pub action: Element,
    /// `Resource` or `NotResource`; absent in trust policies.
    pub resource: Option<Element>,
    /// `Condition`, one entry for each operator and key.
    pub conditions: Vec<ConditionElement>,
    /// The statement's place.
    pub span: Span,
}

/// A policy document that its kind accepts. Made by [`Policy::parse`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// What it was read as.
    pub kind: DocumentKind,
    /// `Version`; `None` when not written, which means 2008-10-17.
    pub version: Option<Version>,
    /// `Id`.
    pub id: Option<String>,
    /// `Statement`.
    pub statements: Vec<Statement>,
}

/// A document AWS would refuse, with all that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// All findings; at least one is an error.
    pub findings: Vec<Finding>,
}

impl Malformed {
    /// The message of AWS's `MalformedPolicyDocument`. Of several mistakes AWS names one: the
    /// syntax first, then what its older parser refuses, then statement ids, actions, resources.
    #[must_use]
    pub fn message(&self) -> &str {
        self.first_error().map_or(SYNTAX, |finding| &finding.message)
    }

    /// The error that [`Malformed::message`] words.
    #[must_use]
    pub fn first_error(&self) -> Option<&Finding> {
        let errors = self.findings.iter().filter(|finding| finding.severity == Severity::Error);
        errors.min_by_key(|finding| rank(finding))
    }
}

/// In which of AWS's passes over a document an error turns up.
fn rank(finding: &Finding) -> u8 {
    match finding.message.as_str() {
        SYNTAX => 0,
        LEGACY => 1,
        message if message.starts_with("Unknown field ") => 1,
        message if message.starts_with("Statement IDs (SID)") => 2,
        message if message.starts_with("Policy statement must contain actions") => 3,
        message if message.starts_with("Policy statement must contain resources") => 4,
        _ => 5,
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(error) = self.first_error() else { return f.write_str(self.message()) };
        write!(f, "{}", error.message)?;
        if let Some(detail) = &error.detail {
            write!(f, " ({detail})")?;
        }
        write!(f, " at line {}, column {}", error.at.line, error.at.column)
    }
}

impl std::error::Error for Malformed {}

/// The message IAM refuses a managed policy of an older version with.
pub const VERSION_TOO_OLD: &str = "Policy document must be version 2012-10-17 or greater.";

impl Policy {
    /// The version it is evaluated under.
    #[must_use]
    pub fn effective_version(&self) -> Version {
        self.version.unwrap_or_default()
    }

    /// Whether IAM takes it as a *managed* policy: those must say version 2012-10-17, and are
    /// refused with [`VERSION_TOO_OLD`]; inline and resource policies may be older.
    #[must_use]
    pub fn is_current_version(&self) -> bool {
        self.version == Some(Version::V2012)
    }

    /// The context keys it names, in conditions and as variables, in lower case: what
    /// `GetContextKeysForCustomPolicy` answers.
    #[must_use]
    pub fn context_keys(&self) -> BTreeSet<String> {
        let mut keys = BTreeSet::new();
        for statement in &self.statements {
            for condition in &statement.conditions {
                keys.insert(condition.key.text.to_lowercase());
                self.collect_variables(&condition.values, &mut keys);
            }
            let resources = statement.resource.iter();
            resources.for_each(|element| self.collect_variables(&element.values, &mut keys));
        }
        keys
    }

    /// The same keys as they are written, each as often as it is, in the order of the text.
    #[must_use]
    pub fn context_key_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        let variables = self.effective_version() == Version::V2012;
        let written = |values: &[Spanned], names: &mut Vec<String>| {
            let texts = values.iter().filter(|_| variables);
            names.extend(texts.flat_map(|value| written_variable_keys(&value.text)));
        };
        for statement in &self.statements {
            if let Some(element) = &statement.resource {
                written(&element.values, &mut names);
            }
            for condition in &statement.conditions {
                names.push(condition.key.text.clone());
                written(&condition.values, &mut names);
            }
        }
        names
    }

    fn collect_variables(&self, values: &[Spanned], keys: &mut BTreeSet<String>) {
        if self.effective_version() == Version::V2012 {
            keys.extend(values.iter().flat_map(|value| variable_keys(&value.text)));
        }
    }

    /// The length that AWS compares with the quota for documents of the kind, in characters:
    /// without white space for IAM's own policies ("IAM and AWS STS quotas"), as written for SCPs,
    /// RCPs and resource policies ("Quotas for AWS Organizations"). White space is that of JSON: a
    /// no-break space, which a document may hold as well, counts.
    #[must_use]
    pub fn size(text: &str, kind: DocumentKind) -> usize {
        let counts_space = match kind {
            DocumentKind::Identity | DocumentKind::Trust => false,
            DocumentKind::Boundary | DocumentKind::Session => false,
            DocumentKind::Scp | DocumentKind::Rcp => true,
            DocumentKind::Resource | DocumentKind::VpcEndpoint => true,
        };
        let space = |character: char| matches!(character, ' ' | '\t' | '\n' | '\r');
        text.chars().filter(|character| counts_space || !space(*character)).count()
    }
}
