//! Who is calling: the principal, its session, and how it was proven.

use palisade_shape::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The result of authentication. Cheap to clone: one is cached per access key.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The account that the principal belongs to; empty for services and anonymous callers.
    pub account: Arc<str>,
    pub principal: Principal,
    /// The principal's ARN as AWS names it in messages and events.
    pub arn: Arc<str>,
    /// `aws:userid`: `AIDA…`, `AROA…:session`, the account for root, `account:name` for a
    /// federated user.
    pub user_id: Arc<str>,
    pub access_key_id: Option<Arc<str>>,
    pub session: Option<Arc<Session>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    Root,
    User { name: Arc<str>, path: Arc<str>, id: Arc<str> },
    AssumedRole { role: Arc<str>, path: Arc<str>, id: Arc<str>, session: Arc<str> },
    FederatedUser { name: Arc<str> },
    Service { name: Arc<str> },
    Federated(Arc<Federated>),
    Anonymous,
}

/// Somebody whom an identity provider vouches for: the caller of `AssumeRoleWithWebIdentity` and
/// of `AssumeRoleWithSAML`, once the token or the assertion was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Federated {
    pub proof: FederationProof,
    /// What a trust policy's `Federated` names: the provider's ARN, or the host name of one that
    /// AWS knows without a record.
    pub provider: String,
    /// What events call the provider: the issuer, or SAML's name qualifier.
    pub identity_provider: String,
    /// Whom the provider calls the user.
    pub subject: String,
    /// Whom the proof is for: a client id, or the recipient of an assertion.
    pub audience: String,
    /// The condition keys of the call, as the provider fills them.
    pub keys: Vec<(String, Vec<String>)>,
    /// Those that the session keeps, with `aws:FederatedProvider`.
    pub kept: BTreeMap<String, String>,
    pub tags: Vec<(String, String)>,
    pub transitive_tag_keys: Vec<String>,
    pub source_identity: Option<String>,
}

/// How a federated caller was proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FederationProof {
    WebIdentity,
    Saml(Box<SamlProof>),
}

/// What a SAML assertion says beyond its subject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SamlProof {
    /// The assertion's `ID`.
    pub assertion_id: String,
    /// The entity that issued it.
    pub issuer: String,
    /// The name's format: `persistent`, `transient`, or a URI.
    pub subject_type: String,
    pub name_qualifier: String,
    pub session_name: String,
    pub session_seconds: Option<i32>,
    /// Milliseconds since the epoch: `SessionNotOnOrAfter`.
    pub session_ends_millis: Option<i64>,
    /// Milliseconds since the epoch: until then the assertion could be used again.
    pub usable_until_millis: i64,
}

/// What a temporary credential says about itself. It travels sealed inside the session token, so a
/// session needs no row in the store and survives a restart.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Session {
    pub kind: SessionKind,
    pub access_key_id: String,
    pub secret_access_key: String,
    pub account: String,
    /// The ARN of the principal that the session stands for: the role for a role session, the user
    /// or root for the others.
    pub issuer_arn: String,
    /// `AROA…`, `AIDA…`, or the account for root. A recreated role has another id, so a session of
    /// the deleted one ends with it.
    pub issuer_id: String,
    /// The role's or user's name; empty for root.
    pub issuer_name: String,
    /// The role's or user's path.
    pub issuer_path: String,
    /// The session name of a role, the name of a federated user, empty otherwise.
    pub name: String,
    /// Milliseconds since the epoch.
    pub issued_at_millis: i64,
    pub expires_at_millis: i64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy_arns: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transitive_tag_keys: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
    /// When the caller proved a second factor, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa_at_millis: Option<i64>,
    /// The session was obtained with the credentials of a role session.
    #[serde(default)]
    pub chained: bool,
    /// What who issued the session says of it, by condition key: `aws:FederatedProvider` and the
    /// provider's keys (`accounts.google.com:sub`, …), or those of an instance.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub federation: BTreeMap<String, String>,
}

/// Which call issued the session (STS API reference).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionKind {
    AssumeRole,
    AssumeRoleWithSaml,
    AssumeRoleWithWebIdentity,
    AssumeRoot,
    FederationToken,
    SessionToken,
    /// A sign-in at the console: the user or root user itself, for a browser.
    SignIn,
}

impl Session {
    pub fn issued_at(&self) -> Timestamp {
        Timestamp::from_millis(self.issued_at_millis)
    }

    pub fn expires_at(&self) -> Timestamp {
        Timestamp::from_millis(self.expires_at_millis)
    }

    pub fn is_role_session(&self) -> bool {
        !matches!(
            self.kind,
            SessionKind::FederationToken | SessionKind::SessionToken | SessionKind::SignIn
        )
    }
}

impl Caller {
    pub fn anonymous() -> Self {
        Self {
            account: "".into(),
            principal: Principal::Anonymous,
            arn: "".into(),
            user_id: "".into(),
            access_key_id: None,
            session: None,
        }
    }

    /// An AWS service that acts for itself: `ec2.amazonaws.com`.
    pub fn service(name: &str) -> Self {
        Self {
            account: "".into(),
            principal: Principal::Service { name: name.into() },
            arn: name.into(),
            user_id: name.into(),
            access_key_id: None,
            session: None,
        }
    }

    /// Whether it is that AWS service.
    pub fn is_service(&self, service: &str) -> bool {
        matches!(&self.principal, Principal::Service { name } if **name == *service)
    }

    /// Somebody whom a provider of `account` vouches for. The account is that of the role it asks
    /// for, whose trail the call belongs to.
    pub fn federated(account: &str, federated: Federated) -> Self {
        let Federated { identity_provider, audience, subject, .. } = &federated;
        let user_id = match &federated.proof {
            FederationProof::WebIdentity => format!("{identity_provider}:{audience}:{subject}"),
            FederationProof::Saml(_) => format!("{identity_provider}:{subject}"),
        };
        Self {
            account: account.into(),
            arn: federated.provider.as_str().into(),
            user_id: user_id.into(),
            principal: Principal::Federated(Arc::new(federated)),
            access_key_id: None,
            session: None,
        }
    }

    /// An account's root user, as the operator acts for it.
    pub fn root(account: &str) -> Self {
        Self {
            account: account.into(),
            principal: Principal::Root,
            arn: format!("arn:aws:iam::{account}:root").into(),
            user_id: account.into(),
            access_key_id: None,
            session: None,
        }
    }

    pub fn is_root(&self) -> bool {
        self.principal == Principal::Root
    }
}
