//! Roles that an AWS service is given for itself. Only the service may change what such a role may
//! do; the account may make it, describe it and delete it.
//!
//! No service of this plane keeps anything that would hold its role back, so a deletion is done
//! with the call: its task is there to be asked, and has succeeded.
//!
//! Source: IAM API reference, CreateServiceLinkedRole and its like; IAM User Guide, "Create a
//! service-linked role".

use super::access::{self, Kind};
use super::policy_use::{self, PolicyUse, Usage};
use super::{principal, quota, role};
use crate::authorization::Requirement;
use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use palisade_model::iam::{
    CreateServiceLinkedRoleRequest, CreateServiceLinkedRoleResponse,
    DeleteServiceLinkedRoleRequest, DeleteServiceLinkedRoleResponse,
    GetServiceLinkedRoleDeletionStatusRequest, GetServiceLinkedRoleDeletionStatusResponse,
    INVALID_INPUT, NO_SUCH_ENTITY, Role, deletion_task_status_type,
};
use palisade_shape::Result;
use serde::{Deserialize, Serialize};
use services::Linked;

mod services;

/// Service-linked roles are below this path, followed by the service's principal.
pub const PATH: &str = "/aws-service-role/";
const ROLE_NAME_MAX: usize = 64;

/// A deletion that was asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeletionTask {
    id: String,
    status: String,
    asked_millis: i64,
}

static DELETION_TASKS: Table<DeletionTask> = Table::of_private(
    "iam/role-deletion",
    Scope::Account,
    |task| task.id.clone(),
    |task| internal(format!("deletion task {} is there already", task.id)),
    |id| NO_SUCH_ENTITY.because(format!("The deletion task with id {id} cannot be found.")),
);

/// The role of a service and its name in the account.
fn linked(service: &str, suffix: Option<&str>) -> Result<(Linked, String)> {
    let Some(linked) = services::find(service) else {
        let text = format!("Service-linked roles are not supported for {service}.");
        return Err(INVALID_INPUT.because(text));
    };
    match suffix {
        None => Ok((linked, linked.role.to_owned())),
        Some(suffix) if linked.suffixed => {
            let name = format!("{}_{suffix}", linked.role);
            if name.len() > ROLE_NAME_MAX {
                let text = format!("The role name {name} is longer than 64 characters.");
                return Err(INVALID_INPUT.because(text));
            }
            Ok((linked, name))
        }
        Some(_) => {
            Err(INVALID_INPUT.because(format!("Custom suffix is not allowed for {service}")))
        }
    }
}

/// Makes the role of a service, with the policy that AWS publishes for it.
pub fn create_service_linked_role(
    cx: &mut Context,
    input: CreateServiceLinkedRoleRequest,
) -> Result<CreateServiceLinkedRoleResponse> {
    let CreateServiceLinkedRoleRequest { aws_service_name, description, custom_suffix } = input;
    let (linked, name) = linked(&aws_service_name, custom_suffix.as_deref())?;
    if cx.exists(&role::ROLES, &name.to_lowercase())? {
        let text = format!(
            "Service role name {name} has been taken in this account, please try a different \
             suffix."
        );
        return Err(INVALID_INPUT.because(text));
    }
    let trust = format!(
        concat!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","#,
            r#""Principal":{{"Service":["{}"]}},"Action":["sts:AssumeRole"]}}]}}"#
        ),
        linked.service
    );
    let path = format!("{PATH}{}/", linked.service);
    let role = Role {
        arn: cx.iam_arn("role", &path, &name),
        role_id: cx.unique_id("AROA"),
        create_date: cx.now().whole_seconds(),
        path,
        role_name: name,
        assume_role_policy_document: Some(trust),
        description,
        max_session_duration: Some(role::SESSION_SECONDS),
        permissions_boundary: None,
        tags: None,
        role_last_used: None,
    };
    access::create(cx, Kind::Role, &role.role_name)?;
    quota::take(cx, &quota::ROLES)?;
    principal::register(cx, Kind::Role, &role.role_id, &role.path, &role.role_name)?;
    attach(cx, &role.role_name, linked.policy)?;
    role::store(cx, &role)?;
    Ok(CreateServiceLinkedRoleResponse { role: Some(role::shown(cx, role)?) })
}

/// What a caller must be allowed besides, for whom a service makes its role: nothing once the
/// account has it.
pub fn requirement(cx: &Context, service: &str) -> Result<Option<Requirement>> {
    let (linked, name) = linked(service, None)?;
    if cx.exists(&role::ROLES, &name.to_lowercase())? {
        return Ok(None);
    }
    let arn = cx.iam_arn("role", &format!("{PATH}{}/", linked.service), &name);
    let requirement = Requirement::new("iam:CreateServiceLinkedRole", arn, cx.account());
    Ok(Some(requirement.with_key("iam:AWSServiceName", service)))
}

/// Makes the role of a service in the account that is seen, unless it is there.
pub fn ensure(cx: &mut Context, service: &str) -> Result<()> {
    if requirement(cx, service)?.is_none() {
        return Ok(());
    }
    let wanted = CreateServiceLinkedRoleRequest {
        aws_service_name: service.to_owned(),
        description: None,
        custom_suffix: None,
    };
    create_service_linked_role(cx, wanted).map(drop)
}

fn attach(cx: &mut Context, role: &str, policy: &str) -> Result<()> {
    let arn = format!("arn:{}:iam::aws:policy{PATH}{policy}", cx.partition());
    let mut access = access::load(cx, Kind::Role, role)?;
    access.attached.push(arn.clone());
    access::save(cx, Kind::Role, &access)?;
    policy_use::add(cx, &PolicyUse::new(&arn, Kind::Role, role, Usage::Permissions))
}

/// Deletes the role of a service, and answers the task that did it.
pub fn delete_service_linked_role(
    cx: &mut Context,
    input: DeleteServiceLinkedRoleRequest,
) -> Result<DeleteServiceLinkedRoleResponse> {
    let role = role::load(cx, &input.role_name)?;
    if !role.path.starts_with(PATH) {
        return Err(Kind::Role.missing(&input.role_name));
    }
    let access = access::load(cx, Kind::Role, &role.role_name)?;
    for arn in &access.attached {
        let used = PolicyUse::new(arn, Kind::Role, &role.role_name, Usage::Permissions);
        policy_use::remove(cx, &used)?;
    }
    role::remove(cx, &role)?;
    let task = DeletionTask {
        id: format!("task{}{}/{}", role.path, role.role_name, cx.uuid()),
        status: deletion_task_status_type::SUCCEEDED.to_owned(),
        asked_millis: cx.now().millis(),
    };
    cx.insert(&DELETION_TASKS, &task)?;
    Ok(DeleteServiceLinkedRoleResponse { deletion_task_id: task.id })
}

/// Answers how far a deletion is.
pub fn get_service_linked_role_deletion_status(
    cx: &mut Context,
    input: GetServiceLinkedRoleDeletionStatusRequest,
) -> Result<GetServiceLinkedRoleDeletionStatusResponse> {
    if role_of_task(&input.deletion_task_id).is_none() {
        let text = format!("Invalid deletion task id: {}", input.deletion_task_id);
        return Err(INVALID_INPUT.because(text));
    }
    let task = cx.find(&DELETION_TASKS, &input.deletion_task_id)?;
    Ok(GetServiceLinkedRoleDeletionStatusResponse { status: task.status, reason: None })
}

/// The resource of a role's ARN in `task/aws-service-role/SERVICE/ROLE/UUID`.
fn role_of_task(id: &str) -> Option<&str> {
    let (role, _) = id.strip_prefix("task")?.rsplit_once('/')?;
    (role.starts_with(PATH) && role.split('/').count() == 4).then_some(role)
}

/// The role that would be made.
pub fn create_requirements(
    cx: &mut Context,
    input: &CreateServiceLinkedRoleRequest,
) -> Result<Vec<Requirement>> {
    let service = &input.aws_service_name;
    let named = linked(service, input.custom_suffix.as_deref());
    let name = named.map_or_else(|_| "*".to_owned(), |(_, name)| name);
    let arn = cx.iam_arn("role", &format!("{PATH}{service}/"), &name);
    let requirement = Requirement::new("iam:CreateServiceLinkedRole", arn, cx.account());
    Ok(vec![requirement.of_kind("role").with_key("iam:AWSServiceName", service)])
}

/// The role that the task deletes.
pub fn deletion_status_requirements(
    cx: &mut Context,
    input: &GetServiceLinkedRoleDeletionStatusRequest,
) -> Result<Vec<Requirement>> {
    let role = role_of_task(&input.deletion_task_id).unwrap_or("/*");
    let arn = cx.iam_arn("role", role, "");
    let action = "iam:GetServiceLinkedRoleDeletionStatus";
    Ok(vec![Requirement::new(action, arn, cx.account()).of_kind("role")])
}

#[cfg(test)]
mod tests;
