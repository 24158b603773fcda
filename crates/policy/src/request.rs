//! What is asked: who, what, on which resource, under which circumstances.

use crate::arn::Arn;
use crate::decide::Layer;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What a request context says about one key.
#[derive(Clone, Debug, PartialEq)]
pub enum Lookup<'a> {
    /// AWS would not put this key into the request context.
    Absent,
    /// A single-valued key.
    One(Cow<'a, str>),
    /// A multivalued key, which stays one when it holds a single value or none.
    Many(Cow<'a, [Cow<'a, str>]>),
    /// AWS would know this key and the caller cannot supply it: whatever depends on it is denied.
    Unresolvable,
}

impl<'a> Lookup<'a> {
    /// A single value, borrowed.
    #[must_use]
    pub fn one(value: &'a str) -> Self {
        Self::One(Cow::Borrowed(value))
    }

    /// A single value, owned.
    #[must_use]
    pub fn owned(value: String) -> Self {
        Self::One(Cow::Owned(value))
    }

    /// Several values, borrowed.
    #[must_use]
    pub fn many(values: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Many(Cow::Owned(values.into_iter().map(Cow::Borrowed).collect()))
    }
}

/// The request context, asked lazily: a key no condition names is never looked up.
///
/// `key` is the whole key in lower case (`aws:sourceip`, `aws:principaltag/team`), since key names
/// ignore case, tag keys inside them included. Values are text: booleans are `true` and `false`,
/// dates ISO 8601 or epoch seconds, binaries base64.
pub trait ContextKeys {
    /// What the context holds under `key`. A key may be asked for more than once in a decision.
    fn get(&self, key: &str) -> Lookup<'_>;
}

/// A request context without any key.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoKeys;

impl ContextKeys for NoKeys {
    fn get(&self, _key: &str) -> Lookup<'_> {
        Lookup::Absent
    }
}

/// What kind of caller a [`Principal`] is. In JSON as the decision case format names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PrincipalKind {
    /// An account's root user.
    Root,
    /// An IAM user, with long-term keys or a `GetSessionToken` session.
    User,
    /// An IAM role itself, as simulations and Access Analyzer ask about it.
    Role,
    /// A session of a role.
    AssumedRole,
    /// A `GetFederationToken` session.
    FederatedUser,
    /// An identity provider's user in `AssumeRoleWithSAML` or `AssumeRoleWithWebIdentity`.
    Federated,
    /// An AWS service acting for itself.
    Service,
    /// Nobody: the request was not signed.
    Anonymous,
}

/// The caller. Forwarded sessions are the *original* caller, with `aws:ViaAWSService` in the keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Principal {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: PrincipalKind,
    /// Its ARN as `GetCallerIdentity` shows it; a service's name for
    /// [`PrincipalKind::Service`], the provider's ARN or host for [`PrincipalKind::Federated`],
    /// empty for nobody.
    pub arn: String,
    /// Its account; empty for services and nobody.
    pub account: String,
    /// What it is a session of: the role's ARN with its path, or the federating user's ARN.
    /// `None` for a role session means the role has no path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_arn: Option<String>,
    /// The unique id (`AIDA…`, `AROA…`) of the user or role, of the issuer for a session. Resource
    /// policies that were saved with ids instead of ARNs match on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_id: Option<String>,
    /// The S3 canonical user id of its account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canonical_user_id: Option<String>,
    /// Whether the role is service-linked: neither SCPs nor RCPs limit those.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub service_linked_role: bool,
}

impl Principal {
    fn new(kind: PrincipalKind, arn: &str) -> Self {
        let account = Arn::parse(arn).map(|arn| arn.account.to_owned()).unwrap_or_default();
        Self {
            kind,
            arn: arn.to_owned(),
            account,
            issuer_arn: None,
            unique_id: None,
            canonical_user_id: None,
            service_linked_role: false,
        }
    }

    /// An account's root user, by its ARN `arn:aws:iam::111122223333:root`.
    #[must_use]
    pub fn root(arn: &str) -> Self {
        Self::new(PrincipalKind::Root, arn)
    }

    /// An IAM user, by its ARN.
    #[must_use]
    pub fn user(arn: &str) -> Self {
        Self::new(PrincipalKind::User, arn)
    }

    /// An IAM role itself, by its ARN.
    #[must_use]
    pub fn role(arn: &str) -> Self {
        Self::new(PrincipalKind::Role, arn)
    }

    /// A role session: its ARN (`arn:aws:sts::…:assumed-role/Role/Session`) and the role's own.
    #[must_use]
    pub fn assumed_role(session_arn: &str, role_arn: &str) -> Self {
        let issuer_arn = Some(role_arn.to_owned());
        Self { issuer_arn, ..Self::new(PrincipalKind::AssumedRole, session_arn) }
    }

    /// A `GetFederationToken` session: its ARN and the user's who made it.
    #[must_use]
    pub fn federated_user(session_arn: &str, user_arn: &str) -> Self {
        let issuer_arn = Some(user_arn.to_owned());
        Self { issuer_arn, ..Self::new(PrincipalKind::FederatedUser, session_arn) }
    }

    /// An identity provider's user: the provider's ARN, or a public provider's host name.
    #[must_use]
    pub fn federated(provider: &str) -> Self {
        Self { account: String::new(), ..Self::new(PrincipalKind::Federated, provider) }
    }

    /// An AWS service, by its name, for example `cloudtrail.amazonaws.com`.
    #[must_use]
    pub fn service(name: &str) -> Self {
        Self::new(PrincipalKind::Service, name)
    }

    /// Nobody.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::new(PrincipalKind::Anonymous, "")
    }

    /// Whether it belongs to an account, so that identity policies, boundaries and SCPs exist.
    #[must_use]
    pub fn has_account(&self) -> bool {
        !matches!(
            self.kind,
            PrincipalKind::Service | PrincipalKind::Anonymous | PrincipalKind::Federated
        )
    }

    /// What the caller itself puts into the request context: `aws:PrincipalArn`,
    /// `aws:PrincipalAccount`, `aws:PrincipalType`, `aws:username`, `aws:PrincipalIsAWSService`
    /// and `aws:PrincipalServiceName`, the key in lower case. `None`: another key.
    ///
    /// Source: "AWS global condition context keys", IAM User Guide.
    #[must_use]
    pub fn context_key(&self, key: &str) -> Option<Lookup<'_>> {
        let lookup = match key {
            "aws:principalarn" => self.principal_arn(),
            "aws:principalaccount" if self.kind == PrincipalKind::Anonymous => {
                Lookup::one("anonymous")
            }
            "aws:principalaccount" if self.has_account() => Lookup::one(&self.account),
            "aws:principaltype" => self.principal_type().map_or(Lookup::Absent, Lookup::one),
            "aws:username" if self.kind == PrincipalKind::User => {
                let arn = Arn::parse(&self.arn);
                arn.map_or(Lookup::Absent, |arn| Lookup::one(arn.resource_name()))
            }
            "aws:principalisawsservice" => {
                let service = self.kind == PrincipalKind::Service;
                Lookup::one(if service { "true" } else { "false" })
            }
            "aws:principalservicename" if self.kind == PrincipalKind::Service => {
                Lookup::one(&self.arn)
            }
            "aws:principalaccount" | "aws:username" | "aws:principalservicename" => Lookup::Absent,
            _ => return None,
        };
        Some(lookup)
    }

    /// `aws:PrincipalArn`: for a role's session the *role's* ARN, path included.
    fn principal_arn(&self) -> Lookup<'_> {
        match self.kind {
            PrincipalKind::Service | PrincipalKind::Anonymous | PrincipalKind::Federated => {
                Lookup::Absent
            }
            PrincipalKind::AssumedRole => match (&self.issuer_arn, Arn::parse(&self.arn)) {
                (Some(role), _) => Lookup::one(role),
                (None, Some(arn)) => {
                    let (partition, account) = (arn.partition, &self.account);
                    let role = self.role_name().unwrap_or_default();
                    Lookup::owned(format!("arn:{partition}:iam::{account}:role/{role}"))
                }
                (None, None) => Lookup::Unresolvable,
            },
            PrincipalKind::Root
            | PrincipalKind::User
            | PrincipalKind::Role
            | PrincipalKind::FederatedUser => Lookup::one(&self.arn),
        }
    }

    fn principal_type(&self) -> Option<&'static str> {
        match self.kind {
            PrincipalKind::Root => Some("Account"),
            PrincipalKind::User => Some("User"),
            PrincipalKind::Role | PrincipalKind::AssumedRole => Some("AssumedRole"),
            PrincipalKind::FederatedUser => Some("FederatedUser"),
            PrincipalKind::Anonymous => Some("Anonymous"),
            PrincipalKind::Service | PrincipalKind::Federated => None,
        }
    }

    /// The name of the role this is or is a session of.
    pub(crate) fn role_name(&self) -> Option<&str> {
        let arn = Arn::parse(&self.arn)?;
        match self.kind {
            PrincipalKind::Role => Some(arn.resource_name()),
            PrincipalKind::AssumedRole => {
                let (_, rest) = arn.split_resource()?;
                rest.split_once('/').map(|(role, _)| role)
            }
            _ => None,
        }
    }
}

/// Which kind of document a resource's policy is, and with it whether it must allow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ResourceRule {
    /// In the caller's own account either side's allow suffices.
    #[default]
    Ordinary,
    /// A KMS key policy: identity policies count only where it lets them.
    KeyPolicy,
    /// A role's trust policy: likewise.
    TrustPolicy,
}

impl ResourceRule {
    /// The rule for an action on a resource: `sts` actions on a role meet its trust policy, `kms`
    /// actions on a key its key policy.
    #[must_use]
    pub fn of(action: &str, resource: &str) -> Self {
        let (Some(arn), Some((service, _))) = (Arn::parse(resource), action.split_once(':')) else {
            return Self::Ordinary;
        };
        let role = (arn.service, arn.resource_type()) == ("iam", Some("role"));
        let key = (arn.service, arn.resource_type()) == ("kms", Some("key"));
        if role && service.eq_ignore_ascii_case("sts") {
            Self::TrustPolicy
        } else if key && service.eq_ignore_ascii_case("kms") {
            Self::KeyPolicy
        } else {
            Self::Ordinary
        }
    }
}

/// One question: may this caller do this to this resource?
///
/// An operation that touches several resources asks once for each.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// `prefix:Action`, in any case.
    pub action: &'a str,
    /// The resource's ARN, or `*` for actions without resource-level permissions.
    pub resource: &'a str,
    /// The account that owns the resource. `None`: the action has no resource, so only the
    /// caller's own account is concerned.
    pub resource_account: Option<&'a str>,
    /// Whether the resource's policy must allow, and how it is called.
    pub rule: ResourceRule,
    /// The request context.
    pub keys: &'a dyn ContextKeys,
}

impl Request<'_> {
    /// Whether caller and resource are of one account. A request without a resource is.
    #[must_use]
    pub fn same_account(&self) -> bool {
        self.principal.has_account()
            && self.resource_account.is_none_or(|account| account == self.principal.account)
    }

    /// A layer as it is called for this request: a role's policy is its trust policy.
    pub(crate) fn named(&self, layer: Layer) -> Layer {
        match (layer, self.rule) {
            (Layer::Resource, ResourceRule::TrustPolicy) => Layer::Trust,
            _ => layer,
        }
    }
}
