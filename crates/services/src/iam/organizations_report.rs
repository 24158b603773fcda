//! Reports of the services that an organization's policies leave open and its accounts use. A
//! report is made with the call that asks for it, so its job is done at once.
//!
//! Source: IAM API reference, GenerateOrganizationsAccessReport, GetOrganizationsAccessReport.

use super::{granted, last_accessed, list};
use crate::context::Context;
use crate::errors::{ACCESS_DENIED, internal};
use crate::last_access::Seen;
use crate::organizations::access::organization_of;
use crate::organizations::node::{self, ACCOUNT_PLACES, Kind, UNIT_PLACES};
use crate::organizations::organization::Organization;
use crate::organizations::{policy, policy_type};
use crate::table::{Scope, Table};
use palisade_model::authorization;
use palisade_model::iam::{
    AccessDetail, GenerateOrganizationsAccessReportRequest,
    GenerateOrganizationsAccessReportResponse, GetOrganizationsAccessReportRequest,
    GetOrganizationsAccessReportResponse, INVALID_INPUT, NO_SUCH_ENTITY, job_status_type,
    sort_key_type,
};
use palisade_shape::{Error, Result, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Accounts that one report looks at.
const ACCOUNTS_MAX: usize = 10_000;

/// The last use of a service, and how many accounts used it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Used {
    namespace: String,
    last: Option<Seen>,
    /// Where the account is that used it last.
    path: Option<String>,
    accounts: i32,
}

/// A report, as it was made. In the rows of the management account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Report {
    id: String,
    created_millis: i64,
    services: Vec<Used>,
}

static REPORTS: Table<Report> = Table::of_private(
    "iam/organizations-report",
    Scope::Account,
    |report| report.id.clone(),
    |report| internal(format!("report {} is there already", report.id)),
    |id| NO_SUCH_ENTITY.because(format!("Job with ID {id} cannot be found.")),
);

fn denied() -> Error {
    ACCESS_DENIED.because(
        "You must sign in with the management account of an organization to generate this report.",
    )
}

/// The organization that the caller's account manages.
fn managed(cx: &mut Context) -> Result<Organization> {
    let caller = cx.caller.account.to_string();
    let own = organization_of(cx, &caller)?;
    own.filter(|own| own.management_account == caller).ok_or_else(denied)
}

/// Makes a report about the root, a unit or an account, or about what a policy leaves open there.
pub fn generate_organizations_access_report(
    cx: &mut Context,
    input: GenerateOrganizationsAccessReportRequest,
) -> Result<GenerateOrganizationsAccessReportResponse> {
    let GenerateOrganizationsAccessReportRequest { entity_path, organizations_policy_id } = input;
    let own = managed(cx)?;
    let entity = entity(cx, &own, &entity_path)?;
    let open = match organizations_policy_id {
        Some(id) => granted::of_document(&policy::content(cx, &id)?)?,
        None => open(cx, &entity)?,
    };
    let mut used: BTreeMap<String, Used> = open
        .into_iter()
        .map(|namespace| {
            let empty = Used { namespace: namespace.clone(), last: None, path: None, accounts: 0 };
            (namespace, empty)
        })
        .collect();
    for account in accounts(cx, &entity)? {
        let path = node::path(&own, &node::way_to(cx, &account)?);
        for (namespace, seen) in cx.in_account(&account, |cx| last_accessed::services_used(cx))? {
            let Some(used) = used.get_mut(&namespace) else { continue };
            used.accounts += 1;
            if used.last.as_ref().is_none_or(|last| last.at_millis < seen.at_millis) {
                used.last = Some(seen);
                used.path = Some(path.trim_end_matches('/').to_owned());
            }
        }
    }
    let report = Report {
        id: cx.uuid(),
        created_millis: cx.now().millis(),
        services: used.into_values().collect(),
    };
    cx.insert(&REPORTS, &report)?;
    Ok(GenerateOrganizationsAccessReportResponse { job_id: Some(report.id) })
}

/// The node at the end of a path: `o-…/r-…/ou-…/111122223333`.
fn entity(cx: &Context, own: &Organization, path: &str) -> Result<String> {
    let invalid = || INVALID_INPUT.because(format!("The entity path {path} is not valid."));
    let named = path.trim_end_matches('/');
    let id = named.rsplit('/').next().unwrap_or_default();
    if node::find(cx, id)?.is_none() {
        return Err(invalid());
    }
    let way = node::path(own, &node::way_to(cx, id)?);
    if way.trim_end_matches('/') == named { Ok(id.to_owned()) } else { Err(invalid()) }
}

/// The services that every level on the way leaves open: all, where no policies are enabled.
fn open(cx: &Context, entity: &str) -> Result<BTreeSet<String>> {
    let way = node::way_to(cx, entity)?;
    let mut open: BTreeSet<String> = authorization::prefixes().map(str::to_owned).collect();
    let enabled = way.first().is_some_and(|root| root.enabled.contains(policy_type::SCP));
    for node in way.iter().filter(|_| enabled) {
        let mut level = BTreeSet::new();
        for id in node.policies(policy_type::SCP) {
            level.extend(granted::of_document(&policy::content(cx, id)?)?);
        }
        open.retain(|namespace| level.contains(namespace));
    }
    Ok(open)
}

/// The accounts at or below a node.
fn accounts(cx: &Context, entity: &str) -> Result<Vec<String>> {
    let (mut found, mut waiting) = (Vec::new(), vec![entity.to_owned()]);
    while let Some(id) = waiting.pop() {
        if Kind::of(&id) == Kind::Account {
            found.push(id);
            continue;
        }
        let below = format!("{id}/");
        found.extend(cx.all(&ACCOUNT_PLACES, &below)?.into_iter().map(|place| place.account));
        waiting.extend(cx.all(&UNIT_PLACES, &below)?.into_iter().map(|place| place.unit));
        if found.len() >= ACCOUNTS_MAX {
            break;
        }
    }
    Ok(found)
}

/// Shows a report, service by service.
pub fn get_organizations_access_report(
    cx: &mut Context,
    input: GetOrganizationsAccessReportRequest,
) -> Result<GetOrganizationsAccessReportResponse> {
    let GetOrganizationsAccessReportRequest { job_id, max_items, marker, sort_key } = input;
    let mut report = cx.find(&REPORTS, &job_id)?;
    let at = |used: &Used| used.last.as_ref().map(|last| last.at_millis);
    match sort_key.as_deref() {
        Some(sort_key_type::LAST_AUTHENTICATED_TIME_ASCENDING) => report.services.sort_by_key(at),
        Some(sort_key_type::LAST_AUTHENTICATED_TIME_DESCENDING) => {
            report.services.sort_by_key(|used| std::cmp::Reverse(at(used)));
        }
        Some(sort_key_type::SERVICE_NAMESPACE_DESCENDING) => report.services.reverse(),
        _ => {}
    }
    let count = |number: usize| Some(i32::try_from(number).unwrap_or(i32::MAX));
    let unused = report.services.iter().filter(|used| used.last.is_none()).count();
    let (all, made) = (report.services.len(), Timestamp::from_millis(report.created_millis));
    let page = list::of_items(report.services, marker.as_deref(), max_items)?;
    Ok(GetOrganizationsAccessReportResponse {
        job_status: job_status_type::COMPLETED.to_owned(),
        job_creation_date: made,
        job_completion_date: Some(made),
        number_of_services_accessible: count(all),
        number_of_services_not_accessed: count(unused),
        access_details: Some(page.items.into_iter().map(shown).collect()),
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
        error_details: None,
    })
}

fn shown(used: Used) -> AccessDetail {
    AccessDetail {
        service_name: last_accessed::full_name(&used.namespace),
        region: used.last.as_ref().map(|last| last.region.clone()),
        entity_path: used.path,
        last_authenticated_time: used
            .last
            .map(|last| Timestamp::from_millis(last.at_millis).whole_seconds()),
        total_authenticated_entities: Some(used.accounts),
        service_namespace: used.namespace,
    }
}
