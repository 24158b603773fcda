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
    Anonymous,
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
    /// `aws:FederatedProvider` and the provider's keys (`accounts.google.com:sub`, …), by key.
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
}

impl Session {
    pub fn issued_at(&self) -> Timestamp {
        Timestamp::from_millis(self.issued_at_millis)
    }

    pub fn expires_at(&self) -> Timestamp {
        Timestamp::from_millis(self.expires_at_millis)
    }

    pub fn is_role_session(&self) -> bool {
        !matches!(self.kind, SessionKind::FederationToken | SessionKind::SessionToken)
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
