//! What RAM's calls must be allowed beyond the authorization table, and what RAM knows of its
//! resources.
//!
//! A key that the reference has as one value and a call gives many of is asked value by value: who
//! may share with one account alone may not share with another beside it.
//!
//! Source: Service Authorization Reference, "AWS Resource Access Manager (RAM)".

use super::association::A_CALL;
use super::permission::{self, Known};
use super::resource_type::{self, ResourceType};
use super::share::{SHARES, Share};
use super::{SERVICE, arn, invitation, received};
use crate::authorization::{Requirement, from_table};
use crate::context::Context;
use crate::service::{Call, Input, Known as Key, Requires, Resources, Tags};
use palisade_model::ram::{
    CreatePermissionRequest, RESOURCE_SHARE_LIMIT_EXCEEDED_EXCEPTION,
    resource_share_invitation_status as status,
};
use palisade_protocol::select::select;
use palisade_shape::Result;

/// One requirement for each pair of a principal and a resource that a call names.
pub struct OnPairs(pub &'static str);

impl Requires for OnPairs {
    fn requirements(&self, cx: &mut Context, input: &dyn Input) -> Result<Vec<Requirement>> {
        let shape = input.as_shape();
        let some = |path: &str| -> Vec<Option<String>> {
            let values = select(shape, path);
            if values.is_empty() { vec![None] } else { values.into_iter().map(Some).collect() }
        };
        let (principals, resources) = (some("principals[]"), some("resourceArns[]"));
        if principals.len() > A_CALL || resources.len() > A_CALL {
            let text = format!("A call can associate at most {A_CALL} of a kind.");
            return Err(RESOURCE_SHARE_LIMIT_EXCEEDED_EXCEPTION.because(text));
        }
        let mut requirements = Vec::new();
        for mut base in from_table(cx, &SERVICE, self.0, input)? {
            base.keys.retain(|(key, _)| !matches!(&**key, "ram:principal" | "ram:resourcearn"));
            for principal in &principals {
                for resource in &resources {
                    let mut one = base.clone();
                    if let Some(principal) = principal {
                        one = one.with_key("ram:Principal", principal);
                    }
                    if let Some(resource) = resource {
                        one = one.with_key("ram:ResourceArn", resource);
                        let of = resource_type::of_arn(resource);
                        let name = of.map_or("", |of: &ResourceType| of.name);
                        one = one.with_key("ram:RequestedResourceType", name);
                    }
                    requirements.push(one);
                }
            }
        }
        Ok(requirements)
    }
}

/// Making a permission with tags is tagging as well.
pub fn create_permission(
    cx: &mut Context,
    input: &CreatePermissionRequest,
) -> Result<Vec<Requirement>> {
    let mut requirements = from_table(cx, &SERVICE, "CreatePermission", input)?;
    let arn = arn::of(cx, arn::PERMISSION, &input.name);
    if let (true, Some(first)) = (input.tags.is_some(), requirements.first()) {
        let mut also = first.clone();
        also.action = "ram:TagResource".to_owned();
        also.resource = arn;
        requirements.push(also);
    }
    Ok(requirements)
}

/// What RAM knows of its resources.
pub struct RamResources;

/// The share with that ARN, in the rows of its owner.
fn share_of(cx: &mut Context, text: &str) -> Result<Option<Share>> {
    let Ok(named) = arn::parse(text, arn::SHARE) else { return Ok(None) };
    if named.region != cx.region() {
        return Ok(None);
    }
    cx.in_account(named.account, |cx| cx.get(&SHARES, named.id))
}

fn boolean(value: bool) -> Key {
    Key::One(value.to_string())
}

/// The first value at a path of the input.
fn given(call: &Call, path: &str) -> Option<String> {
    select(call.input.as_shape(), path).pop()
}

impl Resources for RamResources {
    fn tags(&self, cx: &mut Context, kind: &str, arn: &str) -> Result<Tags> {
        Ok(match kind {
            "resource-share" => share_of(cx, arn)?.map(|share| share.tags).unwrap_or_default(),
            "customer-managed-permission" => match permission::find(cx, arn) {
                Ok(Known::Own(one)) => one.tags,
                Ok(Known::Aws(..)) | Err(_) => Tags::new(),
            },
            _ => Tags::new(),
        })
    }

    /// Who was asked may answer, and who is in a share may leave it and read its permissions.
    fn granted(
        &self,
        cx: &mut Context,
        requirement: &Requirement,
        _input: &dyn Input,
    ) -> Result<bool> {
        let own = cx.caller.account.to_string();
        if own.is_empty() || own == cx.account() {
            return Ok(false);
        }
        match requirement.kind.as_str() {
            "resource-share-invitation" => {
                let found = cx.in_account(&own, |cx| invitation::find(cx, &requirement.resource));
                Ok(found.is_ok())
            }
            "resource-share" => match requirement.action.as_str() {
                "ram:DisassociateResourceShare" => {
                    let Some(share) = share_of(cx, &requirement.resource)? else {
                        return Ok(false);
                    };
                    Ok(!received::of_account(cx, &share, &own)?.is_empty())
                }
                "ram:ListResourceSharePermissions" => cx.in_account(&own, |cx| {
                    let arns = std::slice::from_ref(&requirement.resource);
                    Ok(received::seen(cx, false, Some(arns)).is_ok())
                }),
                _ => Ok(false),
            },
            _ => Ok(false),
        }
    }

    fn condition(&self, cx: &mut Context, key: &str, call: &Call) -> Result<Key> {
        if key == "ram:shareowneraccountid" {
            let found = palisade_policy::arn::Arn::parse(call.resource);
            return Ok(found.map_or(Key::Absent, |arn| Key::One(arn.account.to_owned())));
        }
        if call.action == "ram:CreateResourceShare" {
            return Ok(of_new_share(key, call));
        }
        if key.starts_with("ram:permission") {
            return of_permission(cx, key, call);
        }
        if let Some(name) = of_invitation(cx, key, call.resource)? {
            return Ok(Key::One(name));
        }
        let Some(share) = share_of(cx, call.resource)? else { return Ok(Key::Absent) };
        Ok(match key {
            "ram:allowsexternalprincipals" => boolean(share.allows_external),
            "ram:resourcesharename" => Key::One(share.name),
            "ram:retainsharingonaccountleaveorganization" => boolean(share.retains),
            // What the call does not name.
            _ => Key::Absent,
        })
    }

    fn condition_keys(&self) -> &'static [&'static str] {
        &[
            "ram:AllowsExternalPrincipals",
            "ram:PermissionArn",
            "ram:PermissionResourceType",
            "ram:Principal",
            "ram:RequestedAllowsExternalPrincipals",
            "ram:RequestedResourceType",
            "ram:ResourceArn",
            "ram:ResourceShareName",
            "ram:ResourceTag/*",
            "ram:RetainSharingOnAccountLeaveOrganization",
            "ram:ShareOwnerAccountId",
        ]
    }
}

/// What a new share is when its request does not say.
fn of_new_share(key: &str, call: &Call) -> Key {
    let text = |path: &str, usual: &str| Key::One(given(call, path).unwrap_or(usual.to_owned()));
    match key {
        "ram:allowsexternalprincipals" | "ram:requestedallowsexternalprincipals" => {
            text("allowExternalPrincipals", "true")
        }
        "ram:retainsharingonaccountleaveorganization" => {
            text("resourceShareConfiguration.retainSharingOnAccountLeaveOrganization", "false")
        }
        _ => Key::Absent,
    }
}

fn of_permission(cx: &mut Context, key: &str, call: &Call) -> Result<Key> {
    if call.action == "ram:CreatePermission" && key == "ram:permissionarn" {
        let name = given(call, "name").unwrap_or_default();
        return Ok(Key::One(arn::of(cx, arn::PERMISSION, &name)));
    }
    let named = ["permissionArn", "fromPermissionArn"].iter().find_map(|path| given(call, path));
    let Some(named) = named else { return Ok(Key::Absent) };
    if key == "ram:permissionarn" {
        return Ok(Key::One(named));
    }
    Ok(match permission::find(cx, &named) {
        Ok(known) => Key::One(known.resource_type().to_owned()),
        Err(_) => Key::Absent,
    })
}

/// The name of the share that an invitation is for.
fn of_invitation(cx: &mut Context, key: &str, resource: &str) -> Result<Option<String>> {
    if key != "ram:resourcesharename" || arn::parse(resource, arn::INVITATION).is_err() {
        return Ok(None);
    }
    let own = cx.caller.account.to_string();
    let found = cx.in_account(&own, |cx| invitation::find(cx, resource));
    let pending = found.ok().filter(|one| one.status_at(cx.now()) != status::EXPIRED);
    Ok(pending.map(|one| one.share_name))
}
