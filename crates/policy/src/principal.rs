//! Who a statement of a resource's policy is about.
//!
//! Source: "AWS JSON policy elements: Principal" and "NotPrincipal", IAM User Guide.

use crate::arn::{Arn, is_account_id};
use crate::document::{PrincipalElement, PrincipalEntry, PrincipalType};
use crate::request::{Principal, PrincipalKind};
use serde::{Deserialize, Serialize};

/// How directly an Allow of a resource's policy names the caller. A stronger grant needs less of
/// the caller's own policies ("How AWS enforcement code logic evaluates requests").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grant {
    /// Its account: identity policies, boundary and session policies must allow as well.
    Account,
    /// The role or user behind the session: boundary and session policies still limit.
    Issuer,
    /// The caller itself, or everyone: nothing else in its account is needed.
    Direct,
}

/// One compiled entry of `Principal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PrincipalMatcher {
    Everyone,
    Account(Box<str>),
    User(Box<str>),
    Role {
        arn: Box<str>,
        account: Box<str>,
        name: Box<str>,
    },
    /// A role session or a federated user's session.
    Session(Box<str>),
    /// `AIDA…` or `AROA…`, as stored policies name users and roles.
    UniqueId(Box<str>),
    Service(Box<str>),
    Federated(Box<str>),
    CanonicalUser(Box<str>),
}

impl PrincipalMatcher {
    /// Compiles one entry; `None` when no principal can look like that.
    pub fn compile(entry: &PrincipalEntry) -> Option<Self> {
        let text = entry.value.text.as_str();
        match entry.kind {
            PrincipalType::Everyone => Some(Self::Everyone),
            PrincipalType::Aws => Self::compile_aws(text),
            PrincipalType::Service => {
                let valid = !text.is_empty() && text.contains('.') && !text.contains(['*', '?']);
                valid.then(|| Self::Service(text.into()))
            }
            PrincipalType::Federated => {
                let valid = !text.is_empty() && !text.contains(['*', '?']);
                valid.then(|| Self::Federated(text.into()))
            }
            PrincipalType::CanonicalUser => {
                let valid = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
                valid.then(|| Self::CanonicalUser(text.into()))
            }
        }
    }

    fn compile_aws(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Everyone);
        }
        if is_account_id(text) {
            return Some(Self::Account(text.into()));
        }
        if is_unique_id(text) {
            return Some(Self::UniqueId(text.into()));
        }
        let arn = Arn::parse(text)?;
        // Origin access identities of CloudFront are users of an account of that name.
        let account = match arn.account {
            "cloudfront" => "cloudfront",
            _ => arn.account_id()?,
        };
        if text.contains(['*', '?']) || !arn.region.is_empty() {
            return None;
        }
        match (arn.service, arn.resource, arn.resource_type()) {
            ("iam", "root", _) => Some(Self::Account(account.into())),
            ("iam", _, Some("user")) => Some(Self::User(text.into())),
            ("iam", _, Some("role")) => Some(Self::Role {
                arn: text.into(),
                account: account.into(),
                name: arn.resource_name().into(),
            }),
            ("sts", _, Some("assumed-role" | "federated-user")) => Some(Self::Session(text.into())),
            _ => None,
        }
    }

    /// How the entry names the caller, if it does.
    pub fn grant(&self, caller: &Principal) -> Option<Grant> {
        let (matches, grant) = match self {
            Self::Everyone => (true, Grant::Direct),
            Self::Account(account) => {
                (caller.has_account() && *caller.account == **account, Grant::Account)
            }
            Self::User(arn) => match caller.kind {
                PrincipalKind::User => (*caller.arn == **arn, Grant::Direct),
                PrincipalKind::FederatedUser => {
                    (caller.issuer_arn.as_deref() == Some(&**arn), Grant::Issuer)
                }
                _ => return None,
            },
            Self::Role { arn, account, name } => {
                let matches = match (caller.kind, &caller.issuer_arn) {
                    (PrincipalKind::Role, _) => *caller.arn == **arn,
                    (PrincipalKind::AssumedRole, Some(issuer)) => **issuer == **arn,
                    // A session's ARN holds only the role's name, which is unique in its account.
                    (PrincipalKind::AssumedRole, None) => {
                        *caller.account == **account && caller.role_name() == Some(&**name)
                    }
                    _ => false,
                };
                (matches, Grant::Issuer)
            }
            Self::Session(arn) => {
                let session = matches!(
                    caller.kind,
                    PrincipalKind::AssumedRole | PrincipalKind::FederatedUser
                );
                (session && *caller.arn == **arn, Grant::Direct)
            }
            Self::UniqueId(id) => {
                let grant = match caller.kind {
                    PrincipalKind::User => Grant::Direct,
                    _ => Grant::Issuer,
                };
                (caller.unique_id.as_deref() == Some(&**id), grant)
            }
            Self::Service(name) => {
                (caller.kind == PrincipalKind::Service && *caller.arn == **name, Grant::Direct)
            }
            Self::Federated(provider) => (
                caller.kind == PrincipalKind::Federated && *caller.arn == **provider,
                Grant::Direct,
            ),
            Self::CanonicalUser(id) => {
                (caller.canonical_user_id.as_deref() == Some(&**id), Grant::Account)
            }
        };
        matches.then_some(grant)
    }

    /// Whether `NotPrincipal` exempts the caller by this entry. The account's entry exempts its
    /// root user alone and the role's entry its sessions not: each session must be listed
    /// (docs/decisions/004-not-principal.md).
    fn exempts(&self, caller: &Principal) -> bool {
        match self.grant(caller) {
            Some(Grant::Direct) => true,
            Some(Grant::Issuer) => caller.kind == PrincipalKind::Role,
            Some(Grant::Account) => caller.kind == PrincipalKind::Root,
            None => false,
        }
    }
}

/// Whether the text is a unique id of a user or role as saved policies show them.
fn is_unique_id(text: &str) -> bool {
    (text.starts_with("AIDA") || text.starts_with("AROA"))
        && text.len() >= 16
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// A compiled `Principal` or `NotPrincipal`.
#[derive(Clone, Debug)]
pub(crate) enum Principals {
    /// The document's kind has none: the policy belongs to its callers.
    Implied,
    Named(Box<[PrincipalMatcher]>),
    AllBut(Box<[PrincipalMatcher]>),
}

impl Principals {
    pub fn compile(element: Option<&PrincipalElement>) -> Self {
        let Some(element) = element else { return Self::Implied };
        let matchers = element.entries.iter().filter_map(PrincipalMatcher::compile).collect();
        if element.negated { Self::AllBut(matchers) } else { Self::Named(matchers) }
    }

    /// How the statement names the caller. A caller with a boundary is exempt from no
    /// `NotPrincipal`, whatever it lists ("Permissions boundaries for IAM entities").
    pub fn grant(&self, caller: &Principal, has_boundary: bool) -> Option<Grant> {
        match self {
            Self::Implied => Some(Grant::Direct),
            Self::Named(matchers) => {
                matchers.iter().filter_map(|matcher| matcher.grant(caller)).max()
            }
            Self::AllBut(matchers) => {
                let exempt =
                    !has_boundary && matchers.iter().any(|matcher| matcher.exempts(caller));
                (!exempt).then_some(Grant::Direct)
            }
        }
    }
}
