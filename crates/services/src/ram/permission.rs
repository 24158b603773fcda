//! Managed permissions: AWS's, which stand in [`super::resource_type`], and the account's own, with
//! up to five versions.
//!
//! Source: RAM API reference, CreatePermission, DeletePermission, GetPermission; RAM User Guide,
//! "Creating and using customer managed permissions in AWS RAM", "Service quotas for AWS RAM".

use super::resource_type::{self, Managed, ResourceType};
use super::{arn, permission_template, settle, share_permission, tag};
use crate::context::Context;
use crate::errors::internal;
use crate::job::{JobKind, Next};
use crate::service::Tags;
use crate::table::{Scope, Table};
use palisade_model::ram::{
    CreatePermissionRequest, CreatePermissionResponse, DeletePermissionRequest,
    DeletePermissionResponse, GetPermissionRequest, GetPermissionResponse,
    INVALID_PARAMETER_EXCEPTION, OPERATION_NOT_PERMITTED_EXCEPTION,
    PERMISSION_ALREADY_EXISTS_EXCEPTION, PERMISSION_LIMIT_EXCEEDED_EXCEPTION,
    ResourceSharePermissionDetail, ResourceSharePermissionSummary, UNKNOWN_RESOURCE_EXCEPTION,
    permission_feature_set, permission_status, permission_type,
};
use palisade_shape::{Error, Result, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Customer managed permissions of an account in a region, and of one resource type.
const MOST: usize = 1_500;
const MOST_OF_TYPE: usize = 10;

/// A customer managed permission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permission {
    pub name: String,
    pub resource_type: String,
    pub versions: BTreeMap<i32, Version>,
    pub default_version: i32,
    pub tags: Tags,
    /// `STANDARD`, or `CREATED_FROM_POLICY`.
    pub feature_set: String,
    /// When it was deleted; it can be seen for a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_millis: Option<i64>,
}

/// One version of a permission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    pub template: String,
    pub created_millis: i64,
    pub updated_millis: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_millis: Option<i64>,
}

pub static PERMISSIONS: Table<Permission> = Table::of_private(
    "ram/permission",
    Scope::Region,
    |one| one.name.clone(),
    |one| {
        let text = format!("A permission with the name {} already exists.", one.name);
        PERMISSION_ALREADY_EXISTS_EXCEPTION.because(text)
    },
    |name| internal(format!("permission {name} is not there")),
);

/// Forgets what was deleted a while ago. The job's subject is the permission's name.
pub static FORGET: JobKind =
    JobKind { name: "ram/forget-permission", principal: "ram.amazonaws.com", run: forget };

fn forget(cx: &mut Context, subject: &str) -> Result<Next> {
    let Some(mut one) = cx.get(&PERMISSIONS, subject)? else { return Ok(Next::Done) };
    let before = cx.now().plus_seconds(-settle::SHOWN_SECONDS).millis();
    let is_over = |deleted: Option<i64>| deleted.is_some_and(|at| at <= before);
    if is_over(one.deleted_millis) {
        cx.delete(&PERMISSIONS, subject)?;
        return Ok(Next::Done);
    }
    one.versions.retain(|_, version| !is_over(version.deleted_millis));
    cx.put(&PERMISSIONS, &one)?;
    Ok(Next::Done)
}

/// Lets a permission, or versions of it, be forgotten in time.
pub fn forget_later(cx: &mut Context, name: &str) -> Result<()> {
    cx.later(&FORGET, cx.now().plus_seconds(settle::SHOWN_SECONDS), name)
}

impl Version {
    pub fn new(cx: &Context, template: String) -> Self {
        let now = cx.now().millis();
        Self { template, created_millis: now, updated_millis: now, deleted_millis: None }
    }
}

impl Permission {
    pub fn arn(&self, cx: &Context) -> String {
        arn::of(cx, arn::PERMISSION, &self.name)
    }

    fn status_of(&self, number: i32, version: &Version) -> &'static str {
        match (self.deleted_millis.or(version.deleted_millis), number == self.default_version) {
            (Some(_), _) => permission_status::DELETED,
            (None, true) => permission_status::ATTACHABLE,
            (None, false) => permission_status::UNATTACHABLE,
        }
    }
}

/// Stores a permission that was changed.
pub fn store(cx: &mut Context, one: &Permission) -> Result<()> {
    let arn = one.arn(cx);
    cx.touch("AWS::RAM::Permission", arn);
    cx.put(&PERMISSIONS, one)
}

/// The customer managed permission of that name, unless it was deleted.
pub fn live(cx: &Context, name: &str) -> Result<Option<Permission>> {
    Ok(cx.get(&PERMISSIONS, name)?.filter(|one| one.deleted_millis.is_none()))
}

pub fn unknown(arn: &str) -> Error {
    UNKNOWN_RESOURCE_EXCEPTION.because(format!("Permission {arn} could not be found."))
}

/// A permission of either kind.
pub enum Known {
    Aws(&'static ResourceType, &'static Managed),
    Own(Permission),
}

/// The permission with that ARN.
pub fn find(cx: &Context, text: &str) -> Result<Known> {
    let named = arn::parse(text, arn::PERMISSION)?;
    if named.account == "aws" {
        let of = |of: &&'static ResourceType| {
            let of = *of;
            of.permissions.iter().find(|one| one.name == named.id).map(|one| (of, one))
        };
        let found = resource_type::TYPES.iter().find_map(of).filter(|_| named.region.is_empty());
        return found.map(|(of, one)| Known::Aws(of, one)).ok_or_else(|| unknown(text));
    }
    let found = if named.is_here(cx) { cx.get(&PERMISSIONS, named.id)? } else { None };
    found.map(Known::Own).ok_or_else(|| unknown(text))
}

/// The account's own permission with that ARN, to be changed.
pub fn own(cx: &Context, text: &str) -> Result<Permission> {
    match find(cx, text)? {
        Known::Own(one) if one.deleted_millis.is_none() => Ok(one),
        Known::Own(_) | Known::Aws(..) => Err(unknown(text)),
    }
}

impl Known {
    pub fn resource_type(&self) -> &str {
        match self {
            Self::Aws(of, _) => of.name,
            Self::Own(one) => &one.resource_type,
        }
    }

    pub fn default_version(&self) -> i32 {
        match self {
            Self::Aws(..) => 1,
            Self::Own(one) => one.default_version,
        }
    }

    /// What a version allows; none for one that is not there.
    pub fn template(&self, version: i32) -> Option<&str> {
        match self {
            Self::Aws(_, one) => (version == 1).then_some(one.template),
            Self::Own(one) => one.versions.get(&version).map(|it| it.template.as_str()),
        }
    }

    fn versions(&self) -> Vec<i32> {
        match self {
            Self::Aws(..) => vec![1],
            Self::Own(one) => one.versions.keys().copied().collect(),
        }
    }
}

/// A version as lists show it.
pub fn summary(
    cx: &Context,
    known: &Known,
    version: i32,
) -> Option<ResourceSharePermissionSummary> {
    let is_default = version == known.default_version();
    let time = |millis| Some(Timestamp::from_millis(millis));
    Some(match known {
        Known::Aws(of, one) => ResourceSharePermissionSummary {
            arn: Some(one.arn()),
            version: Some(version.to_string()),
            default_version: Some(is_default),
            name: Some(one.name.to_owned()),
            resource_type: Some(of.name.to_owned()),
            status: Some(permission_status::ATTACHABLE.to_owned()),
            creation_time: time(one.created_millis),
            last_updated_time: time(one.created_millis),
            is_resource_type_default: Some(
                of.default_permission().is_some_and(|default| default.name == one.name),
            ),
            permission_type: Some(permission_type::AWS_MANAGED.to_owned()),
            feature_set: Some(permission_feature_set::STANDARD.to_owned()),
            tags: None,
        },
        Known::Own(one) => {
            let it = one.versions.get(&version)?;
            ResourceSharePermissionSummary {
                arn: Some(one.arn(cx)),
                version: Some(version.to_string()),
                default_version: Some(is_default),
                name: Some(one.name.clone()),
                resource_type: Some(one.resource_type.clone()),
                status: Some(one.status_of(version, it).to_owned()),
                creation_time: time(it.created_millis),
                last_updated_time: time(it.updated_millis),
                is_resource_type_default: Some(false),
                permission_type: Some(permission_type::CUSTOMER_MANAGED.to_owned()),
                feature_set: Some(one.feature_set.clone()),
                tags: Some(tag::shown(&one.tags)),
            }
        }
    })
}

/// All versions, as lists show them.
pub fn summaries(cx: &Context, known: &Known) -> Vec<(i32, ResourceSharePermissionSummary)> {
    let versions = known.versions().into_iter();
    versions.filter_map(|version| Some((version, summary(cx, known, version)?))).collect()
}

/// A version with what it allows.
pub fn detail(cx: &Context, known: &Known, version: i32) -> Option<ResourceSharePermissionDetail> {
    let template = known.template(version)?.to_owned();
    let ResourceSharePermissionSummary {
        arn,
        version,
        default_version,
        name,
        resource_type,
        status,
        creation_time,
        last_updated_time,
        is_resource_type_default,
        permission_type,
        feature_set,
        tags,
    } = summary(cx, known, version)?;
    Some(ResourceSharePermissionDetail {
        arn,
        version,
        default_version,
        name,
        resource_type,
        permission: Some(template),
        creation_time,
        last_updated_time,
        is_resource_type_default,
        permission_type,
        feature_set,
        status,
        tags,
    })
}

/// Makes a permission of the account's own.
pub fn create_permission(
    cx: &mut Context,
    input: CreatePermissionRequest,
) -> Result<CreatePermissionResponse> {
    let CreatePermissionRequest { name, resource_type, policy_template, client_token, tags } =
        input;
    let Some(of) = resource_type::TYPES.iter().find(|of| of.name == resource_type) else {
        let text = format!("Invalid resource type: {resource_type}");
        return Err(INVALID_PARAMETER_EXCEPTION.because(text));
    };
    if !of.customer_permissions {
        let text = format!("Customer managed permissions are not supported for {resource_type}.");
        return Err(OPERATION_NOT_PERMITTED_EXCEPTION.because(text));
    }
    permission_template::check(of, &policy_template)?;
    let one = Permission {
        name,
        resource_type,
        versions: BTreeMap::from([(1, Version::new(cx, policy_template))]),
        default_version: 1,
        tags: tag::given(tags, &tag::GENERAL)?,
        feature_set: permission_feature_set::STANDARD.to_owned(),
        deleted_millis: None,
    };
    create(cx, &one)?;
    let permission = summary(cx, &Known::Own(one), 1);
    Ok(CreatePermissionResponse { permission, client_token })
}

/// Stores a new permission: its name must be free, and the account must have room.
pub fn create(cx: &mut Context, one: &Permission) -> Result<()> {
    if live(cx, &one.name)?.is_some() {
        return Err((PERMISSIONS.taken)(one));
    }
    let all = cx.all(&PERMISSIONS, "")?;
    let there = || all.iter().filter(|other| other.deleted_millis.is_none());
    let of_type = there().filter(|other| other.resource_type == one.resource_type);
    if there().count() >= MOST || of_type.count() >= MOST_OF_TYPE {
        let text = format!(
            "An account can have at most {MOST_OF_TYPE} customer managed permissions for a \
             resource type, and {MOST} in all."
        );
        return Err(PERMISSION_LIMIT_EXCEEDED_EXCEPTION.because(text));
    }
    store(cx, one)
}

/// Deletes a permission with all its versions, unless a share uses it.
pub fn delete_permission(
    cx: &mut Context,
    input: DeletePermissionRequest,
) -> Result<DeletePermissionResponse> {
    let DeletePermissionRequest { permission_arn, client_token } = input;
    let mut one = own(cx, &permission_arn)?;
    if !share_permission::users(cx, &permission_arn, None)?.is_empty() {
        let text = "You can't delete a permission that is associated with a resource share.";
        return Err(OPERATION_NOT_PERMITTED_EXCEPTION.because(text));
    }
    one.deleted_millis = Some(cx.now().millis());
    store(cx, &one)?;
    forget_later(cx, &one.name)?;
    Ok(DeletePermissionResponse {
        return_value: Some(true),
        client_token,
        permission_status: Some(permission_status::DELETING.to_owned()),
    })
}

/// Answers what a permission allows, in its default version or another.
pub fn get_permission(
    cx: &mut Context,
    input: GetPermissionRequest,
) -> Result<GetPermissionResponse> {
    let GetPermissionRequest { permission_arn, permission_version } = input;
    let known = find(cx, &permission_arn)?;
    let version = permission_version.unwrap_or_else(|| known.default_version());
    match detail(cx, &known, version) {
        Some(detail) => Ok(GetPermissionResponse { permission: Some(detail) }),
        None => Err(no_version(&permission_arn, version)),
    }
}

pub fn no_version(arn: &str, version: i32) -> Error {
    let text = format!("Version {version} of permission {arn} could not be found.");
    UNKNOWN_RESOURCE_EXCEPTION.because(text)
}
