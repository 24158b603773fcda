//! The request context: what each condition key holds for one requirement of one call.
//!
//! Source: IAM User Guide, "AWS global condition context keys". Which of them there are, and what
//! fills each, is in [`super::GLOBAL_KEYS`].

use super::{KeyState, Requirement, Standing, derive, global_key};
use crate::caller::{Caller, Principal, Session, SessionKind};
use crate::context::{Endpoint, Request, Source};
use crate::service::Known;
use palisade_policy::{ContextKeys, Lookup};
use palisade_shape::Timestamp;
use std::borrow::Cow;
use std::sync::Arc;

/// Answers for the keys that depend on the service: its own, and `aws:ResourceTag/*`.
pub trait ServiceKeys {
    fn resource_tag(&self, tag_key: &str) -> Known;
    fn service_key(&self, key: &str) -> Known;
}

/// The request context of one requirement.
pub struct Keys<'a> {
    pub caller: &'a Caller,
    /// The principal's own tags.
    pub principal_tags: &'a [(String, String)],
    pub request: &'a Request,
    pub requirement: &'a Requirement,
    pub standings: &'a Standings,
    pub service: &'a dyn ServiceKeys,
}

/// Where the accounts of a call stand in organizations.
#[derive(Default)]
pub struct Standings {
    pub caller: Arc<Standing>,
    pub resource: Arc<Standing>,
    /// That of [`Source::account`].
    pub source: Arc<Standing>,
    /// That of [`Endpoint::account`].
    pub endpoint: Arc<Standing>,
}

impl ContextKeys for Keys<'_> {
    fn get(&self, key: &str) -> Lookup<'_> {
        match (key.strip_prefix("aws:"), global_key(key).map(|known| known.state)) {
            (_, Some(KeyState::Unresolvable(_))) => Lookup::Unresolvable,
            (_, Some(KeyState::Absent(_))) => Lookup::Absent,
            (Some(global), Some(KeyState::Filled(_))) => self.global(global),
            // AWS has no such key.
            (Some(_), None) => Lookup::Absent,
            (None, _) => self.of_service(key),
        }
    }
}

impl Keys<'_> {
    fn global(&self, key: &str) -> Lookup<'_> {
        if let Some((family, tag_key)) = key.split_once('/') {
            return match family {
                "principaltag" => self.principal_tag(tag_key),
                "requesttag" => tag(self.requirement.request_tags.as_deref(), tag_key),
                "resourcetag" => known(self.service.resource_tag(tag_key)),
                _ => Lookup::Absent,
            };
        }
        match key {
            // Whom a provider vouches for belongs to no account yet, and has no id there.
            "principalaccount" | "principalorgid" | "principalorgpaths" | "principaltype"
            | "userid"
                if matches!(self.caller.principal, Principal::Federated(_)) =>
            {
                Lookup::Absent
            }
            "currenttime" => Lookup::owned(iso_8601(self.request.at)),
            "epochtime" => Lookup::owned(self.request.at.seconds().to_string()),
            "requestedregion" => Lookup::one(&self.request.region),
            "resourceaccount" => text(&self.requirement.account),
            "securetransport" => boolean(self.request.secure),
            "useragent" => self.request.user_agent.as_deref().map_or(Lookup::Absent, Lookup::one),
            "referer" => self.request.referer.as_deref().map_or(Lookup::Absent, Lookup::one),
            "tagkeys" => self.tag_keys(),
            "viaawsservice" => boolean(!self.request.way.called_via.is_empty()),
            "calledvia" => many(&self.request.way.called_via),
            "calledviafirst" => optional(self.request.way.called_via.first()),
            "calledvialast" => optional(self.request.way.called_via.last()),
            "resourceorgid" => organization_id(&self.standings.resource),
            "resourceorgpaths" => organization_path(&self.standings.resource),
            "principalorgid" => organization_id(&self.standings.caller),
            "principalorgpaths" => organization_path(&self.standings.caller),
            _ if key.starts_with("source") || key.starts_with("vpc") => self.of_way(key),
            _ => self.of_principal(key),
        }
    }

    /// Where the request came from, and for what.
    fn of_way(&self, key: &str) -> Lookup<'_> {
        let way = &self.request.way;
        let endpoint = |of: fn(&Endpoint) -> &String| optional(way.endpoint.as_ref().map(of));
        let source = |of: fn(&Source) -> &String| optional(way.source.as_ref().map(of));
        let address = || Lookup::owned(self.request.source_ip.to_string());
        match (key, &way.endpoint) {
            ("sourceip", None) | ("vpcsourceip", Some(_)) => address(),
            ("sourcevpc", _) => endpoint(|endpoint| &endpoint.vpc_id),
            ("sourcevpce", _) => endpoint(|endpoint| &endpoint.id),
            ("vpceaccount", _) => endpoint(|endpoint| &endpoint.account),
            ("sourcevpcarn", Some(Endpoint { vpc_id, account, .. })) => {
                let region = &self.request.region;
                Lookup::owned(format!("arn:aws:ec2:{region}:{account}:vpc/{vpc_id}"))
            }
            ("vpceorgid", _) => organization_id(&self.standings.endpoint),
            ("vpceorgpaths", _) => organization_path(&self.standings.endpoint),
            ("sourcearn", _) => source(|source| &source.arn),
            ("sourceaccount", _) => source(|source| &source.account),
            ("sourceorgid", _) => organization_id(&self.standings.source),
            ("sourceorgpaths", _) => organization_path(&self.standings.source),
            ("sourceidentity", _) => self.of_principal(key),
            _ => Lookup::Absent,
        }
    }

    fn of_principal(&self, key: &str) -> Lookup<'_> {
        if let "multifactorauthpresent" | "multifactorauthage" = key
            && let Some(proven) = self.proven_now(key)
        {
            return proven;
        }
        let session = self.caller.session.as_deref();
        match key {
            "principalaccount" => match self.caller.principal {
                Principal::Anonymous => Lookup::one("anonymous"),
                _ => text(&self.caller.account),
            },
            "principalarn" => self.principal_arn(),
            "principalisawsservice" => match self.caller.principal {
                Principal::Anonymous => Lookup::Absent,
                Principal::Service { .. } => boolean(true),
                _ => boolean(false),
            },
            "principalservicename" => self.service_name(),
            "principalservicenameslist" => match &self.caller.principal {
                Principal::Service { name } => Lookup::many([&**name]),
                _ => Lookup::Absent,
            },
            "principaltype" => Lookup::one(principal_type(&self.caller.principal)),
            "userid" => match self.caller.principal {
                Principal::Anonymous => Lookup::one("anonymous"),
                _ => text(&self.caller.user_id),
            },
            "username" => match &self.caller.principal {
                Principal::User { name, .. } => Lookup::one(name),
                _ => Lookup::Absent,
            },
            _ => session.map_or(Lookup::Absent, |session| self.of_session(key, session)),
        }
    }

    /// What a call that proves a second factor itself says of it, instead of the credentials it
    /// was signed with: `AssumeRole` with a token code.
    fn proven_now(&self, key: &str) -> Option<Lookup<'_>> {
        let of_call = |name: &str| name.strip_prefix("aws:") == Some(key);
        let named = self.requirement.keys.iter().find(|(name, _)| of_call(name));
        named.and_then(|(_, values)| values.first()).map(|value| Lookup::one(value))
    }

    /// Keys that only temporary credentials have.
    fn of_session<'s>(&self, key: &str, session: &'s Session) -> Lookup<'s> {
        match key {
            "assumedroot" if session.kind == SessionKind::AssumeRoot => boolean(true),
            "federatedprovider" => federation(session, "aws:FederatedProvider"),
            "multifactorauthage" => session.mfa_at_millis.map_or(Lookup::Absent, |at| {
                Lookup::owned(((self.request.at.millis() - at) / 1000).to_string())
            }),
            "multifactorauthpresent" if !is_federated(session) => {
                boolean(session.mfa_at_millis.is_some())
            }
            "sourceidentity" => {
                session.source_identity.as_deref().map_or(Lookup::Absent, Lookup::one)
            }
            "tokenissuetime" => Lookup::owned(iso_8601(session.issued_at())),
            _ => Lookup::Absent,
        }
    }

    /// Session tags stand before the principal's own of the same key.
    fn principal_tag(&self, tag_key: &str) -> Lookup<'_> {
        let of_session = self.caller.session.as_deref().and_then(|session| {
            let mut tags = session.tags.iter();
            tags.find(|(key, _)| key.eq_ignore_ascii_case(tag_key)).map(|(_, value)| value)
        });
        match of_session {
            Some(value) => Lookup::one(value),
            None => tag(Some(self.principal_tags), tag_key),
        }
    }

    fn tag_keys(&self) -> Lookup<'_> {
        match &self.requirement.request_tags {
            Some(tags) if !tags.is_empty() => {
                Lookup::many(tags.iter().map(|(key, _)| key.as_str()))
            }
            _ => Lookup::Absent,
        }
    }

    fn principal_arn(&self) -> Lookup<'_> {
        match &self.caller.principal {
            Principal::AssumedRole { .. } => match self.caller.session.as_deref() {
                Some(session) => Lookup::one(&session.issuer_arn),
                None => Lookup::one(&self.caller.arn),
            },
            Principal::Service { .. } | Principal::Federated(_) | Principal::Anonymous => {
                Lookup::Absent
            }
            _ => Lookup::one(&self.caller.arn),
        }
    }

    fn service_name(&self) -> Lookup<'_> {
        match &self.caller.principal {
            Principal::Service { name } => Lookup::one(name),
            _ => Lookup::Absent,
        }
    }

    fn of_service(&self, key: &str) -> Lookup<'_> {
        let named = self.requirement.keys.iter().find(|(name, _)| name == key);
        if let Some((_, values)) = named {
            return match values.as_slice() {
                [] => Lookup::Absent,
                [value] if !derive::is_multivalued(key) => Lookup::one(value),
                values => Lookup::many(values.iter().map(String::as_str)),
            };
        }
        match self.caller.session.as_deref().map(|session| federation(session, key)) {
            Some(Lookup::One(value)) => Lookup::One(value),
            _ => known(self.service.service_key(key)),
        }
    }
}

/// A key that the identity provider's token filled (`accounts.google.com:sub`).
fn federation<'s>(session: &'s Session, key: &str) -> Lookup<'s> {
    let found = session.federation.iter().find(|(known, _)| known.eq_ignore_ascii_case(key));
    found.map_or(Lookup::Absent, |(_, value)| Lookup::one(value))
}

/// Whether an identity provider or a custom broker vouched for the caller: AWS says nothing of a
/// second factor then.
fn is_federated(session: &Session) -> bool {
    match session.kind {
        SessionKind::AssumeRoleWithSaml
        | SessionKind::AssumeRoleWithWebIdentity
        | SessionKind::FederationToken => true,
        SessionKind::AssumeRole
        | SessionKind::AssumeRoot
        | SessionKind::SessionToken
        | SessionKind::SignIn => false,
    }
}

fn principal_type(principal: &Principal) -> &'static str {
    match principal {
        Principal::Root => "Account",
        Principal::User { .. } => "User",
        Principal::AssumedRole { .. } => "AssumedRole",
        Principal::FederatedUser { .. } => "FederatedUser",
        Principal::Service { .. } => "Service",
        Principal::Federated(_) | Principal::Anonymous => "Anonymous",
    }
}

fn text(value: &str) -> Lookup<'_> {
    if value.is_empty() { Lookup::Absent } else { Lookup::one(value) }
}

fn optional(value: Option<&String>) -> Lookup<'_> {
    value.map_or(Lookup::Absent, |value| Lookup::one(value))
}

fn many(values: &[String]) -> Lookup<'_> {
    if values.is_empty() {
        return Lookup::Absent;
    }
    Lookup::many(values.iter().map(String::as_str))
}

fn organization_id(standing: &Standing) -> Lookup<'_> {
    optional(standing.membership.as_ref().map(|place| &place.organization_id))
}

fn organization_path(standing: &Standing) -> Lookup<'_> {
    let path = standing.membership.as_ref().map(|place| place.path.as_str());
    path.map_or(Lookup::Absent, |path| Lookup::many([path]))
}

fn boolean<'k>(value: bool) -> Lookup<'k> {
    Lookup::one(if value { "true" } else { "false" })
}

fn tag<'t>(tags: Option<&'t [(String, String)]>, tag_key: &str) -> Lookup<'t> {
    let mut tags = tags.unwrap_or_default().iter();
    let found = tags.find(|(key, _)| key.to_lowercase() == tag_key);
    found.map_or(Lookup::Absent, |(_, value)| Lookup::one(value))
}

fn known<'k>(known: Known) -> Lookup<'k> {
    match known {
        Known::Absent => Lookup::Absent,
        Known::One(value) => Lookup::owned(value),
        Known::Many(values) => Lookup::Many(values.into_iter().map(Cow::Owned).collect()),
        Known::Unresolvable => Lookup::Unresolvable,
    }
}

/// `2026-11-22T18:00:00Z`, as date conditions and `aws:CurrentTime` have it.
fn iso_8601(at: Timestamp) -> String {
    jiff::Timestamp::from_second(at.seconds()).unwrap_or_default().to_string()
}
