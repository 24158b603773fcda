//! The decision: all layers together.
//!
//! Source: "How AWS enforcement code logic evaluates requests to allow or deny access", "SCP
//! evaluation", "RCP evaluation", "Cross-account policy evaluation logic", IAM and Organizations
//! User Guides.

use crate::action::ActionName;
use crate::combine::{Verdicts, combine};
use crate::document::DocumentKind;
use crate::rcp_services::supports_rcp;
use crate::request::Request;
use crate::set::PolicySet;
use crate::statement::Query;
use crate::statements::Statements;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A kind of policy that can decide, in the order in which one is named when several deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// Service control policies of the caller's organization.
    Scp,
    /// Resource control policies of the resource's organization.
    Rcp,
    /// The policy of the VPC endpoint the request came through.
    #[serde(rename = "vpce")]
    VpcEndpoint,
    /// The caller's permissions boundary.
    Boundary,
    /// The session's policies.
    Session,
    /// The resource's policy.
    Resource,
    /// The role's trust policy.
    Trust,
    /// The caller's own policies.
    Identity,
    /// Not a policy: a context key that AWS would know could not be supplied.
    Unresolvable,
}

/// How a request was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// It may.
    Allowed,
    /// A statement denies it.
    ExplicitDeny,
    /// Nothing allows it where something must.
    ImplicitDeny,
}

/// A statement of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatementRef {
    /// The layer it acted in.
    pub layer: Layer,
    /// The label its policy was given in the [`PolicySet`].
    pub policy: Arc<str>,
    /// Its index in the policy, from 0.
    pub index: u32,
    /// Its `Sid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<Arc<str>>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// Allowed, denied, or not allowed.
    pub outcome: Outcome,
    /// Which layer denied or failed to allow; `None` when allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied_by: Option<Layer>,
    /// The statements that decided: the denying one, the one that cannot be resolved, or those
    /// that granted (the resource's, the identity's). Empty for an implicit deny and for root.
    pub statements: Statements,
}

impl Decision {
    /// Whether the request may go on.
    #[must_use]
    pub fn allowed(&self) -> bool {
        self.outcome == Outcome::Allowed
    }
}

/// The policies that apply to a request. `None` means there is no such policy, which is not the
/// same as an empty set: an absent boundary limits nothing, an empty one allows nothing.
#[derive(Clone, Copy, Default)]
pub struct Policies<'a> {
    /// Attached and inline policies of the user with its groups', or of the role.
    pub identity: Option<&'a PolicySet>,
    /// The resource's policy, a trust or key policy included.
    pub resource: Option<&'a PolicySet>,
    /// The user's or role's permissions boundary.
    pub boundary: Option<&'a PolicySet>,
    /// The session policies, inline and managed together.
    pub session: Option<&'a PolicySet>,
    /// One set a level of the caller's organization, root first. Empty: not in one.
    pub scps: &'a [Arc<PolicySet>],
    /// One set a level of the organization of the resource's account, root first. Leave them out
    /// for AWS managed KMS keys, which RCPs do not limit.
    pub rcps: &'a [Arc<PolicySet>],
    /// The policy of the endpoint the request came through.
    pub vpc_endpoint: Option<&'a PolicySet>,
    /// The management account of the caller's organization, which SCPs do not limit.
    pub caller_management_account: Option<&'a str>,
    /// The management account of the resource's organization, which RCPs do not limit.
    pub resource_management_account: Option<&'a str>,
    /// Something outside of policy documents grants the caller itself the request, as a policy of
    /// the resource would: a KMS grant, an S3 ACL.
    pub granted: bool,
}

/// Which layers concern a request at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    pub scps: bool,
    pub rcps: bool,
    /// The caller has an account: identity policies, boundary and session policies count.
    pub account: bool,
    /// The action needs no permission and no denial stops it.
    pub exempt: bool,
    /// The text is an action at all. What is none no policy can be asked about, so it is denied.
    pub action: bool,
}

impl Scope {
    pub fn of(request: &Request<'_>, policies: &Policies<'_>, action: Option<&ActionName>) -> Self {
        let caller = request.principal;
        let owner = request.resource_account.unwrap_or(&caller.account);
        let managed = policies.caller_management_account == Some(caller.account.as_str());
        let owner_managed = policies.resource_management_account == Some(owner);
        let service = action.map_or("", ActionName::service);
        Self {
            scps: caller.has_account() && !managed && !caller.service_linked_role,
            rcps: !policies.rcps.is_empty()
                && !owner_managed
                && !caller.service_linked_role
                && supports_rcp(service),
            account: caller.has_account(),
            exempt: action.is_some_and(ActionName::is_get_caller_identity),
            action: action.is_some(),
        }
    }
}

/// Decides a request. Anything not allowed is denied.
#[must_use]
pub fn decide(request: &Request<'_>, policies: &Policies<'_>) -> Decision {
    let action = ActionName::new(request.action);
    let scope = Scope::of(request, policies, action.as_ref());
    let mut verdicts = Verdicts::default();
    if let Some(action) = action.filter(|_| !scope.exempt) {
        gather(request, policies, scope, &action, &mut verdicts);
    }
    combine(request, policies, scope, &verdicts)
}

/// Asks the layers in the order in which they are named, and stops at an explicit deny.
fn gather<'a>(
    request: &Request<'a>,
    policies: &Policies<'a>,
    scope: Scope,
    action: &ActionName,
    verdicts: &mut Verdicts,
) {
    let query = Query::new(request, policies);
    let levels: &'a [Arc<PolicySet>] = if scope.scps { policies.scps } else { &[] };
    for (level, set) in levels.iter().enumerate() {
        if verdicts.scps.add(level, set.evaluate(action, &query)) {
            return;
        }
    }
    let levels: &'a [Arc<PolicySet>] = if scope.rcps { policies.rcps } else { &[] };
    for (level, set) in levels.iter().enumerate() {
        if verdicts.rcps.add(level, set.evaluate(action, &query)) {
            return;
        }
    }
    for layer in Layer::SINGLE {
        let set = layer.set(policies).filter(|_| scope.account || !layer.is_callers());
        if let (Some(set), Some(verdict)) = (set, verdicts.single_mut(layer)) {
            *verdict = set.evaluate(action, &query);
            if verdict.deny.is_some() {
                return;
            }
        }
    }
}

impl Layer {
    /// The layers of one set each, in the order in which they are named.
    pub(crate) const SINGLE: [Self; 5] =
        [Self::VpcEndpoint, Self::Boundary, Self::Session, Self::Resource, Self::Identity];

    /// What kind of documents it is made of; none where it is no layer of policies.
    pub(crate) fn document_kind(self) -> Option<DocumentKind> {
        Some(match self {
            Self::Scp => DocumentKind::Scp,
            Self::Rcp => DocumentKind::Rcp,
            Self::VpcEndpoint => DocumentKind::VpcEndpoint,
            Self::Boundary => DocumentKind::Boundary,
            Self::Session => DocumentKind::Session,
            Self::Resource => DocumentKind::Resource,
            Self::Trust => DocumentKind::Trust,
            Self::Identity => DocumentKind::Identity,
            Self::Unresolvable => return None,
        })
    }

    /// The layer's only set.
    pub(crate) fn set<'a>(self, policies: &Policies<'a>) -> Option<&'a PolicySet> {
        match self {
            Self::VpcEndpoint => policies.vpc_endpoint,
            Self::Boundary => policies.boundary,
            Self::Session => policies.session,
            Self::Resource | Self::Trust => policies.resource,
            Self::Identity => policies.identity,
            Self::Scp | Self::Rcp | Self::Unresolvable => None,
        }
    }

    /// Whether it is about callers that have an account only.
    pub(crate) fn is_callers(self) -> bool {
        matches!(self, Self::Boundary | Self::Session | Self::Identity)
    }
}
