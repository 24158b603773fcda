//! What can be shared: one row a type. A service that answers a shareable type of AWS's list adds
//! its row here, and nothing else of RAM changes.
//!
//! Source: RAM User Guide, "Shareable AWS resources"; S3 User Guide, "S3 Access Grants
//! cross-account access".

use super::list;
use crate::context::Context;
use palisade_model::authorization;
use palisade_model::ram::{
    ListResourceTypesRequest, ListResourceTypesResponse, ServiceNameAndResourceType,
    resource_region_scope, resource_region_scope_filter,
};
use palisade_policy::arn::Arn;
use palisade_shape::Result;

/// A type of resources that can be shared.
pub struct ResourceType {
    /// As the API writes it: `s3:AccessGrants`.
    pub name: &'static str,
    /// Whether its shares are in us-east-1 and its resources seen from every region.
    pub global: bool,
    /// The service in its ARNs, and how their last field begins.
    pub arn: (&'static str, &'static str),
    /// The resource type of the Service Authorization Reference.
    pub kind: (&'static str, &'static str),
    /// IAM roles and users can be principals, not only accounts.
    pub iam_principals: bool,
    /// Accounts outside of the owner's organization can be principals.
    pub outside: bool,
    /// There may be customer managed permissions for it.
    pub customer_permissions: bool,
    /// A principal may leave a share with such a resource by itself.
    pub can_be_left: bool,
    /// AWS's managed permissions, the default first.
    pub permissions: &'static [Managed],
    /// Whether the account and region that are seen have the resource. None: what makes such
    /// resources is not answered by this plane, so that none can be reached and none shared.
    pub exists: Option<fn(&Context, &str) -> Result<bool>>,
}

/// A managed permission of AWS's.
pub struct Managed {
    pub name: &'static str,
    /// What it allows, as GetPermission shows it.
    pub template: &'static str,
    /// Milliseconds since the epoch.
    pub created_millis: i64,
}

impl Managed {
    pub fn arn(&self) -> String {
        format!("arn:aws:ram::aws:permission/{}", self.name)
    }
}

/// When S3 Access Grants began: 2023-11-26.
const ACCESS_GRANTS_MILLIS: i64 = 1_700_956_800_000;

static ACCESS_GRANTS: ResourceType = ResourceType {
    name: "s3:AccessGrants",
    global: false,
    arn: ("s3", "access-grants/default"),
    kind: ("s3", "accessgrantsinstance"),
    iam_principals: true,
    outside: true,
    customer_permissions: true,
    can_be_left: false,
    permissions: &[
        Managed {
            name: "AWSRAMPermissionAccessGrantsData",
            template: concat!(
                r#"{"Effect":"Allow","Action":["s3:GetDataAccess","#,
                r#""s3:GetAccessGrantsInstanceForPrefix","s3:ListCallerAccessGrants"]}"#
            ),
            created_millis: ACCESS_GRANTS_MILLIS,
        },
        Managed {
            name: "AWSRAMPermissionAccessGrantsReadAccess",
            template: concat!(
                r#"{"Effect":"Allow","Action":["s3:GetDataAccess","#,
                r#""s3:GetAccessGrantsInstanceForPrefix","s3:ListCallerAccessGrants","#,
                r#""s3:ListAccessGrants","s3:ListAccessGrantsLocations"]}"#
            ),
            created_millis: ACCESS_GRANTS_MILLIS,
        },
        Managed {
            name: "AWSRAMPermissionAccessGrantsControl",
            template: concat!(
                r#"{"Effect":"Allow","Action":["s3:ListAccessGrants","#,
                r#""s3:ListAccessGrantsLocations"]}"#
            ),
            created_millis: ACCESS_GRANTS_MILLIS,
        },
    ],
    exists: None,
};

/// All types.
pub static TYPES: &[&ResourceType] = &[
    &ACCESS_GRANTS,
    #[cfg(test)]
    &super::tests::THING,
    #[cfg(test)]
    &super::tests::INSIDER,
];

/// The type of that name, ignoring case.
pub fn find(name: &str) -> Option<&'static ResourceType> {
    TYPES.iter().copied().find(|of| of.name.eq_ignore_ascii_case(name))
}

/// The type that an ARN is of.
pub fn of_arn(arn: &str) -> Option<&'static ResourceType> {
    let arn = Arn::parse(arn)?;
    let is_of = |of: &&ResourceType| {
        let (service, start) = of.arn;
        arn.service == service
            && match start.strip_suffix('/') {
                Some(_) => arn.resource.strip_prefix(start).is_some_and(|id| !id.is_empty()),
                None => arn.resource == start,
            }
    };
    TYPES.iter().copied().find(is_of)
}

impl ResourceType {
    pub fn scope(&self) -> &'static str {
        match self.global {
            true => resource_region_scope::GLOBAL,
            false => resource_region_scope::REGIONAL,
        }
    }

    /// The permission that a share gets for it unless it names another.
    pub fn default_permission(&self) -> Option<&'static Managed> {
        self.permissions.first()
    }

    /// Whether a permission for the type may have that action, which is written out in full.
    pub fn supports(&self, action: &str) -> bool {
        let (prefix, kind) = self.kind;
        let is_of_service = action.split(':').next() == Some(prefix);
        let known = authorization::action(action).filter(|_| is_of_service);
        known.is_some_and(|action| action.resource_types.iter().any(|(of, _)| *of == kind))
    }
}

/// Whether a scope that a list asks for has the type.
pub fn is_in_scope(of: &ResourceType, wanted: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| wanted == resource_region_scope_filter::ALL || wanted == of.scope())
}

pub fn list_resource_types(
    _cx: &mut Context,
    input: ListResourceTypesRequest,
) -> Result<ListResourceTypesResponse> {
    let ListResourceTypesRequest { next_token, max_results, resource_region_scope } = input;
    let wanted = TYPES.iter().filter(|of| is_in_scope(of, resource_region_scope.as_deref()));
    let shown = wanted.map(|of| {
        let service = of.name.split(':').next().unwrap_or_default();
        let shown = ServiceNameAndResourceType {
            resource_type: Some(of.name.to_owned()),
            service_name: Some(service.to_owned()),
            resource_region_scope: Some(of.scope().to_owned()),
        };
        (of.name.to_owned(), shown)
    });
    let page = list::page(shown.collect(), (next_token, max_results))?;
    Ok(ListResourceTypesResponse { resource_types: Some(page.items), next_token: page.next })
}
