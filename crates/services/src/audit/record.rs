//! A decision record as it is read back: by `palisade why`, by the operator's API, by replay.

use super::caller::proven_at;
use super::json;
use crate::caller::{Caller, FederationProof, Principal, Session, SessionKind};
use crate::context::{Endpoint, Source};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How one request was decided, with all that is needed to decide it again. The policies are named
/// with the store's revision at which they were read; the store keeps them as they were.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DecisionRecord {
    /// The request's id.
    pub id: String,
    /// RFC 3339, in UTC, with milliseconds.
    pub time: String,
    /// The store's revision that the policies were read at.
    pub revision: u64,
    pub service: String,
    pub operation: String,
    /// `allowed`, `explicitDeny` or `implicitDeny`; absent when the request ended before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The code of the error that the call was answered with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lab: bool,
    pub caller: CallerRecord,
    pub context: ContextRecord,
    pub requirements: Vec<RequirementRecord>,
    pub policies: Vec<PolicyRecord>,
}

/// Who called.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallerRecord {
    /// `user`, `assumed-role`, … as in the decision case format (design, section 8).
    #[serde(rename = "type")]
    pub kind: String,
    pub arn: String,
    pub account: String,
    pub user_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionRecord>,
}

/// The session that it called with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionRecord {
    /// The call that issued it.
    pub issued_by: String,
    pub issued_at: String,
    pub expires_at: String,
    pub issuer_arn: String,
    pub issuer_id: String,
    pub name: String,
    pub chained: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
    /// The inline session policies, as they were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy_arns: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transitive_tag_keys: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub federation: BTreeMap<String, String>,
}

/// The circumstances of the request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContextRecord {
    pub region: String,
    pub source_ip: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referer: Option<String>,
    pub secure: bool,
    /// The services that forwarded the call, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub called_via: Vec<String>,
    /// What a calling service acted for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The VPC endpoint that the request came through, with its policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
}

/// One thing that had to be allowed, and whether it was.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequirementRecord {
    pub action: String,
    pub resource: String,
    /// The resource's type in the Service Authorization Reference; empty for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    pub resource_account: String,
    /// `allowed`, `explicitDeny` or `implicitDeny`.
    pub outcome: String,
    /// The layer that denied, as in the decision case format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied_by: Option<String>,
    /// Something other than a policy gave the caller the request: a grant of a KMS key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub granted: bool,
    /// The statements that decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<StatementRecord>,
    /// The service's condition keys.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<String, Vec<String>>,
    /// Condition keys that AWS would know and the service could not tell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unresolvable: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_tags: Option<Vec<TagRecord>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resource_tags: Vec<TagRecord>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TagRecord {
    pub key: String,
    pub value: String,
}

/// A statement, by its policy's label and its place in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StatementRecord {
    pub layer: String,
    pub policy: String,
    /// From 0.
    pub index: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}

/// A policy that was consulted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PolicyRecord {
    pub layer: String,
    pub label: String,
    /// The store's revision of the document; 0 for what is built in or came with the session.
    pub revision: u64,
}

impl DecisionRecord {
    pub fn parse(bytes: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(bytes)
    }
}

/// Writes a [`CallerRecord`].
pub(super) fn caller_json(caller: &Caller) -> Vec<u8> {
    let kind = match &caller.principal {
        Principal::Root => "root",
        Principal::User { .. } => "user",
        Principal::AssumedRole { .. } => "assumed-role",
        Principal::FederatedUser { .. } => "federated-user",
        Principal::Service { .. } => "service",
        Principal::Federated(federated) => match federated.proof {
            FederationProof::WebIdentity => "web-identity-user",
            FederationProof::Saml(_) => "saml-user",
        },
        Principal::Anonymous => "anonymous",
    };
    let mut out = b"{".to_vec();
    json::string(&mut out, "type", kind);
    json::string(&mut out, "arn", &caller.arn);
    json::string(&mut out, "account", &caller.account);
    json::string(&mut out, "userId", &caller.user_id);
    json::optional(&mut out, "accessKeyId", caller.access_key_id.as_deref());
    if let Principal::Service { name } = &caller.principal {
        json::string(&mut out, "service", name);
    }
    if let Some(session) = &caller.session {
        push_session(&mut out, session);
    }
    out.push(b'}');
    out
}

/// The operation that issues sessions of the kind.
const fn issuing_call(kind: SessionKind) -> &'static str {
    match kind {
        SessionKind::AssumeRole => "AssumeRole",
        SessionKind::AssumeRoleWithSaml => "AssumeRoleWithSAML",
        SessionKind::AssumeRoleWithWebIdentity => "AssumeRoleWithWebIdentity",
        SessionKind::AssumeRoot => "AssumeRoot",
        SessionKind::FederationToken => "GetFederationToken",
        SessionKind::SessionToken => "GetSessionToken",
        SessionKind::SignIn => "ConsoleLogin",
    }
}

fn push_session(out: &mut Vec<u8>, session: &Session) {
    json::raw(out, "session", b"{");
    json::string(out, "issuedBy", issuing_call(session.kind));
    json::time(out, "issuedAt", session.issued_at());
    json::time(out, "expiresAt", session.expires_at());
    json::string(out, "issuerArn", &session.issuer_arn);
    json::string(out, "issuerId", &session.issuer_id);
    json::string(out, "name", &session.name);
    json::boolean(out, "chained", session.chained);
    if let Some(at) = proven_at(session) {
        json::time(out, "mfaAt", at);
    }
    json::optional(out, "sourceIdentity", session.source_identity.as_deref());
    if !session.policies.is_empty() {
        json::strings(out, "policies", &session.policies);
    }
    if !session.policy_arns.is_empty() {
        json::strings(out, "policyArns", &session.policy_arns);
    }
    push_map(out, "tags", &session.tags);
    if !session.transitive_tag_keys.is_empty() {
        json::strings(out, "transitiveTagKeys", &session.transitive_tag_keys);
    }
    push_map(out, "federation", &session.federation);
    out.push(b'}');
}

fn push_map(out: &mut Vec<u8>, name: &str, map: &BTreeMap<String, String>) {
    if map.is_empty() {
        return;
    }
    json::raw(out, name, b"{");
    for (key, value) in map {
        json::separate(out);
        palisade_protocol::trail::push_string(out, key);
        out.push(b':');
        palisade_protocol::trail::push_string(out, value);
    }
    out.push(b'}');
}
