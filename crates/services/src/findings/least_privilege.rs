//! No policy of the account allows everything, and no application is an administrator.

use super::document::{allows, is_administrator, named};
use super::state::State;
use super::{Affected, Check, Severity};
use crate::authorization::Dependencies;
use crate::context::Context;
use crate::iam::access::Access;
use crate::iam::policy::POLICIES;
use crate::iam::{group, managed};
use palisade_model::iam::Role;
use palisade_policy::{DocumentKind, PrincipalType};
use palisade_shape::Result;

pub static CHECK: Check = Check {
    id: "least-privilege",
    title: "Policies grant no more than is needed",
    severity: Severity::High,
    why: "A policy that allows every action on every resource makes an administrator of whoever \
          has it. Name the actions and resources. Administrators are people: put them into a group \
          with AWS's policy AdministratorAccess.",
    reads: &["iam:GetAccountAuthorizationDetails"],
    look,
};

fn look(cx: &mut Context, state: &State) -> Result<Option<Vec<Affected>>> {
    let mut affected = Vec::new();
    for policy in cx.all(&POLICIES, "")? {
        let Some(arn) = &policy.arn else { continue };
        let document = managed::document_of(&mut Dependencies::new(cx.reader()), arn)?;
        let Some(document) = document else { continue };
        if is_administrator(&document.document)? {
            affected.push(Affected::new(arn, "It allows every action on every resource."));
        }
    }
    let users = state.users.iter().map(|person| (person.user.arn.clone(), &person.access));
    let mut groups = Vec::new();
    for access in &state.groups {
        groups.push((group::load(cx, &access.name)?.arn, access));
    }
    let roles = state.roles.iter().map(|(role, access)| (role.arn.clone(), access));
    let all: Vec<(String, &Access)> = users.chain(groups).chain(roles).collect();
    for (arn, access) in all {
        for (name, text) in &access.inline {
            if is_administrator(text)? {
                let why = format!("Its policy {name} allows every action on every resource.");
                affected.push(Affected::new(&arn, why));
            }
        }
    }
    for (role, access) in &state.roles {
        affected.extend(application(cx, role, access)?);
    }
    Ok(Some(affected))
}

/// A role for AWS services with a managed policy of AWS that allows everything.
fn application(cx: &Context, role: &Role, access: &Access) -> Result<Option<Affected>> {
    let Some(trust) = &role.assume_role_policy_document else { return Ok(None) };
    let statements = allows(trust, DocumentKind::Trust)?;
    let services: Vec<&str> =
        statements.iter().flat_map(|one| named(one, PrincipalType::Service)).collect();
    let Some(service) = services.first() else { return Ok(None) };
    for arn in &access.attached {
        if managed::aws_policy(arn).is_none() {
            continue;
        }
        let document = managed::document_of(&mut Dependencies::new(cx.reader()), arn)?;
        let Some(document) = document else { continue };
        if is_administrator(&document.document)? {
            let name = managed::name_of(arn);
            let why = format!("{service} gets {name} with this role.");
            return Ok(Some(Affected::new(&role.arn, why)));
        }
    }
    Ok(None)
}
