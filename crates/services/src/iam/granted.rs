//! Which services the policies of a user, role or group grant, and through which policy.
//!
//! As in AWS this looks at what identity policies allow and at nothing that takes it away again:
//! no denial, boundary or condition.
//!
//! Source: IAM API reference, ListPoliciesGrantingServiceAccess.

use super::access::{self, Access, Kind};
use super::policy_use::{self, Usage};
use super::{group, list, managed, role, user};
use crate::context::Context;
use crate::errors::internal;
use palisade_model::authorization;
use palisade_model::iam::{
    INVALID_INPUT, ListPoliciesGrantingServiceAccessEntry,
    ListPoliciesGrantingServiceAccessRequest, ListPoliciesGrantingServiceAccessResponse,
    NO_SUCH_ENTITY, PolicyGrantingServiceAccess,
};
use palisade_policy::arn::Arn;
use palisade_policy::{DocumentKind, Effect, Policy};
use palisade_shape::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};

/// Whom a report is about.
pub enum Subject {
    Principal(Kind, String),
    /// The ARN of a managed policy.
    Policy(String),
}

/// A user or role.
#[derive(Clone, Debug)]
pub struct Entity {
    pub arn: String,
    pub name: String,
    pub path: String,
    pub id: String,
    pub kind: Kind,
}

/// The user, role, group or managed policy of an ARN, or AWS's answer that there is none.
pub fn subject(cx: &Context, arn: &str) -> Result<Subject> {
    let invalid = || INVALID_INPUT.because(format!("Invalid ARN: {arn}"));
    let parsed = Arn::parse(arn).filter(|parsed| parsed.service == "iam").ok_or_else(invalid)?;
    let own = parsed.account == cx.account();
    let name = parsed.resource_name();
    let kind = match parsed.resource_type() {
        Some("user") => Kind::User,
        Some("role") => Kind::Role,
        Some("group") => Kind::Group,
        Some("policy") if own || parsed.account == "aws" => {
            let found = managed::find(cx, arn)?;
            return found.map(|_| Subject::Policy(arn.to_owned())).ok_or_else(|| missing(arn));
        }
        _ => return Err(invalid()),
    };
    let known = if own { stored_arn(cx, kind, name)? } else { None };
    match known.as_deref() == Some(arn) {
        true => Ok(Subject::Principal(kind, name.to_owned())),
        false => Err(missing(arn)),
    }
}

fn missing(arn: &str) -> Error {
    NO_SUCH_ENTITY.because(format!("ARN {arn} does not exist."))
}

fn stored_arn(cx: &Context, kind: Kind, name: &str) -> Result<Option<String>> {
    let key = name.to_lowercase();
    Ok(match kind {
        Kind::User => cx.get(&user::USERS, &key)?.map(|user| user.arn),
        Kind::Role => cx.get(&role::ROLES, &key)?.map(|role| role.arn),
        Kind::Group => cx.get(&group::GROUPS, &key)?.map(|group| group.arn),
    })
}

/// The users and roles that a subject stands for: a group's members, those that a policy is
/// attached to, through their groups too.
pub fn entities(cx: &Context, subject: &Subject) -> Result<Vec<Entity>> {
    let mut found = BTreeMap::new();
    match subject {
        Subject::Principal(kind, name) => collect(cx, *kind, name, &mut found)?,
        Subject::Policy(arn) => {
            let uses = policy_use::uses_of(cx, arn)?;
            for one in uses.iter().filter(|one| one.usage == Usage::Permissions) {
                collect(cx, one.kind, &one.name, &mut found)?;
            }
        }
    }
    Ok(found.into_values().collect())
}

fn collect(
    cx: &Context,
    kind: Kind,
    name: &str,
    found: &mut BTreeMap<String, Entity>,
) -> Result<()> {
    let entity = match kind {
        Kind::Group => {
            for member in group::member_names(cx, name)? {
                collect(cx, Kind::User, &member, found)?;
            }
            return Ok(());
        }
        Kind::User => {
            let user = user::load(cx, name)?;
            let (arn, name) = (user.arn, user.user_name);
            Entity { arn, name, path: user.path, id: user.user_id, kind }
        }
        Kind::Role => {
            let role = role::load(cx, name)?;
            let (arn, name) = (role.arn, role.role_name);
            Entity { arn, name, path: role.path, id: role.role_id, kind }
        }
    };
    found.insert(entity.arn.clone(), entity);
    Ok(())
}

/// The namespaces of the services that the policies of a subject grant.
pub fn services(cx: &Context, subject: &Subject) -> Result<BTreeSet<String>> {
    let mut services = BTreeSet::new();
    match subject {
        Subject::Policy(arn) => services.extend(of_managed(cx, arn)?),
        Subject::Principal(kind, name) => {
            for one in policies(cx, *kind, name)? {
                services.extend(one.services);
            }
        }
    }
    Ok(services)
}

/// A policy and the services that it grants.
struct Granting {
    shown: PolicyGrantingServiceAccess,
    services: BTreeSet<String>,
}

/// All policies of a principal; a user's with those of its groups.
fn policies(cx: &Context, kind: Kind, name: &str) -> Result<Vec<Granting>> {
    let access = access::load(cx, kind, name)?;
    let mut found = of_access(cx, kind, &access)?;
    for group in &access.groups {
        let access = access::load(cx, Kind::Group, group)?;
        found.extend(of_access(cx, Kind::Group, &access)?);
    }
    Ok(found)
}

fn of_access(cx: &Context, kind: Kind, access: &Access) -> Result<Vec<Granting>> {
    let mut found = Vec::new();
    for (name, document) in &access.inline {
        let shown = PolicyGrantingServiceAccess {
            policy_name: name.clone(),
            policy_type: "INLINE".to_owned(),
            policy_arn: None,
            entity_type: Some(kind.word().to_ascii_uppercase()),
            entity_name: Some(access.name.clone()),
        };
        found.push(Granting { shown, services: of_document(document)? });
    }
    for arn in &access.attached {
        let shown = PolicyGrantingServiceAccess {
            policy_name: managed::name_of(arn).to_owned(),
            policy_type: "MANAGED".to_owned(),
            policy_arn: Some(arn.clone()),
            entity_type: None,
            entity_name: None,
        };
        found.push(Granting { shown, services: of_managed(cx, arn)? });
    }
    Ok(found)
}

fn of_managed(cx: &Context, arn: &str) -> Result<BTreeSet<String>> {
    let mut dependencies = crate::authorization::Dependencies::new(cx.reader());
    match managed::document_of(&mut dependencies, arn)? {
        Some(attached) => of_document(&attached.document),
        None => Ok(BTreeSet::new()),
    }
}

/// The services of which a document allows anything.
pub(super) fn of_document(document: &str) -> Result<BTreeSet<String>> {
    let policy = Policy::parse(document, DocumentKind::Identity).map_err(|malformed| {
        internal(format!("a stored policy does not parse: {}", malformed.message()))
    })?;
    let mut services = BTreeSet::new();
    for statement in policy.statements.iter().filter(|one| one.effect == Effect::Allow) {
        let named = |text: &str| text.split(':').next().unwrap_or_default().to_ascii_lowercase();
        let values = statement.action.values.iter().map(|value| value.text.as_str());
        if statement.action.negated {
            // What is left: every service but those that are excepted as a whole.
            let gone: BTreeSet<String> =
                values.filter(|text| *text == "*" || text.ends_with(":*")).map(named).collect();
            if !gone.contains("*") {
                let left = authorization::prefixes().filter(|name| !gone.contains(*name));
                services.extend(left.map(str::to_owned));
            }
            continue;
        }
        for text in values {
            match named(text) {
                all if all == "*" => services.extend(authorization::prefixes().map(str::to_owned)),
                one => drop(services.insert(one)),
            }
        }
    }
    Ok(services)
}

/// Lists, for each service asked about, the policies of a principal that grant it.
pub fn list_policies_granting_service_access(
    cx: &mut Context,
    input: ListPoliciesGrantingServiceAccessRequest,
) -> Result<ListPoliciesGrantingServiceAccessResponse> {
    let ListPoliciesGrantingServiceAccessRequest { marker, arn, service_namespaces } = input;
    let Subject::Principal(kind, name) = subject(cx, &arn)? else {
        return Err(INVALID_INPUT.because(format!("Invalid ARN: {arn}")));
    };
    let policies = policies(cx, kind, &name)?;
    let page = list::of_items(service_namespaces, marker.as_deref(), None)?;
    let entry = |namespace: String| {
        let granting = policies.iter().filter(|one| one.services.contains(&namespace));
        let granting: Vec<_> = granting.map(|one| one.shown.clone()).collect();
        ListPoliciesGrantingServiceAccessEntry {
            service_namespace: Some(namespace),
            policies: Some(granting),
        }
    };
    Ok(ListPoliciesGrantingServiceAccessResponse {
        policies_granting_service_access: page.items.into_iter().map(entry).collect(),
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_what_allow_statements_name() {
        let document = |effect: &str, key: &str, value: &str| {
            let head = r#"{"Version":"2012-10-17","Statement":{"Effect":"#;
            format!(r#"{head}"{effect}","{key}":{value},"Resource":"*"}}}}"#)
        };
        let of = |effect, key, value| of_document(&document(effect, key, value)).unwrap();
        let two = of("Allow", "Action", r#"["S3:Get*","iam:ListUsers"]"#);
        assert_eq!(two.iter().map(String::as_str).collect::<Vec<_>>(), ["iam", "s3"]);
        let all = authorization::prefixes().count();
        assert_eq!(of("Allow", "Action", r#""*""#).len(), all);
        assert!(of("Deny", "Action", r#""*""#).is_empty());
        let rest = of("Allow", "NotAction", r#"["iam:*","s3:GetObject"]"#);
        assert_eq!(rest.len(), all - 1);
        assert!(rest.contains("s3") && !rest.contains("iam"));
    }
}
