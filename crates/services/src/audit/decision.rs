//! Writing a decision record: the fast side of [`super::DecisionRecord`].

use super::caller::CallerFragment;
use super::json;
use crate::authorization::Requirement;
use crate::context::{Request, Way};
use crate::service::Known;
use palisade_policy::{Layer, Outcome};
use palisade_protocol::trail;
use palisade_shape::Error;
use std::io::Write as _;

/// One requirement and what came of it.
#[derive(Clone, Copy)]
pub struct Decided<'a> {
    pub requirement: &'a Requirement,
    pub decision: &'a palisade_policy::Decision,
    /// The tags of the resource as they were.
    pub resource_tags: &'a [(String, String)],
    /// Service keys that a condition asked the service for, beyond those of the requirement.
    pub service_keys: &'a [(String, Known)],
    /// The resource's own policy, where it has one.
    pub resource_policy: Option<PolicyUse<'a>>,
    /// Something other than a policy gave the caller the request.
    pub granted: bool,
}

/// A policy that was consulted, with the store's revision of its document.
#[derive(Clone, Copy, Debug)]
pub struct PolicyUse<'a> {
    pub layer: Layer,
    pub label: &'a str,
    pub revision: u64,
}

/// All that one decision record says.
#[derive(Clone, Copy)]
pub struct Decision<'a> {
    pub request: &'a Request,
    pub caller: &'a CallerFragment,
    /// The store's revision that was read.
    pub revision: u64,
    pub requirements: &'a [Decided<'a>],
    /// The caller's policies, as [`push_policies`] wrote them once for the cached identity.
    pub policies: &'a [u8],
    /// Those of the organization's levels, written likewise.
    pub levels: &'a [&'a [u8]],
    pub error: Option<&'a Error>,
    pub lab: bool,
}

/// Appends the members of a record's `policies`, without the brackets.
pub fn push_policies<'a>(out: &mut Vec<u8>, policies: impl IntoIterator<Item = PolicyUse<'a>>) {
    for policy in policies {
        json::separate(out);
        out.push(b'{');
        json::string(out, "layer", layer_name(policy.layer));
        json::string(out, "label", policy.label);
        json::name(out, "revision");
        trail::push_unsigned(out, policy.revision);
        out.push(b'}');
    }
}

impl Decision<'_> {
    /// Appends the record.
    pub fn write(&self, out: &mut Vec<u8>) {
        let request = self.request;
        out.push(b'{');
        json::string(out, "id", &request.id);
        json::time(out, "time", request.at);
        json::name(out, "revision");
        trail::push_unsigned(out, self.revision);
        json::string(out, "service", request.service);
        json::string(out, "operation", request.operation);
        json::optional(out, "outcome", self.outcome().map(outcome_name));
        json::optional(out, "error", self.error.map(|error| error.code.code));
        if self.lab {
            json::boolean(out, "lab", true);
        }
        json::raw(out, "caller", &self.caller.decision);
        self.write_context(out);
        json::raw(out, "requirements", b"[");
        for decided in self.requirements {
            json::separate(out);
            push_requirement(out, decided);
        }
        out.push(b']');
        json::raw(out, "policies", b"[");
        out.extend_from_slice(self.policies);
        for level in self.levels.iter().filter(|level| !level.is_empty()) {
            json::separate(out);
            out.extend_from_slice(level);
        }
        for decided in self.requirements {
            if let Some(policy) = decided.resource_policy {
                push_policies(out, [policy]);
            }
        }
        out.extend_from_slice(b"]}");
    }

    /// That of the first requirement that failed; allowed when none did.
    fn outcome(&self) -> Option<Outcome> {
        let denied = self.requirements.iter().find(|decided| !decided.decision.allowed());
        denied.or(self.requirements.last()).map(|decided| decided.decision.outcome)
    }

    fn write_context(&self, out: &mut Vec<u8>) {
        let request = self.request;
        json::raw(out, "context", b"{");
        json::string(out, "region", &request.region);
        out.extend_from_slice(b",\"sourceIp\":\"");
        // Writing to a Vec cannot fail.
        let _ = write!(out, "{}\"", request.source_ip.to_canonical());
        json::optional(out, "userAgent", request.user_agent.as_deref());
        json::optional(out, "referer", request.referer.as_deref());
        json::boolean(out, "secure", request.secure);
        push_way(out, &request.way);
        out.push(b'}');
    }
}

/// How the request came here other than straight from its caller.
fn push_way(out: &mut Vec<u8>, way: &Way) {
    if !way.called_via.is_empty() {
        json::strings(out, "calledVia", &way.called_via);
    }
    if let Some(source) = &way.source {
        json::raw(out, "source", b"{");
        json::string(out, "arn", &source.arn);
        json::string(out, "account", &source.account);
        out.push(b'}');
    }
    if let Some(endpoint) = &way.endpoint {
        json::raw(out, "endpoint", b"{");
        json::string(out, "id", &endpoint.id);
        json::string(out, "vpcId", &endpoint.vpc_id);
        json::string(out, "account", &endpoint.account);
        json::string(out, "policy", &endpoint.policy);
        out.push(b'}');
    }
}

fn push_requirement(out: &mut Vec<u8>, decided: &Decided<'_>) {
    let Requirement { action, kind, resource, account, keys, request_tags } = decided.requirement;
    out.push(b'{');
    json::string(out, "action", action);
    json::string(out, "resource", resource);
    if !kind.is_empty() {
        json::string(out, "kind", kind);
    }
    json::string(out, "resourceAccount", account);
    json::string(out, "outcome", outcome_name(decided.decision.outcome));
    json::optional(out, "deniedBy", decided.decision.denied_by.map(layer_name));
    if decided.granted {
        json::boolean(out, "granted", true);
    }
    push_statements(out, &decided.decision.statements);
    push_keys(out, keys, decided.service_keys);
    if let Some(tags) = request_tags {
        push_tags(out, "requestTags", tags);
    }
    if !decided.resource_tags.is_empty() {
        push_tags(out, "resourceTags", decided.resource_tags);
    }
    out.push(b'}');
}

/// Keys with their values; then the names of those that could not be resolved. What is in neither
/// was not in the request's context or not asked for.
fn push_keys(out: &mut Vec<u8>, given: &[(String, Vec<String>)], asked: &[(String, Known)]) {
    if given.is_empty() && asked.is_empty() {
        return;
    }
    json::raw(out, "keys", b"{");
    for (key, values) in given {
        push_key(out, key, values);
    }
    for (key, known) in asked {
        match known {
            Known::One(value) => push_key(out, key, std::slice::from_ref(value)),
            Known::Many(values) => push_key(out, key, values),
            Known::Absent | Known::Unresolvable => {}
        }
    }
    out.push(b'}');
    let unresolvable = asked.iter().filter(|(_, known)| *known == Known::Unresolvable);
    let unresolvable: Vec<&str> = unresolvable.map(|(key, _)| key.as_str()).collect();
    if !unresolvable.is_empty() {
        json::strings(out, "unresolvable", &unresolvable);
    }
}

fn push_key(out: &mut Vec<u8>, key: &str, values: &[String]) {
    json::separate(out);
    trail::push_string(out, key);
    out.extend_from_slice(b":[");
    for value in values {
        json::separate(out);
        trail::push_string(out, value);
    }
    out.push(b']');
}

fn push_statements(out: &mut Vec<u8>, statements: &[palisade_policy::StatementRef]) {
    if statements.is_empty() {
        return;
    }
    json::raw(out, "statements", b"[");
    for statement in statements {
        json::separate(out);
        out.push(b'{');
        json::string(out, "layer", layer_name(statement.layer));
        json::string(out, "policy", &statement.policy);
        json::integer(out, "index", i64::from(statement.index));
        json::optional(out, "sid", statement.sid.as_deref());
        out.push(b'}');
    }
    out.push(b']');
}

fn push_tags(out: &mut Vec<u8>, name: &str, tags: &[(String, String)]) {
    json::raw(out, name, b"[");
    for (key, value) in tags {
        json::separate(out);
        out.push(b'{');
        json::string(out, "key", key);
        json::string(out, "value", value);
        out.push(b'}');
    }
    out.push(b']');
}

/// As in the decision case format (design, section 8).
pub const fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allowed => "allowed",
        Outcome::ExplicitDeny => "explicitDeny",
        Outcome::ImplicitDeny => "implicitDeny",
    }
}

/// As in the decision case format (design, section 8).
pub const fn layer_name(layer: Layer) -> &'static str {
    match layer {
        Layer::Scp => "scp",
        Layer::Rcp => "rcp",
        Layer::VpcEndpoint => "vpce",
        Layer::Boundary => "boundary",
        Layer::Session => "session",
        Layer::Resource => "resource",
        Layer::Trust => "trust",
        Layer::Identity => "identity",
        Layer::Unresolvable => "unresolvable",
    }
}
