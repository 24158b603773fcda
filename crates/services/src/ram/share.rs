//! Resource shares: made, renamed, deleted, listed.
//!
//! A deleted share can still be seen for a while, as [`super::settle`] has it.
//!
//! Source: RAM API reference, CreateResourceShare, UpdateResourceShare, DeleteResourceShare,
//! GetResourceShares; RAM User Guide, "Service quotas for AWS RAM".

use super::association::{self, Wanted};
use super::received::{self, Seen};
use super::share_permission::{self, Granted};
use super::{arn, list, settle, tag};
use crate::context::Context;
use crate::errors::internal;
use crate::service::Tags;
use crate::table::{Scope, Table};
use palisade_model::ram::{
    CreateResourceShareRequest, CreateResourceShareResponse, DeleteResourceShareRequest,
    DeleteResourceShareResponse, GetResourceSharesRequest, GetResourceSharesResponse,
    INVALID_PARAMETER_EXCEPTION, MISSING_REQUIRED_PARAMETER_EXCEPTION,
    OPERATION_NOT_PERMITTED_EXCEPTION, RESOURCE_SHARE_LIMIT_EXCEEDED_EXCEPTION, ResourceShare,
    ResourceShareConfiguration, TagFilter, UNKNOWN_RESOURCE_EXCEPTION, UpdateResourceShareRequest,
    UpdateResourceShareResponse, resource_owner, resource_share_association_type,
    resource_share_feature_set, resource_share_status,
};
use palisade_shape::{Error, Result, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Shares of an account in a region.
const MOST: usize = 25_000;
const NAME_MAX: usize = 255;

/// A resource share, in the account that owns it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// A UUID.
    pub id: String,
    pub name: String,
    pub allows_external: bool,
    /// `ACTIVE`, `DELETING`, `DELETED`
    pub status: String,
    pub created_millis: i64,
    pub updated_millis: i64,
    pub tags: Tags,
    /// `STANDARD`, or `CREATED_FROM_POLICY`.
    pub feature_set: String,
    /// Who leaves the organization keeps what was shared.
    pub retains: bool,
    /// The permission for each type of resources.
    pub permissions: BTreeMap<String, Granted>,
}

pub static SHARES: Table<Share> = Table::of_private(
    "ram/share",
    Scope::Region,
    |share| share.id.clone(),
    |share| internal(format!("share {} is there already", share.id)),
    |id| internal(format!("share {id} is not there")),
);

/// The region of each share, so that all shares of an account are found from anywhere.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    pub region: String,
    pub share: String,
}

pub static PLACES: Table<Place> = Table::of_private(
    "ram/share-place",
    Scope::Account,
    |place| format!("{}|{}", place.region, place.share),
    |place| internal(format!("share {} has a place already", place.share)),
    |key| internal(format!("share {key} has no place")),
);

impl Share {
    pub fn arn(&self, cx: &Context) -> String {
        arn::of(cx, arn::SHARE, &self.id)
    }

    pub fn is_active(&self) -> bool {
        self.status == resource_share_status::ACTIVE
    }

    pub fn is_standard(&self) -> bool {
        self.feature_set == resource_share_feature_set::STANDARD
    }
}

/// Stores a share that was changed now.
pub fn store(cx: &mut Context, share: &Share) -> Result<()> {
    let arn = share.arn(cx);
    cx.touch("AWS::RAM::ResourceShare", arn);
    cx.put(&SHARES, &Share { updated_millis: cx.now().millis(), ..share.clone() })
}

/// The share is not there, or not for the caller to see.
pub fn unknown(arn: &str) -> Error {
    UNKNOWN_RESOURCE_EXCEPTION.because(format!("ResourceShare {arn} could not be found."))
}

/// The share with that ARN, which is the account's own and not deleted.
pub fn own(cx: &Context, arn: &str) -> Result<Share> {
    let named = arn::parse(arn, arn::SHARE)?;
    let found = if named.is_here(cx) { cx.get(&SHARES, named.id)? } else { None };
    found.filter(Share::is_active).ok_or_else(|| unknown(arn))
}

/// The same, to be changed: what RAM made of a policy is the policy's to change.
pub fn changeable(cx: &Context, arn: &str) -> Result<Share> {
    let share = own(cx, arn)?;
    if share.is_standard() {
        return Ok(share);
    }
    let text = "You can't modify a resource share that was created from a resource-based policy. \
                Promote it first.";
    Err(OPERATION_NOT_PERMITTED_EXCEPTION.because(text))
}

/// A share as its owner sees it, in whose rows the context stands; others do not see its tags.
pub fn shown(cx: &Context, share: &Share, to_owner: bool) -> ResourceShare {
    ResourceShare {
        resource_share_arn: Some(share.arn(cx)),
        name: Some(share.name.clone()),
        owning_account_id: Some(cx.account().to_owned()),
        allow_external_principals: Some(share.allows_external),
        status: Some(share.status.clone()),
        status_message: None,
        tags: to_owner.then(|| tag::shown(&share.tags)),
        creation_time: Some(Timestamp::from_millis(share.created_millis)),
        last_updated_time: Some(Timestamp::from_millis(share.updated_millis)),
        feature_set: Some(share.feature_set.clone()),
        resource_share_configuration: Some(ResourceShareConfiguration {
            retain_sharing_on_account_leave_organization: Some(share.retains),
        }),
    }
}

fn check_name(name: &str) -> Result<()> {
    if name.trim().is_empty() || name.chars().count() > NAME_MAX {
        let text = "The name of a resource share has 1 to 255 characters.";
        return Err(INVALID_PARAMETER_EXCEPTION.because(text));
    }
    Ok(())
}

/// Makes a share, with what is to be in it.
pub fn create_resource_share(
    cx: &mut Context,
    input: CreateResourceShareRequest,
) -> Result<CreateResourceShareResponse> {
    let CreateResourceShareRequest {
        name,
        resource_arns,
        principals,
        tags,
        allow_external_principals,
        client_token,
        permission_arns,
        sources,
        resource_share_configuration,
    } = input;
    check_name(&name)?;
    let account = cx.account().to_owned();
    if cx.scan(&PLACES, &format!("{}|", cx.region()), None, MOST)?.len() >= MOST {
        let text = format!("Account {account} can't have more resource shares in this Region.");
        return Err(RESOURCE_SHARE_LIMIT_EXCEEDED_EXCEPTION.because(text));
    }
    let now = cx.now().millis();
    let configuration = resource_share_configuration.unwrap_or_default();
    let mut share = Share {
        id: cx.uuid(),
        name,
        allows_external: allow_external_principals.unwrap_or(true),
        status: resource_share_status::ACTIVE.to_owned(),
        created_millis: now,
        updated_millis: now,
        tags: tag::given(tags, &tag::OWN)?,
        feature_set: resource_share_feature_set::STANDARD.to_owned(),
        retains: configuration.retain_sharing_on_account_leave_organization.unwrap_or(false),
        permissions: BTreeMap::new(),
    };
    for arn in permission_arns.unwrap_or_default() {
        share_permission::grant(cx, &mut share, &arn)?;
    }
    cx.put(&PLACES, &Place { region: cx.region().to_owned(), share: share.id.clone() })?;
    association::add(cx, &mut share, &Wanted::of(principals, resource_arns, sources))?;
    store(cx, &share)?;
    let shown = shown(cx, &share, true);
    Ok(CreateResourceShareResponse { resource_share: Some(shown), client_token })
}

/// Renames a share, or opens it to principals outside of the organization or closes it.
pub fn update_resource_share(
    cx: &mut Context,
    input: UpdateResourceShareRequest,
) -> Result<UpdateResourceShareResponse> {
    let UpdateResourceShareRequest {
        resource_share_arn,
        name,
        allow_external_principals,
        client_token,
    } = input;
    let mut share = changeable(cx, &resource_share_arn)?;
    if name.is_none() && allow_external_principals.is_none() {
        let text = "Specify a name or allowExternalPrincipals.";
        return Err(MISSING_REQUIRED_PARAMETER_EXCEPTION.because(text));
    }
    if let Some(name) = name {
        check_name(&name)?;
        share.name = name;
    }
    if let Some(allows) = allow_external_principals {
        if !allows && association::has_external(cx, &share)? {
            let text = "You can't restrict a resource share to your organization while it has \
                        external principals. Remove them first.";
            return Err(OPERATION_NOT_PERMITTED_EXCEPTION.because(text));
        }
        share.allows_external = allows;
    }
    store(cx, &share)?;
    let share = cx.find(&SHARES, &share.id)?;
    let shown = shown(cx, &share, true);
    Ok(UpdateResourceShareResponse { resource_share: Some(shown), client_token })
}

/// Deletes a share. Access by it ends with the call.
pub fn delete_resource_share(
    cx: &mut Context,
    input: DeleteResourceShareRequest,
) -> Result<DeleteResourceShareResponse> {
    let DeleteResourceShareRequest { resource_share_arn, client_token } = input;
    let mut share = changeable(cx, &resource_share_arn)?;
    share.status = resource_share_status::DELETING.to_owned();
    store(cx, &share)?;
    association::end_all(cx, &share)?;
    settle::soon(cx, &share)?;
    Ok(DeleteResourceShareResponse { return_value: Some(true), client_token })
}

/// What a list of shares is narrowed by.
struct Filter {
    status: Option<String>,
    name: Option<String>,
    tags: Vec<TagFilter>,
    permission: Option<String>,
    version: Option<i32>,
}

impl Filter {
    fn keeps(&self, share: &Share) -> bool {
        let uses = |granted: &Granted| {
            self.permission.as_ref().is_none_or(|arn| *arn == granted.arn)
                && self.version.is_none_or(|version| version == granted.version)
        };
        self.status.as_ref().is_none_or(|status| *status == share.status)
            && self.name.as_ref().is_none_or(|name| *name == share.name)
            && (self.tags.is_empty() || self.tags.iter().any(|filter| has_tag(share, filter)))
            && (self.permission.is_none() || share.permissions.values().any(uses))
    }
}

fn has_tag(share: &Share, filter: &TagFilter) -> bool {
    let TagFilter { tag_key, tag_values } = filter;
    let values = tag_values.as_deref().unwrap_or_default();
    share.tags.iter().any(|(key, value)| {
        Some(key) == tag_key.as_ref() && (values.is_empty() || values.contains(value))
    })
}

/// Lists shares, the account's own or those of others that it is in.
pub fn get_resource_shares(
    cx: &mut Context,
    input: GetResourceSharesRequest,
) -> Result<GetResourceSharesResponse> {
    let GetResourceSharesRequest {
        resource_share_arns,
        resource_share_status,
        resource_owner,
        name,
        tag_filters,
        next_token,
        max_results,
        permission_arn,
        permission_version,
    } = input;
    if permission_version.is_some() && permission_arn.is_none() {
        let text = "Specify permissionArn with permissionVersion.";
        return Err(INVALID_PARAMETER_EXCEPTION.because(text));
    }
    let filter = Filter {
        status: resource_share_status,
        name,
        tags: tag_filters.unwrap_or_default(),
        permission: permission_arn,
        version: permission_version,
    };
    let own = resource_owner == resource_owner::SELF;
    let mut items = Vec::new();
    for Seen { owner, share } in received::seen(cx, own, resource_share_arns.as_deref())? {
        if filter.keeps(&share) {
            let shown = cx.in_account(&owner, |cx| shown(cx, &share, own));
            items.push((format!("{owner}/{}", share.id), shown));
        }
    }
    let page = list::page(items, (next_token, max_results))?;
    Ok(GetResourceSharesResponse { resource_shares: Some(page.items), next_token: page.next })
}

/// Whether the share has a resource of that type.
pub fn has_type(cx: &Context, share: &Share, name: &str) -> Result<bool> {
    let resources = association::of(cx, &share.id, resource_share_association_type::RESOURCE)?;
    Ok(resources.iter().any(|one| one.is_there() && one.resource_type.as_deref() == Some(name)))
}
