//! Which account a call is about: the caller's own, or a member of the organization that it
//! manages.
//!
//! Source: Account Management API reference, the `AccountId` member of each operation.

use crate::context::Context;
use crate::organizations::access::organization_of;
use crate::organizations::{delegated_administrator, membership, service_access};
use crate::service::Resources;
use palisade_model::account::ACCESS_DENIED_EXCEPTION;
use palisade_shape::{Error, Result};

/// The service that must have access to the organization.
const PRINCIPAL: &str = "account.amazonaws.com";

fn denied(text: &'static str) -> Error {
    ACCESS_DENIED_EXCEPTION.because(text)
}

/// Refuses a caller who may not speak for the member account of that id.
pub fn check_member(cx: &mut Context, id: &str) -> Result<()> {
    let caller = cx.caller.account.to_string();
    let Some(organization) = organization_of(cx, &caller)? else {
        return Err(denied("Your account is not a member of an organization."));
    };
    let member = membership::of(cx, id)?;
    let same = member.is_some_and(|member| member.organization_id == organization.id);
    let management = organization.management_account.clone();
    let (trusted, delegate) = cx.in_account(&management, |cx| -> Result<_> {
        let delegate = delegated_administrator::administers(cx, &caller, PRINCIPAL)?;
        Ok((service_access::is_enabled(cx, PRINCIPAL)?, delegate))
    })?;
    match () {
        () if caller != management && !delegate => Err(denied(
            "Only the management account or a delegated administrator account can call this \
             operation for another account.",
        )),
        () if !organization.has_all_features() => Err(denied(
            "This operation can be performed only in an organization that has all features \
             enabled.",
        )),
        () if !trusted => Err(denied(
            "Trusted access for AWS Account Management is not enabled in the organization.",
        )),
        () if id == management => {
            Err(denied("The management account can't be specified as the AccountId."))
        }
        () if !same => Err(denied("The account is not a member of your organization.")),
        () => Ok(()),
    }
}

/// Does the work in the rows of the account that the request names, or in the caller's own.
pub fn within<T>(
    cx: &mut Context,
    named: Option<&str>,
    work: impl FnOnce(&mut Context) -> Result<T>,
) -> Result<T> {
    match named {
        None => work(cx),
        Some(id) => {
            check_member(cx, id)?;
            cx.notes.shared_with.push(id.to_owned());
            cx.in_account(id, work)
        }
    }
}

/// What Account Management knows of its resources.
pub struct AccountResources;

impl Resources for AccountResources {
    /// The table's template of a member misses the organization and its management account.
    fn resolve(&self, cx: &mut Context, kind: &str, arn: String) -> Result<String> {
        if kind != "accountInOrganization" {
            return Ok(arn);
        }
        let caller = cx.caller.account.to_string();
        let Some(organization) = organization_of(cx, &caller)? else { return Ok(arn) };
        let member = arn.rsplit('/').next().unwrap_or_default();
        let (management, id) = (&organization.management_account, &organization.id);
        Ok(format!("arn:{}:account::{management}:account/{id}/{member}", cx.partition()))
    }
}
