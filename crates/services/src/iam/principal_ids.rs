//! Principals in stored policies: ARNs become unique ids when a document is saved and ARNs again
//! when it is shown, so that a deleted and recreated principal gets nothing of its predecessor's.
//! The rest of the document stays as it was written, to the last space.
//!
//! Source: IAM User Guide, "AWS JSON policy elements: Principal".

use super::access::Kind;
use super::principal::by_id;
use super::role::ROLES;
use super::user::USERS;
use crate::context::Context;
use crate::errors::internal;
use palisade_model::iam::MALFORMED_POLICY_DOCUMENT;
use palisade_policy::arn::{Arn, is_account_id};
use palisade_policy::{DocumentKind, Policy, PrincipalType, Span};
use palisade_shape::Result;

/// A trust policy as it is stored: users and roles by their unique ids, accounts by their root ARN.
///
/// Refuses a user, role or id that there is not, in whatever account of this plane it should be.
pub fn to_ids(cx: &mut Context, document: &str) -> Result<String> {
    to_ids_in(cx, document, DocumentKind::Trust)
}

/// The same of another document with principals: the policy of a resource.
pub fn to_ids_in(cx: &mut Context, document: &str, kind: DocumentKind) -> Result<String> {
    rewrite(cx, document, kind, saved)
}

/// A stored trust policy as it is shown: users and roles by their ARNs of today; what is gone keeps
/// its id.
pub fn to_arns(cx: &mut Context, document: &str) -> Result<String> {
    to_arns_in(cx, document, DocumentKind::Trust)
}

/// The same of another document with principals.
pub fn to_arns_in(cx: &mut Context, document: &str, kind: DocumentKind) -> Result<String> {
    rewrite(cx, document, kind, shown)
}

/// What an AWS principal of a policy is kept as: the id of a user or role that is there, else
/// itself. Refuses what is no principal.
pub fn to_id(cx: &mut Context, principal: &str) -> Result<String> {
    Ok(saved(cx, principal)?.unwrap_or_else(|| principal.to_owned()))
}

/// What a kept principal is shown as.
pub fn to_arn(cx: &mut Context, principal: &str) -> Result<String> {
    Ok(shown(cx, principal)?.unwrap_or_else(|| principal.to_owned()))
}

/// The policy of a resource as it is stored. See [`to_ids`].
pub fn resource_to_ids(cx: &mut Context, document: &str) -> Result<String> {
    rewrite(cx, document, DocumentKind::Resource, saved)
}

/// The stored policy of a resource as it is shown. See [`to_arns`].
pub fn resource_to_arns(cx: &mut Context, document: &str) -> Result<String> {
    rewrite(cx, document, DocumentKind::Resource, shown)
}

/// Replaces the AWS principals for which `replace` has another name.
fn rewrite(
    cx: &mut Context,
    document: &str,
    kind: DocumentKind,
    replace: fn(&mut Context, &str) -> Result<Option<String>>,
) -> Result<String> {
    let policy = Policy::parse(document, kind)
        .map_err(|error| MALFORMED_POLICY_DOCUMENT.because(error.message().to_owned()))?;
    let elements = policy.statements.iter().filter_map(|statement| statement.principal.as_ref());
    let entries = elements.flat_map(|element| &element.entries);
    let mut changes: Vec<(Span, String)> = Vec::new();
    for entry in entries.filter(|entry| entry.kind == PrincipalType::Aws) {
        if let Some(new) = replace(cx, &entry.value.text)? {
            changes.push((entry.value.span, serde_json::to_string(&new).map_err(internal)?));
        }
    }
    // From the end, so that the places before stay right.
    changes.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    let mut text = document.to_owned();
    for (span, new) in changes {
        text.replace_range(span.start..span.end, &new);
    }
    Ok(text)
}

fn saved(cx: &mut Context, principal: &str) -> Result<Option<String>> {
    let invalid = || {
        let message = format!("Invalid principal in policy: \"AWS\":\"{principal}\"");
        MALFORMED_POLICY_DOCUMENT.because(message)
    };
    if principal == "*" {
        return Ok(None);
    }
    if is_account_id(principal) {
        return Ok(Some(format!("arn:aws:iam::{principal}:root")));
    }
    let Some(arn) = Arn::parse(principal) else {
        // What is no ARN must be the id of a principal that is there.
        return if by_id(cx, principal)?.is_some() { Ok(None) } else { Err(invalid()) };
    };
    let (account, name) = (arn.account.to_owned(), arn.resource_name().to_owned());
    let kind = match (arn.service, arn.resource_type()) {
        ("iam", Some("user")) => Kind::User,
        ("iam", Some("role")) => Kind::Role,
        // Accounts and sessions stay as they are: there is nothing of them that could be recreated.
        _ => return Ok(None),
    };
    let id = cx.in_account(&account, |cx| id_of(cx, kind, &name, principal))?;
    id.map(Some).ok_or_else(invalid)
}

/// The id of a user or role whose ARN is exactly that, path and case included.
fn id_of(cx: &Context, kind: Kind, name: &str, arn: &str) -> Result<Option<String>> {
    let key = name.to_lowercase();
    let found = if kind == Kind::User {
        cx.get(&USERS, &key)?.map(|user| (user.arn, user.user_id))
    } else {
        cx.get(&ROLES, &key)?.map(|role| (role.arn, role.role_id))
    };
    Ok(found.filter(|(known, _)| known == arn).map(|(_, id)| id))
}

fn shown(cx: &mut Context, principal: &str) -> Result<Option<String>> {
    if principal.starts_with("AIDA") || principal.starts_with("AROA") {
        return Ok(by_id(cx, principal)?.map(|row| row.arn()));
    }
    Ok(None)
}
