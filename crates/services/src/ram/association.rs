//! What and who is in a share: resources, principals, and the sources that service principals may
//! come from.
//!
//! A new association is ASSOCIATING until [`super::settle`] has run, or an invitation is accepted;
//! one that ends is DISASSOCIATING and gives nothing from then on.
//!
//! Source: RAM API reference, AssociateResourceShare, GetResourceShareAssociations,
//! ResourceShareAssociation.

use super::principal::{self, Principal, Way};
use super::share::{self, Share};
use super::{
    invitation, list, received, resource, resource_policy, resource_type, settle, share_permission,
    source,
};
use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use palisade_model::ram::{
    AssociateResourceShareRequest, AssociateResourceShareResponse,
    GetResourceShareAssociationsRequest, GetResourceShareAssociationsResponse,
    INVALID_PARAMETER_EXCEPTION, RESOURCE_SHARE_LIMIT_EXCEEDED_EXCEPTION, ResourceShareAssociation,
    resource_share_association_status as status, resource_share_association_type as kind,
};
use palisade_shape::{Error, Result, Timestamp};
use serde::{Deserialize, Serialize};

/// Resources, or principals, of one call.
pub const A_CALL: usize = 100;
/// Resources, or principals, of one share.
const A_SHARE: usize = 5_000;

/// One association.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Association {
    pub share: String,
    /// `PRINCIPAL`, `RESOURCE`, `SOURCE`
    pub kind: String,
    pub entity: String,
    pub status: String,
    pub created_millis: i64,
    pub updated_millis: i64,
    /// A principal outside of the owner's organization.
    #[serde(default)]
    pub external: bool,
    /// A principal that comes in by an invitation.
    #[serde(default)]
    pub invited: bool,
    /// The invitation was not answered yet.
    #[serde(default)]
    pub waits: bool,
    /// Of a resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
}

pub static ASSOCIATIONS: Table<Association> = Table::of_private(
    "ram/association",
    Scope::Region,
    |one| key(&one.share, &one.kind, &one.entity),
    |one| internal(format!("{} is in {} already", one.entity, one.share)),
    |key| internal(format!("association {key} is not there")),
);

pub fn key(share: &str, kind: &str, entity: &str) -> String {
    format!("{share}|{kind}|{entity}")
}

impl Association {
    fn new(cx: &Context, share: &Share, kind: &str, entity: &str) -> Self {
        let now = cx.now().millis();
        Self {
            share: share.id.clone(),
            kind: kind.to_owned(),
            entity: entity.to_owned(),
            status: status::ASSOCIATING.to_owned(),
            created_millis: now,
            updated_millis: now,
            external: false,
            invited: false,
            waits: false,
            resource_type: None,
        }
    }

    /// It has not ended.
    pub fn is_there(&self) -> bool {
        matches!(self.status.as_str(), status::ASSOCIATING | status::ASSOCIATED)
    }

    /// It gives access.
    pub fn is_in_force(&self) -> bool {
        self.status == status::ASSOCIATED
    }

    /// Sets the status, as of now.
    pub fn set(&mut self, cx: &mut Context, status: &str) -> Result<()> {
        self.status = status.to_owned();
        self.updated_millis = cx.now().millis();
        cx.put(&ASSOCIATIONS, self)
    }

    pub fn shown(&self, cx: &Context, share: &Share) -> ResourceShareAssociation {
        ResourceShareAssociation {
            resource_share_arn: Some(share.arn(cx)),
            resource_share_name: Some(share.name.clone()),
            associated_entity: Some(self.entity.clone()),
            association_type: Some(self.kind.clone()),
            status: Some(self.status.clone()),
            status_message: None,
            creation_time: Some(Timestamp::from_millis(self.created_millis)),
            last_updated_time: Some(Timestamp::from_millis(self.updated_millis)),
            external: Some(self.external),
        }
    }
}

/// The associations of a share, of one kind.
pub fn of(cx: &Context, share: &str, kind: &str) -> Result<Vec<Association>> {
    cx.all(&ASSOCIATIONS, &format!("{share}|{kind}|"))
}

/// All associations of a share.
pub fn all(cx: &Context, share: &str) -> Result<Vec<Association>> {
    cx.all(&ASSOCIATIONS, &format!("{share}|"))
}

pub fn has_external(cx: &Context, share: &Share) -> Result<bool> {
    let principals = of(cx, &share.id, kind::PRINCIPAL)?;
    Ok(principals.iter().any(|one| one.is_there() && one.external))
}

/// What a call wants in a share, or out of it.
#[derive(Default)]
pub struct Wanted {
    pub principals: Vec<String>,
    pub resources: Vec<String>,
    pub sources: Vec<String>,
}

impl Wanted {
    pub fn of(
        principals: Option<Vec<String>>,
        resources: Option<Vec<String>>,
        sources: Option<Vec<String>>,
    ) -> Self {
        Self {
            principals: principals.unwrap_or_default(),
            resources: resources.unwrap_or_default(),
            sources: sources.unwrap_or_default(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.principals.is_empty() && self.resources.is_empty() && self.sources.is_empty()
    }
}

fn too_many(text: String) -> Error {
    RESOURCE_SHARE_LIMIT_EXCEEDED_EXCEPTION.because(text)
}

/// Puts more into a share, which the caller stores. What is in it already stays as it is.
pub fn add(cx: &mut Context, share: &mut Share, wanted: &Wanted) -> Result<Vec<Association>> {
    let mut added = Vec::new();
    for (entities, kind) in [
        (&wanted.principals, kind::PRINCIPAL),
        (&wanted.resources, kind::RESOURCE),
        (&wanted.sources, kind::SOURCE),
    ] {
        if entities.len() > A_CALL {
            return Err(too_many(format!("A call can associate at most {A_CALL} of a kind.")));
        }
        let mut there = of(cx, &share.id, kind)?.iter().filter(|one| one.is_there()).count();
        for entity in entities {
            let known = cx.get(&ASSOCIATIONS, &key(&share.id, kind, entity))?;
            if let Some(known) = known.filter(Association::is_there) {
                added.push(known);
                continue;
            }
            there += 1;
            if there > A_SHARE {
                return Err(too_many(format!("A share can have at most {A_SHARE} of a kind.")));
            }
            added.push(new(cx, share, kind, entity)?);
        }
    }
    check_types(cx, share)?;
    settle::soon(cx, share)?;
    Ok(added)
}

fn new(cx: &mut Context, share: &mut Share, kind: &str, entity: &str) -> Result<Association> {
    let mut one = Association::new(cx, share, kind, entity);
    match kind {
        kind::PRINCIPAL => {
            let principal = principal::parse(entity)?;
            let Way { external, invited } = principal::way(cx, &principal, share.allows_external)?;
            (one.external, one.invited, one.waits) = (external, invited, invited);
            received::insert(cx, share, entity, &principal)?;
            if invited {
                invitation::send(cx, share, entity, &principal)?;
            }
        }
        kind::RESOURCE => {
            let of = resource::check(cx, entity)?;
            one.resource_type = Some(of.name.to_owned());
            if !share.permissions.contains_key(of.name)
                && let Some(default) = of.default_permission()
            {
                share_permission::grant(cx, share, &default.arn())?;
            }
            resource::insert(cx, share, entity)?;
        }
        _ => source::check(entity)?,
    }
    cx.put(&ASSOCIATIONS, &one)?;
    Ok(one)
}

/// Refuses principals that a type in the share cannot have.
fn check_types(cx: &Context, share: &Share) -> Result<()> {
    let principals = of(cx, &share.id, kind::PRINCIPAL)?;
    let principals: Vec<Association> = principals.into_iter().filter(|p| p.is_there()).collect();
    let is_iam = |one: &Association| {
        principal::parse(&one.entity).is_ok_and(|known| matches!(known, Principal::Iam { .. }))
    };
    for one in of(cx, &share.id, kind::RESOURCE)?.iter().filter(|one| one.is_there()) {
        let Some(of) = one.resource_type.as_deref().and_then(resource_type::find) else { continue };
        if !of.outside && principals.iter().any(|principal| principal.external) {
            let text = "The resource you are attempting to share can only be shared within your \
                        AWS Organization. This error may also occur if you have not enabled \
                        sharing with your AWS organization, or that onboarding process is still \
                        in progress.";
            return Err(INVALID_PARAMETER_EXCEPTION.because(text));
        }
        if !of.iam_principals && principals.iter().any(is_iam) {
            let text = format!("You can't share {} with IAM roles and users.", of.name);
            return Err(INVALID_PARAMETER_EXCEPTION.because(text));
        }
    }
    Ok(())
}

/// Ends an association that is there: it gives nothing any more, once the resources' policies are
/// written anew.
pub fn end(cx: &mut Context, share: &Share, mut one: Association) -> Result<Association> {
    match one.kind.as_str() {
        kind::PRINCIPAL => {
            let principal = principal::parse(&one.entity)?;
            received::remove(cx, share, &one.entity, &principal)?;
            if one.waits {
                invitation::withdraw(cx, share, &one.entity, &principal)?;
            }
        }
        kind::RESOURCE => resource::remove(cx, share, &one.entity)?,
        _ => {}
    }
    one.waits = false;
    one.set(cx, status::DISASSOCIATING)?;
    Ok(one)
}

/// Ends all that is in a share.
pub fn end_all(cx: &mut Context, share: &Share) -> Result<()> {
    let all = all(cx, &share.id)?;
    let there: Vec<Association> = all.into_iter().filter(Association::is_there).collect();
    for one in &there {
        end(cx, share, one.clone())?;
    }
    for one in there.iter().filter(|one| one.kind == kind::RESOURCE) {
        resource_policy::refresh(cx, &one.entity)?;
    }
    Ok(())
}

/// Puts principals, resources and sources into a share.
pub fn associate_resource_share(
    cx: &mut Context,
    input: AssociateResourceShareRequest,
) -> Result<AssociateResourceShareResponse> {
    let AssociateResourceShareRequest {
        resource_share_arn,
        resource_arns,
        principals,
        client_token,
        sources,
    } = input;
    let mut share = share::changeable(cx, &resource_share_arn)?;
    let wanted = Wanted::of(principals, resource_arns, sources);
    if wanted.is_empty() {
        return Err(nothing_named());
    }
    let added = add(cx, &mut share, &wanted)?;
    share::store(cx, &share)?;
    let shown = added.iter().map(|one| one.shown(cx, &share)).collect();
    Ok(AssociateResourceShareResponse { resource_share_associations: Some(shown), client_token })
}

pub fn nothing_named() -> Error {
    INVALID_PARAMETER_EXCEPTION.because("Specify a resource, a principal or a source.")
}

/// Lists what is in the account's own shares.
pub fn get_resource_share_associations(
    cx: &mut Context,
    input: GetResourceShareAssociationsRequest,
) -> Result<GetResourceShareAssociationsResponse> {
    let GetResourceShareAssociationsRequest {
        association_type,
        resource_share_arns,
        resource_arn,
        principal,
        association_status,
        next_token,
        max_results,
    } = input;
    for (other, given, what) in [
        (kind::PRINCIPAL, &resource_arn, "a resource ARN"),
        (kind::RESOURCE, &principal, "a principal"),
    ] {
        if association_type == other && given.is_some() {
            return Err(INVALID_PARAMETER_EXCEPTION.because(format!(
                "You cannot specify {what} when the association type is {other}."
            )));
        }
    }
    let entity = resource_arn.or(principal);
    let mut items = Vec::new();
    for seen in received::seen(cx, true, resource_share_arns.as_deref())? {
        for one in of(cx, &seen.share.id, &association_type)? {
            let wanted = entity.as_ref().is_none_or(|entity| *entity == one.entity)
                && association_status.as_ref().is_none_or(|status| *status == one.status);
            if wanted {
                items.push(((ASSOCIATIONS.key)(&one), one.shown(cx, &seen.share)));
            }
        }
    }
    let page = list::page(items, (next_token, max_results))?;
    Ok(GetResourceShareAssociationsResponse {
        resource_share_associations: Some(page.items),
        next_token: page.next,
    })
}
