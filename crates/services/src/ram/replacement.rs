//! Replacing a permission in all shares that use it: the request is noted, and a job does it.
//!
//! Source: RAM API reference, ReplacePermissionAssociations,
//! ListReplacePermissionAssociationsWork, ReplacePermissionAssociationsWork.

use super::permission::{self, Known};
use super::share_permission::{self, Granted};
use super::{list, settle, share};
use crate::context::Context;
use crate::errors::internal;
use crate::job::{JobKind, Next};
use crate::table::{Scope, Table};
use palisade_model::ram::{
    INVALID_PARAMETER_EXCEPTION, ListReplacePermissionAssociationsWorkRequest,
    ListReplacePermissionAssociationsWorkResponse, ReplacePermissionAssociationsRequest,
    ReplacePermissionAssociationsResponse, ReplacePermissionAssociationsWork,
    replace_permission_associations_work_status as status,
};
use palisade_shape::{Result, Timestamp};

/// How long a work that is over can be seen. AWS says nothing of it.
const SHOWN_SECONDS: i64 = 7 * 86_400;

pub static WORKS: Table<ReplacePermissionAssociationsWork> = Table::of_shapes(
    "ram/replacement",
    Scope::Region,
    |work| work.id.clone().unwrap_or_default(),
    |work| internal(format!("work {:?} is there already", work.id)),
    |id| internal(format!("work {id} is not there")),
);

/// Replaces what a work says. The job's subject is the work.
pub static REPLACE: JobKind =
    JobKind { name: "ram/replace-permission", principal: "ram.amazonaws.com", run: replace };

fn replace(cx: &mut Context, subject: &str) -> Result<Next> {
    let Some(mut work) = cx.get(&WORKS, subject)? else { return Ok(Next::Done) };
    if work.status.as_deref() != Some(status::IN_PROGRESS) {
        let updated = work.last_updated_time.unwrap_or_default();
        let gone = updated.plus_seconds(SHOWN_SECONDS);
        if cx.now() < gone {
            return Ok(Next::Again(gone));
        }
        cx.delete(&WORKS, subject)?;
        return Ok(Next::Done);
    }
    let from = work.from_permission_arn.clone().unwrap_or_default();
    let to = work.to_permission_arn.clone().unwrap_or_default();
    let version = work.from_permission_version.as_deref().and_then(|text| text.parse().ok());
    // What was deleted since the request cannot be in a share any more.
    let found = permission::find(cx, &to)
        .ok()
        .filter(|known| !matches!(known, Known::Own(one) if one.deleted_millis.is_some()));
    match found {
        Some(known) => {
            for mut share in share_permission::users(cx, &from, version)? {
                let granted = Granted {
                    arn: to.clone(),
                    version: known.default_version(),
                    updated_millis: cx.now().millis(),
                };
                share.permissions.insert(known.resource_type().to_owned(), granted);
                share::store(cx, &share)?;
                settle::refresh(cx, &share)?;
            }
            work.to_permission_version = Some(known.default_version().to_string());
            work.status = Some(status::COMPLETED.to_owned());
        }
        None => {
            work.status = Some(status::FAILED.to_owned());
            work.status_message = Some(format!("Permission {to} could not be found."));
        }
    }
    let now = cx.now();
    work.last_updated_time = Some(now);
    cx.put(&WORKS, &work)?;
    Ok(Next::Again(now.plus_seconds(SHOWN_SECONDS)))
}

/// Asks for one permission in the place of another, in all shares of the account and region.
pub fn replace_permission_associations(
    cx: &mut Context,
    input: ReplacePermissionAssociationsRequest,
) -> Result<ReplacePermissionAssociationsResponse> {
    let ReplacePermissionAssociationsRequest {
        from_permission_arn,
        from_permission_version,
        to_permission_arn,
        client_token,
    } = input;
    let (from, to) =
        (permission::find(cx, &from_permission_arn)?, permission::find(cx, &to_permission_arn)?);
    if let Known::Own(one) = &to
        && one.deleted_millis.is_some()
    {
        return Err(permission::unknown(&to_permission_arn));
    }
    if from.resource_type() != to.resource_type() {
        let text = "Both permissions must be for the same resource type.";
        return Err(INVALID_PARAMETER_EXCEPTION.because(text));
    }
    if let Some(version) = from_permission_version
        && from.template(version).is_none()
    {
        return Err(permission::no_version(&from_permission_arn, version));
    }
    let now: Option<Timestamp> = Some(cx.now());
    let id = cx.uuid();
    let work = ReplacePermissionAssociationsWork {
        id: Some(id.clone()),
        from_permission_arn: Some(from_permission_arn),
        from_permission_version: from_permission_version.map(|version| version.to_string()),
        to_permission_arn: Some(to_permission_arn),
        to_permission_version: Some(to.default_version().to_string()),
        status: Some(status::IN_PROGRESS.to_owned()),
        status_message: None,
        creation_time: now,
        last_updated_time: now,
    };
    cx.insert(&WORKS, &work)?;
    cx.later(&REPLACE, cx.now(), &id)?;
    Ok(ReplacePermissionAssociationsResponse {
        replace_permission_associations_work: Some(work),
        client_token,
    })
}

pub fn list_replace_permission_associations_work(
    cx: &mut Context,
    input: ListReplacePermissionAssociationsWorkRequest,
) -> Result<ListReplacePermissionAssociationsWorkResponse> {
    let ListReplacePermissionAssociationsWorkRequest { work_ids, status, next_token, max_results } =
        input;
    let wanted = |work: &ReplacePermissionAssociationsWork| {
        let id = work.id.as_ref();
        work_ids.as_ref().is_none_or(|ids| id.is_some_and(|id| ids.contains(id)))
            && (status.is_none() || status == work.status)
    };
    let works = cx.all(&WORKS, "")?.into_iter().filter(wanted);
    let items = works.map(|work| ((WORKS.key)(&work), work)).collect();
    let page = list::page(items, (next_token, max_results))?;
    Ok(ListReplacePermissionAssociationsWorkResponse {
        replace_permission_associations_works: Some(page.items),
        next_token: page.next,
    })
}
