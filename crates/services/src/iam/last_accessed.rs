//! Reports of the services that a user, role, group or policy may use, and of when they were last
//! used. A report is made with the call that asks for it, so its job is done at once.
//!
//! Source: IAM API reference, GenerateServiceLastAccessedDetails and its like; IAM User Guide,
//! "Refine permissions in AWS using last accessed information".

use super::access::Kind;
use super::granted::{self, Entity};
use super::list;
use crate::context::Context;
use crate::errors::internal;
use crate::last_access::{LastAccess, Seen};
use crate::table::{Scope, Table};
use palisade_model::iam::{
    EntityDetails, EntityInfo, GenerateServiceLastAccessedDetailsRequest,
    GenerateServiceLastAccessedDetailsResponse, GetServiceLastAccessedDetailsRequest,
    GetServiceLastAccessedDetailsResponse, GetServiceLastAccessedDetailsWithEntitiesRequest,
    GetServiceLastAccessedDetailsWithEntitiesResponse, INVALID_INPUT, NO_SUCH_ENTITY,
    ServiceLastAccessed, TrackedActionLastAccessed, access_advisor_usage_granularity_type,
    job_status_type,
};
use palisade_model::{authorization, catalog};
use palisade_shape::{Result, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What users and roles called, as far as it was flushed to the store; by their unique ids.
static LAST_ACCESSES: Table<LastAccess> = Table::of_private(
    "iam/last-access",
    Scope::Account,
    |access| access.id.clone(),
    |access| internal(format!("the calls of {} are there already", access.id)),
    |id| internal(format!("there are no calls of {id}")),
);

/// A report, as it was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Job {
    id: String,
    by_action: bool,
    created_millis: i64,
    entities: Vec<Reported>,
    /// The namespaces of the services that the policies grant, sorted.
    services: Vec<String>,
}

/// A user or role of a report.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reported {
    arn: String,
    name: String,
    path: String,
    id: String,
    is_user: bool,
    /// Namespace → action → its last call.
    calls: BTreeMap<String, BTreeMap<String, Seen>>,
}

static JOBS: Table<Job> = Table::of_private(
    "iam/last-accessed-job",
    Scope::Account,
    |job| job.id.clone(),
    |job| internal(format!("job {} is there already", job.id)),
    |id| NO_SUCH_ENTITY.because(format!("Job with ID {id} cannot be found.")),
);

/// Makes a report about a user, role, group or managed policy.
pub fn generate_service_last_accessed_details(
    cx: &mut Context,
    input: GenerateServiceLastAccessedDetailsRequest,
) -> Result<GenerateServiceLastAccessedDetailsResponse> {
    let GenerateServiceLastAccessedDetailsRequest { arn, granularity } = input;
    let subject = granted::subject(cx, &arn)?;
    let services = granted::services(cx, &subject)?.into_iter().collect();
    let entities = granted::entities(cx, &subject)?;
    let entities = entities.into_iter().map(|entity| reported(cx, entity));
    let by_action = access_advisor_usage_granularity_type::ACTION_LEVEL;
    let job = Job {
        id: cx.uuid(),
        by_action: granularity.as_deref() == Some(by_action),
        created_millis: cx.now().millis(),
        entities: entities.collect::<Result<_>>()?,
        services,
    };
    cx.insert(&JOBS, &job)?;
    Ok(GenerateServiceLastAccessedDetailsResponse { job_id: Some(job.id) })
}

fn reported(cx: &Context, entity: Entity) -> Result<Reported> {
    let mut calls: BTreeMap<String, BTreeMap<String, Seen>> = BTreeMap::new();
    for (service, operations) in calls_of(cx, &entity.id)?.services {
        for (operation, seen) in operations {
            let (namespace, action) = action_of(&service, &operation);
            let known = calls.entry(namespace).or_default().entry(action).or_default();
            if seen.at_millis >= known.at_millis {
                *known = seen;
            }
        }
    }
    let Entity { arn, name, path, id, kind } = entity;
    Ok(Reported { arn, name, path, id, is_user: kind == Kind::User, calls })
}

/// What a user or role called, flushed to the store yet or not.
fn calls_of(cx: &Context, id: &str) -> Result<LastAccess> {
    let mut access = cx.get(&LAST_ACCESSES, id)?.unwrap_or_default();
    if let Some(noted) = cx.plane.last_accesses.get(id) {
        access.merge(&noted);
    }
    Ok(access)
}

/// The services that users and roles of the account called, by their namespaces, with the last call
/// of each.
pub(super) fn services_used(cx: &Context) -> Result<BTreeMap<String, Seen>> {
    let mut used: BTreeMap<String, Seen> = BTreeMap::new();
    for known in cx.all(&LAST_ACCESSES, "")? {
        for (service, operations) in calls_of(cx, &known.id)?.services {
            for (operation, seen) in operations {
                let (namespace, _) = action_of(&service, &operation);
                let last = used.entry(namespace).or_default();
                if seen.at_millis >= last.at_millis {
                    *last = seen;
                }
            }
        }
    }
    Ok(used)
}

/// Stores what [`crate::last_access::LastAccesses::take_due`] took out.
pub fn store_last_accesses(cx: &mut Context, due: &[LastAccess]) -> Result<()> {
    for noted in due {
        cx.in_account(&noted.account, |cx| {
            let mut access = cx.get(&LAST_ACCESSES, &noted.id)?.unwrap_or_default();
            access.merge(noted);
            access.id.clone_from(&noted.id);
            access.account.clone_from(&noted.account);
            cx.put(&LAST_ACCESSES, &access)
        })?;
    }
    Ok(())
}

/// The action that an operation is to policies: its prefix, which reports call namespace, and name.
fn action_of(service: &str, operation: &str) -> (String, String) {
    let rows = authorization::rows(service, operation).unwrap_or_default();
    let action = rows.first().and_then(|row| row.action.split_once(':'));
    match action {
        Some((prefix, name)) => (prefix.to_owned(), name.to_owned()),
        None => {
            let known = catalog::service(service);
            let prefix = known.map_or(service, |known| known.signing_name);
            (prefix.to_owned(), operation.to_owned())
        }
    }
}

/// The name of a service as people know it.
pub(super) fn full_name(namespace: &str) -> String {
    let named = catalog::service(namespace);
    let named = named.or_else(|| catalog::by_signing_name(namespace).next());
    named.map_or(namespace, |known| known.full_name).to_owned()
}

/// Who called last of all: the entity's ARN, when, and where.
fn last<'a>(calls: impl Iterator<Item = (&'a Reported, &'a Seen)>) -> Option<(&'a str, &'a Seen)> {
    calls.max_by_key(|(_, seen)| seen.at_millis).map(|(entity, seen)| (entity.arn.as_str(), seen))
}

impl Job {
    fn service(&self, namespace: &str) -> ServiceLastAccessed {
        let of_service = |entity: &'_ Reported| entity.calls.contains_key(namespace);
        let all = self.entities.iter().flat_map(|entity| {
            let actions = entity.calls.get(namespace).into_iter().flat_map(BTreeMap::values);
            actions.map(move |seen| (entity, seen))
        });
        let last = last(all);
        let count = self.entities.iter().filter(|entity| of_service(entity)).count();
        ServiceLastAccessed {
            service_name: full_name(namespace),
            last_authenticated: last.map(|(_, seen)| time(seen)),
            service_namespace: namespace.to_owned(),
            last_authenticated_entity: last.map(|(arn, _)| arn.to_owned()),
            last_authenticated_region: last.map(|(_, seen)| seen.region.clone()),
            total_authenticated_entities: Some(i32::try_from(count).unwrap_or(i32::MAX)),
            tracked_actions_last_accessed: self.by_action.then(|| self.actions(namespace)),
        }
    }

    /// Every action of the service, called or not.
    fn actions(&self, namespace: &str) -> Vec<TrackedActionLastAccessed> {
        let known = authorization::prefix(namespace);
        let actions = known.into_iter().flat_map(|prefix| prefix.actions());
        let shown = |action: &authorization::Action| {
            let calls = self.entities.iter().filter_map(|entity| {
                Some((entity, entity.calls.get(namespace)?.get(action.name)?))
            });
            let last = last(calls);
            TrackedActionLastAccessed {
                action_name: Some(action.name.to_owned()),
                last_accessed_entity: last.map(|(arn, _)| arn.to_owned()),
                last_accessed_time: last.map(|(_, seen)| time(seen)),
                last_accessed_region: last.map(|(_, seen)| seen.region.clone()),
            }
        };
        actions.map(shown).collect()
    }
}

fn time(seen: &Seen) -> Timestamp {
    Timestamp::from_millis(seen.at_millis).whole_seconds()
}

/// Shows a report, service by service.
pub fn get_service_last_accessed_details(
    cx: &mut Context,
    input: GetServiceLastAccessedDetailsRequest,
) -> Result<GetServiceLastAccessedDetailsResponse> {
    let GetServiceLastAccessedDetailsRequest { job_id, max_items, marker } = input;
    let job = cx.find(&JOBS, &job_id)?;
    let granularity = match job.by_action {
        true => access_advisor_usage_granularity_type::ACTION_LEVEL,
        false => access_advisor_usage_granularity_type::SERVICE_LEVEL,
    };
    let page = list::of_items(job.services.clone(), marker.as_deref(), max_items)?;
    let made = Timestamp::from_millis(job.created_millis);
    Ok(GetServiceLastAccessedDetailsResponse {
        job_status: job_status_type::COMPLETED.to_owned(),
        job_type: Some(granularity.to_owned()),
        job_creation_date: made,
        services_last_accessed: page.items.iter().map(|name| job.service(name)).collect(),
        job_completion_date: made,
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
        error: None,
    })
}

/// Shows which users and roles of a report used one service, the last one first, and then those
/// that never did.
pub fn get_service_last_accessed_details_with_entities(
    cx: &mut Context,
    input: GetServiceLastAccessedDetailsWithEntitiesRequest,
) -> Result<GetServiceLastAccessedDetailsWithEntitiesResponse> {
    let GetServiceLastAccessedDetailsWithEntitiesRequest {
        job_id,
        service_namespace,
        max_items,
        marker,
    } = input;
    let job = cx.find(&JOBS, &job_id)?;
    if !job.services.contains(&service_namespace) {
        let text = format!("Service {service_namespace} is not in the report.");
        return Err(INVALID_INPUT.because(text));
    }
    let mut details: Vec<EntityDetails> = job
        .entities
        .into_iter()
        .map(|entity| {
            let calls = entity.calls.get(&service_namespace).into_iter();
            let last = calls.flat_map(BTreeMap::values).max_by_key(|seen| seen.at_millis);
            let kind = if entity.is_user { "USER" } else { "ROLE" };
            EntityDetails {
                last_authenticated: last.map(time),
                entity_info: EntityInfo {
                    arn: entity.arn,
                    name: entity.name,
                    r#type: kind.to_owned(),
                    id: entity.id,
                    path: Some(entity.path),
                },
            }
        })
        .collect();
    details.sort_by_key(|one| std::cmp::Reverse(one.last_authenticated));
    let page = list::of_items(details, marker.as_deref(), max_items)?;
    let made = Timestamp::from_millis(job.created_millis);
    Ok(GetServiceLastAccessedDetailsWithEntitiesResponse {
        job_status: job_status_type::COMPLETED.to_owned(),
        job_creation_date: made,
        job_completion_date: made,
        entity_details_list: page.items,
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
        error: None,
    })
}
