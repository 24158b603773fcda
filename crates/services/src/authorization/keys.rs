//! The request context: what each condition key holds for one requirement of one call.
//!
//! Source: IAM User Guide, "AWS global condition context keys". Keys of organizations, VPCs and
//! forwarded calls are absent here, as they are in AWS for a caller without an organization who
//! comes through no endpoint and no service.

use super::Requirement;
use crate::caller::{Caller, Principal, Session, SessionKind};
use crate::context::Request;
use crate::service::Known;
use palisade_policy::{ContextKeys, Lookup};
use palisade_shape::Timestamp;
use std::borrow::Cow;

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
    pub service: &'a dyn ServiceKeys,
}

impl ContextKeys for Keys<'_> {
    fn get(&self, key: &str) -> Lookup<'_> {
        match key.strip_prefix("aws:") {
            Some(global) => self.global(global),
            None => self.of_service(key),
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
            "currenttime" => Lookup::owned(iso_8601(self.request.at)),
            "epochtime" => Lookup::owned(self.request.at.seconds().to_string()),
            "requestedregion" => Lookup::one(&self.request.region),
            "resourceaccount" => text(&self.requirement.account),
            "securetransport" => boolean(self.request.secure),
            "sourceip" => Lookup::owned(self.request.source_ip.to_string()),
            "useragent" => self.request.user_agent.as_deref().map_or(Lookup::Absent, Lookup::one),
            "referer" => self.request.referer.as_deref().map_or(Lookup::Absent, Lookup::one),
            "tagkeys" => self.tag_keys(),
            "viaawsservice" => boolean(false),
            _ => self.of_principal(key),
        }
    }

    fn of_principal(&self, key: &str) -> Lookup<'_> {
        let session = self.caller.session.as_deref();
        match key {
            "principalaccount" => text(&self.caller.account),
            "principalarn" => self.principal_arn(),
            "principalisawsservice" => {
                boolean(matches!(self.caller.principal, Principal::Service { .. }))
            }
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

    /// Keys that only temporary credentials have.
    fn of_session<'s>(&self, key: &str, session: &'s Session) -> Lookup<'s> {
        match key {
            "assumedroot" if session.kind == SessionKind::AssumeRoot => boolean(true),
            "federatedprovider" => federation(session, "aws:FederatedProvider"),
            "multifactorauthage" => session.mfa_at_millis.map_or(Lookup::Absent, |at| {
                Lookup::owned(((self.request.at.millis() - at) / 1000).to_string())
            }),
            "multifactorauthpresent" => boolean(session.mfa_at_millis.is_some()),
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
            Principal::Service { .. } | Principal::Anonymous => Lookup::Absent,
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
                [value] => Lookup::one(value),
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

fn principal_type(principal: &Principal) -> &'static str {
    match principal {
        Principal::Root => "Account",
        Principal::User { .. } => "User",
        Principal::AssumedRole { .. } => "AssumedRole",
        Principal::FederatedUser { .. } => "FederatedUser",
        Principal::Service { .. } => "Service",
        Principal::Anonymous => "Anonymous",
    }
}

fn text(value: &str) -> Lookup<'_> {
    if value.is_empty() { Lookup::Absent } else { Lookup::one(value) }
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
