//! What all events of one caller have in common, written once and kept beside the cached caller.

use super::json;
use crate::caller::{Caller, FederationProof, Principal, Session, SessionKind};
use palisade_shape::Timestamp;
use std::sync::Arc;

/// The parts of event and decision record that say who called.
#[derive(Clone, Debug)]
pub struct CallerFragment {
    /// The account whose trail shows all of it.
    pub account: Arc<str>,
    /// `userIdentity` without its closing brace, for the caller's own account.
    own: Vec<u8>,
    /// The same for the account of a resource that the caller reached across accounts.
    foreign: Vec<u8>,
    /// The AWS service that calls, where one does; events name it in place of address and client.
    pub(super) service: Option<Arc<str>>,
    /// It calls with credentials that a browser got for being signed in.
    pub(super) from_console: bool,
    /// `caller` of the decision record.
    pub(super) decision: Vec<u8>,
}

impl CallerFragment {
    pub fn of(caller: &Caller) -> Self {
        Self {
            account: caller.account.clone(),
            own: own_identity(caller),
            foreign: foreign_identity(caller),
            service: match &caller.principal {
                Principal::Service { name } => Some(name.clone()),
                _ => None,
            },
            from_console: caller.session.as_deref().is_some_and(is_of_console),
            decision: super::record::caller_json(caller),
        }
    }

    /// Someone who claims to be a user or root user and has not proven it. `principal` is id and
    /// ARN, where there is such a user; without it the name is hidden, since people type passwords
    /// in there (CloudTrail User Guide, "AWS Management Console sign-in events").
    pub fn unproven(account: &str, name: Option<&str>, principal: Option<(&str, &str)>) -> Self {
        const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";
        let mut own = b"{".to_vec();
        json::string(&mut own, "type", if name.is_some() { "IAMUser" } else { "Root" });
        if let Some((id, arn)) = principal {
            json::string(&mut own, "principalId", id);
            json::string(&mut own, "arn", arn);
        }
        json::string(&mut own, "accountId", account);
        json::string(&mut own, "accessKeyId", "");
        if let Some(name) = name {
            let shown = if principal.is_some() { name } else { HIDDEN };
            json::string(&mut own, "userName", shown);
        }
        Self {
            account: account.into(),
            foreign: own.clone(),
            own,
            service: None,
            from_console: false,
            decision: super::record::caller_json(&Caller::anonymous()),
        }
    }

    /// A service that tells an account what it has done of its own accord.
    pub fn of_service_event(account: &str, service: &str) -> Self {
        let mut own = b"{".to_vec();
        json::string(&mut own, "accountId", account);
        json::string(&mut own, "invokedBy", service);
        Self {
            account: account.into(),
            foreign: own.clone(),
            own,
            service: Some(service.into()),
            from_console: false,
            decision: super::record::caller_json(&Caller::service(service)),
        }
    }

    /// `userIdentity` for the trail of `recipient`, without its closing brace.
    pub(super) fn identity(&self, recipient: &str) -> &[u8] {
        let foreign = !self.account.is_empty() && recipient != &*self.account;
        if foreign { &self.foreign } else { &self.own }
    }
}

/// CloudTrail User Guide, "CloudTrail userIdentity element".
fn own_identity(caller: &Caller) -> Vec<u8> {
    let mut out = b"{".to_vec();
    let kind = match &caller.principal {
        Principal::Root => "Root",
        Principal::User { .. } => "IAMUser",
        Principal::AssumedRole { .. } => "AssumedRole",
        Principal::FederatedUser { .. } => "FederatedUser",
        Principal::Service { name } => {
            json::string(&mut out, "type", "AWSService");
            json::string(&mut out, "invokedBy", name);
            return out;
        }
        Principal::Federated(federated) => {
            let kind = match federated.proof {
                FederationProof::WebIdentity => "WebIdentityUser",
                FederationProof::Saml(_) => "SAMLUser",
            };
            json::string(&mut out, "type", kind);
            json::string(&mut out, "principalId", &caller.user_id);
            json::string(&mut out, "userName", &federated.subject);
            json::string(&mut out, "identityProvider", &federated.identity_provider);
            return out;
        }
        Principal::Anonymous => {
            json::string(&mut out, "type", "AWSAccount");
            json::string(&mut out, "principalId", "");
            json::string(&mut out, "accountId", "anonymous");
            return out;
        }
    };
    json::string(&mut out, "type", kind);
    json::string(&mut out, "principalId", &caller.user_id);
    json::string(&mut out, "arn", &caller.arn);
    json::string(&mut out, "accountId", &caller.account);
    json::optional(&mut out, "accessKeyId", caller.access_key_id.as_deref());
    if let Principal::User { name, .. } = &caller.principal {
        json::string(&mut out, "userName", name);
    }
    if let Some(session) = &caller.session {
        push_session(&mut out, session);
    }
    out
}

/// Whether the session is that of a browser or was made from one.
fn is_of_console(session: &Session) -> bool {
    session.kind == SessionKind::SignIn
}

fn foreign_identity(caller: &Caller) -> Vec<u8> {
    let mut out = b"{".to_vec();
    json::string(&mut out, "type", "AWSAccount");
    json::string(&mut out, "principalId", &caller.user_id);
    json::string(&mut out, "accountId", &caller.account);
    out
}

fn push_session(out: &mut Vec<u8>, session: &Session) {
    json::raw(out, "sessionContext", b"{");
    // These sessions are the user itself: nobody else issued them.
    if !matches!(session.kind, SessionKind::SessionToken | SessionKind::SignIn) {
        let root = session.issuer_id == session.account;
        let kind = match (session.is_role_session(), root) {
            (true, _) => "Role",
            (false, true) => "Root",
            (false, false) => "IAMUser",
        };
        json::raw(out, "sessionIssuer", b"{");
        json::string(out, "type", kind);
        json::string(out, "principalId", &session.issuer_id);
        json::string(out, "arn", &session.issuer_arn);
        json::string(out, "accountId", &session.account);
        if !session.issuer_name.is_empty() {
            json::string(out, "userName", &session.issuer_name);
        }
        out.push(b'}');
    }
    push_federation(out, session);
    json::raw(out, "attributes", b"{");
    json::time(out, "creationDate", session.issued_at().whole_seconds());
    let proven = if session.mfa_at_millis.is_some() { "true" } else { "false" };
    json::string(out, "mfaAuthenticated", proven);
    out.push(b'}');
    json::optional(out, "sourceIdentity", session.source_identity.as_deref());
    let delivery = session.federation.get("ec2:RoleDelivery");
    json::optional(out, "ec2RoleDelivery", delivery.map(String::as_str));
    out.push(b'}');
}

fn push_federation(out: &mut Vec<u8>, session: &Session) {
    if session.kind != SessionKind::AssumeRoleWithWebIdentity {
        return;
    }
    json::raw(out, "webIdFederationData", b"{");
    let provider = session.federation.get("aws:FederatedProvider");
    json::optional(out, "federatedProvider", provider.map(String::as_str));
    json::raw(out, "attributes", b"{");
    for (key, value) in &session.federation {
        if key != "aws:FederatedProvider" {
            super::json::separate(out);
            palisade_protocol::trail::push_string(out, key);
            out.push(b':');
            palisade_protocol::trail::push_string(out, value);
        }
    }
    out.extend_from_slice(b"}}");
}

/// The moment that a second factor was proven, if one was.
pub(super) fn proven_at(session: &Session) -> Option<Timestamp> {
    session.mfa_at_millis.map(Timestamp::from_millis)
}
